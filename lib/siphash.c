/* SPDX-License-Identifier: ISC */
/*
 * SipHash: what was logged in with, cursors, entity tags, counts of
 * connections. Any process.
 */
#include <string.h>

#include "lib/siphash.h"

static uint64_t
rotate(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static uint64_t
load(const unsigned char *p)
{
	uint64_t	x = 0;
	int		i;

	for (i = 7; i >= 0; i--)
		x = x << 8 | p[i];
	return x;
}

static void
store(unsigned char *p, uint64_t x)
{
	int	i;

	for (i = 0; i < 8; i++, x >>= 8)
		p[i] = (unsigned char)x;
}

static void
rounds(uint64_t v[4], int n)
{
	while (n-- > 0) {
		v[0] += v[1];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[0] = rotate(v[0], 32);
		v[2] += v[3];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[2] = rotate(v[2], 32);
	}
}

static void
mix(struct siphash *h, uint64_t word)
{
	h->v[3] ^= word;
	rounds(h->v, 2);
	h->v[0] ^= word;
}

void
siphash_init(struct siphash *h, const unsigned char key[SIPHASH_KEY])
{
	uint64_t	k0 = load(key), k1 = load(key + 8);

	h->v[0] = k0 ^ 0x736f6d6570736575;
	h->v[1] = k1 ^ 0x646f72616e646f6d ^ 0xee;
	h->v[2] = k0 ^ 0x6c7967656e657261;
	h->v[3] = k1 ^ 0x7465646279746573;
	h->word = 0;
	h->len = 0;
}

void
siphash_add(struct siphash *h, const void *data, size_t len)
{
	const unsigned char	*p = data;

	while (len-- > 0) {
		h->word |= (uint64_t)*p++ << (h->len % 8 * 8);
		if (++h->len % 8 == 0) {
			mix(h, h->word);
			h->word = 0;
		}
	}
}

void
siphash_add_string(struct siphash *h, const char *s)
{
	siphash_add(h, s, strlen(s) + 1);
}

void
siphash_end(struct siphash *h, unsigned char out[SIPHASH_SIZE])
{
	mix(h, h->word | h->len << 56);
	h->v[2] ^= 0xee;
	rounds(h->v, 4);
	store(out, h->v[0] ^ h->v[1] ^ h->v[2] ^ h->v[3]);
	h->v[1] ^= 0xdd;
	rounds(h->v, 4);
	store(out + 8, h->v[0] ^ h->v[1] ^ h->v[2] ^ h->v[3]);
}
