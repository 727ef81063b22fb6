/* SPDX-License-Identifier: ISC */
/*
 * Counting what is in a mailbox, as Maildir++ counts it: the messages in
 * new/ and cur/ of the Maildir and of its folders .Name/, those of .Trash
 * left out. The size of one is what its name says behind ",S=", else that of
 * the file. A message marked as deleted counts until it is removed.
 */
#ifndef POSTERN_QUOTA_SCAN_H
#define POSTERN_QUOTA_SCAN_H

#include <time.h>

#include "mail/quota.h"

/*
 * Count the mailbox at path ("domain/local") below root, through no symbolic
 * link. With use NULL messages are not read, only the times of the folders:
 * the latest goes to *newest (0 for a mailbox without a Maildir; it may be
 * NULL). What is removed or may not be read meanwhile counts nothing.
 *
 * Blocks: about a microsecond for each message with its size in its name,
 * where the folder is in memory, and an fstatat(2) more for each without; 20
 * microseconds for the times alone. 0, or -1 with errno when the system
 * fails (EIO, EMFILE, ENOMEM).
 */
int	 quota_scan(int root, const char *path, struct quota_use *use,
	    struct timespec *newest);
/* Is a later than b? */
bool	 quota_later(const struct timespec *a, const struct timespec *b);

#endif
