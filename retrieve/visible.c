/* SPDX-License-Identifier: ISC */
/*
 * Characters from mail, run by retrieve-reader and retrieve-session on
 * hostile octets.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/utf8.h"
#include "retrieve/visible.h"

/* Controls, and format characters that move or hide what is around them. */
static bool
is_hidden(uint32_t c)
{
	return utf8_is_control(c) || c == 0xad ||
	    c == 0x61c || c == 0x180e || (c >= 0x200b && c <= 0x200f) ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
	    c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
	    (c >= 0xe0000 && c <= 0xe0fff);
}

size_t
visible_copy(char *dst, size_t size, const void *src, size_t len)
{
	const unsigned char	*s = src;
	char			 name[16];
	const char		*from;
	size_t			 n, take, out = 0;
	uint32_t		 c;

	for (; len > 0; s += take, len -= take) {
		take = utf8_decode(s, len, &c);
		from = (const char *)s;
		n = take;
		if (c == UINT32_MAX) {
			from = "\xef\xbf\xbd";
			n = 3;
		} else if (c == '\t') {
			from = " ";
		} else if (is_hidden(c)) {
			n = (size_t)snprintf(name, sizeof(name), "<U+%04X>",
			    (unsigned)c);
			from = name;
		}
		if (n >= size - out)
			break;
		memcpy(dst + out, from, n);
		out += n;
	}
	dst[out] = '\0';
	return out;
}

size_t
visible_piece(const char *s, size_t len, size_t max)
{
	size_t	n = max, back;

	if (len <= max)
		return len;
	for (back = 0; back < 3 && (s[n] & 0xc0) == 0x80; back++)
		n--;
	return (s[n] & 0xc0) == 0x80 ? max : n;
}

/* Wide characters of East Asian scripts and pictures, roughly. */
static size_t
width_of(uint32_t c)
{
	if (c == UINT32_MAX)
		return 1;
	if ((c >= 0x300 && c <= 0x36f) || (c >= 0x20d0 && c <= 0x20ff) ||
	    (c >= 0xfe00 && c <= 0xfe0f))
		return 0;
	if ((c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
	    (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
	    (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
	    (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1f64f) ||
	    (c >= 0x1f900 && c <= 0x1f9ff) || (c >= 0x20000 && c <= 0x3fffd))
		return 2;
	return 1;
}

size_t
visible_columns(const char *s, size_t max, size_t *fit)
{
	size_t		len = strlen(s), at = 0, columns = 0, n, w;
	uint32_t	c;

	while (at < len) {
		n = utf8_decode(s + at, len - at, &c);
		w = width_of(c);
		if (columns + w > max)
			break;
		columns += w;
		at += n;
	}
	*fit = at;
	return columns;
}
