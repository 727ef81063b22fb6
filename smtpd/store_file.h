/* SPDX-License-Identifier: ISC */
/*
 * What the store does with files: mailbox folders, and one message staged
 * without a name until it is published. Every path is resolved below the
 * mail root and through no symbolic link. All may be called from any thread.
 */
#ifndef POSTERN_STORE_FILE_H
#define POSTERN_STORE_FILE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Does the mailbox at path ("domain/local") exist: 1 or 0; -1 with errno
 * when the file system does not say.
 */
int	 mailbox_exists(int root, const char *path);
/*
 * Make the mailbox at path, and its domain's folder, where they are missing,
 * and bring both to stable storage. Blocks. 0, or -1 and errno.
 */
int	 mailbox_create(int root, const char *path);
/*
 * Open folder sub ("new", "tmp") of the mailbox's Maildir. A descriptor, or
 * -1 and errno; ENOENT: there is no such folder yet.
 */
int	 mailbox_open(int root, const char *path, const char *sub);
/*
 * Make the Maildir's folders where they are missing, and make that durable.
 * 0, or -1 and errno.
 */
int	 mailbox_make(int root, const char *path);

struct staged {
	int	 fd;			/* -1: nothing is staged */
	int	 dir;			/* where its name is, or -1: none */
	char	 name[64];
};

void	 staged_init(struct staged *);
/*
 * Make a file of mode 0640 in the file system of the mailbox at path:
 * without a name where that is possible, else as tmp/<id>. 0, or -1 and
 * errno.
 */
int	 staged_open(struct staged *, int root, const char *path,
	    const char *id);
/* Append len octets, all of them. 0, or -1 and errno. */
int	 staged_write(const struct staged *, const void *data, size_t len);
/* fsync(2). After -1 the file is lost: never called again for it. */
int	 staged_sync(const struct staged *);
/* Link it as name into the folder dir. 0, or -1 and errno. */
int	 staged_link(const struct staged *, int dir, const char *name);
/* Close it; without links made it is gone. */
void	 staged_close(struct staged *);

/* fsync(2) of a folder. */
int	 folder_sync(int dir);

#endif
