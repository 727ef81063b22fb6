/* SPDX-License-Identifier: ISC */
/*
 * The small pure parts of the retrieval side, each against a table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "retrieve/addrlist.h"
#include "retrieve/basic.h"
#include "retrieve/cursor.h"
#include "retrieve/fields.h"
#include "retrieve/httpdate.h"
#include "lib/ids.h"
#include "retrieve/media.h"
#include "retrieve/msgid.h"
#include "retrieve/query.h"
#include "retrieve/range.h"
#include "retrieve/route.h"
#include "lib/siphash.h"
#include "retrieve/target.h"
#include "retrieve/visible.h"
#include "retrieve/words.h"

static struct span
span_of(const char *s)
{
	return (struct span){ s, strlen(s) };
}

/* A request with these field lines. */
static void
make_request(struct request *r, const char *fields)
{
	static const struct request_limits limits = { 1000, 8000, 50 };
	char		text[4096];
	size_t		used;

	(void)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: h\r\n%s"
	    "\r\n", fields);
	request_init(r);
	assert_int_equal(request_read(r, &limits, text, strlen(text), &used),
	    REQUEST_DONE);
}

static void
test_target(void **state)
{
	static const struct { const char *raw, *path, *query; } good[] = {
		{ "/", "/", "" }, { "/a%20b", "/a b", "" },
		{ "/mail/x?a=b&c", "/mail/x", "a=b&c" },
		{ "https://h/x", "/x", "" }, { "https://h:1", "/", "" },
		{ "https://h?q", "/", "q" }, { "/a?", "/a", "" },
		{ "/a..b/...", "/a..b/...", "" },
		{ "/%C3%BC", "/\xc3\xbc", "" },
	};
	static const char *const bad[] = {
		"", "a", "*x", "/%", "/%4", "/%zz", "/%00", "/%0a", "/%7f",
		"/a%2fb", "/a%2Fb", "/.", "/..", "/a/../b", "/a/.", "/%2e%2e/x",
		"/a/%2E", "/a#b", "/a\"b", "/a<b", "/\\", "/a|b", "/a b",
		"/\x80", "http:/x", "://h/", "https:///x", "/a{b", "/[x]",
	};
	struct target	t;
	size_t		i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_null(target_parse(&t, span_of(good[i].raw)));
		assert_string_equal(t.path, good[i].path);
		assert_true(span_is(t.query, good[i].query));
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (target_parse(&t, span_of(bad[i])) == NULL)
			fail_msg("%s was taken", bad[i]);
	assert_null(target_parse(&t, span_of("*")));
	assert_true(t.asterisk);
}

static void
test_query(void **state)
{
	static const struct { const char *raw, *named; } bad[] = {
		{ "limit=0", "limit" }, { "limit=1001", "limit" },
		{ "limit=-1", "limit" }, { "limit=1e1", "limit" },
		{ "limit=99999999999999999999999", "limit" },
		{ "limit=", "limit" }, { "limit", "limit" },
		{ "limit=1&limit=1", "limit" }, { "order=Asc", "order" },
		{ "Limit=1", "Limit" }, { "x=1", "x" }, { "after=", "after" },
		{ "after=a/b", "after" }, { "before=%20", "before" },
		{ "before=%zz", "before" }, { "limit=1&", "limit" },
		{ "&limit=1", "" }, { "=1", "" }, { "%=1", "" },
		{ "unseen=1", "unseen" },
	};
	struct query	q;
	char		why[128], text[3000], big[1000];
	size_t		i;

	(void)state;
	assert_int_equal(query_parse(&q, span_of(""), 100, why, sizeof(why)),
	    0);
	assert_int_equal(q.limit, 100);
	assert_int_equal(query_parse(&q, span_of("limit=7&order=asc&after=a+b"
	    "&before=%7Eb"), 100, why, sizeof(why)), 0);
	assert_true(q.limit == 7 && q.ascending);
	assert_string_equal(q.after, "a+b");
	assert_string_equal(q.before, "~b");
	assert_int_equal(query_format(&q, QUERY_NEXT, "c/d", false, text,
	    sizeof(text)), 0);
	assert_string_equal(text, "?limit=7&order=asc&after=c%2Fd&before=~b");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (query_parse(&q, span_of(bad[i].raw), 1, why,
		    sizeof(why)) == 0)
			fail_msg("%s was taken", bad[i].raw);
		assert_non_null(strstr(why, bad[i].named));
	}
	memset(big, 'a', sizeof(big) - 1);
	memcpy(big, "after=", 6);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(query_parse(&q, span_of(big), 1, why, sizeof(why)),
	    -1);
}

static void
test_media(void **state)
{
	static const enum media offers[] = { MEDIA_TEXT, MEDIA_JSON,
	    MEDIA_NONE };
	static const struct { const char *fields; enum media want; } t[] = {
		{ "", MEDIA_TEXT }, { "Accept:\r\n", MEDIA_TEXT },
		{ "Accept: */*\r\n", MEDIA_TEXT },
		{ "Accept: application/json\r\n", MEDIA_JSON },
		{ "Accept: application/*\r\n", MEDIA_JSON },
		{ "Accept: text/html\r\n", MEDIA_NONE },
		{ "Accept: text/html, */*;q=0.1\r\n", MEDIA_TEXT },
		{ "Accept: text/plain;q=0.5, application/json\r\n",
		    MEDIA_JSON },
		{ "Accept: text/plain;q=0.5\r\nAccept: application/json;q=0.6"
		    "\r\n", MEDIA_JSON },
		{ "Accept: */*, text/plain;q=0\r\n", MEDIA_JSON },
		{ "Accept: */*;q=0\r\n", MEDIA_NONE },
		{ "Accept: TEXT/PLAIN ; q=0.001\r\n", MEDIA_TEXT },
		{ "Accept: text/plain;charset=UTF-8\r\n", MEDIA_TEXT },
		{ "Accept: text/plain;format=flowed\r\n", MEDIA_NONE },
		{ "Accept: text/plain;q=2, application/json;q=0.1\r\n",
		    MEDIA_JSON },
		{ "Accept: text, application/json\r\n", MEDIA_JSON },
		{ "Accept: text/*;q=0.2, */*;q=0.9\r\n", MEDIA_JSON },
		{ "Accept: application/json;q=1.0000\r\n", MEDIA_NONE },
	};
	struct request	r;
	size_t		i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		make_request(&r, t[i].fields);
		if (media_choose(&r, offers) != t[i].want)
			fail_msg("%s", t[i].fields);
		request_free(&r);
	}
}

static void
test_basic(void **state)
{
	static const char *const bad[] = {
		"", "Basic", "Basic ", "Bearer YTpi", "Basic YTpi=",
		"Basic YTp", "Basic YQ==", "Basic YTp\xff", "BasicYTpi",
		"Basic YTo=YTo=", "Basic YTpj=YTp", "Basic AGE6Yg==",
		"Basic YTpiYj==", "Basic ====",
	};
	unsigned char	out[64];
	size_t		i;

	(void)state;
	assert_int_equal(basic_to_plain(span_of("Basic YTpi"), out,
	    sizeof(out)), 4);
	assert_memory_equal(out, "\0a\0b", 4);
	assert_int_equal(basic_to_plain(span_of("bASIC   YWI6Yzpk"), out,
	    sizeof(out)), 7);
	assert_memory_equal(out, "\0ab\0c:d", 7);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (basic_to_plain(span_of(bad[i]), out, sizeof(out)) != 0)
			fail_msg("%s was taken", bad[i]);
	assert_int_equal(basic_to_plain(span_of("Basic YTpi"), out, 3), 0);
}

static void
test_dates(void **state)
{
	static const struct { const char *text; int64_t t; } http[] = {
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
		{ "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
		{ "Sun Nov  6 08:49:37 1994", 784111777 },
		{ "Thu, 29 Feb 2024 00:00:00 GMT", 1709164800 },
		{ "Wed, 29 Feb 2023 00:00:00 GMT", -1 },
		{ "Sun, 06 Nov 1994 08:49:37", -1 }, { "", -1 },
		{ "Sun, 06 Nov 1994 24:00:00 GMT", -1 },
		{ "Sun, 6 Nov 1994 08:49:37 GMT", -1 },
	}, mail[] = {
		{ "Sun, 6 Nov 1994 08:49:37 +0000", 784111777 },
		{ "6 Nov 94 09:49:37 +0100 (CET)", 784111777 },
		{ "Sun , (x) 06 Nov 1994 03:49:37 EST", 784111777 },
		{ "Sun, 6 Nov 1994 08:49 -0000", 784111740 },
		{ "6 NOV 1994 08:49:37", 784111777 },
		{ "Sun, 6 Nov 1994 08:49:37 +9999", -1 },
		{ "Foo, 6 Nov 1994 08:49:37 +0000", -1 },
		{ "((((((((((((((((", -1 }, { "", -1 }, { "6", -1 },
		{ "32 Jan 2020 00:00:00 +0000", -1 },
	};
	char	out[HTTPDATE_SIZE];
	int64_t	t;
	size_t	i;

	(void)state;
	for (i = 0; i < sizeof(http) / sizeof(http[0]); i++) {
		if (httpdate_parse(span_of(http[i].text), &t) == -1)
			t = -1;
		assert_int_equal(t, http[i].t);
	}
	for (i = 0; i < sizeof(mail) / sizeof(mail[0]); i++) {
		if (httpdate_parse_mail(span_of(mail[i].text), &t) == -1)
			t = -1;
		assert_int_equal(t, mail[i].t);
	}
	assert_string_equal(httpdate_format(out, 784111777), http[0].text);
	assert_string_equal(httpdate_format_3339(out, 951782400),
	    "2000-02-29T00:00:00Z");
	assert_string_equal(httpdate_format_3339(out, -1),
	    "1969-12-31T23:59:59Z");
	assert_string_equal(httpdate_format_3339(out, INT64_MAX),
	    "9999-12-31T23:59:59Z");
	assert_string_equal(httpdate_format_3339(out, INT64_MIN),
	    "0001-01-01T00:00:00Z");
	for (t = -100000000; t < 8000000000; t += 86400 * 37 + 12345) {
		int64_t	back;

		assert_int_equal(httpdate_parse(span_of(httpdate_format(out,
		    t)), &back), 0);
		assert_int_equal(back, t);
	}
}

static void
test_range(void **state)
{
	static const struct {
		const char		*text;
		enum range_status	 st;
		uint64_t		 first, length;
	} t[] = {
		{ "bytes=0-0", RANGE_PART, 0, 1 },
		{ "bytes=0-", RANGE_PART, 0, 100 },
		{ "BYTES=99-", RANGE_PART, 99, 1 },
		{ "bytes=-1", RANGE_PART, 99, 1 },
		{ "bytes=-100", RANGE_PART, 0, 100 },
		{ "bytes=-101", RANGE_PART, 0, 100 },
		{ "bytes=10-19", RANGE_PART, 10, 10 },
		{ "bytes=10-1000", RANGE_PART, 10, 90 },
		{ "bytes=0-18446744073709551615", RANGE_PART, 0, 100 },
		{ "bytes=100-", RANGE_NONE, 0, 0 },
		{ "bytes=-0", RANGE_NONE, 0, 0 },
		{ "bytes=0-0,1-1", RANGE_WHOLE, 0, 100 },
		{ "bytes=2-1", RANGE_WHOLE, 0, 100 },
		{ "bytes=", RANGE_WHOLE, 0, 100 },
		{ "bytes=-", RANGE_WHOLE, 0, 100 },
		{ "bytes=1", RANGE_WHOLE, 0, 100 },
		{ "bytes=a-b", RANGE_WHOLE, 0, 100 },
		{ "bytes=+1-2", RANGE_WHOLE, 0, 100 },
		{ "bytes=0-99999999999999999999", RANGE_PART, 0, 100 },
		{ "bytes=-99999999999999999999", RANGE_PART, 0, 100 },
		{ "bytes=99999999999999999999-", RANGE_NONE, 0, 0 },
		{ "octets=0-1", RANGE_WHOLE, 0, 100 },
	};
	uint64_t	first, length;
	size_t		i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		if (range_parse(span_of(t[i].text), 100, &first, &length) !=
		    t[i].st)
			fail_msg("%s", t[i].text);
		if (t[i].st != RANGE_NONE)
			assert_true(first == t[i].first &&
			    length == t[i].length);
	}
	assert_int_equal(range_parse(span_of("bytes=0-"), 0, &first, &length),
	    RANGE_NONE);
	assert_int_equal(range_parse(span_of("bytes=-1"), 0, &first, &length),
	    RANGE_NONE);
}

static void
test_conditions(void **state)
{
	static const struct validator v = { "\"e\"", 784111777 };
	static const struct { const char *f; enum condition want; } t[] = {
		{ "", CONDITION_GO },
		{ "If-None-Match: \"e\"\r\n", CONDITION_SAME },
		{ "If-None-Match: W/\"e\"\r\n", CONDITION_SAME },
		{ "If-None-Match: *\r\n", CONDITION_SAME },
		{ "If-None-Match: \"a,\", \"e\"\r\n", CONDITION_SAME },
		{ "If-None-Match: \"a\"\r\nIf-None-Match: \"e\"\r\n",
		    CONDITION_SAME },
		{ "If-None-Match: e\r\n", CONDITION_GO },
		{ "If-Match: \"e\"\r\n", CONDITION_GO },
		{ "If-Match: W/\"e\"\r\n", CONDITION_FAILED },
		{ "If-Match: \"x\"\r\n", CONDITION_FAILED },
		{ "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
		    CONDITION_SAME },
		{ "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n",
		    CONDITION_GO },
		{ "If-Modified-Since: x\r\n", CONDITION_GO },
		{ "If-None-Match: \"x\"\r\n"
		    "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
		    CONDITION_GO },
		{ "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n",
		    CONDITION_FAILED },
	};
	struct request	r;
	size_t		i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		make_request(&r, t[i].f);
		if (range_condition(&r, &v) != t[i].want)
			fail_msg("%s", t[i].f);
		request_free(&r);
	}
	make_request(&r, "If-Range: W/\"e\"\r\n");
	assert_false(range_applies(&r, &v));
	request_free(&r);
	make_request(&r, "If-Range: \"e\"\r\n");
	assert_true(range_applies(&r, &v));
	request_free(&r);
}

static void
test_route(void **state)
{
	static const struct { const char *p; enum route_action a; } t[] = {
		{ "/", ROUTE_NOTHING }, { "/mail", ROUTE_NOTHING },
		{ "/mail/", ROUTE_LIST }, { "/mail/1.a", ROUTE_MESSAGE },
		{ "/mail/1.a/headers", ROUTE_HEADERS },
		{ "/mail/headers", ROUTE_MESSAGE },
		{ "/mail//headers", ROUTE_NOTHING },
		{ "/mail/.a", ROUTE_NOTHING }, { "/mail/a:b", ROUTE_NOTHING },
		{ "/mail/a,b", ROUTE_NOTHING }, { "/mail/a b", ROUTE_NOTHING },
		{ "/mail/a/b", ROUTE_NOTHING }, { "/healthz", ROUTE_HEALTH },
		{ "/healthz/", ROUTE_NOTHING }, { "//mail/", ROUTE_NOTHING },
		{ "/MAIL/", ROUTE_NOTHING },
	};
	char	id[READER_ID_MAX], long_id[300] = "/mail/";
	size_t	i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (route_find(t[i].p, id)->action != t[i].a)
			fail_msg("%s", t[i].p);
	memset(long_id + 6, 'a', 256);
	assert_int_equal(route_find(long_id, id)->action, ROUTE_NOTHING);
	long_id[6 + 255] = '\0';
	assert_int_equal(route_find(long_id, id)->action, ROUTE_MESSAGE);
	assert_int_equal(strlen(id), 255);
	assert_true(route_find("/healthz", id)->open);
	assert_false(route_find("/nope", id)->open);
}

/* The reference values of 00 01 02 ... under the key 00 01 ... 0f. */
static void
test_siphash(void **state)
{
	static const unsigned char want[][SIPHASH_SIZE] = {
		{ 0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6,
		    0x72, 0x14, 0xc7, 0x55, 0x02, 0x93 },
		{ 0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76,
		    0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45 },
	};
	unsigned char	key[SIPHASH_KEY], out[SIPHASH_SIZE], two[SIPHASH_SIZE];
	struct siphash	h;
	size_t		i;

	(void)state;
	for (i = 0; i < sizeof(key); i++)
		key[i] = (unsigned char)i;
	for (i = 0; i < 2; i++) {
		siphash_init(&h, key);
		siphash_add(&h, key, i);
		siphash_end(&h, out);
		assert_memory_equal(out, want[i], sizeof(out));
	}
	siphash_init(&h, key);
	siphash_add(&h, key, 16);
	siphash_end(&h, out);
	siphash_init(&h, key);
	siphash_add(&h, key, 3);
	siphash_add(&h, key + 3, 13);
	siphash_end(&h, two);
	assert_memory_equal(out, two, sizeof(out));
}

static void
test_cursor(void **state)
{
	unsigned char	key[SIPHASH_KEY] = "0123456789abcde";
	unsigned char	other[SIPHASH_KEY] = "0123456789abcdf";
	char		text[READER_CURSOR_MAX], copy[READER_CURSOR_MAX];
	struct cursor	c, d;
	size_t		i, n;

	(void)state;
	for (n = 1; n < READER_ID_MAX; n++) {
		memset(&c, 0, sizeof(c));
		memset(c.id, 'a' + (int)(n % 26), n);
		c.arrival = (int64_t)n * -1234567890123;
		c.adjacent = n % 2 == 1;
		cursor_format(text, &c, "u@d", key);
		assert_int_equal(cursor_parse(&d, text, "u@d", key), 0);
		assert_true(d.arrival == c.arrival && d.adjacent == c.adjacent);
		assert_string_equal(d.id, c.id);
		assert_int_equal(cursor_parse(&d, text, "v@d", key), -1);
		assert_int_equal(cursor_parse(&d, text, "u@d", other), -1);
	}
	/* No octet of it can be changed. */
	for (i = 0; text[i] != '\0'; i++) {
		memcpy(copy, text, sizeof(copy));
		copy[i] = copy[i] == 'A' ? 'B' : 'A';
		assert_int_equal(cursor_parse(&d, copy, "u@d", key), -1);
		copy[i] = '\0';
		assert_int_equal(cursor_parse(&d, copy, "u@d", key), -1);
	}
	assert_int_equal(cursor_parse(&d, "1795216854.M1.host", "u@d", key),
	    -1);
}

static void
test_visible(void **state)
{
	static const struct { const char *in, *out; } t[] = {
		{ "abc", "abc" }, { "a\tb", "a b" },
		{ "\x1b[31m", "<U+001B>[31m" }, { "a\x7f", "a<U+007F>" },
		{ "\xe2\x80\xae", "<U+202E>" }, { "\xc2\x9b", "<U+009B>" },
		{ "\xff", "\xef\xbf\xbd" }, { "\xc0\x80", "\xef\xbf\xbd"
		    "\xef\xbf\xbd" }, { "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf"
		    "\xbd\xef\xbf\xbd" }, { "\xc3\xbc", "\xc3\xbc" },
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
		{ "\xe2\x80", "\xef\xbf\xbd\xef\xbf\xbd" },
	};
	char	out[64], again[64];
	size_t	i, n, fit;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		n = visible_copy(out, sizeof(out), t[i].in, strlen(t[i].in));
		assert_string_equal(out, t[i].out);
		assert_int_equal(n, strlen(out));
		visible_copy(again, sizeof(again), out, n);
		assert_string_equal(again, out);
	}
	/* cut between characters */
	assert_int_equal(visible_copy(out, 4, "a\xc3\xbc\xc3\xbc", 5), 3);
	assert_int_equal(visible_copy(out, 5, "\x01", 1), 0);
	assert_int_equal(visible_columns("\xc3\xbc\xe4\xb8\xad", 9, &fit), 3);
	assert_int_equal(visible_columns("\xe4\xb8\xad", 1, &fit), 0);
}

static void
test_words(void **state)
{
	static const struct { const char *in, *out; } t[] = {
		{ "plain text", "plain text" }, { "  a  b ", "  a  b " },
		{ "=?utf-8?q?a=C3=BC_b?=", "a\xc3\xbc b" },
		{ "=?UTF-8?B?w7w=?= =?utf-8?b?w7w?=", "\xc3\xbc\xc3\xbc" },
		{ "=?utf-8?q?=C3?= =?utf-8?q?=BC?=", "\xc3\xbc" },
		{ "x =?iso-8859-1*de?Q?=FC?= y", "x \xc3\xbc y" },
		{ "=?koi8-r?q?abc?=", "=?koi8-r?q?abc?=" },
		{ "=?utf-8?q?=zz?=", "=?utf-8?q?=zz?=" },
		{ "=?utf-8?x?abc?=", "=?utf-8?x?abc?=" },
		{ "=?utf-8?q?abc", "=?utf-8?q?abc" }, { "=?", "=?" },
		{ "a=b =c", "a=b =c" },
		{ "=?utf-8?q?=1B=E2=80=AE?=", "<U+001B><U+202E>" },
		{ "=?utf-8?b?/w==?=", "\xef\xbf\xbd" },
		{ "=?utf-8?q?" "?=", "" },
	};
	char	out[256], big[5000];
	size_t	i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		words_decode(out, sizeof(out), t[i].in, strlen(t[i].in));
		assert_string_equal(out, t[i].out);
	}
	for (i = 0; i + 2 < sizeof(big); i += 2)
		memcpy(big + i, "=?", 2);
	assert_true(words_decode(out, sizeof(out), big, i) < sizeof(out));
}

struct got {
	char	text[2000];
};

static int
note(void *arg, const struct addrlist_entry *e)
{
	struct got	*g = arg;
	size_t		 n = strlen(g->text);

	(void)snprintf(g->text + n, sizeof(g->text) - n, "[%s|%s]", e->name,
	    e->address);
	return 0;
}

static void
test_addrlist(void **state)
{
	static const struct { const char *in, *out; } t[] = {
		{ "", "" }, { "a@b.c", "[|a@b.c]" },
		{ "A B <a@b.c>, d@e.f", "[A B|a@b.c][|d@e.f]" },
		{ "\"S, \\\"1\\\"\" <a@b.c>", "[S, \"1\"|a@b.c]" },
		{ "=?utf-8?q?=C3=BC=2Cx?= <a@b.c>", "[\xc3\xbc,x|a@b.c]" },
		{ "Foo [Bar] <a@b.c> ", "[Foo [Bar]|a@b.c]" },
		{ "<>", "[<>|]" }, { "x <y", "[x <y|]" },
		{ "no address", "[no address|]" },
		{ "a@b.c, <<<", "[|a@b.c]" },
	};
	struct got	g;
	size_t		i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		memset(&g, 0, sizeof(g));
		assert_int_equal(addrlist_read(t[i].in, note, &g), 0);
		assert_string_equal(g.text, t[i].out);
	}
}

static void
test_fields(void **state)
{
	static const char text[] = "Subject: a\n b\nFROM: x@y\nSubject: no\n"
	    "Date: Sun, 6 Nov 1994 08:49:37 +0000\n\nTo: body\n";
	struct fields	*f;
	char		 big[3000];

	(void)state;
	f = fields_read(text, sizeof(text) - 1);
	assert_non_null(f);
	assert_string_equal(f->subject, "a b");
	assert_string_equal(f->from, "x@y");
	assert_string_equal(f->to, "");
	assert_true(f->dated && f->date == 784111777);
	free(f);
	f = fields_read("", 0);
	assert_non_null(f);
	assert_string_equal(f->subject, "");
	free(f);
	memset(big, 1, sizeof(big));
	memcpy(big, "Subject: ", 9);
	f = fields_read(big, sizeof(big));
	assert_true(strlen(f->subject) < 1024);
	free(f);
}

static void
test_ids(void **state)
{
	struct ids	t;
	uint32_t	id[3000], old;
	int		who[3000], i;

	(void)state;
	ids_init(&t);
	for (i = 0; i < 3000; i++)
		assert_int_not_equal(id[i] = ids_new(&t, &who[i]), 0);
	for (i = 0; i < 3000; i++)
		assert_ptr_equal(ids_find(&t, id[i]), &who[i]);
	old = id[7];
	ids_end(&t, old);
	ids_end(&t, old);
	assert_null(ids_find(&t, old));
	assert_int_not_equal(id[7] = ids_new(&t, &who[7]), old);
	assert_null(ids_find(&t, old));
	assert_null(ids_find(&t, 0));
	assert_null(ids_find(&t, UINT32_MAX));
	/* Not again for long, however few are in use. */
	old = ids_new(&t, &who[0]);
	ids_end(&t, old);
	for (i = 0; i < 200000; i++) {
		id[0] = ids_new(&t, &who[0]);
		assert_int_not_equal(id[0], 0);
		assert_int_not_equal(id[0], old);
		ids_end(&t, id[0]);
	}
	assert_ptr_equal(ids_find(&t, id[7]), &who[7]);
	ids_free(&t);
}

static void
test_msgid(void **state)
{
	(void)state;
	assert_true(msgid_valid("1.M2P3.host", 11));
	assert_true(msgid_valid("a\\072b", 6));
	assert_false(msgid_valid("", 0));
	assert_false(msgid_valid(".", 1));
	assert_false(msgid_valid("..", 2));
	assert_false(msgid_valid("a/b", 3));
	assert_false(msgid_valid("a\0b", 3));
	assert_false(msgid_valid("a:b", 3));
	assert_false(msgid_valid("\xc3\xbc", 2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_target),
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_media),
		cmocka_unit_test(test_basic),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_route),
		cmocka_unit_test(test_siphash),
		cmocka_unit_test(test_cursor),
		cmocka_unit_test(test_visible),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_addrlist),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_msgid),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
