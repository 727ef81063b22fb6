/* SPDX-License-Identifier: ISC */
/*
 * Small string helpers, see str.h. Any process.
 */
#include "lib/str.h"

#include <errno.h>
#include <string.h>

int
str_copy(char *dst, size_t size, const char *src)
{
	return str_copyn(dst, size, src, strlen(src));
}

int
str_copyn(char *dst, size_t size, const void *src, size_t len)
{
	dst[0] = '\0';
	if (len >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (len > 0 && memchr(src, '\0', len) != NULL) {
		errno = EINVAL;
		return -1;
	}
	if (len > 0)
		memcpy(dst, src, len);
	dst[len] = '\0';
	return 0;
}

bool
str_ends(const char *s, size_t size)
{
	return memchr(s, '\0', size) != NULL;
}

bool
str_is_ascii(const void *s, size_t len)
{
	const unsigned char *p = s;

	for (size_t i = 0; i < len; i++)
		if (p[i] > 127)
			return false;
	return true;
}

bool
str_is_alnum(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z');
}

int
str_hex(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static unsigned char
lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : c;
}

bool
str_caseeq(const char *a, const char *b)
{
	size_t n = strlen(a);

	return n == strlen(b) && str_caseeqn(a, b, n);
}

bool
str_caseeqn(const void *a, const void *b, size_t n)
{
	const unsigned char *p = a, *q = b;

	for (size_t i = 0; i < n; i++)
		if (lower(p[i]) != lower(q[i]))
			return false;
	return true;
}

bool
str_has_word(const char *list, const char *word)
{
	size_t len = strlen(word), n;

	for (; *list != '\0'; list += n + (list[n] == ' ')) {
		n = strcspn(list, " ");
		if (n == len && memcmp(list, word, n) == 0)
			return true;
	}
	return false;
}

void
str_lower(char *s)
{
	for (; *s != '\0'; s++)
		*s = (char)lower((unsigned char)*s);
}

char *
str_quote(char *dst, size_t size, const void *src, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *s = src;
	size_t o = 0;

	for (size_t i = 0; i < len; i++) {
		bool plain = s[i] >= ' ' && s[i] < 0x7f && s[i] != '"' &&
		    s[i] != '\\';

		/* Room for this octet, and for "..." and NUL after it. */
		if (o + (plain ? 1 : 4) + 4 > size) {
			memcpy(dst + o, "...", 3);
			o += 3;
			break;
		}
		if (plain) {
			dst[o++] = (char)s[i];
			continue;
		}
		dst[o++] = '\\';
		dst[o++] = 'x';
		dst[o++] = hex[s[i] >> 4];
		dst[o++] = hex[s[i] & 15];
	}
	dst[o] = '\0';
	return dst;
}

int
str_u64(const void *s, size_t len, uint64_t max, uint64_t *out)
{
	const unsigned char *p = s;
	uint64_t v = 0;

	if (len == 0 || len > 20) {
		errno = EINVAL;
		return -1;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned d = (unsigned)p[i] - '0';

		if (d > 9) {
			errno = EINVAL;
			return -1;
		}
		if (v > (UINT64_MAX - d) / 10) {
			errno = ERANGE;
			return -1;
		}
		v = v * 10 + d;
	}
	if (v > max) {
		errno = ERANGE;
		return -1;
	}
	*out = v;
	return 0;
}

bool
str_same_secret(const void *a, const void *b, size_t len)
{
	const volatile unsigned char *p = a, *q = b;
	unsigned char diff = 0;

	for (size_t i = 0; i < len; i++)
		diff = (unsigned char)(diff | (p[i] ^ q[i]));
	return diff == 0;
}

void
str_wipe(void *p, size_t len)
{
	if (len > 0)
		explicit_bzero(p, len);
}
