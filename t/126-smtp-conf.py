# SPDX-License-Identifier: ISC
"""Limits as the conf sets them: octets of lines and messages of a mailbox,
exactly as many and one more, and logins that wait for a worker."""
import os
import sys

sys.path.insert(0, os.environ["SRCDIR"] + "/t")
import lib
from lib import *

COMMAND, PARAMETERS, AUTH, TEXT = 600, 1300, 1400, 1203
CONF = """
limits {
	errors_per_session = 1000
	command_line = %d
	parameter_line = %d
	auth_line = %d
	text_line = %d
}
delivery { quota_messages = 3 }
auth {
	failure_delay = 0s
	workers = 1
	queue = 1
	iterations = 1000000
}
""" % (COMMAND, PARAMETERS, AUTH, TEXT)
LONG = "500 5.5.2"


class Smtp:
    def __init__(self, login=True):
        self.c = Conn(lib.fixture.smtps)
        self.reply()
        self.code("EHLO client.test")
        if login:
            pair = b"\0alice@example.test\0alice-secret"
            self.code("AUTH PLAIN " + base64.b64encode(pair).decode())

    def reply(self):
        line = b"   -"
        while line[3:4] == b"-":
            while b"\r\n" not in self.c.buf:
                self.c.fill()
            line = self.c.take(self.c.buf.index(b"\r\n") + 2)
        return " ".join(line.decode().split()[:2])

    def code(self, line):
        self.c.send(line + "\r\n")
        return self.reply()

    def send(self, text, chunk=False):
        """The answer to this message for bob."""
        self.code("MAIL FROM:<alice@example.test>")
        r = self.code("RCPT TO:<bob@example.test>")
        if not r.startswith("250"):
            return "rcpt " + r
        if chunk:
            self.c.send("BDAT %d LAST\r\n%s" % (len(text), text))
            return self.reply()
        self.code("DATA")
        return self.code(text + ".")


def filled(head, octets):
    """A line of so many octets, its CRLF among them, without that."""
    return head + "x" * (octets - 2 - len(head))


def commands():
    s = Smtp()
    for verb in ("NOOP ", "HELP ", "VRFY ", "RSET "):
        eq([s.code(filled(verb, COMMAND)) == LONG,
            s.code(filled(verb, COMMAND + 1)), s.code("NOOP")],
           [False, LONG, "250 2.0.0"], verb + "in command_line octets")
    sender = "MAIL FROM:<alice@example.test> AUTH="
    eq(s.code(filled(sender, PARAMETERS)), "250 2.1.0",
       "MAIL of parameter_line octets")
    rcpt = "RCPT TO:<bob@example.test> X="
    eq([s.code(filled(rcpt, n)) for n in (PARAMETERS, PARAMETERS + 1)],
       ["555 5.5.4", LONG], "RCPT of parameter_line octets, and one more")
    s.code("RSET")
    eq([s.code(filled(sender, PARAMETERS + 1)), s.code("DATA")],
       [LONG, "503 5.5.1"], "one octet more begins no transaction")


def logins():
    s = Smtp(login=False)
    bad = "501 5.5.2"
    eq([s.code(filled("AUTH PLAIN !", n + 2)) for n in (AUTH, AUTH + 1)],
       [bad, "500 5.5.6"], "AUTH of auth_line octets, CRLF aside")
    got = []
    for n in (AUTH, AUTH + 1):
        s.code("AUTH PLAIN")
        got.append(s.code(filled("!", n + 2)))
    eq(got, [bad, "500 5.5.6"], "a response of auth_line octets, CRLF aside")


def messages():
    s = Smtp()
    refused = "550 5.6.0"
    for chunk in (False, True):
        how = " in a chunk" if chunk else " in DATA"
        for head, text in (("X: ", "%s\r\n\r\n"), ("", "X: y\r\n\r\n%s\r\n")):
            what = "header" if head else "body"
            eq(s.send(text % filled(head, TEXT + 1), chunk), refused,
               "a line of the %s over text_line%s" % (what, how))
        eq(s.send("X: y\r\n\r\n%s\r\n" % filled("", TEXT), chunk),
           "250 2.0.0", "one of text_line octets" + how)
    full = "rcpt 452 4.2.2"
    eq([s.send("X: 3\r\n\r\n"), s.send("X: 4\r\n\r\n")],
       ["250 2.0.0", full], "as many messages as quota_messages says")
    new = maildir("bob") + "/new/"
    os.unlink(new + os.listdir(new)[0])
    eq([s.send("X: 4\r\n\r\n"), s.send("X: 5\r\n\r\n")],
       ["250 2.0.0", full], "room for one where one was removed")


def waiting():
    """What nobody's password costs keeps the one worker busy."""
    sessions = [Smtp(login=False) for _ in range(4)]
    nobody = base64.b64encode(b"\0nobody@example.test\0x").decode()

    def crowd():
        for s in sessions:
            s.c.send("AUTH PLAIN " + nobody + "\r\n")
        got.update(s.reply() for s in sessions)
        return len(got) > 1

    got = set()
    wait_for(crowd)
    eq(got, {"535 5.7.8", "454 4.7.0"}, "logins past queue are put off")
    eq(Smtp().code("MAIL FROM:<alice@example.test>"), "250 2.1.0",
       "a login when the worker is free")


def test():
    start(CONF, "postern-auth", "postern-smtpd")
    commands()
    logins()
    messages()
    waiting()


run(19, test)
