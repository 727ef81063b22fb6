/* SPDX-License-Identifier: ISC */
/*
 * The engine's core: state, replies, actions, input. Runs in smtpd-session;
 * pure; all input is hostile. The state changes in session_step() alone,
 * and only as the table allows.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "smtpd/session_impl.h"

#define OUTPUT_MAX	(1u << 20)	/* replies to one piece of input */

/* The one place where a transaction ends, whatever ended it. */
static void
txn_end(struct session *s)
{
	if (s->txn == NULL)
		return;
	if (s->txn->known && !s->txn->committed)
		session_queue(s, SESSION_DO_ABORT);
	if (s->txn->begun) {
		session_queue(s, SESSION_DO_ENDED)->size = s->txn->data.size;
		s->verdict = REPLY_NONE;
		s->verdict_due = true;
	}
	free(s->txn);
	s->txn = NULL;
}

static bool
holds_txn(const struct session *s, enum state to)
{
	switch (to) {
	case STATE_MAIL:
	case STATE_RCPT:
	case STATE_BDAT:
		return true;
	case STATE_DATA:		/* else a chunk that is refused */
		return s->home >= STATE_MAIL;
	case STATE_WAIT:
		return s->verb == VERB_MAIL || s->home >= STATE_MAIL;
	default:
		return false;
	}
}

/* Is a SASL dialogue open, and does it end here without a login? */
static bool
ends_dialogue(const struct session *s, enum state to)
{
	return s->verb == VERB_AUTH &&
	    (s->state == STATE_WAIT || s->state == STATE_AUTHX) &&
	    to != STATE_WAIT && to != STATE_AUTHX && to != STATE_READY;
}

void
session_step(struct session *s, enum state to)
{
	BUG_IF(!table_allows(s->home, s->verb, s->state, to));
	if (ends_dialogue(s, to))
		session_queue(s, SESSION_DO_AUTH_END);
	if (!holds_txn(s, to))
		txn_end(s);
	BUG_IF(holds_txn(s, to) && s->txn == NULL);
	s->state = to;
	s->since = s->now;
	if (to < STATE_COMMANDS) {
		s->home = to;
		s->verb = VERB_NONE;
	}
}

struct session_action *
session_queue(struct session *s, enum session_do what)
{
	struct session_action *a;

	BUG_IF(s->queued == SESSION_QUEUE);
	a = &s->queue[s->queued++];
	memset(a, 0, sizeof(*a));
	a->what = what;
	return a;
}

void
session_broken(struct session *s)
{
	if (s->state == STATE_DONE)
		return;
	session_step(s, STATE_DONE);
	session_queue(s, SESSION_DO_DROP);
}

static void
give_verdict(struct session *s, enum reply r)
{
	if (s->verdict_due)
		s->verdict = r;
	s->verdict_due = false;
}

void
session_say(struct session *s, enum reply r, const char *arg)
{
	if (arg == NULL)
		arg = s->conf->hostname;
	s->last = r;
	give_verdict(s, r);
	if (reply_add(&s->out, r, arg) == -1)
		session_broken(s);
}

void
session_bye(struct session *s, enum reply r)
{
	session_say(s, r, NULL);
	if (s->state == STATE_DONE)
		return;
	session_step(s, STATE_DONE);
	give_verdict(s, r);
	session_queue(s, SESSION_DO_CLOSE);
}

void
session_refuse(struct session *s, enum reply r)
{
	s->errors++;
	if (s->errors > s->conf->errors_per_session)
		session_bye(s, REPLY_ERRORS);
	else
		session_say(s, r, NULL);
}

void
session_accept(struct session *s, enum reply r, const char *arg)
{
	session_step(s, table_cell(s->home, s->verb)->next);
	session_say(s, r, arg);
}

struct session *
session_new(const struct session_conf *conf, bool implicit_tls, uint64_t now)
{
	struct session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->conf = conf;
	s->now = s->started = now;
	cmd_reader_init(&s->reader, &conf->lines);
	buf_init(&s->out, OUTPUT_MAX);
	buf_init(&s->blob, AUTH_MECH_MAX + AUTH_DATA_MAX);
	if (implicit_tls) {
		session_step(s, STATE_WAIT);
		session_queue(s, SESSION_DO_TLS);
	} else {
		session_step(s, STATE_START);
		session_say(s, REPLY_GREETING, NULL);
	}
	return s;
}

void
session_free(struct session **sp)
{
	struct session *s = *sp;

	if (s == NULL)
		return;
	cmd_reader_reset(&s->reader);
	buf_wipe(&s->out);
	buf_wipe(&s->blob);
	free(s->txn);
	free(s->helo);
	free(s->user);
	free(s);
	*sp = NULL;
}

bool
session_action(struct session *s, struct session_action *out)
{
	if (s->fetched < s->queued) {
		*out = s->queue[s->fetched++];
		return true;
	}
	s->queued = s->fetched = 0;
	buf_wipe(&s->blob);
	memset(out, 0, sizeof(*out));
	return false;
}

struct buf *
session_output(struct session *s)
{
	return &s->out;
}

enum state
session_state(const struct session *s)
{
	return s->state;
}

bool
session_wants_input(const struct session *s)
{
	return s->state != STATE_WAIT && s->state != STATE_DONE &&
	    s->queued == 0;
}

struct session_info
session_info(const struct session *s)
{
	struct session_info i = {
		.user = s->user != NULL ? s->user : "",
		.helo = s->helo != NULL ? s->helo : "",
		.messages = s->messages,
		.delivered = s->delivered,
		.errors = s->errors,
		.recipients = s->txn != NULL ? s->txn->recipients : 0,
		.size = s->txn != NULL ? s->txn->data.size : 0,
		.flags = s->txn != NULL ? s->txn->flags : 0,
		.transaction = s->txn != NULL,
		.last = s->last,
		.verdict = s->verdict,
	};

	return i;
}

static void
command(struct session *s, const char *line, size_t len)
{
	const struct cell *cell;
	struct cmd c;

	cmd_parse(line, len, &c);
	s->verb = c.verb;
	s->since = s->now;
	if (c.verb != VERB_BDAT)
		s->chunk_failed = false;
	if (s->conf->commands != NULL)
		s->conf->commands[c.verb]++;
	cell = table_cell(s->state, c.verb);
	/* BDAT: its octets come, whether it is refused or not */
	if (cell->refuse != REPLY_NONE && c.verb != VERB_BDAT)
		session_refuse(s, cell->refuse);
	else
		verb_run(s, &c);
}

/*
 * A dialogue line that cannot be taken ends the attempt. Behind a BDAT whose
 * size was not read nobody knows where the next command is.
 */
static void
long_line(struct session *s)
{
	bool sasl = s->reader.sasl;

	s->since = s->now;
	s->chunk_failed = false;
	if (s->reader.chunk) {
		s->errors++;
		session_bye(s, REPLY_LONG_COMMAND);
		return;
	}
	if (s->state == STATE_AUTHX)
		session_step(s, s->home);
	session_refuse(s, sasl ? REPLY_LONG_SASL : REPLY_LONG_COMMAND);
}

static size_t
input_line(struct session *s, const unsigned char *data, size_t len)
{
	bool dialogue = s->state == STATE_AUTHX, nomem = false;
	const char *line;
	size_t used;

	switch (cmd_read(&s->reader, &s->conf->lines, dialogue, data, len,
	    &used, &nomem)) {
	case CMD_LINE:
		line = (const char *)buf_data(&s->reader.line);
		s->behind = len - used;
		if (dialogue)
			verb_sasl_line(s, line, s->reader.line.len);
		else
			command(s, line == NULL ? "" : line,
			    s->reader.line.len);
		cmd_reader_reset(&s->reader);
		break;
	case CMD_LONG:
		long_line(s);
		cmd_reader_reset(&s->reader);
		break;
	case CMD_BARE:
		s->errors++;
		session_bye(s, REPLY_BARE_COMMAND);
		break;
	case CMD_MORE:
	default:
		if (nomem)
			session_broken(s);
		break;
	}
	return used;
}

size_t
session_input(struct session *s, const unsigned char *data, size_t len,
    uint64_t now)
{
	size_t used = 0;

	s->now = now;
	while (used < len && session_wants_input(s)) {
		if (s->state == STATE_DATA)
			used += verb_data_input(s, data + used, len - used);
		else
			used += input_line(s, data + used, len - used);
		session_settle(s);
	}
	return used;
}
