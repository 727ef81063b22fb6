/* SPDX-License-Identifier: ISC */
/*
 * The requests that the server of metrics takes, and those it does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "admin/scrape.h"
#include "lib/buf.h"

#define H	"Host: localhost\r\n"
#define END	"\r\n"

static const struct {
	const char	*head;
	int		 code;
} rows[] = {
	{ "GET /metrics HTTP/1.1\r\n" H END, 200 },
	{ "GET /metrics HTTP/1.1\r\nHost:\r\n" END, 200 },
	{ "GET /metrics HTTP/1.1\r\nhOST:[::1]:9464 \r\n" END, 200 },
	{ "GET /metrics HTTP/1.1\r\nA: b\tc\xe4\r\n" H "X-1: \r\n" END, 200 },
	{ "GET http://localhost/metrics HTTP/1.1\r\n" H END, 200 },
	{ "GET HTTP://h:1/metrics HTTP/1.1\r\n" H END, 200 },
	/* another resource */
	{ "GET / HTTP/1.1\r\n" H END, 404 },
	{ "GET /metrics/ HTTP/1.1\r\n" H END, 404 },
	{ "GET /metrics?a HTTP/1.1\r\n" H END, 404 },
	{ "GET /Metrics HTTP/1.1\r\n" H END, 404 },
	{ "GET //metrics HTTP/1.1\r\n" H END, 404 },
	{ "GET metrics HTTP/1.1\r\n" H END, 404 },
	{ "GET http://localhost HTTP/1.1\r\n" H END, 404 },
	{ "GET /%6detrics HTTP/1.1\r\n" H END, 404 },
	/* another method */
	{ "HEAD /metrics HTTP/1.1\r\n" H END, 405 },
	{ "POST /metrics HTTP/1.1\r\n" H END, 405 },
	{ "get /metrics HTTP/1.1\r\n" H END, 405 },
	{ "OPTIONS * HTTP/1.1\r\n" H END, 405 },
	/* another version */
	{ "GET /metrics HTTP/1.0\r\n" END, 505 },
	{ "GET /metrics HTTP/2.0\r\n" H END, 505 },
	{ "GET /metrics HTTP/1.2\r\n" H END, 505 },
	/* the request line */
	{ "GET /metrics HTTP/1.1 \r\n" H END, 400 },
	{ "GET  /metrics HTTP/1.1\r\n" H END, 400 },
	{ "GET  HTTP/1.1\r\n" H END, 400 },
	{ " GET /metrics HTTP/1.1\r\n" H END, 400 },
	{ "GET /metrics  HTTP/1.1\r\n" H END, 400 },
	{ "GET\t/metrics HTTP/1.1\r\n" H END, 400 },
	{ "G(T /metrics HTTP/1.1\r\n" H END, 400 },
	{ "GET /metr\x01ics HTTP/1.1\r\n" H END, 400 },
	{ "GET /metr\xc3\xa4 HTTP/1.1\r\n" H END, 400 },
	{ "GET /metrics HTTP/1.x\r\n" H END, 400 },
	{ "GET /metrics HTTP/x.1\r\n" H END, 400 },
	{ "GET /metrics HTTP/1,1\r\n" H END, 400 },
	{ "GET /metrics http/1.1\r\n" H END, 400 },
	{ "GET /metrics HTTP/1.10\r\n" H END, 400 },
	{ "GET /metrics\r\n" H END, 400 },
	{ "\r\n" END, 400 },
	{ "GET /metrics HTTP/1.1\n" H END, 400 },
	/* fields */
	{ "GET /metrics HTTP/1.1\r\n" END, 400 },
	{ "GET /metrics HTTP/1.1\r\n" H H END, 400 },
	{ "GET /metrics HTTP/1.1\r\nHost : h\r\n" END, 400 },
	{ "GET /metrics HTTP/1.1\r\n Host: h\r\n" END, 400 },
	{ "GET /metrics HTTP/1.1\r\n" H " folded\r\n" END, 400 },
	{ "GET /metrics HTTP/1.1\r\n" H "\tfolded: x\r\n" END, 400 },
	{ "GET /metrics HTTP/1.1\r\n" H "nothing\r\n" END, 400 },
	{ "GET /metrics HTTP/1.1\r\n" H ": x\r\n" END, 400 },
	{ "GET /metrics HTTP/1.1\r\n" H "A: b\nC: d\r\n" END, 400 },
	{ "GET /metrics HTTP/1.1\r\n" H "A: b\rC: d\r\n" END, 400 },
	{ "GET /metrics HTTP/1.1\r\n" H "A: \x7f\r\n" END, 400 },
	{ "GET /metrics HTTP/1.1\r\n" H "Content-Length: 0\r\n" END, 400 },
	{ "GET /metrics HTTP/1.1\r\n" H "transfer-encoding: x\r\n" END, 400 },
	{ "GET / HTTP/1.1\r\n" END, 400 },
};

static void
test_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = strlen(rows[i].head);
		int code = scrape_judge(rows[i].head, len);

		if (code != rows[i].code)
			fail_msg("%d, not %d: %s", code, rows[i].code,
			    rows[i].head);
		assert_int_equal(scrape_head(rows[i].head, len), len);
		for (size_t n = 0; n < len; n++)
			assert_int_equal(scrape_head(rows[i].head, n), 0);
	}
}

static void
test_nul(void **state)
{
	static const char in_name[] = "GET /metrics HTTP/1.1\r\n" H
	    "A\0: b\r\n\r\n";
	static const char in_value[] = "GET /metrics HTTP/1.1\r\n" H
	    "A: b\0\r\n\r\n";

	(void)state;
	assert_int_equal(scrape_judge(in_name, sizeof(in_name) - 1), 400);
	assert_int_equal(scrape_judge(in_value, sizeof(in_value) - 1), 400);
}

/* What follows the head is not looked at. */
static void
test_the_head_ends_where_it_ends(void **state)
{
	static const char two[] = "GET /metrics HTTP/1.1\r\n" H "\r\n"
	    "GET / HTTP/1.1\r\n\r\n";

	(void)state;
	assert_int_equal(scrape_head(two, sizeof(two) - 1),
	    strlen("GET /metrics HTTP/1.1\r\n" H "\r\n"));
}

static void
test_replies(void **state)
{
	static const int codes[] = { 400, 404, 405, 408, 431, 503, 505 };
	struct buf b, body;
	char start[32];

	(void)state;
	buf_init(&body, 100);
	assert_int_equal(buf_add(&body, "# EOF\n", 6), 0);
	buf_init(&b, 4096);
	assert_int_equal(scrape_reply(&b, 200, &body, 784111777), 0);
	assert_int_equal(buf_add(&b, "", 1), 0);
	assert_non_null(strstr((const char *)buf_data(&b),
	    "\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
	assert_non_null(strstr((const char *)buf_data(&b), "\r\nContent-Type: "
	    "application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"));
	assert_non_null(strstr((const char *)buf_data(&b),
	    "\r\nContent-Length: 6\r\n"));
	assert_non_null(strstr((const char *)buf_data(&b),
	    "\r\n\r\n# EOF\n"));
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		buf_free(&b);
		assert_int_equal(scrape_reply(&b, codes[i], NULL, 0), 0);
		assert_int_equal(buf_add(&b, "", 1), 0);
		snprintf(start, sizeof(start), "HTTP/1.1 %d ", codes[i]);
		assert_memory_equal(buf_data(&b), start, strlen(start));
		assert_int_equal(codes[i] == 405, strstr((const char *)
		    buf_data(&b), "\r\nAllow: GET\r\n") != NULL);
		assert_int_equal(codes[i] == 400, strstr((const char *)
		    buf_data(&b), "Bad Request") != NULL);
	}
	buf_free(&b);
	buf_free(&body);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_the_head_ends_where_it_ends),
		cmocka_unit_test(test_replies),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
