/* SPDX-License-Identifier: ISC */
/*
 * mail/header.c: where header blocks end, whole and split at every octet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mail/header.h"

static const struct end_case {
	const char		*text;
	enum header_end		 want;	/* with the whole text known */
	size_t			 end;
} ends[] = {
	{ "", HEADER_BROKEN, 0 },
	{ "\n", HEADER_BLANK, 0 },
	{ "\r\n", HEADER_BLANK, 0 },
	{ "\nbody\n", HEADER_BLANK, 0 },
	{ "hello\n", HEADER_BROKEN, 0 },
	{ "hello", HEADER_BROKEN, 0 },
	{ " hello: x\n", HEADER_BROKEN, 0 },
	{ "A: b\n", HEADER_BROKEN, 5 },
	{ "A: b", HEADER_BROKEN, 4 },
	{ "A: b\n\nx", HEADER_BLANK, 5 },
	{ "A: b\r\n\r\nx", HEADER_BLANK, 6 },
	{ "A: b\n c\n\td\n\nx\n", HEADER_BLANK, 11 },
	{ "A: b\n \n\nx\n", HEADER_BLANK, 7 },
	{ "A:b\nnot a field: x\nB: c\n\n", HEADER_BROKEN, 4 },
	{ "A:b\n: x\n\n", HEADER_BROKEN, 4 },
	{ "A \t: b\n\n", HEADER_BLANK, 7 },
	{ "A\nb: c\n\n", HEADER_BROKEN, 0 },
	{ "\x80: c\n\n", HEADER_BROKEN, 0 },
	{ "a\x7f: c\n\n", HEADER_BROKEN, 0 },
	{ "From a@b Mon\nA: b\n\n", HEADER_BROKEN, 0 },
	{ "A::\n\n", HEADER_BLANK, 4 },
	{ "A:\n\n", HEADER_BLANK, 3 },
};

static void
test_find_end(void **state)
{
	const struct end_case *c;
	struct header_search s;
	size_t i, cut, len, end;
	enum header_end r;

	(void)state;
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		c = &ends[i];
		len = strlen(c->text);
		for (cut = 0; cut <= len; cut++) {
			memset(&s, 0, sizeof(s));
			r = header_find_end(&s, c->text, cut, false, &end);
			if (r == HEADER_MORE)
				r = header_find_end(&s, c->text, len, true,
				    &end);
			if (r != c->want || end != c->end)
				fail_msg("case %zu cut at %zu: %d, %zu", i,
				    cut, (int)r, end);
		}
	}
}

static void
test_octet_by_octet(void **state)
{
	static const char text[] = "A: b\n c\nD: e\n\nbody";
	struct header_search s = { 0, 0 };
	size_t len, end;

	(void)state;
	for (len = 0; len < 14; len++)
		assert_int_equal(header_find_end(&s, text, len, false, &end),
		    HEADER_MORE);
	assert_int_equal(header_find_end(&s, text, 14, false, &end),
	    HEADER_BLANK);
	assert_int_equal(end, 13);
}

static void
test_fields(void **state)
{
	static const char block[] = "From: a@b\nSubject : x\n  y \nTo:\n"
	    "X-Y:\n \n\tz\r\n";
	static const struct { const char *name, *value; } want[] = {
		{ "from", "a@b" }, { "SUBJECT", "x  y" }, { "To", "" },
		{ "X-Y", "z" },
	};
	struct header_field f;
	char text[32];
	size_t pos = 0, i;

	(void)state;
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_true(header_next(block, sizeof(block) - 1, &pos, &f));
		assert_true(header_is(&f, want[i].name));
		assert_false(header_is(&f, "Fro"));
		assert_int_equal(header_unfold(&f, text, sizeof(text)),
		    strlen(want[i].value));
		assert_string_equal(text, want[i].value);
	}
	assert_int_equal(pos, sizeof(block) - 1);
	assert_false(header_next(block, sizeof(block) - 1, &pos, &f));
}

static void
test_cut_values(void **state)
{
	struct header_field f;
	char text[4];
	size_t pos = 0;

	(void)state;
	assert_true(header_next("A: bcdefg\n", 10, &pos, &f));
	assert_int_equal(header_unfold(&f, text, sizeof(text)), 3);
	assert_string_equal(text, "bcd");
	assert_int_equal(header_unfold(&f, text, 1), 0);
	pos = 0;
	assert_false(header_next("nothing\n", 8, &pos, &f));
	pos = 0;
	assert_true(header_next("A: b", 4, &pos, &f));
	assert_int_equal(f.value_len, 2);
}

/* ftext is 33 to 126 but ":"; each line in memory of its own size. */
static const struct {
	const char	*block;
	size_t		 name;		/* its octets; 0: no field */
	bool		 from;
	const char	*value;		/* unfolded */
} fields[] = {
	{ "From: a", 4, true, "a" }, { "fROM:a", 4, true, "a" },
	{ "From", 0, false, "" }, { "From ", 0, false, "" },
	{ "From \t:a", 4, true, "a" }, { "F: a", 1, false, "a" },
	{ "Fro: a", 3, false, "a" }, { "Froms: a", 5, false, "a" },
	{ "Frox: a", 4, false, "a" }, { "!: a", 1, false, "a" },
	{ "~: a", 1, false, "a" }, { "\x7f: a", 0, false, "" },
	{ "\x1f: a", 0, false, "" }, { ": a", 0, false, "" },
	{ " : a", 0, false, "" }, { ":", 0, false, "" }, { "", 0, false, "" },
	{ "A:", 1, false, "" }, { "A:\n", 1, false, "" },
	{ "A:\r\n", 1, false, "" }, { "A: b\r\n", 1, false, "b" },
	{ "A: b\n c", 1, false, "b c" }, { "A: b\n\tc", 1, false, "b\tc" },
	{ "A: b\r\n c\r\n d\r\n", 1, false, "b c d" },
	{ "A: b\rc", 1, false, "b\rc" }, { "A: b\r", 1, false, "b" },
	{ "A: b\n \r\n", 1, false, "b" }, { "A:\n b", 1, false, "b" },
	{ "A: b \t ", 1, false, "b" }, { "A: b\nB: c\n", 1, false, "b" },
	{ "A: b\n ", 1, false, "b" }, { "A:  ", 1, false, "" },
	{ "A: b\r\rc", 1, false, "b\r\rc" },
	{ "A: b\r\n c\r", 1, false, "b c" },
};

static void
test_each_field(void **state)
{
	struct header_field f;
	char text[20], *copy;
	size_t len, pos;

	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		len = strlen(fields[i].block);
		copy = malloc(len > 0 ? len : 1);
		assert_non_null(copy);
		memcpy(copy, fields[i].block, len);
		pos = 0;
		if (header_next(copy, len, &pos, &f) != (fields[i].name > 0))
			fail_msg("%s", fields[i].block);
		if (fields[i].name > 0) {
			assert_int_equal(f.name_len, fields[i].name);
			assert_int_equal(header_is(&f, "From"),
			    fields[i].from);
			assert_int_equal(header_unfold(&f, text,
			    sizeof(text)), strlen(fields[i].value));
			if (strcmp(text, fields[i].value) != 0)
				fail_msg("%s: %s", fields[i].block, text);
		}
		free(copy);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find_end),
		cmocka_unit_test(test_octet_by_octet),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_cut_values),
		cmocka_unit_test(test_each_field),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
