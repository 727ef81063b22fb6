/* SPDX-License-Identifier: ISC */
/*
 * System calls an owned session may want. Made without the C library, which
 * would do other things first.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "t/owned/owned.h"

/* A call with the arguments most of them need; it must not return. */
enum call {
	CALL_OPEN, CALL_CREATE, CALL_OPENAT2, CALL_SOCKET, CALL_SOCKET_UNIX,
	CALL_CONNECT, CALL_BIND, CALL_LISTEN, CALL_FORK, CALL_CLONE3,
	CALL_EXEC, CALL_PTRACE, CALL_VM_READ, CALL_PIDFD, CALL_KILL,
	CALL_TGKILL, CALL_MMAP, CALL_MPROTECT, CALL_MEMFD, CALL_UNLINK,
	CALL_RENAME, CALL_MKDIR, CALL_CHMOD, CALL_LINK, CALL_SETUID,
	CALL_DUMPABLE, CALL_SECCOMP, CALL_IO_URING, CALL_BPF, CALL_MOUNT,
	CALL_UNSHARE, CALL_OTHER_ABI, CALL_SHUTDOWN, CALL_BLOCK, CALL_OWNER,
	CALL_SIGNAL, CALL_FILTER, CALL_LINGER
};

static long
call_files(int what)
{
	static const char mail[] = "/tmp/postern-owned", other[] = "/tmp/x";
	const uint64_t how[3] = { 0, 0, 0 };

	switch (what) {
	case CALL_OPEN:
		return syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
	case CALL_CREATE:
		return syscall(SYS_openat, AT_FDCWD, mail, O_WRONLY | O_CREAT,
		    0600);
	case CALL_OPENAT2:
		return syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", how,
		    sizeof(how));
	case CALL_UNLINK:
		return syscall(SYS_unlinkat, AT_FDCWD, mail, 0);
	case CALL_RENAME:
		return syscall(SYS_renameat2, AT_FDCWD, mail, AT_FDCWD, other,
		    0);
	case CALL_MKDIR:
		return syscall(SYS_mkdirat, AT_FDCWD, mail, 0700);
	case CALL_CHMOD:
		return syscall(SYS_fchmod, 3, 0777);
	case CALL_LINK:
		return syscall(SYS_linkat, AT_FDCWD, mail, AT_FDCWD, other,
		    0);
	case CALL_MOUNT:
		return syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL);
	default:
		return -1;
	}
}

static long
call_sockets(const struct owned *o, int what)
{
	const struct sockaddr sa = { .sa_family = AF_UNIX };
	struct sock_filter none = { BPF_RET | BPF_K, 0, 0, 0 };
	const struct sock_fprog filter = { 1, &none };
	const struct linger linger = { 1, 0 };
	int fd = o->listener;

	switch (what) {
	case CALL_SHUTDOWN:
		return syscall(SYS_shutdown, fd, SHUT_RDWR);
	case CALL_BLOCK:
		return syscall(SYS_fcntl, fd, F_SETFL, 0);
	case CALL_OWNER:
		return syscall(SYS_fcntl, fd, F_SETOWN, o->master);
	case CALL_SIGNAL:
		return syscall(SYS_fcntl, fd, 10 /* F_SETSIG */, SIGKILL);
	case CALL_FILTER:
		return syscall(SYS_setsockopt, fd, SOL_SOCKET,
		    SO_ATTACH_FILTER, &filter, sizeof(filter));
	case CALL_LINGER:
		return syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_LINGER,
		    &linger, sizeof(linger));
	case CALL_SOCKET:
		return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	case CALL_SOCKET_UNIX:
		return syscall(SYS_socket, AF_UNIX, SOCK_DGRAM, 0);
	case CALL_CONNECT:
		return syscall(SYS_connect, o->ctl, &sa, sizeof(sa));
	case CALL_BIND:
		return syscall(SYS_bind, o->ctl, &sa, sizeof(sa));
	case CALL_LISTEN:
		return syscall(SYS_listen, o->ctl, 1);
	default:
		return -1;
	}
}

static long
call_processes(const struct owned *o, int what)
{
	static char sh[] = "sh";
	char *const argv[] = { sh, NULL }, *const env[] = { NULL };
	uint64_t args[11] = { 0, 0, 0, 0, SIGCHLD };
	char buf[16];
	struct iovec here = { buf, sizeof(buf) }, there = { sh, 1 };

	switch (what) {
	case CALL_FORK:
		return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	case CALL_CLONE3:
		return syscall(SYS_clone3, args, sizeof(args));
	case CALL_EXEC:
		return syscall(SYS_execve, "/bin/sh", argv, env);
	case CALL_PTRACE:
		return syscall(SYS_ptrace, PTRACE_ATTACH, o->master, 0, 0);
	case CALL_VM_READ:
		return syscall(SYS_process_vm_readv, o->master, &here, 1,
		    &there, 1, 0);
	case CALL_PIDFD:
		return syscall(SYS_pidfd_open, o->master, 0);
	case CALL_KILL:
		return syscall(SYS_kill, o->master, SIGTERM);
	case CALL_TGKILL:
		return syscall(SYS_tgkill, o->master, o->master, SIGTERM);
	case CALL_SETUID:
		return syscall(SYS_setuid, 0);
	case CALL_UNSHARE:
		return syscall(SYS_unshare, 0x10000000 /* CLONE_NEWUSER */);
	case CALL_DUMPABLE:
		return syscall(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
	case CALL_SECCOMP:
		return syscall(SYS_seccomp, 1, 0, NULL);
	default:
		return -1;
	}
}

/* The 32-bit way into the kernel, with other numbers. */
static long
call_other_abi(void)
{
#ifdef __x86_64__
	long r = 20;	/* getpid(2) there */

	__asm__ volatile ("int $0x80" : "+a" (r) : : "memory");
	return r;
#else
	return syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
#endif
}

static long
call_memory(int what)
{
	static _Alignas(4096) unsigned char page[4096];
	char params[128] = "";

	switch (what) {
	case CALL_MMAP:
		return syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE |
		    PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	case CALL_MPROTECT:
		return syscall(SYS_mprotect, page, sizeof(page), PROT_READ |
		    PROT_EXEC);
	case CALL_MEMFD:
		return syscall(SYS_memfd_create, "x", 0);
	case CALL_IO_URING:
		return syscall(SYS_io_uring_setup, 1, params);
	case CALL_BPF:
		return syscall(SYS_bpf, 0, params, sizeof(params));
	case CALL_OTHER_ABI:
		return call_other_abi();
	default:
		return -1;
	}
}

static const char *
try_call(struct owned *o, int what)
{
	errno = 0;
	if (call_files(what) != -1 || call_sockets(o, what) != -1 ||
	    call_processes(o, what) != -1 || call_memory(what) != -1)
		return "it worked";
	return errno == 0 ? "no such call here" : strerror(errno);
}

static const char *
try_terminal(struct owned *o, int arg)
{
	char c = '\n';

	(void)o;
	(void)arg;
	if (ioctl(2, TIOCSTI, &c) != -1 || errno != ENOTTY)
		return "it was not told ENOTTY";
	return NULL;
}

/*
 * Nothing that is open leads to a file: only to sockets, the event loop, the
 * log and our own reports.
 */
static bool
is_own(const struct owned *o, int fd)
{
	size_t i;

	for (i = 0; i < OWNED_FILES; i++)
		if (o->files[i] == fd)
			return true;
	return false;
}

static const char *
try_descriptors(struct owned *o, int arg)
{
	struct stat st;
	int fd;

	(void)arg;
	for (fd = 3; fd < 1024; fd++)
		if (!is_own(o, fd) && syscall(SYS_fstat, fd, &st) == 0 &&
		    (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) ||
		    S_ISBLK(st.st_mode) || S_ISCHR(st.st_mode)))
			return "a file is open";
	return NULL;
}

#define CALL(name, what) { name, FATE_KILLED, try_call, what }

const struct attempt owned_calls[] = {
	CALL("read a file", CALL_OPEN),
	CALL("create a file", CALL_CREATE),
	CALL("openat2", CALL_OPENAT2),
	CALL("unlink", CALL_UNLINK),
	CALL("rename", CALL_RENAME),
	CALL("mkdir", CALL_MKDIR),
	CALL("chmod", CALL_CHMOD),
	CALL("link", CALL_LINK),
	CALL("mount", CALL_MOUNT),
	CALL("make a TCP socket", CALL_SOCKET),
	CALL("make a Unix socket", CALL_SOCKET_UNIX),
	CALL("connect", CALL_CONNECT),
	CALL("bind", CALL_BIND),
	CALL("listen", CALL_LISTEN),
	CALL("end a listening socket", CALL_SHUTDOWN),
	CALL("have a listening socket block", CALL_BLOCK),
	CALL("have it signal another process", CALL_OWNER),
	CALL("choose that signal", CALL_SIGNAL),
	CALL("put a filter on it", CALL_FILTER),
	CALL("have it reset connections", CALL_LINGER),
	CALL("fork", CALL_FORK),
	CALL("clone3", CALL_CLONE3),
	CALL("exec", CALL_EXEC),
	CALL("trace another process", CALL_PTRACE),
	CALL("read another's memory", CALL_VM_READ),
	CALL("take hold of another process", CALL_PIDFD),
	CALL("kill another process", CALL_KILL),
	CALL("signal another's thread", CALL_TGKILL),
	CALL("become another user", CALL_SETUID),
	CALL("enter a new user namespace", CALL_UNSHARE),
	CALL("become dumpable", CALL_DUMPABLE),
	CALL("change the filter", CALL_SECCOMP),
	CALL("map executable memory", CALL_MMAP),
	CALL("make memory executable", CALL_MPROTECT),
	CALL("make a file in memory", CALL_MEMFD),
	CALL("io_uring", CALL_IO_URING),
	CALL("bpf", CALL_BPF),
	CALL("a call of another ABI", CALL_OTHER_ABI),
	{ "type into the terminal", FATE_REFUSED, try_terminal, 0 },
	{ "find an open file", FATE_REFUSED, try_descriptors, 0 },
	{ NULL, FATE_KILLED, NULL, 0 }
};
