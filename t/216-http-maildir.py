# SPDX-License-Identifier: ISC
# Maildirs that other programs write to: moves, flags, odd names, odd files,
# odd octets. And that nothing in them is changed by reading.
from lib import *

NS = 1000000000
T0 = 1700000000


def ids(user, conn=None):
    return [m["id"] for m in listing(user, conn=conn)["messages"]]


def row(user, name, conn=None):
    for m in listing(user, conn=conn)["messages"]:
        if m["id"] == name:
            return m
    return None


def read(name, user="alice", conn=None, **more):
    return (conn.ask if conn else get)("/mail/" + name, user, **more)


def is_whole(what, user, name, data):
    """Three tests: the reply, HEAD, and the size in the list."""
    want = wire(data)
    r = read(name, user)
    ok((r.status, r.body) == (200, want), what + ": octet for octet",
       r.status, r.fields, "%d octets, not %d" % (len(r.body), len(want)))
    eq(read(name, user, method="HEAD")["content-length"], str(len(want)),
       what + ": HEAD says how many")
    eq(row(user, name)["size"], len(want), what + ": so does the list")


def moves():
    base, data = "1700000000.M1P1Q1.host", b"Subject: one\n\none\n"
    full = named(base, data)
    path = put("alice", full, data)
    box = maildir("alice")
    with Conn() as c:
        seen = read(base, conn=c)
        eq((seen.status, row("alice", base)["flags"],
            listing("alice")["unseen"]), (200, [], 1), "new: unseen")
        for suffix, flags in ((":2,", []), (":2,S", ["seen"]),
                              (":2,FS", ["seen", "flagged"]),
                              (":2,DFPRST", ["seen", "answered", "flagged",
                                             "draft", "trashed", "passed"]),
                              (":2,Sab", ["seen"]), (":2,T", ["trashed"]),
                              (":1,S", []), (":2,XS", ["seen"]), ("", [])):
            os.rename(path, box + "/cur/" + full + suffix)
            path = box + "/cur/" + full + suffix
            r = read(base, conn=c)
            l = listing("alice", conn=c)
            eq((r.status, r.body, r["etag"], l["messages"][0]["id"],
                l["messages"][0]["flags"], l["unseen"], l["total"]),
               (200, seen.body, seen["etag"], base, flags,
                0 if "seen" in flags else 1, 1),
               "moved to cur/ with %r: the same id, these flags" % suffix)
        got = set()
        for i in range(60):
            to = box + ("/new/" if i % 3 == 0 else "/cur/") + full + \
                ("" if i % 3 == 0 else ":2," + "FRS"[:i % 4])
            os.rename(path, to)
            path = to
            got.add(read(base, conn=c).status)
        eq(got, {200}, "renamed between any two reads: always found")
        os.rename(path, box + "/new/" + full + ":2,S")
        eq((row("alice", base)["flags"], listing("alice")["unseen"]),
           ([], 1), "what is in new/ is unseen whatever its name says")
        os.link(box + "/new/" + full + ":2,S", box + "/cur/" + full + ":2,S")
        eq((ids("alice"), listing("alice")["total"],
            listing("alice")["unseen"]), ([base], 1, 0),
           "in both folders for a moment: listed once")
        os.unlink(box + "/new/" + full + ":2,S")
        bad = read(base + full[len(base):], conn=c)
        eq(bad.status, 404, "the whole name is no id")
        os.unlink(box + "/cur/" + full + ":2,S")
        eq((read(base, conn=c).status, ids("alice", c)), (404, []),
           "deleted: 404, and not listed")
        put("alice", full, data)
        eq((read(base, conn=c).status, ids("alice", c)), (200, [base]),
           "there again")
        os.unlink(box + "/new/" + full)


def sizes():
    data = b"Subject: x\n\n" + b"line\n" * 1000
    n, w = len(data), len(wire(data))
    for i, (what, tail) in enumerate((
            ("no size in the name", ""), ("S alone", ",S=%d" % n),
            ("W alone", ",W=%d" % w), ("both", ",S=%d,W=%d" % (n, w)),
            ("W is one short", ",S=%d,W=%d" % (n, w - 1)),
            ("W is one more", ",S=%d,W=%d" % (n, w + 1)),
            ("W is absurd", ",S=%d,W=99999999999" % n),
            ("S and W are another's", ",S=10,W=12"),
            ("W is no number", ",S=%d,W=x" % n),
            ("S is twice there", ",S=1,S=%d,W=%d" % (n, w)))):
        base = "17000001%02d.M1P1Q1.host" % i
        put("alice", base + tail, data)
        is_whole(what, "alice", base, data)
    # As the store names what was sent as binary: served as it is.
    put("alice", "1700000150.M1P1Q1.host,S=%d,W=%d" % (n, n), data)
    r = read("1700000150.M1P1Q1.host")
    eq((r.body, r["content-length"]), (data, str(n)), "W is S: as stored")
    # The list alone, before anyone has read the message.
    base = "1700000200.M1P1Q1.host"
    put("alice", base + ",S=%d,W=%d" % (n, w - 1), data)
    eq(row("alice", base)["size"], w, "a wrong W is found out by the list")
    big = b"Subject: big\n\n" + b"x" * 75 + b"\n"
    big += b"y" * 79 + b"\n"
    big = big[:14] + big[14:] * 1000
    base = "1700000201.M1P1Q1.host"
    put("alice", base + ",S=%d,W=%d" % (len(big), len(big) + 5), big)
    is_whole("a long one with a wrong W", "alice", base, big)


def octets():
    mib = b"".join(b"%08d " % i + b"m" * 60 + b"\n" for i in range(76000))
    cases = [
        ("5 MiB", b"Subject: 5 MiB\n\n" + mib),
        ("CRLF on disk", b"Subject: x\r\n\r\none\r\n\r\ntwo\r\n"),
        ("both line ends", b"Subject: x\n\r\none\r\ntwo\nthree\r\r\n\n"),
        ("lone CR", b"Subject: x\n\na\rb\r\r\rc\n\r"),
        ("no end of line", b"Subject: x\n\nend"),
        ("NUL and 8 bit", b"Subject: x\n\n" + bytes(range(256)) * 4),
        ("no body", b"Subject: x\n"), ("no header", b"\nbody\n"),
        ("nothing", b""), ("one LF", b"\n"), ("one octet", b"x"),
        ("dots", b"Subject: x\n\n.\n..\n.\n"),
        ("From_", b"From me\nSubject: x\n\nFrom you\n"),
        ("LF alone, 70000 times", b"\n" * 70000),
        ("a line of 1 MB", b"Subject: x\n\n" + b"x" * 1000000 + b"\n"),
    ]
    # CR and LF on either side of where reads end.
    for at in (65535, 65536, 131071):
        cases.append(("CRLF around %d" % at,
                      b"Subject: x\n\n" + (at - 13) * b"x" + b"\r\nend\n"))
    for i, (what, data) in enumerate(cases):
        base = "17000003%02d.M1P1Q1.host" % i
        put("alice", base, data)
        is_whole(what, "alice", base, data)
    want = wire(cases[0][1])
    with Conn() as c:
        for first, last in ((0, 99), (1, 65536), (65530, 65541),
                            (3000000, 3000100), (2999999, 4999999),
                            (len(want) - 10, len(want) - 1)):
            r = read("1700000300.M1P1Q1.host", conn=c,
                     Range="bytes=%d-%d" % (first, last))
            ok((r.status, r.body) == (206, want[first:last + 1]),
               "5 MiB: octets %d to %d" % (first, last), r.fields)


def changing():
    base, data = "1700000400.M1P1Q1.host", b"Subject: x\n\nx\n"
    path = put("alice", named(base, data), data)
    tag = read(base)["etag"]
    with open(path, "ab") as f:
        f.write(b"more\n")
    r = read(base)
    eq((r.body, r["etag"] != tag), (wire(data + b"more\n"), True),
       "a file that grew: as it is now, with another tag")
    os.truncate(path, 5)
    eq(read(base).body, b"Subje", "one that shrank")
    big = b"Subject: x\n\n" + 8000000 * b"x"
    path = put("alice", named("1700000401.M1P1Q1.host", big), big)
    c = Conn(rcvbuf=4096)
    c.send(request("/mail/1700000401.M1P1Q1.host", "alice"))
    while len(c.buf) < 1000:
        c.fill()
    os.truncate(path, 100000)
    try:
        c.reply()
        got = "whole"
    except Closed as e:
        got = str(e)
    eq(got, "without close_notify",
       "cut while it is sent: what came does not look whole")
    c.close()
    os.unlink(path)
    c = Conn(rcvbuf=4096)
    path = put("alice", named("1700000402.M1P1Q1.host", big), big)
    c.send(request("/mail/1700000402.M1P1Q1.host", "alice"))
    while len(c.buf) < 1000:
        c.fill()
    os.unlink(path)
    ok(c.reply().body == big.replace(b"\n", b"\r\n"),
       "deleted while it is sent: it comes whole")
    c.close()


def odd_files():
    box = maildir("bob")
    good = "1700000000.M1P1Q1.host"
    put("bob", good, b"Subject: good\n\ngood\n")
    os.mkdir(box + "/new/1700000001.M1P1Q1.folder")
    os.mkfifo(box + "/new/1700000002.M1P1Q1.fifo")
    s = socket.socket(socket.AF_UNIX)
    s.bind(box + "/cur/s")
    os.rename(box + "/cur/s", box + "/cur/1700000003.M1P1Q1.socket:2,S")
    os.symlink(good, box + "/new/1700000004.M1P1Q1.link")
    os.symlink("/nowhere", box + "/cur/1700000005.M1P1Q1.broken:2,")
    for name in (".hidden", ",S=1", ":2,S", "a b", "\x1b[2J", "\u00e4",
                 "x" * 250, "quote\"", "back\\slash", "perc%41nt", "semi;x",
                 "<b>", "tilde~", "dollar$", "am&p=x?y#z", "new\nline"):
        put("bob", name, b"Subject: %s\n\nx\n" % name.encode())
    eq(len({"1700000001.M1P1Q1.folder", "1700000002.M1P1Q1.fifo",
            "1700000003.M1P1Q1.socket", "1700000004.M1P1Q1.link",
            "1700000005.M1P1Q1.broken"} & set(ids("bob"))), 0,
       "what is no file is not listed")
    for name in ("1.M1P1Q1.folder", "2.M1P1Q1.fifo", "3.M1P1Q1.socket",
                 "4.M1P1Q1.link", "5.M1P1Q1.broken"):
        eq(read("170000000" + name, "bob").status, 404, "nor served: " + name)
    s.close()
    listed = listing("bob")["messages"]
    ok(good in [m["id"] for m in listed] and len(listed) >= 9,
       "strange names are served where they can be", listed)
    with Conn() as c:
        got = {(m["id"], c.ask(m["url"], "bob").status) for m in listed}
    eq({g for g in got if g[1] != 200}, set(), "by the url of the list")
    r = get("/mail/", "bob")
    eq((r.status, b"\x1b" in r.body), (200, False), "also as text")
    for name in os.listdir(box + "/new"):
        if name != good and not os.path.isdir(box + "/new/" + name):
            os.unlink(box + "/new/" + name)
    path = put("bob", "1700000009.M1P1Q1.closed", b"Subject: secret\n\nx\n")
    os.chmod(path, 0)
    ok(read("1700000009.M1P1Q1.closed", "bob").status in (500, 503),
       "a file that cannot be read: 500 or 503")
    ok(good in ids("bob") and read(good, "bob").status == 200,
       "and the others are served all the same")
    os.unlink(path)
    box = maildir("carol")
    eq(listing("carol")["total"], 0, "an empty mailbox")
    os.rmdir(box + "/cur")
    os.rmdir(box + "/new")
    eq(listing("carol")["total"], 0, "without cur/ and new/")
    os.rmdir(box + "/tmp")
    os.rmdir(box)
    eq(listing("carol")["total"], 0, "before the first delivery")
    os.rename(os.path.dirname(box), os.path.dirname(box) + ".away")
    ok(get("/mail/", "carol").status in (200, 404, 503),
       "without a folder of the user")
    os.rename(os.path.dirname(box) + ".away", os.path.dirname(box))
    put("carol", good, b"Subject: first\n\nx\n")
    eq(ids("carol"), [good], "and the first message is seen")
    for base, when in (("1.M1P1Q1.old", -86400), ("2.M1P1Q1.zero", 0),
                       ("3.M1P1Q1.future", 4102444800)):
        put("carol", base, b"Subject: x\n\n", mtime=when * NS)
    eq([(m["id"], m["received"]) for m in listing("carol")["messages"]
        if m["id"] != good],
       [("3.M1P1Q1.future", "2100-01-01T00:00:00Z"),
        ("2.M1P1Q1.zero", "1970-01-01T00:00:00Z"),
        ("1.M1P1Q1.old", "1969-12-31T00:00:00Z")],
       "received is the file's time, whatever it is")


def texts():
    def subject(i, value, decoded=None):
        base = "17000005%02d.M1P1Q1.host" % i
        put("bob", base, b"From: " + value + b" <x@y.test>\nSubject: " +
            value + b"\n\nx\n")
        m = row("bob", base)
        if decoded is not None:
            eq(m["subject"], decoded, "the subject %r" % value[:40])
        return m

    fffd = "\ufffd"
    subject(0, b"caf\xe9 \xff\xfe", "caf%s %s%s" % (fffd, fffd, fffd))
    subject(1, b"\xc3\xa4 is UTF-8", "\u00e4 is UTF-8")
    subject(2, b"\xed\xa0\x80\xc0\xaf\xf4\x90\x80\x80", 9 * fffd)
    subject(3, b"quote \" back \\ </script>", "quote \" back \\ </script>")
    for i, value in enumerate((b"\x1b[2J", b"a\x07b", b"a\x9bb", b"a\rb",
                               b"\xe2\x80\xaetxt.exe", b"\xe2\x81\xa6x",
                               b"\xc2\x9b31m", b"=?utf-8?Q?=1B[2J?=",
                               b"=?utf-8?B?4oCu?=", b"=?utf-8?Q?=0D=0AX:y?=",
                               b"=?iso-8859-1?Q?=9B31m?=", b"a\x7fb",
                               b"=?utf-8?Q?=00?=", b"\xe2\x80\x8bx",
                               b"\xef\xbb\xbfx", b"=?utf-8?Q?=C2=85?=")):
        m = subject(10 + i, value)
        text = m["subject"] + m["from"][0]["name"] if m["from"] \
            else m["subject"]
        ok(not re.search("[\0-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e"
                         "\u2060-\u206f\ufeff]", text),
           "made visible in JSON: %r" % value, m)
    r = get("/mail/", "bob")
    ok(not re.search("[\0-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f"
                     "\u2028-\u202e\u2060-\u206f\ufeff]", r.text()),
       "and in the list as text", r.text())
    ok("<U+202E>" in r.text() and "<U+001B>" in r.text(), "by their numbers",
       r.text())
    eq(len(r.text().splitlines()), listing("bob")["total"] + 1,
       "one message is one line")
    put("bob", "1700000540.M1P1Q1.host", b"Subject: =?utf-8?Q?" +
        b"x" * 500000 + b"?=\nFrom: " + b"a@b.test, " * 100000 +
        b"\n\nx\n")
    put("bob", "1700000541.M1P1Q1.host", b"X: y\n" * 200000 +
        b"Subject: late\n\nx\n")
    put("bob", "1700000542.M1P1Q1.host", b"Subject: " + b" \n" * 100000)
    put("bob", "1700000543.M1P1Q1.host", b"Subject:" + b"\n x" * 50000 +
        b"\nFrom: " + b"(" * 50000 + b"\nTo: " + b"\"\\" * 50000 +
        b"\nDate: " + b"9" * 50000 + b"\n\n")
    eq(len([m for m in listing("bob")["messages"]
            if m["id"].startswith("17000005")]), 24,
       "headers of all sizes: the list is made")
    with Conn() as c:
        for i in range(540, 544):
            for accept in ("text/plain", "application/json"):
                r = c.ask("/mail/1700000%d.M1P1Q1.host/headers" % i, "bob",
                          Accept=accept)
                r.json() if accept != "text/plain" else r.text()
                eq(r.status, 200, "message %d: headers, %s" % (i, accept))


def snapshot(f):
    found = {}
    for top, dirs, files in os.walk(f.dir + "/mail"):
        for name in dirs + files + ["."]:
            st = os.lstat(os.path.join(top, name))
            found[os.path.join(top, name)] = (
                st.st_ino, st.st_mode, st.st_uid, st.st_gid, st.st_nlink,
                st.st_size, st.st_mtime_ns, st.st_ctime_ns)
    return found


def untouched(f):
    before = snapshot(f)
    with Conn() as c:
        for user in ("alice", "bob", "carol"):
            for accept in ("text/plain", "application/json"):
                c.ask("/mail/", user, Accept=accept)
            for m in listing(user, conn=c)["messages"]:
                c.ask(m["url"], user)
                c.ask(m["url"], user, Range="bytes=3-10")
                c.ask(m["url"] + "/headers", user)
                c.ask(m["url"], user, "OPTIONS")
                c.ask(m["url"], user, "DELETE")
                c.ask(m["url"], user, "PUT", Content_Length="0")
    after = snapshot(f)
    ok(before == after, "reading has changed nothing",
       *[(k, before.get(k), after.get(k)) for k in before | after
         if before.get(k) != after.get(k)])


def test():
    f = start("auth { failure_delay = 0 }")
    moves()
    sizes()
    octets()
    changing()
    odd_files()
    texts()
    untouched(f)


run(165, test)
