/* SPDX-License-Identifier: ISC */
/*
 * The file in which a process keeps its numbers, for those who read it: the
 * masters and posternctl. A head that the master has written, and values
 * that the process writes while it runs, and which are not to be trusted.
 * Pure; the files themselves are for lib/master_stats.c and admin/numbers.c.
 */
#ifndef POSTERN_STATS_PAGE_H
#define POSTERN_STATS_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/role.h"
#include "lib/stats.h"

/* Below run_dir; "<service>.<role>.<instance>", the master's ".master". */
#define STATS_FOLDER	"stats"
#define STATS_MASTER	"master"

/* Where the values begin: a multiple of every size a page of memory has. */
#define STATS_VALUES_AT		65536
#define STATS_VALUES_SIZE	(STATS_SLOTS * sizeof(uint64_t))
#define STATS_FILE_SIZE		(STATS_VALUES_AT + STATS_VALUES_SIZE)

/*
 * More than a process can have counted. It is what a double holds exactly,
 * which is what those who read the numbers make of them.
 */
#define STATS_MAX		(1ULL << 53)

struct stats_head {
	char		magic[8];
	uint32_t	table;		/* stats_table_print() */
	uint32_t	slots;
	uint32_t	role;		/* enum role; NONE: the master */
	uint32_t	instance;
	int32_t		pid;
	uint32_t	reserved;
	uint64_t	started;	/* seconds since 1970 */
	/*
	 * The master's alone: counted up before and after it takes over the
	 * numbers of a process that has ended, so that who reads meanwhile
	 * knows.
	 */
	uint64_t	turns;
};

/* What was read of a file. */
struct stats_page {
	struct stats_head head;
	uint64_t	 value[STATS_SLOTS];
	unsigned	 bad;		/* values that cannot be: they are 0 */
};

enum stats_type {
	STATS_NONE,
	STATS_COUNTER,
	STATS_GAUGE,
	STATS_TIMES,		/* histogram, microseconds */
	STATS_SIZES,		/* histogram, octets */
	STATS_DAY,		/* number of the day, count: not for metrics */
};

struct stats_label {
	const char	*name;		/* NULL: there is none */
	const char	*const *values;	/* NULL-ended */
};

#define STATS_LABELS	3

struct stats_family {
	const char	*name;		/* "smtp_messages"; NULL ends */
	const char	*help;
	enum stats_type	 type;
	unsigned	 slot;		/* its first */
	uint32_t	 roles;		/* who counts: 1 << role, ... */
	struct stats_label labels[STATS_LABELS];
};

extern const struct stats_family stats_families[];
extern const uint64_t stats_time_bounds[STATS_BOUNDS];	/* microseconds */
extern const uint64_t stats_size_bounds[STATS_BOUNDS];	/* octets */
/* Values of labels, NULL-ended. */
extern const char *const stats_mechanisms[], *const stats_services[],
    *const stats_logins[], *const stats_versions[], *const stats_statuses[],
    *const stats_verbs[];

#define STATS_DAY_SECONDS	86400

/* Slots of one combination of labels of a type. */
unsigned stats_width(enum stats_type);
/* Combinations of the values of a family's labels, 1 or more. */
unsigned stats_cells(const struct stats_family *);
/* A number that is another one whenever the table is. */
uint32_t stats_table_print(void);

/* A head for this process's or another's file, with the table's print. */
void	 stats_head_make(struct stats_head *, enum role, uint32_t instance,
	    int32_t pid, uint64_t started);
/*
 * Check the octets of a head and of values, as read from a file. 0; or -1:
 * it is none of ours, of another version, or cut short. Values that cannot
 * be at the time now (seconds since 1970) become 0 and are counted.
 */
int	 stats_decode(const void *head, size_t head_len, const void *values,
	    size_t values_len, uint64_t now, struct stats_page *);
/*
 * Add the page's counters to sum, which never passes STATS_MAX. Gauges too
 * while its process lives: they end with it.
 */
void	 stats_sum(uint64_t sum[STATS_SLOTS], const struct stats_page *,
	    bool lives);

#endif
