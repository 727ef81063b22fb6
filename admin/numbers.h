/* SPDX-License-Identifier: ISC */
/*
 * The numbers of the services as a whole, from the files that the processes
 * keep below run_dir (lib/stats_page.h). The head of a file is its master's;
 * the values may have been written by a process in other hands.
 */
#ifndef POSTERN_NUMBERS_H
#define POSTERN_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/stats_page.h"

#define NUMBERS_SERVICES	3
#define NUMBERS_PROCESSES	512	/* of a service, that are told apart */

struct buf;

enum numbers_state {
	NUMBERS_NONE,		/* no file of its master: it does not run */
	NUMBERS_STALE,		/* its master has ended and left it */
	NUMBERS_UP,
	NUMBERS_UNREADABLE	/* no permission, or of another version */
};

struct numbers_process {
	struct stats_head head;
	uint64_t	 sessions;	/* that are open */
};

struct numbers_service {
	const char	*name;		/* "smtpd" */
	const char	*program;	/* "postern-smtpd" */
	uint32_t	 roles;		/* 1 << role, ...; bit 0: the master */
	enum numbers_state state;
	/* With NUMBERS_UP alone: */
	struct stats_head master;
	uint64_t	 value[STATS_SLOTS];	/* of all, since its start */
	struct numbers_process process[NUMBERS_PROCESSES];
	size_t		 n;
	unsigned	 unread;	/* files that could not be used */
	unsigned	 bad;		/* values that cannot be, taken for 0 */
};

struct numbers {
	struct numbers_service service[NUMBERS_SERVICES];
	uint64_t	 now;		/* seconds since 1970 */
};

/*
 * Read what there is below run_dir; what there is not says the state of each
 * service. NULL when memory is short; the caller frees it with free(3).
 */
struct numbers *numbers_read(const char *run_dir);
/* All of it as OpenMetrics text. 0, or -1 as buf_add(). */
int	 numbers_openmetrics(const struct numbers *, struct buf *out);

#endif
