# SPDX-License-Identifier: ISC
# SMTPUTF8 (RFC 6531) from login to reading: accounts, addresses and headers
# in UTF-8; domains by their A-labels, local parts in NFC, however they are
# spelled.
import hashlib
import hmac
import unicodedata
from lib import *

IDN = "müller.example"
ALABEL = "xn--mller-kva.example"
JOERG = "jörg@" + DOMAIN
NFD = unicodedata.normalize("NFD", JOERG)
ANNA = "anna@" + IDN
EURO = "€.δοκιμή@" + IDN
USERS = {JOERG: "joerg-secret", ANNA: "anna-secret", EURO: "euro-secret",
         "a=ö@" + DOMAIN: "a-secret"}
ALICE = "alice@" + DOMAIN
BOB = "bob@" + DOMAIN


def octets(text):
    return text if isinstance(text, bytes) else text.encode()


def b64(text):
    return base64.b64encode(octets(text)).decode()


class Smtp:
    """A client that sends octets as they are given; always under TLS."""

    def __init__(self, login=None, password=None):
        s = socket.create_connection(("127.0.0.1", fixture.smtps),
                                     timeout=PATIENCE)
        self.sock = fixture.context.wrap_socket(s,
                                                server_hostname="localhost")
        self.file = self.sock.makefile("rb")
        self.lines = []
        self.read()
        self.say("EHLO client.test")
        if login is not None:
            r = self.plain(login, password)
            if r != "235 2.7.0":
                raise RuntimeError("login %s: %s" % (login, self.lines))

    def read(self):
        self.lines = []
        while True:
            line = self.file.readline()
            if not line.endswith(b"\r\n"):
                return "closed"
            if not line.isascii():
                faults.append("a reply in UTF-8: %r" % line)
            self.lines.append(line[:-2].decode("latin-1"))
            if line[3:4] == b" ":
                break
        m = re.match(r"(\d{3}) (\d\.\d+\.\d+ )?", self.lines[-1])
        return m.group(0).strip()

    def say(self, line):
        self.sock.sendall(octets(line) + b"\r\n")
        return self.read()

    def data(self, message):
        """The reply to the end of the message."""
        if self.say("DATA")[:3] != "354":
            return "no data: " + self.lines[-1]
        self.sock.sendall(octets(message) + b".\r\n")
        return self.read()

    def challenge(self):
        return base64.b64decode(self.lines[-1][4:])

    def plain(self, user, password):
        return self.say("AUTH PLAIN " + b64("\0%s\0%s" % (user, password)))

    def login(self, user, password):
        self.say("AUTH LOGIN")
        self.say(b64(user))
        return self.say(b64(password))

    def scram(self, user, password):
        """RFC 5802; the name is escaped, without SASLprep."""
        name = user.replace("=", "=3D").replace(",", "=2C")
        bare = "n=%s,r=fyko+d2lbbFgONRv9qkxdawL" % name
        if self.say("AUTH SCRAM-SHA-256 " + b64("n,," + bare)) != "334":
            return self.lines[-1]
        first = self.challenge().decode()
        part = dict(p.split("=", 1) for p in first.split(","))
        final = "c=biws,r=" + part["r"]
        salted = hashlib.pbkdf2_hmac("sha256", octets(password),
                                     base64.b64decode(part["s"]),
                                     int(part["i"]))
        key = hmac.digest(salted, b"Client Key", "sha256")
        proof = hmac.digest(hashlib.sha256(key).digest(),
                            octets(",".join((bare, first, final))), "sha256")
        proof = bytes(a ^ b for a, b in zip(key, proof))
        r = self.say(b64(final + ",p=" + b64(proof)))
        return self.say("") if r == "334" else r

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def prepare():
    global fixture
    f = Fixture()
    path = f.dir + "/postern.conf"
    with open(path) as c:
        text = c.read()
    with open(path, "w") as c:
        c.write(text.replace('domains = { "%s" }' % DOMAIN,
                             'domains = { "%s", "MÜLLER.example" }' % DOMAIN)
                + "limits { errors_per_session = 1000 }\n"
                + 'delivery { aliases = "%s/aliases/file" }\n' % f.dir)
    os.mkdir(f.dir + "/aliases")
    with open(f.dir + "/aliases/file", "w") as c:
        c.write("Büro: jo\u0308rg\noffice: jörg\n"
                "info@MÜLLER.example: anna@%s, jörg\n" % ALABEL)
    with open(f.dir + "/more", "w") as c:
        for user, password in USERS.items():
            c.write("%s:%s\n" % (user, password))
    f.ctl("user", "import", f.dir + "/more")
    f.start()
    return f


def names():
    with open(fixture.dir + "/accounts") as a:
        got = sorted(line.split("\t")[0] for line in a)
    eq(got, sorted([ALICE, BOB, "carol@" + DOMAIN, JOERG, "anna@" + ALABEL,
                    "€.δοκιμή@" + ALABEL, "a=ö@" + DOMAIN]),
       "the accounts are kept in one form")
    eq(sorted(os.listdir(fixture.dir + "/mail")), [DOMAIN, ALABEL],
       "the folders of domains are named by A-labels")
    eq(sorted(os.listdir("%s/mail/%s" % (fixture.dir, ALABEL))),
       ["%E2%82%AC.%CE%B4%CE%BF%CE%BA%CE%B9%CE%BC%CE%AE", "anna"],
       "and those of mailboxes have no octet over 127")
    for name in (NFD, "anna@" + ALABEL, "anna@MÜLLER.example", "JÖRG@x",
                 "anna@☃.example"):
        try:
            fixture.ctl("user", "add", name)
            ok(False, "posternctl user add %s is refused" % name)
        except RuntimeError:
            ok(True, "posternctl user add %s is refused" % name)
    fixture.ctl("user", "add", "Neu.ß@MU\u0308LLER.example")
    ok(os.path.isdir("%s/mail/%s/neu.%%C3%%9F" % (fixture.dir, ALABEL)),
       "a new one gets a mailbox")
    fixture.ctl("user", "remove", "neu.ß@müller.example")
    with open(fixture.dir + "/accounts") as a:
        ok("neu." not in a.read(), "and can be removed by another spelling")


def logins():
    for user, right in ((JOERG, True), (NFD, True), ("jörg", True),
                        ("Jörg@EXAMPLE.test", True),
                        ("JÖRG@" + DOMAIN, False), ("jorg", False),
                        ("jo\u0308rg", True), ("jörg\ufeff", False)):
        for how in ("plain", "login", "scram"):
            with Smtp() as c:
                eq(getattr(c, how)(user, "joerg-secret"),
                   "235 2.7.0" if right else "535 5.7.8",
                   "%s as %s" % (how.upper(), ascii(user)))
    for user, password, right in (
            (ANNA, "anna-secret", True), ("anna@" + ALABEL, "anna-secret",
                                          True),
            ("anna@MU\u0308LLER.Example", "anna-secret", True),
            ("anna@XN--MLLER-KVA.example", "anna-secret", True),
            ("anna@muller.example", "anna-secret", False),
            ("anna", "anna-secret", False),
            ("anna@müller.☃", "anna-secret", False),
            ("a=ö", "a-secret", True), ("a=o\u0308", "a-secret", True),
            ("a,ö", "a-secret", False), ("a=3Dö", "a-secret", False),
            (EURO, "euro-secret", True),
            (unicodedata.normalize("NFD", EURO), "euro-secret", True)):
        for how in ("plain", "scram"):
            with Smtp() as c:
                eq(getattr(c, how)(user, password),
                   "235 2.7.0" if right else "535 5.7.8",
                   "%s as %s" % (how.upper(), ascii(user)))
    with Smtp() as c:
        eq(c.say("AUTH PLAIN " + b64(b"\0j\xf6rg@example.test\0x")),
           "535 5.7.8", "a name that is not UTF-8")
        eq(c.say("AUTH PLAIN " + b64("%s\0%s\0joerg-secret" % (NFD, JOERG))),
           "235 2.7.0", "an authorization identity in another spelling")


def hello():
    with socket.create_connection(("127.0.0.1", fixture.smtp),
                                  timeout=PATIENCE) as s:
        s.sendall(b"EHLO client.test\r\nVRFY j\xc3\xb6rg SMTPUTF8\r\nQUIT\r\n")
        got = s.makefile("rb").read().decode()
    ok("250-SMTPUTF8\r\n" in got and "250-8BITMIME\r\n" in got,
       "EHLO lists it in clear", got)
    ok("\r\n530 5.7.0 " in got, "VRFY waits for TLS as ever", got)
    with Smtp() as c:
        ok("250-SMTPUTF8" in c.lines, "under TLS", c.lines)
        c.plain(JOERG, "joerg-secret")
        c.say("EHLO client.test")
        ok("250-SMTPUTF8" in c.lines, "after the login", c.lines)
        eq(c.say("EHLO clïent.test"), "501 5.5.4", "EHLO's name is ASCII")
        eq(c.say("HELO clïent.test"), "501 5.5.4", "so is HELO's")
        eq(c.say("NOÖP"), "500 5.5.2", "and each command")
        eq(c.say("HELO client.test"), "250", "with HELO")
        eq(c.say("MAIL FROM:<> SMTPUTF8"), "555 5.5.4",
           "there is no parameter")


SENDERS = (     # argument, reply with SMTPUTF8, and without
    ("<%s>" % JOERG, "250 2.1.0", "553 5.6.7"),
    ("<%s>" % NFD, "250 2.1.0", "553 5.6.7"),
    ("<JörG@EXAMPLE.test>", "250 2.1.0", "553 5.6.7"),
    ("<jörg+täg@example.test>", "250 2.1.0", "553 5.6.7"),
    ('<"jörg"@example.test>', "250 2.1.0", "553 5.6.7"),
    ("<@müller.example:jörg@example.test>", "250 2.1.0", "553 5.6.7"),
    ("<>", "250 2.1.0", "250 2.1.0"),
    ("<JÖRG@example.test>", "553 5.7.1", "553 5.6.7"),
    ("<jorg@example.test>", "553 5.7.1", "553 5.7.1"),
    ("<jörg@müller.example>", "553 5.7.1", "553 5.6.7"),
    ("<jörg@☃.example>", "553 5.1.7", "553 5.6.7"),
    ("<jörg@ｅxample.test>", "553 5.1.7", "553 5.6.7"),
    ("<jörg@example。test>", "553 5.1.7", "553 5.6.7"),
    ("<jörg@a\u0378.test>", "553 5.1.7", "553 5.6.7"),
    ("<jörg@xn--ü.test>", "553 5.1.7", "553 5.6.7"),
    ("<jörg@-ü.test>", "501 5.5.4", "501 5.5.4"),
    ("<jörg@ü..test>", "501 5.5.4", "501 5.5.4"),
    ("<jörg>", "501 5.5.4", "501 5.5.4"),
    ("<jö rg@example.test>", "501 5.5.4", "501 5.5.4"),
    ('<"\\ö"@example.test>', "501 5.5.4", "501 5.5.4"),
    ("jörg@example.test", "501 5.5.4", "501 5.5.4"),
    (b"<j\xf6rg@example.test>", "553 5.6.7", "553 5.6.7"),
    (b"<j\xc3@example.test>", "553 5.6.7", "553 5.6.7"),
    (b"<j\xc0\xafrg@example.test>", "553 5.6.7", "553 5.6.7"),
    (b"<j\xe0\x80\xaf@example.test>", "553 5.6.7", "553 5.6.7"),
    (b"<j\xed\xa0\x80@example.test>", "553 5.6.7", "553 5.6.7"),
    (b"<j\xf4\x90\x80\x80@example.test>", "553 5.6.7", "553 5.6.7"),
    (b"<j\xff\xfe@example.test>", "553 5.6.7", "553 5.6.7"),
    (b"<\"j\xc3 \"@example.test>", "553 5.6.7", "553 5.6.7"),
    ("<j\u0085@example.test>", "553 5.6.7", "553 5.6.7"),
    ("<\ufeffj@example.test>", "553 5.6.7", "553 5.6.7"),
    ("<j\uffff@example.test>", "553 5.6.7", "553 5.6.7"),
    ("<j\u202e@example.test>", "553 5.6.7", "553 5.6.7"),
    ("<j\u2028@example.test>", "553 5.6.7", "553 5.6.7"),
    (b"<jorg@ex\xe4mple.test>", "553 5.6.7", "553 5.6.7"),
    ("<%s@example.test>" % (31 * "ö" + "+a"), "553 5.7.1", "553 5.6.7"),
    ("<%s@example.test>" % (32 * "ö" + "a"), "501 5.5.4", "501 5.5.4"),
    ("<a@%s.test>" % (57 * "ü"), "553 5.7.1", "553 5.6.7"),
    ("<a@%s.test>" % (58 * "ü"), "501 5.5.4", "501 5.5.4"),
)
RECIPIENTS = (
    ("<%s>" % JOERG, "250 2.1.5", "553 5.6.7"),
    ("<%s>" % NFD, "250 2.1.5", "553 5.6.7"),
    ("<JörG+tag@EXAMPLE.test>", "250 2.1.5", "553 5.6.7"),
    ('<"j\\örg"@example.test>', "501 5.5.4", "501 5.5.4"),
    ('<"jörg"@example.test>', "250 2.1.5", "553 5.6.7"),
    ("<%s>" % ANNA, "250 2.1.5", "553 5.6.7"),
    ("<anna@%s>" % ALABEL, "250 2.1.5", "250 2.1.5"),
    ("<ANNA@XN--Mller-KVA.EXAMPLE>", "250 2.1.5", "250 2.1.5"),
    ("<anna@MÜLLER.example>", "250 2.1.5", "553 5.6.7"),
    ("<anna@mu\u0308ller.example>", "250 2.1.5", "553 5.6.7"),
    ("<anna@MU\u0308LLER.EXAMPLE>", "250 2.1.5", "553 5.6.7"),
    ("<%s>" % EURO, "250 2.1.5", "553 5.6.7"),
    ("<€.δοκιμή@%s>" % ALABEL, "250 2.1.5", "553 5.6.7"),
    ("<anna@müller.test>", "550 5.7.1", "553 5.6.7"),
    ("<anna@muller.example>", "550 5.7.1", "550 5.7.1"),
    ("<änna@müller.example>", "550 5.1.1", "553 5.6.7"),
    ("<JÖRG@example.test>", "550 5.1.1", "553 5.6.7"),
    ("<jörg@☃.example>", "553 5.1.3", "553 5.6.7"),
    ("<jörg@example。test>", "553 5.1.3", "553 5.6.7"),
    (b"<j\xf6rg@example.test>", "553 5.6.7", "553 5.6.7"),
    (b"<j\xed\xb0\x80@example.test>", "553 5.6.7", "553 5.6.7"),
    ("<j\u009f@example.test>", "553 5.6.7", "553 5.6.7"),
    ("<postmaster>", "250 2.1.5", "250 2.1.5"),
    ("<jörg>", "501 5.5.4", "501 5.5.4"),
    ("<%s> SMTPUTF8" % BOB, "555 5.5.4", "555 5.5.4"),
)
PARAMETERS = (
    (" SMTPUTF8", "250 2.1.0"), (" smtputf8", "250 2.1.0"),
    (" BODY=8BITMIME SMTPUTF8 SIZE=10", "250 2.1.0"),
    (" SMTPUTF8=", "501 5.5.4"), (" SMTPUTF8=YES", "501 5.5.4"),
    (" SMTPUTF8 SMTPUTF8", "501 5.5.4"), ("SMTPUTF8", "501 5.5.4"),
    (" SMTPÜTF8", "501 5.5.4"), (" SMTPUTF", "555 5.5.4"),
)


def envelope():
    with Smtp(JOERG, "joerg-secret") as c:
        for arg, utf8, plain in SENDERS:
            for param, want in ((b" SMTPUTF8", utf8), (b"", plain)):
                eq(c.say(b"MAIL FROM:" + octets(arg) + param), want,
                   "MAIL %s%s" % (ascii(arg), param.decode()))
                c.say("RSET")
        for param, want in ((" SMTPUTF8", 1), ("", 2)):
            c.say("MAIL FROM:<>" + param)
            for row in RECIPIENTS:
                eq(c.say(b"RCPT TO:" + octets(row[0])), row[want],
                   "RCPT %s%s" % (ascii(row[0]), param))
            c.say("RSET")
        for param, want in PARAMETERS:
            eq(c.say("MAIL FROM:<>" + param), want, "MAIL%s" % ascii(param))
            c.say("RSET")
        for line, want in (("jörg SMTPUTF8", "252 2.5.2"),
                           ("jörg", "553 5.6.7"), ("bob", "252 2.5.2"),
                           ("bob SMTPUTF8", "252 2.5.2"),
                           ("bob SMTPUTF8=1", "501 5.5.4"),
                           (b"j\xf6rg SMTPUTF8", "553 5.6.7")):
            eq(c.say(b"VRFY " + octets(line)), want,
               "VRFY " + ascii(line))


def send(c, sender, rcpts, message, utf8=True):
    """The reply to the message, or the first that is not 250."""
    r = c.say("MAIL FROM:<%s>%s" % (sender, " SMTPUTF8" if utf8 else ""))
    for to in rcpts:
        if r[:3] == "250":
            r = c.say("RCPT TO:<%s>" % to)
    r = c.data(message) if r[:3] == "250" else r
    c.say("RSET")
    return r


HEADERS = (     # header and body, and with SMTPUTF8 or without
    ("Subject: grün\r\n\r\n", "250 2.0.0", "550 5.6.0"),
    ("Sübject: x\r\n\r\n", "250 2.0.0", "550 5.6.0"),
    ("X: 😀\r\n \u202e\ufeff\r\n\r\n", "250 2.0.0", "550 5.6.0"),
    (b"X: y\r\n\r\n\xf6\xff\r\n", "250 2.0.0", "250 2.0.0"),
    (b"X: \xf6\r\n\r\n", "550 5.6.0", "550 5.6.0"),
    (b"X: \xc3\r\n\xb6: y\r\n\r\n", "550 5.6.0", "550 5.6.0"),
    (b"X: \xc0\xaf\r\n\r\n", "550 5.6.0", "550 5.6.0"),
    (b"X: \xed\xa0\x80\r\n\r\n", "550 5.6.0", "550 5.6.0"),
    (b"X: \xf4\x90\x80\x80\r\n\r\n", "550 5.6.0", "550 5.6.0"),
    (b"X: " + 900 * b"a" + b"\xe2\x82\r\n\r\n", "550 5.6.0", "550 5.6.0"),
    ("X: " + 331 * "€" + "\r\n\r\n", "250 2.0.0", "550 5.6.0"),
    ("X: " + 332 * "€" + "\r\n\r\n", "550 5.6.0", "550 5.6.0"),
    ("From: Jörg <%s>\r\n\r\n" % JOERG, "250 2.0.0", "550 5.6.0"),
    ("From: %s\r\n\r\n" % NFD, "250 2.0.0", "550 5.6.0"),
    ("From: jörg+x@EXAMPLE.test,\r\n Jörg <%s>\r\n\r\n" % JOERG,
     "250 2.0.0", "550 5.6.0"),
    ('From: "jörg"@example.test\r\n\r\n', "250 2.0.0", "550 5.6.0"),
    ("From: JÖRG@example.test\r\n\r\n", "550 5.7.1", "550 5.6.0"),
    ("From: Jörg <jorg@example.test>\r\n\r\n", "550 5.7.1", "550 5.6.0"),
    ("From: jörg@☃.test\r\n\r\n", "550 5.7.1", "550 5.6.0"),
    ("From: %s, %s\r\n\r\n" % (JOERG, ANNA), "550 5.7.1", "550 5.6.0"),
    ("From: jörg\r\n\r\n", "550 5.6.0", "550 5.6.0"),
)


def headers():
    with Smtp(JOERG, "joerg-secret") as c:
        for message, utf8, plain in HEADERS:
            for with_utf8, want in ((True, utf8), (False, plain)):
                eq(send(c, "", [BOB], message, with_utf8), want,
                   "%s%s" % (ascii(message[:40]),
                             " SMTPUTF8" if with_utf8 else ""))
    with Smtp(ANNA, "anna-secret") as c:
        for sender in (ANNA, "anna@" + ALABEL, "anna@MU\u0308LLER.example"):
            for author in (ANNA, "anna@" + ALABEL, "ANNA@MÜLLER.EXAMPLE"):
                eq(send(c, sender, [BOB], "From: %s\r\n\r\n" % author),
                   "250 2.0.0", "%s as %s" % (ascii(sender), ascii(author)))
        eq(send(c, "anna@" + ALABEL, [BOB], "From: anna@%s\r\n\r\n" % ALABEL,
                False), "250 2.0.0", "with A-labels all is ASCII")
        for author in ("anna@muller.example", "anna@müller.test", BOB):
            eq(send(c, ANNA, [BOB], "From: %s\r\n\r\n" % author),
               "550 5.7.1", "not " + ascii(author))


def fetch(user, password):
    """The newest message as it is, and its row of the list."""
    auth = {"Authorization": basic(user, password)}
    with Conn() as c:
        page = c.ask("/mail/?limit=1", Accept="application/json",
                     **auth).json()
        row = page["messages"][0]
        return c.ask(row["url"], Accept="message/rfc822", **auth).body, row


def field(message, name):
    """Its lines, unfolded."""
    head = re.sub(r"\r\n[ \t]+", " ", message.decode().split("\r\n\r\n")[0])
    return [line.split(": ", 1)[1] for line in head.split("\r\n")
            if line.lower().startswith(name.lower() + ": ")]


def delivery():
    text = ("From: Jörg Ä <%s>\r\nTo: Anna <%s>\r\nSubject: Grüße 😀\r\n"
            "\r\nHällo\r\n" % (JOERG, ANNA))
    with Smtp(JOERG, "joerg-secret") as c:
        eq(send(c, NFD, [ANNA], text), "250 2.0.0", "to Anna")
        eq(send(c, JOERG, [EURO], text), "250 2.0.0", "to another")
        eq(send(c, JOERG, [NFD, ANNA], text), "250 2.0.0", "to both")
        eq(send(c, "jörg+ü@example.test", [JOERG], text), "250 2.0.0",
           "to himself")
    got, row = fetch(EURO, "euro-secret")
    ok(got.endswith(text.encode()), "the message as it was sent", got)
    eq(field(got, "Return-Path"), ["<%s>" % JOERG], "Return-Path")
    eq(field(got, "Delivered-To"), ["€.δοκιμή@" + ALABEL], "Delivered-To")
    ok(" with UTF8SMTPSA (TLS" in field(got, "Received")[0] and
       " for <€.δοκιμή@%s>; " % ALABEL in field(got, "Received")[0],
       "Received", got)
    eq((row["from"], row["to"], row["subject"]),
       ([{"name": "Jörg Ä", "address": JOERG}],
        [{"name": "Anna", "address": ANNA}], "Grüße 😀"),
       "the list has the fields in UTF-8")
    eq(row["size"], len(got), "and counts octets")
    got, row = fetch(JOERG, "joerg-secret")
    eq(field(got, "Return-Path"), ["<jörg+ü@example.test>"],
       "the tag of the sender")
    eq(field(got, "Delivered-To"), [JOERG], "delivered to himself")
    got, row = fetch(ANNA, "anna-secret")
    ok(field(got, "Delivered-To") == [] and
       " for " not in field(got, "Received")[0],
       "two recipients are not named", got)
    with Smtp("alice@" + DOMAIN, "alice-secret") as c:
        eq(send(c, ALICE, ["anna@" + ALABEL], "Subject: x\r\n\r\n", False),
           "250 2.0.0", "ASCII to an A-label")
    got, row = fetch("anna@MÜLLER.example", "anna-secret")
    ok(" with ESMTPSA (TLS" in field(got, "Received")[0] and got.isascii(),
       "ESMTPSA without the parameter", got)
    eq(field(got, "Delivered-To"), ["anna@" + ALABEL], "with A-labels")


def aliases():
    """Both sides in any spelling; without SMTPUTF8 all stays ASCII."""
    with Smtp(JOERG, "joerg-secret") as c:
        text = "From: Büro <bu\u0308ro@example.test>\r\n\r\n"
        eq(send(c, "büro@example.test", ["BüRO@example.test"], text),
           "250 2.0.0", "to and from an alias")
        got, row = fetch(JOERG, "joerg-secret")
        eq((field(got, "Delivered-To"), field(got, "Return-Path")),
           ([JOERG], ["<büro@example.test>"]), "is delivered")
        eq(send(c, "bÜro@example.test", [BOB], text), "553 5.7.1",
           "another letter is another address")
        eq(send(c, "info@xn--mller-kva.example", ["info@müller.example"],
                "X: y\r\n\r\n"), "250 2.0.0", "an alias in the other domain")
        eq(fetch(ANNA, "anna-secret")[0].split(b"\r\n")[-3],
           fetch(JOERG, "joerg-secret")[0].split(b"\r\n")[-3],
           "leads to both")
    with Smtp(ALICE, "alice-secret") as c:
        eq(send(c, ALICE, ["office@example.test"], "X: y\r\n\r\n", False),
           "250 2.0.0", "ASCII to an alias of a mailbox in UTF-8")
    got, row = fetch(JOERG, "joerg-secret")
    ok(got.isascii() and field(got, "Delivered-To") == [] and
       " for <office@example.test>; " in field(got, "Received")[0],
       "whose name is left out then", got)


def reading():
    with Conn() as c:
        for user, password, want, name in (
                (JOERG, "joerg-secret", 200, JOERG),
                (NFD, "joerg-secret", 200, JOERG),
                ("Jörg@EXAMPLE.test", "joerg-secret", 200, JOERG),
                ("JÖRG@example.test", "joerg-secret", 401, None),
                (ANNA, "anna-secret", 200, "anna@" + ALABEL),
                ("anna@" + ALABEL, "anna-secret", 200, "anna@" + ALABEL),
                ("anna@müller.☃", "anna-secret", 401, None)):
            r = c.ask("/mail/", Accept="application/json",
                      Authorization=basic(user, password))
            eq((r.status, r.json().get("user")), (want, name),
               "Basic as %s" % ascii(user))
        r = c.ask("/mail/", Authorization="Basic " + b64(
            b"j\xf6rg@example.test:joerg-secret"))
        eq(r.status, 401, "a name in Latin-1")
        eq(r["www-authenticate"], 'Basic realm="%s", charset="UTF-8"'
           % DOMAIN, "the charset is named")


def logs():
    for master in MASTERS:
        with open("%s/log/%s.log" % (fixture.dir, master), "rb") as f:
            text = f.read()
        ok(text.isascii(), "the log of %s is ASCII" % master,
           [line for line in text.splitlines() if not line.isascii()][:3])
    ok("j\\xc3\\xb6rg@example.test" in fixture.log("postern-smtpd"),
       "names are quoted in it")


def test():
    import lib
    globals()["fixture"] = lib.fixture = prepare()
    names()
    logins()
    hello()
    envelope()
    headers()
    delivery()
    aliases()
    reading()
    logs()


PLAN = 9 + 24 + 26 + 2 + 9 + 2 * len(SENDERS) + 2 * len(RECIPIENTS) + \
    len(PARAMETERS) + 6 + 2 * len(HEADERS) + 9 + 1 + 3 + 17 + 9 + 4 + 7
run(PLAN, test)
