/* SPDX-License-Identifier: ISC */
/*
 * The head of an HTTP request and what is read out of it. First octet: how
 * the input is cut.
 */
#include "lib/str.h"
#include "retrieve/httpdate.h"
#include "retrieve/media.h"
#include "retrieve/query.h"
#include "retrieve/range.h"
#include "retrieve/request.h"
#include "retrieve/target.h"
#include "t/fuzz/fuzz.h"

#define POSITION	"c=u+r&s%<or>#"

static const struct request_limits limits = { 512, 2048, 20 };

static void
check_printable(const char *s)
{
	for (; *s != '\0'; s++)
		CHECK(*s >= 32 && *s < 127);
}

static void
check_query(struct span raw)
{
	struct query	q, again;
	char		why[100], text[3000];

	(void)query_none(raw, why, sizeof(why));
	if (query_parse(&q, raw, 100, why, sizeof(why)) == -1) {
		CHECK(memchr(why, 0, sizeof(why)) != NULL);
		check_printable(why);
		return;
	}
	CHECK(q.limit >= 1 && q.limit <= READER_LIMIT_MAX);
	CHECK(query_format(&q, QUERY_NEXT, POSITION, false, text,
	    sizeof(text)) == 0);
	check_printable(text);
	CHECK(text[0] == '?' && strpbrk(text, "<> \"") == NULL);
	CHECK(query_parse(&again, (struct span){ text + 1, strlen(text + 1) },
	    100, why, sizeof(why)) == 0);
	CHECK(again.limit == q.limit && again.ascending == q.ascending);
	CHECK(strcmp(q.ascending ? again.after : again.before,
	    POSITION) == 0);
}

static void
check_target(struct span v)
{
	static struct target	t;
	char			path[4000];
	static char		back[4000];

	if (target_parse(&t, v) != NULL || t.asterisk)
		return;
	CHECK(t.path[0] == '/' && memchr(t.path, 0, sizeof(t.path)) != NULL);
	CHECK(strstr(t.path, "/../") == NULL && strstr(t.path, "/./") == NULL);
	CHECK(strlen(t.path) < 3 ||
	    strcmp(t.path + strlen(t.path) - 3, "/..") != 0);
	if (target_encode(path, sizeof(path), t.path) == 0) {
		check_printable(path);
		CHECK(target_decode(back, sizeof(back),
		    (struct span){ path, strlen(path) }) == 0);
		CHECK(strcmp(back, t.path) == 0);
	}
	check_query(t.query);
}

static void
check_fields(const struct request *r)
{
	static const enum media offers[] = { MEDIA_TEXT, MEDIA_JSON,
	    MEDIA_MESSAGE, MEDIA_NONE };
	const struct validator	v = { "\"abc\"", 784111777 };
	uint64_t		first = 0, len = 0;
	int64_t			when;
	enum media		m = media_choose(r, offers);

	CHECK(m <= MEDIA_MESSAGE);
	CHECK(m != MEDIA_NONE || request_field(r, FIELD_ACCEPT).s != NULL);
	(void)media_names_json(r);
	(void)range_condition(r, &v);
	(void)range_applies(r, &v);
	if (range_parse(request_field(r, FIELD_RANGE), 1000, &first,
	    &len) == RANGE_PART)
		CHECK(len > 0 && first < 1000 && len <= 1000 - first);
	(void)httpdate_parse(request_field(r, FIELD_IF_RANGE), &when);
}

static void
check_request(const struct request *r)
{
	struct span	m = request_method(r), t = request_target(r);
	const char	*h = (const char *)buf_data(&r->head);
	size_t		 i;

	CHECK(r->head.len <= limits.head + limits.line && m.len > 0);
	CHECK(t.len > 0 && t.s >= h && t.s + t.len <= h + r->head.len);
	for (i = 0; i < t.len; i++)
		CHECK((unsigned char)t.s[i] > 32 && t.s[i] != 127);
	CHECK(r->nfields <= limits.fields);
	CHECK(r->minor == 0 || r->seen[FIELD_HOST] == 1);
	CHECK(r->seen[FIELD_TRANSFER_ENCODING] == 0);
	CHECK(memcmp(h + r->head.len - 4, "\r\n\r\n", 4) == 0);
	for (i = 0; i < r->head.len; i++) {
		CHECK(h[i] != 0);
		CHECK((h[i] == '\n') == (i > 0 && h[i - 1] == '\r'));
	}
	check_target(t);
	check_fields(r);
}

/* Read the input in pieces of `cut' octets (0: whole); r is to be freed. */
static enum request_status
read_head(struct request *r, struct fuzz f, uint8_t cut, size_t *total)
{
	enum request_status	st = REQUEST_MORE;
	size_t			n, used;
	uint8_t			*piece;

	*total = 0;
	request_init(r);
	while (f.len > 0 && st == REQUEST_MORE) {
		piece = fuzz_take(&f, cut == 0 ? f.len : cut, &n);
		st = request_read(r, &limits, piece, n, &used);
		CHECK(used <= n && (st != REQUEST_MORE || used == n));
		*total += used;
		free(piece);
	}
	return st;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz		f = { data, size };
	uint8_t			cut = fuzz_octet(&f);
	size_t			total, other;
	struct request		r, whole;
	enum request_status	st;

	check_query((struct span){ (const char *)f.p, f.len });
	check_target((struct span){ (const char *)f.p, f.len });
	st = read_head(&r, f, cut, &total);
	CHECK(read_head(&whole, f, 0, &other) == st);
	if (st == REQUEST_DONE) {
		check_request(&r);
		CHECK(total == other && r.nfields == whole.nfields);
	}
	if (st == REQUEST_BAD)
		CHECK(r.why != NULL && r.code == whole.code &&
		    (r.code == 400 || r.code == 414 || r.code == 431 ||
		    r.code == 505));
	request_free(&r);
	request_free(&whole);
	return 0;
}
