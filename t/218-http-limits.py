# SPDX-License-Identifier: ISC
# Limits of the HTTP server, clients that take their time, and many at once.
import select
import threading

from lib import *

BIG = "1700000000.M1P1Q1.host"
SMALL = "1700000001.M1P1Q1.host"
DATA = b"Subject: big\n\n" + b"b" * 79 * 100000 + b"\n"


def served(source="127.0.0.1"):
    """A connection on which a request was served, or None."""
    try:
        c = Conn(source=source)
        if c.ask("/healthz").status == 200:
            return c
    except (OSError, ssl.SSLError, Closed):
        pass
    return None


def log_says(f, text):
    return wait_for(lambda: text in f.log("postern-retrieve"))


def connections(f):
    conns = [served() for _ in range(10)]
    eq(conns.count(None), 0, "ten connections from one address")
    eq(served(), None, "the eleventh is refused")
    ok(log_says(f, "refused client=127.0.0.1 limit=connections_per_address"),
       "and logged by the name of the limit")
    other = served("127.0.0.2")
    ok(other is not None, "another address is served")
    eq({c.ask("/healthz").status for c in conns}, {200},
       "those that are in are served on")
    conns.pop().close()
    again = wait_for(served)
    ok(again is not None, "one leaves: the next gets in")
    conns += [other, again]
    conns += [served("127.0.0.2") for _ in range(9)]
    conns += [served("127.0.0.3") for _ in range(5)]
    eq(conns.count(None), 0, "25 in all")
    eq(served("127.0.0.4"), None, "the next is refused, wherever it is from")
    ok(log_says(f, "refused client=127.0.0.4 limit=connections\n"),
       "and logged by the name of the limit")
    for c in conns:
        c.close()
    last = wait_for(lambda: served("127.0.0.4"))
    ok(last is not None, "all leave: it is served")
    last.close()
    with wait_for(served) as c:
        c.send(6 * request("/healthz"))
        eq(([c.reply()["connection"] for _ in range(4)], c.end()),
           (3 * [None] + ["close"], "closed"),
           "five requests on a connection, the last says so")


def slow(f):
    put("alice", BIG, DATA)
    put("alice", SMALL, DATA[:2000000])
    stalled = [Conn(rcvbuf=4096) for _ in range(8)]
    for c in stalled:
        c.send(request("/mail/" + BIG, "alice"))
    fresh, idle, half = Conn(), Conn(), Conn()
    bare = socket.create_connection(("127.0.0.1", f.https), PATIENCE)
    idle.ask("/healthz")
    half.send("GET /healthz HTTP/1.1\r\nHost: local")
    # One that reads, if slowly, is served to the end.
    reader = Conn(rcvbuf=4096)
    reader.send(request("/mail/" + SMALL, "alice"))
    for steps in range(32):
        end = len(reader.buf) + 30000
        while len(reader.buf) < end:
            reader.fill()
        time.sleep(0.1)     # more in all than idle_time
    r = reader.reply()
    eq(r.body, wire(DATA[:2000000]), "who reads slowly gets it all")
    eq({get("/mail/" + SMALL, "alice", Range="bytes=0-9").status
        for _ in range(20)}, {206}, "others are served meanwhile")
    eq(fresh.end(), "closed", "no request: closed without a word")
    eq(idle.end(), "closed", "idle after a request: the same")
    r = half.reply()
    eq((r.status, r["connection"], half.end()), (408, "close", "closed"),
       "half a head: 408")
    drip = Conn()
    drip.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
    for octet in 1000 * "X: y\r\n":
        drip.send(octet)
        if select.select([drip.sock], [], [], 0.05)[0]:
            break
    r = drip.reply()
    eq((r.status, r["connection"], drip.end()), (408, "close", "closed"),
       "octet by octet without end: 408")
    try:
        got = bare.recv(100)
    except ConnectionResetError:
        got = b""
    eq(got, b"", "no handshake: closed")
    bare.close()
    gone = 'target="/mail/%s" status=200' % BIG
    ok(wait_for(lambda: f.log("postern-retrieve").count(gone) == 8),
       "who does not read is dropped",
       f.log("postern-retrieve").count(gone))
    ok("octets=%d " % len(wire(DATA)) not in f.log("postern-retrieve"),
       "the log says what went out, not what should have")
    for c in stalled:
        try:
            while True:
                c.buf = b""
                c.fill()
        except (Closed, OSError) as e:
            got = str(e)
        if got != "without close_notify":
            break
        c.close()
    eq(got, "without close_notify", "and what it has does not look whole")


def many():
    put("alice", SMALL, b"Subject: alice\n\n" + 10000 * b"a")
    put("bob", SMALL, b"Subject: bob\n\n" + 10000 * b"b")
    results, together = [], threading.Barrier(200)

    def client(i):
        user = ("alice", "bob")[i % 2]
        try:
            with Conn() as c:
                together.wait(PATIENCE)
                r = c.ask("/mail/" + SMALL, user)
                l = c.ask("/mail/", user, Accept="application/json")
                results.append((r.status, r.body[-100:] == 100 *
                                user[:1].encode(), l.json()["user"] ==
                                user + "@" + DOMAIN))
        except Exception as e:
            results.append(repr(e))

    threads = [threading.Thread(target=client, args=(i,), daemon=True)
               for i in range(200)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(2 * PATIENCE)
    eq([r for r in results if r != (200, True, True)], [],
       "200 connections at once: each gets its own")
    eq(len(results), 200, "all of them")


def test():
    f = start("auth { failure_delay = 0 }\nlimits { connections = 25 "
              "connections_per_address = 10 requests_per_connection = 5 }")
    connections(f)
    f.stop()
    f.conf("limits { connections = 1000 connections_per_address = 1000 "
           "requests_per_connection = 1000 request_time = 2s "
           "idle_time = 2s handshake_time = 2s }")
    f.start("postern-auth", "postern-retrieve")
    slow(f)
    f.stop()
    f.conf("limits { request_time = 1min idle_time = 1min "
           "handshake_time = 1min }")
    f.start("postern-auth", "postern-retrieve")
    many()


run(23, test)
