/* SPDX-License-Identifier: ISC */
/*
 * mail/quota.c: the texts of Maildir++ and the arithmetic of quotas.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mail/quota.h"

/* Of just this size, so that a sanitizer sees each octet too far. */
static char *
exact(const char *text, size_t len)
{
	char *copy = malloc(len > 0 ? len : 1);

	assert_non_null(copy);
	memcpy(copy, text, len);
	return copy;
}

#define T(s)	(s), sizeof(s) - 1
#define MAX	"9223372036854775807"
#define OVER	"9223372036854775808"

static void
test_limits(void **state)
{
	static const struct {
		const char	*text;
		size_t		 len;
		int		 r;
		uint64_t	 bytes, messages;
		const char	*again;		/* as it is written */
	} rows[] = {
		{ T("1073741824S,10000C"), 0, 1073741824, 10000,
		    "1073741824S,10000C" },
		{ T("1000S\n"), 0, 1000, 0, "1000S" },
		{ T("5C\n"), 0, 0, 5, "5C" },
		{ T("5C,1000S"), 0, 1000, 5, "1000S,5C" },
		{ T("0S"), 0, 0, 0, "0S" },
		{ T("0C"), 0, 0, 0, "0S" },
		{ T("0S,0C"), 0, 0, 0, "0S" },
		{ T("0S,7C"), 0, 0, 7, "7C" },
		{ T("007S"), 0, 7, 0, "7S" },
		{ T(MAX "S," MAX "C\n"), 0, INT64_MAX, INT64_MAX,
		    MAX "S," MAX "C" },
		{ T(""), -1, 0, 0, NULL },
		{ T("\n"), -1, 0, 0, NULL },
		{ T("S"), -1, 0, 0, NULL },
		{ T("1000"), -1, 0, 0, NULL },
		{ T("1000s"), -1, 0, 0, NULL },
		{ T("1000X"), -1, 0, 0, NULL },
		{ T("1000SS"), -1, 0, 0, NULL },
		{ T("1000S,"), -1, 0, 0, NULL },
		{ T(",1000S"), -1, 0, 0, NULL },
		{ T("1000S,,5C"), -1, 0, 0, NULL },
		{ T("1000S,1000S"), -1, 0, 0, NULL },
		{ T("5C,5C"), -1, 0, 0, NULL },
		{ T("1000S,5C,1S"), -1, 0, 0, NULL },
		{ T("1000S 5C"), -1, 0, 0, NULL },
		{ T(" 1000S"), -1, 0, 0, NULL },
		{ T("1000S "), -1, 0, 0, NULL },
		{ T("-1S"), -1, 0, 0, NULL },
		{ T("+1S"), -1, 0, 0, NULL },
		{ T("1.5S"), -1, 0, 0, NULL },
		{ T("1GS"), -1, 0, 0, NULL },
		{ T("0x10S"), -1, 0, 0, NULL },
		{ T("1000S\r\n"), -1, 0, 0, NULL },
		{ T("1000S\n\n"), -1, 0, 0, NULL },
		{ T("1000S\n5C\n"), -1, 0, 0, NULL },
		{ T("1000S\0"), -1, 0, 0, NULL },
		{ T("10\00000S"), -1, 0, 0, NULL },
		{ T(OVER "S"), -1, 0, 0, NULL },
		{ T(OVER "C"), -1, 0, 0, NULL },
		{ T("99999999999999999999999S"), -1, 0, 0, NULL },
	};
	char again[QUOTA_LINE_MAX], *copy;
	struct quota_limits l;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("# row %zu\n", i);
		l = (struct quota_limits){ 17, 18 };
		copy = exact(rows[i].text, rows[i].len);
		assert_int_equal(quota_limits_parse(copy, rows[i].len, &l),
		    rows[i].r);
		free(copy);
		/* a bad one leaves what was there */
		assert_int_equal(l.bytes, rows[i].r == 0 ? rows[i].bytes : 17);
		assert_int_equal(l.messages,
		    rows[i].r == 0 ? rows[i].messages : 18);
		if (rows[i].r != 0)
			continue;
		n = quota_limits_format(&l, again);
		assert_string_equal(again, rows[i].again);
		assert_int_equal(n, strlen(again));
		assert_int_equal(quota_limits_any(&l),
		    rows[i].bytes != 0 || rows[i].messages != 0);
	}
}

static void
test_sizes(void **state)
{
	static const struct {
		const char	*text;
		size_t		 len;
		int		 r;
		uint64_t	 bytes, messages, lines;
	} rows[] = {
		{ T("1000S\n0 0\n"), 0, 0, 0, 1 },
		{ T("1000S\n10 1\n"), 0, 10, 1, 1 },
		{ T("1000S,5C\n10 1\n20 2\n"), 0, 30, 3, 2 },
		{ T("1000S\n100 3\n-40 -1\n"), 0, 60, 2, 2 },
		/* the sum counts, not the way to it */
		{ T("1000S\n-40 -1\n100 3\n"), 0, 60, 2, 2 },
		/* blanks, as some programs pad with */
		{ T("1000S\n        10         1\n  20 2 \n"), 0, 30, 3, 2 },
		{ T("0S\n10 1\n"), 0, 10, 1, 1 },
		{ T("1S\n" MAX " 1\n"), 0, INT64_MAX, 1, 1 },
		{ T("1S\n1 1\n-" MAX " -1\n" MAX " 0\n"), 0, 1, 0, 3 },
		{ T(""), -1, 0, 0, 0 },
		{ T("\n"), -1, 0, 0, 0 },
		{ T("1000S"), -1, 0, 0, 0 },
		{ T("1000S\n"), -1, 0, 0, 0 },
		{ T("10 1\n"), -1, 0, 0, 0 },
		{ T("\n10 1\n"), -1, 0, 0, 0 },
		{ T("1000S,5X\n10 1\n"), -1, 0, 0, 0 },
		/* half a line */
		{ T("1000S\n10 1\n20 2"), -1, 0, 0, 0 },
		{ T("1000S\n10 1\n2\n"), -1, 0, 0, 0 },
		{ T("1000S\n10 1\n\n"), -1, 0, 0, 0 },
		{ T("1000S\n10\n"), -1, 0, 0, 0 },
		{ T("1000S\n10 \n"), -1, 0, 0, 0 },
		{ T("1000S\n10 1 1\n"), -1, 0, 0, 0 },
		{ T("1000S\n5 5\n10-1\n"), -1, 0, 0, 0 },
		{ T("1000S\n10\t1\n"), -1, 0, 0, 0 },
		{ T("1000S\n10 1\r\n"), -1, 0, 0, 0 },
		{ T("1000S\n+10 1\n"), -1, 0, 0, 0 },
		{ T("1000S\n--10 1\n"), -1, 0, 0, 0 },
		{ T("1000S\n- 10 1\n"), -1, 0, 0, 0 },
		{ T("1000S\nten 1\n"), -1, 0, 0, 0 },
		{ T("1000S\n10 one\n"), -1, 0, 0, 0 },
		{ T("1000S\n1\0000 1\n"), -1, 0, 0, 0 },
		/* below nothing */
		{ T("1000S\n10 1\n-11 0\n"), -1, 0, 0, 0 },
		{ T("1000S\n10 1\n0 -2\n"), -1, 0, 0, 0 },
		/* too much */
		{ T("1S\n" OVER " 1\n"), -1, 0, 0, 0 },
		{ T("1S\n" MAX " 1\n1 1\n"), -1, 0, 0, 0 },
		{ T("1S\n1 " MAX "\n1 1\n"), -1, 0, 0, 0 },
		{ T("1S\n-" MAX " 0\n-2 0\n" MAX " 0\n"), -1, 0, 0, 0 },
	};
	struct quota_sizes s;
	char *copy;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("# row %zu\n", i);
		copy = exact(rows[i].text, rows[i].len);
		assert_int_equal(quota_sizes_parse(copy, rows[i].len, &s),
		    rows[i].r);
		free(copy);
		if (rows[i].r != 0)
			continue;
		assert_int_equal(s.use.bytes, rows[i].bytes);
		assert_int_equal(s.use.messages, rows[i].messages);
		assert_int_equal(s.lines, rows[i].lines);
	}
}

/* One octet below the length that Maildir++ has made anew, and at it. */
static void
test_length(void **state)
{
	char text[QUOTA_SIZES_MAX];
	struct quota_sizes s;

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, "1000S\n10 1", 10);
	text[sizeof(text) - 2] = text[sizeof(text) - 1] = '\n';
	assert_int_equal(quota_sizes_parse(text, sizeof(text) - 1, &s), 0);
	text[sizeof(text) - 2] = ' ';
	assert_int_equal(quota_sizes_parse(text, sizeof(text), &s), -1);
}

static void
test_format(void **state)
{
	static const struct {
		struct quota_limits	 limits;
		struct quota_use	 use;
		const char		*text;
	} rows[] = {
		{ { 1000, 5 }, { 30, 3 }, "1000S,5C\n30 3\n" },
		{ { 0, 5 }, { 0, 0 }, "5C\n0 0\n" },
		{ { INT64_MAX, INT64_MAX }, { INT64_MAX, INT64_MAX },
		    MAX "S," MAX "C\n" MAX " " MAX "\n" },
	};
	char text[2 * QUOTA_LINE_MAX];
	struct quota_sizes s;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		n = quota_sizes_format(&rows[i].limits, &rows[i].use, text);
		assert_string_equal(text, rows[i].text);
		assert_int_equal(n, strlen(text));
		assert_int_equal(quota_sizes_parse(text, n, &s), 0);
		assert_true(quota_limits_same(&s.limits, &rows[i].limits));
		assert_int_equal(s.use.bytes, rows[i].use.bytes);
		assert_int_equal(s.use.messages, rows[i].use.messages);
	}
}

static void
test_same(void **state)
{
	const struct quota_limits a = { 1, 2 }, b = { 1, 3 }, c = { 2, 2 };

	(void)state;
	assert_true(quota_limits_same(&a, &a));
	assert_false(quota_limits_same(&a, &b));
	assert_false(quota_limits_same(&a, &c));
}

static void
test_fits(void **state)
{
	static const struct {
		struct quota_limits	 limits;
		struct quota_use	 used, held;
		uint64_t		 bytes;
		bool			 fits;
	} rows[] = {
		/* no limit */
		{ { 0, 0 }, { INT64_MAX, INT64_MAX }, { 1, 1 }, 9, true },
		/* up to the limit, and an octet more */
		{ { 100, 0 }, { 0, 0 }, { 0, 0 }, 100, true },
		{ { 100, 0 }, { 0, 0 }, { 0, 0 }, 101, false },
		{ { 100, 0 }, { 60, 1 }, { 30, 1 }, 10, true },
		{ { 100, 0 }, { 60, 1 }, { 30, 1 }, 11, false },
		/* full, and over already */
		{ { 100, 0 }, { 100, 1 }, { 0, 0 }, 1, false },
		{ { 100, 0 }, { 150, 1 }, { 0, 0 }, 1, false },
		{ { 100, 0 }, { 0, 0 }, { 150, 1 }, 1, false },
		/* messages */
		{ { 0, 3 }, { 9999, 2 }, { 0, 0 }, 1000, true },
		{ { 0, 3 }, { 0, 3 }, { 0, 0 }, 1, false },
		{ { 0, 3 }, { 0, 1 }, { 0, 1 }, 1, true },
		{ { 0, 3 }, { 0, 1 }, { 0, 2 }, 1, false },
		{ { 0, 3 }, { 0, 4 }, { 0, 0 }, 1, false },
		/* whichever comes first */
		{ { 100, 3 }, { 99, 3 }, { 0, 0 }, 1, false },
		{ { 100, 3 }, { 100, 2 }, { 0, 0 }, 1, false },
		{ { 100, 3 }, { 99, 2 }, { 0, 0 }, 1, true },
		/* no wrapping around */
		{ { 100, 0 }, { INT64_MAX, 0 }, { INT64_MAX, 0 }, INT64_MAX,
		    false },
		{ { INT64_MAX, 0 }, { INT64_MAX, 0 }, { 5, 0 }, 1, false },
		{ { 100, 0 }, { 1, 0 }, { 0, 0 }, UINT64_MAX, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("# row %zu\n", i);
		assert_int_equal(quota_fits(&rows[i].limits, &rows[i].used,
		    &rows[i].held, rows[i].bytes), rows[i].fits);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_fits),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
