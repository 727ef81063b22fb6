/* SPDX-License-Identifier: ISC */
/*
 * Queries, run by retrieve-session on hostile text. Each parameter is known,
 * comes once and is whole, or the request is refused by its name.
 */
#include <stdio.h>
#include <string.h>

#include "lib/str.h"
#include "retrieve/query.h"
#include "retrieve/target.h"

enum name { NAME_LIMIT, NAME_AFTER, NAME_BEFORE, NAME_ORDER, NAME_COUNT };

static const char *const names[NAME_COUNT] = {
	[NAME_LIMIT] = "limit",
	[NAME_AFTER] = "after",
	[NAME_BEFORE] = "before",
	[NAME_ORDER] = "order",
};

static int
complain(char *why, size_t size, const char *what, const char *name)
{
	char	quoted[64];

	str_quote(quoted, sizeof(quoted), name, strlen(name));
	(void)snprintf(why, size, "%s parameter \"%s\"", what, quoted);
	return -1;
}

/* What may be a message id or a cursor: printable, no '/' and no '"'. */
static bool
is_position(const char *s)
{
	size_t	n = strlen(s), i;

	if (n == 0 || n >= READER_CURSOR_MAX)
		return false;
	for (i = 0; i < n; i++)
		if (s[i] <= 0x20 || s[i] >= 0x7f || s[i] == '/' || s[i] == '"')
			return false;
	return true;
}

/* NULL, or what is wrong with the value. */
static const char *
set(struct query *q, enum name n, const char *value)
{
	uint64_t	x;
	bool		ok;

	switch (n) {
	case NAME_LIMIT:
		if (str_u64(value, strlen(value), UINT64_MAX, &x) == -1)
			return "malformed";
		if (x < 1 || x > READER_LIMIT_MAX)
			return "out of range:";
		q->limit = (uint32_t)x;
		q->limited = true;
		return NULL;
	case NAME_ORDER:
		q->ascending = strcmp(value, "asc") == 0;
		q->ordered = true;
		return q->ascending || strcmp(value, "desc") == 0 ? NULL :
		    "malformed";
	case NAME_AFTER:
	case NAME_BEFORE:
		ok = is_position(value) && str_copy(n == NAME_AFTER ?
		    q->after : q->before, READER_CURSOR_MAX, value) == 0;
		return ok ? NULL : "malformed";
	case NAME_COUNT:
		break;
	}
	return "unknown";
}

int
query_parse(struct query *q, struct span raw, uint32_t limit, char *why,
    size_t size)
{
	struct param	 p;
	const char	*wrong;
	unsigned	 seen = 0;
	int		 r, n;

	memset(q, 0, sizeof(*q));
	q->limit = limit;
	while ((r = target_param(&raw, &p)) != 0) {
		for (n = 0; n < NAME_COUNT; n++)
			if (strcmp(p.name, names[n]) == 0)
				break;
		if (n == NAME_COUNT)
			return complain(why, size, r == -1 ? "malformed" :
			    "unknown", p.name);
		if (r == -1)
			return complain(why, size, "malformed", p.name);
		if ((seen & 1U << n) != 0)
			return complain(why, size, "doubled", p.name);
		seen |= 1U << n;
		if ((wrong = set(q, (enum name)n, p.value)) != NULL)
			return complain(why, size, wrong, p.name);
	}
	return 0;
}

int
query_none(struct span raw, char *why, size_t size)
{
	struct param	p;
	int		r = target_param(&raw, &p);

	if (r == 0)
		return 0;
	return complain(why, size, r == -1 ? "malformed" : "unknown", p.name);
}

struct line {
	char	*s;
	size_t	 size, len;
	bool	 cut;
};

static void
line_add(struct line *l, const char *name, const char *value)
{
	char	escaped[3 * READER_CURSOR_MAX];
	int	n;

	if (value[0] == '\0' || l->cut)
		return;
	if (target_encode(escaped, sizeof(escaped), value) == -1) {
		l->cut = true;
		return;
	}
	n = snprintf(l->s + l->len, l->size - l->len, "%c%s=%s",
	    l->len == 0 ? '?' : '&', name, escaped);
	if (n < 0 || (size_t)n >= l->size - l->len)
		l->cut = true;
	else
		l->len += (size_t)n;
}

int
query_format(const struct query *q, enum query_page page, const char *cursor,
    bool adjacent, char *dst, size_t size)
{
	struct line	 l = { dst, size, 0, false };
	const char	*after, *before;
	char		 number[16];

	/* A page is opened by `before' going down, by `after' going up. The
	   other end stays, unless it was only the way back to a page. */
	after = q->ascending || adjacent ? "" : q->after;
	before = !q->ascending || adjacent ? "" : q->before;
	if (page != QUERY_FIRST) {
		if ((page == QUERY_NEXT) == q->ascending)
			after = cursor;
		else
			before = cursor;
	}
	(void)snprintf(number, sizeof(number), "%u", q->limit);
	dst[0] = '\0';
	line_add(&l, "limit", q->limited ? number : "");
	line_add(&l, "order", !q->ordered ? "" : q->ascending ? "asc" :
	    "desc");
	line_add(&l, "after", after);
	line_add(&l, "before", before);
	return l.cut ? -1 : 0;
}
