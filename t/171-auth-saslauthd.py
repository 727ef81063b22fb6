# SPDX-License-Identifier: ISC
# Passwords checked by saslauthd; what it asks in turn is an IMAP server
# (its mechanism rimap), which is ours, so nothing of the system is needed.
import shutil
import threading

from stores import *

PASSWORDS = ("alice-at-saslauthd", "bob \"at\" \\saslauthd")
USERS = dict(zip(("alice@example.test", "bob@example.test"), PASSWORDS))
MECHANISMS = ("PLAIN", "LOGIN")
DAEMON = shutil.which("saslauthd", path=os.environ["PATH"] +
                      ":/usr/sbin:/sbin")

asked = []          # the names, as saslauthd gives them
daemon = None
imap = None


def unquote(text):
    return re.sub(r"\\(.)", r"\1", text)


def answer(conn):
    """One client of IMAP: LOGIN "name" "password"."""
    with conn, conn.makefile("rwb") as c:
        c.write(b"* OK ready\r\n")
        c.flush()
        for line in c:
            tag, _, rest = line.decode().rstrip("\r\n").partition(" ")
            m = re.fullmatch(r'LOGIN "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"',
                             rest)
            good = False
            if m:
                user, password = unquote(m.group(1)), unquote(m.group(2))
                asked.append(user)
                good = USERS.get(user) == password
            c.write(b"%s %s x\r\n" % (tag.encode(), b"OK" if good or not m
                                      else b"NO"))
            c.flush()


def listen():
    global imap
    imap = socket.socket()
    imap.bind(("127.0.0.1", 0))
    imap.listen(20)

    def serve():
        while True:
            conn, _ = imap.accept()
            threading.Thread(target=answer, args=(conn,),
                             daemon=True).start()
    threading.Thread(target=serve, daemon=True).start()


def begin_daemon(f):
    global daemon
    mux = f.dir + "/saslauthd/mux"
    daemon = subprocess.Popen(
        [DAEMON, "-d", "-r", "-a", "rimap", "-O", "127.0.0.1/%d" %
         imap.getsockname()[1], "-n", "2", "-m", f.dir + "/saslauthd"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True)

    def works():
        with socket.socket(socket.AF_UNIX) as s:
            try:
                s.connect(mux)
            except OSError:
                return daemon.poll() is not None
            return True
    wait_for(works)
    if daemon.poll() is not None:
        raise RuntimeError("saslauthd does not run")
    os.chmod(mux, 0o777)


def end_daemon():
    """It and its children are a group of their own."""
    if daemon is not None and daemon.poll() is None:
        os.killpg(daemon.pid, signal.SIGTERM)
        try:
            daemon.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(daemon.pid, signal.SIGKILL)


def setup():
    f = lib.fixture = Fixture()
    os.mkdir(f.dir + "/saslauthd", 0o711)
    listen()
    begin_daemon(f)
    begin(f, 'store = saslauthd saslauthd = "%s/saslauthd/mux"' % f.dir)
    return f


def no_scram(f):
    with Smtp() as s:
        eq(s("AUTH SCRAM-SHA-256 " + b64("n,,n=alice,r=" + NONCE))[:9],
           "504 5.5.4", "SCRAM cannot be had: 504")
    ok("mechanism=SCRAM-SHA-256 is not offered" in f.log("postern-auth"),
       "and the log says why")


def questions():
    """What saslauthd is asked, and what not."""
    del asked[:]
    smtp("PLAIN", "Alice", "question")
    eq(asked, ["alice@example.test"],
       "it is asked once, for the name in its canonical form")
    del asked[:]
    eq([smtp("PLAIN", u, PASSWORDS[0]) for u in ("alice@other.test", "a b")],
       2 * [DENIED], "names of other domains, and what is no name")
    eq(smtp("PLAIN", "alice", 8800 * "x"), DENIED, "a very long password")
    eq(asked, [], "are refused without asking")
    for _ in range(3):
        http("bob", PASSWORDS[1])
    eq(asked, [], "a password that was right a moment ago is remembered")


def stuck(f):
    """A saslauthd that does not answer holds up none but who asks it."""
    children_of = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(daemon.pid)],
        stdout=subprocess.PIPE, text=True).stdout.split()
    pids = [daemon.pid] + [int(p) for p in children_of]
    for p in pids:
        os.kill(p, signal.SIGSTOP)
    with Smtp() as s, Smtp() as other:
        s.sock.sendall(b"AUTH PLAIN " + b64("\0alice\0held").encode() +
                       b"\r\n")
        eq(other("NOOP")[:3], "250", "it is stuck: others are served")
        for p in pids:
            os.kill(p, signal.SIGCONT)
        eq(s.reply(), DENIED, "it goes on: so does who waited")


def check(f):
    """SCRAM alone cannot be served."""
    f.conf('auth { mechanisms = { "SCRAM-SHA-256" } }')
    p = subprocess.run([os.environ["BUILDDIR"] + "/posternctl", "-c",
                        f.dir + "/postern.conf", "check"],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True)
    eq((p.returncode, "auth.mechanisms: saslauthd checks passwords" in
        p.stdout), (78, True), "check refuses SCRAM alone")


def test():
    try:
        f = setup()
        basics(PASSWORDS, MECHANISMS)
        no_scram(f)
        questions()
        stuck(f)
        f.stop()
        f.conf("auth { cache_time = 0 }")
        f.start(*MASTERS)
        away(PASSWORDS, MECHANISMS, end_daemon, lambda: begin_daemon(f))
        mux = f.dir + "/saslauthd/mux"
        os.rename(mux, mux + ".away")
        eq(smtp("PLAIN", "alice", "missing"), AWAY,
           "the socket is missing: 454")
        os.rename(mux + ".away", mux)
        eq(smtp("PLAIN", "alice", PASSWORDS[0]), WELCOME, "and is back")
        confined(f)
        check(f)
    finally:
        end_daemon()


if DAEMON is None:
    skip_all("no saslauthd")
run(36, test)
