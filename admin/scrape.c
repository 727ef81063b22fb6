/* SPDX-License-Identifier: ISC */
/*
 * HTTP/1.1 (RFC 9112) as far as a collector of metrics needs it: GET of one
 * resource, one request a connection. Part of posternctl; pure. Requests
 * are hostile; what is not plainly right is refused.
 */
#include "admin/scrape.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/buf.h"
#include "lib/str.h"

#define TARGET	"/metrics"

struct text {
	const char	*p;
	size_t		 len;
};

size_t
scrape_head(const char *data, size_t len)
{
	const char *end = len == 0 ? NULL : memmem(data, len, "\r\n\r\n", 4);

	return end == NULL ? 0 : (size_t)(end - data) + 4;
}

/* Cut the text before sep off the front. False when there is no sep. */
static bool
cut(struct text *t, const char *sep, struct text *front)
{
	size_t n = strlen(sep);
	const char *at = t->len == 0 ? NULL : memmem(t->p, t->len, sep, n);

	if (at == NULL)
		return false;
	front->p = t->p;
	front->len = (size_t)(at - t->p);
	t->p = at + n;
	t->len -= front->len + n;
	return true;
}

static bool
is_text(const struct text *t, const char *text)
{
	return t->len == strlen(text) && memcmp(t->p, text, t->len) == 0;
}

/* RFC 9110 section 5.6.2. */
static bool
is_token(const struct text *t)
{
	for (size_t i = 0; i < t->len; i++)
		if (!str_is_alnum((unsigned char)t->p[i]) &&
		    (t->p[i] == '\0' ||
		    strchr("!#$%&'*+-.^_`|~", t->p[i]) == NULL))
			return false;
	return t->len > 0;
}

/* Is every octet of the value one that a field may have? */
static bool
is_value(const struct text *t)
{
	for (size_t i = 0; i < t->len; i++) {
		unsigned char c = (unsigned char)t->p[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* Section 3.2: origin-form; absolute-form too must be understood. */
static bool
is_metrics(struct text t)
{
	struct text host;

	if (t.len > 7 && str_caseeqn(t.p, "http://", 7)) {
		t.p += 7;
		t.len -= 7;
		if (!cut(&t, "/", &host))
			return false;
		t.p--;
		t.len++;
	}
	return is_text(&t, TARGET);
}

static int
judge_line(struct text line)
{
	struct text method, target;

	if (!cut(&line, " ", &method) || !is_token(&method) ||
	    !cut(&line, " ", &target) || target.len == 0)
		return 400;
	for (size_t i = 0; i < target.len; i++)
		if (target.p[i] <= ' ' || target.p[i] > '~')
			return 400;
	if (line.len != 8 || memcmp(line.p, "HTTP/", 5) != 0 ||
	    line.p[5] < '0' || line.p[5] > '9' || line.p[6] != '.' ||
	    line.p[7] < '0' || line.p[7] > '9')
		return 400;
	if (!is_text(&line, "HTTP/1.1"))
		return 505;
	if (!is_text(&method, "GET"))
		return 405;
	return is_metrics(target) ? 200 : 404;
}

static bool
is_name(const struct text *t, const char *name)
{
	return t->len == strlen(name) && str_caseeqn(t->p, name, t->len);
}

/* One Host (section 3.2), no content (which nothing here is for). */
static bool
judge_fields(struct text t)
{
	struct text line, name;
	unsigned hosts = 0;

	while (cut(&t, "\r\n", &line) && line.len > 0) {
		if (!cut(&line, ":", &name) || !is_token(&name) ||
		    !is_value(&line))
			return false;
		hosts += is_name(&name, "Host");
		if (is_name(&name, "Content-Length") ||
		    is_name(&name, "Transfer-Encoding"))
			return false;
	}
	return hosts == 1;
}

int
scrape_judge(const char *head, size_t len)
{
	struct text t = { head, len }, line;
	int code;

	if (!cut(&t, "\r\n", &line))
		return 400;
	code = judge_line(line);
	/* Who does not speak HTTP/1.1 is not judged by it. */
	return code == 505 || judge_fields(t) ? code : 400;
}

static const char *
reason(int code)
{
	switch (code) {
	case 200:
		return "OK";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 408:
		return "Request Timeout";
	case 431:
		return "Request Header Fields Too Large";
	case 503:
		return "Service Unavailable";
	case 505:
		return "HTTP Version Not Supported";
	case 400:
	default:
		return "Bad Request";
	}
}

int
scrape_reply(struct buf *out, int code, const struct buf *body, int64_t now)
{
	const char *why = reason(code);
	time_t t = (time_t)now;
	char date[64];
	struct tm tm;
	size_t len;

	gmtime_r(&t, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	len = code == 200 ? body->len : strlen(why) + 1;
	if (buf_addf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\nConnection: close\r\n"
	    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
	    "Content-Length: %zu\r\n%sContent-Type: %s; charset=utf-8\r\n"
	    "\r\n", code, why, date, len,
	    code == 405 ? "Allow: GET\r\n" : "", code == 200 ?
	    "application/openmetrics-text; version=1.0.0" :
	    "text/plain") == -1)
		return -1;
	return code == 200 ? buf_add(out, buf_data(body), body->len) :
	    buf_addf(out, "%s\n", why);
}
