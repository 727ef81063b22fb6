/* SPDX-License-Identifier: ISC */
/*
 * Commit, see store_commit.h. Runs in the delivery threads of smtpd-store.
 * The order is what durability rests on: write, fsync of the file, then
 * under one lock the name and a link in each new/, fsync of each folder. No
 * fsync is ever tried again after an error: the kernel may have dropped the
 * pages and would say that all is well.
 */
#include "smtpd/store_commit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/fault.h"
#include "lib/str.h"
#include "smtpd/store_body.h"
#include "smtpd/store_file.h"

static int
failed(struct commit *c, const char *what)
{
	c->error = errno;
	c->what = what;
	c->status = body_errno(c->error);
	return -1;
}

/* Write and sync what is staged. */
static int
write_file(struct commit *c)
{
	if (body_flush(c->body) == -1)
		return failed(c, "write");
	if (staged_sync(&c->body->file) == -1)
		return failed(c, "fsync");
	c->size = c->body->size;
	return 0;
}

/*
 * Open a mailbox's new/. A first delivery makes it, durably, and under the
 * lock: then no other delivery can have linked into a folder whose own
 * entry may still be lost.
 */
static int
open_new(struct commit *c, const char *path)
{
	int fd, r;

	fd = mailbox_open(c->env->root, path, "new");
	if (fd != -1 || errno != ENOENT)
		return fd;
	pthread_mutex_lock(&c->env->lock);
	r = mailbox_make(c->env->root, path);
	pthread_mutex_unlock(&c->env->lock);
	return r == -1 ? -1 : mailbox_open(c->env->root, path, "new");
}

static int
open_folders(struct commit *c, int *dirs)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if ((dirs[i] = open_new(c, c->paths[i])) == -1)
			return failed(c, "open");
	return 0;
}

/* Remove the first n links: the only unlink of mail there is. */
static void
roll_back(const int *dirs, size_t n, const char *name)
{
	while (n-- > 0)
		unlinkat(dirs[n], name, 0);
}

/* Take the name and make the links. */
static int
link_all(struct commit *c, const int *dirs, char *name)
{
	const struct body *b = c->body;
	struct timespec now = { 0, 0 };
	size_t i;
	int r = 0;

	pthread_mutex_lock(&c->env->lock);
	clock_gettime(CLOCK_REALTIME, &now);
	maildir_maker_next(&c->env->maker, (uint64_t)now.tv_sec * 1000000 +
	    (uint64_t)now.tv_nsec / 1000, b->size, b->size + b->lines, name);
	for (i = 0; i < c->n && r == 0; i++)
		if (staged_link(&b->file, dirs[i], name) == -1) {
			r = failed(c, "link");
			roll_back(dirs, i, name);
		}
	pthread_mutex_unlock(&c->env->lock);
	return r;
}

static int
sync_folders(struct commit *c, const int *dirs, const char *name)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (folder_sync(dirs[i]) == -1) {
			failed(c, "fsync of a folder");
			roll_back(dirs, c->n, name);
			return -1;
		}
	return 0;
}

void
commit_run(struct commit *c)
{
	char name[MAILDIR_NAME_MAX];
	int *dirs;
	size_t i;

	if ((dirs = malloc(c->n * sizeof(*dirs))) == NULL) {
		failed(c, "memory");
		return;
	}
	for (i = 0; i < c->n; i++)
		dirs[i] = -1;
	if (write_file(c) == -1 || open_folders(c, dirs) == -1 ||
	    link_all(c, dirs, name) == -1 ||
	    sync_folders(c, dirs, name) == -1)
		goto out;
	if (str_copyn(c->id, sizeof(c->id), name, strcspn(name, ",")) == -1)
		c->id[0] = '\0';
	c->status = STORE_OK;
out:
	for (i = 0; i < c->n; i++)
		if (dirs[i] != -1)
			close(dirs[i]);
	free(dirs);
}
