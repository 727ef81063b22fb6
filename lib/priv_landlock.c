/* SPDX-License-Identifier: ISC */
/*
 * Landlock by its raw system calls, for the ABI the kernel has: what is not
 * granted below a listed path is refused, TCP and (from ABI 6) signals and
 * abstract sockets included. What the kernel lacks is logged.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/priv_impl.h"

/* What newer headers name. */
#define FS_REFER	(1ULL << 13)	/* ABI 2 */
#define FS_TRUNCATE	(1ULL << 14)	/* ABI 3 */
#define FS_IOCTL_DEV	(1ULL << 15)	/* ABI 5 */
#define NET_ALL		3ULL		/* ABI 4: bind and connect TCP */
#define SCOPE_ALL	3ULL		/* ABI 6: abstract sockets, signals */
#define FS_ABI1		((1ULL << 13) - 1)

/* struct landlock_ruleset_attr as of ABI 6; older kernels take a prefix. */
struct ruleset_attr {
	uint64_t	fs;
	uint64_t	net;
	uint64_t	scope;
};

static uint64_t
handled_fs(long abi)
{
	uint64_t fs = FS_ABI1;

	if (abi >= 2)
		fs |= FS_REFER;
	if (abi >= 3)
		fs |= FS_TRUNCATE;
	if (abi >= 5)
		fs |= FS_IOCTL_DEV;
	return fs;
}

static uint64_t
rights_of(unsigned access)
{
	uint64_t fs = 0;

	if (access & PRIV_READ)
		fs |= LANDLOCK_ACCESS_FS_READ_FILE |
		    LANDLOCK_ACCESS_FS_READ_DIR;
	if (access & PRIV_WRITE)
		fs |= LANDLOCK_ACCESS_FS_WRITE_FILE |
		    LANDLOCK_ACCESS_FS_MAKE_REG | FS_TRUNCATE;
	if (access & PRIV_LINK)
		fs |= FS_REFER | LANDLOCK_ACCESS_FS_MAKE_REG;
	if (access & PRIV_MKDIR)
		fs |= LANDLOCK_ACCESS_FS_MAKE_DIR;
	if (access & PRIV_UNLINK)
		fs |= LANDLOCK_ACCESS_FS_REMOVE_FILE;
	return fs;
}

static int
add_path(int ruleset, const struct priv_path *path, uint64_t handled)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = rights_of(path->access) & handled
	};
	struct stat st;
	int r, saved;

	rule.parent_fd = open(path->path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd == -1 || fstat(rule.parent_fd, &st) == -1) {
		log_err("priv: %s: %m", path->path);
		if (rule.parent_fd != -1)
			close(rule.parent_fd);
		return -1;
	}
	/* The kernel refuses rights of folders on anything else. */
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE |
		    LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE;
	r = (int)syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	saved = errno;
	close(rule.parent_fd);
	errno = saved;
	return r;
}

/* Before ABI 2 every link from folder to folder is refused. */
static bool
needs_refer(const struct priv_path *paths)
{
	for (; paths->path != NULL; paths++)
		if (paths->access & PRIV_LINK)
			return true;
	return false;
}

int
priv_landlock(const struct priv_path *paths)
{
	struct ruleset_attr attr = { 0, 0, 0 };
	size_t size = sizeof(attr.fs);
	int ruleset, r = -1, saved;
	long abi;

	abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1 || (abi < 2 && needs_refer(paths))) {
		log_warn("priv: this kernel's Landlock (ABI %ld) cannot be "
		    "used: files are guarded by user ids and seccomp alone",
		    abi);
		return 0;
	}
	attr.fs = handled_fs(abi);
	if (abi >= 4) {
		attr.net = NET_ALL;
		size = sizeof(attr.fs) + sizeof(attr.net);
	}
	if (abi >= 6) {
		attr.scope = SCOPE_ALL;
		size = sizeof(attr);
	}
	if (abi < 6)
		log_debug("priv: Landlock ABI %ld: no rules for %ssignals",
		    abi, abi < 4 ? "TCP and " : "");
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (ruleset == -1)
		return -1;
	for (; paths->path != NULL; paths++)
		if (add_path(ruleset, paths, attr.fs) == -1)
			goto out;
	r = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
out:
	saved = errno;
	close(ruleset);
	errno = saved;
	return r;
}
