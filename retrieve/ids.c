/* SPDX-License-Identifier: ISC */
/*
 * Numbers of questions, run by retrieve-session. A number is a slot and,
 * above it, how often that slot was given out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "retrieve/ids.h"

#define SLOT_BITS	20
#define SLOTS_MAX	(1U << SLOT_BITS)
#define TURNS		(1U << (32 - SLOT_BITS))

void
ids_init(struct ids *t)
{
	memset(t, 0, sizeof(*t));
}

void
ids_free(struct ids *t)
{
	free(t->slots);
	ids_init(t);
}

static int
grow(struct ids *t)
{
	uint32_t	 n = t->n == 0 ? 64 : t->n * 2, i;
	struct ids_slot	*p;

	if (n > SLOTS_MAX) {
		errno = ENOBUFS;
		return -1;
	}
	if ((p = realloc(t->slots, n * sizeof(*p))) == NULL)
		return -1;
	for (i = t->n; i < n; i++)
		p[i] = (struct ids_slot){ NULL, 0, i + 1 };
	/* The end of the new chain is n, as an empty chain's is. */
	t->free = t->n;
	t->slots = p;
	t->n = n;
	return 0;
}

uint32_t
ids_new(struct ids *t, void *who)
{
	struct ids_slot	*s;
	uint32_t	 slot;

	if (t->free == t->n && grow(t) == -1)
		return 0;
	slot = t->free;
	s = &t->slots[slot];
	t->free = s->next >= t->n ? t->n : s->next;
	s->who = who;
	s->turn = s->turn % (TURNS - 1) + 1;
	return s->turn << SLOT_BITS | slot;
}

static struct ids_slot *
slot_of(const struct ids *t, uint32_t id)
{
	uint32_t	slot = id & (SLOTS_MAX - 1);

	if (slot >= t->n || t->slots[slot].who == NULL ||
	    t->slots[slot].turn != id >> SLOT_BITS)
		return NULL;
	return &t->slots[slot];
}

void *
ids_find(const struct ids *t, uint32_t id)
{
	struct ids_slot	*s = slot_of(t, id);

	return s == NULL ? NULL : s->who;
}

void
ids_end(struct ids *t, uint32_t id)
{
	struct ids_slot	*s = slot_of(t, id);

	if (s == NULL)
		return;
	s->who = NULL;
	s->next = t->free;
	t->free = (uint32_t)(s - t->slots);
}
