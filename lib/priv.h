/* SPDX-License-Identifier: ISC */
/*
 * Giving up privilege. Called by role.c in the order of the design: rlimits,
 * verify ids, no_new_privs, not dumpable, Landlock, (threads), seccomp.
 */
#ifndef POSTERN_PRIV_H
#define POSTERN_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Rights below a path that stay possible after confinement. */
enum priv_access {
	PRIV_READ = 1,		/* open files for reading, list folders */
	PRIV_WRITE = 2,		/* open files for writing, create them */
	PRIV_LINK = 4,		/* make and rename links across folders */
	PRIV_MKDIR = 8,
	PRIV_UNLINK = 16,	/* remove files */
};

struct priv_path {
	const char	*path;		/* folder or file; NULL ends a list */
	unsigned	 access;	/* PRIV_* */
};

#define PRIV_PATHS_MAX	8

/* A system call that is allowed when its argument (0 is the first) has that
 * value; -1 ends a list. */
struct priv_arg {
	int		call;		/* SCMP_SYS number */
	unsigned	arg;
	uint64_t	value;
};

struct priv_profile {
	struct priv_path	 paths[PRIV_PATHS_MAX + 1];
	/*
	 * System calls (SCMP_SYS numbers, ended by -1) besides the common
	 * set of priv_calls.c: event loop, memory, time, IPC on open
	 * descriptors, reading and writing them. What is in neither list, or
	 * has arguments that set does not allow, kills; a call named here may
	 * have any arguments.
	 */
	const int		*calls;
	const struct priv_arg	*args;	/* more of them; or NULL */
	unsigned long		 nofile;	/* RLIMIT_NOFILE, 0: keep */
	unsigned long		 address_space;	/* RLIMIT_AS octets, 0: keep */
};

/*
 * In a child, before exec: become user (by name) with exactly the groups of
 * its entries in passwd and group. Without privilege (euid not 0) does
 * nothing. 0, or -1 with errno; ENOENT: no such user.
 */
int	 priv_become(const char *user);
/*
 * Confine: rlimits, no_new_privs, not dumpable, Landlock. Logs what the
 * kernel lacks. 0, or -1 with errno (the process must end).
 */
int	 priv_confine_files(const struct priv_profile *);
/* seccomp for all threads; a no-op that says so in sanitizer builds. */
int	 priv_confine_calls(const struct priv_profile *);

#endif
