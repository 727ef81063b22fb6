/* SPDX-License-Identifier: ISC */
/*
 * The address lists of header fields: RFC 5322 section 3.4 with its obsolete
 * forms, groups (in From: too, RFC 6854), comments. Encoded words are left
 * as they are; octets over 127 are taken as letters (RFC 6532). Pure; the
 * input is hostile; linear time, no recursion.
 */
#ifndef POSTERN_MAILBOX_H
#define POSTERN_MAILBOX_H

#include <stddef.h>

#include "mail/addr.h"

struct mailbox {
	struct addr	 addr;		/* comments and blanks taken out */
	const char	*name;		/* display name as it stands, with its
					   quotes; points into the value */
	size_t		 name_len;
};

/* Called for each mailbox in turn; not 0 ends the reading. */
typedef int mailbox_fn(void *arg, const struct mailbox *);

/*
 * Read a field's value, folded or not, of len octets. How many mailboxes
 * there were (groups may be empty); -1 when it is not an address list or a
 * part of an address is over its limit; -2 when the function ended it.
 */
int	 mailbox_list_parse(const char *value, size_t len, mailbox_fn *,
	    void *arg);

/*
 * Parse the value of a field that has one mailbox, and no group (Sender). 0
 * and *out, or -1.
 */
int	 mailbox_parse_one(const char *value, size_t len, struct addr *out);

#endif
