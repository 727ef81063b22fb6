/* SPDX-License-Identifier: ISC */
/*
 * Content negotiation, run by retrieve-session on hostile header values. A
 * malformed element is as if it were not there.
 */
#include <string.h>

#include "lib/str.h"
#include "retrieve/media.h"

static const char *const names[MEDIA_COUNT] = {
	[MEDIA_NONE] = "",
	[MEDIA_TEXT] = "text/plain",
	[MEDIA_JSON] = "application/json",
	[MEDIA_MESSAGE] = "message/rfc822",
	[MEDIA_YAML] = "application/yaml",
};

struct range {
	struct span	type;		/* "text/plain", "text/x", "x/x" */
	struct span	params;		/* other than q, raw, may be empty */
	unsigned	q;		/* thousandths */
};

const char *
media_name(enum media m)
{
	return names[m];
}

/* "0.5", "1.000": at most three decimals, no more than 1. Or -1. */
static int
read_q(struct span v)
{
	static const int	scale[] = { 1000, 100, 10, 1 };
	size_t			i;
	int			q;

	if (v.len < 1 || v.len > 5 || (v.s[0] != '0' && v.s[0] != '1') ||
	    (v.len > 1 && v.s[1] != '.'))
		return -1;
	q = (v.s[0] - '0') * 1000;
	for (i = 2; i < v.len; i++) {
		if (v.s[i] < '0' || v.s[i] > '9')
			return -1;
		q += (v.s[i] - '0') * scale[i - 1];
	}
	return q > 1000 ? -1 : q;
}

static bool
is_type(struct span v)
{
	const char	*slash;
	size_t		 i;

	slash = v.len > 0 ? memchr(v.s, '/', v.len) : NULL;
	if (slash == NULL || slash == v.s || slash == v.s + v.len - 1)
		return false;
	for (i = 0; i < v.len; i++)
		if (v.s + i != slash &&
		    !request_is_tchar((unsigned char)v.s[i]))
			return false;
	return true;
}

/* One element of Accept. False when it is malformed. */
static bool
read_range(struct span v, struct range *r)
{
	struct span	 rest, p;
	const char	*semi;
	int		 q;

	semi = memchr(v.s, ';', v.len);
	r->q = 1000;
	r->type = span_trim((struct span){ v.s,
	    semi != NULL ? (size_t)(semi - v.s) : v.len });
	r->params = (struct span){ "", 0 };
	if (!is_type(r->type))
		return false;
	rest = semi == NULL ? r->params : (struct span){ semi + 1,
	    v.len - (size_t)(semi + 1 - v.s) };
	while (rest.len > 0) {
		semi = memchr(rest.s, ';', rest.len);
		p = (struct span){ rest.s, semi != NULL ?
		    (size_t)(semi - rest.s) : rest.len };
		rest = semi == NULL ? (struct span){ "", 0 } :
		    (struct span){ semi + 1, rest.len - p.len - 1 };
		p = span_trim(p);
		if (p.len >= 2 && (p.s[0] == 'q' || p.s[0] == 'Q') &&
		    p.s[1] == '=') {
			q = read_q((struct span){ p.s + 2, p.len - 2 });
			if (q < 0)
				return false;
			r->q = (unsigned)q;
			return true;	/* what follows is not a parameter */
		}
		if (p.len > 0)
			r->params = p;
	}
	return true;
}

/* How closely the range names m: 0 not at all, 3 exactly. */
static unsigned
matches(const struct range *r, enum media m)
{
	const char	*name = names[m];
	size_t		 major = strcspn(name, "/");

	if (span_is(r->type, "*/*"))
		return 1;
	if (r->type.len == major + 2 &&
	    r->type.s[r->type.len - 1] == '*' &&
	    str_caseeqn(r->type.s, name, major + 1))
		return 2;
	if (!span_is(r->type, name))
		return 0;
	/* The texts are served in UTF-8; nothing else has a parameter. */
	if (r->params.len > 0 && !span_is(r->params, "charset=utf-8") &&
	    !span_is(r->params, "charset=\"utf-8\""))
		return 0;
	return 3;
}

static unsigned
quality(const struct request *req, enum media m)
{
	struct span	v, e;
	struct range	r;
	size_t		at = 0;
	unsigned	best = 0, q = 0, n;

	while (request_each(req, FIELD_ACCEPT, &at, &v))
		while (span_next(&v, &e)) {
			if (!read_range(e, &r))
				continue;
			n = matches(&r, m);
			if (n > best || (n == best && n > 0 && r.q > q)) {
				best = n;
				q = r.q;
			}
		}
	return q;
}

/* No Accept, or one with nothing in it, means anything will do. */
static bool
says_nothing(const struct request *req)
{
	struct span	v, e;
	size_t		at = 0;

	while (request_each(req, FIELD_ACCEPT, &at, &v))
		if (span_next(&v, &e))
			return false;
	return true;
}

enum media
media_choose(const struct request *req, const enum media *offers)
{
	enum media	best = MEDIA_NONE;
	unsigned	q, most = 0;

	if (says_nothing(req))
		return offers[0];
	for (; *offers != MEDIA_NONE; offers++)
		if ((q = quality(req, *offers)) > most) {
			most = q;
			best = *offers;
		}
	return best;
}

bool
media_names_json(const struct request *req)
{
	struct span	v, e;
	struct range	r;
	size_t		at = 0;

	while (request_each(req, FIELD_ACCEPT, &at, &v))
		while (span_next(&v, &e))
			if (read_range(e, &r) && r.q > 0 &&
			    (span_is(r.type, "application/json") ||
			    span_is(r.type, "application/problem+json")))
				return true;
	return false;
}
