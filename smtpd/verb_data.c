/* SPDX-License-Identifier: ISC */
/*
 * The message: DATA, BDAT, and the octets that follow them. Runs in
 * smtpd-session; pure; all input is hostile. The octets of a chunk are read
 * whatever becomes of it (RFC 3030 section 4.1), in every state, so that
 * none is ever taken for a command; where their number is not to be known,
 * the session ends.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/str.h"
#include "smtpd/session_impl.h"

#define CHUNK_MAX	4294967295u

static void	chunk_end(struct session *);

static enum reply
verdict(const struct data *d)
{
	switch (d->fault) {
	case DATA_TOO_BIG:
		return REPLY_TOO_BIG;
	case DATA_NUL:
		return REPLY_NUL;
	case DATA_LONG_LINE:
		return REPLY_TEXT_LINE;
	case DATA_EIGHT_BIT:
		return REPLY_EIGHT_BIT;
	case DATA_NOT_UTF8:
		return REPLY_HEADER_UTF8;
	case DATA_SOUND:
	default:
		return REPLY_NONE;
	}
}

static void
ask_open(struct session *s)
{
	const struct session_conf *conf = s->conf;
	struct data *d = &s->txn->data;

	s->txn->begun = true;
	data_init(d, conf->message_size,
	    conf->text_line == 0 ? 0 : conf->text_line - 2);
	d->chunked = s->verb == VERB_BDAT;
	d->binary = (s->txn->flags & STORE_BINARY) != 0;
	d->utf8 = (s->txn->flags & STORE_UTF8) != 0;
	session_queue(s, SESSION_DO_OPEN);
	session_step(s, STATE_WAIT);
}

/* Refused: the store need not keep what came so far. */
static void
forsake(struct session *s)
{
	if (s->txn->known)
		session_queue(s, SESSION_DO_ABORT);
	s->txn->known = false;
}

static void
hand_on(struct session *s, size_t made)
{
	struct session_action *a;

	if (s->txn->data.fault != DATA_SOUND)
		forsake(s);
	else if (made > 0) {
		a = session_queue(s, SESSION_DO_BODY);
		a->data = s->conf->scratch;
		a->len = made;
	}
}

static void
bare(struct session *s)
{
	s->errors++;
	session_bye(s, REPLY_BARE_CONTENT);
}

static void
message_failed(struct session *s, enum reply no)
{
	session_step(s, STATE_READY);
	session_say(s, no, NULL);
}

static void
message_end(struct session *s)
{
	session_queue(s, SESSION_DO_COMMIT)->size = s->txn->data.size;
	s->txn->committed = true;
	session_step(s, STATE_WAIT);
}

void
verb_data(struct session *s, struct cmd *c)
{
	if (!verb_no_argument(s, c))
		return;
	if ((s->txn->flags & STORE_BINARY) != 0)
		session_refuse(s, REPLY_NEEDS_BDAT);
	else
		ask_open(s);
}

/* chunk-size [SP "LAST"], RFC 3030 section 2. */
static bool
chunk_parse(const struct cmd *c, struct intake *in)
{
	static const char last[] = " LAST";
	const size_t len = sizeof(last) - 1;
	size_t n;

	for (n = 0; n < c->len && c->arg[n] != ' '; n++)
		;
	if (str_u64(c->arg, n, CHUNK_MAX, &in->size) == -1)
		return false;
	in->left = in->size;
	in->last = c->len - n == len && str_caseeqn(c->arg + n, last, len);
	return in->last || n == c->len;
}

/* The octets may come. */
static void
chunk_begin(struct session *s)
{
	struct intake *in = &s->in;

	in->began = s->now;
	if (s->txn != NULL) {
		in->began -= s->txn->spent;
		in->octets = s->txn->octets;
	}
	session_step(s, STATE_DATA);
	if (in->left == 0)
		chunk_end(s);
}

void
verb_bdat(struct session *s, struct cmd *c)
{
	struct intake in = { .no = table_cell(s->home, VERB_BDAT)->refuse };

	if (in.no == REPLY_NONE)
		s->txn->begun = true;
	if (!chunk_parse(c, &in)) {
		s->errors++;
		session_bye(s, REPLY_CHUNK_SIZE);
		return;
	}
	s->in = in;
	if (in.no == REPLY_NONE &&
	    s->txn->data.size + in.size > s->conf->message_size) {
		s->in.no = REPLY_TOO_BIG;
		forsake(s);
	}
	if (s->in.no == REPLY_NONE && s->home == STATE_RCPT)
		ask_open(s);
	else
		chunk_begin(s);
}

void
verb_data_opened(struct session *s, enum reply no)
{
	if (s->verb == VERB_DATA) {
		s->in = (struct intake){ .began = s->now };
		session_accept(s, REPLY_GO_AHEAD, NULL);
		return;
	}
	s->in.no = no;
	if (no != REPLY_NONE)
		forsake(s);
	chunk_begin(s);
}

/*
 * Refused by the table: no word about the transaction. Those that were sent
 * in one go behind a chunk that failed are no more errors of the client.
 */
static void
chunk_refused(struct session *s)
{
	enum reply no = s->in.no;

	session_step(s, s->home);
	if (s->chunk_failed)
		session_say(s, no, NULL);
	else
		session_refuse(s, no);
	s->chunk_failed = true;
}

static void
chunk_taken(struct session *s)
{
	char n[24];

	s->txn->spent = s->now - s->in.began;
	s->txn->octets = s->in.octets;
	session_step(s, STATE_BDAT);
	snprintf(n, sizeof(n), "%" PRIu64, s->in.size);
	session_say(s, REPLY_CHUNK, n);
}

/* All its octets are read. */
static void
chunk_end(struct session *s)
{
	const struct intake *in = &s->in;
	enum reply no = in->no;

	if (!table_is_message(s->home, VERB_BDAT)) {
		chunk_refused(s);
		return;
	}
	if (no == REPLY_NONE) {
		if (in->bare || (in->last &&
		    data_finish(&s->txn->data) == DATA_BARE)) {
			bare(s);
			return;
		}
		no = verdict(&s->txn->data);
	}
	if (no != REPLY_NONE) {
		s->chunk_failed = true;
		message_failed(s, no);
	} else if (in->last)
		message_end(s);
	else
		chunk_taken(s);
}

/* Read of the chunk; bare octets are dropped to its end, too. */
static size_t
chunk_input(struct session *s, const unsigned char *data, size_t len)
{
	struct intake *in = &s->in;
	size_t used = len < in->left ? len : (size_t)in->left, made;

	if (in->no == REPLY_NONE && !in->bare) {
		if (used > s->conf->scratch_size - 1)
			used = s->conf->scratch_size - 1;
		in->bare = data_decode(&s->txn->data, data, used,
		    s->conf->scratch, &used, &made) == DATA_BARE;
		if (in->bare)
			forsake(s);
		else
			hand_on(s, made);
	}
	in->left -= used;
	in->octets += used;
	s->since = s->now;
	if (in->left == 0)
		chunk_end(s);
	return used;
}

static size_t
data_input(struct session *s, const unsigned char *data, size_t len)
{
	enum data_end end;
	enum reply no;
	size_t used, made;

	if (len > s->conf->scratch_size - 1)
		len = s->conf->scratch_size - 1;
	end = data_decode(&s->txn->data, data, len, s->conf->scratch, &used,
	    &made);
	s->in.octets += used;
	s->since = s->now;
	if (end == DATA_BARE) {
		bare(s);
		return used;
	}
	hand_on(s, made);
	if (end != DATA_END)
		return used;
	no = verdict(&s->txn->data);
	if (no != REPLY_NONE)
		message_failed(s, no);
	else
		message_end(s);
	return used;
}

size_t
verb_data_input(struct session *s, const unsigned char *data, size_t len)
{
	return s->verb == VERB_BDAT ? chunk_input(s, data, len) :
	    data_input(s, data, len);
}
