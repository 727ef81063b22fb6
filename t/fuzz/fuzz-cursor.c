/* SPDX-License-Identifier: ISC */
/*
 * Cursors: none is taken but those that were made here, for this user.
 */
#include "retrieve/cursor.h"
#include "retrieve/msgid.h"
#include "t/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned char	key[SIPHASH_KEY] = "0123456789abcde";
	struct cursor			c, d;
	char				text[READER_CURSOR_MAX];
	char				*s = fuzz_string(data, size);
	size_t				i;

	/* Only text that was made with the key is a cursor. */
	if (cursor_parse(&c, s, "a@b", key) == 0)
		CHECK(strcmp(cursor_format(text, &c, "a@b", key), s) == 0);
	memset(&c, 0, sizeof(c));
	if (msgid_valid(s, strlen(s))) {
		c.arrival = (int64_t)((uint64_t)s[0] << (s[0] % 56));
		c.adjacent = s[0] & 1;
		CHECK(strlen(s) < sizeof(c.id));
		memcpy(c.id, s, strlen(s) + 1);
		cursor_format(text, &c, "a@b", key);
		CHECK(memchr(text, 0, sizeof(text)) != NULL);
		CHECK(cursor_parse(&d, text, "a@b", key) == 0);
		CHECK(d.arrival == c.arrival && d.adjacent == c.adjacent &&
		    strcmp(c.id, d.id) == 0);
		CHECK(cursor_parse(&d, text, "a@c", key) == -1);
		i = data[size / 2] % strlen(text);
		text[i] = text[i] == 'A' ? 'B' : 'A';
		CHECK(cursor_parse(&d, text, "a@b", key) == -1);
	}
	free(s);
	return 0;
}
