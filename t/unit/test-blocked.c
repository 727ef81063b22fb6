/* SPDX-License-Identifier: ISC */
/*
 * lib/blocked.c: with a clock of our own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>

#include <cmocka.h>

#include "lib/blocked.h"

static const unsigned char *
addr(const char *text)
{
	static unsigned char a[4][16];
	static unsigned int n;

	n = (n + 1) % 4;
	assert_int_equal(inet_pton(AF_INET6, text, a[n]), 1);
	return a[n];
}

static struct blocked *
table(size_t slots)
{
	static const unsigned char key[SIPHASH_KEY] = "0123456789abcde";
	struct blocked *b = blocked_new(slots, key);

	assert_non_null(b);
	return b;
}

static void
test_time(void **state)
{
	const unsigned char *a = addr("::ffff:192.0.2.1");
	struct blocked *b = table(16);

	(void)state;
	assert_int_equal(blocked_wait(b, a, 0), 0);
	assert_int_equal(blocked_wait(b, a, 100), 0);
	blocked_set(b, a, 1100);
	assert_int_equal(blocked_wait(b, a, 100), 1000);
	assert_int_equal(blocked_wait(b, a, 1099), 1);
	assert_int_equal(blocked_wait(b, a, 1100), 0);
	assert_int_equal(blocked_wait(b, a, 5000), 0);
	/* Told anew: the new time counts, in one entry. */
	blocked_set(b, a, 6000);
	assert_int_equal(blocked_wait(b, a, 5000), 1000);
	blocked_set(b, a, 5500);
	assert_int_equal(blocked_wait(b, a, 5000), 500);
	assert_int_equal(blocked_wait(b, addr("::ffff:192.0.2.2"), 5000), 0);
	blocked_clear(b);
	assert_int_equal(blocked_wait(b, a, 5000), 0);
	blocked_free(&b);
	assert_null(b);
	blocked_free(&b);
}

static void
test_prefix(void **state)
{
	struct blocked *b = table(16);

	(void)state;
	blocked_set(b, addr("2001:db8:1:2:3:4:5:6"), 1000);
	assert_int_equal(blocked_wait(b, addr("2001:db8:1:2::"), 0), 1000);
	assert_int_equal(blocked_wait(b, addr("2001:db8:1:2:ffff::"), 0),
	    1000);
	assert_int_equal(blocked_wait(b, addr("2001:db8:1:3:3:4:5:6"), 0), 0);
	/* The whole of an IPv4 address counts, and it is no IPv6 prefix. */
	blocked_set(b, addr("::ffff:192.0.2.1"), 1000);
	assert_int_equal(blocked_wait(b, addr("::ffff:192.0.2.0"), 0), 0);
	assert_int_equal(blocked_wait(b, addr("::1"), 0), 0);
	blocked_free(&b);
}

/* The table does not grow, and who is longest in it stays. */
static void
test_full(void **state)
{
	struct blocked *b = table(0);	/* one set of eight */
	unsigned char a[16] = { 0 };
	unsigned i, n = 0;

	(void)state;
	a[10] = a[11] = 0xff;
	for (i = 0; i < 200; i++) {
		a[15] = (unsigned char)i;
		blocked_set(b, a, 1000 + (i * 7) % 200);
	}
	for (i = 0; i < 200; i++) {
		a[15] = (unsigned char)i;
		if (blocked_wait(b, a, 0) == 0)
			continue;
		n++;
		assert_true(i == 199 || (i * 7) % 200 >= 192);
	}
	assert_int_equal(n, 8);
	blocked_free(&b);
}

static void
test_count(void **state)
{
	const unsigned char *a = addr("::ffff:192.0.2.1");
	struct blocked *b = table(16);
	unsigned i;

	(void)state;
	assert_int_equal(blocked_count(b, a, 100), 0);
	blocked_set(b, a, 100000);
	assert_int_equal(blocked_count(b, a, 100), 1);
	for (i = 0; i < 50; i++)
		assert_int_equal(blocked_count(b, a, 101 + i), 0);
	assert_int_equal(blocked_count(b, a, 100 + BLOCKED_TELL - 1), 0);
	assert_int_equal(blocked_count(b, a, 100 + BLOCKED_TELL), 52);
	assert_int_equal(blocked_count(b, a, 101 + BLOCKED_TELL), 0);
	assert_int_equal(blocked_count(b, a, 100 + 3 * BLOCKED_TELL), 2);
	/* One address says nothing of another. */
	blocked_set(b, addr("::ffff:192.0.2.2"), 100000);
	assert_int_equal(blocked_count(b, addr("::ffff:192.0.2.2"),
	    101 + 3 * BLOCKED_TELL), 1);
	blocked_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_count),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
