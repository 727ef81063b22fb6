/* SPDX-License-Identifier: ISC */
/*
 * Cursors, run by retrieve-reader; the text comes back from clients. The
 * form is BASE64 (URL alphabet, no padding) of flags, mtime, code and id.
 */
#include <string.h>

#include "lib/str.h"
#include "retrieve/cursor.h"
#include "retrieve/msgid.h"

#define HEAD	(1 + 8 + SIPHASH_SIZE)	/* octets before the id */
#define RAW_MAX	(HEAD + READER_ID_MAX)

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "abcdefghijklmnopqrstuvwxyz0123456789-_";

static void
code(unsigned char *out, const unsigned char *raw, size_t id_len,
    const char *user, const unsigned char *key)
{
	struct siphash	h;

	siphash_init(&h, key);
	siphash_add_string(&h, "cursor");
	siphash_add_string(&h, user);
	siphash_add(&h, raw, 9);
	siphash_add(&h, raw + HEAD, id_len);
	siphash_end(&h, out);
}

char *
cursor_format(char dst[READER_CURSOR_MAX], const struct cursor *c,
    const char *user, const unsigned char key[SIPHASH_KEY])
{
	unsigned char	raw[RAW_MAX + 2] = { 0 };
	size_t		n = strlen(c->id), i, out = 0;
	uint64_t	t = (uint64_t)c->mtime;
	uint32_t	bits;

	raw[0] = c->adjacent ? 1 : 0;
	for (i = 0; i < 8; i++, t >>= 8)
		raw[1 + i] = (unsigned char)t;
	memcpy(raw + HEAD, c->id, n);
	code(raw + 9, raw, n, user, key);
	n += HEAD;
	for (i = 0; i < n; i += 3) {
		bits = (uint32_t)raw[i] << 16 | (uint32_t)raw[i + 1] << 8 |
		    raw[i + 2];
		dst[out++] = digits[bits >> 18];
		dst[out++] = digits[bits >> 12 & 63];
		dst[out++] = digits[bits >> 6 & 63];
		dst[out++] = digits[bits & 63];
	}
	dst[out - (i - n)] = '\0';
	return dst;
}

/* Octets written to raw, or 0. */
static size_t
decode(unsigned char *raw, const char *text)
{
	size_t		 len = strlen(text), i, n = 0;
	uint32_t	 bits = 0;
	const char	*p;

	if (len % 4 == 1 || len / 4 * 3 + 2 > RAW_MAX)
		return 0;
	for (i = 0; i < len; i++) {
		if ((p = strchr(digits, text[i])) == NULL)
			return 0;
		bits = bits << 6 | (uint32_t)(p - digits);
		if (i % 4 != 0)
			raw[n++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
	}
	/* The bits past the last octet are zero: one position, one text. */
	if ((len % 4 == 2 && (bits & 15) != 0) ||
	    (len % 4 == 3 && (bits & 3) != 0))
		return 0;
	return n;
}

int
cursor_parse(struct cursor *c, const char *text, const char *user,
    const unsigned char key[SIPHASH_KEY])
{
	unsigned char	raw[RAW_MAX + 2], want[SIPHASH_SIZE];
	size_t		n = decode(raw, text), i;
	uint64_t	t = 0;

	if (n <= HEAD || raw[0] > 1 ||
	    !msgid_valid((const char *)raw + HEAD, n - HEAD))
		return -1;
	code(want, raw, n - HEAD, user, key);
	if (!str_same_secret(want, raw + 9, sizeof(want)))
		return -1;
	for (i = 8; i > 0; i--)
		t = t << 8 | raw[i];
	c->mtime = (int64_t)t;
	c->adjacent = raw[0] == 1;
	return str_copyn(c->id, sizeof(c->id), raw + HEAD, n - HEAD);
}
