/* SPDX-License-Identifier: ISC */
/*
 * posternctl check: account stores other than the accounts file. See check.c.
 * What the workers of the auth service do each time a user logs in is tried
 * here as far as it can be without a name.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin/check_impl.h"
#include "lib/conf.h"
#include "lib/str.h"

#define WORKER	"postern-sasl"

static const char sqlite_magic[16] = "SQLite format 3";
#define SQLITE_HEAD	20
#define SQLITE_VERSION	18	/* octet: 2 means a write-ahead log */

static void
check_plugin(struct check *k, const char *file)
{
	if (access(file, R_OK) == -1)
		check_error(k, "auth", "store", "its plug-in %s: %s", file,
		    strerror(errno));
}

/* SQLite must make files to read a database with a write-ahead log. */
static void
check_sqlite(struct check *k, const char *name, const char *path)
{
	char head[SQLITE_HEAD] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n = fd == -1 ? -1 : read(fd, head, sizeof(head));

	if (fd != -1)
		close(fd);
	if (n == -1)
		return;
	if (n < SQLITE_HEAD ||
	    memcmp(head, sqlite_magic, sizeof(sqlite_magic)) != 0)
		check_error(k, "auth", name, "%s: no database of SQLite", path);
	else if (head[SQLITE_VERSION] != 1)
		check_error(k, "auth", name, "%s: it has a write-ahead log, "
		    "which cannot be read from: PRAGMA journal_mode = DELETE",
		    path);
}

static void
check_file(struct check *k, const char *name, const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1) {
		check_error(k, "auth", name, "%s: %s", path, strerror(errno));
		return;
	}
	if (!S_ISREG(st.st_mode)) {
		check_error(k, "auth", name, "%s: not a file", path);
		return;
	}
	if ((st.st_mode & S_IRWXO) != 0)
		check_error(k, "auth", name,
		    "%s: others may read it: chmod 640", path);
	if (check_access(WORKER, path, R_OK) == -1)
		check_error(k, "auth", name, "%s: %s%s%s", path,
		    geteuid() == 0 ? WORKER : "", geteuid() == 0 ? ": " : "",
		    strerror(errno));
	else if (k->conf->auth_store == CONF_STORE_SQL)
		check_sqlite(k, name, path);
	/* auth-server looks whether it has changed. */
	if (geteuid() == 0 && check_access("postern-auth", path, F_OK) == -1)
		check_error(k, "auth", name, "%s: postern-auth: %s", path,
		    strerror(errno));
}

/* Does somebody listen there? */
static int
try_connect(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, r, saved;

	if (str_copy(sun.sun_path, sizeof(sun.sun_path), path) == -1) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return -1;
	r = connect(fd, (struct sockaddr *)&sun, sizeof(sun));
	saved = errno;
	close(fd);
	errno = saved;
	return r;
}

static void
check_saslauthd(struct check *k, const char *name, const char *path)
{
	const char *m;
	size_t i;

	if (try_connect(path) == -1)
		check_error(k, "auth", name, "%s: %s", path, strerror(errno));
	else if (check_access(WORKER, path, W_OK) == -1)
		check_error(k, "auth", name, "%s: %s: %s", path, WORKER,
		    strerror(errno));
	for (i = 0; i < k->conf->auth_mechanisms.n; i++) {
		m = k->conf->auth_mechanisms.item[i];
		if (strcmp(m, "PLAIN") != 0 && strcmp(m, "LOGIN") != 0)
			check_warn(k, "auth", "mechanisms", "%s is not "
			    "offered: saslauthd only checks passwords", m);
	}
}

void
check_store(struct check *k)
{
	const char *name, *path = conf_store_path(k->conf, &name);

	if (check_bad(k, "auth", "store") || check_bad(k, "auth", name))
		return;
	switch (k->conf->auth_store) {
	case CONF_STORE_SASLDB:
		check_plugin(k, SASL_PLUGINDIR "/libsasldb.so");
		check_file(k, name, path);
		return;
	case CONF_STORE_SQL:
		check_plugin(k, SASL_PLUGINDIR "/libsql.so");
		check_file(k, name, path);
		return;
	case CONF_STORE_SASLAUTHD:
		check_saslauthd(k, name, path);
		return;
	default:
		check_accounts(k);
	}
}
