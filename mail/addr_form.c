/* SPDX-License-Identifier: ISC */
/*
 * The forms of an address that is parsed: the one in which it is compared,
 * that between our processes, that in the file system. Runs in SMTP sessions,
 * store, reader and posternctl; what it is given may be hostile. Pure: no
 * system call. What is written into a struct addr never exceeds its arrays.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "lib/idna.h"
#include "lib/nfc.h"
#include "lib/str.h"
#include "lib/utf8.h"
#include "mail/addr.h"

#define COMPONENT_MAX	255	/* NAME_MAX, fixed so that paths are too */

bool
addr_is_ascii(const struct addr *a)
{
	return str_is_ascii(a->local, strlen(a->local)) &&
	    str_is_ascii(a->domain, strlen(a->domain));
}

/* Does it have but characters that may stand in a name? */
static bool
is_name(const char *s)
{
	size_t		 len = strlen(s), n;
	uint32_t	 c;

	for (; len > 0; s += n, len -= n) {
		n = utf8_decode(s, len, &c);
		if (c >= 0x80 && !utf8_is_name(c))
			return false;
	}
	return true;
}

int
addr_canon(struct addr *a)
{
	struct addr	 out;

	memset(&out, 0, sizeof(out));
	if (!is_name(a->local)) {
		errno = EINVAL;
		return -1;
	}
	if (nfc_copy(out.local, sizeof(out.local), a->local,
	    strlen(a->local)) == -1 ||
	    idna_to_ascii(out.domain, sizeof(out.domain), a->domain,
	    strlen(a->domain)) == -1)
		return -1;
	*a = out;
	return 0;
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
