/* SPDX-License-Identifier: ISC */
/*
 * The numbers as text of OpenMetrics 1.0. Part of posternctl; pure. All
 * text in it is our own; what processes wrote is numbers by now.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "admin/numbers.h"
#include "lib/buf.h"

#define PREFIX	"postern_"

static bool
ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static int
add_head(struct buf *out, const char *name, const char *type,
    const char *help)
{
	static const char *const units[] = { "seconds", "bytes" };
	char end[16];

	if (buf_addf(out, "# TYPE " PREFIX "%s %s\n", name, type) == -1)
		return -1;
	for (size_t i = 0; i < 2; i++) {
		snprintf(end, sizeof(end), "_%s", units[i]);
		if (ends_with(name, end) &&
		    buf_addf(out, "# UNIT " PREFIX "%s %s\n", name,
		    units[i]) == -1)
			return -1;
	}
	return buf_addf(out, "# HELP " PREFIX "%s %s\n", name, help);
}

/* ",reason=\"busy\"": the labels of the cell number i of a family. */
static void
cell_labels(const struct stats_family *f, unsigned i, char *text, size_t size)
{
	unsigned n = stats_cells(f), at, k;
	size_t len = 0;

	text[0] = '\0';
	for (k = 0; k < STATS_LABELS && f->labels[k].name != NULL; k++) {
		for (at = 0; f->labels[k].values[at] != NULL; at++)
			;
		n /= at;
		at = i / n;
		i %= n;
		len += (size_t)snprintf(text + len, size - len, ",%s=\"%s\"",
		    f->labels[k].name, f->labels[k].values[at]);
	}
}

/* A bound as OpenMetrics wants it: "0.0025", "1.0". */
static const char *
bound(enum stats_type type, unsigned i, char *text, size_t size)
{
	uint64_t us = stats_time_bounds[i];
	size_t n;

	if (type == STATS_SIZES) {
		snprintf(text, size, "%" PRIu64 ".0", stats_size_bounds[i]);
		return text;
	}
	n = (size_t)snprintf(text, size, "%" PRIu64 ".%06" PRIu64,
	    us / 1000000, us % 1000000);
	while (text[n - 1] == '0' && text[n - 2] != '.')
		text[--n] = '\0';
	return text;
}

/* The count is the sum of the buckets: the two never contradict. */
static int
add_histogram(struct buf *out, const struct stats_family *f,
    const char *service, const char *labels, const uint64_t *v)
{
	uint64_t count = 0, sum = v[STATS_HIST - 1];
	char le[32];

	for (unsigned i = 0; i <= STATS_BOUNDS; i++) {
		count += v[i];
		if (buf_addf(out, PREFIX "%s_bucket{service=\"%s\"%s,"
		    "le=\"%s\"} %" PRIu64 "\n", f->name, service, labels,
		    i == STATS_BOUNDS ? "+Inf" : bound(f->type, i, le,
		    sizeof(le)), count) == -1)
			return -1;
	}
	if (buf_addf(out, PREFIX "%s_count{service=\"%s\"%s} %" PRIu64 "\n"
	    PREFIX "%s_sum{service=\"%s\"%s} ", f->name, service, labels,
	    count, f->name, service, labels) == -1)
		return -1;
	return f->type == STATS_SIZES ? buf_addf(out, "%" PRIu64 "\n", sum) :
	    buf_addf(out, "%" PRIu64 ".%06" PRIu64 "\n", sum / 1000000,
	    sum % 1000000);
}

static int
add_service(struct buf *out, const struct stats_family *f,
    const struct numbers_service *s)
{
	unsigned width = stats_width(f->type), i, n = stats_cells(f);
	const uint64_t *v = &s->value[f->slot];
	char labels[256];
	int r = 0;

	for (i = 0; i < n && r == 0; i++, v += width) {
		cell_labels(f, i, labels, sizeof(labels));
		if (width > 1)
			r = add_histogram(out, f, s->name, labels, v);
		else
			r = buf_addf(out, PREFIX "%s%s{service=\"%s\"%s} %"
			    PRIu64 "\n", f->name, f->type == STATS_COUNTER ?
			    "_total" : "", s->name, labels, *v);
	}
	return r;
}

static int
add_family(struct buf *out, const struct stats_family *f,
    const struct numbers *n)
{
	static const char *const types[] = {
		[STATS_COUNTER] = "counter", [STATS_GAUGE] = "gauge",
		[STATS_TIMES] = "histogram", [STATS_SIZES] = "histogram",
	};
	int r = add_head(out, f->name, types[f->type], f->help);

	for (size_t i = 0; i < NUMBERS_SERVICES && r == 0; i++)
		if (n->service[i].state == NUMBERS_UP &&
		    (n->service[i].roles & f->roles) != 0)
			r = add_service(out, f, &n->service[i]);
	return r;
}

/* One line of one service: what the heads of the files say. */
static int
add_processes(struct buf *out, const struct numbers_service *s)
{
	unsigned count[ROLE_COUNT] = { 1 };

	for (size_t i = 0; i < s->n; i++)
		count[s->process[i].head.role]++;
	for (unsigned i = 0; i < ROLE_COUNT; i++)
		if ((s->roles & 1U << i) != 0 && buf_addf(out, PREFIX
		    "processes{service=\"%s\",role=\"%s\"} %u\n", s->name,
		    i == ROLE_NONE ? STATS_MASTER :
		    role_name((enum role)i), count[i]) == -1)
			return -1;
	return 0;
}

static int
add_services(struct buf *out, const struct numbers *n)
{
	const struct numbers_service *s;
	int r;

	r = add_head(out, "build", "info", "The version of this program.");
	if (r == -1 || buf_addf(out, PREFIX "build_info{version=\"%s\"} 1\n",
	    PACKAGE_VERSION) == -1)
		return -1;
	r = add_head(out, "up", "gauge", "Does the service run?");
	for (s = n->service; r == 0 && s < n->service + NUMBERS_SERVICES; s++)
		r = buf_addf(out, PREFIX "up{service=\"%s\"} %d\n", s->name,
		    s->state == NUMBERS_UP);
	if (r == 0)
		r = add_head(out, "start_time_seconds", "gauge",
		    "When the service was started.");
	for (s = n->service; r == 0 && s < n->service + NUMBERS_SERVICES; s++)
		if (s->state == NUMBERS_UP)
			r = buf_addf(out, PREFIX "start_time_seconds{service="
			    "\"%s\"} %" PRIu64 "\n", s->name,
			    s->master.started);
	if (r == 0)
		r = add_head(out, "processes", "gauge",
		    "Processes that run.");
	for (s = n->service; r == 0 && s < n->service + NUMBERS_SERVICES; s++)
		if (s->state == NUMBERS_UP)
			r = add_processes(out, s);
	if (r == 0)
		r = add_head(out, "stats_faults", "gauge",
		    "Stats files that could not be used, and values in them "
		    "that cannot be.");
	for (s = n->service; r == 0 && s < n->service + NUMBERS_SERVICES; s++)
		r = buf_addf(out, PREFIX "stats_faults{service=\"%s\"} %u\n",
		    s->name, s->state == NUMBERS_UNREADABLE ? 1 :
		    s->unread + s->bad);
	return r;
}

int
numbers_openmetrics(const struct numbers *n, struct buf *out)
{
	const struct stats_family *f;

	if (add_services(out, n) == -1)
		return -1;
	for (f = stats_families; f->name != NULL; f++)
		if (f->type != STATS_DAY && add_family(out, f, n) == -1)
			return -1;
	return buf_add(out, "# EOF\n", 6);
}
