/* SPDX-License-Identifier: ISC */
/*
 * Whose message it is: the reverse-path and the fields From: and Sender:
 * against the login. Pure.
 */
#ifndef POSTERN_STORE_AUTHOR_H
#define POSTERN_STORE_AUTHOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/addr.h"
#include "smtpd/store_proto.h"

struct alias_table;

/* Who sends; what is pointed to stays the caller's. */
struct author {
	const struct addr	*login;		/* in the form of addr.h */
	struct alias_table	*aliases;	/* NULL: there are none */
};

/*
 * May the author send as this address, which may be as a header has it: the
 * login's own, one whose alias leads to the login's mailbox, or a +tag of
 * either? A catch-all gives no right.
 */
bool	 author_owns(const struct author *, const struct addr *);

struct author_facts {
	bool	 date, message_id;	/* the fields are there */
};

/*
 * Judge a header block (see mail/header.h): STORE_OK, STORE_LOOP,
 * STORE_BAD_HEADER (From: or Sender: twice or unparsable; a Sender: that is
 * not one mailbox, RFC 5322 section 3.6.2), STORE_NOT_AUTHOR (not every
 * address in them is the author's). A block without them is taken; Resent-
 * fields do not count.
 */
enum store_status author_check(const char *block, size_t len,
	    const struct author *, uint64_t received_limit,
	    struct author_facts *);

#endif
