/* SPDX-License-Identifier: ISC */
/*
 * BASE64 (RFC 4648), strictly: no line breaks, no octet outside of the
 * alphabet, bits left over are 0, so that each text means one sequence of
 * octets and each sequence has one text. Pure.
 */
#ifndef POSTERN_BASE64_H
#define POSTERN_BASE64_H

#include <stddef.h>
#include <sys/types.h>

enum base64 {
	BASE64_PADDED,		/* section 4 */
	BASE64_URL		/* section 5, without padding */
};

/* Octets of the text of n octets, with a NUL. */
#define BASE64_SIZE(n)	(((n) + 2) / 3 * 4 + 1)

/*
 * Write the text of len octets to dst, which has room for BASE64_SIZE(len).
 * Its length without the NUL.
 */
size_t	 base64_encode(enum base64, const void *data, size_t len, char *dst);
/*
 * Decode the len characters at s. Octets written to dst; or -1 and errno:
 * EINVAL (malformed), EMSGSIZE (more than size octets).
 */
ssize_t	 base64_decode(enum base64, const char *s, size_t len, void *dst,
	    size_t size);

#endif
