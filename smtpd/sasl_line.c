/* SPDX-License-Identifier: ISC */
/*
 * Strict BASE64. Runs in smtpd-session; pure; all input is hostile.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/str.h"
#include "smtpd/sasl_line.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The value of one digit, or 64 when it is none. */
static uint32_t
digit(char ch)
{
	const char *at = ch == '\0' ? NULL : strchr(alphabet, ch);

	return at == NULL ? 64 : (uint32_t)(at - alphabet);
}

/* Four octets at s to 1, 2 or 3 at out; 0 when they are no BASE64. */
static size_t
decode_group(const char *s, bool last, unsigned char *out)
{
	size_t n = 3, i;
	uint32_t v = 0, d;

	if (last && s[3] == '=')
		n = s[2] == '=' ? 1 : 2;
	for (i = 0; i < 4; i++) {
		d = i <= n ? digit(s[i]) : 0;
		if (d == 64)
			return 0;
		v = v << 6 | d;
	}
	out[0] = (unsigned char)(v >> 16);
	out[1] = (unsigned char)(v >> 8);
	out[2] = (unsigned char)v;
	/* RFC 4648 section 3.5: what is left over must be 0 */
	for (i = n; i < 3; i++)
		if (out[i] != 0)
			return 0;
	return n;
}

int
sasl_line_decode(const char *s, size_t len, struct buf *out)
{
	unsigned char group[3];
	size_t i, n;
	int error = 0;

	if (len % 4 != 0) {
		errno = EINVAL;
		return -1;
	}
	for (i = 0; i < len && error == 0; i += 4) {
		n = decode_group(s + i, i + 4 == len, group);
		if (n == 0)
			error = EINVAL;
		else if (buf_add(out, group, n) == -1)
			error = errno;
	}
	str_wipe(group, sizeof(group));
	errno = error;
	return error == 0 ? 0 : -1;
}

int
sasl_line_encode(const void *data, size_t len, struct buf *out)
{
	const unsigned char *p = data;
	char group[4];
	uint32_t v;
	size_t i, left;

	for (i = 0; i < len; i += 3) {
		left = len - i;
		v = (uint32_t)p[i] << 16;
		if (left > 1)
			v |= (uint32_t)p[i + 1] << 8;
		if (left > 2)
			v |= p[i + 2];
		group[0] = alphabet[v >> 18 & 63];
		group[1] = alphabet[v >> 12 & 63];
		group[2] = left > 1 ? alphabet[v >> 6 & 63] : '=';
		group[3] = left > 2 ? alphabet[v & 63] : '=';
		if (buf_add(out, group, sizeof(group)) == -1)
			return -1;
	}
	return 0;
}
