/* SPDX-License-Identifier: ISC */
/*
 * Addresses refused for a while, see blocked.h. Sessions. Which addresses
 * come is the clients' choice: they are hashed with a key, and the table
 * never grows. Invariant: an entry is free exactly when its until is 0.
 */
#include "lib/blocked.h"

#include <stdlib.h>
#include <string.h>

#define WAYS	8	/* entries an address may lie in */

struct entry {
	uint64_t	until;
	uint64_t	told;		/* when refusals were reported last */
	uint32_t	refused;	/* since then */
	unsigned char	ip[IP_SIZE];	/* the prefix, then zeros */
};

struct blocked {
	unsigned char	 key[SIPHASH_KEY];
	size_t		 sets;
	struct entry	*entries;
};

struct blocked *
blocked_new(size_t slots, const unsigned char key[SIPHASH_KEY])
{
	struct blocked *b;

	if ((b = calloc(1, sizeof(*b))) == NULL)
		return NULL;
	memcpy(b->key, key, sizeof(b->key));
	b->sets = slots / WAYS + 1;
	b->entries = calloc(b->sets * WAYS, sizeof(struct entry));
	if (b->entries == NULL)
		blocked_free(&b);
	return b;
}

void
blocked_free(struct blocked **bp)
{
	struct blocked *b = *bp;

	*bp = NULL;
	if (b != NULL)
		free(b->entries);
	free(b);
}

/* The entries where ip, or one of its prefix, may lie; prefix is filled. */
static struct entry *
set_of(const struct blocked *b, const unsigned char ip[IP_SIZE],
    unsigned char prefix[IP_SIZE])
{
	unsigned char out[SIPHASH_SIZE];
	struct siphash h;
	uint64_t n;

	memset(prefix, 0, IP_SIZE);
	memcpy(prefix, ip, ip_prefix(ip));
	siphash_init(&h, b->key);
	siphash_add(&h, prefix, IP_SIZE);
	siphash_end(&h, out);
	memcpy(&n, out, sizeof(n));
	return b->entries + (size_t)(n % b->sets) * WAYS;
}

static struct entry *
find(const struct blocked *b, const unsigned char ip[IP_SIZE])
{
	unsigned char prefix[IP_SIZE];
	struct entry *set = set_of(b, ip, prefix);
	size_t i;

	for (i = 0; i < WAYS; i++)
		if (set[i].until != 0 &&
		    memcmp(set[i].ip, prefix, IP_SIZE) == 0)
			return &set[i];
	return NULL;
}

void
blocked_set(struct blocked *b, const unsigned char ip[IP_SIZE],
    uint64_t until)
{
	unsigned char prefix[IP_SIZE];
	struct entry *set = set_of(b, ip, prefix), *e = find(b, ip);
	size_t i;

	for (i = 0; e == NULL && i < WAYS; i++)
		if (set[i].until == 0)
			e = &set[i];
	if (e == NULL)
		for (e = set, i = 1; i < WAYS; i++)
			if (set[i].until < e->until)
				e = &set[i];
	if (e->until == 0 || memcmp(e->ip, prefix, IP_SIZE) != 0)
		memset(e, 0, sizeof(*e));
	memcpy(e->ip, prefix, IP_SIZE);
	e->until = until;
}

uint64_t
blocked_wait(const struct blocked *b, const unsigned char ip[IP_SIZE],
    uint64_t now)
{
	const struct entry *e = find(b, ip);

	return e == NULL || e->until <= now ? 0 : e->until - now;
}

uint32_t
blocked_count(struct blocked *b, const unsigned char ip[IP_SIZE],
    uint64_t now)
{
	struct entry *e = find(b, ip);
	uint32_t n;

	if (e == NULL)
		return 0;
	if (e->refused < UINT32_MAX)
		e->refused++;
	if (e->told != 0 && now - e->told < BLOCKED_TELL)
		return 0;
	n = e->refused;
	e->refused = 0;
	e->told = now;
	return n;
}

void
blocked_clear(struct blocked *b)
{
	memset(b->entries, 0, b->sets * WAYS * sizeof(struct entry));
}
