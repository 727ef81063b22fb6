/* SPDX-License-Identifier: ISC */
/*
 * Cursors, run by retrieve-reader; the text comes back from clients. The
 * form is BASE64 (URL alphabet, no padding) of flags, arrival, code and id.
 */
#include <string.h>

#include "lib/base64.h"
#include "lib/str.h"
#include "retrieve/cursor.h"
#include "retrieve/msgid.h"

#define HEAD	(1 + 8 + SIPHASH_SIZE)	/* octets before the id */
#define RAW_MAX	(HEAD + READER_ID_MAX)

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
	unsigned char	raw[RAW_MAX];
	size_t		n = strlen(c->id), i;
	uint64_t	t = (uint64_t)c->arrival;

	raw[0] = c->adjacent ? 1 : 0;
	for (i = 0; i < 8; i++, t >>= 8)
		raw[1 + i] = (unsigned char)t;
	memcpy(raw + HEAD, c->id, n);
	code(raw + 9, raw, n, user, key);
	base64_encode(BASE64_URL, raw, HEAD + n, dst);
	return dst;
}

int
cursor_parse(struct cursor *c, const char *text, const char *user,
    const unsigned char key[SIPHASH_KEY])
{
	unsigned char	raw[RAW_MAX], want[SIPHASH_SIZE];
	uint64_t	t = 0;
	size_t		n, i;
	ssize_t		len;

	len = base64_decode(BASE64_URL, text, strlen(text), raw, sizeof(raw));
	if (len <= HEAD || raw[0] > 1)
		return -1;
	n = (size_t)len - HEAD;
	if (!msgid_valid((const char *)raw + HEAD, n))
		return -1;
	code(want, raw, n, user, key);
	if (!str_same_secret(want, raw + 9, sizeof(want)))
		return -1;
	for (i = 8; i > 0; i--)
		t = t << 8 | raw[i];
	c->arrival = (int64_t)t;
	c->adjacent = raw[0] == 1;
	return str_copyn(c->id, sizeof(c->id), raw + HEAD, n);
}
