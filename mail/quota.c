/* SPDX-License-Identifier: ISC */
/*
 * Quotas in the text of Maildir++, see quota.h. Runs in smtpd-store and in
 * posternctl. Numbers are read strictly: what two programs could read as two
 * different numbers is malformed, and is then counted anew.
 */
#include "mail/quota.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/str.h"

/* One part of len octets. */
static int
parse_part(const char *s, size_t len, struct quota_limits *l, unsigned *seen)
{
	unsigned bit;
	uint64_t n;

	if (len < 2 || str_u64(s, len - 1, INT64_MAX, &n) == -1)
		return -1;
	bit = s[len - 1] == 'S' ? 1 : s[len - 1] == 'C' ? 2 : 0;
	if (bit == 0 || (*seen & bit) != 0)
		return -1;
	*seen |= bit;
	if (bit == 1)
		l->bytes = n;
	else
		l->messages = n;
	return 0;
}

/* A line of limits without its LF. */
static int
parse_line(const char *s, size_t len, struct quota_limits *l)
{
	const char *comma;
	unsigned seen = 0;
	size_t n;

	*l = (struct quota_limits){ 0, 0 };
	for (;;) {
		comma = len > 0 ? memchr(s, ',', len) : NULL;
		n = comma != NULL ? (size_t)(comma - s) : len;
		if (parse_part(s, n, l, &seen) == -1)
			return -1;
		if (comma == NULL)
			return 0;
		s += n + 1;
		len -= n + 1;
	}
}

int
quota_limits_parse(const char *text, size_t len, struct quota_limits *l)
{
	struct quota_limits read;

	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (parse_line(text, len, &read) == -1)
		return -1;
	*l = read;
	return 0;
}

size_t
quota_limits_format(const struct quota_limits *l, char *dst)
{
	int n = 0;

	if (l->bytes != 0 || l->messages == 0)
		n = snprintf(dst, QUOTA_LINE_MAX, "%" PRIu64 "S%s", l->bytes,
		    l->messages != 0 ? "," : "");
	if (l->messages != 0)
		n += snprintf(dst + n, QUOTA_LINE_MAX - (size_t)n,
		    "%" PRIu64 "C", l->messages);
	return (size_t)n;
}

bool
quota_limits_same(const struct quota_limits *a, const struct quota_limits *b)
{
	return a->bytes == b->bytes && a->messages == b->messages;
}

bool
quota_limits_any(const struct quota_limits *l)
{
	return l->bytes != 0 || l->messages != 0;
}

/* A number that may be negative, with the blanks before and behind it. */
static int
take_number(const char **s, const char *end, int64_t *out)
{
	const char *p = *s, *digits;
	bool negative;
	uint64_t n;

	while (p < end && *p == ' ')
		p++;
	negative = p < end && *p == '-';
	p += negative;
	for (digits = p; p < end && *p >= '0' && *p <= '9'; )
		p++;
	if (str_u64(digits, (size_t)(p - digits), INT64_MAX, &n) == -1)
		return -1;
	*out = negative ? -(int64_t)n : (int64_t)n;
	while (p < end && *p == ' ')
		p++;
	*s = p;
	return 0;
}

/* One line "octets messages" up to end, added to the sums. */
static int
add_line(const char *s, const char *end, int64_t *bytes, int64_t *messages)
{
	int64_t b, m;
	const char *p = s;

	if (take_number(&p, end, &b) == -1 || p[-1] != ' ' ||
	    take_number(&p, end, &m) == -1 || p != end)
		return -1;
	return __builtin_add_overflow(*bytes, b, bytes) ||
	    __builtin_add_overflow(*messages, m, messages) ? -1 : 0;
}

int
quota_sizes_parse(const char *text, size_t len, struct quota_sizes *out)
{
	const char *end = text + len, *lf;
	int64_t bytes = 0, messages = 0;

	memset(out, 0, sizeof(*out));
	if (len == 0 || len >= QUOTA_SIZES_MAX || end[-1] != '\n')
		return -1;
	lf = memchr(text, '\n', len);
	if (parse_line(text, (size_t)(lf - text), &out->limits) == -1)
		return -1;
	for (text = lf + 1; text < end; text = lf + 1) {
		lf = memchr(text, '\n', (size_t)(end - text));
		if (add_line(text, lf, &bytes, &messages) == -1)
			return -1;
		out->lines++;
	}
	if (out->lines == 0 || bytes < 0 || messages < 0)
		return -1;
	out->use.bytes = (uint64_t)bytes;
	out->use.messages = (uint64_t)messages;
	return 0;
}

size_t
quota_sizes_format(const struct quota_limits *l, const struct quota_use *u,
    char *dst)
{
	size_t n = quota_limits_format(l, dst);

	return n + (size_t)snprintf(dst + n, 2 * QUOTA_LINE_MAX - n,
	    "\n%" PRIu64 " %" PRIu64 "\n", u->bytes, u->messages);
}

static uint64_t
sum(uint64_t a, uint64_t b)
{
	uint64_t n;

	return __builtin_add_overflow(a, b, &n) || n > INT64_MAX ?
	    INT64_MAX : n;
}

void
quota_use_add(struct quota_use *u, uint64_t bytes, uint64_t messages)
{
	u->bytes = sum(u->bytes, bytes);
	u->messages = sum(u->messages, messages);
}

bool
quota_fits(const struct quota_limits *l, const struct quota_use *used,
    const struct quota_use *held, uint64_t bytes)
{
	struct quota_use all = *used;

	quota_use_add(&all, held->bytes, held->messages);
	/* A sum that has stopped growing is over any limit. */
	if (l->bytes != 0 && (all.bytes > l->bytes ||
	    bytes > l->bytes - all.bytes))
		return false;
	return l->messages == 0 || all.messages < l->messages;
}
