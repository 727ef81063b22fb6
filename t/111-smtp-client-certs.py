# SPDX-License-Identifier: ISC
"""Certificates of SMTP clients: who is served in each mode, and who may log
in by EXTERNAL with which name. Both ports, TLS 1.2 and 1.3; reload."""
import shutil

import lib
from lib import *

AUTH, SMTPD, RETRIEVE = MASTERS
DAY = 86400
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
PORTS = ("submission", "submissions")


# --- certificates

def tool(*args, text=None):
    p = subprocess.run(["openssl", *args], input=text, text=True,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if p.returncode != 0:
        raise RuntimeError("openssl %s: %s" % (args, p.stderr))


def sign(f, name, ca, days, *extensions, key="ec"):
    """A certificate for a new key, signed by ca, or by itself."""
    base = "%s/clients/%s" % (f.dir, name)
    curve = ["-pkeyopt", "ec_paramgen_curve:P-256"] if key == "ec" else []
    tool("req", "-new", "-newkey", key, *curve, "-nodes", "-subj",
         "/CN=alice@example.test/emailAddress=alice@example.test",
         "-keyout", base + ".key", "-out", base + ".csr")
    with open(base + ".ext", "w") as e:
        e.write("\n".join(extensions) + "\n")
    by = ["-signkey", base + ".key"] if ca is None else \
        ["-CA", ca + "/ca.pem", "-CAkey", ca + "/ca.key"]
    tool("x509", "-req", "-in", base + ".csr", *by, "-days", str(days),
         "-extfile", base + ".ext", "-out", base + ".pem")


def make(f):
    ours, other = f.dir + "/clients", f.dir + "/others"
    for folder, *addresses in (
            (ours, "alice@example.test"), (ours, "Bob@EXAMPLE.test"),
            (ours, "nobody@example.test"), (ours, "alice@other.test"),
            (ours, "bob@example.test", "carol@example.test"),
            (other, "alice@example.test")):
        if not os.path.exists(folder):
            f.ctl("cert", "ca", "--dir", folder)
        f.ctl("cert", "client", "--dir", folder, "--file",
              "c" + "".join(re.findall("[a-zA-Z]", "".join(addresses))),
              *addresses)
    alice = "subjectAltName=email:alice@example.test"
    sign(f, "expired", ours, -1, alice)
    sign(f, "self", None, 9, alice)
    sign(f, "bare", ours, 9, "basicConstraints=CA:FALSE")
    sign(f, "host", ours, 9, "subjectAltName=DNS:alice.example.test")
    sign(f, "server", ours, 9, "extendedKeyUsage=serverAuth", alice)
    sign(f, "signer", ours, 9, "keyUsage=keyCertSign", alice)
    sign(f, "any", ours, 9, alice)
    sign(f, "rsa", ours, 9, alice, key="rsa:2048")
    sign(f, "ed25519", ours, 9, alice, key="ed25519")
    sign(f, "upper", ours, 9, "subjectAltName=email:ALICE@example.test")


CERTS = {
    "alice": "clients/caliceexampletest", "bob": "clients/cBobEXAMPLEtest",
    "nobody": "clients/cnobodyexampletest",
    "foreign": "clients/caliceothertest",
    "two": "clients/cbobexampletestcarolexampletest",
    "other CA": "others/caliceexampletest", "expired": "clients/expired",
    "self-signed": "clients/self", "no name": "clients/bare",
    "a host": "clients/host", "a server's": "clients/server",
    "signs only": "clients/signer", "any purpose": "clients/any",
    "upper case": "clients/upper", "RSA": "clients/rsa",
    "Ed25519": "clients/ed25519",
}


# --- a client

class Refused(Exception):
    pass


class Smtp:
    """A session under TLS; Refused when the handshake fails."""

    def __init__(self, f, cert=None, version=None, port="submissions"):
        c = ssl.create_default_context(cafile=f.ca)
        c.options &= ~IGNORE_EOF
        if version:
            c.minimum_version = c.maximum_version = VERSIONS[version]
        if cert:
            base = "%s/%s" % (f.dir, CERTS[cert])
            c.load_cert_chain(base + ".pem", base + ".key")
        s = socket.create_connection(
            ("127.0.0.1", f.smtp if port == "submission" else f.smtps),
            PATIENCE)
        s.settimeout(PATIENCE)
        self.buf = b""
        self.sock = s
        if port == "submission":
            self.reply()
            self.say("EHLO c.test")
            self.say("STARTTLS", "220")
        try:
            self.sock = c.wrap_socket(s, server_hostname="localhost",
                                      suppress_ragged_eofs=False)
            if port == "submission":
                self.sock.sendall(b"NOOP\r\n")
            self.reply()
        except (ssl.SSLError, OSError) as e:
            # Nothing was served: not an octet.
            if self.buf:
                raise RuntimeError("%r came with %r" % (self.buf, e))
            raise Refused(getattr(e, "reason", None) or repr(e))

    def reply(self):
        lines = []
        while not lines or lines[-1][3:4] == "-":
            while b"\r\n" not in self.buf:
                data = self.sock.recv(65536)
                if data == b"":
                    raise RuntimeError("closed after %r" % lines)
                self.buf += data
            line, self.buf = self.buf.split(b"\r\n", 1)
            lines.append(line.decode())
        self.lines = lines
        return lines[-1]

    def say(self, line, want=None):
        self.sock.sendall(line.encode() + b"\r\n")
        r = self.reply()
        if want and not r.startswith(want):
            raise RuntimeError("%s: %s, not %s" % (line, r, want))
        return r

    def offers(self):
        """The mechanisms that EHLO lists."""
        self.say("EHLO c.test", "250")
        for line in self.lines:
            if line[4:8] == "AUTH":
                return line[9:].split()
        return []

    def codes(self, *lines):
        """The codes of the replies to these, as "235 2.7.0"."""
        found = []
        for line in lines:
            r = self.say(line)
            m = re.match(r"\d{3} \d\.\d\.\d+", r)
            found.append(m.group() if m else r.strip())
        return found if len(found) > 1 else found[0]

    def close(self):
        self.sock.close()


def b64(text):
    return base64.b64encode(text.encode()).decode()


def outcome(f, cert, version, port):
    """An alert, or what EHLO offers beyond what it offers to all."""
    try:
        s = Smtp(f, cert, version, port)
    except Refused as e:
        return str(e)
    found = s.offers()
    s.close()
    rest = [m for m in found if m != "EXTERNAL"]
    if rest != ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN"]:
        raise RuntimeError("offers %r" % found)
    return "EXTERNAL" if "EXTERNAL" in found else "served"


def hup(f, master, says="master: ready pid="):
    before = f.log(master).count(says)
    os.kill(f.pid(master), signal.SIGHUP)
    return wait_for(lambda: f.log(master).count(says) > before)


# --- who is served

ALERTS = {
    "expired": "SSLV3_ALERT_CERTIFICATE_EXPIRED",
    "other CA": "TLSV1_ALERT_UNKNOWN_CA",
    "self-signed": "TLSV1_ALERT_UNKNOWN_CA",
    "a server's": "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
    "signs only": "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
}
NAMED = ("alice", "bob", "two", "nobody", "foreign", "any purpose",
         "upper case", "RSA", "Ed25519")


def expected(mode, version):
    want = {c: "served" if mode == "none" else ALERTS.get(c, "served")
            for c in CERTS}
    if mode != "none":
        want.update((c, "EXTERNAL") for c in NAMED)
    want[None] = "served" if mode != "require" else \
        "TLSV13_ALERT_CERTIFICATE_REQUIRED" if version == "1.3" else \
        "SSLV3_ALERT_HANDSHAKE_FAILURE"
    return want


def modes(f):
    for mode in ("none", "request", "require"):
        f.conf("tls { client_certificates = %s }" % mode)
        hup(f, SMTPD)
        # Those of before take connections for a moment.
        wait_for(lambda: len(children(f.pid(SMTPD))["smtpd-session"]) == 2)
        for version in VERSIONS:
            for port in PORTS:
                want = expected(mode, version)
                got = {c: outcome(f, c, version, port) for c in want}
                eq(got, want, "%s: TLS %s, %s" % (mode, version, port))
    log = f.log(SMTPD)
    for what in ("certificate has expired", "unsuitable certificate purpose",
                 "peer did not return a certificate"):
        ok('end=handshake error="%s"' % what in log,
           "the log says why: " + what)
    with Conn() as c:
        eq(c.ask("/healthz").status, 200, "retrieval asks nobody")
    f.conf("tls { client_certificates = request }")
    hup(f, SMTPD)
    ok(wait_for(lambda: outcome(f, None, "1.3", "submissions") == "served"),
       "and back")


# --- EXTERNAL

def logins(f):
    n = 0
    for what, cert, lines, want in (
            ("the name", "alice", ["AUTH EXTERNAL ="], ["235 2.7.0"]),
            ("in a dialogue", "alice", ["AUTH EXTERNAL", ""],
             ["334", "235 2.7.0"]),
            ("with an authorization identity", "alice",
             ["AUTH EXTERNAL " + b64("alice@example.test")], ["235 2.7.0"]),
            ("in other case, without a domain", "alice",
             ["auth external " + b64("ALICE")], ["235 2.7.0"]),
            ("with one, in a dialogue", "alice",
             ["AUTH EXTERNAL", b64("alice@example.test")],
             ["334", "235 2.7.0"]),
            ("a name in upper case", "bob", ["AUTH EXTERNAL ="],
             ["235 2.7.0"]),
            ("without a purpose", "any purpose", ["AUTH EXTERNAL ="],
             ["235 2.7.0"]),
            ("cancelled", "alice", ["AUTH EXTERNAL", "*", "AUTH EXTERNAL ="],
             ["334", "501 5.7.0", "235 2.7.0"]),
            ("no BASE64", "alice", ["AUTH EXTERNAL !", "AUTH EXTERNAL", "!"],
             ["501 5.5.2", "334", "501 5.5.2"]),
            ("a NUL", "alice", ["AUTH EXTERNAL " + b64("alice\0")],
             ["501 5.5.2"]),
            ("another's name", "alice",
             ["AUTH EXTERNAL " + b64("bob@example.test")], ["535 5.7.8"]),
            ("a name that is none", "alice",
             ["AUTH EXTERNAL " + b64("al ice")], ["535 5.7.8"]),
            ("nobody's", "nobody",
             ["AUTH EXTERNAL =",
              "AUTH EXTERNAL " + b64("nobody@example.test"),
              "AUTH EXTERNAL " + b64("alice@example.test")],
             ["535 5.7.8"] * 3),
            ("of another domain", "foreign", ["AUTH EXTERNAL ="],
             ["535 5.7.8"]),
            ("two names", "two", ["AUTH EXTERNAL =",
                                  "AUTH EXTERNAL " + b64("alice")],
             ["535 5.7.8"] * 2),
            ("the one of two", "two", ["AUTH EXTERNAL " + b64("bob")],
             ["235 2.7.0"]),
            ("the other of two", "two",
             ["AUTH EXTERNAL", b64("carol@example.test")],
             ["334", "235 2.7.0"]),
            ("no certificate", None, ["AUTH EXTERNAL =", "AUTH EXTERNAL",
                                      "AUTH EXTERNAL " + b64("alice")],
             ["504 5.5.4"] * 3),
            ("no name in it", "no name", ["AUTH EXTERNAL ="], ["504 5.5.4"]),
            ("a host's", "a host", ["AUTH EXTERNAL ="], ["504 5.5.4"]),
            ("a password beside it", "bob",
             ["AUTH PLAIN " + b64("\0alice@example.test\0alice-secret")],
             ["235 2.7.0"])):
        got = []
        for version in VERSIONS:
            s = Smtp(f, cert, version, PORTS[n % 2])
            n += 1
            s.say("EHLO c.test", "250")
            found = s.codes(*lines)
            got.append(found if isinstance(found, list) else [found])
            s.close()
        eq(got, [want] * 2, "EXTERNAL: " + what)


def mail(f):
    s = Smtp(f, "alice", "1.3", "submission")
    s.say("EHLO c.test", "250")
    eq(s.codes("AUTH EXTERNAL =", "MAIL FROM:<bob@example.test>",
               "MAIL FROM:<alice@example.test>", "RCPT TO:<bob@example.test>",
               "AUTH EXTERNAL ="),
       ["235 2.7.0", "553 5.7.1", "250 2.1.0", "250 2.1.5", "503 5.5.1"],
       "the login sends as itself")
    s.say("DATA", "354")
    eq(s.codes("From: alice@example.test\r\n\r\nx\r\n."), "250 2.0.0",
       "its message is taken")
    eq(listing("bob")["total"], 1, "and delivered")
    s.close()
    ok(re.search(r"auth: login user=alice@example\.test mechanism=EXTERNAL ",
                 f.log(AUTH)), "the log says how it logged in")
    # In clear there is no AUTH at all.
    s = socket.create_connection(("127.0.0.1", f.smtp), PATIENCE)
    r = s.makefile("rwb")
    r.readline()
    r.write(b"EHLO c.test\r\nAUTH EXTERNAL =\r\nQUIT\r\n")
    r.flush()
    text = r.read()
    eq((b"EXTERNAL" in text, b"\r\n538 5.7.11 " in text), (False, True),
       "in clear it is not offered, and refused")


def accounts(f):
    path = f.dir + "/accounts"
    with open(path) as a:
        old = a.read()

    def put_accounts(text):
        with open(path + ".new", "w") as a:
            a.write(text)
        os.chmod(path + ".new", 0o640)
        give(path + ".new")
        os.rename(path + ".new", path)

    def login(cert):
        s = Smtp(f, cert)
        s.say("EHLO c.test", "250")
        code = s.codes("AUTH EXTERNAL =")
        s.close()
        return code

    put_accounts(re.sub(r"(?m)^(alice.*)$", "\\1\tdisabled", old))
    eq((login("alice"), login("bob")), ("535 5.7.8", "235 2.7.0"),
       "an account that is turned off")
    put_accounts(re.sub(r"(?m)^carol.*\n", "", old))
    eq(login("two"), "235 2.7.0", "two names of which one is left")
    put_accounts(old)
    eq((login("alice"), login("two")), ("235 2.7.0", "535 5.7.8"),
       "and on again")


def gsasl(f):
    """A client of another make: GNU SASL, and GnuTLS."""
    if shutil.which("gsasl") is None:
        skip("no gsasl", 3)
        return
    for cert, authzid, want in (("alice", "", "235 2.7.0 "),
                                ("two", "bob@example.test", "235 2.7.0 "),
                                ("alice", "bob@example.test", "535 5.7.8 ")):
        base = "%s/%s" % (f.dir, CERTS[cert])
        p = subprocess.run(
            ["gsasl", "--smtp", "-m", "EXTERNAL", "--verbose", "-z", authzid,
             "--connect=localhost:%d" % f.smtp, "--x509-ca-file=" + f.ca,
             "--x509-cert-file=%s.pem" % base,
             "--x509-key-file=%s.key" % base], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace")
        ok("\n" + want in p.stdout, "gsasl: %s as \"%s\": %s" % (
            cert, authzid, want), p.stdout)


# --- reload, and what does not work

def reload(f):
    ca = f.dir + "/clients/ca.pem"
    with open(ca) as o, open(f.dir + "/others/ca.pem") as n:
        ours, others = o.read(), n.read()

    def put_ca(text):
        with open(ca, "w") as o:
            o.write(text)

    def see():
        return [outcome(f, c, "1.3", "submissions")
                for c in ("alice", "other CA")]

    unknown = "TLSV1_ALERT_UNKNOWN_CA"
    s = Smtp(f, "alice")
    for what, text, want in (
            ("another CA", others, ["TLSV1_ALERT_UNKNOWN_CA", "EXTERNAL"]),
            ("both", ours + others, ["EXTERNAL"] * 2),
            ("the first", ours, ["EXTERNAL", unknown])):
        put_ca(text)
        hup(f, SMTPD)
        ok(wait_for(lambda: see() == want), "reload: " + what, see())
    for what, text, says in (
            ("no certificate", "nothing\n", "no certificate in PEM"),
            ("a damaged one", ours + ours.replace("MII", "MIJ"), "damaged"),
            ("not a CA's",
             open(f.dir + "/clients/any.pem").read(), "not that of a CA")):
        put_ca(text)
        said = f.log(SMTPD).count(says)
        hup(f, SMTPD, "keeping the old")
        eq((f.log(SMTPD).count(says) > said, see()),
           (True, ["EXTERNAL", unknown]),
           "reload: %s: said, and the old one stays" % what)
    os.unlink(ca)
    hup(f, SMTPD, "keeping the old")
    ok("tls.client_ca: " + ca in f.log(SMTPD), "reload: no file")
    put_ca(ours)
    s.say("EHLO c.test", "250")
    eq(s.codes("AUTH EXTERNAL ="), "235 2.7.0",
       "who was there all the time logs in")
    s.close()


def chain(f):
    """The limits on what a client sends."""
    text = open(f.dir + "/clients/any.pem").read()
    with open(f.dir + "/clients/long.pem", "w") as o:
        o.write(text + open(f.dir + "/clients/ca.pem").read() * 20)
    shutil.copyfile(f.dir + "/clients/any.key", f.dir + "/clients/long.key")
    CERTS["long"] = "clients/long"
    eq(outcome(f, "long", "1.3", "submissions"), "served",
       "a long chain is taken")
    f.conf("tls { client_chain_size = 4K }")
    hup(f, SMTPD)
    ok(wait_for(lambda: outcome(f, "long", "1.3", "submissions") ==
                "SSLV3_ALERT_ILLEGAL_PARAMETER"),
       "past client_chain_size it is not")
    sign(f, "sub", f.dir + "/clients", 9, "basicConstraints=critical,CA:TRUE")
    os.mkdir(f.dir + "/sub")
    for e in ("pem", "key"):
        shutil.copyfile("%s/clients/sub.%s" % (f.dir, e),
                    "%s/sub/ca.%s" % (f.dir, e))
    sign(f, "leaf", f.dir + "/sub", 9,
         "subjectAltName=email:alice@example.test")
    with open(f.dir + "/clients/leaf.pem", "a") as o:
        o.write(open(f.dir + "/sub/ca.pem").read())
    CERTS["leaf"] = "clients/leaf"
    # The CA of the tool signs no other CA: path length 0.
    eq(outcome(f, "leaf", "1.3", "submissions"), "TLSV1_ALERT_UNKNOWN_CA",
       "a CA below one that may have none")
    tool("req", "-x509", "-new", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=deep", "-days",
         "9", "-keyout", f.dir + "/clients/ca.key", "-out",
         f.dir + "/clients/ca.pem", "-addext",
         "keyUsage=critical,keyCertSign")
    sign(f, "sub", f.dir + "/clients", 9, "basicConstraints=critical,CA:TRUE")
    for e in ("pem", "key"):
        shutil.copyfile("%s/clients/sub.%s" % (f.dir, e),
                    "%s/sub/ca.%s" % (f.dir, e))
    sign(f, "leaf", f.dir + "/sub", 9,
         "subjectAltName=email:alice@example.test")
    with open(f.dir + "/clients/leaf.pem", "a") as o:
        o.write(open(f.dir + "/sub/ca.pem").read())
    hup(f, SMTPD)
    ok(wait_for(lambda: outcome(f, "leaf", "1.3", "submissions") ==
                "served"), "one below one that may")
    f.conf("tls { client_chain_depth = 0 }")
    hup(f, SMTPD)
    ok(wait_for(lambda: outcome(f, "leaf", "1.3", "submissions") ==
                "TLSV1_ALERT_UNKNOWN_CA"), "past client_chain_depth")


def off(f):
    """Not listed, EXTERNAL is not there, whatever the client shows."""
    f.conf("auth { mechanisms = { SCRAM-SHA-256-PLUS, SCRAM-SHA-256, PLAIN, "
           "LOGIN } }")
    f.stop(SMTPD, AUTH)
    f.start(AUTH, SMTPD)
    for version in VERSIONS:
        eq(outcome(f, "alice", version, "submissions"), "served",
           "not listed, not offered: TLS " + version)
    s = Smtp(f, "alice")
    s.say("EHLO c.test", "250")
    eq(s.codes("AUTH EXTERNAL =", "AUTH EXTERNAL", "AUTH PLAIN " +
               b64("\0alice@example.test\0alice-secret")),
       ["504 5.5.4", "504 5.5.4", "235 2.7.0"], "and refused")
    s.close()


def test():
    lib.fixture = f = Fixture()
    make(f)
    f.conf("tls { client_ca = \"%s/clients/ca.pem\" }" % f.dir)
    f.conf("auth { mechanisms = { SCRAM-SHA-256-PLUS, SCRAM-SHA-256, PLAIN, "
           "LOGIN, EXTERNAL } failure_delay = 0 failure_limit = 1000 }")
    f.start(*MASTERS)
    modes(f)
    logins(f)
    gsasl(f)
    mail(f)
    accounts(f)
    reload(f)
    off(f)
    chain(f)


run(65, test)
