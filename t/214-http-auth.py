# SPDX-License-Identifier: ISC
# Who may read what: logins, their end, the limit on failures, the auth
# service going away, requests that another site makes.
from lib import *

MESSAGE = "1700000000.M1P1Q1.host"


def login(conn, user, password, path="/mail/", domain=DOMAIN):
    return conn.ask(path, fields=["Authorization: " +
                                  basic(user, password, domain)])


def alike(r):
    """All of a reply that another may not differ in."""
    return (r.status, r.body, [f for f in r.fields if f[0] != "date"])


def logins():
    with Conn() as c:
        r = c.ask("/mail/")
        eq((r.status, r["www-authenticate"]), (401, 'Basic realm='
           '"example.test", charset="UTF-8"'), "no login: 401, and how")
        r = c.ask("/mail/", Accept="application/json")
        eq((r.status, r["content-type"], r.json()["status"]),
           (401, "application/problem+json", 401), "as problem+json")
        wrong = login(c, "alice", "bob-secret")
        eq(wrong.status, 401, "a wrong password")
        for what, user, password, domain in (
                ("no such user", "nobody", "alice-secret", DOMAIN),
                ("a foreign domain", "alice", "alice-secret", "other.test"),
                ("an empty password", "alice", "", DOMAIN),
                ("an empty name", "", "alice-secret", ""),
                ("a part of the password", "alice", "alice-secre", DOMAIN),
                ("more behind it", "alice", "alice-secret ", DOMAIN),
                ("another case", "alice", "Alice-secret", DOMAIN),
                ("a long password", "alice", 3000 * "x", DOMAIN),
                ("a name of no form", "a b", "alice-secret", DOMAIN),
                ("the root", "root", "alice-secret", ""),
                ("a path", "../alice", "alice-secret", DOMAIN),
                ("a tag", "alice+x", "alice-secret", DOMAIN)):
            eq(alike(login(c, user, password, domain=domain)), alike(wrong),
               what + ": the same reply")
        for value in ("Basic", "Basic ", "Basic !!!!", "Basic YWxpY2U=",
                      "Basic " + basic("alice")[6:].rstrip("=") + "=====",
                      "Bearer x", "Digest username=alice", "Negotiate",
                      basic("alice")[6:], "Basic " + 4 * basic("alice")[6:],
                      "Basic " + base64.b64encode(
                          b"alice@example.test:alice-secret\0").decode(),
                      "Basic " + base64.b64encode(
                          b"bob\0alice@example.test:alice-secret").decode(),
                      basic("alice") + ", " + basic("bob")):
            eq(c.ask("/mail/", Authorization=value).status, 401,
               "Authorization: %s: 401" % value[:30])
        eq(c.ask("/mail/", fields=["Authorization: " + basic("alice"),
                                   "Authorization: " + basic("alice")]
                 ).status, 400, "two Authorization fields: 400")
    with Conn() as c:
        for what, user, domain in (
                ("the local part alone", "alice", ""),
                ("the address", "alice", DOMAIN),
                ("in capitals", "ALICE", DOMAIN.upper())):
            r = c.ask("/mail/", fields=["Accept: application/json",
                      "Authorization: " + basic(user, "alice-secret",
                                                domain)])
            eq((r.status, r.json().get("user")), (200, "alice@example.test"),
               what + " is the login")
        eq(c.ask("/mail/", Authorization="bAsIc   " + basic("alice")[6:]
                 ).status, 200, "the scheme in any case, more blanks")
        r = c.ask("/mail/?user=bob@example.test", "alice")
        eq(r.status, 400, "no parameter names another user")


def isolation():
    put("alice", MESSAGE, b"Subject: alice's\n\nalice's\n")
    put("bob", MESSAGE.replace("M1", "M2"), b"Subject: bob's\n\nbob's\n")
    with Conn() as c:
        for i in range(20):
            user, own, other = (("alice", "M1", "M2"),
                                ("bob", "M2", "M1"))[i % 2]
            got = [c.ask("/mail/" + MESSAGE.replace("M1", own),
                         user).body.decode().strip()[-len(user) - 2:],
                   c.ask("/mail/" + MESSAGE.replace("M1", other),
                         user).status,
                   [m["id"] for m in listing(user, conn=c)["messages"]]]
            if got != [user + "'s", 404, [MESSAGE.replace("M1", own)]]:
                break
        eq(got, ["bob's", 404, [MESSAGE.replace("M1", "M2")]],
           "two users in turn on one connection each see their own")
        eq(c.ask("/mail/").status, 401, "who says nothing is nobody")
        eq(login(c, "bob", "wrong").status, 401,
           "a login does not help the next one")
        tag = c.ask("/mail/" + MESSAGE, "alice")["etag"]
        eq(c.ask("/mail/" + MESSAGE, "bob", If_None_Match=tag).status, 404,
           "a tag tells others nothing")
        eq(c.ask("/mail/" + MESSAGE, "bob", If_None_Match="*").status, 404,
           "nor does *")
        put("bob", MESSAGE, b"Subject: alice's\n\nalice's\n")
        ok(c.ask("/mail/" + MESSAGE, "bob")["etag"] != tag,
           "the same name and octets of two users: two tags")


def sites():
    with Conn() as c:
        for value, status in (("cross-site", 403), ("CROSS-SITE", 403),
                              ("same-origin", 200), ("same-site", 200),
                              ("none", 200), ("x", 200)):
            eq(c.ask("/mail/", "alice", Sec_Fetch_Site=value).status, status,
               "Sec-Fetch-Site: %s: %d" % (value, status))
        eq(c.ask("/mail/", Sec_Fetch_Site="cross-site").status, 403,
           "403 before it is asked who comes")
        eq(c.ask("/", "alice", Sec_Fetch_Site="cross-site").status, 404,
           "but / may be linked to")
        r = c.ask("/mail/", "alice", "OPTIONS", Origin="https://evil.test",
                  Access_Control_Request_Method="GET")
        ok(not any(n.startswith("access-control") for n, _ in r.fields),
           "no CORS", r)


def changes(f):
    """A login ends with what it was made of."""
    def change(*args):
        with open(f.dir + "/new-password", "w") as p:
            p.write("new-secret\n")
        with open(f.dir + "/new-password") as p:
            subprocess.run(["sh", "-c", '. "$SRCDIR/t/lib.sh"; T=$1; shift; '
                            'fixture_identity; trap - EXIT; '
                            'exec $AS "$BIN/posternctl" -c '
                            '"$T/postern.conf" "$@"', "sh", f.dir, *args],
                           stdin=p, check=True, capture_output=True)

    a, b = Conn(), Conn()
    eq((login(a, "carol", "carol-secret").status,
        login(b, "carol", "carol-secret").status,
        b.ask("/mail/", "alice").status, a.ask("/mail/", "carol").status),
       (200, 200, 200, 200), "logged in on two connections")
    change("user", "passwd", "-p", "carol@example.test")
    eq(wait_for(lambda: a.ask("/mail/", "carol").status == 401), True,
       "the password is another: the old one is refused there")
    eq((login(a, "carol", "new-secret").status,
        b.ask("/mail/", "carol").status), (200, 401),
       "the new one is taken; the other connection knows too")
    eq(get("/mail/", "carol").status, 401, "and new ones")
    eq(b.ask("/mail/", "alice").status, 200, "others are not affected")
    change("user", "remove", "carol@example.test")
    eq(wait_for(lambda: login(a, "carol", "new-secret").status == 401), True,
       "the account is removed: 401")
    change("user", "add", "-p", "carol@example.test")
    eq(wait_for(lambda: login(a, "carol", "new-secret").status == 200), True,
       "there again: 200")
    a.close()
    b.close()

    # What runs on a login ends with it too.
    path = "/mail/1700000009.M1P1Q1.host"
    put("carol", path[6:], b"Subject: big\n\n" + 8000000 * b"x")
    c = Conn(rcvbuf=4096)
    c.send(request(path, fields=["Authorization: " +
                                 basic("carol", "new-secret")]))
    while len(c.buf) < 20000:
        c.fill()
    change("user", "remove", "carol@example.test")
    wait_for(lambda: get("/mail/", fields=["Authorization: " + basic(
        "carol", "new-secret")]).status == 401)
    got = 0
    try:
        while True:
            c.buf = b""
            c.fill()
            got += len(c.buf)
    except Closed:
        pass
    ok(got < 7900000, "a message on its way stops when its reader goes", got)
    c.close()


def throttle(f):
    f.stop()
    f.conf("auth { failure_limit = 5 failure_time = 10min }")
    f.start("postern-auth", "postern-retrieve")
    with Conn() as c:
        eq([login(c, "alice", "wrong").status for _ in range(10)],
           10 * [401], "the same wrong password counts once")
        got = [login(c, "alice", "wrong%d" % i).status for i in range(8)]
        eq(got, 4 * [401] + 4 * [429], "five others are too many")
        r = login(c, "alice", "alice-secret")
        eq((r.status, 0 < int(r["retry-after"]) <= 600), (429, True),
           "then no password is looked at, and Retry-After says how long")
        eq(login(c, "bob", "bob-secret").status, 429,
           "whoever it is from there")
        r = c.ask("/mail/", "alice", Accept="application/json")
        eq((r.status, r["content-type"]), (429, "application/problem+json"),
           "as problem+json")
        eq(c.ask("/healthz").status, 200, "what needs no login is served")
    with Conn() as c:
        eq(c.ask("/mail/", "alice").status, 429, "on a new connection")
    with Conn(source="127.0.0.2") as c:
        eq(c.ask("/mail/", "alice").status, 200,
           "from another address it is served")
        eq(login(c, "alice", "wrong").status, 401, "and judged by itself")
    f.stop()
    f.conf("auth { failure_limit = 1000 failure_limit_account = 5 }")
    f.start("postern-auth", "postern-retrieve")
    with Conn(source="127.0.0.3") as c:
        eq({login(c, "alice", "wrong%d" % i).status for i in range(12)},
           {401}, "failures of an account from one address")
    for source in ("127.0.0.4", "127.0.0.3"):
        with Conn(source=source) as c:
            eq(c.ask("/mail/", "alice").status, 200,
               "do not lock it: the right password from " + source)


def away(f):
    """The auth service stops, and comes back."""
    c, d = Conn(), Conn()
    eq((c.ask("/mail/", "alice").status, c.ask("/healthz").status),
       (200, 200), "auth is there")
    f.stop("postern-auth")
    eq(wait_for(lambda: get("/healthz").status == 503), True,
       "it has gone: /healthz says so")
    r = c.ask("/mail/", "alice")
    eq((r.status, r["connection"]), (503, None),
       "503 with Retry-After, the connection stays")
    r = d.ask("/mail/", "bob", Accept="application/json")
    eq((r.status, r["content-type"]), (503, "application/problem+json"),
       "as problem+json")
    eq(c.ask("/openapi.yaml").status, 200, "what needs no login is served")
    f.start("postern-auth")
    eq(wait_for(lambda: get("/healthz").status == 200), True, "it is back")
    eq(wait_for(lambda: c.ask("/mail/", "alice").status == 200), True,
       "so are logins, on the old connection")
    eq(d.ask("/mail/", "bob").status, 200, "and on the other")
    # The reader too: killed, and started again by its master.
    master = f.pid("postern-retrieve")
    for name in ("retrieve-reader", "tls-keys"):
        old = children(master)[name]
        for pid in old:
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: children(master).get(name, old) != old)

        def works():
            try:
                return get("/mail/", "alice").status == 200
            except (Closed, OSError):
                return False
        eq(wait_for(works), True, "%s was killed: mail is read again" % name)
        r = c.ask("/mail/", "alice")
        eq(r.status, 200, "on a connection from before")
    c.close()
    d.close()


def test():
    f = start("auth { failure_delay = 0 failure_limit = 1000 }")
    logins()
    isolation()
    sites()
    changes(f)
    away(f)
    throttle(f)


run(81, test)
