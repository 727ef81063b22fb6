# SPDX-License-Identifier: ISC
# Retrieval as postern-http(7) says: the list in both forms, its pages and
# positions; one message with validators and ranges; how requests are refused.
from lib import *

NS = 1000000000
T0 = 1700000000
FIRST = (b"Return-Path: <bob@example.test>\n"
         b"From: =?utf-8?Q?B=C3=B6b?= <bob@example.test>, other@else.test\n"
         b"To: Alice <alice@example.test>,\n\tcarol@example.test\n"
         b"Subject: =?iso-8859-1?Q?Gr=FC=DFe?= and\n more\n"
         b"Date: Tue, 14 Nov 2023 23:13:20 +0100\n\n"
         b"One\n.\n..\n\nTwo \xe4\xf6 without an end of line")


def the_list():
    put("alice", named("1700000000.M1P1Q1.host", FIRST), FIRST,
        mtime=T0 * NS)
    put("alice", named("1700000001.M1P1Q1.host", b"\nno header\n") + ":2,FRS",
        b"\nno header\n", "cur", (T0 + 1) * NS)
    r = get("/mail/", "alice", Accept="application/json")
    eq((r.status, r["content-type"]), (200, "application/json"),
       "the list as JSON")
    eq(r["cache-control"], "private, no-cache", "it is asked for each time")
    first = {
        "id": "1700000000.M1P1Q1.host",
        "url": "/mail/1700000000.M1P1Q1.host",
        "from": [{"name": "B\u00f6b", "address": "bob@example.test"},
                 {"name": "", "address": "other@else.test"}],
        "to": [{"name": "Alice", "address": "alice@example.test"},
               {"name": "", "address": "carol@example.test"}],
        "subject": "Gr\u00fc\u00dfe and more",
        "date": "2023-11-14T22:13:20Z",
        "received": "2023-11-14T22:13:20Z",
        "size": len(wire(FIRST)), "flags": [], "encrypted": False,
        "seal": "unchecked", "smime": "none"}
    second = {
        "id": "1700000001.M1P1Q1.host",
        "url": "/mail/1700000001.M1P1Q1.host",
        "from": [], "to": [], "subject": "", "date": None,
        "received": "2023-11-14T22:13:21Z",
        "size": len(b"\r\nno header\r\n"),
        "flags": ["seen", "answered", "flagged"], "encrypted": False,
        "seal": "unchecked", "smime": "none"}
    eq(r.json(), {"user": "alice@example.test", "total": 2, "unseen": 1,
                  "next": None, "messages": [second, first]},
       "every field of it")
    eq(list(r.links()), ["first"], "one page: no next and no prev")
    r = get("/mail/", "alice")
    eq((r.status, r["content-type"]), (200, "text/plain; charset=utf-8"),
       "the list as text")
    lines = r.text().splitlines()
    eq(lines[0].split()[0], "ID", "a line of titles")
    ok(re.fullmatch(r"1700000001\.M1P1Q1\.host +2023-11-14 22:13 +13 +",
                    lines[1] + " "), "the newest first", lines)
    ok(re.fullmatch(r"1700000000\.M1P1Q1\.host +2023-11-14 22:13 +N +"
                    r"B\u00f6b +%d  Gr\u00fc\u00dfe and more"
                    % len(wire(FIRST)), lines[2]), "then the other", lines)
    eq(len(lines), 3, "and no more")
    eq(lines[1].index("13") > 0 and lines[2].index("2023"),
       lines[1].index("2023"), "in columns")
    one = listing("alice", "?limit=1")
    eq((one["messages"], one["total"], one["unseen"]), ([second], 2, 1),
       "limit; the numbers are of the whole mailbox")
    eq(listing("alice", "?order=asc")["messages"], [first, second],
       "order=asc")
    eq(listing("alice", "?after=" + first["id"])["messages"], [second],
       "after an id")
    eq(listing("alice", "?before=" + second["id"])["messages"], [first],
       "before an id")
    eq(listing("alice", "?before=%s&after=%s"
               % (second["id"], first["id"]))["messages"], [], "between")
    eq(listing("alice", "?order=asc&after=" + first["id"])["messages"],
       [second], "after means newer in either order")
    r = get("/mail/", "carol", Accept="application/json")
    eq(r.json(), {"user": "carol@example.test", "total": 0, "unseen": 0,
                  "next": None, "messages": []}, "an empty mailbox")
    r = get("/mail/", "carol")
    eq((r.status, len(r.text().splitlines())), (200, 1), "the same as text")


def list_validators():
    r = get("/mail/", "alice")
    tag = r["etag"]
    ok(re.fullmatch(r'"[^"]+"', tag or ""), "the list has a strong ETag", tag)
    for what, value in (("the same", tag), ("one of several", '"x", ' + tag),
                        ("weak", "W/" + tag), ("*", "*")):
        r = get("/mail/", "alice", If_None_Match=value)
        eq((r.status, r.body, r["etag"]), (304, b"", tag),
           "If-None-Match: " + what)
    eq(get("/mail/", "alice", If_None_Match='"x"').status, 200,
       "If-None-Match: another")
    eq(get("/mail/", "alice", If_Match='"x"').status, 412,
       "If-Match: another")
    tags = [get("/mail/" + q, "alice", Accept=a)["etag"]
            for q, a in (("", "text/plain"), ("", "application/json"),
                         ("?limit=1", "text/plain"),
                         ("?order=asc", "text/plain"))]
    eq(len(set(tags)), 4, "another form or query has another tag")
    box = maildir("alice")
    old = box + "/cur/1700000001.M1P1Q1.host,S=11,W=13:2,"
    os.rename(old + "FRS", old + "S")
    eq(get("/mail/", "alice", If_None_Match=tag).status, 200,
       "a flag changes the tag")
    os.rename(old + "S", old + "FRS")


def walk(query, rel, start="/mail/", conn=None):
    """The ids of all pages, page by page, and the last page's links."""
    pages, url = [], start + query
    while url is not None and len(pages) < 300:
        r = conn.ask(url, "bob", Accept="application/json")
        pages.append([m["id"] for m in r.json()["messages"]])
        last = url
        url = r.links().get(rel)
    return pages, last


def pages():
    names = ["%d.M%dP1Q1.host" % (T0 + i // 10, i) for i in range(250)]
    for i, name in enumerate(names):
        # Many of one mtime: the name decides.
        put("bob", name, b"Subject: %d\n\nx\n" % i, mtime=(T0 + i // 10) * NS)
    up = sorted(names, key=lambda n: (int(n.split(".")[0]), n))
    down = up[::-1]
    with Conn() as c:
        got, last = walk("", "next", conn=c)
        eq([len(p) for p in got], [100, 100, 50], "pages of 100 by default")
        eq(sum(got, []), down, "next gives each of 250 once, newest first")
        back, _ = walk("", "prev", last, conn=c)
        eq(sum(back[::-1], []), down, "prev from the last gives them all")
        eq(back[::-1], got, "on the same pages")
        got, last = walk("?limit=7&order=asc", "next", conn=c)
        eq(sum(got, []), up, "limit=7, oldest first")
        back, _ = walk("", "prev", last, conn=c)
        eq(sum(back[::-1], []), up, "and back")
        eq(len(walk("?limit=1000", "next", conn=c)[0]), 1, "limit=1000")
        r = c.ask("/mail/?limit=7&before=" + up[50], "bob",
                  Accept="application/json")
        eq([m["id"] for m in r.json()["messages"]], up[43:50][::-1],
           "before, newest first")
        eq(r.links()["first"], "/mail/?limit=7", "first keeps the limit")
        eq("prev" in r.links(), True, "there is a page before it")
        r = c.ask("/mail/?limit=7&order=asc&after=" + up[50], "bob",
                  Accept="application/json")
        eq([m["id"] for m in r.json()["messages"]], up[51:58],
           "after, oldest first")
        r = c.ask("/mail/?limit=7&after=%s&before=%s" % (up[10], up[30]),
                  "bob", Accept="application/json")
        eq([m["id"] for m in r.json()["messages"]], up[23:30][::-1],
           "both bounds")
        got, _ = walk("?limit=7&after=%s&before=%s" % (up[10], up[30]),
                      "next", conn=c)
        eq(sum(got, []), up[11:30][::-1], "the other bound stays on the way")
        positions(c, up)


def positions(c, up):
    """Cursors and what becomes of them."""
    page = c.ask("/mail/?limit=5", "bob", Accept="application/json")
    cursor, link = page.json()["next"], page.links()["next"]
    at = page.json()["messages"][-1]["id"]
    eq(at, up[-5], "the cursor stands after the fifth")
    ok(cursor in link, "it is that of the link", cursor, link)
    os.unlink(maildir("bob") + "/new/" + at)
    eq(c.ask("/mail/" + at, "bob").status, 404, "its message is gone")
    want = up[-10:-5][::-1]
    for what, q in (("link", link),
                    ("cursor", "/mail/?limit=5&before=" + cursor)):
        r = c.ask(q, "bob", Accept="application/json")
        eq([m["id"] for m in r.json()["messages"]], want,
           "a cursor outlives its message: " + what)
    r = c.ask("/mail/?after=" + cursor, "bob", Accept="application/json")
    eq([m["id"] for m in r.json()["messages"]], up[-4:][::-1],
       "after the same cursor")
    forged = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
    for what, q in (("forged", forged), ("cut", cursor[:-4]),
                    ("made up", "AAAA"), ("of no message", "1.M1P1Q1.host"),
                    ("longer", cursor + "AAAA")):
        for name in ("before", "after"):
            eq(c.ask("/mail/?%s=%s" % (name, q), "bob").status, 410,
               "%s: %s" % (name, what))
    eq(c.ask("/mail/?before=" + cursor, "alice").status, 410,
       "another user's cursor")
    os.unlink(maildir("bob") + "/new/" + up[0])
    eq(c.ask("/mail/?order=asc&limit=1", "bob",
             Accept="application/json").json()["messages"][0]["id"], up[1],
       "the list follows")


def bad_queries():
    with Conn() as c:
        for q, name in (
                ("limit=0", "limit"), ("limit=1001", "limit"),
                ("limit=-1", "limit"), ("limit=+1", "limit"),
                ("limit=1.0", "limit"), ("limit=", "limit"),
                ("limit", "limit"), ("limit=0x10", "limit"),
                ("limit=99999999999999999999999", "limit"),
                ("limit=1&limit=1", "limit"),
                ("limit=1&limit=2", "limit"), ("limit=%31&limi%74=1",
                                               "limit"),
                ("limit=1%", "limit"), ("limit=1%0", "limit"),
                ("limit=1%00", "limit"), ("limit=1+", "limit"),
                ("order=up", "order"), ("order=ASC", "order"),
                ("order=", "order"), ("order=asc&order=asc", "order"),
                ("after=", "after"), ("after=a%20b", "after"),
                ("after=a/b", "after"), ("after=" + 1000 * "x", "after"),
                ("before=", "before"), ("before=%ff", "before"),
                ("LIMIT=1", "LIMIT"), ("limit%00=1", ""),
                ("since=2023-11-14T00:00:00Z", "since"),
                ("until=2023-11-14T00:00:00Z", "until"),
                ("unseen=1", "unseen"), ("flagged=1", "flagged"),
                ("from=bob", "from"), ("to=bob", "to"),
                ("subject=x", "subject"), ("wait=1", "wait"),
                ("x=1", "x"), ("limit=1&x", "x"), ("=1", ""), ("&", ""),
                ("limit=1&", ""), ("limit=1&&order=asc", ""),
                ("limit=1;order=asc", "limit")):
            r = c.ask("/mail/?" + q, "alice")
            ok(r.status == 400 and name in r.text(),
               "%s is refused by name" % q[:40], r)
        r = c.ask("/mail/?limit=0", "alice", Accept="application/json")
        eq((r.status, r["content-type"], r.json()["status"]),
           (400, "application/problem+json", 400), "as problem+json")
        ok("limit" in r.json()["detail"], "named there too", r)
        eq(c.ask("/mail/?", "alice").status, 200, "an empty query is none")
        eq(c.ask("/mail/?l%69mit=%31", "alice",
                 Accept="application/json").json()["total"], 2,
           "escapes in a query")
        for path in ("/mail/1700000000.M1P1Q1.host",
                     "/mail/1700000000.M1P1Q1.host/headers"):
            for q in ("limit=1", "unverified=1", "x"):
                eq(c.ask("%s?%s" % (path, q), "alice").status, 400,
                   "%s takes no %s" % (path[-7:], q))


def a_message():
    path = "/mail/1700000000.M1P1Q1.host"
    body = wire(FIRST)
    size = len(body)
    r = get(path, "alice")
    eq((r.status, r["content-type"]), (200, "message/rfc822"), "a message")
    eq(r.body, body, "octet for octet, with CRLF")
    eq(r["last-modified"], "Tue, 14 Nov 2023 22:13:20 GMT", "Last-Modified")
    eq(r["cache-control"], "private, immutable", "it never changes")
    eq(r["accept-ranges"], "bytes", "Accept-Ranges")
    tag = r["etag"]
    ok(re.fullmatch(r'"[^"]+"', tag or ""), "a strong ETag", tag)
    h = get(path, "alice", "HEAD")
    eq((h.status, h["content-length"], h["etag"], h["content-type"]),
       (200, str(size), tag, r["content-type"]), "HEAD says the same")
    eq(get(path + "?", "alice").status, 200, "an empty query")

    with Conn() as c:
        for what, fields, status in (
                ("If-None-Match: same", ["If-None-Match: " + tag], 304),
                ("If-None-Match: *", ["If-None-Match: *"], 304),
                ("If-None-Match: in two lines",
                 ['If-None-Match: "x"', "If-None-Match: " + tag], 304),
                ("If-None-Match: other", ['If-None-Match: "x"'], 200),
                ("If-None-Match: not quoted",
                 ["If-None-Match: " + tag.strip('"')], 200),
                ("If-Modified-Since: same",
                 ["If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT"], 304),
                ("If-Modified-Since: before",
                 ["If-Modified-Since: Tue, 14 Nov 2023 22:13:19 GMT"], 200),
                ("If-Modified-Since: no date",
                 ["If-Modified-Since: yesterday"], 200),
                ("If-None-Match before If-Modified-Since",
                 ['If-None-Match: "x"', "If-Modified-Since: "
                  "Tue, 14 Nov 2023 22:13:20 GMT"], 200),
                ("If-Match: same", ["If-Match: " + tag], 200),
                ("If-Match: weak", ["If-Match: W/" + tag], 412),
                ("If-Match: other", ['If-Match: "x"'], 412),
                ("If-Unmodified-Since: same", ["If-Unmodified-Since: "
                 "Tuesday, 14-Nov-23 22:13:20 GMT"], 200),
                ("If-Unmodified-Since: before", ["If-Unmodified-Since: "
                 "Tue Nov 14 22:13:19 2023"], 412)):
            r = c.ask(path, "alice", fields=fields)
            eq((r.status, r["etag"] if r.status < 400 else tag),
               (status, tag), what)

        for spec, first, last in (
                ("bytes=0-0", 0, 0), ("bytes=0-99", 0, 99),
                ("bytes=100-120", 100, 120), ("bytes=100-", 100, size - 1),
                ("bytes=-5", size - 5, size - 1),
                ("bytes=-9999", 0, size - 1),
                ("bytes=10-9999", 10, size - 1),
                ("bytes=3-99999999999999999999", 3, size - 1),
                ("bytes=-99999999999999999999", 0, size - 1),
                ("BYTES=0-1", 0, 1),
                ("bytes=%d-" % (size - 1), size - 1, size - 1)):
            r = c.ask(path, "alice", Range=spec)
            eq((r.status, r["content-range"], r.body),
               (206, "bytes %d-%d/%d" % (first, last, size),
                body[first:last + 1]), "Range: " + spec)
        whole = b"".join(c.ask(path, "alice", Range="bytes=%d-%d"
                               % (i, i + 6)).body
                         for i in range(0, size, 7))
        eq(whole, body, "cut at every seventh octet, between CR and LF too")
        for spec in ("bytes=%d-" % size, "bytes=99999-100000", "bytes=-0",
                     "bytes=99999999999999999999-"):
            r = c.ask(path, "alice", Range=spec)
            eq((r.status, r["content-range"]),
               (416, "bytes */%d" % size), "Range: %s is beyond" % spec)
        for spec in ("bytes=0-1,4-5", "bytes=0-0, -1", "lines=1-2",
                     "bytes=5-4", "bytes=", "bytes=-", "bytes=a-b",
                     "bytes 0-1", "bytes=1--2", "0-1"):
            r = c.ask(path, "alice", Range=spec)
            eq((r.status, r["content-range"], r.body), (200, None, body),
               "Range: %s is the whole" % spec)
        r = c.ask(path, "alice", "HEAD", Range="bytes=0-1")
        eq((r.status, r["content-length"]), (200, str(size)),
           "Range says nothing to HEAD")
        for what, value, status in (
                ("same", tag, 206), ("other", '"x"', 200),
                ("weak", "W/" + tag, 200),
                ("date", "Tue, 14 Nov 2023 22:13:20 GMT", 206),
                ("other date", "Tue, 14 Nov 2023 22:13:21 GMT", 200)):
            r = c.ask(path, "alice", Range="bytes=0-1", If_Range=value)
            eq(r.status, status, "If-Range: " + what)
        r = c.ask(path, "alice", Range="bytes=0-1", If_None_Match=tag)
        eq(r.status, 304, "If-None-Match goes before Range")

        r = c.ask(path + "/headers", "alice")
        head = FIRST[:FIRST.index(b"\n\n") + 1]
        eq((r.status, r["content-type"], r.text().rstrip("\n") + "\n"),
           (200, "text/plain; charset=utf-8",
            head.decode().replace("\t", " ")), "the header block as text")
        r = c.ask(path + "/headers", "alice", Accept="application/json")
        eq(dict(r.json()["headers"])["Subject"],
           "Gr\u00fc\u00dfe and more", "and decoded, as JSON")


def negotiation():
    path = "/mail/1700000000.M1P1Q1.host"
    text, js = "text/plain; charset=utf-8", "application/json"
    with Conn() as c:
        for accept, want in (
                ("*/*", text), ("", text), ("text/*", text),
                ("application/*", js), ("application/json", js),
                ("APPLICATION/JSON", js),
                ("text/plain;q=0.5, application/json", js),
                ("text/plain;q=0.5, application/json;q=0.4", text),
                ("application/json;q=0.001, */*;q=0", js),
                ("*/*, text/plain;q=0", js),
                ("text/*;q=0.1, application/json;q=0.2, text/plain;q=0.3",
                 text),
                ("text/html, application/json;q=0.1", js),
                ("text/html,application/xhtml+xml,*/*;q=0.8", text),
                ("text/plain; charset=utf-8", text),
                ("text/html", None), ("application/mbox", None),
                ("image/*", None), ("text/plain;q=0", None),
                ("*/*;q=0", None), ("application/jso", None),
                ("text/plain;q=2", None), ("nonsense", None)):
            r = c.ask("/mail/", "alice", Accept=accept)
            if want is None:
                eq(r.status, 406, "Accept: %s is 406" % accept)
            else:
                eq((r.status, r["content-type"]), (200, want),
                   "Accept: " + accept)
        r = c.ask("/mail/", "alice", fields=["Accept: text/plain;q=0.1",
                                             "Accept: application/json"])
        eq(r["content-type"], js, "Accept in two lines")
        for accept, status in (("message/rfc822", 200), ("message/*", 200),
                               ("text/plain", 406), ("text/html", 406),
                               ("application/json", 406)):
            eq(c.ask(path, "alice", Accept=accept).status, status,
               "a message, Accept: " + accept)


def refusals():
    """Paths, methods, and the form of errors."""
    foreign = "/mail/" + listing("bob", "?limit=1")["messages"][0]["id"]
    with Conn() as c:
        own = c.ask("/mail/9.M1P1Q1.host", "alice")
        r = c.ask(foreign, "alice")
        eq((own.status, r.status, r.body), (404, 404, own.body),
           "another's message and none: the same 404")
        eq([f for f in r.fields if f[0] != "date"],
           [f for f in own.fields if f[0] != "date"], "the same head")
        eq(c.ask(foreign, "bob").status, 200, "its owner gets it")
        for path in ("/", "/mail", "/mail//", "/mail/x/", "/mail/x/y",
                     "/Mail/", "/mail/" + 300 * "x", "/events",
                     "/db/alice/", "/mail/x/parts/1", "/index.html",
                     "/certificates/search.cgi", "/healthz/", "/mail/x:2,S",
                     "/mail/1700000000.M1P1Q1.host%2CS=1",
                     "/mail/1700000000.M1P1Q1.host/",
                     "/mail/1700000000.M1P1Q1.host/parts/1",
                     "/mail/1700000000.M1P1Q1.hos", "/problems/tampered"):
            eq(c.ask(path, "alice").status, 404, "%s: 404" % path[:40])
            eq(c.ask(path).status, 401, "%s: 401 without login" % path[:40])
        r = c.ask("/x", "alice", Accept="application/json")
        eq((r.status, r["content-type"], r.json()["status"],
            r.json()["title"]), (404, "application/problem+json", 404,
                                 "Not Found"), "404 as problem+json")
        ok("type" in r.json(), "with a type", r)
        r = c.ask("/x", "alice", Accept="application/problem+json")
        eq(r["content-type"], "application/problem+json",
           "asked for by its own name")
        r = c.ask("/x", "alice")
        eq((r["content-type"], r.text().count("\n")),
           ("text/plain; charset=utf-8", 1), "else one line of text")
        r = c.ask("/x", "alice", "HEAD")
        eq((r.status, int(r["content-length"]) > 0), (404, True),
           "HEAD: 404 without its body")
        for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT",
                       "PROPFIND", "get", "Get", "HEADX", "M-SEARCH"):
            eq(c.ask("/mail/", "alice", method).status, 405,
               "%s: 405 with Allow" % method)
        eq(c.ask("/mail/", "alice", "POST", Content_Length=0).status, 405,
           "POST without a body leaves the connection")
        r = c.ask("*", None, "OPTIONS")
        eq((r.status, r["allow"]), (204, "GET, HEAD, OPTIONS"), "OPTIONS *")
        for path in ("/mail/", "/mail/1700000000.M1P1Q1.host"):
            r = c.ask(path, "alice", "OPTIONS")
            eq((r.status, r["allow"]), (204, "GET, HEAD, OPTIONS"),
               "OPTIONS " + path)
        eq(c.ask("*").status, 400, "GET *")
        r = c.ask("/healthz")
        eq((r.status, r["content-type"], r["cache-control"]),
           (200, "text/plain; charset=utf-8", "no-store"), "/healthz")
        eq(c.ask("/healthz", None, "HEAD").status, 200, "HEAD /healthz")
        r = c.ask("/openapi.yaml")
        ok(r.status == 200 and "\nopenapi: 3.1" in r.text(),
           "/openapi.yaml needs no login", r)


def test():
    start("auth { failure_delay = 0 }")
    the_list()
    list_validators()
    a_message()
    negotiation()
    bad_queries()
    pages()
    refusals()


run(261, test)
