/* SPDX-License-Identifier: ISC */
/*
 * Making mailboxes. Linked into posternctl, often run as root, while the
 * folders below the mail root belong to postern-store: so each step is taken
 * from an open folder, follows no link, and gives away only what it has made
 * itself.
 */
#include "admin/mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/accounts.h"
#include "mail/addr.h"

#define PLACE_MAX	(3 * ADDR_MAX + 2)	/* each octet as %HH */

const char *
mailbox_owner(struct mailbox_owner *owner)
{
	struct passwd *pw;
	struct group *gr;

	*owner = (struct mailbox_owner){ .set = false };
	if (geteuid() != 0)
		return NULL;
	if ((pw = getpwnam(MAILBOX_USER)) == NULL)
		return MAILBOX_USER;
	owner->uid = pw->pw_uid;
	if ((gr = getgrnam(MAILBOX_GROUP)) == NULL)
		return MAILBOX_GROUP;
	owner->gid = gr->gr_gid;
	owner->set = true;
	return NULL;
}

/* "domain/local" of a canonical name, in which nothing is quoted. */
static int
place(const char *user, char dst[PLACE_MAX])
{
	struct addr addr;

	if (addr_split(user, &addr) == -1)
		return -1;
	return addr_to_path(&addr, dst, PLACE_MAX);
}

int
mailbox_path(const char *root, const char *user, char *dst, size_t size)
{
	char rest[PLACE_MAX];
	int n;

	if (place(user, rest) == -1)
		return -1;
	n = snprintf(dst, size, "%s/%s", root, rest);
	if (n >= 0 && (size_t)n < size)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

static int
open_folder(int dir, const char *name, int flags)
{
	return openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
}

/* Complete a folder just made: it is ours still, so nobody has swapped it. */
static int
hand_over(int fd, const struct mailbox_owner *owner)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -1;
	if (st.st_uid != geteuid()) {
		errno = EPERM;
		return -1;
	}
	if (owner->set && fchown(fd, owner->uid, owner->gid) == -1)
		return -1;
	return fchmod(fd, MAILBOX_MODE);
}

/* Open the folder name in dir, making it if need be; *made tells. */
static int
enter(int dir, const char *name, const struct mailbox_owner *owner,
    bool *made)
{
	int fd, saved;

	*made = mkdirat(dir, name, 0700) == 0;
	if (!*made && errno != EEXIST)
		return -1;
	if ((fd = open_folder(dir, name, O_NOFOLLOW)) == -1)
		return -1;
	if (!*made || hand_over(fd, owner) == 0)
		return fd;
	saved = errno;
	close(fd);
	unlinkat(dir, name, AT_REMOVEDIR);
	errno = saved;
	return -1;
}

/* The mail root may be a link, and may lie anywhere: it is of the conf. */
static int
enter_root(const char *root, const struct mailbox_owner *owner)
{
	int fd;

	if ((fd = open_folder(AT_FDCWD, root, 0)) != -1 || errno != ENOENT)
		return fd;
	if (mkdir(root, 0700) == -1 ||
	    (fd = open_folder(AT_FDCWD, root, O_NOFOLLOW)) == -1)
		return -1;
	if (hand_over(fd, owner) == 0)
		return fd;
	close(fd);
	return -1;
}

int
mailbox_make(const char *root, const char *user,
    const struct mailbox_owner *owner)
{
	char path[PLACE_MAX], *local;
	int top = -1, domain = -1, box = -1, r = -1, saved;
	bool made = false;

	if (place(user, path) == -1)
		return -1;
	local = strchr(path, '/');
	*local++ = '\0';
	if ((top = enter_root(root, owner)) == -1 ||
	    (domain = enter(top, path, owner, &made)) == -1 ||
	    (box = enter(domain, local, owner, &made)) == -1)
		goto out;
	r = made ? 1 : 0;
out:
	saved = errno;
	if (box != -1)
		close(box);
	if (domain != -1)
		close(domain);
	if (top != -1)
		close(top);
	errno = saved;
	return r;
}

int
mailbox_sync(const char *root)
{
	int fd, r, saved;

	if ((fd = open_folder(AT_FDCWD, root, 0)) == -1)
		return -1;
	r = syncfs(fd);
	saved = errno;
	close(fd);
	errno = saved;
	return r;
}

void
mailbox_unmake(const char *root, const char *user)
{
	char path[PLACE_MAX], *local;
	int top, domain = -1;

	if (place(user, path) == -1 || (top = open_folder(AT_FDCWD, root,
	    0)) == -1)
		return;
	local = strchr(path, '/');
	*local++ = '\0';
	if ((domain = open_folder(top, path, O_NOFOLLOW)) != -1) {
		unlinkat(domain, local, AT_REMOVEDIR);
		close(domain);
	}
	close(top);
}

static int
stat_mailbox(const char *root, const char *address)
{
	char path[PATH_MAX];
	struct stat st;

	if (mailbox_path(root, address, path, sizeof(path)) == -1 ||
	    stat(path, &st) == -1)
		return -1;
	if (S_ISDIR(st.st_mode))
		return 0;
	errno = ENOTDIR;
	return -1;
}

bool
mailbox_is_there(const char *root, const char *address)
{
	return stat_mailbox(root, address) == 0;
}

static bool
is_absent(const char *root, const char *address)
{
	return stat_mailbox(root, address) == -1 &&
	    (errno == ENOENT || errno == ENOTDIR);
}

bool
mailbox_is_missing(const char *root, const char *address)
{
	char base[ADDR_MAX + 1];
	struct addr a;

	if (addr_split(address, &a) == -1 || !is_absent(root, address))
		return false;
	addr_strip_tag(&a);
	return is_absent(root, addr_join(&a, base, sizeof(base)));
}
