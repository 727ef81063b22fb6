/* SPDX-License-Identifier: ISC */
/*
 * Keys of our own that must stay the same over restarts, each in a file that
 * its process makes when there is none. For roles, before they are confined.
 */
#ifndef POSTERN_SECRET_H
#define POSTERN_SECRET_H

#include <stddef.h>

#define SECRET_MAX	64	/* octets of one */

/*
 * Read the len octets of state_dir/folder/name to key, made first (random,
 * mode 0600, and the folder 0700) where there are none; several processes
 * may do so at once and all get the same. 0, or -1 and it has logged why.
 */
int	 secret_load(const char *state_dir, const char *folder,
	    const char *name, void *key, size_t len);

#endif
