/* SPDX-License-Identifier: ISC */
/*
 * auth-sasl: a worker process that takes SASL steps from auth-server, one
 * after the other (hashing a password blocks it), for many dialogues at a
 * time. Trusts auth-server and the accounts file; the octets it is handed
 * are a client's. Invariant: each START and STEP gets one REPLY, and a
 * dialogue that is over is freed with it.
 */
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "auth/accounts.h"
#include "auth/channel.h"
#include "auth/sasl.h"
#include "auth/sasl_proto.h"
#include "lib/chan.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/priv.h"
#include "lib/role.h"
#include "lib/str.h"

#define DIALOGUES_MAX	65536

struct dialogue {
	uint64_t			 serial;
	struct saslauth_dialogue	*sasl;
};

struct worker {
	const struct conf	*conf;
	struct event_base	*base;
	struct chan		*server;
	struct saslauth		*auth;
	struct accounts		*accounts;
	bool			 complained;	/* accounts unreadable */
	void			*dialogues;	/* tsearch(3), by serial */
	size_t			 n;
	struct priv_profile	 profile;
};

static int
compare(const void *x, const void *y)
{
	const struct dialogue *a = x, *b = y;

	return (a->serial > b->serial) - (a->serial < b->serial);
}

static struct dialogue *
dialogue_find(struct worker *w, uint64_t serial)
{
	struct dialogue key = { .serial = serial };
	void *const *node = tfind(&key, &w->dialogues, compare);

	return node == NULL ? NULL : *node;
}

static struct dialogue *
dialogue_new(struct worker *w, const struct sasl_request *m)
{
	struct dialogue *d;

	if (w->n >= DIALOGUES_MAX || (d = calloc(1, sizeof(*d))) == NULL)
		return NULL;
	d->serial = m->serial;
	d->sasl = saslauth_begin(w->auth, (enum auth_service)m->service,
	    &m->channel);
	if (d->sasl == NULL || tsearch(d, &w->dialogues, compare) == NULL) {
		saslauth_end(&d->sasl);
		free(d);
		return NULL;
	}
	w->n++;
	return d;
}

static void
dialogue_free(struct worker *w, struct dialogue *d)
{
	tdelete(d, &w->dialogues, compare);
	saslauth_end(&d->sasl);
	free(d);
	w->n--;
}

static void
dialogues_drop(struct worker *w)
{
	while (w->dialogues != NULL)
		dialogue_free(w, *(struct dialogue **)w->dialogues);
}

/* Follow the accounts file; without one logins have to wait for it. */
static void
accounts_follow(struct worker *w)
{
	int rc;

	if (w->conf->auth_store != CONF_STORE_ACCOUNTS)
		return;
	rc = accounts_refresh(&w->accounts, w->conf->auth_accounts);
	if (rc == -1 && !w->complained)
		log_err("accounts: cannot read file=%s: %m",
		    w->conf->auth_accounts);
	w->complained = rc == -1;
	saslauth_accounts(w->auth, rc == -1 ? NULL : w->accounts);
}

static void
reply(struct worker *w, uint64_t serial, struct dialogue *d,
    const struct saslauth_result *r)
{
	static struct sasl_reply m;	/* large; wiped below */

	m.type = SASLW_REPLY;
	m.status = r->status;
	m.serial = serial;
	m.len = (uint32_t)r->len;
	memset(m.user, 0, sizeof(m.user));
	memset(m.proof, 0, sizeof(m.proof));
	memset(m.app, 0, sizeof(m.app));
	m.refusal = APPPASS_USABLE;
	if (d != NULL)
		str_copy(m.user, sizeof(m.user), saslauth_user(d->sasl));
	if (d != NULL && (r->status == AUTH_OK || r->status == AUTH_FAIL)) {
		str_copy(m.app, sizeof(m.app), saslauth_app(d->sasl));
		m.refusal = saslauth_refusal(d->sasl);
	}
	if (d != NULL && r->status == AUTH_OK)
		memcpy(m.proof, saslauth_proof(d->sasl), sizeof(m.proof));
	if (r->len > 0)
		memcpy(m.data, r->data, r->len);
	if (d != NULL && r->status != AUTH_MORE)
		dialogue_free(w, d);
	if (chan_send(w->server, &m, offsetof(struct sasl_reply, data) +
	    m.len, -1) == -1 && errno != EPIPE)
		log_err("sasl: cannot reply: %m");
	str_wipe(&m, sizeof(m));
}

static void
do_start(struct worker *w, const struct sasl_request *m)
{
	struct saslauth_result r = { AUTH_TEMP, NULL, 0 };
	struct dialogue *d;

	accounts_follow(w);
	d = dialogue_new(w, m);
	if (d != NULL)
		r = saslauth_start(d->sasl, m->mechanism,
		    m->initial ? m->data : NULL, m->len);
	reply(w, m->serial, d, &r);
}

static void
do_step(struct worker *w, const struct sasl_request *m)
{
	struct saslauth_result r = { AUTH_TEMP, NULL, 0 };
	struct dialogue *d;

	accounts_follow(w);
	if ((d = dialogue_find(w, m->serial)) != NULL)
		r = saslauth_step(d->sasl, m->data, m->len);
	reply(w, m->serial, d, &r);
}

static bool
is_request(const struct sasl_request *m, size_t len)
{
	return len >= offsetof(struct sasl_request, data) &&
	    m->len <= AUTH_DATA_MAX &&
	    len == offsetof(struct sasl_request, data) + m->len &&
	    str_ends(m->mechanism, sizeof(m->mechanism)) &&
	    channel_ok(&m->channel);
}

static void
do_key(struct worker *w, const struct sasl_key *key)
{
	struct auth_mechs m;

	saslauth_decoy(w->auth, key->decoy);
	memset(&m, 0, sizeof(m));
	m.type = SASLW_HELLO;
	str_copy(m.list, sizeof(m.list), saslauth_mechanisms(w->auth));
	chan_send(w->server, &m, sizeof(m), -1);
}

static void
do_look(struct worker *w, const struct sasl_look *m)
{
	struct sasl_looked r;

	memset(&r, 0, sizeof(r));
	r.type = SASLW_LOOKED;
	r.id = m->id;
	r.client = m->client;
	r.version = m->version;
	memcpy(r.user, m->user, sizeof(r.user));
	r.status = saslauth_look(w->auth, m->user, r.proof);
	if (chan_send(w->server, &r, sizeof(r), -1) == -1 && errno != EPIPE)
		log_err("sasl: cannot reply: %m");
	str_wipe(&r, sizeof(r));
}

static bool
is_look(const struct sasl_look *m, size_t len)
{
	return len == sizeof(*m) && str_ends(m->user, sizeof(m->user));
}

static bool
on_message(struct worker *w, const void *msg, size_t len)
{
	const struct sasl_end *end = msg;
	struct dialogue *d;
	uint32_t type;

	if (len < sizeof(type))
		return false;
	memcpy(&type, msg, sizeof(type));
	switch (type) {
	case SASLW_KEY:
		if (len != sizeof(struct sasl_key))
			return false;
		do_key(w, msg);
		return true;
	case SASLW_START:
		if (!is_request(msg, len) ||
		    dialogue_find(w, ((const struct sasl_request *)
		    msg)->serial) != NULL)
			return false;
		do_start(w, msg);
		return true;
	case SASLW_STEP:
		if (!is_request(msg, len))
			return false;
		do_step(w, msg);
		return true;
	case SASLW_LOOK:
		if (!is_look(msg, len) ||
		    w->conf->auth_store == CONF_STORE_ACCOUNTS)
			return false;
		do_look(w, msg);
		return true;
	case SASLW_END:
		if (len != sizeof(*end))
			return false;
		if ((d = dialogue_find(w, end->serial)) != NULL)
			dialogue_free(w, d);
		return true;
	default:
		return false;
	}
}

static void
on_input(struct chan *c, void *arg, const void *msg, size_t len, int fd)
{
	(void)c;
	if (fd != -1)
		close(fd);
	if (on_message(arg, msg, len))
		return;
	log_err("sasl: bad message from auth-server");
	role_done();
}

static void
on_gone(struct chan *c, void *arg)
{
	struct worker *w = arg;

	(void)c;
	chan_free(&w->server);
	dialogues_drop(w);
	/* A new process is what the master connects to a new auth-server. */
	role_done();
}

/* auth-server ends its dialogues first; then its end is ours. */
static void
worker_drain(void *arg)
{
	const struct worker *w = arg;

	if (w->server == NULL)
		role_done();
}

static void
worker_peer(void *arg, enum role role, uint32_t instance, int fd)
{
	static const struct chan_ops ops = {
		.input = on_input, .gone = on_gone
	};
	struct worker *w = arg;

	(void)instance;
	if (role != ROLE_AUTH_SERVER) {
		close(fd);
		return;
	}
	chan_free(&w->server);
	dialogues_drop(w);
	if ((w->server = chan_new(w->base, fd, &ops, w)) == NULL)
		log_err("sasl: no channel to auth-server: %m");
}

static int
worker_start(void *arg, struct event_base *base, const struct conf *conf)
{
	struct worker *w = arg;

	w->base = base;
	w->conf = conf;
	if ((w->auth = saslauth_new(conf)) == NULL ||
	    saslauth_confine(conf, &w->profile) == -1)
		return -1;
	accounts_follow(w);
	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
	return 0;
}

int
main(int argc, char **argv)
{
	static struct worker w;
	static const struct role_ops ops = {
		.role = ROLE_AUTH_SASL,
		.profile = &w.profile,
		.start = worker_start,
		.peer = worker_peer,
		.drain = worker_drain,
		.ends_at_once = true,
	};

	return role_main(argc, argv, &ops, &w);
}
