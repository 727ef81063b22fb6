/* SPDX-License-Identifier: ISC */
/*
 * Addresses that are refused for a while, each by its prefix (see ip.h), in
 * a table of fixed size. Pure: the caller gives the time, of one clock in
 * milliseconds that never goes back.
 */
#ifndef POSTERN_BLOCKED_H
#define POSTERN_BLOCKED_H

#include <stddef.h>
#include <stdint.h>

#include "lib/ip.h"
#include "lib/siphash.h"

#define BLOCKED_TELL	1000	/* ms between two reports of an address */

struct blocked;

/*
 * About slots addresses; key: random, so that nobody can choose which ones
 * fall together. NULL and errno ENOMEM.
 */
struct blocked *blocked_new(size_t slots,
	    const unsigned char key[SIPHASH_KEY]);
/* *bp becomes NULL; NULL is taken too. */
void	 blocked_free(struct blocked **bp);
/*
 * Refuse this address until then. Where there is no room the one whose time
 * ends first is forgotten.
 */
void	 blocked_set(struct blocked *, const unsigned char ip[IP_SIZE],
	    uint64_t until);
/* How long, in ms, the address is still refused; 0: it is not. */
uint64_t blocked_wait(const struct blocked *,
	    const unsigned char ip[IP_SIZE], uint64_t now);
/*
 * One that blocked_wait() told of was refused. How many were since the last
 * time this was not 0: at most one report in BLOCKED_TELL.
 */
uint32_t blocked_count(struct blocked *, const unsigned char ip[IP_SIZE],
	    uint64_t now);
/* Forget all. */
void	 blocked_clear(struct blocked *);

#endif
