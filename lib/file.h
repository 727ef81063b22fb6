/* SPDX-License-Identifier: ISC */
/*
 * Opening a file below a folder, and reading a small one whole.
 */
#ifndef POSTERN_FILE_H
#define POSTERN_FILE_H

#include <stddef.h>
#include <sys/types.h>

/*
 * open(2) of path (not absolute) with these flags, close-on-exec, below the
 * folder dir and through no symbolic link, whatever others put there. The
 * descriptor, or -1 and errno; EXDEV or ELOOP: the path would lead out.
 */
int	 file_open_below(int dir, const char *path, int flags, mode_t mode);
/*
 * The octets of fd, from its beginning where it can seek (its offset is
 * neither used nor moved, so that processes may share it), else from where
 * it stands to its end. One allocation, ended by a NUL that *len does not
 * count; a secret is wiped with str_wipe() before free(3). NULL and errno:
 * EFBIG when there are more than max, ENOMEM, or as read(2).
 */
unsigned char *file_load(int fd, size_t max, size_t *len);

#endif
