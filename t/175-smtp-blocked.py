# SPDX-License-Identifier: ISC
# An address with too many failed logins, at either service, is refused as it
# connects to SMTP, by every session process, for failure_time; HTTP says 429.
# Other addresses, and sessions that run, are served.
import smtplib

import lib
from lib import *

LIMIT = 4
BLOCK = 20      # seconds; what is tried within them takes less
IMPLICIT = "closed"


def connect(port, source="127.0.0.1"):
    s = socket.socket()
    s.settimeout(PATIENCE)
    s.bind((source, 0))
    s.connect(("127.0.0.1", port))
    return s


def greeting(source="127.0.0.1"):
    """All that a client hears on the submission port; then QUIT."""
    with connect(lib.fixture.smtp, source) as s:
        got = b""
        while not got.endswith(b"\n"):
            data = s.recv(4096)
            if data == b"":
                return got
            got += data
        if got.startswith(b"220"):
            s.sendall(b"QUIT\r\n")
            return got
        while True:
            data = s.recv(4096)
            if data == b"":
                return got
            got += data


def refused(source="127.0.0.1"):
    return greeting(source).startswith(b"421 4.7.0 ")


def implicit(source="127.0.0.1"):
    """Is a connection on the port of implicit TLS closed at once?"""
    with connect(lib.fixture.smtps, source) as s:
        try:
            tls = lib.fixture.context.wrap_socket(
                s, server_hostname="localhost")
        except (ssl.SSLError, OSError):
            return IMPLICIT
        with tls:
            return tls.recv(4096).split()[0].decode()


def session(source="127.0.0.1"):
    s = smtplib.SMTP_SSL("localhost", lib.fixture.smtps, timeout=PATIENCE,
                         context=lib.fixture.context,
                         source_address=(source, 0))
    s.ehlo("client.test")
    return s


def auth(s, user, password):
    text = base64.b64encode(b"\0%b\0%b" % (user.encode(), password.encode()))
    return s.docmd("AUTH", "PLAIN " + text.decode())[0]


def fail_http(n, source="127.0.0.1"):
    with Conn(source=source) as c:
        return [c.ask("/mail/", fields=["Authorization: " + basic(
            "alice", "wrong %d" % i)]).status for i in range(n)]


def over_http(f):
    running = session()
    eq(auth(running, "bob", "bob-secret"), 235, "a session is running")
    eq(fail_http(LIMIT - 1), (LIMIT - 1) * [401], "failures over HTTP")
    eq((refused(), implicit()), (False, "220"), "one less than the limit")
    since = time.monotonic()
    with Conn() as c:
        eq(c.ask("/mail/", fields=["Authorization: " + basic(
            "alice", "the last")]).status, 401, "the last one")
    # the word of it is on its way to each process
    wait_for(lambda: all(refused() for _ in range(12)))
    got = [greeting() for _ in range(12)]
    eq({g.split(b" ", 2)[:2] == [b"421", b"4.7.0"] and g.endswith(b"\r\n") and
        g.count(b"\r\n") == 1 for g in got}, {True},
       "SMTP refuses with 421 4.7.0 and closes, all its processes do")
    eq({implicit() for _ in range(8)}, {IMPLICIT},
       "under implicit TLS it closes")
    ok(any(b"too many failed logins" in g for g in got), "and says why", got)
    eq((running.docmd("NOOP")[0], running.docmd("RSET")[0]), (250, 250),
       "the session that runs goes on")
    running.quit()
    with Conn() as c:
        r = c.ask("/mail/", "bob")
        eq((r.status, 0 < int(r["retry-after"]) <= BLOCK), (429, True),
           "HTTP says 429 and until when")
        eq(c.ask("/healthz").status, 200, "and serves what needs no login")
    eq((refused("127.0.0.2"), implicit("127.0.0.2")), (False, "220"),
       "another address is served")
    other = session("127.0.0.2")
    eq(auth(other, "alice", "alice-secret"), 235,
       "and lets the right password in")
    other.quit()
    return since


def restarted(f):
    """A session process that is killed comes back with the table."""
    master = f.pid("postern-smtpd")
    old = children(master)["smtpd-session"]
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: len(set(children(master).get("smtpd-session", [])) -
                         set(old)) == len(old))

    def hears():
        try:
            return refused()
        except OSError:
            return False
    eq(wait_for(hears), True, "a session process started anew refuses too")
    eq({wait_for(hears) for _ in range(8)}, {True}, "all of them do")


def logged(f):
    lines = [x for x in f.log("postern-smtpd").splitlines()
             if "limit=failure_limit" in x]
    ok(1 <= len(lines) < 30, "refusals are logged, not all one by one",
       *lines)
    ok(all(re.search(r"accept: refused client=127\.0\.0\.1 "
                     r"limit=failure_limit count=[1-9][0-9]*$", x)
           for x in lines), "with the address and how many", *lines)


def over(since):
    def served(times):
        try:
            return not any(refused() for _ in range(times))
        except OSError:
            return False
    eq(wait_for(lambda: served(1)), True,
       "after failure_time it is served again")
    ok(time.monotonic() - since > BLOCK - 2, "and not before",
       time.monotonic() - since)
    # each process forgets it by itself
    wait_for(lambda: served(12))
    s = session()
    eq(auth(s, "alice", "alice-secret"), 235, "and can log in")
    s.quit()


def over_smtp(f):
    """The other way round, from another address, and for long."""
    f.stop("postern-auth")
    f.conf("auth { failure_time = 1h }")
    f.start("postern-auth")

    def works():
        with session("127.0.0.4") as s, Conn(source="127.0.0.4") as c:
            return (auth(s, "alice", "alice-secret"),
                    c.ask("/mail/", "alice").status) == (235, 200)
    for _ in range(9):      # whichever process it is
        wait_for(works)
    s = session("127.0.0.3")
    eq([auth(s, "alice", "guess %d" % i) for i in range(LIMIT)],
       LIMIT * [535], "failures over SMTP")
    wait_for(lambda: all(refused("127.0.0.3") for _ in range(12)))
    eq((refused("127.0.0.3"), implicit("127.0.0.3")), (True, IMPLICIT),
       "SMTP refuses that address")
    eq(auth(s, "alice", "alice-secret"), 421,
       "not even the right password is taken from there")
    with Conn(source="127.0.0.3") as c:
        eq(c.ask("/mail/", "alice").status, 429, "HTTP says 429 there")
    eq(refused(), False, "the first address is not concerned")


def forgotten(f):
    """A new auth-server knows of no failures; neither do the sessions."""
    f.stop("postern-auth")
    f.start("postern-auth")

    def served():
        with Conn(source="127.0.0.3") as c:
            return c.ask("/mail/", "alice").status == 200
    eq(wait_for(served), True, "auth started anew: HTTP serves all")
    eq(wait_for(lambda: not any(refused("127.0.0.3") for _ in range(12))),
       True, "and so does SMTP")


def test():
    f = start("session_processes = 3\n"
              "auth { failure_limit = %d failure_time = %ds "
              "failure_delay = 0 }" % (LIMIT, BLOCK), *MASTERS)
    since = over_http(f)
    restarted(f)
    logged(f)
    over(since)
    over_smtp(f)
    forgotten(f)


run(26, test)
