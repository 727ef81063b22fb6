/* SPDX-License-Identifier: ISC */
/*
 * Reading a small file whole from an open descriptor.
 */
#ifndef POSTERN_FILE_H
#define POSTERN_FILE_H

#include <stddef.h>

/*
 * The octets of fd, from its beginning where it can seek (its offset is
 * neither used nor moved, so that processes may share it), else from where
 * it stands to its end. One allocation, ended by a NUL that *len does not
 * count; a secret is wiped with str_wipe() before free(3). NULL and errno:
 * EFBIG when there are more than max, ENOMEM, or as read(2).
 */
unsigned char *file_load(int fd, size_t max, size_t *len);

#endif
