/* SPDX-License-Identifier: ISC */
/*
 * Connections of retrieve-session. All that comes over them is hostile; it
 * goes to the engine as it is. What a client that does not read can hold is
 * one chunk of a message, or one list, for idle_time.
 */
#include "retrieve/serve.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/accept.h"
#include "lib/conf.h"
#include "lib/conn.h"
#include "lib/log.h"
#include "lib/now.h"
#include "lib/role.h"
#include "lib/stats.h"
#include "lib/str.h"

#define LOGIN_TIME	100000	/* ms for auth: it delays refusals */
#define READER_TIME	60000	/* ms for the reader */
#define HEAD_MAX	4096	/* octets that wait for what follows them */
#define SKIP_TURN	(8 << 20)	/* octets read through in one turn */
#define BLOCK_MAX	65536	/* octets of a header block served */

static void
log_request(struct client *c)
{
	const struct session_log	*l = &c->http.log;
	uint64_t			 ms = now_boot() - c->since;
	char				 user[2 * AUTH_USER_MAX];

	str_quote(user, sizeof(user), c->http.user, strlen(c->http.user));
	log_info("http: request client=%s user=\"%s\" method=%s target=\"%s\" "
	    "status=%u octets=%llu ms=%llu", c->name, user, l->method,
	    l->target, l->code, (unsigned long long)l->octets,
	    (unsigned long long)ms);
	if (l->code >= 100 && l->code < 600)
		stats_add(STATS_REQUESTS + l->code / 100 - 1, 1);
	stats_time(STATS_REQUEST_TIME, ms * 1000);
	c->http.busy = false;
}

/* Hand the engine's output on. True when all of it is handed on. */
static bool
flush(struct client *c)
{
	struct buf	*out = &c->http.out;
	size_t		 n;

	while (out->len > 0) {
		if (conn_queued(c->conn) >= SERVE_CHUNK)
			return false;
		n = out->len < SERVE_CHUNK ? out->len : SERVE_CHUNK;
		if (conn_write(c->conn, buf_data(out), n) == -1) {
			if (errno != EPIPE)
				log_err("http: client=%s: %m", c->name);
			conn_drop(c->conn);
			return false;
		}
		buf_take(out, n);
		conn_deadline(c->conn, c->server->conf->idle_time);
	}
	buf_free(out);
	return true;
}

static void
close_file(struct client *c)
{
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
}

/* Read the next octets of the file. Octets, 0 at its end, -1 and errno. */
static ssize_t
read_chunk(struct client *c)
{
	ssize_t	n;

	do
		n = pread(c->fd, c->server->in, SERVE_CHUNK, (off_t)c->at);
	while (n == -1 && errno == EINTR);
	if (n > 0)
		c->at += (uint64_t)n;
	return n;
}

/* The promise of Content-Length cannot be kept: no end is better. */
static void
break_promise(struct client *c, ssize_t n)
{
	if (n == -1)
		log_err("http: cannot read a message client=%s: %m", c->name);
	else
		log_err("http: a message became shorter client=%s", c->name);
	conn_drop(c->conn);
}

/* Send what the connection takes of the file. True: all is on its way. */
static bool
send_file(struct client *c)
{
	static const struct timeval	now = { 0, 0 };
	size_t				skipped = 0, n;
	ssize_t				got;

	while (c->crlf.left > 0) {
		if (conn_queued(c->conn) > HEAD_MAX)
			return false;
		if (skipped >= SKIP_TURN) {
			event_add(c->again, &now);
			return false;
		}
		if ((got = read_chunk(c)) <= 0) {
			break_promise(c, got);
			return false;
		}
		n = crlf_convert(&c->crlf, c->server->in, (size_t)got,
		    c->server->out);
		skipped += (size_t)got;
		if (n == 0)
			continue;
		if (conn_write(c->conn, c->server->out, n) == -1) {
			conn_drop(c->conn);
			return false;
		}
		conn_deadline(c->conn, c->server->conf->idle_time);
	}
	return true;
}

static void
begin_file(struct client *c)
{
	const struct session_file	*f = &c->http.file;

	crlf_init(&c->crlf, f->raw, f->first, f->length);
	c->at = 0;
	if (f->raw) {		/* nothing to count on the way */
		c->at = f->first;
		c->crlf.skip = 0;
	}
}

/* The header block, for those who want no more of the message. */
static void
send_block(struct client *c)
{
	ssize_t	n;

	c->at = 0;
	n = read_chunk(c);
	close_file(c);
	if (n == -1) {
		log_err("http: cannot read a message client=%s: %m", c->name);
		session_fail(&c->http);
	} else {
		session_block(&c->http, (const char *)c->server->in,
		    (size_t)n);
	}
}

static void
await_request(struct client *c)
{
	const struct conf	*conf = c->server->conf;

	ask_end(c);
	close_file(c);
	conn_deadline(c->conn, c->http.served == 0 ? conf->request_time :
	    conf->idle_time);
	conn_resume(c->conn);
}

/* Meet the wish of the state. False: there is to be waited. */
static bool
act(struct client *c)
{
	struct session	*s = &c->http;

	s->fresh = false;
	switch (s->state) {
	case SESSION_HEAD:
		await_request(c);
		return false;
	case SESSION_LOGIN:
		conn_deadline(c->conn, LOGIN_TIME);
		login_need(c);
		return s->fresh;
	case SESSION_LIST:
	case SESSION_OPEN:
	case SESSION_PING:
		conn_deadline(c->conn, READER_TIME);
		ask_reader(c);
		return s->fresh;
	case SESSION_BLOCK:
		send_block(c);
		return true;
	case SESSION_BODY:
		begin_file(c);
		return true;
	case SESSION_OVER:
		ask_end(c);
		close_file(c);
		conn_close(c->conn);
		return false;
	case SESSION_NONE:
	case SESSION_COUNT:
		break;
	}
	log_bug(__FILE__, __LINE__, "no such state");
}

/* How far is it? For the numbers. */
static void
count_stage(struct client *c)
{
	unsigned	now = c->login.state == LOGIN_IN ? STATS_LOGGED_IN :
			    c->secured ? STATS_TLS : STATS_CLEAR;

	if (now == c->stage)
		return;
	stats_less(STATS_SESSIONS + c->stage);
	stats_add(STATS_SESSIONS + now, 1);
	c->stage = now;
}

void
serve_advance(struct client *c)
{
	struct session	*s = &c->http;

	count_stage(c);
	for (;;) {
		if (s->busy && (s->state == SESSION_HEAD ||
		    s->state == SESSION_OVER))
			log_request(c);
		if (!flush(c))
			return;
		if (s->fresh) {
			if (!act(c))
				return;
			continue;
		}
		if (s->state != SESSION_BODY || !send_file(c))
			return;
		close_file(c);
		session_sent(s);
	}
}

static size_t
on_input(void *arg, const unsigned char *data, size_t len)
{
	struct client	*c = arg;
	bool		 begun = request_begun(&c->http.req);
	size_t		 n;

	/* The reply to the last request is still on its way out. */
	if (c->http.fresh || c->http.out.len > 0)
		return 0;
	c->http.now = (int64_t)time(NULL);
	n = session_input(&c->http, data, len);
	if (n == 0)
		return 0;
	if (!begun) {
		c->since = now_boot();
		c->renewed = false;
		conn_deadline(c->conn, c->server->conf->request_time);
	}
	serve_advance(c);
	return n;
}

static void
on_secured(void *arg)
{
	struct client	*c = arg;

	c->secured = true;
	count_stage(c);
	stats_add(stats_tls(conn_tls_version(c->conn)), 1);
	conn_deadline(c->conn, c->server->conf->request_time);
}

static void
on_drained(void *arg)
{
	serve_advance(arg);
}

static void
on_timeout(void *arg)
{
	struct client	*c = arg;
	enum session_state st = c->http.state;

	if (!c->secured || st == SESSION_BODY || c->http.out.len > 0) {
		conn_drop(c->conn);
		return;
	}
	c->http.now = (int64_t)time(NULL);
	if (st == SESSION_HEAD) {
		session_slow(&c->http);
	} else if (st != SESSION_OVER) {
		login_end(c);
		ask_end(c);
		session_fail(&c->http);
	}
	serve_advance(c);
}

/* The client sends no more, but may still want to read. */
static void
on_eof(void *arg)
{
	struct client	*c = arg;

	session_drain(&c->http);
	if (c->http.state == SESSION_HEAD)
		conn_close(c->conn);
	else
		serve_advance(c);
}

static void
client_free(struct client *c)
{
	struct server	*sv = c->server;

	stats_less(STATS_SESSIONS + c->stage);
	login_end(c);
	ask_end(c);
	close_file(c);
	session_free(&c->http);
	if (c->again != NULL)
		event_free(c->again);
	accept_left(sv->accept, c->ip);
	TAILQ_REMOVE(&sv->clients, c, link);
	free(c);
	if (sv->draining && TAILQ_EMPTY(&sv->clients))
		role_done();
}

static void
on_ended(void *arg, enum conn_end why)
{
	struct client	*c = arg;

	if (why == CONN_END_HANDSHAKE) {
		stats_add(STATS_HANDSHAKES_FAILED, 1);
		log_info("http: handshake failed client=%s reason=\"%s\"",
		    c->name, conn_error(c->conn));
	}
	stats_add(STATS_OCTETS + STATS_IN, conn_octets_in(c->conn));
	stats_add(STATS_OCTETS + STATS_OUT, conn_octets_out(c->conn));
	/* Cut short: say what went out. */
	if (c->http.state == SESSION_BODY)
		c->http.log.octets = c->http.fresh ? 0 :
		    c->http.log.octets - c->crlf.left;
	if (c->http.busy)
		log_request(c);
	client_free(c);
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	serve_advance(arg);
}

static void
on_taken(void *arg, enum listen_kind kind, int fd,
    const unsigned char ip[IP_SIZE])
{
	static const struct conn_ops ops = {
		.input = on_input, .secured = on_secured,
		.drained = on_drained, .timeout = on_timeout,
		.eof = on_eof, .ended = on_ended
	};
	struct server	*sv = arg;
	struct client	*c = calloc(1, sizeof(*c));

	(void)kind;
	if (c == NULL) {
		log_err("http: %m");
		accept_left(sv->accept, ip);
		close(fd);
		return;
	}
	c->server = sv;
	c->fd = -1;
	memcpy(c->ip, ip, sizeof(c->ip));
	ip_text(ip, c->name);
	session_init(&c->http, &sv->session);
	c->http.fresh = false;
	TAILQ_INSERT_TAIL(&sv->clients, c, link);
	stats_add(STATS_SESSIONS + c->stage, 1);
	c->again = evtimer_new(sv->base, on_again, c);
	c->conn = conn_new(sv->base, fd, &ops, c);
	if (c->conn == NULL) {
		log_err("http: client=%s: %m", c->name);
		client_free(c);
		return;
	}
	conn_deadline(c->conn, sv->conf->handshake_time);
	if (c->again == NULL || conn_start_tls(c->conn, sv->tls) == -1) {
		log_err("http: client=%s: %m", c->name);
		conn_drop(c->conn);
	}
}

const struct accept_ops serve_accept_ops = { .taken = on_taken };

void
serve_drain(struct server *sv)
{
	struct client	*c, *next;

	sv->draining = true;
	if (TAILQ_EMPTY(&sv->clients)) {
		role_done();
		return;
	}
	for (c = TAILQ_FIRST(&sv->clients); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		/* Whoever was let in is served, unless nobody stays. */
		if (!role_is_stopping()) {
			session_last(&c->http);
			continue;
		}
		session_drain(&c->http);
		if (!c->secured)
			conn_drop(c->conn);
		else
			serve_advance(c);
	}
}
