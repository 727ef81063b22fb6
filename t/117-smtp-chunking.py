# SPDX-License-Identifier: ISC
"""Messages in chunks (RFC 3030): every way to cut them, refused chunks,
sizes that lie, binary messages up to what HTTPS serves of them; HELP and
LIMITS."""
import glob
import hashlib
import lib
import random
from lib import *

LIMIT = 200000
LOGIN = base64.b64encode(b"\0alice@example.test\0alice-secret")
ENVELOPE = b"MAIL FROM:<alice@example.test>\r\nRCPT TO:<bob@example.test>\r\n"
BINARY = (b"MAIL FROM:<alice@example.test> BODY=BINARYMIME\r\n"
          b"RCPT TO:<bob@example.test>\r\n")
ASKED = ["250 2.1.0", "250 2.1.5"]
MESSAGE = b"From: alice@example.test\r\nX: y\r\n\r\n.\r\n..a\r\n.\r\nb\r\n"


class Smtp:
    """A client that sends octets and reads replies."""

    def __init__(self, clear=False, login=True):
        self.buf = b""
        self.sock = socket.create_connection(
            ("127.0.0.1", lib.fixture.smtp if clear else
             lib.fixture.smtps), PATIENCE)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not clear:
            self.secure()
        self.greeting = self.reply()
        if login and not clear:
            self.say(b"EHLO client.test\r\nAUTH PLAIN " + LOGIN + b"\r\n", 2)

    def secure(self):
        self.sock = lib.fixture.context.wrap_socket(
            self.sock, server_hostname="localhost")

    def line(self):
        """Without its CRLF; None at the end."""
        while b"\r\n" not in self.buf:
            try:
                more = self.sock.recv(65536)
            except ConnectionResetError:
                more = b""
            if not more:
                return None
            self.buf += more
        line, self.buf = self.buf.split(b"\r\n", 1)
        return line.decode()

    def reply(self):
        """Its lines; [] at the end."""
        lines = [self.line()]
        while lines[-1] is not None and lines[-1][3:4] == "-":
            lines.append(self.line())
        return [] if lines[-1] is None else lines

    def code(self):
        lines = self.reply()
        if not lines:
            return "closed"
        return re.match(r"\d{3}(?: \d\.\d+\.\d+(?= ))?", lines[-1]).group(0)

    def send(self, octets):
        self.sock.sendall(octets)

    def say(self, octets, n=1):
        """Send all, then read n replies."""
        self.send(octets)
        return [self.code() for _ in range(n)]

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def chunks(*parts, last=True):
    """BDAT of each; the last one says so."""
    out = b""
    for i, part in enumerate(parts):
        end = b" LAST" if last and i == len(parts) - 1 else b""
        out += b"BDAT %d%s\r\n%s" % (len(part), end, part)
    return out


def names(user="bob"):
    return sorted(os.listdir(maildir(user) + "/new"))


def newest(user="bob"):
    """Name and octets of the last message."""
    name = names(user)[-1]
    with open(maildir(user) + "/new/" + name, "rb") as f:
        return name, f.read()


def behind(stored, mark=b"From: alice"):
    """What the client sent of it: all behind our own fields."""
    return stored[stored.index(mark):]


def lf(text):
    return text.replace(b"\r\n", b"\n")


# --- how a message may be cut

def cuts(s):
    wrong = []
    for i in range(len(MESSAGE) + 1):
        a, b = MESSAGE[:i], MESSAGE[i:]
        for parts in ([a, b], [a, b, b""], [b"", a, b"", b]):
            codes = s.say(ENVELOPE + chunks(*parts), 2 + len(parts))
            want = ASKED + ["250 2.0.0"] * len(parts)
            if codes != want or behind(newest()[1]) != lf(MESSAGE):
                wrong.append((parts, codes, newest()[1]))
    eq(wrong, [], "cut in two at every octet")
    parts = [MESSAGE[i:i + 1] for i in range(len(MESSAGE))]
    eq(s.say(ENVELOPE + chunks(*parts), 2 + len(parts)),
       ASKED + ["250 2.0.0"] * len(parts), "in chunks of one octet")
    eq(behind(newest()[1]), lf(MESSAGE), "is stored as it was sent")
    for octet in ENVELOPE + chunks(MESSAGE[:30], b"", MESSAGE[30:]):
        s.send(bytes([octet]))
    eq([s.code() for _ in range(5)], ASKED + ["250 2.0.0"] * 3,
       "sent octet by octet")
    eq(behind(newest()[1]), lf(MESSAGE), "is stored as it was sent")


def one_write():
    n = len(names())
    with Smtp() as s:
        s.send(ENVELOPE + chunks(b"X: 1\r\n", b"\r\n1\r\n") +
               ENVELOPE + b"DATA\r\n")
        eq([s.code() for _ in range(7)],
           ASKED + ["250 2.0.0", "250 2.0.0"] + ASKED + ["354"],
           "chunks, then DATA")
        s.send(b"X: 2\r\n\r\n..2\r\n.\r\n" + ENVELOPE +
               chunks(b"X: 3\r\n\r\n..3\r\n") + b"NOOP\r\nQUIT\r\n")
        eq([s.code() for _ in range(7)], ["250 2.0.0"] + ASKED +
           ["250 2.0.0", "250 2.0.0", "221 2.0.0", "closed"],
           "then chunks again, NOOP and QUIT, in one write")
    got = []
    for name in names()[n:]:
        with open(maildir("bob") + "/new/" + name, "rb") as f:
            got.append(behind(f.read(), b"X: "))
    eq(got, [b"X: 1\n\n1\n", b"X: 2\n\n.2\n", b"X: 3\n\n..3\n"],
       "three messages, dots as they were meant")


def replies(s):
    s.say(ENVELOPE, 2)
    s.send(chunks(b"X: yes\r\n", b"", b"\r\n\r\n", last=False))
    eq([s.reply() for _ in range(3)],
       [["250 2.0.0 8 octets received"], ["250 2.0.0 0 octets received"],
        ["250 2.0.0 4 octets received"]], "what a chunk is answered")
    s.send(b"BDAT 0 LAST\r\n")
    eq(s.reply()[0].split(" as ")[1], newest()[0].split(",")[0],
       "what the last is answered: the message's id")
    eq(s.say(b"BDAT 0 LAST\r\n" + ENVELOPE + b"BDAT 0 LAST\r\n", 4),
       ["503 5.5.1"] + ASKED + ["250 2.0.0"], "an empty message is taken")
    stored = newest()[1]
    ok(b"\nMessage-ID: " in stored and stored.endswith(b">\n"),
       "it is our own fields alone", stored)
    eq(s.say(ENVELOPE + b"bdat 7 last\r\nX: \xc3\r\nx" + ENVELOPE +
             chunks(b"X: end"), 6),
       ASKED + ["550 5.6.0"] + ASKED + ["250 2.0.0"],
       "any case; no line end at the end")
    eq(behind(newest()[1], b"X: end"), b"X: end", "none is put there")


def large(s):
    r = random.Random(117)
    lines = [b"X: z\r\n", b"\r\n"]
    while sum(map(len, lines)) < LIMIT - 1000:
        lines.append(bytes(r.choices(b".abc \xff", k=r.randrange(998))) +
                     b"\r\n")
    text, parts, at = b"".join(lines), [], 0
    while at < len(text):
        n = r.choice([0, 1, 2, 7, 500, 5000, 50000])
        parts.append(text[at:at + n])
        at += n
    codes = s.say(ENVELOPE + chunks(*parts), 2 + len(parts))
    eq(set(codes[2:]), {"250 2.0.0"}, "a large one in %d chunks" % len(parts))
    eq(hashlib.sha256(behind(newest()[1], b"X: z")).hexdigest(),
       hashlib.sha256(lf(text)).hexdigest(), "is stored as it was sent")
    n = 3000
    codes = s.say(ENVELOPE + b"BDAT 6\r\nX: z\r\n" +
                  b"BDAT 2\r\n\r\n" * n + b"BDAT 0 LAST\r\n", n + 4)
    eq((set(codes[2:]), behind(newest()[1], b"X: z")),
       ({"250 2.0.0"}, b"X: z\n" + b"\n" * n), "%d chunks in one go" % n)


# --- between chunks, and refused ones

def between(s):
    n = len(names())
    for back in (b"RSET", b"EHLO client.test", b"HELO client.test"):
        eq(s.say(ENVELOPE + chunks(b"X: 1\r\n", last=False) + back +
                 b"\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n", 6),
           ASKED + ["250 2.0.0", "250 2.0.0" if back == b"RSET" else "250",
                    "503 5.5.1", "250 2.0.0"],
           "%s between chunks ends the message" % back.decode())
    s.say(b"EHLO client.test\r\n")
    eq(s.say(ENVELOPE + chunks(b"X: 1\r\n", last=False) +
             b"MAIL FROM:<>\r\nRCPT TO:<carol@example.test>\r\nDATA\r\n"
             b"STARTTLS\r\nAUTH PLAIN\r\nNOOP\r\nVRFY x\r\nHELP BDAT\r\n"
             b"WAFFLE\r\n" + chunks(b"\r\n"), 13),
       ASKED + ["250 2.0.0"] + ["503 5.5.1"] * 5 +
       ["250 2.0.0", "252 2.5.2", "214 2.0.0", "500 5.5.2", "250 2.0.0"],
       "what may be said between chunks, and what not")
    eq((len(names()), behind(newest()[1], b"X: ")), (n + 1, b"X: 1\n\n"),
       "one message came of all that")
    with Smtp() as q:
        eq(q.say(ENVELOPE + chunks(b"X: 1\r\n", last=False) + b"QUIT\r\n", 5),
           ASKED + ["250 2.0.0", "221 2.0.0", "closed"],
           "QUIT between chunks")
    with Smtp() as q:
        q.say(ENVELOPE + chunks(b"X: 1\r\n", last=False) + b"BDAT 9\r\nx", 3)
    eq(len(names()), n + 1, "nothing came of what was left")


def refused():
    """A chunk of commands, in each state that does not take it."""
    bad = b"BDAT 24 LAST\r\nRSET\r\nQUIT\r\n\0\n\r.\r\nQUIT\r\n"
    with Smtp(clear=True) as s:
        eq(s.say(bad + b"NOOP\r\n", 2), ["503 5.5.1", "250 2.0.0"], "START")
        s.send(b"BDAT 9\r\nQUIT\r\n")
        s.sock.settimeout(0.3)
        try:
            early = s.code()
        except socket.timeout:
            early = None
        s.sock.settimeout(PATIENCE)
        eq((early, s.say(b"\r\n\r")), (None, ["503 5.5.1"]),
           "the refusal waits for the last octet")
        eq(s.say(b"EHLO a\r\n" + bad + b"NOOP\r\n", 3),
           ["250", "530 5.7.0", "250 2.0.0"], "HELLO")
        s.say(b"STARTTLS\r\n")
        s.secure()
        eq(s.say(bad + b"NOOP\r\n", 2), ["503 5.5.1", "250 2.0.0"], "TLS")
        eq(s.say(b"EHLO a\r\n" + bad + b"NOOP\r\n", 3),
           ["250", "530 5.7.0", "250 2.0.0"], "IDENT")
        s.say(b"AUTH PLAIN " + LOGIN + b"\r\n")
        eq(s.say(bad + b"NOOP\r\n", 2), ["503 5.5.1", "250 2.0.0"], "READY")
        eq(s.say(b"MAIL FROM:<>\r\n" + bad + b"NOOP\r\n", 3),
           ["250 2.1.0", "503 5.5.1", "250 2.0.0"], "MAIL")
        eq(s.say(b"RCPT TO:<no@example.test>\r\n" + bad +
                 b"RCPT TO:<bob@example.test>\r\n", 3),
           ["550 5.1.1", "503 5.5.1", "250 2.1.5"],
           "no recipient was accepted")
    with Smtp() as s:
        codes = s.say((b"BDAT 4\r\nQUIT") * 500 + b"NOOP\r\n", 501)
        eq((set(codes[:-1]), codes[-1]), ({"503 5.5.1"}, "250 2.0.0"),
           "many in one go are no more than one error")


def failures(s):
    n = len(names())
    foreign = b"From: bob@example.test\r\n\r\nx\r\n"
    cases = [
        ("another's From", chunks(foreign[:9], foreign[9:]),
         ["250 2.0.0", "550 5.7.1"]),
        ("NUL", chunks(b"X: y\r\n", b"\r\n\0\r\n", b"z\r\n"),
         ["250 2.0.0", "550 5.6.0", "503 5.5.1"]),
        ("8-bit in the header", chunks(b"X: \xff\r\n", b"QUIT\r\n"),
         ["550 5.6.0", "503 5.5.1"]),
        ("a long line", chunks(b"X: y\r\n\r\n" + b"x" * 500, b"x" * 499, b""),
         ["250 2.0.0", "550 5.6.0", "503 5.5.1"]),
        ("too big at once", chunks(bytes(LIMIT + 1), b"QUIT\r\n"),
         ["552 5.3.4", "503 5.5.1"]),
        ("too big together", chunks(b"X: y\r\n" * 20000, b"\n" * 80001,
                                    b"RSET\r\n"),
         ["250 2.0.0", "552 5.3.4", "503 5.5.1"]),
    ]
    for what, octets, want in cases:
        eq(s.say(ENVELOPE + octets + b"NOOP\r\n", 3 + len(want)),
           ASKED + want + ["250 2.0.0"], what)
    eq(s.say(b"MAIL FROM:<> SIZE=%d\r\n" % LIMIT +
             b"RCPT TO:<bob@example.test>\r\n" +
             chunks(b"x\r\n" * (LIMIT // 3), b"x" * (LIMIT % 3)), 4),
       ASKED + ["250 2.0.0"] * 2, "just the limit")
    eq(len(names()), n + 1, "no other was delivered")
    left = glob.glob(lib.fixture.dir + "/mail/*/*/Maildir/tmp/*")
    eq(left, [], "nothing was left in tmp/")


# --- those who want the octets to be taken for something else

SIZES = ["4294967297 LAST", "-1", "-1 LAST", "+5", "0x5", "5x", "5.0", "5,",
         " 5", "5  LAST", "5 LASTX", "5 LAST LAST", "5 FIRST", "5 5", "5LAST",
         "LAST", "LAST 5", "", "4294967296", "18446744073709551617",
         "99999999999999999999999999", "5\tLAST", "\t5", "\u0665", "5;LAST",
         "0" * 100 + "5", "5" + " " * 600]


def lies():
    n = len(names())
    smuggled = b"hello" + ENVELOPE + b"BDAT 6 LAST\r\nX: y\r\n" + b"QUIT\r\n"
    for size in SIZES:
        want = "500 5.5.2" if len(size) > 500 else "501 5.5.4"
        with Smtp() as s:
            eq(s.say(ENVELOPE + b"BDAT " + size.encode() + b"\r\n" + smuggled,
                     4), ASKED + [want, "closed"], "BDAT %.30s" % size)
    for size in ("-1", "4294967297 LAST"):
        with Smtp(clear=True) as s:
            eq(s.say(b"BDAT " + size.encode() + b"\r\nNOOP\r\n", 2),
               ["501 5.5.4", "closed"], "BDAT %s before the hello" % size)
    for size in ("4294967295", "4294967295 LAST", "200001"):
        with Smtp() as s:
            eq(s.say(ENVELOPE + b"BDAT " + size.encode() + b"\r\n", 2), ASKED,
               "BDAT %s waits" % size)
            s.send(smuggled * 100)
    eq(len(names()), n, "nothing was delivered")


def bare():
    n = len(names())
    more = ENVELOPE + chunks(b"X: smuggled\r\n\r\n")
    for end in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n",
                b"\r\n.\r", b"\r\r\n", b"\n", b"\r", b"\n\r", b"\r\n\n"):
        head = b"X: y\r\n\r\nx"
        for parts in ([head + end + b"QUIT\r\n"], [head, end + b"QUIT\r\n"],
                      [head + end[:1], end[1:] + b"x\r\n"]):
            got = []
            with Smtp() as s:
                s.send(ENVELOPE + chunks(*parts) + more)
                while not got or got[-1] != "closed":
                    got.append(s.code())
            if got[-2] != "550 5.5.2" or got[2:-2] not in ([], ["250 2.0.0"]):
                ok(False, "%r" % parts, got)
    eq(len(names()), n, "a CR or LF on its own: nothing was delivered")
    with Smtp() as s:
        eq(s.say(ENVELOPE + chunks(b"X: y\r", b"\n\r", b"\n.\r\n"), 5),
           ASKED + ["250 2.0.0"] * 3, "CRLF may be cut in two")
        eq(behind(newest()[1], b"X: y"), b"X: y\n\n.\n", "and is whole again")
        eq(s.say(ENVELOPE + chunks(b"X: y\r\n\r\n.\r\n" + more + b".\r\n"), 3),
           ASKED + ["250 2.0.0"], "another message as content")
        eq(behind(newest()[1], b"X: y"),
           lf(b"X: y\r\n\r\n.\r\n" + more + b".\r\n"), "is content")
    with Smtp(clear=True) as s:
        eq(s.say(b"EHLO a\r\nBDAT 10\r\nSTARTTLS\r\nSTARTTLS\r\nBDAT 1\r\nx",
                 4), ["250", "530 5.7.0", "554 5.5.0", "closed"],
           "octets behind STARTTLS, chunk or not")


def slow():
    with Smtp() as s:
        eq(s.say(ENVELOPE + b"BDAT 10\r\nx", 4),
           ASKED + ["421 4.4.2", "closed"], "a chunk that does not come")
    with Smtp() as s:
        eq(s.say(b"BDAT 10\r\nx", 2), ["421 4.4.2", "closed"],
           "one that is refused and does not come")
    with Smtp() as s:
        end = time.monotonic() + PATIENCE
        s.say(ENVELOPE, 2)
        s.send(b"BDAT 1000000\r\n")
        s.sock.settimeout(0.2)
        got = None
        while got is None and time.monotonic() < end:
            try:
                s.send(b"x")
                got = s.code()
            except socket.timeout:
                pass
            except (ConnectionError, ssl.SSLError):
                break
        eq(got, "421 4.4.2", "one that comes too slowly")


# --- binary messages

HEAD = (b"From: alice@example.test\r\nSubject: all\r\n octets\r\n"
        b"Bcc: carol@example.test\r\nContent-Transfer-Encoding: binary\r\n"
        b"\r\n")
KEPT = HEAD.replace(b"Bcc: carol@example.test\r\n", b"")
OCTETS = (bytes(range(256)) + b"\r\n.\r\n\r\r\n\n\n\r" +
          bytes(range(255, -1, -1)) * 40 + b"\0\r")


def binary(s):
    body = OCTETS
    eq(s.say(BINARY + b"RCPT TO:<carol@example.test>\r\nDATA\r\n" +
             chunks(HEAD + body[:10], body[10:600], body[600:]), 7),
       ASKED + ["250 2.1.5", "503 5.5.1"] + ["250 2.0.0"] * 3,
       "BINARYMIME: not by DATA, but in chunks")
    name, stored = newest()
    size = len(stored)
    ok(stored.endswith(b"\r\n" + KEPT + body), "it is stored as it came",
       stored[:1000])
    head = stored[:stored.index(b"\r\n\r\n") + 4]
    ok(b"\n" not in head.replace(b"\r\n", b"") and
       b"\r\nMessage-ID: " in head and head.startswith(b"Return-Path: <"),
       "our fields have CRLF, too", head)
    ok(name.endswith(",S=%d,W=%d" % (size, size)),
       "S and W of its name are its size", name, size)
    eq(newest("carol")[1], stored, "for the other recipient, too")
    served(name, stored, "bob")
    row = listing("bob")["messages"][0]
    eq((row["subject"], row["from"][0]["address"], row["size"]),
       ("all octets", "alice@example.test", size), "its row in the list")
    fields = get(row["url"] + "/headers", "bob",
                 Accept="application/json").json()["headers"]
    eq(fields[-3:], [["From", "alice@example.test"],
                     ["Subject", "all octets"],
                     ["Content-Transfer-Encoding", "binary"]],
       "its header as JSON")

    where = maildir("bob")
    os.rename(where + "/new/" + name, where + "/cur/" + name + ":2,S")
    served(name, stored, "bob, moved to cur/")
    eq(s.say(BINARY + b"BDAT 4 LAST\r\n\r\n\0\n", 3),
       ASKED + ["250 2.0.0"], "without a field")
    ok(newest()[1].endswith(b"\r\n\r\n\0\n"), "the empty line and the body")
    name, stored = newest()
    served(name, stored, "bob, without a field")


def served(name, stored, what):
    """Everything that HTTPS says of a file that is sent as it is."""
    url = "/mail/" + name.split(",")[0]
    r = get(url, "bob")
    ok((r.status, r["content-type"], r.body) ==
       (200, "message/rfc822", stored), what + ": served octet for octet",
       r.status, "%d octets, not %d" % (len(r.body), len(stored)))
    eq(get(url, "bob", method="HEAD")["content-length"], str(len(stored)),
       what + ": HEAD")
    eq([m["size"] for m in listing("bob")["messages"]
        if m["url"].endswith(url)], [len(stored)], what + ": the list")
    wrong = []
    for first, last in ((0, 0), (1, 300), (len(stored) - 300, len(stored)),
                        (len(stored) // 2, len(stored) - 1)):
        r = get(url, "bob", Range="bytes=%d-%d" % (first, last))
        if r.status != 206 or r.body != stored[first:last + 1]:
            wrong.append((first, last, r))
    eq(wrong, [], what + ": in part")
    r = get(url + "/headers", "bob")
    block = stored[:stored.index(b"\r\n\r\n") + 2]
    eq(lf(r.body).strip(), lf(block).strip().replace(b"\t", b" "),
       what + ": the header")


def binary_large(s):
    body = random.Random(3030).randbytes(LIMIT - len(HEAD))
    parts = [HEAD] + [body[i:i + 9999] for i in range(0, len(body), 9999)]
    eq(s.say(BINARY + chunks(*parts), 2 + len(parts)),
       ASKED + ["250 2.0.0"] * len(parts), "a large binary message")
    name, stored = newest()
    ok(stored.endswith(KEPT + body), "is stored as it came")
    r = get("/mail/" + name.split(",")[0], "bob")
    ok(r.body == stored, "and served as it is")
    eq(s.say(ENVELOPE + chunks(b"X: y\r\n\r\nx\r\n"), 3),
       ASKED + ["250 2.0.0"], "one that is not, behind it")
    name, stored = newest()
    eq((behind(stored, b"X: y"), get("/mail/" + name.split(",")[0],
                                     "bob").body),
       (b"X: y\n\nx\n", wire(stored)), "has lines")


def binary_refused():
    for text, want in (
            (b"X: y\n\r\n\r\n", ["550 5.5.2", "closed"]),
            (b"X: \ry\r\n\r\n", ["550 5.5.2", "closed"]),
            (b"X: y\r\r\n\r\n", ["550 5.5.2", "closed"]),
            (b"X: y\r", ["550 5.5.2", "closed"]),
            (b"X: \0y\r\n\r\n", ["550 5.6.0", "250 2.0.0"]),
            (b"X: \xff\r\n\r\n", ["550 5.6.0", "250 2.0.0"]),
            (b"X: " + b"y" * 996 + b"\r\n\r\n", ["550 5.6.0", "250 2.0.0"]),
            (b"From: bob@example.test\r\n\r\n\0", ["550 5.7.1", "250 2.0.0"]),
            (b"From: alice@example.test\r\nFrom: alice@example.test\r\n\r\n",
             ["550 5.6.0", "250 2.0.0"]),
            (b"Received: x\r\n" * 51 + b"\r\n\0", ["554 5.4.6", "250 2.0.0"])):
        with Smtp() as s:
            eq(s.say(BINARY + chunks(text) + b"NOOP\r\n", 4), ASKED + want,
               "the header of a binary message: %.30r" % text)
    with Smtp() as s:
        eq(s.say(b"HELO a\r\nMAIL FROM:<> BODY=BINARYMIME\r\n", 2),
           ["250", "555 5.5.4"], "not without EHLO")


# --- what the server says of itself

def offers(s):
    s.send(b"EHLO a\r\n")
    lines = [line[4:] for line in s.reply()]
    eq([x for x in lines if x in ("CHUNKING", "BINARYMIME") or
        x.startswith("LIMITS")],
       ["BINARYMIME", "CHUNKING", "LIMITS RCPTMAX=7 MAILMAX=10000"],
       "what EHLO says of it")
    s.send(b"HELP\r\n")
    text = s.reply()
    verbs = " ".join(line[10:] for line in text[:-1]).split()
    eq(set(line[:9] for line in text), {"214-2.0.0", "214 2.0.0"},
       "the code of HELP")
    eq(verbs, "EHLO HELO STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP VRFY "
       "HELP QUIT".split(), "the verbs")
    for verb in verbs:
        s.send(b"help %s\r\n" % verb.lower().encode())
        first = s.reply()[0]
        ok(re.match("214-2.0.0 %s( |$)" % verb, first), "HELP " + verb, first)
    for word in (b"WAFFLE", b"EXPN", b"MAIL FROM", b"MAI", b"\xff"):
        eq(s.say(b"HELP " + word + b"\r\n"), ["504 5.5.4"],
           "HELP %r" % word)
    eq(s.say(b"MAIL FROM:<>\r\n" + b"RCPT TO:<bob@example.test>\r\n" * 8 +
             b"RSET\r\n", 10),
       ["250 2.1.0"] + ["250 2.1.5"] * 7 + ["452 4.5.3", "250 2.0.0"],
       "RCPTMAX is the truth")


def test():
    f = start("limits { message_size = %d recipient_limit = 7 "
              "messages_per_session = 10000 } auth { failure_delay = 0 }" %
              LIMIT, *MASTERS)
    for part in (offers, cuts, replies, large, between, failures, binary,
                 binary_large):
        with Smtp() as s:
            part(s)
    one_write()
    refused()
    lies()
    bare()
    binary_refused()
    f.stop("postern-smtpd")
    f.conf("limits { data_time = 1s command_time = 1min minimum_rate = 300 }")
    f.start("postern-smtpd")
    slow()


run(146, test)
