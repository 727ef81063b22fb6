/* SPDX-License-Identifier: ISC */
/*
 * smtpd-session's side of the channel to the auth service: login dialogues
 * and the end of logins. The auth service is trusted to say who logged in;
 * its messages are checked all the same, and a bad one ends this process.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "lib/blocked.h"
#include "lib/chan.h"
#include "lib/conn.h"
#include "lib/log.h"
#include "lib/now.h"
#include "lib/str.h"
#include "lib/wire.h"
#include "smtpd/driver.h"

_Static_assert(AUTH_EXPORTER == WIRE_EXPORTER &&
    AUTH_ENDPOINT_MAX == WIRE_ENDPOINT_MAX, "one size of bindings");

static void	bad_message(void) __attribute__((noreturn));

static void
bad_message(void)
{
	log_err("smtp: bad message from the auth service");
	exit(EX_PROTOCOL);
}

/* Words of the letters a mechanism may have. */
static bool
is_mechs(const char *s)
{
	return strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_ ") ==
	    strlen(s);
}

static void
on_mechs(struct driver *d, const void *msg, size_t len)
{
	const struct auth_mechs *m = msg;

	if (len != sizeof(*m) || !str_ends(m->list, sizeof(m->list)) ||
	    !is_mechs(m->list))
		bad_message();
	str_copy(d->mechs, sizeof(d->mechs), m->list);
}

static void
on_reply(struct driver *d, const void *msg, size_t len)
{
	const struct auth_reply *r = msg;
	struct client *c;

	if (len < offsetof(struct auth_reply, data) ||
	    r->len > AUTH_DATA_MAX ||
	    len != offsetof(struct auth_reply, data) + r->len ||
	    r->status <= AUTH_STATUS_NONE ||
	    r->status >= AUTH_STATUS_COUNT ||
	    !str_ends(r->user, sizeof(r->user)))
		bad_message();
	c = ids_find(&d->logins, r->id);
	if (c == NULL)
		return;		/* cancelled meanwhile */
	if (r->status == AUTH_OK)
		memcpy(c->nonce, r->nonce, sizeof(c->nonce));
	session_login(c->session, (enum auth_status)r->status, r->user,
	    r->data, r->len, now_monotonic());
	client_answered(c);
}

static void
on_revoked(struct driver *d, const void *msg, size_t len)
{
	const struct auth_id *m = msg;
	struct client *c;

	if (len != sizeof(*m))
		bad_message();
	c = ids_find(&d->logins, m->id);
	if (c == NULL)
		return;
	session_event(c->session, SESSION_EV_REVOKED, now_monotonic());
	client_turn(c);
}

/* From now on they are refused as they connect. */
static void
on_blocked(struct driver *d, const void *msg, size_t len)
{
	const struct auth_blocked *m = msg;

	if (len != sizeof(*m) || m->seconds == 0 ||
	    m->seconds > AUTH_BLOCKED_TIME)
		bad_message();
	blocked_set(d->blocked, m->address,
	    now_boot() + (uint64_t)m->seconds * 1000);
}

static void
on_input(struct chan *ch, void *arg, const void *msg, size_t len, int fd)
{
	uint32_t type;

	(void)ch;
	if (fd != -1 || len < sizeof(type))
		bad_message();
	memcpy(&type, msg, sizeof(type));
	switch (type) {
	case AUTH_MECHS:
		on_mechs(arg, msg, len);
		break;
	case AUTH_REPLY:
		on_reply(arg, msg, len);
		break;
	case AUTH_REVOKED:
		on_revoked(arg, msg, len);
		break;
	case AUTH_BLOCKED:
		on_blocked(arg, msg, len);
		break;
	default:
		bad_message();
	}
}

/* The dialogue or login is over; the auth service is not told. */
static void
forget(struct client *c)
{
	ids_end(&c->driver->logins, c->auth_id);
	c->auth_id = 0;
}

/* All dialogues and logins of the old channel are unknown to a new one. */
static void
auth_lost(struct driver *d)
{
	struct client *c;

	chan_free(&d->auth);
	blocked_clear(d->blocked);
	LIST_FOREACH(c, &d->clients, next) {
		if (c->auth_id == 0)
			continue;
		forget(c);
		/* of no effect unless an answer was awaited */
		session_login(c->session, AUTH_TEMP, "", NULL, 0,
		    now_monotonic());
		client_answered(c);
	}
}

static void
on_gone(struct chan *ch, void *arg)
{
	(void)ch;
	log_notice("smtp: the auth service is away");
	auth_lost(arg);
	role_want_peer(ROLE_AUTH_SERVER);
}

void
auth_connect(struct driver *d, int fd)
{
	static const struct chan_ops ops = {
		.input = on_input, .gone = on_gone
	};

	if (d->auth != NULL)
		auth_lost(d);
	d->auth = chan_new(d->base, fd, &ops, d);
	if (d->auth == NULL) {
		log_err("smtp: auth channel: %m");
		role_want_peer(ROLE_AUTH_SERVER);
	}
}

static void
send_end(struct client *c)
{
	struct auth_id m = { .type = AUTH_END, .id = c->auth_id };

	if (c->auth_id != 0 && c->driver->auth != NULL)
		chan_send(c->driver->auth, &m, sizeof(m), -1);
	forget(c);
}

/* Worked out anew each time: a client that waits need not keep it. */
static void
set_channel(const struct client *c, struct auth_channel *ch)
{
	ch->exporter_len = (uint32_t)conn_tls_exporter(c->conn, ch->exporter);
	ch->endpoint_len = (uint32_t)conn_tls_endpoint(c->conn, ch->endpoint);
	conn_tls_names(c->conn, ch->names, sizeof(ch->names));
}

struct session_tls
auth_tls(const struct client *c)
{
	struct auth_channel ch = { 0 };
	struct session_tls tls;

	set_channel(c, &ch);
	tls.binding = ch.exporter_len > 0 || ch.endpoint_len > 0;
	tls.external = ch.names[0] != '\0';
	str_wipe(&ch, sizeof(ch));
	return tls;
}

static int
send_start(struct client *c, const struct session_action *a)
{
	struct driver *d = c->driver;
	struct auth_start m = { .type = AUTH_START, .service = AUTH_SMTP };
	int r;

	set_channel(c, &m.channel);

	if (d->auth == NULL || a->len > sizeof(m.data) ||
	    str_copy(m.mechanism, sizeof(m.mechanism), a->text) == -1)
		return -1;
	send_end(c);
	if ((m.id = c->auth_id = ids_new(&d->logins, c)) == 0)
		return -1;
	m.initial = a->initial;
	memcpy(m.address, c->ip, sizeof(m.address));
	m.len = (uint32_t)a->len;
	if (a->len > 0)
		memcpy(m.data, a->data, a->len);
	r = chan_send(d->auth, &m, offsetof(struct auth_start, data) + m.len,
	    -1);
	str_wipe(&m, sizeof(m));
	if (r == -1)
		forget(c);
	return r;
}

static int
send_step(struct client *c, const struct session_action *a)
{
	struct auth_step m = { .type = AUTH_STEP, .id = c->auth_id };
	int r;

	if (c->driver->auth == NULL || c->auth_id == 0 ||
	    a->len > sizeof(m.data))
		return -1;
	m.len = (uint32_t)a->len;
	if (a->len > 0)
		memcpy(m.data, a->data, a->len);
	r = chan_send(c->driver->auth, &m,
	    offsetof(struct auth_step, data) + m.len, -1);
	str_wipe(&m, sizeof(m));
	return r;
}

void
auth_do(struct client *c, const struct session_action *a)
{
	int r = 0;

	if (a->what == SESSION_DO_AUTH_START)
		r = send_start(c, a);
	else if (a->what == SESSION_DO_AUTH_STEP)
		r = send_step(c, a);
	else
		send_end(c);
	if (r == -1)
		session_login(c->session, AUTH_TEMP, "", NULL, 0,
		    now_monotonic());
}

void
auth_end(struct client *c)
{
	send_end(c);
}
