/* SPDX-License-Identifier: ISC */
/*
 * Mail addresses: RFC 5321 section 4.1.2, read octet by octet as its grammar
 * stands, with the UTF-8 of RFC 6531 section 3.3. Runs in SMTP sessions,
 * store, reader and posternctl; its input is a client's, hostile. Pure: no
 * system call. What is written into a struct addr never exceeds its arrays.
 */
#include <errno.h>
#include <string.h>

#include "lib/str.h"
#include "lib/utf8.h"
#include "mail/addr.h"

#define LABEL_MAX	63	/* RFC 1035 section 2.3.4 */

struct cursor {
	const unsigned char	*p, *end;
	bool			 utf8;		/* where letters may stand */
	enum addr_result	 fault;		/* beside those of syntax */
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

/*
 * The octets of the character at the cursor, when it is not ASCII and may
 * stand in a name; else 0.
 */
static size_t
cur_letter(const struct cursor *c)
{
	uint32_t letter;
	size_t n;

	if (cur_peek(c) < 0x80)
		return 0;
	n = utf8_decode(c->p, (size_t)(c->end - c->p), &letter);
	return utf8_is_name(letter) ? n : 0;
}

/* What to say when the grammar does not go on at the cursor. */
static enum addr_result
cur_fail(const struct cursor *c)
{
	return cur_peek(c) >= 0x80 && cur_letter(c) == 0 ? ADDR_NOT_UTF8 :
	    ADDR_SYNTAX;
}

/* Append an octet to the string dst, or note that there is no room. */
static void
cur_put(struct cursor *c, char *dst, size_t *n, size_t max, int octet)
{
	if (*n >= max) {
		c->fault = ADDR_TOO_LONG;
		return;
	}
	dst[(*n)++] = (char)octet;
	dst[*n] = '\0';
}

/* Move what stands at the cursor, some octets, to the end of dst. */
static void
cur_move(struct cursor *c, size_t octets, char *dst, size_t *n, size_t max)
{
	for (; octets > 0; octets--)
		cur_put(c, dst, n, max, *c->p++);
}

/* atext =/ UTF8-non-ascii; the octets of one at the cursor, or 0 */
static size_t
cur_atext(const struct cursor *c)
{
	return is_atext(cur_peek(c)) ? 1 : cur_letter(c);
}

/* Dot-string = Atom *("." Atom) */
static bool
parse_dot_string(struct cursor *c, char *dst)
{
	size_t	 n = 0, octets;

	do {
		if (n > 0)
			cur_put(c, dst, &n, ADDR_LOCAL_MAX, '.');
		if (cur_atext(c) == 0)
			return false;
		while ((octets = cur_atext(c)) > 0)
			cur_move(c, octets, dst, &n, ADDR_LOCAL_MAX);
	} while (cur_take(c, '.'));
	return true;
}

/* Quoted-string = DQUOTE *QcontentSMTP DQUOTE; the cursor is behind the 1st */
static bool
parse_quoted(struct cursor *c, char *dst)
{
	size_t	 n = 0, octets;
	int	 o;

	while (!cur_take(c, '"')) {
		/* a backslash stands before ASCII alone, also in RFC 6531 */
		octets = cur_take(c, '\\') ? 0 : cur_letter(c);
		o = cur_peek(c);
		if (octets == 0 && (o < 32 || o > 126))
			return false;
		cur_move(c, octets > 0 ? octets : 1, dst, &n,
		    ADDR_LOCAL_MAX);
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

/*
 * sub-domain = Let-dig [Ldh-str] / U-label. What makes a U-label is judged
 * later, in addr_canon(); its A-label is longer than it has letters.
 */
static bool
parse_label(struct cursor *c, char *dst, size_t *n)
{
	size_t	 len = 0, octets;
	int	 last = '-';

	for (;; len++) {
		if (str_is_alnum(cur_peek(c)) ||
		    (len > 0 && cur_peek(c) == '-'))
			octets = 1;
		else if (!c->utf8 || (octets = cur_letter(c)) == 0)
			break;
		last = cur_peek(c);
		cur_move(c, octets, dst, n, ADDR_DOMAIN_MAX);
	}
	if (len > LABEL_MAX)
		c->fault = ADDR_TOO_LONG;
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
	struct cursor	 c = { s, s + len, false, ADDR_OK };
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
	if (c->fault != ADDR_OK)
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
	if (ok && c->fault == ADDR_OK && !addr_is_ascii(out) &&
	    addr_canon(out) == -1)
		c->fault = errno == ENAMETOOLONG ? ADDR_TOO_LONG :
		    errno == ENOMEM ? ADDR_NO_MEMORY : ADDR_BAD_DOMAIN;
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
	struct cursor		 c = { start, start + len, true, ADDR_OK };

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
	return c.fault;
bad:
	memset(out, 0, sizeof(*out));
	return cur_fail(&c);
}

enum addr_result
addr_parse_mailbox(const char *s, size_t len, struct addr *out)
{
	const unsigned char	*start = (const unsigned char *)s;
	struct cursor		 c = { start, start + len, true, ADDR_OK };

	memset(out, 0, sizeof(*out));
	if (!parse_mailbox(&c, out) || c.p != c.end) {
		memset(out, 0, sizeof(*out));
		return cur_fail(&c);
	}
	return c.fault;
}

bool
addr_valid_domain(const char *s, size_t len)
{
	const unsigned char	*start = (const unsigned char *)s;
	struct cursor		 c = { start, start + len, false, ADDR_OK };
	char			 domain[ADDR_DOMAIN_MAX + 1];

	return parse_domain(&c, domain) && c.p == c.end && c.fault == ADDR_OK;
}

/* Is the local part a Dot-string as it stands? */
static bool
is_dot_string(const char *local)
{
	const unsigned char	*p = (const unsigned char *)local;
	struct cursor		 c = { p, p + strlen(local), true, ADDR_OK };
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
