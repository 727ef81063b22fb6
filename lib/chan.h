/* SPDX-License-Identifier: ISC */
/*
 * An IPC socket in an event loop: receives datagrams as they come, queues
 * what the peer cannot take yet, in order.
 */
#ifndef POSTERN_CHAN_H
#define POSTERN_CHAN_H

#include <stddef.h>

struct chan;
struct event_base;

struct chan_ops {
	/*
	 * A datagram of len > 0 octets came; it is aligned for any struct
	 * and valid until the return. fd is a descriptor that came with it,
	 * the callee's to close, or -1. May call chan_free().
	 */
	void	(*input)(struct chan *, void *arg, const void *msg,
		    size_t len, int fd);
	/* The peer is gone or broke the rules; call chan_free(). */
	void	(*gone)(struct chan *, void *arg);
	/* The queue is empty again after chan_queued() was not 0; or NULL. */
	void	(*drained)(struct chan *, void *arg);
};

/* Takes fd over. NULL and errno when memory is short (fd is closed). */
struct chan *chan_new(struct event_base *, int fd, const struct chan_ops *,
	    void *arg);
/* Close and free; *cp becomes NULL; NULL is taken too. */
void	 chan_free(struct chan **cp);
/*
 * Send or queue a datagram; fd as ipc_send(), duplicated when queued.
 * 0, or -1 and errno: ENOMEM, ENOBUFS (more than max queued, see
 * chan_limit()) or EPIPE; `gone' will be called as well in that last case.
 */
int	 chan_send(struct chan *, const void *msg, size_t len, int fd);
/* The most octets that may wait in the queue; 8 MiB unless told. */
void	 chan_limit(struct chan *, size_t max);
/* Octets in the queue: a writer of bulk data stops when not 0. */
size_t	 chan_queued(const struct chan *);
/*
 * Read and deliver, now, what waits at the socket (the store does this
 * before it refuses a ticket).
 */
void	 chan_poll(struct chan *);
int	 chan_fd(const struct chan *);

#endif
