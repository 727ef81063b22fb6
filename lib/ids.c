/* SPDX-License-Identifier: ISC */
/*
 * Numbers of questions, see ids.h. Sessions; numbers come back from the
 * processes that were asked. A number is a slot and, above it, how often that
 * slot was given out; of the free slots that which was free longest is next.
 */
#include "lib/ids.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLOT_BITS	20
#define SLOTS_MAX	(1U << SLOT_BITS)
#define TURNS		(1U << (32 - SLOT_BITS))
#define NONE		UINT32_MAX

void
ids_init(struct ids *t)
{
	memset(t, 0, sizeof(*t));
	t->first = t->last = NONE;
}

void
ids_free(struct ids *t)
{
	free(t->slots);
	ids_init(t);
}

/* Put the slot behind the other free ones. */
static void
put_free(struct ids *t, uint32_t slot)
{
	t->slots[slot].who = NULL;
	t->slots[slot].next = NONE;
	if (t->first == NONE)
		t->first = slot;
	else
		t->slots[t->last].next = slot;
	t->last = slot;
}

static int
grow(struct ids *t)
{
	uint32_t n = t->n == 0 ? 64 : t->n * 2;
	struct ids_slot *p;

	if (n > SLOTS_MAX) {
		errno = ENOBUFS;
		return -1;
	}
	if ((p = realloc(t->slots, n * sizeof(*p))) == NULL)
		return -1;
	t->slots = p;
	for (; t->n < n; t->n++) {
		p[t->n].turn = 0;
		put_free(t, t->n);
	}
	return 0;
}

uint32_t
ids_new(struct ids *t, void *who)
{
	struct ids_slot *s;
	uint32_t slot;

	if (t->first == NONE && grow(t) == -1)
		return 0;
	slot = t->first;
	s = &t->slots[slot];
	t->first = s->next;
	s->who = who;
	s->turn = s->turn % (TURNS - 1) + 1;
	return s->turn << SLOT_BITS | slot;
}

void *
ids_find(const struct ids *t, uint32_t id)
{
	uint32_t slot = id & (SLOTS_MAX - 1);

	if (slot >= t->n || t->slots[slot].turn != id >> SLOT_BITS)
		return NULL;
	return t->slots[slot].who;
}

void
ids_end(struct ids *t, uint32_t id)
{
	if (ids_find(t, id) != NULL)
		put_free(t, id & (SLOTS_MAX - 1));
}
