/* SPDX-License-Identifier: ISC */
/*
 * Request targets, run by retrieve-session on hostile octets. What could
 * name another place after some other program's normalisation (dot
 * segments, escaped slashes) is refused, never repaired.
 */
#include <string.h>

#include "lib/str.h"
#include "retrieve/target.h"

static bool
is_unreserved(char c)
{
	return str_is_alnum(c) || (c != '\0' && strchr("-._~", c) != NULL);
}

int
target_decode(char *dst, size_t size, struct span v)
{
	size_t	i, n = 0;
	int	hi, lo;
	char	c;

	for (i = 0; i < v.len; i++) {
		c = v.s[i];
		if (c == '%') {
			if (v.len - i < 3 || (hi = str_hex(v.s[i + 1])) < 0 ||
			    (lo = str_hex(v.s[i + 2])) < 0)
				return -1;
			c = (char)(hi << 4 | lo);
			i += 2;
		}
		if ((unsigned char)c < 0x20 || c == 0x7f || n + 1 >= size)
			return -1;
		dst[n++] = c;
	}
	dst[n] = '\0';
	return 0;
}

int
target_encode(char *dst, size_t size, const char *s)
{
	static const char	 hex[] = "0123456789ABCDEF";
	size_t			 n = 0;

	for (; *s != '\0'; s++) {
		if (n + 4 > size)
			return -1;
		if (is_unreserved(*s)) {
			dst[n++] = *s;
			continue;
		}
		dst[n++] = '%';
		dst[n++] = hex[(unsigned char)*s >> 4];
		dst[n++] = hex[*s & 15];
	}
	if (n >= size)
		return -1;
	dst[n] = '\0';
	return 0;
}

/* pchar, '/', '?' and '%' of RFC 3986; the escapes are checked later. */
static bool
valid_octets(struct span v)
{
	size_t	i;

	for (i = 0; i < v.len; i++)
		if (!is_unreserved(v.s[i]) && (v.s[i] == '\0' ||
		    strchr("!$&'()*+,;=:@/?%", v.s[i]) == NULL))
			return false;
	return true;
}

static bool
escapes_slash(struct span v)
{
	size_t	i;

	for (i = 0; i + 2 < v.len; i++)
		if (v.s[i] == '%' && v.s[i + 1] == '2' &&
		    (v.s[i + 2] == 'f' || v.s[i + 2] == 'F'))
			return true;
	return false;
}

/* "." or "..", however it was escaped. */
static bool
has_dot_segment(const char *path)
{
	size_t	n;

	for (; *path != '\0'; path += n) {
		path++;			/* its slash */
		n = strcspn(path, "/");
		if ((n == 1 && path[0] == '.') ||
		    (n == 2 && path[0] == '.' && path[1] == '.'))
			return true;
	}
	return false;
}

static const char *
parse_path(struct target *t, struct span v)
{
	const char	*q = memchr(v.s, '?', v.len);
	struct span	 raw = v;

	if (q != NULL) {
		raw.len = (size_t)(q - v.s);
		t->query = (struct span){ q + 1, v.len - raw.len - 1 };
	}
	if (escapes_slash(raw))
		return "escaped slash in the path";
	if (raw.len >= sizeof(t->path))
		return "the path is too long";
	if (raw.len == 0)
		raw = (struct span){ "/", 1 };
	if (target_decode(t->path, sizeof(t->path), raw) == -1)
		return "bad escape in the path";
	if (has_dot_segment(t->path))
		return "dot segment in the path";
	return NULL;
}

const char *
target_parse(struct target *t, struct span v)
{
	size_t	i, start;

	memset(t, 0, sizeof(*t));
	t->query = (struct span){ "", 0 };
	if (v.len == 1 && v.s[0] == '*') {
		t->asterisk = true;
		return NULL;
	}
	if (v.len > 0 && v.s[0] == '/') {
		if (!valid_octets(v))
			return "bad character in the target";
		return parse_path(t, v);
	}
	/* scheme "://" authority path: RFC 9112 section 3.2.2 */
	for (i = 0; i < v.len && v.s[i] != ':'; i++)
		;
	if (v.len - i < 4 || i == 0 || memcmp(v.s + i, "://", 3) != 0)
		return "malformed target";
	t->secure = span_is((struct span){ v.s, i }, "https");
	start = i += 3;
	while (i < v.len && v.s[i] != '/' && v.s[i] != '?')
		i++;
	t->authority = (struct span){ v.s + start, i - start };
	v = (struct span){ v.s + i, v.len - i };
	if (t->authority.len == 0 || !valid_octets(v))
		return "malformed target";
	return parse_path(t, v);
}

int
target_param(struct span *query, struct param *p)
{
	struct span	 v = *query;
	const char	*amp, *eq;

	memset(p, 0, sizeof(*p));
	if (v.len == 0)
		return 0;
	amp = memchr(v.s, '&', v.len);
	if (amp != NULL)
		v.len = (size_t)(amp - v.s);
	query->s += v.len;
	query->len -= v.len;
	if (amp != NULL) {
		query->s++;
		query->len--;
	}
	eq = memchr(v.s, '=', v.len);
	if (target_decode(p->name, sizeof(p->name), (struct span){ v.s,
	    eq != NULL ? (size_t)(eq - v.s) : v.len }) == -1) {
		memset(p, 0, sizeof(*p));
		return -1;
	}
	if (eq == NULL || eq == v.s || (amp != NULL && query->len == 0) ||
	    target_decode(p->value, sizeof(p->value), (struct span){ eq + 1,
	    v.len - (size_t)(eq + 1 - v.s) }) == -1)
		return -1;
	return 1;
}
