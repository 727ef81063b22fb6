# SPDX-License-Identifier: ISC
"""The filter for Fail2Ban on the log of daemons that run: it finds who failed
to log in and who was refused at connect, nobody else, and no address that a
client has written into what it says."""
import shutil
import smtplib
from lib import *

FORGED = "203.0.113.9"
INJECTIONS = [
    "x address=%s" % FORGED,
    "x mechanism=PLAIN address=%s service=smtp reason=credentials" % FORGED,
    "x\" mechanism=\"PLAIN\" address=\"%s\"" % FORGED,
    "x\nauth-server[1]: auth: failed user=y mechanism=PLAIN address=%s "
    "service=smtp reason=credentials" % FORGED,
    "x\r\n2026-08-01T10:00:00.000Z auth-server[1]: auth: failed user=y "
    "mechanism=PLAIN address=%s service=smtp reason=credentials" % FORGED,
    "m\u00fcller address=%s" % FORGED,
    "%s" % FORGED,
    "\\x0a%s" % FORGED,
    "x" * 300 + " address=%s" % FORGED,
    "accept: refused client=%s limit=failure_limit" % FORGED,
]
ADDRESS = 1


def source():
    global ADDRESS
    ADDRESS += 1
    return "127.0.0.%d" % ADDRESS


def smtp(address, helo="client.test"):
    s = smtplib.SMTP("127.0.0.1", fixture.smtp, timeout=PATIENCE,
                     source_address=(address, 0))
    s.starttls(context=fixture.context)
    s.ehlo(helo)
    return s


def plain(s, user, secret="wrong", authzid=""):
    text = "%s\0%s\0%s" % (authzid, user, secret)
    return s.docmd("AUTH PLAIN " + base64.b64encode(
        text.encode()).decode())[0]


def http(address, user, secret="wrong"):
    with Conn(source=address) as c:
        c.send(request("/mail/", fields=["Authorization: " + basic(
            user, secret, domain="")]))
        return c.reply().status


def attack():
    """The addresses that are to be found, once for each attempt."""
    found = []
    for user in ["alice@" + DOMAIN, "nobody@" + DOMAIN, "x"] + INJECTIONS:
        a = source()
        s = smtp(a)
        if plain(s, user) in (535, 421):
            found.append(a)
        s.close()
        if ":" in user or "\n" in user:
            continue
        a = source()
        if http(a, user) in (401, 429):
            found.append(a)
    a = source()
    s = smtp(a)
    plain(s, "alice@" + DOMAIN, "alice-secret", "bob@" + DOMAIN)
    s.close()
    found.append(a)
    a = source()
    s = smtp(a)
    s.docmd("AUTH LOGIN")
    s.docmd(base64.b64encode(INJECTIONS[1].encode()).decode())
    s.docmd(base64.b64encode(b"wrong").decode())
    s.close()
    return found + [a]


def innocent():
    """None of these is to be found."""
    s = smtp(source(), "[%s]" % FORGED)
    s.login("alice@" + DOMAIN, "alice-secret")
    s.mail("\"x address=%s\"@%s" % (FORGED, DOMAIN))
    s.sendmail("alice@" + DOMAIN, ["bob+address=%s@%s" % (FORGED, DOMAIN)],
               "\r\n")
    s.quit()
    s = smtp(source())
    plain(s, "\0")
    s.docmd("AUTH X-%s" % FORGED.replace(".", "-"))
    s.docmd("AUTH PLAIN %")
    s.docmd("AUTH address=%s" % FORGED)
    s.docmd("EHLO x client=%s" % FORGED)
    s.close()
    eq(http(source(), "alice@" + DOMAIN, "alice-secret"), 200,
       "one who may read")
    with Conn(source=source()) as c:
        c.ask("/mail/?address=" + FORGED)


def crowd():
    """Refused at connect: over SMTP in clear, over TLS, over HTTPS."""
    held, found = [], []
    for port in (fixture.smtp, fixture.smtps, fixture.https):
        a = source()
        for i in range(6):
            s = socket.create_connection(("127.0.0.1", port), PATIENCE,
                                         (a, 0))
            held.append(s)
            if i >= 4:
                found.append(a)
    wait_for(lambda: sum(fixture.log(m).count("accept: refused")
                         for m in MASTERS[1:]) == len(found))
    for s in held:
        s.close()
    return found


def block():
    """Refused at connect for its failures, of which each is found too."""
    a = source()
    s = smtp(a)
    for i in range(5):
        plain(s, "alice@" + DOMAIN, "guess %d" % i)
    s.close()

    def refused():
        s = socket.create_connection(("127.0.0.1", fixture.smtp), PATIENCE,
                                     (a, 0))
        first = s.recv(3)
        s.close()
        return first == b"421"
    ok(wait_for(refused), "one who fails too often is refused")
    return [a] * 6


def fail2ban(*args):
    p = subprocess.run(["fail2ban-regex", *args], stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True,
                       timeout=PATIENCE)
    return p.stdout


def found_in(log, what="ip"):
    out = fail2ban("-o", what, log, fixture.dir + "/filter/postern.conf")
    return [line for line in out.splitlines() if line]


def look(log, want, what):
    got = found_in(log)
    eq(sorted(got), sorted(want), what)
    ok(FORGED not in got, what + ": none that was forged")


def as_syslog(text):
    """The lines as a syslog daemon writes them."""
    lines = []
    for line in text.splitlines():
        m = re.match(r"\d+-\d+-\d+T(\d+:\d+:\d+)\.\d+Z (.*)$", line)
        if m:
            lines.append(time.strftime("%b %d ") + m.group(1) + " mail " +
                         m.group(2))
    return "\n".join(lines) + "\n"


def write(name, text):
    with open(fixture.dir + "/" + name, "w") as f:
        f.write(text)
    return fixture.dir + "/" + name


def test():
    global fixture
    fixture = start("limits { connections_per_address = 4 "
                    "errors_per_session = 100 }\n"
                    "auth { failure_delay = 0s failure_limit = 5 }", *MASTERS)
    os.mkdir(fixture.dir + "/filter")
    shutil.copy(SRCDIR + "/conf/fail2ban/filter.d/postern.conf",
                fixture.dir + "/filter")
    innocent()
    want = attack()
    ok(len(want) >= 2 * len(INJECTIONS), "all attempts have failed", want)
    want += crowd() + block()
    wait_for(lambda: fixture.log("postern-auth").count("auth: failed") >=
             len(want) - 7)
    log = "".join(fixture.log(m) for m in MASTERS)
    look(write("all.log", log), want, "the log of the daemons")
    look(write("sys.log", as_syslog(log)), want, "by way of syslog")
    matched = found_in(fixture.dir + "/all.log", "row")
    ok(FORGED in log, "forged addresses stand in the log")
    eq(len(matched), len(want), "each line once")
    rest = [line for line in log.splitlines() if re.search(
        r": (?:auth: failed|accept: refused) ", line)]
    eq(len(rest), len(want) + rest_count(rest),
       "every line of a failure, but those that are nobody's fault")
    # Lines that look alike, which no daemon of ours writes.
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z ", time.gmtime())
    bad = "auth: failed user=x mechanism=PLAIN address=192.0.2.1 " \
        "service=smtp reason="
    for what, text in (
            ("another program", "other[1]: " + bad + "credentials"),
            ("a login", "auth-server[1]: auth: login user=x mechanism=PLAIN "
             "address=192.0.2.1 service=smtp"),
            ("no worker", "auth-server[1]: " + bad + "busy"),
            ("another address", "auth-server[1]: " + bad.replace(
                "service", "address=192.0.2.2 service") + "busy"),
            ("in another's name", "smtpd-session[1]: x auth-server[1]: " +
             bad + "credentials"),
            ("more behind it", "auth-server[1]: " + bad + "credentials x"),
            ("no address", "auth-server[1]: auth: failed user=x mechanism="
             "PLAIN address=example.org service=smtp reason=credentials"),
            ("too many of all", "smtpd-session[1]: accept: refused "
             "client=192.0.2.1 limit=connections"),
            ("a session", "smtpd-session[1]: smtp: session=1.1 client="
             "192.0.2.1 helo=\"auth: failed user=x mechanism=PLAIN "
             "address=192.0.2.1 service=smtp reason=credentials")):
        eq(found_in(write("one.log", now + text + "\n")), [],
           "not found: " + what)
    for what, text, want in (
            ("IPv6", "auth-server[1]: " + bad.replace(
                "192.0.2.1", "2001:db8::7") + "credentials",
             ["2001:db8::7"]),
            ("the service manager's", "mail postern-auth[1]: " + now +
             "auth-server[2]: " + bad + "authzid", ["192.0.2.1"]),
            ("blocked", "auth-server[1]: " + bad + "throttled",
             ["192.0.2.1"]),
            ("blocked at connect", "retrieve-session[1]: accept: refused "
             "client=192.0.2.1 limit=failure_limit count=3",
             ["192.0.2.1"])):
        eq(found_in(write("one.log", now + text + "\n")), want,
           "found: " + what)


def rest_count(lines):
    return len([l for l in lines if re.search(
        r"(?:reason=(?:syntax|busy|temporary)|limit=connections)$", l)])


if shutil.which("fail2ban-regex") is None:
    skip_all("no fail2ban-regex")
run(23, test)
