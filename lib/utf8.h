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
/*
 * May c stand in a name? Not what has no place in text that is exchanged
 * (controls, noncharacters, U+FEFF: RFC 5198 section 2), nor what ends a
 * line or turns the direction of what stands around it.
 */
bool	 utf8_is_name(uint32_t c);

/* Are the len octets at s UTF-8 throughout? */
bool	 utf8_is_valid(const void *s, size_t len);
/* UTF-8 that comes in pieces. Zero it before the first. */
struct utf8_stream {
	unsigned char	 part[4];	/* a character that is not whole */
	unsigned char	 have, need;	/* octets; need 0: none begun */
};

/* Take len octets. False when they are not UTF-8, whatever comes. */
bool	 utf8_stream_add(struct utf8_stream *, const void *data, size_t len);
/* Is no character left open? */
bool	 utf8_stream_whole(const struct utf8_stream *);

#endif
