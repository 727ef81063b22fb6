/* SPDX-License-Identifier: ISC */
/*
 * A client's connection in an event loop: the functions for callers. Sessions
 * only. They queue, leave word and wake conn_turn(); none of them reads,
 * writes or frees.
 */
#include "lib/conn.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/conn_impl.h"
#include "lib/log.h"

static void
conn_on_io(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	conn_turn(arg, what);
}

static void
conn_on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	conn_turn(arg, 0);
}

static void
conn_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	if (c->state >= CONN_CLOSING || c->ops->timeout == NULL) {
		c->state = CONN_OVER;
	} else {
		c->in_turn = true;
		c->ops->timeout(c->arg);
	}
	conn_turn(c, 0);
}

/* Have conn_turn() called soon, unless it is running. */
static void
conn_wake(struct conn *c)
{
	if (!c->in_turn)
		event_active(c->tick, EV_TIMEOUT, 0);
}

void
conn_destroy(struct conn *c)
{
	if (c->rd != NULL)
		event_free(c->rd);
	if (c->wr != NULL)
		event_free(c->wr);
	if (c->tick != NULL)
		event_free(c->tick);
	if (c->timer != NULL)
		event_free(c->timer);
	wire_free(&c->wire);
	buf_wipe(&c->in);
	buf_free(&c->out);
	free(c);
}

struct conn *
conn_new(struct event_base *base, int fd, const struct conn_ops *ops,
    void *arg)
{
	struct conn *c;
	int on = 1;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		goto fail;
	wire_init(&c->wire, fd);
	c->ops = ops;
	c->arg = arg;
	c->read_on = EV_READ;
	c->write_on = EV_WRITE;
	buf_init(&c->in, CONN_READ);
	buf_init(&c->out, CONN_QUEUE_MAX);
	c->rd = event_new(base, fd, EV_READ | EV_PERSIST, conn_on_io, c);
	c->wr = event_new(base, fd, EV_WRITE | EV_PERSIST, conn_on_io, c);
	c->tick = event_new(base, -1, 0, conn_on_tick, c);
	c->timer = event_new(base, -1, 0, conn_on_timer, c);
	if (c->rd == NULL || c->wr == NULL || c->tick == NULL ||
	    c->timer == NULL || event_add(c->rd, NULL) == -1)
		goto fail;
	c->rd_added = true;
	/* Output is gathered here, once a turn; fails on what is not TCP. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return c;

fail:
	if (c != NULL)
		conn_destroy(c);
	close(fd);
	errno = ENOMEM;
	return NULL;
}

int
conn_start_tls(struct conn *c, struct tls *tls)
{
	BUG_IF(c->wire.ssl != NULL);
	if (c->state != CONN_OPEN) {
		errno = EPIPE;
		return -1;
	}
	if (wire_start_tls(&c->wire, tls) == -1)
		return -1;
	c->state = CONN_STARTING;
	conn_wake(c);
	return 0;
}

size_t
conn_unread(const struct conn *c)
{
	return c->in.len;
}

void
conn_resume(struct conn *c)
{
	c->paused = false;
	conn_wake(c);
}

void
conn_hold(struct conn *c, bool hold)
{
	if (c->held == hold)
		return;
	c->held = hold;
	if (!hold)
		conn_wake(c);
}

int
conn_write(struct conn *c, const void *data, size_t len)
{
	if (c->state >= CONN_CLOSING) {
		errno = EPIPE;
		return -1;
	}
	if (buf_add(&c->out, data, len) == -1)
		return -1;
	conn_wake(c);
	return 0;
}

size_t
conn_queued(const struct conn *c)
{
	return c->out.len;
}

void
conn_close(struct conn *c)
{
	if (c->state >= CONN_CLOSING)
		return;
	conn_begin_close(c, CONN_END_NONE);
	conn_wake(c);
}

void
conn_drop(struct conn *c)
{
	if (c->state == CONN_OVER)
		return;
	c->state = CONN_OVER;
	c->end = CONN_END_NONE;
	conn_wake(c);
}

void
conn_deadline(struct conn *c, uint64_t ms)
{
	if (c->state >= CONN_CLOSING)
		return;
	if (ms == 0)
		event_del(c->timer);
	else
		conn_timer(c, ms);
}

const char *
conn_error(const struct conn *c)
{
	return c->wire.error != NULL ? c->wire.error : "";
}

const char *
conn_tls_version(const struct conn *c)
{
	return wire_version(&c->wire);
}

const char *
conn_tls_cipher(const struct conn *c)
{
	return wire_cipher(&c->wire);
}

int
conn_tls_bits(const struct conn *c)
{
	return wire_bits(&c->wire);
}

size_t
conn_tls_exporter(const struct conn *c, unsigned char *out)
{
	return wire_exporter(&c->wire, out);
}

size_t
conn_tls_endpoint(const struct conn *c, unsigned char *out)
{
	return wire_endpoint(&c->wire, out);
}

size_t
conn_tls_names(const struct conn *c, char *names, size_t size)
{
	return wire_names(&c->wire, names, size);
}

uint64_t
conn_octets_in(const struct conn *c)
{
	return c->octets_in;
}

uint64_t
conn_octets_out(const struct conn *c)
{
	return c->octets_out;
}
