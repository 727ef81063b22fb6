# SPDX-License-Identifier: ISC
"""What the tests of account stores share: logins over SMTP and HTTP, each by
hand, and what must hold whatever the store is. See t/170-auth-sasldb.py."""
import hashlib
import hmac

import lib
from lib import *

NONCE = "rOprNGfwEbeRWgbNEkqO"
DENIED = "535 5.7.8 Authentication credentials invalid"
AWAY = "454 4.7.0 Temporary authentication failure"
WELCOME = "235 2.7.0 Authentication succeeded"
MECHANISMS = ("PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS")


def b64(text):
    if isinstance(text, str):
        text = text.encode()
    return base64.b64encode(text).decode()


class Smtp:
    """A session on the port of implicit TLS, after EHLO."""

    def __init__(self, source="127.0.0.1"):
        s = socket.socket()
        s.settimeout(PATIENCE)
        s.bind((source, 0))
        s.connect(("127.0.0.1", lib.fixture.smtps))
        self.sock = lib.fixture.context.wrap_socket(
            s, server_hostname="localhost")
        self.file = self.sock.makefile("rb")
        self.reply()
        self.ehlo = self("EHLO client.test", whole=True)

    def reply(self, whole=False):
        lines = []
        while True:
            line = self.file.readline().decode().rstrip("\r\n")
            lines.append(line)
            if line[3:4] != "-":
                return lines if whole else line

    def __call__(self, line, whole=False):
        self.sock.sendall((line + "\r\n").encode())
        return self.reply(whole)

    def mechanisms(self):
        return [line[9:].split() for line in self.ehlo
                if line[4:9] == "AUTH "][0]

    def plain(self, user, password, authzid=""):
        return self("AUTH PLAIN " + b64("%s\0%s\0%s" % (authzid, user,
                                                        password)))

    def login(self, user, password):
        r = self("AUTH LOGIN")
        for text in (user, password):
            if r[:3] != "334":
                break
            r = self(b64(text))
        return r

    def scram(self, user, password, plus=False):
        gs2, binding = "n,,", b""
        if plus:    # RFC 5929; the certificate is signed with SHA-256
            gs2 = "p=tls-server-end-point,,"
            binding = hashlib.sha256(self.sock.getpeercert(True)).digest()
        name = user.replace("=", "=3D").replace(",", "=2C")
        bare = "n=%s,r=%s" % (name, NONCE)
        r = self("AUTH SCRAM-SHA-256%s %s" % ("-PLUS" if plus else "",
                                              b64(gs2 + bare)))
        if r[:3] != "334":
            return r
        self.first = base64.b64decode(r[4:]).decode()
        f = dict(p.split("=", 1) for p in self.first.split(","))

        def mac(key, text):
            return hmac.new(key, text.encode(), "sha256").digest()
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(),
                                     base64.b64decode(f["s"]), int(f["i"]))
        key = mac(salted, "Client Key")
        final = "c=%s,r=%s" % (b64(gs2.encode() + binding), f["r"])
        text = bare + "," + self.first + "," + final
        sig = mac(hashlib.sha256(key).digest(), text)
        proof = bytes(a ^ b for a, b in zip(key, sig))
        r = self(b64(final + ",p=" + b64(proof)))
        if r[:3] != "334":
            return r
        if base64.b64decode(r[4:]).decode() != "v=" + b64(
                mac(mac(salted, "Server Key"), text)):
            return "the server's proof is wrong"
        return self("")

    def auth(self, mechanism, user, password):
        if mechanism.startswith("SCRAM-"):
            return self.scram(user, password, mechanism.endswith("-PLUS"))
        return {"PLAIN": self.plain, "LOGIN": self.login}[mechanism](
            user, password)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.sock.close()


def smtp(mechanism, user, password):
    with Smtp() as s:
        return s.auth(mechanism, user, password)


def http(user, password):
    with Conn() as c:
        return c.ask("/mail/", fields=["Authorization: " +
                                       basic(user, password, "")])


def alike(r):
    return (r.status, r.body, [f for f in r.fields if f[0] != "date"])


def basics(passwords, mechanisms):
    """passwords: of alice and bob. Seven tests and five a mechanism."""
    good, other = passwords
    with Smtp() as s:
        eq(sorted(s.mechanisms()), sorted(mechanisms), "what AUTH offers")
    for m in mechanisms:
        eq([smtp(m, u, good) for u in ("alice@example.test", "alice",
            "ALICE@Example.TEST")], 3 * [WELCOME],
           m + ": the right password, however the name is written")
        eq(smtp(m, "alice@example.test", other), DENIED,
           m + ": another's password")
        eq(smtp(m, "nobody@example.test", good), DENIED, m + ": no such user")
        eq([smtp(m, u, good) for u in ("alice@other.test", "alice@", "@",
            "a b", "alice'", "alice@example.test@example.test", "root")],
           7 * [DENIED], m + ": names that cannot be")
        eq([smtp(m, "alice", p) for p in (good[:-1], good + " ", "NULL",
            good.upper())], 4 * [DENIED], m + ": passwords alike")
    with Smtp() as s:
        eq((s.plain("alice", good, "bob@example.test"),
            s.plain("alice", good, "alice@example.test")),
           (DENIED, WELCOME), "one's own identity, and no other")
    eq((http("alice@example.test", good).status, http("bob", other).status),
       (200, 200), "HTTP Basic")
    wrong = http("alice@example.test", other)
    eq(wrong.status, 401, "HTTP: a wrong password")
    eq([alike(http(u, good)) for u in ("nobody@example.test", "bob",
        "alice@other.test", "al'ice")], 4 * [alike(wrong)],
       "HTTP: no such user: the same reply")
    deliver(good, other)


def deliver(good, other):
    """Mail goes to and fro: two tests."""
    with Smtp() as s:
        s.plain("alice", good)
        for line in ("MAIL FROM:<alice@example.test>",
                     "RCPT TO:<bob@example.test>", "DATA"):
            s(line)
        r = s("From: alice@example.test\r\nSubject: x\r\n\r\nfrom the store"
              "\r\n.")
    eq(r[:9], "250 2.0.0", "a message is taken")
    with Conn() as c:
        a = "Authorization: " + basic("bob", other)
        ids = c.ask("/mail/", fields=[a, "Accept: application/json"]).json()
        m = c.ask("/mail/" + ids["messages"][0]["id"], fields=[a])
    ok(b"from the store" in m.body, "and read by whom it is for", m)


def unknown_scram():
    """Nobody's challenge looks like somebody's: two tests."""
    with Smtp() as s:
        s.scram("alice", "wrong")
        one = s.first
        s.scram("nobody", "wrong")
        two = s.first

    def shape(first):
        f = dict(p.split("=", 1) for p in first.split(","))
        return (len(f["r"]), len(base64.b64decode(f["s"])), f["i"])
    eq(shape(two), shape(one), "SCRAM shows nobody a challenge like any")
    eq(shape(one)[2], "4096", "with the iterations of the conf")


def confined(f):
    """Both workers are: two tests."""
    want = "0" if "#define POSTERN_SANITIZE" in open(
        os.environ["BUILDDIR"] + "/config.h").read() else "2"
    found = []
    for pid in children(f.pid("postern-auth"))["auth-sasl"]:
        with open("/proc/%d/status" % pid) as p:
            fields = dict(x.split(":", 1) for x in p.read().splitlines())
        found.append((fields["Seccomp"].strip(),
                      fields["NoNewPrivs"].strip()))
    eq(found, 2 * [(want, "1")], "the workers are confined")
    eq([x for x in f.log("postern-auth").splitlines() if "ended role" in x],
       [], "and none was ever killed")


def away(passwords, mechanisms, leave, come):
    """The store goes and comes back: five tests."""
    good, _ = passwords
    leave()
    eq([smtp(m, "alice", good) for m in mechanisms], len(mechanisms) * [AWAY],
       "the store is away: 454")
    eq([smtp(m, u, "wrong") for m in mechanisms for u in ("alice", "nobody")],
       2 * len(mechanisms) * [AWAY], "454 and never 535, whoever it is")
    r = http("bob", "wrong")
    eq((r.status, r["retry-after"] is not None), (503, True),
       "HTTP: 503 with Retry-After")
    come()
    eq([smtp(m, "alice", good) for m in mechanisms],
       len(mechanisms) * [WELCOME], "it is back: they log in")
    eq(http("alice", good).status, 200, "over HTTP too")


def need_plugin(name):
    """Skip the test where the library has not got it."""
    with open(os.environ["BUILDDIR"] + "/Makefile") as f:
        folder = re.search(r"^SASL_PLUGINDIR = (.*)$", f.read(), re.M)
    if not os.path.exists("%s/%s" % (folder.group(1), name)):
        skip_all("no %s in %s" % (name, folder.group(1)))


def own(path, mode=0o600):
    """Whoever runs the daemons gets this file."""
    os.chmod(path, mode)
    give(path)


def begin(f, text):
    """A fixture whose accounts are in another store."""
    os.unlink(f.dir + "/accounts")
    f.conf("auth { failure_delay = 0 failure_limit = 10000 "
           "failure_limit_account = 10000 %s }" % text)
    f.start(*MASTERS)
