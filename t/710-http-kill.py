# SPDX-License-Identifier: ISC
# Processes of auth and retrieve die at random while many read: each request
# is answered well, with 503, or by the end of its connection; none hangs.
import random
import threading

from lib import *

ROUNDS = int(os.environ.get("ROUNDS", "30"))
READERS = 12


class Reader(threading.Thread):
    def __init__(self, number, want, stop):
        super().__init__(daemon=True)
        self.random = random.Random(number)
        self.want, self.stop = want, stop
        self.good = self.later = self.cut = self.hung = 0
        self.wrong = []
        self.conn = None

    def ask(self):
        if self.conn is None:
            self.conn = Conn()
        name = self.random.choice(list(self.want))
        if self.random.random() < 0.7:
            r = self.conn.ask("/mail/" + name, "alice")
            well = r.body == self.want[name]
        else:
            r = self.conn.ask("/mail/", "alice", Accept="application/json")
            well = r.status != 200 or r.json()["total"] == len(self.want)
        if r.status == 200 and well:
            self.good += 1
        elif r.status == 503:
            self.later += 1
        else:
            self.wrong.append(r)

    def run(self):
        while not self.stop.is_set():
            try:
                self.ask()
            except socket.timeout:
                self.hung += 1
                self.conn = None
            except (Closed, OSError, ssl.SSLError):
                self.cut += 1
                self.conn = None


def roles(f):
    return sorted(n for m in (MASTERS[0], MASTERS[2])
                  for n, pids in children(f.pid(m)).items() for _ in pids)


def test():
    f = start("auth { failure_delay = 0 }")
    want = {}
    for i in range(40):
        data = b"Subject: %d\n\n" % i + (b"x" * 79 + b"\n") * (50 * i)
        name = "17000000%02d.M1P1Q1.host" % i
        put("alice", name, data)
        want[name] = wire(data)
    before = roles(f)
    stop = threading.Event()
    readers = [Reader(i, want, stop) for i in range(READERS)]
    for r in readers:
        r.start()
    for _ in range(ROUNDS):
        time.sleep(random.uniform(0.05, 0.3))
        pids = sum(children(f.pid(random.choice(
            (MASTERS[0], MASTERS[2])))).values(), [])
        if pids:
            try:
                os.kill(random.choice(pids), signal.SIGKILL)
            except ProcessLookupError:
                pass
    stop.set()
    for r in readers:
        r.join(2 * PATIENCE)
    count = {n: sum(getattr(r, n) for r in readers)
             for n in ("good", "later", "cut", "hung")}
    diag(count)
    ok(count["good"] > READERS, "messages were read meanwhile")
    eq(sum((r.wrong for r in readers), []), [], "each as it is, or 503")
    eq(count["hung"] + sum(r.is_alive() for r in readers), 0,
       "no request hangs")
    ok(wait_for(lambda: roles(f) == before), "every process runs again",
       before, roles(f))

    def works():
        try:
            return get("/mail/", "alice").status == 200
        except (Closed, OSError):
            return False
    ok(wait_for(works), "and mail is read")

    # With nothing left that could end, a master ends by itself.
    for m in (MASTERS[2], MASTERS[0]):
        pid = f.pid(m)
        while pids := sum(children(pid).values(), []):
            for child in pids:
                try:
                    os.kill(child, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            wait_for(lambda: not any(map(runs, pids)))
        os.kill(pid, signal.SIGTERM)
        ok(wait_for(lambda: not runs(pid)), "%s: SIGTERM between deaths" % m)


run(7, test)
