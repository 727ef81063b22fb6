/* SPDX-License-Identifier: ISC */
/*
 * posternctl check: folders, certificates and accounts. See check.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/x509v3.h>

#include "admin/check_impl.h"
#include "admin/mailbox.h"
#include "auth/accounts.h"
#include "auth/apppass.h"
#include "certs/cert.h"
#include "keys/check.h"
#include "lib/conf.h"
#include "lib/priv.h"
#include "lib/str.h"

#define EXPIRY_WARNING	21	/* days */

int
check_access(const char *user, const char *path, int mode)
{
	int status;
	pid_t pid;

	if (geteuid() != 0)
		return access(path, mode);
	if ((pid = fork()) == -1)
		return -1;
	if (pid == 0) {
		if (priv_become(user) == -1 || access(path, mode) == -1)
			_exit(errno);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
	return errno == 0 ? 0 : -1;
}

/* Who must be able to do what in a folder of the conf. */
struct place {
	const char	*name;
	const char	*user;		/* NULL: the masters */
	int		 mode;
};

static const struct place places[] = {
	{ "mail_root", MAILBOX_USER, R_OK | W_OK | X_OK },
	{ "mail_root", "postern-read", R_OK | X_OK },
	{ "state_dir", "postern-auth", R_OK | W_OK | X_OK },
	{ "run_dir", NULL, R_OK | W_OK | X_OK },
};

static void
check_place(struct check *k, const char *path, const struct place *p)
{
	const char *user = geteuid() == 0 ? p->user : NULL;
	int r = p->user != NULL ? check_access(p->user, path, p->mode) :
	    access(path, p->mode);

	if (r == -1)
		check_error(k, "", p->name, "%s: %s%s%s", path,
		    user != NULL ? user : "", user != NULL ? ": " : "",
		    strerror(errno));
}

/* 0 when there is a folder whose permissions can be looked at further. */
static int
check_folder(struct check *k, const char *name, const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1) {
		check_error(k, "", name, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (!S_ISDIR(st.st_mode)) {
		check_error(k, "", name, "%s: not a folder", path);
		return -1;
	}
	if ((st.st_mode & S_IWOTH) != 0)
		check_error(k, "", name, "%s: everybody may write to it", path);
	else if ((st.st_mode & S_IROTH) != 0 && strcmp(name, "run_dir") != 0)
		check_warn(k, "", name, "%s: everybody may read it", path);
	return 0;
}

void
check_places(struct check *k)
{
	const char *before = "", *path = NULL;
	size_t i;
	int r = -1;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (strcmp(places[i].name, before) != 0) {
			before = places[i].name;
			path = strcmp(before, "mail_root") == 0 ?
			    k->conf->mail_root :
			    strcmp(before, "state_dir") == 0 ?
			    k->conf->state_dir : k->conf->run_dir;
			r = check_folder(k, before, path);
		}
		if (r == 0)
			check_place(k, path, &places[i]);
	}
}

static int
open_file(struct check *k, const char *name, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd == -1)
		check_error(k, "tls", name, "%s: %s", path, strerror(errno));
	return fd;
}

static void
check_secret(struct check *k, const char *name, int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && (st.st_mode & S_IRWXO) != 0)
		check_error(k, "tls", name,
		    "%s: others may read it: chmod 600", path);
}

enum passphrase { PASS_NONE, PASS_GIVEN, PASS_UNKNOWN };

/* Where a credential of systemd lies; NULL outside of its units. */
static const char *
credential_path(const char *name, char *dst, size_t size)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	int n;

	if (folder == NULL)
		return NULL;
	n = snprintf(dst, size, "%s/%s", folder, name);
	return n < 0 || (size_t)n >= size ? NULL : dst;
}

/*
 * Only the service that is started has the descriptor or the credential: it
 * cannot be judged from here.
 */
static enum passphrase
find_passphrase(struct check *k, char out[KEYS_PASSPHRASE_MAX])
{
	const char *source = k->conf->tls_passphrase, *why;
	char path[PATH_MAX];
	int fd;

	if (check_bad(k, "tls", "passphrase"))
		return PASS_UNKNOWN;
	if (source[0] == '\0')
		return PASS_NONE;
	if (strncmp(source, "credential:", 11) == 0)
		source = credential_path(source + 11, path, sizeof(path));
	if (source == NULL || source[0] != '/')
		return PASS_UNKNOWN;
	if ((fd = open_file(k, "passphrase", source)) == -1)
		return PASS_UNKNOWN;
	check_secret(k, "passphrase", fd, source);
	if (keys_load_passphrase(fd, out, &why) == -1) {
		check_error(k, "tls", "passphrase", "%s: %s", source, why);
		close(fd);
		return PASS_UNKNOWN;
	}
	close(fd);
	return PASS_GIVEN;
}

static void
check_expiry(struct check *k, int fd, const char *path)
{
	const char *why = keys_check_chain(fd);
	X509 *x = NULL;
	BIO *bio;
	long left;

	if (why != NULL)
		check_warn(k, "tls", "certificates", "%s: %s", path, why);
	if ((bio = BIO_new_fd(fd, BIO_NOCLOSE)) != NULL)
		x = cert_read(bio);
	BIO_free(bio);
	if (x == NULL)
		return;
	left = cert_days_left(x, time(NULL));
	if (left >= 0 && left < EXPIRY_WARNING)
		check_warn(k, "tls", "certificates",
		    "%s: expires in %ld days", path, left);
	if (!check_bad(k, "", "hostname") &&
	    X509_check_host(x, k->conf->hostname, 0, 0, NULL) != 1)
		check_warn(k, "tls", "certificates",
		    "%s: not for the hostname %s", path, k->conf->hostname);
	X509_free(x);
}

static const char *
item(const struct conf_list *list, size_t i)
{
	return i < list->n ? list->item[i] : NULL;
}

/* Do the keys and certificates that are left of bad lists still pair? */
static bool
are_paired(const struct check *k)
{
	return !check_bad(k, "tls", "certificates") &&
	    !check_bad(k, "tls", "keys") &&
	    k->conf->tls_certificates.n == k->conf->tls_keys.n;
}

static void
check_pair(struct check *k, size_t i, enum passphrase kind, const char *pass)
{
	const char *cert_path = item(&k->conf->tls_certificates, i);
	const char *key_path = item(&k->conf->tls_keys, i);
	const char *why = NULL;
	int cert = cert_path == NULL ? -1 :
	    open_file(k, "certificates", cert_path);
	int key = key_path == NULL ? -1 : open_file(k, "keys", key_path);

	if (key != -1)
		check_secret(k, "keys", key, key_path);
	if (cert != -1 && key != -1 && kind != PASS_UNKNOWN) {
		EVP_PKEY_free(keys_load_pair(cert, key,
		    kind == PASS_GIVEN ? pass : NULL, &why));
		if (why != NULL)
			check_error(k, "tls", "keys", "%s with %s: %s",
			    key_path, cert_path, why);
	}
	if (cert != -1) {
		check_expiry(k, cert, cert_path);
		close(cert);
	}
	if (key != -1)
		close(key);
}

void
check_tls(struct check *k)
{
	char pass[KEYS_PASSPHRASE_MAX] = "";
	enum passphrase kind;
	unsigned before = k->errors;
	size_t i;

	kind = find_passphrase(k, pass);
	if (kind == PASS_UNKNOWN && k->errors == before)
		check_warn(k, "tls", "passphrase",
		    "not known here: the keys are not tried");
	if (!are_paired(k))
		kind = PASS_UNKNOWN;
	for (i = 0; i < k->conf->tls_certificates.n ||
	    i < k->conf->tls_keys.n; i++)
		check_pair(k, i, kind, pass);
	str_wipe(pass, sizeof(pass));
}

static void
check_account(struct check *k, const char *user)
{
	char path[PATH_MAX] = "";
	struct stat st;

	if (!check_bad(k, "", "domains") &&
	    !conf_is_local(k->conf, strrchr(user, '@') + 1)) {
		check_error(k, "auth", "accounts",
		    "%s: its domain is not one of the domains", user);
		return;
	}
	if (check_bad(k, "", "mail_root"))
		return;
	if (mailbox_path(k->conf->mail_root, user, path, sizeof(path)) == -1 ||
	    (stat(path, &st) == -1 && errno == ENOENT))
		check_warn(k, "auth", "accounts", "%s: has no mailbox: %s",
		    user, path);
}

/* A line left from an account that is gone would serve the next of its name. */
static void
check_app(struct check *k, const struct accounts *a, const char *login)
{
	char user[ACCOUNTS_NAME_MAX], app[ACCOUNTS_APP_MAX];

	if (apppass_split(login, user, app) && accounts_find(a, user) == NULL)
		check_warn(k, "auth", "accounts",
		    "%s: an app password without its account", login);
}

void
check_accounts(struct check *k)
{
	static const char *const readers[] =
	    { "postern-auth", "postern-sasl" };
	const char *path = k->conf->auth_accounts;
	struct accounts *a;
	struct stat st;
	size_t i;

	if ((a = accounts_load(path)) == NULL) {
		check_error(k, "auth", "accounts", "%s: %s", path,
		    strerror(errno));
		return;
	}
	if (stat(path, &st) == 0 && (st.st_mode & S_IRWXO) != 0)
		check_error(k, "auth", "accounts",
		    "%s: others may read it: chmod 640", path);
	for (i = 0; geteuid() == 0 && i < 2; i++)
		if (check_access(readers[i], path, R_OK) == -1)
			check_error(k, "auth", "accounts", "%s: %s: %s", path,
			    readers[i], strerror(errno));
	if (accounts_bad(a) > 0)
		check_error(k, "auth", "accounts", "%s: %zu bad lines", path,
		    accounts_bad(a));
	for (i = 0; i < accounts_count(a); i++)
		if (accounts_at(a, i)->app)
			check_app(k, a, accounts_at(a, i)->user);
		else
			check_account(k, accounts_at(a, i)->user);
	accounts_free(&a);
}
