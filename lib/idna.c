/* SPDX-License-Identifier: ISC */
/*
 * Domain names in one form, see idna.h. Any process; the octets are hostile
 * and bounded here. libidn2 is pure: it reads no locale and no file. Labels
 * are handed to it one by one, so that nothing it makes of one moves a dot.
 */
#include "lib/idna.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <idn2.h>
#include <unicase.h>
#include <unistr.h>

#include "lib/str.h"

static int
errno_of(int error)
{
	switch (error) {
	case IDN2_MALLOC:
		return ENOMEM;
	case IDN2_TOO_BIG_LABEL:
	case IDN2_PUNYCODE_BIG_OUTPUT:
		return ENAMETOOLONG;
	default:
		return EINVAL;
	}
}

/* The A-label of a label that is not ASCII, to be freed; or NULL and errno. */
static char *
convert(const char *s, size_t len)
{
	uint8_t *low = NULL, *label = NULL, *end, *out = NULL;
	size_t n = 0;
	int r;

	/* u8_tolower() relies on it */
	if (u8_check((const uint8_t *)s, len) != NULL) {
		errno = EINVAL;
		return NULL;
	}
	low = u8_tolower((const uint8_t *)s, len, NULL, NULL, NULL, &n);
	if (low == NULL || (label = realloc(low, n + 1)) == NULL) {
		free(low);
		errno = ENOMEM;
		return NULL;
	}
	end = label + n;
	*end = '\0';
	/*
	 * Brings it into NFC. What is registered passes more checks than what
	 * is looked up.
	 */
	r = idn2_register_u8(label, NULL, &out, IDN2_NFC_INPUT);
	free(label);
	if (r == IDN2_OK)
		return (char *)out;
	errno = errno_of(r);
	return NULL;
}

/* Append a label to the domain. */
static int
put_label(char *dst, size_t *n, const char *s, size_t len)
{
	char *made = NULL;
	int r = -1;

	if (!str_is_ascii(s, len)) {
		if ((made = convert(s, len)) == NULL)
			return -1;
		s = made;
		len = strlen(made);
	}
	if (*n + len > IDNA_MAX) {
		errno = ENAMETOOLONG;
		goto out;
	}
	memcpy(dst + *n, s, len);
	*n += len;
	r = 0;
out:
	free(made);
	return r;
}

int
idna_to_ascii(char *dst, size_t size, const char *src, size_t len)
{
	char domain[IDNA_MAX + 1];
	const char *dot, *end = src + len;
	size_t n = 0;

	if (len > IDNA_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (len > 0 && memchr(src, '\0', len) != NULL) {
		errno = EINVAL;
		return -1;
	}
	for (;; src = dot + 1) {
		dot = memchr(src, '.', (size_t)(end - src));
		if (put_label(domain, &n, src,
		    (size_t)((dot != NULL ? dot : end) - src)) == -1)
			return -1;
		if (dot == NULL)
			break;
		if (n == IDNA_MAX) {
			errno = ENAMETOOLONG;
			return -1;
		}
		domain[n++] = '.';
	}
	domain[n] = '\0';
	str_lower(domain);
	if (n >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(dst, domain, n + 1);
	return 0;
}
