/* SPDX-License-Identifier: ISC */
/*
 * The SASL workers: which one gets a request, how many may wait. Runs in
 * auth-server. A worker reads clients' octets: the form of its messages is
 * checked, and one that breaks it is dropped, upon which it ends and its
 * master starts another. Invariant: s->waiting is the sum of the workers'.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/server.h"
#include "lib/chan.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/stats.h"
#include "lib/str.h"

static struct worker *
least_busy(struct server *s)
{
	struct worker *w, *best = NULL;

	TAILQ_FOREACH(w, &s->workers, link)
		if (w->ready && (best == NULL || w->waiting < best->waiting))
			best = w;
	/* Those that are equally busy take turns. */
	if (best != NULL) {
		TAILQ_REMOVE(&s->workers, best, link);
		TAILQ_INSERT_TAIL(&s->workers, best, link);
	}
	return best;
}

/* Complete the request and send it; it is wiped. */
static int
ask(struct login *l, struct sasl_request *m, const void *data, size_t len)
{
	const size_t size = offsetof(struct sasl_request, data) + len;
	struct server *s = l->server;
	int rc = -1;

	m->service = l->service;
	m->serial = l->serial;
	m->len = (uint32_t)len;
	str_copy(m->mechanism, sizeof(m->mechanism), l->mechanism);
	if (len > 0)
		memcpy(m->data, data, len);
	if (l->worker != NULL && s->waiting < s->conf->auth_queue)
		rc = chan_send(l->worker->chan, m, size, -1);
	str_wipe(m, size);
	if (rc == -1)
		return -1;
	l->worker->waiting++;
	s->waiting++;
	stats_set(STATS_AUTH_QUEUE, s->waiting);
	return 0;
}

int
worker_start(struct login *l, const struct auth_start *start)
{
	struct sasl_request m;

	memset(&m, 0, offsetof(struct sasl_request, data));
	m.type = SASLW_START;
	m.initial = start->initial;
	m.channel = start->channel;
	l->worker = least_busy(l->server);
	return ask(l, &m, start->data, start->len);
}

int
worker_step(struct login *l, const struct auth_step *step)
{
	struct sasl_request m;

	memset(&m, 0, offsetof(struct sasl_request, data));
	m.type = SASLW_STEP;
	return ask(l, &m, step->data, step->len);
}

bool
worker_look(struct server *s, const struct sasl_look *m)
{
	struct worker *w = least_busy(s);

	if (w == NULL || chan_send(w->chan, m, sizeof(*m), -1) == -1)
		return false;
	w->looks++;
	return true;
}

void
worker_end(struct login *l)
{
	struct sasl_end m = { SASLW_END, 0, l->serial };

	if (l->worker != NULL)
		chan_send(l->worker->chan, &m, sizeof(m), -1);
}

static bool
on_hello(struct worker *w, const struct auth_mechs *m, size_t len)
{
	struct server *s = w->server;

	if (len != sizeof(*m) || w->ready ||
	    !str_ends(m->list, sizeof(m->list)) || m->list[0] == '\0')
		return false;
	w->ready = true;
	if (strcmp(s->mechs.list, m->list) == 0)
		return true;
	s->mechs.type = AUTH_MECHS;
	memcpy(s->mechs.list, m->list, sizeof(m->list));
	client_tell_mechanisms(s);
	return true;
}

static bool
on_reply(struct worker *w, const struct sasl_reply *m, size_t len)
{
	const size_t fixed = offsetof(struct sasl_reply, data);
	struct login *l;

	if (len < fixed || m->len > AUTH_DATA_MAX || len != fixed + m->len ||
	    m->status == AUTH_STATUS_NONE || m->status >= AUTH_STATUS_COUNT ||
	    m->status == AUTH_THROTTLED ||
	    (m->status != AUTH_MORE && m->len != 0) ||
	    !str_ends(m->user, sizeof(m->user)) ||
	    !str_ends(m->app, sizeof(m->app)) ||
	    (m->app[0] != '\0' && !apppass_name_ok(m->app,
	    strlen(m->app))) || m->refusal >= APPPASS_REFUSAL_COUNT ||
	    (m->refusal != APPPASS_USABLE && m->status != AUTH_FAIL) ||
	    w->waiting == 0)
		return false;
	w->waiting--;
	w->server->waiting--;
	stats_set(STATS_AUTH_QUEUE, w->server->waiting);
	if ((l = login_by_serial(w->server, m->serial)) == NULL)
		return true;
	if (l->worker != w || l->state != LOGIN_WORKER)
		return false;
	login_answer(l, m);
	return true;
}

static bool
on_looked(struct worker *w, const struct sasl_looked *m, size_t len)
{
	if (len != sizeof(*m) || w->looks == 0 ||
	    !str_ends(m->user, sizeof(m->user)) || (m->status != AUTH_OK &&
	    m->status != AUTH_FAIL && m->status != AUTH_TEMP))
		return false;
	w->looks--;
	store_looked(w->server, m);
	return true;
}

static void
on_input(struct chan *chan, void *arg, const void *msg, size_t len, int fd)
{
	struct worker *w = arg;
	uint32_t type = SASLW_NONE;
	bool ok;

	(void)chan;
	if (len >= sizeof(type))
		memcpy(&type, msg, sizeof(type));
	if (fd != -1)
		close(fd);
	ok = fd == -1 && (type == SASLW_HELLO ? on_hello(w, msg, len) :
	    type == SASLW_LOOKED ? on_looked(w, msg, len) :
	    type == SASLW_REPLY && w->ready && on_reply(w, msg, len));
	if (ok)
		return;
	log_err("auth: bad message from worker instance=%u", w->instance);
	worker_free(w);
}

static void
on_gone(struct chan *chan, void *arg)
{
	(void)chan;
	worker_free(arg);
}

void
worker_new(struct server *s, uint32_t instance, int fd)
{
	static const struct chan_ops ops = {
		.input = on_input, .gone = on_gone
	};
	struct sasl_key key = { .type = SASLW_KEY };
	struct worker *w;

	if ((w = calloc(1, sizeof(*w))) == NULL) {
		log_err("auth: %m");
		close(fd);
		return;
	}
	w->server = s;
	w->instance = instance;
	if ((w->chan = chan_new(s->base, fd, &ops, w)) == NULL) {
		log_err("auth: %m");
		free(w);
		return;
	}
	TAILQ_INSERT_TAIL(&s->workers, w, link);
	memcpy(key.decoy, s->decoy, sizeof(key.decoy));
	chan_send(w->chan, &key, sizeof(key), -1);
	str_wipe(&key, sizeof(key));
}

void
worker_free(struct worker *w)
{
	log_debug("auth: worker gone instance=%u waiting=%zu", w->instance,
	    w->waiting);
	TAILQ_REMOVE(&w->server->workers, w, link);
	w->server->waiting -= w->waiting;
	stats_set(STATS_AUTH_QUEUE, w->server->waiting);
	chan_free(&w->chan);
	store_worker_gone(w->server, w->looks);
	login_worker_gone(w);
	server_drained(w->server);
	free(w);
}
