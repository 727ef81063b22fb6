/* SPDX-License-Identifier: ISC */
/*
 * The query of a list. Pure; run by retrieve-session.
 */
#ifndef POSTERN_QUERY_H
#define POSTERN_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "retrieve/reader_proto.h"
#include "retrieve/request.h"

struct query {
	uint32_t	limit;
	bool		limited;	/* limit was given */
	bool		ascending;
	bool		ordered;	/* order was given */
	char		after[READER_CURSOR_MAX];	/* "": not given */
	char		before[READER_CURSOR_MAX];
};

/*
 * Read the raw query of a list. 0; or -1, why then saying what is wrong and
 * with which parameter, in printable ASCII.
 */
int	 query_parse(struct query *, struct span raw, uint32_t limit,
	    char *why, size_t size);
/* As query_parse() for a resource that has no parameters. */
int	 query_none(struct span raw, char *why, size_t size);

/* Which page of the list a link names. */
enum query_page { QUERY_FIRST, QUERY_NEXT, QUERY_PREV };

/*
 * Write the query, with its '?' or as "", of a page next to the one q asked
 * for. cursor: as the reader gave it; adjacent: likewise. 0, or -1 when
 * size (3,000 octets are enough) is too small.
 */
int	 query_format(const struct query *q, enum query_page,
	    const char *cursor, bool adjacent, char *dst, size_t size);

#endif
