/* SPDX-License-Identifier: ISC */
/*
 * Names: the low 16 bits are a place in an array, the high 16 a serial
 * number that goes on when the place gets another owner. Process
 * smtpd-session; names come back from auth and store.
 */
#include "smtpd/slots.h"

#include <errno.h>
#include <stdlib.h>

static int
grow(struct slots *s)
{
	uint32_t n = s->n == 0 ? 64 : s->n * 2, i;
	struct slot *item;

	if (n > SLOTS_MAX) {
		errno = ENOMEM;
		return -1;
	}
	item = realloc(s->item, n * sizeof(*item));
	if (item == NULL)
		return -1;
	for (i = s->n; i < n; i++)
		item[i] = (struct slot){ NULL, 0, i + 1 };
	s->item = item;
	s->free = s->n;
	s->n = n;
	return 0;
}

int
slots_take(struct slots *s, void *owner, uint32_t *slot)
{
	if (s->free == s->n && grow(s) == -1)
		return -1;
	*slot = s->free;
	s->free = s->item[*slot].next_free;
	s->item[*slot].owner = owner;
	return 0;
}

void
slots_drop(struct slots *s, uint32_t slot)
{
	s->item[slot].owner = NULL;
	s->item[slot].next_free = s->free;
	s->free = slot;
}

uint32_t
slots_name(struct slots *s, uint32_t slot)
{
	struct slot *p = &s->item[slot];

	p->serial = p->serial == UINT16_MAX ? 1 : p->serial + 1;
	return p->serial << 16 | slot;
}

void *
slots_find(const struct slots *s, uint32_t name)
{
	uint32_t slot = name & (SLOTS_MAX - 1);

	return slot < s->n ? s->item[slot].owner : NULL;
}
