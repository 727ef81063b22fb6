/* SPDX-License-Identifier: ISC */
/*
 * The replies of the HTTP engine, run by retrieve-session. The body of a
 * reply is either in `out' behind its head or the octets of a file, which
 * the driver sends.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "lib/str.h"
#include "retrieve/range.h"
#include "retrieve/reply.h"
#include "retrieve/session_impl.h"
#include "lib/siphash.h"

#define METHODS		"GET, HEAD, OPTIONS"
#define RETRY_SECONDS	5	/* after a 503 */

void
session_log_request(struct session *s)
{
	struct span	 m = request_method(&s->req);
	struct span	 t = request_target(&s->req);
	const char	*q;

	memset(&s->log, 0, sizeof(s->log));
	s->busy = true;
	s->user[0] = '\0';
	s->id[0] = '\0';
	if (t.len > 0 && (q = memchr(t.s, '?', t.len)) != NULL)
		t.len = (size_t)(q - t.s);
	str_quote(s->log.method, sizeof(s->log.method), m.s, m.len);
	str_quote(s->log.target, sizeof(s->log.target), t.s, t.len);
}

/* The reply cannot be made: what is there of it must not look whole. */
static void
give_up(struct session *s)
{
	s->close = true;
	s->log.code = 500;
	buf_free(&s->out);
	session_done(s);
}

void
session_refuse_later(struct session *s, unsigned code, const char *detail,
    uint32_t seconds)
{
	struct refusal	r = {
		.code = code, .detail = detail, .close = s->close,
		.head = s->req.method == METHOD_HEAD,
		.retry_after = seconds, .realm = s->conf->realm,
		.allow = METHODS
	};

	/* Half a head has no fields one could ask for. */
	if (s->req.whole)
		r.json = media_names_json(&s->req);
	s->log.code = code;
	if (code == 416)
		r.size = s->file.length;
	if (reply_refuse(&s->out, s->now, &r) == -1)
		give_up(s);
	else
		session_done(s);
}

void
session_refuse(struct session *s, unsigned code, const char *detail)
{
	session_refuse_later(s, code, detail, 0);
}

void
session_fail(struct session *s)
{
	session_refuse_later(s, 503, NULL, RETRY_SECONDS);
}

void
session_options(struct session *s)
{
	s->log.code = 204;
	if (reply_begin(&s->out, 204, s->now, s->close, REPLY_NO_STORE) == -1 ||
	    reply_field(&s->out, "Allow", METHODS) == -1 ||
	    reply_end(&s->out) == -1)
		give_up(s);
	else
		session_done(s);
}

/* The end of the head and the body, which HEAD leaves out. */
static int
add_body(struct session *s, const void *body, size_t len)
{
	static const char	*const charset[MEDIA_COUNT] = {
		[MEDIA_TEXT] = "; charset=utf-8",
	};

	s->log.octets = s->req.method == METHOD_HEAD ? 0 : len;
	if (reply_field(&s->out, "Content-Type", "%s%s", media_name(s->media),
	    charset[s->media] != NULL ? charset[s->media] : "") == -1 ||
	    reply_field(&s->out, "Content-Length", "%zu", len) == -1 ||
	    reply_end(&s->out) == -1)
		return -1;
	if (s->req.method == METHOD_HEAD || len == 0)
		return 0;
	return buf_add(&s->out, body, len);
}

static void
reply_text(struct session *s, const char *text, enum reply_cache cache)
{
	s->log.code = 200;
	if (reply_begin(&s->out, 200, s->now, s->close, cache) == -1 ||
	    add_body(s, text, strlen(text)) == -1)
		give_up(s);
	else
		session_done(s);
}

/* The head of a 304: RFC 9110 section 15.4.5. */
static void
reply_same(struct session *s, const char *etag, enum reply_cache cache)
{
	s->log.code = 304;
	if (reply_begin(&s->out, 304, s->now, s->close, cache) == -1 ||
	    reply_field(&s->out, "ETag", "%s", etag) == -1 ||
	    reply_end(&s->out) == -1)
		give_up(s);
	else
		session_done(s);
}

static void
serve_list(struct session *s, struct span raw)
{
	char	why[128];

	if ((s->query = calloc(1, sizeof(*s->query))) == NULL) {
		session_fail(s);
		return;
	}
	if (query_parse(s->query, raw, s->conf->list_default, why,
	    sizeof(why)) == -1) {
		session_refuse(s, 400, why);
		return;
	}
	/* First the state alone: it may be what the client has. */
	s->peek = s->req.seen[FIELD_IF_NONE_MATCH] > 0 ||
	    s->req.seen[FIELD_IF_MATCH] > 0;
	session_step(s, SESSION_LIST);
}

/* The raw query of the target; the target was checked before. */
static struct span
raw_query(const struct session *s)
{
	struct span	 t = request_target(&s->req);
	const char	*q = memchr(t.s, '?', t.len);

	if (q == NULL)
		return (struct span){ "", 0 };
	return (struct span){ q + 1, t.len - (size_t)(q + 1 - t.s) };
}

void
session_serve(struct session *s)
{
	char	why[128];

	if (s->route->action == ROUTE_NOTHING) {
		session_refuse(s, 404, NULL);
		return;
	}
	if (s->req.method == METHOD_OPTIONS) {
		session_options(s);
		return;
	}
	if (s->route->action != ROUTE_LIST &&
	    query_none(raw_query(s), why, sizeof(why)) == -1) {
		session_refuse(s, 400, why);
		return;
	}
	s->media = media_choose(&s->req, s->route->offers);
	if (s->media == MEDIA_NONE) {
		session_refuse(s, 406, NULL);
		return;
	}
	switch (s->route->action) {
	case ROUTE_LIST:
		serve_list(s, raw_query(s));
		break;
	case ROUTE_MESSAGE:
	case ROUTE_HEADERS:
		session_step(s, SESSION_OPEN);
		break;
	case ROUTE_HEALTH:
		session_step(s, SESSION_PING);
		break;
	case ROUTE_OPENAPI:
		reply_text(s, s->conf->openapi, REPLY_NO_CACHE);
		break;
	case ROUTE_NOTHING:
		break;
	}
}

void
session_pinged(struct session *s, bool well)
{
	BUG_IF(s->state != SESSION_PING);
	if (well)
		reply_text(s, "ok\n", REPLY_NO_STORE);
	else
		session_fail(s);
}

/* What the reader could not do, as a reply. */
static void
refuse_status(struct session *s, uint32_t status)
{
	if (status == READER_NO_MESSAGE)
		session_refuse(s, 404, NULL);
	else if (status == READER_NO_CURSOR)
		session_refuse(s, 410, "no such position in the list");
	else
		session_fail(s);
}

static void
format_etag(char etag[SESSION_ETAG], const unsigned char *tag, size_t len,
    const char *kind)
{
	size_t	i, n = 0;

	etag[n++] = '"';
	for (i = 0; i < len; i++)
		n += (size_t)snprintf(etag + n, SESSION_ETAG - n, "%02x",
		    tag[i]);
	(void)snprintf(etag + n, SESSION_ETAG - n, "%s\"", kind);
}

/* The tag of a page: the mailbox's state, what was asked, and its form. */
static void
list_etag(const struct session *s, const struct reader_listed *h,
    char etag[SESSION_ETAG])
{
	struct siphash	hash;
	unsigned char	tag[SIPHASH_SIZE];
	const struct query *q = s->query;

	siphash_init(&hash, h->tag);
	/* All users' lists have one address, and mail in common. */
	siphash_add_string(&hash, s->user);
	siphash_add_string(&hash, media_name(s->media));
	siphash_add(&hash, &q->limit, sizeof(q->limit));
	siphash_add(&hash, &q->ascending, sizeof(q->ascending));
	siphash_add_string(&hash, q->after);
	siphash_add_string(&hash, q->before);
	/* They are part of the links. */
	siphash_add(&hash, &q->limited, sizeof(q->limited));
	siphash_add(&hash, &q->ordered, sizeof(q->ordered));
	siphash_end(&hash, tag);
	format_etag(etag, tag, sizeof(tag), "");
}

/* Link fields: RFC 8288. */
static int
add_links(struct session *s)
{
	static const struct { enum query_page page; const char *rel; } links[] =
	    { { QUERY_NEXT, "next" }, { QUERY_PREV, "prev" },
	    { QUERY_FIRST, "first" } };
	char		 query[3000];
	const char	*cursor;
	size_t		 i;

	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		cursor = links[i].page == QUERY_NEXT ? s->head->next :
		    s->head->prev;
		if (links[i].page != QUERY_FIRST && cursor[0] == '\0')
			continue;
		if (query_format(s->query, links[i].page, cursor,
		    s->head->adjacent != 0, query, sizeof(query)) == -1 ||
		    reply_field(&s->out, "Link", "</mail/%s>; rel=\"%s\"",
		    query, links[i].rel) == -1)
			return -1;
	}
	return 0;
}

static void
finish_list(struct session *s)
{
	char	etag[SESSION_ETAG];

	list_etag(s, s->head, etag);
	s->log.code = 200;
	if (list_end(s->list) == -1 ||
	    reply_begin(&s->out, 200, s->now, s->close, REPLY_NO_CACHE) == -1 ||
	    reply_field(&s->out, "ETag", "%s", etag) == -1 ||
	    add_links(s) == -1 || add_body(s, buf_data(&s->list->body),
	    s->list->body.len) == -1)
		give_up(s);
	else
		session_done(s);
}

/* The head came that was asked for to compare. */
static void
compare_list(struct session *s, const struct reader_listed *h)
{
	char			etag[SESSION_ETAG];
	struct validator	now = { etag, -1 };

	list_etag(s, h, etag);
	s->peek = false;
	switch (range_condition(&s->req, &now)) {
	case CONDITION_SAME:
		reply_same(s, etag, REPLY_NO_CACHE);
		break;
	case CONDITION_FAILED:
		session_refuse(s, 412, NULL);
		break;
	case CONDITION_GO:
		session_step(s, SESSION_LIST);
		break;
	}
}

void
session_listed(struct session *s, const struct reader_listed *h)
{
	BUG_IF(s->state != SESSION_LIST || s->head != NULL);
	if (h->status != READER_OK) {
		refuse_status(s, h->status);
		return;
	}
	if (s->peek) {
		compare_list(s, h);
		return;
	}
	s->head = malloc(sizeof(*s->head));
	s->list = malloc(sizeof(*s->list));
	if (s->list != NULL)
		list_init(s->list, s->media);
	if (s->head == NULL || s->list == NULL ||
	    list_begin(s->list, s->user, h) == -1) {
		session_fail(s);
		return;
	}
	*s->head = *h;
	s->rows = h->count;
	if (s->rows == 0)
		finish_list(s);
}

void
session_row(struct session *s, const struct reader_row *row)
{
	BUG_IF(s->state != SESSION_LIST || s->rows == 0);
	if (list_add(s->list, row) == -1)
		session_fail(s);
	else if (--s->rows == 0)
		finish_list(s);
}

/* The head of a message or a part of it; the file follows. */
static int
message_head(struct session *s, const struct validator *v,
    const struct reader_opened *o, bool part)
{
	s->log.code = part ? 206 : 200;
	if (reply_begin(&s->out, s->log.code, s->now, s->close,
	    REPLY_IMMUTABLE) == -1 ||
	    reply_field(&s->out, "ETag", "%s", v->etag) == -1 ||
	    reply_last_modified(&s->out, v->modified) == -1 ||
	    reply_field(&s->out, "Accept-Ranges", "bytes") == -1 ||
	    reply_field(&s->out, "Content-Type", "%s",
	    media_name(s->media)) == -1 ||
	    (part && reply_field(&s->out, "Content-Range",
	    "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, s->file.first,
	    s->file.first + s->file.length - 1, o->size) == -1) ||
	    reply_field(&s->out, "Content-Length", "%" PRIu64,
	    s->file.length) == -1)
		return -1;
	return reply_end(&s->out);
}

static void
serve_message(struct session *s, const struct validator *v,
    const struct reader_opened *o)
{
	enum range_status	rs = RANGE_WHOLE;

	s->file = (struct session_file){ 0, o->size, o->size == o->stored };
	/* Range means something for GET alone: RFC 9110 section 14.2. */
	if (s->req.method == METHOD_GET && range_applies(&s->req, v))
		rs = range_parse(request_field(&s->req, FIELD_RANGE), o->size,
		    &s->file.first, &s->file.length);
	if (rs == RANGE_NONE) {
		s->file.length = o->size;
		session_refuse(s, 416, NULL);
		return;
	}
	if (message_head(s, v, o, rs == RANGE_PART) == -1) {
		give_up(s);
		return;
	}
	if (s->req.method == METHOD_HEAD || s->file.length == 0) {
		session_done(s);
		return;
	}
	s->log.octets = s->file.length;
	session_step(s, SESSION_BODY);
}

void
session_opened(struct session *s, const struct reader_opened *o)
{
	static const char *const kinds[MEDIA_COUNT] = {
		[MEDIA_NONE] = "", [MEDIA_TEXT] = "-t", [MEDIA_JSON] = "-j",
		[MEDIA_MESSAGE] = "", [MEDIA_YAML] = ""
	};
	char			etag[SESSION_ETAG];
	struct validator	v = { etag, o->received };

	BUG_IF(s->state != SESSION_OPEN);
	if (o->status != READER_OK) {
		refuse_status(s, o->status);
		return;
	}
	format_etag(etag, o->tag, sizeof(o->tag), kinds[s->media]);
	switch (range_condition(&s->req, &v)) {
	case CONDITION_SAME:
		reply_same(s, etag, REPLY_IMMUTABLE);
		return;
	case CONDITION_FAILED:
		session_refuse(s, 412, NULL);
		return;
	case CONDITION_GO:
		break;
	}
	if (s->route->action == ROUTE_MESSAGE) {
		serve_message(s, &v, o);
		return;
	}
	memcpy(s->etag, etag, sizeof(s->etag));
	session_step(s, SESSION_BLOCK);
}

void
session_block(struct session *s, const char *data, size_t len)
{
	struct buf	body;

	BUG_IF(s->state != SESSION_BLOCK);
	buf_init(&body, 16 * 1024 * 1024);
	s->log.code = 200;
	if (list_headers(&body, s->media, data, len) == -1 ||
	    reply_begin(&s->out, 200, s->now, s->close,
	    REPLY_IMMUTABLE) == -1 ||
	    reply_field(&s->out, "ETag", "%s", s->etag) == -1 ||
	    add_body(s, buf_data(&body), body.len) == -1)
		give_up(s);
	else
		session_done(s);
	buf_free(&body);
}
