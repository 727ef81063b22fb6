/* SPDX-License-Identifier: ISC */
/*
 * Basic credentials, run by retrieve-session on hostile header values. The
 * caller wipes what is written here.
 */
#include <string.h>

#include "lib/base64.h"
#include "lib/str.h"
#include "retrieve/basic.h"

size_t
basic_to_plain(struct span v, unsigned char *dst, size_t size)
{
	unsigned char	*colon;
	size_t		 len;
	ssize_t		 n;

	if (v.s == NULL || v.len < 7 || !str_caseeqn(v.s, "basic ", 6) ||
	    size < 2)
		return 0;
	while (v.len > 0 && v.s[0] != ' ') {
		v.s++;
		v.len--;
	}
	v = span_trim(v);
	n = base64_decode(BASE64_PADDED, v.s, v.len, dst + 1, size - 1);
	if (n <= 0)
		return 0;
	len = (size_t)n;
	colon = memchr(dst + 1, ':', len);
	if (colon == NULL || memchr(dst + 1, '\0', len) != NULL)
		return 0;
	dst[0] = '\0';
	*colon = '\0';
	return len + 1;
}
