/* SPDX-License-Identifier: ISC */
/*
 * Failed logins, counted by address (its prefix, see lib/ip.h) and by
 * account name, in tables of fixed size. Pure: the caller gives the time.
 *
 * An address past its limit is refused before any password is looked at,
 * until the block has passed. An account is never locked: past its limit a
 * wrong password from an address that never logged in to it counts double
 * and is answered four times slower, and the right one gets in at once.
 * Names that do not exist are counted like those that do.
 */
#ifndef POSTERN_THROTTLE_H
#define POSTERN_THROTTLE_H

#include <stddef.h>
#include <stdint.h>

#define THROTTLE_KEY		32
#define THROTTLE_DELAY_MAX	30000	/* milliseconds */

struct throttle;

struct throttle_conf {
	uint64_t	limit_address;	/* failures until a block, 0: none */
	uint64_t	limit_account;	/* 0: none */
	uint64_t	window;		/* ms; also how long a block lasts */
	uint64_t	delay;		/* ms before a failure is answered */
	size_t		slots;		/* entries a table, about */
	unsigned char	key[THROTTLE_KEY];	/* random, of this process */
};

/* NULL and errno ENOMEM. */
struct throttle *throttle_new(const struct throttle_conf *);
void	 throttle_free(struct throttle **);
/*
 * How long, in ms, this address (IPv4 as ::ffff:a.b.c.d) is still refused;
 * 0: it may try. Times are of one clock that never goes back.
 */
uint64_t throttle_wait(struct throttle *, const unsigned char address[16],
	    uint64_t now);
/*
 * An attempt failed. user: canonical name, or "" when it never named one.
 * print: a keyed fingerprint of all the client said; the same one from the
 * same address counts once in a window. Returns the ms to wait with the
 * answer.
 */
uint64_t throttle_failure(struct throttle *, const unsigned char address[16],
	    const char *user, uint64_t print, uint64_t now);
/*
 * The addresses that are refused now, one a call: its octets behind the
 * prefix are 0. *at is 0 before the first call. How long, in ms, or 0: there
 * is no more.
 */
uint64_t throttle_blocked(struct throttle *, uint64_t now, size_t *at,
	    unsigned char address[16]);
/*
 * An attempt succeeded: what this address failed for this account is
 * forgotten, and the address is known to it from now on.
 */
void	 throttle_success(struct throttle *, const unsigned char address[16],
	    const char *user, uint64_t now);

#endif
