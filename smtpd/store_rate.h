/* SPDX-License-Identifier: ISC */
/*
 * How many messages and recipients a login may send: a leaky bucket each, by
 * login, in a table that never grows. It holds `limit' at once and loses
 * them evenly over the time. Pure; the store's own, gone when it ends.
 */
#ifndef POSTERN_STORE_RATE_H
#define POSTERN_STORE_RATE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/siphash.h"

struct addr;
struct rate;

#define RATE_TELL	10000	/* ms between two lines of the log */

enum rate_kind { RATE_MESSAGES, RATE_RECIPIENTS, RATE_KINDS };

/*
 * slots: logins that are known at once; past that one that was not seen for
 * long is forgotten. key: so that nobody can choose which fall together.
 * time: of the limits, in milliseconds, 1 s or more. NULL and errno ENOMEM.
 */
struct rate *rate_new(size_t slots, const unsigned char key[SIPHASH_KEY],
	    uint64_t time);
/* *rp becomes NULL; NULL is taken too. */
void	 rate_free(struct rate **rp);
/*
 * May the login have one more at now (milliseconds of a clock that never goes
 * back)? 0: yes; else the seconds, rounded up, until it may. A limit of 0 is
 * none. Case does not count in the login.
 */
uint32_t rate_wait(const struct rate *, const struct addr *login,
	    enum rate_kind, uint64_t limit, uint64_t now);
/*
 * It was refused one. How many times since this was not 0, for the log: not 0
 * at most once in RATE_TELL for a login and kind.
 */
uint32_t rate_refused(struct rate *, const struct addr *login,
	    enum rate_kind, uint64_t now);
/* It has one more. */
void	 rate_count(struct rate *, const struct addr *login, enum rate_kind,
	    uint64_t limit, uint64_t now);

#endif
