/* SPDX-License-Identifier: ISC */
/*
 * Reading a small file whole. Masters, keys and sessions, before they are
 * confined. The content is the site's own, but its size is still capped.
 */
#include "lib/file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include "lib/str.h"

/* One piece at offset off; *seeks becomes false for a pipe. */
static ssize_t
file_piece(int fd, void *data, size_t len, size_t off, bool *seeks)
{
	ssize_t n;

	do {
		n = *seeks ? pread(fd, data, len, (off_t)off) :
		    read(fd, data, len);
		if (n == -1 && errno == ESPIPE && *seeks) {
			*seeks = false;
			errno = EINTR;
		}
	} while (n == -1 && errno == EINTR);
	return n;
}

unsigned char *
file_load(int fd, size_t max, size_t *len)
{
	unsigned char *data;
	size_t have = 0;
	bool seeks = true;
	ssize_t n;
	int error;

	/* Never grown: growing would leave copies of secrets behind. */
	if ((data = malloc(max + 1)) == NULL)
		return NULL;
	while ((n = file_piece(fd, data + have, max + 1 - have, have,
	    &seeks)) > 0) {
		have += (size_t)n;
		if (have > max) {
			errno = EFBIG;
			n = -1;
			break;
		}
	}
	if (n == -1) {
		error = errno;
		str_wipe(data, have);
		free(data);
		errno = error;
		return NULL;
	}
	data[have] = '\0';
	*len = have;
	return data;
}
