/* SPDX-License-Identifier: ISC */
/*
 * Test helper, see store_root.h.
 */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "t/unit/store_root.h"

static size_t files;

void
root_add(const struct root *r, const char *path)
{
	char full[700];
	char *slash;

	snprintf(full, sizeof(full), "%s/%s", r->path, path);
	slash = strrchr(full, '/');
	*slash = '\0';
	mkdir(full, 0750);
	*slash = '/';
	assert_int_equal(mkdir(full, 0750), 0);
}

void
root_make(struct root *r)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(r->path, sizeof(r->path), "%s/postern-store.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(r->path));
	r->fd = open(r->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_not_equal(r->fd, -1);
	root_add(r, "example.test/alice");
	root_add(r, "example.test/bob");
	root_add(r, "example.test/carol");
}

static int
remove_one(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
root_remove(struct root *r)
{
	close(r->fd);
	nftw(r->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

size_t
root_count(const struct root *r, const char *box, const char *sub)
{
	char full[700];
	struct dirent *e;
	size_t n = 0;
	DIR *d;

	snprintf(full, sizeof(full), "%s/%s/Maildir/%s", r->path, box, sub);
	if ((d = opendir(full)) == NULL)
		return 0;
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			n++;
	closedir(d);
	return n;
}

char *
root_only(const struct root *r, const char *box, unsigned long *inode,
    char *name)
{
	char full[1024], found[256] = "", *text;
	struct dirent *e;
	struct stat st;
	ssize_t n;
	DIR *d;
	int fd;

	assert_int_equal(root_count(r, box, "new"), 1);
	snprintf(full, sizeof(full), "%s/%s/Maildir/new", r->path, box);
	assert_non_null(d = opendir(full));
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			snprintf(found, sizeof(found), "%s", e->d_name);
	closedir(d);
	snprintf(full, sizeof(full), "%s/%s/Maildir/new/%s", r->path, box,
	    found);
	assert_int_not_equal(fd = open(full, O_RDONLY | O_CLOEXEC), -1);
	assert_int_equal(fstat(fd, &st), 0);
	assert_non_null(text = malloc((size_t)st.st_size + 1));
	n = read(fd, text, (size_t)st.st_size);
	assert_int_equal(n, st.st_size);
	text[n] = '\0';
	close(fd);
	if (inode != NULL)
		*inode = (unsigned long)st.st_ino;
	if (name != NULL)
		memcpy(name, found, sizeof(found));
	return text;
}

static int
count_one(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)path;
	(void)ftw;
	files += type == FTW_F && S_ISREG(st->st_mode);
	return 0;
}

size_t
root_files(const struct root *r)
{
	files = 0;
	nftw(r->path, count_one, 16, FTW_PHYS);
	return files;
}
