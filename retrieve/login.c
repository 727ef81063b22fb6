/* SPDX-License-Identifier: ISC */
/*
 * Logins of retrieve-session: from an Authorization field to a ticket of
 * auth, kept for as long as the connection repeats that very field. What
 * auth sends is trusted in what it means, and checked in its form.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "lib/blocked.h"
#include "lib/chan.h"
#include "lib/conn.h"
#include "lib/log.h"
#include "lib/now.h"
#include "lib/role.h"
#include "lib/str.h"
#include "retrieve/basic.h"
#include "retrieve/serve.h"

/* What the connection is known by is gone; auth is not told. */
static void
forget(struct client *c)
{
	ids_end(&c->server->logins, c->login.id);
	str_wipe(&c->login, sizeof(c->login));
	c->login.state = LOGIN_NONE;
}

void
login_end(struct client *c)
{
	struct auth_id	m = { AUTH_END, c->login.id };

	if (c->login.state == LOGIN_NONE)
		return;
	if (c->server->auth != NULL)
		(void)chan_send(c->server->auth, &m, sizeof(m), -1);
	forget(c);
}

/* Tell the engine, or go on with what a renewed ticket was needed for. */
static void
conclude(struct client *c, enum session_verdict v, uint32_t retry_after)
{
	struct session	*s = &c->http;

	if (s->state == SESSION_LOGIN)
		session_login(s, v, c->login.user, retry_after);
	else if (v == SESSION_ADMITTED)
		s->fresh = true;
	else
		session_fail(s);
}

static void
print_of(const struct client *c, struct span text,
    unsigned char print[SIPHASH_SIZE])
{
	struct siphash	h;

	siphash_init(&h, c->server->key);
	siphash_add(&h, text.s, text.len);
	siphash_end(&h, print);
}

/* Ask auth. False when it cannot be asked. */
static bool
start(struct client *c, struct auth_start *m)
{
	struct server	*sv = c->server;

	if (sv->auth == NULL ||
	    (c->login.id = ids_new(&sv->logins, c)) == 0)
		return false;
	m->type = AUTH_START;
	m->id = c->login.id;
	m->service = AUTH_HTTP;
	m->initial = 1;
	memcpy(m->address, c->ip, sizeof(m->address));
	(void)str_copy(m->mechanism, sizeof(m->mechanism), "PLAIN");
	if (chan_send(sv->auth, m, offsetof(struct auth_start, data) + m->len,
	    -1) == -1) {
		forget(c);
		return false;
	}
	c->login.state = LOGIN_ASKING;
	return true;
}

void
login_need(struct client *c)
{
	struct span		 text = session_credentials(&c->http);
	struct auth_start	 m;
	unsigned char		 print[SIPHASH_SIZE];
	uint64_t		 wait;

	print_of(c, text, print);
	if (c->login.state == LOGIN_IN && now_boot() < c->login.until &&
	    str_same_secret(print, c->login.print, sizeof(print))) {
		conclude(c, SESSION_ADMITTED, 0);
		return;
	}
	login_end(c);
	/* Auth would say the same: spare it the question. */
	wait = blocked_wait(c->server->blocked, c->ip, now_boot());
	if (wait > 0) {
		conclude(c, SESSION_THROTTLED, (uint32_t)((wait + 999) / 1000));
		return;
	}
	memset(&m, 0, sizeof(m));
	m.len = (uint32_t)basic_to_plain(text, m.data, sizeof(m.data));
	if (m.len == 0) {
		conclude(c, SESSION_REJECTED, 0);
	} else if (start(c, &m)) {
		memcpy(c->login.print, print, sizeof(print));
	} else {
		conclude(c, SESSION_UNSURE, 0);
	}
	str_wipe(&m, sizeof(m));
}

void
login_renew(struct client *c)
{
	login_end(c);
	if (c->renewed) {
		session_fail(&c->http);
		return;
	}
	c->renewed = true;
	login_need(c);
}

static void
on_ok(struct client *c, const struct auth_reply *m)
{
	struct login	*l = &c->login;

	l->state = LOGIN_IN;
	l->until = now_boot() + (uint64_t)m->lifetime * 1000;
	memcpy(l->nonce, m->nonce, sizeof(l->nonce));
	memcpy(l->user, m->user, sizeof(l->user));
	conclude(c, SESSION_ADMITTED, 0);
}

/* False when the datagram is not what it should be. */
static bool
on_reply(struct server *sv, const struct auth_reply *m, size_t len)
{
	const size_t	 fixed = offsetof(struct auth_reply, data);
	struct client	*c;

	if (len < fixed || m->len > AUTH_DATA_MAX || len != fixed + m->len ||
	    m->status == AUTH_STATUS_NONE || m->status >= AUTH_STATUS_COUNT ||
	    !str_ends(m->user, sizeof(m->user)) ||
	    (m->status == AUTH_OK && m->user[0] == '\0'))
		return false;
	c = ids_find(&sv->logins, m->id);
	if (c == NULL)
		return true;	/* nobody waits for it any more */
	if (c->login.state != LOGIN_ASKING)
		return false;
	c->http.now = (int64_t)time(NULL);
	switch (m->status) {
	case AUTH_OK:
		on_ok(c, m);
		break;
	case AUTH_FAIL:
	case AUTH_NOT_AUTHORIZED:
	case AUTH_BAD_PROTOCOL:
		forget(c);
		conclude(c, SESSION_REJECTED, 0);
		break;
	case AUTH_THROTTLED:
		forget(c);
		conclude(c, SESSION_THROTTLED, m->retry_after > 0 ?
		    m->retry_after : 1);
		break;
	default:		/* MORE is no answer to PLAIN */
		login_end(c);
		conclude(c, SESSION_UNSURE, 0);
		break;
	}
	serve_advance(c);
	return true;
}

static bool
on_revoked(struct server *sv, const struct auth_id *m, size_t len)
{
	struct client	*c;

	if (len != sizeof(*m))
		return false;
	c = ids_find(&sv->logins, m->id);
	if (c == NULL)
		return true;
	if (c->login.state != LOGIN_IN)
		return false;
	forget(c);
	/* What runs on the login ends with it. */
	if (c->http.state == SESSION_BODY)
		conn_drop(c->conn);
	return true;
}

static bool
on_blocked(struct server *sv, const struct auth_blocked *m, size_t len)
{
	if (len != sizeof(*m) || m->seconds == 0 ||
	    m->seconds > AUTH_BLOCKED_TIME)
		return false;
	blocked_set(sv->blocked, m->address,
	    now_boot() + (uint64_t)m->seconds * 1000);
	return true;
}

static void
on_input(struct chan *ch, void *arg, const void *msg, size_t len, int fd)
{
	struct server	*sv = arg;
	uint32_t	 type = AUTH_NONE;
	bool		 well = false;

	(void)ch;
	if (fd != -1)
		close(fd);
	if (len >= sizeof(type))
		memcpy(&type, msg, sizeof(type));
	if (type == AUTH_REPLY)
		well = on_reply(sv, msg, len);
	else if (type == AUTH_REVOKED)
		well = on_revoked(sv, msg, len);
	else if (type == AUTH_BLOCKED)
		well = on_blocked(sv, msg, len);
	else if (type == AUTH_MECHS)	/* Basic needs no list */
		well = len == sizeof(struct auth_mechs);
	if (well)
		return;
	log_err("http: bad message from auth type=%u octets=%zu", type, len);
	exit(EX_PROTOCOL);
}

/* Logins ended with the channel they were made on. */
static void
lose(struct server *sv)
{
	struct client	*c, *next;
	bool		 asking;

	chan_free(&sv->auth);
	blocked_clear(sv->blocked);
	for (c = TAILQ_FIRST(&sv->clients); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->login.state == LOGIN_NONE)
			continue;
		asking = c->login.state == LOGIN_ASKING;
		forget(c);
		if (!asking)
			continue;
		c->http.now = (int64_t)time(NULL);
		conclude(c, SESSION_UNSURE, 0);
		serve_advance(c);
	}
}

static void
on_gone(struct chan *ch, void *arg)
{
	(void)ch;
	log_warn("http: the auth service has gone");
	lose(arg);
	role_want_peer(ROLE_AUTH_SERVER);
}

void
login_peer(struct server *sv, int fd)
{
	static const struct chan_ops ops = {
		.input = on_input, .gone = on_gone
	};

	lose(sv);
	sv->auth = chan_new(sv->base, fd, &ops, sv);
	if (sv->auth == NULL) {
		log_err("http: %m");
		role_want_peer(ROLE_AUTH_SERVER);
	}
}
