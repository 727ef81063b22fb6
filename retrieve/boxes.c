/* SPDX-License-Identifier: ISC */
/*
 * Mailboxes, run by retrieve-reader. Names and numbers come from a file
 * system that other programs write to as well; nothing is written here.
 */
#include "retrieve/boxes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/str.h"
#include "mail/addr.h"

#define BOXES_CHAINS	1024	/* a power of two */
#define SCAN_TRIES	3
/*
 * A folder that changed so shortly before it was read may change again
 * without its mtime showing it: the kernel's clock ticks 100 times a second
 * at least, that of an old file system every second or two.
 */
#define SETTLE_NS	100000000LL
#define SETTLE_COARSE	2000000000LL
#define NS		1000000000LL
#define PATH_SIZE	1400	/* domain, local part (escaped), name */

struct stamp {
	bool	there;
	ino_t	ino;
	int64_t	mtime;
};

struct box {
	LIST_ENTRY(box)		 chain;
	TAILQ_ENTRY(box)	 use;		/* the latest first */
	struct index		*index;
	struct stamp		 folders[2];	/* new/, cur/ */
	bool			 settled;
	size_t			 bytes;
	char			 user[];
};

struct boxes {
	int			 root;
	unsigned char		 key[SIPHASH_KEY];
	size_t			 max, bytes;
	TAILQ_HEAD(box_list, box) used;
	LIST_HEAD(, box)	 chains[BOXES_CHAINS];
};

struct boxes *
boxes_new(int root, const unsigned char key[SIPHASH_KEY], size_t bytes)
{
	struct boxes	*b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->root = root;
	b->max = bytes;
	memcpy(b->key, key, sizeof(b->key));
	TAILQ_INIT(&b->used);
	return b;
}

static void
forget(struct boxes *b, struct box *box)
{
	LIST_REMOVE(box, chain);
	TAILQ_REMOVE(&b->used, box, use);
	b->bytes -= box->bytes;
	index_release(&box->index);
	free(box);
}

void
boxes_free(struct boxes **bp)
{
	struct boxes	*b = *bp;

	*bp = NULL;
	if (b == NULL)
		return;
	while (!TAILQ_EMPTY(&b->used))
		forget(b, TAILQ_FIRST(&b->used));
	free(b);
}

static size_t
chain_of(const struct boxes *b, const char *user)
{
	unsigned char	out[SIPHASH_SIZE];
	struct siphash	h;

	siphash_init(&h, b->key);
	siphash_add_string(&h, user);
	siphash_end(&h, out);
	return (out[0] | (size_t)out[1] << 8) & (BOXES_CHAINS - 1);
}

static struct box *
find(struct boxes *b, const char *user)
{
	struct box	*box;

	LIST_FOREACH(box, &b->chains[chain_of(b, user)], chain)
		if (strcmp(box->user, user) == 0)
			return box;
	return NULL;
}

static struct box *
find_or_make(struct boxes *b, const char *user)
{
	struct box	*box = find(b, user);
	size_t		 n = strlen(user) + 1;

	if (box == NULL) {
		if ((box = calloc(1, sizeof(*box) + n)) == NULL)
			return NULL;
		memcpy(box->user, user, n);
		LIST_INSERT_HEAD(&b->chains[chain_of(b, user)], box, chain);
	} else {
		TAILQ_REMOVE(&b->used, box, use);
	}
	TAILQ_INSERT_HEAD(&b->used, box, use);
	return box;
}

/* Forget the mailboxes not used for longest until the rest fits. */
static void
fit(struct boxes *b, const struct box *keep)
{
	struct box	*box;

	while (b->bytes > b->max &&
	    (box = TAILQ_LAST(&b->used, box_list)) != keep)
		forget(b, box);
}

static void
recount(struct boxes *b, struct box *box, size_t bytes)
{
	b->bytes -= box->bytes;
	box->bytes = bytes;
	b->bytes += bytes;
	fit(b, box);
}

void
boxes_charge(struct boxes *b, const char *user, size_t n)
{
	struct box	*box = find(b, user);

	if (box == NULL)
		return;
	recount(b, box, box->bytes + n);
	if (b->bytes > b->max) {
		/* One mailbox alone is too much: keep its bones. */
		index_shrink(box->index);
		recount(b, box, sizeof(*box) + index_bytes(box->index));
	}
}

/* The mailbox's folder or a file in it, relative to the root. */
static int
make_path(char path[PATH_SIZE], const char *user, bool fresh,
    const char *name)
{
	char		place[PATH_SIZE];
	struct addr	a;
	int		n;

	if (addr_split(user, &a) == -1 || a.domain[0] == '\0' ||
	    addr_to_path(&a, place, sizeof(place)) == -1) {
		errno = EINVAL;
		return -1;
	}
	n = snprintf(path, PATH_SIZE, "%s/Maildir/%s%s%s", place,
	    fresh ? "new" : "cur", name != NULL ? "/" : "",
	    name != NULL ? name : "");
	if (n < 0 || n >= PATH_SIZE) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

bool
boxes_reachable(const struct boxes *b)
{
	struct stat	st;
	bool		there;
	int		fd;

	fd = file_open_below(b->root, ".", O_RDONLY | O_DIRECTORY, 0);
	if (fd == -1)
		return false;
	there = fstat(fd, &st) == 0 && st.st_nlink > 0;
	close(fd);
	return there;
}

static int64_t
mtime_of(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * NS + st->st_mtim.tv_nsec;
}

int
boxes_open(struct boxes *b, const char *user, bool fresh, const char *name,
    struct stat *st)
{
	char	path[PATH_SIZE];
	int	fd;

	if (make_path(path, user, fresh, name) == -1)
		return -1;
	/* O_NONBLOCK: a FIFO put there must not stop us. */
	fd = file_open_below(b->root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY,
	    0);
	if (fd == -1)
		return -1;
	if (fstat(fd, st) == -1 || !S_ISREG(st->st_mode)) {
		close(fd);
		errno = ENOENT;
		return -1;
	}
	return fd;
}

/* Open new/ or cur/ and note its state. fd, -1 when it is not there, -2. */
static int
open_folder(const struct boxes *b, const char *user, bool fresh,
    struct stamp *stamp)
{
	char		path[PATH_SIZE];
	struct stat	st;
	int		fd;

	memset(stamp, 0, sizeof(*stamp));
	if (make_path(path, user, fresh, NULL) == -1)
		return -2;
	fd = file_open_below(b->root, path, O_RDONLY | O_DIRECTORY, 0);
	if (fd == -1)
		return errno == ENOENT ? -1 : -2;
	if (fstat(fd, &st) == -1) {
		close(fd);
		return -2;
	}
	stamp->there = true;
	stamp->ino = st.st_ino;
	stamp->mtime = mtime_of(&st);
	return fd;
}

static bool
same_stamp(const struct stamp *a, const struct stamp *b)
{
	return a->there == b->there && a->ino == b->ino &&
	    a->mtime == b->mtime;
}

static int
add_file(struct index *x, int dir, const char *name, bool fresh)
{
	struct index_entry	e;
	struct stat		st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISREG(st.st_mode))
		return 0;
	memset(&e, 0, sizeof(e));
	e.mtime = mtime_of(&st);
	e.stored = (uint64_t)st.st_size;
	e.ino = (uint64_t)st.st_ino;
	return index_add(x, name, fresh, &e);
}

/* Take fd over. 0, or -1 with errno. */
static int
scan_folder(struct index *x, int fd, bool fresh)
{
	struct dirent	*d;
	DIR		*dir;
	int		 saved;

	if (fd == -1)
		return 0;
	if ((dir = fdopendir(fd)) == NULL) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	for (;;) {
		errno = 0;
		if ((d = readdir(dir)) == NULL)
			break;
		if (d->d_name[0] != '.' &&
		    add_file(x, dirfd(dir), d->d_name, fresh) == -1)
			break;
	}
	saved = errno;
	closedir(dir);
	errno = saved;
	return saved == 0 ? 0 : -1;
}

static void
close_folders(int fds[2])
{
	int	saved = errno, i;

	for (i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	errno = saved;
}

/* Both folders, new/ first: what moves meanwhile is seen at least once. */
static int
open_folders(const struct boxes *b, const char *user, int fds[2],
    struct stamp stamps[2])
{
	fds[1] = -1;
	fds[0] = open_folder(b, user, true, &stamps[0]);
	if (fds[0] != -2)
		fds[1] = open_folder(b, user, false, &stamps[1]);
	if (fds[0] != -2 && fds[1] != -2)
		return 0;
	close_folders(fds);
	return -1;
}

static int64_t
now_ns(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * NS + ts.tv_nsec;
}

/*
 * Read both folders (fds taken over) into a new index, which comes after
 * the one before (or NULL); keep: with what the box's has. NULL and errno.
 */
static struct index *
scan(struct boxes *b, struct box *box, int fds[2], struct stamp stamps[2],
    const struct index *before, bool keep)
{
	struct index	*x = index_new();
	int64_t		 now = now_ns();
	int		 i, saved;

	if (x == NULL) {
		close_folders(fds);
		return NULL;
	}
	box->settled = true;
	for (i = 0; i < 2; i++) {
		box->folders[i] = stamps[i];
		if (stamps[i].there && now - stamps[i].mtime <
		    (stamps[i].mtime % NS == 0 ? SETTLE_COARSE : SETTLE_NS))
			box->settled = false;
	}
	if (scan_folder(x, fds[0], true) == -1) {
		fds[0] = -1;
		close_folders(fds);
		goto fail;
	}
	if (scan_folder(x, fds[1], false) == -1 ||
	    (keep && index_keep(x, box->index) == -1) ||
	    index_finish(x, before, b->key) == -1)
		goto fail;
	return x;
fail:
	saved = errno;
	index_release(&x);
	errno = saved;
	return NULL;
}

/* Are the folders as they were when they were read? */
static bool
same_folders(const struct box *box, const struct stamp stamps[2])
{
	return box->index != NULL && same_stamp(&stamps[0],
	    &box->folders[0]) && same_stamp(&stamps[1], &box->folders[1]);
}

/*
 * Read the box until it did not change meanwhile. The last try must do,
 * though it may miss something. 0, or -1 with errno.
 */
static int
read_again(struct boxes *b, struct box *box, bool again,
    const struct index *before)
{
	struct stamp	 stamps[2];
	struct index	*x;
	int		 fds[2], tries;

	for (tries = 0; tries < SCAN_TRIES; tries++) {
		if (open_folders(b, box->user, fds, stamps) == -1)
			return -1;
		if ((tries > 0 || (box->settled && !again)) &&
		    same_folders(box, stamps)) {
			close_folders(fds);
			return 0;
		}
		if ((x = scan(b, box, fds, stamps, before,
		    tries == SCAN_TRIES - 1)) == NULL)
			return -1;
		if (box->index != NULL)
			index_inherit(x, box->index);
		index_release(&box->index);
		box->index = x;
		recount(b, box, sizeof(*box) + index_bytes(x));
	}
	box->settled = false;
	return 0;
}

/* Bring the box up to date. 0, or -1 with errno. */
static int
refresh(struct boxes *b, struct box *box, bool again)
{
	struct index	*before = box->index;
	int		 r, saved;

	if (before != NULL)
		index_hold(before);
	r = read_again(b, box, again, before);
	saved = errno;
	index_release(&before);
	errno = saved;
	return r;
}

struct index *
boxes_get(struct boxes *b, const char *user, bool again)
{
	struct box	*box = find_or_make(b, user);
	int		 saved;

	if (box == NULL)
		return NULL;
	if (refresh(b, box, again) == -1) {
		saved = errno;
		forget(b, box);
		errno = saved;
		return NULL;
	}
	index_hold(box->index);
	return box->index;
}
