# SPDX-License-Identifier: ISC
# Others read the Maildir while it is being filled: Dovecot lists, fetches,
# flags and moves messages, mutt opens the folder, as four clients send. Each
# message is seen whole, once, and none is lost.
import pty
import select
import shutil
import smtplib
import threading

from imap import *
from lib import *

SENDERS = 4
EACH = 60
errors = []


def text(name, n):
    """The message n of sender name: its lines tell if a part is missing."""
    lines = "".join("%s-%d line %d\r\n" % (name, n, i)
                    for i in range(1 + n * 7 % 90))
    return ("From: bob@%s\r\nSubject: %s-%d\r\n\r\n%send of %s-%d\r\n"
            % (DOMAIN, name, n, lines, name, n))


def sender(f, name):
    try:
        with smtplib.SMTP_SSL("localhost", f.smtps, "me.test", timeout=60,
                              context=f.context) as s:
            s.login("bob@" + DOMAIN, "bob-secret")
            for n in range(EACH):
                s.sendmail("bob@" + DOMAIN, ["alice@" + DOMAIN],
                           text(name, n))
    except Exception as e:
        errors.append("%s: %r" % (name, e))


def is_whole(octets):
    m = re.search(rb"^Subject: ([a-z]+)-(\d+)\r\n", octets, re.M)
    return m is not None and octets.endswith(
        text(m.group(1).decode(), int(m.group(2))).split(
            "\r\n\r\n", 1)[1].encode())


def subjects(octets):
    return re.findall(rb"^Subject: ([a-z]+-\d+)\r", octets, re.M)


class Mutt:
    """mutt on a screen of its own, with the folder open."""

    def __init__(self, f):
        home = f.dir + "/mutt"
        os.mkdir(home)
        with open(home + "/rc", "w") as c:
            c.write("set folder=%s record=\"\" move=no quit=yes\n"
                    "set mark_old=no delete=no wait_key=no sleep_time=0\n"
                    "set header_cache=\"\" read_inc=0 timeout=1\n"
                    "set mail_check=1 check_new=yes\n"
                    "set status_on_top=yes status_format=\"count:%%m:\"\n"
                    % home)
        give(home)
        self.seen = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm", HOME=home, LC_ALL="C.UTF-8",
                              LINES="40", COLUMNS="100")
            args = as_owner(f) + ["mutt", "-n", "-F", home + "/rc", "-f",
                                  maildir("alice")]
            os.execvp(args[0], args)

    def read(self):
        """What came on the screen; False at its end."""
        try:
            while select.select([self.fd], [], [], 0.05)[0]:
                self.seen += os.read(self.fd, 65536)
        except OSError:
            return False
        return True

    def shows(self, count):
        self.read()
        os.write(self.fd, b"\x0c")     # draws all of it again
        self.read()
        found = re.findall(rb"count:(\d+):", self.seen)
        return bool(found) and int(found[-1]) == count

    def end(self):
        os.write(self.fd, b"x")
        if not wait_for(lambda: not self.read()):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def dovecot(imap, busy):
    """Read on until the senders have ended and no more comes; what was
    read: {uid: octets}."""
    seen = {}
    imap.do("SELECT INBOX")
    while True:
        last = not busy()
        imap.do("NOOP")
        got = imap.do("UID SEARCH UNSEEN")
        line = re.search(rb"^\* SEARCH([ 0-9]*)\r$", got, re.M)
        for uid in line.group(1).decode().split() if line else []:
            body = imap.do("UID FETCH %s BODY[]" % uid)
            literal = re.search(rb"\{(\d+)\}\r\n", body)
            if literal is None:
                errors.append("no body: %r" % body)
                continue
            at = literal.end()
            if uid in seen:
                errors.append("uid %s twice" % uid)
            seen[uid] = body[at:at + int(literal.group(1))]
            if int(uid) % 5 == 0:
                imap.do("UID STORE %s +FLAGS (\\Flagged)" % uid)
        if last and len(seen) >= SENDERS * EACH:
            return seen
        if last and not wait_for(lambda: b" EXISTS" in imap.do("NOOP"), 10):
            return seen


def test():
    f = start("auth { failure_delay = 0 }", *MASTERS)
    names = ["ann", "ben", "cat", "dan"][:SENDERS]
    threads = [threading.Thread(target=sender, args=(f, name))
               for name in names]
    imap = mutt = None
    if os.access(IMAP, os.X_OK):
        imap = Imap(f, maildir("alice"))
        if not imap.greeting.startswith(b"* PREAUTH"):
            imap = None
    for t in threads:
        t.start()
    if shutil.which("mutt") is not None:
        mutt = Mutt(f)
    seen = dovecot(imap, lambda: any(t.is_alive() for t in threads)) \
        if imap else {}
    for t in threads:
        t.join()
    want = sorted("%s-%d" % (name, n) for name in names for n in range(EACH))
    eq(errors, [], "all were sent, and read without a fault")
    if imap is None:
        skip("no dovecot-imapd, or it does not start here", 2)
    else:
        eq([u for u in seen if not is_whole(seen[u])], [],
           "Dovecot saw each message whole")
        eq(sorted(s.decode() for u in seen for s in subjects(seen[u])), want,
           "and each one once")
        imap.do("LOGOUT")
        imap.p.wait()
    if mutt is None:
        skip("no mutt")
    else:
        ok(wait_for(lambda: mutt.shows(len(want))),
           "mutt, open all the time, shows how many there are",
           mutt.seen[-2000:])
        mutt.end()
    rows = []
    r = listing("alice", "?limit=1000")
    rows += [m["subject"] for m in r["messages"]]
    eq(sorted(rows), want, "the list has each one once")


run(5, test)
