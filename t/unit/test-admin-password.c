/* SPDX-License-Identifier: ISC */
/*
 * Passwords that are judged and made, and the lines of an import.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "admin/import.h"
#include "admin/password.h"

#define OCTETS(s)	s, sizeof(s) - 1

static void
test_fault(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		bool good;
	} t[] = {
		{ OCTETS("a"), true }, { OCTETS(" "), true },
		{ OCTETS("with blanks: and colons"), true },
		{ OCTETS("\xc3\xbc"), true }, { OCTETS("\xc2\xa0"), true },
		{ OCTETS("\xe2\x82\xac"), true },
		{ OCTETS("\xf0\x9f\x98\x80"), true },
		{ OCTETS("\xf4\x8f\xbf\xbf"), true },
		{ OCTETS(""), false }, { OCTETS("a\0b"), false },
		{ OCTETS("a\n"), false }, { OCTETS("\t"), false },
		{ OCTETS("\x1f"), false }, { OCTETS("\x7f"), false },
		{ OCTETS("\xc2\x80"), false }, { OCTETS("\xc2\x9f"), false },
		/* not UTF-8: alone, cut, too long, surrogate, too large */
		{ OCTETS("\x80"), false }, { OCTETS("\xc3"), false },
		{ OCTETS("\xc3("), false }, { OCTETS("\xe2\x82"), false },
		{ OCTETS("\xf0\x9f\x98"), false }, { OCTETS("\xff"), false },
		{ OCTETS("\xc0\x80"), false }, { OCTETS("\xc1\xbf"), false },
		{ OCTETS("\xe0\x9f\xbf"), false },
		{ OCTETS("\xf0\x8f\xbf\xbf"), false },
		{ OCTETS("\xed\xa0\x80"), false },
		{ OCTETS("\xf4\x90\x80\x80"), false },
		{ OCTETS("\xf5\x80\x80\x80"), false },
	};
	char *exact;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		/* of that size, so that a sanitizer sees a step beyond */
		exact = malloc(t[i].len + (t[i].len == 0));
		assert_non_null(exact);
		memcpy(exact, t[i].text, t[i].len);
		if ((password_fault(exact, t[i].len) == NULL) != t[i].good)
			fail_msg("case %zu", i);
		free(exact);
	}
}

static void
test_length(void **state)
{
	char text[SCRAM_PASSWORD_MAX + 1];

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_null(password_fault(text, SCRAM_PASSWORD_MAX));
	assert_non_null(password_fault(text, SCRAM_PASSWORD_MAX + 1));
}

static void
test_generate(void **state)
{
	char a[PASSWORD_GENERATED + 1], b[PASSWORD_GENERATED + 1];
	unsigned seen[256] = { 0 }, kinds = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(password_generate(a), 0);
		assert_int_equal(strlen(a), PASSWORD_GENERATED);
		assert_null(strpbrk(a, "0O1lIio"));
		assert_null(password_fault(a, strlen(a)));
		for (const char *p = a; *p != '\0'; p++)
			seen[(unsigned char)*p]++;
	}
	for (int i = 0; i < 256; i++)
		kinds += seen[i] > 0;
	assert_int_equal(kinds, 55);
	/* each of 55 characters is expected 400 times in 22,000 */
	for (int i = 0; i < 256; i++)
		assert_true(seen[i] == 0 || (seen[i] > 250 && seen[i] < 550));
	assert_int_equal(password_generate(a), 0);
	assert_int_equal(password_generate(b), 0);
	assert_string_not_equal(a, b);
}

static void
test_generate_app(void **state)
{
	char a[PASSWORD_APP + 1];
	unsigned seen[256] = { 0 }, kinds = 0;
	size_t k;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(password_generate_app(a), 0);
		assert_int_equal(strlen(a), PASSWORD_APP);
		for (k = 0; k < PASSWORD_APP; k++)
			if (k % 5 == 4)
				assert_int_equal(a[k], '-');
			else
				seen[(unsigned char)a[k]]++;
	}
	/* 24 of 31 characters: more than 118 bits */
	for (int i = 0; i < 256; i++) {
		kinds += seen[i] > 0;
		assert_true(seen[i] == 0 || (seen[i] > 550 && seen[i] < 1000));
		assert_true(seen[i] == 0 || strchr("0O1lIio", i) == NULL);
		assert_true(seen[i] == 0 || i < 'A' || i > 'Z');
	}
	assert_int_equal(kinds, 31);
}

static void
test_import(void **state)
{
	static const struct {
		const char *line;
		enum import_line kind;
		size_t address;
		const char *password;
	} t[] = {
		{ "a@b.test:x", IMPORT_ACCOUNT, 8, "x" },
		{ "a@b.test:", IMPORT_ACCOUNT, 8, "" },
		{ "a@b.test:x:y:", IMPORT_ACCOUNT, 8, "x:y:" },
		{ "a@b.test: x ", IMPORT_ACCOUNT, 8, " x " },
		{ "a@b.test:x\r", IMPORT_ACCOUNT, 8, "x" },
		{ "a@b.test:x\r\r", IMPORT_ACCOUNT, 8, "x\r" },
		{ ":x", IMPORT_ACCOUNT, 0, "x" },
		{ "\"a:b\"@c.test:x", IMPORT_ACCOUNT, 12, "x" },
		{ "\"a\\\":b\"@c.test:x", IMPORT_ACCOUNT, 14, "x" },
		{ "", IMPORT_NOTHING, 0, NULL },
		{ "\r", IMPORT_NOTHING, 0, NULL },
		{ "#a@b.test:x", IMPORT_NOTHING, 0, NULL },
		{ " #", IMPORT_BAD, 0, NULL },
		{ "a@b.test", IMPORT_BAD, 0, NULL },
		{ "\"a@b.test:x", IMPORT_BAD, 0, NULL },
		{ "\"a\\", IMPORT_BAD, 0, NULL },
	};
	const char *password;
	size_t address, len;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		address = len = 0;
		password = NULL;
		if (import_parse(t[i].line, strlen(t[i].line), &address,
		    &password, &len) != t[i].kind)
			fail_msg("\"%s\"", t[i].line);
		if (t[i].kind != IMPORT_ACCOUNT)
			continue;
		assert_int_equal(address, t[i].address);
		assert_int_equal(len, strlen(t[i].password));
		assert_memory_equal(password, t[i].password, len);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fault),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_generate),
		cmocka_unit_test(test_generate_app),
		cmocka_unit_test(test_import),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
