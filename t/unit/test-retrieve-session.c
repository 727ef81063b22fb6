/* SPDX-License-Identifier: ISC */
/*
 * The HTTP engine with helpers played by the test: whole conversations, each
 * fed whole, split at every octet, and octet by octet, with the same
 * replies, octet for octet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/str.h"
#include "retrieve/session.h"

#define H	"Host: h\r\n"
#define A	"Authorization: Basic YTpi\r\n"		/* a:b */
#define BAD	"Authorization: Basic YTpj\r\n"
#define SLOW	"Authorization: Basic YTpk\r\n"
#define AWAY	"Authorization: Basic YTpl\r\n"
#define BODY	"0123456789abcdef"

static const char body[] = BODY;
static const char *const hosts[] = { "us.test", "[::1]", NULL };
static const struct session_conf conf = {
	.limits = { 200, 1000, 20 }, .requests = 5, .list_default = 3,
	.realm = "d.test", .hosts = hosts, .openapi = "openapi: 3.1.0\n"
};

static void
play_login(struct session *s)
{
	struct span	v = session_credentials(s);
	char		last = v.len > 0 ? v.s[v.len - 1] : '\0';

	if (last == 'i')
		session_login(s, SESSION_ADMITTED, "a@d.test", 0);
	else if (last == 'm')
		session_login(s, SESSION_ADMITTED, "b@d.test", 0);
	else if (last == 'k')
		session_login(s, SESSION_THROTTLED, NULL, 17);
	else if (last == 'l')
		session_login(s, SESSION_UNSURE, NULL, 0);
	else
		session_login(s, SESSION_REJECTED, NULL, 0);
}

static void
play_list(struct session *s)
{
	struct reader_listed	h;
	struct reader_row	row;
	uint32_t		i;

	memset(&h, 0, sizeof(h));
	memset(&row, 0, sizeof(row));
	h.status = READER_OK;
	h.total = 2;
	h.count = 2;
	str_copy(h.next, sizeof(h.next), "next");
	if (strcmp(s->query->after, "gone") == 0)
		h.status = READER_NO_CURSOR;
	if (strcmp(s->query->after, "none") == 0)
		h.count = 0;
	if (h.status != READER_OK || s->peek) {
		session_listed(s, &h);
		return;
	}
	session_listed(s, &h);
	for (i = 0; i < h.count && s->state == SESSION_LIST; i++) {
		(void)snprintf(row.message, sizeof(row.message), "m%u", i);
		session_row(s, &row);
	}
}

static void
play_open(struct session *s)
{
	struct reader_opened	o;

	memset(&o, 0, sizeof(o));
	o.status = strcmp(s->id, "1.x") == 0 ? READER_OK : READER_NO_MESSAGE;
	o.stored = o.size = sizeof(BODY) - 1;
	o.received = 784111777;
	o.tag[0] = 0xab;
	session_opened(s, &o);
}

/* Do what the engine asks for until it wants input or ends. */
static void
play(struct session *s, struct buf *out)
{
	for (;;) {
		if (s->out.len > 0)
			assert_int_equal(buf_add(out, buf_data(&s->out),
			    s->out.len), 0);
		buf_free(&s->out);
		if (!s->fresh)
			return;
		s->fresh = false;
		s->now = 784111777;
		switch (s->state) {
		case SESSION_LOGIN:
			play_login(s);
			break;
		case SESSION_LIST:
			play_list(s);
			break;
		case SESSION_OPEN:
			play_open(s);
			break;
		case SESSION_PING:
			session_pinged(s, true);
			break;
		case SESSION_BLOCK:
			session_block(s, "A: b\n\nx", 7);
			break;
		case SESSION_BODY:
			assert_true(s->file.raw);
			assert_int_equal(buf_add(out, &body[s->file.first],
			    s->file.length), 0);
			session_sent(s);
			break;
		default:
			return;
		}
	}
}

/* Feed the text, its first `first' octets alone. NUL-terminated replies. */
static void
run(const char *text, size_t first, size_t piece, struct buf *out)
{
	struct session	s;
	size_t		len = strlen(text), at = 0, n, used;

	session_init(&s, &conf);
	s.fresh = false;
	s.now = 784111777;
	buf_init(out, 1 << 20);
	for (n = first; at < len && s.state != SESSION_OVER; n = piece) {
		n = n > len - at ? len - at : n;
		while (n > 0 && s.state != SESSION_OVER) {
			used = session_input(&s, (const unsigned char *)text +
			    at, n);
			play(&s, out);
			assert_true(used > 0 && used <= n);
			at += used;
			n -= used;
		}
	}
	if (s.state == SESSION_OVER)
		assert_int_equal(buf_add(out, "<closed>", 8), 0);
	assert_int_equal(buf_add(out, "", 1), 0);
	session_free(&s);
}

static const char *
next_reply(const char *p)
{
	while (p != NULL && (p = strstr(p, "HTTP/1.1 ")) != NULL &&
	    (p[9] < '2' || p[9] > '5'))
		p++;
	return p;
}

/* Do the replies have these codes, and nothing but them? */
static void
check(const char *text, const char *codes, bool closes)
{
	struct buf	 out, other;
	const char	*p;
	size_t		 k, n = 0, len = strlen(text);

	run(text, len, len, &out);
	for (p = next_reply((const char *)buf_data(&out)); p != NULL;
	    p = next_reply(p + 9), n += 4)
		if (strncmp(p + 9, codes + n, 3) != 0)
			fail_msg("%s:\n%s\nnot %s", text, p, codes);
	if (n != strlen(codes) + 1)
		fail_msg("%s: too few or many replies:\n%s", text,
		    (const char *)buf_data(&out));
	p = (const char *)buf_data(&out);
	if ((strstr(p, "<closed>") != NULL) != closes)
		fail_msg("%s: close", text);
	for (k = 0; k < len; k++) {
		run(text, k, k == 0 ? 1 : len, &other);
		if (other.len != out.len || memcmp(buf_data(&other), p,
		    out.len) != 0)
			fail_msg("%s: differs when cut at %zu", text, k);
		buf_free(&other);
	}
	buf_free(&out);
}

#define GET(target, fields) \
	"GET " target " HTTP/1.1\r\n" H fields "\r\n"

static const struct {
	const char	*text, *codes;
	bool		 closes;
} talks[] = {
	{ GET("/healthz", ""), "200", false },
	{ GET("/healthz?a=b", ""), "400", false },
	{ GET("/healthz", "Accept: text/html\r\n"), "406", false },
	{ GET("/openapi.yaml", ""), "200", false },
	{ GET("/", ""), "401", false },
	{ GET("/", A), "404", false },
	{ GET("/nope", ""), "401", false },
	{ GET("/nope", A), "404", false },
	{ GET("/mail/", ""), "401", false },
	{ GET("/mail/", BAD), "401", false },
	{ GET("/mail/", SLOW), "429", false },
	{ GET("/mail/", AWAY), "503", false },
	{ GET("/mail/", "Authorization: Bearer x\r\n"), "401", false },
	{ GET("/mail/", A), "200", false },
	{ GET("/mail/?limit=2", A), "200", false },
	{ GET("/mail/?after=none", A), "200", false },
	{ GET("/mail/?after=gone", A), "410", false },
	{ GET("/mail/?limit=0", A), "400", false },
	{ GET("/mail/?limit=0", ""), "401", false },
	{ GET("/mail/", A "Accept: text/html\r\n"), "406", false },
	{ GET("/mail/", A "If-None-Match: *\r\n"), "304", false },
	{ GET("/mail/", A "If-None-Match: \"x\"\r\n"), "200", false },
	{ GET("/mail/1.x", A), "200", false },
	{ GET("/mail/1.x?x=1", A), "400", false },
	{ GET("/mail/1.x", A "Accept: text/plain\r\n"), "406", false },
	{ GET("/mail/1.x", A "Range: bytes=1-2\r\n"), "206", false },
	{ GET("/mail/1.x", A "Range: bytes=99-\r\n"), "416", false },
	{ GET("/mail/1.x", A "If-Match: \"x\"\r\n"), "412", false },
	{ GET("/mail/2.x", A), "404", false },
	{ GET("/mail/1.x/headers", A), "200", false },
	{ GET("/mail/../x", A), "400", false },
	{ GET("/mail/%2e%2e", A), "400", false },
	{ GET("*", A), "400", false },
	{ GET("/mail/", A "Sec-Fetch-Site: cross-site\r\n"), "403",
	    false },
	{ GET("/", A "Sec-Fetch-Site: cross-site\r\n"), "404", false },
	{ GET("/healthz", "Sec-Fetch-Site: none\r\n"), "200", false },
	{ "OPTIONS * HTTP/1.1\r\n" H "\r\n", "204", false },
	{ "OPTIONS /mail/ HTTP/1.1\r\n" H A "\r\n", "204", false },
	{ "OPTIONS /mail/ HTTP/1.1\r\n" H "\r\n", "401", false },
	{ "OPTIONS /nope HTTP/1.1\r\n" H A "\r\n", "404", false },
	{ "POST /mail/ HTTP/1.1\r\n" H "\r\n", "405", false },
	{ "POST /mail/ HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nab",
	    "405", true },
	{ "CONNECT h:1 HTTP/1.1\r\n" H "\r\n", "405", false },
	{ "get / HTTP/1.1\r\n" H "\r\n", "405", false },
	{ GET("https://us.test/healthz", ""), "421", false },
	{ "GET https://us.test/healthz HTTP/1.1\r\nHost: us.test\r\n"
	    "\r\n", "200", false },
	{ "GET https://US.test:1/healthz HTTP/1.1\r\nHost: us.TEST:1"
	    "\r\n\r\n", "200", false },
	{ "GET https://[::1]:1/healthz HTTP/1.1\r\nHost: [::1]:1\r\n"
	    "\r\n", "200", false },
	{ "GET http://us.test/healthz HTTP/1.1\r\nHost: us.test\r\n"
	    "\r\n", "421", false },
	{ "GET https://x.test/healthz HTTP/1.1\r\nHost: x.test\r\n"
	    "\r\n", "421", false },
	{ GET("/healthz", "Connection: close\r\n"), "200", true },
	{ "GET /healthz HTTP/1.0\r\n\r\n", "200", true },
	{ "GET /healthz HTTP/1.1\r\n\r\n", "400", true },
	{ "GET /healthz HTTP/2.0\r\n\r\n", "505", true },
	/* pipelines; five requests a connection */
	{ GET("/healthz", "") GET("/nope", "") GET("/mail/1.x", A),
	    "200 401 200", false },
	{ GET("/healthz", "") "x\r\n" GET("/healthz", ""), "200 400",
	    true },
	{ GET("/healthz", "") GET("/healthz", "") GET("/healthz", "")
	    GET("/healthz", "") GET("/healthz", "")
	    GET("/healthz", ""), "200 200 200 200 200", true },
};

static void
test_codes(void **state)
{
	size_t	i;

	(void)state;
	for (i = 0; i < sizeof(talks) / sizeof(talks[0]); i++)
		check(talks[i].text, talks[i].codes, talks[i].closes);
}

/* What every reply must have, and HEAD as GET. */
static void
test_fields(void **state)
{
	static const char *const always[] = {
		"\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
		"\r\nX-Content-Type-Options: nosniff\r\n",
		"\r\nStrict-Transport-Security: max-age=",
		"\r\nReferrer-Policy: no-referrer\r\n",
		"\r\nContent-Security-Policy: default-src 'none'",
		"\r\nVary: Accept, Authorization\r\n",
		"\r\nCross-Origin-Resource-Policy: same-origin\r\n",
		"\r\nCache-Control: ",
	}, *const targets[] = {
		" /healthz HTTP/1.1\r\n" H "\r\n",
		" /mail/ HTTP/1.1\r\n" H A "\r\n",
		" /mail/ HTTP/1.1\r\n" H A "Accept: application/json\r\n\r\n",
		" /mail/1.x HTTP/1.1\r\n" H A "\r\n",
		" /mail/1.x HTTP/1.1\r\n" H A "If-None-Match: *\r\n\r\n",
		" /mail/1.x/headers HTTP/1.1\r\n" H A "\r\n",
		" /mail/9 HTTP/1.1\r\n" H A "\r\n",
		" /mail/ HTTP/1.1\r\n" H "\r\n",
		" /mail/ HTTP/1.1\r\n\r\n",
		" /mail/ HTTP/1.1\r\n" H A "Accept: a/b\r\n\r\n",
		" /openapi.yaml HTTP/1.1\r\n" H "\r\n",
	};
	char		 text[500];
	struct buf	 get, head;
	const char	*p, *end;
	size_t		 i, k;

	(void)state;
	for (i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		(void)snprintf(text, sizeof(text), "GET%s", targets[i]);
		run(text, strlen(text), 1, &get);
		(void)snprintf(text, sizeof(text), "HEAD%s", targets[i]);
		run(text, strlen(text), 1, &head);
		p = (const char *)buf_data(&get);
		for (k = 0; k < sizeof(always) / sizeof(always[0]); k++)
			if (strstr(p, always[k]) == NULL)
				fail_msg("%s lacks %s", targets[i], always[k]);
		end = strstr(p, "\r\n\r\n") + 4;
		assert_memory_equal(p, buf_data(&head), (size_t)(end - p));
		p = (const char *)buf_data(&head) + (end - p);
		assert_true(*p == '\0' || strcmp(p, "<closed>") == 0);
		buf_free(&get);
		buf_free(&head);
	}
}

/* The form of errors, and that 404 says nothing. */
static void
test_errors(void **state)
{
	struct buf	a, b;

	(void)state;
	run(GET("/mail/?x=1", A "Accept: application/json\r\n"), 1, 1, &a);
	assert_non_null(strstr((const char *)buf_data(&a),
	    "\r\nContent-Type: application/problem+json\r\n"));
	assert_non_null(strstr((const char *)buf_data(&a),
	    "{\"type\":\"about:blank\",\"title\":\"Bad Request\","
	    "\"status\":400,\"detail\":\"unknown parameter \\\"x\\\"\"}\n"));
	buf_free(&a);
	run("GET /mail/ HTTP/1.1\r\nAccept: application/json\r\n\r\n", 1, 1,
	    &a);
	assert_non_null(strstr((const char *)buf_data(&a),
	    "\"status\":400,\"detail\":\"no Host\"}\n"));
	buf_free(&a);
	run(GET("/mail/?x=1", A), 1, 1, &a);
	assert_non_null(strstr((const char *)buf_data(&a),
	    "\r\n\r\n400 Bad Request: unknown parameter \"x\"\n"));
	buf_free(&a);
	run(GET("/mail/9", A), 1, 1, &a);
	run(GET("/mail/.ssh", A), 1, 1, &b);
	assert_string_equal((const char *)buf_data(&a),
	    (const char *)buf_data(&b));
	buf_free(&a);
	buf_free(&b);
	run(GET("/mail/", SLOW), 1, 1, &a);
	assert_non_null(strstr((const char *)buf_data(&a),
	    "\r\nRetry-After: 17\r\n"));
	buf_free(&a);
	run(GET("/mail/", ""), 1, 1, &a);
	assert_non_null(strstr((const char *)buf_data(&a), "\r\n"
	    "WWW-Authenticate: Basic realm=\"d.test\", charset=\"UTF-8\"\r\n"));
	buf_free(&a);
}

static void
etag_of(const char *text, char dst[SESSION_ETAG])
{
	struct buf	a;
	const char	*s;

	run(text, 1, 1, &a);
	assert_non_null(s = strstr((const char *)buf_data(&a), "\r\nETag: "));
	assert_int_equal(str_copyn(dst, SESSION_ETAG, s + 8,
	    strcspn(s + 8, "\r")), 0);
	buf_free(&a);
}

/* Two mailboxes may look alike: one's tag is not the other's. */
static void
test_tags(void **state)
{
	char	a[SESSION_ETAG], again[SESSION_ETAG], b[SESSION_ETAG];

	(void)state;
	etag_of(GET("/mail/", A), a);
	etag_of(GET("/mail/", A), again);
	etag_of(GET("/mail/", "Authorization: m\r\n"), b);
	assert_string_equal(a, again);
	assert_string_not_equal(a, b);
}

static void
test_links(void **state)
{
	struct buf	a;

	(void)state;
	run(GET("/mail/?limit=2&before=b", A), 1, 1, &a);
	assert_non_null(strstr((const char *)buf_data(&a),
	    "\r\nLink: </mail/?limit=2&before=next>; rel=\"next\"\r\n"
	    "Link: </mail/?limit=2>; rel=\"first\"\r\n"));
	assert_null(strstr((const char *)buf_data(&a), "rel=\"prev\""));
	buf_free(&a);
}

static void
test_time(void **state)
{
	struct session	s;
	struct buf	out;

	(void)state;
	buf_init(&out, 10000);
	session_init(&s, &conf);
	session_slow(&s);		/* nothing begun: nothing said */
	assert_int_equal(s.state, SESSION_OVER);
	assert_int_equal(s.out.len, 0);
	session_free(&s);
	session_init(&s, &conf);
	assert_int_equal(session_input(&s, (const unsigned char *)"GET", 3),
	    3);
	session_slow(&s);
	assert_int_equal(s.state, SESSION_OVER);
	assert_memory_equal(buf_data(&s.out), "HTTP/1.1 408 ", 13);
	session_free(&s);
	session_init(&s, &conf);
	session_drain(&s);
	assert_int_equal(s.state, SESSION_OVER);
	session_free(&s);
	session_init(&s, &conf);
	session_last(&s);
	assert_int_equal(s.state, SESSION_HEAD);
	(void)session_input(&s, (const unsigned char *)GET("/x", ""),
	    strlen(GET("/x", "")));
	assert_int_equal(s.state, SESSION_OVER);
	session_free(&s);
}

/* A helper that fails in any state gives 503. */
static void
test_failure(void **state)
{
	static const char *const t[] = {
		GET("/healthz", ""), GET("/mail/", A), GET("/mail/1.x", A)
	};
	struct session	s;
	size_t		i, deep;

	(void)state;
	for (i = 0; i < 3; i++)
		for (deep = 0; deep < 2; deep++) {
			session_init(&s, &conf);
			s.fresh = false;
			session_input(&s, (const unsigned char *)t[i],
			    strlen(t[i]));
			if (deep > 0 && s.state == SESSION_LOGIN)
				play_login(&s);
			assert_true(s.fresh);
			session_fail(&s);
			assert_memory_equal(buf_data(&s.out),
			    "HTTP/1.1 503 ", 13);
			assert_int_equal(s.state, SESSION_HEAD);
			session_free(&s);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_failure),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
