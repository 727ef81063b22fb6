/* SPDX-License-Identifier: ISC */
/*
 * The decoder of what follows DATA (RFC 5321 section 4.5.2) or comes in
 * chunks (RFC 3030): takes the dot stuffing off, finds the end, checks the
 * content. Part of the engine: all input is hostile, no system call is made.
 *
 * Only CRLF "." CRLF ends what follows DATA. A CR or LF on its own, but in
 * the body of BODY=BINARYMIME, is the end of the session: no other server's
 * idea of a line can hide a second message in the first.
 */
#ifndef POSTERN_SMTPD_DATA_H
#define POSTERN_SMTPD_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/utf8.h"

enum data_state {
	DATA_LINE,		/* at the start of a line */
	DATA_TEXT,		/* within a line */
	DATA_CR,		/* after a CR */
	DATA_DOT,		/* after the dot that opens a line */
	DATA_DOT_CR		/* after that dot and a CR */
};

enum data_end {
	DATA_MORE,		/* the message goes on */
	DATA_END,		/* CRLF "." CRLF has come */
	DATA_BARE		/* a CR or LF on its own */
};

/* Of several faults the first in this list counts, however the input comes. */
enum data_fault {
	DATA_SOUND,
	DATA_TOO_BIG,
	DATA_NUL,		/* an octet 0 */
	DATA_LONG_LINE,
	DATA_EIGHT_BIT,		/* an octet over 127 in the header */
	DATA_NOT_UTF8		/* the same where UTF-8 may stand */
};

struct data {
	enum data_state	 state;
	enum data_fault	 fault;
	bool		 chunked;	/* a dot is an octet like others */
	bool		 binary;	/* octets behind the header block are
					   kept as they come */
	bool		 header;	/* the empty line has not come */
	bool		 blank;		/* this line is empty so far */
	bool		 utf8;		/* header: UTF-8, RFC 6532 */
	struct utf8_stream letters;	/* of the header */
	uint64_t	 size;		/* octets decoded, CRLFs with them */
	uint64_t	 size_max;
	uint64_t	 line;		/* octets of this line, no CRLF */
	uint64_t	 line_max;	/* the same; 0: no limit */
};

/*
 * Begin a message of at most size_max octets, with lines of at most line_max
 * octets without CRLF (0: any length). What is so of this one alone may be
 * set then: d->chunked, d->binary, d->utf8.
 */
void	 data_init(struct data *, uint64_t size_max, uint64_t line_max);
/*
 * Decode from the len octets at in to out, which has room for len + 1.
 * *used octets were read and *made written; octets behind the end are not
 * read. After a fault nothing is written any more, only the end is looked
 * for; d->fault says which. What is chunked has no end: DATA_MORE or
 * DATA_BARE is returned.
 */
enum data_end data_decode(struct data *d, const unsigned char *in, size_t len,
	    unsigned char *out, size_t *used, size_t *made);
/*
 * Chunks end here. DATA_END, or DATA_BARE: a CR waits for its LF. d->fault is
 * final.
 */
enum data_end data_finish(struct data *);

#endif
