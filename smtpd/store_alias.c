/* SPDX-License-Identifier: ISC */
/*
 * Following the alias file, see store_alias.h. Runs in the main thread of
 * smtpd-store. The file is the administrator's and is looked at before every
 * MAIL and RCPT; a session has no influence on it but when that is. One that
 * was found bad is not read again until it changes.
 */
#include "smtpd/store_alias.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/file.h"
#include "lib/log.h"

#define COMPLAINTS_MAX	20	/* lines of log for one reading */
#define RETRY_MS	1000	/* after a fault that may pass by itself */

struct aliases {
	const struct conf	*conf;
	char			*folder;
	const char		*name;
	int			 dir;		/* -1: there is none */
	struct alias_table	*table;
	struct stat		 st;		/* of the file last seen, */
	bool			 seen;		/* if there was one */
	bool			 known;
	bool			 failing;	/* and it was said */
	uint64_t		 retry_at;
	size_t			 complaints;
};

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	    a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	    a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void
on_fault(void *arg, size_t line, const char *text)
{
	struct aliases *a = arg;

	a->complaints++;
	if (a->complaints <= COMPLAINTS_MAX)
		log_warn("aliases: %s:%zu: %s", a->conf->aliases, line, text);
	else if (a->complaints == COMPLAINTS_MAX + 1)
		log_warn("aliases: %s: more lines are wrong",
		    a->conf->aliases);
}

/* The text of the file in one allocation; NULL and errno. */
static char *
load(struct aliases *a, size_t *len)
{
	char *text = NULL;
	int fd, saved;

	fd = file_open_below(a->dir, a->name, O_RDONLY | O_NONBLOCK |
	    O_NOCTTY, 0);
	if (fd == -1)
		return NULL;
	if (fstat(fd, &a->st) == -1)
		goto out;
	if (!S_ISREG(a->st.st_mode)) {
		errno = EINVAL;
		goto out;
	}
	if (a->st.st_size > (off_t)ALIAS_FILE_MAX) {
		errno = EFBIG;
		goto out;
	}
	/* One that grows meanwhile is EFBIG now, and another to same_file(). */
	text = (char *)file_load(fd, (size_t)a->st.st_size, len);
out:
	saved = errno;
	close(fd);
	errno = saved;
	return text;
}

static void
cannot_read(struct aliases *a, uint64_t now, int error)
{
	if (!a->failing)
		log_err("aliases: cannot read file=%s: %s", a->conf->aliases,
		    strerror(error));
	a->failing = true;
	/* What is too large stays so, and reading it again takes long. */
	a->retry_at = error == EFBIG ? 0 : now + RETRY_MS;
}

/* A new table. One with errors counts only until there was one without. */
static void
take(struct aliases *a, struct alias_table *t)
{
	if (alias_errors(t) > 0 && a->known) {
		log_err("aliases: file=%s errors=%zu: what was read before "
		    "stays in effect", a->conf->aliases, alias_errors(t));
		alias_free(&t);
		return;
	}
	a->known = alias_errors(t) == 0;
	alias_free(&a->table);
	a->table = t;
	log_info("aliases: read file=%s aliases=%zu errors=%zu refused=%zu",
	    a->conf->aliases, alias_count(t), alias_errors(t),
	    alias_refused(t));
}

static void
read_again(struct aliases *a, uint64_t now)
{
	struct alias_table *t = NULL;
	size_t len = 0;
	char *text;

	if ((text = load(a, &len)) != NULL) {
		a->complaints = 0;
		t = alias_read(text, len, a->conf, on_fault, a);
	}
	if (t == NULL)
		cannot_read(a, now, errno);
	free(text);
	if (t == NULL)
		return;
	a->failing = false;
	a->retry_at = 0;
	take(a, t);
}

static void
is_gone(struct aliases *a)
{
	if (a->seen)
		log_notice("aliases: there is no file=%s any more",
		    a->conf->aliases);
	alias_free(&a->table);
	a->seen = false;
	a->failing = false;
	a->retry_at = 0;
	a->known = true;
}

void
aliases_follow(struct aliases *a, uint64_t now)
{
	struct stat st;

	if (a->dir == -1 || now < a->retry_at)
		return;
	if (fstatat(a->dir, a->name, &st, AT_SYMLINK_NOFOLLOW) == -1) {
		if (errno == ENOENT)
			is_gone(a);
		else
			cannot_read(a, now, errno);
		return;
	}
	if (a->seen && a->retry_at == 0 && same_file(&st, &a->st))
		return;
	a->seen = true;
	read_again(a, now);
}

struct aliases *
aliases_new(const struct conf *conf)
{
	struct aliases *a = calloc(1, sizeof(*a));
	char *slash;

	if (a == NULL)
		return NULL;
	a->conf = conf;
	a->dir = -1;
	a->known = true;
	if (conf->aliases == NULL)
		return a;
	if ((a->folder = strdup(conf->aliases)) == NULL) {
		aliases_free(&a);
		return NULL;
	}
	slash = strrchr(a->folder, '/');	/* an absolute path */
	a->name = conf->aliases + (slash + 1 - a->folder);
	slash[slash == a->folder ? 1 : 0] = '\0';
	a->dir = open(a->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (a->dir == -1 && errno != ENOENT)
		log_err("aliases: folder=%s: %m", a->folder);
	else if (a->dir == -1)
		log_info("aliases: there is no folder=%s", a->folder);
	a->known = a->dir == -1 && errno == ENOENT;
	aliases_follow(a, 0);
	return a;
}

void
aliases_free(struct aliases **ap)
{
	struct aliases *a = *ap;

	*ap = NULL;
	if (a == NULL)
		return;
	alias_free(&a->table);
	if (a->dir != -1)
		close(a->dir);
	free(a->folder);
	free(a);
}

const char *
aliases_folder(const struct aliases *a)
{
	return a->dir == -1 ? NULL : a->folder;
}

struct alias_table *
aliases_table(const struct aliases *a)
{
	return a->table;
}

bool
aliases_known(const struct aliases *a)
{
	return a->known;
}
