/* SPDX-License-Identifier: ISC */
/*
 * mail/mailbox.c: address lists as real and as hostile clients write them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mail/mailbox.h"

#define A32	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A64	A32 A32
#define A31	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define D255	A64 A64 A64 A32 A31
#define L253	A64 A64 A64 A31 A30
#define A30	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A28	"aaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* "name|local@domain" of each, joined by a space and a semicolon; NULL: -1 */
static const struct { const char *in, *want; } lists[] = {
	{ "a@b", "|a@b" },
	{ " a@b ", "|a@b" },
	{ "a@b, c@d", "|a@b; |c@d" },
	{ "<a@b>", "|a@b" },
	{ "Al <a@B.C>", "Al|a@b.c" },
	{ "Al Bo. Cy <a@b>", "Al Bo. Cy|a@b" },
	{ "\"Al, <x@y>\" <a@b>", "\"Al, <x@y>\"|a@b" },
	{ "\"a@b\" <c@d>", "\"a@b\"|c@d" },
	{ "\"a\\\" <x@y>, \" <c@d>", "\"a\\\" <x@y>, \"|c@d" },
	{ "=?utf-8?Q?J=C3=B6rg?= <a@b>", "=?utf-8?Q?J=C3=B6rg?=|a@b" },
	{ "J\xc3\xb6rg <a@b>", "J\xc3\xb6rg|a@b" },
	/* RFC 6532: as it stands, what it means is addr_canon()'s */
	{ "J\xc3\xb6rg <j\xc3\xb6rg@m\xc3\xbcller.test>",
	    "J\xc3\xb6rg|j\xc3\xb6rg@m\xc3\xbcller.test" },
	{ "jo\xcc\x88rg@M\xc3\x9c.Test", "|jo\xcc\x88rg@m\xc3\x9c.test" },
	{ "\"\xc3\xb6 \xc3\xb6\"@b, \xe4\xbe\x8b: a.\xf0\x9f\x98\x80@c;",
	    "|\xc3\xb6 \xc3\xb6@b; |a.\xf0\x9f\x98\x80@c" },
	{ "\xe4@b", "|\xe4@b" },
	{ "\xc3\xb6 a@b", NULL }, { "a@\xc3\xb6 b", NULL },
	{ "\xc3\xb6..a@b", NULL }, { "a@b.\xc3\xb6.", NULL },
	{ "(c) a (c) @ (c) b (c)", "|a@b" },
	{ "a@b (Al <x@y>, z@z)", "|a@b" },
	{ "(a (nested \\) \\( ) comment)a@b", "|a@b" },
	{ "a . b @ c . d", "|a.b@c.d" },
	{ "\"a b\"@c", "|a b@c" },
	{ "\"a\".b@c", "|a.b@c" },
	{ "\"a\\@b\"@c", "|a@b@c" },
	{ "a@[1.2.3.4]", "|a@[1.2.3.4]" },
	{ "a@\n b", "|a@b" },
	{ "Al\r\n <a@b>", "Al|a@b" },
	{ "<@x,@y.z:a@b>", "|a@b" },
	{ "<,,@x,,@y:a@b>", "|a@b" },
	{ ",, a@b,, ,c@d,", "|a@b; |c@d" },
	{ "Us: a@b, \"C\" <c@d>;", "|a@b; \"C\"|c@d" },
	{ "Us: ;", "" },
	{ "Us:;, a@b", "|a@b" },
	{ "Us: a@b;, You: c@d;", "|a@b; |c@d" },
	{ "Al <a@b> (c)", "Al|a@b" },
	{ "", NULL }, { " ", NULL }, { "(c)", NULL }, { ",", NULL },
	{ "a", NULL }, { "a@", NULL }, { "@b", NULL }, { "<>", NULL },
	{ "<a>", NULL }, { "a b@c", NULL }, { "Al a@b", NULL },
	{ "a@b c@d", NULL }, { "a@b <c@d>", NULL }, { "<a@b> <c@d>", NULL },
	{ "<a@b", NULL }, { "a@b>", NULL }, { "<<a@b>>", NULL },
	{ "<a@b>x", NULL }, { "a@b@c", NULL }, { "\"a", NULL },
	{ "\"a\\", NULL }, { "(a", NULL }, { "a)@b", NULL },
	{ "(a\\", NULL }, { "a@b (", NULL }, { "a@[b", NULL },
	{ "a@[b[c]", NULL }, { "a..b@c", NULL }, { ".a@b", NULL },
	{ "a.@b", NULL }, { "a@b.", NULL }, { "a@.b", NULL },
	{ "a@b..c", NULL }, { "a;b@c", NULL }, { "Us: a@b", NULL },
	{ "Us: You: a@b;;", NULL }, { "Us: a@b; c@d", NULL },
	{ ": a@b;", NULL }, { ";", NULL }, { "a@b;", NULL },
	{ "<@x a@b>", NULL }, { "<@x:>", NULL }, { "a@b\\", NULL },
	{ "a\x01@b", NULL }, { "\"a\x01\"@b", NULL }, { "(\x01)a@b", NULL },
	{ A64 "@b", "|" A64 "@b" }, { "x" A64 "@b", NULL },
	{ "a:b@c", NULL },
	/* RFC 5322 section 3.2.2, FWS and comments */
	{ "\tAl\t<a@b>\t", "Al|a@b" },
	{ "( ~\x80)a@b", "|a@b" }, { "(\x7f)a@b", NULL },
	{ "(\x1f)a@b", NULL }, { "(a \\) b)c@d", "|c@d" },
	{ "(a \\( b)c@d", "|c@d" }, { "a@b (\\", NULL },
	{ "a@b)", NULL }, { ") <a@b>", NULL },
	/* section 3.2.3, atext */
	{ "!~@!~", "|!~@!~" }, { "a\x7f@b", NULL }, { "a\x1f@b", NULL },
	{ "a]@b", NULL }, { "] <a@b>", NULL }, { "\\a@b", NULL },
	/* section 3.2.4, quoted-string, folded too */
	{ "\" ~\x80\"@b", "| ~\x80@b" }, { "\"\x7f\"@b", NULL },
	{ "\"a\\\x01\"@b", NULL }, { "\"a[b\"@c", "|a[b@c" },
	{ "\"a\r\n b\"@c", "|a b@c" }, { "\"a\n b\"@c", "|a b@c" },
	{ "a@\"b\"", NULL }, { "a@\"b\\", NULL },
	/* section 3.4, phrases and groups */
	{ ".a <b@c>", NULL }, { ". <b@c>", NULL },
	{ "Us: You: a@b;", NULL }, { "Us: a@b c@d;", NULL },
	{ "a@b, ;", NULL }, { "Us: a@b;;", NULL },
	/* section 3.4.1, addr-spec */
	{ "a x b.c", NULL }, { "<a,b>", NULL }, { "<a.b>", NULL },
	{ "a@[x\\]y]", "|a@[x\\]y]" }, { "a@[x\x01]", NULL },
	/* section 4.4, obs-route */
	{ "<@x", NULL }, { "<@\"x\"@d>", NULL }, { "<@x:a@b>", "|a@b" },
	{ "<@[x]:a@b>", "|a@b" }, { "<@x.:a@b>", NULL },
	/* RFC 5321 section 4.5.3.1: octets of the parts */
	{ A31 "." A32 "@b", "|" A31 "." A32 "@b" },
	{ A32 "." A32 "@b", NULL }, { A64 ".b@c", NULL },
	{ "\"" A64 "\"@b", "|" A64 "@b" }, { "\"x" A64 "\"@b", NULL },
	{ "a@" D255, "|a@" D255 }, { "a@" D255 "x", NULL },
	{ "a@" D255 ".b", NULL }, { "a@" A64 "." A64 "." A64 "." A30 "." A30,
	    NULL },
	{ "a@" A64 "." A64 "." A64 "." A31 "." A28,
	    "|a@" A64 "." A64 "." A64 "." A31 "." A28 },
	{ "a@[" L253 "]", "|a@[" L253 "]" }, { "a@[" L253 "x]", NULL },
	{ "<@" D255 ":a@b>", "|a@b" }, { "<@x" D255 ":a@b>", NULL },
};

/* One mailbox alone (Sender); NULL: it is none. */
static const struct { const char *in, *want; } single[] = {
	{ "a@b", "a@b" }, { "Al <a@B>", "a@b" }, { " a@b (c) ", "a@b" },
	{ "<a@b>", "a@b" }, { "", NULL }, { "a", NULL }, { "<a@b", NULL },
	{ "a@b, c@d", NULL }, { "a@b,", NULL }, { ",a@b", NULL },
	{ "a@b;", NULL }, { "Us: a@b;", NULL }, { "Us:;", NULL },
	{ "a@b c@d", NULL }, { "a@b <c@d>", NULL },
};

struct seen {
	char	text[1024];
	int	stop;		/* after so many */
};

static int
note(void *arg, const struct mailbox *m)
{
	struct seen *s = arg;
	size_t n = strlen(s->text);

	snprintf(s->text + n, sizeof(s->text) - n, "%s%.*s|%s@%s",
	    n > 0 ? "; " : "", (int)m->name_len, m->name, m->addr.local,
	    m->addr.domain);
	return --s->stop == 0;
}

static void
test_lists(void **state)
{
	struct seen s;
	size_t i;
	int r;

	(void)state;
	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		memset(&s, 0, sizeof(s));
		r = mailbox_list_parse(lists[i].in, strlen(lists[i].in),
		    note, &s);
		if ((r >= 0) != (lists[i].want != NULL))
			fail_msg("%s: %d", lists[i].in, r);
		if (r >= 0 && strcmp(s.text, lists[i].want) != 0)
			fail_msg("%s: %s", lists[i].in, s.text);
	}
}

/* No octet behind the length is read. */
static void
test_prefixes(void **state)
{
	struct seen s;
	size_t i, len;
	char *copy;

	(void)state;
	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (len = 0; len <= strlen(lists[i].in); len++) {
			memset(&s, 0, sizeof(s));
			copy = malloc(len + 1);
			assert_non_null(copy);
			copy = realloc(copy, len > 0 ? len : 1);
			memcpy(copy, lists[i].in, len);
			mailbox_list_parse(copy, len, note, &s);
			free(copy);
		}
}

static void
test_single(void **state)
{
	char text[ADDR_MAX + 1], *copy;
	struct addr a;
	size_t len;
	int r;

	(void)state;
	for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
		len = strlen(single[i].in);
		copy = malloc(len > 0 ? len : 1);
		assert_non_null(copy);
		memcpy(copy, single[i].in, len);
		memset(&a, 'x', sizeof(a));
		r = mailbox_parse_one(copy, len, &a);
		free(copy);
		if (r != (single[i].want != NULL ? 0 : -1))
			fail_msg("%s: %d", single[i].in, r);
		if (r == 0)
			assert_string_equal(addr_join(&a, text, sizeof(text)),
			    single[i].want);
	}
}

static void
test_nul(void **state)
{
	struct seen s = { "", 0 };

	(void)state;
	assert_int_equal(mailbox_list_parse("a\0@b", 4, note, &s), -1);
	assert_int_equal(mailbox_list_parse("\"a\0\"@b", 6, note, &s), -1);
	assert_int_equal(mailbox_list_parse("\"\\\0\"@b", 6, note, &s), -1);
	assert_int_equal(mailbox_list_parse("a@b\0", 4, note, &s), -1);
	assert_string_equal(s.text, "");
}

static void
test_stop(void **state)
{
	struct seen s = { "", 2 };

	(void)state;
	assert_int_equal(mailbox_list_parse("a@b,c@d,e@f", 11, note, &s), -2);
	assert_string_equal(s.text, "|a@b; |c@d");
}

/* A megabyte of what could make a parser slow or deep. */
static void
test_large(void **state)
{
	static const char fill[] = "(\"<a,";
	const size_t len = 1 << 20;
	struct seen s = { "", 0 };
	char *text = malloc(len);
	size_t i;

	(void)state;
	assert_non_null(text);
	for (i = 0; i < sizeof(fill) - 1; i++) {
		memset(text, fill[i], len);
		assert_int_equal(mailbox_list_parse(text, len, note, &s), -1);
	}
	memset(text, '(', len / 2);
	memset(text + len / 2, ')', len / 2);
	memcpy(text + len - 3, "a@b", 3);
	text[0] = text[1] = text[2] = ' ';
	assert_int_equal(mailbox_list_parse(text, len, note, &s), 1);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_single),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_large),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
