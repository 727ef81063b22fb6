/* SPDX-License-Identifier: ISC */
/*
 * Normalization Form C, see nfc.h. Any process; the octets are hostile, their
 * number is the caller's to bound. The tables are libunistring's, which is
 * there with libidn2; it reads no locale and no file.
 */
#include "lib/nfc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <uninorm.h>
#include <unistr.h>

#include "lib/str.h"

/* NFC of the len octets at s, NUL-terminated, to be freed; or NULL. */
static char *
compose(const char *s, size_t len)
{
	size_t n = 0;
	uint8_t *p, *whole;

	p = u8_normalize(UNINORM_NFC, (const uint8_t *)s, len, NULL, &n);
	if (p == NULL)
		return NULL;
	if ((whole = realloc(p, n + 1)) == NULL) {
		free(p);
		errno = ENOMEM;
		return NULL;
	}
	whole[n] = '\0';
	return (char *)whole;
}

/* Once more from lower case; *s is replaced where that composes further. */
static int
settle(char **s)
{
	char *low = strdup(*s), *again = NULL;
	int r = -1;

	if (low == NULL)
		goto out;
	str_lower(low);
	if ((again = compose(low, strlen(low))) == NULL)
		goto out;
	if (strcmp(again, low) != 0) {
		free(*s);
		*s = again;
		again = NULL;
	}
	r = 0;
out:
	free(low);
	free(again);
	return r;
}

int
nfc_copy(char *dst, size_t size, const char *src, size_t len)
{
	char *s = NULL;
	int r = -1;

	if (len > 0 && (memchr(src, '\0', len) != NULL ||
	    u8_check((const uint8_t *)src, len) != NULL)) {
		errno = EINVAL;
		return -1;
	}
	if (str_is_ascii(src, len)) {
		if (len >= size) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memmove(dst, src, len);
		dst[len] = '\0';
		return 0;
	}
	if ((s = compose(src, len)) == NULL || settle(&s) == -1)
		goto out;
	if (strlen(s) >= size) {
		errno = ENAMETOOLONG;
		goto out;
	}
	memcpy(dst, s, strlen(s) + 1);
	r = 0;
out:
	free(s);
	return r;
}
