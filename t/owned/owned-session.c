/* SPDX-License-Identifier: ISC */
/*
 * Stands in for smtpd-session, for t/130-owned-session.sh. It is the real
 * program; once the test says so, all processes but two turn on the others.
 * Each makes one attempt, writes what came of it to a file beside the
 * program, and ends; started again it makes the next one that is its turn.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/chan.h"
#include "lib/ctl.h"
#include "lib/ipc.h"
#include "lib/role.h"
#include "t/owned/owned.h"

/* The real program, but for what role_main() is told. */
#define main real_main
#define role_main owned_main
int	 real_main(int, char **);
static int owned_main(int, char **, const struct role_ops *, void *);
#include "smtpd/session_main.c"
#undef main
#undef role_main

#define POLL_MS		20
#define PATIENCE_MS	20000
#define HONEST		2	/* processes */

static struct owned owned;
static bool honest;
static uint32_t number;			/* of the attempt */
static const struct attempt *mine;	/* NULL: there is none left */
static struct event *timer;

int
owned_await(int file, void *dst, size_t len)
{
	int i;

	for (i = 0; i < PATIENCE_MS / POLL_MS; i++) {
		if (lseek(file, 0, SEEK_SET) == 0 &&
		    read(file, dst, len) == (ssize_t)len)
			return 0;
		poll(NULL, 0, POLL_MS);
	}
	return -1;
}

static int
wait_for(int fd, short what)
{
	struct pollfd p = { .fd = fd, .events = what };

	return poll(&p, 1, PATIENCE_MS) == 1 ? 0 : -1;
}

int
owned_send(int fd, const void *msg, size_t len, int pass)
{
	while (ipc_send(fd, msg, len, pass) == -1)
		if (errno != EAGAIN || wait_for(fd, POLLOUT) == -1)
			return -1;
	return 0;
}

ssize_t
owned_receive(int fd, uint32_t type, void *dst, size_t cap)
{
	static unsigned char buf[IPC_MAX];
	uint32_t got;
	ssize_t n;

	for (;;) {
		if (wait_for(fd, POLLIN) == -1)
			return -1;
		n = ipc_recv(fd, buf, sizeof(buf), NULL);
		if (n == -1 && errno == EAGAIN)
			continue;
		if (n <= 0)
			return 0;
		memcpy(&got, buf, sizeof(got));
		if (type == 0 || got == type)
			break;
	}
	memcpy(dst, buf, (size_t)n < cap ? (size_t)n : cap);
	return n;
}

const char *
owned_closes(int fd, const void *msg, size_t len, int pass)
{
	unsigned char answer[64];
	ssize_t n;

	if (owned_send(fd, msg, len, pass) == -1)
		return "it could not be sent";
	while ((n = owned_receive(fd, 0, answer, sizeof(answer))) > 0)
		;
	return n == 0 ? NULL : "the channel stays open";
}

/* The attempt of a number, NULL beyond the last. */
static const struct attempt *
find_attempt(uint32_t n)
{
	static const struct attempt *const lists[] = {
		owned_calls, owned_store, owned_helpers
	};
	size_t i;
	const struct attempt *a;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (a = lists[i]; a->name != NULL; a++)
			if (n-- == 0)
				return a;
	return NULL;
}

static void
say(const char *text)
{
	if (write(owned.files[OWNED_RESULT], text, strlen(text)) == -1)
		_exit(1);
}

static void
try_it(void)
{
	const char *wrong;
	char line[64];

	snprintf(line, sizeof(line), "pid=%d\n", (int)getpid());
	say(line);
#ifdef POSTERN_SANITIZE
	if (mine->fate == FATE_KILLED)	/* nothing would stop it */
		_exit(0);
#endif
	wrong = mine->fn(&owned, mine->arg);
	if (wrong == NULL && mine->fate == FATE_REFUSED)
		say("refused\n");
	else {
		say("not refused: ");
		say(wrong != NULL ? wrong : "it returned");
		say("\n");
	}
	_exit(0);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval tv = { 0, POLL_MS * 1000 };
	char c;

	(void)fd;
	(void)what;
	(void)arg;
	if (read(owned.files[OWNED_GO], &c, 1) == 1)
		try_it();
	event_add(timer, &tv);
}

static int
open_beside(const char *folder, const char *name, int flags)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return open(path, flags | O_CLOEXEC, 0600);
}

static int
open_result(const char *folder)
{
	char name[32];

	snprintf(name, sizeof(name), "result.%u", number);
	return open_beside(folder, name, O_RDWR | O_CREAT | O_EXCL);
}

/* Find the attempt that is due: every n-th, the first without a result. */
static void
choose(const char *folder, uint32_t n)
{
	int fd = -1;

	for (number = role_index(); fd == -1; number += n) {
		mine = find_attempt(number);
		if (mine == NULL)
			return;
		fd = open_result(folder);
		if (fd == -1 && errno != EEXIST)
			exit(EX_CANTCREAT);
	}
	owned.files[OWNED_RESULT] = fd;
}

/* Before the confinement: all that the attempt needs. */
static void
prepare(uint32_t n)
{
	char folder[4096] = "", *slash;

	if (readlink("/proc/self/exe", folder, sizeof(folder) - 1) == -1 ||
	    (slash = strrchr(folder, '/')) == NULL)
		exit(EX_OSERR);
	*slash = '\0';
	owned.files[OWNED_GO] = open_beside(folder, "go", O_RDONLY);
	owned.files[OWNED_NONCE] = open_beside(folder, "nonce",
	    O_RDWR | O_CREAT);
	owned.files[OWNED_TRIED] = open_beside(folder, "tried",
	    O_RDWR | O_CREAT);
	owned.driver = &driver;
	owned.ctl = CTL_FD;
	owned.master = getppid();
	choose(folder, n);
}

static int
owned_start(void *arg, struct event_base *base, const struct conf *conf)
{
	uint32_t n = (uint32_t)conf->session_processes - HONEST;

	honest = role_index() >= n;
	if (!honest)
		prepare(n);
	if (mine != NULL) {
		timer = evtimer_new(base, on_timer, NULL);
		if (timer == NULL)
			return -1;
		event_active(timer, EV_TIMEOUT, 0);
	}
	return on_start(arg, base, conf);
}

/* Honest processes alone serve; the others keep one to do harm to. */
static void
owned_listener(void *arg, enum listen_kind kind, int fd)
{
	if (honest)
		on_listener(arg, kind, fd);
	else if (kind == LISTEN_SUBMISSIONS)
		owned.listener = fd;
	else
		close(fd);
}

static void
list(void)
{
	static const char *const fates[] = { "killed", "master", "refused" };
	const struct attempt *a;
	uint32_t i;

	for (i = 0; (a = find_attempt(i)) != NULL; i++)
#ifdef POSTERN_SANITIZE
		printf("%u %s %s\n", i, a->fate == FATE_KILLED ? "skip" :
		    fates[a->fate], a->name);
#else
		printf("%u %s %s\n", i, fates[a->fate], a->name);
#endif
}

static int
owned_main(int argc, char **argv, const struct role_ops *real, void *arg)
{
	struct role_ops ops = *real;

	ops.start = owned_start;
	ops.listener = owned_listener;
	return role_main(argc, argv, &ops, arg);
}

int
main(int argc, char **argv)
{
	if (argc != 2 || strcmp(argv[1], "list") != 0)
		return real_main(argc, argv);
	list();
	return 0;
}
