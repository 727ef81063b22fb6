/* SPDX-License-Identifier: ISC */
/*
 * UTF-8, see utf8.h. Any process; the octets are hostile. Pure.
 */
#include "lib/utf8.h"

size_t
utf8_decode(const void *src, size_t len, uint32_t *c)
{
	const unsigned char *s = src;
	size_t n, i;
	uint32_t x, least;

	*c = UINT32_MAX;
	if (len == 0)
		return 0;
	if (s[0] < 0x80) {
		*c = s[0];
		return 1;
	}
	if (s[0] >= 0xc2 && s[0] <= 0xdf) {
		n = 2;
		x = s[0] & 0x1f;
		least = 0x80;
	} else if (s[0] >= 0xe0 && s[0] <= 0xef) {
		n = 3;
		x = s[0] & 0x0f;
		least = 0x800;
	} else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		n = 4;
		x = s[0] & 0x07;
		least = 0x10000;
	} else {
		return 1;
	}
	if (n > len)
		return 1;
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 1;
		x = x << 6 | (s[i] & 0x3f);
	}
	/* Not the shortest form, a surrogate, past the end: RFC 3629. */
	if (x < least || x > 0x10ffff || (x >= 0xd800 && x <= 0xdfff))
		return 1;
	*c = x;
	return n;
}

bool
utf8_is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

bool
utf8_is_name(uint32_t c)
{
	return !utf8_is_control(c) && c != UINT32_MAX &&
	    (c & 0xfffe) != 0xfffe && !(c >= 0xfdd0 && c <= 0xfdef) &&
	    c != 0xfeff && !(c >= 0x2028 && c <= 0x202e) &&
	    !(c >= 0x2066 && c <= 0x2069);
}

/* How many octets does the character have that this one opens? */
static unsigned char
length_of(unsigned char c)
{
	if (c >= 0xf0)
		return 4;
	return c >= 0xe0 ? 3 : 2;
}

bool
utf8_stream_add(struct utf8_stream *u, const void *data, size_t len)
{
	const unsigned char *p = data;
	uint32_t c;
	size_t i;
	bool whole;

	for (i = 0; i < len; i++) {
		if (u->need == 0 && p[i] < 0x80)
			continue;
		if (u->need == 0)
			u->need = length_of(p[i]);
		u->part[u->have++] = p[i];
		if (u->have < u->need)
			continue;
		whole = utf8_decode(u->part, u->have, &c) == u->need;
		u->have = u->need = 0;
		if (!whole)
			return false;
	}
	return true;
}

bool
utf8_stream_whole(const struct utf8_stream *u)
{
	return u->need == 0;
}

bool
utf8_is_valid(const void *s, size_t len)
{
	struct utf8_stream u = { .need = 0 };

	return utf8_stream_add(&u, s, len) && utf8_stream_whole(&u);
}
