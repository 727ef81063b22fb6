/* SPDX-License-Identifier: ISC */
/*
 * smtpd-session's side of the channel to the store: one transaction a
 * client at most. The store decides; its messages are checked all the same,
 * and a bad one ends this process.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "lib/chan.h"
#include "lib/conn.h"
#include "lib/log.h"
#include "lib/now.h"
#include "lib/str.h"
#include "smtpd/driver.h"

static void	bad_message(void) __attribute__((noreturn));

static void
bad_message(void)
{
	log_err("smtp: bad message from the store");
	exit(EX_PROTOCOL);
}

bool
store_is_full(const struct driver *d)
{
	return d->store != NULL && chan_queued(d->store) > 0;
}

void
store_forget(struct client *c)
{
	ids_end(&c->driver->txns, c->txn);
	c->txn = 0;
}

/* Ids go into replies and logs. */
static bool
is_id(const char *s, size_t size)
{
	return str_ends(s, size) && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789._=-") == strlen(s);
}

static void
on_input(struct chan *ch, void *arg, const void *msg, size_t len, int fd)
{
	const struct store_reply *r = msg;
	struct driver *d = arg;
	struct client *c;
	char seconds[16];

	(void)ch;
	if (fd != -1 || len != sizeof(*r) || r->type != STORE_REPLY ||
	    r->request >= STORE_TYPE_COUNT ||
	    r->status <= STORE_STATUS_NONE ||
	    r->status >= STORE_STATUS_COUNT || !is_id(r->id, sizeof(r->id)))
		bad_message();
	c = ids_find(&d->txns, r->txn);
	if (c != NULL && r->request != c->asked)
		bad_message();
	message_stored(d, c, r);
	if (c == NULL)
		return;		/* aborted meanwhile */
	c->asked = STORE_NONE;
	if (r->request == STORE_COMMIT)
		store_forget(c);
	snprintf(seconds, sizeof(seconds), "%" PRIu32, r->retry_after);
	session_stored(c->session, (enum store_status)r->status,
	    r->status == STORE_RATE ? seconds : r->id, now_monotonic());
	message_answered(c);
	client_answered(c);
}

/* Clients that stopped because the store was behind. */
static void
resume_held(struct driver *d)
{
	struct client *c;

	LIST_FOREACH(c, &d->clients, next)
		if (c->held) {
			c->held = false;
			c->paused = false;
			if (!c->over)
				conn_resume(c->conn);
		}
}

static void
on_drained(struct chan *ch, void *arg)
{
	(void)ch;
	resume_held(arg);
}

/* The transactions of the old channel are lost; a new one knows none. */
static void
store_lost(struct driver *d)
{
	struct client *c;

	chan_free(&d->store);
	LIST_FOREACH(c, &d->clients, next) {
		store_forget(c);
		if (c->asked == STORE_NONE)
			continue;
		c->asked = STORE_NONE;
		message_failed(c);
		session_stored(c->session, STORE_FAILED, "", now_monotonic());
		client_answered(c);
	}
	message_lost(d);
	resume_held(d);
}

static void
on_gone(struct chan *ch, void *arg)
{
	(void)ch;
	log_notice("smtp: the store is away");
	store_lost(arg);
}

void
store_connect(struct driver *d, int fd)
{
	static const struct chan_ops ops = {
		.input = on_input, .gone = on_gone, .drained = on_drained
	};

	if (d->store != NULL)
		store_lost(d);
	d->store = chan_new(d->base, fd, &ops, d);
	if (d->store == NULL)
		log_err("smtp: store channel: %m");
}

static int
transmit(struct client *c, const void *msg, size_t len)
{
	struct driver *d = c->driver;

	if (d->store == NULL || c->txn == 0)
		return -1;
	return chan_send(d->store, msg, len, -1);
}

static int
send_begin(struct client *c, const struct session_action *a)
{
	struct store_begin m = { .type = STORE_BEGIN, .size = a->size,
	    .flags = a->flags };

	store_forget(c);
	c->txn = m.txn = ids_new(&c->driver->txns, c);
	memcpy(m.nonce, c->nonce, sizeof(m.nonce));
	if (str_copy(m.reverse_path, sizeof(m.reverse_path), a->text) == -1)
		return -1;
	return transmit(c, &m, sizeof(m));
}

static int
send_rcpt(struct client *c, const struct session_action *a)
{
	struct store_rcpt m = { .type = STORE_RCPT, .txn = c->txn };

	if (str_copy(m.forward_path, sizeof(m.forward_path), a->text) == -1)
		return -1;
	return transmit(c, &m, sizeof(m));
}

/* A text that does not fit is left out: it is for a trace field only. */
static int
send_open(struct client *c)
{
	struct store_open m = { .type = STORE_OPEN, .txn = c->txn };
	struct session_info i = session_info(c->session);
	const char *version = conn_tls_version(c->conn);
	const char *cipher = conn_tls_cipher(c->conn);
	char address[IP_TEXT];

	str_copy(m.helo, sizeof(m.helo), i.helo);
	/* Address-literal: RFC 5321 section 4.1.3. */
	snprintf(m.client, sizeof(m.client), "%s%s",
	    ip_is_v4(c->ip) ? "" : "IPv6:", ip_text(c->ip, address));
	/* RFC 3848, RFC 6531 section 4.3 */
	str_copy(m.protocol, sizeof(m.protocol),
	    (i.flags & STORE_UTF8) != 0 ? "UTF8SMTPSA" : "ESMTPSA");
	str_copy(m.tls_version, sizeof(m.tls_version),
	    version != NULL ? version : "");
	str_copy(m.tls_cipher, sizeof(m.tls_cipher),
	    cipher != NULL ? cipher : "");
	m.tls_bits = (uint32_t)conn_tls_bits(c->conn);
	return transmit(c, &m, sizeof(m));
}

/* The data lies in the datagram already: it is the engine's scratch. */
static int
send_body(struct client *c, const struct session_action *a)
{
	struct store_body *m = &c->driver->body;

	m->type = STORE_BODY;
	m->txn = c->txn;
	m->len = (uint32_t)a->len;
	return transmit(c, m, offsetof(struct store_body, data) + a->len);
}

static int
send_end(struct client *c, enum store_type type, uint64_t size)
{
	struct store_commit m = {
		.type = type, .txn = c->txn, .size = size
	};

	return transmit(c, &m, sizeof(m));
}

/* What was asked; the store answers it unless it is STORE_NONE. */
static enum store_type
ask(struct client *c, const struct session_action *a, int *r)
{
	switch (a->what) {
	case SESSION_DO_BEGIN:
		*r = send_begin(c, a);
		return STORE_BEGIN;
	case SESSION_DO_RCPT:
		*r = send_rcpt(c, a);
		return STORE_RCPT;
	case SESSION_DO_OPEN:
		*r = send_open(c);
		return STORE_OPEN;
	case SESSION_DO_COMMIT:
		*r = send_end(c, STORE_COMMIT, a->size);
		return STORE_COMMIT;
	case SESSION_DO_BODY:
		*r = send_body(c, a);
		return STORE_NONE;
	case SESSION_DO_ABORT:
	default:
		*r = send_end(c, STORE_ABORT, 0);
		store_forget(c);
		return STORE_NONE;
	}
}

void
store_do(struct client *c, const struct session_action *a)
{
	int r = 0;

	c->asked = ask(c, a, &r);
	if (r == 0)
		return;
	/* what the store did not get whole it must not commit */
	if (c->txn != 0 && c->driver->store != NULL)
		send_end(c, STORE_ABORT, 0);
	store_forget(c);
	if (c->asked == STORE_NONE)
		return;
	c->asked = STORE_NONE;
	message_failed(c);
	session_stored(c->session, STORE_FAILED, "", now_monotonic());
}
