/* SPDX-License-Identifier: ISC */
/*
 * Keys in files, see secret.h. Runs in auth-server and retrieve-reader as
 * their final users, who own the folders. Invariant: a file appears whole,
 * by link(2), and the first one stays.
 */
#include "lib/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/str.h"

static int
write_new(int fd, size_t len)
{
	unsigned char key[SECRET_MAX];
	int r = -1;

	if (getrandom(key, len, 0) == (ssize_t)len &&
	    write(fd, key, len) == (ssize_t)len && fsync(fd) == 0)
		r = 0;
	str_wipe(key, sizeof(key));
	return r;
}

static int
make(int dir, const char *name, size_t len)
{
	char temp[64];
	int fd, r = -1, saved;

	snprintf(temp, sizeof(temp), ".new.%ld", (long)getpid());
	unlinkat(dir, temp, 0);
	fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (fd == -1)
		return -1;
	if (write_new(fd, len) == 0 &&
	    (linkat(dir, temp, dir, name, 0) == 0 || errno == EEXIST))
		r = 0;
	saved = errno;
	close(fd);
	unlinkat(dir, temp, 0);
	errno = saved;
	return r;
}

/* 0, or -1 and errno; EINVAL: the file has another length. */
static int
take(int dir, const char *name, void *key, size_t len)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	unsigned char data[SECRET_MAX + 1];
	ssize_t n;
	int fd;

	fd = openat(dir, name, flags);
	if (fd == -1 && errno == ENOENT && make(dir, name, len) == 0)
		fd = openat(dir, name, flags);
	if (fd == -1)
		return -1;
	n = read(fd, data, sizeof(data));
	close(fd);
	if (n == (ssize_t)len)
		memcpy(key, data, len);
	str_wipe(data, sizeof(data));
	if (n == (ssize_t)len)
		return 0;
	if (n != -1)
		errno = EINVAL;
	return -1;
}

int
secret_load(const char *state_dir, const char *folder, const char *name,
    void *key, size_t len)
{
	char path[4096];
	int n, dir = -1, r = -1;

	BUG_IF(len > SECRET_MAX);
	n = snprintf(path, sizeof(path), "%s/%s", state_dir, folder);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		log_err("secret: the name of the state folder is too long");
		return -1;
	}
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir != -1) {
		r = take(dir, name, key, len);
		close(dir);
	}
	if (r == -1)
		log_err("secret: no key file=%s/%s: %m", path, name);
	return r;
}
