/* SPDX-License-Identifier: ISC */
/*
 * Basic credentials, run by retrieve-session on hostile header values. The
 * caller wipes what is written here.
 */
#include <string.h>

#include "lib/str.h"
#include "retrieve/basic.h"

static int
digit_value(char c)
{
	static const char	 digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char		*p;

	if (c == '\0' || (p = strchr(digits, c)) == NULL)
		return -1;
	return (int)(p - digits);
}

/* Strict BASE64 of RFC 4648 with its padding. Octets written, or -1. */
static long
decode(struct span v, unsigned char *dst, size_t size)
{
	size_t		i, n = 0, pad = 0;
	uint32_t	bits = 0;
	int		d;

	if (v.len == 0 || v.len % 4 != 0 || v.len / 4 * 3 > size)
		return -1;
	while (pad < 2 && v.s[v.len - 1 - pad] == '=')
		pad++;
	for (i = 0; i < v.len - pad; i++) {
		if ((d = digit_value(v.s[i])) < 0)
			return -1;
		bits = bits << 6 | (uint32_t)d;
		if (i % 4 == 0)
			continue;
		/* after the digits 2, 3 and 4 of a group: 4, 2, 0 bits left */
		dst[n++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
	}
	/* The unused bits are zero: one text, one meaning. */
	if ((pad == 1 && (bits & 3) != 0) || (pad == 2 && (bits & 15) != 0))
		return -1;
	return (long)n;
}

size_t
basic_to_plain(struct span v, unsigned char *dst, size_t size)
{
	unsigned char	*colon;
	size_t		 len;
	long		 n;

	if (v.s == NULL || v.len < 7 || !str_caseeqn(v.s, "basic ", 6) ||
	    size < 2)
		return 0;
	while (v.len > 0 && v.s[0] != ' ') {
		v.s++;
		v.len--;
	}
	v = span_trim(v);
	if ((n = decode(v, dst + 1, size - 1)) <= 0)
		return 0;
	len = (size_t)n;
	colon = memchr(dst + 1, ':', len);
	if (colon == NULL || memchr(dst + 1, '\0', len) != NULL)
		return 0;
	dst[0] = '\0';
	*colon = '\0';
	return len + 1;
}
