/* SPDX-License-Identifier: ISC */
/*
 * Files of the store, see store_file.h. Runs in smtpd-store, in its main
 * thread and its delivery threads. Paths come from addr_to_path() and have
 * no component that leads upwards; the kernel holds to that as well.
 */
#include "smtpd/store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fault.h"
#include "lib/file.h"
#include "lib/now.h"
#include "lib/stats.h"
#include "lib/str.h"

#define FOLDER_MODE	02750
#define FILE_MODE	0640
#define PATH_SIZE	600	/* two components of 255, and "/Maildir/new" */

int
mailbox_exists(int root, const char *path)
{
	int fd = file_open_below(root, path, O_PATH | O_DIRECTORY, 0);

	if (fd != -1) {
		close(fd);
		return 1;
	}
	/* ELOOP: a symbolic link, which is no mailbox. */
	return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ||
	    errno == ENAMETOOLONG ? 0 : -1;
}

int
mailbox_open(int root, const char *path, const char *sub)
{
	char full[PATH_SIZE];
	int n = snprintf(full, sizeof(full), "%s/Maildir/%s", path, sub);

	if (n < 0 || (size_t)n >= sizeof(full)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (fault_point("open"))
		return -1;
	return file_open_below(root, full, O_RDONLY | O_DIRECTORY, 0);
}

/*
 * Make one folder unless it is there, and open it. mkdir(2) cannot set the
 * setgid bit, on which the group of what is in it rests.
 */
static int
make_folder(int parent, const char *name)
{
	int fd, made;

	if (fault_point("mkdir"))
		return -1;
	made = mkdirat(parent, name, FOLDER_MODE & 0777);
	if (made == -1 && errno != EEXIST)
		return -1;
	fd = file_open_below(parent, name, O_RDONLY | O_DIRECTORY, 0);
	if (fd != -1 && made == 0 && fchmod(fd, FOLDER_MODE) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

int
mailbox_create(int root, const char *path)
{
	const char *local = strchr(path, '/') + 1;
	int top, domain = -1, box = -1, r = -1, saved;
	char name[PATH_SIZE];

	/* The root is open for paths alone, which cannot be synced. */
	top = file_open_below(root, ".", O_RDONLY | O_DIRECTORY, 0);
	if (top == -1 || str_copyn(name, sizeof(name), path,
	    (size_t)(local - 1 - path)) == -1)
		goto out;
	if ((domain = make_folder(top, name)) == -1 ||
	    (box = make_folder(domain, local)) == -1 ||
	    folder_sync(domain) == -1 || folder_sync(top) == -1)
		goto out;
	r = 0;
out:
	saved = errno;
	if (box != -1)
		close(box);
	if (domain != -1)
		close(domain);
	if (top != -1)
		close(top);
	errno = saved;
	return r;
}

int
mailbox_make(int root, const char *path)
{
	static const char *const subs[] = { "tmp", "cur", "new" };
	int box, maildir = -1, fd, r = -1, saved;
	size_t i;

	box = file_open_below(root, path, O_RDONLY | O_DIRECTORY, 0);
	if (box == -1 || (maildir = make_folder(box, "Maildir")) == -1)
		goto out;
	for (i = 0; i < sizeof(subs) / sizeof(subs[0]); i++) {
		if ((fd = make_folder(maildir, subs[i])) == -1)
			goto out;
		close(fd);
	}
	if (folder_sync(maildir) == -1 || folder_sync(box) == -1)
		goto out;
	r = 0;
out:
	saved = errno;
	if (maildir != -1)
		close(maildir);
	if (box != -1)
		close(box);
	errno = saved;
	return r;
}

void
staged_init(struct staged *s)
{
	s->fd = -1;
	s->dir = -1;
	s->name[0] = '\0';
}

/* The old way: a name in tmp/, which is removed later. */
static int
open_named(struct staged *s, int root, const char *path, const char *id)
{
	if (str_copy(s->name, sizeof(s->name), id) == -1)
		return -1;
	s->dir = mailbox_open(root, path, "tmp");
	if (s->dir == -1 && errno == ENOENT && mailbox_make(root, path) == 0)
		s->dir = mailbox_open(root, path, "tmp");
	if (s->dir == -1)
		return -1;
	s->fd = file_open_below(s->dir, s->name, O_WRONLY | O_CREAT | O_EXCL,
	    FILE_MODE);
	if (s->fd == -1) {
		close(s->dir);
		s->dir = -1;
		return -1;
	}
	return 0;
}

int
staged_open(struct staged *s, int root, const char *path, const char *id)
{
	if (!fault_point("tmpfile"))
		s->fd = file_open_below(root, path, O_TMPFILE | O_WRONLY,
		    FILE_MODE);
	if (s->fd != -1)
		return 0;
	/* EISDIR and EINVAL: what file systems said before they knew it. */
	if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)
		return open_named(s, root, path, id);
	return -1;
}

int
staged_write(const struct staged *s, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len > 0) {
		if (fault_point("write"))
			return -1;
		n = write(s->fd, p, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* fsync(2), whose time is what a delivery mostly takes. */
static int
sync_timed(int fd)
{
	uint64_t began = now_micro();
	int r = fsync(fd), error = errno;

	stats_time(STATS_FSYNC, now_micro() - began);
	errno = error;
	return r;
}

int
staged_sync(const struct staged *s)
{
	if (fault_point("fsync"))
		return -1;
	return sync_timed(s->fd);
}

int
staged_link(const struct staged *s, int dir, const char *name)
{
	char self[32];

	if (fault_point("link"))
		return -1;
	if (s->dir != -1)
		return linkat(s->dir, s->name, dir, name, 0);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", s->fd);
	return linkat(AT_FDCWD, self, dir, name, AT_SYMLINK_FOLLOW);
}

void
staged_close(struct staged *s)
{
	if (s->fd != -1)
		close(s->fd);
	if (s->dir != -1) {
		unlinkat(s->dir, s->name, 0);
		close(s->dir);
	}
	staged_init(s);
}

int
folder_sync(int dir)
{
	if (fault_point("dirsync"))
		return -1;
	return sync_timed(dir);
}
