/* SPDX-License-Identifier: ISC */
/*
 * The live logins. Runs in auth-server, the only one who makes tickets.
 * Invariant: every ticket is in the tree (by client and id) and in the list
 * (by expiry), or in neither.
 */
#include "auth/tickets.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>

#include "lib/str.h"

struct tickets {
	TAILQ_HEAD(ticket_list, ticket) list;
	void		*tree;		/* tsearch(3) */
	size_t		 n, max;
};

static int
compare(const void *x, const void *y)
{
	const struct ticket *a = x, *b = y;

	if (a->client != b->client)
		return a->client < b->client ? -1 : 1;
	return (a->id > b->id) - (a->id < b->id);
}

struct tickets *
tickets_new(size_t max)
{
	struct tickets *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	TAILQ_INIT(&t->list);
	t->max = max;
	return t;
}

void
tickets_free(struct tickets **tp)
{
	struct tickets *t = *tp;
	struct ticket *k;

	*tp = NULL;
	if (t == NULL)
		return;
	while ((k = TAILQ_FIRST(&t->list)) != NULL)
		tickets_remove(t, &k);
	free(t);
}

struct ticket *
tickets_find(struct tickets *t, uint64_t client, uint32_t id)
{
	struct ticket key = { .client = client, .id = id };
	void *const *node = tfind(&key, &t->tree, compare);

	return node == NULL ? NULL : *node;
}

struct ticket *
tickets_add(struct tickets *t, const struct ticket *from)
{
	struct ticket *k, *after;

	if (tickets_find(t, from->client, from->id) != NULL) {
		errno = EEXIST;
		return NULL;
	}
	if (t->n >= t->max) {
		errno = ENOBUFS;
		return NULL;
	}
	if ((k = malloc(sizeof(*k))) == NULL)
		return NULL;
	*k = *from;
	if (tsearch(k, &t->tree, compare) == NULL) {
		free(k);
		errno = ENOMEM;
		return NULL;
	}
	/* Most live equally long, so the place is nearly always the last. */
	TAILQ_FOREACH_REVERSE(after, &t->list, ticket_list, link)
		if (after->expiry <= k->expiry)
			break;
	if (after == NULL)
		TAILQ_INSERT_HEAD(&t->list, k, link);
	else
		TAILQ_INSERT_AFTER(&t->list, after, k, link);
	t->n++;
	return k;
}

void
tickets_remove(struct tickets *t, struct ticket **kp)
{
	struct ticket *k = *kp;

	*kp = NULL;
	tdelete(k, &t->tree, compare);
	TAILQ_REMOVE(&t->list, k, link);
	t->n--;
	str_wipe(k, sizeof(*k));
	free(k);
}

struct ticket *
tickets_first(struct tickets *t)
{
	return TAILQ_FIRST(&t->list);
}

struct ticket *
tickets_next(struct ticket *k)
{
	return TAILQ_NEXT(k, link);
}

struct ticket *
tickets_expired(struct tickets *t, uint64_t now)
{
	struct ticket *k = TAILQ_FIRST(&t->list);

	return k != NULL && k->expiry <= now ? k : NULL;
}

size_t
tickets_count(const struct tickets *t)
{
	return t->n;
}
