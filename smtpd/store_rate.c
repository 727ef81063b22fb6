/* SPDX-License-Identifier: ISC */
/*
 * Rates by login, see store_rate.h. Runs in smtpd-store. Logins come from
 * auth. The bucket is kept as the moment it will be empty (the generic cell
 * rate algorithm, ITU-T I.371): one more moves that by time / limit, and may
 * not move it beyond now + time. Invariant: an entry's key is 0 exactly when
 * it is free.
 */
#include "smtpd/store_rate.h"

#include <stdlib.h>
#include <string.h>

#include "lib/str.h"
#include "mail/addr.h"

#define WAYS	8		/* entries a login may lie in */
#define NANO	1000000ULL	/* in a millisecond */

struct entry {
	uint64_t	key;
	uint64_t	seen;			/* milliseconds */
	uint64_t	empty[RATE_KINDS];	/* nanoseconds */
	uint64_t	told[RATE_KINDS];	/* milliseconds; 0: never */
	uint32_t	refused[RATE_KINDS];	/* since then */
};

struct rate {
	unsigned char	 key[SIPHASH_KEY];
	uint64_t	 time;			/* nanoseconds */
	size_t		 sets;
	struct entry	*entries;
};

struct rate *
rate_new(size_t slots, const unsigned char key[SIPHASH_KEY], uint64_t time)
{
	struct rate *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	memcpy(r->key, key, sizeof(r->key));
	r->time = time * NANO;
	r->sets = slots / WAYS + 1;
	r->entries = calloc(r->sets * WAYS, sizeof(*r->entries));
	if (r->entries == NULL)
		rate_free(&r);
	return r;
}

void
rate_free(struct rate **rp)
{
	struct rate *r = *rp;

	*rp = NULL;
	if (r == NULL)
		return;
	free(r->entries);
	free(r);
}

static uint64_t
key_of(const struct rate *r, const struct addr *login)
{
	char name[ADDR_MAX + 1];
	unsigned char out[SIPHASH_SIZE];
	struct siphash h;
	uint64_t key;

	str_lower(addr_join(login, name, sizeof(name)));
	siphash_init(&h, r->key);
	siphash_add_string(&h, name);
	siphash_end(&h, out);
	memcpy(&key, out, sizeof(key));
	return key == 0 ? 1 : key;
}

/* The entry of key; where there is none, the one to be overwritten. */
static struct entry *
entry_of(const struct rate *r, uint64_t key)
{
	struct entry *set = r->entries + key % r->sets * WAYS, *oldest = set;
	size_t i;

	for (i = 0; i < WAYS; i++) {
		if (set[i].key == key)
			return &set[i];
		if (set[i].seen < oldest->seen)
			oldest = &set[i];
	}
	return oldest;
}

uint32_t
rate_wait(const struct rate *r, const struct addr *login, enum rate_kind kind,
    uint64_t limit, uint64_t now)
{
	uint64_t key, empty, full = now * NANO + r->time;
	const struct entry *e;

	if (limit == 0)
		return 0;
	key = key_of(r, login);
	e = entry_of(r, key);
	if (e->key != key || e->empty[kind] <= now * NANO)
		return 0;
	empty = e->empty[kind] + r->time / limit;
	if (empty <= full)
		return 0;
	return (uint32_t)((empty - full + 1000 * NANO - 1) / (1000 * NANO));
}

uint32_t
rate_refused(struct rate *r, const struct addr *login, enum rate_kind kind,
    uint64_t now)
{
	uint64_t key = key_of(r, login);
	struct entry *e = entry_of(r, key);
	uint32_t n;

	if (e->key != key)
		return 1;	/* forgotten meanwhile */
	if (e->refused[kind] < UINT32_MAX)
		e->refused[kind]++;
	if (e->told[kind] != 0 && now - e->told[kind] < RATE_TELL)
		return 0;
	n = e->refused[kind];
	e->refused[kind] = 0;
	e->told[kind] = now;
	return n;
}

void
rate_count(struct rate *r, const struct addr *login, enum rate_kind kind,
    uint64_t limit, uint64_t now)
{
	struct entry *e;
	uint64_t key;

	if (limit == 0)
		return;
	key = key_of(r, login);
	e = entry_of(r, key);
	if (e->key != key) {
		memset(e, 0, sizeof(*e));
		e->key = key;
	}
	e->seen = now;
	if (e->empty[kind] < now * NANO)
		e->empty[kind] = now * NANO;
	e->empty[kind] += r->time / limit;
}
