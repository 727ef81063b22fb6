# SPDX-License-Identifier: ISC
"""Aliases, the postmaster, who may send as whom, rates: as clients see it."""
import os
import re
import sys

sys.path.insert(0, os.environ["SRCDIR"] + "/t")
from lib import *

CONF = """
domains = { "example.test", "other.test" }
delivery {
	aliases = "%(dir)s/policy/aliases"
	alias_members = 4
	alias_depth = 3
	mailbox_limit = 6
	%(more)s
}
%(rest)s
"""


class Smtp:
    """One session under implicit TLS, logged in."""

    def __init__(self, user="alice"):
        self.c = Conn(fixture.smtps)
        self.reply()
        self.say("EHLO client.test")
        pair = "\0%s@%s\0%s-secret" % (user, DOMAIN, user)
        code = self.say("AUTH PLAIN " +
                        base64.b64encode(pair.encode()).decode())
        if not code.startswith("235"):
            raise RuntimeError("no login: " + code)

    def reply(self):
        lines = []
        while not lines or lines[-1][3:4] == "-":
            while b"\r\n" not in self.c.buf:
                self.c.fill()
            end = self.c.buf.index(b"\r\n") + 2
            lines.append(self.c.take(end).decode().rstrip("\r\n"))
        return lines[-1]

    def say(self, line):
        self.c.send(line + "\r\n")
        return self.reply()

    def code(self, line):
        """"250 2.1.5" of the answer."""
        return " ".join(self.say(line).split()[:2])

    def mail(self, sender="alice@example.test"):
        r = self.code("MAIL FROM:<%s>" % sender)
        self.code("RSET")
        return r

    def rcpt(self, to):
        self.code("MAIL FROM:<>")
        r = self.code("RCPT TO:<%s>" % to)
        self.code("RSET")
        return r

    def data(self, text):
        if not self.say("DATA").startswith("354"):
            raise RuntimeError("no DATA")
        return " ".join(self.say(text.replace("\n", "\r\n") + ".")
                        .split()[:2])

    def send(self, to, header="", sender=""):
        """The answer to the end of the message; all of `to' must do."""
        self.code("MAIL FROM:<%s>" % sender)
        for a in to.split():
            r = self.code("RCPT TO:<%s>" % a)
            if not r.startswith("250"):
                self.code("RSET")
                return "rcpt " + r
        return self.data(header + "\ntext\n")

    def close(self):
        self.c.close()


def aliases(text):
    path = fixture.dir + "/policy/aliases"
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(text)
    give(path + ".new")
    os.rename(path + ".new", path)


def boxes():
    """{mailbox: messages in new/}, those that have any."""
    found = {}
    root = fixture.dir + "/mail"
    for domain in os.listdir(root):
        for local in os.listdir(root + "/" + domain):
            new = "%s/%s/%s/Maildir/new" % (root, domain, local)
            n = len(os.listdir(new)) if os.path.isdir(new) else 0
            if n:
                found[local if domain == DOMAIN else
                      local + "@" + domain] = n
    return found


def empty():
    for d, _, files in os.walk(fixture.dir + "/mail"):
        for f in files:
            os.unlink(d + "/" + f)


def goes(s, to, want, what):
    """A message to these addresses arrives there, once in each."""
    empty()
    r = s.send(to)
    eq((r, boxes()), ("250 2.0.0", {b: 1 for b in want.split()}), what)


def text_of(user):
    new = "%s/mail/%s/%s/Maildir/new/" % (fixture.dir, DOMAIN, user)
    with open(new + os.listdir(new)[0]) as f:
        return f.read()


def begin(more="", rest=""):
    global fixture
    import lib
    if lib.fixture is not None:
        lib.fixture.end()
    f = lib.fixture = fixture = Fixture()
    os.mkdir(f.dir + "/policy")
    give(f.dir + "/policy")
    f.conf(CONF % {"dir": f.dir, "more": more, "rest": rest})
    return f


def test_aliases():
    f = begin()
    f.start("postern-auth", "postern-smtpd")
    s = Smtp()
    eq(s.rcpt("sales@example.test"), "550 5.1.1", "no alias yet")
    f.ctl("alias", "add", "sales", "alice", "bob")
    goes(s, "sales@example.test", "alice bob", "an alias added just now")
    f.ctl("alias", "remove", "sales", "alice")
    goes(s, "sales@example.test", "bob", "a target removed just now")
    ok("Delivered-To: bob@example.test\n" in text_of("bob") and
       "for <sales@example.test>" in text_of("bob"),
       "one recipient, one mailbox: both are named", text_of("bob"))
    aliases("sales: alice, bob\ninfo@other.test: Sales\nall: sales, carol,\n"
            " bob, info@other.test\ndead: zoe\nhalf: zoe, carol\n"
            "carol: carol, bob\nbob+eu: carol+x\n@example.test: alice\n"
            "two: bob, bob+a\n\"a,b\": bob\n")
    goes(s, "SALES@Example.Test", "alice bob", "case does not matter")
    ok("Delivered-To" not in text_of("bob") and
       "for <SALES@example.test>" in text_of("bob"),
       "several mailboxes: no Delivered-To", text_of("bob"))
    goes(s, "info@other.test", "alice bob", "nested, another domain")
    goes(s, "all@example.test", "alice bob carol", "nested twice, once each")
    goes(s, "all@example.test bob@example.test sales@example.test",
         "alice bob carol", "several recipients, once each")
    ok("Delivered-To" not in text_of("bob") and " for <" not in
       text_of("bob"), "several recipients are not named", text_of("bob"))
    goes(s, "two@example.test bob@example.test", "bob",
         "two recipients, one mailbox")
    ok("Delivered-To: bob@example.test\n" in text_of("bob") and " for <" not
       in text_of("bob"), "its name alone stands there", text_of("bob"))
    goes(s, "carol@example.test", "bob carol",
         "an alias wins over the mailbox, and lists it")
    goes(s, "sales+x@example.test", "alice bob", "an alias with a tag")
    goes(s, "bob+x@example.test", "bob", "a mailbox with a tag")
    goes(s, "bob+eu@example.test", "bob carol",
         "what has a tag may be an alias; its target's tag is none")
    goes(s, '"a,b"@example.test', "bob", "a quoted local part")
    goes(s, "half@example.test", "carol bob",
         "targets without a mailbox are left out")
    eq(s.rcpt("dead@example.test"), "550 5.1.1", "no target has a mailbox")
    eq(s.rcpt("zoe@example.test"), "550 5.1.1", "the catch-all is off")
    ok('alias="half@example.test" target="zoe@example.test"' in
       f.log("postern-smtpd"), "what is left out is logged")
    s.send("half@example.test")
    eq(f.log("postern-smtpd").count('target="zoe@example.test"'), 1,
       "once for one reading of the file")

    # --- limits
    aliases("m4: 1, 2, 3, alice\nm5: 1, 2, 3, 4, alice\nn1: alice\nn2: n1\n"
            "n3: n2\nn4: n3\n" + "".join("g%d: g%da, g%db, g%dc\n"
                                         % (n, n, n, n) for n in range(3)))
    for n in range(3):
        for x in "abc":
            path = "%s/mail/%s/g%d%s" % (f.dir, DOMAIN, n, x)
            os.mkdir(path)
            give(path)
    eq(s.rcpt("m4@example.test"), "250 2.1.5", "as many members as may be")
    eq(s.rcpt("m5@example.test"), "452 4.5.3", "one more")
    eq(s.rcpt("n3@example.test"), "250 2.1.5", "as deep as may be")
    eq(s.rcpt("n4@example.test"), "550 5.1.1", "one deeper")
    s.code("MAIL FROM:<>")
    eq([s.code("RCPT TO:<g%d@example.test>" % n) for n in (0, 1, 2, 0)],
       ["250 2.1.5", "250 2.1.5", "452 4.5.3", "250 2.1.5"],
       "mailboxes of one message")
    eq(s.code("RCPT TO:<alice@example.test>"), "452 4.5.3",
       "a single one more")
    empty()
    eq(s.data("Subject: x\n\n"), "250 2.0.0", "it is delivered")
    eq(sorted(boxes()), ["g0a", "g0b", "g0c", "g1a", "g1b", "g1c"],
       "to those that were accepted, and none of the refused")
    s.code("MAIL FROM:<>")
    s.code("RCPT TO:<g0@example.test>")
    s.code("RCPT TO:<g1a@example.test>")
    eq(s.code("RCPT TO:<g2@example.test>"), "452 4.5.3",
       "only a part would fit")
    s.code("RCPT TO:<alice@example.test>")
    eq(s.code("RCPT TO:<bob@example.test>"), "250 2.1.5",
       "that part has left nothing behind")
    empty()
    s.data("Subject: x\n\n")
    eq(sorted(boxes()), ["alice", "bob", "g0a", "g0b", "g0c", "g1a"],
       "and gets nothing")

    # --- a full mailbox among them, and names in UTF-8
    aliases("both: alice, bob\nj\u00f6rg: alice\n")
    f.ctl("quota", "set", "alice@example.test", "60000")
    f.ctl("quota", "set", "bob@example.test", "10")
    s.code("MAIL FROM:<> SIZE=50000")
    eq(s.code("RCPT TO:<both@example.test>"), "452 4.2.2",
       "one of its mailboxes is full")
    eq(s.code("RCPT TO:<alice@example.test>"), "250 2.1.5",
       "nothing was reserved in the other")
    s.code("RSET")
    f.ctl("quota", "remove", "alice@example.test")
    f.ctl("quota", "remove", "bob@example.test")
    s.code("MAIL FROM:<> SMTPUTF8")
    eq(s.code("RCPT TO:<jo\u0308rg@example.test>"), "250 2.1.5",
       "an alias in UTF-8, in another form")
    s.code("RSET")

    # --- loops and faults
    aliases("a: b\nb: c, bob\nc: a+x\nd: d, bob\ne: a, bob\n")
    eq([s.rcpt(x + "@example.test") for x in "abc"], ["550 5.1.1"] * 3,
       "those of a loop are refused")
    goes(s, "e@example.test", "bob", "what leads into it goes elsewhere")
    ok(re.search(r"policy/aliases:2: b@example.test: a loop", f.log(
        "postern-smtpd")), "it is logged with the line")
    aliases("e: alice\nx y: z\nbob: |cat\nf: alice@foreign.test\n")
    goes(s, "e@example.test", "bob", "a file with errors changes nothing")
    log = f.log("postern-smtpd")
    ok(re.search("policy/aliases:2: ", log) and
       re.search("policy/aliases:3: ", log) and
       re.search("policy/aliases:4: .*domain", log), "it is logged", log)
    n = log.count("stays in effect")
    goes(s, "e@example.test", "bob", "and still")
    eq((n, f.log("postern-smtpd").count("stays in effect")), (1, 1),
       "it is said once")
    path = f.dir + "/policy/aliases"
    aliases("e: carol\n")
    os.chmod(path, 0o000)
    if os.getuid() == 0:
        os.chown(path, 0, 0)
    goes(s, "e@example.test", "bob", "nor does one that cannot be read")
    time.sleep(1.2)     # it is looked at again
    goes(s, "e@example.test", "bob", "nor later")
    eq(f.log("postern-smtpd").count("cannot read file="), 1,
       "it is said once")
    os.unlink(path)
    os.mkdir(path)
    goes(s, "e@example.test", "bob", "nor does a folder")
    os.rmdir(path)
    eq(wait_for(lambda: s.rcpt("e@example.test").startswith("550") and
                "550"), "550", "without the file there are no aliases")
    aliases("e: carol\n")
    eq(wait_for(lambda: s.rcpt("e@example.test").startswith("250") and
                "250"), "250", "and then there are")
    s.close()

    # --- a start with a bad file
    aliases("e: carol\nx y: z\n")
    f.stop("postern-smtpd")
    f.start("postern-smtpd")
    s = Smtp()
    goes(s, "e@example.test", "carol", "the good entries of a first file")
    eq(s.rcpt("zoe@example.test"), "451 4.3.0",
       "what is found nowhere may stand in the rest")
    aliases("e: carol\n")
    eq(s.rcpt("zoe@example.test"), "550 5.1.1", "until it is repaired")
    s.close()


def test_postmaster():
    f = begin()
    f.start("postern-auth", "postern-smtpd")
    s = Smtp()
    box = "%s/mail/%s/postmaster" % (f.dir, DOMAIN)
    ok(not os.path.exists(box), "there is no mailbox of the postmaster")
    goes(s, "Postmaster", "postmaster", "it is made")
    eq(oct(os.stat(box).st_mode & 0o7777), "0o2750", "with its mode")
    goes(s, "POSTMASTER@other.test", "postmaster", "of each domain")
    goes(s, "postmaster+x@Example.test", "postmaster", "with a tag")
    eq(s.rcpt("postmaster@foreign.test"), "550 5.7.1", "not of others")
    eq(s.rcpt("postmasterx@example.test"), "550 5.1.1", "not of that name")
    aliases("postmaster: zoe\npostmaster@other.test: bob\n")
    goes(s, "postmaster", "postmaster", "an alias that leads nowhere")
    goes(s, "postmaster@other.test", "bob", "an alias of one domain")
    aliases("postmaster: alice\n")
    goes(s, "<postmaster>"[1:-1], "alice", "an alias of the first")
    goes(s, "postmaster@other.test", "alice", "counts for the others")
    os.makedirs(f.dir + "/mail/other.test/postmaster")
    give(f.dir + "/mail/other.test")
    give(f.dir + "/mail/other.test/postmaster")
    goes(s, "postmaster@other.test", "postmaster@other.test",
         "its own mailbox is nearer")
    aliases("a: postmaster\npostmaster: a\n")
    goes(s, "postmaster", "postmaster", "a loop")
    s.close()

    f = begin('postmaster = "Carol" catch_all = yes')
    aliases("@example.test: alice\n@other.test: team\nteam: bob, carol\n")
    f.start("postern-auth", "postern-smtpd")
    s = Smtp()
    goes(s, "postmaster", "carol", "where the conf says")
    goes(s, "postmaster@other.test", "carol", "for each domain")
    goes(s, "zoe@example.test", "alice", "the catch-all is on")
    goes(s, "zoe+x@other.test", "bob carol", "it leads to an alias")
    goes(s, "bob@example.test", "bob", "who has a mailbox keeps it")
    eq(s.mail("zoe@example.test"), "553 5.7.1",
       "a catch-all gives no right to send")
    aliases("dead: zoe\n@example.test: alice\n")
    eq(s.rcpt("dead@example.test"), "550 5.1.1",
       "nor saves an alias that leads nowhere")
    eq(s.rcpt("x@other.test"), "550 5.1.1", "each domain has its own")
    os.rmdir("%s/mail/%s/carol" % (f.dir, DOMAIN)) \
        if not os.path.isdir("%s/mail/%s/carol/Maildir" % (f.dir, DOMAIN)) \
        else os.rename("%s/mail/%s/carol" % (f.dir, DOMAIN),
                       "%s/mail/%s/gone" % (f.dir, DOMAIN))
    goes(s, "postmaster", "postmaster",
         "where the conf says there is nobody any more")
    s.close()


SENDERS = [
    ("alice@example.test", True), ("alice+t@example.test", True),
    ("sales@example.test", True), ("SALES+t@example.test", True),
    ("info@other.test", True), ("info+t@other.test", True),
    ("all@example.test", True), ("self@example.test", True),
    ("bob@example.test", False), ("bob+alice@example.test", False),
    ("others@example.test", False), ("sales+eu@example.test", False),
    ("alice@other.test", False), ("nobody@example.test", False),
    ("loop@example.test", False), ("postmaster@example.test", False),
    ("alice@foreign.test", False), ("sales@foreign.test", False),
]

FIELDS = [
    ("From: alice@example.test\nSender: sales@example.test\n", "250 2.0.0"),
    ("From: alice@example.test, Sales <sales+x@example.test>\n",
     "250 2.0.0"),
    ("From: sales@example.test,\n alice@example.test\n"
     "Sender: alice@example.test\n", "250 2.0.0"),
    ("From: alice@example.test, bob@example.test\n", "550 5.7.1"),
    ("From: bob@example.test, alice@example.test\n"
     "Sender: alice@example.test\n", "550 5.7.1"),
    ("From: alice@example.test\nSender: bob@example.test\n", "550 5.7.1"),
    ("Sender: bob@example.test\n", "550 5.7.1"),
    ("Sender: alice@example.test\n", "250 2.0.0"),
    ("From: alice@example.test\nSender: alice@example.test,"
     " sales@example.test\n", "550 5.6.0"),
    ("From: alice@example.test\nSender: g: alice@example.test;\n",
     "550 5.6.0"),
    ("From: alice@example.test\nSender:\n", "550 5.6.0"),
    ("From: alice@example.test\nSender: alice@example.test\n"
     "Sender: alice@example.test\n", "550 5.6.0"),
    ("From: alice@example.test\nFrom: alice@example.test\n", "550 5.6.0"),
    ("From: alice@example.test\nResent-From: bob@example.test\n"
     "Resent-Sender: bob@example.test\n", "250 2.0.0"),
]


def test_senders():
    f = begin()
    aliases("sales: alice, bob\ninfo@other.test: sales\nall: others, info@"
            "other.test\nothers: bob, carol\nself: self, alice\n"
            "sales+eu: bob\nloop: pool, alice\npool: loop\n"
            "@example.test: alice\n")
    f.start("postern-auth", "postern-smtpd")
    s = Smtp()
    for a, good in SENDERS:
        eq(s.mail(a), "250 2.1.0" if good else "553 5.7.1",
           "MAIL FROM:<%s>" % a)
        eq(s.send("bob@example.test", "From: %s\n" % a),
           "250 2.0.0" if good else "550 5.7.1", "From: %s" % a)
        eq(s.send("bob@example.test",
                  "From: alice@example.test\nSender: %s\n" % a),
           "250 2.0.0" if good else "550 5.7.1", "Sender: %s" % a)
    for header, want in FIELDS:
        eq(s.send("bob@example.test", header), want, repr(header))
    aliases("sales: bob\n")
    eq(s.mail("sales@example.test"), "553 5.7.1", "what was taken away")
    f.ctl("alias", "add", "sales", "alice")
    eq(s.mail("sales@example.test"), "250 2.1.0", "and given again")
    s.close()


def seconds(reply):
    m = re.fullmatch(r"450 4\.7\.1 .*try again in (\d+) seconds", reply)
    return int(m.group(1)) if m else reply


def test_rates():
    f = begin(rest="limits { messages_per_login = 3 "
              "recipients_per_login = 5 login_rate_time = 1h }")
    f.start("postern-auth", "postern-smtpd")
    s = [Smtp(), Smtp()]
    eq([s[0].mail("bob@example.test"), s[0].mail(), s[1].mail("")],
       ["553 5.7.1", "250 2.1.0", "250 2.1.0"], "a refused MAIL is free")
    eq(s[0].send("bob@example.test"), "250 2.0.0", "the third")
    r = seconds(s[1].say("MAIL FROM:<alice@example.test>"))
    ok(isinstance(r, int) and 1100 < r <= 1200,
       "the fourth, in another session: when to come back", r)
    eq(s[1].code("RCPT TO:<bob@example.test>"), "503 5.5.1",
       "there is no transaction")
    b = Smtp("bob")
    b.code("MAIL FROM:<>")
    eq([b.code("RCPT TO:<%s@example.test>" % x) for x in
        ("zoe", "alice", "alice", "bob", "carol", "postmaster")],
       ["550 5.1.1"] + ["250 2.1.5"] * 5,
       "another login; a refused RCPT is free")
    r = seconds(b.say("RCPT TO:<bob@example.test>"))
    ok(isinstance(r, int) and 600 < r <= 720, "one recipient more", r)
    eq(b.data("Subject: x\n\n"), "250 2.0.0", "those before get it")
    b.code("MAIL FROM:<>")
    r = seconds(b.say("RCPT TO:<zoe@example.test>"))
    ok(isinstance(r, int), "the next message has no recipient left", r)
    eq([b.code("RCPT TO:<bob@example.test>") for _ in range(60)],
       ["450 4.7.1"] * 60, "however often it is tried")
    lines = f.log("postern-smtpd").count('user="bob@example.test" '
                                         "status=rate of=recipients")
    ok(1 <= lines < 10, "that does not fill the log", "%d lines" % lines)
    for x in s + [b]:
        x.close()

    # A second each: they come back.
    f = begin(rest="limits { messages_per_login = 1 login_rate_time = 1s }")
    f.start("postern-auth", "postern-smtpd")
    s = Smtp()
    s.mail()
    ok(wait_for(lambda: s.mail() == "250 2.1.0"), "after the wait")
    s.close()


def test():
    test_aliases()
    test_postmaster()
    test_senders()
    test_rates()


run(155, test)
