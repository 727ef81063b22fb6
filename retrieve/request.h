/* SPDX-License-Identifier: ISC */
/*
 * The head of an HTTP/1.1 request, read as RFC 9112 says and no wider: what
 * a lenient reader would repair is refused, so that no two programs on the
 * way can read it differently. Pure; run by retrieve-session.
 */
#ifndef POSTERN_REQUEST_H
#define POSTERN_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"

struct request_limits {
	size_t	line;		/* octets of the request line */
	size_t	head;		/* octets of the whole head */
	size_t	fields;		/* field lines */
};

enum method {
	METHOD_NONE,
	METHOD_GET,
	METHOD_HEAD,
	METHOD_OPTIONS,
	METHOD_OTHER		/* a token, but not one we serve */
};

/* Fields that change how a request is served; the others are only checked. */
enum field {
	FIELD_HOST,
	FIELD_CONNECTION,
	FIELD_CONTENT_LENGTH,
	FIELD_TRANSFER_ENCODING,
	FIELD_EXPECT,
	FIELD_AUTHORIZATION,
	FIELD_ACCEPT,
	FIELD_RANGE,
	FIELD_IF_RANGE,
	FIELD_IF_MATCH,
	FIELD_IF_NONE_MATCH,
	FIELD_IF_MODIFIED_SINCE,
	FIELD_IF_UNMODIFIED_SINCE,
	FIELD_SEC_FETCH_SITE,
	FIELD_COUNT
};

/* len octets at s, no NUL at the end. */
struct span {
	const char	*s;
	size_t		 len;
};

enum request_status {
	REQUEST_MORE,		/* not complete */
	REQUEST_DONE,
	REQUEST_BAD		/* code and why are set; close after it */
};

struct request {
	struct buf	 head;		/* from the method to the empty line */
	size_t		 line;		/* offset of the line being read */
	size_t		 scanned;	/* octets searched for its end */
	size_t		 nfields;
	size_t		 fields_at;	/* offset of the first field line */
	unsigned	 seen[FIELD_COUNT];	/* how many lines of it */
	enum method	 method;
	unsigned	 minor;		/* HTTP/1.minor, 0 or 1 */
	bool		 close;		/* the client wants no more */
	bool		 body;		/* a body is announced */
	bool		 whole;		/* all field lines came and are well */
	size_t		 target_at, target_len;	/* in head */
	unsigned	 code;		/* REQUEST_BAD: 400, 414, 431, 505 */
	const char	*why;		/* constant text */
};

/* Ready for a request; allocates nothing. */
void	 request_init(struct request *);
/* Release the storage; credentials may be in it, so it is wiped. */
void	 request_free(struct request *);
/*
 * Take octets of the stream. *used is how many belong to this head; the
 * others are the next request's. Not to be called again after DONE or BAD.
 */
enum request_status request_read(struct request *,
	    const struct request_limits *, const void *data, size_t len,
	    size_t *used);
/* Has any octet of a request come? */
bool	 request_begun(const struct request *);

/* For a request that is DONE; the spans live until request_free(). */
struct span request_target(const struct request *);
struct span request_method(const struct request *);
/* The value of the only line of field f, or of its first; s NULL: none. */
struct span request_field(const struct request *, enum field);
/*
 * The value of the next line of field f; *at is 0 before the first call.
 * False when there is none left.
 */
bool	 request_each(const struct request *, enum field, size_t *at,
	    struct span *value);

/* Is c a tchar of RFC 9110 section 5.6.2? */
bool	 request_is_tchar(unsigned char c);
/* ASCII blanks (SP, HTAB) taken off both ends. */
struct span span_trim(struct span);
/* Is it this word, without regard to ASCII case? */
bool	 span_is(struct span, const char *word);
/*
 * Take the next element of a comma list off the front of *list; quoted
 * strings keep their commas; empty elements are skipped. False at the end.
 */
bool	 span_next(struct span *list, struct span *element);

#endif
