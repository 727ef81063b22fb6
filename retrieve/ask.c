/* SPDX-License-Identifier: ISC */
/*
 * What retrieve-session asks of the reader. The answers are trusted in what
 * they mean (who may see what is the reader's to say) and checked in their
 * form; a reader that breaks it is not one to go on with.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "lib/chan.h"
#include "lib/log.h"
#include "lib/now.h"
#include "lib/stats.h"
#include "lib/str.h"
#include "retrieve/msgid.h"
#include "retrieve/serve.h"

void
ask_end(struct client *c)
{
	ids_end(&c->server->questions, c->question);
	c->question = 0;
}

/* The answer is whole: of a list, or of a message. */
static void
answered(struct client *c, unsigned slot)
{
	stats_time(slot, now_micro() - c->asked);
	ask_end(c);
}

static int
ask_list(struct client *c)
{
	const struct query	*q = c->http.query;
	struct reader_list	 m;

	memset(&m, 0, sizeof(m));
	m.type = READER_LIST;
	m.id = c->question;
	m.limit = q->limit;
	m.ascending = q->ascending;
	m.peek = c->http.peek;
	memcpy(m.nonce, c->login.nonce, sizeof(m.nonce));
	memcpy(m.after, q->after, sizeof(m.after));
	memcpy(m.before, q->before, sizeof(m.before));
	return chan_send(c->server->reader, &m, sizeof(m), -1);
}

static int
ask_open(struct client *c)
{
	struct reader_open	m;

	memset(&m, 0, sizeof(m));
	m.type = READER_OPEN;
	m.id = c->question;
	memcpy(m.nonce, c->login.nonce, sizeof(m.nonce));
	memcpy(m.message, c->http.id, sizeof(m.message));
	return chan_send(c->server->reader, &m, sizeof(m), -1);
}

static int
ask_ping(struct client *c)
{
	struct reader_ping	m = { READER_PING, c->question };

	/* Without auth nobody can be served. */
	if (c->server->auth == NULL) {
		errno = ENOTCONN;
		return -1;
	}
	return chan_send(c->server->reader, &m, sizeof(m), -1);
}

void
ask_reader(struct client *c)
{
	struct server	*sv = c->server;
	int		 r = -1;

	ask_end(c);
	c->asked = now_micro();
	if (sv->reader != NULL &&
	    (c->question = ids_new(&sv->questions, c)) != 0) {
		if (c->http.state == SESSION_LIST)
			r = ask_list(c);
		else if (c->http.state == SESSION_OPEN)
			r = ask_open(c);
		else
			r = ask_ping(c);
	}
	if (r == 0)
		return;
	ask_end(c);
	if (c->http.state == SESSION_PING)
		session_pinged(&c->http, false);
	else
		session_fail(&c->http);
}

static bool
on_listed(struct client *c, const struct reader_listed *m, size_t len)
{
	if (len != sizeof(*m) || m->status == READER_STATUS_NONE ||
	    m->status >= READER_STATUS_COUNT || m->adjacent > 1 ||
	    !str_ends(m->next, sizeof(m->next)) ||
	    !str_ends(m->prev, sizeof(m->prev)))
		return false;
	if (c == NULL)
		return true;
	if (c->http.state != SESSION_LIST || c->http.head != NULL ||
	    m->count > c->http.query->limit)
		return false;
	if (m->status != READER_OK || c->http.peek || m->count == 0)
		answered(c, STATS_LIST);
	if (m->status == READER_NO_TICKET)
		login_renew(c);
	else
		session_listed(&c->http, m);
	serve_advance(c);
	return true;
}

static bool
check_row(const struct reader_row *r)
{
	return str_ends(r->message, sizeof(r->message)) &&
	    (r->message[0] == '\0' ||
	    msgid_valid(r->message, strlen(r->message))) &&
	    r->dated <= 1 && r->flags <= READER_FLAGS_ALL &&
	    str_ends(r->from, sizeof(r->from)) &&
	    str_ends(r->to, sizeof(r->to)) &&
	    str_ends(r->subject, sizeof(r->subject));
}

static bool
on_rows(struct client *c, const struct reader_rows *m, size_t len)
{
	const size_t	fixed = offsetof(struct reader_rows, row);
	struct session	*s;
	uint32_t	i;

	if (len < fixed || m->count < 1 || m->count > READER_ROWS_MAX ||
	    len != fixed + m->count * sizeof(m->row[0]))
		return false;
	for (i = 0; i < m->count; i++)
		if (!check_row(&m->row[i]))
			return false;
	if (c == NULL)
		return true;
	s = &c->http;
	if (s->state != SESSION_LIST || s->head == NULL ||
	    m->count > s->rows)
		return false;
	if (m->count == s->rows)
		answered(c, STATS_LIST);
	for (i = 0; i < m->count && s->state == SESSION_LIST; i++)
		session_row(s, &m->row[i]);
	if (s->state != SESSION_LIST)
		ask_end(c);
	serve_advance(c);
	return true;
}

/* Takes *fd over where it is of use. */
static bool
on_opened(struct client *c, const struct reader_opened *m, size_t len,
    int *fd)
{
	if (len != sizeof(*m) || m->status == READER_STATUS_NONE ||
	    m->status >= READER_STATUS_COUNT ||
	    (m->status == READER_OK) != (*fd != -1) ||
	    (m->status == READER_OK && (m->size < m->stored ||
	    m->size - m->stored > m->stored)))
		return false;
	if (c == NULL)
		return true;
	if (c->http.state != SESSION_OPEN)
		return false;
	answered(c, STATS_OPEN);
	if (m->status == READER_NO_TICKET) {
		login_renew(c);
	} else {
		session_opened(&c->http, m);
		if (c->http.state == SESSION_BODY ||
		    c->http.state == SESSION_BLOCK) {
			c->fd = *fd;
			*fd = -1;
		}
	}
	serve_advance(c);
	return true;
}

static bool
on_pong(struct client *c, const struct reader_pong *m, size_t len)
{
	if (len != sizeof(*m))
		return false;
	if (c == NULL)
		return true;
	if (c->http.state != SESSION_PING)
		return false;
	ask_end(c);
	session_pinged(&c->http, m->status == READER_OK);
	serve_advance(c);
	return true;
}

static void
on_input(struct chan *ch, void *arg, const void *msg, size_t len, int fd)
{
	struct server		*sv = arg;
	struct reader_ping	 head = { READER_NONE, 0 };
	struct client		*c;
	bool			 well = false;

	(void)ch;
	if (len >= sizeof(head))
		memcpy(&head, msg, sizeof(head));
	c = ids_find(&sv->questions, head.id);
	if (c != NULL)
		c->http.now = (int64_t)time(NULL);
	if (head.type == READER_LISTED)
		well = on_listed(c, msg, len);
	else if (head.type == READER_ROWS)
		well = on_rows(c, msg, len);
	else if (head.type == READER_OPENED)
		well = on_opened(c, msg, len, &fd);
	else if (head.type == READER_PONG)
		well = on_pong(c, msg, len);
	if (fd != -1)
		close(fd);
	if (well)
		return;
	log_err("http: bad message from the reader type=%u octets=%zu",
	    head.type, len);
	exit(EX_PROTOCOL);
}

/* Who waits for an answer gets none. */
static void
lose(struct server *sv)
{
	struct client	*c, *next;

	chan_free(&sv->reader);
	for (c = TAILQ_FIRST(&sv->clients); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->question == 0)
			continue;
		ask_end(c);
		c->http.now = (int64_t)time(NULL);
		session_fail(&c->http);
		serve_advance(c);
	}
}

static void
on_gone(struct chan *ch, void *arg)
{
	(void)ch;
	/* The master starts a new one and sends its channel by itself. */
	log_warn("http: the reader has gone");
	lose(arg);
}

void
ask_peer(struct server *sv, int fd)
{
	static const struct chan_ops ops = {
		.input = on_input, .gone = on_gone
	};

	lose(sv);
	sv->reader = chan_new(sv->base, fd, &ops, sv);
	if (sv->reader == NULL)
		log_err("http: %m");
}
