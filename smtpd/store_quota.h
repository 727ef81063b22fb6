/* SPDX-License-Identifier: ISC */
/*
 * Quotas: what mailboxes may hold, what is in them, and what transactions
 * have reserved there. All of it belongs to the main thread of smtpd-store.
 *
 * The limits are those of the mailbox's file "quota" (mail/quota.h) or, where
 * there is none or a bad one, the conf's. The use is that of
 * Maildir/maildirsize, as Maildir++ has it, for other programs to read and
 * write. A mailbox without a limit costs the look for its file "quota".
 */
#ifndef POSTERN_STORE_QUOTA_H
#define POSTERN_STORE_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/quota.h"
#include "smtpd/store_proto.h"

struct quota;
struct quota_box;

/* What one transaction holds. All zeros is a good one, that holds nothing. */
struct quota_hold {
	uint64_t		 size;	/* octets it takes in each mailbox */
	bool			 committing;
	struct quota_box	**boxes;	/* each once */
	size_t			 n, cap;
};

/* root stays the caller's. NULL and errno. */
struct quota *quota_new(int root, const struct quota_limits *defaults);
/* No hold may be left. */
void	 quota_free(struct quota **);

/*
 * The size that MAIL declared, 0: none. A message of no declared size
 * reserves one octet: less than that none has.
 */
void	 quota_declare(struct quota_hold *, uint64_t size);
/*
 * Reserve room for the message in the mailbox at path ("domain/local"), of
 * which this hold has nothing yet. STORE_OK; STORE_OVER_QUOTA (logged);
 * STORE_FAILED (logged): the use cannot be known now.
 */
enum store_status quota_reserve(struct quota *, struct quota_hold *,
	    const char *path);
/* Give up what was reserved after the hold had n mailboxes (h->n). */
void	 quota_trim(struct quota *, struct quota_hold *, size_t n);
/*
 * The message is complete, its file will have size octets: is there still
 * room in every mailbox? STORE_OK: it counts as used from now on, until
 * quota_done(). Else nothing has changed, as quota_reserve() returns it.
 */
enum store_status quota_commit(struct quota *, struct quota_hold *,
	    uint64_t size);
/* The commit is over; delivered: the message is in all mailboxes. */
void	 quota_done(struct quota *, struct quota_hold *, bool delivered);
/* Give up all it holds. Needed in the end, whatever was called before. */
void	 quota_release(struct quota *, struct quota_hold *);

#endif
