/* SPDX-License-Identifier: ISC */
/*
 * Characters in UTF-8 (RFC 3629). Pure.
 */
#ifndef POSTERN_UTF8_H
#define POSTERN_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decode the character that opens the len octets at s. Octets taken, 0 with
 * len 0; *c is UINT32_MAX when they are not UTF-8 (one octet is taken then):
 * cut short, longer than need be, a surrogate, or past U+10FFFF.
 */
size_t	 utf8_decode(const void *s, size_t len, uint32_t *c);
/* Is c one of the controls, C0, DEL or C1? */
bool	 utf8_is_control(uint32_t c);

#endif
