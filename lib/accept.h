/* SPDX-License-Identifier: ISC */
/*
 * Taking connections, within the limits that all session processes of a
 * service share. Sessions only.
 */
#ifndef POSTERN_ACCEPT_H
#define POSTERN_ACCEPT_H

#include "lib/ip.h"
#include "lib/role.h"

struct accept;
struct blocked;
struct conf;
struct event_base;

/* Why a connection is not served. */
enum accept_refusal {
	ACCEPT_NOT_REFUSED,	/* 0 is no reason */
	ACCEPT_BUSY,		/* over the limit on all connections */
	ACCEPT_CROWDED,		/* over that on those of its address */
	ACCEPT_BLOCKED		/* its address has failed to log in too often */
};

struct accept_ops {
	/*
	 * A connection from ip, which was counted: accept_left() when it has
	 * ended. fd, non-blocking, is the callee's.
	 */
	void	(*taken)(void *arg, enum listen_kind, int fd,
		    const unsigned char ip[IP_SIZE]);
	/* One that is closed after the return. NULL when of no interest. */
	void	(*refused)(void *arg, enum listen_kind, int fd,
		    enum accept_refusal);
};

/*
 * counts_fd is that of ROLE_FILE_COUNTS, taken over; the limits are those
 * of the conf. NULL, having logged why.
 */
struct accept *accept_new(struct event_base *, const struct conf *,
	    int counts_fd, const struct accept_ops *, void *arg);
/* Take connections from the listening socket fd, taken over, from now on. */
void	 accept_add(struct accept *, enum listen_kind, int fd);
/*
 * Refuse connections from the addresses in this table from now on; it stays
 * the caller's and is in the time of now_boot().
 */
void	 accept_block(struct accept *, struct blocked *);
/* Close the listening sockets. accept_left() can still be called. */
void	 accept_stop(struct accept *);
/* The connection from ip that was taken has ended. */
void	 accept_left(struct accept *, const unsigned char ip[IP_SIZE]);

#endif
