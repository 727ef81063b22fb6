# SPDX-License-Identifier: ISC
"""Quotas of mailboxes over SMTP: at RCPT, at the end of a message, with many
senders at once, whatever becomes of them; and with other programs that
write to the mailbox."""
import shutil
import signal
import threading
import lib
from lib import *

OVER = "452 4.2.2"
LIMIT = 20000


class Smtp:
    """A session that is logged in. Replies are "250 2.1.5"."""

    def __init__(self, user="alice"):
        self.conn = Conn(lib.fixture.smtps)
        self.user = user + "@" + DOMAIN
        self.reply()
        login = "\0%s\0%s-secret" % (self.user, user)
        self.cmd("EHLO client.test")
        self.cmd("AUTH PLAIN " + base64.b64encode(login.encode()).decode())

    def reply(self):
        c = self.conn
        while True:
            while b"\r\n" not in c.buf:
                c.fill()
            line = c.take(c.buf.index(b"\r\n") + 2).decode()
            if line[3] == " ":
                m = re.match(r"\d{3}( \d\.\d\.\d+)?", line)
                return m.group(0)

    def cmd(self, line):
        self.conn.send(line + "\r\n")
        return self.reply()

    def mail(self, size=None):
        more = "" if size is None else " SIZE=%d" % size
        return self.cmd("MAIL FROM:<%s>%s" % (self.user, more))

    def rcpt(self, to):
        return self.cmd("RCPT TO:<%s@%s>" % (to, DOMAIN))

    def data(self, size):
        """A message of about size octets; the final reply."""
        r = self.cmd("DATA")
        if r[:3] != "354":
            return r
        self.conn.send(text(size) + "\r\n.")
        return self.cmd("")

    def send(self, to, size, declared=None):
        """The replies to RCPT, and the final one if any was good."""
        self.mail(declared)
        got = [self.rcpt(t) for t in ([to] if isinstance(to, str) else to)]
        if "250 2.1.5" not in got:
            self.cmd("RSET")
            return got
        return got + [self.data(size)]


def text(size):
    line = "x" * 70 + "\r\n"
    return "Subject: quota\r\n\r\n" + line * (size // 72)


def box(user):
    return "%s/mail/%s/%s" % (lib.fixture.dir, DOMAIN, user)


def files(user, folder="new"):
    path = box(user) + "/Maildir/" + folder
    return [path + "/" + n for n in sorted(os.listdir(path))] \
        if os.path.isdir(path) else []


def use(user):
    """Octets and messages that are there."""
    found = [os.stat(f).st_size for f in files(user) + files(user, "cur")]
    return sum(found), len(found)


def sizes(user):
    """The limits and the sums of maildirsize."""
    with open(box(user) + "/Maildir/maildirsize") as f:
        lines = f.read().splitlines()
    sums = [tuple(int(n) for n in re.findall(r"-?\d+ *", line))
            for line in lines[1:]]
    if not sums or any(len(n) != 2 for n in sums):
        return "malformed", lines
    return lines[0], (sum(s[0] for s in sums), sum(s[1] for s in sums))


def empty(*users):
    """As another program does it: without a word to anybody but that the
    mailbox is to be counted."""
    for user in users:
        for f in files(user) + files(user, "cur"):
            os.unlink(f)
        if os.path.isfile(box(user) + "/Maildir/maildirsize"):
            os.unlink(box(user) + "/Maildir/maildirsize")
    s = Smtp()
    s.mail()
    for user in users:      # nothing is counted again too soon
        wait_for(lambda: s.rcpt(user) == "250 2.1.5")
    s.cmd("RSET")


def quota(user, *values):
    """posternctl quota set, or remove."""
    name = user + "@" + DOMAIN
    lib.fixture.ctl("quota", *(("set", name) + values if values else
                           ("remove", name)))


def at_rcpt():
    s = Smtp()
    eq(s.send("bob", 100, LIMIT + 1), [OVER], "declared too big: at RCPT")
    eq(files("bob"), [], "nothing comes")
    eq(s.send("bob", 100, LIMIT), ["250 2.1.5", "250 2.0.0"],
       "just the limit is taken")
    total = use("bob")
    eq(sizes("bob"), ("%dS" % LIMIT, total), "maildirsize is right")
    with open(files("bob")[0], "rb") as f:
        stored = f.read()
    eq(total[0], len(stored), "it counts the octets of the file")
    eq(s.send("bob", 100, LIMIT - total[0] + 1), [OVER],
       "with the first one it is too much")
    eq(s.send("bob", 100, LIMIT - total[0]), ["250 2.1.5", "250 2.0.0"],
       "and here just the limit")
    eq(sizes("bob")[1], use("bob"), "maildirsize has both")
    ok("over quota mailbox=%s/bob " % DOMAIN in lib.fixture.log("postern-smtpd"),
       "it is logged")
    lines = lib.fixture.log("postern-smtpd").count("over quota mailbox=")
    eq([s.send("bob", 100, LIMIT) for _ in range(60)], [[OVER]] * 60,
       "however often")
    lines = lib.fixture.log("postern-smtpd").count("over quota mailbox=") \
        - lines
    ok(lines < 10, "and not each time", "%d lines" % lines)
    empty("bob")


def at_commit():
    s = Smtp()
    eq(s.send("bob", LIMIT), ["250 2.1.5", OVER], "too big: at the end")
    eq((files("bob"), files("bob", "tmp")), ([], []), "nothing is stored")
    eq(s.send("bob", LIMIT, 100), ["250 2.1.5", OVER],
       "bigger than it was declared")
    eq(files("bob"), [], "nothing of that either")
    eq(s.send("bob", 12000), ["250 2.1.5", "250 2.0.0"], "one that fits")
    eq(s.send("bob", 9000), ["250 2.1.5", OVER], "a second that does not")
    eq(s.send("bob", 5000), ["250 2.1.5", "250 2.0.0"], "a third that does")
    eq(sizes("bob")[1], use("bob"), "maildirsize has those two")
    empty("bob")


def big():
    """Past what the store keeps in memory."""
    quota("bob", "500K")
    s = Smtp()
    eq([s.send("bob", size)[-1] for size in (600000, 400000, 400000)],
       [OVER, "250 2.0.0", OVER], "big ones, in a file already")
    eq(sizes("bob")[1], use("bob"), "maildirsize has one of them")
    quota("bob")
    empty("bob")


def failed():
    """The commit fails: nothing is charged, and nothing stays held."""
    s = Smtp()
    new = box("bob") + "/Maildir/new"
    s.send("bob", 100)
    before = sizes("bob")
    os.chmod(new, 0o555)
    eq(s.send("bob", 12000)[-1], "451 4.3.0", "a folder cannot be written")
    os.chmod(new, 0o750)
    eq(sizes("bob"), before, "nothing is charged")
    eq(s.send("bob", 12000)[-1], "250 2.0.0", "nothing stays held")
    empty("bob")


def messages():
    quota("bob", "0", "3")
    s = Smtp()
    eq([s.send("bob", 5000)[-1] for _ in range(5)],
       ["250 2.0.0"] * 3 + [OVER] * 2, "three messages, and no more")
    eq(sizes("bob"), ("3C", use("bob")), "maildirsize has the limit")
    # three at RCPT are three, though none has come
    empty("bob")
    many = [Smtp() for _ in range(4)]
    eq([(c.mail(), c.rcpt("bob"))[1] for c in many],
       ["250 2.1.5"] * 3 + [OVER], "reserved messages count")
    quota("bob")


def one_of_several():
    s = Smtp()
    quota("bob", "1000")
    eq(s.send(["bob", "carol"], 3000, 3000),
       [OVER, "250 2.1.5", "250 2.0.0"], "one is over at RCPT")
    eq((use("bob")[1], use("carol")[1]), (0, 1), "the other gets it")
    eq(s.send(["carol", "bob"], 3000), ["250 2.1.5", "250 2.1.5", OVER],
       "one is over at the end")
    eq((use("bob")[1], use("carol")[1]), (0, 1), "none gets it")
    eq(sizes("carol")[1], use("carol"), "none is charged")
    quota("bob", "9000")
    eq(s.send(["carol", "bob", "bob", "BOB", "bob+tag"], 3000, 4000),
       ["250 2.1.5"] * 5 + ["250 2.0.0"], "one mailbox under many names")
    eq(use("bob")[1], 1, "has it once")
    eq(sizes("bob")[1], use("bob"), "and is charged once")
    one = os.stat(files("bob")[0])
    two = os.stat(files("carol")[1])
    eq((one.st_ino, one.st_size), (two.st_ino, two.st_size),
       "two that share a file")
    eq(sizes("carol")[1], use("carol"), "are both charged all of it")
    quota("bob")
    empty("bob", "carol")


def aliases():
    """One address, several mailboxes: all of them have room, or none."""
    lib.fixture.ctl("alias", "add", "team@" + DOMAIN, "bob@" + DOMAIN,
                    "carol@" + DOMAIN)
    quota("carol", "5000")
    quota("bob", "5000")
    s, other = Smtp(), Smtp()
    eq(s.send("team", 3000, 3000), ["250 2.1.5", "250 2.0.0"],
       "an alias of two mailboxes")
    eq((sizes("bob")[1], sizes("carol")[1]), (use("bob"), use("carol")),
       "both are charged")
    empty("bob")
    s.mail(3000)
    eq(s.rcpt("team"), OVER, "one has no room: the alias has none")
    other.mail(4000)
    eq(other.rcpt("bob"), "250 2.1.5", "nothing stays reserved in the other")
    eq(s.rcpt("bob"), OVER, "what has reserved it has it")
    for c in (s, other):
        c.cmd("QUIT")
    quota("bob")
    quota("carol")
    empty("bob", "carol")


def freed(what, free):
    """Is what a transaction has reserved given back?"""
    holder, other = Smtp(), Smtp()
    holder.mail(LIMIT - 5000)
    got = [holder.rcpt("bob")]
    other.mail(6000)
    got.append(other.rcpt("bob"))
    free(holder)
    back = wait_for(lambda: other.rcpt("bob") == "250 2.1.5")
    eq((got, back), (["250 2.1.5", OVER], True), what)
    other.cmd("QUIT")


def abandon(holder):
    holder.cmd("DATA")
    holder.conn.send(text(3000))
    holder.conn.close()


def refused(holder):
    holder.cmd("DATA")
    holder.conn.send("From: bob@%s\r\n\r\n.\r\n" % DOMAIN)
    holder.reply()


def too_big(holder):
    holder.data(LIMIT)


def reservations():
    freed("RSET gives back", lambda h: h.cmd("RSET"))
    freed("EHLO gives back", lambda h: h.cmd("EHLO again.test"))
    freed("QUIT gives back", lambda h: h.cmd("QUIT"))
    freed("the end of a connection gives back", lambda h: h.conn.close())
    freed("so it does in the middle of a message", abandon)
    freed("a message that is refused gives back", refused)
    freed("one that is over quota gives back", too_big)
    eq(files("bob"), [], "nothing was delivered")


def reload():
    """Another default, for the connections after it."""
    s = Smtp()
    eq(s.send("bob", 6000)[-1], "250 2.0.0", "before a reload")
    pid = lib.fixture.pid("postern-smtpd")
    lib.fixture.conf("delivery { quota = 10000 }")
    os.kill(pid, signal.SIGHUP)
    eq(wait_for(lambda: tried(5000) == OVER), True, "less after it")
    eq(sizes("bob"), ("10000S", use("bob")), "maildirsize has the new limit")
    lib.fixture.conf("delivery { quota = %d }" % LIMIT)
    os.kill(pid, signal.SIGHUP)
    eq(wait_for(lambda: tried(5000) == "250 2.1.5"), True,
       "and more after another")
    # a session of before may take the connection still
    eq(wait_for(lambda: Smtp().send("bob", 5000)[-1] == "250 2.0.0"), True,
       "one that fits now")
    eq(sizes("bob"), ("%dS" % LIMIT, use("bob")), "maildirsize as well")
    empty("bob")


def sessions_killed():
    s = Smtp()
    s.mail(LIMIT - 5000)
    first = s.rcpt("bob")
    old = children(lib.fixture.pid("postern-smtpd"))["smtpd-session"]
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    eq((first, wait_for(lambda: again(6000))), ("250 2.1.5", True),
       "session processes that are killed give back")
    empty("bob")


def tried(size):
    """RCPT of that declared size. The services may be starting."""
    try:
        s = Smtp()
        s.mail(size)
        return s.rcpt("bob")
    except (Closed, OSError, AttributeError):
        return "nothing"


def again(size):
    """Is one of that size taken?"""
    try:
        return Smtp().send("bob", 100, size)[-1] == "250 2.0.0"
    except (Closed, OSError, AttributeError):
        return False


def store_killed():
    s = Smtp()
    eq(s.send("bob", 12000)[-1], "250 2.0.0", "one before the store ends")
    pid = children(lib.fixture.pid("postern-smtpd"))["smtpd-store"][0]
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not runs(pid))
    ok(wait_for(lambda: again(5000)), "the next store takes one")
    eq(sizes("bob")[1], use("bob"), "and knows of both")
    eq(Smtp().send("bob", 100, 9000), [OVER], "so the limit holds")
    empty("bob")


# --- at the same time

def together(n, work):
    """Run work(session, barrier) n times at once; the results."""
    barrier = threading.Barrier(n)
    sessions = [Smtp() for _ in range(n)]
    got = [None] * n

    def one(i):
        got[i] = work(sessions[i], barrier)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return got


def in_step(declared, size):
    """All at RCPT before any goes on, all at the end of theirs too."""
    def work(s, barrier):
        s.mail(declared)
        got = s.rcpt("bob")
        barrier.wait()
        if got != "250 2.1.5":
            barrier.wait()
            return got
        s.cmd("DATA")
        s.conn.send(text(size) + "\r\n.")
        barrier.wait()
        return s.cmd("")
    return work


def at_will(declared, size):
    """Again and again, until there is no room."""
    def work(s, barrier):
        barrier.wait()
        for _ in range(100):
            got = s.send("bob", size, declared)[-1]
            if got != "250 2.0.0":
                break
        return got
    return work


def same_time(n, size, declared):
    what = "%d senders, %s SIZE" % (n, "with" if declared else "without")
    empty("bob")
    got = together(n, in_step(declared, size))
    bytes_, count = use("bob")
    eq((got.count("250 2.0.0"), count, set(got) <= {"250 2.0.0", OVER}),
       (LIMIT // (size + 500), LIMIT // (size + 500), True),
       what + ": as many as fit")
    ok(bytes_ <= LIMIT, what + ": within the limit", bytes_)
    eq(sizes("bob")[1], (bytes_, count), what + ": maildirsize is right")
    empty("bob")
    got = together(n, at_will(declared and 2500, 2000))
    bytes_, count = use("bob")
    ok(LIMIT - 3000 < bytes_ <= LIMIT, what + ": up to the limit", bytes_)
    eq(set(got), {OVER}, what + ": in the end all are told")
    eq(sizes("bob")[1], (bytes_, count), what + ": maildirsize again")


def parallel():
    same_time(2, 11000, 12000)
    same_time(2, 11000, None)
    same_time(10, 6000, 6500)
    same_time(10, 6000, None)
    empty("bob")
    got = together(10, many_boxes)
    for user in ("bob", "carol", "alice"):
        ok(use(user)[0] <= LIMIT and sizes(user)[1] == use(user),
           "several recipients each: within the limit: " + user,
           use(user), sizes(user))
    ok("250 2.0.0" in got, "some were taken", got)
    empty("alice", "bob", "carol")


def many_boxes(s, barrier):
    barrier.wait()
    for i in range(6):
        to = ["bob", "carol", "alice"][:1 + i % 3]
        got = s.send(to, 1500, 2500 if i % 2 else None)
    return got[-1] if got[-1] != OVER else "250 2.0.0"


# --- other programs

def by_hand():
    s = Smtp()
    while s.send("bob", 6000)[-1] == "250 2.0.0":
        pass
    eq(s.send("bob", 6000)[-1], OVER, "full, and still full")
    eq(sizes("bob")[1], use("bob"), "maildirsize is right")
    os.unlink(files("bob")[0])
    ok(wait_for(lambda: s.send("bob", 6000)[-1] == "250 2.0.0"),
       "one is removed, one fits")
    eq(sizes("bob")[1], use("bob"), "counted anew")
    # it was read, so that it has gone to cur/, and has no size in its name
    path = files("bob")[0]
    cur = box("bob") + "/Maildir/cur/"
    os.rename(path, cur + os.path.basename(path).split(",")[0] + ":2,S")
    os.unlink(box("bob") + "/Maildir/maildirsize")
    eq(s.send("bob", 6000)[-1], OVER, "what was read counts")
    eq(wait_for(lambda: s.send("bob", 6000)[-1] == OVER and
                os.path.exists(box("bob") + "/Maildir/maildirsize") and
                sizes("bob")[1]), use("bob"), "with the size of its file")
    for bad in ("", "%dS\n" % LIMIT, "1S\n0 0\n", "nonsense\n",
                "%dS\n0 0\n0 x\n" % LIMIT, "%dS\n" % LIMIT + "0 0\n" * 1500):
        with open(box("bob") + "/Maildir/maildirsize", "w") as f:
            f.write(bad)
        if not wait_for(lambda: s.send("bob", 6000) == ["250 2.1.5", OVER]
                        and sizes("bob") == ("%dS" % LIMIT, use("bob"))):
            ok(False, "a maildirsize that is wrong", bad[:50], sizes("bob"))
            break
    else:
        ok(True, "a maildirsize that is wrong is made anew")
    # it cannot be written
    empty("bob")
    os.unlink(box("bob") + "/Maildir/maildirsize")
    os.makedirs(box("bob") + "/Maildir/maildirsize/x")
    eq([s.send("bob", 6000)[-1] for _ in range(4)],
       ["250 2.0.0"] * 3 + [OVER], "without it the limit holds")
    ok("cannot write maildirsize" in lib.fixture.log("postern-smtpd"),
       "and it is logged")
    shutil.rmtree(box("bob") + "/Maildir/maildirsize")
    empty("bob")


def own_limits():
    s = Smtp()
    quota("bob", "5K")
    eq(s.send("bob", 100, 5121), [OVER], "a smaller limit, at once")
    eq(s.send("bob", 100, 5120)[-1], "250 2.0.0", "up to that")
    eq(sizes("bob"), ("5120S", use("bob")), "maildirsize has it")
    quota("bob", "30000")
    eq(s.send("bob", 24000)[-1], "250 2.0.0", "a greater one")
    quota("bob", "0")
    ok(not os.path.exists(box("bob") + "/Maildir/maildirsize"),
       "without a limit there is no maildirsize")
    eq(s.send("bob", 40000)[-1], "250 2.0.0", "and no limit")
    ok(not os.path.exists(box("bob") + "/Maildir/maildirsize"),
       "and still no maildirsize")
    with open(box("bob") + "/quota", "w") as f:
        f.write("lots\n")
    eq(s.send("bob", 100), [OVER], "a bad file: the default")
    ok("bad quota file mailbox=%s/bob" % DOMAIN in
       lib.fixture.log("postern-smtpd"), "and a line in the log")
    quota("bob")
    eq(s.send("bob", 100), [OVER], "none: the default")
    empty("bob")


def doveadm(*args):
    """Its standard output, of bob's mailbox, or None."""
    conf = lib.fixture.dir + "/dovecot.conf"
    with open(conf, "w") as f:
        f.write("base_dir = %s/dove\nstate_dir = %s/dove\n"
                "log_path = /dev/stderr\nmail_location = maildir:%s\n"
                "mail_plugins = quota\n"
                "plugin {\nquota = maildir:User quota\n}\n" %
                (lib.fixture.dir, lib.fixture.dir, box("bob") + "/Maildir"))
    os.makedirs(lib.fixture.dir + "/dove", exist_ok=True)
    give(lib.fixture.dir + "/dove")
    who = []
    if os.getuid() == 0:
        st = os.stat(lib.fixture.dir)
        who = ["setpriv", "--reuid=%d" % st.st_uid, "--regid=%d" % st.st_gid,
               "--clear-groups"]
    env = dict(os.environ, HOME=lib.fixture.dir + "/dove", USER="bob")
    p = subprocess.run(who + ["doveadm", "-f", "tab", "-c", conf, *args],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       stdin=subprocess.DEVNULL, text=True, env=env)
    if p.returncode != 0:
        diag("doveadm %s:" % (args,), p.stderr)
        return None
    return p.stdout


def dove_use():
    """KiB and messages, and their limits, as Dovecot has them."""
    out = doveadm("quota", "get") or ""
    rows = {}
    for line in out.splitlines()[1:]:
        f = line.split("\t")
        rows[f[1]] = tuple(f[2:4])
    return rows


def dovecot():
    n = 8
    if shutil.which("doveadm") is None:
        return skip("no Dovecot", n)
    try:
        with open(box("bob") + "/Maildir/maildirsize", "w") as f:
            f.write("1S\n1 1\n")
        give(f.name)
    except OSError:
        pass
    if doveadm("quota", "get") is None:
        return skip("Dovecot without its quota plugin", n)
    os.unlink(box("bob") + "/Maildir/maildirsize")
    quota("bob", "100K", "5")
    s = Smtp()
    for size in (3000, 5000, 7000):
        s.send("bob", size)
    bytes_, count = use("bob")
    kib = str((bytes_ + 1023) // 1024)
    eq(dove_use(), {"STORAGE": (kib, "100"), "MESSAGE": (str(count), "5")},
       "Dovecot reads the same numbers")
    before = sizes("bob")
    doveadm("quota", "recalc")
    eq(sizes("bob"), before, "counts the same")
    eq(before, ("102400S,5C", use("bob")), "which are those of the files")
    doveadm("expunge", "mailbox", "INBOX", "1")
    eq(sizes("bob")[1], use("bob"), "what it removes is taken off")
    eq([s.send("bob", 3000)[-1] for _ in range(4)],
       ["250 2.0.0"] * 3 + [OVER], "and is room for more")
    eq(sizes("bob")[1], use("bob"), "both have written to it")
    eq(dove_use()["MESSAGE"], ("5", "5"), "Dovecot sees it full")
    doveadm("expunge", "mailbox", "INBOX", "all")
    ok(wait_for(lambda: s.send("bob", 3000)[-1] == "250 2.0.0"),
       "emptied, it takes mail")
    quota("bob")
    empty("bob")


def test():
    f = lib.fixture = Fixture()
    os.mkdir(f.dir + "/etc")
    give(f.dir + "/etc")
    f.conf('delivery { quota = %d aliases = "%s/etc/aliases" } '
           "limits { errors_per_session = 1000 "
           "messages_per_session = 1000 }" % (LIMIT, f.dir))
    f.start("postern-auth", "postern-smtpd")
    at_rcpt()
    at_commit()
    big()
    failed()
    messages()
    one_of_several()
    aliases()
    reservations()
    parallel()
    by_hand()
    own_limits()
    dovecot()
    reload()
    sessions_killed()
    store_killed()
    eq([u for u in ("alice", "bob", "carol") if files(u, "tmp")], [],
       "nothing is left in tmp/")


run(117, test)
