/* SPDX-License-Identifier: ISC */
/*
 * The tickets of logins that auth told the store of.
 */
#ifndef POSTERN_STORE_TICKET_H
#define POSTERN_STORE_TICKET_H

#include <stdint.h>

#include "auth/auth_proto.h"

struct tickets;

/* NULL and errno ENOMEM. */
struct tickets *tickets_new(void);
void	 tickets_free(struct tickets **);
/*
 * Add a ticket, or replace the one with its nonce; now as its expiry. 0, or
 * -1 with errno ENOMEM, or ENOSPC when there are too many live ones.
 */
int	 tickets_put(struct tickets *, const struct auth_ticket *,
	    uint64_t now);
/* Forget one, if it is there. */
void	 tickets_end(struct tickets *, const unsigned char nonce[AUTH_NONCE]);
void	 tickets_clear(struct tickets *);
/*
 * The user for whom session process instance may act by this nonce, or NULL.
 * Valid until the table is changed.
 */
const char *tickets_find(const struct tickets *,
	    const unsigned char nonce[AUTH_NONCE], uint32_t instance,
	    uint64_t now);

#endif
