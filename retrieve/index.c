/* SPDX-License-Identifier: ISC */
/*
 * Mailbox indexes, run by retrieve-reader on names and numbers from the
 * file system.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mail/maildir.h"
#include "retrieve/index.h"
#include "retrieve/msgid.h"

#define KEPT_MAX	8	/* scans in a row */

static const struct { unsigned maildir; uint8_t flag; } flags[] = {
	{ MAILDIR_SEEN, READER_SEEN }, { MAILDIR_REPLIED, READER_ANSWERED },
	{ MAILDIR_FLAGGED, READER_FLAGGED }, { MAILDIR_DRAFT, READER_DRAFT },
	{ MAILDIR_TRASHED, READER_TRASHED },
	{ MAILDIR_PASSED, READER_PASSED },
};

struct index *
index_new(void)
{
	struct index	*x = calloc(1, sizeof(*x));

	if (x != NULL)
		x->refs = 1;
	return x;
}

void
index_hold(struct index *x)
{
	x->refs++;
}

void
index_shrink(struct index *x)
{
	size_t	i;

	for (i = 0; i < x->n; i++) {
		free(x->entries[i].fields);
		x->entries[i].fields = NULL;
	}
}

void
index_release(struct index **xp)
{
	struct index	*x = *xp;

	*xp = NULL;
	if (x == NULL || --x->refs > 0)
		return;
	index_shrink(x);
	free(x->entries);
	free(x->by_id);
	free(x->names);
	free(x);
}

const char *
index_name(const struct index *x, const struct index_entry *e)
{
	return x->names + e->name;
}

char *
index_id(const struct index *x, const struct index_entry *e,
    char dst[READER_ID_MAX])
{
	memcpy(dst, index_name(x, e), e->id_len);
	dst[e->id_len] = '\0';
	return dst;
}

/* Room for one more entry with a name of len octets. */
static int
grow(struct index *x, size_t len)
{
	void	*p;
	size_t	 cap;

	if (x->n == x->cap) {
		cap = x->cap == 0 ? 64 : x->cap * 2;
		p = realloc(x->entries, cap * sizeof(*x->entries));
		if (p == NULL)
			return -1;
		x->entries = p;
		x->cap = cap;
	}
	if (x->names_cap - x->names_len < len + 1) {
		cap = x->names_cap == 0 ? 4096 : x->names_cap * 2;
		if ((p = realloc(x->names, cap)) == NULL)
			return -1;
		x->names = p;
		x->names_cap = cap;
	}
	return 0;
}

/*
 * The size with CRLF as the name has it, if it may be right: S must be the
 * file's, and no LF gains more than one octet. Anyone can write a name, so
 * no reply is promised by it before the octets were counted; S equal to W
 * says that the file is served as it is, whose size is known.
 */
static uint64_t
named_size(const struct maildir_name *m, uint64_t stored)
{
	if (!m->has_size || !m->has_wire || m->size != stored ||
	    m->wire < stored || m->wire - stored > stored)
		return INDEX_UNKNOWN;
	return m->wire;
}

int
index_add(struct index *x, const char *name, bool fresh,
    const struct index_entry *from)
{
	struct maildir_name	 m;
	struct index_entry	*e;
	size_t			 len = strlen(name), i;

	if (len >= MAILDIR_NAME_MAX || !maildir_name_parse(name, &m) ||
	    !msgid_valid(name, m.id_len))
		return 0;
	if (x->n == INDEX_MAX) {
		errno = EFBIG;
		return -1;
	}
	if (grow(x, len) == -1)
		return -1;
	e = &x->entries[x->n++];
	*e = *from;
	e->fields = NULL;
	e->size = named_size(&m, e->stored);
	e->sure = e->size == e->stored;
	e->name = (uint32_t)x->names_len;
	e->id_len = (uint16_t)m.id_len;
	e->fresh = fresh;
	e->arrival = e->mtime;
	e->kept = 0;
	e->flags = 0;
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if ((m.flags & flags[i].maildir) != 0)
			e->flags |= flags[i].flag;
	if (fresh)
		e->flags &= (uint8_t)~READER_SEEN;
	memcpy(x->names + x->names_len, name, len + 1);
	x->names_len += len + 1;
	return 0;
}

int
index_keep(struct index *x, const struct index *old)
{
	const struct index_entry	*o;
	size_t				 i, n;

	for (i = 0; i < old->n; i++) {
		o = &old->entries[i];
		n = x->n;
		if (o->kept == KEPT_MAX)
			continue;
		if (index_add(x, index_name(old, o), o->fresh, o) == -1)
			return -1;
		if (x->n > n)
			x->entries[n].kept = (uint8_t)(o->kept + 1);
	}
	return 0;
}

static int
compare_ids(const char *a, size_t alen, const char *b, size_t blen)
{
	int	r = memcmp(a, b, alen < blen ? alen : blen);

	if (r != 0)
		return r;
	return (alen > blen) - (alen < blen);
}

static int
compare_entry_ids(const struct index *x, const struct index_entry *a,
    const struct index_entry *b)
{
	return compare_ids(index_name(x, a), a->id_len, index_name(x, b),
	    b->id_len);
}

/* The entry at the position that a points to. */
static const struct index_entry *
entry_at(const struct index *x, const void *a)
{
	uint32_t	i;

	memcpy(&i, a, sizeof(i));
	return &x->entries[i];
}

/* By id, and of the same id one just seen first, then that in cur/. */
static int
by_id(const void *a, const void *b, void *arg)
{
	const struct index_entry	*p = entry_at(arg, a);
	const struct index_entry	*q = entry_at(arg, b);
	int				 r = compare_entry_ids(arg, p, q);

	if (r == 0)
		r = (int)p->kept - (int)q->kept;
	return r != 0 ? r : (int)p->fresh - (int)q->fresh;
}

static int
by_arrival(const void *a, const void *b, void *arg)
{
	const struct index_entry	*p = entry_at(arg, a);
	const struct index_entry	*q = entry_at(arg, b);

	if (p->arrival != q->arrival)
		return p->arrival < q->arrival ? -1 : 1;
	return compare_entry_ids(arg, p, q);
}

/* Leave one position of each id. How many are left. */
static size_t
drop_doubles(const struct index *x, uint32_t *a, size_t n)
{
	size_t	i, kept = 0;

	for (i = 0; i < n; i++)
		if (kept == 0 || compare_entry_ids(x,
		    &x->entries[a[kept - 1]], &x->entries[a[i]]) != 0)
			a[kept++] = a[i];
	return kept;
}

/*
 * Number what old has not behind all it had, in the order of a; the others
 * keep their place. A message's mtime is older than its link in the folder,
 * and who asks for what is newer must not miss it for that.
 */
static void
number(struct index *x, const struct index *old, const uint32_t *a, size_t n)
{
	const struct index_entry	*o;
	struct index_entry		*e;
	char				 id[READER_ID_MAX];
	int64_t				 last = old->last;
	size_t				 i;

	for (i = 0; i < n; i++) {
		e = &x->entries[a[i]];
		if ((o = index_find(old, index_id(x, e, id))) != NULL) {
			e->arrival = o->arrival;
			continue;
		}
		if (e->arrival <= last && last < INT64_MAX)
			e->arrival = last + 1;
		last = e->arrival;
	}
}

/*
 * Put the entries in order. names: room for three times as many positions
 * as there are entries; the first third becomes x->by_id.
 */
static int
arrange(struct index *x, const struct index *old, uint32_t *names)
{
	uint32_t		*order = names + x->n, *temp = order + x->n;
	struct index_entry	*sorted;
	size_t			 n = x->n, i;

	for (i = 0; i < n; i++)
		names[i] = (uint32_t)i;
	qsort_r(names, n, sizeof(*names), by_id, x);
	n = drop_doubles(x, names, n);
	memcpy(order, names, n * sizeof(*order));
	qsort_r(order, n, sizeof(*order), by_arrival, x);
	if (old != NULL) {
		number(x, old, order, n);
		qsort_r(order, n, sizeof(*order), by_arrival, x);
	}
	if ((sorted = malloc(n * sizeof(*sorted))) == NULL)
		return -1;
	for (i = 0; i < n; i++) {
		sorted[i] = x->entries[order[i]];
		temp[order[i]] = (uint32_t)i;	/* where it is now */
	}
	for (i = 0; i < n; i++)
		names[i] = temp[names[i]];
	free(x->entries);
	x->entries = sorted;
	x->n = x->cap = n;
	return 0;
}

static void
name_state(struct index *x, const unsigned char *key)
{
	struct siphash		 h;
	struct index_entry	*e;
	size_t			 i;

	siphash_init(&h, key);
	siphash_add_string(&h, "mailbox");
	x->unseen = 0;
	for (i = 0; i < x->n; i++) {
		e = &x->entries[i];
		siphash_add(&h, index_name(x, e), e->id_len);
		siphash_add(&h, &e->mtime, sizeof(e->mtime));
		siphash_add(&h, &e->arrival, sizeof(e->arrival));
		siphash_add(&h, &e->stored, sizeof(e->stored));
		siphash_add(&h, &e->flags, sizeof(e->flags));
		if ((e->flags & READER_SEEN) == 0)
			x->unseen++;
	}
	siphash_end(&h, x->tag);
}

int
index_finish(struct index *x, const struct index *old,
    const unsigned char key[SIPHASH_KEY])
{
	uint32_t	*p;

	if (x->n > 0) {
		if ((p = malloc(3 * x->n * sizeof(*p))) == NULL)
			return -1;
		if (arrange(x, old, p) == -1) {
			free(p);
			return -1;
		}
		x->by_id = realloc(p, x->n * sizeof(*p));
		if (x->by_id == NULL)
			x->by_id = p;
	}
	x->last = old != NULL ? old->last : INT64_MIN;
	if (x->n > 0 && x->entries[x->n - 1].arrival > x->last)
		x->last = x->entries[x->n - 1].arrival;
	name_state(x, key);
	return 0;
}

struct index_entry *
index_find(const struct index *x, const char *id)
{
	size_t			 lo = 0, hi = x->n, mid, len = strlen(id);
	struct index_entry	*e;
	int			 r;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		e = &x->entries[x->by_id[mid]];
		r = compare_ids(id, len, index_name(x, e), e->id_len);
		if (r == 0)
			return e;
		if (r < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

void
index_inherit(struct index *x, struct index *old)
{
	struct index_entry	*e, *o;
	char			 id[READER_ID_MAX];
	size_t			 i;

	for (i = 0; i < x->n && old->n > 0; i++) {
		e = &x->entries[i];
		o = index_find(old, index_id(x, e, id));
		if (o == NULL || o->ino != e->ino || o->mtime != e->mtime ||
		    o->stored != e->stored)
			continue;
		if (e->size == INDEX_UNKNOWN || o->sure) {
			e->size = o->size;
			e->sure = o->sure;
		}
		e->fields = o->fields;
		o->fields = NULL;
	}
}

size_t
index_bytes(const struct index *x)
{
	size_t	sum, i;

	sum = sizeof(*x) + x->cap * sizeof(*x->entries) + x->names_cap +
	    x->n * sizeof(*x->by_id);
	for (i = 0; i < x->n; i++)
		if (x->entries[i].fields != NULL)
			sum += x->entries[i].fields->size;
	return sum;
}

/* How many entries come before c; with past, c's own counts too. */
static size_t
count_before(const struct index *x, const struct cursor *c, bool past)
{
	size_t				 lo = 0, hi = x->n, mid;
	size_t				 len = strlen(c->id);
	const struct index_entry	*e;
	int				 r;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		e = &x->entries[mid];
		r = e->arrival != c->arrival ?
		    (e->arrival < c->arrival ? -1 : 1) :
		    compare_ids(index_name(x, e), e->id_len, c->id, len);
		if (r < 0 || (past && r == 0))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct page
index_page(const struct index *x, const struct cursor *after,
    const struct cursor *before, size_t limit, bool ascending)
{
	size_t		lo = 0, hi = x->n;
	bool		from_old = ascending;
	struct page	p;

	if (after != NULL)
		lo = count_before(x, after, true);
	if (before != NULL)
		hi = count_before(x, before, false);
	if (hi < lo)
		hi = lo;
	/* The way back: the page that touches the bound. */
	if (after != NULL && after->adjacent)
		from_old = true;
	else if (before != NULL && before->adjacent)
		from_old = false;
	p.lo = lo;
	p.hi = hi;
	if (hi - lo > limit) {
		if (from_old)
			p.hi = lo + limit;
		else
			p.lo = hi - limit;
	}
	if (after != NULL && after->adjacent)
		lo = 0;
	if (before != NULL && before->adjacent)
		hi = x->n;
	p.next = p.hi > p.lo && (ascending ? p.hi < hi : p.lo > lo);
	p.prev = p.hi > p.lo && (ascending ? p.lo > 0 : p.hi < x->n);
	return p;
}
