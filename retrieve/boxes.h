/* SPDX-License-Identifier: ISC */
/*
 * The mailboxes below the mail root, read only, with what is known of them
 * kept in memory up to a limit. Run by retrieve-reader.
 *
 * Every path is resolved beneath the root without following any link, so
 * that nothing another program puts there leads out.
 */
#ifndef POSTERN_BOXES_H
#define POSTERN_BOXES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "retrieve/index.h"

struct boxes;

/*
 * root: the mail root, opened O_PATH or for reading, the caller's to keep
 * open. key: for naming states. bytes: of memory for indexes. NULL and errno
 * ENOMEM.
 */
struct boxes *boxes_new(int root, const unsigned char key[SIPHASH_KEY],
	    size_t bytes);
/* *bp becomes NULL; NULL is taken too. */
void	 boxes_free(struct boxes **bp);
/*
 * The index of user's mailbox as it is now, with a reference for the
 * caller; without a Maildir it is empty. again: do not trust what is
 * known. NULL and errno: EINVAL (a user who can have no mailbox), ELOOP or
 * EXDEV (links in the path), EFBIG, ENOMEM, EIO, EACCES ...
 */
struct index *boxes_get(struct boxes *, const char *user, bool again);
/*
 * Open a file of the mailbox for reading. The descriptor of a regular file,
 * *st being its state; or -1 and errno: ENOENT (gone or renamed), else as
 * boxes_get().
 */
int	 boxes_open(struct boxes *, const char *user, bool fresh,
	    const char *name, struct stat *st);
/* n octets more are held by indexes in here; may forget some mailboxes. */
void	 boxes_charge(struct boxes *, const char *user, size_t n);
/* Is the mail root there? */
bool	 boxes_reachable(const struct boxes *);

#endif
