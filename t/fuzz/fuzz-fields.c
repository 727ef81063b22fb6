/* SPDX-License-Identifier: ISC */
/*
 * What a list shows of a message that anyone may have written: valid UTF-8
 * without controls, whatever the header says. First octet: text or JSON.
 */
#include <jansson.h>

#include "lib/buf.h"
#include "lib/utf8.h"
#include "retrieve/addrlist.h"
#include "retrieve/crlf.h"
#include "retrieve/fields.h"
#include "retrieve/httpdate.h"
#include "retrieve/list.h"
#include "retrieve/visible.h"
#include "retrieve/words.h"
#include "t/fuzz/fuzz.h"

/* Characters a terminal or page could be led by. */
static int
leads(uint32_t c)
{
	return (c < 32) || (c >= 127 && c < 160) || c == 0x61c ||
	    c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069);
}

static void
check_visible(const char *s, size_t len, int lines)
{
	uint32_t	c;
	size_t		n;

	for (; len > 0; s += n, len -= n) {
		n = utf8_decode(s, len, &c);
		CHECK(n > 0 && n <= len && c != UINT32_MAX);
		CHECK((lines && c == '\n') || !leads(c));
	}
}

static int
on_entry(void *arg, const struct addrlist_entry *e)
{
	(void)arg;
	check_visible(e->name, strlen(e->name), 0);
	check_visible(e->address, strlen(e->address), 0);
	return 0;
}

static void
check_text(const char *text, size_t len)
{
	static char	a[3000], b[3000];
	size_t		n, fit;

	for (n = 1; n <= sizeof(a); n = n * 7 + 1) {
		CHECK(words_decode(a, n, text, len) == strlen(a));
		CHECK(strlen(a) < n);
		check_visible(a, strlen(a), 0);
		CHECK(visible_copy(a, n, text, len) < n);
		check_visible(a, strlen(a), 0);
	}
	CHECK(visible_copy(b, sizeof(b), a, strlen(a)) == strlen(a));
	CHECK(strcmp(a, b) == 0);
	(void)visible_columns(a, 20, &fit);
	CHECK(fit <= strlen(a));
	CHECK(visible_piece(text, len, 5) <= 5);
	addrlist_read(a, on_entry, NULL);
}

static void
check_body(enum media m, const struct buf *b)
{
	const char	*text = (const char *)buf_data(b);
	json_t		*j;

	check_visible(text, b->len, 1);
	if (m != MEDIA_JSON)
		return;
	CHECK((j = json_loadb(text, b->len, 0, NULL)) != NULL);
	json_decref(j);
}

static void
check_list(enum media m, const struct fields *f, const char *text, size_t len)
{
	static struct reader_row row;
	struct reader_listed	 h = { .count = 2, .total = 2 };
	struct list		 l;
	struct buf		 body;

	memset(&row, 0, sizeof(row));
	snprintf(row.message, sizeof(row.message), "1.M2P3.h");
	row.date = f->date;
	row.dated = f->dated;
	snprintf(row.from, sizeof(row.from), "%s", f->from);
	snprintf(row.to, sizeof(row.to), "%s", f->to);
	snprintf(row.subject, sizeof(row.subject), "%s", f->subject);
	list_init(&l, m);
	CHECK(list_begin(&l, "a@example.test", &h) == 0);
	CHECK(list_add(&l, &row) == 0 && list_add(&l, &row) == 0);
	CHECK(list_end(&l) == 0);
	check_body(m, &l.body);
	list_free(&l);
	buf_init(&body, 1 << 20);
	CHECK(list_headers(&body, m, text, len) == 0);
	check_body(m, &body);
	buf_free(&body);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz	f = { data, size };
	enum media	m = fuzz_octet(&f) % 2 ? MEDIA_JSON : MEDIA_TEXT;
	char		*text = fuzz_string(f.p, f.len), when[HTTPDATE_SIZE];
	struct fields	*v = fields_read(text, f.len);
	int64_t		 t;

	CHECK(v != NULL);
	check_visible(v->from, strlen(v->from), 0);
	check_visible(v->to, strlen(v->to), 0);
	check_visible(v->subject, strlen(v->subject), 0);
	check_list(m, v, text, f.len);
	check_text(text, f.len);
	free(v);
	if (httpdate_parse((struct span){ text, f.len }, &t) == 0 ||
	    httpdate_parse_mail((struct span){ text, f.len }, &t) == 0) {
		httpdate_format(when, t);
		httpdate_format_3339(when, t);
		httpdate_format_short(when, t);
		CHECK(memchr(when, 0, sizeof(when)) != NULL);
	}
	free(text);
	return 0;
}
