/* SPDX-License-Identifier: ISC */
/*
 * Tickets by nonce, see store_ticket.h. Runs in smtpd-store. Tickets come
 * from auth, which is trusted; nonces to look up come from sessions, which
 * are not. A nonce is random, so its first octets are the hash.
 */
#include "smtpd/store_ticket.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "lib/str.h"

#define BUCKETS		4096
#define TICKETS_MAX	1000000	/* as many as connections may be */

struct ticket {
	LIST_ENTRY(ticket)	 next;
	uint64_t		 expiry;
	uint32_t		 instance;
	unsigned char		 nonce[AUTH_NONCE];
	char			 user[];
};

LIST_HEAD(bucket, ticket);

struct tickets {
	struct bucket	buckets[BUCKETS];
	size_t		n;
};

static size_t
hash(const unsigned char *nonce)
{
	return ((size_t)nonce[0] << 8 | nonce[1]) % BUCKETS;
}

struct tickets *
tickets_new(void)
{
	return calloc(1, sizeof(struct tickets));
}

static void
drop(struct tickets *t, struct ticket *k)
{
	LIST_REMOVE(k, next);
	str_wipe(k->nonce, sizeof(k->nonce));
	free(k);
	t->n--;
}

void
tickets_clear(struct tickets *t)
{
	struct ticket *k;
	size_t i;

	for (i = 0; i < BUCKETS; i++)
		while ((k = LIST_FIRST(&t->buckets[i])) != NULL)
			drop(t, k);
}

void
tickets_free(struct tickets **tp)
{
	if (*tp == NULL)
		return;
	tickets_clear(*tp);
	free(*tp);
	*tp = NULL;
}

/* Drop what is over in a bucket, so that the table does not grow for ever. */
static void
purge(struct tickets *t, struct bucket *b, uint64_t now)
{
	struct ticket *k, *after;

	for (k = LIST_FIRST(b); k != NULL; k = after) {
		after = LIST_NEXT(k, next);
		if (k->expiry <= now)
			drop(t, k);
	}
}

int
tickets_put(struct tickets *t, const struct auth_ticket *a, uint64_t now)
{
	struct bucket *b = &t->buckets[hash(a->nonce)];
	size_t len = strlen(a->user);
	struct ticket *k;

	purge(t, b, now);
	tickets_end(t, a->nonce);
	if (t->n >= TICKETS_MAX) {
		errno = ENOSPC;
		return -1;
	}
	if ((k = malloc(sizeof(*k) + len + 1)) == NULL)
		return -1;
	k->expiry = a->expiry;
	k->instance = a->instance;
	memcpy(k->nonce, a->nonce, sizeof(k->nonce));
	memcpy(k->user, a->user, len + 1);
	LIST_INSERT_HEAD(b, k, next);
	t->n++;
	return 0;
}

static struct ticket *
find(const struct tickets *t, const unsigned char *nonce)
{
	struct ticket *k;

	LIST_FOREACH(k, &t->buckets[hash(nonce)], next)
		if (str_same_secret(k->nonce, nonce, AUTH_NONCE))
			return k;
	return NULL;
}

void
tickets_end(struct tickets *t, const unsigned char nonce[AUTH_NONCE])
{
	struct ticket *k = find(t, nonce);

	if (k != NULL)
		drop(t, k);
}

const char *
tickets_find(const struct tickets *t, const unsigned char nonce[AUTH_NONCE],
    uint32_t instance, uint64_t now)
{
	const struct ticket *k = find(t, nonce);

	if (k == NULL || k->instance != instance || k->expiry <= now)
		return NULL;
	return k->user;
}
