/* SPDX-License-Identifier: ISC */
/*
 * Whose message it is: the reverse-path and the From: field against the
 * login. Pure.
 */
#ifndef POSTERN_STORE_AUTHOR_H
#define POSTERN_STORE_AUTHOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/addr.h"
#include "smtpd/store_proto.h"

/*
 * Is the address the login's own, or a +tag of it? The login is in the form
 * of struct addr; the address may be as a header has it.
 */
bool	 author_owns(const struct addr *login, const struct addr *);

struct author_facts {
	bool	 date, message_id;	/* the fields are there */
};

/*
 * Judge a header block (see mail/header.h): STORE_OK, STORE_LOOP,
 * STORE_BAD_HEADER (From: twice or unparsable), STORE_NOT_AUTHOR. A block
 * without From: is taken.
 */
enum store_status author_check(const char *block, size_t len,
	    const struct addr *login, uint64_t received_limit,
	    struct author_facts *);

#endif
