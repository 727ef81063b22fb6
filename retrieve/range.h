/* SPDX-License-Identifier: ISC */
/*
 * Conditions and ranges of a request for a message (RFC 9110 sections 13
 * and 14). Pure; run by retrieve-session.
 */
#ifndef POSTERN_RANGE_H
#define POSTERN_RANGE_H

#include <stdint.h>

#include "retrieve/request.h"

enum range_status {
	RANGE_WHOLE,		/* 200 */
	RANGE_PART,		/* 206: first and length are set */
	RANGE_NONE		/* 416 */
};

/*
 * What the Range field asks of size octets. No such field, another unit,
 * several ranges or one that is malformed: the whole.
 */
enum range_status range_parse(struct span value, uint64_t size,
	    uint64_t *first, uint64_t *length);

/* What identifies the present state of what is served. */
struct validator {
	const char	*etag;		/* with its quotes; strong */
	int64_t		 modified;	/* Last-Modified; -1: has none */
};

enum condition {
	CONDITION_GO,		/* serve it */
	CONDITION_SAME,		/* 304 */
	CONDITION_FAILED	/* 412 */
};

/* Evaluate the conditions of GET or HEAD in the order of section 13.2.2. */
enum condition range_condition(const struct request *,
	    const struct validator *);
/* Is the Range to be looked at, as far as If-Range goes? */
bool	 range_applies(const struct request *, const struct validator *);

#endif
