/* SPDX-License-Identifier: ISC */
/*
 * The files of quotas, see store_quota_impl.h. Runs in the main thread of
 * smtpd-store. Other programs write them too: what is read is checked, no
 * link is followed, and nothing that could block is opened. A maildirsize is
 * a cache that can be made again from the folders: it is never synced.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fault.h"
#include "lib/file.h"
#include "smtpd/store_quota_impl.h"

#define PATH_SIZE	600	/* two components of 255, and a name */
#define FILE_MODE	0640
#define SIZES		"maildirsize"

/* Open name of the mailbox. -1 and errno. */
static int
open_file(int root, const char *path, const char *name, int flags)
{
	char full[PATH_SIZE];
	int n = snprintf(full, sizeof(full), "%s/%s", path, name);

	if (n < 0 || (size_t)n >= sizeof(full)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return file_open_below(root, full, flags | O_NONBLOCK | O_NOCTTY, 0);
}

static int
stamp_of(int fd, struct quota_stamp *s)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -1;
	*s = (struct quota_stamp){ .known = true, .there = true,
	    .dev = st.st_dev, .ino = st.st_ino, .size = st.st_size,
	    .mtime = st.st_mtim };
	return 0;
}

static bool
same_stamp(const struct quota_stamp *a, const struct quota_stamp *b)
{
	if (!a->known || !b->known || a->there != b->there)
		return false;
	return !a->there || (a->dev == b->dev && a->ino == b->ino &&
	    a->size == b->size && a->mtime.tv_sec == b->mtime.tv_sec &&
	    a->mtime.tv_nsec == b->mtime.tv_nsec);
}

/* Is it the machine that is in want, and not the file that is bad? */
static bool
is_want(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM ||
	    error == EIO;
}

/* The octets of fd: their number, or -1. */
static ssize_t
read_all(int fd, char *text, size_t max)
{
	size_t have = 0;
	ssize_t n;

	do {
		if (fault_point("quotaread"))
			return -1;
		n = read(fd, text + have, max - have);
		if (n > 0)
			have += (size_t)n;
	} while (n > 0 && have < max);
	return n == -1 ? -1 : (ssize_t)have;
}

enum quota_file
quota_file_read(int root, const char *path, const char *name,
    const struct quota_stamp *old, struct quota_stamp *now, char *text,
    size_t *len)
{
	enum quota_file r = QUOTA_FILE_TEXT;
	ssize_t n;
	int fd;

	*now = (struct quota_stamp){ .known = true };
	*len = 0;
	if ((fd = open_file(root, path, name, O_RDONLY)) == -1) {
		if (is_want(errno))
			return QUOTA_FILE_FAILED;
		now->there = errno != ENOENT;
		if (same_stamp(old, now))
			return QUOTA_FILE_SAME;
		return now->there ? QUOTA_FILE_BAD : QUOTA_FILE_NONE;
	}
	if (stamp_of(fd, now) == -1)
		r = QUOTA_FILE_FAILED;
	else if (same_stamp(old, now))
		r = QUOTA_FILE_SAME;
	else if ((n = read_all(fd, text, QUOTA_SIZES_MAX)) == -1)
		r = is_want(errno) ? QUOTA_FILE_FAILED : QUOTA_FILE_BAD;
	else
		*len = (size_t)n;
	close(fd);
	return r;
}

/* All of it with one write: else others could read half a line. */
static int
write_once(int fd, const char *text, size_t len)
{
	ssize_t n;

	if (fault_point("quotawrite"))
		return -1;
	if ((n = write(fd, text, len)) == (ssize_t)len)
		return 0;
	if (n >= 0)
		errno = ENOSPC;
	return -1;
}

int
quota_file_append(int root, const char *path, uint64_t size,
    struct quota_stamp *seen)
{
	struct quota_stamp before, after;
	char line[QUOTA_LINE_MAX];
	int fd, n, r = -1, saved;

	fd = open_file(root, path, "Maildir/" SIZES, O_WRONLY | O_APPEND);
	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	n = snprintf(line, sizeof(line), "%" PRIu64 " 1\n", size);
	if (stamp_of(fd, &before) == -1 ||
	    write_once(fd, line, (size_t)n) == -1 ||
	    stamp_of(fd, &after) == -1)
		goto out;
	if (same_stamp(seen, &before) && after.size == before.size + n)
		*seen = after;
	else
		seen->known = false;
	r = 1;
out:
	saved = errno;
	close(fd);
	errno = saved;
	return r;
}

/* Write it as tmp/name and rename it. */
static int
put_file(int maildir, int tmp, const char *name, const char *text, size_t len,
    struct quota_stamp *seen)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL;
	int fd, r = -1, saved;

	fd = file_open_below(tmp, name, flags, FILE_MODE);
	/* Left by a process of this number that was killed. */
	if (fd == -1 && errno == EEXIST && unlinkat(tmp, name, 0) == 0)
		fd = file_open_below(tmp, name, flags, FILE_MODE);
	if (fd == -1)
		return -1;
	if (write_once(fd, text, len) == 0 && !fault_point("quotarename") &&
	    renameat(tmp, name, maildir, SIZES) == 0)
		r = stamp_of(fd, seen);
	saved = errno;
	close(fd);
	if (r == -1)
		unlinkat(tmp, name, 0);
	errno = saved;
	return r;
}

int
quota_file_replace(int root, const char *path, const struct quota_limits *l,
    const struct quota_use *use, struct quota_stamp *seen)
{
	char text[2 * QUOTA_LINE_MAX], name[40];
	size_t len = quota_sizes_format(l, use, text);
	int maildir, tmp = -1, r = -1, saved;

	snprintf(name, sizeof(name), SIZES ".%ld", (long)getpid());
	maildir = open_file(root, path, "Maildir", O_RDONLY | O_DIRECTORY);
	if (maildir == -1)
		return errno == ENOENT ? 0 : -1;
	tmp = file_open_below(maildir, "tmp", O_RDONLY | O_DIRECTORY, 0);
	if (tmp == -1)
		goto out;
	if (put_file(maildir, tmp, name, text, len, seen) == 0)
		r = 1;
out:
	saved = errno;
	if (tmp != -1)
		close(tmp);
	close(maildir);
	errno = saved;
	return r;
}

void
quota_file_remove(int root, const char *path)
{
	int fd = open_file(root, path, "Maildir", O_RDONLY | O_DIRECTORY);

	if (fd == -1)
		return;
	unlinkat(fd, SIZES, 0);
	close(fd);
}
