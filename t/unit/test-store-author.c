/* SPDX-License-Identifier: ISC */
/*
 * smtpd/store_author.c: who may send as whom.
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

#include "lib/conf.h"
#include "mail/alias.h"
#include "smtpd/store_author.h"

static void
test_owns(void **state)
{
	static const struct { const char *addr; bool want; } cases[] = {
		{ "alice@example.test", true },
		{ "Alice@Example.TEST", true },
		{ "alice+x@example.test", true },
		{ "alice+x+y@example.test", true },
		{ "alice+@example.test", true },
		{ "alicex@example.test", false },
		{ "alic@example.test", false },
		{ "+alice@example.test", false },
		{ "alice@example.tes", false },
		{ "alice@x.example.test", false },
		{ "alice", false }, { "", false }, { "postmaster", false },
	};
	struct addr login, a;
	const struct author who = { &login, NULL };
	size_t i;

	(void)state;
	addr_split("alice@example.test", &login);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		addr_split(cases[i].addr, &a);
		if (author_owns(&who, &a) != cases[i].want)
			fail_msg("%s", cases[i].addr);
	}
	addr_split("al+ice@example.test", &login);
	addr_split("al+ice@example.test", &a);
	assert_true(author_owns(&who, &a));
	addr_split("al+ice+x@example.test", &a);
	assert_false(author_owns(&who, &a));
	addr_split("al@example.test", &a);
	assert_false(author_owns(&who, &a));
}

/* Letters beyond ASCII: any spelling of the login's own address. */
static void
test_owns_utf8(void **state)
{
	static const struct { const char *addr; bool want; } cases[] = {
		{ "j\xc3\xb6rg@xn--mller-kva.test", true },
		{ "j\xc3\xb6rg@m\xc3\xbcller.test", true },
		{ "Jo\xcc\x88rg@M\xc3\x9cLLER.test", true },
		{ "jo\xcc\x88rg+x\xc3\xa4@mu\xcc\x88ller.test", true },
		{ "j\xc3\x96rg@m\xc3\xbcller.test", false },
		{ "jorg@m\xc3\xbcller.test", false },
		{ "j\xc3\xb6rg@muller.test", false },
		{ "j\xf6rg@m\xc3\xbcller.test", false },
		{ "j\xc3\xb6rg@m\xfcller.test", false },
		{ "j\xc3\xb6rg\xe2\x80\xae@m\xc3\xbcller.test", false },
		{ "j\xc3\xb6rg@m\xc3\xbcller.\xe2\x98\x83", false },
	};
	struct addr login, a;
	const struct author who = { &login, NULL };
	size_t i;

	(void)state;
	addr_split("j\xc3\xb6rg@xn--mller-kva.test", &login);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		addr_split(cases[i].addr, &a);
		if (author_owns(&who, &a) != cases[i].want)
			fail_msg("%s", cases[i].addr);
	}
}

static void
test_check_utf8(void **state)
{
	static const char ours[] = "From: J\xc3\xb6rg\n "
	    "<jo\xcc\x88rg@m\xc3\xbcller.test>, j\xc3\xb6rg+x@XN--MLLER-KVA"
	    ".test\n";
	static const char theirs[] = "From: j\xc3\xb6rg@m\xc3\xbcller.test, "
	    "j\xc3\xb6rk@m\xc3\xbcller.test\n";
	struct author_facts facts;
	struct addr login;
	const struct author who = { &login, NULL };

	(void)state;
	addr_split("j\xc3\xb6rg@xn--mller-kva.test", &login);
	assert_int_equal(author_check(ours, strlen(ours), &who, 2, &facts),
	    STORE_OK);
	assert_int_equal(author_check(theirs, strlen(theirs), &who, 2,
	    &facts), STORE_NOT_AUTHOR);
}

static void
test_check(void **state)
{
	static const struct { const char *block; enum store_status want; }
	cases[] = {
		{ "", STORE_OK },
		{ "Subject: x\n", STORE_OK },
		{ "From: alice@example.test\n", STORE_OK },
		{ "from : Al\n <ALICE+x@example.test>\n", STORE_OK },
		{ "From: alice@example.test, alice+b@example.test\n",
		    STORE_OK },
		{ "From: bob@example.test\n", STORE_NOT_AUTHOR },
		{ "From: \"alice@example.test\" <bob@example.test>\n",
		    STORE_NOT_AUTHOR },
		{ "From: alice@example.test, bob@example.test\n",
		    STORE_NOT_AUTHOR },
		{ "From: (alice@example.test) bob@example.test\n",
		    STORE_NOT_AUTHOR },
		{ "From: g: bob@example.test;\n", STORE_NOT_AUTHOR },
		{ "From: g:;\n", STORE_NOT_AUTHOR },
		{ "From:\n", STORE_BAD_HEADER },
		{ "From: <>\n", STORE_BAD_HEADER },
		{ "From: alice\n", STORE_BAD_HEADER },
		{ "From: alice@example.test bob@example.test\n",
		    STORE_BAD_HEADER },
		{ "From: alice@example.test\nFrom: alice@example.test\n",
		    STORE_BAD_HEADER },
		{ "From: alice@example.test\nX: y\nFROM: bob@example.test\n",
		    STORE_BAD_HEADER },
		{ "From: bob@example.test\nFrom: alice@example.test\n",
		    STORE_BAD_HEADER },
		{ "Received: a\nReceived: b\n", STORE_OK },
		{ "Received: a\nreceived: b\nRECEIVED : c\n", STORE_LOOP },
		{ "X-From: bob@example.test\nFromm: bob@example.test\n",
		    STORE_OK },
		{ "Sender: alice@example.test\n", STORE_OK },
		{ "SENDER : (c) Al <ALICE+x@example.test>\n", STORE_OK },
		{ "From: alice@example.test\nSender: bob@example.test\n",
		    STORE_NOT_AUTHOR },
		{ "Sender: bob@example.test\nFrom: alice@example.test\n",
		    STORE_NOT_AUTHOR },
		{ "Sender: alice@example.test\nFrom: bob@example.test\n",
		    STORE_NOT_AUTHOR },
		{ "From: bob@example.test\nSender: alice\n",
		    STORE_BAD_HEADER },
		{ "Sender: bob@example.test\nFrom: alice\n",
		    STORE_BAD_HEADER },
		{ "Sender:\n", STORE_BAD_HEADER },
		{ "Sender: <>\n", STORE_BAD_HEADER },
		{ "Sender: alice@example.test, alice@example.test\n",
		    STORE_BAD_HEADER },
		{ "Sender: alice@example.test,\n", STORE_BAD_HEADER },
		{ "Sender: ,alice@example.test\n", STORE_BAD_HEADER },
		{ "Sender: g: alice@example.test;\n", STORE_BAD_HEADER },
		{ "Sender: alice@example.test;\n", STORE_BAD_HEADER },
		{ "Sender: g:;\n", STORE_BAD_HEADER },
		{ "Sender: g:\n", STORE_BAD_HEADER },
		{ "From: bob@example.test\nSender: alice@example.test\n",
		    STORE_NOT_AUTHOR },
		{ "From: alice\nSender: bob@example.test\n",
		    STORE_BAD_HEADER },
		{ "Sender: alice@example.test\nSender: "
		    "alice@example.test\n", STORE_BAD_HEADER },
		{ "Resent-From: bob@example.test\nResent-Sender: x\n"
		    "Resent-Sender: bob@example.test\n"
		    "From: alice@example.test\n", STORE_OK },
	};
	struct author_facts facts;
	struct addr login;
	const struct author who = { &login, NULL };
	size_t i;

	(void)state;
	addr_split("alice@example.test", &login);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (author_check(cases[i].block, strlen(cases[i].block),
		    &who, 2, &facts) != cases[i].want)
			fail_msg("%s", cases[i].block);
}

/* What aliases add: dan, erin and frank belong to no one here. */
static const char aliases[] = "sales: alice, bob\nall: sales, dan\n"
    "bob: alice\ndan: dan, alice\nsales+eu: dan\nerin: frank\n"
    "x: y, alice\ny: x, alice\n@example.test: alice\n";

static void
no_fault(void *arg, size_t line, const char *text)
{
	(void)arg;
	assert_in_range(line, 7, 8);
	assert_non_null(strstr(text, "loop"));
}

static void
test_owns_by_alias(void **state)
{
	static const struct { const char *addr; bool want; } rows[] = {
		{ "alice", true }, { "alice+t", true }, { "sales", true },
		{ "SALES", true }, { "sales+t", true }, { "sales+t+u", true },
		{ "sales+eu", true }, { "sales+eu+t", true },
		{ "all", true }, { "all+t", true }, { "bob", true },
		{ "bob+t", true }, { "dan", true }, { "erin", false },
		{ "frank", false }, { "erin+t", false }, { "x", false },
		{ "y", false }, { "nobody", false }, { "sale", false },
		{ "+sales", false }, { "", false },
	};
	static char domain[] = "example.test", *domains[] = { domain };
	static const struct conf conf = { .domains = { domains, 1 },
	    .alias_members = 100, .alias_depth = 10 };
	struct author_facts facts;
	struct addr login, a;
	struct author who = { &login, NULL };
	char text[200];
	size_t i;

	(void)state;
	who.aliases = alias_read(aliases, strlen(aliases), &conf, no_fault,
	    NULL);
	addr_split("alice@example.test", &login);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "%s@example.test", rows[i].addr);
		addr_split(text, &a);
		if (author_owns(&who, &a) != rows[i].want)
			fail_msg("%s", text);
		if (rows[i].addr[0] == '\0' || rows[i].addr[0] == '+')
			continue;
		snprintf(text, sizeof(text), "From: alice@example.test, "
		    "%s@example.test\nSender: %s@example.test\n",
		    rows[i].addr, rows[i].addr);
		assert_int_equal(author_check(text, strlen(text), &who, 1,
		    &facts), rows[i].want ? STORE_OK : STORE_NOT_AUTHOR);
	}
	/* With a name of its own what has a tag is another's. */
	addr_split("frank@example.test", &login);
	addr_split("erin@example.test", &a);
	assert_true(author_owns(&who, &a));
	addr_split("dan@example.test", &login);
	addr_split("sales+eu@example.test", &a);
	assert_true(author_owns(&who, &a));
	addr_split("sales+us@example.test", &a);
	assert_false(author_owns(&who, &a));
	addr_split("bob@example.test", &login);
	addr_split("sales+eu@example.test", &a);
	assert_false(author_owns(&who, &a));
	addr_split("sales+us@example.test", &a);
	assert_false(author_owns(&who, &a));
	addr_split("alice@example.test", &a);
	assert_false(author_owns(&who, &a));
	alias_free(&who.aliases);
}

static void
test_facts(void **state)
{
	static const char both[] = "date: x\nMESSAGE-ID : y\n";
	static const char none[] = "Resent-Date: x\nMessage-Id2: y\n";
	struct author_facts facts;
	struct addr login;
	const struct author who = { &login, NULL };

	(void)state;
	addr_split("alice@example.test", &login);
	author_check(both, strlen(both), &who, 2, &facts);
	assert_true(facts.date && facts.message_id);
	author_check(none, strlen(none), &who, 2, &facts);
	assert_false(facts.date || facts.message_id);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_owns),
		cmocka_unit_test(test_owns_utf8),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_check_utf8),
		cmocka_unit_test(test_owns_by_alias),
		cmocka_unit_test(test_facts),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
