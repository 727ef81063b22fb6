# SPDX-License-Identifier: ISC
# Dovecot and mutt on the same Maildir: what was sent is what they show, what
# they do with it is what the list shows, and ids stay.
import pty
import select
import smtplib

from imap import *
from lib import *

def send(f, subject, body):
    with smtplib.SMTP("localhost", f.smtp, "me.test",
                      source_address=("127.0.0.1", 0)) as s:
        s.starttls(context=f.context)
        s.login("bob@" + DOMAIN, "bob-secret")
        s.sendmail("bob@" + DOMAIN, ["alice@" + DOMAIN],
                   "From: bob@%s\r\nSubject: %s\r\n\r\n%s\r\n"
                   % (DOMAIN, subject, body))


def by_subject():
    return {m["subject"]: m for m in listing("alice")["messages"]}


def dovecot(f):
    if not os.access(IMAP, os.X_OK):
        skip("no dovecot-imapd", 13)
        return
    imap = Imap(f, maildir("alice"))
    if not imap.greeting.startswith(b"* PREAUTH"):
        skip("dovecot does not start here", 13)
        return
    before = by_subject()
    got = imap.do("SELECT INBOX")
    ok(b"* 3 EXISTS" in got, "Dovecot: three messages", got)
    for subject in ("one", "two", "three"):
        n = imap.do("SEARCH SUBJECT " + subject).split()[2].decode()
        body = get(before[subject]["url"], "alice").body
        got = imap.do("FETCH %s (RFC822.SIZE BODY.PEEK[])" % n)
        ok(b"RFC822.SIZE %d " % before[subject]["size"] in got and
           body in got, "Dovecot: message %s has the same octets" % subject,
           got)
    eq({s: (m["id"], m["size"]) for s, m in by_subject().items()},
       {s: (m["id"], m["size"]) for s, m in before.items()},
       "it has moved them: the same ids and sizes")
    imap.do("STORE 1 FLAGS (\\Seen \\Answered \\Flagged)")
    imap.do("STORE 2 +FLAGS (\\Seen \\Draft $Label)")
    after = by_subject()
    eq([sorted(after[s]["flags"]) for s in ("one", "two", "three")],
       [["answered", "flagged", "seen"], ["draft", "seen"], []],
       "flags that Dovecot set are shown")
    eq(listing("alice")["unseen"], 1, "and counted")
    eq([get(before[s]["url"], "alice").status for s in before],
       [200, 200, 200], "the urls from before work")
    imap.do("STORE 1 +FLAGS (\\Deleted)")
    eq("trashed" in by_subject()["one"]["flags"], True, "marked for deletion")
    imap.do("EXPUNGE")
    eq((get(before["one"]["url"], "alice").status, sorted(by_subject())),
       (404, ["three", "two"]), "expunged: gone")
    text = b"Subject: four\r\n\r\nappended\r\n"
    imap.do("APPEND INBOX (\\Seen) {%d}" % len(text), text)
    four = by_subject().get("four", {})
    eq((four.get("size"), four.get("flags"),
        get(four.get("url", "/"), "alice").body), (len(text), ["seen"], text),
       "what Dovecot stores is served")
    send(f, "five", "after")
    ok(b"EXISTS" in imap.do("NOOP") or b"EXISTS" in imap.do("CHECK") +
       imap.do("NOOP"), "new mail is seen by Dovecot")
    ok(imap.do("LOGOUT").startswith(b"* BYE"), "Dovecot: the end")
    imap.p.wait()


def mutt(f):
    if subprocess.run(["sh", "-c", "command -v mutt"],
                      stdout=subprocess.DEVNULL).returncode != 0:
        skip("no mutt", 4)
        return
    send(f, "for mutt", "hello mutt")
    home = f.dir + "/mutt"
    os.mkdir(home)
    with open(home + "/rc", "w") as c:
        c.write("set folder=%s spoolfile=%s record=\"\"\n" % (home, home))
        c.write("set move=no quit=yes mark_old=no sort=date-received\n"
                "set confirmappend=no delete=yes pager_stop wait_key=no\n"
                "set header_cache=\"\" read_inc=0 sleep_time=0\n")
    give(home)
    before = by_subject()
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm", HOME=home, LC_ALL="C.UTF-8",
                          LINES="40", COLUMNS="100")
        args = as_owner(f) + ["mutt", "-n", "-F", home + "/rc", "-f",
                              maildir("alice")]
        os.execvp(args[0], args)
    seen = b""

    def shows(text):
        """Is it on the screen soon? With None: has it ended?"""
        nonlocal seen
        end = time.monotonic() + PATIENCE
        while text is None or text not in seen:
            try:
                if not select.select([fd], [], [], max(
                        0, end - time.monotonic()))[0]:
                    return False
                seen += os.read(fd, 65536)
            except OSError:
                return text is None
        return True

    def keys(text):
        nonlocal seen
        seen = b""
        os.write(fd, text)

    ok(shows(b"for mutt"), "mutt lists what was sent", seen)
    keys(b"l~s \"for mutt\"\r\r")
    ok(shows(b"hello mutt"), "and shows it", seen)
    keys(b"qFq")
    if not shows(None):
        diag("mutt does not end", seen)
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(fd)
    after = by_subject()
    eq((sorted(after["for mutt"]["flags"]), after["for mutt"]["id"]),
       (["flagged", "seen"], before["for mutt"]["id"]),
       "its flags are shown, the id is the same")
    eq(sorted(after), sorted(before), "all messages are still there")


def test():
    f = start("auth { failure_delay = 0 }", *MASTERS)
    for i, subject in enumerate(("one", "two", "three")):
        send(f, subject, "line\r\n..dot\r\n\r\n" + "long line\r\n" * i * 90)
    eq(sorted(by_subject()), ["one", "three", "two"], "three messages sent")
    dovecot(f)
    mutt(f)


run(18, test)
