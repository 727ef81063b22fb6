/* SPDX-License-Identifier: ISC */
/*
 * Lists, run by retrieve-session. The values come from mail by way of the
 * reader: they are shown, never trusted, and made visible once more here.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "mail/header.h"
#include "retrieve/addrlist.h"
#include "retrieve/httpdate.h"
#include "retrieve/list.h"
#include "retrieve/target.h"
#include "retrieve/visible.h"
#include "retrieve/words.h"

#define LIST_MAX	(64 * 1024 * 1024)	/* octets of a body */
#define FROM_COLUMNS	28
#define SUBJECT_COLUMNS	56
#define ADDRESSES_MAX	64	/* shown of one To */

static const struct {
	uint32_t	 flag;
	const char	*name;
} flags[] = {
	{ READER_SEEN, "seen" }, { READER_ANSWERED, "answered" },
	{ READER_FLAGGED, "flagged" }, { READER_DRAFT, "draft" },
	{ READER_TRASHED, "trashed" }, { READER_PASSED, "passed" },
};

void
list_init(struct list *l, enum media m)
{
	memset(l, 0, sizeof(*l));
	l->media = m;
	buf_init(&l->body, LIST_MAX);
	buf_init(&l->ids, LIST_MAX);
}

void
list_free(struct list *l)
{
	buf_free(&l->body);
	buf_free(&l->ids);
}

static int
dump(const char *s, size_t len, void *arg)
{
	return buf_add(arg, s, len);
}

/* Takes v over; NULL is a failed allocation. */
static int
add_json(struct buf *b, json_t *v)
{
	int	r;

	if (v == NULL) {
		errno = ENOMEM;
		return -1;
	}
	r = json_dump_callback(v, dump, b, JSON_COMPACT | JSON_ENCODE_ANY);
	json_decref(v);
	return r;
}

static int
begin_json(struct list *l, const char *user, const struct reader_listed *h)
{
	char	name[AUTH_USER_MAX];

	visible_copy(name, sizeof(name), user, strlen(user));
	if (buf_addf(&l->body, "{\"user\":") == -1 ||
	    add_json(&l->body, json_string(name)) == -1 ||
	    buf_addf(&l->body, ",\"total\":%" PRIu64 ",\"unseen\":%" PRIu64
	    ",\"next\":", h->total, h->unseen) == -1 ||
	    add_json(&l->body, h->next[0] == '\0' ? json_null() :
	    json_string(h->next)) == -1)
		return -1;
	return buf_addf(&l->body, ",\"messages\":[");
}

int
list_begin(struct list *l, const char *user, const struct reader_listed *h)
{
	if (l->media == MEDIA_JSON)
		return begin_json(l, user, h);
	l->widest = 2;
	return 0;
}

struct addresses {
	json_t	*list;
	size_t	 n;
};

static int
add_address(void *arg, const struct addrlist_entry *e)
{
	struct addresses	*a = arg;

	if (a->n++ == ADDRESSES_MAX)
		return 1;
	return json_array_append_new(a->list, json_pack("{ss,ss}", "name",
	    e->name, "address", e->address));
}

static json_t *
addresses(const char *value)
{
	struct addresses	a = { json_array(), 0 };

	if (a.list != NULL && addrlist_read(value, add_address, &a) == -1) {
		json_decref(a.list);
		a.list = NULL;
	}
	return a.list;
}

static json_t *
flag_names(uint32_t set)
{
	json_t	*list = json_array();
	size_t	 i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if ((set & flags[i].flag) != 0 &&
		    json_array_append_new(list,
		    json_string(flags[i].name)) == -1) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *
date_or_null(const struct reader_row *r)
{
	char	text[HTTPDATE_SIZE];

	if (r->dated == 0)
		return json_null();
	return json_string(httpdate_format_3339(text, r->date));
}

static int
add_json_row(struct list *l, const struct reader_row *r)
{
	char	received[HTTPDATE_SIZE], subject[1024];
	char	url[3 * READER_ID_MAX + 8] = "/mail/";

	if (target_encode(url + 6, sizeof(url) - 6, r->message) == -1)
		return 0;
	words_decode(subject, sizeof(subject), r->subject,
	    strlen(r->subject));
	if (l->rows++ > 0 && buf_add(&l->body, ",", 1) == -1)
		return -1;
	return add_json(&l->body, json_pack(
	    "{ss,ss,so,so,ss,so,ss,sI,so,sb,ss,ss}",
	    "id", r->message, "url", url,
	    "from", addresses(r->from), "to", addresses(r->to),
	    "subject", subject, "date", date_or_null(r),
	    "received", httpdate_format_3339(received, r->received),
	    "size", (json_int_t)r->size, "flags", flag_names(r->flags),
	    "encrypted", 0, "seal", "unchecked", "smime", "none"));
}

/* Append s cut and padded to a number of columns. */
static int
add_column(struct buf *b, const char *s, size_t columns)
{
	size_t	fit, used = visible_columns(s, columns, &fit);

	if (s[fit] != '\0' && columns > 3) {
		used = visible_columns(s, columns - 3, &fit);
		if (buf_add(b, s, fit) == -1)
			return -1;
		return buf_addf(b, "...%*s", (int)(columns - used - 3), "");
	}
	if (buf_add(b, s, fit) == -1)
		return -1;
	return buf_addf(b, "%*s", (int)(columns - used), "");
}

/* The first entry is enough. */
static int
keep_entry(void *arg, const struct addrlist_entry *e)
{
	memcpy(arg, e, sizeof(*e));
	return 1;
}

static int
add_text_row(struct list *l, const struct reader_row *r)
{
	struct addrlist_entry	e;
	char			subject[1024], date[HTTPDATE_SIZE];
	size_t			n = strlen(r->message), fit;

	memset(&e, 0, sizeof(e));
	(void)addrlist_read(r->from, keep_entry, &e);
	words_decode(subject, sizeof(subject), r->subject,
	    strlen(r->subject));
	if (n > l->widest)
		l->widest = n;
	if (buf_add(&l->ids, r->message, n + 1) == -1 ||
	    buf_addf(&l->body, "%s  %c  ", httpdate_format_short(date,
	    r->received), (r->flags & READER_SEEN) != 0 ? ' ' : 'N') == -1 ||
	    add_column(&l->body, e.name[0] != '\0' ? e.name : e.address,
	    FROM_COLUMNS) == -1 ||
	    buf_addf(&l->body, "  %10" PRIu64 "  ", r->size) == -1)
		return -1;
	/* The last column is cut, not padded. */
	(void)visible_columns(subject, SUBJECT_COLUMNS, &fit);
	if (buf_add(&l->body, subject, fit) == -1)
		return -1;
	l->rows++;
	return buf_addf(&l->body, "%s\n", subject[fit] != '\0' ? "..." : "");
}

int
list_add(struct list *l, const struct reader_row *r)
{
	if (r->message[0] == '\0')
		return 0;
	return l->media == MEDIA_JSON ? add_json_row(l, r) :
	    add_text_row(l, r);
}

/* Put the first column before the lines that wait in l->body. */
static int
end_text(struct list *l)
{
	struct buf	 all;
	const char	*id = (const char *)buf_data(&l->ids);
	const char	*line = (const char *)buf_data(&l->body), *lf;
	int		 width = (int)l->widest;
	size_t		 i;

	buf_init(&all, LIST_MAX);
	if (buf_addf(&all, "%-*s  %-16s  %c  %-*s  %10s  %s\n", width, "ID",
	    "RECEIVED (UTC)", 'N', FROM_COLUMNS, "FROM", "SIZE",
	    "SUBJECT") == -1)
		goto fail;
	for (i = 0; i < l->rows; i++) {
		lf = strchr(line, '\n');
		if (lf == NULL || buf_addf(&all, "%-*s  ", width, id) == -1 ||
		    buf_add(&all, line, (size_t)(lf + 1 - line)) == -1)
			goto fail;
		id += strlen(id) + 1;
		line = lf + 1;
	}
	buf_free(&l->body);
	l->body = all;
	return 0;
fail:
	buf_free(&all);
	errno = ENOMEM;
	return -1;
}

int
list_end(struct list *l)
{
	if (l->media == MEDIA_JSON)
		return buf_addf(&l->body, "]}\n");
	return end_text(l);
}

/* The block's lines as they stand, each made visible piece by piece. */
static int
headers_text(struct buf *body, const char *s, size_t len)
{
	char		 text[2049];
	const char	*lf;
	size_t		 n, take, k;

	while (len > 0) {
		lf = memchr(s, '\n', len);
		n = lf != NULL ? (size_t)(lf - s) : len;
		take = n + (lf != NULL);
		if (n > 0 && s[n - 1] == '\r')
			n--;
		for (; n > 0; s += k, n -= k, len -= k, take -= k) {
			k = visible_piece(s, n, (sizeof(text) - 1) / 8);
			if (buf_add(body, text, visible_copy(text,
			    sizeof(text), s, k)) == -1)
				return -1;
		}
		if (buf_add(body, "\n", 1) == -1)
			return -1;
		s += take;
		len -= take;
	}
	return 0;
}

static int
headers_json(struct buf *body, const char *s, size_t len)
{
	char			name[256], raw[4096], value[4096];
	struct header_field	f;
	size_t			pos = 0, n = 0;

	if (buf_addf(body, "{\"headers\":[") == -1)
		return -1;
	while (header_next(s, len, &pos, &f)) {
		visible_copy(name, sizeof(name), f.name, f.name_len);
		words_decode(value, sizeof(value), raw,
		    header_unfold(&f, raw, sizeof(raw)));
		if ((n++ > 0 && buf_add(body, ",", 1) == -1) ||
		    add_json(body, json_pack("[ss]", name, value)) == -1)
			return -1;
	}
	return buf_addf(body, "]}\n");
}

int
list_headers(struct buf *body, enum media m, const char *data, size_t len)
{
	struct header_search	search = { 0, 0 };
	size_t			end;

	(void)header_find_end(&search, data, len, true, &end);
	return m == MEDIA_JSON ? headers_json(body, data, end) :
	    headers_text(body, data, end);
}
