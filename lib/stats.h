/* SPDX-License-Identifier: ISC */
/*
 * The numbers that a process keeps about its work, in a page of memory that
 * others read (lib/stats_page.h): adding to one is no system call. Any
 * process; before stats_map() the numbers go to memory that nobody reads.
 * The names, types and labels stand in the table of stats_table.c.
 */
#ifndef POSTERN_STATS_H
#define POSTERN_STATS_H

#include <stdint.h>

#define STATS_BOUNDS	16			/* of a histogram */
#define STATS_HIST	(STATS_BOUNDS + 2)	/* its buckets and the sum */
#define STATS_STATUS	23	/* words of smtp_messages and its like */
#define STATS_RESULTS	10	/* results of a login */
#define STATS_DAYS	2	/* slots of a count of the day */

/*
 * Where each family of numbers begins; those with labels have a slot for
 * each combination of them, the last label running fastest.
 */
enum stats_slot {
	STATS_LOG_LINES,
	STATS_ENDS = STATS_LOG_LINES + 2,
	STATS_CONNECTIONS = STATS_ENDS + 3,
	STATS_SESSIONS = STATS_CONNECTIONS + 4,
	STATS_HANDSHAKES = STATS_SESSIONS + 4,
	STATS_HANDSHAKES_FAILED = STATS_HANDSHAKES + 3,
	STATS_OCTETS,
	STATS_COMMANDS = STATS_OCTETS + 2,
	STATS_MESSAGES = STATS_COMMANDS + 15,
	STATS_RECIPIENTS = STATS_MESSAGES + STATS_STATUS,
	STATS_MESSAGE_SIZE = STATS_RECIPIENTS + STATS_STATUS,
	STATS_DELIVERY = STATS_MESSAGE_SIZE + STATS_HIST,
	STATS_TODAY = STATS_DELIVERY + STATS_HIST,
	STATS_COMMITS = STATS_TODAY + 2 * STATS_DAYS,
	STATS_FSYNC = STATS_COMMITS + STATS_STATUS,
	STATS_QUEUE = STATS_FSYNC + STATS_HIST,
	STATS_SIGNATURES,
	STATS_LOGINS = STATS_SIGNATURES + 2,
	STATS_TICKETS = STATS_LOGINS + 6 * 2 * STATS_RESULTS,
	STATS_AUTH_QUEUE,
	STATS_BLOCKED,
	STATS_CACHE,
	STATS_REQUESTS = STATS_CACHE + 2,
	STATS_REQUEST_TIME = STATS_REQUESTS + 5,
	STATS_LIST = STATS_REQUEST_TIME + STATS_HIST,
	STATS_OPEN = STATS_LIST + STATS_HIST,
	STATS_SLOTS = STATS_OPEN + STATS_HIST
};

/* Places within a family. */
enum { STATS_ERROR, STATS_WARNING };			/* LOG_LINES */
enum { STATS_ENDED_WELL, STATS_ENDED_BADLY, STATS_KILLED };	/* ENDS */
enum { STATS_ACCEPTED, STATS_BUSY, STATS_CROWDED, STATS_BARRED };
enum { STATS_CLEAR, STATS_TLS, STATS_LOGGED_IN, STATS_TRANSACTION };
enum { STATS_IN, STATS_OUT };				/* OCTETS */
enum { STATS_DELIVERED, STATS_REFUSED };		/* TODAY */
enum { STATS_WELL, STATS_FAILED };			/* SIGNATURES */
enum { STATS_HIT, STATS_MISS };				/* CACHE */

/* The process's own values; stats.c alone changes the pointer. */
extern uint64_t *stats_own;

/* Add n to a counter. Any thread. */
static inline void
stats_add(unsigned slot, uint64_t n)
{
	__atomic_fetch_add(&stats_own[slot], n, __ATOMIC_RELAXED);
}

/* Set a gauge. */
static inline void
stats_set(unsigned slot, uint64_t n)
{
	__atomic_store_n(&stats_own[slot], n, __ATOMIC_RELAXED);
}

/* One thing less in a gauge that stats_add() counts up. */
static inline void
stats_less(unsigned slot)
{
	__atomic_fetch_sub(&stats_own[slot], 1, __ATOMIC_RELAXED);
}

/* One more in the histogram of times, or of sizes, that begins at slot. */
void	 stats_time(unsigned slot, uint64_t microseconds);
void	 stats_size(unsigned slot, uint64_t octets);
/* One more today (UTC), in the count of the day at slot. One thread. */
void	 stats_today(unsigned slot);
/* The place of a login in LOGINS; what is in no list is "other". */
unsigned stats_login(const char *mechanism, const char *service,
	    const char *result);
/* The place of a version ("TLSv1.3") in HANDSHAKES; NULL is "other" too. */
unsigned stats_tls(const char *version);
/*
 * Keep the numbers from now on in the page that fd, which is taken over,
 * leads to. 0, or -1 and errno: then they stay where nobody reads them.
 */
int	 stats_map(int fd);

#endif
