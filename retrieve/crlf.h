/* SPDX-License-Identifier: ISC */
/*
 * Stored text with LF line ends as CRLF, a window of it at a time. An LF
 * that follows a CR is left as it is. Pure.
 */
#ifndef POSTERN_CRLF_H
#define POSTERN_CRLF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct crlf {
	uint64_t	skip;	/* octets of output still to be left out */
	uint64_t	left;	/* octets of output still wanted */
	bool		cr;	/* the last octet read was CR */
	bool		raw;	/* nothing is added: a plain copy */
};

/* Want length octets of output from first on. */
void	 crlf_init(struct crlf *, bool raw, uint64_t first, uint64_t length);
/*
 * Turn the next len octets of the file into output at dst, which has room
 * for 2 * len. Octets written; the end is where c->left is 0.
 */
size_t	 crlf_convert(struct crlf *, const void *src, size_t len,
	    unsigned char *dst);
/*
 * How many CR the conversion adds to these len octets; *cr as in struct
 * crlf, false before the first.
 */
uint64_t crlf_count(bool *cr, const void *src, size_t len);

#endif
