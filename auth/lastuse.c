/* SPDX-License-Identifier: ISC */
/*
 * Times of last use. Runs in auth-server, in its event loop, and in
 * posternctl; the file is auth-server's, and read as strictly as any.
 * Invariant: what is kept is bounded by the app passwords there are.
 */
#include "auth/lastuse.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "auth/apppass.h"
#include "lib/file.h"
#include "lib/str.h"

#define FILE_MAX	((size_t)64 << 20)
#define TIME_MAX	253402300799	/* the end of the year 9999 */

struct lastuse {
	void	*tree;		/* tsearch(3), by login */
};

static int
compare(const void *x, const void *y)
{
	const struct lastuse_entry *a = x, *b = y;

	return strcmp(a->login, b->login);
}

struct lastuse *
lastuse_new(void)
{
	return calloc(1, sizeof(struct lastuse));
}

void
lastuse_free(struct lastuse **lp)
{
	struct lastuse *l = *lp;

	*lp = NULL;
	if (l != NULL)
		tdestroy(l->tree, free);
	free(l);
}

static struct lastuse_entry *
find(const struct lastuse *l, const char *login)
{
	struct lastuse_entry key;
	void *const *node;

	if (str_copy(key.login, sizeof(key.login), login) == -1)
		return NULL;
	node = tfind(&key, &l->tree, compare);
	return node == NULL ? NULL : *node;
}

const struct lastuse_entry *
lastuse_find(const struct lastuse *l, const char *login)
{
	return find(l, login);
}

const struct lastuse_entry *
lastuse_first(const struct lastuse *l)
{
	return l->tree == NULL ? NULL : *(struct lastuse_entry **)l->tree;
}

static bool
is_address(const char *s)
{
	return *s != '\0' && s[strspn(s, "0123456789abcdef:.")] == '\0';
}

static bool
is_good(const struct lastuse_entry *e)
{
	char user[ACCOUNTS_NAME_MAX], app[ACCOUNTS_APP_MAX];

	return apppass_split(e->login, user, app) && e->time <= TIME_MAX &&
	    (e->service == AUTH_SMTP || e->service == AUTH_HTTP) &&
	    is_address(e->address);
}

int
lastuse_add(struct lastuse *l, const struct lastuse_entry *from)
{
	struct lastuse_entry *e = find(l, from->login);

	if (!is_good(from)) {
		errno = EINVAL;
		return -1;
	}
	if (e != NULL) {
		if (e->time <= from->time)
			*e = *from;
		return 0;
	}
	if ((e = malloc(sizeof(*e))) == NULL)
		return -1;
	*e = *from;
	if (tsearch(e, &l->tree, compare) != NULL)
		return 0;
	free(e);
	errno = ENOMEM;
	return -1;
}

/* Cut the text at *p at the octet end or at last; false: it is not there. */
static bool
field(const char **p, const char *last, char end, char *out, size_t size)
{
	const char *q = memchr(*p, end, (size_t)(last - *p));
	bool ok;

	if (q == NULL)
		return false;
	ok = str_copyn(out, size, *p, (size_t)(q - *p)) == 0;
	*p = q + 1;
	return ok;
}

/* A line, from p to its LF at eol; what is wrong is left out. */
static int
take_line(struct lastuse *l, const char *p, const char *eol)
{
	const struct lastuse_entry *known;
	struct lastuse_entry e;
	char when[24], service[8];

	memset(&e, 0, sizeof(e));
	if (!field(&p, eol, '\t', e.login, sizeof(e.login)) ||
	    !field(&p, eol, '\t', when, sizeof(when)) ||
	    !field(&p, eol, '\t', service, sizeof(service)) ||
	    !field(&p, eol + 1, '\n', e.address, sizeof(e.address)) ||
	    str_u64(when, strlen(when), TIME_MAX, &e.time) == -1)
		return 0;
	/* Of two in one second what is known here is the later one. */
	known = find(l, e.login);
	if (known != NULL && known->time >= e.time)
		return 0;
	e.service = strcmp(service, "smtp") == 0 ? AUTH_SMTP :
	    strcmp(service, "http") == 0 ? AUTH_HTTP : AUTH_SERVICE_NONE;
	return lastuse_add(l, &e) == -1 && errno != EINVAL ? -1 : 0;
}

int
lastuse_read(struct lastuse *l, const char *path)
{
	unsigned char *data = NULL;
	const char *p, *end, *eol;
	struct stat st;
	size_t len = 0;
	int fd, rc = -1;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK |
	    O_NOFOLLOW);
	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	if (fstat(fd, &st) == -1)
		goto out;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		goto out;
	}
	if ((data = file_load(fd, FILE_MAX, &len)) == NULL)
		goto out;
	end = (const char *)data + len;
	/* A line without its LF was not written whole. */
	for (p = (const char *)data; p < end; p = eol + 1) {
		if ((eol = memchr(p, '\n', (size_t)(end - p))) == NULL)
			break;
		if (take_line(l, p, eol) == -1)
			goto out;
	}
	rc = 0;
out:
	free(data);
	close(fd);
	return rc;
}

/* What stays goes from one tree to the other, and into the file. */
struct move {
	const struct accounts	*accounts;
	struct lastuse		*to;
	FILE			*fp;
	bool			 failed;
};

static void
move_one(const void *node, VISIT which, void *arg)
{
	const struct lastuse_entry *e = *(struct lastuse_entry *const *)node;
	char user[ACCOUNTS_NAME_MAX], app[ACCOUNTS_APP_MAX];
	const struct account *line = NULL;
	struct move *m = arg;

	if ((which != postorder && which != leaf) || m->failed)
		return;
	if (apppass_split(e->login, user, app))
		line = accounts_find_app(m->accounts, user, app);
	if (line == NULL || e->time < line->created)
		return;
	fprintf(m->fp, "%s\t%" PRIu64 "\t%s\t%s\n", e->login, e->time,
	    e->service == AUTH_SMTP ? "smtp" : "http", e->address);
	if (lastuse_add(m->to, e) == -1)
		m->failed = true;
}

/* The new table, with its file written; NULL and errno. */
static struct lastuse *
write_new(const struct lastuse *l, const char *path,
    const struct accounts *accounts)
{
	struct move m = { .accounts = accounts };
	int fd, saved;

	if (unlink(path) == -1 && errno != ENOENT)
		return NULL;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (fd == -1)
		return NULL;
	if ((m.to = lastuse_new()) == NULL ||
	    (m.fp = fdopen(fd, "w")) == NULL) {
		saved = errno;
		close(fd);
		lastuse_free(&m.to);
		errno = saved;
		return NULL;
	}
	twalk_r(l->tree, move_one, &m);
	m.failed = m.failed || ferror(m.fp);
	if (fclose(m.fp) == EOF || m.failed)
		lastuse_free(&m.to);
	return m.to;
}

int
lastuse_write(struct lastuse *l, const char *path,
    const struct accounts *accounts)
{
	struct lastuse *next;
	char temp[4096];
	int n, saved;

	/* Two generations of auth-server may write at a time. */
	n = snprintf(temp, sizeof(temp), "%s.%ld", path, (long)getpid());
	if (n < 0 || (size_t)n >= sizeof(temp)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (lastuse_read(l, path) == -1)
		return -1;
	next = write_new(l, temp, accounts);
	if (next == NULL || renameat(AT_FDCWD, temp, AT_FDCWD, path) == -1) {
		saved = errno;
		unlink(temp);
		lastuse_free(&next);
		errno = saved;
		return -1;
	}
	tdestroy(l->tree, free);
	l->tree = next->tree;
	next->tree = NULL;
	lastuse_free(&next);
	return 0;
}
