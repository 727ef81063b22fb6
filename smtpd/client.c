/* SPDX-License-Identifier: ISC */
/*
 * One client of smtpd-session: hands octets between its connection and the
 * engine, carries out the engine's actions, keeps its time, logs its end.
 * What the client sends is hostile and goes to the engine unseen.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/accept.h"
#include "lib/buf.h"
#include "lib/conn.h"
#include "lib/log.h"
#include "lib/now.h"
#include "lib/stats.h"
#include "lib/str.h"
#include "smtpd/driver.h"

static void
client_start_tls(struct client *c)
{
	if (conn_start_tls(c->conn, c->driver->tls) == 0)
		return;
	c->over = true;
	conn_drop(c->conn);
}

static void
client_do(struct client *c, const struct session_action *a)
{
	switch (a->what) {
	case SESSION_DO_TLS:
		client_start_tls(c);
		break;
	case SESSION_DO_AUTH_START:
	case SESSION_DO_AUTH_STEP:
	case SESSION_DO_AUTH_END:
		auth_do(c, a);
		break;
	case SESSION_DO_BEGIN:
	case SESSION_DO_RCPT:
	case SESSION_DO_OPEN:
	case SESSION_DO_BODY:
	case SESSION_DO_COMMIT:
	case SESSION_DO_ABORT:
		message_do(c, a);
		store_do(c, a);
		break;
	case SESSION_DO_ENDED:
		message_do(c, a);
		break;
	case SESSION_DO_CLOSE:
		c->over = true;
		conn_close(c->conn);
		break;
	case SESSION_DO_DROP:
		c->over = true;
		conn_drop(c->conn);
		break;
	case SESSION_DO_NONE:
		break;
	}
}

static void
client_write(struct client *c)
{
	struct buf *out = session_output(c->session);

	if (out->len == 0)
		return;
	if (!c->over && conn_write(c->conn, buf_data(out), out->len) == -1) {
		c->over = true;
		conn_drop(c->conn);
	}
	/* holds nothing while there is nothing to say */
	buf_wipe(out);
}

/* Have the connection call when the engine's time is up. */
static void
client_arm(struct client *c, uint64_t now)
{
	uint64_t d = session_deadline(c->session);

	if (c->over || d == UINT64_MAX || (c->armed != 0 && c->armed <= d))
		return;
	c->armed = d;
	conn_deadline(c->conn, d > now ? d - now : 1);
}

/* How far is it? For the numbers. */
static void
client_count(struct client *c)
{
	struct session_info i = session_info(c->session);
	unsigned now = i.transaction ? STATS_TRANSACTION :
	    i.user[0] != '\0' ? STATS_LOGGED_IN :
	    c->secured ? STATS_TLS : STATS_CLEAR;

	if (now == c->stage)
		return;
	stats_less(STATS_SESSIONS + c->stage);
	stats_add(STATS_SESSIONS + now, 1);
	c->stage = now;
}

void
client_turn(struct client *c)
{
	struct session_action a;

	for (;;) {
		client_write(c);
		if (!session_action(c->session, &a))
			break;
		client_do(c, &a);
	}
	client_count(c);
	client_arm(c, now_monotonic());
}

void
client_answered(struct client *c)
{
	client_turn(c);
	if (c->paused && !c->over) {
		c->paused = false;
		conn_resume(c->conn);
	}
}

/* May the engine have more input? */
static bool
client_takes(struct client *c)
{
	if (c->over || !session_wants_input(c->session))
		return false;
	c->held = session_state(c->session) == STATE_DATA &&
	    store_is_full(c->driver);
	return !c->held;
}

static size_t
on_input(void *arg, const unsigned char *data, size_t len)
{
	struct client *c = arg;
	size_t taken = 0, n;

	while (taken < len && client_takes(c)) {
		n = session_input(c->session, data + taken, len - taken,
		    now_monotonic());
		client_turn(c);
		taken += n;
	}
	c->paused = taken < len;
	return taken;
}

static void
on_eof(void *arg)
{
	struct client *c = arg;

	session_event(c->session, SESSION_EV_EOF, now_monotonic());
	client_turn(c);
}

static void
on_secured(void *arg)
{
	struct client *c = arg;

	c->secured = true;
	stats_add(stats_tls(conn_tls_version(c->conn)), 1);
	session_secured(c->session, auth_tls(c), now_monotonic());
	client_turn(c);
}

static void
on_timeout(void *arg)
{
	struct client *c = arg;
	uint64_t now = now_monotonic();

	c->armed = 0;
	if (now >= session_deadline(c->session)) {
		session_event(c->session, SESSION_EV_TIMEOUT, now);
		client_turn(c);
	} else
		client_arm(c, now);
}

static const char *
end_name(enum conn_end why)
{
	static const char *const names[] = {
		[CONN_END_NONE] = "closed",
		[CONN_END_EOF] = "eof",
		[CONN_END_CUT] = "cut",
		[CONN_END_ERROR] = "error",
		[CONN_END_HANDSHAKE] = "handshake"
	};

	return names[why];
}

/* One line a session. */
static void
client_log(const struct client *c, enum conn_end why)
{
	struct session_info i = session_info(c->session);
	const char *version = conn_tls_version(c->conn);
	char address[IP_TEXT], helo[128], user[128], error[128];

	log_info("smtp: session=%" PRIu32 ".%" PRIu64 " client=%s helo=\"%s\""
	    " user=\"%s\" tls=%s messages=%" PRIu64 " delivered=%" PRIu64
	    " errors=%" PRIu64 " in=%" PRIu64 " out=%" PRIu64 " ms=%" PRIu64
	    " last=%d end=%s error=\"%s\"",
	    role_instance(), c->number,
	    ip_text(c->ip, address),
	    str_quote(helo, sizeof(helo), i.helo, strlen(i.helo)),
	    str_quote(user, sizeof(user), i.user, strlen(i.user)),
	    version != NULL ? version : "none", i.messages, i.delivered,
	    i.errors, conn_octets_in(c->conn), conn_octets_out(c->conn),
	    now_monotonic() - c->began, reply_row(i.last)->code, end_name(why),
	    str_quote(error, sizeof(error), conn_error(c->conn),
	    strlen(conn_error(c->conn))));
}

void
driver_left(struct driver *d)
{
	if (d->draining && LIST_EMPTY(&d->clients) && LIST_EMPTY(&d->left))
		role_done();
}

static void
client_free(struct client *c)
{
	struct driver *d = c->driver;

	stats_less(STATS_SESSIONS + c->stage);
	stats_add(STATS_OCTETS + STATS_IN, conn_octets_in(c->conn));
	stats_add(STATS_OCTETS + STATS_OUT, conn_octets_out(c->conn));
	LIST_REMOVE(c, next);
	message_free(c);
	session_free(&c->session);
	accept_left(d->accept, c->ip);
	str_wipe(c->nonce, sizeof(c->nonce));
	free(c);
	driver_left(d);
}

static void
on_ended(void *arg, enum conn_end why)
{
	struct client *c = arg;

	if (why == CONN_END_HANDSHAKE)
		stats_add(STATS_HANDSHAKES_FAILED, 1);
	c->over = true;
	session_event(c->session, SESSION_EV_GONE, now_monotonic());
	client_turn(c);
	client_log(c, why);	/* behind the lines of its messages */
	auth_end(c);
	store_forget(c);
	client_free(c);
}

static const struct conn_ops ops = {
	.input = on_input,
	.eof = on_eof,
	.secured = on_secured,
	.timeout = on_timeout,
	.ended = on_ended,
};

static void
on_taken(void *arg, enum listen_kind kind, int fd,
    const unsigned char ip[IP_SIZE])
{
	struct client *c = calloc(1, sizeof(*c));
	struct driver *d = arg;
	uint64_t now = now_monotonic();

	if (c == NULL)
		goto fail;
	c->driver = d;
	memcpy(c->ip, ip, sizeof(c->ip));
	c->began = now;
	c->number = ++d->served;
	c->session = session_new(&d->conf, kind == LISTEN_SUBMISSIONS, now);
	if (c->session == NULL)
		goto fail;
	c->conn = conn_new(d->base, fd, &ops, c);
	fd = -1;
	if (c->conn == NULL)
		goto fail;
	LIST_INSERT_HEAD(&d->clients, c, next);
	stats_add(STATS_SESSIONS + c->stage, 1);
	client_turn(c);
	return;

fail:
	log_warn("smtp: no memory for another client");
	accept_left(d->accept, ip);
	if (fd != -1)
		close(fd);
	if (c != NULL)
		session_free(&c->session);
	free(c);
}

/* Say why there is no service; under implicit TLS nothing can be said. */
static void
on_refused(void *arg, enum listen_kind kind, int fd,
    enum accept_refusal why)
{
	const struct driver *d = arg;
	enum reply r = why == ACCEPT_BLOCKED ? REPLY_THROTTLED :
	    why == ACCEPT_CROWDED ? REPLY_CROWDED : REPLY_BUSY;
	struct buf line;

	buf_init(&line, 512);
	if (kind == LISTEN_SUBMISSION && reply_add(&line, r,
	    d->conf.hostname) == 0 && send(fd, buf_data(&line), line.len,
	    MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
		log_debug("smtp: refusal not sent: %m");
	buf_free(&line);
}

const struct accept_ops client_accept_ops = {
	.taken = on_taken, .refused = on_refused,
};
