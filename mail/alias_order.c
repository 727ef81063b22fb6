/* SPDX-License-Identifier: ISC */
/*
 * Loops among aliases, and how deep they are nested: the strongly connected
 * components of Tarjan (1972), without recursion. Runs in smtpd-store and
 * posternctl. Pure. Components come out in the reverse order of the edges, so
 * what an entry leads to has its depth before the entry gets its own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/log.h"
#include "mail/alias_impl.h"

/* An entry on its way; all numbers count from 1. */
struct mark {
	uint32_t	 index;		/* order of the first visit; 0: none */
	uint32_t	 low;
	uint32_t	 target;	/* the next one to look at */
	uint32_t	 parent;	/* who led here */
	bool		 waits;		/* is on the stack */
};

struct order {
	struct alias_table	*t;
	struct mark		*marks;		/* of each entry */
	uint32_t		*stack;
	uint32_t		 waiting, count;
	alias_fault_fn		*fault;
	void			*arg;
};

static void
visit(struct order *o, uint32_t entry, uint32_t parent)
{
	struct mark *m = &o->marks[entry - 1];

	m->index = m->low = ++o->count;
	m->parent = parent;
	m->waits = true;
	o->stack[o->waiting++] = entry;
}

static void
refuse(struct order *o, struct alias *a, const char *text)
{
	a->refused = true;
	o->t->refused++;
	o->fault(o->arg, a->line, text);
}

/* One more than the deepest entry it leads to. */
static void
set_depth(struct order *o, struct alias *a)
{
	uint32_t next, depth = 0;
	char text[512];
	size_t i;

	for (i = 0; i < a->n; i++)
		if ((next = alias_next(o->t, a, i)) != 0 &&
		    o->t->entries[next - 1].depth > depth)
			depth = o->t->entries[next - 1].depth;
	a->depth = depth + 1;
	if (a->depth <= o->t->depth_max)
		return;
	snprintf(text, sizeof(text), "%s: %u aliases one in the other, more "
	    "than alias_depth", a->address, a->depth);
	refuse(o, a, text);
}

/* An entry that comes back to itself; say by which target. */
static void
refuse_loop(struct order *o, struct alias *a)
{
	const char *by = a->address;
	uint32_t next;
	char text[1024];
	size_t i;

	/* Those of one component with it have this mark now. */
	for (i = 0; i < a->n; i++)
		if ((next = alias_next(o->t, a, i)) != 0 &&
		    o->marks[next - 1].low == UINT32_MAX)
			by = alias_target(o->t, a, i);
	snprintf(text, sizeof(text), "%s: a loop: %s leads back to it",
	    a->address, by);
	refuse(o, a, text);
}

/* The component on the stack from an entry on is complete. */
static void
take_component(struct order *o, uint32_t entry)
{
	uint32_t from = o->waiting, i;
	struct alias *a;

	while (o->stack[--from] != entry)
		o->marks[o->stack[from] - 1].low = UINT32_MAX;
	o->marks[entry - 1].low = UINT32_MAX;
	for (i = from; i < o->waiting; i++) {
		o->marks[o->stack[i] - 1].waits = false;
		a = &o->t->entries[o->stack[i] - 1];
		if (o->waiting - from > 1)
			refuse_loop(o, a);
		else
			set_depth(o, a);
	}
	for (i = from; i < o->waiting; i++)
		o->marks[o->stack[i] - 1].low = 0;
	o->waiting = from;
}

static void
lower(struct mark *m, uint32_t to)
{
	if (to < m->low)
		m->low = to;
}

/* One target of an entry, or its end. The entry to go on with; 0: none. */
static uint32_t
step(struct order *o, uint32_t entry)
{
	const struct alias *a = &o->t->entries[entry - 1];
	struct mark *m = &o->marks[entry - 1], *other;
	uint32_t next;

	if (m->target < a->n) {
		if ((next = alias_next(o->t, a, m->target++)) == 0)
			return entry;
		other = &o->marks[next - 1];
		if (other->index == 0) {
			visit(o, next, entry);
			return next;
		}
		if (other->waits)
			lower(m, other->index);
		return entry;
	}
	if (m->parent != 0)
		lower(&o->marks[m->parent - 1], m->low);
	if (m->low == m->index)
		take_component(o, entry);
	return m->parent;
}

int
alias_order(struct alias_table *t, alias_fault_fn *fault, void *arg)
{
	struct order o = { .t = t, .fault = fault, .arg = arg };
	uint32_t i, entry;
	int r = -1;

	o.marks = calloc((size_t)t->nentries + 1, sizeof(*o.marks));
	o.stack = calloc((size_t)t->nentries + 1, sizeof(*o.stack));
	if (o.marks == NULL || o.stack == NULL)
		goto out;
	for (i = 0; i < t->nentries; i++) {
		if (o.marks[i].index != 0)
			continue;
		entry = i + 1;
		visit(&o, entry, 0);
		while (entry != 0)
			entry = step(&o, entry);
	}
	BUG_IF(o.waiting != 0);
	r = 0;
out:
	free(o.marks);
	free(o.stack);
	return r;
}
