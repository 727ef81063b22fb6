/* SPDX-License-Identifier: ISC */
/*
 * Reading the stats files, see numbers.h. Part of posternctl. A file may be
 * cut short, of another version, or be replaced at any moment.
 */
#include "admin/numbers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TRIES	8	/* while masters take over from processes */

#define R(role)		(1U << ROLE_##role)

static const struct {
	const char	*name, *program;
	uint32_t	 roles;
} services[NUMBERS_SERVICES] = {
	{ "auth", "postern-auth",
	    R(NONE) | R(AUTH_SERVER) | R(AUTH_SASL) },
	{ "smtpd", "postern-smtpd",
	    R(NONE) | R(TLS_KEYS) | R(SMTPD_SESSION) | R(SMTPD_STORE) },
	{ "retrieve", "postern-retrieve",
	    R(NONE) | R(TLS_KEYS) | R(RETRIEVE_SESSION) |
	    R(RETRIEVE_READER) },
};

/* What is no plain file cannot be read at a place, see read_page(). */
static int
open_file(int dir, const char *name)
{
	return openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC);
}

static int
read_page(int fd, uint64_t now, struct stats_page *p)
{
	unsigned char value[STATS_VALUES_SIZE];
	struct stats_head head;
	ssize_t h = pread(fd, &head, sizeof(head), 0);
	ssize_t v = pread(fd, value, sizeof(value), STATS_VALUES_AT);

	if (h < 0 || v < 0)
		return -1;
	errno = EINVAL;
	return stats_decode(&head, (size_t)h, value, (size_t)v, now, p);
}

/* Its master holds a lock on its file for as long as it lives. */
static bool
is_held(int fd)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static void
add_process(struct numbers_service *s, const struct stats_page *p)
{
	struct numbers_process *q;

	stats_sum(s->value, p, true);
	s->bad += p->bad;
	if (s->n == NUMBERS_PROCESSES)
		return;
	q = &s->process[s->n++];
	q->head = p->head;
	for (unsigned i = STATS_CLEAR; i <= STATS_TRANSACTION; i++)
		q->sessions += p->value[STATS_SESSIONS + i];
}

/* Is it the file of a process of this service? */
static bool
is_child(const struct numbers_service *s, const char *name)
{
	size_t len = strlen(s->program);

	return strncmp(name, s->program, len) == 0 && name[len] == '.' &&
	    strcmp(name + len + 1, STATS_MASTER) != 0;
}

static void
read_child(struct numbers_service *s, int dir, const char *name, uint64_t now)
{
	struct stats_page page;
	int fd = open_file(dir, name);

	if (fd == -1 && errno == ENOENT)
		return;		/* it has just ended */
	if (fd == -1 || read_page(fd, now, &page) == -1 ||
	    page.head.role == ROLE_NONE ||
	    (s->roles & 1U << page.head.role) == 0)
		s->unread++;
	else
		add_process(s, &page);
	if (fd != -1)
		close(fd);
}

static void
read_children(struct numbers_service *s, int dir, uint64_t now)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *e;
	DIR *d;

	if (fd == -1 || (d = fdopendir(fd)) == NULL) {
		s->unread++;
		if (fd != -1)
			close(fd);
		return;
	}
	while ((e = readdir(d)) != NULL)
		if (is_child(s, e->d_name))
			read_child(s, dir, e->d_name, now);
	closedir(d);
}

static void
clear(struct numbers_service *s)
{
	memset(s->value, 0, sizeof(s->value));
	memset(s->process, 0, sizeof(s->process));
	s->n = 0;
	s->unread = s->bad = 0;
}

/* True unless the master took numbers over meanwhile: they moved. */
static bool
read_all(struct numbers_service *s, int dir, int fd, uint64_t now)
{
	struct stats_page before, after;

	if (read_page(fd, now, &before) == -1) {
		s->state = NUMBERS_UNREADABLE;
		return true;
	}
	clear(s);
	s->state = NUMBERS_UP;
	read_children(s, dir, now);
	if (read_page(fd, now, &after) == -1) {
		s->state = NUMBERS_UNREADABLE;
		return true;
	}
	s->master = after.head;
	stats_sum(s->value, &after, false);
	return before.head.turns == after.head.turns &&
	    after.head.turns % 2 == 0;
}

static int
compare(const void *a, const void *b)
{
	const struct stats_head *x = a, *y = b;

	return (x->instance > y->instance) - (x->instance < y->instance);
}

static void
read_service(struct numbers_service *s, int dir, uint64_t now)
{
	char name[64];
	int fd, i;

	snprintf(name, sizeof(name), "%s." STATS_MASTER, s->program);
	if ((fd = open_file(dir, name)) == -1) {
		s->state = errno == ENOENT ? NUMBERS_NONE :
		    NUMBERS_UNREADABLE;
		return;
	}
	if (!is_held(fd))
		s->state = NUMBERS_STALE;
	else
		for (i = 0; i < TRIES && !read_all(s, dir, fd, now); i++)
			;
	close(fd);
	qsort(s->process, s->n, sizeof(s->process[0]), compare);
}

struct numbers *
numbers_read(const char *run_dir)
{
	struct numbers *n = calloc(1, sizeof(*n));
	char path[4096];
	int dir;

	if (n == NULL)
		return NULL;
	n->now = (uint64_t)time(NULL);
	snprintf(path, sizeof(path), "%s/" STATS_FOLDER, run_dir);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < NUMBERS_SERVICES; i++) {
		struct numbers_service *s = &n->service[i];

		s->name = services[i].name;
		s->program = services[i].program;
		s->roles = services[i].roles;
		if (dir != -1)
			read_service(s, dir, n->now);
		else if (errno != ENOENT)
			s->state = NUMBERS_UNREADABLE;
	}
	if (dir != -1)
		close(dir);
	return n;
}
