/* SPDX-License-Identifier: ISC */
/*
 * The life of a master, see master.h: options, start, signals, end. Runs as
 * root where it was started so; handles nothing that a client sent.
 */
#include "lib/master.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/master_impl.h"

#define STOP_GRACE_S	10	/* then what still runs is killed */

static void
connect_syslog(const char *name, bool verbose)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX,
		.sun_path = "/dev/log" };
	int fd;

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd != -1 && connect(fd, (struct sockaddr *)&sun,
	    sizeof(sun)) == -1) {
		close(fd);
		fd = -1;
	}
	if (fd == -1)
		log_warn("log: no syslog at /dev/log: %m; using stderr");
	log_open(name, fd, verbose);
}

/* Fork; the parent waits until the service is ready and returns its fate. */
static int
daemonize(struct master *m)
{
	unsigned char status = EX_SOFTWARE;
	int p[2];
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) == -1 || (pid = fork()) == -1) {
		log_err("master: %m");
		exit(EX_OSERR);
	}
	if (pid == 0) {
		close(p[0]);
		m->parent_fd = p[1];
		return setsid() == -1 ? -1 : 0;
	}
	close(p[1]);
	while (read(p[0], &status, 1) == -1 && errno == EINTR)
		;
	_exit(status);
}

static void
tell_parent(struct master *m, int status)
{
	unsigned char s = (unsigned char)status;

	if (m->parent_fd == -1)
		return;
	if (write(m->parent_fd, &s, 1) == -1)
		log_warn("master: %m");
	close(m->parent_fd);
	m->parent_fd = -1;
}

static void
stop(struct master *m)
{
	struct timeval grace = { STOP_GRACE_S, 0 };
	struct generation *g;

	if (m->stopping)
		return;
	m->stopping = true;
	LIST_FOREACH(g, &m->generations, next)
		roles_drain(g, true);
	evtimer_add(m->kill_timer, &grace);
}

/* Free generations that have ended; with none left, the service has. */
static void
sweep(struct master *m)
{
	struct generation *g, *next;

	for (g = LIST_FIRST(&m->generations); g != NULL; g = next) {
		next = LIST_NEXT(g, next);
		if (!g->draining || roles_running(g) > 0)
			continue;
		if (g == LIST_FIRST(&m->generations) && next == NULL &&
		    !m->stopping)
			continue;
		for (size_t i = 0; i < g->nchildren; i++)
			event_free(g->children[i].restart);
		LIST_REMOVE(g, next);
		if (LIST_EMPTY(&m->generations))
			listeners_withdraw(m->spec, g->conf);
		generation_free(&g);
	}
	if (LIST_EMPTY(&m->generations))
		event_base_loopbreak(m->base);
}

/* A SIGHUP came while the last one was being obeyed. */
static void
reload_again(struct master *m)
{
	if (m->again)
		raise(SIGHUP);
	m->again = false;
}

void
master_ready(struct master *m)
{
	struct generation *g = LIST_FIRST(&m->generations);

	if (listeners_announce(&g->listeners, m->spec, g->conf) == -1) {
		master_fail(m, EX_CANTCREAT);
		return;
	}
	log_notice("master: ready pid=%d", (int)getpid());
	tell_parent(m, EX_OK);
	reload_again(m);
}

void
master_fail(struct master *m, int status)
{
	struct generation *g = LIST_FIRST(&m->generations);

	if (LIST_NEXT(g, next) != NULL) {
		log_err("master: the new conf does not work; keeping the old");
		roles_kill(g, SIGKILL);
		reload_again(m);
		return;
	}
	log_err("master: cannot start");
	m->status = status;
	m->stopping = true;
	roles_kill(g, SIGKILL);
}

static void
reload(struct master *m)
{
	struct generation *g = LIST_FIRST(&m->generations);
	int status;

	if (m->stopping)
		return;
	/* One at a time, or an older one that is slow would oust a newer. */
	if (!g->was_ready && !g->draining) {
		m->again = true;
		return;
	}
	if ((g = generation_new(m, &status)) == NULL) {
		log_err("master: reload failed; keeping the old conf");
		return;
	}
	LIST_INSERT_HEAD(&m->generations, g, next);
	log_notice("master: reload");
	if (roles_start(g) == -1)
		master_fail(m, EX_OSERR);
}

static void
on_signal(evutil_socket_t signo, short what, void *arg)
{
	struct master *m = arg;
	int status;
	pid_t pid;

	(void)what;
	if (signo == SIGHUP) {
		reload(m);
	} else if (signo == SIGCHLD) {
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			roles_reaped(m, pid, status);
		sweep(m);
	} else {
		log_notice("master: stopping signal=%d", (int)signo);
		stop(m);
		/* No child may be left whose end would bring us here. */
		sweep(m);
	}
}

static void
on_auth_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	roles_connect_auth(arg);
}

static void
on_kill_timer(evutil_socket_t fd, short what, void *arg)
{
	struct master *m = arg;
	struct generation *g;

	(void)fd;
	(void)what;
	log_warn("master: some processes did not end in time; killing them");
	LIST_FOREACH(g, &m->generations, next)
		roles_kill(g, SIGKILL);
}

static int
make_events(struct master *m)
{
	static const int signals[MASTER_SIGNALS] =
	    { SIGHUP, SIGCHLD, SIGTERM, SIGINT };

	if ((m->base = event_base_new()) == NULL)
		return -1;
	m->auth_timer = evtimer_new(m->base, on_auth_timer, m);
	m->kill_timer = evtimer_new(m->base, on_kill_timer, m);
	if (m->auth_timer == NULL || m->kill_timer == NULL)
		return -1;
	for (size_t i = 0; i < MASTER_SIGNALS; i++) {
		m->signals[i] = evsignal_new(m->base, signals[i], on_signal,
		    m);
		if (m->signals[i] == NULL ||
		    event_add(m->signals[i], NULL) == -1)
			return -1;
	}
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

static void
free_event(struct event *e)
{
	if (e != NULL)
		event_free(e);
}

static void
free_events(struct master *m)
{
	free_event(m->auth_timer);
	free_event(m->kill_timer);
	for (size_t i = 0; i < MASTER_SIGNALS; i++)
		free_event(m->signals[i]);
	if (m->base != NULL)
		event_base_free(m->base);
}

/* Every connection costs a session a descriptor, and a limit is inherited. */
static void
raise_nofile(const struct conf *c)
{
	rlim_t need = c->connections + 1024;
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		return;
	if (rl.rlim_max < need && geteuid() == 0)
		rl.rlim_max = need;
	rl.rlim_cur = rl.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1 || rl.rlim_max < need)
		log_notice("master: descriptors=%llu, fewer than connections "
		    "may need", (unsigned long long)rl.rlim_max);
}

static int
run(struct master *m, bool background)
{
	struct generation *g;
	int status;

	if (inherit_sockets(&m->inheritance) == -1)
		return EX_UNAVAILABLE;
	if ((g = generation_new(m, &status)) == NULL)
		return status;
	if (background && daemonize(m) == -1)
		return EX_OSERR;
	if (g->conf->log == CONF_LOG_SYSLOG)
		connect_syslog(m->spec->name, m->verbose);
	if (geteuid() != 0)
		log_notice("master: not started as root: all roles share "
		    "uid=%d and rest on Landlock and seccomp", (int)geteuid());
	raise_nofile(g->conf);
	if (make_events(m) == -1) {
		log_err("master: %m");
		return EX_OSERR;
	}
	LIST_INSERT_HEAD(&m->generations, g, next);
	numbers_open(m, g->conf);
	if (roles_start(g) == -1)
		master_fail(m, EX_OSERR);
	sweep(m);
	while (!LIST_EMPTY(&m->generations))
		if (event_base_dispatch(m->base) == -1)
			return EX_SOFTWARE;
	return m->status;
}

unsigned
master_sessions(const struct conf *c)
{
	long n = (long)c->session_processes;

	if (n == 0)
		n = sysconf(_SC_NPROCESSORS_ONLN);
	if (n < 1)
		return 1;
	return n > CONF_SESSIONS_MAX ? CONF_SESSIONS_MAX : (unsigned)n;
}

static int
usage(const char *name)
{
	fprintf(stderr, "usage: %s [-dvV] [-c file] [-L directory]\n", name);
	return EX_USAGE;
}

int
master_main(int argc, char **argv, const struct master_spec *spec)
{
	struct master m = {
		.spec = spec, .conf_path = CONF_FILE_DEFAULT,
		.libexec = LIBEXECDIR, .parent_fd = -1, .status = EX_OK,
		.generations = LIST_HEAD_INITIALIZER(m.generations)
	};
	char *conf = NULL, *libexec = NULL;
	bool background = false;
	int ch, r;

	while ((ch = getopt(argc, argv, "c:dL:vV")) != -1)
		switch (ch) {
		case 'c':
			conf = realpath(optarg, NULL);
			m.conf_path = conf == NULL ? optarg : conf;
			break;
		case 'd':
			background = true;
			break;
		case 'L':
			libexec = realpath(optarg, NULL);
			m.libexec = libexec == NULL ? optarg : libexec;
			break;
		case 'v':
			m.verbose = true;
			break;
		case 'V':
			printf("%s %s\n", spec->name, PACKAGE_VERSION);
			return EX_OK;
		default:
			return usage(spec->name);
		}
	if (optind != argc)
		return usage(spec->name);
	log_open(spec->name, -1, m.verbose);
	r = run(&m, background);
	numbers_close(&m);
	free_events(&m);
	tell_parent(&m, r);
	free(conf);
	free(libexec);
	return r;
}
