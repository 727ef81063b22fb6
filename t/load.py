#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Load for the tests: clients that send until a file appears.

usage: load.py port ca mail_root stop clients

Each client logs in as alice and sends messages to alice, bob and carol until
the file named stop is there. A client that is refused or cut off goes on
with a new connection; one that hears nothing for 20 s has found a hang. At
the end every acknowledged message must be whole in all three Maildirs. One
line tells: sent=N refused=N cut=N hung=N lost=N broken=N.
"""
import os
import smtplib
import ssl
import sys
import threading
import time

RECIPIENTS = ["alice", "bob", "carol"]
DOMAIN = "example.test"
HANG = 20


class Client(threading.Thread):
    def __init__(self, number, port, context, stop):
        super().__init__(daemon=True)
        self.number, self.port = number, port
        self.context, self.stop = context, stop
        self.acknowledged = []
        self.refused = self.cut = self.hung = 0

    def session(self):
        with smtplib.SMTP("127.0.0.1", self.port, "load.test",
                          timeout=HANG) as s:
            s.starttls(context=self.context)
            s.login("alice@" + DOMAIN, "alice-secret")
            while not os.path.exists(self.stop):
                self.send(s)

    def send(self, s):
        name = "load-%d-%d-%d" % (self.number, time.monotonic_ns(),
                                  len(self.acknowledged))
        body = "%s\r\n" % ("x" * 70) * 100
        s.sendmail("alice@" + DOMAIN, [r + "@" + DOMAIN for r in RECIPIENTS],
                   "From: alice@%s\r\nX-Load: %s\r\n\r\n%send %s\r\n"
                   % (DOMAIN, name, body, name))
        self.acknowledged.append(name)

    def run(self):
        while not os.path.exists(self.stop):
            try:
                self.session()
            except TimeoutError:
                self.hung += 1
            except smtplib.SMTPServerDisconnected as e:
                if "timed out" in str(e):
                    self.hung += 1
                else:
                    self.cut += 1
            except smtplib.SMTPException:
                self.refused += 1
            except OSError:
                self.cut += 1
            time.sleep(0.01)


def scan(mail_root, user):
    """The names of the whole messages of a user, and how many are not."""
    names, broken = set(), 0
    folder = os.path.join(mail_root, DOMAIN, user, "Maildir", "new")
    for entry in os.listdir(folder) if os.path.isdir(folder) else []:
        with open(os.path.join(folder, entry), "rb") as f:
            text = f.read()
        at = text.find(b"\nX-Load: ")
        name = text[at + 9:].split(b"\n", 1)[0]
        if at == -1 or not text.endswith(b"\nend " + name + b"\n"):
            broken += 1
        names.add(name.decode())
    return names, broken


def main():
    port, ca, mail_root, stop, clients = sys.argv[1:]
    context = ssl.create_default_context(cafile=ca)
    context.check_hostname = False
    all_clients = [Client(n, int(port), context, stop)
                   for n in range(int(clients))]
    for c in all_clients:
        c.start()
    for c in all_clients:
        c.join()
    lost = broken = 0
    acknowledged = {n for c in all_clients for n in c.acknowledged}
    for user in RECIPIENTS:
        names, bad = scan(mail_root, user)
        lost += len(acknowledged - names)
        broken += bad
    print("sent=%d refused=%d cut=%d hung=%d lost=%d broken=%d"
          % (len(acknowledged), sum(c.refused for c in all_clients),
             sum(c.cut for c in all_clients),
             sum(c.hung for c in all_clients), lost, broken))


main()
