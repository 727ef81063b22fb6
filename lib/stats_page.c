/* SPDX-License-Identifier: ISC */
/*
 * Reading of stats files, see stats_page.h. Masters and posternctl; pure.
 * The octets come from processes that may be in other hands: no value is
 * used but as a number, and none that is past all reason.
 */
#include "lib/stats_page.h"

#include <string.h>

static const char magic[8] = { 'P', 'O', 'S', 'T', 'E', 'R', 'N', '\n' };

unsigned
stats_width(enum stats_type type)
{
	switch (type) {
	case STATS_TIMES:
	case STATS_SIZES:
		return STATS_HIST;
	case STATS_DAY:
		return STATS_DAYS;
	case STATS_COUNTER:
	case STATS_GAUGE:
	case STATS_NONE:
	default:
		return 1;
	}
}

static unsigned
values_of(const struct stats_label *l)
{
	unsigned n = 0;

	while (l->values[n] != NULL)
		n++;
	return n;
}

unsigned
stats_cells(const struct stats_family *f)
{
	unsigned n = 1;

	for (size_t i = 0; i < STATS_LABELS; i++)
		if (f->labels[i].name != NULL)
			n *= values_of(&f->labels[i]);
	return n;
}

/* FNV-1a. */
static uint32_t
mix(uint32_t h, const char *s)
{
	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 16777619U;
	return (h ^ '\n') * 16777619U;
}

uint32_t
stats_table_print(void)
{
	const struct stats_family *f;
	uint32_t h = 2166136261U;

	for (f = stats_families; f->name != NULL; f++) {
		h = mix(h, f->name) ^ (uint32_t)f->type ^ f->slot << 8;
		for (size_t i = 0; i < STATS_LABELS; i++)
			for (size_t k = 0; f->labels[i].name != NULL &&
			    f->labels[i].values[k] != NULL; k++)
				h = mix(h, f->labels[i].values[k]);
	}
	return h;
}

void
stats_head_make(struct stats_head *h, enum role role, uint32_t instance,
    int32_t pid, uint64_t started)
{
	*h = (struct stats_head){
		.table = stats_table_print(), .slots = STATS_SLOTS,
		.role = role, .instance = instance, .pid = pid,
		.started = started,
	};
	memcpy(h->magic, magic, sizeof(magic));
}

/* Those of a family that cannot be are taken for 0. */
static unsigned
clean(const struct stats_family *f, uint64_t *value, uint64_t today)
{
	unsigned n = stats_cells(f) * stats_width(f->type), bad = 0;
	uint64_t max;

	for (unsigned i = 0; i < n; i++) {
		max = f->type == STATS_DAY && i % STATS_DAYS == 0 ? today :
		    STATS_MAX;
		if (value[i] <= max)
			continue;
		value[i] = 0;
		bad++;
	}
	return bad;
}

int
stats_decode(const void *head, size_t head_len, const void *values,
    size_t values_len, uint64_t now, struct stats_page *p)
{
	const struct stats_family *f;

	memset(p, 0, sizeof(*p));
	if (head_len < sizeof(p->head) || values_len < sizeof(p->value))
		return -1;
	memcpy(&p->head, head, sizeof(p->head));
	memcpy(p->value, values, sizeof(p->value));
	if (memcmp(p->head.magic, magic, sizeof(magic)) != 0 ||
	    p->head.table != stats_table_print() ||
	    p->head.slots != STATS_SLOTS || p->head.role >= ROLE_COUNT ||
	    p->head.pid <= 0)
		return -1;
	for (f = stats_families; f->name != NULL; f++)
		p->bad += clean(f, &p->value[f->slot],
		    now / STATS_DAY_SECONDS);
	return 0;
}

static void
add(uint64_t *sum, uint64_t n)
{
	*sum = n > STATS_MAX - *sum ? STATS_MAX : *sum + n;
}

/* Of the later day alone. */
static void
add_day(uint64_t *sum, const uint64_t *day)
{
	if (day[0] < sum[0])
		return;
	if (day[0] > sum[0])
		sum[1] = 0;
	sum[0] = day[0];
	add(&sum[1], day[1]);
}

void
stats_sum(uint64_t sum[STATS_SLOTS], const struct stats_page *p, bool lives)
{
	const struct stats_family *f;
	unsigned n, i;

	for (f = stats_families; f->name != NULL; f++) {
		if (f->type == STATS_GAUGE && !lives)
			continue;
		n = f->slot + stats_cells(f) * stats_width(f->type);
		for (i = f->slot; i < n; i += f->type == STATS_DAY ? 2 : 1)
			if (f->type == STATS_DAY)
				add_day(&sum[i], &p->value[i]);
			else
				add(&sum[i], p->value[i]);
	}
}
