# SPDX-License-Identifier: ISC
"""Listening sockets that whoever starts the service has bound."""
import os
import sys

sys.path.insert(0, os.environ["SRCDIR"] + "/t")
import lib
from lib import *


def program(master):
    """Where the fixture runs it from."""
    copy = lib.fixture.dir + "/bin/" + master
    return copy if os.path.exists(copy) else \
        os.environ["BUILDDIR"] + "/" + master


def bound(family=socket.AF_INET, host="127.0.0.1", listens=True):
    s = socket.socket(family)
    s.bind((host, 0))
    if listens:
        s.listen(16)
    return s


def hand_over(master, sockets, names="", pid=None):
    """Start the master with these sockets; its pid."""
    path = program(master)
    log = os.open("%s/log/%s.log" % (lib.fixture.dir, master),
                  os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
    child = os.fork()
    if child:
        os.close(log)
        with open(lib.fixture.dir + "/started", "a") as f:
            f.write("%s %d\n" % (master, child))
        return child
    try:
        high = [os.dup2(s.fileno(), 100 + i) for i, s in enumerate(sockets)]
        os.dup2(log, 2)
        os.dup2(2, 1)
        os.closerange(3, 100)
        for i, fd in enumerate(high):
            os.dup2(fd, 3 + i)
        os.closerange(100, 200)
        if os.getuid() == 0:
            st = os.stat(lib.fixture.dir)
            os.setgroups([])
            os.setgid(st.st_gid)
            os.setuid(st.st_uid)
        env = dict(os.environ, LISTEN_PID=str(pid or os.getpid()),
                   LISTEN_FDS=str(len(sockets)), LISTEN_FDNAMES=names)
        os.execve(path, [master, "-L", os.path.dirname(path), "-c",
                         lib.fixture.dir + "/postern.conf"], env)
    finally:
        os._exit(99)


def ports(master):
    """{kind: [port, ...]} once it is ready."""
    run_dir = lib.fixture.dir + "/run/" + master
    wait_for(lambda: os.path.exists(run_dir + ".pid"))
    found = {}
    with open(run_dir + ".ports") as f:
        for line in f:
            found.setdefault(line.split()[0], []).append(
                int(line.split()[2]))
    return found


def greeting(port, host="127.0.0.1", tls=False):
    s = socket.create_connection((host, port), PATIENCE)
    if tls:
        s = lib.fixture.context.wrap_socket(s, server_hostname="localhost")
    got = s.recv(100)
    s.close()
    return got[:4]


def end(pid):
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)


def refused(sockets, names, what):
    """It does not start, and says why."""
    pid = hand_over("postern-smtpd", sockets, names)
    eq(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 69, what)


def served():
    """By name where the conf's port is 0; early clients wait for it."""
    two = [bound(), bound()]
    port = [s.getsockname()[1] for s in two]
    early = socket.create_connection(("127.0.0.1", port[1]), PATIENCE)
    pid = hand_over("postern-smtpd", two, "submissions:submission")
    eq(early.recv(100)[:4], b"220 ", "one who came before the start")
    early.close()
    eq(ports("postern-smtpd"),
       {"submission": [port[1]], "submissions": [port[0]]},
       "the sockets are those of the listeners")
    for s in two:
        s.close()
    eq([greeting(port[1]), greeting(port[0], tls=True)], [b"220 "] * 2,
       "both are served")
    before = children(pid)["smtpd-session"]
    os.kill(pid, signal.SIGHUP)
    wait_for(lambda: not set(before) & set(
        children(pid).get("smtpd-session", before)))
    eq([greeting(port[1]), greeting(port[0], tls=True)], [b"220 "] * 2,
       "and after a reload")
    end(pid)


def others():
    f = lib.fixture
    two = [bound(), bound()]
    refused(two, "submission:https", "one that is no listener's")
    refused([two[0], bound(listens=False)], "submission:submissions",
            "one that does not listen")
    refused([two[0], socket.socket(socket.AF_INET, socket.SOCK_DGRAM)],
            "submission:submissions", "one that is not TCP")
    pid = hand_over("postern-smtpd", two, "submission:submissions", pid=1)
    taken = {s.getsockname()[1] for s in two}
    ok(not taken & set(sum(ports("postern-smtpd").values(), [])),
       "those of another process are left alone")
    end(pid)
    for s in two:
        s.close()
    f.conf("listen submissions { port = 0 addresses = { \"127.0.0.1\" } }")


def by_port():
    """By address and port; one socket of both families."""
    any6 = socket.socket(socket.AF_INET6)
    any6.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    any6.bind(("::", 0))
    any6.listen(16)
    port = any6.getsockname()[1]
    lib.fixture.conf("listen submission { port = %d }" % port)
    pid = hand_over("postern-smtpd", [any6])
    eq(ports("postern-smtpd")["submission"], [port] * 2,
       "a socket of IPv4 and IPv6 is that of both")
    any6.close()
    eq([greeting(port), greeting(port, "::1")], [b"220 "] * 2,
       "both are served")
    end(pid)


def retrieval():
    s = bound()
    port = s.getsockname()[1]
    pid = hand_over("postern-retrieve", [s], "https")
    ports("postern-retrieve")
    s.close()
    with Conn(port) as c:
        eq(c.ask("/mail/", "alice").status, 200, "postern-retrieve, too")
    end(pid)


def test():
    start("", "postern-auth")
    served()
    others()
    by_port()
    retrieval()


run(11, test)
