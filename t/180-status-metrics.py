# SPDX-License-Identifier: ISC
"""posternctl status and metrics: the numbers are those of real traffic, no
counter goes back whatever becomes of a process, the text is OpenMetrics, and
what serves it takes one request and refuses all others."""
import fcntl
import glob
import smtplib
import struct
from lib import *

VALUES_AT = 65536       # where the numbers of a file begin
# A process that is not dumpable cannot look for leaks.
os.environ["ASAN_OPTIONS"] = "detect_leaks=0:" + os.environ.get(
    "ASAN_OPTIONS", "")


def command(*args):
    """posternctl as whoever runs the daemons."""
    exe = fixture.dir + "/bin/posternctl"
    if not os.path.exists(exe):
        exe = os.environ["BUILDDIR"] + "/posternctl"
    who = [] if os.getuid() else [
        "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
        "--inh-caps=-all"]
    return who + [exe, "-c", fixture.dir + "/postern.conf", *args]


def ctl(*args):
    """(exit status, standard output, standard error)"""
    p = subprocess.run(command(*args), stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
    return p.returncode, p.stdout, p.stderr


# --- OpenMetrics 1.0, as strictly as a small parser can be

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(r'(%s)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="[^"\\\n]*",?)*)\})?'
                    r' (\d+(?:\.\d+)?)$' % NAME)
SUFFIXES = {"counter": ["_total"], "gauge": [""], "info": ["_info"],
            "histogram": ["_bucket", "_count", "_sum"]}


class Metrics(dict):
    """{(sample's name, ((label, value), ...) sorted): number}"""

    def __init__(self, text):
        super().__init__()
        self.types = {}
        if not text.endswith("# EOF\n") or text.count("# EOF") != 1:
            raise ValueError("no EOF, or not at the end")
        self.family = None
        for line in text.split("\n")[:-2]:
            self.take(line)
        for name, kind in self.types.items():
            if kind == "histogram":
                self.histogram(name)

    def take(self, line):
        m = re.fullmatch(r"# (TYPE|UNIT|HELP) (%s) (.+)" % NAME, line)
        if m:
            self.meta(*m.groups())
            return
        m = SAMPLE.match(line)
        if m is None:
            raise ValueError("no sample: %r" % line)
        name, labels, value = m.groups()
        kind = self.types[self.family]
        if name not in [self.family + s for s in SUFFIXES[kind]]:
            raise ValueError("%r is not of family %s" % (line, self.family))
        pairs = re.findall(r'([a-zA-Z0-9_]+)="([^"]*)"', labels or "")
        if ",".join('%s="%s"' % p for p in pairs) != (labels or ""):
            raise ValueError("labels of %r" % line)
        key = name, tuple(sorted(pairs))
        if key in self or len(set(p[0] for p in pairs)) != len(pairs):
            raise ValueError("twice: %r" % line)
        if kind != "histogram" and name.endswith("_total") and "." in value:
            raise ValueError("a part of an event: %r" % line)
        self[key] = float(value)

    def meta(self, what, name, text):
        if what == "TYPE":
            if name in self.types or text not in SUFFIXES:
                raise ValueError("TYPE of %s" % name)
            self.types[name] = text
            self.family = name
        elif name != self.family or any(
                k[0].startswith(name) and k[0][len(name):] in
                SUFFIXES[self.types[name]] for k in self):
            raise ValueError("%s of %s out of place" % (what, name))
        elif what == "UNIT" and not name.endswith("_" + text):
            raise ValueError("UNIT of %s" % name)

    def histogram(self, name):
        groups = {}
        for (n, labels), v in self.items():
            if n == name + "_bucket":
                rest = tuple(p for p in labels if p[0] != "le")
                groups.setdefault(rest, []).append((dict(labels)["le"], v))
        for rest, buckets in groups.items():
            bounds = [float(b) for b, _ in buckets]
            counts = [v for _, v in buckets]
            if bounds != sorted(set(bounds)) or counts != sorted(counts):
                raise ValueError("buckets of %s" % name)
            if any(b != "+Inf" and "." not in b for b, _ in buckets):
                raise ValueError("bounds of %s" % name)
            if buckets[-1] != ("+Inf", self[name + "_count", rest]):
                raise ValueError("count of %s" % name)
            if (name + "_sum", rest) not in self:
                raise ValueError("no sum of %s" % name)

    def get(self, name, **labels):
        labels = [(k.rstrip("_"), v) for k, v in labels.items()]
        return self["postern_" + name, tuple(sorted(labels))]

    def counters(self):
        return {k: v for k, v in self.items()
                if k[0].endswith(("_total", "_bucket", "_count", "_sum"))}


def metrics():
    status, out, err = ctl("metrics")
    if status != 0 or err:
        raise RuntimeError("metrics: %d %s" % (status, err))
    return Metrics(out)


def value(name, **labels):
    return metrics().get(name, **labels)


def becomes(want, name, **labels):
    """The number is this, soon: what counts it may not have had its turn."""
    wait_for(lambda: value(name, **labels) == want)
    return eq(value(name, **labels), want, "%s %s" % (
        name, " ".join(sorted(labels.values()))))


def less(before, after):
    """Counters that have gone back."""
    new = after.counters()
    return [k for k, v in before.counters().items() if new.get(k, -1) < v]


# --- traffic

def smtp(login="alice", secret=None):
    s = smtplib.SMTP("127.0.0.1", fixture.smtp, timeout=PATIENCE)
    s.starttls(context=fixture.context)
    s.ehlo()
    if login:
        s.login(login + "@" + DOMAIN, secret or login + "-secret")
    return s


def send(s, rcpts=("bob",), data="Subject: x\r\n\r\nhello\r\n"):
    return s.sendmail("alice@" + DOMAIN, [r + "@" + DOMAIN for r in rcpts],
                      data)


def test_nothing_runs():
    status, out, err = ctl("status")
    eq((status, err), (0, ""), "status, when nothing runs")
    eq(re.findall(r"^postern-(\w+): not running$", out, re.M),
       ["auth", "smtpd", "retrieve"], "says so of each service")
    m = metrics()
    eq([m.get("up", service=s) for s in ("auth", "smtpd", "retrieve")],
       [0, 0, 0], "metrics too")
    eq([k for k in m if k[0] not in ("postern_up", "postern_build_info",
                                     "postern_stats_faults")], [],
       "and has no others then")


def test_running():
    out = ctl("status")[1]
    eq([(n, int(p)) for n, p in re.findall(
        r"^(postern-\w+): running, pid (\d+), up ", out, re.M)],
       [(m, fixture.pid(m)) for m in MASTERS], "status knows the masters")
    pids = {int(p) for p in re.findall(
        r"^  [a-z-]+ +\d+ +(\d+)  \d+s$", out, re.M)}
    kids = {p for m in MASTERS for l in children(fixture.pid(m)).values()
            for p in l}
    eq(pids, kids, "and their processes")
    m = metrics()
    eq([m.get("up", service=s) for s in ("auth", "smtpd", "retrieve")],
       [1, 1, 1], "all three are up")
    eq(m.get("processes", service="smtpd", role="smtpd-session"), 2,
       "two sessions")


def test_smtp_numbers():
    s = smtp()
    send(s, ["bob", "carol"])
    send(s, data="Subject: y\r\n\r\n" + "x" * 70 + "\r\n" * 2000)
    try:
        send(s, data="Subject: \xff\r\n\r\n".encode("latin-1"))
    except smtplib.SMTPDataError:
        pass
    try:
        send(s, ["nobody", "bob"], "From: eve@example.test\r\n\r\n")
    except smtplib.SMTPDataError:
        pass
    s.mail("alice@" + DOMAIN)
    s.rset()
    s.quit()
    becomes(2, "smtp_messages_total", service="smtpd", status="ok")
    becomes(1, "smtp_messages_total", service="smtpd", status="eight-bit")
    becomes(1, "smtp_messages_total", service="smtpd", status="not-author")
    becomes(5, "smtp_recipients_total", service="smtpd", status="ok")
    becomes(1, "smtp_recipients_total", service="smtpd", status="no-user")
    becomes(5, "smtp_commands_total", service="smtpd", verb="MAIL")
    becomes(1, "smtp_commands_total", service="smtpd", verb="STARTTLS")
    becomes(2, "smtp_message_size_bytes_count", service="smtpd")
    becomes(21 + 84 + 2 * 2000, "smtp_message_size_bytes_sum",
            service="smtpd")
    becomes(1, "smtp_message_size_bytes_bucket", service="smtpd",
            le="256.0")
    becomes(2, "smtp_delivery_time_seconds_count", service="smtpd")
    becomes(2, "store_commits_total", service="smtpd", status="ok")
    becomes(1, "store_commits_total", service="smtpd", status="not-author")
    ok(value("store_fsync_time_seconds_count", service="smtpd") >= 5,
       "fsync of two files and three folders, at least")
    becomes(0, "store_queue", service="smtpd")
    becomes(1, "key_signatures_total", service="smtpd", result="ok")
    becomes(1, "tls_handshakes_total", service="smtpd", version="TLSv1.3")
    becomes(1, "auth_logins_total", service="auth", mechanism="PLAIN",
            for_="smtp", result="ok")
    ok(value("connection_bytes_total", service="smtpd", direction="in") >
       4000, "octets that came in")
    out = ctl("status")[1]
    ok("today (UTC) 2 delivered, 2 refused; since the start 2 delivered, "
       "2 refused" in out, "status: messages", out)
    ok("1 not-author, 1 eight-bit" in out, "status: refusals", out)


def test_failures():
    for secret in ("wrong", "wronger"):
        try:
            smtp("alice", secret)
        except smtplib.SMTPAuthenticationError:
            pass
    get("/mail/", fields=["Authorization: " + basic("bob", "wrong")])
    becomes(2, "auth_logins_total", service="auth", mechanism="PLAIN",
            for_="smtp", result="credentials")
    becomes(1, "auth_logins_total", service="auth", mechanism="PLAIN",
            for_="http", result="credentials")
    s = socket.create_connection(("127.0.0.1", fixture.smtps))
    s.sendall(b"EHLO x\r\n" * 20)
    while s.recv(4096):
        pass
    s.close()
    becomes(1, "tls_handshake_failures_total", service="smtpd")


def test_blocked():
    """One that fails too often is refused at connect."""
    source = ("127.0.0.77", 0)
    for i in range(8):
        s = smtplib.SMTP("127.0.0.1", fixture.smtp, timeout=PATIENCE,
                         source_address=source)
        s.starttls(context=fixture.context)
        s.ehlo()
        s.docmd("AUTH PLAIN " + base64.b64encode(
            ("\0bob@%s\0wrong-%d" % (DOMAIN, i)).encode()).decode())
        s.close()
    becomes(1, "auth_blocked_addresses", service="auth")
    ok("blocked       1 addresses" in ctl("status")[1],
       "status: addresses that are refused")

    def refused():
        s = socket.create_connection(("127.0.0.1", fixture.smtp), PATIENCE,
                                     source)
        first = s.recv(3)
        s.close()
        return first == b"421"
    ok(wait_for(refused), "its next connection is refused")
    wait_for(lambda: value("connections_total", service="smtpd",
                           result="blocked") > 0)
    eq(value("connections_total", service="smtpd", result="blocked"), 1,
       "and counted")


def test_http_numbers():
    name = listing("bob")["messages"][0]["id"]
    before = metrics()
    for target, status in (("/mail/", 200), ("/mail/" + name, 200),
                           ("/mail/no-such", 404)):
        r = get(target, "bob")
        if r.status != status:
            raise RuntimeError(repr(r))

    def more(key, **labels):
        return int(value(key, **labels) - before.get(key, **labels))
    wait_for(lambda: value("sessions", service="retrieve", state="login")
             == 0)
    eq([more("http_requests_total", service="retrieve", code=c)
        for c in ("2xx", "4xx")], [2, 1], "requests by class")
    eq(more("http_request_time_seconds_count", service="retrieve"), 3,
       "each has a time")
    eq(more("reader_list_time_seconds_count", service="retrieve"), 1,
       "one list")
    ok(more("reader_open_time_seconds_count", service="retrieve") >= 1,
       "a message was opened")
    eq(more("connections_total", service="retrieve", result="accepted"), 3,
       "three connections")


def test_gauges():
    def at(state):
        becomes(1, "sessions", service="smtpd", state=state)
    wait_for(lambda: sum(value("sessions", service="smtpd", state=s)
             for s in ("clear", "tls", "login", "transaction")) == 0)
    s = smtplib.SMTP("127.0.0.1", fixture.smtp, timeout=PATIENCE)
    at("clear")
    s.starttls(context=fixture.context)
    at("tls")
    s.login("alice@" + DOMAIN, "alice-secret")
    at("login")
    s.mail("alice@" + DOMAIN)
    at("transaction")
    becomes(1, "auth_tickets", service="auth")
    ok("1 open: 0 in clear, 0 in TLS, 0 logged in, 1 in a transaction" in
       ctl("status")[1], "status: sessions")
    s.close()
    becomes(0, "sessions", service="smtpd", state="transaction")
    becomes(0, "auth_tickets", service="auth")


def test_kill():
    s = smtp()
    before = metrics()
    for pid in children(fixture.pid("postern-smtpd"))["smtpd-session"]:
        os.kill(pid, signal.SIGKILL)
    becomes(2, "process_ends_total", service="smtpd", how="signal")
    after = metrics()
    eq(less(before, after), [], "killed: no counter has gone back")
    eq(after.get("sessions", service="smtpd", state="login"), 0,
       "open sessions have gone")
    s.close()
    becomes(2, "processes", service="smtpd", role="smtpd-session")
    s = wait_for(lambda: attempt(smtp))
    send(s)
    s.quit()
    becomes(before.get("smtp_messages_total", service="smtpd",
                       status="ok") + 1, "smtp_messages_total",
            service="smtpd", status="ok")


def attempt(f):
    try:
        return f()
    except (OSError, smtplib.SMTPException):
        return None


def files(service="postern-smtpd"):
    return sorted(os.path.basename(f) for f in glob.glob(
        "%s/run/stats/%s.*" % (fixture.dir, service)))


def test_reload():
    s = smtp()
    send(s)
    before, old = metrics(), set(files())
    os.kill(fixture.pid("postern-smtpd"), signal.SIGHUP)
    wait_for(lambda: len(set(files()) - old) == 4)
    t = wait_for(lambda: attempt(smtp))
    send(t)
    send(s)
    done = before.get("smtp_messages_total", service="smtpd", status="ok")
    becomes(done + 2, "smtp_messages_total", service="smtpd", status="ok")
    becomes(2, "sessions", service="smtpd", state="login")
    eq(less(before, metrics()), [], "reload: no counter has gone back")
    s.quit()
    t.quit()
    left = old - {"postern-smtpd.master"}
    wait_for(lambda: not left & set(files()))
    eq(left & set(files()), set(), "the files of the old ones go with them")
    becomes(done + 2, "smtp_messages_total", service="smtpd", status="ok")
    eq(less(before, metrics()), [], "and no counter went back")


def path(name):
    return "%s/run/stats/%s" % (fixture.dir, name)


def page_of(role):
    return path([f for f in files() if "." + role + "." in f][0])


def test_bad_files():
    name = page_of("smtpd-session")
    with open(name, "r+b") as f:
        f.seek(0)
        pid = struct.unpack_from("<8s4Ii", f.read(28))[5]
        f.seek(VALUES_AT)
        n = len(f.read())
        f.seek(VALUES_AT)
        f.write(b"\xff" * n)
    ok(value("stats_faults", service="smtpd") > 100,
       "values that cannot be are counted")
    ok("numbers cannot be" in ctl("status")[1], "status says it")
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: value("process_ends_total", service="smtpd",
                           how="signal") == 3)
    m = metrics()
    eq(m.get("process_ends_total", service="smtpd", how="signal"), 3,
       "its master goes on")
    ok(m.get("smtp_messages_total", service="smtpd", status="loop") == 0,
       "and has taken over none of them")
    ok("cannot be" in fixture.log("postern-smtpd"), "which the log says")
    ok(m.get("stats_faults", service="smtpd") == 0, "no more of them")
    junk = [path("postern-smtpd.smtpd-session.99%d" % i) for i in range(7)]
    with open(page_of("smtpd-store"), "rb") as f:
        data = f.read()
    with open(path("postern-smtpd.master"), "rb") as f:
        master = f.read()
    for i, octets in ((0, b""), (1, data[:40]), (2, data[:-1]),
                      (3, b"\0" + data[1:]), (6, master)):
        with open(junk[i], "wb") as f:
            f.write(octets)
    os.symlink(page_of("smtpd-store"), junk[4])
    os.mkfifo(junk[5])
    eq(value("stats_faults", service="smtpd"), 7,
       "short, foreign, a link, a pipe, a master's: none is used")
    ok("7 files could not be used" in ctl("status")[1], "status says it")
    for f in junk:
        os.unlink(f)
    eq(ctl("status")[0], 0, "the exit status stays")


def test_master_killed():
    pid = fixture.pid("postern-smtpd")
    kids = [p for l in children(pid).values() for p in l]
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not any(runs(p) for p in kids))
    ok(len(files()) > 1, "its files are left")
    becomes(0, "up", service="smtpd")
    ok("postern-smtpd: not running (its master was killed)" in
       ctl("status")[1], "status says so")
    stale = path("postern-smtpd.smtpd-session.4000")
    with open(stale, "wb") as f:
        f.write(b"x")
    # All may read the files, and so lock them for reading.
    with open(path("postern-smtpd.master"), "rb") as f:
        fcntl.lockf(f, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fixture.start("postern-smtpd")
    ok("no numbers are kept" not in fixture.log("postern-smtpd"),
       "who reads its file does not keep a new master from its own")
    becomes(1, "up", service="smtpd")
    ok(not os.path.exists(stale), "a new master removes them")
    becomes(0, "smtp_messages_total", service="smtpd", status="ok")
    eq(value("up", service="auth"), 1, "those of the others stay")


def test_stop():
    fixture.stop("postern-retrieve")
    eq(files("postern-retrieve"), [], "stopped: its files are gone")
    ok("postern-retrieve: not running\n" in ctl("status")[1],
       "status says so")
    eq(value("up", service="smtpd"), 1, "the others go on")


# --- metrics --listen

class Server:
    started = []

    def __init__(self, address):
        self.p = subprocess.Popen(command("metrics", "--listen", address),
                                  stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True)
        self.started.append(self.p)
        for line in self.p.stderr:
            m = re.search(r"listening address=(\S+)$", line)
            if m:
                self.name = m.group(1)
                return
        raise RuntimeError("no listener")

    def connect(self):
        if self.name.startswith("/"):
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(PATIENCE)
            s.connect(self.name)
            return s
        host, port = self.name.rsplit(":", 1)
        return socket.create_connection((host.strip("[]"), int(port)),
                                        PATIENCE)

    def ask(self, request):
        """(status, fields, body) of a reply that ends the connection."""
        s = self.connect()
        s.sendall(request if isinstance(request, bytes)
                  else request.encode())
        return self.reply(s)

    def reply(self, s):
        got = b""
        while True:
            data = s.recv(65536)
            if not data:
                break
            got += data
        s.close()
        head, body = got.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        fields = dict(l.split(": ", 1) for l in lines[1:])
        if int(fields["Content-Length"]) != len(body):
            raise RuntimeError("length of %r" % head)
        return int(lines[0].split()[1]), fields, body.decode()

    def stop(self, how=signal.SIGTERM):
        self.p.send_signal(how)
        status = self.p.wait(PATIENCE)
        self.p.stderr.close()
        return status


GET = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
BAD = [
    ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    ("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 405),
    ("POST /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 405),
    ("GET /metrics HTTP/1.1\r\n\r\n", 400),
    ("GET /metrics HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400),
    ("GET /metrics HTTP/1.1\nHost: x\n\r\n\r\n", 400),
    ("GET /metrics HTTP/1.0\r\n\r\n", 505),
    ("GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", 400),
    ("\x16\x03\x01\x02\x00\x01\r\n\r\n", 400),
    ("GET /metrics HTTP/1.1\r\nHost: x\r\nA: " + "b" * 4096, 431),
]


def test_listen_port():
    sv = Server("127.0.0.1:0")
    status, fields, body = sv.ask(GET)
    eq(status, 200, "GET /metrics")
    eq(fields["Content-Type"], "application/openmetrics-text; "
       "version=1.0.0; charset=utf-8", "its type")
    eq(fields["Connection"], "close", "one request a connection")
    eq(Metrics(body).get("up", service="smtpd"), 1, "the text is good")
    for request, want in BAD:
        eq(sv.ask(request)[0], want, repr(request[:50]))
    # One octet at a time, and two requests at once.
    s = sv.connect()
    for c in GET:
        s.sendall(c.encode())
    eq(sv.reply(s)[0], 200, "octet by octet")
    eq(sv.ask(GET + GET)[2].count("# EOF"), 1, "the second is not answered")
    # Who says nothing keeps a place for a while, and no more.
    idle = [sv.connect() for _ in range(20)]
    slow = sv.connect()
    slow.sendall(b"GET /metrics")
    eq(sv.ask(GET)[0], 200, "idle connections make way")
    eq(sv.reply(slow)[0], 408, "half a request is answered, too")
    for s in idle:
        s.close()
    eq(sv.ask(GET)[0], 200, "and then again")
    again = ctl("metrics", "--listen", sv.name)
    eq(again[0], 69, "the port is taken")
    fixture.stop("postern-smtpd")
    eq(Metrics(sv.ask(GET)[2]).get("up", service="smtpd"), 0,
       "a service was stopped")
    fixture.start("postern-smtpd")
    eq(Metrics(sv.ask(GET)[2]).get("up", service="smtpd"), 1,
       "and started")
    eq(sv.stop(), 0, "SIGTERM ends it")


def test_listen_elsewhere():
    sv = Server("[::1]:0") if socket.has_ipv6 and attempt(
        lambda: socket.create_server(("::1", 0),
                                     family=socket.AF_INET6)) else None
    if sv is None:
        skip("no IPv6", 2)
    else:
        eq(sv.ask(GET)[0], 200, "on ::1")
        eq(sv.stop(signal.SIGINT), 0, "SIGINT ends it")
    name = fixture.dir + "/run/m.sock"
    sv = Server(name)
    eq(sv.ask(GET)[0], 200, "on a local socket")
    eq(ctl("metrics", "--listen", name)[0], 69, "which is taken")
    sv.stop(signal.SIGKILL)
    sv = Server(name)
    eq(sv.ask(GET)[0], 200, "one that was left is replaced")
    sv.stop()
    plain = fixture.dir + "/run/plain"
    with open(plain, "w"):
        pass
    eq(ctl("metrics", "--listen", plain)[0], 73, "another file is not")
    other = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    other.bind(fixture.dir + "/run/other")
    give(fixture.dir + "/run/other")
    eq((ctl("metrics", "--listen", fixture.dir + "/run/other")[0] != 0,
        os.path.exists(fixture.dir + "/run/other")), (True, True),
       "nor is a socket of another kind")
    for address in ("0.0.0.0:9464", "192.0.2.1:9464", "[::]:9464",
                    "[::2]:9464", "localhost:9464", "127.0.0.1",
                    "127.0.0.1:", ":9464", "127.0.0.1:65536", "9464",
                    "127.0.0.1:x", "m.sock", "", "/" + "x" * 200,
                    "[::1]", "::1:9464", "127.1:9464"):
        eq(ctl("metrics", "--listen", address)[0], 64,
           "not on %r" % address[:20])


def test_usage():
    for args in (("status", "x"), ("metrics", "x"), ("metrics", "--listen"),
                 ("metrics", "--listen", "127.0.0.1:0", "x")):
        eq(ctl(*args)[0], 64, " ".join(args))
    with open("/dev/full", "w") as full:
        p = subprocess.run(command("metrics"), stdout=full,
                           stderr=subprocess.DEVNULL)
    eq(p.returncode, 74, "what cannot be written is an error")


def test():
    global fixture
    import lib
    lib.fixture = fixture = Fixture()
    fixture.conf("auth { failure_limit = 8 failure_delay = 0s }")
    try:
        test_all()
    finally:
        for p in Server.started:
            p.kill()


def test_all():
    test_nothing_runs()
    fixture.start(*MASTERS)
    test_running()
    test_smtp_numbers()
    test_failures()
    test_blocked()
    test_http_numbers()
    test_gauges()
    test_kill()
    test_reload()
    test_bad_files()
    test_master_killed()
    test_stop()
    test_listen_port()
    test_listen_elsewhere()
    test_usage()


run(132, test)
