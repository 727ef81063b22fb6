# SPDX-License-Identifier: ISC
"""App passwords on running services: who gets in by which mechanism, for
what, until when, as whom; their end, on the very next login and in sessions
that are open; what the log and the list say of them."""
import hashlib
import hmac
import os
import socket
import time
from lib import *

WRONG = "535 5.7.8 Authentication credentials invalid"
here = None         # the fixture


def b64(text):
    data = text.encode() if isinstance(text, str) else text
    return base64.b64encode(data).decode()


class Smtp:
    """A submission session after EHLO."""

    def __init__(self):
        s = socket.create_connection(("127.0.0.1", here.smtps), PATIENCE)
        self.sock = here.context.wrap_socket(s, server_hostname="localhost")
        self.file = self.sock.makefile("rb")
        self.reply()
        self.ask("EHLO client.test")

    def reply(self):
        """The last line; "" at the end of the connection."""
        line = b"   -"
        try:
            while line[3:4] == b"-":
                line = self.file.readline()
        except (ConnectionResetError, ssl.SSLError):
            return ""
        return line.decode().rstrip("\r\n")

    def ask(self, line):
        try:
            self.sock.sendall(line.encode() + b"\r\n")
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            pass            # what it said before can still be read
        return self.reply()

    def plain(self, user, password, authzid=""):
        return self.ask("AUTH PLAIN " + b64("%s\0%s\0%s" % (
            authzid, user, password)))

    def login(self, user, password):
        self.ask("AUTH LOGIN " + b64(user))
        return self.ask(b64(password))

    def scram(self, user, password, gs2="n,,"):
        bare = "n=%s,r=abcdefghijklmnop" % user
        r = self.ask("AUTH SCRAM-SHA-256 " + b64(gs2 + bare))
        if r[:3] != "334":
            return r
        first = base64.b64decode(r[4:]).decode()
        f = dict(p.split("=", 1) for p in first.split(","))

        def mac(key, text):
            return hmac.new(key, text.encode(), "sha256").digest()

        salted = hashlib.pbkdf2_hmac("sha256", password.encode(),
                                     base64.b64decode(f["s"]), int(f["i"]))
        key = mac(salted, "Client Key")
        final = "c=%s,r=%s" % (b64(gs2), f["r"])
        said = ",".join((bare, first, final))
        sig = mac(hashlib.sha256(key).digest(), said)
        r = self.ask(b64(final + ",p=" + b64(bytes(
            a ^ b for a, b in zip(key, sig)))))
        if r[:3] != "334":
            return r
        want = b64("v=" + b64(mac(mac(salted, "Server Key"), said)))
        return self.ask("") if r[4:] == want else "bad proof: " + r

    def close(self):
        self.file.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def smtp(how, user, password, **more):
    with Smtp() as s:
        return getattr(s, how)(user, password, **more)


def http(user, password, conn=None):
    """Status, and whose mail it is."""
    ask = conn.ask if conn else get
    r = ask("/mail/", fields=["Accept: application/json", "Authorization: " +
            basic(user, password, "")])
    return r.status, r.json().get("user") if r.status == 200 else None


def alike(r):
    return (r.status, r.body, [f for f in r.fields if f[0] != "date"])


def ctl(*args):
    p = subprocess.run(
        ["sh", "-c", '. "$SRCDIR/t/lib.sh"; T=$1; shift; fixture_identity; '
         'trap - EXIT; exec $AS "$BIN/posternctl" -c "$T/postern.conf" "$@"',
         "sh", here.dir, *args], capture_output=True, text=True)
    if p.returncode != 0:
        raise RuntimeError("posternctl %s: %s" % (" ".join(args), p.stderr))
    return p.stdout


def add(user, app, *options):
    return ctl("apppass", "add", user, app, *options).strip()


def change(old, new):
    """Of the accounts file, as another program would."""
    path = here.dir + "/accounts"
    with open(path) as f:
        text = f.read()
    if re.search(old, text, re.M) is None:
        raise RuntimeError("nothing to change: " + old)
    with open(path + ".new", "w") as f:
        f.write(re.sub(old, new, text, flags=re.M))
    give(path + ".new")
    os.chmod(path + ".new", 0o640)
    os.rename(path + ".new", path)


def expires(login, seconds):
    change(r"^(%s@.*,expires=)\d+" % re.escape(login),
           r"\g<1>%d" % (time.time() + seconds))


def logged(pattern):
    return wait_for(lambda: re.findall(pattern, here.log("postern-auth")))


def scopes():
    """Each kind by each way in, under both names, over both services."""
    words = {"s": add("alice", "s", "--scope", "smtp"),
             "h": add("alice", "h", "--scope", "http"),
             "both": add("alice", "both", "--scope", "http,smtp"),
             "time": add("alice", "time", "--expires", "1d")}
    ok(len(set(words.values())) == 4 and all(re.fullmatch(
        "[a-z2-9]{4}(-[a-z2-9]{4}){5}", w) for w in words.values()),
        "four passwords", words)
    for app, sends, reads in (("s", 1, 0), ("h", 0, 1), ("both", 1, 1),
                              ("time", 1, 1)):
        for name in ("alice", "alice@" + DOMAIN, "alice+" + app,
                     "Alice+%s@%s" % (app, DOMAIN)):
            want = "235" if sends else "535"
            eq([smtp(how, name, words[app])[:3] for how in
                ("plain", "login")], [want, want],
               "%s as %s: PLAIN, LOGIN" % (app, name))
            eq(smtp("scram", name, words[app])[:3],
               want if "+" in name else "535", "%s as %s: SCRAM" %
               (app, name))
            eq(http(name, words[app]), (200, "alice@" + DOMAIN) if reads
               else (401, None), "%s as %s: HTTP" % (app, name))
    return words


def refusals(words):
    """All that do not get in, and how they are told: in one way."""
    with Smtp() as s:
        for what, user, password in (
                ("another's", "bob", words["both"]),
                ("another's name", "bob+both", words["both"]),
                ("another app's name", "alice+s", words["both"]),
                ("no such app", "alice+x", words["both"]),
                ("the main password under an app's name", "alice+both",
                 "alice-secret"),
                ("the main password under no app's", "alice+x",
                 "alice-secret"),
                ("in capitals", "alice", words["both"].upper()),
                ("without hyphens", "alice", words["both"].replace("-", "")),
                ("cut", "alice", words["both"][:-1]),
                ("with more", "alice", words["both"] + "x"),
                ("out of scope", "alice", words["h"]),
                ("out of scope, under its name", "alice+h", words["h"]),
                ("a foreign domain", "alice+s@other.test", words["s"])):
            eq([s.plain(user, password), s.login(user, password),
                s.scram(user, password)], 3 * [WRONG],
               what + ": three mechanisms, the same reply")
        eq(s.scram("alice+s", words["s"])[:3], "235", "then the right one")
    with Conn() as c:
        ask = [c.ask("/mail/", fields=["Authorization: " + basic(u, p, "")])
               for u, p in (("alice", "wrong"), ("alice", words["s"]),
                            ("alice+s", words["s"]), ("bob", words["both"]),
                            ("alice+x", words["both"]))]
        eq([alike(r) for r in ask[1:]], 4 * [alike(ask[0])],
           "over HTTP: the same reply too")
    for pattern in (r"failed user=alice@example.test app=h mechanism=PLAIN "
                    r"address=127.0.0.1 service=smtp reason=scope",
                    r"failed user=alice@example.test app=s mechanism=PLAIN "
                    r"address=127.0.0.1 service=http reason=scope",
                    r"failed user=alice@example.test app=h mechanism=SCRAM-"
                    r"SHA-256 address=127.0.0.1 service=smtp reason=scope",
                    r"failed user=alice\+x@example.test mechanism=PLAIN "
                    r"address=127.0.0.1 service=smtp reason=credentials",
                    r"login user=alice@example.test app=s mechanism=SCRAM-"
                    r"SHA-256 address=127.0.0.1 service=smtp\n"):
        ok(logged(pattern), "the log: " + pattern[:60].replace("\\", ""))
    for authzid, user, want in (
            ("alice", "alice+s", "235"), ("alice+s", "alice+s", "235"),
            ("alice@" + DOMAIN, "alice", "235"), ("bob", "alice+s", "535"),
            ("alice+both", "alice+s", "535"), ("alice+s", "alice", "535")):
        eq(smtp("plain", user, words["s"], authzid=authzid)[:3], want,
           "%s for %s: %s" % (user, authzid, want))
        eq(smtp("scram", user, words["s"], gs2="n,a=%s," % authzid)[:3],
           want if "+" in user else "535", "the same by SCRAM")


def cached(words):
    """What one service has verified is worth nothing in the other."""
    for name in ("alice", "alice+s"):
        eq([smtp("plain", name, words["s"])[:3], http(name, words["s"])[0],
            smtp("plain", name, words["s"])[:3], http(name, words["s"])[0]],
           ["235", 401, "235", 401], name + ", verified by SMTP: not HTTP")
    for name in ("alice", "alice+h"):
        eq([http(name, words["h"])[0], smtp("plain", name, words["h"])[:3],
            http(name, words["h"])[0], smtp("plain", name, words["h"])[:3]],
           [200, "535", 200, "535"], name + ", verified by HTTP: not SMTP")


def identity(words):
    """The account, whichever way it logged in."""
    put("alice", "1700000000.M1P1Q1.host", "Subject: hers\n\nhers\n")
    with Smtp() as s:
        s.plain("alice+both", words["both"])
        eq([s.ask("MAIL FROM:<%s@%s>" % (u, DOMAIN))[:3] for u in
            ("bob", "alice")], ["553", "250"], "sends as alice, not as bob")
        eq([s.ask("RCPT TO:<bob@example.test>")[:3], s.ask("DATA")[:3],
            s.ask("From: alice@example.test\r\nSubject: by app\r\n\r\n"
                  "text\r\n.")[:3]], ["250", "354", "250"],
           "the message is taken")
    ok(wait_for(lambda: [n for n in os.listdir(maildir("bob") + "/new")]),
       "and delivered")
    r = get("/mail/1700000000.M1P1Q1.host", fields=[
        "Authorization: " + basic("alice+both", words["both"], "")])
    eq((r.status, b"hers" in r.body), (200, True), "reads alice's mail")


def used():
    """What the list says of the last use."""
    def last(app):
        return [f.split("\t") for f in
                ctl("apppass", "list", "alice").splitlines()
                if f.split("\t")[1] == app][0][5]

    password = add("alice", "new")
    eq(last("new"), "last used never", "one that was never used")
    before = time.time() - 1
    smtp("plain", "alice", password)
    line = wait_for(lambda: last("new") if "never" not in last("new")
                    else None)
    m = re.fullmatch(r"last used (\S+Z) smtp 127\.0\.0\.1", line or "")
    ok(m, "its first use is seen soon", line)
    when = m and time.mktime(time.strptime(m.group(1), "%Y-%m-%dT%H:%M:%SZ")
                             ) - time.timezone
    ok(m and before - 1 <= when <= time.time() + 1, "with its time", line)
    # The others were used over both: the last one counts.
    ok(last("h").endswith(" http 127.0.0.1"), "the service", last("h"))
    http("alice", password)
    here.stop()
    ok(last("new").endswith(" http 127.0.0.1"),
       "what was not written yet is at the end", last("new"))
    ctl("apppass", "remove", "alice", "new")
    here.start("postern-auth", "postern-smtpd", "postern-retrieve")
    path = here.dir + "/state/auth/last-use"
    with open(path) as f:
        old = f.read()
    # A name that is made anew, in another second, has not been used.
    time.sleep(1.1)
    password = add("alice", "new")
    eq(last("new"), "last used never", "made anew: never used")
    smtp("plain", "alice", password)

    def now():
        with open(path) as f:
            return f.read()
    ok(wait_for(lambda: now() != old and "alice+new@" in now()),
       "its use is written")
    # So is the first one of the next of this name, before the minute is up.
    ctl("apppass", "remove", "alice", "new")
    time.sleep(1.1)
    password, old = add("alice", "new"), now()
    smtp("plain", "alice", password)
    ok(wait_for(lambda: now() != old and "alice+new@" in now(), 25),
       "and that of the next of this name")
    ctl("apppass", "remove", "alice", "new")
    here.stop("postern-auth")
    ok("alice+new@" not in now(), "one that is removed is forgotten", now())
    eq(os.stat(path).st_mode & 0o777, 0o600, "not for everybody")
    here.start("postern-auth")


class Live:
    """Sessions of an app password: SMTP at rest and in a transaction, HTTP
    with one connection."""

    def __init__(self, user, app, password):
        self.user, self.app, self.password = user, app, password
        self.smtp = [Smtp(), Smtp()]
        self.http = Conn()
        name = "%s+%s" % (user, app)
        wait_for(lambda: self.smtp[0].plain(name, password)[:3] == "235")
        got = [self.smtp[0].ask("NOOP")[:3],
               self.smtp[1].scram(name, password)[:3],
               self.smtp[1].ask("MAIL FROM:<%s@%s>" % (user, DOMAIN))[:3],
               wait_for(lambda: http(user, password, self.http)[0] == 200)]
        if got != ["250", "235", "250", True]:
            raise RuntimeError("no sessions: %r" % got)

    def ended(self, what):
        """The next login first: nothing is waited for."""
        eq([smtp("plain", self.user, self.password),
            smtp("plain", "%s+%s" % (self.user, self.app), self.password),
            smtp("scram", "%s+%s" % (self.user, self.app), self.password),
            http(self.user, self.password)[0]], 3 * [WRONG] + [401],
           what + ": the very next login fails")
        self.over(what)

    def over(self, what, status=401):
        eq([wait_for(lambda: re.match("421 4.7.0|$", s.ask("NOOP")))
            is not None for s in self.smtp], [True, True],
           what + ": its SMTP sessions are ended")
        eq(wait_for(lambda: http(self.user, self.password,
                                 self.http)[0] == status), True,
           "%s: its HTTP connection is answered %d" % (what, status))
        for c in self.smtp + [self.http]:
            c.close()


def ends():
    """Every end that there is, and that others are not touched by it."""
    main = Smtp()
    main.plain("alice", "alice-secret")
    other = Live("bob", "phone", add("bob", "phone"))

    live = Live("alice", "laptop", add("alice", "laptop"))
    ctl("apppass", "remove", "alice", "laptop")
    live.ended("removed")
    live = Live("alice", "laptop", add("alice", "laptop"))
    ctl("apppass", "revoke", "alice", "laptop")
    live.ended("revoked")
    ok(logged("auth: revoked user=alice@example.test app=laptop "
              "service=smtp"), "the log says so")
    eq([main.ask("NOOP")[:3], other.smtp[0].ask("NOOP")[:3],
        http("bob", other.password, other.http)[0]], ["250", "250", 200],
       "others go on")

    live = Live("alice", "laptop", add("alice", "laptop"))
    change(r"^(alice\+laptop@.*\t)app,", r"\1disabled,app,")
    live.ended("disabled")
    ctl("apppass", "remove", "alice", "laptop")
    live = Live("alice", "laptop", add("alice", "laptop"))
    change(r"^(alice\+laptop@.*scope=)smtp:http", r"\1smtp")
    live.over("another scope")
    eq([smtp("plain", "alice", live.password)[:3],
        http("alice", live.password)[0]], ["235", 401],
       "which counts from then on")
    main.close()

    # Expiry: seen while it runs, without any change of the file.
    password = add("alice", "brief", "--expires", "1d")
    expires("alice+brief", 12)
    live = Live("alice", "brief", password)
    eq([live.smtp[0].ask("NOOP")[:3], http("alice", password)[0]],
       ["250", 200], "before its time")
    line = wait_for(live.smtp[0].file.readline)
    eq(line[:9], b"421 4.7.0", "expired: a session at rest is told")
    live.ended("expired")
    ok(logged("app=brief mechanism=PLAIN address=127.0.0.1 service=smtp "
              "reason=expired"), "the log says why")
    expires("alice+brief", 3600)
    eq(wait_for(lambda: http("alice", password)[0] == 200), True,
       "a later time makes it good again")

    # The account it is of.
    ctl("user", "passwd", "bob@" + DOMAIN)
    other.over("another main password", 200)
    eq([smtp("plain", "bob", other.password)[:3],
        smtp("plain", "bob", "bob-secret")[:3]], ["235", "535"],
       "but it stays good")
    live = Live("bob", "phone", other.password)
    change(r"^(bob@\S+\t\S+)$", r"\1\tdisabled")
    live.ended("account disabled")
    change(r"^(bob@.*)\tdisabled$", r"\1")
    live = Live("bob", "phone", other.password)
    ctl("user", "remove", "bob@" + DOMAIN)
    live.ended("account removed")
    ctl("user", "add", "bob@" + DOMAIN)
    eq(smtp("plain", "bob", other.password), WRONG,
       "an account of the same name does not have it")


def many():
    """As many as there can be: each is found."""
    words = [add("carol", "a%d" % i) for i in range(32)]
    eq({smtp("plain", "carol", w)[:3] for w in words}, {"235"},
       "all of 32 get in under the account's name")
    eq(http("carol", words[31]), (200, "carol@" + DOMAIN), "by HTTP too")
    eq(smtp("plain", "carol", "carol-secret")[:3], "235",
       "so does the main password")


def throttled():
    here.stop()
    here.conf("auth { failure_limit = 4 failure_time = 10min }")
    here.start("postern-auth", "postern-smtpd", "postern-retrieve")
    ctl("apppass", "remove", "carol", "a0")
    password = add("carol", "h", "--scope", "http")
    eq([smtp("plain", "carol", password) for _ in range(6)], 6 * [WRONG],
       "one out of scope counts as one wrong password")
    with Smtp() as s:
        eq([s.plain("carol+x%d" % i, "no%d" % i)[:3] for i in range(4)],
           3 * ["535"] + ["421"], "guesses under names of apps are counted")


def test():
    global here
    here = start("auth { failure_delay = 0 failure_limit = 1000 }\n"
                 "limits { errors_per_session = 1000 }", *MASTERS)
    words = scopes()
    refusals(words)
    cached(words)
    identity(words)
    used()
    ends()
    many()
    throttled()


run(135, test)
