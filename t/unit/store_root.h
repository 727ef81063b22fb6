/* SPDX-License-Identifier: ISC */
/*
 * A mail root in a folder of its own, for the tests of the store.
 */
#ifndef POSTERN_TEST_STORE_ROOT_H
#define POSTERN_TEST_STORE_ROOT_H

#include <stddef.h>

struct root {
	char	path[256];
	int	fd;		/* O_PATH */
};

/* Make it, with mailboxes alice, bob and carol at example.test. */
void	 root_make(struct root *);
void	 root_remove(struct root *);
/* Make one more mailbox folder. */
void	 root_add(const struct root *, const char *path);
/* How many files are in folder sub of a mailbox's Maildir (0: no folder). */
size_t	 root_count(const struct root *, const char *box, const char *sub);
/*
 * The content of the only message in new/ of a mailbox, NUL-terminated, to
 * be freed; its inode to *inode and its name to name (256) unless NULL.
 */
char	*root_only(const struct root *, const char *box,
	    unsigned long *inode, char *name);
/* How many files there are in the whole root. */
size_t	 root_files(const struct root *);

#endif
