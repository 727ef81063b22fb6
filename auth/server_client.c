/* SPDX-License-Identifier: ISC */
/*
 * The connections of auth-server: who holds the other end, and the form of
 * what it sends. Runs in auth-server. The first datagram is a master's and
 * says the role; what follows is checked again here, every enum, length and
 * NUL, and a message that is wrong ends the connection.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>

#include "auth/channel.h"
#include "auth/server.h"
#include "lib/chan.h"
#include "lib/ctl.h"
#include "lib/log.h"
#include "lib/now.h"
#include "lib/str.h"

#define CLIENT_MAX	2	/* connections of one process */

static bool
is_session(enum role role)
{
	return role == ROLE_SMTPD_SESSION || role == ROLE_RETRIEVE_SESSION;
}

void
client_send(struct client *c, const void *msg, size_t len)
{
	if (chan_send(c->chan, msg, len, -1) == 0 || errno == EPIPE)
		return;
	/* Without it the peer would be wrong about tickets from now on. */
	log_err("auth: cannot send role=%s instance=%u: %m",
	    role_name(c->role), c->instance);
	shutdown(chan_fd(c->chan), SHUT_RDWR);
}

static void
tell_mechanisms(struct client *c)
{
	if (c->server->mechs.list[0] != '\0')
		client_send(c, &c->server->mechs, sizeof(c->server->mechs));
}

void
client_tell_mechanisms(struct server *s)
{
	struct client *c;

	TAILQ_FOREACH(c, &s->clients, link)
		if (is_session(c->role))
			tell_mechanisms(c);
}

static void
tell_blocked(struct client *c, const unsigned char address[16], uint64_t ms)
{
	struct auth_blocked m = { AUTH_BLOCKED,
	    (uint32_t)((ms + 999) / 1000), { 0 } };

	memcpy(m.address, address, sizeof(m.address));
	client_send(c, &m, sizeof(m));
}

void
client_tell_blocked(struct server *s, const unsigned char address[16],
    uint64_t ms)
{
	struct client *c;

	TAILQ_FOREACH(c, &s->clients, link)
		if (is_session(c->role))
			tell_blocked(c, address, ms);
}

/* What a session process must know before it serves anybody. */
static void
tell_session(struct client *c)
{
	unsigned char address[16];
	uint64_t ms, now = now_boot();
	size_t at = 0;

	tell_mechanisms(c);
	while ((ms = throttle_blocked(c->server->throttle, now, &at,
	    address)) > 0)
		tell_blocked(c, address, ms);
}

void
client_tell_service(struct server *s, uint32_t service, const void *msg,
    size_t len)
{
	struct client *c;

	TAILQ_FOREACH(c, &s->clients, link)
		if (c->role != ROLE_NONE && !is_session(c->role) &&
		    server_service(c->role) == service)
			client_send(c, msg, len);
}

struct client *
client_find(struct server *s, uint64_t serial)
{
	struct client *c;

	TAILQ_FOREACH(c, &s->clients, link)
		if (c->serial == serial)
			return c;
	return NULL;
}

/*
 * How many connections a process has. More than one while a broken one is
 * being replaced; many when it is in other hands and keeps what it gets.
 */
static unsigned
count_of(const struct server *s, enum role role, uint32_t instance)
{
	const struct client *c;
	unsigned n = 0;

	TAILQ_FOREACH(c, &s->clients, link)
		n += c->role == role && c->instance == instance;
	return n;
}

/* The master's word on whose connection this is. */
static bool
on_hello(struct client *c, const void *msg, size_t len)
{
	struct ctl m;

	if (len != sizeof(m))
		return false;
	memcpy(&m, msg, sizeof(m));
	if (m.type != CTL_PEER || m.what >= ROLE_COUNT ||
	    server_service((enum role)m.what) == AUTH_SERVICE_NONE ||
	    count_of(c->server, (enum role)m.what, m.number) >= CLIENT_MAX)
		return false;
	c->role = (enum role)m.what;
	c->instance = m.number;
	log_debug("auth: connected role=%s instance=%u", role_name(c->role),
	    c->instance);
	if (is_session(c->role))
		tell_session(c);
	else
		ticket_tell_all(c);
	return true;
}

static bool
on_start(struct client *c, const struct auth_start *m, size_t len)
{
	const size_t fixed = offsetof(struct auth_start, data);

	if (len < fixed || m->len > AUTH_DATA_MAX || len != fixed + m->len ||
	    m->initial > 1 || (m->initial == 0 && m->len != 0) ||
	    m->service != (uint32_t)server_service(c->role) ||
	    !str_ends(m->mechanism, sizeof(m->mechanism)) ||
	    !channel_ok(&m->channel))
		return false;
	/* HTTP has no such mechanisms; its sessions can name no user. */
	if (m->service != AUTH_SMTP && !channel_is_empty(&m->channel))
		return false;
	return login_start(c, m);
}

static bool
on_step(struct client *c, const struct auth_step *m, size_t len)
{
	const size_t fixed = offsetof(struct auth_step, data);

	if (len < fixed || m->len > AUTH_DATA_MAX || len != fixed + m->len)
		return false;
	return login_step(c, m);
}

static bool
on_end(struct client *c, const struct auth_id *m, size_t len)
{
	struct ticket *k;

	if (len != sizeof(*m))
		return false;
	k = tickets_find(c->server->tickets, c->serial, m->id);
	if (k != NULL)
		ticket_end(c->server, k, false);
	else
		login_cancel(c, m->id);
	return true;
}

static bool
on_message(struct client *c, const void *msg, size_t len)
{
	uint32_t type;

	if (c->role == ROLE_NONE)
		return on_hello(c, msg, len);
	if (!is_session(c->role) || len < sizeof(type))
		return false;
	memcpy(&type, msg, sizeof(type));
	switch (type) {
	case AUTH_START:
		return on_start(c, msg, len);
	case AUTH_STEP:
		return on_step(c, msg, len);
	case AUTH_END:
		return on_end(c, msg, len);
	default:
		return false;
	}
}

static void
on_input(struct chan *chan, void *arg, const void *msg, size_t len, int fd)
{
	struct client *c = arg;

	(void)chan;
	if (fd != -1)
		close(fd);
	if (fd == -1 && on_message(c, msg, len))
		return;
	log_err("auth: bad message role=%s instance=%u", role_name(c->role),
	    c->instance);
	client_free(c);
}

static void
on_gone(struct chan *chan, void *arg)
{
	(void)chan;
	client_free(arg);
}

void
client_new(struct server *s, int fd)
{
	static const struct chan_ops ops = {
		.input = on_input, .gone = on_gone
	};
	struct client *c;

	if ((c = calloc(1, sizeof(*c))) == NULL) {
		log_err("auth: %m");
		close(fd);
		return;
	}
	c->server = s;
	c->serial = ++s->next_serial;
	c->role = ROLE_NONE;
	if ((c->chan = chan_new(s->base, fd, &ops, c)) == NULL) {
		log_err("auth: %m");
		free(c);
		return;
	}
	TAILQ_INSERT_TAIL(&s->clients, c, link);
}

void
client_free(struct client *c)
{
	log_debug("auth: gone role=%s instance=%u", role_name(c->role),
	    c->instance);
	TAILQ_REMOVE(&c->server->clients, c, link);
	chan_free(&c->chan);
	login_client_gone(c);
	ticket_client_gone(c);
	free(c);
}
