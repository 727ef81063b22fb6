/* SPDX-License-Identifier: ISC */
/*
 * Mail addresses: RFC 5321 section 4.1.2, read octet by octet as its grammar
 * stands. Runs in SMTP sessions, store, reader and posternctl; its input is
 * a client's, hostile. Pure: no system call, no allocation. What is written
 * into a struct addr never exceeds its arrays.
 */
#include <errno.h>
#include <string.h>

#include "lib/str.h"
#include "mail/addr.h"

#define COMPONENT_MAX	255	/* NAME_MAX, fixed so that paths are too */
#define LABEL_MAX	63	/* RFC 1035 section 2.3.4 */

struct cursor {
	const unsigned char	*p, *end;
	bool			 too_long;	/* a part is over its limit */
};

/* RFC 5322 section 3.2.3 */
static bool
is_atext(int c)
{
	return str_is_alnum(c) || (c > 0 && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* The octet at the cursor, or -1 at the end. */
static int
cur_peek(const struct cursor *c)
{
	return c->p < c->end ? *c->p : -1;
}

static bool
cur_take(struct cursor *c, int octet)
{
	if (cur_peek(c) != octet)
		return false;
	c->p++;
	return true;
}

/* What to say when the grammar does not go on at the cursor. */
static enum addr_result
cur_fail(const struct cursor *c)
{
	return cur_peek(c) >= 0x80 ? ADDR_NON_ASCII : ADDR_SYNTAX;
}

/* Append an octet to the string dst, or note that there is no room. */
static void
cur_put(struct cursor *c, char *dst, size_t *n, size_t max, int octet)
{
	if (*n >= max) {
		c->too_long = true;
		return;
	}
	dst[(*n)++] = (char)octet;
	dst[*n] = '\0';
}

/* Dot-string = Atom *("." Atom) */
static bool
parse_dot_string(struct cursor *c, char *dst)
{
	size_t	 n = 0;

	do {
		if (n > 0)
			cur_put(c, dst, &n, ADDR_LOCAL_MAX, '.');
		if (!is_atext(cur_peek(c)))
			return false;
		while (is_atext(cur_peek(c)))
			cur_put(c, dst, &n, ADDR_LOCAL_MAX, *c->p++);
	} while (cur_take(c, '.'));
	return true;
}

/* Quoted-string = DQUOTE *QcontentSMTP DQUOTE; the cursor is behind the 1st */
static bool
parse_quoted(struct cursor *c, char *dst)
{
	size_t	 n = 0;
	int	 o;

	while (!cur_take(c, '"')) {
		cur_take(c, '\\');
		o = cur_peek(c);
		if (o < 32 || o > 126)
			return false;
		c->p++;
		cur_put(c, dst, &n, ADDR_LOCAL_MAX, o);
	}
	return true;
}

static bool
parse_local(struct cursor *c, char *dst)
{
	if (cur_take(c, '"'))
		return parse_quoted(c, dst);
	return parse_dot_string(c, dst);
}

/* sub-domain = Let-dig [Ldh-str] */
static bool
parse_label(struct cursor *c, char *dst, size_t *n)
{
	size_t	 len = 0;
	int	 last = '-';

	while (str_is_alnum(cur_peek(c)) || (len > 0 && cur_peek(c) == '-')) {
		last = *c->p++;
		cur_put(c, dst, n, ADDR_DOMAIN_MAX, last);
		len++;
	}
	if (len > LABEL_MAX)
		c->too_long = true;
	return last != '-';
}

/* Domain = sub-domain *("." sub-domain) */
static bool
parse_domain(struct cursor *c, char *dst)
{
	size_t	 n = 0;

	do {
		if (n > 0)
			cur_put(c, dst, &n, ADDR_DOMAIN_MAX, '.');
		if (!parse_label(c, dst, &n))
			return false;
	} while (cur_take(c, '.'));
	return true;
}

/* IPv4-address-literal = Snum 3("." Snum), all of s */
static bool
valid_ipv4(const unsigned char *s, size_t len)
{
	unsigned	 fields = 0, digits = 0, value = 0;
	size_t		 i;

	for (i = 0; i < len; i++) {
		if (s[i] >= '0' && s[i] <= '9') {
			value = value * 10 + (unsigned)(s[i] - '0');
			if (++digits > 3 || value > 255)
				return false;
		} else if (s[i] == '.' && digits > 0 && fields < 3) {
			fields++;
			digits = value = 0;
		} else
			return false;
	}
	return fields == 3 && digits > 0;
}

/* Count the groups of hex digits up to "::" or the end; -1 when malformed. */
static int
count_groups(struct cursor *c, bool *v4)
{
	const unsigned char	*start;
	int			 groups = 0;

	for (;;) {
		start = c->p;
		while (str_hex(cur_peek(c)) != -1)
			c->p++;
		if (cur_peek(c) == '.') {
			*v4 = valid_ipv4(start, (size_t)(c->end - start));
			c->p = c->end;
			return *v4 ? groups + 2 : -1;
		}
		if (c->p == start || c->p - start > 4 || ++groups > 8)
			return -1;
		if (c->p == c->end)
			return groups;
		if (!cur_take(c, ':'))
			return -1;
		if (cur_peek(c) == ':')
			return groups;
	}
}

/*
 * IPv6-addr: the four forms of RFC 5321 section 4.1.3. "::" stands for at
 * least two groups of zeros.
 */
static bool
valid_ipv6(const unsigned char *s, size_t len)
{
	struct cursor	 c = { s, s + len, false };
	bool		 v4 = false;
	int		 before = 0, after = 0;

	if (len >= 2 && s[0] == ':' && s[1] == ':')
		c.p++;			/* stands on the second colon */
	else if ((before = count_groups(&c, &v4)) == -1)
		return false;
	if (c.p == c.end)
		return before == 8;
	c.p++;
	if (c.p < c.end && (after = count_groups(&c, &v4)) == -1)
		return false;
	return c.p == c.end && before + after <= 6;
}

/* Standardized-tag ":" 1*dcontent */
static bool
valid_general(const unsigned char *s, size_t len)
{
	size_t	 i, tag;

	for (tag = 0; tag < len; tag++)
		if (!str_is_alnum(s[tag]) && s[tag] != '-')
			break;
	if (tag == 0 || s[tag - 1] == '-' || len < tag + 2 || s[tag] != ':')
		return false;
	for (i = tag + 1; i < len; i++)
		if (s[i] < 33 || s[i] > 126 || (s[i] >= 91 && s[i] <= 93))
			return false;
	return true;
}

bool
addr_valid_literal(const char *s, size_t len)
{
	const unsigned char	*p = (const unsigned char *)s;

	if (len < 3 || len > ADDR_DOMAIN_MAX || p[0] != '[' ||
	    p[len - 1] != ']')
		return false;
	p++;
	len -= 2;
	if (len > 5 && str_caseeqn(p, "IPv6:", 5))
		return valid_ipv6(p + 5, len - 5);
	return valid_ipv4(p, len) || valid_general(p, len);
}

/* address-literal; the cursor stands on "[" */
static bool
parse_literal(struct cursor *c, char *dst)
{
	const unsigned char	*start = c->p;
	size_t			 n = 0;

	while (cur_peek(c) != ']') {
		if (cur_peek(c) < 33 || cur_peek(c) > 126)
			return false;
		cur_put(c, dst, &n, ADDR_DOMAIN_MAX, *c->p++);
	}
	cur_put(c, dst, &n, ADDR_DOMAIN_MAX, *c->p++);
	if (c->too_long)
		return true;
	return addr_valid_literal((const char *)start,
	    (size_t)(c->p - start));
}

/* Mailbox = Local-part "@" ( Domain / address-literal ) */
static bool
parse_mailbox(struct cursor *c, struct addr *out)
{
	bool	 ok;

	if (!parse_local(c, out->local) || !cur_take(c, '@'))
		return false;
	if (cur_peek(c) == '[')
		ok = parse_literal(c, out->domain);
	else
		ok = parse_domain(c, out->domain);
	str_lower(out->domain);
	return ok;
}

/* A-d-l ":", dropped (RFC 5321 appendix C) */
static bool
skip_route(struct cursor *c)
{
	char	 domain[ADDR_DOMAIN_MAX + 1];

	do {
		if (!cur_take(c, '@') || !parse_domain(c, domain))
			return false;
	} while (cur_take(c, ','));
	return cur_take(c, ':');
}

static bool
take_postmaster(struct cursor *c, struct addr *out)
{
	static const char	word[] = "postmaster";
	const size_t		len = sizeof(word) - 1;

	if ((size_t)(c->end - c->p) <= len || c->p[len] != '>' ||
	    !str_caseeqn(c->p, word, len))
		return false;
	memcpy(out->local, word, sizeof(word));
	c->p += len + 1;
	return true;
}

enum addr_result
addr_parse_path(const char *s, size_t len, enum addr_use use,
    struct addr *out, size_t *used)
{
	const unsigned char	*start = (const unsigned char *)s;
	struct cursor		 c = { start, start + len, false };

	memset(out, 0, sizeof(*out));
	*used = 0;
	if (!cur_take(&c, '<'))
		return cur_fail(&c);
	if (use == ADDR_REVERSE && cur_take(&c, '>'))
		goto out;
	if (use == ADDR_FORWARD && take_postmaster(&c, out))
		goto out;
	if (cur_peek(&c) == '@' && !skip_route(&c))
		goto bad;
	if (!parse_mailbox(&c, out) || !cur_take(&c, '>'))
		goto bad;
out:
	*used = (size_t)(c.p - start);
	return c.too_long ? ADDR_TOO_LONG : ADDR_OK;
bad:
	memset(out, 0, sizeof(*out));
	return cur_fail(&c);
}

enum addr_result
addr_parse_mailbox(const char *s, size_t len, struct addr *out)
{
	const unsigned char	*start = (const unsigned char *)s;
	struct cursor		 c = { start, start + len, false };

	memset(out, 0, sizeof(*out));
	if (!parse_mailbox(&c, out) || c.p != c.end) {
		memset(out, 0, sizeof(*out));
		return cur_fail(&c);
	}
	return c.too_long ? ADDR_TOO_LONG : ADDR_OK;
}

bool
addr_valid_domain(const char *s, size_t len)
{
	const unsigned char	*start = (const unsigned char *)s;
	struct cursor		 c = { start, start + len, false };
	char			 domain[ADDR_DOMAIN_MAX + 1];

	return parse_domain(&c, domain) && c.p == c.end && !c.too_long;
}

/*
 * The '@' before the domain. The local part, without its quotes, may have
 * one; so may an address literal, but no '['.
 */
static const char *
find_domain(const char *s)
{
	const char	*at = strrchr(s, '@'), *bracket = strrchr(s, '[');

	if (at == NULL || s[strlen(s) - 1] != ']' || bracket == NULL ||
	    bracket == s || bracket[-1] != '@')
		return at;
	return bracket - 1;
}

int
addr_split(const char *s, struct addr *out)
{
	const char	*at = find_domain(s);
	const size_t	 local = at == NULL ? strlen(s) : (size_t)(at - s);

	memset(out, 0, sizeof(*out));
	if (str_copyn(out->local, sizeof(out->local), s, local) == -1)
		return -1;
	if (at == NULL)
		return 0;
	if (at[1] == '\0') {
		memset(out, 0, sizeof(*out));
		errno = EINVAL;
		return -1;
	}
	if (str_copy(out->domain, sizeof(out->domain), at + 1) == -1) {
		memset(out, 0, sizeof(*out));
		return -1;
	}
	str_lower(out->domain);
	return 0;
}

char *
addr_join(const struct addr *a, char *dst, size_t size)
{
	const size_t	 local = strlen(a->local), domain = strlen(a->domain);

	if (size < local + domain + 2) {
		if (size > 0)
			dst[0] = '\0';
		return dst;
	}
	memcpy(dst, a->local, local + 1);
	if (domain > 0) {
		dst[local] = '@';
		memcpy(dst + local + 1, a->domain, domain + 1);
	}
	return dst;
}

/* Is the local part a Dot-string as it stands? */
static bool
is_dot_string(const char *local)
{
	const unsigned char	*p = (const unsigned char *)local;
	struct cursor		 c = { p, p + strlen(local), false };
	char			 copy[ADDR_LOCAL_MAX + 1];

	return parse_dot_string(&c, copy) && c.p == c.end;
}

char *
addr_format(const struct addr *a, char *dst, size_t size)
{
	const char	*s;
	size_t		 n = 0;

	if (size < 2 * sizeof(a->local) + 4 + strlen(a->domain)) {
		if (size > 0)
			dst[0] = '\0';
		return dst;
	}
	if ((a->local[0] == '\0' && a->domain[0] == '\0') ||
	    is_dot_string(a->local))
		return addr_join(a, dst, size);
	dst[n++] = '"';
	for (s = a->local; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			dst[n++] = '\\';
		dst[n++] = *s;
	}
	dst[n++] = '"';
	dst[n] = '\0';
	if (a->domain[0] != '\0') {
		dst[n++] = '@';
		memcpy(dst + n, a->domain, strlen(a->domain) + 1);
	}
	return dst;
}

void
addr_strip_tag(struct addr *a)
{
	char	*plus;

	if (a->local[0] != '\0' && (plus = strchr(a->local + 1, '+')) != NULL)
		*plus = '\0';
}

bool
addr_same(const struct addr *a, const struct addr *b, bool strip_tag)
{
	struct addr	 copy = *a;

	if (strip_tag)
		addr_strip_tag(&copy);
	return str_caseeq(copy.local, b->local) &&
	    str_caseeq(copy.domain, b->domain);
}

/* One component of a path; its length, or 0 and errno. */
static size_t
put_component(const char *s, char *dst, size_t size)
{
	static const char	hex[] = "0123456789ABCDEF";
	unsigned char		c;
	size_t			n = 0;
	bool			plain;

	for (; *s != '\0'; s++) {
		c = (unsigned char)*s;
		if (c >= 'A' && c <= 'Z')
			c = (unsigned char)(c + ('a' - 'A'));
		plain = str_is_alnum(c) || c == '_' || c == '=' || c == '-' ||
		    (c == '.' && n > 0);
		if (n + (plain ? 2 : 4) > size ||
		    n + (plain ? 1 : 3) > COMPONENT_MAX) {
			errno = ENAMETOOLONG;
			return 0;
		}
		if (plain)
			dst[n++] = (char)c;
		else {
			dst[n++] = '%';
			dst[n++] = hex[c >> 4];
			dst[n++] = hex[c & 15];
		}
	}
	if (size > 0)
		dst[n] = '\0';
	return n;
}

int
addr_to_path(const struct addr *a, char *dst, size_t size)
{
	size_t	 n;

	if (a->local[0] == '\0' || a->domain[0] == '\0' ||
	    a->domain[0] == '[') {
		errno = EINVAL;
		return -1;
	}
	if ((n = put_component(a->domain, dst, size)) == 0)
		return -1;
	if (n + 2 > size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	dst[n++] = '/';
	return put_component(a->local, dst + n, size - n) == 0 ? -1 : 0;
}
