# SPDX-License-Identifier: ISC
# SIGHUP: who comes later meets the new conf and certificate, who is there
# goes on; what does not work is said, and the old stays.
import shutil
import smtplib

from lib import *

AUTH, SMTPD, RETRIEVE = MASTERS


def hup(f, master, says="master: ready pid="):
    """Reload; has the log told once more?"""
    before = f.log(master).count(says)
    os.kill(f.pid(master), signal.SIGHUP)
    return wait_for(lambda: f.log(master).count(says) > before)


def smtp(f):
    s = smtplib.SMTP_SSL("localhost", f.smtps, "me.test",
                         context=f.context, timeout=PATIENCE)
    s.ehlo()
    return s


def serial(f, of):
    """Of the certificate that a new connection is shown."""
    if of == "https":
        with Conn() as c:
            return c.sock.getpeercert()["serialNumber"]
    if of == "submissions":
        s = smtp(f)
    else:
        s = smtplib.SMTP("localhost", f.smtp, "me.test", timeout=PATIENCE)
        s.starttls(context=f.context)
    number = s.sock.getpeercert()["serialNumber"]
    s.close()
    return number


def roles(f, masters=MASTERS):
    """How many processes of each role."""
    return {m: {name: len(pids) for name, pids
                in children(f.pid(m)).items()} for m in masters}


def certificate(f):
    old = serial(f, "https")
    s = smtp(f)
    s.login("alice@" + DOMAIN, "alice-secret")
    s.mail("alice@" + DOMAIN)
    s.rcpt("bob@" + DOMAIN)
    eq(s.docmd("DATA")[0], 354, "a session in the middle of DATA")
    s.sock.sendall(b"From: alice@example.test\r\nSubject: slow\r\n\r\none\r\n")
    big = b"Subject: big\n\n" + 8000000 * b"x"
    put("carol", "1700000000.M1P1Q1.host", big)
    idle, c = Conn(), Conn(rcvbuf=4096)
    idle.ask("/healthz")
    early = socket.create_connection(("127.0.0.1", f.https), PATIENCE)
    c.send(request("/mail/1700000000.M1P1Q1.host", "carol"))
    while len(c.buf) < 1000:
        c.fill()
    f.ctl("cert", "renew", "--dir", f.dir + "/tls", "--new-key")
    eq(hup(f, SMTPD) and hup(f, RETRIEVE), True,
       "a new certificate and key: SIGHUP")
    for of in ("https", "submissions", "submission"):
        ok(wait_for(lambda: serial(f, of) != old),
           "%s: new connections are shown it" % of)
    eq(s.sock.getpeercert()["serialNumber"], old, "the old session goes on")
    s.sock.sendall(b"two\r\n")
    hup(f, SMTPD)
    s.sock.sendall(b".\r\n")
    code, text = s.getreply()
    eq(code, 250, "over a second reload too: its message is taken")
    eq(s.quit()[0], 221, "and it ends when it likes")
    eq(c.reply().body, wire(big), "a message on its way comes whole")
    eq(c.end(), "closed", "then its connection ends")
    r = idle.ask("/healthz")
    eq((r.status, r["connection"], idle.end()), (200, "close", "closed"),
       "one that waited is given one more reply")
    with f.context.wrap_socket(early, server_hostname="localhost") as t:
        t.sendall(request("/healthz").encode())
        ok(t.recv(100).startswith(b"HTTP/1.1 200 "),
           "one that had not said anything too")
    c.close()
    eq(get("/mail/" + listing("bob")["messages"][0]["id"], "bob"
           ).body.endswith(b"\r\n\r\none\r\ntwo\r\n"), True, "it is whole")


def bad_conf(f, want):
    path = f.dir + "/postern.conf"
    shutil.copy(path, path + ".good")
    before = {of: serial(f, of) for of in ("https", "submissions")}
    wait_for(lambda: roles(f) == want)      # those of before have gone
    pids = {m: sorted(sum(children(f.pid(m)).values(), []))
            for m in MASTERS}
    kept = "keeping the old"
    for what, text, says in (
            ("a syntax error", "limits {", "postern.conf:"),
            ("an unknown key", "waffle = 1", "waffle"),
            ("a bad value", "limits { request_time = never }",
             "request_time"),
            ("one out of range", "limits { request_line = 1 }",
             "request_line"),
            ("a certificate that is not there",
             "tls { certificates = { \"/nowhere.pem\" } }",
             "/nowhere.pem"),
            ("a mail root that is not there", "mail_root = \"/nowhere\"",
             "/nowhere")):
        shutil.copy(path + ".good", path)
        f.conf(text)
        for m in (SMTPD, RETRIEVE):
            said = f.log(m).count(says)
            hup(f, m, kept)
            ok(f.log(m).count(says) > said and kept in f.log(m),
               "%s: %s says so" % (what, m), f.log(m)[-800:])
    shutil.copy(path + ".good", path)
    key = f.dir + "/tls/server.key"
    shutil.copy(key, key + ".good")
    for what, change in (
            ("a key of another certificate", lambda: shutil.copy(
                f.dir + "/tls/ca.key", key)),
            ("a key that is none", lambda: open(key, "w").write("none\n")),
            ("no key", lambda: os.unlink(key))):
        change()
        for m in (SMTPD, RETRIEVE):
            said = f.log(m).count("server.key")
            hup(f, m, kept)
            ok(f.log(m).count("server.key") > said and
               kept in f.log(m), "%s: %s says so" % (what, m),
               f.log(m)[-800:])
    shutil.copy(key + ".good", key)
    os.chmod(key, 0o600)
    give(key)
    eq({of: serial(f, of) for of in ("https", "submissions")}, before,
       "after all that the old certificate is shown")
    s = smtp(f)
    eq(s.login("alice@" + DOMAIN, "alice-secret")[0], 235, "mail is taken")
    s.close()
    eq(listing("bob")["total"], 1, "and read")
    # Those that failed to start are gone, the others were never touched.
    eq(wait_for(lambda: {m: sorted(sum(children(f.pid(m)).values(), []))
                         for m in MASTERS} == pids), True,
       "by the same processes as before")


def listeners(f):
    def ports(master):
        with open("%s/run/%s.ports" % (f.dir, master)) as p:
            return [line.split() for line in p.read().splitlines()]

    def listens(address, port):
        try:
            socket.create_connection((address, port), PATIENCE).close()
            return True
        except OSError:
            return False

    path = f.dir + "/postern.conf"
    f.conf("listen https { addresses = { \"127.0.0.1\", \"127.0.0.2\" } "
           "port = 0 }")
    hup(f, RETRIEVE)
    now = ports(RETRIEVE)
    eq(now[0], ["https", "127.0.0.1", str(f.https)],
       "a listener that was there keeps its port")
    eq([p[:2] for p in now[1:]], [["https", "127.0.0.2"]], "one is added")
    s = socket.create_connection(("127.0.0.2", int(now[1][2])), PATIENCE)
    with f.context.wrap_socket(s, server_hostname="localhost") as t:
        t.sendall(request("/healthz").encode())
        ok(t.recv(100).startswith(b"HTTP/1.1 200 "), "and serves")
    shutil.copy(path + ".good", path)
    hup(f, RETRIEVE)
    eq(ports(RETRIEVE), now[:1], "and taken away again")
    ok(wait_for(lambda: not listens("127.0.0.2", int(now[1][2]))),
       "nobody listens there any more")
    eq(get("/healthz").status, 200, "the first serves on")
    with open(path + ".good") as p:
        text = p.read()
    with open(path, "w") as p:
        p.write(re.sub(r"(?m)^listen submission .*$", "", text))
    hup(f, SMTPD)
    ok(wait_for(lambda: not listens("127.0.0.1", f.smtp)),
       "without its section there is no listener for STARTTLS")
    s = smtp(f)
    eq(s.noop()[0], 250, "the other goes on")
    s.close()
    shutil.copy(path + ".good", path)
    hup(f, SMTPD)
    eq(sorted(p[0] for p in ports(SMTPD)), ["submission", "submissions"],
       "and there again")


def accounts(f):
    s, c = smtp(f), Conn()
    s.login("alice@" + DOMAIN, "alice-secret")
    eq(c.ask("/mail/", "bob").status, 200, "two that are logged in")
    f.conf("auth { mechanisms = { \"PLAIN\" } }")
    hup(f, AUTH)
    eq((s.mail("alice@" + DOMAIN)[0], c.ask("/mail/", "bob").status),
       (250, 200), "auth is reloaded: they go on")

    def offered():
        n = smtp(f)
        got = n.esmtp_features.get("auth", "").split()
        n.close()
        return got

    n = smtp(f)
    eq(n.login("bob@" + DOMAIN, "bob-secret")[0], 235, "others log in")
    for conn in (n, s, c):
        conn.close()
    eq(wait_for(lambda: offered() == ["PLAIN"]), True,
       "they leave: the new conf is in force")


def often(f, want):
    for _ in range(8):
        for m in MASTERS:
            os.kill(f.pid(m), signal.SIGHUP)
    # 503 while auth, too, is changing hands.
    eq({get("/healthz").status for _ in range(100)} - {200, 503}, set(),
       "many signals at once: who comes is answered all the time")
    ok(wait_for(lambda: roles(f) == want),
       "and one set of processes is left of each", want, roles(f))

    def works():
        try:
            s = smtp(f)
            s.login("alice@" + DOMAIN, "alice-secret")
            s.sendmail("alice@" + DOMAIN, "carol@" + DOMAIN,
                       "From: alice@example.test\r\n\r\nx\r\n")
            s.quit()
            return listing("carol")["total"] >= 2
        except (OSError, smtplib.SMTPException, RuntimeError, Closed):
            return False
    eq(wait_for(works), True, "mail is taken and read")


def test():
    f = start("auth { failure_delay = 0 }", *MASTERS)
    first = roles(f)
    certificate(f)
    bad_conf(f, first)
    listeners(f)
    accounts(f)
    often(f, first)


run(51, test)
