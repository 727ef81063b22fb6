/* SPDX-License-Identifier: ISC */
/*
 * Authorship, see store_author.h. Runs in smtpd-store, on a header block that
 * any client may have written. The login comes from auth.
 */
#include "smtpd/store_author.h"

#include <string.h>

#include "mail/header.h"
#include "mail/mailbox.h"

bool
author_owns(const struct addr *login, const struct addr *a)
{
	struct addr own = *a;

	return a->domain[0] != '\0' && addr_canon(&own) == 0 &&
	    (addr_same(&own, login, false) || addr_same(&own, login, true));
}

static int
check_mailbox(void *arg, const struct mailbox *m)
{
	const struct addr *login = arg;

	return author_owns(login, &m->addr) ? 0 : -1;
}

/* Every address there is must be the login's; one there must be. */
static enum store_status
check_from(const struct header_field *f, const struct addr *login)
{
	struct addr copy = *login;
	int n;

	n = mailbox_list_parse(f->value, f->value_len, check_mailbox, &copy);
	if (n == -1)
		return STORE_BAD_HEADER;
	return n > 0 ? STORE_OK : STORE_NOT_AUTHOR;
}

enum store_status
author_check(const char *block, size_t len, const struct addr *login,
    uint64_t received_limit, struct author_facts *facts)
{
	enum store_status r = STORE_OK;
	struct header_field f;
	uint64_t received = 0;
	unsigned from = 0;
	size_t pos = 0;

	memset(facts, 0, sizeof(*facts));
	while (header_next(block, len, &pos, &f)) {
		if (header_is(&f, "Received"))
			received++;
		else if (header_is(&f, "Date"))
			facts->date = true;
		else if (header_is(&f, "Message-ID"))
			facts->message_id = true;
		else if (header_is(&f, "From") && ++from == 1)
			r = check_from(&f, login);
	}
	if (received > received_limit)
		return STORE_LOOP;
	return from > 1 ? STORE_BAD_HEADER : r;
}
