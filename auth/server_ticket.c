/* SPDX-License-Identifier: ISC */
/*
 * Live logins: who is told of them, and when they end. Runs in auth-server.
 * Invariant: the store or reader has a ticket before its session hears OK.
 */
#include <string.h>

#include <sys/random.h>

#include "auth/accounts.h"
#include "auth/server.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/now.h"
#include "lib/str.h"

static void
message_of(const struct ticket *k, uint32_t type, struct auth_ticket *m)
{
	memset(m, 0, sizeof(*m));
	m->type = type;
	m->instance = k->instance;
	m->service = k->service;
	m->expiry = k->expiry;
	memcpy(m->nonce, k->nonce, sizeof(m->nonce));
	str_copy(m->user, sizeof(m->user), k->user);
}

void
ticket_tell_all(struct client *c)
{
	struct auth_ticket m;
	struct ticket *k;

	for (k = tickets_first(c->server->tickets); k != NULL;
	    k = tickets_next(k)) {
		if (k->service != (uint32_t)server_service(c->role))
			continue;
		message_of(k, AUTH_TICKET, &m);
		client_send(c, &m, sizeof(m));
	}
}

void
ticket_end(struct server *s, struct ticket *k, bool told)
{
	struct client *c = client_find(s, k->client);
	struct auth_id revoked = { AUTH_REVOKED, k->id };
	struct auth_ticket m;

	message_of(k, AUTH_TICKET_END, &m);
	client_tell_service(s, k->service, &m, sizeof(m));
	if (c != NULL)
		c->ids--;
	if (c != NULL && told)
		client_send(c, &revoked, sizeof(revoked));
	tickets_remove(s->tickets, &k);
	server_drained(s);
}

void
ticket_client_gone(struct client *c)
{
	struct ticket *k, *next;

	for (k = tickets_first(c->server->tickets); k != NULL; k = next) {
		next = tickets_next(k);
		if (k->client == c->serial)
			ticket_end(c->server, k, false);
	}
}

void
ticket_expire(struct server *s)
{
	struct ticket *k;
	uint64_t now = now_boot();

	while ((k = tickets_expired(s->tickets, now)) != NULL)
		ticket_end(s, k, true);
}

/*
 * Find what the account of this name, and its app password unless that is
 * "", is worth now; false: no login.
 */
static bool
proof_of(struct server *s, const char *user, const char *app,
    unsigned char *proof)
{
	const struct account *acct = accounts_find(s->accounts, user), *line;

	if (acct == NULL || acct->disabled)
		return false;
	if (*app == '\0') {
		accounts_proof(acct, proof);
		return true;
	}
	line = accounts_find_app(s->accounts, user, app);
	if (line == NULL)
		return false;
	/* Of one that was disabled since it is another one. */
	accounts_proof_app(acct, line, proof);
	return true;
}

void
ticket_review(struct server *s)
{
	unsigned char proof[ACCOUNTS_PROOF];
	struct ticket *k, *next;
	char user[2 * AUTH_USER_MAX];

	for (k = tickets_first(s->tickets); k != NULL; k = next) {
		next = tickets_next(k);
		if (proof_of(s, k->user, k->app, proof) &&
		    memcmp(proof, k->proof, sizeof(proof)) == 0)
			continue;
		str_quote(user, sizeof(user), k->user, strlen(k->user));
		log_info("auth: revoked user=%s%s%s service=%s", user,
		    k->app[0] == '\0' ? "" : " app=", k->app,
		    server_service_name(k->service));
		ticket_end(s, k, true);
	}
}

/*
 * What the login was verified against, into the ticket; false: that is no
 * longer what the store holds. A worker may have seen the accounts just
 * before or after us; another store is looked at again where that may be.
 */
static bool
settle(struct server *s, const struct login *l, const unsigned char *proof,
    struct ticket *t)
{
	if (!server_follow_accounts(s))
		return false;
	if (s->conf->auth_store == CONF_STORE_ACCOUNTS)
		return proof_of(s, l->user, l->app, t->proof) &&
		    (proof == NULL ||
		    memcmp(proof, t->proof, sizeof(t->proof)) == 0);
	if (proof != NULL)
		memcpy(t->proof, proof, sizeof(t->proof));
	t->seen = l->version;
	return true;
}

/* Send store or reader the ticket, then the session its OK. */
static void
announce(struct server *s, struct client *c, const struct ticket *k,
    uint64_t now)
{
	struct auth_reply ok;
	struct auth_ticket m;

	message_of(k, AUTH_TICKET, &m);
	client_tell_service(s, k->service, &m, sizeof(m));
	memset(&ok, 0, offsetof(struct auth_reply, data));
	ok.type = AUTH_REPLY;
	ok.id = k->id;
	ok.status = AUTH_OK;
	ok.lifetime = (uint32_t)((k->expiry - now) / 1000);
	str_copy(ok.user, sizeof(ok.user), k->user);
	memcpy(ok.nonce, k->nonce, sizeof(ok.nonce));
	client_send(c, &ok, offsetof(struct auth_reply, data));
	str_wipe(&m, sizeof(m));
	str_wipe(&ok, offsetof(struct auth_reply, data));
}

enum auth_status
ticket_issue(struct login *l, const unsigned char *proof)
{
	struct server *s = l->server;
	struct client *c = l->client;
	uint64_t now = now_boot(), left;
	struct ticket t = {
		.client = l->client_serial, .id = l->id,
		.instance = c->instance, .service = l->service
	};
	struct ticket *k;

	if (!settle(s, l, proof, &t))
		return AUTH_TEMP;
	if (getrandom(t.nonce, sizeof(t.nonce), 0) != sizeof(t.nonce) ||
	    str_copy(t.user, sizeof(t.user), l->user) == -1 ||
	    str_copy(t.app, sizeof(t.app), l->app) == -1)
		return AUTH_TEMP;
	left = app_time_left(s, l->user, l->app);
	t.expiry = now + (left < s->conf->auth_ticket_time ? left :
	    s->conf->auth_ticket_time);
	k = tickets_add(s->tickets, &t);
	str_wipe(&t, sizeof(t));
	if (k == NULL) {
		log_err("auth: no room for a login: %m");
		return AUTH_TEMP;
	}
	c->ids++;
	announce(s, c, k, now);
	if (k->seen != s->store.version)
		store_review(s);
	return AUTH_OK;
}
