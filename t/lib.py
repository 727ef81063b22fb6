# SPDX-License-Identifier: ISC
"""What tests in Python share: TAP, the fixture of lib.sh, HTTP as it is.

    from lib import *
    def test():
        f = start("limits { idle_time = 5s }")   # conf text, masters
        r = get("/mail/", "alice", Accept="application/json")
        eq(r.status, 200, "the list")
    run(12, test)

run() prints the plan, stops the daemons and removes the folder whatever
happens. Users: alice, bob, carol, passwords alice-secret and so on. A Reply
is read strictly; what each reply must carry is looked at in every one, and
run() adds one test of it ("every reply ...") to those that are planned.
"""
import base64
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
import traceback

DOMAIN = "example.test"
MASTERS = ["postern-auth", "postern-smtpd", "postern-retrieve"]
PATIENCE = 60       # seconds for what should take no time
SRCDIR = os.environ["SRCDIR"]
IGNORE_EOF = 0x80   # SSL_OP_IGNORE_UNEXPECTED_EOF
ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "vary": "Accept, Authorization",
}

count = 0
failed = 0
faults = []         # of replies, whichever test asked for them
fixture = None


def diag(*text):
    for line in "\n".join(str(t) for t in text).splitlines():
        print("# " + line)


def ok(cond, what, *why):
    global count, failed
    count += 1
    what = what.replace("#", ".")
    print("%s %d - %s" % ("ok" if cond else "not ok", count, what),
          flush=True)
    if not cond:
        failed += 1
        diag(*why)
    return bool(cond)


def eq(got, want, what):
    return ok(got == want, what, "got:  %r" % (got,), "want: %r" % (want,))


def skip(what, n=1):
    global count
    for _ in range(n):
        count += 1
        print("ok %d # SKIP %s" % (count, what))


def skip_all(why):
    print("1..0 # SKIP " + why)
    sys.exit(0)


def wait_for(f, seconds=PATIENCE):
    """The first true result of f(), or its last."""
    end = time.monotonic() + seconds
    while True:
        r = f()
        if r or time.monotonic() > end:
            return r
        time.sleep(0.02)


# --- the fixture

class Fixture:
    def __init__(self):
        self.dir = self.sh("init")[-1]
        self.ca = self.dir + "/tls/ca.pem"
        self.smtp = self.smtps = self.https = 0
        self.context = ssl.create_default_context(cafile=self.ca)
        # Some releases take an end without close_notify for a good one.
        self.context.options &= ~IGNORE_EOF

    def sh(self, *args):
        p = subprocess.run(["sh", SRCDIR + "/t/lib.sh", *args],
                           stdout=subprocess.PIPE, text=True,
                           stdin=subprocess.DEVNULL)
        if p.returncode != 0:
            raise RuntimeError("lib.sh %s: %s" % (args[0], p.stdout))
        return p.stdout.splitlines() or [""]

    def conf(self, text):
        self.sh("conf", self.dir, text)

    def start(self, *masters):
        ports = self.sh("start", self.dir, *masters)[-1].split()
        self.smtp, self.smtps, self.https = [int(p) for p in ports]

    def ctl(self, *args):
        self.sh("ctl", self.dir, *args)

    def pid(self, master):
        """Of the master started last under this name."""
        with open(self.dir + "/started") as f:
            return [int(line.split()[1]) for line in f
                    if line.split()[0] == master][-1]

    def stop(self, *masters):
        """Stop some or all; the folder stays, start() may follow."""
        if not masters:
            self.sh("stop", self.dir)
        for pid in [self.pid(m) for m in masters]:
            os.kill(pid, signal.SIGTERM)
            wait_for(lambda: not runs(pid))

    def log(self, master):
        with open("%s/log/%s.log" % (self.dir, master),
                  errors="replace") as f:
            return f.read()

    def end(self):
        try:
            self.sh("stop", self.dir)
        except RuntimeError as e:
            print(e)
        self.sh("remove", self.dir)

    def logs(self):
        for m in MASTERS:
            try:
                diag("--- " + m, *self.log(m).splitlines()[-10:])
            except OSError:
                pass


def runs(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def children(pid):
    """{name: [pid, ...]} of the processes that pid started."""
    found = {}
    with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
        for child in f.read().split():
            try:
                with open("/proc/%s/comm" % child) as c:
                    found.setdefault(c.read().strip(), []).append(int(child))
            except OSError:
                pass
    return found


def start(conf="", *masters):
    """Start the masters named: without a name, auth and retrieve."""
    global fixture
    fixture = Fixture()
    if conf:
        fixture.conf(conf)
    fixture.start(*(masters or ("postern-auth", "postern-retrieve")))
    return fixture


def run(plan, test):
    status = 0
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(1))
    print("1..%d" % (plan + 1), flush=True)
    try:
        test()
        eq(faults, [], "every reply is whole and carries what all must")
    except BaseException:
        print("Bail out! %s" % repr(sys.exc_info()[1]).replace("\n", " "))
        diag(traceback.format_exc())
        status = 1
    if fixture is not None:
        if status or failed:
            fixture.logs()
        fixture.end()
    sys.stdout.flush()
    os._exit(status)        # whatever threads still wait for


# --- mailboxes, as another program would write to them

def give(path):
    """Root's tests make files for whoever runs the daemons."""
    if os.getuid() == 0:
        st = os.stat(fixture.dir)
        os.chown(path, st.st_uid, st.st_gid)


def maildir(user, domain=DOMAIN):
    path = "%s/mail/%s/%s/Maildir" % (fixture.dir, domain, user)
    for folder in ("", "/tmp", "/new", "/cur"):
        if not os.path.isdir(path + folder):
            os.mkdir(path + folder)
            give(path + folder)
    return path


def put(user, name, data, folder="new", mtime=None):
    """Deliver octets under this name; the path."""
    if isinstance(data, str):
        data = data.encode()
    box = maildir(user)
    with open(box + "/tmp/" + name, "wb") as f:
        f.write(data)
    os.chmod(box + "/tmp/" + name, 0o644)
    give(box + "/tmp/" + name)
    if mtime is not None:
        os.utime(box + "/tmp/" + name, ns=(mtime, mtime))
    os.rename(box + "/tmp/" + name, "%s/%s/%s" % (box, folder, name))
    return "%s/%s/%s" % (box, folder, name)


def wire(data):
    """What is served of stored octets: each line ends with CRLF."""
    return re.sub(rb"(?<!\r)\n", b"\r\n", data)


def named(base, data):
    """A name as the store makes it."""
    return "%s,S=%d,W=%d" % (base, len(data), len(wire(data)))


# --- HTTP

class Closed(Exception):
    pass


class Reply:
    def __init__(self, status, reason, fields):
        self.status, self.reason, self.fields = status, reason, fields
        self.body = b""

    def __getitem__(self, name):
        """All lines of a field, joined; None where there is none."""
        found = [v for n, v in self.fields if n == name.lower()]
        return ", ".join(found) if found else None

    def json(self):
        return json.loads(self.body.decode())

    def text(self):
        return self.body.decode()

    def links(self):
        found = {}
        for n, v in self.fields:
            if n == "link":
                m = re.fullmatch(r'<([^>]+)>; rel="(\w+)"', v)
                found[m.group(2)] = m.group(1)
        return found

    def __repr__(self):
        return "%d %s %r %r" % (self.status, self.reason, self.fields,
                                self.body[:300])


class Conn:
    """One TLS connection; octets go out as they are given."""

    def __init__(self, port=None, source="127.0.0.1", context=None,
                 rcvbuf=None):
        s = socket.socket()
        s.settimeout(PATIENCE)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if rcvbuf is not None:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        s.bind((source, 0))
        s.connect(("127.0.0.1", port or fixture.https))
        self.sock = (context or fixture.context).wrap_socket(
            s, server_hostname="localhost", suppress_ragged_eofs=False)
        self.buf = b""

    def send(self, data):
        self.sock.sendall(data.encode() if isinstance(data, str) else data)

    def fill(self):
        try:
            data = self.sock.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            raise Closed("without close_notify")
        except ssl.SSLError as e:
            if "EOF" not in str(e).upper():
                raise
            raise Closed("without close_notify")
        if data == b"":
            raise Closed("closed")
        self.buf += data

    def take(self, n):
        while len(self.buf) < n:
            self.fill()
        data, self.buf = self.buf[:n], self.buf[n:]
        return data

    def reply(self, method="GET"):
        while b"\r\n\r\n" not in self.buf:
            self.fill()
        head = self.take(self.buf.index(b"\r\n\r\n") + 4)
        r = parse_head(head)
        length = r["content-length"]
        if r.status in (204, 304):
            if length not in (None, "0"):
                faults.append("Content-Length of %d: %r" % (r.status, r))
        elif length is None or not length.isdigit():
            faults.append("no Content-Length: %r" % r)
        elif method != "HEAD":
            r.body = self.take(int(length))
        check_reply(r)
        return r

    def ask(self, target, user=None, method="GET", fields=(), **more):
        self.send(request(target, user, method, fields, **more))
        return self.reply(method)

    def end(self):
        """How the server ends it: "closed" if well; octets that come are
        a fault."""
        try:
            self.fill()
        except Closed as e:
            return str(e)
        except socket.timeout:
            return "open"
        return "octets: %r" % self.buf[:200]

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def parse_head(head):
    lines = head[:-4].split(b"\r\n")
    m = re.fullmatch(rb"HTTP/1\.1 ([1-5][0-9][0-9]) ([ -~]+)", lines[0])
    if m is None:
        faults.append("status line %r" % lines[0])
        raise RuntimeError("no HTTP reply: %r" % head[:200])
    fields = []
    for line in lines[1:]:
        f = re.fullmatch(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ([ -~]*)", line)
        if f is None:
            faults.append("field line %r" % line)
        else:
            fields.append((f.group(1).decode().lower(), f.group(2).decode()))
    return Reply(int(m.group(1)), m.group(2).decode(), fields)


def check_reply(r):
    def fault(what):
        faults.append("%s: %r" % (what, r))

    for name, value in ALWAYS.items():
        if r[name] != value:
            fault(name)
    if not (r["strict-transport-security"] or "").startswith("max-age="):
        fault("Strict-Transport-Security")
    if not (r["content-security-policy"] or "").startswith(
            "default-src 'none'"):
        fault("Content-Security-Policy")
    if not re.fullmatch(r"[A-Z][a-z]{2}, [0-3]\d [A-Z][a-z]{2} \d{4} "
                        r"\d\d:\d\d:\d\d GMT", r["date"] or ""):
        fault("Date")
    for banned in ("server", "set-cookie", "access-control-allow-origin"):
        if r[banned] is not None:
            fault(banned)
    if r.status in (401,) and not (r["www-authenticate"] or "").startswith(
            "Basic realm="):
        fault("WWW-Authenticate")
    if r.status == 405 and r["allow"] != "GET, HEAD, OPTIONS":
        fault("Allow")
    if r.status in (429, 503) and not (r["retry-after"] or "").isdigit():
        fault("Retry-After")
    if r.body and r["content-type"] is None:
        fault("Content-Type")
    if r.status >= 400 and r["cache-control"] != "no-store":
        fault("Cache-Control")


def basic(user, password=None, domain=DOMAIN):
    login = user if "@" in user or not domain else user + "@" + domain
    pair = "%s:%s" % (login, user + "-secret" if password is None
                      else password)
    return "Basic " + base64.b64encode(pair.encode()).decode()


def request(target, user=None, method="GET", fields=(), **more):
    lines = ["%s %s HTTP/1.1" % (method, target), "Host: localhost"]
    if user is not None:
        lines.append("Authorization: " + basic(user))
    lines += list(fields)
    lines += ["%s: %s" % (n.replace("_", "-"), v) for n, v in more.items()]
    return "\r\n".join(lines) + "\r\n\r\n"


def get(target, user=None, method="GET", fields=(), **more):
    """One request on a connection of its own."""
    with Conn() as c:
        return c.ask(target, user, method, fields, **more)


def listing(user, query="", conn=None, **more):
    """The list as JSON; the reply must be 200."""
    ask = conn.ask if conn else get
    r = ask("/mail/" + query, user, Accept="application/json", **more)
    if r.status != 200:
        raise RuntimeError("no list: %r" % r)
    return r.json()
