/* SPDX-License-Identifier: ISC */
/*
 * mail/maildir.c: names made and names read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mail/maildir.h"

static void
test_make(void **state)
{
	struct maildir_maker m;
	struct maildir_name n;
	char name[MAILDIR_NAME_MAX];

	(void)state;
	maildir_maker_init(&m, "host.example", 42);
	maildir_maker_next(&m, 1700000000000007ULL, 10, 12, name);
	assert_string_equal(name,
	    "1700000000.M000007P42Q1.host.example,S=10,W=12");
	assert_true(maildir_name_parse(name, &n));
	assert_int_equal(n.id_len, strcspn(name, ","));
	assert_true(n.has_size && n.has_wire);
	assert_int_equal(n.size, 10);
	assert_int_equal(n.wire, 12);
	assert_int_equal(n.flags, 0);
}

static void
test_increase(void **state)
{
	static const uint64_t clock[] = { 5000000, 5000000, 4000000, 5000001,
		5000003, 5999999, 5999999, 0 };
	struct maildir_maker m;
	char last[MAILDIR_NAME_MAX] = "", name[MAILDIR_NAME_MAX];
	size_t i;

	(void)state;
	maildir_maker_init(&m, "h", 1);
	for (i = 0; i < sizeof(clock) / sizeof(clock[0]); i++) {
		maildir_maker_next(&m, clock[i], 1, 1, name);
		assert_true(strcmp(name, last) > 0);
		memcpy(last, name, sizeof(last));
	}
}

static void
test_hosts(void **state)
{
	struct maildir_maker m;
	char host[300], name[MAILDIR_NAME_MAX];

	(void)state;
	maildir_maker_init(&m, "a/b:c,d%e f\n", 1);
	assert_string_equal(m.host, "a_b_c_d_e_f_");
	maildir_maker_init(&m, "", 1);
	assert_string_equal(m.host, "localhost");
	memset(host, 'x', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	maildir_maker_init(&m, host, UINT64_MAX);
	m.count = UINT64_MAX - 1;
	maildir_maker_next(&m, UINT64_MAX / 2, UINT64_MAX, UINT64_MAX, name);
	assert_true(strlen(name) < MAILDIR_NAME_MAX - 1);
	assert_true(strcspn(name, ",") < MAILDIR_ID_MAX);
}

static void
test_parse(void **state)
{
	static const struct parse_case {
		const char	*name;
		size_t		 id_len;	/* 0: not a message */
		int		 size, wire;	/* -1: none */
		unsigned	 flags;
	} cases[] = {
		{ "", 0, -1, -1, 0 }, { ".", 0, -1, -1, 0 },
		{ ".nfs1", 0, -1, -1, 0 }, { ":2,S", 0, -1, -1, 0 },
		{ ",S=1", 0, -1, -1, 0 }, { "a", 1, -1, -1, 0 },
		{ "a:2,", 1, -1, -1, 0 },
		{ "a:2,DFPRST", 1, -1, -1, 63 },
		{ "a:2,FSxyz", 1, -1, -1, MAILDIR_FLAGGED | MAILDIR_SEEN },
		{ "a:2,S", 1, -1, -1, MAILDIR_SEEN },
		{ "a:1,S", 1, -1, -1, 0 }, { "a:2", 1, -1, -1, 0 },
		{ "a,S=5,W=6:2,T", 1, 5, 6, MAILDIR_TRASHED },
		{ "a,W=6,U=x,S=5:2,", 1, 5, 6, 0 },
		{ "a,S=,W=", 1, -1, -1, 0 }, { "a,S=-1", 1, -1, -1, 0 },
		{ "a,S=1x", 1, -1, -1, 0 },
		{ "a,S=99999999999999999999", 1, -1, -1, 0 },
		{ "a,", 1, -1, -1, 0 }, { "a,,S=1", 1, 1, -1, 0 },
		{ "a,S=1:x,W=2", 1, 1, -1, 0 },
	};
	struct maildir_name n;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct parse_case *c = &cases[i];

		if (maildir_name_parse(c->name, &n) != (c->id_len > 0))
			fail_msg("%s", c->name);
		if (c->id_len == 0)
			continue;
		if (n.id_len != c->id_len || n.has_size != (c->size >= 0) ||
		    n.has_wire != (c->wire >= 0) || n.flags != c->flags ||
		    (n.has_size && n.size != (uint64_t)c->size) ||
		    (n.has_wire && n.wire != (uint64_t)c->wire))
			fail_msg("parts of %s", c->name);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_make),
		cmocka_unit_test(test_increase),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_parse),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
