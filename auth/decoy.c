/* SPDX-License-Identifier: ISC */
/*
 * The decoy's key file. Runs in auth-server before it is confined, as
 * its final user, who owns the folder. Invariant: the file appears whole, by
 * link(2), and the first one stays.
 */
#include "auth/decoy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/random.h>
#include <sys/stat.h>

#include "lib/log.h"
#include "lib/str.h"

static int
write_new(int fd)
{
	unsigned char key[SCRAM_KEY];
	int rc = -1;

	if (getrandom(key, sizeof(key), 0) == (ssize_t)sizeof(key) &&
	    write(fd, key, sizeof(key)) == (ssize_t)sizeof(key) &&
	    fsync(fd) == 0)
		rc = 0;
	str_wipe(key, sizeof(key));
	return rc;
}

static int
make(const char *file)
{
	char *tmp;
	int fd, rc = -1, saved;

	if (asprintf(&tmp, "%s.%ld", file, (long)getpid()) == -1)
		return -1;
	unlink(tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (fd != -1 && write_new(fd) == 0 &&
	    (link(tmp, file) == 0 || errno == EEXIST))
		rc = 0;
	saved = errno;
	if (fd != -1)
		close(fd);
	unlink(tmp);
	free(tmp);
	errno = saved;
	return rc;
}

static int
open_key(const char *folder, const char *file)
{
	int fd;

	fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd != -1 || errno != ENOENT)
		return fd;
	if (mkdir(folder, 0700) == -1 && errno != EEXIST)
		return -1;
	if (make(file) == -1)
		return -1;
	return open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

int
decoy_key(const char *state_dir, unsigned char key[SCRAM_KEY])
{
	char *folder = NULL, *file = NULL;
	ssize_t n;
	int fd = -1, rc = -1;

	if (asprintf(&folder, "%s/auth", state_dir) == -1 ||
	    asprintf(&file, "%s/auth/decoy.key", state_dir) == -1) {
		log_err("decoy: %m");
		goto out;
	}
	if ((fd = open_key(folder, file)) == -1) {
		log_err("decoy: no key file=%s: %m", file);
		goto out;
	}
	if ((n = read(fd, key, SCRAM_KEY)) != SCRAM_KEY) {
		log_err("decoy: bad key file=%s octets=%zd", file, n);
		goto out;
	}
	rc = 0;
out:
	if (fd != -1)
		close(fd);
	free(folder);
	free(file);
	return rc;
}
