/* SPDX-License-Identifier: ISC */
/*
 * The work on a client's connection. Sessions only; what comes in is
 * hostile, and so is a peer that does not read. All is done in conn_turn():
 * the functions for callers leave word and wake it, and ended() and free(3)
 * happen at its end alone. No more than CONN_TURN octets go each way in a
 * turn, so that no connection keeps the others waiting.
 */
#include <event2/event.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/conn_impl.h"
#include "lib/log.h"
#include "lib/str.h"

#define CONN_TURN	(128U << 10)	/* octets a turn, each way */
#define CONN_FULL	4096U		/* so much: look for more at once */
#define CONN_LINGER_TIME 2000U		/* ms to read and drop after it */
#define CONN_LINGER_MAX	(64U << 20)	/* octets to read and drop */

/* Have conn_turn() called after other connections had theirs. */
static void
conn_wake_later(struct conn *c)
{
	static const struct timeval now = { 0, 0 };

	event_add(c->tick, &now);
}

void
conn_timer(struct conn *c, uint64_t ms)
{
	struct timeval tv;

	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	event_add(c->timer, &tv);
}

void
conn_begin_close(struct conn *c, enum conn_end why)
{
	if (c->state >= CONN_CLOSING)
		return;
	/* What waited for a handshake that will not be has nowhere to go. */
	if (c->state == CONN_HANDSHAKE)
		buf_free(&c->out);
	c->state = CONN_CLOSING;
	c->end = why;
	buf_wipe(&c->in);
	conn_timer(c, CONN_CLOSE_TIME);
}

/* The connection failed. An alert may be on its way: let the peer see it. */
static void
conn_fail(struct conn *c, enum wire_result r)
{
	enum conn_end why = r == WIRE_CUT ? CONN_END_CUT : CONN_END_ERROR;

	if (c->state == CONN_HANDSHAKE)
		why = CONN_END_HANDSHAKE;
	conn_begin_close(c, why);
	buf_free(&c->out);
	c->write_blocked = false;
	if (r != WIRE_BAD)
		c->state = CONN_OVER;
}

/* May input() be called? */
static bool
conn_takes(const struct conn *c)
{
	return c->state == CONN_OPEN && !c->held && !c->paused && !c->eof &&
	    c->out.len <= CONN_QUEUE_HIGH;
}

/* Hand up octets; how many were taken. */
static size_t
conn_input(struct conn *c, const unsigned char *data, size_t len)
{
	size_t taken;

	c->paused = true;	/* conn_resume() in input() clears it */
	taken = c->ops->input(c->arg, data, len);
	BUG_IF(taken > len);
	if (taken == len)
		c->paused = false;
	return taken;
}

/* Hand up what was kept. */
static void
conn_deliver(struct conn *c)
{
	size_t taken;

	while (c->in.len > 0 && conn_takes(c)) {
		taken = conn_input(c, buf_data(&c->in), c->in.len);
		/* A conn_close() in input() has freed it. */
		if (c->state >= CONN_CLOSING)
			return;
		buf_take(&c->in, taken);
		if (c->in.len == 0)
			buf_wipe(&c->in);
		if (taken == 0)
			return;
	}
}

static void
conn_ended_input(struct conn *c)
{
	c->eof = true;
	c->fin = !c->wire.tls;
	if (c->ops->eof != NULL)
		c->ops->eof(c->arg);
	else
		conn_begin_close(c, CONN_END_EOF);
}

/* Read and hand up, a turn's worth at most. */
static void
conn_read(struct conn *c)
{
	unsigned char data[CONN_READ];
	enum wire_result r;
	size_t n, taken, all = 0;

	while (c->in.len == 0 && conn_takes(c) && all < CONN_TURN) {
		r = wire_read(&c->wire, data, sizeof(data), &n);
		c->more = r == WIRE_DONE;
		if (r == WIRE_WANT_READ || r == WIRE_WANT_WRITE) {
			c->read_on = r == WIRE_WANT_READ ? EV_READ : EV_WRITE;
			return;
		}
		c->read_on = EV_READ;
		if (r == WIRE_EOF) {
			conn_ended_input(c);
			return;
		}
		if (r != WIRE_DONE) {
			conn_fail(c, r);
			return;
		}
		c->octets_in += n;
		all += n;
		taken = conn_input(c, data, n);
		if (taken < n && c->state < CONN_CLOSING &&
		    buf_add(&c->in, data + taken, n - taken) == -1)
			conn_fail(c, WIRE_RESET);
		str_wipe(data, n);	/* a password, perhaps */
		/* Most likely that was all: leave it to the next event. */
		if (n < CONN_FULL && !wire_pending(&c->wire))
			break;
	}
	conn_deliver(c);
}

/* The queue has become empty. */
static void
conn_drained(struct conn *c)
{
	if (c->state == CONN_OPEN && c->ops->drained != NULL)
		c->ops->drained(c->arg);
	if (c->out.len == 0)
		buf_free(&c->out);
}

/* Write, a turn's worth at most; what is left goes on with an event. */
static void
conn_flush(struct conn *c)
{
	enum wire_result r;
	size_t n, all = 0;

	while (c->out.len > 0 && !c->write_blocked && all < CONN_TURN &&
	    c->state != CONN_HANDSHAKE && c->state < CONN_LINGERING) {
		r = wire_write(&c->wire, buf_data(&c->out), c->out.len, &n);
		if (r == WIRE_WANT_READ || r == WIRE_WANT_WRITE) {
			c->write_on = r == WIRE_WANT_READ ? EV_READ : EV_WRITE;
			c->write_blocked = true;
			return;
		}
		c->write_on = EV_WRITE;
		if (r != WIRE_DONE) {
			conn_fail(c, r);
			return;
		}
		buf_take(&c->out, n);
		c->octets_out += n;
		all += n;
		if (c->out.len == 0)
			conn_drained(c);
	}
}

static void
conn_handshake(struct conn *c)
{
	enum wire_result r = wire_handshake(&c->wire);

	if (r == WIRE_WANT_READ || r == WIRE_WANT_WRITE) {
		c->read_on = r == WIRE_WANT_READ ? EV_READ : EV_WRITE;
		return;
	}
	c->read_on = EV_READ;
	if (r != WIRE_DONE) {
		conn_fail(c, r);
		return;
	}
	c->state = CONN_OPEN;
	c->more = true;		/* it may have come with the last flight */
	if (c->ops->secured != NULL)
		c->ops->secured(c->arg);
}

/* The plaintext is out: what comes now is TLS. */
static void
conn_begin_handshake(struct conn *c)
{
	c->state = CONN_HANDSHAKE;
	if (c->in.len > 0) {
		/* Sent before our go-ahead: RFC 3207, 4.2 and 6. */
		c->wire.error = "plaintext behind STARTTLS";
		c->wire.broken = true;
		conn_fail(c, WIRE_BAD);
	}
}

/* The last output is out: say so, and give the peer time to read it. */
static void
conn_hang_up(struct conn *c)
{
	enum wire_result r;

	if (c->write_blocked)
		return;
	r = wire_shutdown(&c->wire);
	if (r == WIRE_WANT_READ || r == WIRE_WANT_WRITE) {
		c->write_on = r == WIRE_WANT_READ ? EV_READ : EV_WRITE;
		c->write_blocked = true;
		return;
	}
	c->state = CONN_LINGERING;
	if (r != WIRE_DONE || c->fin)
		c->state = CONN_OVER;
	else
		conn_timer(c, CONN_LINGER_TIME);
}

static void
conn_linger(struct conn *c)
{
	unsigned char data[CONN_READ];
	enum wire_result r;
	size_t n, all = 0;

	while (all < CONN_TURN) {
		r = wire_discard(&c->wire, data, sizeof(data), &n);
		if (r == WIRE_WANT_READ)
			return;
		if (r == WIRE_DONE) {
			c->dropped += n;
			all += n;
		}
		if (r != WIRE_DONE || c->dropped > CONN_LINGER_MAX) {
			c->state = CONN_OVER;
			return;
		}
	}
}

/* The events that let this connection go on: EV_READ, EV_WRITE. */
static short
conn_interest(const struct conn *c)
{
	short want = 0;

	switch (c->state) {
	case CONN_OPEN:
		if (c->in.len == 0 && conn_takes(c))
			want = c->read_on;
		if (c->out.len > 0)
			want |= c->write_on;
		break;
	case CONN_HANDSHAKE:
		want = c->read_on;
		break;
	case CONN_STARTING:
	case CONN_CLOSING:
		want = c->write_on;
		break;
	case CONN_LINGERING:
		want = EV_READ;
		break;
	case CONN_OVER:
		break;
	}
	return want;
}

/*
 * Ask for the events wanted. The read event stays although nothing is read
 * for a moment, until it comes for nothing: that spares system calls.
 */
static void
conn_settle(struct conn *c)
{
	short want = conn_interest(c);

	if ((want & EV_READ) != 0 && !c->rd_added)
		c->rd_added = event_add(c->rd, NULL) == 0;
	if ((want & EV_WRITE) != 0 && !c->wr_added)
		c->wr_added = event_add(c->wr, NULL) == 0;
	if (((want & EV_READ) != 0 && !c->rd_added) ||
	    ((want & EV_WRITE) != 0 && !c->wr_added)) {
		/* No memory: without its event it would wait for ever. */
		c->wire.error = "no memory for an event";
		c->end = c->end == CONN_END_NONE ? CONN_END_ERROR : c->end;
		c->state = CONN_OVER;
		conn_wake_later(c);
		return;
	}
	if ((want & EV_WRITE) == 0 && c->wr_added) {
		event_del(c->wr);
		c->wr_added = false;
	}
	/* No event tells of octets that we or TLS hold already. */
	if (conn_takes(c) && (c->in.len > 0 ||
	    (c->more && wire_pending(&c->wire)))) {
		c->look = true;
		conn_wake_later(c);
	}
}

static void
conn_finish(struct conn *c)
{
	event_del(c->rd);
	event_del(c->wr);
	event_del(c->tick);
	event_del(c->timer);
	close(c->wire.fd);
	/* Still in_turn: what ended() calls on it wakes nothing. */
	c->ops->ended(c->arg, c->end);
	conn_destroy(c);
}

void
conn_turn(struct conn *c, short what)
{
	bool may_read = (what & c->read_on) != 0 || c->look;

	if ((what & EV_READ) != 0 && (conn_interest(c) & EV_READ) == 0) {
		event_del(c->rd);
		c->rd_added = false;
	}
	if ((what & c->write_on) != 0)
		c->write_blocked = false;
	c->look = false;
	c->in_turn = true;
	conn_flush(c);
	if (c->state == CONN_STARTING && c->out.len == 0) {
		conn_begin_handshake(c);
		may_read = true;
	}
	if (c->state == CONN_HANDSHAKE && may_read)
		conn_handshake(c);
	conn_deliver(c);
	if (may_read)
		conn_read(c);
	conn_flush(c);
	if (c->state == CONN_CLOSING && c->out.len == 0)
		conn_hang_up(c);
	if (c->state == CONN_LINGERING)
		conn_linger(c);
	if (c->state == CONN_OVER) {
		conn_finish(c);
		return;
	}
	c->in_turn = false;
	conn_settle(c);
}
