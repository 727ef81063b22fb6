/* SPDX-License-Identifier: ISC */
/*
 * What reaches a session besides input: answers of the helper processes,
 * the handshake, time-outs, the end. Runs in smtpd-session; pure.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base64.h"
#include "smtpd/session_impl.h"

/* Over without a word: the client would not expect one. */
static void
end_silently(struct session *s)
{
	if (s->state == STATE_DONE)
		return;
	session_step(s, STATE_DONE);
	session_queue(s, SESSION_DO_CLOSE);
}

void
session_settle(struct session *s)
{
	if (s->state >= STATE_COMMANDS && s->state != STATE_AUTHX &&
	    s->state != STATE_DATA)
		return;
	if (s->eof)
		end_silently(s);
	else if (s->revoked)
		session_bye(s, REPLY_REVOKED);
	else if (s->shutdown && s->home < STATE_MAIL)
		session_bye(s, REPLY_SHUTDOWN);
}

/* RFC 3207 section 4.2: what was said in clear is forgotten. */
static void
forget_hello(struct session *s)
{
	free(s->helo);
	s->helo = NULL;
	s->esmtp = false;
	cmd_reader_reset(&s->reader);
}

static bool
in_handshake(const struct session *s)
{
	return s->state == STATE_WAIT &&
	    (s->home == STATE_NONE || s->verb == VERB_STARTTLS);
}

void
session_secured(struct session *s, struct session_tls tls, uint64_t now)
{
	bool implicit = s->home == STATE_NONE;

	if (!in_handshake(s))
		return;
	s->now = now;
	s->tls = tls;
	forget_hello(s);
	session_step(s, STATE_TLS);
	if (implicit && !s->shutdown)
		session_say(s, REPLY_GREETING, NULL);
	session_settle(s);
}

static void
challenge(struct session *s, const void *data, size_t len)
{
	char line[BASE64_SIZE(AUTH_DATA_MAX)];

	session_step(s, STATE_AUTHX);
	base64_encode(BASE64_PADDED, data, len, line);
	session_say(s, REPLY_CHALLENGE, line);
}

static void
login_done(struct session *s, const char *user)
{
	s->user = strdup(user);
	if (s->user == NULL)
		session_broken(s);
	else
		session_accept(s, REPLY_LOGIN_OK, NULL);
}

static enum reply
login_reply(enum auth_status status)
{
	switch (status) {
	case AUTH_FAIL:
	case AUTH_NOT_AUTHORIZED:
		return REPLY_LOGIN_FAILED;
	case AUTH_NO_MECHANISM:
		return REPLY_MECHANISM;
	case AUTH_BAD_PROTOCOL:
		return REPLY_SASL_SYNTAX;
	default:
		return REPLY_AUTH_AWAY;
	}
}

static void
login_failed(struct session *s, enum auth_status status)
{
	if (status == AUTH_THROTTLED) {
		session_bye(s, REPLY_THROTTLED);
		return;
	}
	session_step(s, s->home);
	if (login_reply(status) == REPLY_AUTH_AWAY)
		session_say(s, REPLY_AUTH_AWAY, NULL);
	else
		session_refuse(s, login_reply(status));
}

void
session_login(struct session *s, enum auth_status status, const char *user,
    const void *data, size_t len, uint64_t now)
{
	if (s->state != STATE_WAIT || s->verb != VERB_AUTH)
		return;
	s->now = now;
	if (status == AUTH_MORE)
		challenge(s, data, len);
	else if (status == AUTH_OK)
		login_done(s, user);
	else
		login_failed(s, status);
	session_settle(s);
}

static enum reply
store_reply(enum store_status status)
{
	static const enum reply replies[STORE_STATUS_COUNT] = {
		[STORE_NO_TICKET] = REPLY_REVOKED,
		[STORE_NOT_SENDER] = REPLY_NOT_SENDER,
		[STORE_NO_USER] = REPLY_NO_USER,
		[STORE_NOT_LOCAL] = REPLY_NOT_LOCAL,
		[STORE_TOO_MANY] = REPLY_RCPT_LIMIT,
		[STORE_OVER_QUOTA] = REPLY_QUOTA,
		[STORE_NO_SPACE] = REPLY_NO_SPACE,
		[STORE_FAILED] = REPLY_FAILED,
		[STORE_NOT_AUTHOR] = REPLY_NOT_AUTHOR,
		[STORE_BAD_HEADER] = REPLY_BAD_HEADER,
		[STORE_LOOP] = REPLY_LOOP,
		[STORE_TOO_BIG] = REPLY_TOO_BIG,
		[STORE_RATE] = REPLY_RATE,
	};

	if (status >= STORE_STATUS_COUNT || replies[status] == REPLY_NONE)
		return REPLY_FAILED;
	return replies[status];
}

/* MAIL, RCPT, DATA or BDAT was agreed to, or the message is delivered. */
static void
stored_ok(struct session *s, const char *id)
{
	switch (s->verb) {
	case VERB_MAIL:
		s->messages++;
		session_accept(s, REPLY_SENDER_OK, NULL);
		break;
	case VERB_RCPT:
		s->txn->recipients++;
		session_accept(s, REPLY_RCPT_OK, NULL);
		break;
	default:
		if (!s->txn->committed) {
			verb_data_opened(s, REPLY_NONE);
			break;
		}
		s->delivered++;
		session_step(s, STATE_READY);
		session_say(s, REPLY_DELIVERED, id);
		break;
	}
}

/* Refusals of the store are no errors of the protocol: not counted. */
static void
stored_not(struct session *s, enum reply r, const char *detail)
{
	if (r == REPLY_REVOKED) {
		session_bye(s, r);
		return;
	}
	if (s->verb == VERB_BDAT && !s->txn->committed) {
		verb_data_opened(s, r);
		return;
	}
	session_step(s, s->txn->committed ? STATE_READY : s->home);
	session_say(s, r, r == REPLY_RATE ? detail : NULL);
}

void
session_stored(struct session *s, enum store_status status,
    const char *detail, uint64_t now)
{
	if (s->state != STATE_WAIT || s->txn == NULL)
		return;
	s->now = now;
	if (status == STORE_OK)
		stored_ok(s, detail);
	else
		stored_not(s, store_reply(status), detail);
	session_settle(s);
}

static uint64_t
min_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*
 * When a message, if no more comes, will have been slower than the minimum;
 * the first data_time is free, so that one may type a message by hand.
 */
static uint64_t
rate_deadline(const struct session *s)
{
	const struct session_conf *c = s->conf;
	uint64_t paid;

	if (s->state != STATE_DATA || c->minimum_rate == 0)
		return UINT64_MAX;
	paid = s->in.octets * 1000 / c->minimum_rate;
	return s->in.began + (paid > c->data_time ? paid : c->data_time);
}

uint64_t
session_deadline(const struct session *s)
{
	const struct session_conf *c = s->conf;
	uint64_t d;

	if (s->state == STATE_DONE)
		return UINT64_MAX;
	if (s->state == STATE_WAIT)
		return s->since + (in_handshake(s) ? c->handshake_time :
		    c->command_time);
	d = s->since + (s->state == STATE_DATA ? c->data_time :
	    c->command_time);
	d = min_of(d, s->started + c->session_time);
	if (s->home < STATE_READY)
		d = min_of(d, s->started + c->unauthenticated_time);
	return min_of(d, rate_deadline(s));
}

/* Which of the times is over? */
static enum reply
overdue(const struct session *s)
{
	const struct session_conf *c = s->conf;

	if (s->state == STATE_WAIT)
		return REPLY_HELPER_STUCK;
	if (s->now >= s->started + c->session_time)
		return REPLY_SESSION_TIME;
	if (s->home < STATE_READY &&
	    s->now >= s->started + c->unauthenticated_time)
		return REPLY_LOGIN_TIME;
	if (s->now >= rate_deadline(s) && s->now < s->since + c->data_time)
		return REPLY_SLOW;
	return REPLY_TIMEOUT;
}

static void
timed_out(struct session *s)
{
	if (s->now < session_deadline(s))
		return;
	if (in_handshake(s))
		session_broken(s);
	else
		session_bye(s, overdue(s));
}

void
session_event(struct session *s, enum session_event ev, uint64_t now)
{
	s->now = now;
	switch (ev) {
	case SESSION_EV_EOF:
		s->eof = true;
		break;
	case SESSION_EV_GONE:
		end_silently(s);
		break;
	case SESSION_EV_TIMEOUT:
		timed_out(s);
		break;
	case SESSION_EV_SHUTDOWN:
		s->shutdown = true;
		break;
	case SESSION_EV_REVOKED:
		s->revoked = s->user != NULL;
		break;
	}
	session_settle(s);
}
