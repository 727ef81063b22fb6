/* SPDX-License-Identifier: ISC */
/*
 * Dates, run by retrieve-session (HTTP) and retrieve-reader (mail) on
 * hostile text. No locale, no time zone of the machine.
 */
#include <stdio.h>
#include <string.h>

#include "lib/str.h"
#include "mail/date.h"
#include "retrieve/httpdate.h"

char *
httpdate_format(char dst[HTTPDATE_SIZE], int64_t t)
{
	struct date	c;

	date_of(t, &c);
	(void)snprintf(dst, HTTPDATE_SIZE,
	    "%s, %02d %s %04d %02d:%02d:%02d GMT", date_days[c.weekday], c.day,
	    date_months[c.month - 1], (int)c.year, c.hour, c.minute, c.second);
	return dst;
}

char *
httpdate_format_3339(char dst[HTTPDATE_SIZE], int64_t t)
{
	struct date	c;

	date_of(t, &c);
	(void)snprintf(dst, HTTPDATE_SIZE, "%04d-%02d-%02dT%02d:%02d:%02dZ",
	    (int)c.year, c.month, c.day, c.hour, c.minute, c.second);
	return dst;
}

char *
httpdate_format_short(char dst[HTTPDATE_SIZE], int64_t t)
{
	struct date	c;

	date_of(t, &c);
	(void)snprintf(dst, HTTPDATE_SIZE, "%04d-%02d-%02d %02d:%02d",
	    (int)c.year, c.month, c.day, c.hour, c.minute);
	return dst;
}

/* Take between min and max digits off the front. The number, or -1. */
static int
take_number(struct span *v, size_t min, size_t max)
{
	size_t	n;
	int	x = 0;

	for (n = 0; n < v->len && n < max && v->s[n] >= '0' && v->s[n] <= '9';
	    n++)
		x = x * 10 + (v->s[n] - '0');
	if (n < min)
		return -1;
	v->s += n;
	v->len -= n;
	return x;
}

static bool
take_text(struct span *v, const char *text)
{
	size_t	n = strlen(text);

	if (v->len < n || memcmp(v->s, text, n) != 0)
		return false;
	v->s += n;
	v->len -= n;
	return true;
}

/* A month's name, any case. 1 to 12, or -1. */
static int
take_month(struct span *v)
{
	int	i;

	for (i = 0; i < 12; i++)
		if (v->len >= 3 && str_caseeqn(v->s, date_months[i], 3)) {
			v->s += 3;
			v->len -= 3;
			return i + 1;
		}
	return -1;
}

static bool
take_day_name(struct span *v)
{
	int	i;

	for (i = 0; i < 7; i++)
		if (v->len >= 3 && str_caseeqn(v->s, date_days[i], 3)) {
			v->s += 3;
			v->len -= 3;
			return true;
		}
	return false;
}

/* "08:49:37" */
static bool
take_time(struct span *v, struct date *c)
{
	return (c->hour = take_number(v, 2, 2)) >= 0 && take_text(v, ":") &&
	    (c->minute = take_number(v, 2, 2)) >= 0 && take_text(v, ":") &&
	    (c->second = take_number(v, 2, 2)) >= 0;
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool
parse_fixdate(struct span v, struct date *c)
{
	return take_day_name(&v) && take_text(&v, ", ") &&
	    (c->day = take_number(&v, 2, 2)) >= 0 && take_text(&v, " ") &&
	    (c->month = take_month(&v)) >= 0 && take_text(&v, " ") &&
	    (c->year = take_number(&v, 4, 4)) >= 0 && take_text(&v, " ") &&
	    take_time(&v, c) && take_text(&v, " GMT") && v.len == 0;
}

/* Sunday, 06-Nov-94 08:49:37 GMT */
static bool
parse_rfc850(struct span v, struct date *c)
{
	const char	*comma = v.len > 0 ? memchr(v.s, ',', v.len) : NULL;

	if (comma == NULL || !take_day_name(&v))
		return false;
	v.len -= (size_t)(comma - v.s);
	v.s = comma;
	if (!take_text(&v, ", ") || (c->day = take_number(&v, 2, 2)) < 0 ||
	    !take_text(&v, "-") || (c->month = take_month(&v)) < 0 ||
	    !take_text(&v, "-") || (c->year = take_number(&v, 2, 2)) < 0 ||
	    !take_text(&v, " ") || !take_time(&v, c) ||
	    !take_text(&v, " GMT") || v.len != 0)
		return false;
	c->year += c->year < 70 ? 2000 : 1900;
	return true;
}

/* Sun Nov  6 08:49:37 1994 */
static bool
parse_asctime(struct span v, struct date *c)
{
	if (!take_day_name(&v) || !take_text(&v, " ") ||
	    (c->month = take_month(&v)) < 0 || !take_text(&v, " "))
		return false;
	c->day = take_text(&v, " ") ? take_number(&v, 1, 1) :
	    take_number(&v, 2, 2);
	return c->day >= 0 && take_text(&v, " ") && take_time(&v, c) &&
	    take_text(&v, " ") && (c->year = take_number(&v, 4, 4)) >= 0 &&
	    v.len == 0;
}

int
httpdate_parse(struct span v, int64_t *t)
{
	struct date	c;

	memset(&c, 0, sizeof(c));
	if (v.s == NULL || (!parse_fixdate(v, &c) && !parse_rfc850(v, &c) &&
	    !parse_asctime(v, &c)) || !date_seconds(&c, t))
		return -1;
	return 0;
}

/* Blanks and comments (nesting counted, not followed): RFC 5322 3.2.2. */
static void
skip_cfws(struct span *v)
{
	size_t	depth = 0;

	while (v->len > 0) {
		if (v->s[0] == '(')
			depth++;
		else if (v->s[0] == ')' && depth > 0)
			depth--;
		else if (depth == 0 && v->s[0] != ' ' && v->s[0] != '\t')
			return;
		else if (v->s[0] == '\\' && v->len > 1) {
			v->s++;
			v->len--;
		}
		v->s++;
		v->len--;
	}
}

/* Minutes east of Greenwich; unknown zones count as UTC (RFC 5322 4.3). */
static bool
take_zone(struct span *v, int *minutes)
{
	static const struct { char name[4]; int hours; } zones[] = {
		{ "EDT", -4 }, { "EST", -5 }, { "CDT", -5 }, { "CST", -6 },
		{ "MDT", -6 }, { "MST", -7 }, { "PDT", -7 }, { "PST", -8 },
	};
	size_t	i;
	int	n, sign;

	*minutes = 0;
	if (v->len == 0)
		return true;
	if (v->s[0] == '+' || v->s[0] == '-') {
		sign = v->s[0] == '-' ? -1 : 1;
		v->s++;
		v->len--;
		if ((n = take_number(v, 4, 4)) < 0 || n % 100 > 59)
			return false;
		*minutes = sign * (n / 100 * 60 + n % 100);
		return true;
	}
	for (i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
		if (span_is((struct span){ v->s, v->len < 3 ? v->len : 3 },
		    zones[i].name))
			*minutes = zones[i].hours * 60;
	return true;
}

/* Two- and three-digit years: RFC 5322 section 4.3. */
static bool
take_year(struct span *v, struct date *c)
{
	size_t	before = v->len;
	int	y = take_number(v, 2, 4);

	if (y < 0)
		return false;
	if (before - v->len == 2 && y < 50)
		y += 2000;
	else if (before - v->len < 4)
		y += 1900;
	c->year = y;
	return true;
}

int
httpdate_parse_mail(struct span v, int64_t *t)
{
	struct date	c;
	int		zone;

	memset(&c, 0, sizeof(c));
	skip_cfws(&v);
	if (take_day_name(&v)) {
		skip_cfws(&v);
		if (!take_text(&v, ","))
			return -1;
		skip_cfws(&v);
	}
	if ((c.day = take_number(&v, 1, 2)) < 0)
		return -1;
	skip_cfws(&v);
	if ((c.month = take_month(&v)) < 0)
		return -1;
	skip_cfws(&v);
	if (!take_year(&v, &c))
		return -1;
	skip_cfws(&v);
	if ((c.hour = take_number(&v, 1, 2)) < 0 || !take_text(&v, ":") ||
	    (c.minute = take_number(&v, 2, 2)) < 0)
		return -1;
	if (take_text(&v, ":") && (c.second = take_number(&v, 2, 2)) < 0)
		return -1;
	skip_cfws(&v);
	if (!take_zone(&v, &zone) || !date_seconds(&c, t))
		return -1;
	*t -= zone * 60;
	return 0;
}
