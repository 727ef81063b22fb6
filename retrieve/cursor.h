/* SPDX-License-Identifier: ISC */
/*
 * Positions in a list as clients see them: opaque, made and checked with a
 * key, bound to their user. A position outlives its message. Pure; run by
 * retrieve-reader.
 */
#ifndef POSTERN_CURSOR_H
#define POSTERN_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "retrieve/reader_proto.h"
#include "lib/siphash.h"

struct cursor {
	int64_t	arrival;	/* as in struct index_entry */
	bool	adjacent;	/* the page is the one next to it, even where
				   the order would choose the other end */
	char	id[READER_ID_MAX];
};

/* Write c as text. Returns dst. */
char	*cursor_format(char dst[READER_CURSOR_MAX], const struct cursor *c,
	    const char *user, const unsigned char key[SIPHASH_KEY]);
/* 0; or -1: not one that was made with this key for this user. */
int	 cursor_parse(struct cursor *c, const char *text, const char *user,
	    const unsigned char key[SIPHASH_KEY]);

#endif
