/* SPDX-License-Identifier: ISC */
/*
 * Changing the accounts file. Runs in posternctl only. Invariants: from
 * begin to commit the lock file is held; the file at path is at any time
 * either the old one whole or the new one whole; every line that was not
 * asked to change is written as it was read.
 */
#include "auth/accounts.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/file.h>
#include <sys/stat.h>

#include "auth/accounts_line.h"
#include "auth/scram.h"
#include "lib/str.h"

#define LOCK_WAIT	10	/* seconds */
#define MODE_DEFAULT	0640

/* A line in the order of the file. */
struct line {
	struct account	 acct;	/* first: the tree's keys; user NULL if none */
	char		*text;	/* as it will be written, without LF */
	size_t		 len;
	char		*parts;	/* what acct points into */
	bool		 removed;
	bool		 second;	/* of a name that stood before */
};

struct accounts_edit {
	char		 *path, *lock_path, *tmp_path;
	int		  lock;
	bool		  exists, changed, seconds;
	struct stat	  st;
	struct line	**line;
	size_t		  n, cap;
	void		 *tree;	/* tsearch(3), of struct line by user */
};

static int
compare(const void *x, const void *y)
{
	const struct account *a = x, *b = y;

	return strcmp(a->user, b->user);
}

static void
line_free(struct line *l)
{
	if (l == NULL)
		return;
	if (l->text != NULL)
		str_wipe(l->text, l->len);
	if (l->parts != NULL)
		str_wipe(l->parts, l->len);
	free(l->text);
	free(l->parts);
	free(l);
}

static struct line *
line_new(const char *text, size_t len)
{
	struct line *l;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		return NULL;
	l->len = len;
	l->text = malloc(len + 1);
	l->parts = malloc(len + 1);
	if (l->text == NULL || l->parts == NULL) {
		line_free(l);
		return NULL;
	}
	memcpy(l->text, text, len);
	memcpy(l->parts, text, len);
	l->text[len] = l->parts[len] = '\0';
	if (accounts_line_is_comment(text, len) ||
	    accounts_line_parse(l->parts, len, &l->acct) != NULL)
		l->acct.user = NULL;
	return l;
}

static struct line *
find(const struct accounts_edit *e, const char *user)
{
	struct account key = { .user = user };
	void *const *node;

	node = tfind(&key, &e->tree, compare);
	return node == NULL ? NULL : *node;
}

/* Append a line; takes it over, also on failure. */
static int
append(struct accounts_edit *e, struct line *l)
{
	struct line **list;
	size_t cap;

	if (l == NULL)
		return -1;
	if (e->n == e->cap) {
		cap = e->cap == 0 ? 64 : e->cap * 2;
		list = reallocarray(e->line, cap, sizeof(struct line *));
		if (list == NULL)
			goto fail;
		e->line = list;
		e->cap = cap;
	}
	/* Of a name that stands twice the first counts, as in accounts.c. */
	l->second = l->acct.user != NULL && find(e, l->acct.user) != NULL;
	if (l->acct.user != NULL && !l->second &&
	    tsearch(l, &e->tree, compare) == NULL)
		goto fail;
	e->seconds = e->seconds || l->second;
	e->line[e->n++] = l;
	return 0;
fail:
	line_free(l);
	errno = ENOMEM;
	return -1;
}

static int
read_lines(struct accounts_edit *e, FILE *fp)
{
	char *text = NULL;
	size_t cap = 0;
	ssize_t n;
	int rc = -1;

	while ((n = getline(&text, &cap, fp)) > 0) {
		if (text[n - 1] == '\n')
			n--;
		if (append(e, line_new(text, (size_t)n)) == -1)
			goto out;
	}
	if (!ferror(fp))
		rc = 0;
out:
	if (text != NULL)
		str_wipe(text, cap);
	free(text);
	return rc;
}

static int
read_file(struct accounts_edit *e, bool create)
{
	FILE *fp = NULL;
	int fd, rc = -1;

	fd = open(e->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1)
		return errno == ENOENT && create ? 0 : -1;
	e->exists = true;
	if (fstat(fd, &e->st) == -1)
		goto out;
	if (!S_ISREG(e->st.st_mode) ||
	    e->st.st_size > (off_t)ACCOUNTS_FILE_MAX) {
		errno = S_ISREG(e->st.st_mode) ? EFBIG : EINVAL;
		goto out;
	}
	if ((fp = fdopen(fd, "r")) == NULL)
		goto out;
	rc = read_lines(e, fp);
out:
	if (fp != NULL)
		fclose(fp);
	else
		close(fd);
	return rc;
}

/* Take the lock, waiting at most LOCK_WAIT seconds. */
static int
lock_file(struct accounts_edit *e)
{
	const struct timespec tick = { 0, 50000000 };
	int i;

	e->lock = open(e->lock_path, O_RDWR | O_CREAT | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (e->lock == -1)
		return -1;
	for (i = 0; i < LOCK_WAIT * 20; i++) {
		if (flock(e->lock, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -1;
		nanosleep(&tick, NULL);
	}
	errno = EWOULDBLOCK;
	return -1;
}

struct accounts_edit *
accounts_edit_begin(const char *path, bool create)
{
	struct accounts_edit *e;
	int saved;

	if ((e = calloc(1, sizeof(*e))) == NULL)
		return NULL;
	e->lock = -1;
	if ((e->path = strdup(path)) == NULL ||
	    asprintf(&e->lock_path, "%s.lock", path) == -1 ||
	    asprintf(&e->tmp_path, "%s.tmp", path) == -1) {
		errno = ENOMEM;
		goto fail;
	}
	if (lock_file(e) == -1 || read_file(e, create) == -1)
		goto fail;
	return e;
fail:
	saved = errno;
	accounts_edit_abort(&e);
	errno = saved;
	return NULL;
}

const struct account *
accounts_edit_find(const struct accounts_edit *e, const char *user)
{
	const struct line *l = find(e, user);

	return l == NULL ? NULL : &l->acct;
}

/* The line of an account; NULL with errno EINVAL when a part is wrong. */
static struct line *
compose(const char *user, const char *verifier, const char *options)
{
	struct line *l;
	char *text;
	int n;

	if (options == NULL)
		options = "";
	n = asprintf(&text, "%s\t%s%s%s", user, verifier,
	    *options == '\0' ? "" : "\t", options);
	if (n == -1) {
		errno = ENOMEM;
		return NULL;
	}
	l = line_new(text, (size_t)n);
	str_wipe(text, (size_t)n);
	free(text);
	/* What was put together must read back as the same parts. */
	if (l != NULL && (l->acct.user == NULL ||
	    memchr(l->text, '\n', l->len) != NULL ||
	    strcmp(l->acct.user, user) != 0 ||
	    strcmp(l->acct.verifier, verifier) != 0 ||
	    strcmp(l->acct.options, options) != 0)) {
		line_free(l);
		errno = EINVAL;
		return NULL;
	}
	return l;
}

int
accounts_edit_add(struct accounts_edit *e, const char *user,
    const char *verifier, const char *options)
{
	struct line *l;

	if ((l = compose(user, verifier, options)) == NULL)
		return -1;
	if (find(e, user) != NULL) {
		line_free(l);
		errno = EEXIST;
		return -1;
	}
	if (append(e, l) == -1)
		return -1;
	e->changed = true;
	return 0;
}

int
accounts_edit_verifier(struct accounts_edit *e, const char *user,
    const char *verifier)
{
	struct line *l = find(e, user), *next, tmp;

	if (l == NULL) {
		errno = ENOENT;
		return -1;
	}
	if ((next = compose(l->acct.user, verifier, l->acct.options)) == NULL)
		return -1;
	/* The tree keeps its node; the name in it compares the same. */
	tmp = *l;
	*l = *next;
	*next = tmp;
	line_free(next);
	e->changed = true;
	return 0;
}

static void
remove_line(struct accounts_edit *e, struct line *l)
{
	const char *user = l->acct.user;
	size_t i;

	/* No later line of the same name may come to life by this. */
	for (i = 0; e->seconds && i < e->n; i++)
		if (e->line[i]->second &&
		    strcmp(e->line[i]->acct.user, user) == 0)
			e->line[i]->removed = true;
	tdelete(l, &e->tree, compare);
	l->removed = true;
	e->changed = true;
}

static bool
is_app_of(const struct line *l, const char *user)
{
	return l->acct.user != NULL && l->acct.app && !l->removed &&
	    !l->second && accounts_app_compare_user(&l->acct, user) == 0;
}

size_t
accounts_edit_count_apps(const struct accounts_edit *e, const char *user)
{
	size_t i, n = 0;

	for (i = 0; i < e->n; i++)
		n += is_app_of(e->line[i], user);
	return n;
}

void
accounts_edit_remove_apps(struct accounts_edit *e, const char *user)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		if (is_app_of(e->line[i], user))
			remove_line(e, e->line[i]);
}

int
accounts_edit_remove(struct accounts_edit *e, const char *user)
{
	struct line *l = find(e, user);

	if (l == NULL) {
		errno = ENOENT;
		return -1;
	}
	if (!l->acct.app)
		accounts_edit_remove_apps(e, user);
	remove_line(e, l);
	return 0;
}

/* Give the new file the owner, group and mode of the old one. */
static int
keep_owner(const struct accounts_edit *e, int fd)
{
	if (!e->exists)
		return fchmod(fd, MODE_DEFAULT);
	/* Without privilege only what is the same already can be kept. */
	if (fchown(fd, e->st.st_uid, e->st.st_gid) == -1 &&
	    (errno != EPERM || fchown(fd, (uid_t)-1, e->st.st_gid) == -1))
		return -1;
	return fchmod(fd, e->st.st_mode & 0777);
}

static int
write_lines(const struct accounts_edit *e, FILE *fp)
{
	size_t i;

	for (i = 0; i < e->n; i++) {
		if (e->line[i]->removed)
			continue;
		if (fwrite(e->line[i]->text, 1, e->line[i]->len, fp) !=
		    e->line[i]->len || putc('\n', fp) == EOF)
			return -1;
	}
	return fflush(fp) == EOF ? -1 : 0;
}

static int
write_file(struct accounts_edit *e)
{
	FILE *fp = NULL;
	int fd, rc = -1;

	/* Left by a writer that died; we hold the lock. */
	if (unlink(e->tmp_path) == -1 && errno != ENOENT)
		return -1;
	fd = open(e->tmp_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (fd == -1)
		return -1;
	if (keep_owner(e, fd) == -1 || (fp = fdopen(fd, "w")) == NULL)
		goto out;
	if (write_lines(e, fp) == -1 || fsync(fd) == -1)
		goto out;
	rc = 0;
out:
	if (fp == NULL)
		close(fd);
	else if (fclose(fp) == EOF)
		rc = -1;
	return rc;
}

static int
sync_folder(const char *path)
{
	char *folder;
	int fd, rc;

	if ((folder = accounts_folder(path)) == NULL)
		return -1;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (fd == -1)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

int
accounts_edit_commit(struct accounts_edit **ep)
{
	struct accounts_edit *e = *ep;
	int rc = 0, saved;

	if (e->changed) {
		rc = write_file(e);
		if (rc == 0)
			rc = rename(e->tmp_path, e->path);
		saved = errno;
		if (rc == -1)
			unlink(e->tmp_path);
		else if (sync_folder(e->path) == -1) {
			saved = errno;
			rc = -1;
		}
		errno = saved;
	}
	saved = errno;
	accounts_edit_abort(ep);
	errno = saved;
	return rc;
}

static void
no_free(void *node)
{
	(void)node;
}

void
accounts_edit_abort(struct accounts_edit **ep)
{
	struct accounts_edit *e = *ep;
	size_t i;

	*ep = NULL;
	if (e == NULL)
		return;
	tdestroy(e->tree, no_free);
	for (i = 0; i < e->n; i++)
		line_free(e->line[i]);
	free(e->line);
	if (e->lock != -1)
		close(e->lock);
	free(e->path);
	free(e->lock_path);
	free(e->tmp_path);
	free(e);
}
