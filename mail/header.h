/* SPDX-License-Identifier: ISC */
/*
 * Header blocks (RFC 5322 section 2.2 and 4.5): where one ends, and its
 * fields. Text has LF line ends; a CR before LF is taken as part of it.
 * Pure; all input is hostile. No copy is made: fields point into the block.
 */
#ifndef POSTERN_HEADER_H
#define POSTERN_HEADER_H

#include <stdbool.h>
#include <stddef.h>

enum header_end {
	HEADER_MORE,		/* not seen yet */
	HEADER_BLANK,		/* the empty line before the body */
	HEADER_BROKEN		/* a line that is no field: the body begins here
				   without the empty line, or the text ended */
};

/* Where the search for the end stands; zero it before the first use. */
struct header_search {
	size_t	 line;		/* offset of the line not judged yet */
	size_t	 seen;		/* octets known to hold no line end after it */
};

/*
 * Could the len octets, which begin a line and have no line end, become a
 * field when more of them come?
 */
bool	 header_may_begin(const char *line, size_t len);
/*
 * Look for the end of the header block in the text so far, len octets that
 * begin with the block; call again with more of the same text. eof: there
 * will be no more. *end is the length of the block, without the empty line.
 */
enum header_end header_find_end(struct header_search *, const char *text,
	    size_t len, bool eof, size_t *end);

struct header_field {
	const char	*name;
	size_t		 name_len;
	const char	*value;		/* behind the colon, still folded, */
	size_t		 value_len;	/* without the last line end */
};

/*
 * The field at *pos of a block found by header_find_end(); *pos moves
 * behind it. False at the end.
 */
bool	 header_next(const char *block, size_t len, size_t *pos,
	    struct header_field *);
/* Is the field called name, in any case? */
bool	 header_is(const struct header_field *, const char *name);
/*
 * Write the value on one line: line ends dropped (RFC 5322 section 2.2.3),
 * blanks around it too; cut to size - 1 octets, NUL-terminated. Returns its
 * length.
 */
size_t	 header_unfold(const struct header_field *, char *dst, size_t size);

#endif
