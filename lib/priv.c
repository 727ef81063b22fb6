/* SPDX-License-Identifier: ISC */
/*
 * Giving up privilege, see priv.h. Every role, before it reads any input.
 */
#include "lib/priv.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/priv_impl.h"

#define PRIV_GROUPS_MAX	16

int
priv_become(const char *user)
{
	gid_t groups[PRIV_GROUPS_MAX];
	int n = PRIV_GROUPS_MAX;
	struct passwd *pw;

	if (geteuid() != 0)
		return 0;
	errno = 0;
	if ((pw = getpwnam(user)) == NULL || pw->pw_uid == 0) {
		if (errno == 0)
			errno = ENOENT;
		return -1;
	}
	if (getgrouplist(user, pw->pw_gid, groups, &n) == -1) {
		errno = E2BIG;
		return -1;
	}
	if (setgroups((size_t)n, groups) == -1 ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) == -1 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) == -1)
		return -1;
	/* Verify that there is no way back. */
	if (setuid(0) != -1 || setgid(0) != -1 || geteuid() != pw->pw_uid ||
	    getegid() != pw->pw_gid) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

static int
limit(int what, unsigned long value)
{
	struct rlimit now, rl = { value, value };

	if (getrlimit((__rlimit_resource_t)what, &now) == -1)
		return -1;
	if (now.rlim_max < rl.rlim_max)
		rl.rlim_cur = rl.rlim_max = now.rlim_max;
	return setrlimit((__rlimit_resource_t)what, &rl);
}

int
priv_confine_files(const struct priv_profile *p)
{
	if (limit(RLIMIT_CORE, 0) == -1)
		return -1;
	if (p->nofile != 0 && limit(RLIMIT_NOFILE, p->nofile) == -1)
		return -1;
#ifndef POSTERN_SANITIZE
	if (p->address_space != 0 &&
	    limit(RLIMIT_AS, p->address_space) == -1)
		return -1;
#endif
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return -1;
	if (getuid() == 0) {
		log_err("priv: still root");
		errno = EPERM;
		return -1;
	}
	return priv_landlock(p->paths);
}

int
priv_confine_calls(const struct priv_profile *p)
{
#ifdef POSTERN_SANITIZE
	(void)p;
	log_notice("priv: seccomp is left out of this sanitizer build");
	return 0;
#else
	return priv_seccomp(p->calls, p->args);
#endif
}
