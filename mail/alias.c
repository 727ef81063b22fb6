/* SPDX-License-Identifier: ISC */
/*
 * The alias table, see alias.h: making it, looking up, expanding. Runs in
 * smtpd-store and posternctl. Pure but for malloc(3). Invariants: each path
 * is that of one node; an entry's node knows it; numbers are within bounds.
 */
#include "mail/alias.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/str.h"
#include "mail/alias_impl.h"

#define CHUNK		65536	/* octets of strings allocated at once */
#define KEY_MAX		520	/* two components of 255 and a slash */
#define NODES_MAX	(ALIAS_ENTRIES_MAX + ALIAS_TARGETS_MAX)

struct chunk {
	struct chunk	*next;
	size_t		 used;
	char		 data[CHUNK];
};

static const char *
keep(struct alias_table *t, const char *s)
{
	size_t len = strlen(s) + 1;
	struct chunk *c = t->chunks;
	char *p;

	if (c == NULL || CHUNK - c->used < len) {
		if ((c = malloc(sizeof(*c))) == NULL)
			return NULL;
		c->next = t->chunks;
		c->used = 0;
		t->chunks = c;
	}
	p = c->data + c->used;
	memcpy(p, s, len);
	c->used += len;
	return p;
}

/* Room for one more in an array. 0, or -1 and errno. */
static int
grow(void **array, uint32_t n, uint32_t *cap, uint32_t max, size_t size)
{
	uint32_t want = *cap == 0 ? 64 : *cap * 2;
	void *p;

	if (n >= max) {
		errno = EFBIG;
		return -1;
	}
	if (n < *cap)
		return 0;
	if ((p = reallocarray(*array, want, size)) == NULL)
		return -1;
	*array = p;
	*cap = want;
	return 0;
}

/* FNV-1a: what is looked up is never put into the table. */
static uint32_t
hash(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

/* The slot of a path: its own, or a free one. There always is one. */
static uint32_t *
slot_of(const struct alias_table *t, const char *path, uint32_t h)
{
	uint32_t i = h & (t->nslots - 1);
	const struct node *n;

	for (; t->slots[i] != 0; i = (i + 1) & (t->nslots - 1)) {
		n = &t->nodes[t->slots[i] - 1];
		if (n->hash == h && strcmp(n->path, path) == 0)
			break;
	}
	return &t->slots[i];
}

/* Keep at least half of the slots free. */
static int
grow_slots(struct alias_table *t)
{
	uint32_t *old = t->slots, n = t->nslots == 0 ? 256 : t->nslots * 2, i;

	if (t->nnodes + 1 <= t->nslots / 2)
		return 0;
	if ((t->slots = calloc(n, sizeof(*t->slots))) == NULL) {
		t->slots = old;
		return -1;
	}
	t->nslots = n;
	for (i = 0; i < t->nnodes; i++)
		*slot_of(t, t->nodes[i].path, t->nodes[i].hash) = i + 1;
	free(old);
	return 0;
}

/* The key of an address; that of a catch-all ends with the slash. */
static int
make_key(const struct addr *a, char key[KEY_MAX])
{
	struct addr any = *a;

	if (a->local[0] != '\0')
		return addr_to_path(a, key, KEY_MAX);
	any.local[0] = 'x';
	any.local[1] = '\0';
	if (addr_to_path(&any, key, KEY_MAX) == -1)
		return -1;
	key[strlen(key) - 1] = '\0';
	return 0;
}

static const struct node *
find_node(const struct alias_table *t, const struct addr *a)
{
	char key[KEY_MAX];
	uint32_t n;

	if (t == NULL || t->nslots == 0 || make_key(a, key) == -1)
		return NULL;
	n = *slot_of(t, key, hash(key));
	return n == 0 ? NULL : &t->nodes[n - 1];
}

uint32_t
alias_node(struct alias_table *t, const struct addr *a)
{
	struct node n = { .entry = 0 };
	char key[KEY_MAX], text[ADDR_MAX + 1];
	void *array = t->nodes;
	uint32_t *slot;

	BUG_IF(make_key(a, key) == -1);		/* alias_address() took it */
	if (grow_slots(t) == -1)
		return 0;
	n.hash = hash(key);
	slot = slot_of(t, key, n.hash);
	if (*slot != 0)
		return *slot;
	if (grow(&array, t->nnodes, &t->nodes_cap, NODES_MAX,
	    sizeof(n)) == -1)
		return 0;
	t->nodes = array;
	str_lower(addr_join(a, text, sizeof(text)));
	if ((n.text = keep(t, text)) == NULL ||
	    (n.path = keep(t, key)) == NULL)
		return 0;
	t->nodes[t->nnodes++] = n;
	return *slot = t->nnodes;
}

int
alias_add_target(struct alias_table *t, uint32_t node)
{
	void *array = t->targets;

	if (grow(&array, t->ntargets, &t->targets_cap, ALIAS_TARGETS_MAX,
	    sizeof(node)) == -1)
		return -1;
	t->targets = array;
	t->targets[t->ntargets++] = node;
	return 0;
}

int
alias_add_entry(struct alias_table *t, const struct alias *a)
{
	void *array = t->entries;

	if (grow(&array, t->nentries, &t->entries_cap, ALIAS_ENTRIES_MAX,
	    sizeof(*a)) == -1)
		return -1;
	t->entries = array;
	t->entries[t->nentries++] = *a;
	t->nodes[a->node - 1].entry = t->nentries;
	return 0;
}

/* The node of an address without its tag; 0 with errno 0 when it has none. */
static uint32_t
base_of(struct alias_table *t, uint32_t i)
{
	struct addr a;
	char *plus;

	errno = 0;
	if (addr_split(t->nodes[i].text, &a) == -1 || a.local[0] == '\0' ||
	    (plus = strchr(a.local + 1, '+')) == NULL)
		return 0;
	addr_strip_tag(&a);
	return alias_node(t, &a);
}

int
alias_link(struct alias_table *t)
{
	uint32_t i, n = t->nnodes, base;
	struct node *node;

	for (i = 0; i < n; i++) {
		if ((base = base_of(t, i)) == 0 && errno != 0)
			return -1;
		node = &t->nodes[i];
		node->base = base;
		node->via = node->entry != 0 || base == 0 ? node->entry :
		    t->nodes[base - 1].entry;
	}
	t->queue = calloc((size_t)t->nentries + 1, sizeof(*t->queue));
	return t->queue == NULL ? -1 : 0;
}

uint32_t
alias_next(const struct alias_table *t, const struct alias *a, size_t i)
{
	uint32_t via = t->nodes[t->targets[a->first + i] - 1].via;

	return via != 0 && &t->entries[via - 1] == a ? 0 : via;
}

void
alias_free(struct alias_table **tp)
{
	struct alias_table *t = *tp;
	struct chunk *c;

	*tp = NULL;
	if (t == NULL)
		return;
	while ((c = t->chunks) != NULL) {
		t->chunks = c->next;
		free(c);
	}
	free(t->nodes);
	free(t->slots);
	free(t->entries);
	free(t->targets);
	free(t->queue);
	free(t);
}

size_t
alias_errors(const struct alias_table *t)
{
	return t->errors;
}

size_t
alias_refused(const struct alias_table *t)
{
	return t->refused;
}

size_t
alias_count(const struct alias_table *t)
{
	return t->nentries;
}

const struct alias *
alias_at(const struct alias_table *t, size_t i)
{
	BUG_IF(i >= t->nentries);
	return &t->entries[i];
}

const char *
alias_target(const struct alias_table *t, const struct alias *a, size_t i)
{
	BUG_IF(i >= a->n);
	return t->nodes[t->targets[a->first + i] - 1].text;
}

const struct alias *
alias_find(const struct alias_table *t, const struct addr *a)
{
	const struct node *n;

	/* A local part that is empty would name the catch-all. */
	if (a->local[0] == '\0' || (n = find_node(t, a)) == NULL ||
	    n->entry == 0)
		return NULL;
	return &t->entries[n->entry - 1];
}

const struct alias *
alias_find_catch_all(const struct alias_table *t, const char *domain)
{
	struct addr a = { .local = "" };
	const struct node *n;

	if (str_copy(a.domain, sizeof(a.domain), domain) == -1)
		return NULL;
	n = find_node(t, &a);
	return n == NULL || n->entry == 0 ? NULL : &t->entries[n->entry - 1];
}

/* A new mark for nodes seen; 0 is that of nodes never seen. */
static void
next_stamp(struct alias_table *t)
{
	uint32_t i;

	if (++t->stamp != 0)
		return;
	for (i = 0; i < t->nnodes; i++)
		t->nodes[i].stamp = 0;
	t->stamp = 1;
}

static bool
see(struct alias_table *t, uint32_t node)
{
	if (t->nodes[node - 1].stamp == t->stamp)
		return false;
	t->nodes[node - 1].stamp = t->stamp;
	return true;
}

/*
 * Visits what an entry leads to, breadth first: each entry once and each
 * member once, by the marks of their nodes. Only the node of an entry that
 * lists itself is both; its mark is the entry's.
 */
struct walk {
	struct alias_table	*t;
	size_t			 queued;
	int			(*visit)(void *, uint32_t node);
	void			*arg;
};

static void
walk_add(struct walk *w, uint32_t entry)
{
	const struct alias *a = &w->t->entries[entry - 1];

	if (!a->refused && see(w->t, a->node))
		w->t->queue[w->queued++] = entry;
}

/* The targets of one entry. 0, or what visit returned. */
static int
walk_entry(struct walk *w, const struct alias *a)
{
	struct alias_table *t = w->t;
	uint32_t node, next;
	bool self = false;
	size_t i;
	int r = 0;

	for (i = 0; i < a->n && r == 0; i++) {
		node = t->targets[a->first + i];
		next = alias_next(t, a, i);
		if (next != 0)
			walk_add(w, next);
		else if (node == a->node) {
			if (!self)	/* the entry comes but once */
				r = w->visit(w->arg, node);
			self = true;
		} else if (see(t, node))
			r = w->visit(w->arg, node);
	}
	return r;
}

static int
walk(struct alias_table *t, const struct alias *a,
    int (*visit)(void *, uint32_t), void *arg)
{
	struct walk w = { t, 0, visit, arg };
	size_t i;
	int r = 0;

	next_stamp(t);
	walk_add(&w, (uint32_t)(a - t->entries) + 1);
	for (i = 0; i < w.queued && r == 0; i++)
		r = walk_entry(&w, &t->entries[t->queue[i] - 1]);
	return r;
}

struct expansion {
	struct alias_table	*t;
	uint64_t		 left;
	alias_member_fn		*fn;
	void			*arg;
};

static int
expand_visit(void *arg, uint32_t node)
{
	struct expansion *e = arg;
	struct node *n = &e->t->nodes[node - 1];
	const struct alias_member m = { n->text, &n->told };

	if (e->left-- == 0)
		return ALIAS_TOO_MANY;
	return e->fn(e->arg, &m);
}

int
alias_expand(struct alias_table *t, const struct alias *a,
    alias_member_fn *fn, void *arg)
{
	struct expansion e = { t, t->members_max, fn, arg };

	return walk(t, a, expand_visit, &e);
}

struct search {
	const struct alias_table	*t;
	uint32_t			 node;
};

static int
search_visit(void *arg, uint32_t node)
{
	const struct search *s = arg;

	return node == s->node || s->t->nodes[node - 1].base == s->node;
}

bool
alias_leads_to(struct alias_table *t, const struct alias *a,
    const struct addr *login)
{
	const struct node *n = find_node(t, login);
	struct search s = { t, 0 };
	uint32_t *known = &t->entries[a - t->entries].led_to;

	if (n == NULL || a->catch_all)
		return false;
	s.node = (uint32_t)(n - t->nodes) + 1;
	/* From: may name one alias thousands of times. */
	if (*known == s.node)
		return true;
	if (walk(t, a, search_visit, &s) != 1)
		return false;
	*known = s.node;
	return true;
}
