/* SPDX-License-Identifier: ISC */
/*
 * mail/addr.c against the grammar of RFC 5321 section 4.1.2 and RFC 6531
 * section 3.3, and the forms of mail/addr_form.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/str.h"
#include "mail/addr.h"

#define REV	ADDR_REVERSE
#define FWD	ADDR_FORWARD
#define A32	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A64	A32 A32
#define U16	"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4" \
		"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
#define U64	U16 U16 U16 U16
#define X60	A32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define L63	"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" \
		"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define D255	L63 "." L63 "." L63 "." L63

static const struct path_case {
	enum addr_use		 use;
	const char		*in;
	enum addr_result	 want;
	const char		*local, *domain;
	const char		*rest;		/* what is behind the path */
} paths[] = {
	{ REV, "<>", ADDR_OK, "", "", "" },
	{ REV, "<> SIZE=1", ADDR_OK, "", "", " SIZE=1" },
	{ FWD, "<>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<postmaster>", ADDR_OK, "postmaster", "", "" },
	{ FWD, "<PostMaster> X", ADDR_OK, "postmaster", "", " X" },
	{ REV, "<postmaster>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<postmasters>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<postmaste>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<\"postmaster\">", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<postmaster@Example.TEST>", ADDR_OK, "postmaster",
	    "example.test", "" },
	{ FWD, "<postmaster", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a@b>", ADDR_OK, "a", "b", "" },
	{ FWD, "<Ab.C@B.example>", ADDR_OK, "Ab.C", "b.example", "" },
	{ FWD, "<!#$%&'*+-/=?^_`{|}~@b>", ADDR_OK, "!#$%&'*+-/=?^_`{|}~",
	    "b", "" },
	{ FWD, "<a@b>x", ADDR_OK, "a", "b", "x" },
	{ FWD, "<a@b>>", ADDR_OK, "a", "b", ">" },
	{ FWD, "", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<", ADDR_SYNTAX, "", "", "" },
	{ FWD, "a@b", ADDR_SYNTAX, "", "", "" },
	{ FWD, " <a@b>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "< a@b>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a@b >", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a @b>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a@b", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<<a@b>>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a@>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<@b>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a@b@c>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<.a@b>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a.@b>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a..b@c>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a(c)@b>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a,b@c>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a\\b@c>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a@.b>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a@b.>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a@b..c>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a@-b>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a@b->", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a@b-.c>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a@b--c>", ADDR_OK, "a", "b--c", "" },
	{ FWD, "<a@b_c>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a@1.2.3.4>", ADDR_OK, "a", "1.2.3.4", "" },
	/* quoted local parts */
	{ FWD, "<\"a b\"@c>", ADDR_OK, "a b", "c", "" },
	{ FWD, "<\"\"@c>", ADDR_OK, "", "c", "" },
	{ FWD, "<\"a@b\"@c>", ADDR_OK, "a@b", "c", "" },
	{ FWD, "<\"a>b\"@c>", ADDR_OK, "a>b", "c", "" },
	{ FWD, "<\"a\\\"b\\\\\"@c>", ADDR_OK, "a\"b\\", "c", "" },
	{ FWD, "<\"\\a\"@c>", ADDR_OK, "a", "c", "" },
	{ FWD, "<\"..\"@c>", ADDR_OK, "..", "c", "" },
	{ FWD, "<\"a\"b@c>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a\"b\"@c>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<\"a\".\"b\"@c>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<\"a@c>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<\"a\\", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<\"a\tb\"@c>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<\"a\\\tb\"@c>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<\"a\x7f\"@c>", ADDR_SYNTAX, "", "", "" },
	/* source routes */
	{ FWD, "<@x,@y.z:a@b>", ADDR_OK, "a", "b", "" },
	{ REV, "<@x:a@b>", ADDR_OK, "a", "b", "" },
	{ FWD, "<@x:>", ADDR_SYNTAX, "", "", "" },
	{ REV, "<@x:>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<@x:postmaster>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<@x@y:a@b>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<@x,:a@b>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<@x,y:a@b>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<x:a@b>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<@[1.2.3.4]:a@b>", ADDR_SYNTAX, "", "", "" },
	/* lengths */
	{ FWD, "<" A64 "@b>", ADDR_OK, A64, "b", "" },
	{ FWD, "<" A64 "a@b>", ADDR_TOO_LONG, NULL, NULL, "" },
	{ FWD, "<\"" A64 "\"@b>", ADDR_OK, A64, "b", "" },
	{ FWD, "<\"" A64 "a\"@b>", ADDR_TOO_LONG, NULL, NULL, "" },
	{ FWD, "<" A64 A64 A64 A64 A64 "@b> X", ADDR_TOO_LONG, NULL, NULL,
	    " X" },
	{ FWD, "<" A64 "a@b c>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a@" L63 ">", ADDR_OK, "a", L63, "" },
	{ FWD, "<a@" L63 "b>", ADDR_TOO_LONG, NULL, NULL, "" },
	{ FWD, "<a@" D255 ">", ADDR_OK, "a", D255, "" },
	{ FWD, "<a@" D255 ".c>", ADDR_TOO_LONG, NULL, NULL, "" },
	{ FWD, "<@" D255 ".c:a@b>", ADDR_TOO_LONG, NULL, NULL, "" },
	{ FWD, "<a@[x:" D255 "]>", ADDR_TOO_LONG, NULL, NULL, "" },
	/* UTF-8, RFC 6531 section 3.3 */
	{ FWD, "<\xc3\xa4@b>", ADDR_OK, "\xc3\xa4", "b", "" },
	{ REV, "<\xc3\xa4@b> SMTPUTF8", ADDR_OK, "\xc3\xa4", "b",
	    " SMTPUTF8" },
	{ FWD, "<A.J\xc3\x96.x+\xe2\x82\xac@b>", ADDR_OK,
	    "A.J\xc3\x96.x+\xe2\x82\xac", "b", "" },
	{ FWD, "<\xf0\x9f\x98\x80@b>", ADDR_OK, "\xf0\x9f\x98\x80", "b",
	    "" },
	{ FWD, "<\"a\xc3\xa4 b\"@b>", ADDR_OK, "a\xc3\xa4 b", "b", "" },
	{ FWD, "<\"\xc3\xa4\"@b>", ADDR_OK, "\xc3\xa4", "b", "" },
	{ FWD, "<a@\xc3\xa4.test>", ADDR_OK, "a", "xn--4ca.test", "" },
	{ FWD, "<a@M\xc3\x9cLLER.Test>", ADDR_OK, "a",
	    "xn--mller-kva.test", "" },
	{ FWD, "<a@XN--Mller-KVA.test>", ADDR_OK, "a",
	    "xn--mller-kva.test", "" },
	{ FWD, "<a@mu\xcc\x88ller.test>", ADDR_OK, "a",
	    "xn--mller-kva.test", "" },
	{ FWD, "<\xc3\xa4@\xc3\xa4>", ADDR_OK, "\xc3\xa4", "xn--4ca", "" },
	{ FWD, "<@\xc3\xa4.b,@c:a@b>", ADDR_OK, "a", "b", "" },
	/* NFC */
	{ FWD, "<a\xcc\x88@b>", ADDR_OK, "\xc3\xa4", "b", "" },
	{ FWD, "<\"a\xcc\x88\"@b>", ADDR_OK, "\xc3\xa4", "b", "" },
	{ FWD, "<\xcd\xbe@b>", ADDR_OK, ";", "b", "" },
	{ FWD, "<.\xc3\xa4@b>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<\xc3\xa4..a@b>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<\xc3\xa4>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a\xc3\xa4", ADDR_SYNTAX, "", "", "" },
	{ FWD, "\xc3\xa4@b", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a@[\xc3\xa4]>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<\"a\\\xc3\xa4\"@b>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<postmaster\xc3\xa4>", ADDR_SYNTAX, "", "", "" },
	/* what is not UTF-8, or not for names */
	{ FWD, "<a\xff@b>", ADDR_NOT_UTF8, "", "", "" },
	{ FWD, "<\xe4@b>", ADDR_NOT_UTF8, "", "", "" },
	{ FWD, "<a\xc3@b>", ADDR_NOT_UTF8, "", "", "" },
	{ FWD, "<\"a\xc3\"@b>", ADDR_NOT_UTF8, "", "", "" },
	{ FWD, "<\"a\\\xc3\"@b>", ADDR_NOT_UTF8, "", "", "" },
	{ FWD, "<a@b\xc3>", ADDR_NOT_UTF8, "", "", "" },
	{ FWD, "<a@[x:\xc3]>", ADDR_NOT_UTF8, "", "", "" },
	{ FWD, "\xc3", ADDR_NOT_UTF8, "", "", "" },
	{ FWD, "<a\xc0\xaf@b>", ADDR_NOT_UTF8, "", "", "" },
	{ FWD, "<a\xe0\x80\xaf@b>", ADDR_NOT_UTF8, "", "", "" },
	{ FWD, "<a\xed\xa0\x80@b>", ADDR_NOT_UTF8, "", "", "" },
	{ FWD, "<a\xf4\x90\x80\x80@b>", ADDR_NOT_UTF8, "", "", "" },
	{ FWD, "<a\xc2\x85@b>", ADDR_NOT_UTF8, "", "", "" },
	{ FWD, "<\"a\xc2\x85\"@b>", ADDR_NOT_UTF8, "", "", "" },
	{ FWD, "<\xef\xbb\xbf" "a@b>", ADDR_NOT_UTF8, "", "", "" },
	{ FWD, "<a\xef\xbf\xbf@b>", ADDR_NOT_UTF8, "", "", "" },
	{ FWD, "<a\xe2\x80\xae@b>", ADDR_NOT_UTF8, "", "", "" },
	{ FWD, "<a@b\xe2\x80\xa8>", ADDR_NOT_UTF8, "", "", "" },
	/* what IDNA refuses */
	{ FWD, "<a@\xe2\x98\x83.test>", ADDR_BAD_DOMAIN, NULL, NULL, "" },
	{ FWD, "<a@-\xc3\xa4.test> X", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a@\xc3\xa4-.test> X", ADDR_SYNTAX, "", "", "" },
	{ REV, "<a@\xcc\x88.test> X", ADDR_BAD_DOMAIN, NULL, NULL, " X" },
	{ FWD, "<a@x\xe3\x80\x82test>", ADDR_BAD_DOMAIN, NULL, NULL, "" },
	{ FWD, "<a@\xef\xbd\x81.test>", ADDR_BAD_DOMAIN, NULL, NULL, "" },
	/* octets are counted, whatever the letters */
	{ FWD, "<" U64 "@b>", ADDR_OK, U64, "b", "" },
	{ FWD, "<" U64 "a@b>", ADDR_TOO_LONG, NULL, NULL, "" },
	{ FWD, "<a" U64 "@b>", ADDR_TOO_LONG, NULL, NULL, "" },
	{ FWD, "<a@" U64 ".b>", ADDR_OK, "a",
	    "xn--4caaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b", "" },
	{ FWD, "<a@\xc3\xa4" L63 ">", ADDR_TOO_LONG, NULL, NULL, "" },
	{ FWD, "<a@\xc3\xa4." D255 ">", ADDR_TOO_LONG, NULL, NULL, "" },
	/* U+FB2C is three characters in NFC */
	{ FWD, "<" X60 "\xef\xac\xac@b>", ADDR_TOO_LONG, NULL, NULL, "" },
	/* literals */
	{ FWD, "<a@[1.2.3.4]>", ADDR_OK, "a", "[1.2.3.4]", "" },
	{ FWD, "<a@[IPv6:2001:DB8::1]>", ADDR_OK, "a", "[ipv6:2001:db8::1]",
	    "" },
	{ FWD, "<a@[tag:x!@]>", ADDR_OK, "a", "[tag:x!@]", "" },
	{ FWD, "<a@[1.2.3]>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a@[1.2.3.4>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a@[1.2.3.4]x>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a@[]>", ADDR_SYNTAX, "", "", "" },
	{ FWD, "<a@[[1.2.3.4]]>", ADDR_SYNTAX, "", "", "" },
};

static void
test_paths(void **state)
{
	const struct path_case	*c;
	struct addr		 a;
	size_t			 i, used;

	(void)state;
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		c = &paths[i];
		if (addr_parse_path(c->in, strlen(c->in), c->use, &a,
		    &used) != c->want)
			fail_msg("result of %s", c->in);
		if (c->local != NULL && (strcmp(a.local, c->local) != 0 ||
		    strcmp(a.domain, c->domain) != 0))
			fail_msg("parts of %s: \"%s\" \"%s\"", c->in, a.local,
			    a.domain);
		if ((c->want == ADDR_OK || c->want == ADDR_TOO_LONG ||
		    c->want == ADDR_BAD_DOMAIN) &&
		    strcmp(c->in + used, c->rest) != 0)
			fail_msg("length of %s: %zu", c->in, used);
	}
}

/* No octet behind the given length is read, and no prefix is taken. */
static void
test_path_prefixes(void **state)
{
	const struct path_case	*c;
	struct addr		 a;
	size_t			 i, len, used, full;
	char			*copy;

	(void)state;
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		c = &paths[i];
		if (c->want != ADDR_OK)
			continue;
		full = strlen(c->in) - strlen(c->rest);
		for (len = 0; len < full; len++) {
			copy = malloc(len + 1);
			assert_non_null(copy);
			memcpy(copy, c->in, len);
			if (addr_parse_path(copy, len, c->use, &a,
			    &used) == ADDR_OK)
				fail_msg("prefix %zu of %s", len, c->in);
			free(copy);
		}
	}
}

static void
test_nul(void **state)
{
	struct addr	 a;
	size_t		 used;

	(void)state;
	assert_int_equal(addr_parse_path("<a\0@b>", 6, FWD, &a, &used),
	    ADDR_SYNTAX);
	assert_int_equal(addr_parse_path("<\"a\0\"@b>", 8, FWD, &a, &used),
	    ADDR_SYNTAX);
	assert_int_equal(addr_parse_path("<a@b\0>", 6, FWD, &a, &used),
	    ADDR_SYNTAX);
	assert_false(addr_valid_domain("a\0b", 3));
	assert_false(addr_valid_literal("[1.2.3.4\0]", 10));
}

static void
test_mailbox(void **state)
{
	struct addr	 a;

	(void)state;
	assert_int_equal(addr_parse_mailbox("a@B", 3, &a), ADDR_OK);
	assert_string_equal(a.domain, "b");
	assert_int_equal(addr_parse_mailbox("a@b>", 4, &a), ADDR_SYNTAX);
	assert_int_equal(addr_parse_mailbox("a@b ", 4, &a), ADDR_SYNTAX);
	assert_int_equal(addr_parse_mailbox("", 0, &a), ADDR_SYNTAX);
	assert_int_equal(addr_parse_mailbox("postmaster", 10, &a),
	    ADDR_SYNTAX);
	assert_int_equal(addr_parse_mailbox("a\x80@b", 4, &a),
	    ADDR_NOT_UTF8);
	assert_int_equal(addr_parse_mailbox(A64 "a@b", 67, &a),
	    ADDR_TOO_LONG);
}

static void
test_literals(void **state)
{
	static const char *const good[] = {
		"[0.0.0.0]", "[255.255.255.255]", "[001.02.3.4]", "[IPv6:::]",
		"[ipv6:::1]", "[IPv6:1::]", "[IPv6:1:2:3:4:5:6:7:8]",
		"[IPv6:1::2:3:4:5:6]", "[IPv6:1:2:3:4:5:6::]",
		"[IPv6:1:2:3:4:5:6:1.2.3.4]", "[IPv6:::ffff:1.2.3.4]",
		"[IPv6:1:2:3:4::1.2.3.4]", "[IPv6:ABCD:ef01::]", "[x-y:z]",
	};
	static const char *const bad[] = {
		"", "[", "]", "[]", "1.2.3.4", "[1.2.3.4", "[256.1.1.1]",
		"[1.2.3.4.5]", "[1..2.3]", "[.1.2.3]", "[1.2.3.]",
		"[0001.2.3.4]", "[IPv6:]", "[IPv6::]", "[IPv6:::::]",
		"[IPv6:1]", "[IPv6:1:2:3:4:5:6:7]", "[IPv6:1:2:3:4:5:6:7::]",
		"[IPv6:1:2:3:4:5:6:7:8:9]", "[IPv6:12345::]", "[IPv6:g::]",
		"[IPv6:1::2::3]", "[IPv6:1:]", "[IPv6::1]", "[IPv6:::1.2.3]",
		"[IPv6:1.2.3.4]", "[IPv6:1:2:3:4:5::1.2.3.4]",
		"[IPv6:::1.2.3.4:5]", "[IPv6:x]", "[-:x]", "[x-:y]", "[x:]",
		"[:x]", "[x:a b]", "[x:a\\]", "[x:[]", "[1.2.3.4]x",
	};
	size_t	 i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!addr_valid_literal(good[i], strlen(good[i])))
			fail_msg("%s refused", good[i]);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (addr_valid_literal(bad[i], strlen(bad[i])))
			fail_msg("%s taken", bad[i]);
}

static void
test_domains(void **state)
{
	(void)state;
	assert_true(addr_valid_domain("a", 1));
	assert_true(addr_valid_domain("a.b-c.9", 7));
	assert_true(addr_valid_domain(D255, 255));
	assert_false(addr_valid_domain("", 0));
	assert_false(addr_valid_domain("a.", 2));
	assert_false(addr_valid_domain("a b", 3));
	assert_false(addr_valid_domain("[1.2.3.4]", 9));
	assert_false(addr_valid_domain("\xc3\xa4", 2));
	assert_false(addr_valid_domain(D255 ".a", 257));
}

static void
test_format(void **state)
{
	static const struct { const char *in, *out; } cases[] = {
		{ "<a.b@C>", "a.b@c" }, { "<\"a\"@c>", "a@c" },
		{ "<\"\"@c>", "\"\"@c" }, { "<\"a b\"@c>", "\"a b\"@c" },
		{ "<\"a\\\"\\\\\"@c>", "\"a\\\"\\\\\"@c" },
		{ "<\".a\"@c>", "\".a\"@c" }, { "<\"a@b\"@c>", "\"a@b\"@c" },
		{ "<\"\xc3\xa4\"@c>", "\xc3\xa4@c" },
		{ "<\"\xc3\xa4 \"@c>", "\"\xc3\xa4 \"@c" },
		{ "<\xc3\xa4@\xc3\xa4>", "\xc3\xa4@xn--4ca" },
		{ "<\xcd\xbe@c>", "\";\"@c" },
	};
	struct addr	 a;
	char		 text[2 * ADDR_MAX];
	size_t		 i, used;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(addr_parse_path(cases[i].in,
		    strlen(cases[i].in), FWD, &a, &used), ADDR_OK);
		assert_string_equal(addr_format(&a, text, sizeof(text)),
		    cases[i].out);
	}
	memset(&a, 0, sizeof(a));
	assert_string_equal(addr_format(&a, text, sizeof(text)), "");
	assert_string_equal(addr_format(&a, text, 5), "");
	memset(a.local, '"', ADDR_LOCAL_MAX);
	memset(a.domain, 'd', ADDR_DOMAIN_MAX);
	addr_format(&a, text, sizeof(text));
	assert_int_equal(strlen(text), 2 * ADDR_LOCAL_MAX + 2 + 1 +
	    ADDR_DOMAIN_MAX);
}

/* What header fields and other sources may have. */
static void
test_canon(void **state)
{
	static const struct { const char *in, *out; } cases[] = {
		{ "Alice@Example.TEST", "Alice@example.test" },
		{ "J\xc3\xb6rg@m\xc3\xbcller.test",
		    "J\xc3\xb6rg@xn--mller-kva.test" },
		{ "Jo\xcc\x88rg@mu\xcc\x88ller.test",
		    "J\xc3\xb6rg@xn--mller-kva.test" },
		{ "a b@c", "a b@c" }, { "postmaster", "postmaster" },
		{ "", "" }, { "a@[IPv6:::1]", "a@[ipv6:::1]" },
		{ "\xff@c", NULL }, { "a\xc2\x80@c", NULL },
		{ "a\xe2\x80\xaa@c", NULL }, { "a@\xff", NULL },
		{ "a@\xe2\x98\x83", NULL }, { "a@[\xc3\xa4]", NULL },
	};
	struct addr	 a, before;
	char		 text[ADDR_MAX + 1];
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(addr_split(cases[i].in, &a), 0);
		before = a;
		if (addr_canon(&a) != (cases[i].out == NULL ? -1 : 0))
			fail_msg("result of %s", cases[i].in);
		if (cases[i].out == NULL) {
			assert_int_equal(errno, EINVAL);
			assert_memory_equal(&a, &before, sizeof(a));
			continue;
		}
		assert_string_equal(addr_join(&a, text, sizeof(text)),
		    cases[i].out);
	}
	assert_int_equal(addr_split(X60 "\xef\xac\xac@c", &a), 0);
	assert_int_equal(addr_canon(&a), -1);
	assert_int_equal(errno, ENAMETOOLONG);
}

static void
test_is_ascii(void **state)
{
	struct addr	 a;

	(void)state;
	assert_int_equal(addr_split("a@b", &a), 0);
	assert_true(addr_is_ascii(&a));
	assert_int_equal(addr_split("\xc3\xa4@b", &a), 0);
	assert_false(addr_is_ascii(&a));
	assert_int_equal(addr_split("a@\xc3\xa4", &a), 0);
	assert_false(addr_is_ascii(&a));
}

static void
test_split_join(void **state)
{
	struct addr	 a;
	char		 text[ADDR_MAX + 1];

	(void)state;
	assert_int_equal(addr_split("x@y@Z", &a), 0);
	assert_string_equal(a.local, "x@y");
	assert_string_equal(a.domain, "z");
	assert_string_equal(addr_join(&a, text, sizeof(text)), "x@y@z");
	assert_string_equal(addr_join(&a, text, 5), "");
	assert_int_equal(addr_split("a@[b@[x-y:\"@c]", &a), 0);
	assert_string_equal(a.local, "a@[b");
	assert_string_equal(a.domain, "[x-y:\"@c]");
	assert_int_equal(addr_split("postmaster", &a), 0);
	assert_string_equal(addr_join(&a, text, sizeof(text)), "postmaster");
	assert_int_equal(addr_split("", &a), 0);
	assert_string_equal(addr_join(&a, text, sizeof(text)), "");
	assert_int_equal(addr_split("a@", &a), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(addr_split(A64 "@" D255, &a), 0);
	assert_string_equal(addr_join(&a, text, sizeof(text)), A64 "@" D255);
	assert_int_equal(addr_split(A64 "a@b", &a), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	assert_int_equal(addr_split("a@" D255 "d", &a), -1);
}

static void
test_same(void **state)
{
	struct addr	 a, b;

	(void)state;
	addr_split("User+tag+x@Example.test", &a);
	addr_split("user@example.test", &b);
	assert_false(addr_same(&a, &b, false));
	assert_true(addr_same(&a, &b, true));
	assert_false(addr_same(&b, &a, true));
	addr_strip_tag(&a);
	assert_true(addr_same(&a, &b, false));
	addr_split("+x@example.test", &a);
	addr_strip_tag(&a);
	assert_string_equal(a.local, "+x");
	addr_split("user@example.org", &a);
	assert_false(addr_same(&a, &b, true));
	memset(&a, 0, sizeof(a));
	addr_strip_tag(&a);
	assert_string_equal(a.local, "");
}

static void
test_to_path(void **state)
{
	static const struct { const char *in, *out; } cases[] = {
		{ "Bob@Example.test", "example.test/bob" },
		{ "a_b=c.d-e@x", "x/a_b=c.d-e" },
		{ "..@x", "x/%2E." }, { ".@x", "x/%2E" },
		{ "../../etc@x", "x/%2E.%2F..%2Fetc" },
		{ "a/b@x", "x/a%2Fb" }, { "a%b@x", "x/a%25b" },
		{ "a+b@x", "x/a%2Bb" }, { "a b@x", "x/a%20b" },
		{ "\"\x7f@x", "x/%22%7F" }, { "a@../y", "%2E.%2Fy/a" },
		{ "a:2,S@x", "x/a%3A2%2Cs" },
		{ "J\xc3\xb6rg@x", "x/j%C3%B6rg" },
		{ "\xc3\x96@x", "x/%C3%96" },
	};
	struct addr	 a;
	char		 text[1024];
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(addr_split(cases[i].in, &a), 0);
		assert_int_equal(addr_to_path(&a, text, sizeof(text)), 0);
		assert_string_equal(text, cases[i].out);
		assert_int_equal(addr_to_path(&a, text,
		    strlen(cases[i].out)), -1);
		assert_int_equal(errno, ENAMETOOLONG);
		assert_int_equal(addr_to_path(&a, text,
		    strlen(cases[i].out) + 4), 0);
	}
	assert_int_equal(addr_split(A64 "@" D255, &a), 0);
	assert_int_equal(addr_to_path(&a, text, sizeof(text)), 0);
	assert_int_equal(addr_split("", &a), 0);
	assert_int_equal(addr_to_path(&a, text, sizeof(text)), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(addr_split("a@[1.2.3.4]", &a), 0);
	assert_int_equal(addr_to_path(&a, text, sizeof(text)), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(addr_split("postmaster", &a), 0);
	assert_int_equal(addr_to_path(&a, text, sizeof(text)), -1);
	memset(&a, 0, sizeof(a));
	memset(a.domain, '_', ADDR_DOMAIN_MAX);
	a.domain[3] = '/';
	a.local[0] = 'a';
	assert_int_equal(addr_to_path(&a, text, sizeof(text)), -1);
	assert_int_equal(errno, ENAMETOOLONG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_path_prefixes),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_mailbox),
		cmocka_unit_test(test_literals),
		cmocka_unit_test(test_domains),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_canon),
		cmocka_unit_test(test_is_ascii),
		cmocka_unit_test(test_split_join),
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_to_path),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
