/* SPDX-License-Identifier: ISC */
/*
 * Changing the alias file: it is locked, read whole, and replaced by rename,
 * so that at any time it is the old one whole or the new one whole.
 */
#ifndef POSTERN_ADMIN_ALIAS_EDIT_H
#define POSTERN_ADMIN_ALIAS_EDIT_H

#include <stddef.h>

#include "mail/alias.h"

/*
 * The text of the alias file at path, NUL-ended, to be freed; an empty one
 * when there is no file. NULL and errno: EINVAL (not a regular file), EFBIG,
 * ENOMEM, or of open(2), read(2).
 */
char	*alias_file_load(const char *path, size_t *len);

struct alias_edit;

/*
 * Take the lock file "<path>.lock" and read the file. NULL and errno as
 * alias_file_load(); EWOULDBLOCK: another has held the lock for ten seconds.
 */
struct alias_edit *alias_edit_begin(const char *path);
/* Its text as it was read. */
const char *alias_edit_text(const struct alias_edit *, size_t *len);
/*
 * Write a new file with this text (owner, group and mode of the old one, else
 * 0644), fsync, rename, fsync the folder, unlock, free; *ep becomes NULL. 0,
 * or -1 and errno: the old file stands, unless only the last fsync failed.
 */
int	 alias_edit_commit(struct alias_edit **ep, const char *text,
	    size_t len);
/* Unlock and free; *ep becomes NULL; NULL is taken too. */
void	 alias_edit_abort(struct alias_edit **ep);

/*
 * The text of a file with the targets of one entry replaced; to be freed. a:
 * the entry as it is in text, or NULL for a new one at the end. n 0 takes the
 * entry out. Comments within the entry are put before it; every other line
 * stays as it is. NULL with errno ENOMEM.
 */
char	*alias_text_with(const char *text, size_t len, const struct alias *a,
	    const char *address, const char *const *targets, size_t n,
	    size_t *newlen);
/* local@domain or @domain as it stands in a file; dst: 2 * ADDR_MAX. */
char	*alias_word(const char *address, char *dst, size_t size);

#endif
