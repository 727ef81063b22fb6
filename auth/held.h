/* SPDX-License-Identifier: ISC */
/*
 * The tickets that store or reader hold: who may act as whom over which
 * session's channel, and until when. Pure: the caller gives the time.
 */
#ifndef POSTERN_HELD_H
#define POSTERN_HELD_H

#include <stddef.h>
#include <stdint.h>

#include "auth/auth_proto.h"

struct held;

/*
 * A table of at most max tickets for one service. NULL and errno ENOMEM.
 */
struct held *held_new(enum auth_service, size_t max);
/* *hp becomes NULL; NULL is taken too. */
void	 held_free(struct held **hp);
/*
 * Take a datagram from auth: AUTH_TICKET or AUTH_TICKET_END. 0; or -1 with
 * errno EPROTO (malformed: the sender is broken), ENOMEM, or ENOBUFS (max;
 * the ticket is not held and its login will be refused). Those of another
 * service are not held. A nonce that is held already gets the new expiry.
 */
int	 held_input(struct held *, const void *msg, size_t len, uint64_t now);
/*
 * The user whom this nonce, coming over the channel of session process
 * instance, may act as at time now (CLOCK_BOOTTIME, milliseconds); or NULL.
 * Valid until the next call that takes a ticket in.
 */
const char *held_find(struct held *, uint32_t instance,
	    const unsigned char nonce[AUTH_NONCE], uint64_t now);
/* Forget all: the auth service has gone, it sends the live ones again. */
void	 held_clear(struct held *);
size_t	 held_count(const struct held *);

#endif
