/* SPDX-License-Identifier: ISC */
/*
 * BASE64, see base64.h. Any process; what is decoded is hostile. Pure. The
 * octets may be secret: what is written is the caller's to wipe.
 */
#include "lib/base64.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

static const char alphabets[][65] = {
	[BASE64_PADDED] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/",
	[BASE64_URL] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-_",
};

size_t
base64_encode(enum base64 form, const void *data, size_t len, char *dst)
{
	const char *digits = alphabets[form];
	const unsigned char *p = data;
	size_t n = 0, i;
	uint32_t bits;

	for (i = 0; i < len; i += 3) {
		bits = (uint32_t)p[i] << 16;
		if (len - i > 1)
			bits |= (uint32_t)p[i + 1] << 8;
		if (len - i > 2)
			bits |= p[i + 2];
		dst[n++] = digits[bits >> 18];
		dst[n++] = digits[bits >> 12 & 63];
		if (len - i > 1 || form == BASE64_PADDED)
			dst[n++] = len - i > 1 ? digits[bits >> 6 & 63] : '=';
		if (len - i > 2 || form == BASE64_PADDED)
			dst[n++] = len - i > 2 ? digits[bits & 63] : '=';
	}
	dst[n] = '\0';
	return n;
}

/* How many of the len characters are digits, if the padding is right. */
static ssize_t
digits_of(enum base64 form, const char *s, size_t len)
{
	size_t pad = 0;

	if (form == BASE64_PADDED) {
		if (len % 4 != 0)
			return -1;
		while (pad < 2 && pad < len && s[len - 1 - pad] == '=')
			pad++;
	}
	return len % 4 == 1 ? -1 : (ssize_t)(len - pad);
}

ssize_t
base64_decode(enum base64 form, const char *s, size_t len, void *dst,
    size_t size)
{
	ssize_t digits = digits_of(form, s, len);
	unsigned char *out = dst;
	uint32_t bits = 0;
	size_t n = 0, i;
	const char *p;

	errno = EINVAL;
	if (digits == -1)
		return -1;
	for (i = 0; i < (size_t)digits; i++) {
		p = memchr(alphabets[form], s[i], 64);
		if (p == NULL)
			return -1;
		bits = bits << 6 | (uint32_t)(p - alphabets[form]);
		if (i % 4 == 0)
			continue;
		if (n == size) {
			errno = EMSGSIZE;
			return -1;
		}
		/* After digits 2, 3 and 4 of a group 4, 2 and 0 bits wait. */
		out[n++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
	}
	if ((i % 4 == 2 && (bits & 15) != 0) || (i % 4 == 3 && (bits & 3) != 0))
		return -1;
	return (ssize_t)n;
}
