# SPDX-License-Identifier: ISC
# Accounts in the Berkeley DB of Cyrus SASL, as saslpasswd2 writes it.
import shutil

from stores import *

PASSWORDS = ("alice-in-sasldb", "bob in sasldb \u00e4")
PROGRAM = shutil.which("saslpasswd2", path=os.environ["PATH"] +
                       ":/usr/sbin:/sbin")


def passwd(f, user, password, domain=DOMAIN):
    """None: remove the user."""
    subprocess.run([PROGRAM, "-p", "-d" if password is None else "-c", "-f",
                    f.dir + "/sasl/db", "-u", domain, user],
                   input=(password or "").encode(), check=True,
                   capture_output=True)
    own(f.dir + "/sasl/db")


def changes(f):
    """Running logins end with their password, and no others."""
    with Smtp() as a, Smtp() as b, Conn() as c:
        eq((a.plain("alice", PASSWORDS[0]), b.scram("bob", PASSWORDS[1]),
            c.ask("/mail/", fields=["Authorization: " + basic(
                "alice", PASSWORDS[0])]).status),
           (WELCOME, WELCOME, 200), "three are logged in")
        passwd(f, "alice", "another one")
        eq(a.reply()[:9], "421 4.7.0", "a new password ends the session")
        eq(wait_for(lambda: c.ask("/mail/", fields=["Authorization: " + basic(
            "alice", PASSWORDS[0])]).status == 401), True,
           "and the login over HTTP")
        eq(smtp("PLAIN", "alice", PASSWORDS[0]), DENIED,
           "the old one is refused at once")
        eq({smtp(m, "alice", "another one") for m in MECHANISMS}, {WELCOME},
           "the new one is taken")
        eq(b("NOOP")[:3], "250", "who is not concerned goes on")
        passwd(f, "bob", None)
        eq(b.reply()[:9], "421 4.7.0", "an account that is removed")
        eq({smtp(m, "bob", PASSWORDS[1]) for m in MECHANISMS}, {DENIED},
           "cannot log in any more")
        passwd(f, "bob", PASSWORDS[1])
        passwd(f, "alice", PASSWORDS[0])
        eq({smtp(m, "bob", PASSWORDS[1]) for m in MECHANISMS}, {WELCOME},
           "and can when it is back")


def external(f):
    """Who has a certificate must have an account in the store."""
    f.stop()
    for user in ("alice", "nobody"):
        f.ctl("cert", "client", "--dir", f.dir + "/tls",
              user + "@example.test")
    f.conf("tls { client_certificates = request client_ca = \"%s\" }"
           "auth { mechanisms = { PLAIN, EXTERNAL } }" % f.ca)
    f.start(*MASTERS)

    def by(user, authzid=""):
        base = "%s/tls/client-%s_example.test" % (f.dir, user)
        f.context = ssl.create_default_context(cafile=f.ca)
        f.context.load_cert_chain(base + ".pem", base + ".key")
        with Smtp() as s:
            return s("AUTH EXTERNAL " + (b64(authzid) if authzid else "="))
    eq((by("alice"), by("alice", "alice@example.test"), by("nobody"),
        by("alice", "bob@example.test")), (WELCOME, WELCOME, DENIED, DENIED),
       "EXTERNAL: an account is needed, and a certificate of its name")
    db = f.dir + "/sasl/db"
    os.rename(db, db + ".away")
    eq((by("alice"), by("nobody")), (AWAY, AWAY), "away here too")
    os.rename(db + ".away", db)
    eq(by("alice"), WELCOME, "and back")


def setup():
    f = lib.fixture = Fixture()
    os.mkdir(f.dir + "/sasl", 0o700)
    give(f.dir + "/sasl")
    passwd(f, "alice", PASSWORDS[0])
    passwd(f, "bob", PASSWORDS[1])
    # In the store, and in no domain of ours.
    passwd(f, "alice", PASSWORDS[0], "other.test")
    begin(f, 'store = sasldb sasldb = "%s/sasl/db"' % f.dir)
    return f


def test():
    f = setup()
    db = f.dir + "/sasl/db"
    basics(PASSWORDS, MECHANISMS)
    unknown_scram()
    changes(f)
    away(PASSWORDS, MECHANISMS, lambda: os.rename(db, db + ".away"),
         lambda: os.rename(db + ".away", db))
    eq(len(re.findall("store: cannot see file=" + db, f.log("postern-auth"))),
       1, "and that was logged, once")
    confined(f)
    external(f)


if PROGRAM is None:
    skip_all("no saslpasswd2")
need_plugin("libsasldb.so")
run(49, test)
