/* SPDX-License-Identifier: ISC */
/*
 * Where an address leads: the mailboxes of a recipient.
 */
#ifndef POSTERN_STORE_RCPT_H
#define POSTERN_STORE_RCPT_H

#include <stddef.h>

#include "mail/addr.h"
#include "smtpd/store_proto.h"

struct store;

struct rcpt_found {
	char		**paths;	/* n; one may be there twice */
	size_t		  n, cap;
	struct addr	  first;	/* whose mailbox paths[0] is */
};

/*
 * Find the mailboxes of an address of a local domain: its alias, its mailbox,
 * the same of the address without its tag, the postmaster's, those of the
 * domain's catch-all, whatever comes first. *f is made here; rcpt_free() is
 * due whatever is returned. STORE_OK: there is one at least; STORE_NO_USER;
 * STORE_TOO_MANY: an alias leads to more than alias_members; STORE_NO_SPACE,
 * STORE_FAILED (both logged).
 */
enum store_status rcpt_find(struct store *, const struct addr *,
	    struct rcpt_found *f);
void	 rcpt_free(struct rcpt_found *);

#endif
