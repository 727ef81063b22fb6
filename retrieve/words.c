/* SPDX-License-Identifier: ISC */
/*
 * Encoded words, run by retrieve-session on hostile text. The octets of
 * adjacent words are joined before they are read as UTF-8, because some
 * senders cut a character in two.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/str.h"
#include "retrieve/visible.h"
#include "retrieve/words.h"

#define RAW_MAX	4096		/* octets of a decoded value */

struct raw {
	unsigned char	s[RAW_MAX];
	size_t		len;
};

static void
raw_add(struct raw *r, unsigned c)
{
	if (r->len < sizeof(r->s))
		r->s[r->len++] = (unsigned char)c;
}

/* One octet of the word's text, in UTF-8. */
static void
raw_add_charset(struct raw *r, unsigned c, bool latin1)
{
	if (latin1 && c >= 0x80) {
		raw_add(r, 0xc0 | c >> 6);
		c = 0x80 | (c & 0x3f);
	}
	raw_add(r, c);
}

static bool
decode_q(struct raw *r, const char *s, size_t len, bool latin1)
{
	size_t	i;
	int	hi, lo;

	for (i = 0; i < len; i++) {
		if (s[i] == '_') {
			raw_add(r, ' ');
		} else if (s[i] == '=') {
			if (len - i < 3 || (hi = str_hex(s[i + 1])) < 0 ||
			    (lo = str_hex(s[i + 2])) < 0)
				return false;
			raw_add_charset(r, (unsigned)(hi << 4 | lo), latin1);
			i += 2;
		} else {
			raw_add_charset(r, (unsigned char)s[i], latin1);
		}
	}
	return true;
}

static bool
decode_b(struct raw *r, const char *s, size_t len, bool latin1)
{
	static const char	 digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char		*p;
	uint32_t		 bits = 0;
	size_t			 i;

	while (len > 0 && s[len - 1] == '=')
		len--;
	for (i = 0; i < len; i++) {
		if (s[i] == '\0' || (p = strchr(digits, s[i])) == NULL)
			return false;
		bits = bits << 6 | (uint32_t)(p - digits);
		if (i % 4 != 0)
			raw_add_charset(r, bits >> (6 - 2 * (i % 4)) & 0xff,
			    latin1);
	}
	return true;
}

/* "utf-8", "utf-8*en" (RFC 2231). False: not a set we can read. */
static bool
know_charset(const char *s, size_t len, bool *latin1)
{
	static const struct { const char *name; bool latin1; } sets[] = {
		{ "utf-8", false }, { "utf8", false }, { "us-ascii", false },
		{ "ascii", false }, { "iso-8859-1", true },
		{ "latin1", true },
	};
	const char	*star = memchr(s, '*', len);
	size_t		 i;

	if (star != NULL)
		len = (size_t)(star - s);
	for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		if (strlen(sets[i].name) == len &&
		    str_caseeqn(sets[i].name, s, len)) {
			*latin1 = sets[i].latin1;
			return true;
		}
	return false;
}

/*
 * Decode the word that opens the len octets at s: =?set?B?text?=. Octets
 * taken, or 0 when there is none.
 */
static size_t
decode_word(struct raw *r, const char *s, size_t len)
{
	const char	*set = s + 2, *q, *text, *end;
	size_t		 before = r->len;
	bool		 latin1, ok;

	if (len < 8 || s[0] != '=' || s[1] != '?' ||
	    (q = memchr(set, '?', len - 2)) == NULL ||
	    (size_t)(s + len - q) < 5 || q[2] != '?' ||
	    !know_charset(set, (size_t)(q - set), &latin1))
		return 0;
	text = q + 3;
	end = memchr(text, '?', (size_t)(s + len - text));
	if (end == NULL || end + 1 >= s + len || end[1] != '=' ||
	    memchr(text, ' ', (size_t)(end - text)) != NULL)
		return 0;
	if (q[1] == 'B' || q[1] == 'b')
		ok = decode_b(r, text, (size_t)(end - text), latin1);
	else
		ok = (q[1] == 'Q' || q[1] == 'q') &&
		    decode_q(r, text, (size_t)(end - text), latin1);
	if (!ok) {
		r->len = before;
		return 0;
	}
	return (size_t)(end + 2 - s);
}

static void
add_blanks(struct raw *r, size_t n)
{
	while (n-- > 0)
		raw_add(r, ' ');
}

size_t
words_decode(char *dst, size_t size, const char *src, size_t len)
{
	struct raw	r;
	size_t		i = 0, n, blanks, mark;
	bool		word = false;	/* what came last was a word */

	r.len = 0;
	while (i < len) {
		for (blanks = 0; i + blanks < len && src[i + blanks] == ' ';
		    blanks++)
			;
		i += blanks;
		mark = r.len;
		if (!word)	/* between words they are not text: 6.2 */
			add_blanks(&r, blanks);
		n = decode_word(&r, src + i, len - i);
		word = n > 0;
		if (word) {
			i += n;
			continue;
		}
		r.len = mark;
		add_blanks(&r, blanks);
		/* up to what may be the next word */
		for (n = 0; i < len && (n == 0 || (src[i] != ' ' &&
		    src[i] != '=')); n++)
			raw_add(&r, (unsigned char)src[i++]);
	}
	return visible_copy(dst, size, r.s, r.len);
}
