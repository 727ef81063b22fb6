/* SPDX-License-Identifier: ISC */
/*
 * What a worker may do once it is confined: that depends on the account
 * store, and each store gets what it needs and no more. Runs in auth-sasl,
 * before any input.
 */
#include <fcntl.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "auth/accounts.h"
#include "auth/sasl.h"
#include "lib/conf.h"
#include "lib/priv.h"

/* Each store but saslauthd is a file that is opened again and again. */
static const int accounts_calls[] = {
	SCMP_SYS(openat), SCMP_SYS(newfstatat), SCMP_SYS(stat), -1
};

/* Berkeley DB reads pages, and counts processors for its locks. */
static const int sasldb_calls[] = {
	SCMP_SYS(openat), SCMP_SYS(newfstatat), SCMP_SYS(stat),
	SCMP_SYS(pread64), SCMP_SYS(sched_getaffinity), -1
};

/*
 * SQLite follows the path link by link, looks whether there is a journal,
 * reads pages. It asks to write first: Landlock refuses, and it goes on
 * without.
 */
static const int sql_calls[] = {
	SCMP_SYS(openat), SCMP_SYS(newfstatat), SCMP_SYS(stat),
	SCMP_SYS(lstat), SCMP_SYS(readlink), SCMP_SYS(access),
	SCMP_SYS(faccessat), SCMP_SYS(pread64), -1
};

/* A lock for reading keeps writers from changing what is being read. */
static const struct priv_arg sql_args[] = {
	{ SCMP_SYS(fcntl), 1, F_SETLK },
	{ SCMP_SYS(fcntl), 1, F_GETLK },
	{ -1, 0, 0 }
};

/*
 * The library connects anew for each password. A socket of any other kind
 * than AF_UNIX cannot be made; which of those it may connect to is a matter
 * of the permissions of files (Landlock keeps it from abstract ones, where
 * the kernel's can).
 */
static const int saslauthd_calls[] = {
	SCMP_SYS(openat), SCMP_SYS(newfstatat), SCMP_SYS(stat),
	SCMP_SYS(connect), -1
};

static const struct priv_arg saslauthd_args[] = {
	{ SCMP_SYS(socket), 0, AF_UNIX },
	{ -1, 0, 0 }
};

int
saslauth_confine(const struct conf *conf, struct priv_profile *p)
{
	static const int *const calls[] = {
		[CONF_STORE_ACCOUNTS] = accounts_calls,
		[CONF_STORE_SASLDB] = sasldb_calls,
		[CONF_STORE_SASLAUTHD] = saslauthd_calls,
		[CONF_STORE_SQL] = sql_calls,
	};
	static const struct priv_arg *const args[] = {
		[CONF_STORE_SASLAUTHD] = saslauthd_args,
		[CONF_STORE_SQL] = sql_args,
	};
	size_t n = 0;
	char *folder;

	p->calls = calls[conf->auth_store];
	p->args = args[conf->auth_store];
	/* The library seeds the nonces of each dialogue from there. */
	p->paths[n++] = (struct priv_path){ "/dev/urandom", PRIV_READ };
	if (conf->auth_store == CONF_STORE_SASLAUTHD)
		return 0;
	/* The folder: a file that is replaced is another one to Landlock. */
	if ((folder = accounts_folder(conf_store_path(conf, NULL))) == NULL)
		return -1;
	p->paths[n++] = (struct priv_path){ folder, PRIV_READ };
	return 0;
}
