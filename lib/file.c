/* SPDX-License-Identifier: ISC */
/*
 * Files, see file.h. What is loaded whole is the site's own, before a process
 * is confined; what is opened below a folder may be anyone's.
 */
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/str.h"

#define OPEN_TRIES	100

int
file_open_below(int dir, const char *path, int flags, mode_t mode)
{
	struct open_how how;
	int fd, tries = 0;

	memset(&how, 0, sizeof(how));
	how.flags = (unsigned)(flags | O_CLOEXEC);
	how.mode = mode;
	how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
	    RESOLVE_NO_MAGICLINKS;
	do		/* EAGAIN: something was renamed meanwhile */
		fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
	while (fd == -1 && (errno == EAGAIN || errno == EINTR) &&
	    ++tries < OPEN_TRIES);
	return fd;
}

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
