# SPDX-License-Identifier: ISC
"""Random sessions against a model of the server: the table of states and
what the arguments are worth. All of a session is cut into random pieces and
sent without waiting; every reply and every stored message must be as the
model says. SEED=n repeats one session."""
import os
import random
import re
import socket
from lib import *

WALKS = 24
COMMANDS = 150
SIZE_MAX = 65536
LOGIN = base64.b64encode(b"\0alice@example.test\0alice-secret").decode()
FAILED = base64.b64encode(b"\0alice@example.test\0wrong").decode()
NOBODY = base64.b64encode(b"\0nobody@example.test\0alice-secret").decode()

# What a command says in a state that takes it: reply, and whether it counts.
OK, NOT = True, False
LINES = {
    "EHLO": [("EHLO a.test", "250", OK), ("EHLO [127.0.0.1]", "250", OK),
             ("ehlo", "501 5.5.4", NOT), ("EHLO a b", "501 5.5.4", NOT)],
    "HELO": [("HELO a.test", "250", OK), ("HELO", "501 5.5.4", NOT)],
    "AUTH": [("AUTH PLAIN " + LOGIN, "235 2.7.0", OK),
             ("AUTH PLAIN\r\n" + LOGIN, "334 235 2.7.0", OK),
             ("AUTH PLAIN " + FAILED, "535 5.7.8", NOT),
             ("AUTH PLAIN\r\n" + NOBODY, "334 535 5.7.8", NOT),
             ("AUTH PLAIN\r\n*", "334 501 5.7.0", NOT),
             ("AUTH LOGIN\r\n!", "334 501 5.5.2", NOT),
             ("AUTH WAFFLE", "504 5.5.4", NOT), ("AUTH", "501 5.5.4", NOT)],
    "MAIL": [("MAIL FROM:<alice@example.test>", "250 2.1.0", OK),
             ("MAIL FROM:<alice@example.test> SIZE=100", "250 2.1.0", OK),
             ("MAIL FROM:<>", "250 2.1.0", OK),
             ("MAIL FROM:<> BODY=8BITMIME", "250 2.1.0", OK),
             ("MAIL FROM:<> BODY=BINARYMIME", "250 2.1.0", OK),
             ("MAIL FROM:<> body=binarymime", "250 2.1.0", OK),
             ("MAIL FROM:<alice+x@EXAMPLE.test>", "250 2.1.0", OK),
             ("MAIL FROM:<bob@example.test>", "553 5.7.1", NOT),
             ("MAIL FROM:<alice@>", "501 5.5.4", NOT),
             ("MAIL FROM:<> X=1", "555 5.5.4", NOT)],
    "RCPT": [("RCPT TO:<bob@example.test>", "250 2.1.5", "bob"),
             ("RCPT TO:<Carol+x@example.test>", "250 2.1.5", "carol"),
             ("RCPT TO:<nobody@example.test>", "550 5.1.1", NOT),
             ("RCPT TO:<bob@other.test>", "550 5.7.1", NOT),
             ("RCPT TO:bob@example.test", "501 5.5.4", NOT),
             ("RCPT TO:<bob@example.test> X", "555 5.5.4", NOT)],
    "DATA": [("DATA", "354", OK), ("data", "354", OK),
             ("DATA x", "501 5.5.4", NOT)],
    "BDAT": [("", "", NOT)],    # see chunk()
    "STARTTLS": [("STARTTLS x", "501 5.5.4", NOT)],
    "RSET": [("RSET", "250 2.0.0", OK), ("RSET x", "501 5.5.4", NOT)],
    "NOOP": [("NOOP x", "250 2.0.0", OK), ("noop ", "250 2.0.0", OK)],
    "VRFY": [("VRFY bob", "252 2.5.2", OK), ("VRFY", "501 5.5.4", NOT)],
    "HELP": [("HELP", "214 2.0.0", OK), ("help Bdat ", "214 2.0.0", OK),
             ("HELP me", "504 5.5.4", NOT)],
    "other": [("WAFFLE", "500 5.5.2", NOT), ("", "500 5.5.2", NOT),
              ("x" * 3000, "500 5.5.2", NOT), ("EXPN bob", "502 5.5.1", NOT)],
}
VERBS = list(LINES)
WEIGHTS = [1, 1, 4, 16, 16, 8, 16, 1, 1, 1, 1, 1, 2]
# Behind these nobody knows where the next command begins.
MALFORMED = [b"BDAT -1", b"BDAT", b"BDAT 1 FIRST", b"BDAT 4294967297 LAST",
             b"BDAT 0x2", b"BDAT  2", b"BDAT 2 LAST LAST",
             b"BDAT 1" + b" " * 600]


def read_table():
    """{(state, verb): next state or the codes of the refusal}"""
    table = {}
    with open(SRCDIR + "/t/golden/smtp-table.txt") as f:
        for line in f:
            state, verb, what = line.split("\t")[:3]
            table[state, verb] = state if what == "stay" else what
    return table


class Walk:
    def __init__(self, seed, table, state):
        self.random = random.Random(seed)
        self.seed, self.table, self.state = seed, table, state
        self.octets = b""
        self.replies = []
        self.esmtp = self.binary = False
        self.rest = self.reply = None   # of a message in chunks
        self.rcpts = set()
        self.mail = {"bob": [], "carol": []}
        self.n = 0

    def line(self):
        """One of a message, as it is meant."""
        r = self.random
        kind = r.randrange(6)
        if kind == 0:
            return b"." * r.randrange(4)
        if kind == 1:
            return bytes(r.choice(b"\t .\x80\xff~") for _ in range(70))
        if kind == 2:
            return b"x" * r.randrange(999)
        return r.choice([b"", b"QUIT", b".x", b"MAIL FROM:<>", b"From: x"])

    def noise(self):
        """Octets that are no lines."""
        r = self.random
        return bytes(r.choice(b"\r\n\0.\xffx")
                     for _ in range(r.randrange(90)))

    def message(self):
        """Octets as they are meant; the reply."""
        self.n += 1
        body = b"".join(self.line() + b"\r\n"
                        for _ in range(self.random.randrange(12)))
        head = b"X-Walk: %d-%d\r\n" % (self.seed, self.n)
        kind = self.random.randrange(6)
        reply = "250 2.0.0"
        if kind == 0:
            head += b"From: bob@example.test\r\n"
            reply = "550 5.7.1"
        elif kind == 1 and not self.binary:
            body += b"a\0b\r\n"
            reply = "550 5.6.0"
        else:
            head += b"From: Alice <alice@example.test>\r\n"
        if self.binary:
            body += self.noise()
        return head + b"\r\n" + body, reply

    def deliver(self, text, reply):
        if not self.binary:
            text = text.replace(b"\r\n", b"\n")
        if reply[0] == "2":
            for user in self.rcpts:
                self.mail[user].append(text)

    def data(self):
        text, reply = self.message()
        self.deliver(text, reply)
        self.octets += re.sub(rb"(?m)^\.", b"..", text) + b".\r\n"
        self.replies.append(reply)
        self.state = "READY"

    def bdat(self, octets, last, reply):
        r = self.random
        self.octets += r.choice([b"BDAT %d", b"bdat 0%d"]) % len(octets)
        self.octets += r.choice([b" LAST", b" last"]) * last
        self.octets += b"\r\n" + octets
        self.replies.append(reply)

    def chunk(self, refusal):
        """The next of the message, in a state that takes it."""
        r = self.random
        if r.randrange(40) == 0:
            size = SIZE_MAX + 1 - (self.taken if self.state == "BDAT" else 0)
            self.bdat(self.noise() + bytes(size), r.randrange(2),
                      refusal or "552 5.3.4")
            self.state = self.state if refusal else "READY"
            return
        if refusal:
            self.bdat(r.choice([b"", b"QUIT\r\n", self.noise()]),
                      r.randrange(2), refusal)
            return
        if self.state == "RCPT":
            text, self.reply = self.message()
            if r.randrange(4) == 0 and self.reply[0] == "2":
                text = text.rstrip(b"\r\n")
            self.text = self.rest = text
            self.taken = 0
        n = r.choice([0, 1, 2, 20, 200, len(self.rest)])
        part, self.rest = self.rest[:n], self.rest[n:]
        self.taken += len(part)
        self.state = "BDAT"
        if b"\0" in part and not self.binary:
            last, reply = r.randrange(2), self.reply
            self.state = "READY"
        elif not self.rest and r.randrange(2):
            last, reply = True, self.reply
            self.deliver(self.text, reply)
            self.state = "READY"
        else:
            last, reply = False, "250 2.0.0"
        self.bdat(part, last, reply)

    def step(self, verb, which=None):
        line, reply, counts = which or self.random.choice(LINES[verb])
        cell = self.table.get((self.state, verb), "")
        if verb == "BDAT":
            self.chunk(cell if cell[0].isdigit() else None)
            return
        if verb != "other" and cell[0].isdigit():
            # one line alone: the rest would be commands
            line = line.split("\r\n")[0]
            reply, counts = cell, NOT
        elif re.search("(?i) (SIZE|BODY)=", line) and not self.esmtp:
            reply, counts = "555 5.5.4", NOT
        elif verb == "DATA" and counts and self.binary:
            reply, counts = "503 5.5.1", NOT
        self.octets += line.encode() + b"\r\n"
        self.replies += replies_of(reply)
        if not counts:
            return
        if verb in ("EHLO", "HELO"):
            self.esmtp = verb == "EHLO"
        if verb in ("EHLO", "HELO", "RSET", "MAIL"):
            self.rcpts = set()
        if verb == "MAIL":
            self.binary = "BINARYMIME" in line.upper()
        if verb == "RCPT":
            self.rcpts.add(counts)
        if verb == "DATA":
            self.data()
        else:
            self.state = cell

    def go(self):
        if self.state == "TLS" and self.seed % 3:
            self.step("EHLO", LINES["EHLO"][0])
            self.step("AUTH", LINES["AUTH"][0])
        for _ in range(COMMANDS):
            self.step(self.random.choices(VERBS, WEIGHTS)[0])
        if self.seed % 4 == 0:
            line = self.random.choice(MALFORMED)
            self.octets += line + b"\r\nQUIT\r\n"
            self.replies.append("500 5.5.2" if len(line) > 510
                                else "501 5.5.4")
            return
        self.octets += b"QUIT\r\n"
        self.replies.append("221 2.0.0")


def replies_of(text):
    """"334 235 2.7.0" is two of them."""
    return re.findall(r"\d{3}(?: \d\.\d+\.\d+)?", text)


def talk(sock, walk):
    """Send it in pieces; the replies, as the walk has them."""
    rest, got = walk.octets, b""
    sock.settimeout(PATIENCE)
    while rest:
        n = walk.random.choice([1, 2, 3, 10, 100, 1000, 10000])
        sock.sendall(rest[:n])
        rest = rest[n:]
    while True:
        more = sock.recv(65536)
        if not more:
            break
        got += more
    lines = got.decode("latin-1").split("\r\n")[:-1]
    last = [line for line in lines if line[3:4] == " "][1:]   # no greeting
    return [re.match(r"\d{3}(?: \d\.\d+\.\d+(?= ))?", line).group(0)
            for line in last]


def first_difference(walk, got):
    for i, (g, w) in enumerate(zip(got, walk.replies)):
        if g != w:
            return "reply %d: %s, not %s" % (i, g, w)
    return "%d replies, not %d" % (len(got), len(walk.replies))


def stored(f, user, seed):
    mark = b"X-Walk: %d-" % seed
    found = []
    folder = "%s/mail/%s/%s/Maildir/new" % (f.dir, DOMAIN, user)
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        with open(folder + "/" + name, "rb") as message:
            text = message.read()
        if mark in text:
            found.append(text[text.index(mark):])
    return found


def walk(f, seed, table, secure):
    w = Walk(seed, table, "TLS" if secure else "START")
    w.go()
    port = f.smtps if secure else f.smtp
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if secure:
        sock = f.context.wrap_socket(sock, server_hostname="localhost")
    with sock:
        got = talk(sock, w)
    what = "session %d, %s" % (seed, "TLS" if secure else "in clear")
    ok(got == w.replies, what + ": replies", first_difference(w, got))
    if secure:
        mail = {u: stored(f, u, seed) for u in w.mail}
        ok(mail == w.mail, what + ": mail", "%.300r\nnot\n%.300r" %
           (mail, w.mail))


def test():
    f = start("limits { errors_per_session = 1000 "
              "messages_per_session = 1000 message_size = %d } "
              "auth { failure_delay = 0 failure_limit = 1000000 }" %
              SIZE_MAX, "postern-auth", "postern-smtpd")
    table = read_table()
    first = int(os.environ.get("SEED", 1))
    for seed in range(first, first + WALKS):
        walk(f, seed, table, seed % 6 != 0)


run(WALKS + WALKS - WALKS // 6, test)
