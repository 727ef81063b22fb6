/* SPDX-License-Identifier: ISC */
/*
 * What smtpd-session says of a message: one line of the log for each that
 * DATA or BDAT has begun, when it is over, and the numbers. Addresses are
 * the client's text. A message whose client left while the store was at it
 * is kept until the store has answered: it may be delivered all the same.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/conn.h"
#include "lib/log.h"
#include "lib/now.h"
#include "lib/stats_page.h"
#include "lib/str.h"
#include "smtpd/driver.h"
#include "smtpd/reply.h"

#define SHOWN	3	/* recipients in a line; of more the number */
#define QUOTED	256	/* octets of one text in it, at most */

/* The words of stats_statuses[] behind those of the store. */
enum {
	WORD_BARE = STORE_STATUS_COUNT - 1,
	WORD_NUL,
	WORD_LONG_LINE,
	WORD_EIGHT_BIT,
	WORD_TIMEOUT,
	WORD_SHUTDOWN,
	WORD_RESET,
	WORD_GONE,
	WORD_REFUSED
};

struct message {
	LIST_ENTRY(message)	 next;		/* of those that are left */
	uint32_t		 txn;		/* there */
	unsigned char		 ip[IP_SIZE];
	uint64_t		 session;
	const char		*tls, *cipher;	/* constant text, or NULL */
	char			 user[QUOTED];
	char			 from[QUOTED];
	char			 to[SHOWN][QUOTED];
	char			 asked[QUOTED];	/* the recipient at work */
	uint64_t		 recipients;
	uint64_t		 began;		/* MAIL; ms */
	uint64_t		 opened;	/* data may come; 0: not yet */
	uint64_t		 sent;		/* its end; microseconds, 0 */
	uint32_t		 status;	/* the store's last, if no OK */
	enum reply		 reply;		/* what was said to it */
	bool			 delivered;
	uint64_t		 size;
	char			 id[sizeof(((struct store_reply *)0)->id)];
};

static void
quote(char dst[QUOTED], const char *text)
{
	str_quote(dst, QUOTED, text, strlen(text));
}

void
message_free(struct client *c)
{
	free(c->message);
	c->message = NULL;
}

/* At MAIL. Without memory there is no line. */
static void
message_new(struct client *c, const char *from)
{
	struct session_info i = session_info(c->session);
	struct message *m;

	message_free(c);
	if ((m = calloc(1, sizeof(*m))) == NULL) {
		log_err("smtp: no memory for the log of a message");
		return;
	}
	memcpy(m->ip, c->ip, sizeof(m->ip));
	m->session = c->number;
	m->tls = conn_tls_version(c->conn);
	m->cipher = conn_tls_cipher(c->conn);
	quote(m->user, i.user);
	quote(m->from, from);
	m->began = now_monotonic();
	c->message = m;
}

/* What the client heard, if the store has not said it better. */
static unsigned
word_of_reply(enum reply r, bool over)
{
	switch (r) {
	case REPLY_TOO_BIG:
		return STORE_TOO_BIG - 1;
	case REPLY_REVOKED:
		return STORE_NO_TICKET - 1;
	case REPLY_BARE_CONTENT:
		return WORD_BARE;
	case REPLY_NUL:
		return WORD_NUL;
	case REPLY_TEXT_LINE:
		return WORD_LONG_LINE;
	case REPLY_EIGHT_BIT:
		return WORD_EIGHT_BIT;
	case REPLY_HELPER_STUCK:
		return STORE_FAILED - 1;
	case REPLY_TIMEOUT:
	case REPLY_SESSION_TIME:
	case REPLY_SLOW:
		return WORD_TIMEOUT;
	case REPLY_SHUTDOWN:
		return WORD_SHUTDOWN;
	default:
		if (reply_row(r)->code >= 400)
			return WORD_REFUSED;
		/* RSET, EHLO; QUIT, or not a word */
		return over ? WORD_GONE : WORD_RESET;
	}
}

static unsigned
word_of(const struct message *m, bool over)
{
	if (m->delivered)
		return STORE_OK - 1;
	return m->status != STORE_STATUS_NONE ? m->status - 1 :
	    word_of_reply(m->reply, over);
}

/* "250 2.0.0" as code and enhanced code; "none" where none was heard. */
static void
log_line(const struct message *m, const char *word, uint64_t now)
{
	const struct reply_row *row = reply_row(m->reply);
	uint64_t n = m->recipients, end = m->sent == 0 ? now : m->sent;
	char address[IP_TEXT], more[32] = "", code[16] = "none";

	if (n > SHOWN)
		snprintf(more, sizeof(more), " to_more=%" PRIu64, n - SHOWN);
	if (row->code != 0)
		snprintf(code, sizeof(code), "%d", row->code);
	log_info("smtp: message id=%s session=%" PRIu32 ".%" PRIu64
	    " status=%s client=%s user=\"%s\" from=\"%s\" to=\"%s%s%s%s%s\"%s"
	    " recipients=%" PRIu64 " size=%" PRIu64 " delay=%" PRIu64 "/%"
	    PRIu64 "/%" PRIu64 " tls=%s cipher=%s reply=%s enhanced=%s",
	    m->id[0] != '\0' ? m->id : "none", role_instance(), m->session,
	    word, ip_text(m->ip, address), m->user, m->from, m->to[0],
	    n > 1 ? "," : "", m->to[1], n > 2 ? "," : "", m->to[2], more,
	    n, m->size, now / 1000 - m->began,
	    m->opened == 0 ? 0 : end / 1000 - m->opened,
	    m->sent == 0 ? 0 : (now - m->sent) / 1000,
	    m->tls != NULL ? m->tls : "none",
	    m->cipher != NULL ? m->cipher : "none", code,
	    row->code != 0 && row->enhanced[0] != '\0' ? row->enhanced :
	    "none");
}

/* It is over, and all about it is known. */
static void
message_log(const struct message *m, bool over)
{
	unsigned word = word_of(m, over);
	uint64_t now = now_micro();

	log_line(m, stats_statuses[word], now);
	stats_add(STATS_MESSAGES + word, 1);
	stats_today(STATS_TODAY + (m->delivered ? STATS_DELIVERED :
	    STATS_REFUSED) * STATS_DAYS);
	if (!m->delivered)
		return;
	stats_size(STATS_MESSAGE_SIZE, m->size);
	stats_time(STATS_DELIVERY, now - m->sent);
}

static void
message_ended(struct client *c, uint64_t size)
{
	struct session_info i = session_info(c->session);
	struct message *m = c->message;

	if (m == NULL)
		return;
	m->size = size;
	/* Behind a refusal of DATA it may be the one of RSET or QUIT. */
	if (m->reply == REPLY_NONE || reply_row(i.verdict)->code >= 400)
		m->reply = i.verdict;
	c->message = NULL;
	if (c->asked == STORE_COMMIT && !m->delivered &&
	    m->status == STORE_STATUS_NONE) {
		m->txn = c->txn;
		LIST_INSERT_HEAD(&c->driver->left, m, next);
		return;
	}
	message_log(m, session_state(c->session) == STATE_DONE);
	free(m);
}

void
message_do(struct client *c, const struct session_action *a)
{
	struct message *m = c->message;

	if (a->what == SESSION_DO_BEGIN)
		message_new(c, a->text);
	if (m == NULL)
		return;
	switch (a->what) {
	case SESSION_DO_RCPT:
		quote(m->asked, a->text);
		break;
	case SESSION_DO_OPEN:
		m->status = STORE_STATUS_NONE;
		m->reply = REPLY_NONE;
		m->opened = now_monotonic();
		break;
	case SESSION_DO_COMMIT:
		m->sent = now_micro();
		break;
	case SESSION_DO_ENDED:
		message_ended(c, a->size);
		break;
	default:
		break;
	}
}

static void
note_status(struct message *m, uint32_t request, uint32_t status)
{
	if (request == STORE_RCPT && status == STORE_OK) {
		if (m->recipients < SHOWN)
			memcpy(m->to[m->recipients], m->asked, QUOTED);
		m->recipients++;
	}
	/* Other recipients may be better: of them the session goes on. */
	if (request == STORE_OPEN || request == STORE_COMMIT)
		m->status = status == STORE_OK ? STORE_STATUS_NONE : status;
	m->delivered = request == STORE_COMMIT && status == STORE_OK;
}

/* One whose client is gone, or was told that it takes too long. */
static struct message *
find_left(const struct driver *d, uint32_t txn)
{
	struct message *m;

	LIST_FOREACH(m, &d->left, next)
		if (m->txn == txn)
			break;
	return m;
}

static void
end_left(struct driver *d, struct message *m)
{
	LIST_REMOVE(m, next);
	message_log(m, true);
	free(m);
	driver_left(d);
}

void
message_stored(struct driver *d, struct client *c,
    const struct store_reply *r)
{
	struct message *m = c != NULL ? c->message : NULL;
	bool left = false;

	if (r->request == STORE_RCPT)
		stats_add(STATS_RECIPIENTS + r->status - 1, 1);
	if (m == NULL && r->request == STORE_COMMIT)
		left = (m = find_left(d, r->txn)) != NULL;
	if (m == NULL)
		return;
	if (r->request == STORE_COMMIT)
		str_copy(m->id, sizeof(m->id), r->id);
	note_status(m, r->request, r->status);
	if (left)
		end_left(d, m);
}

void
message_answered(struct client *c)
{
	struct message *m = c->message;

	/* A chunk is refused when its octets have come. */
	if (m != NULL && m->status != STORE_STATUS_NONE &&
	    session_state(c->session) != STATE_DATA)
		m->reply = session_info(c->session).last;
}

void
message_failed(struct client *c)
{
	if (c->message == NULL)
		return;
	c->message->status = STORE_FAILED;
	c->message->reply = REPLY_FAILED;
}

void
message_lost(struct driver *d)
{
	struct message *m;

	while ((m = LIST_FIRST(&d->left)) != NULL) {
		m->status = STORE_FAILED;
		end_left(d, m);
	}
}
