/* SPDX-License-Identifier: ISC */
/*
 * The forms in which names beyond ASCII are compared: lib/idna.c for
 * domains, lib/nfc.c for the others, and the characters of lib/utf8.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistr.h>

#include "lib/idna.h"
#include "lib/nfc.h"
#include "lib/utf8.h"

#define UE	"\xc3\xbc"		/* u with diaeresis */
#define UE2	"u\xcc\x88"		/* the same in two characters */
#define L19	"\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc" \
		"\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc" \
		"\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
#define A55	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A63	A55 "aaaaaaaa"

static const struct {
	const char	*in, *want;	/* NULL: refused, with */
	int		 error;
} domains[] = {
	{ "example.test", "example.test", 0 },
	{ "Example.TEST", "example.test", 0 },
	{ "", "", 0 },
	{ "a..b.", "a..b.", 0 },	/* its syntax is the caller's */
	{ "xn--mller-kva.example", "xn--mller-kva.example", 0 },
	{ "XN--MLLER-KVA.example", "xn--mller-kva.example", 0 },
	{ "xn--99999.example", "xn--99999.example", 0 },
	{ "m" UE "ller.example", "xn--mller-kva.example", 0 },
	{ "M\xc3\x9cLLER.Example", "xn--mller-kva.example", 0 },
	{ "m" UE2 "ller.example", "xn--mller-kva.example", 0 },
	{ "MU\xcc\x88LLER.example", "xn--mller-kva.example", 0 },
	{ "a." UE ".XN--MLLER-KVA", "a.xn--tda.xn--mller-kva", 0 },
	/* non-transitional */
	{ "stra\xc3\x9f" "e.example", "xn--strae-oqa.example", 0 },
	{ "\xcf\x83\xcf\x82.example", "xn--3xab.example", 0 },
	{ "\xe4\xbe\x8b\xe3\x81\x88.\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88",
	    "xn--r8jz45g.xn--zckzah", 0 },
	{ "\xd7\x90\xd7\x91.example", "xn--4dbc.example", 0 },
	/* joiners where the script has them, and where not */
	{ "\xe0\xa4\x95\xe0\xa5\x8d\xe2\x80\x8d\xe0\xa4\xb7.example",
	    "xn--11b2ezcw70k.example", 0 },
	{ UE "\xe2\x80\x8d.example", NULL, EINVAL },
	/* CONTEXTO: the middle dot between two l alone */
	{ "l\xc2\xb7l.example", "xn--ll-0ea.example", 0 },
	{ "a\xc2\xb7" "b.example", NULL, EINVAL },
	/* DISALLOWED: symbols, full width, full stops, and ASCII signs */
	{ "\xe2\x98\x83.example", NULL, EINVAL },
	{ "\xf0\x9f\x98\x80.example", NULL, EINVAL },
	{ "\xef\xbd\x85xample.test", NULL, EINVAL },
	{ "a\xe3\x80\x82" "b", NULL, EINVAL },
	{ "a\xef\xbc\x8e" "b", NULL, EINVAL },
	{ "\xe2\x84\x80.x", NULL, EINVAL },
	{ UE "\xc2\xad.example", NULL, EINVAL },
	{ UE "_a.example", NULL, EINVAL },
	{ UE "@a.example", NULL, EINVAL },
	{ UE "/a.example", NULL, EINVAL },
	{ UE " a.example", NULL, EINVAL },
	/* hyphens, a combining mark that stands first, two directions */
	{ "-" UE ".example", NULL, EINVAL },
	{ UE "-.example", NULL, EINVAL },
	{ "a" UE "--b.example", NULL, EINVAL },
	{ "xn--" UE ".example", NULL, EINVAL },
	{ "\xcc\x88" "a.example", NULL, EINVAL },
	{ "a\xd7\x90.example", NULL, EINVAL },
	/* unassigned, U+0378; and no UTF-8 */
	{ "a\xcd\xb8.example", NULL, EINVAL },
	{ "\xfc.example", NULL, EINVAL },
	{ "\xc3", NULL, EINVAL },
	{ "\xed\xa0\x80.example", NULL, EINVAL },
	{ "\xc0\xae.example", NULL, EINVAL },
	/* a label of 63 octets as an A-label, and more */
	{ L19 L19 L19 ".example", "xn--tdaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaa.example", 0 },
	{ L19 L19 L19 UE ".example", NULL, ENAMETOOLONG },
	{ A63 UE ".example", NULL, ENAMETOOLONG },
	{ A63 "." A63 "." A63 "." A63, A63 "." A63 "." A63 "." A63, 0 },
	{ A63 "." A63 "." A63 "." A63 ".", NULL, ENAMETOOLONG },
	{ A63 "." A63 "." A63 "." A55 ".\xc3\xbf",
	    A63 "." A63 "." A63 "." A55 ".xn--wda", 0 },
	{ A63 "." A63 "." A63 ".a" A55 ".\xc3\xbf", NULL, ENAMETOOLONG },
	{ A63 "." A63 "." A63 "." A55 ".\xc3\xbf.", NULL, ENAMETOOLONG },
	{ A63 "." A63 "." A63 "." A63 "." UE, NULL, ENAMETOOLONG },
	/* the A-labels have 190 octets, but the U-labels 320 */
	{ L19 L19 L19 "." L19 L19 L19 "." L19 L19, NULL, ENAMETOOLONG },
};

static void
test_domains(void **state)
{
	char out[IDNA_MAX + 1];
	size_t i;
	int r;

	(void)state;
	for (i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
		strcpy(out, "unchanged");
		r = idna_to_ascii(out, sizeof(out), domains[i].in,
		    strlen(domains[i].in));
		if (r == -1 && (domains[i].want != NULL ||
		    errno != domains[i].error))
			fail_msg("%s refused: %s", domains[i].in,
			    strerror(errno));
		if (r == 0 && (domains[i].want == NULL ||
		    strcmp(out, domains[i].want) != 0))
			fail_msg("%s became %s", domains[i].in, out);
		if (r == -1)
			assert_string_equal(out, "unchanged");
	}
}

/* What came out goes through unchanged, in place too, in no less room. */
static void
test_domain_room(void **state)
{
	char out[IDNA_MAX + 1];
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
		if (domains[i].want == NULL)
			continue;
		n = strlen(domains[i].want);
		strcpy(out, domains[i].in);
		assert_int_equal(idna_to_ascii(out, n + 1, out, strlen(out)),
		    0);
		assert_string_equal(out, domains[i].want);
		assert_int_equal(idna_to_ascii(out, n + 1, out, n), 0);
		assert_string_equal(out, domains[i].want);
		assert_int_equal(idna_to_ascii(out, n, domains[i].in,
		    strlen(domains[i].in)), -1);
		assert_int_equal(errno, ENAMETOOLONG);
	}
	assert_int_equal(idna_to_ascii(out, sizeof(out), "a\0b", 3), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(idna_to_ascii(out, sizeof(out), UE "\0b", 4), -1);
	assert_int_equal(errno, EINVAL);
	/* only len octets are read */
	assert_int_equal(idna_to_ascii(out, sizeof(out), UE UE, 2), 0);
	assert_string_equal(out, "xn--tda");
}

static const struct {
	const char	*in, *want;	/* NULL: refused */
} names[] = {
	{ "", "" },
	{ "Alice", "Alice" },
	{ "J" UE "rg", "J" UE "rg" },
	{ "J" UE2 "rg", "J" UE "rg" },
	{ "J\xc3\x9crg", "J\xc3\x9crg" },
	/* marks in another order */
	{ "q\xcc\x87\xcc\xa3", "q\xcc\xa3\xcc\x87" },
	{ "\xed\x95\x9c", "\xed\x95\x9c" },
	{ "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "\xed\x95\x9c" },
	/* no compatibility: ligatures and full width stay */
	{ "\xef\xac\x81", "\xef\xac\x81" },
	{ "\xef\xbc\xa1", "\xef\xbc\xa1" },
	/* the kelvin sign is a K */
	{ "\xe2\x84\xaa", "K" },
	/* what has a composed form in lower case alone */
	{ "J\xcc\x8cx", "\xc7\xb0x" },
	{ "j\xcc\x8cX", "\xc7\xb0X" },
	{ "XJ\xcc\x8c", "x\xc7\xb0" },
	{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
	{ "\xff", NULL },
	{ "a\xc3", NULL },
	{ "\xc0\xaf", NULL },
	{ "\xed\xa0\x80", NULL },
	{ "\xf4\x90\x80\x80", NULL },
};

static void
test_names(void **state)
{
	char out[64];
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		strcpy(out, "unchanged");
		if (names[i].want == NULL) {
			assert_int_equal(nfc_copy(out, sizeof(out),
			    names[i].in, strlen(names[i].in)), -1);
			assert_int_equal(errno, EINVAL);
			assert_string_equal(out, "unchanged");
			continue;
		}
		n = strlen(names[i].want);
		assert_int_equal(nfc_copy(out, n, names[i].in,
		    strlen(names[i].in)), -1);
		assert_int_equal(errno, ENAMETOOLONG);
		assert_string_equal(out, "unchanged");
		assert_int_equal(nfc_copy(out, n + 1, names[i].in,
		    strlen(names[i].in)), 0);
		assert_string_equal(out, names[i].want);
		assert_int_equal(nfc_copy(out, n + 1, out, n), 0);
		assert_string_equal(out, names[i].want);
	}
	assert_int_equal(nfc_copy(out, sizeof(out), "a\0b", 3), -1);
	assert_int_equal(nfc_copy(out, sizeof(out), UE "\0b", 4), -1);
	assert_int_equal(errno, EINVAL);
}

static void
test_characters(void **state)
{
	static const uint32_t no[] = { 0, 9, 0x1f, 0x7f, 0x80, 0x85, 0x9f,
		0x2028, 0x2029, 0x202a, 0x202e, 0x2066, 0x2069, 0xfdd0,
		0xfdef, 0xfeff, 0xfffe, 0xffff, 0x1fffe, 0x10ffff,
		UINT32_MAX };
	static const uint32_t yes[] = { ' ', 'a', 0x7e, 0xa0, 0xe4, 0x200c,
	    0x200d,
		0x2027, 0x202f, 0x2065, 0x206a, 0xfdcf, 0xfdf0, 0xfefe,
		0xff00, 0xfffd, 0x10000, 0x1f600, 0x10fffd };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (utf8_is_name(no[i]))
			fail_msg("U+%04X", (unsigned)no[i]);
	for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (!utf8_is_name(yes[i]))
			fail_msg("U+%04X", (unsigned)yes[i]);
}

/* Octets about which a decoder may be wrong. */
static const unsigned char edges[] = { 0x00, 0x41, 0x7f, 0x80, 0x81, 0x8f,
	0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec,
	0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff };

/* len octets in memory of their own size, against another's decoder. */
static void
check_decoded(const unsigned char *s, size_t len)
{
	unsigned char *copy = malloc(len > 0 ? len : 1);
	uint32_t c;
	ucs4_t want;
	size_t n;
	int r;

	assert_non_null(copy);
	memcpy(copy, s, len);
	n = utf8_decode(copy, len, &c);
	r = len > 0 ? u8_mbtoucr(&want, copy, len) : 0;
	if (len == 0)
		assert_true(n == 0 && c == UINT32_MAX);
	else if (r > 0)
		assert_true(n == (size_t)r && c == want);
	else
		assert_true(n == 1 && c == UINT32_MAX);
	assert_int_equal(utf8_is_valid(copy, len),
	    u8_check(copy, len) == NULL);
	free(copy);
}

static void
test_decoding(void **state)
{
	unsigned char s[6];
	const size_t n = sizeof(edges);
	ucs4_t c;
	int len;

	(void)state;
	for (size_t i = 0; i < n * n * n * n; i++) {
		s[0] = edges[i % n];
		s[1] = edges[i / n % n];
		s[2] = edges[i / n / n % n];
		s[3] = edges[i / n / n / n];
		for (size_t l = 0; l <= 4; l++)
			if (l == 4 || (l == 3 && i < n * n * n) ||
			    (l == 2 && i < n * n) || (l < 2 && i < n))
				check_decoded(s, l);
	}
	for (c = 0; c < 0x110000; c += c < 0x3000 ? 1 : 61) {
		len = u8_uctomb(s, c, sizeof(s));
		if (len > 0)
			check_decoded(s, (size_t)len);
	}
}

/* What follows octets that are not UTF-8 is judged on its own. */
static void
test_stream_goes_on(void **state)
{
	struct utf8_stream u = { .need = 0 };
	int i;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_int_equal(utf8_stream_add(&u, "\xff", 1), i < 3);
	assert_true(utf8_stream_whole(&u));
	assert_true(utf8_stream_add(&u, UE, 2));
	assert_true(utf8_stream_whole(&u));
	assert_false(utf8_stream_add(&u, "\xc3z", 2));
	assert_true(utf8_stream_add(&u, "abc", 3));
	assert_true(utf8_stream_whole(&u));
}

/* In any two pieces a text is judged as it is whole. */
static void
test_stream(void **state)
{
	static const struct {
		const char	*text;
		bool		 valid;
	} cases[] = {
		{ "", true }, { "abc", true }, { "a" UE "b", true },
		{ "\xe2\x82\xac", true }, { "\xf0\x9f\x98\x80", true },
		{ "\xf4\x8f\xbf\xbf", true }, { "\xef\xbb\xbf", true },
		{ "\xc2\x80", true },
		{ "\xc3", false }, { "\xc3z", false }, { "\xe2\x82", false },
		{ "\xe2\x82z", false }, { "\xf0\x9f\x98", false },
		{ "\x80", false }, { "a\x80", false }, { "\xbf\xbf", false },
		{ "\xc0\x80", false }, { "\xc1\xbf", false },
		{ "\xe0\x80\xaf", false }, { "\xe0\x9f\xbf", false },
		{ "\xf0\x80\x80\xaf", false }, { "\xed\xa0\x80", false },
		{ "\xed\xbf\xbf", false }, { "\xf4\x90\x80\x80", false },
		{ "\xf5\x80\x80\x80", false }, { "\xfe", false },
		{ "\xff\xff\xff\xff", false }, { UE "\xfc" UE, false },
		{ "\xfc\x80\x80\x80\x80\x80", false },
		{ "\xff\xff\xff\xff\xff\xff\xff", false },
	};
	size_t i, cut, len;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		len = strlen(cases[i].text);
		assert_int_equal(utf8_is_valid(cases[i].text, len),
		    cases[i].valid);
		for (cut = 0; cut <= len; cut++) {
			struct utf8_stream u = { .need = 0 };

			assert_int_equal(utf8_stream_add(&u, cases[i].text,
			    cut) && utf8_stream_add(&u, cases[i].text + cut,
			    len - cut) && utf8_stream_whole(&u),
			    cases[i].valid);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_domains),
		cmocka_unit_test(test_domain_room),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_characters),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_decoding),
		cmocka_unit_test(test_stream_goes_on),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
