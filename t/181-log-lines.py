# SPDX-License-Identifier: ISC
"""The log of postern-smtpd: exactly one line for each message that DATA or
BDAT has begun, for each session, for each one refused at connect, with all
its keys, whatever the end."""
import smtplib
from lib import *

CONF = """limits {
    message_size = 65536 data_time = 2s connections_per_address = 4
    recipient_limit = 6
}"""
MESSAGE = ["id", "session", "status", "client", "user", "from", "to",
           "recipients", "size", "delay", "tls", "cipher", "reply",
           "enhanced"]
SESSION = ["session", "client", "helo", "user", "tls", "messages",
           "delivered", "errors", "in", "out", "ms", "last", "end", "error"]
ADDRESS = 1


def parse(line):
    """The keys and values of a line, in order; all of it must be some."""
    pairs = re.findall(r'(\S+?)=("[^"]*"|[^" ]+)(?: |$)', line)
    if " ".join("%s=%s" % p for p in pairs) != line:
        raise RuntimeError("not keys and values: %r" % line)
    return [(k, v.strip('"')) for k, v in pairs]


def lines(what):
    found = []
    for line in fixture.log("postern-smtpd").splitlines():
        m = re.match(r"\S+Z [a-z-]+\[\d+\]: smtp: (.*)$", line)
        if not m:
            continue
        text = m.group(1)
        if what == "message" and text.startswith("message "):
            found.append(parse(text[8:]))
        if what == "session" and text.startswith("session="):
            found.append(parse(text))
    return found


class Client:
    """A session that is cut short when the test wants it to be."""

    def __init__(self, login="alice", source=None):
        global ADDRESS
        ADDRESS += 1
        self.address = source or "127.0.0.%d" % ADDRESS
        self.s = smtplib.SMTP("127.0.0.1", fixture.smtp, timeout=PATIENCE,
                              source_address=(self.address, 0))
        if login is not None:
            self.s.starttls(context=fixture.context)
            self.s.ehlo("client.test")
            if login:
                self.s.login(login + "@" + DOMAIN, login + "-secret")

    def say(self, *commands):
        """The last reply's code."""
        for c in commands:
            code = self.s.docmd(c)[0]
        return code

    def envelope(self, *rcpts, sender="alice@" + DOMAIN):
        return self.say("MAIL FROM:<%s>" % sender,
                        *["RCPT TO:<%s@%s>" % (r, DOMAIN) for r in
                          rcpts or ("bob",)])

    def octets(self, data):
        self.s.send(data.encode("latin-1"))

    def data(self, text, *rcpts):
        self.envelope(*rcpts)
        self.say("DATA")
        self.octets(text)
        return self.s.getreply()[0]

    def close(self):
        self.s.close()


def ends(c, what="", n=1, **want):
    """The client has left: its n messages' lines, one session's."""
    mine = []

    def there():
        s = [dict(l) for l in lines("session")]
        mine[:] = [l for l in s if l["client"] == c.address]
        return mine
    wait_for(there)
    sessions = [l for l in lines("session")
                if dict(l)["client"] == c.address]
    messages = [l for l in lines("message")
                if dict(l)["client"] == c.address]
    if not eq((len(messages), len(sessions)), (n, 1),
              what + ": lines of the message, of the session"):
        return {}
    eq([k for k, _ in sessions[0]], SESSION, what + ": the session's keys")
    if n == 0:
        return dict(sessions[0])
    got = dict(messages[-1])
    keys = [k for k, _ in messages[-1] if k != "to_more"]
    eq(keys, MESSAGE, what + ": the message's keys")
    want = {k.rstrip("_"): v for k, v in want.items()}
    eq({k: got[k] for k in want}, want, what)
    total, receive, commit = [int(x) for x in got["delay"].split("/")]
    ok(total >= receive + commit, what + ": the parts of the delay",
       got["delay"])
    return got


def test_delivered():
    c = Client()
    c.data("Subject: x\r\n\r\nhello\r\n.\r\n", "bob", "carol")
    c.s.quit()
    got = ends(c, "delivered", status="ok", user="alice@" + DOMAIN,
               from_="alice@" + DOMAIN, to="bob@%s,carol@%s" % (DOMAIN,
                                                                DOMAIN),
               recipients="2", size="21", tls="TLSv1.3", reply="250",
               enhanced="2.0.0")
    ok(re.fullmatch(r"\d+\.M\d+P\d+Q\d+\.mail\.example\.test",
                    got["id"]), "its id is the message's", got["id"])
    ok(got["cipher"].startswith("TLS_"), "the cipher", got["cipher"])
    ok(os.path.exists("%s/mail/%s/bob/Maildir/new" % (fixture.dir, DOMAIN)),
       "it is there")
    c = Client()
    c.data("\r\n.\r\n", "bob", "carol", "alice", "alice+a", "bob+b")
    c.s.quit()
    line = [l for l in lines("message") if dict(l)["client"] == c.address]
    eq([v for k, v in line[0] if k == "to_more"], ["2"],
       "of many recipients three, and how many more")
    ends(c, "five recipients", to=",".join(
        "%s@%s" % (u, DOMAIN) for u in ("bob", "carol", "alice")),
        recipients="5", size="2")
    c = Client()
    for _ in range(3):
        c.data("\r\n.\r\n")
    c.s.quit()
    ends(c, "three messages", n=3, status="ok")


def test_refused():
    for what, text, status, reply, enhanced in (
            ("too big", "x" * 70 + "\r\n" * 70000 + ".\r\n", "too-big",
             "552", "5.3.4"),
            ("NUL", "a: b\r\n\r\n\0\r\n.\r\n", "nul", "550", "5.6.0"),
            ("8 bit", "a: \xe4\r\n\r\n.\r\n", "eight-bit", "550", "5.6.0"),
            ("a long line", "x" * 2000 + "\r\n.\r\n", "long-line", "550",
             "5.6.0"),
            ("bare LF", "a: b\n\r\n.\r\n", "bare-line-end", "550", "5.5.2"),
            ("another's From", "From: bob@example.test\r\n\r\n.\r\n",
             "not-author", "550", "5.7.1"),
            ("a bad From", "From: x\r\nFrom: y\r\n\r\n.\r\n", "bad-header",
             "550", "5.6.0"),
            ("a loop", "Received: x\r\n" * 60 + "\r\n.\r\n", "loop", "554",
             "5.4.6")):
        c = Client()
        c.data(text)
        c.close()
        ends(c, what, status=status, reply=reply, enhanced=enhanced,
             id="none", recipients="1", to="bob@" + DOMAIN)


def test_cut_short():
    c = Client()
    c.envelope()
    c.say("DATA")
    c.octets("a: b\r\n\r\nx")
    c.close()
    ends(c, "gone in DATA", status="gone", reply="none", enhanced="none")
    c = Client()
    c.envelope()
    c.say("DATA")
    c.octets("a: b\r\n")
    eq(c.s.getreply()[0], 421, "too slow")
    c.close()
    ends(c, "time-out in DATA", status="timeout", reply="421",
         enhanced="4.4.2")


def test_chunks():
    c = Client()
    c.envelope()
    c.octets("BDAT 6\r\na: b\r\n")
    eq(c.s.getreply()[0], 250, "a chunk")
    c.octets("BDAT 2 LAST\r\n\r\n")
    eq(c.s.getreply()[0], 250, "the last one")
    c.s.quit()
    ends(c, "in chunks", status="ok", size="8", reply="250")
    for what, end, status, reply in (
            ("RSET between chunks", "RSET\r\n", "reset", "250"),
            ("EHLO between chunks", "EHLO x\r\n", "reset", None),
            ("QUIT between chunks", "QUIT\r\n", "gone", "221"),
            ("no size", "BDAT x\r\n", "refused", "501"),
            ("a chunk that is too big", "BDAT 65536\r\n" + "x" * 65536,
             "too-big", "552")):
        c = Client()
        c.envelope()
        c.octets("BDAT 6\r\na: b\r\n")
        c.s.getreply()
        c.octets(end)
        c.s.getreply()
        c.close()
        want = {"status": status}
        if reply:
            want["reply"] = reply
        ends(c, what, **want)
    c = Client()
    c.envelope()
    c.octets("BDAT 65537 LAST\r\n" + "x" * 65537)
    c.s.getreply()
    c.close()
    ends(c, "the first chunk is too big", status="too-big", reply="552",
         size="0")


def test_none():
    """No line where no message was begun."""
    c = Client()
    c.envelope()
    c.say("RSET")
    c.envelope("nobody")
    c.say("DATA")
    c.s.rset()
    c.envelope(sender="bob@" + DOMAIN)
    c.envelope()
    c.say("DATA x", "RSET")
    c.envelope()
    c.close()
    ends(c, "nothing begun", n=0)
    c = Client(login="")
    c.say("MAIL FROM:<>")
    c.close()
    got = ends(c, "no login", n=0)
    eq(got["user"], "", "no user")
    c = Client(login=None)
    c.s.ehlo("client.test")
    c.s.quit()
    got = ends(c, "in clear", n=0)
    eq((got["tls"], got["helo"], got["last"]), ("none", "client.test",
                                                "221"), "what it says")


def test_store_away():
    """The store ends while it has the message."""
    c = Client()
    c.envelope()
    c.say("DATA")
    c.octets("a: b\r\n\r\n")
    kids = children(fixture.pid("postern-smtpd"))
    os.kill(kids["smtpd-store"][0], signal.SIGKILL)
    wait_for(lambda: "the store is away" in fixture.log("postern-smtpd"))
    c.octets(".\r\n")
    eq(c.s.getreply()[0], 451, "the store is away")
    c.close()
    ends(c, "the store is away", status="failed", reply="451", id="none")
    wait_for(lambda: attempt(delivered_once))
    c = Client()
    c.envelope()
    kids = children(fixture.pid("postern-smtpd"))
    os.kill(kids["smtpd-store"][0], signal.SIGKILL)
    wait_for(lambda: fixture.log("postern-smtpd").count(
        "the store is away") == 4)
    eq(c.say("DATA"), 451, "away before DATA")
    c.s.quit()
    ends(c, "away before DATA", status="failed", reply="451",
         enhanced="4.3.0", size="0")


def test_stalled_store(reload, what):
    """Its client leaves while the store is at it: the store's word is
    waited for, and the message is there."""
    wait_for(lambda: attempt(delivered_once))
    kid = children(fixture.pid("postern-smtpd"))["smtpd-store"][0]
    c = Client()
    c.envelope("carol")
    c.say("DATA")
    c.octets("X-Stalled: 1\r\n\r\n")
    os.kill(kid, signal.SIGSTOP)
    try:
        c.octets(".\r\n")
        c.close()
        wait_for(lambda: [l for l in lines("session")
                          if dict(l)["client"] == c.address])
        if reload:
            ready = log_count("master: ready")
            os.kill(fixture.pid("postern-smtpd"), signal.SIGHUP)
            wait_for(lambda: log_count("master: ready") > ready)
        eq([l for l in lines("message") if dict(l)["client"] == c.address],
           [], what + ": no line while the store is at it")
    finally:
        os.kill(kid, signal.SIGCONT)
    wait_for(lambda: [l for l in lines("message")
                      if dict(l)["client"] == c.address])
    got = ends(c, what, status="ok", reply="none",
               enhanced="none", recipients="1")
    ok(got["id"] != "none", what + ": it was delivered", got)


def delivered_once():
    c = Client()
    code = c.data("\r\n.\r\n")
    c.close()
    return code == 250


def attempt(f):
    try:
        return f()
    except (OSError, smtplib.SMTPException):
        return None


def log_count(pattern):
    return len(re.findall(pattern, fixture.log("postern-smtpd"), re.M))


def test_at_connect():
    held = [Client(login=None, source="127.0.1.1") for _ in range(4)]
    for port in (fixture.smtp, fixture.smtps):
        s = socket.create_connection(("127.0.0.1", port), PATIENCE,
                                     ("127.0.1.1", 0))
        s.recv(100)
        s.close()
    refused = r"accept: refused client=127\.0\.1\.1 " \
        r"limit=connections_per_address(?: count=\d+)?$"
    wait_for(lambda: log_count(refused) == 2)
    eq(log_count(refused), 2, "one line for each that was refused")
    for c in held:
        c.close()
    wait_for(lambda: log_count(r"session=\S+ client=127\.0\.1\.1 ") == 4)
    eq(log_count(r"session=\S+ client=127\.0\.1\.1 "), 4,
       "those that were not have sessions")
    s = socket.create_connection(("127.0.0.1", fixture.smtps), PATIENCE,
                                 ("127.0.1.2", 0))
    s.sendall(b"EHLO x\r\n" * 10)
    while attempt(lambda: s.recv(4096)):
        pass
    s.close()
    line = r"smtp: session=\S+ client=127\.0\.1\.2 .* end=handshake "
    wait_for(lambda: log_count(line))
    eq(log_count(line), 1, "a handshake that failed")


def test_quoting():
    """What clients say cannot look like something else."""
    c = Client()
    c.say('MAIL FROM:<"a b\\" status=ok id=x"@example.test>')
    c.envelope('"bob"', "bob")
    c.say("DATA")
    c.octets("\r\n.\r\n")
    c.s.getreply()
    c.close()
    ends(c, "quoted", n=1, status="ok")
    c = Client(login="")
    login = base64.b64encode(
        b"\0x\" user=\"root\nsmtp: message id=1\0y").decode()
    c.say("AUTH PLAIN " + login)
    c.close()
    ends(c, "a login of lines", n=0)


def test():
    global fixture
    fixture = start(CONF, *MASTERS)
    test_delivered()
    test_refused()
    test_cut_short()
    test_chunks()
    test_none()
    test_at_connect()
    test_quoting()
    test_store_away()
    test_stalled_store(False, "gone before the reply")
    test_stalled_store(True, "gone, and the session process is to end")
    eq(log_count(r"store: (delivered|refused)"), 0,
       "no second line by the store")


run(152, test)
