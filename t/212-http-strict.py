# SPDX-License-Identifier: ISC
# What a lenient server would repair is refused: heads, targets, bodies,
# versions, TLS. And what is right is taken however it is cut.
import random

from lib import *

HOST = "Host: localhost\r\n"
GOOD = "GET /healthz HTTP/1.1\r\n" + HOST + "\r\n"
NAME = "1700000000.M1P1Q1.host"


def refused(what, data, status, user=None):
    """The reply is this status and the last; what follows is not read."""
    if user is not None:
        data = data.replace("\r\n", "\r\nAuthorization: %s\r\n"
                            % basic(user), 1)
    if isinstance(data, str):
        data = data.encode("latin-1")
    with Conn() as c:
        c.send(data + GOOD.encode())
        try:
            r = c.reply("HEAD" if data.startswith(b"HEAD") else "GET")
            got = (r.status, r["connection"], c.end())
        except Closed as e:
            got = str(e)
        eq(got, (status, "close", "closed"), what + ": %d, close" % status)


def answered(what, data, status):
    """The reply is this status, and the connection goes on."""
    if isinstance(data, str):
        data = data.encode("latin-1")
    with Conn() as c:
        c.send(data + GOOD.encode())
        r = c.reply("HEAD" if data.startswith(b"HEAD") else "GET")
        eq((r.status, r["connection"]), (status, None),
           what + ": %d" % status)
        if c.reply().status != 200:
            raise RuntimeError(what + ": the next request was not served")


def heads():
    refused("bare LF", "GET /healthz HTTP/1.1\nHost: localhost\n\n", 400)
    refused("bare LF in one line",
            "GET /healthz HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n", 400)
    refused("bare LF as the last line",
            "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\n", 400)
    refused("CR in a field", "GET /healthz HTTP/1.1\r\n" + HOST +
            "X: a\rb\r\n\r\n", 400)
    refused("CR CR LF", "GET /healthz HTTP/1.1\r\n" + HOST +
            "X: a\r\r\n\r\n", 400)
    refused("CR in the request line", "GET /healthz\r HTTP/1.1\r\n" + HOST +
            "\r\n", 400)
    for fold in (" ", "\t"):
        refused("a folded field %r" % fold, "GET /healthz HTTP/1.1\r\n" +
                HOST + "X: a\r\n%sb\r\n\r\n" % fold, 400)
    refused("a blank before the first field",
            "GET /healthz HTTP/1.1\r\n Host: localhost\r\n\r\n", 400)
    for line in ("X : y", "X\t: y", ": y", "X", "X y: z", "X(a): y",
                 "\xe4: y", '"X": y', "X\0: y", "X: \0", "X: a\x01b",
                 "X: a\x7fb", "X: a\x1b[2Jb", "X: a\x0bb"):
        refused("the field %r" % line, "GET /healthz HTTP/1.1\r\n" + HOST +
                line + "\r\n\r\n", 400)
    for line in ("X:", "X:y", "X:\t y \t", "X: \xe4\xff",
                 "!#$%&'*+-.^_`|~09azAZ: y", "X: a\tb"):
        answered("the field %r" % line, "GET /healthz HTTP/1.1\r\n" + HOST +
                 line + "\r\n\r\n", 200)
    for line in ("GET", "GET /healthz", " GET /healthz HTTP/1.1",
                 "GET  /healthz HTTP/1.1", "GET /healthz  HTTP/1.1",
                 "GET /healthz HTTP/1.1 ", "GET\t/healthz\tHTTP/1.1",
                 "GET /healthz HTTP/1.1 x", "GET /a b HTTP/1.1",
                 "GET HTTP/1.1", "GET /healthz http/1.1",
                 "GET /healthz HTTP/1", "GET /healthz HTTP/1.10",
                 "GET /healthz HTTP/01.1", "GET /healthz HTP/1.1",
                 "GET /healthz HTTP/1,1", "G(T /healthz HTTP/1.1",
                 "G\xcbT /healthz HTTP/1.1", "GET /heal\0thz HTTP/1.1",
                 "GET /healthz\x01 HTTP/1.1", "\0"):
        refused("%r" % line, line + "\r\n" + HOST + "\r\n", 400)
    for version in ("2.0", "0.9", "3.0", "9.9"):
        refused("HTTP/" + version,
                "GET /healthz HTTP/%s\r\n%s\r\n" % (version, HOST), 505)
    refused("the preface of HTTP/2",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 505)
    answered("HTTP/1.2", "GET /healthz HTTP/1.2\r\n%s\r\n" % HOST, 200)
    answered("an empty line before the request", "\r\n" + GOOD, 200)
    refused("two of them", "\r\n\r\n" + GOOD, 400)


def hosts():
    refused("no Host", "GET /healthz HTTP/1.1\r\n\r\n", 400)
    refused("two Hosts", "GET /healthz HTTP/1.1\r\n" + HOST + HOST + "\r\n",
            400)
    refused("two Hosts that differ", "GET /healthz HTTP/1.1\r\n" + HOST +
            "host: other\r\n\r\n", 400)
    for host in ("", "a b", "a/b", "u@localhost", "a,b",
                 "localhost:8x", "[::1", "localhost:123456", "a\\b", "[]"):
        refused("Host: %s" % host,
                "GET /healthz HTTP/1.1\r\nHost: %s\r\n\r\n" % host, 400)
    for host in ("localhost:", "localhost:8443", "127.0.0.1", "[::1]:443", "LOCALHOST"):
        answered("Host: " + host,
                 "GET /healthz HTTP/1.1\r\nHost: %s\r\n\r\n" % host, 200)
    for target, status in (("https://localhost/healthz", 200),
                           ("HTTPS://LOCALHOST/healthz", 200),
                           ("https://other.test/healthz", 421),
                           ("http://localhost/healthz", 421),
                           ("ftp://localhost/healthz", 421),
                           ("https://localhost:1/healthz", 421),
                           ("https://localhost.evil.test/healthz", 421),
                           ("https://u@localhost/healthz", 421),
                           ("https://localhost/../healthz", 400),
                           ("https:///healthz", 400), ("https:/x", 400),
                           ("localhost:443", 400), ("healthz", 400),
                           ("://localhost/", 400), ("https://", 400)):
        answered("the target " + target,
                 "GET %s HTTP/1.1\r\n%s\r\n" % (target, HOST), status)
    answered("CONNECT localhost:443",
             "CONNECT localhost:443 HTTP/1.1\r\n%s\r\n" % HOST, 405)


def bodies():
    for coding in ("chunked", "identity", "gzip, chunked", "xchunked", ""):
        refused("Transfer-Encoding: " + coding, "GET /healthz HTTP/1.1\r\n" +
                HOST + "Transfer-Encoding: %s\r\n\r\n0\r\n\r\n" % coding,
                400)
    refused("Transfer-Encoding and Content-Length",
            "GET /healthz HTTP/1.1\r\n" + HOST + "Content-Length: 5\r\n"
            "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400)
    refused("POST with Transfer-Encoding", "POST /mail/ HTTP/1.1\r\n" + HOST +
            "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400)
    for method in ("GET", "HEAD", "OPTIONS"):
        refused("%s with a body" % method, "%s /healthz HTTP/1.1\r\n"
                "%sContent-Length: 5\r\n\r\nhello" % (method, HOST), 400)
        answered("%s with a length of 0" % method,
                 "%s /openapi.yaml HTTP/1.1\r\n"
                 "%sContent-Length: 0\r\n\r\n" % (method, HOST),
                 204 if method == "OPTIONS" else 200)
    for length in ("+5", "-5", "5,5", "5 5", "0x5", "5.0", "", "a",
                   "99999999999999999999999"):
        refused("Content-Length: " + length, "GET /healthz HTTP/1.1\r\n" +
                HOST + "Content-Length: %s\r\n\r\n" % length, 400)
    refused("two Content-Lengths", "GET /healthz HTTP/1.1\r\n" + HOST +
            "Content-Length: 0\r\nContent-Length: 0\r\n\r\n", 400)
    for method in ("POST", "PUT", "DELETE", "X"):
        refused("%s with a body" % method, "%s /mail/ HTTP/1.1\r\n"
                "%sContent-Length: 5\r\n\r\nhello" % (method, HOST), 405)
    refused("a long body", "POST /mail/ HTTP/1.1\r\n%s"
            "Content-Length: 300000\r\n\r\n%s" % (HOST, 300000 * "x"), 405)
    refused("a body that is a request", "POST /mail/ HTTP/1.1\r\n%s"
            "Content-Length: %d\r\n\r\n%s" % (HOST, len(GOOD), GOOD), 405)


def sizes():
    line = "GET /%s HTTP/1.1"
    most = 8192 - len(line % "")
    answered("a request line of 8192 octets", line % (most * "x") + "\r\n" +
             HOST + "\r\n", 400)
    refused("one more", line % ((most + 1) * "x") + "\r\n" + HOST + "\r\n",
            414)
    refused("a line without end", 70000 * "x", 414)
    refused("a long query", "GET /mail/?after=%s HTTP/1.1\r\n%s\r\n"
            % (8192 * "x", HOST), 414)
    answered("100 fields", "GET /healthz HTTP/1.1\r\n" + HOST +
             99 * "X: y\r\n" + "\r\n", 200)
    refused("101 fields", "GET /healthz HTTP/1.1\r\n" + HOST +
            100 * "X: y\r\n" + "\r\n", 431)
    head = "GET /healthz HTTP/1.1\r\n" + HOST + "X: %s\r\n\r\n"
    most = 16384 - len(head % "")
    answered("a head of 16384 octets", head % (most * "x"), 200)
    refused("one more", head % ((most + 1) * "x"), 431)
    refused("a field without end", GOOD[:-2] + "X: " + 70000 * "x", 431)
    refused("fields without end", GOOD[:-2] + 3000 * "X: y\r\n", 431)


def paths():
    with Conn() as c:
        for path in ("/%", "/mail/%", "/mail/%2", "/mail/%zz", "/mail/%0g",
                     "/mail/%00", "/mail/x%00y", "/mail/%0a", "/mail/%0d",
                     "/mail/%1b", "/mail/%7f", "/mail/<x>", "/mail/\"x\"",
                     "/mail/x{y}", "/mail/x|y", "/mail/x\\y", "/mail/x^y",
                     "/mail/x`y", "/mail/#x", "/mail/?x=[1]",
                     "/..", "/.", "/../", "/./mail/", "/mail/.",
                     "/mail/..", "/mail/../mail/", "/mail/../../etc/passwd",
                     "/../../../etc/passwd", "/mail/%2e", "/mail/%2e%2e",
                     "/mail/%2E.", "/mail/.%2e/x", "/mail/%2e%2e/%2e%2e/x",
                     "/mail/x/../" + NAME, "/mail/%2f", "/mail/%2F",
                     "/mail/..%2f..%2fbob%2fMaildir", "/mail/x%2fy",
                     "/%2e%2e/%2e%2e/etc/passwd", "/mail/..%00",
                     "/mail/%2e%2e%2f"):
            eq(c.ask(path, "alice").status, 400, "%s: 400" % path)
        c.send(b"GET /mail/\xff HTTP/1.1\r\nHost: localhost\r\n\r\n")
        eq(c.reply().status, 400, "an octet beyond ASCII: 400")
        for path in ("/mail/%252e%252e", "/mail/...", "/mail/....",
                     "//mail/", "///", "/mail/.." + NAME, "/mail/.hidden",
                     "/mail/x%5c..%5cy", "/mail/%5c", "/mail/~root",
                     "/mail/%20", "/mail/%ff", "/mail/%c0%ae%c0%ae",
                     "/mail/;x", "/mail/" + NAME + ";x", "/mail/*",
                     "/mail/new", "/mail/cur", "/mail/%25", "/etc/passwd",
                     "/mail/secret", "/mail/toother", "/mail/tofolder",
                     "/mail/" + NAME + ":2,", "/mail/" + NAME + "%00",
                     "/mail/-", "/mail/$(x)", "/mail/%s%n"):
            want = 400 if path.endswith(("%00", "%s%n")) else 404
            eq(c.ask(path, "alice").status, want, "%s: %d" % (path, want))
        for path in ("/%6dail/", "/mail/%31%37" + NAME[2:], "/m%61il/?"):
            eq(c.ask(path, "alice").status, 200, "%s: 200" % path)


def links():
    """Ways out of the Maildir, laid by whoever can write there."""
    box = maildir("alice")
    other = put("bob", "1700000009.M1P1Q1.host", b"Subject: bob's\n\nx\n")
    put("alice", NAME, b"Subject: hello\n\nhello\n")
    os.symlink("/etc/passwd", box + "/new/secret")
    os.symlink(other, box + "/new/toother")
    os.symlink(os.path.dirname(other), box + "/cur/tofolder")
    os.symlink(NAME, box + "/new/totheown")
    os.symlink("../../../bob/Maildir/new/" + os.path.basename(other),
               box + "/cur/upward:2,S")
    eq([m["id"] for m in listing("alice")["messages"]], [NAME],
       "no symbolic link is listed")
    for name in ("secret", "toother", "tofolder", "totheown", "upward"):
        eq(get("/mail/" + name, "alice").status, 404,
           "nor served: " + name)
    box = maildir("carol")
    os.rmdir(box + "/cur")
    os.rmdir(box + "/new")
    os.symlink(maildir("bob") + "/new", box + "/new")
    for path in ("/mail/", "/mail/1700000009.M1P1Q1.host"):
        r = get(path, "carol")
        ok(r.status in (404, 503) and b"bob's" not in r.body,
           "new/ is a link to another's: " + path, r)
    os.unlink(box + "/new")
    maildir("carol")
    os.rename(box, box + ".away")
    os.symlink(maildir("bob"), box)
    for path in ("/mail/", "/mail/1700000009.M1P1Q1.host"):
        r = get(path, "carol")
        ok(r.status in (404, 503) and b"bob's" not in r.body,
           "the Maildir is a link to another's: " + path, r)
    os.unlink(box)
    os.rename(box + ".away", box)
    eq(listing("carol")["total"], 0, "and all is well when they are gone")


def streams():
    auth = "Authorization: %s\r\n" % basic("alice")
    one = "GET /mail/%s HTTP/1.1\r\n%s%s\r\n" % (NAME, HOST, auth)
    with Conn() as c:
        c.send(b"".join(request("/mail/%d" % (i % 7), "alice", "HEAD"
                                if i % 5 == 0 else "GET").encode() +
                        one.encode() + GOOD.encode() for i in range(30)))
        got = []
        for i in range(30):
            got += [c.reply("HEAD" if i % 5 == 0 else "GET").status,
                    c.reply().body, c.reply().body]
        eq(got, 30 * [404, b"Subject: hello\r\n\r\nhello\r\n", b"ok\n"],
           "90 pipelined requests, answered in order")
    with Conn() as c:
        for octet in one + GOOD:
            c.send(octet)
        eq((c.reply().status, c.reply().status), (200, 200),
           "octet by octet")
    with Conn() as c:
        rest, sizes = 20 * one, random.Random(1)
        while rest:
            n = sizes.randint(1, 200)
            c.send(rest[:n])
            rest = rest[n:]
        eq([c.reply().status for _ in range(20)], 20 * [200],
           "20 requests cut anywhere")
    with Conn() as c:
        c.send(one + "GET /\n" + one)
        eq((c.reply().status, c.reply().status, c.end()),
           (200, 400, "closed"), "what follows a bad request is not served")
    with Conn() as c:
        for _ in range(50):
            if c.ask("/mail/" + NAME, "alice").status != 200:
                break
        else:
            ok(True, "50 requests on one connection")
    for what, version, fields, goes_on in (
            ("HTTP/1.1", "1.1", "", True),
            ("Connection: close", "1.1", "Connection: close\r\n", False),
            ("Connection: x, CLOSE", "1.1", "Connection: x, CLOSE\r\n",
             False),
            ("Connection in two lines", "1.1",
             "Connection: x\r\nConnection: close\r\n", False),
            ("Connection: keep-alive", "1.1", "Connection: keep-alive\r\n",
             True),
            ("HTTP/1.0", "1.0", "", False)):
        with Conn() as c:
            c.send("GET /healthz HTTP/%s\r\n%s%s\r\n" % (version, HOST,
                                                         fields))
            r = c.reply()
            if goes_on:
                eq((r.status, r["connection"], c.ask("/healthz").status),
                   (200, None, 200), what + ": goes on")
            else:
                eq((r.status, r["connection"], c.end()),
                   (200, "close", "closed"), what + ": closed")
    with Conn() as c:
        c.send("GET /healthz HTTP/1.0\r\n\r\n")
        eq((c.reply().status, c.end()), (200, "closed"),
           "HTTP/1.0 needs no Host")
    answered("Expect: 100-continue, no body", GOOD[:-2] +
             "Expect: 100-continue\r\n\r\n", 200)
    refused("another Expect", GOOD[:-2] + "Expect: tea\r\n\r\n", 400)
    with Conn() as c:
        c.send(one[:30])
    with Conn() as c:
        c.send(5 * one)
    eq(get("/healthz").status, 200, "clients that hang up do no harm")


def tls(f):
    def context(**more):
        c = ssl.create_default_context(cafile=f.ca)
        for name, value in more.items():
            setattr(c, name, value)
        return c

    def fails(what, c):
        try:
            with Conn(context=c) as conn:
                conn.send(GOOD)
                got = conn.reply()
        except (ssl.SSLError, ConnectionError, Closed) as e:
            ok(True, what + " is refused", e)
        else:
            ok(False, what + " is refused", got)

    fails("TLS 1.2", context(maximum_version=ssl.TLSVersion.TLSv1_2))
    c = context()
    c.set_alpn_protocols(["h2"])
    fails("ALPN of h2 alone", c)
    c = context()
    c.set_alpn_protocols(["h2", "http/1.1"])
    with Conn(context=c) as conn:
        eq((conn.sock.selected_alpn_protocol(), conn.sock.version()),
           ("http/1.1", "TLSv1.3"), "ALPN h2, http/1.1: the latter")
        eq(conn.ask("/healthz").status, 200, "and it is spoken")
    with Conn() as conn:
        eq((conn.sock.selected_alpn_protocol(), conn.ask("/healthz").status),
           (None, 200), "no ALPN: HTTP/1.1")
    for what, data in (("plain HTTP", GOOD.encode()),
                       ("garbage", b"\x16\x03\x01\xff\xff" + 500 * b"x"),
                       ("SMTP", b"EHLO x\r\n")):
        s = socket.create_connection(("127.0.0.1", f.https), PATIENCE)
        s.sendall(data)
        got = b""
        try:
            while (more := s.recv(4096)):
                got += more
        except ConnectionResetError:
            pass
        s.close()
        ok(b"HTTP" not in got and len(got) < 20,
           what + " on the port gets nothing but the end", got)
    eq(get("/healthz").status, 200, "and the server goes on")


def test():
    f = start("auth { failure_delay = 0 }")
    links()
    heads()
    hosts()
    bodies()
    sizes()
    paths()
    streams()
    tls(f)


run(240, test)
