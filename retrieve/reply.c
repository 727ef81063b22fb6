/* SPDX-License-Identifier: ISC */
/*
 * Replies, run by retrieve-session. Nothing a client sent is repeated in a
 * field; details in bodies are quoted by whoever makes them.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retrieve/httpdate.h"
#include "retrieve/reply.h"

static const struct {
	unsigned	 code;
	const char	*reason;
} reasons[] = {
	{ 200, "OK" }, { 204, "No Content" }, { 206, "Partial Content" },
	{ 304, "Not Modified" }, { 400, "Bad Request" },
	{ 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" },
	{ 405, "Method Not Allowed" }, { 406, "Not Acceptable" },
	{ 408, "Request Timeout" }, { 410, "Gone" },
	{ 412, "Precondition Failed" }, { 414, "URI Too Long" },
	{ 416, "Range Not Satisfiable" }, { 421, "Misdirected Request" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" }, { 501, "Not Implemented" },
	{ 503, "Service Unavailable" },
	{ 505, "HTTP Version Not Supported" },
};

static const char *const cache_control[] = {
	[REPLY_NO_STORE] = "no-store",
	[REPLY_NO_CACHE] = "private, no-cache",
	[REPLY_IMMUTABLE] = "private, immutable",
};

const char *
reply_reason(unsigned code)
{
	size_t	i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].code == code)
			return reasons[i].reason;
	return "Error";
}

int
reply_begin(struct buf *b, unsigned code, int64_t now, bool close,
    enum reply_cache cache)
{
	char	date[HTTPDATE_SIZE];

	return buf_addf(b, "HTTP/1.1 %u %s\r\n"
	    "Date: %s\r\n"
	    "%s"
	    "Vary: Accept, Authorization\r\n"
	    "Cache-Control: %s\r\n"
	    "X-Content-Type-Options: nosniff\r\n"
	    "Strict-Transport-Security: max-age=31536000\r\n"
	    "Referrer-Policy: no-referrer\r\n"
	    "Content-Security-Policy: default-src 'none';"
	    " frame-ancestors 'none'\r\n"
	    "Cross-Origin-Resource-Policy: same-origin\r\n",
	    code, reply_reason(code), httpdate_format(date, now),
	    close ? "Connection: close\r\n" : "", cache_control[cache]);
}

int
reply_field(struct buf *b, const char *name, const char *fmt, ...)
{
	char	value[3072];
	va_list	ap;
	int	n;

	va_start(ap, fmt);
	n = vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(value)) {
		errno = EMSGSIZE;
		return -1;
	}
	return buf_addf(b, "%s: %s\r\n", name, value);
}

int
reply_last_modified(struct buf *b, int64_t t)
{
	char	date[HTTPDATE_SIZE];

	return reply_field(b, "Last-Modified", "%s", httpdate_format(date, t));
}

int
reply_end(struct buf *b)
{
	return buf_add(b, "\r\n", 2);
}

static int
problem_text(struct buf *body, const struct refusal *r)
{
	return buf_addf(body, "%u %s%s%s\n", r->code, reply_reason(r->code),
	    r->detail != NULL ? ": " : "", r->detail != NULL ? r->detail : "");
}

/* RFC 9457 */
static int
problem_json(struct buf *body, const struct refusal *r)
{
	json_t	*v;
	char	*text = NULL;
	int	 ret = -1;

	v = json_pack("{ss,ss,si,ss*}", "type", "about:blank", "title",
	    reply_reason(r->code), "status", (int)r->code, "detail",
	    r->detail);
	if (v != NULL && (text = json_dumps(v, JSON_COMPACT)) != NULL)
		ret = buf_addf(body, "%s\n", text);
	free(text);
	json_decref(v);
	return ret;
}

static int
refusal_fields(struct buf *b, const struct refusal *r)
{
	if ((r->code == 401 && reply_field(b, "WWW-Authenticate",
	    "Basic realm=\"%s\", charset=\"UTF-8\"", r->realm) == -1) ||
	    (r->code == 405 && reply_field(b, "Allow", "%s", r->allow) == -1) ||
	    (r->code == 416 && reply_field(b, "Content-Range",
	    "bytes */%" PRIu64, r->size) == -1) ||
	    (r->retry_after > 0 && reply_field(b, "Retry-After", "%" PRIu32,
	    r->retry_after) == -1))
		return -1;
	return 0;
}

int
reply_refuse(struct buf *b, int64_t now, const struct refusal *r)
{
	struct buf	body;
	int		ret = -1;

	buf_init(&body, 8192);
	if ((r->json ? problem_json(&body, r) : problem_text(&body, r)) == -1 ||
	    reply_begin(b, r->code, now, r->close, REPLY_NO_STORE) == -1 ||
	    refusal_fields(b, r) == -1 ||
	    reply_field(b, "Content-Type", "%s", r->json ?
	    "application/problem+json" : "text/plain; charset=utf-8") == -1 ||
	    reply_field(b, "Content-Length", "%zu", body.len) == -1 ||
	    reply_end(b) == -1)
		goto out;
	ret = r->head ? 0 : buf_add(b, buf_data(&body), body.len);
out:
	buf_free(&body);
	return ret;
}
