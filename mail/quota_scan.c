/* SPDX-License-Identifier: ISC */
/*
 * Counting a mailbox, see quota_scan.h. Runs in smtpd-store (see the cost
 * there) and in posternctl. Other programs write to the folders meanwhile,
 * and what is in them is theirs: no link is followed, nothing but folders and
 * file names is read.
 */
#include "mail/quota_scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "mail/maildir.h"

#define PATH_SIZE	600	/* two components of 255, and "/Maildir" */
#define TRASH		".Trash"

struct scan {
	struct quota_use	*use;		/* NULL: times alone */
	struct timespec		 newest;
};

/* Is this a failure of the system, and not what is, or is not, there? */
static bool
is_failure(int error)
{
	return error != ENOENT && error != ENOTDIR && error != ELOOP &&
	    error != EACCES && error != EXDEV && error != ENAMETOOLONG;
}

bool
quota_later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec :
	    a->tv_nsec > b->tv_nsec;
}

/* Open a folder: 1, 0 when there is nothing to count in it, or -1. */
static int
enter(int dir, const char *name, int *fd)
{
	*fd = file_open_below(dir, name, O_RDONLY | O_DIRECTORY, 0);
	if (*fd != -1)
		return 1;
	return is_failure(errno) ? -1 : 0;
}

/* One name in a cur/ or new/. */
static int
count_one(struct scan *s, int dir, const char *name)
{
	struct maildir_name n;
	struct stat st;

	if (!maildir_name_parse(name, &n))
		return 0;
	if (!n.has_size) {
		if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
			return is_failure(errno) ? -1 : 0;
		if (!S_ISREG(st.st_mode))
			return 0;
		n.size = st.st_size > 0 ? (uint64_t)st.st_size : 0;
	}
	quota_use_add(s->use, n.size, 1);
	return 0;
}

typedef int entry_fn(struct scan *, int dir, const char *name);

/* Call fn for each name in the folder fd, which is closed here. */
static int
for_each(struct scan *s, int fd, entry_fn *fn)
{
	struct dirent *e;
	int r = 0, saved;
	DIR *d;

	if ((d = fdopendir(fd)) == NULL) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	for (errno = 0; r == 0 && (e = readdir(d)) != NULL; errno = 0)
		r = fn(s, fd, e->d_name);
	if (r == 0 && errno != 0)
		r = -1;
	saved = errno;
	closedir(d);
	errno = saved;
	return r;
}

static int
count_folder(struct scan *s, int dir, const char *sub)
{
	struct stat st;
	int fd, r;

	if ((r = enter(dir, sub, &fd)) != 1)
		return r;
	if (fstat(fd, &st) == 0 && quota_later(&st.st_mtim, &s->newest))
		s->newest = st.st_mtim;
	if (s->use != NULL)
		return for_each(s, fd, count_one);
	close(fd);
	return 0;
}

static int
count_both(struct scan *s, int dir)
{
	return count_folder(s, dir, "new") == -1 ||
	    count_folder(s, dir, "cur") == -1 ? -1 : 0;
}

/* One name in the Maildir: a folder of it, or not. */
static int
count_named(struct scan *s, int dir, const char *name)
{
	int fd, r;

	if (name[0] != '.' || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0 || strcmp(name, TRASH) == 0)
		return 0;
	if ((r = enter(dir, name, &fd)) != 1)
		return r;
	r = count_both(s, fd);
	close(fd);
	return r;
}

int
quota_scan(int root, const char *path, struct quota_use *use,
    struct timespec *newest)
{
	struct scan s = { .use = use };
	char full[PATH_SIZE];
	int fd, n, r;

	if (use != NULL)
		*use = (struct quota_use){ 0, 0 };
	n = snprintf(full, sizeof(full), "%s/Maildir", path);
	if (n < 0 || (size_t)n >= sizeof(full)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if ((r = enter(root, full, &fd)) == 1) {
		r = count_both(&s, fd);
		if (r == 0)
			r = for_each(&s, fd, count_named);
		else
			close(fd);
	}
	if (newest != NULL)
		*newest = s.newest;
	return r;
}
