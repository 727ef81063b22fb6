/* SPDX-License-Identifier: ISC */
/*
 * The life of a role program, see role.h. Every role. Trusts its master
 * and, through it, the conf.
 *
 * One process is one role: its state is file-scope here so that any part of
 * the program can ask role_instance() or role_done().
 */
#include "lib/role.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/chan.h"
#include "lib/conf.h"
#include "lib/ctl.h"
#include "lib/ipc.h"
#include "lib/log.h"
#include "lib/priv.h"
#include "lib/stats.h"
#include "lib/str.h"

#define ROLE_EARLY_MAX	512	/* listeners and peers before the start */

struct early {
	struct ctl	ctl;
	int		fd;
};

static struct {
	const struct role_ops	*ops;
	void			*arg;
	struct event_base	*base;
	struct chan		*ctl;
	struct conf		*conf;
	uint32_t		 instance;
	uint32_t		 index;
	bool			 verbose;
	bool			 done;
	bool			 stopping;
	struct early		 early[ROLE_EARLY_MAX];
	size_t			 nearly;
} role;

static const char *const names[ROLE_COUNT] = {
	[ROLE_NONE] = "none",
	[ROLE_AUTH_SERVER] = "auth-server",
	[ROLE_AUTH_SASL] = "auth-sasl",
	[ROLE_TLS_KEYS] = "tls-keys",
	[ROLE_SMTPD_SESSION] = "smtpd-session",
	[ROLE_SMTPD_STORE] = "smtpd-store",
	[ROLE_RETRIEVE_SESSION] = "retrieve-session",
	[ROLE_RETRIEVE_READER] = "retrieve-reader",
};

const char *
role_name(enum role r)
{
	return r < ROLE_COUNT ? names[r] : names[ROLE_NONE];
}

uint32_t
role_instance(void)
{
	return role.instance;
}

uint32_t
role_index(void)
{
	return role.index;
}

void
role_done(void)
{
	role.done = true;
	if (role.base != NULL)
		event_base_loopbreak(role.base);
}

static void
tell_master(uint32_t type, uint32_t what)
{
	struct ctl c = { .type = type, .what = what };

	if (role.ctl != NULL)
		chan_send(role.ctl, &c, sizeof(c), -1);
}

bool
role_is_stopping(void)
{
	return role.stopping;
}

void
role_want_peer(enum role r)
{
	tell_master(CTL_WANT_PEER, r);
}

static void
take_conf(int fd)
{
	FILE *fp;

	if (role.conf != NULL || (fp = fdopen(fd, "r")) == NULL) {
		close(fd);
		return;
	}
	role.conf = conf_read(fp, "conf", conf_fault_log, NULL);
	fclose(fp);
}

/* Hand a listener or a peer to the program. */
static void
deliver(const struct ctl *c, int fd)
{
	if (c->type == CTL_LISTENER && role.ops->listener != NULL &&
	    c->what > LISTEN_NONE && c->what < LISTEN_COUNT)
		role.ops->listener(role.arg, (enum listen_kind)c->what, fd);
	else if (c->type == CTL_PEER && role.ops->peer != NULL &&
	    c->what > ROLE_NONE && c->what < ROLE_COUNT)
		role.ops->peer(role.arg, (enum role)c->what, c->number, fd);
	else
		close(fd);
}

static void
on_ctl(struct chan *ch, void *arg, const void *msg, size_t len, int fd)
{
	struct ctl c;

	(void)ch;
	(void)arg;
	if (len != sizeof(c)) {
		log_err("role: bad control message");
		exit(EX_SOFTWARE);
	}
	memcpy(&c, msg, sizeof(c));
	if (fd != -1) {
		deliver(&c, fd);
		return;
	}
	if (c.type != CTL_DRAIN)
		return;
	role.stopping = c.what != 0;
	if (role.ops->drain == NULL || (c.what != 0 &&
	    role.ops->ends_at_once))
		role_done();
	else
		role.ops->drain(role.arg);
}

static void
on_ctl_gone(struct chan *ch, void *arg)
{
	(void)ch;
	(void)arg;
	role_done();
}

/* A file for the program; that for its numbers is the same for all. */
static void
take_file(const struct ctl *c, int fd)
{
	if (c->what == ROLE_FILE_STATS) {
		if (stats_map(fd) == -1)
			log_warn("role: no numbers will be kept: %m");
	} else if (role.ops->file != NULL && c->what > ROLE_FILE_NONE &&
	    c->what < ROLE_FILE_COUNT)
		role.ops->file(role.arg, (enum role_file)c->what, c->number,
		    fd);
	else
		close(fd);
}

/* One message before the start. 1: START came, 0: go on, -1: no master. */
static int
early_message(void)
{
	struct pollfd p = { .fd = CTL_FD, .events = POLLIN };
	struct ctl c;
	ssize_t n;
	int fd;

	if (poll(&p, 1, -1) == -1)
		return errno == EINTR ? 0 : -1;
	n = ipc_recv(CTL_FD, &c, sizeof(c), &fd);
	if (n == -1 && errno == EAGAIN)
		return 0;
	if (n != sizeof(c))
		return -1;
	if (c.type == CTL_START)
		return 1;
	if (fd == -1)
		return 0;
	if (c.type == CTL_CONF) {
		take_conf(fd);
	} else if (c.type == CTL_LOG) {
		log_open(role_name(role.ops->role), fd, role.verbose);
	} else if (c.type == CTL_FILE) {
		take_file(&c, fd);
	} else if ((c.type == CTL_LISTENER || c.type == CTL_PEER) &&
	    role.nearly < ROLE_EARLY_MAX) {
		role.early[role.nearly].ctl = c;
		role.early[role.nearly++].fd = fd;
	} else {
		close(fd);
	}
	return 0;
}

static int
parse_options(int argc, char **argv)
{
	uint64_t v;
	int ch;

	while ((ch = getopt(argc, argv, "i:n:v")) != -1) {
		if (ch == 'v') {
			role.verbose = true;
			continue;
		}
		if ((ch != 'i' && ch != 'n') ||
		    str_u64(optarg, strlen(optarg), UINT32_MAX, &v) == -1)
			return -1;
		if (ch == 'i')
			role.instance = (uint32_t)v;
		else
			role.index = (uint32_t)v;
	}
	return optind == argc ? 0 : -1;
}

static int
start(void)
{
	static const struct chan_ops ctl_ops =
	    { .input = on_ctl, .gone = on_ctl_gone };
	const struct role_ops *ops = role.ops;

	if ((role.base = event_base_new()) == NULL ||
	    (role.ctl = chan_new(role.base, CTL_FD, &ctl_ops, NULL)) == NULL) {
		log_err("role: %m");
		return EX_OSERR;
	}
	if (ops->start != NULL &&
	    ops->start(role.arg, role.base, role.conf) == -1)
		return EX_CONFIG;
	for (size_t i = 0; i < role.nearly; i++)
		deliver(&role.early[i].ctl, role.early[i].fd);
	if (priv_confine_files(ops->profile) == -1) {
		log_err("role: cannot confine files: %m");
		return EX_OSERR;
	}
	if (ops->threads != NULL && ops->threads(role.arg) == -1)
		return EX_OSERR;
	if (priv_confine_calls(ops->profile) == -1) {
		log_err("role: cannot confine system calls: %m");
		return EX_OSERR;
	}
	tell_master(CTL_READY, 0);
	return EX_OK;
}

int
role_main(int argc, char **argv, const struct role_ops *ops, void *arg)
{
	int r;

	role.ops = ops;
	role.arg = arg;
	if (parse_options(argc, argv) == -1) {
		fprintf(stderr, "%s: started by its master only\n",
		    role_name(ops->role));
		return EX_USAGE;
	}
	log_open(role_name(ops->role), -1, role.verbose);
	signal(SIGPIPE, SIG_IGN);
	/* Sent to the whole group they are meant for the master. */
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	while ((r = early_message()) == 0)
		;
	if (r == -1 || role.conf == NULL) {
		log_err("role: no conf from a master");
		return EX_USAGE;
	}
	if ((r = start()) != EX_OK)
		return r;
	while (!role.done)
		if (event_base_dispatch(role.base) == -1)
			return EX_SOFTWARE;
	return EX_OK;
}
