/* SPDX-License-Identifier: ISC */
/*
 * smtpd/store_rate.c: rates by login, with a clock of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mail/addr.h"
#include "smtpd/store_rate.h"

#define HOUR	3600000ULL

static const unsigned char key[SIPHASH_KEY] = "0123456789abcdef";
static const struct addr alice = { "alice", "example.test" };

/* How many there may be at one moment. */
static unsigned
take_all(struct rate *r, const struct addr *login, enum rate_kind kind,
    uint64_t limit, uint64_t now)
{
	unsigned n = 0;

	for (; n < 100000 && rate_wait(r, login, kind, limit, now) == 0; n++)
		rate_count(r, login, kind, limit, now);
	return n;
}

static void
test_bucket(void **state)
{
	struct rate *r = rate_new(8, key, HOUR);
	uint64_t now = 5000;

	(void)state;
	assert_int_equal(take_all(r, &alice, RATE_MESSAGES, 6, now), 6);
	assert_int_equal(rate_wait(r, &alice, RATE_MESSAGES, 6, now), 600);
	/* To look does not take. */
	assert_int_equal(rate_wait(r, &alice, RATE_MESSAGES, 6, now), 600);
	now += 599001;
	assert_int_equal(rate_wait(r, &alice, RATE_MESSAGES, 6, now), 1);
	assert_int_equal(rate_wait(r, &alice, RATE_MESSAGES, 6, now + 998),
	    1);
	now += 999;
	assert_int_equal(take_all(r, &alice, RATE_MESSAGES, 6, now), 1);
	/* After half of the time half of them, after all of it all. */
	now += HOUR / 2;
	assert_int_equal(take_all(r, &alice, RATE_MESSAGES, 6, now), 3);
	now += HOUR;
	assert_int_equal(take_all(r, &alice, RATE_MESSAGES, 6, now), 6);
	now += 50 * HOUR;
	assert_int_equal(take_all(r, &alice, RATE_MESSAGES, 6, now), 6);
	rate_free(&r);
	assert_null(r);
	rate_free(&r);
}

/* What one of them does the others do not feel. */
static void
test_apart(void **state)
{
	static const struct { const char *login; bool same; } rows[] = {
		{ "alice@example.test", true }, { "ALICE@Example.Test", true },
		{ "alice@other.test", false }, { "bob@example.test", false },
		{ "alice+x@example.test", false }, { "", false },
	};
	struct rate *r;
	struct addr a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		r = rate_new(64, key, HOUR);
		addr_split(rows[i].login, &a);
		assert_int_equal(take_all(r, &alice, RATE_MESSAGES, 3, 1), 3);
		assert_int_equal(take_all(r, &a, RATE_MESSAGES, 3, 1),
		    rows[i].same ? 0 : 3);
		assert_int_equal(take_all(r, &a, RATE_RECIPIENTS, 5, 1), 5);
		rate_free(&r);
	}
}

static void
test_limits(void **state)
{
	static const struct { uint64_t limit, time; uint32_t wait; } rows[] = {
		{ 1, 1000, 1 }, { 1, HOUR, 3600 }, { 1, 24 * HOUR, 86400 },
		{ 3, 1000, 1 }, { 7, HOUR, 515 }, { 3600, HOUR, 1 },
		{ 3601, HOUR, 1 }, { 90000, 1000, 1 },
	};
	struct rate *r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		r = rate_new(8, key, rows[i].time);
		assert_int_equal(take_all(r, &alice, RATE_MESSAGES,
		    rows[i].limit, 77), rows[i].limit);
		assert_int_equal(rate_wait(r, &alice, RATE_MESSAGES,
		    rows[i].limit, 77), rows[i].wait);
		/* A wait that is kept suffices. */
		assert_int_equal(rate_wait(r, &alice, RATE_MESSAGES,
		    rows[i].limit, 77 + rows[i].wait * 1000), 0);
		rate_free(&r);
	}
	/* No limit; and the largest there is. */
	r = rate_new(8, key, 1000);
	assert_int_equal(take_all(r, &alice, RATE_MESSAGES, 0, 1), 100000);
	assert_int_equal(take_all(r, &alice, RATE_MESSAGES, 1000000000, 1),
	    100000);
	rate_free(&r);
}

/* The table keeps its size: who was not seen for longest goes. */
static void
test_bounded(void **state)
{
	struct rate *r = rate_new(7, key, HOUR);	/* one set of eight */
	struct addr a = { .domain = "example.test" };
	unsigned i;

	(void)state;
	assert_int_equal(take_all(r, &alice, RATE_MESSAGES, 2, 1000), 2);
	for (i = 1; i <= 7; i++) {
		snprintf(a.local, sizeof(a.local), "user%u", i);
		assert_int_equal(take_all(r, &a, RATE_MESSAGES, 2, 1000 + i),
		    2);
	}
	rate_count(r, &alice, RATE_RECIPIENTS, 2, 2000);
	for (; i <= 13; i++) {
		snprintf(a.local, sizeof(a.local), "user%u", i);
		assert_int_equal(take_all(r, &a, RATE_MESSAGES, 2, 1000 + i),
		    2);
	}
	assert_int_not_equal(rate_wait(r, &alice, RATE_MESSAGES, 2, 2000), 0);
	snprintf(a.local, sizeof(a.local), "user1");
	assert_int_equal(take_all(r, &a, RATE_MESSAGES, 2, 3000), 2);
	rate_free(&r);
}

/* Of refusals there is a line now and then, with their number. */
static void
test_refused(void **state)
{
	static const struct addr bob = { "bob", "example.test" };
	struct rate *r = rate_new(8, key, HOUR);
	uint64_t now = 5000;
	unsigned i;

	(void)state;
	rate_count(r, &alice, RATE_MESSAGES, 1, now);
	rate_count(r, &bob, RATE_MESSAGES, 1, now);
	assert_int_equal(rate_refused(r, &alice, RATE_MESSAGES, now), 1);
	for (i = 0; i < 50; i++)
		assert_int_equal(rate_refused(r, &alice, RATE_MESSAGES,
		    now + i), 0);
	/* Another kind, another login. */
	assert_int_equal(rate_refused(r, &alice, RATE_RECIPIENTS, now), 1);
	assert_int_equal(rate_refused(r, &bob, RATE_MESSAGES, now), 1);
	assert_int_equal(rate_refused(r, &alice, RATE_MESSAGES,
	    now + RATE_TELL - 1), 0);
	assert_int_equal(rate_refused(r, &alice, RATE_MESSAGES,
	    now + RATE_TELL), 52);
	rate_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bucket),
		cmocka_unit_test(test_apart),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
