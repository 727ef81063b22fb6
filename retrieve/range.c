/* SPDX-License-Identifier: ISC */
/*
 * Conditions and ranges, run by retrieve-session on hostile header values.
 */
#include <string.h>

#include "lib/str.h"
#include "retrieve/httpdate.h"
#include "retrieve/range.h"

/* Digits; a number too great for 64 bits is beyond every size. */
static bool
parse_position(const char *s, size_t len, uint64_t *out)
{
	size_t	i;

	for (i = 0; i < len; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	if (str_u64(s, len, UINT64_MAX, out) == -1)
		*out = UINT64_MAX;
	return len > 0;
}

/* One range-spec: "0-499", "500-", "-500". False when malformed. */
static bool
parse_spec(struct span v, uint64_t size, uint64_t *first, uint64_t *length,
    bool *satisfied)
{
	const char	*dash = v.len > 0 ? memchr(v.s, '-', v.len) : NULL;
	uint64_t	 a = 0, b = UINT64_MAX;
	size_t		 n;

	if (dash == NULL)
		return false;
	n = (size_t)(dash - v.s);
	if (v.len == 1 || (n > 0 && !parse_position(v.s, n, &a)) ||
	    (n + 1 < v.len && !parse_position(dash + 1, v.len - n - 1, &b)))
		return false;
	if (n == 0) {			/* the last b octets */
		*satisfied = b > 0 && size > 0;
		*length = b < size ? b : size;
		*first = size - *length;
		return true;
	}
	if (b < a)
		return false;
	*satisfied = a < size;
	*first = a;
	if (*satisfied)
		*length = (b < size ? b + 1 : size) - a;
	return true;
}

enum range_status
range_parse(struct span v, uint64_t size, uint64_t *first, uint64_t *length)
{
	struct span	e;
	bool		satisfied = false;

	*first = 0;
	*length = size;
	if (v.s == NULL || v.len < 6 || !str_caseeqn(v.s, "bytes=", 6))
		return RANGE_WHOLE;
	v.s += 6;
	v.len -= 6;
	if (memchr(v.s, ',', v.len) != NULL)
		return RANGE_WHOLE;
	e = span_trim(v);
	if (!parse_spec(e, size, first, length, &satisfied)) {
		*first = 0;
		*length = size;
		return RANGE_WHOLE;
	}
	return satisfied ? RANGE_PART : RANGE_NONE;
}

/* Does the list name this tag? The weak comparison takes W/ off first. */
static bool
names_tag(const struct request *r, enum field f, const char *etag, bool weak)
{
	struct span	v, e;
	size_t		at = 0;

	while (request_each(r, f, &at, &v)) {
		if (span_is(v, "*"))
			return true;
		while (span_next(&v, &e)) {
			if (weak && e.len > 2 && e.s[0] == 'W' &&
			    e.s[1] == '/') {
				e.s += 2;
				e.len -= 2;
			}
			if (e.len == strlen(etag) &&
			    memcmp(e.s, etag, e.len) == 0)
				return true;
		}
	}
	return false;
}

enum condition
range_condition(const struct request *r, const struct validator *now)
{
	int64_t	t;

	if (r->seen[FIELD_IF_MATCH] > 0) {
		if (!names_tag(r, FIELD_IF_MATCH, now->etag, false))
			return CONDITION_FAILED;
	} else if (now->modified >= 0 && httpdate_parse(request_field(r,
	    FIELD_IF_UNMODIFIED_SINCE), &t) == 0 && now->modified > t)
		return CONDITION_FAILED;
	if (r->seen[FIELD_IF_NONE_MATCH] > 0) {
		if (names_tag(r, FIELD_IF_NONE_MATCH, now->etag, true))
			return CONDITION_SAME;
	} else if (now->modified >= 0 && httpdate_parse(request_field(r,
	    FIELD_IF_MODIFIED_SINCE), &t) == 0 && now->modified <= t)
		return CONDITION_SAME;
	return CONDITION_GO;
}

bool
range_applies(const struct request *r, const struct validator *now)
{
	struct span	v = request_field(r, FIELD_IF_RANGE);
	int64_t		t;

	if (v.s == NULL)
		return true;
	if (v.len > 0 && v.s[0] == '"')	/* a weak tag never matches */
		return v.len == strlen(now->etag) &&
		    memcmp(v.s, now->etag, v.len) == 0;
	return now->modified >= 0 && httpdate_parse(v, &t) == 0 &&
	    t == now->modified;
}
