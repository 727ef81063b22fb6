/* SPDX-License-Identifier: ISC */
/*
 * The folders that make an address a mailbox: <mail_root>/<domain>/<local
 * part>/, mode 2750, postern-store's when root makes them. The store makes
 * the Maildir in it.
 */
#ifndef POSTERN_ADMIN_MAILBOX_H
#define POSTERN_ADMIN_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define MAILBOX_USER	"postern-store"
#define MAILBOX_GROUP	"postern-mail"
#define MAILBOX_MODE	02750

struct mailbox_owner {
	bool	set;		/* else whoever runs this */
	uid_t	uid;
	gid_t	gid;
};

/*
 * Who is to own mailboxes. NULL, or the name of the system user or group
 * that root would need and that does not exist.
 */
const char *mailbox_owner(struct mailbox_owner *);
/*
 * Where the mail of a canonical account name lies. 0, or -1 with errno
 * EINVAL or ENAMETOOLONG.
 */
int	 mailbox_path(const char *root, const char *user, char *dst,
	    size_t size);
/*
 * Make the mailbox and what is missing above it, from the mail root on (not
 * the root's parent). No link below the root is followed. 1: made; 0: it was
 * there; -1 and errno.
 */
int	 mailbox_make(const char *root, const char *user,
	    const struct mailbox_owner *);
/*
 * Is the mailbox of an address (local@domain) there? Is it certain that there
 * is none, nor one of the address without its tag? Both may be false.
 */
bool	 mailbox_is_there(const char *root, const char *address);
bool	 mailbox_is_missing(const char *root, const char *address);
/*
 * Bring the mailboxes made to stable storage, all at once: the file system
 * of the root is synced. 0, or -1 and errno.
 */
int	 mailbox_sync(const char *root);
/*
 * Remove a mailbox that mailbox_make() has made, while it is empty. No link
 * below the root is followed.
 */
void	 mailbox_unmake(const char *root, const char *user);

#endif
