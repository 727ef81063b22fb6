/* SPDX-License-Identifier: ISC */
/*
 * Changing the alias file, see alias_edit.h. Runs in posternctl. Lines that
 * were not asked to change are written as they were read.
 */
#include "admin/alias_edit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/file.h>
#include <sys/stat.h>

#include "lib/file.h"
#include "lib/str.h"

#define LOCK_WAIT	10	/* seconds */
#define MODE_DEFAULT	0644
#define LINE_WIDTH	76

struct alias_edit {
	char		*path, *lock_path, *tmp_path;
	int		 lock;
	struct stat	 st;
	bool		 exists;
	char		*text;
	size_t		 len;
};

/* *exists tells whether there is a file, and *st what it is then. */
static char *
load(const char *path, size_t *len, struct stat *st, bool *exists)
{
	char *text = NULL;
	int fd, saved;

	*exists = false;
	*len = 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK |
	    O_NOFOLLOW);
	if (fd == -1)
		return errno == ENOENT ? strdup("") : NULL;
	*exists = true;
	if (fstat(fd, st) == -1)
		goto out;
	if (!S_ISREG(st->st_mode))
		errno = EINVAL;
	else if (st->st_size > (off_t)ALIAS_FILE_MAX)
		errno = EFBIG;
	else
		text = (char *)file_load(fd, (size_t)st->st_size, len);
out:
	saved = errno;
	close(fd);
	errno = saved;
	return text;
}

char *
alias_file_load(const char *path, size_t *len)
{
	struct stat st;
	bool exists;

	return load(path, len, &st, &exists);
}

/* Take the lock, waiting at most LOCK_WAIT seconds. */
static int
lock_file(struct alias_edit *e)
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

struct alias_edit *
alias_edit_begin(const char *path)
{
	struct alias_edit *e = calloc(1, sizeof(*e));
	int saved;

	if (e == NULL)
		return NULL;
	e->lock = -1;
	if ((e->path = strdup(path)) == NULL ||
	    asprintf(&e->lock_path, "%s.lock", path) == -1 ||
	    asprintf(&e->tmp_path, "%s.tmp", path) == -1)
		errno = ENOMEM;
	else if (lock_file(e) == 0 && (e->text = load(path, &e->len, &e->st,
	    &e->exists)) != NULL)
		return e;
	saved = errno;
	alias_edit_abort(&e);
	errno = saved;
	return NULL;
}

const char *
alias_edit_text(const struct alias_edit *e, size_t *len)
{
	*len = e->len;
	return e->text;
}

static int
keep_owner(const struct alias_edit *e, int fd)
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
write_all(int fd, const char *text, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, text, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
write_file(const struct alias_edit *e, const char *text, size_t len)
{
	int fd, r = -1;

	/* Left by a writer that died; we hold the lock. */
	if (unlink(e->tmp_path) == -1 && errno != ENOENT)
		return -1;
	fd = open(e->tmp_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (fd == -1)
		return -1;
	if (write_all(fd, text, len) == 0 && keep_owner(e, fd) == 0 &&
	    fsync(fd) == 0)
		r = 0;
	if (close(fd) == -1)
		r = -1;
	return r;
}

static int
sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder;
	int fd, r;

	folder = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (folder == NULL)
		return -1;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (fd == -1)
		return -1;
	r = fsync(fd);
	close(fd);
	return r;
}

int
alias_edit_commit(struct alias_edit **ep, const char *text, size_t len)
{
	struct alias_edit *e = *ep;
	int r = write_file(e, text, len), saved;

	if (r == 0)
		r = rename(e->tmp_path, e->path);
	saved = errno;
	if (r == -1)
		unlink(e->tmp_path);
	else if ((r = sync_folder(e->path)) == -1)
		saved = errno;
	alias_edit_abort(ep);
	errno = saved;
	return r;
}

void
alias_edit_abort(struct alias_edit **ep)
{
	struct alias_edit *e = *ep;

	*ep = NULL;
	if (e == NULL)
		return;
	if (e->lock != -1)
		close(e->lock);
	free(e->path);
	free(e->lock_path);
	free(e->tmp_path);
	free(e->text);
	free(e);
}

char *
alias_word(const char *address, char *dst, size_t size)
{
	struct addr a;

	if (addr_split(address, &a) == -1 || a.local[0] == '\0') {
		str_copy(dst, size, address);
		return dst;
	}
	/* It would be a comment; and has no other need of quotes. */
	if (a.local[0] == '#' && strpbrk(addr_format(&a, dst, size),
	    "\"") == NULL) {
		snprintf(dst, size, "\"%s\"@%s", a.local, a.domain);
		return dst;
	}
	return addr_format(&a, dst, size);
}

static void
write_entry(FILE *fp, const char *address, const char *const *targets,
    size_t n)
{
	char word[2 * ADDR_MAX];
	size_t i, column, len;

	column = (size_t)fprintf(fp, "%s:", alias_word(address, word,
	    sizeof(word)));
	for (i = 0; i < n; i++) {
		len = strlen(alias_word(targets[i], word, sizeof(word)));
		if (i > 0 && column + len + 2 > LINE_WIDTH)
			column = (size_t)fprintf(fp, ",\n   ") - 2;
		else if (i > 0)
			column += (size_t)fprintf(fp, ",");
		column += (size_t)fprintf(fp, " %s", word);
	}
	fputc('\n', fp);
}

/* The comments of the lines of an entry, each on a line of its own. */
static void
write_comments(FILE *fp, const char *s, size_t len)
{
	const char *end = s + len, *lf;
	size_t n, at;

	for (; s < end; s += n + (lf != NULL)) {
		lf = memchr(s, '\n', (size_t)(end - s));
		n = lf != NULL ? (size_t)(lf - s) : (size_t)(end - s);
		if ((at = alias_comment(s, n)) < n)
			fprintf(fp, "%.*s\n", (int)(n - at), s + at);
	}
}

/* Where line number `line' begins; the end when there are fewer. */
static size_t
line_start(const char *text, size_t len, size_t line)
{
	const char *p = text, *lf;

	while (--line > 0) {
		lf = memchr(p, '\n', len - (size_t)(p - text));
		if (lf == NULL)
			return len;
		p = lf + 1;
	}
	return (size_t)(p - text);
}

char *
alias_text_with(const char *text, size_t len, const struct alias *a,
    const char *address, const char *const *targets, size_t n,
    size_t *newlen)
{
	size_t from = len, to = len;
	char *out = NULL;
	FILE *fp;
	bool bad;

	if ((fp = open_memstream(&out, newlen)) == NULL)
		return NULL;
	if (a != NULL) {
		from = line_start(text, len, a->line);
		to = line_start(text, len, a->last + 1);
	}
	fwrite(text, 1, from, fp);
	if (from > 0 && text[from - 1] != '\n')
		fputc('\n', fp);
	write_comments(fp, text + from, to - from);
	if (n > 0)
		write_entry(fp, address, targets, n);
	fwrite(text + to, 1, len - to, fp);
	bad = ferror(fp) != 0;
	if (fclose(fp) == EOF || bad) {
		free(out);
		errno = ENOMEM;
		return NULL;
	}
	return out;
}
