/* SPDX-License-Identifier: ISC */
/*
 * Encoded words of mail headers (RFC 2047), in the character sets that need
 * no table: UTF-8, US-ASCII and ISO-8859-1. Pure.
 */
#ifndef POSTERN_WORDS_H
#define POSTERN_WORDS_H

#include <stddef.h>

/*
 * Write len octets of an unfolded value as a visible C string (visible.h),
 * with the encoded words decoded. A word in another character set, or a
 * malformed one, stays as it is. Its length.
 */
size_t	 words_decode(char *dst, size_t size, const char *src, size_t len);

#endif
