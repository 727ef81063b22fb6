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
struct conf;
struct event_base;

struct accept_ops {
	/*
	 * A connection from ip, which was counted: accept_left() when it has
	 * ended. fd, non-blocking, is the callee's.
	 */
	void	(*taken)(void *arg, enum listen_kind, int fd,
		    const unsigned char ip[IP_SIZE]);
	/*
	 * One over the limit on all connections or, crowded, on those of its
	 * address. It is closed after the return. NULL when of no interest.
	 */
	void	(*refused)(void *arg, enum listen_kind, int fd, bool crowded);
};

/*
 * counts_fd is that of ROLE_FILE_COUNTS, taken over; the limits are those
 * of the conf. NULL, having logged why.
 */
struct accept *accept_new(struct event_base *, const struct conf *,
	    int counts_fd, const struct accept_ops *, void *arg);
/* Take connections from the listening socket fd, taken over, from now on. */
void	 accept_add(struct accept *, enum listen_kind, int fd);
/* Close the listening sockets. accept_left() can still be called. */
void	 accept_stop(struct accept *);
/* The connection from ip that was taken has ended. */
void	 accept_left(struct accept *, const unsigned char ip[IP_SIZE]);

#endif
