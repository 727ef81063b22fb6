/* SPDX-License-Identifier: ISC */
/*
 * auth-server: owns tickets, throttle and cache of both services; hands SASL
 * steps to its workers. Trusts its master, the first datagram of a
 * connection (a master's) and the accounts file; whatever else comes on a
 * connection may come from an owned session process. Links no SASL, no TLS.
 */
#include "auth/server.h"

#include <errno.h>
#include <event2/event.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include <sys/inotify.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "auth/accounts.h"
#include "lib/chan.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/now.h"
#include "lib/secret.h"
#include "lib/stats.h"

#define CACHE_SLOTS	4096
#define IDS_MIN		64
#define DRAIN_MS	300000

enum auth_service
server_service(enum role role)
{
	switch (role) {
	case ROLE_SMTPD_SESSION:
	case ROLE_SMTPD_STORE:
		return AUTH_SMTP;
	case ROLE_RETRIEVE_SESSION:
	case ROLE_RETRIEVE_READER:
		return AUTH_HTTP;
	default:
		return AUTH_SERVICE_NONE;
	}
}

const char *
server_service_name(uint32_t service)
{
	return service == AUTH_HTTP ? "http" : "smtp";
}

bool
server_follow_accounts(struct server *s)
{
	int rc;

	if (s->conf->auth_store != CONF_STORE_ACCOUNTS)
		return store_follow(s);
	rc = accounts_refresh(&s->accounts, s->conf->auth_accounts);
	if (rc == -1 && s->readable)
		log_err("accounts: cannot read file=%s: %m",
		    s->conf->auth_accounts);
	s->readable = rc != -1;
	if (rc == 1) {
		log_info("accounts: read file=%s accounts=%zu apps=%zu "
		    "skipped=%zu", s->conf->auth_accounts,
		    accounts_count(s->accounts) -
		    accounts_count_apps(s->accounts),
		    accounts_count_apps(s->accounts),
		    accounts_bad(s->accounts));
		cache_clear(s->cache);
		ticket_review(s);
		app_changed(s);
	}
	return s->readable;
}

/* How many addresses are refused now. */
static uint64_t
count_blocked(struct server *s)
{
	unsigned char address[16];
	uint64_t now = now_boot(), n = 0;
	size_t at = 0;

	while (throttle_blocked(s->throttle, now, &at, address) > 0)
		n++;
	return n;
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;

	(void)fd;
	(void)what;
	server_follow_accounts(s);
	store_tick(s);
	ticket_expire(s);
	stats_set(STATS_TICKETS, tickets_count(s->tickets));
	app_tick(s);
	stats_set(STATS_BLOCKED, count_blocked(s));
	if (s->listen != NULL)
		event_add(s->listen, NULL);
	server_drained(s);
}

/* In the store's folder a file was written or got a name. */
static void
on_change(evutil_socket_t fd, short what, void *arg)
{
	char events[4096];	/* which ones does not matter */

	(void)what;
	if (read((int)fd, events, sizeof(events)) > 0)
		server_follow_accounts(arg);
}

/*
 * Hear of changes as they are made: a login must not outlive its password.
 * Where that cannot be had, the tick finds them a little later.
 */
static void
watch_folder(struct server *s, const char *folder)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	/* A database is written to and stays open. */
	if (fd == -1 || inotify_add_watch(fd, folder, IN_MOVED_TO |
	    IN_CLOSE_WRITE | IN_MODIFY | IN_DELETE | IN_ONLYDIR) == -1 ||
	    (s->change = event_new(s->base, fd, EV_READ | EV_PERSIST,
	    on_change, s)) == NULL || event_add(s->change, NULL) == -1) {
		log_warn("accounts: cannot watch folder=%s: %m", folder);
		if (fd != -1 && s->change == NULL)
			close(fd);
	}
}

static void
on_connection(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	int conn;

	(void)what;
	conn = accept4((int)fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (conn != -1)
		client_new(s, conn);
	else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
		log_err("auth: cannot accept: %m");
		event_del(s->listen);	/* until the tick, and not spin */
	}
}

static void
server_listener(void *arg, enum listen_kind kind, int fd)
{
	struct server *s = arg;

	if (kind != LISTEN_AUTH || s->listen != NULL) {
		close(fd);
		return;
	}
	s->listen_fd = fd;
	evutil_make_socket_nonblocking(fd);
	s->listen = event_new(s->base, fd, EV_READ | EV_PERSIST,
	    on_connection, s);
	if (s->listen == NULL || event_add(s->listen, NULL) == -1)
		log_err("auth: cannot listen");
}

static void
server_peer(void *arg, enum role role, uint32_t instance, int fd)
{
	if (role == ROLE_AUTH_SASL)
		worker_new(arg, instance, fd);
	else
		close(fd);
}

static int
make_tables(struct server *s)
{
	const struct conf *c = s->conf;
	struct throttle_conf tc = {
		.limit_address = c->auth_failure_limit,
		.limit_account = c->auth_failure_limit_account,
		.window = c->auth_failure_time,
		.delay = c->auth_failure_delay,
		.slots = AUTH_BLOCKED_MAX,
	};

	if (getrandom(tc.key, sizeof(tc.key), 0) != sizeof(tc.key) ||
	    getrandom(s->key, sizeof(s->key), 0) != sizeof(s->key))
		return -1;
	s->throttle = throttle_new(&tc);
	/* Passwords that can be seen are as soon compared as remembered. */
	s->cache = cache_new(CACHE_SLOTS,
	    c->auth_store == CONF_STORE_SASLDB ||
	    c->auth_store == CONF_STORE_SQL ? 0 : c->auth_cache_time);
	s->tickets = tickets_new(AUTH_LOGINS_MAX);
	s->ids_max = c->connections > SIZE_MAX / 2 ? SIZE_MAX :
	    (size_t)c->connections * 2;
	if (s->ids_max < IDS_MIN)
		s->ids_max = IDS_MIN;
	return s->throttle == NULL || s->cache == NULL ||
	    s->tickets == NULL ? -1 : 0;
}

/*
 * What may be read and written from now on. Other stores are looked at from
 * outside: stat(2) needs no right. Our own folder has the times of last use:
 * nothing there is secret from us, and a file that is replaced must be made
 * and removed.
 */
static void
set_paths(struct server *s, const char *folder)
{
	if (s->conf->auth_store != CONF_STORE_ACCOUNTS)
		return;
	s->profile.paths[0] = (struct priv_path){ folder, PRIV_READ };
	s->profile.paths[1] = (struct priv_path){ s->own_folder,
	    PRIV_READ | PRIV_WRITE | PRIV_UNLINK };
}

static int
server_start(void *arg, struct event_base *base, const struct conf *conf)
{
	static const struct timeval second = { 1, 0 };
	struct server *s = arg;
	char *folder;

	s->base = base;
	s->conf = conf;
	TAILQ_INIT(&s->clients);
	TAILQ_INIT(&s->workers);
	TAILQ_INIT(&s->logins);
	folder = accounts_folder(conf_store_path(conf, NULL));
	s->tick = event_new(base, -1, EV_PERSIST, on_tick, s);
	/* Kept: one that changed would show who does not exist. */
	if (secret_load(conf->state_dir, "auth", "decoy.key", s->decoy,
	    sizeof(s->decoy)) == -1) {
		free(folder);
		return -1;
	}
	if (folder == NULL || make_tables(s) == -1 || s->tick == NULL ||
	    app_start(s) == -1 ||
	    event_add(s->tick, &second) == -1) {
		log_err("auth: cannot start: %m");
		free(folder);
		return -1;
	}
	set_paths(s, folder);
	if (conf->auth_store != CONF_STORE_SASLAUTHD)
		watch_folder(s, folder);
	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
	s->readable = true;
	server_follow_accounts(s);
	return 0;
}

void
server_drained(struct server *s)
{
	if (!s->draining)
		return;
	if ((TAILQ_EMPTY(&s->logins) && tickets_count(s->tickets) == 0) ||
	    TAILQ_EMPTY(&s->workers) || now_boot() >= s->drain_end)
		role_done();
}

/*
 * A new auth-server has the listener. Who is logged in here goes on for a
 * while: the tickets end with this process. Then all our connections break,
 * and those at their other ends are given new ones.
 */
static void
server_drain(void *arg)
{
	struct server *s = arg;

	if (s->listen != NULL) {
		event_free(s->listen);
		s->listen = NULL;
		close(s->listen_fd);
	}
	app_write(s);
	s->draining = true;
	s->drain_end = now_boot() + DRAIN_MS;
	server_drained(s);
}

int
main(int argc, char **argv)
{
	static const int calls[] = {
		SCMP_SYS(openat), SCMP_SYS(newfstatat), SCMP_SYS(stat),
		SCMP_SYS(accept4), SCMP_SYS(shutdown),
		/* the file of last uses is replaced */
		SCMP_SYS(pread64), SCMP_SYS(renameat), SCMP_SYS(unlink),
		SCMP_SYS(unlinkat), -1
	};
	static struct server s = { .profile = { .calls = calls } };
	static const struct role_ops ops = {
		.role = ROLE_AUTH_SERVER,
		.profile = &s.profile,
		.start = server_start,
		.listener = server_listener,
		.peer = server_peer,
		.drain = server_drain,
		.ends_at_once = true,
	};

	int status = role_main(argc, argv, &ops, &s);

	app_write(&s);
	return status;
}
