/* SPDX-License-Identifier: ISC */
/*
 * The processes of a master: start them under their users, give them what
 * they need over their control channels, connect them in pairs and to the
 * auth service, start again what dies.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/chan.h"
#include "lib/counts.h"
#include "lib/ctl.h"
#include "lib/ipc.h"
#include "lib/log.h"
#include "lib/master_impl.h"
#include "lib/now.h"
#include "lib/priv.h"

#define AUTH_AGAIN_MS		200	/* between connections to auth */
#define AUTH_WAITING_MAX	64	/* control messages a role leaves */
#define RESTART_SOON_MS		10
#define RESTART_LATER_MS	500	/* after a life shorter than a second */

/* All that a role inherits of the environment. */
static const char *const environment[] = {
	"ASAN_OPTIONS=", "UBSAN_OPTIONS=", "LSAN_OPTIONS=",
	"POSTERN_FAULT_POINTS=", "LLVM_PROFILE_FILE=", NULL
};

static void	on_ctl(struct chan *, void *, const void *, size_t, int);
static void	on_ctl_gone(struct chan *, void *);
static void	on_restart(evutil_socket_t, short, void *);

static void
send_ctl(struct child *c, enum ctl_type type, uint32_t what, uint32_t number,
    int fd)
{
	struct ctl msg = { .type = type, .what = what, .number = number };

	if (c->ctl != NULL &&
	    chan_send(c->ctl, &msg, sizeof(msg), fd) == -1 && errno != EPIPE)
		log_err("master: %s: control channel: %m",
		    role_name(c->spec->role));
}

/* Send a file by a description of its own: offsets are not shared. */
static void
send_file(struct child *c, enum ctl_type type, uint32_t what, uint32_t number,
    int fd)
{
	char self[64];
	int fresh;

	if (fd == -1)
		return;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if ((fresh = open(self, O_RDONLY | O_CLOEXEC)) == -1) {
		log_err("master: %s: cannot open again: %m",
		    role_name(c->spec->role));
		return;
	}
	send_ctl(c, type, what, number, fresh);
	close(fresh);
}

static bool
is_linked(const struct master_role *a, const struct master_role *b)
{
	for (size_t i = 0; i < MASTER_LINKS; i++)
		if (a->links[i] == b->role || b->links[i] == a->role)
			return true;
	return false;
}

static void
link_pair(struct child *a, struct child *b)
{
	int sv[2];

	if (ipc_pair(sv) == -1) {
		log_err("master: %m");
		return;
	}
	send_ctl(a, CTL_PEER, b->spec->role, b->instance, sv[0]);
	send_ctl(b, CTL_PEER, a->spec->role, a->instance, sv[1]);
	close(sv[0]);
	close(sv[1]);
}

static void
link_peers(struct child *c)
{
	struct generation *g = c->generation;

	for (size_t i = 0; i < g->nchildren; i++) {
		struct child *o = &g->children[i];

		if (o != c && o->pid != 0 && is_linked(c->spec, o->spec))
			link_pair(c, o);
	}
}

/*
 * May the role have a new channel to auth now? One that is in other hands
 * may ask on and on, and may leave what it is sent: each would cost the
 * master and auth a descriptor.
 */
static bool
may_connect_auth(const struct child *c)
{
	return c->ctl != NULL &&
	    chan_queued(c->ctl) < AUTH_WAITING_MAX * sizeof(struct ctl) &&
	    (c->auth_at == 0 || now_monotonic() - c->auth_at >= AUTH_AGAIN_MS);
}

static bool
connect_auth(struct child *c)
{
	struct ctl hello = {
		.type = CTL_PEER, .what = c->spec->role, .number = c->instance
	};
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/auth.sock",
	    c->generation->conf->run_dir);
	if (!may_connect_auth(c) || (fd = ipc_connect(path)) == -1)
		return false;
	/* The first datagram tells auth who holds the other end. */
	if (ipc_send(fd, &hello, sizeof(hello), -1) == -1) {
		close(fd);
		return false;
	}
	send_ctl(c, CTL_PEER, ROLE_AUTH_SERVER, 0, fd);
	close(fd);
	c->auth_at = now_monotonic();
	return true;
}

void
roles_connect_auth(struct master *m)
{
	struct timeval soon = { 0, AUTH_AGAIN_MS * 1000 };
	bool again = false;
	struct generation *g;

	LIST_FOREACH(g, &m->generations, next)
		for (size_t i = 0; i < g->nchildren; i++) {
			struct child *c = &g->children[i];

			if (!c->wants_auth || c->pid == 0)
				continue;
			c->wants_auth = !connect_auth(c);
			again |= c->wants_auth;
		}
	/* One that runs is left alone, or who asks often would put it off. */
	if (again && !event_pending(m->auth_timer, EV_TIMEOUT, NULL))
		event_add(m->auth_timer, &soon);
}

static void
equip(struct child *c)
{
	struct generation *g = c->generation;
	const struct listeners *ls = &g->listeners;

	if (log_fd() != -1)
		send_ctl(c, CTL_LOG, 0, 0, log_fd());
	send_file(c, CTL_CONF, 0, 0, g->conf_fd);
	for (uint32_t i = 0; i < CONF_CERTS_MAX; i++) {
		if (c->spec->certs)
			send_file(c, CTL_FILE, ROLE_FILE_CERT, i,
			    g->cert_fd[i]);
		if (c->spec->keys)
			send_file(c, CTL_FILE, ROLE_FILE_KEY, i, g->key_fd[i]);
	}
	if (c->spec->keys)
		send_file(c, CTL_FILE, ROLE_FILE_PASSPHRASE, 0,
		    g->passphrase_fd);
	if (c->spec->client_ca)
		send_file(c, CTL_FILE, ROLE_FILE_CLIENT_CA, 0,
		    g->client_ca_fd);
	if (c->spec->counts)
		send_ctl(c, CTL_FILE, ROLE_FILE_COUNTS, 0, g->counts_fd);
	if (c->stats_fd != -1)
		send_ctl(c, CTL_FILE, ROLE_FILE_STATS, 0, c->stats_fd);
	for (size_t i = 0; c->spec->listens && i < ls->n; i++)
		send_ctl(c, CTL_LISTENER, ls->item[i].kind, 0,
		    ls->item[i].fd);
	link_peers(c);
	c->wants_auth = c->spec->auth && !connect_auth(c);
	send_ctl(c, CTL_START, 0, 0, -1);
}

static void
pick_environment(char **env)
{
	size_t n = 0;

	for (char **e = environ; *e != NULL; e++)
		for (size_t i = 0; environment[i] != NULL; i++)
			if (strncmp(*e, environment[i],
			    strlen(environment[i])) == 0)
				env[n++] = *e;
	env[n] = NULL;
}

static void	become_role(const struct child *, int)
		    __attribute__((noreturn));

/* In the child: nothing of the master stays but the channel and the log. */
static void
become_role(const struct child *c, int fd)
{
	char path[4096], name[32], instance[16], index[16], *env[16];
	char i[] = "-i", n[] = "-n", v[] = "-v";
	char *argv[] = { name, i, instance, n, index,
	    c->generation->master->verbose ? v : NULL, NULL };
	const char *user = c->spec->user;
	sigset_t none;
	int null;

	snprintf(name, sizeof(name), "%s", role_name(c->spec->role));
	snprintf(path, sizeof(path), "%s/%s", c->generation->master->libexec,
	    name);
	snprintf(instance, sizeof(instance), "%u", c->instance);
	snprintf(index, sizeof(index), "%u", c->index);
	pick_environment(env);
	if (dup2(fd, CTL_FD) == -1 || close_range(CTL_FD + 1, ~0U, 0) == -1 ||
	    fcntl(CTL_FD, F_SETFD, 0) == -1 ||
	    (null = open("/dev/null", O_RDWR)) == -1 ||
	    dup2(null, STDIN_FILENO) == -1 ||
	    dup2(STDERR_FILENO, STDOUT_FILENO) == -1) {
		log_err("master: %s: descriptors: %m", name);
		_exit(EX_OSERR);
	}
	close(null);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGCHLD, SIG_DFL);
	if (chdir("/") == -1 || priv_become(user) == -1) {
		log_err("master: %s: cannot become user %s: %m", name, user);
		_exit(errno == ENOENT ? EX_NOUSER : EX_OSERR);
	}
	execve(path, argv, env);
	log_err("master: %s: %m", path);
	_exit(EX_UNAVAILABLE);
}

static int
spawn(struct child *c)
{
	static const struct chan_ops ops =
	    { .input = on_ctl, .gone = on_ctl_gone };
	struct master *m = c->generation->master;
	int sv[2];

	if (ipc_pair(sv) == -1) {
		log_err("master: %m");
		return -1;
	}
	c->instance = ++m->next_instance;
	c->ready = false;
	c->auth_at = 0;
	c->stats_fd = -1;
	clock_gettime(CLOCK_MONOTONIC, &c->born);
	c->pid = fork();
	if (c->pid == 0)
		become_role(c, sv[1]);
	close(sv[1]);
	if (c->pid == -1) {
		log_err("master: fork: %m");
		c->pid = 0;
		close(sv[0]);
		return -1;
	}
	if ((c->ctl = chan_new(m->base, sv[0], &ops, c)) == NULL) {
		log_err("master: %m");
		kill(c->pid, SIGKILL);
		return -1;
	}
	log_debug("master: started role=%s pid=%d instance=%u",
	    role_name(c->spec->role), (int)c->pid, c->instance);
	numbers_child(c);
	equip(c);
	return 0;
}

int
roles_start(struct generation *g)
{
	struct master *m = g->master;

	for (size_t i = 0; i < m->spec->nroles; i++) {
		const struct master_role *spec = &m->spec->roles[i];
		unsigned n = m->spec->count(spec->role, g->conf);

		for (unsigned k = 0; k < n; k++) {
			struct child *c = &g->children[g->nchildren];

			if (g->nchildren == MASTER_CHILDREN) {
				log_err("master: too many processes");
				return -1;
			}
			c->generation = g;
			c->spec = spec;
			c->index = k;
			c->restart = evtimer_new(m->base, on_restart, c);
			if (c->restart == NULL)
				return -1;
			g->nchildren++;
			if (spawn(c) == -1)
				return -1;
		}
	}
	roles_connect_auth(m);
	return 0;
}

void
roles_drain(struct generation *g, bool stop)
{
	g->draining = true;
	for (size_t i = 0; i < g->nchildren; i++) {
		evtimer_del(g->children[i].restart);
		send_ctl(&g->children[i], CTL_DRAIN, stop, 0, -1);
	}
}

void
roles_kill(struct generation *g, int signo)
{
	g->draining = true;
	for (size_t i = 0; i < g->nchildren; i++)
		if (g->children[i].pid != 0)
			kill(g->children[i].pid, signo);
}

size_t
roles_running(const struct generation *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->nchildren; i++)
		n += g->children[i].pid != 0;
	return n;
}

static void
generation_is_ready(struct generation *g)
{
	struct generation *old;

	for (size_t i = 0; i < g->nchildren; i++)
		if (!g->children[i].ready)
			return;
	if (g->was_ready || g->draining)
		return;
	g->was_ready = true;
	LIST_FOREACH(old, &g->master->generations, next)
		if (old != g && !old->draining)
			roles_drain(old, false);
	master_ready(g->master);
}

static void
on_ctl(struct chan *ch, void *arg, const void *msg, size_t len, int fd)
{
	struct child *c = arg;
	struct ctl m;

	(void)ch;
	if (fd != -1)
		close(fd);
	if (len != sizeof(m)) {
		log_err("master: bad message from %s",
		    role_name(c->spec->role));
		kill(c->pid, SIGKILL);
		return;
	}
	memcpy(&m, msg, sizeof(m));
	if (m.type == CTL_READY) {
		c->ready = true;
		generation_is_ready(c->generation);
	} else if (m.type == CTL_WANT_PEER && m.what == ROLE_AUTH_SERVER &&
	    c->spec->auth) {
		c->wants_auth = true;
		roles_connect_auth(c->generation->master);
	}
}

/* The process ends too; roles_reaped() does the rest. */
static void
on_ctl_gone(struct chan *ch, void *arg)
{
	struct child *c = arg;

	(void)ch;
	chan_free(&c->ctl);
}

static void
on_restart(evutil_socket_t fd, short what, void *arg)
{
	struct child *c = arg;
	struct timeval later = { 1, 0 };

	(void)fd;
	(void)what;
	if (!c->generation->draining && spawn(c) == -1)
		evtimer_add(c->restart, &later);
}

static void
log_end(const struct child *c, pid_t pid, int status)
{
	const char *name = role_name(c->spec->role);

	if (WIFSIGNALED(status))
		log_err("master: ended role=%s pid=%d signal=%d%s", name,
		    (int)pid, WTERMSIG(status),
		    WTERMSIG(status) == SIGSYS ?
		    " (a system call outside its list)" : "");
	else if (WEXITSTATUS(status) != EX_OK)
		log_err("master: ended role=%s pid=%d status=%d", name,
		    (int)pid, WEXITSTATUS(status));
	else
		log_debug("master: ended role=%s pid=%d", name, (int)pid);
}

static void
child_ended(struct child *c, int status)
{
	struct generation *g = c->generation;
	struct timespec now;
	long ms = RESTART_SOON_MS;

	log_end(c, c->pid, status);
	numbers_child_ended(c, status);
	c->pid = 0;
	c->ready = false;
	c->wants_auth = false;
	chan_free(&c->ctl);
	if (c->spec->counts && g->counts != NULL)
		counts_clear(g->counts, c->index);
	if (g->draining)
		return;
	if (!g->was_ready) {
		/* What cannot start once will not start by trying on. */
		master_fail(g->master, WIFEXITED(status) &&
		    WEXITSTATUS(status) != EX_OK ? WEXITSTATUS(status) :
		    EX_SOFTWARE);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec - c->born.tv_sec <= 1)
		ms = RESTART_LATER_MS;
	struct timeval wait = { 0, ms * 1000 };

	evtimer_add(c->restart, &wait);
}

void
roles_reaped(struct master *m, pid_t pid, int status)
{
	struct generation *g;

	LIST_FOREACH(g, &m->generations, next)
		for (size_t i = 0; i < g->nchildren; i++)
			if (g->children[i].pid == pid) {
				child_ended(&g->children[i], status);
				return;
			}
}
