/* SPDX-License-Identifier: ISC */
/*
 * Authorship, see store_author.h. Runs in smtpd-store, on a header block that
 * any client may have written. The login comes from auth, the aliases from
 * the administrator.
 */
#include "smtpd/store_author.h"

#include <string.h>

#include "mail/alias.h"
#include "mail/header.h"
#include "mail/mailbox.h"

bool
author_owns(const struct author *w, const struct addr *a)
{
	const struct alias *alias;
	struct addr own = *a;

	if (a->domain[0] == '\0' || addr_canon(&own) == -1)
		return false;
	if (addr_same(&own, w->login, false) ||
	    addr_same(&own, w->login, true))
		return true;
	/* As at RCPT: the tag is part of the name where that is an alias. */
	if ((alias = alias_find(w->aliases, &own)) == NULL) {
		addr_strip_tag(&own);
		alias = alias_find(w->aliases, &own);
	}
	return alias != NULL && alias_leads_to(w->aliases, alias, w->login);
}

static int
check_mailbox(void *arg, const struct mailbox *m)
{
	return author_owns(arg, &m->addr) ? 0 : -1;
}

/* Every address there is must be the author's; one there must be. */
static enum store_status
check_from(const struct header_field *f, const struct author *w)
{
	struct author copy = *w;
	int n;

	n = mailbox_list_parse(f->value, f->value_len, check_mailbox, &copy);
	if (n == -1)
		return STORE_BAD_HEADER;
	return n > 0 ? STORE_OK : STORE_NOT_AUTHOR;
}

static enum store_status
check_sender(const struct header_field *f, const struct author *w)
{
	struct addr a;

	if (mailbox_parse_one(f->value, f->value_len, &a) == -1)
		return STORE_BAD_HEADER;
	return author_owns(w, &a) ? STORE_OK : STORE_NOT_AUTHOR;
}

/* Of two verdicts: what cannot be read is worse than what is not theirs. */
static enum store_status
worse(enum store_status a, enum store_status b)
{
	if (a == STORE_BAD_HEADER || b == STORE_OK)
		return a;
	return b;
}

enum store_status
author_check(const char *block, size_t len, const struct author *w,
    uint64_t received_limit, struct author_facts *facts)
{
	enum store_status r = STORE_OK;
	struct header_field f;
	uint64_t received = 0;
	unsigned from = 0, sender = 0;
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
			r = worse(r, check_from(&f, w));
		else if (header_is(&f, "Sender") && ++sender == 1)
			r = worse(r, check_sender(&f, w));
	}
	if (received > received_limit)
		return STORE_LOOP;
	return from > 1 || sender > 1 ? STORE_BAD_HEADER : r;
}
