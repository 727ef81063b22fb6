/* SPDX-License-Identifier: ISC */
/*
 * A master's part in the numbers: a file for each process, whose head it
 * writes, and its own, to which it adds what those that have ended counted,
 * so that no counter goes back. What processes wrote is read as octets, and
 * checked. All may read the files: they hold sums, no name and no address,
 * and who collects them needs no rights; a site may close run_dir.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/master_impl.h"
#include "lib/stats_page.h"

struct master_stats {
	int			 dir;
	int			 fd;	/* the master's own file, locked */
	struct stats_head	 head;
};

static uint64_t
seconds(void)
{
	struct timespec now = { 0, 0 };

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec;
}

static int
write_at(int fd, const void *data, size_t len, off_t at)
{
	ssize_t n = pwrite(fd, data, len, at);

	if (n >= 0 && (size_t)n != len)
		errno = ENOSPC;
	return n == (ssize_t)len ? 0 : -1;
}

/*
 * A new file with this head and values of 0, all of it allocated: a process
 * that adds to a number must not meet a full disk (SIGBUS).
 */
static int
make_file(int dir, const char *name, const struct stats_head *head,
    mode_t mode)
{
	static const uint64_t zeros[STATS_SLOTS];
	int fd, error;

	if (unlinkat(dir, name, 0) == -1 && errno != ENOENT)
		return -1;
	fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	if (fchmod(fd, mode) == 0 &&
	    write_at(fd, zeros, sizeof(zeros), STATS_VALUES_AT) == 0 &&
	    write_at(fd, head, sizeof(*head), 0) == 0)
		return fd;
	error = errno;
	unlinkat(dir, name, 0);
	close(fd);
	errno = error;
	return -1;
}

/*
 * Does a master that lives hold the file? All may read it, and so lock it for
 * reading: that is not looked for.
 */
static bool
is_held(int dir, const char *name)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	bool held;

	if (fd == -1)
		return false;
	held = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
	close(fd);
	return held;
}

/* What a master of this service that was killed has left. */
static void
remove_old(int dir, const char *service)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t len = strlen(service);
	struct dirent *e;
	DIR *d;

	if (fd == -1 || (d = fdopendir(fd)) == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	while ((e = readdir(d)) != NULL)
		if (strncmp(e->d_name, service, len) == 0 &&
		    e->d_name[len] == '.')
			unlinkat(dir, e->d_name, 0);
	closedir(d);
}

/* The lock says that this master lives; no other is put in its place. */
static int
open_own(struct master_stats *s, const char *service)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char name[128];

	snprintf(name, sizeof(name), "%s." STATS_MASTER, service);
	if (is_held(s->dir, name)) {
		errno = EBUSY;
		return -1;
	}
	remove_old(s->dir, service);
	stats_head_make(&s->head, ROLE_NONE, 0, (int32_t)getpid(), seconds());
	if ((s->fd = make_file(s->dir, name, &s->head, 0600)) == -1)
		return -1;
	/* Locked before others can open it, and with that lock it. */
	return fcntl(s->fd, F_OFD_SETLK, &lock) == -1 ? -1 :
	    fchmod(s->fd, 0644);
}

static int
open_folder(const char *run_dir)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/" STATS_FOLDER, run_dir);
	if (mkdir(path, 0755) == -1 && errno != EEXIST)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* The mask of who started us does not count. */
	if (fd != -1 && fchmod(fd, 0755) == -1 && errno != EPERM) {
		close(fd);
		fd = -1;
	}
	return fd;
}

void
numbers_open(struct master *m, const struct conf *conf)
{
	struct master_stats *s = calloc(1, sizeof(*s));
	void *p;

	if (s == NULL)
		return;
	s->fd = -1;
	if ((s->dir = open_folder(conf->run_dir)) == -1 ||
	    open_own(s, m->spec->name) == -1)
		goto fail;
	/* What it logs itself it counts itself. */
	p = mmap(NULL, STATS_VALUES_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
	    s->fd, STATS_VALUES_AT);
	if (p == MAP_FAILED)
		goto fail;
	memcpy(p, stats_own, STATS_VALUES_SIZE);
	stats_own = p;
	m->stats = s;
	return;

fail:
	log_warn("master: no numbers are kept: %s/" STATS_FOLDER ": %m",
	    conf->run_dir);
	if (s->fd != -1)
		close(s->fd);
	if (s->dir != -1)
		close(s->dir);
	free(s);
}

static void
file_name(const struct child *c, char *name, size_t size)
{
	snprintf(name, size, "%s.%s.%u", c->generation->master->spec->name,
	    role_name(c->spec->role), c->instance);
}

void
numbers_child(struct child *c)
{
	struct master_stats *s = c->generation->master->stats;
	struct stats_head head;
	char name[128];

	if (s == NULL)
		return;
	stats_head_make(&head, c->spec->role, c->instance, (int32_t)c->pid,
	    seconds());
	file_name(c, name, sizeof(name));
	if ((c->stats_fd = make_file(s->dir, name, &head, 0644)) == -1)
		log_warn("master: no numbers are kept: %s: %m", name);
}

/* One who reads sees an odd number of turns, or another one afterwards. */
static void
turn(struct master_stats *s)
{
	s->head.turns++;
	if (write_at(s->fd, &s->head, sizeof(s->head), 0) == -1)
		log_warn("master: numbers: %m");
}

/* Add what it has counted to what the service has. */
static void
take_over(const struct child *c)
{
	uint64_t value[STATS_SLOTS];
	struct stats_head head;
	struct stats_page page;
	ssize_t h, v;

	h = pread(c->stats_fd, &head, sizeof(head), 0);
	v = pread(c->stats_fd, value, sizeof(value), STATS_VALUES_AT);
	if (h < 0 || v < 0 || stats_decode(&head, (size_t)h, value, (size_t)v,
	    seconds(), &page) == -1) {
		log_warn("master: numbers of role=%s pid=%d are lost",
		    role_name(c->spec->role), (int)c->pid);
		return;
	}
	if (page.bad > 0)
		log_warn("master: numbers of role=%s pid=%d: %u cannot be",
		    role_name(c->spec->role), (int)c->pid, page.bad);
	stats_sum(stats_own, &page, false);
}

void
numbers_child_ended(struct child *c, int status)
{
	struct master_stats *s = c->generation->master->stats;
	char name[128];

	stats_add(STATS_ENDS + (WIFSIGNALED(status) ? STATS_KILLED :
	    WEXITSTATUS(status) != 0 ? STATS_ENDED_BADLY :
	    STATS_ENDED_WELL), 1);
	if (s == NULL || c->stats_fd == -1)
		return;
	file_name(c, name, sizeof(name));
	turn(s);
	take_over(c);
	unlinkat(s->dir, name, 0);
	turn(s);
	close(c->stats_fd);
	c->stats_fd = -1;
}

void
numbers_close(struct master *m)
{
	struct master_stats *s = m->stats;

	if (s == NULL)
		return;
	remove_old(s->dir, m->spec->name);
	close(s->fd);
	close(s->dir);
	free(s);
	m->stats = NULL;
}
