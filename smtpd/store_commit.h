/* SPDX-License-Identifier: ISC */
/*
 * The one way a message gets into mailboxes, and the point where it becomes
 * durable.
 */
#ifndef POSTERN_STORE_COMMIT_H
#define POSTERN_STORE_COMMIT_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/maildir.h"
#include "smtpd/store_proto.h"

struct body;

/* Shared by all delivery threads. */
struct commit_env {
	int			 root;
	/* Orders names and their links; also held while folders are made. */
	pthread_mutex_t		 lock;
	struct maildir_maker	 maker;		/* under the lock */
};

struct commit {
	/* in */
	struct commit_env	*env;
	struct body		*body;		/* ended, STORE_OK */
	char *const		*paths;		/* n mailboxes, all different */
	size_t			 n;
	/* out */
	enum store_status	 status;
	char			 id[MAILDIR_ID_MAX];	/* with STORE_OK */
	uint64_t		 size;		/* octets of the file */
	int			 error;		/* errno of a failure, */
	const char		*what;		/* and the step that failed */
};

/*
 * Publish: returns when the message and its name in each recipient's new/
 * are on stable storage (STORE_OK), or when nothing of it is left there
 * (STORE_NO_SPACE, STORE_FAILED). Blocks; a delivery thread calls it.
 */
void	 commit_run(struct commit *);

#endif
