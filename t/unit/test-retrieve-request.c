/* SPDX-License-Identifier: ISC */
/*
 * The reader of request heads: a table of good and hostile heads, each fed
 * whole, split at every octet, and octet by octet, with the same verdict.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "retrieve/request.h"

#define H	"Host: h\r\n"

static const struct request_limits limits = { 64, 256, 8 };

struct sample {
	const char	*text;
	size_t		 len;		/* 0: strlen() */
	unsigned	 code;		/* 0: it is good */
	size_t		 rest;		/* octets behind a good head */
};

static const struct sample samples[] = {
	{ "GET / HTTP/1.1\r\n" H "\r\n", 0, 0, 0 },
	{ "GET / HTTP/1.1\r\n" H "\r\nGET", 0, 0, 3 },
	{ "\r\nGET / HTTP/1.1\r\n" H "\r\n", 0, 0, 0 },
	{ "GET / HTTP/1.0\r\n\r\n", 0, 0, 0 },
	{ "GET / HTTP/1.7\r\n" H "\r\n", 0, 0, 0 },
	{ "FOO / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc", 0, 0, 3 },
	{ "GET / HTTP/1.1\r\nhOST:\th \r\n\r\n", 0, 0, 0 },
	{ "GET / HTTP/1.1\r\nHost: [::1]:443\r\n\r\n", 0, 0, 0 },
	{ "GET / HTTP/1.1\r\nHost: a.b-c:1\r\nX:\r\n\r\n", 0, 0, 0 },
	{ "GET / HTTP/1.1\r\n" H "X: \x80\xff\r\n\r\n", 0, 0, 0 },
	{ "GET / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", 0, 0, 0 },
	{ "GET / HTTP/1.1\r\n" H "Expect: 100-Continue\r\n\r\n", 0, 0, 0 },
	{ "GET / HTTP/1.1\r\n" H "Accept: a/b\r\nAccept: c/d\r\n\r\n", 0, 0,
	    0 },
	/* line ends */
	{ "GET / HTTP/1.1\n" H "\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\nHost: h\n\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\n" H "\n", 0, 400, 0 },
	{ "\nGET / HTTP/1.1\r\n" H "\r\n", 0, 400, 0 },
	{ "\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\nHost: h\r\r\n\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n", 0, 400, 0 },
	{ "GET /\r HTTP/1.1\r\n" H "\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\n" H "X: y\r\n z\r\n\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\n X: y\r\n" H "\r\n", 0, 400, 0 },
	/* request lines */
	{ "GET /\r\n\r\n", 0, 400, 0 },
	{ "GET\r\n\r\n", 0, 400, 0 },
	{ " GET / HTTP/1.1\r\n" H "\r\n", 0, 400, 0 },
	{ "GET  / HTTP/1.1\r\n" H "\r\n", 0, 400, 0 },
	{ "GET /  HTTP/1.1\r\n" H "\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1 \r\n" H "\r\n", 0, 400, 0 },
	{ "GET\t/ HTTP/1.1\r\n" H "\r\n", 0, 400, 0 },
	{ "G(T / HTTP/1.1\r\n" H "\r\n", 0, 400, 0 },
	{ "GET / http/1.1\r\n" H "\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.10\r\n" H "\r\n", 0, 400, 0 },
	{ "GET / HTTP/11\r\n" H "\r\n", 0, 400, 0 },
	{ "GET / HTTP/2.0\r\n" H "\r\n", 0, 505, 0 },
	{ "GET / HTTP/0.9\r\n" H "\r\n", 0, 505, 0 },
	{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0, 505, 0 },
	{ "GET /\0 HTTP/1.1\r\n" H "\r\n", 26, 400, 0 },
	{ "\x16\x03\x01\x02\r\n", 0, 400, 0 },
	/* fields */
	{ "GET / HTTP/1.1\r\nHost : h\r\n\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\n" H "X\r\n\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\n" H ": y\r\n\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\n" H "X y: z\r\n\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\n" H "X\x80: z\r\n\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\n" H "X: a\0b\r\n\r\n", 34, 400, 0 },
	{ "GET / HTTP/1.1\r\n" H "X: a\x7f\r\n\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\n" H "X: a\x01\r\n\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\n\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\n" H H "\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\nHost:\r\n\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\nHost: h:x\r\n\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\n" H "Authorization: a\r\nAuthorization: a\r\n\r\n",
	    0, 400, 0 },
	{ "GET / HTTP/1.1\r\n" H "Range: a\r\nRange: a\r\n\r\n", 0, 400, 0 },
	/* bodies */
	{ "GET / HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx", 0, 400, 0 },
	{ "OPTIONS / HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\n" H "Content-Length: +0\r\n\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\n" H "Content-Length: 0, 0\r\n\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\n" H "Content-Length: 0\r\nContent-Length: 0\r\n"
	    "\r\n", 0, 400, 0 },
	{ "FOO / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999999\r\n"
	    "\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n", 0, 400,
	    0 },
	{ "FOO / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\n" H "Expect: x\r\n\r\n", 0, 400, 0 },
	/* limits */
	{ "GET /01234567890123456789012345678901234567890123456789 HTTP/1.1\r\n"
	    H "\r\n", 0, 0, 0 },
	{ "GET /012345678901234567890123456789012345678901234567890 HTTP/1.1"
	    "\r\n" H "\r\n", 0, 414, 0 },
	{ "GET /0123456789012345678901234567890123456789012345678 HTTP/1.1\n"
	    H "\r\n", 0, 400, 0 },
	{ "GET / HTTP/1.1\r\n" H "A:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\n"
	    "\r\n", 0, 0, 0 },
	{ "GET / HTTP/1.1\r\n" H "A:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\n"
	    "A:\r\n\r\n", 0, 431, 0 },
};

/* Feed in pieces of at most `piece' octets, the first of `first'. */
static unsigned
feed(struct request *r, const struct sample *s, size_t first, size_t piece,
    size_t *rest)
{
	size_t	len = s->len != 0 ? s->len : strlen(s->text), at = 0, n, used;
	enum request_status	st = REQUEST_MORE;

	request_init(r);
	for (n = first; at < len && st == REQUEST_MORE; n = piece) {
		if (n > len - at)
			n = len - at;
		if (n == 0)
			continue;
		st = request_read(r, &limits, s->text + at, n, &used);
		assert_true(used <= n);
		if (st == REQUEST_MORE)
			assert_int_equal(used, n);
		at += used;
	}
	*rest = len - at;
	assert_int_not_equal(st, REQUEST_MORE);
	return st == REQUEST_DONE ? 0 : r->code;
}

static void
check(const struct sample *s, size_t first, size_t piece)
{
	struct request	r;
	size_t		rest;
	unsigned	code = feed(&r, s, first, piece, &rest);

	if (code != s->code)
		fail_msg("%s: %u, not %u (first %zu)", s->text, code, s->code,
		    first);
	if (code == 0)
		assert_int_equal(rest, s->rest);
	else
		assert_non_null(r.why);
	request_free(&r);
}

static void
test_samples(void **state)
{
	size_t	i, k, len;

	(void)state;
	for (i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		len = samples[i].len != 0 ? samples[i].len :
		    strlen(samples[i].text);
		check(&samples[i], len, len);
		check(&samples[i], 1, 1);
		for (k = 0; k < len; k++)
			check(&samples[i], k, len);
	}
}

/* A head of exactly the limit, and one more octet. */
static void
test_head_limit(void **state)
{
	char		text[400];
	struct sample	s = { text, 0, 0, 0 };
	size_t		n, k;

	(void)state;
	for (n = 250; n < 262; n++) {
		memset(text, 'x', sizeof(text));
		memcpy(text, "GET / HTTP/1.1\r\n" H "X: ", 28);
		memcpy(text + n - 4, "\r\n\r\n", 5);
		s.code = n <= limits.head ? 0 : 431;
		check(&s, n, n);
		check(&s, 1, 1);
		for (k = 0; k < n; k++)
			check(&s, k, n);
	}
}

/* No end of a line ever comes. */
static void
test_endless(void **state)
{
	struct request	r;
	size_t		used, i;

	(void)state;
	request_init(&r);
	for (i = 0; i < 10000; i++)
		if (request_read(&r, &limits, "a", 1, &used) != REQUEST_MORE)
			break;
	assert_int_equal(r.code, 414);
	assert_true(r.head.len <= limits.head);
	request_free(&r);
}

static void
test_values(void **state)
{
	static const struct sample s = { "HEAD /a?b HTTP/1.1\r\nHost: h:1\r\n"
	    "Accept: a/b , c/d\r\nX: 1\r\nACCEPT:\t\"x,y\", e/f \r\n"
	    "Connection: foo, Close\r\n\r\n", 0, 0, 0 };
	struct request	r;
	struct span	v, e;
	size_t		rest, at = 0;

	(void)state;
	assert_int_equal(feed(&r, &s, 1, 1, &rest), 0);
	assert_int_equal(r.method, METHOD_HEAD);
	assert_true(r.close);
	assert_true(span_is(request_method(&r), "HEAD"));
	assert_true(span_is(request_target(&r), "/a?b"));
	assert_true(span_is(request_field(&r, FIELD_HOST), "h:1"));
	assert_null(request_field(&r, FIELD_RANGE).s);
	assert_true(request_each(&r, FIELD_ACCEPT, &at, &v));
	assert_true(span_next(&v, &e) && span_is(e, "a/b"));
	assert_true(span_next(&v, &e) && span_is(e, "c/d"));
	assert_false(span_next(&v, &e));
	assert_true(request_each(&r, FIELD_ACCEPT, &at, &v));
	assert_true(span_next(&v, &e) && span_is(e, "\"x,y\""));
	assert_true(span_next(&v, &e) && span_is(e, "e/f"));
	assert_false(request_each(&r, FIELD_ACCEPT, &at, &v));
	request_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_head_limit),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_values),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
