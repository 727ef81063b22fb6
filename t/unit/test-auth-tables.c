/* SPDX-License-Identifier: ISC */
/*
 * auth/throttle.c, auth/cache.c, auth/tickets.c: with a clock of our own.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>

#include <cmocka.h>

#include "auth/cache.h"
#include "auth/throttle.h"
#include "auth/tickets.h"

#define WINDOW	60000
#define DELAY	100
#define ALICE	"alice@example.test"
#define BOB	"bob@example.test"

static struct throttle *
throttle(uint64_t address, uint64_t account, size_t slots)
{
	struct throttle_conf c = {
		.limit_address = address, .limit_account = account,
		.window = WINDOW, .delay = DELAY, .slots = slots,
	};
	struct throttle *t = throttle_new(&c);

	assert_non_null(t);
	return t;
}

static const unsigned char *
addr(const char *text)
{
	static unsigned char a[4][16];
	static unsigned int n;

	n = (n + 1) % 4;
	assert_int_equal(inet_pton(AF_INET6, text, a[n]), 1);
	return a[n];
}

static void
test_block(void **state)
{
	struct throttle *t = throttle(3, 0, 100);
	const unsigned char *a = addr("::ffff:192.0.2.1");
	uint64_t now = 1000;

	(void)state;
	assert_int_equal(throttle_wait(t, a, now), 0);
	assert_int_equal(throttle_failure(t, a, ALICE, 1, now), DELAY);
	assert_int_equal(throttle_failure(t, a, BOB, 2, now), DELAY);
	assert_int_equal(throttle_wait(t, a, now), 0);
	assert_int_equal(throttle_failure(t, a, "", 3, now), DELAY);
	assert_int_equal(throttle_wait(t, a, now), WINDOW);
	assert_int_equal(throttle_wait(t, a, now + WINDOW - 1), 1);
	/* A neighbour is not concerned. */
	assert_int_equal(throttle_wait(t, addr("::ffff:192.0.2.2"), now), 0);
	/* Failures that were on their way do not make it longer. */
	throttle_failure(t, a, ALICE, 4, now + 1000);
	assert_int_equal(throttle_wait(t, a, now + WINDOW - 1), 1);
	assert_int_equal(throttle_wait(t, a, now + WINDOW), 0);
	/* And it starts from nothing. */
	throttle_failure(t, a, ALICE, 5, now + WINDOW);
	throttle_failure(t, a, ALICE, 6, now + WINDOW);
	assert_int_equal(throttle_wait(t, a, now + WINDOW), 0);
	throttle_free(&t);
	assert_null(t);
}

static void
test_blocked(void **state)
{
	struct throttle *t = throttle(2, 0, 100);
	unsigned char a[16];
	uint64_t now = 1000;
	size_t at = 0, i, n = 0;

	(void)state;
	assert_int_equal(throttle_blocked(t, now, &at, a), 0);
	for (i = 1; i <= 2; i++) {
		throttle_failure(t, addr("::ffff:192.0.2.1"), ALICE, i, now);
		throttle_failure(t, addr("2001:db8:1:2:3::4"), ALICE, i,
		    now + 5);
	}
	throttle_failure(t, addr("::ffff:192.0.2.2"), ALICE, 1, now);
	for (at = 0; (i = throttle_blocked(t, now + 10, &at, a)) > 0; n++) {
		if (memcmp(a, addr("::ffff:192.0.2.1"), 16) == 0)
			assert_int_equal(i, WINDOW - 10);
		else {
			assert_memory_equal(a, addr("2001:db8:1:2::"), 16);
			assert_int_equal(i, WINDOW - 5);
		}
	}
	assert_int_equal(n, 2);
	at = 0;
	assert_int_equal(throttle_blocked(t, now + WINDOW, &at, a), 5);
	assert_memory_equal(a, addr("2001:db8:1:2::"), 16);
	assert_int_equal(throttle_blocked(t, now + WINDOW, &at, a), 0);
	at = 0;
	assert_int_equal(throttle_blocked(t, now + WINDOW + 5, &at, a), 0);
	throttle_free(&t);
}

static void
test_window(void **state)
{
	struct throttle *t = throttle(3, 0, 100);
	const unsigned char *a = addr("2001:db8::1");
	uint64_t now = 0;
	int i;

	(void)state;
	for (i = 0; i < 50; i++) {
		throttle_failure(t, a, ALICE, (uint64_t)i, now);
		now += WINDOW / 2;
		assert_int_equal(throttle_wait(t, a, now), 0);
	}
	throttle_free(&t);
}

static void
test_prefix(void **state)
{
	struct throttle *t = throttle(2, 0, 100);

	(void)state;
	throttle_failure(t, addr("2001:db8:1:2::1"), ALICE, 1, 5);
	throttle_failure(t, addr("2001:db8:1:2:ffff::9"), ALICE, 2, 5);
	assert_true(throttle_wait(t, addr("2001:db8:1:2:3::4"), 5) > 0);
	assert_int_equal(throttle_wait(t, addr("2001:db8:1:3::1"), 5), 0);
	throttle_free(&t);
}

static void
test_same_password(void **state)
{
	struct throttle *t = throttle(3, 3, 100);
	const unsigned char *a = addr("::ffff:192.0.2.1");
	int i;

	(void)state;
	for (i = 0; i < 100; i++)
		assert_int_equal(throttle_failure(t, a, ALICE, 7, 1), DELAY);
	assert_int_equal(throttle_wait(t, a, 1), 0);
	throttle_failure(t, a, ALICE, 8, 1);
	throttle_failure(t, a, ALICE, 9, 1);
	assert_true(throttle_wait(t, a, 1) > 0);
	throttle_free(&t);
}

static void
test_success_clears(void **state)
{
	struct throttle *t = throttle(4, 0, 100);
	const unsigned char *a = addr("::ffff:192.0.2.1");

	(void)state;
	throttle_failure(t, a, ALICE, 1, 1);
	throttle_failure(t, a, ALICE, 2, 1);
	throttle_failure(t, a, BOB, 3, 1);
	throttle_success(t, a, ALICE, 1);
	/* Bob's stays: a login of one's own does not buy new guesses. */
	throttle_failure(t, a, BOB, 4, 1);
	throttle_failure(t, a, BOB, 5, 1);
	assert_int_equal(throttle_wait(t, a, 1), 0);
	throttle_failure(t, a, BOB, 6, 1);
	assert_true(throttle_wait(t, a, 1) > 0);
	throttle_free(&t);
}

static void
test_account(void **state)
{
	struct throttle *t = throttle(100, 5, 1000);
	unsigned char home[16];
	char text[64];
	int i;

	(void)state;
	memcpy(home, addr("::ffff:192.0.2.1"), sizeof(home));
	throttle_success(t, home, ALICE, 1);
	for (i = 0; i < 5; i++) {
		snprintf(text, sizeof(text), "::ffff:198.51.100.%d", i);
		assert_int_equal(throttle_failure(t, addr(text), ALICE,
		    (uint64_t)i, 1), DELAY);
	}
	/* From here on foreign addresses wait longer and count double, */
	for (i = 0; i < 50; i++)
		assert_int_equal(throttle_failure(t,
		    addr("::ffff:203.0.113.1"), ALICE, 1000 + (uint64_t)i, 1),
		    4 * DELAY);
	assert_true(throttle_wait(t, addr("::ffff:203.0.113.1"), 1) > 0);
	/* those that logged in before do not, */
	assert_int_equal(throttle_failure(t, home, ALICE, 99, 1), DELAY);
	/* and nobody is kept from trying the right password. */
	assert_int_equal(throttle_wait(t, addr("::ffff:203.0.113.7"), 1), 0);
	assert_int_equal(throttle_wait(t, home, 1), 0);
	assert_int_equal(throttle_failure(t, addr("::ffff:203.0.113.2"),
	    BOB, 1, 1), DELAY);
	/* After the window all is as before. */
	assert_int_equal(throttle_failure(t, addr("::ffff:203.0.113.2"),
	    ALICE, 2, 1 + WINDOW), DELAY);
	throttle_free(&t);
}

/* More addresses than slots: bounded, and blocked ones are kept longest. */
static void
test_full(void **state)
{
	struct throttle *t = throttle(2, 2, 64);
	const unsigned char *a = addr("::ffff:192.0.2.1");
	unsigned char other[16];
	unsigned int i;

	(void)state;
	memcpy(other, addr("2001:db8::"), 16);
	throttle_failure(t, a, ALICE, 1, 1);
	throttle_failure(t, a, ALICE, 2, 1);
	for (i = 0; i < 100000; i++) {
		memcpy(other + 4, &i, sizeof(i));
		throttle_failure(t, other, "", i, 2);
	}
	assert_true(throttle_wait(t, a, 2) > 0);
	throttle_free(&t);
}

static void
test_cache(void **state)
{
	struct cache *c = cache_new(8, 1000);
	unsigned char d[CACHE_DIGEST] = { 1 }, other[CACHE_DIGEST] = { 1 };
	const char *app = NULL;
	unsigned int i;

	(void)state;
	other[31] = 1;
	assert_null(cache_find(c, d, 5, &app));
	cache_add(c, d, ALICE, "", 5);
	assert_string_equal(cache_find(c, d, 5, &app), ALICE);
	assert_string_equal(cache_find(c, d, 1004, &app), ALICE);
	assert_null(cache_find(c, d, 1005, &app));
	assert_null(cache_find(c, other, 5, &app));
	assert_string_equal(app, "");
	cache_add(c, d, BOB, "laptop", 10);
	assert_string_equal(cache_find(c, d, 10, &app), BOB);
	assert_string_equal(app, "laptop");
	cache_clear(c);
	assert_null(cache_find(c, d, 10, &app));
	for (i = 0; i < 10000; i++) {
		memcpy(d, &i, sizeof(i));
		cache_add(c, d, ALICE, "", 10 + i);
		assert_non_null(cache_find(c, d, 10 + i, &app));
	}
	cache_free(&c);
	assert_null(c);
	c = cache_new(8, 0);
	cache_add(c, d, ALICE, "", 5);
	assert_null(cache_find(c, d, 5, &app));
	cache_free(&c);
}

static struct ticket *
add(struct tickets *t, uint64_t client, uint32_t id, uint64_t expiry)
{
	struct ticket k = { .client = client, .id = id, .expiry = expiry };

	return tickets_add(t, &k);
}

static void
test_tickets(void **state)
{
	struct tickets *t = tickets_new(4);
	struct ticket *k;

	(void)state;
	assert_null(tickets_first(t));
	assert_null(tickets_expired(t, UINT64_MAX));
	assert_non_null(add(t, 1, 1, 100));
	assert_non_null(add(t, 1, 2, 300));
	assert_non_null(add(t, 2, 1, 200));
	assert_null(add(t, 1, 1, 100));
	assert_int_equal(errno, EEXIST);
	assert_non_null(add(t, 2, 2, 50));
	assert_null(add(t, 9, 9, 1));
	assert_int_equal(errno, ENOBUFS);
	assert_int_equal(tickets_count(t), 4);
	/* in order of expiry */
	k = tickets_first(t);
	assert_int_equal(k->expiry, 50);
	k = tickets_next(k);
	assert_int_equal(k->expiry, 100);
	k = tickets_next(k);
	assert_int_equal(k->expiry, 200);
	k = tickets_next(k);
	assert_int_equal(k->expiry, 300);
	assert_null(tickets_next(k));
	assert_null(tickets_find(t, 3, 1));
	assert_null(tickets_find(t, 1, 3));
	k = tickets_find(t, 2, 1);
	assert_int_equal(k->expiry, 200);
	tickets_remove(t, &k);
	assert_null(k);
	assert_null(tickets_find(t, 2, 1));
	assert_null(tickets_expired(t, 49));
	assert_int_equal(tickets_expired(t, 50)->id, 2);
	tickets_free(&t);
	assert_null(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_block),
		cmocka_unit_test(test_blocked),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_same_password),
		cmocka_unit_test(test_success_clears),
		cmocka_unit_test(test_account),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_cache),
		cmocka_unit_test(test_tickets),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
