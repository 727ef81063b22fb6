/* SPDX-License-Identifier: ISC */
/*
 * Failed logins. Runs in auth-server. Addresses and names come from the
 * sessions and are not trusted: they are hashed with a secret key, so that
 * nobody can choose what falls together, and the tables never grow.
 * Invariant: an entry's key is 0 exactly when it is free.
 */
#include "auth/throttle.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "lib/ip.h"
#include "lib/log.h"
#include "lib/str.h"

#define WAYS	8	/* entries a key may lie in */
#define PRINTS	16	/* failures remembered one by one */
#define SLOWER	4	/* times, for a foreign address */

/* What opens every entry of every table. */
struct head {
	uint64_t	key;
	uint64_t	last;	/* the least one is overwritten first */
};

struct print {
	uint64_t	print;
	uint64_t	account;	/* its key, 0: none */
	uint64_t	weight;
};

struct entry {			/* an address, or an account */
	struct head	head;
	uint64_t	start;	/* of the window */
	uint64_t	count;
	uint64_t	blocked_until;
	unsigned char	address[16];	/* with blocked_until: its prefix */
	unsigned int	next;	/* place in prints */
	struct print	prints[PRINTS];
};

struct table {
	unsigned char	*base;
	size_t		 sets, size;	/* size: of an entry */
};

struct throttle {
	struct throttle_conf	conf;
	struct table		addresses, accounts;
	struct table		known;	/* heads: who logged in to what */
};

/* A key, never 0, of two pieces of data. */
static uint64_t
hash(const struct throttle *t, const void *a, size_t alen, const char *b)
{
	unsigned char buf[512], md[EVP_MAX_MD_SIZE];
	size_t blen = strnlen(b, sizeof(buf) - alen);
	uint64_t key;

	memcpy(buf, a, alen);
	memcpy(buf + alen, b, blen);
	BUG_IF(HMAC(EVP_sha256(), t->conf.key, THROTTLE_KEY, buf,
	    alen + blen, md, NULL) == NULL);
	memcpy(&key, md, sizeof(key));
	return key == 0 ? 1 : key;
}

static uint64_t
address_key(const struct throttle *t, const unsigned char address[16],
    const char *user)
{
	return hash(t, address, ip_prefix(address), user);
}

static int
table_init(struct table *t, size_t slots, size_t size)
{
	t->sets = slots / WAYS + 1;
	t->size = size;
	t->base = calloc(t->sets * WAYS, size);
	return t->base == NULL ? -1 : 0;
}

/*
 * The entry of key; without one NULL or, with add, a cleared entry in the
 * place of a free or of the oldest one.
 */
static void *
table_get(struct table *t, uint64_t key, bool add)
{
	struct head *h, *victim = NULL;
	unsigned char *set;
	size_t i;

	set = t->base + (size_t)(key % t->sets) * WAYS * t->size;
	for (i = 0; i < WAYS; i++) {
		h = (void *)(set + i * t->size);
		if (h->key == key)
			return h;
		if (victim == NULL || h->last < victim->last)
			victim = h;
	}
	if (!add)
		return NULL;
	memset(victim, 0, t->size);
	victim->key = key;
	return victim;
}

struct throttle *
throttle_new(const struct throttle_conf *conf)
{
	struct throttle *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	t->conf = *conf;
	if (table_init(&t->addresses, conf->slots, sizeof(struct entry)) ||
	    table_init(&t->accounts, conf->slots, sizeof(struct entry)) ||
	    table_init(&t->known, conf->slots * 4, sizeof(struct head)))
		throttle_free(&t);
	return t;
}

void
throttle_free(struct throttle **tp)
{
	struct throttle *t = *tp;

	*tp = NULL;
	if (t == NULL)
		return;
	free(t->addresses.base);
	free(t->accounts.base);
	free(t->known.base);
	str_wipe(&t->conf, sizeof(t->conf));
	free(t);
}

/* The entry of key within its window; a window that has passed is emptied. */
static struct entry *
entry_get(const struct throttle *t, struct table *table, uint64_t key,
    uint64_t now, bool add)
{
	struct entry *e = table_get(table, key, add);

	if (e == NULL)
		return NULL;
	if (now >= e->blocked_until &&
	    (e->blocked_until != 0 || now - e->start >= t->conf.window)) {
		memset(e, 0, sizeof(*e));
		e->head.key = key;
	}
	if (e->count == 0 && e->blocked_until == 0)
		e->start = now;
	return e;
}

static bool
entry_has(const struct entry *e, uint64_t print)
{
	size_t i;

	for (i = 0; i < PRINTS; i++)
		if (e->prints[i].weight != 0 && e->prints[i].print == print)
			return true;
	return false;
}

static void
entry_count(struct entry *e, uint64_t print, uint64_t account,
    uint64_t weight, uint64_t now)
{
	struct print *p = &e->prints[e->next];

	p->print = print;
	p->account = account;
	p->weight = weight;
	e->next = (e->next + 1) % PRINTS;
	e->count += weight;
	e->head.last = now;
}

uint64_t
throttle_wait(struct throttle *t, const unsigned char address[16],
    uint64_t now)
{
	struct entry *e;

	e = entry_get(t, &t->addresses, address_key(t, address, ""), now,
	    false);
	return e == NULL || e->blocked_until <= now ? 0 :
	    e->blocked_until - now;
}

uint64_t
throttle_blocked(struct throttle *t, uint64_t now, size_t *at,
    unsigned char address[16])
{
	const struct table *a = &t->addresses;
	const struct entry *e;

	while (*at < a->sets * WAYS) {
		e = (const void *)(a->base + (*at)++ * a->size);
		if (e->head.key == 0 || e->blocked_until <= now)
			continue;
		memcpy(address, e->address, sizeof(e->address));
		return e->blocked_until - now;
	}
	return 0;
}

/* Count against the account; the weight for the address's own count. */
static uint64_t
account_failure(struct throttle *t, const unsigned char address[16],
    const char *user, uint64_t account, uint64_t print, uint64_t now)
{
	struct entry *e;
	bool over;

	e = entry_get(t, &t->accounts, account, now, true);
	over = t->conf.limit_account != 0 &&
	    e->count >= t->conf.limit_account;
	if (!entry_has(e, print))
		entry_count(e, print, account, 1, now);
	if (over && table_get(&t->known, address_key(t, address, user),
	    false) == NULL)
		return 2;
	return 1;
}

uint64_t
throttle_failure(struct throttle *t, const unsigned char address[16],
    const char *user, uint64_t print, uint64_t now)
{
	struct entry *e;
	uint64_t account = 0, weight = 1, delay = t->conf.delay;

	if (*user != '\0') {
		account = hash(t, "", 0, user);
		weight = account_failure(t, address, user, account, print,
		    now);
		if (weight > 1)
			delay *= SLOWER;
	}
	e = entry_get(t, &t->addresses, address_key(t, address, ""), now,
	    true);
	if (!entry_has(e, print))
		entry_count(e, print, account, weight, now);
	if (t->conf.limit_address != 0 && e->blocked_until == 0 &&
	    e->count >= t->conf.limit_address) {
		e->blocked_until = now + t->conf.window;
		memcpy(e->address, address, ip_prefix(address));
		/* A blocked entry is overwritten last. */
		e->head.last = e->blocked_until;
	}
	return delay > THROTTLE_DELAY_MAX ? THROTTLE_DELAY_MAX : delay;
}

void
throttle_success(struct throttle *t, const unsigned char address[16],
    const char *user, uint64_t now)
{
	struct head *known;
	struct entry *e;
	uint64_t account = hash(t, "", 0, user);
	size_t i;

	known = table_get(&t->known, address_key(t, address, user), true);
	known->last = now;
	e = entry_get(t, &t->addresses, address_key(t, address, ""), now,
	    false);
	for (i = 0; e != NULL && i < PRINTS; i++) {
		if (e->prints[i].account != account)
			continue;
		e->count -= e->prints[i].weight;
		memset(&e->prints[i], 0, sizeof(e->prints[i]));
	}
}
