/* SPDX-License-Identifier: ISC */
/*
 * The two halves of store_quota.h: the table of mailboxes and what is
 * reserved there (store_quota.c), and the two files of a mailbox
 * (store_quota_file.c). For them and their tests.
 */
#ifndef POSTERN_STORE_QUOTA_IMPL_H
#define POSTERN_STORE_QUOTA_IMPL_H

#include <sys/queue.h>
#include <sys/types.h>
#include <time.h>

#include "smtpd/store_quota.h"

#define QUOTA_BUCKETS	4096
#define QUOTA_BOXES_MAX	65536	/* mailboxes known at one time, */
#define QUOTA_IDLE_MAX	4096	/* and of those that nothing holds */
/*
 * Counting blocks the main thread. So of its time not more than a quarter
 * goes into counting, after a second at once, and not more than a 20th into
 * that of one mailbox that is not cheap to count. In nanoseconds and parts.
 */
#define QUOTA_BURST	1000000000
#define QUOTA_SHARE	4
#define QUOTA_BOX_SHARE	20
#define QUOTA_CHEAP	2000000
/* Between two lines of the log about one mailbox that is full. */
#define QUOTA_TELL	10000000000
/* Until a maildirsize that could not be written is tried again. */
#define QUOTA_RETRY	10000000000

/* Which file was read, and in which state. */
struct quota_stamp {
	bool		 known;		/* else no file is the same */
	bool		 there;
	dev_t		 dev;
	ino_t		 ino;
	off_t		 size;
	struct timespec	 mtime;
};

struct quota_box {
	LIST_ENTRY(quota_box)	 bucket;
	TAILQ_ENTRY(quota_box)	 idle;		/* while holds is 0 */
	size_t			 holds;
	struct quota_limits	 limits;	/* in force */
	struct quota_stamp	 own;		/* the file "quota" */
	struct quota_stamp	 seen;		/* maildirsize */
	bool			 known;		/* used is right, by seen */
	bool			 recount;	/* when there is time */
	size_t			 lines;		/* of maildirsize */
	struct quota_use	 used, reserved, committing;
	int64_t			 counted, next;	/* times of counts, ns, */
	int64_t			 retry;		/* after a failure to write */
	int64_t			 told;		/* that it is full; */
	uint64_t		 refused;	/* messages since then */
	char			 path[];
};

struct quota {
	int			 root;
	struct quota_limits	 defaults;
	LIST_HEAD(, quota_box)	 buckets[QUOTA_BUCKETS];
	TAILQ_HEAD(, quota_box)	 idle;		/* the oldest first */
	size_t			 boxes, nidle;
	int64_t			 budget, filled;	/* ns */
	int64_t			(*clock)(void);	/* monotonic, ns; any start */
};

enum quota_file {
	QUOTA_FILE_SAME,	/* as the stamp has it */
	QUOTA_FILE_NONE,
	QUOTA_FILE_TEXT,	/* changed, and read */
	QUOTA_FILE_BAD,		/* changed; no readable small file */
	QUOTA_FILE_FAILED	/* the system failed, errno */
};

/*
 * Read the file name ("quota", "Maildir/maildirsize") of a mailbox, unless
 * it is as old says: up to QUOTA_SIZES_MAX octets to text, their number to
 * *len. Its state goes to *now but with FAILED.
 */
enum quota_file quota_file_read(int root, const char *path, const char *name,
	    const struct quota_stamp *old, struct quota_stamp *now,
	    char *text, size_t *len);
/*
 * Append the line of one message of size octets to the maildirsize of a
 * mailbox. 1: done, and *seen goes from the state before to the one after,
 * or becomes unknown when others wrote too; 0: there is no such file; -1
 * and errno.
 */
int	 quota_file_append(int root, const char *path, uint64_t size,
	    struct quota_stamp *seen);
/*
 * Replace the maildirsize of a mailbox. 1, and its state in *seen; 0: there
 * is no Maildir yet; -1 and errno.
 */
int	 quota_file_replace(int root, const char *path,
	    const struct quota_limits *, const struct quota_use *,
	    struct quota_stamp *seen);
/* Remove it, whether or not it is there. */
void	 quota_file_remove(int root, const char *path);

#endif
