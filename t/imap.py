# SPDX-License-Identifier: ISC
"""Dovecot's imap on a Maildir of the fixture, for tests in Python."""
import os
import subprocess

from lib import give

IMAP = "/usr/lib/dovecot/imap"


def as_owner(f):
    """How to run a program as whoever runs the daemons."""
    if os.getuid() != 0:
        return []
    return ["setpriv", "--reuid=nobody", "--regid=nogroup",
            "--clear-groups", "--inh-caps=-all"]


class Imap:
    """Dovecot's imap on a Maildir, without a server around it."""

    def __init__(self, f, box):
        home = f.dir + "/dovecot"
        os.mkdir(home)
        with open(home + "/conf", "w") as c:
            c.write("mail_location = maildir:%s\nbase_dir = %s/run\n"
                    "protocols = imap\nssl = no\nlog_path = %s/log\n"
                    "first_valid_uid = 1\n" % (box, home, home))
        give(home)
        self.n = 0
        self.p = subprocess.Popen(
            as_owner(f) + ["env", "HOME=" + home, "USER=nobody", IMAP, "-c",
                           home + "/conf"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=open(home + "/stderr", "w"))
        self.greeting = self.p.stdout.readline()

    def do(self, command, literal=None):
        """All that is answered, the last line too."""
        self.n += 1
        self.p.stdin.write(b"%d %s\r\n" % (self.n, command.encode()))
        self.p.stdin.flush()
        if literal is not None:
            self.p.stdout.readline()
            self.p.stdin.write(literal + b"\r\n")
            self.p.stdin.flush()
        got = b""
        while True:
            line = self.p.stdout.readline()
            got += line
            if line == b"" or line.startswith(b"%d " % self.n):
                return got
