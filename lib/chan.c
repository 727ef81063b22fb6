/* SPDX-License-Identifier: ISC */
/*
 * IPC sockets in an event loop, see chan.h. A callback may free its channel,
 * so each step after one looks whether the channel still stands.
 */
#include "lib/chan.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "lib/ipc.h"
#include "lib/str.h"

#define CHAN_QUEUE_MAX	(8 * 1024 * 1024)
#define CHAN_TURN	32	/* datagrams handled before others get a turn */

struct chan_item {
	STAILQ_ENTRY(chan_item)	 next;
	size_t			 len;
	int			 fd;
	unsigned char		 data[];
};

struct chan {
	struct event		*in;
	struct event		*out;
	const struct chan_ops	*ops;
	void			*arg;
	bool			*freed;	/* set by chan_free() in a callback */
	STAILQ_HEAD(, chan_item) queue;
	size_t			 queued;
	size_t			 max;
	int			 fd;
	bool			 broken;
};

static void	chan_readable(evutil_socket_t, short, void *);
static void	chan_writable(evutil_socket_t, short, void *);

struct chan *
chan_new(struct event_base *base, int fd, const struct chan_ops *ops,
    void *arg)
{
	struct chan *c;

	if ((c = calloc(1, sizeof(*c))) == NULL) {
		close(fd);
		return NULL;
	}
	STAILQ_INIT(&c->queue);
	c->fd = fd;
	c->ops = ops;
	c->arg = arg;
	c->max = CHAN_QUEUE_MAX;
	c->in = event_new(base, fd, EV_READ | EV_PERSIST, chan_readable, c);
	c->out = event_new(base, fd, EV_WRITE | EV_PERSIST, chan_writable, c);
	if (c->in == NULL || c->out == NULL || event_add(c->in, NULL) == -1) {
		chan_free(&c);
		errno = ENOMEM;
	}
	return c;
}

static void
item_free(struct chan *c)
{
	struct chan_item *item = STAILQ_FIRST(&c->queue);

	STAILQ_REMOVE_HEAD(&c->queue, next);
	c->queued -= item->len;
	if (item->fd != -1)
		close(item->fd);
	str_wipe(item->data, item->len);
	free(item);
}

void
chan_free(struct chan **cp)
{
	struct chan *c = *cp;

	if (c == NULL)
		return;
	*cp = NULL;
	if (c->freed != NULL)
		*c->freed = true;
	while (!STAILQ_EMPTY(&c->queue))
		item_free(c);
	if (c->in != NULL)
		event_free(c->in);
	if (c->out != NULL)
		event_free(c->out);
	close(c->fd);
	free(c);
}

/* Let `gone' be called from the loop, not from under the caller. */
static void
chan_break(struct chan *c)
{
	c->broken = true;
	event_del(c->out);
	event_active(c->in, EV_READ, 0);
}

static int
chan_enqueue(struct chan *c, const void *msg, size_t len, int fd)
{
	struct chan_item *item;

	if (len > c->max || c->queued > c->max - len) {
		errno = ENOBUFS;
		return -1;
	}
	if ((item = malloc(sizeof(*item) + len)) == NULL)
		return -1;
	item->fd = -1;
	if (fd != -1 &&
	    (item->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1) {
		free(item);
		return -1;
	}
	memcpy(item->data, msg, len);
	item->len = len;
	STAILQ_INSERT_TAIL(&c->queue, item, next);
	c->queued += len;
	return event_add(c->out, NULL);
}

int
chan_send(struct chan *c, const void *msg, size_t len, int fd)
{
	if (c->broken) {
		errno = EPIPE;
		return -1;
	}
	if (STAILQ_EMPTY(&c->queue)) {
		if (ipc_send(c->fd, msg, len, fd) == 0)
			return 0;
		if (errno != EAGAIN && errno != ENOBUFS &&
		    errno != ETOOMANYREFS) {
			chan_break(c);
			errno = EPIPE;
			return -1;
		}
	}
	return chan_enqueue(c, msg, len, fd);
}

void
chan_limit(struct chan *c, size_t max)
{
	c->max = max;
}

size_t
chan_queued(const struct chan *c)
{
	return c->queued;
}

int
chan_fd(const struct chan *c)
{
	return c->fd;
}

static void
chan_writable(evutil_socket_t fd, short what, void *arg)
{
	struct chan *c = arg;
	struct chan_item *item;

	(void)fd;
	(void)what;
	while ((item = STAILQ_FIRST(&c->queue)) != NULL) {
		if (ipc_send(c->fd, item->data, item->len, item->fd) == -1) {
			if (errno != EAGAIN && errno != ENOBUFS)
				chan_break(c);
			return;
		}
		item_free(c);
	}
	event_del(c->out);
	if (c->ops->drained != NULL)
		c->ops->drained(c, c->arg);
}

/* Deliver up to turns datagrams. False when c was freed meanwhile. */
static bool
chan_deliver(struct chan *c, unsigned turns)
{
	_Alignas(max_align_t) unsigned char msg[IPC_MAX];
	bool freed = false;
	int fd;

	if (c->freed != NULL)
		return true;	/* polled from within a callback of its own */
	c->freed = &freed;
	while (turns-- > 0 && !freed) {
		ssize_t n = c->broken ? 0 :
		    ipc_recv(c->fd, msg, sizeof(msg), &fd);

		if (n > 0) {
			c->ops->input(c, c->arg, msg, (size_t)n, fd);
			/* A password, perhaps. */
			str_wipe(msg, (size_t)n);
			continue;
		}
		if (n == -1 && errno == EAGAIN)
			break;
		c->broken = true;
		event_del(c->in);
		event_del(c->out);
		c->ops->gone(c, c->arg);
		break;
	}
	if (!freed)
		c->freed = NULL;
	return !freed;
}

static void
chan_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	chan_deliver(arg, CHAN_TURN);
}

void
chan_poll(struct chan *c)
{
	if (!c->broken)
		chan_deliver(c, ~0U);
}
