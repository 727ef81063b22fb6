/* SPDX-License-Identifier: ISC */
/*
 * SipHash-2-4 with 128 bits of output (Aumasson and Bernstein): a keyed
 * hash whose values cannot be made without the key. Pure.
 */
#ifndef POSTERN_SIPHASH_H
#define POSTERN_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY	16
#define SIPHASH_SIZE	16

struct siphash {
	uint64_t	v[4];
	uint64_t	word;		/* octets not yet mixed in */
	uint64_t	len;		/* octets in all */
};

void	 siphash_init(struct siphash *, const unsigned char key[SIPHASH_KEY]);
void	 siphash_add(struct siphash *, const void *data, size_t len);
/* As siphash_add() of the string with its NUL. */
void	 siphash_add_string(struct siphash *, const char *s);
void	 siphash_end(struct siphash *, unsigned char out[SIPHASH_SIZE]);

#endif
