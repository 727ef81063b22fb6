/* SPDX-License-Identifier: ISC */
/*
 * smtpd/store_ticket.c and store_author.c: who may send as whom.
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

#include "smtpd/store_author.h"
#include "smtpd/store_ticket.h"

static struct auth_ticket
ticket(unsigned n, uint32_t instance, uint64_t expiry)
{
	struct auth_ticket k;

	memset(&k, 0, sizeof(k));
	k.type = AUTH_TICKET;
	k.instance = instance;
	k.service = AUTH_SMTP;
	k.expiry = expiry;
	memcpy(k.nonce + 4, &n, sizeof(n));
	snprintf(k.user, sizeof(k.user), "user%u@example.test", n);
	return k;
}

static void
test_tickets(void **state)
{
	struct tickets *t = tickets_new();
	struct auth_ticket a = ticket(1, 7, 1000), b = ticket(2, 8, 1000);

	(void)state;
	assert_non_null(t);
	assert_null(tickets_find(t, a.nonce, 7, 0));
	assert_int_equal(tickets_put(t, &a, 0), 0);
	assert_int_equal(tickets_put(t, &b, 0), 0);
	assert_string_equal(tickets_find(t, a.nonce, 7, 0),
	    "user1@example.test");
	assert_null(tickets_find(t, a.nonce, 8, 0));
	assert_null(tickets_find(t, b.nonce, 7, 0));
	assert_non_null(tickets_find(t, b.nonce, 8, 999));
	assert_null(tickets_find(t, b.nonce, 8, 1000));
	a.nonce[15] ^= 1;
	assert_null(tickets_find(t, a.nonce, 7, 0));
	tickets_end(t, a.nonce);
	a.nonce[15] ^= 1;
	assert_non_null(tickets_find(t, a.nonce, 7, 0));
	tickets_end(t, a.nonce);
	assert_null(tickets_find(t, a.nonce, 7, 0));
	assert_non_null(tickets_find(t, b.nonce, 8, 0));
	tickets_clear(t);
	assert_null(tickets_find(t, b.nonce, 8, 0));
	tickets_free(&t);
	assert_null(t);
	tickets_free(&t);
}

/* The last word of auth on a nonce counts. */
static void
test_ticket_replaced(void **state)
{
	struct tickets *t = tickets_new();
	struct auth_ticket a = ticket(1, 7, 1000);

	(void)state;
	assert_int_equal(tickets_put(t, &a, 0), 0);
	a.instance = 9;
	a.expiry = 2000;
	assert_int_equal(tickets_put(t, &a, 0), 0);
	assert_null(tickets_find(t, a.nonce, 7, 0));
	assert_non_null(tickets_find(t, a.nonce, 9, 1500));
	tickets_end(t, a.nonce);
	assert_null(tickets_find(t, a.nonce, 9, 0));
	tickets_free(&t);
}

static void
test_many_tickets(void **state)
{
	struct tickets *t = tickets_new();
	struct auth_ticket k;
	unsigned i;

	(void)state;
	for (i = 0; i < 5000; i++) {
		k = ticket(i, 1, i < 2500 ? 10 : 1000);
		assert_int_equal(tickets_put(t, &k, 0), 0);
	}
	for (i = 0; i < 5000; i++) {
		k = ticket(i, 1, 0);
		if ((tickets_find(t, k.nonce, 1, 20) != NULL) != (i >= 2500))
			fail_msg("ticket %u", i);
	}
	tickets_free(&t);
}

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
	size_t i;

	(void)state;
	addr_split("alice@example.test", &login);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		addr_split(cases[i].addr, &a);
		if (author_owns(&login, &a) != cases[i].want)
			fail_msg("%s", cases[i].addr);
	}
	addr_split("al+ice@example.test", &login);
	addr_split("al+ice@example.test", &a);
	assert_true(author_owns(&login, &a));
	addr_split("al+ice+x@example.test", &a);
	assert_false(author_owns(&login, &a));
	addr_split("al@example.test", &a);
	assert_false(author_owns(&login, &a));
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
	};
	struct author_facts facts;
	struct addr login;
	size_t i;

	(void)state;
	addr_split("alice@example.test", &login);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (author_check(cases[i].block, strlen(cases[i].block),
		    &login, 2, &facts) != cases[i].want)
			fail_msg("%s", cases[i].block);
}

static void
test_facts(void **state)
{
	static const char both[] = "date: x\nMESSAGE-ID : y\n";
	static const char none[] = "Resent-Date: x\nMessage-Id2: y\n";
	struct author_facts facts;
	struct addr login;

	(void)state;
	addr_split("alice@example.test", &login);
	author_check(both, strlen(both), &login, 2, &facts);
	assert_true(facts.date && facts.message_id);
	author_check(none, strlen(none), &login, 2, &facts);
	assert_false(facts.date || facts.message_id);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tickets),
		cmocka_unit_test(test_ticket_replaced),
		cmocka_unit_test(test_many_tickets),
		cmocka_unit_test(test_owns),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_facts),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
