# SPDX-License-Identifier: ISC
"""SCRAM-SHA-256-PLUS (RFC 5802, 7677, 9266, 5929): a client that computes
what it needs itself, with the exporter that "openssl s_client" tells, and
GNU SASL as one of another make."""
import hashlib
import hmac
import shutil

from lib import *

AUTH, SMTPD, RETRIEVE = MASTERS
PLUS, SCRAM = "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"
EXPORTER, ENDPOINT = "tls-exporter", "tls-server-end-point"
LABEL = "EXPORTER-Channel-Binding"


def b64(data):
    return base64.b64encode(data.encode() if isinstance(data, str) else data
                            ).decode()


def H(key, text):
    return hmac.new(key, text.encode(), "sha256").digest()


# --- connections: each has say(line), and bind, a dict of its bindings

class Tls:
    """Python's: all but the exporter."""

    def __init__(self, f, port="submissions", version=None):
        c = ssl.create_default_context(cafile=f.ca)
        if version:
            c.minimum_version = c.maximum_version = version
        s = socket.create_connection(
            ("127.0.0.1", f.smtp if port == "submission" else f.smtps),
            PATIENCE)
        s.settimeout(PATIENCE)
        self.s = s
        self.io = s.makefile("rwb", buffering=0)
        if port == "submission":
            self.reply()
            self.say("EHLO c.test")
            self.say("STARTTLS")
        self.s = c.wrap_socket(s, server_hostname="localhost")
        self.io = self.s.makefile("rwb", buffering=0)
        self.bind = {ENDPOINT: hashlib.sha256(
            self.s.getpeercert(True)).digest()}
        if port == "submissions":
            self.reply()
        self.say("EHLO c.test")

    def send(self, line):
        self.io.write(line.encode() + b"\r\n")

    def line(self):
        text = b""
        while not text.endswith(b"\r\n"):
            c = self.io.read(1)
            if not c:
                raise Closed(repr(text))
            text += c
        return text[:-2].decode()

    def reply(self):
        self.lines = [self.line()]
        while self.lines[-1][3:4] == "-":
            self.lines.append(self.line())
        return self.lines[-1]

    def say(self, line):
        self.send(line)
        return self.reply()

    def close(self):
        self.s.close()


class Client(Tls):
    """openssl's, in TLS 1.3: the exporter too."""

    def __init__(self, f, port="submissions"):
        smtp = port == "submission"
        self.p = subprocess.Popen(
            ["openssl", "s_client", "-connect", "127.0.0.1:%d" %
             (f.smtp if smtp else f.smtps), "-CAfile", f.ca, "-tls1_3",
             "-crlf", "-nocommands", "-servername", "localhost",
             "-keymatexport", LABEL, "-keymatexportlen", "32"] +
            (["-starttls", "smtp"] if smtp else []), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        text, pem = b"", b""
        while not text.startswith(b"    Keying material: "):
            text = self.p.stdout.readline()
            if not text:
                raise Closed("s_client")
            pem += text
        self.bind = {EXPORTER: bytes.fromhex(text.split()[2].decode())}
        pem = pem[pem.index(b"-----BEGIN C"):pem.index(b"-----END C") + 26]
        self.bind[ENDPOINT] = hashlib.sha256(
            ssl.PEM_cert_to_DER_cert(pem.decode().strip())).digest()
        # Past the greeting, and what else s_client shows.
        self.send("NOOP")
        while not self.line().startswith("250 2.0.0 "):
            pass
        self.say("EHLO c.test")

    def send(self, line):
        self.p.stdin.write(line.encode() + b"\n")
        self.p.stdin.flush()

    def line(self):
        text = self.p.stdout.readline()
        if not text:
            raise Closed("s_client")
        return text.rstrip(b"\r\n").decode()

    def close(self):
        self.p.stdin.close()
        self.p.kill()
        self.p.wait()
        self.p.stdout.close()


# --- SCRAM

def scram(c, mechanism=PLUS, gs2=None, data=None, user="alice", password=None,
          initial=True, header=None):
    """The codes of the replies, as "334 334 235"; a wrong server raises."""
    if gs2 is None:
        gs2 = "p=%s,," % EXPORTER
    if data is None:
        kind = gs2.split(",")[0][2:]
        data = c.bind.get(kind, b"") if gs2.startswith("p=") else b""
    bare = "n=%s,r=%s" % (user, b64(os.urandom(12)))
    codes = []

    def say(text):
        r = c.say(text)
        codes.append(r[:3])
        return base64.b64decode(r[4:]).decode() if r[:3] == "334" else None

    first = b64(gs2 + bare)
    if initial:
        challenge = say("AUTH %s %s" % (mechanism, first))
    else:
        if say("AUTH " + mechanism) != "":
            return " ".join(codes)
        challenge = say(first)
    if challenge is None:
        return " ".join(codes)
    p = dict(kv.split("=", 1) for kv in challenge.split(","))
    salted = hashlib.pbkdf2_hmac(
        "sha256", (password or user + "-secret").encode(),
        base64.b64decode(p["s"]), int(p["i"]))
    key = H(salted, "Client Key")
    final = "c=%s,r=%s" % (b64((header or gs2).encode() + data), p["r"])
    message = "%s,%s,%s" % (bare, challenge, final)
    sig = H(hashlib.sha256(key).digest(), message)
    final += ",p=" + b64(bytes(x ^ y for x, y in zip(key, sig)))
    proof = say(b64(final))
    if proof is None:
        return " ".join(codes)
    if proof != "v=" + b64(H(H(salted, "Server Key"), message)):
        raise RuntimeError("the server's proof is wrong")
    say("")
    return " ".join(codes)


def once(f, conn=Tls, port="submissions", **how):
    c = conn(f, port)
    r = scram(c, **how)
    c.close()
    return r


def offers(c):
    return [line[9:].split() for line in c.lines if line[4:9] == "AUTH "]


def good(f):
    for port in ("submissions", "submission"):
        c = Client(f, port)
        eq(offers(c), [[PLUS, SCRAM, "PLAIN", "LOGIN"]],
           "%s: it is offered, first" % port)
        c.close()
        for kind in (EXPORTER, ENDPOINT):
            eq(once(f, Client, port, gs2="p=%s,," % kind), "334 334 235",
               "%s: %s" % (port, kind))
    eq(once(f, Client, initial=False), "334 334 334 235",
       "without an initial response")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        for port in ("submissions", "submission"):
            c = Tls(f, port, version)
            eq((offers(c)[0][0], scram(c, gs2="p=%s,," % ENDPOINT)),
               (PLUS, "334 334 235"),
               "%s, %s: %s" % (port, c.s.version(), ENDPOINT))
            c.close()
    eq(once(f, gs2="p=%s,a=alice@example.test," % ENDPOINT), "334 334 235",
       "an authorization identity of one's own")
    eq(once(f, gs2="p=%s,a=bob," % ENDPOINT)[-3:], "535", "another's")
    c = Client(f)
    scram(c)
    c.say("MAIL FROM:<alice@example.test>")
    ok(c.lines[-1].startswith("250 2.1.0 "), "and mail can be sent")
    c.close()
    ok(re.search(r"auth: login user=alice@example\.test mechanism=%s " % PLUS,
                 f.log(AUTH)), "the log says how")


def bad(f):
    # Two attempts on one connection: none spoils the next.
    c = Client(f)
    wrong = bytes(32)
    for what, how, want in (
            ("a wrong password", dict(password="x"), "334 535"),
            ("an unknown user", dict(user="nobody"), "334 535"),
            ("the binding of nothing", dict(data=b""), "334 535"),
            ("a wrong binding", dict(data=wrong), "334 535"),
            ("one octet more", dict(data=c.bind[EXPORTER] + b"x"),
             "334 535"),
            ("one octet less", dict(data=c.bind[EXPORTER][:31]), "334 535"),
            ("the binding of the other kind",
             dict(data=c.bind[ENDPOINT]), "334 535"),
            ("a wrong end point", dict(gs2="p=%s,," % ENDPOINT, data=wrong),
             "334 535"),
            ("another header at the end",
             dict(header="p=%s,," % ENDPOINT), "334 535"),
            ("n at the end", dict(header="n,,", data=b""), "334 535"),
            ("tls-unique", dict(gs2="p=tls-unique,,", data=wrong), "501"),
            ("a kind nobody knows", dict(gs2="p=x,,", data=wrong), "501"),
            ("no kind", dict(gs2="p=,,", data=wrong), "501"),
            ("n with -PLUS", dict(gs2="n,,"), "501"),
            ("y with -PLUS", dict(gs2="y,,"), "501"),
            ("p without -PLUS", dict(mechanism=SCRAM), "501"),
            ("the same later", dict(mechanism=SCRAM, initial=False),
             "334 501"),
            ("y without -PLUS, which was offered",
             dict(mechanism=SCRAM, gs2="y,,"), "535"),
            ("the same later", dict(mechanism=SCRAM, gs2="y,,",
                                    initial=False), "334 535")):
        eq(scram(c, **how), want, what)
    eq(scram(c, mechanism=SCRAM, gs2="n,,"), "334 334 235",
       "n without -PLUS is as ever")
    c.close()
    # A binding is worth nothing on another connection: who passes messages
    # on gets nowhere.
    a, b = Client(f), Client(f)
    ok(a.bind[EXPORTER] != b.bind[EXPORTER], "each connection has its own")
    eq(scram(a, data=b.bind[EXPORTER]), "334 535", "that of another")
    eq(scram(b), "334 334 235", "and its own")
    a.close()
    b.close()


def gsasl(f):
    if shutil.which("gsasl") is None:
        skip("no gsasl", 5)
        return

    def run_gsasl(*more, password="alice-secret"):
        p = subprocess.run(
            ["gsasl", "--smtp", "--connect=localhost:%d" % f.smtp, "-a",
             "alice@example.test", "-p", password,
             "--x509-ca-file=" + f.ca, "--verbose", *more],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace")
        return p.stdout

    out = run_gsasl("-m", PLUS)
    ok("\n235 " in out and b64("p=tls-exporter,,n=alice@example.test,r=")
       [:60] in out, "gsasl: by tls-exporter", out)
    out = run_gsasl("-m", PLUS, "--priority=NORMAL:-VERS-TLS1.3")
    ok("\n501 5.5.2 " in out and b64("p=tls-unique,,") [:16] in out,
       "gsasl: tls-unique is not taken", out)
    out = run_gsasl("-m", SCRAM, "--no-cb")
    ok("\n235 " in out, "gsasl: without binding", out)
    out = run_gsasl()
    ok("\n235 " in out and "AUTH " + PLUS in out,
       "gsasl: it takes the best by itself", out)
    out = run_gsasl("-m", PLUS, password="wrong")
    ok("\n535 5.7.8 " in out, "gsasl: a wrong password", out)


def throttle(f):
    """Logins bound elsewhere are failures like others."""
    f.conf("auth { failure_limit = 3 }")
    f.stop(SMTPD, AUTH)
    f.start(AUTH, SMTPD)
    c = Tls(f)
    how = dict(gs2="p=%s,," % ENDPOINT, data=bytes(32))
    eq([scram(c, **how) for _ in range(3)], ["334 535"] * 3, "three failures")
    eq(scram(c, **how), "421", "then the address is refused")
    c.close()


def off(f):
    f.conf("auth { failure_limit = 1000 mechanisms = { %s, PLAIN } }" % SCRAM)
    f.stop(SMTPD, AUTH)
    f.start(AUTH, SMTPD)
    c = Client(f)
    eq(offers(c), [[SCRAM, "PLAIN"]], "not listed, not offered")
    eq(scram(c), "504", "and refused")
    eq(scram(c, mechanism=SCRAM, gs2="y,,"), "334 334 235",
       "then y is what it says")
    c.close()
    f.conf("auth { mechanisms = { %s } }" % PLUS)
    f.stop(SMTPD, AUTH)
    f.start(AUTH, SMTPD)
    c = Client(f)
    eq((offers(c), scram(c, mechanism=SCRAM, gs2="n,,"), scram(c)),
       ([[PLUS]], "504", "334 334 235"), "nothing but it")
    c.close()


def test():
    f = start("auth { failure_delay = 0 } limits { errors_per_session = 99 }",
              AUTH, SMTPD)
    good(f)
    bad(f)
    gsasl(f)
    throttle(f)
    off(f)


run(49, test)
