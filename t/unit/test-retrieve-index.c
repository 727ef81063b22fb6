/* SPDX-License-Identifier: ISC */
/*
 * Line ends, pages and lists against naive models.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "retrieve/crlf.h"
#include "retrieve/index.h"
#include "retrieve/list.h"

static const unsigned char key[SIPHASH_KEY] = "key";
static uint64_t seed = 88172645463325252ULL;

/* xorshift: the same numbers on each run */
static size_t
pick(size_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)(seed % n);
}

static size_t
naive_crlf(const unsigned char *in, size_t n, unsigned char *out)
{
	size_t	i, k = 0;

	for (i = 0; i < n; i++) {
		if (in[i] == '\n' && (i == 0 || in[i - 1] != '\r'))
			out[k++] = '\r';
		out[k++] = in[i];
	}
	return k;
}

/* Convert a window, with the file cut at random. */
static void
window(const unsigned char *in, size_t n, const unsigned char *want,
    uint64_t first, uint64_t length)
{
	unsigned char	out[4096], piece[4096];
	struct crlf	c;
	size_t		at = 0, k, got = 0;

	crlf_init(&c, false, first, length);
	while (at < n && c.left > 0) {
		k = 1 + pick(n - at < 40 ? n - at : 40);
		memset(piece, 0xee, sizeof(piece));
		k = k > n - at ? n - at : k;
		{
			size_t	made = crlf_convert(&c, in + at, k, piece);

			assert_true(made <= 2 * k);
			memcpy(out + got, piece, made);
			got += made;
		}
		at += k;
	}
	assert_int_equal(c.left, 0);
	assert_int_equal(got, length);
	assert_memory_equal(out, want + first, length);
}

static void
test_crlf(void **state)
{
	unsigned char	in[300], want[600];
	size_t		round, n, m, i, k;
	uint64_t	count;
	bool		cr;

	(void)state;
	for (round = 0; round < 3000; round++) {
		n = pick(sizeof(in));
		for (i = 0; i < n; i++)
			in[i] = (unsigned char)"ab\r\n\n"[pick(5)];
		m = naive_crlf(in, n, want);
		cr = false;
		for (i = count = 0; i < n; i += k) {
			k = 1 + pick(n - i);
			count += crlf_count(&cr, in + i, k);
		}
		assert_int_equal(n + count, m);
		if (m == 0)
			continue;
		window(in, n, want, 0, m);
		i = pick(m);
		window(in, n, want, i, 1 + pick(m - i));
	}
}

static void
test_raw(void **state)
{
	unsigned char	out[16];
	struct crlf	c;

	(void)state;
	crlf_init(&c, true, 2, 3);
	assert_int_equal(crlf_convert(&c, "a\nb\ncd", 6, out), 3);
	assert_memory_equal(out, "b\nc", 3);
}

static struct index *
make_index(size_t n, size_t spread)
{
	struct index		*x = index_new();
	struct index_entry	 e;
	char			 name[64];
	size_t			 i;

	memset(&e, 0, sizeof(e));
	for (i = 0; i < n; i++) {
		e.mtime = (int64_t)pick(spread);
		e.stored = i;
		(void)snprintf(name, sizeof(name), "m%zu.x,S=%zu,W=%zu:2,%s",
		    i * 7919 % 1000, i, i, i % 2 == 0 ? "S" : "");
		assert_int_equal(index_add(x, name, false, &e), 0);
	}
	assert_int_equal(index_finish(x, NULL, key), 0);
	return x;
}

static int
is_after(const struct index_entry *e, const struct index *x,
    const struct cursor *c)
{
	char	id[READER_ID_MAX];

	if (e->arrival != c->arrival)
		return e->arrival > c->arrival ? 1 : -1;
	return strcmp(index_id(x, e, id), c->id);
}

static void
cursor_at(const struct index *x, size_t i, bool adjacent, struct cursor *c)
{
	c->arrival = x->entries[i].arrival;
	c->adjacent = adjacent;
	index_id(x, &x->entries[i], c->id);
}

static void
test_order(void **state)
{
	struct index	*x = make_index(200, 20);
	char		 id[READER_ID_MAX];
	struct cursor	 c;
	size_t		 i;

	(void)state;
	assert_int_equal(x->n, 200);
	assert_int_equal(x->unseen, 100);
	for (i = 0; i + 1 < x->n; i++) {
		cursor_at(x, i, false, &c);
		assert_true(is_after(&x->entries[i + 1], x, &c) > 0);
	}
	for (i = 0; i < x->n; i++)
		assert_ptr_equal(index_find(x, index_id(x, &x->entries[i],
		    id)), &x->entries[i]);
	assert_null(index_find(x, "nope"));
	assert_null(index_find(x, ""));
	index_release(&x);
}

/* Follow next to the end, then prev back: each message once, both ways. */
static void
walk(const struct index *x, size_t limit, bool up)
{
	struct cursor	c, *after = NULL, *before = NULL;
	struct page	p, back;
	size_t		seen = 0, pages = 0;

	for (;;) {
		p = index_page(x, after, before, limit, up);
		assert_true(p.hi - p.lo <= limit);
		seen += p.hi - p.lo;
		assert_true(++pages <= x->n + 1);
		assert_int_equal(p.prev, p.hi > p.lo && pages > 1);
		if (!p.next)
			break;
		assert_int_equal(p.hi - p.lo, limit);
		cursor_at(x, up ? p.hi - 1 : p.lo, false, &c);
		after = up ? &c : NULL;
		before = up ? NULL : &c;
	}
	assert_int_equal(seen, x->n);
	while (p.prev) {
		cursor_at(x, up ? p.lo : p.hi - 1, true, &c);
		after = up ? NULL : &c;
		before = up ? &c : NULL;
		back = index_page(x, after, before, limit, up);
		assert_int_equal(up ? back.hi : back.lo, up ? p.lo : p.hi);
		assert_true(back.next);
		p = back;
		pages--;
	}
	assert_true(pages == 1 || x->n == 0);
}

static void
test_pages(void **state)
{
	static const size_t sizes[] = { 0, 1, 2, 7, 50 };
	struct index	*x;
	size_t		 i, limit;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		x = make_index(sizes[i], 10);
		for (limit = 1; limit < 60; limit++) {
			walk(x, limit, false);
			walk(x, limit, true);
		}
		index_release(&x);
	}
}

/* Bounds whose message is not there. */
static void
test_bounds(void **state)
{
	struct index	*x = make_index(60, 15);
	struct cursor	 a, b;
	struct page	 p;
	size_t		 i, k, n;

	(void)state;
	for (i = 0; i < 500; i++) {
		a = (struct cursor){ (int64_t)pick(16), false, "m5" };
		b = (struct cursor){ (int64_t)pick(16), false, "m7" };
		p = index_page(x, &a, &b, 1000, i % 2 == 0);
		for (k = n = 0; k < x->n; k++)
			if (is_after(&x->entries[k], x, &a) > 0 &&
			    is_after(&x->entries[k], x, &b) < 0) {
				assert_true(k >= p.lo && k < p.hi);
				n++;
			}
		assert_int_equal(n, p.hi - p.lo);
	}
	index_release(&x);
}

static void
test_names(void **state)
{
	static const struct index_entry	 e = { .mtime = 1, .stored = 10 };
	static const char *const	 unfit[] = { ".x", "a b", "\xc3\xbc",
	    ",S=1", ":2,S", "", "a\"b" };
	struct index			*x = index_new();
	char				 id[READER_ID_MAX];
	size_t				 i;

	(void)state;
	for (i = 0; i < sizeof(unfit) / sizeof(unfit[0]); i++)
		assert_int_equal(index_add(x, unfit[i], true, &e), 0);
	assert_int_equal(x->n, 0);
	index_add(x, "good,S=10,W=12:2,SF", true, &e);
	index_add(x, "doubled,S=10,W=12", true, &e);
	index_add(x, "doubled:2,SR", false, &e);
	index_add(x, "lie1,S=11,W=12", true, &e);
	index_add(x, "lie2,S=10,W=9", true, &e);
	index_add(x, "lie3,S=10,W=21", true, &e);
	assert_int_equal(index_finish(x, NULL, key), 0);
	assert_int_equal(x->n, 5);
	assert_int_equal(index_find(x, "good")->size, 12);
	assert_int_equal(index_find(x, "good")->flags, READER_FLAGGED);
	assert_int_equal(index_find(x, "doubled")->flags, READER_SEEN |
	    READER_ANSWERED);
	assert_false(index_find(x, "doubled")->fresh);
	for (i = 1; i < 4; i++) {
		(void)snprintf(id, sizeof(id), "lie%zu", i);
		assert_true(index_find(x, id)->size == INDEX_UNKNOWN);
	}
	index_release(&x);
}

static size_t
place_of(const struct index *x, const char *id)
{
	return (size_t)(index_find(x, id) - x->entries);
}

/* What comes later stands behind all that was there, whatever its time. */
static void
test_arrival(void **state)
{
	struct index_entry	 e = { .mtime = 50, .stored = 10 };
	struct index		*old = index_new(), *x = index_new();
	unsigned char		 tag[SIPHASH_SIZE];

	(void)state;
	index_add(old, "b:2,S", false, &e);
	index_add(old, "a", true, &e);
	e.mtime = 70;
	index_add(old, "gone", true, &e);
	assert_int_equal(index_finish(old, NULL, key), 0);
	assert_int_equal(place_of(old, "a"), 0);
	assert_int_equal(place_of(old, "gone"), 2);
	memcpy(tag, old->tag, sizeof(tag));
	e.mtime = 60;
	index_add(x, "late", true, &e);
	e.mtime = 20;
	index_add(x, "older", true, &e);
	e.mtime = 50;
	index_add(x, "a:2,", false, &e);
	index_add(x, "b:2,S", false, &e);
	assert_int_equal(index_finish(x, old, key), 0);
	assert_int_equal(x->n, 4);
	assert_int_equal(place_of(x, "a"), 0);
	assert_int_equal(place_of(x, "b"), 1);
	assert_int_equal(place_of(x, "older"), 2);
	assert_int_equal(place_of(x, "late"), 3);
	assert_true(x->entries[2].arrival > 70);
	assert_true(x->entries[3].mtime == 60);
	assert_memory_not_equal(tag, x->tag, sizeof(tag));
	index_release(&old);
	index_release(&x);
}

/* What a scan may have missed stays for a while. */
static void
test_keep(void **state)
{
	struct index_entry	 e = { .mtime = 5, .stored = 10 };
	struct index		*old = index_new(), *x;
	int			 i;

	(void)state;
	index_add(old, "missed:2,F", false, &e);
	index_add(old, "seen", true, &e);
	assert_int_equal(index_finish(old, NULL, key), 0);
	for (i = 1; i < 20; i++) {
		x = index_new();
		index_add(x, "seen:2,S", false, &e);
		assert_int_equal(index_keep(x, old), 0);
		assert_int_equal(index_finish(x, old, key), 0);
		assert_int_equal(index_find(x, "seen")->flags, READER_SEEN);
		assert_int_equal(index_find(x, "seen")->kept, 0);
		assert_int_equal(x->n, i <= 8 ? 2 : 1);
		if (x->n == 2)
			assert_int_equal(index_find(x, "missed")->flags,
			    READER_FLAGGED);
		index_release(&old);
		old = x;
	}
	index_release(&old);
}

static void
fill(struct reader_row *r, const char *id)
{
	memset(r, 0, sizeof(*r));
	(void)snprintf(r->message, sizeof(r->message), "%s", id);
	(void)snprintf(r->from, sizeof(r->from), "A <a@b.c>");
	(void)snprintf(r->subject, sizeof(r->subject), "=?utf-8?q?=C3=BC?=");
	r->size = 123;
	r->flags = READER_SEEN | READER_DRAFT;
	r->received = 784111777;
}

static void
test_json(void **state)
{
	struct reader_listed	h = { .total = 9, .unseen = 2, .next = "c" };
	struct reader_row	r;
	struct list		l;
	json_t			*v, *m;

	(void)state;
	list_init(&l, MEDIA_JSON);
	assert_int_equal(list_begin(&l, "u@d", &h), 0);
	fill(&r, "a\\b");
	assert_int_equal(list_add(&l, &r), 0);
	fill(&r, "");
	assert_int_equal(list_add(&l, &r), 0);
	fill(&r, "two");
	r.dated = 1;
	assert_int_equal(list_add(&l, &r), 0);
	assert_int_equal(list_end(&l), 0);
	v = json_loadb((const char *)buf_data(&l.body), l.body.len, 0, NULL);
	assert_non_null(v);
	assert_string_equal(json_string_value(json_object_get(v, "user")),
	    "u@d");
	assert_int_equal(json_integer_value(json_object_get(v, "total")), 9);
	assert_int_equal(json_array_size(json_object_get(v, "messages")), 2);
	m = json_array_get(json_object_get(v, "messages"), 0);
	assert_string_equal(json_string_value(json_object_get(m, "id")),
	    "a\\b");
	assert_string_equal(json_string_value(json_object_get(m, "url")),
	    "/mail/a%5Cb");
	assert_string_equal(json_string_value(json_object_get(m, "subject")),
	    "\xc3\xbc");
	assert_true(json_is_null(json_object_get(m, "date")));
	assert_int_equal(json_array_size(json_object_get(m, "flags")), 2);
	json_decref(v);
	list_free(&l);
}

static void
test_text(void **state)
{
	struct reader_listed	h = { .total = 2 };
	struct reader_row	r;
	struct list		l;
	char			text[1000] = "";

	(void)state;
	list_init(&l, MEDIA_TEXT);
	assert_int_equal(list_begin(&l, "u@d", &h), 0);
	fill(&r, "longer");
	(void)snprintf(r.subject, sizeof(r.subject), "a\nb\x1b");
	(void)snprintf(r.from, sizeof(r.from), "%s",
	    "0123456789012345678901234567890123456789 <x@y.z>");
	assert_int_equal(list_add(&l, &r), 0);
	fill(&r, "b");
	assert_int_equal(list_add(&l, &r), 0);
	assert_int_equal(list_end(&l), 0);
	memcpy(text, buf_data(&l.body), l.body.len);
	assert_string_equal(text,
	    "ID      RECEIVED (UTC)    N  FROM                        "
	    "        SIZE  SUBJECT\n"
	    "longer  1994-11-06 08:49     0123456789012345678901234..."
	    "         123  a<U+000A>b<U+001B>\n"
	    "b       1994-11-06 08:49     A                           "
	    "         123  \xc3\xbc\n");
	list_free(&l);
}

static void
test_headers(void **state)
{
	static const char	text[] = "A: b\r\nS: x\x1b\n y\n\nbody\n";
	struct buf		b;

	(void)state;
	buf_init(&b, 10000);
	assert_int_equal(list_headers(&b, MEDIA_TEXT, text, sizeof(text) - 1),
	    0);
	assert_memory_equal(buf_data(&b), "A: b\nS: x<U+001B>\n y\n", 21);
	assert_int_equal(b.len, 21);
	buf_free(&b);
	assert_int_equal(list_headers(&b, MEDIA_JSON, text, sizeof(text) - 1),
	    0);
	assert_memory_equal(buf_data(&b), "{\"headers\":[[\"A\",\"b\"],"
	    "[\"S\",\"x<U+001B> y\"]]}\n", b.len);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crlf),
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_arrival),
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_headers),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
