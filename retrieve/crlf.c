/* SPDX-License-Identifier: ISC */
/*
 * Line ends, run by retrieve-session (serving) and retrieve-reader
 * (measuring). Any octets; memchr() finds the lines.
 */
#include <string.h>

#include "retrieve/crlf.h"

void
crlf_init(struct crlf *c, bool raw, uint64_t first, uint64_t length)
{
	c->skip = first;
	c->left = length;
	c->cr = false;
	c->raw = raw;
}

/* Append what the window lets through of n octets. Octets written. */
static size_t
emit(struct crlf *c, unsigned char *dst, const unsigned char *s, size_t n)
{
	if (c->skip >= n) {
		c->skip -= n;
		return 0;
	}
	s += c->skip;
	n -= (size_t)c->skip;
	c->skip = 0;
	if (n > c->left)
		n = (size_t)c->left;
	memcpy(dst, s, n);
	c->left -= n;
	return n;
}

size_t
crlf_convert(struct crlf *c, const void *src, size_t len, unsigned char *dst)
{
	const unsigned char	*p = src, *end = p + len, *lf;
	size_t			 n, out = 0;

	if (c->raw)
		return emit(c, dst, p, len);
	while (p < end && c->left > 0) {
		lf = memchr(p, '\n', (size_t)(end - p));
		n = (size_t)((lf != NULL ? lf : end) - p);
		if (n > 0) {
			out += emit(c, dst + out, p, n);
			c->cr = p[n - 1] == '\r';
		}
		if (lf == NULL)
			break;
		out += c->cr ?
		    emit(c, dst + out, (const unsigned char *)"\n", 1) :
		    emit(c, dst + out, (const unsigned char *)"\r\n", 2);
		c->cr = false;
		p = lf + 1;
	}
	return out;
}

uint64_t
crlf_count(bool *cr, const void *src, size_t len)
{
	const unsigned char	*p = src, *end = p + len, *lf;
	uint64_t		 n = 0;

	while (p < end && (lf = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		if (lf > p ? lf[-1] != '\r' : !*cr)
			n++;
		*cr = false;
		p = lf + 1;
	}
	if (p < end)
		*cr = end[-1] == '\r';
	return n;
}
