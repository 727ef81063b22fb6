/* SPDX-License-Identifier: ISC */
/*
 * Dialogues, from START to the last reply. Runs in auth-server. What the
 * client says is opaque here: it goes to a worker, or is known to the cache
 * by its keyed digest. Invariants: every refusal by password is counted, also
 * when the client does not wait for it; a blocked address learns nothing.
 */
#include <errno.h>
#include <event2/event.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "auth/server.h"
#include "lib/chan.h"
#include "lib/conf.h"
#include "lib/ip.h"
#include "lib/log.h"
#include "lib/now.h"
#include "lib/stats.h"
#include "lib/str.h"

#define WORKER_TIME	30000	/* ms a worker may take for an answer */

static int
compare_id(const void *x, const void *y)
{
	const struct login *a = x, *b = y;

	if (a->client_serial != b->client_serial)
		return a->client_serial < b->client_serial ? -1 : 1;
	return (a->id > b->id) - (a->id < b->id);
}

static int
compare_serial(const void *x, const void *y)
{
	const struct login *a = x, *b = y;

	return (a->serial > b->serial) - (a->serial < b->serial);
}

struct login *
login_by_serial(struct server *s, uint64_t serial)
{
	struct login key = { .serial = serial };
	void *const *node = tfind(&key, &s->by_serial, compare_serial);

	return node == NULL ? NULL : *node;
}

static struct login *
login_by_id(const struct client *c, uint32_t id)
{
	struct login key = { .client_serial = c->serial, .id = id };
	void *const *node = tfind(&key, &c->server->by_id, compare_id);

	return node == NULL ? NULL : *node;
}

/* The client waits for nothing more; its id is free again. */
static void
leave_client(struct login *l)
{
	if (l->client == NULL)
		return;
	tdelete(l, &l->server->by_id, compare_id);
	l->client->ids--;
	l->client = NULL;
}

static void
login_free(struct login *l)
{
	struct server *s = l->server;

	leave_client(l);
	tdelete(l, &s->by_serial, compare_serial);
	TAILQ_REMOVE(&s->logins, l, link);
	event_free(l->timer);
	str_wipe(l, sizeof(*l));
	free(l);
	server_drained(s);
}

static void
reply(struct client *c, uint32_t id, enum auth_status status,
    uint64_t retry_after, const void *data, size_t len)
{
	struct auth_reply m;

	memset(&m, 0, offsetof(struct auth_reply, data));
	m.type = AUTH_REPLY;
	m.id = id;
	m.status = status;
	m.retry_after = (uint32_t)((retry_after + 999) / 1000);
	m.len = (uint32_t)len;
	if (len > 0)
		memcpy(m.data, data, len);
	client_send(c, &m, offsetof(struct auth_reply, data) + len);
}

/* The last reply but OK; the dialogue is freed. */
static void
finish(struct login *l, enum auth_status status, uint64_t retry_after)
{
	if (l->client != NULL)
		reply(l->client, l->id, status, retry_after, NULL, 0);
	login_free(l);
}

/* One line for each login and each refusal. */
static void
log_result(const struct login *l, const char *event, const char *reason)
{
	char address[IP_TEXT], user[AUTH_USER_MAX * 2];
	char mechanism[AUTH_MECH_MAX * 2];

	str_quote(user, sizeof(user), l->user, strlen(l->user));
	str_quote(mechanism, sizeof(mechanism), l->mechanism,
	    strlen(l->mechanism));
	log_info("auth: %s user=%s%s%s mechanism=%s address=%s service=%s"
	    "%s%s", event, *user == '\0' ? "-" : user,
	    l->app[0] == '\0' ? "" : " app=", l->app, mechanism,
	    ip_text(l->address, address),
	    server_service_name(l->service),
	    *reason == '\0' ? "" : " reason=", reason);
	stats_add(stats_login(l->mechanism, server_service_name(l->service),
	    *reason == '\0' ? "ok" : reason), 1);
}

static void
arm(struct login *l, uint64_t ms)
{
	struct timeval tv = {
		(time_t)(ms / 1000), (suseconds_t)(ms % 1000) * 1000
	};

	evtimer_add(l->timer, &tv);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct login *l = arg;

	(void)fd;
	(void)what;
	if (l->state == LOGIN_DELAY) {
		finish(l, l->held, 0);
		return;
	}
	/* A worker takes too long. What it answers later still counts. */
	log_warn("auth: a worker does not answer");
	if (l->client != NULL)
		reply(l->client, l->id, AUTH_TEMP, 0, NULL, 0);
	leave_client(l);
}

static struct login *
login_new(struct client *c, const struct auth_start *m)
{
	struct server *s = c->server;
	struct login *l;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		return NULL;
	l->server = s;
	l->client = c;
	l->client_serial = c->serial;
	l->id = m->id;
	l->service = m->service;
	l->serial = ++s->next_serial;
	l->version = s->store.version;
	memcpy(l->address, m->address, sizeof(l->address));
	memcpy(l->mechanism, m->mechanism, sizeof(l->mechanism));
	memcpy(l->said, m->mechanism, sizeof(l->said));
	if ((l->timer = evtimer_new(s->base, on_timer, l)) == NULL)
		goto fail;
	if (tsearch(l, &s->by_id, compare_id) == NULL)
		goto fail;
	if (tsearch(l, &s->by_serial, compare_serial) == NULL) {
		tdelete(l, &s->by_id, compare_id);
		goto fail;
	}
	TAILQ_INSERT_TAIL(&s->logins, l, link);
	c->ids++;
	return l;
fail:
	if (l->timer != NULL)
		event_free(l->timer);
	free(l);
	return NULL;
}

/* Add to the digest of what was said. */
static void
hear(struct login *l, const void *data, size_t len)
{
	unsigned char buf[CACHE_DIGEST + AUTH_DATA_MAX];

	memcpy(buf, l->said, CACHE_DIGEST);
	memcpy(buf + CACHE_DIGEST, data, len);
	BUG_IF(HMAC(EVP_sha256(), l->server->key, sizeof(l->server->key), buf,
	    CACHE_DIGEST + len, l->said, NULL) == NULL);
	str_wipe(buf, CACHE_DIGEST + len);
	l->spoken = true;
}

static bool
is_plain(const struct login *l)
{
	return strcmp(l->mechanism, "PLAIN") == 0;
}

/* Is the mechanism offered? HTTP's Basic is PLAIN, offered or not. */
static bool
is_offered(const struct server *s, const struct auth_start *m)
{
	return str_has_word(s->mechs.list, m->mechanism) ||
	    (m->service == AUTH_HTTP && strcmp(m->mechanism, "PLAIN") == 0);
}

/* Is another attempt from this address with a worker? */
static bool
has_company(const struct login *l)
{
	const struct server *s = l->server;
	const struct login *o;

	if (s->waiting == 0)
		return false;
	TAILQ_FOREACH(o, &s->logins, link)
		if (o != l && o->state == LOGIN_WORKER &&
		    ip_same_prefix(o->address, l->address))
			return true;
	return false;
}

/*
 * The same PLAIN message was verified a short while ago. While others from
 * the same address are being checked it waits behind them, so that a burst
 * of guesses is counted before one of them is known to be right.
 */
static bool
known(struct login *l)
{
	struct server *s = l->server;
	const char *user, *app;

	if (!is_plain(l) || !l->spoken || has_company(l) ||
	    !server_follow_accounts(s))
		return false;
	user = cache_find(s->cache, l->said, now_boot(), &app);
	stats_add(STATS_CACHE + (user != NULL ? STATS_HIT : STATS_MISS), 1);
	/* One that has become of no use, or is of none for this service, is
	   a worker's to refuse: that takes the time of any other refusal. */
	if (user == NULL ||
	    app_refusal(s, user, app, l->service) != APPPASS_USABLE ||
	    str_copy(l->user, sizeof(l->user), user) == -1 ||
	    str_copy(l->app, sizeof(l->app), app) == -1)
		return false;
	worker_end(l);
	return true;
}

/* A refusal waits for its time: the same for all that are alike. */
static void
fail(struct login *l, enum auth_status status)
{
	struct server *s = l->server;
	uint64_t delay = s->conf->auth_failure_delay, print, block;
	char account[AUTH_USER_MAX];

	if (status == AUTH_FAIL) {
		memcpy(&print, l->said, sizeof(print));
		app_account(s, l->user, account);
		delay = throttle_failure(s->throttle, l->address, account,
		    print, now_boot());
		block = throttle_wait(s->throttle, l->address, now_boot());
		if (block > 0)
			client_tell_blocked(s, l->address, block);
	}
	log_result(l, "failed", l->refusal != APPPASS_USABLE ?
	    apppass_refusal_text(l->refusal) :
	    status == AUTH_FAIL ? "credentials" :
	    status == AUTH_NOT_AUTHORIZED ? "authzid" : "syntax");
	if (l->client == NULL || delay == 0) {
		finish(l, status, 0);
		return;
	}
	l->state = LOGIN_DELAY;
	l->held = status;
	arm(l, delay);
}

/* The password was right: throttle, log, ticket. */
static void
succeed(struct login *l, const unsigned char *proof)
{
	struct server *s = l->server;
	uint64_t now = now_boot();
	enum auth_status status;
	char account[AUTH_USER_MAX];

	/* Its time may have come since a worker looked. */
	l->refusal = app_refusal(s, l->user, l->app, l->service);
	if (l->refusal != APPPASS_USABLE) {
		fail(l, AUTH_FAIL);
		return;
	}
	app_account(s, l->user, account);
	throttle_success(s->throttle, l->address, account, now);
	if (l->client == NULL) {
		login_free(l);
		return;
	}
	/* The ticket takes the place of the dialogue. */
	tdelete(l, &s->by_id, compare_id);
	status = ticket_issue(l, proof);
	log_result(l, status == AUTH_OK ? "login" : "failed",
	    status == AUTH_OK ? "" : "temporary");
	if (status == AUTH_OK && proof != NULL && is_plain(l))
		cache_add(s->cache, l->said, l->user, l->app, now);
	if (status == AUTH_OK && l->app[0] != '\0')
		app_used(l);
	if (status != AUTH_OK)
		reply(l->client, l->id, status, 0, NULL, 0);
	l->client->ids--;
	l->client = NULL;
	login_free(l);
}

/* True when the address is blocked: the dialogue is over. */
static bool
blocked(struct login *l)
{
	uint64_t wait;

	wait = throttle_wait(l->server->throttle, l->address, now_boot());
	if (wait == 0)
		return false;
	log_result(l, "failed", "throttled");
	if (l->state == LOGIN_CLIENT)
		worker_end(l);
	finish(l, AUTH_THROTTLED, wait);
	return true;
}

/* A worker was asked; rc -1: it was not. A dialogue ends with its worker. */
static void
asked(struct login *l, int rc)
{
	if (rc == -1) {
		log_result(l, "failed", "busy");
		if (l->state == LOGIN_CLIENT)
			worker_end(l);
		finish(l, AUTH_TEMP, 0);
		return;
	}
	l->state = LOGIN_WORKER;
	arm(l, WORKER_TIME);
}

bool
login_start(struct client *c, const struct auth_start *m)
{
	struct server *s = c->server;
	struct login *l;

	if (login_by_id(c, m->id) != NULL ||
	    tickets_find(s->tickets, c->serial, m->id) != NULL)
		return false;
	if (c->ids >= s->ids_max || (l = login_new(c, m)) == NULL) {
		log_notice("auth: busy instance=%u", c->instance);
		reply(c, m->id, AUTH_TEMP, 0, NULL, 0);
		return true;
	}
	if (blocked(l))
		return true;
	if (s->mechs.list[0] != '\0' && !is_offered(s, m)) {
		finish(l, AUTH_NO_MECHANISM, 0);
		return true;
	}
	/* By EXTERNAL it is the certificate that speaks. */
	if (strcmp(l->mechanism, "EXTERNAL") == 0)
		hear(l, m->channel.names, strlen(m->channel.names));
	if (m->initial)
		hear(l, m->data, m->len);
	if (known(l))
		succeed(l, NULL);
	else
		asked(l, worker_start(l, m));
	return true;
}

bool
login_step(struct client *c, const struct auth_step *m)
{
	struct login *l = login_by_id(c, m->id);

	/* It may have ended while this was on its way. */
	if (l == NULL)
		return tickets_find(c->server->tickets, c->serial,
		    m->id) == NULL;
	if (l->state != LOGIN_CLIENT)
		return false;
	if (blocked(l))
		return true;
	hear(l, m->data, m->len);
	if (known(l))
		succeed(l, NULL);
	else
		asked(l, worker_step(l, m));
	return true;
}

void
login_answer(struct login *l, const struct sasl_reply *m)
{
	evtimer_del(l->timer);
	memcpy(l->user, m->user, sizeof(l->user));
	memcpy(l->app, m->app, sizeof(l->app));
	l->refusal = m->refusal;
	/* Guesses sent side by side gain nothing past the limit. */
	if (m->status != AUTH_MORE && blocked(l))
		return;
	switch (m->status) {
	case AUTH_MORE:
		if (l->client == NULL) {
			worker_end(l);
			login_free(l);
			return;
		}
		l->state = LOGIN_CLIENT;
		reply(l->client, l->id, AUTH_MORE, 0, m->data, m->len);
		return;
	case AUTH_OK:
		succeed(l, m->proof);
		return;
	case AUTH_FAIL:
	case AUTH_NOT_AUTHORIZED:
		fail(l, (enum auth_status)m->status);
		return;
	default:
		log_result(l, "failed", m->status == AUTH_TEMP ?
		    "temporary" : "syntax");
		finish(l, (enum auth_status)m->status, 0);
		return;
	}
}

/* Nobody waits any more; an answer that is due must still be counted. */
static void
abandon(struct login *l)
{
	if (l->state == LOGIN_WORKER) {
		leave_client(l);
		return;
	}
	if (l->state == LOGIN_CLIENT)
		worker_end(l);
	login_free(l);
}

void
login_cancel(struct client *c, uint32_t id)
{
	struct login *l = login_by_id(c, id);

	if (l != NULL)
		abandon(l);
}

void
login_client_gone(struct client *c)
{
	struct login *l, *next;

	for (l = TAILQ_FIRST(&c->server->logins); l != NULL; l = next) {
		next = TAILQ_NEXT(l, link);
		if (l->client == c)
			abandon(l);
	}
}

void
login_worker_gone(struct worker *w)
{
	struct login *l, *next;

	for (l = TAILQ_FIRST(&w->server->logins); l != NULL; l = next) {
		next = TAILQ_NEXT(l, link);
		if (l->worker != w)
			continue;
		l->worker = NULL;
		/* Who waits for its client hears of it at the next step. */
		if (l->state != LOGIN_WORKER)
			continue;
		log_result(l, "failed", "temporary");
		finish(l, AUTH_TEMP, 0);
	}
}
