/* SPDX-License-Identifier: ISC */
/*
 * The store as a whole: its parts put together, the channel to auth, jobs
 * coming back. Runs in the main thread of smtpd-store. Auth is trusted: a bad
 * message from it ends the process.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>
#include <unistd.h>

#include "auth/held.h"
#include "lib/chan.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/now.h"
#include "lib/role.h"
#include "lib/stats.h"
#include "smtpd/store_impl.h"

#define RATE_SLOTS	16384	/* logins whose rates are known */
#define MEMORY_MAX	(128 * 1024 * 1024)	/* of messages coming in */

static void
run_job(struct pool_job *j)
{
	struct txn *t = (struct txn *)j;

	commit_run(&t->commit);
}

bool
store_idle(const struct store *s)
{
	return LIST_EMPTY(&s->peers) && pool_pending(s->pool) == 0;
}

void
store_left(struct store *s)
{
	if (s->draining && store_idle(s))
		role_done();
}

static void
on_done(evutil_socket_t fd, short what, void *arg)
{
	struct store *s = arg;
	struct pool_job *j;

	(void)fd;
	(void)what;
	pool_rearm(s->pool);
	while ((j = pool_done(s->pool)) != NULL)
		peer_committed((struct txn *)j);
	stats_set(STATS_QUEUE, pool_pending(s->pool));
	store_left(s);
}

/* What conf.c has checked already, but for the grammar of the address. */
static void
set_postmaster(struct store *s)
{
	const char *text = s->conf->postmaster, *why;

	if (text == NULL || text[0] == '\0')
		return;
	why = alias_address(s->conf, text, strlen(text), &s->postmaster, NULL);
	if (why == NULL)
		return;
	log_err("store: delivery.postmaster: %s: does not count", why);
	memset(&s->postmaster, 0, sizeof(s->postmaster));
}

/* Who may get and send what. */
static int
init_policy(struct store *s)
{
	unsigned char key[SIPHASH_KEY];

	if (getrandom(key, sizeof(key), 0) != sizeof(key))
		return -1;
	s->rate = rate_new(RATE_SLOTS, key, s->conf->login_rate_time);
	if (s->rate == NULL || (s->aliases = aliases_new(s->conf)) == NULL)
		return -1;
	s->bodies.aliases = aliases_table(s->aliases);
	set_postmaster(s);
	return 0;
}

void
store_follow_aliases(struct store *s)
{
	aliases_follow(s->aliases, now_monotonic());
	s->bodies.aliases = aliases_table(s->aliases);
}

int
store_init(struct store *s, struct event_base *base, const struct conf *conf)
{
	const struct quota_limits limits = { conf->quota,
	    conf->quota_messages };

	memset(s, 0, sizeof(*s));
	s->base = base;
	s->conf = conf;
	LIST_INIT(&s->peers);
	s->bodies.root = open(conf->mail_root,
	    O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->bodies.root == -1) {
		log_err("store: mail root %s: %m", conf->mail_root);
		return -1;
	}
	if (access("/proc/self/fd", X_OK) == -1) {
		log_err("store: /proc/self/fd: %m");	/* see store_file.c */
		return -1;
	}
	s->bodies.hostname = conf->hostname;
	s->bodies.message_size = conf->message_size;
	s->bodies.header_size = conf->header_size;
	s->bodies.received_limit = conf->received_limit;
	s->bodies.memory_max = MEMORY_MAX;
	s->commits.root = s->bodies.root;
	pthread_mutex_init(&s->commits.lock, NULL);
	maildir_maker_init(&s->commits.maker, conf->hostname,
	    (uint64_t)getpid());
	s->held = held_new(AUTH_SMTP, AUTH_LOGINS_MAX);
	s->pool = pool_new(conf->delivery_queue, run_job);
	s->quota = quota_new(s->bodies.root, &limits);
	if (s->held == NULL || s->pool == NULL || s->quota == NULL ||
	    init_policy(s) == -1 ||
	    (s->done = event_new(base, pool_fd(s->pool),
	    EV_READ | EV_PERSIST, on_done, s)) == NULL ||
	    event_add(s->done, NULL) == -1) {
		log_err("store: %m");
		return -1;
	}
	return 0;
}

int
store_threads(struct store *s)
{
	if (pool_start(s->pool, (unsigned)s->conf->delivery_threads) == -1) {
		log_err("store: cannot start delivery threads: %m");
		return -1;
	}
	return 0;
}

static void
on_auth(struct chan *c, void *arg, const void *msg, size_t len, int fd)
{
	struct store *s = arg;

	(void)c;
	if (fd != -1)
		close(fd);
	if (held_input(s->held, msg, len, now_boot()) == 0)
		return;
	log_err("store: ticket from auth: %m");
	if (errno == EPROTO)
		exit(EX_PROTOCOL);
}

/* Its tickets stay good until the next auth says which are. */
static void
on_auth_gone(struct chan *c, void *arg)
{
	struct store *s = arg;

	(void)c;
	log_notice("store: auth is gone");
	chan_free(&s->auth);
	role_want_peer(ROLE_AUTH_SERVER);
}

void
store_auth(struct store *s, int fd)
{
	static const struct chan_ops ops = { .input = on_auth,
	    .gone = on_auth_gone };

	chan_free(&s->auth);
	held_clear(s->held);
	if ((s->auth = chan_new(s->base, fd, &ops, s)) == NULL) {
		log_err("store: %m");
		role_want_peer(ROLE_AUTH_SERVER);
	}
}

const char *
store_user(struct store *s, const unsigned char *nonce, uint32_t instance)
{
	uint64_t now = now_boot();
	const char *user = held_find(s->held, instance, nonce, now);

	/* Its ticket was sent before the session heard OK: it may wait. */
	if (user == NULL && s->auth != NULL) {
		chan_poll(s->auth);
		user = held_find(s->held, instance, nonce, now);
	}
	return user;
}

void
store_free(struct store *s)
{
	struct peer *p;

	while ((p = LIST_FIRST(&s->peers)) != NULL)
		peer_free(p);
	pool_free(&s->pool);
	if (s->done != NULL)
		event_free(s->done);
	chan_free(&s->auth);
	held_free(&s->held);
	quota_free(&s->quota);
	aliases_free(&s->aliases);
	rate_free(&s->rate);
	pthread_mutex_destroy(&s->commits.lock);
	close(s->bodies.root);
}
