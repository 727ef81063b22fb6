/* SPDX-License-Identifier: ISC */
/*
 * A byte buffer that grows up to a limit named at its making. Any process.
 * Octets are appended at the end and taken from the front.
 */
#ifndef POSTERN_BUF_H
#define POSTERN_BUF_H

#include <stddef.h>

struct buf {
	unsigned char	*base;	/* allocation, NULL while empty and unused */
	size_t		 off;	/* first octet not yet taken */
	size_t		 len;	/* octets that wait, from off */
	size_t		 cap;	/* size of the allocation */
	size_t		 max;	/* len never exceeds this */
};

/* Make *b empty with the limit max (octets); allocates nothing. */
void	 buf_init(struct buf *b, size_t max);
/* Release the storage; *b stays usable, as after buf_init(). */
void	 buf_free(struct buf *b);
/* As buf_free(), but the octets are overwritten first (secrets). */
void	 buf_wipe(struct buf *b);
/* Append len octets. 0, or -1 with errno EMSGSIZE (limit) or ENOMEM. */
int	 buf_add(struct buf *b, const void *data, size_t len);
/* Append formatted text without its NUL. 0, or -1 as buf_add(). */
int	 buf_addf(struct buf *b, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
/* The octets that wait (b->len of them); NULL when there are none. */
const unsigned char *buf_data(const struct buf *b);
/* Drop n octets from the front; n is at most b->len. */
void	 buf_take(struct buf *b, size_t n);

#endif
