/* SPDX-License-Identifier: ISC */
/*
 * auth/sasl_confine.c: what a worker may still do, by account store. Each
 * try is made by a child that has confined itself as a worker does.
 */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/sasl.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/priv.h"

#define KILLED	1000	/* what a try came to; else 0 or errno */

static char folder[64], file[80];
static struct conf conf;

static int
try_read(void)
{
	return open(file, O_RDONLY) == -1 ? errno : 0;
}

static int
try_write(void)
{
	return open(file, O_RDWR) == -1 ? errno : 0;
}

static int
try_make(void)
{
	char path[100];

	snprintf(path, sizeof(path), "%s-journal", file);
	return open(path, O_RDWR | O_CREAT, 0600) == -1 ? errno : 0;
}

static int
try_elsewhere(void)
{
	return open("/etc/passwd", O_RDONLY) == -1 ? errno : 0;
}

static int
try_unix(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strncpy(sun.sun_path, file, sizeof(sun.sun_path) - 1);
	if (fd == -1)
		return errno;
	return connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ?
	    errno : 0;
}

static int
try_inet(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) == -1 ? errno : 0;
}

static int
try_lock(void)
{
	struct flock l = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	int fd = open(file, O_RDONLY);

	return fcntl(fd, F_SETLK, &l) == -1 ? errno : 0;
}

static int
try_flags(void)
{
	return fcntl(0, F_SETFL, 0) == -1 ? errno : 0;
}

static int
try_pread(void)
{
	char c;

	return pread(open(file, O_RDONLY), &c, 1, 0) == -1 ? errno : 0;
}

/* In the child: as role.c does it. */
static void
run(int (*try)(void))
{
	static struct priv_profile p;

	if (getuid() == 0 && (setgid(65534) == -1 || setuid(65534) == -1))
		_exit(250);
	if (saslauth_confine(&conf, &p) == -1 ||
	    priv_confine_files(&p) == -1 || priv_confine_calls(&p) == -1)
		_exit(251);
	_exit(try());
}

static int
fate(enum conf_store store, int (*try)(void))
{
	int status;
	pid_t pid;

	conf.auth_store = store;
	if ((pid = fork()) == 0)
		run(try);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGSYS);
		return KILLED;
	}
	assert_true(WEXITSTATUS(status) < 250);
	return WEXITSTATUS(status);
}

/* In the order of enum conf_store: accounts, sasldb, saslauthd, sql. */
static void
test_fates(void **state)
{
	static const struct {
		const char *name;
		int (*try)(void);
		int want[4];
	} rows[] = {
		{ "read", try_read, { 0, 0, EACCES, 0 } },
		{ "write", try_write, { EACCES, EACCES, EACCES, EACCES } },
		{ "make", try_make, { EACCES, EACCES, EACCES, EACCES } },
		{ "elsewhere", try_elsewhere,
		    { EACCES, EACCES, EACCES, EACCES } },
		{ "unix", try_unix, { KILLED, KILLED, ECONNREFUSED, KILLED } },
		{ "inet", try_inet, { KILLED, KILLED, KILLED, KILLED } },
		{ "lock", try_lock, { KILLED, KILLED, KILLED, 0 } },
		{ "flags", try_flags, { KILLED, KILLED, KILLED, KILLED } },
		{ "pread", try_pread, { KILLED, 0, KILLED, 0 } },
	};
	size_t i, store;
	int got;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (store = 0; store < 4; store++) {
			got = fate((enum conf_store)store, rows[i].try);
			if (got != rows[i].want[store])
				fail_msg("%s, store %zu: %d, not %d",
				    rows[i].name, store, got,
				    rows[i].want[store]);
		}
}

static bool
has(const int *calls, int call)
{
	for (; *calls != -1; calls++)
		if (*calls == call)
			return true;
	return false;
}

/* The default store has what it had before there were others. */
static void
test_accounts(void **state)
{
	static struct priv_profile p;	/* it keeps its paths */
	size_t n;

	(void)state;
	conf.auth_store = CONF_STORE_ACCOUNTS;
	assert_int_equal(saslauth_confine(&conf, &p), 0);
	for (n = 0; p.calls[n] != -1; n++)
		;
	assert_int_equal(n, 3);
	assert_true(has(p.calls, SCMP_SYS(openat)));
	assert_true(has(p.calls, SCMP_SYS(newfstatat)));
	assert_true(has(p.calls, SCMP_SYS(stat)));
	assert_null(p.args);
	assert_string_equal(p.paths[0].path, "/dev/urandom");
	assert_int_equal(p.paths[0].access, PRIV_READ);
	assert_string_equal(p.paths[1].path, folder);
	assert_int_equal(p.paths[1].access, PRIV_READ);
	assert_null(p.paths[2].path);
}

static int
setup(void **state)
{
	FILE *fp;

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/postern-confine.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(file, sizeof(file), "%s/store", folder);
	if ((fp = fopen(file, "w")) == NULL || fputs("x", fp) == EOF ||
	    fclose(fp) == EOF || chmod(file, 0666) == -1 ||
	    chmod(folder, 0777) == -1)
		return -1;
	conf.auth_accounts = conf.auth_sasldb = conf.auth_sql_database =
	    conf.auth_saslauthd = file;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(file);
	return rmdir(folder);
}

/* Sanitizer builds leave seccomp out; a kernel may have no Landlock. */
static bool
can_confine(void)
{
#ifdef POSTERN_SANITIZE
	return false;
#else
	/* Asks for the highest version there is. */
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 1;
#endif
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accounts),
		cmocka_unit_test(test_fates),
	};
	const struct CMUnitTest some[] = {
		cmocka_unit_test(test_accounts),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	log_open("test-auth-confine", -1, false);
	return can_confine() ? cmocka_run_group_tests(tests, setup, teardown) :
	    cmocka_run_group_tests(some, setup, teardown);
}
