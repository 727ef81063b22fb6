/* SPDX-License-Identifier: ISC */
/*
 * seccomp: the system calls that every role may make, plus its own few. All
 * else kills the process. Arguments are checked where a call is two-faced.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/priv_impl.h"

static const int common[] = {
	/* octets through descriptors that are open */
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev),
	SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(recvfrom),
	SCMP_SYS(sendto), SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(lseek),
	/* the event loop */
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2),
	SCMP_SYS(epoll_ctl), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(timerfd_settime),
	/* memory; never anything executable, see below */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(sysinfo),	/* qsort(3) asks how much there is */
	/* time, signals, threads' locks, the end */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(nanosleep),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(futex),
	SCMP_SYS(sched_yield), SCMP_SYS(restart_syscall),
	SCMP_SYS(getrandom), SCMP_SYS(getpid), SCMP_SYS(gettid),
	SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
	SCMP_SYS(getegid), SCMP_SYS(exit), SCMP_SYS(exit_group),
	SCMP_SYS(rseq), SCMP_SYS(set_robust_list), SCMP_SYS(membarrier),
	-1
};

/*
 * Calls that depend on an argument. Listening sockets are shared with other
 * processes and outlive this one: it must not be able to end them
 * (shutdown), to have them block or send signals (fcntl), or to put a
 * filter on them (setsockopt). Memory is never executable.
 */
static const struct {
	int			call;
	unsigned		n;
	struct scmp_arg_cmp	arg[2];
} checked[] = {
#define IF(i, value)	{ i, SCMP_CMP_EQ, (scmp_datum_t)(value), 0 }
	{ SCMP_SYS(mmap), 1, { { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } } },
	{ SCMP_SYS(mprotect), 1,
	    { { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } } },
	{ SCMP_SYS(shutdown), 1, { IF(1, SHUT_WR) } },
	{ SCMP_SYS(fcntl), 1, { IF(1, F_GETFD) } },
	{ SCMP_SYS(fcntl), 1, { IF(1, F_SETFD) } },
	{ SCMP_SYS(fcntl), 1, { IF(1, F_GETFL) } },
	{ SCMP_SYS(fcntl), 1, { IF(1, F_DUPFD_CLOEXEC) } },
	{ SCMP_SYS(setsockopt), 2, { IF(1, IPPROTO_TCP), IF(2, TCP_NODELAY) } },
#undef IF
};

static int
allow(scmp_filter_ctx ctx, const int *calls)
{
	int r;

	for (; calls != NULL && *calls != -1; calls++)
		if ((r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, *calls, 0)) !=
		    0 && r != -EEXIST)
			return r;
	return 0;
}

static int
allow_args(scmp_filter_ctx ctx, const struct priv_arg *a)
{
	int r = 0;

	for (; r == 0 && a != NULL && a->call != -1; a++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, a->call, 1,
		    SCMP_CMP(a->arg, SCMP_CMP_EQ, a->value, 0));
	return r;
}

/* The calls above, and abort(3)'s signal to ourselves. */
static int
allow_checked(scmp_filter_ctx ctx)
{
	size_t i;
	int r;

	r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
	    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
	for (i = 0; r == 0 && i < sizeof(checked) / sizeof(checked[0]); i++)
		r = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW,
		    checked[i].call, checked[i].n, checked[i].arg);
	/* isatty(3) in stdio and in the conf's scanner: "not a terminal". */
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOTTY),
		    SCMP_SYS(ioctl), 0);
	return r;
}

int
priv_seccomp(const int *calls, const struct priv_arg *args)
{
	scmp_filter_ctx ctx;
	int r;

	if ((ctx = seccomp_init(SCMP_ACT_KILL_PROCESS)) == NULL) {
		errno = ENOMEM;
		return -1;
	}
	if ((r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1)) == 0 &&
	    (r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2)) == 0 &&
	    (r = allow(ctx, common)) == 0 && (r = allow(ctx, calls)) == 0 &&
	    (r = allow_args(ctx, args)) == 0 &&
	    (r = allow_checked(ctx)) == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	if (r == 0)
		return 0;
	errno = r < 0 ? -r : EINVAL;
	return -1;
}
