/* SPDX-License-Identifier: ISC */
/*
 * Heads of replies, and the whole of those that refuse. Every reply is
 * begun here, so that none lacks the fields that all must have. Pure; run
 * by retrieve-session.
 */
#ifndef POSTERN_REPLY_H
#define POSTERN_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"

enum reply_cache {
	REPLY_NO_STORE,		/* errors, and what is true only now */
	REPLY_NO_CACHE,		/* private, to be asked for again each time */
	REPLY_IMMUTABLE		/* private, never changes */
};

/*
 * Open a reply: status line, Date (now, seconds since 1970) and the fields
 * of every reply. close: it is the last. 0, or -1 with errno ENOMEM.
 */
int	 reply_begin(struct buf *, unsigned code, int64_t now, bool close,
	    enum reply_cache);
/* Add "name: value"; the value is a text of our own making. */
int	 reply_field(struct buf *, const char *name, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
/* Add Last-Modified. */
int	 reply_last_modified(struct buf *, int64_t t);
/* The empty line after the head. */
int	 reply_end(struct buf *);
/* "Not Found" for 404. */
const char *reply_reason(unsigned code);

struct refusal {
	unsigned	 code;
	const char	*detail;	/* printable ASCII, or NULL */
	bool		 close;
	bool		 json;		/* application/problem+json */
	bool		 head;		/* HEAD: no body, but its length */
	uint32_t	 retry_after;	/* seconds, 0: not said */
	uint64_t	 size;		/* 416: of the whole */
	const char	*realm;		/* 401 */
	const char	*allow;		/* 405: the methods */
};

/* Write a whole reply that refuses. 0, or -1 with errno ENOMEM. */
int	 reply_refuse(struct buf *, int64_t now, const struct refusal *);

#endif
