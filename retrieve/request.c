/* SPDX-License-Identifier: ISC */
/*
 * Reader of request heads, run by retrieve-session on hostile octets. A
 * line is judged when it is complete, in the order of the lines, so that
 * the verdict does not depend on how the octets were cut on the way.
 */
#include <string.h>

#include "lib/str.h"
#include "retrieve/request.h"

static const struct known {
	const char	*name;
	bool		 list;	/* may come in several lines */
} known[FIELD_COUNT] = {
	[FIELD_HOST] = { "host", false },
	[FIELD_CONNECTION] = { "connection", true },
	[FIELD_CONTENT_LENGTH] = { "content-length", false },
	[FIELD_TRANSFER_ENCODING] = { "transfer-encoding", true },
	[FIELD_EXPECT] = { "expect", true },
	[FIELD_AUTHORIZATION] = { "authorization", false },
	[FIELD_ACCEPT] = { "accept", true },
	[FIELD_RANGE] = { "range", false },
	[FIELD_IF_RANGE] = { "if-range", false },
	[FIELD_IF_MATCH] = { "if-match", true },
	[FIELD_IF_NONE_MATCH] = { "if-none-match", true },
	[FIELD_IF_MODIFIED_SINCE] = { "if-modified-since", false },
	[FIELD_IF_UNMODIFIED_SINCE] = { "if-unmodified-since", false },
	[FIELD_SEC_FETCH_SITE] = { "sec-fetch-site", false },
};

bool
request_is_tchar(unsigned char c)
{
	return str_is_alnum(c) ||
	    (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

struct span
span_trim(struct span v)
{
	while (v.len > 0 && (v.s[0] == ' ' || v.s[0] == '\t')) {
		v.s++;
		v.len--;
	}
	while (v.len > 0 && (v.s[v.len - 1] == ' ' || v.s[v.len - 1] == '\t'))
		v.len--;
	return v;
}

bool
span_is(struct span v, const char *word)
{
	return v.s != NULL && strlen(word) == v.len &&
	    str_caseeqn(v.s, word, v.len);
}

bool
span_next(struct span *list, struct span *element)
{
	bool	quoted;
	size_t	i;

	while (list->len > 0) {
		quoted = false;
		for (i = 0; i < list->len; i++) {
			if (list->s[i] == '"')
				quoted = !quoted;
			else if (quoted && list->s[i] == '\\' &&
			    i + 1 < list->len)
				i++;
			else if (!quoted && list->s[i] == ',')
				break;
		}
		*element = span_trim((struct span){ list->s, i });
		if (i < list->len)
			i++;
		list->s += i;
		list->len -= i;
		if (element->len > 0)
			return true;
	}
	return false;
}

void
request_init(struct request *r)
{
	memset(r, 0, sizeof(*r));
	buf_init(&r->head, SIZE_MAX);
}

void
request_free(struct request *r)
{
	buf_wipe(&r->head);
	request_init(r);
}

bool
request_begun(const struct request *r)
{
	return r->head.len > 0;
}

static const char *
head_text(const struct request *r)
{
	return (const char *)buf_data(&r->head);
}

static enum request_status
refuse(struct request *r, unsigned code, const char *why)
{
	r->code = code;
	r->why = why;
	return REQUEST_BAD;
}

static enum method
method_of(struct span v)
{
	/* Methods are case-sensitive: RFC 9110 section 9.1. */
	if (v.len == 3 && memcmp(v.s, "GET", 3) == 0)
		return METHOD_GET;
	if (v.len == 4 && memcmp(v.s, "HEAD", 4) == 0)
		return METHOD_HEAD;
	if (v.len == 7 && memcmp(v.s, "OPTIONS", 7) == 0)
		return METHOD_OPTIONS;
	return METHOD_OTHER;
}

/* "HTTP/d.d", RFC 9112 section 2.3. */
static enum request_status
read_version(struct request *r, struct span v)
{
	if (v.len != 8 || memcmp(v.s, "HTTP/", 5) != 0 || v.s[6] != '.' ||
	    v.s[5] < '0' || v.s[5] > '9' || v.s[7] < '0' || v.s[7] > '9')
		return refuse(r, 400, "malformed HTTP version");
	if (v.s[5] != '1')
		return refuse(r, 505, "only HTTP/1.1 is spoken here");
	r->minor = v.s[7] == '0' ? 0 : 1;
	return REQUEST_MORE;
}

static enum request_status
read_request_line(struct request *r, size_t at, size_t len)
{
	const char	*s = head_text(r) + at, *sp1, *sp2;
	size_t		 i;

	for (i = 0; i < len; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return refuse(r, 400, "control character in the"
			    " request line");
	sp1 = memchr(s, ' ', len);
	if (sp1 == NULL || sp1 == s)
		return refuse(r, 400, "malformed request line");
	sp2 = memchr(sp1 + 1, ' ', len - (size_t)(sp1 + 1 - s));
	if (sp2 == NULL || sp2 == sp1 + 1)
		return refuse(r, 400, "malformed request line");
	for (i = 0; s + i < sp1; i++)
		if (!request_is_tchar((unsigned char)s[i]))
			return refuse(r, 400, "malformed method");
	r->method = method_of((struct span){ s, (size_t)(sp1 - s) });
	r->target_at = at + (size_t)(sp1 + 1 - s);
	r->target_len = (size_t)(sp2 - sp1 - 1);
	r->fields_at = at + len + 2;
	return read_version(r, (struct span){ sp2 + 1,
	    len - (size_t)(sp2 + 1 - s) });
}

static int
find_field(struct span name)
{
	int	f;

	for (f = 0; f < FIELD_COUNT; f++)
		if (span_is(name, known[f].name))
			return f;
	return -1;
}

/* A field line of RFC 9112 section 5 without its CRLF. */
static enum request_status
read_field(struct request *r, const struct request_limits *max, size_t at,
    size_t len)
{
	const char	*s = head_text(r) + at, *colon;
	size_t		 i;
	int		 f;

	if (++r->nfields > max->fields)
		return refuse(r, 431, "too many header fields");
	if (s[0] == ' ' || s[0] == '\t')
		return refuse(r, 400, "folded header field");
	colon = memchr(s, ':', len);
	if (colon == NULL || colon == s)
		return refuse(r, 400, "malformed header field");
	for (i = 0; s + i < colon; i++)
		if (!request_is_tchar((unsigned char)s[i]))
			return refuse(r, 400, "malformed header field name");
	for (i++; i < len; i++)
		if (((unsigned char)s[i] < 0x20 && s[i] != '\t') ||
		    s[i] == 0x7f)
			return refuse(r, 400, "control character in a header"
			    " field");
	f = find_field((struct span){ s, (size_t)(colon - s) });
	if (f >= 0 && ++r->seen[f] > 1 && !known[f].list)
		return refuse(r, 400, f == FIELD_HOST ?
		    "more than one Host" : "doubled header field");
	return REQUEST_MORE;
}

struct span
request_target(const struct request *r)
{
	return (struct span){ head_text(r) + r->target_at, r->target_len };
}

struct span
request_method(const struct request *r)
{
	const char	*s = head_text(r);
	size_t		 at = 0;

	if (r->head.len == 0)
		return (struct span){ "", 0 };
	if (s[0] == '\r')	/* the empty line before a request */
		at = 2;
	return (struct span){ s + at, r->target_at > at ?
	    r->target_at - 1 - at : 0 };
}

bool
request_each(const struct request *r, enum field f, size_t *at,
    struct span *value)
{
	const char	*s, *end, *colon, *lf;

	if (r->seen[f] == 0)
		return false;
	s = head_text(r) + (*at == 0 ? r->fields_at : *at);
	end = head_text(r) + r->head.len;
	while (s < end && (lf = memchr(s, '\n', (size_t)(end - s))) != NULL) {
		colon = memchr(s, ':', (size_t)(lf - s));
		if (colon == NULL)
			return false;
		*at = (size_t)(lf + 1 - head_text(r));
		if (span_is((struct span){ s, (size_t)(colon - s) },
		    known[f].name)) {
			*value = span_trim((struct span){ colon + 1,
			    (size_t)(lf - 1 - (colon + 1)) });
			return true;
		}
		s = lf + 1;
	}
	return false;
}

struct span
request_field(const struct request *r, enum field f)
{
	struct span	v;
	size_t		at = 0;

	if (!request_each(r, f, &at, &v))
		v = (struct span){ NULL, 0 };
	return v;
}

/* uri-host [":" port] of RFC 3986, without user information. */
static bool
valid_host(struct span v)
{
	size_t	i = 0, digits = 0, n;

	if (v.len > 0 && v.s[0] == '[') {
		for (i = 1; i < v.len && v.s[i] != ']'; i++)
			if (strchr("0123456789abcdefABCDEF:.", v.s[i]) == NULL)
				return false;
		if (i >= v.len || i < 3)
			return false;
		i++;
	} else {
		for (; i < v.len && v.s[i] != ':'; i++)
			if (!str_is_alnum(v.s[i]) &&
			    strchr("-._~", v.s[i]) == NULL)
				return false;
		if (i == 0)
			return false;
	}
	if (i == v.len)
		return true;
	if (v.s[i] != ':')
		return false;
	for (n = i + 1; n < v.len; n++, digits++)
		if (v.s[n] < '0' || v.s[n] > '9')
			return false;
	return digits <= 5;
}

static enum request_status
check_host(struct request *r)
{
	struct span	v = request_field(r, FIELD_HOST);

	if (v.s == NULL && r->minor >= 1)
		return refuse(r, 400, "no Host");
	if (v.s != NULL && !valid_host(v))
		return refuse(r, 400, "malformed Host");
	return REQUEST_DONE;
}

static enum request_status
check_body(struct request *r)
{
	struct span	v;
	uint64_t	n = 0;

	/* No coding is read here, so none can hide a second request. */
	if (r->seen[FIELD_TRANSFER_ENCODING] > 0)
		return refuse(r, 400, "Transfer-Encoding is not taken");
	v = request_field(r, FIELD_CONTENT_LENGTH);
	if (v.s != NULL && str_u64(v.s, v.len, UINT64_MAX, &n) == -1)
		return refuse(r, 400, "malformed Content-Length");
	r->body = n > 0;
	if (r->body && r->method != METHOD_OTHER)
		return refuse(r, 400, "a body is not taken");
	return REQUEST_DONE;
}

static enum request_status
check_options(struct request *r)
{
	struct span	v, e;
	size_t		at = 0;

	r->close = r->minor == 0;
	while (request_each(r, FIELD_CONNECTION, &at, &v))
		while (span_next(&v, &e))
			if (span_is(e, "close"))
				r->close = true;
	at = 0;
	while (request_each(r, FIELD_EXPECT, &at, &v))
		/* Without a body there is nothing to continue with. */
		if (!span_is(v, "100-continue"))
			return refuse(r, 400, "Expect is not understood");
	return REQUEST_DONE;
}

static enum request_status
finish(struct request *r)
{
	enum request_status	st;

	r->whole = true;
	if ((st = check_body(r)) != REQUEST_DONE ||
	    (st = check_host(r)) != REQUEST_DONE)
		return st;
	return check_options(r);
}

/* One complete line of len octets with its LF, the last of the head. */
static enum request_status
read_line(struct request *r, const struct request_limits *max, size_t len)
{
	const char	*s = head_text(r) + r->line;
	size_t		 at = r->line;
	bool		 first = r->fields_at == 0;

	if (first && len - 1 > max->line + 1)
		return refuse(r, 414, "the request line is too long");
	if (len < 2 || s[len - 2] != '\r')
		return refuse(r, 400, "bare LF");
	len -= 2;
	r->line += len + 2;
	if (memchr(s, '\r', len) != NULL)
		return refuse(r, 400, "bare CR");
	if (first) {
		/* One empty line before it is forgiven: RFC 9112 2.2. */
		if (len == 0 && at == 0)
			return REQUEST_MORE;
		return read_request_line(r, at, len);
	}
	if (len == 0)
		return finish(r);
	return read_field(r, max, at, len);
}

/* Is what there is of an unfinished line too much already? */
static enum request_status
check_growth(struct request *r, const struct request_limits *max)
{
	size_t	len = r->head.len - r->line;

	if (r->fields_at == 0 && len > max->line + 1)
		return refuse(r, 414, "the request line is too long");
	return REQUEST_MORE;
}

/*
 * The next n octets of this line do not fit the head. Say what a reader of
 * single octets would have met first.
 */
static enum request_status
refuse_size(struct request *r, const struct request_limits *max, size_t n)
{
	if (r->fields_at == 0 && r->head.len - r->line + n > max->line + 1 &&
	    max->line + 2 <= max->head - r->line)
		return refuse(r, 414, "the request line is too long");
	return refuse(r, 431, "the header is too large");
}

enum request_status
request_read(struct request *r, const struct request_limits *max,
    const void *data, size_t len, size_t *used)
{
	enum request_status	 st;
	const char		*p = data, *lf;
	size_t			 n;

	*used = 0;
	while (len > 0) {
		lf = memchr(p, '\n', len);
		n = lf != NULL ? (size_t)(lf - p) + 1 : len;
		if (n > max->head - r->head.len) {
			*used += len;
			return refuse_size(r, max, lf != NULL ? n - 1 : n);
		}
		if (buf_add(&r->head, p, n) == -1) {
			*used += len;
			return refuse(r, 503, "out of memory");
		}
		*used += n;
		p += n;
		len -= n;
		if (lf == NULL)
			st = check_growth(r, max);
		else
			st = read_line(r, max, r->head.len - r->line);
		if (st != REQUEST_MORE)
			return st;
	}
	return REQUEST_MORE;
}
