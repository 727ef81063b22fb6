/* SPDX-License-Identifier: ISC */
/*
 * Certificate and key files. Linked into posternctl, run by the
 * administrator; the folder and what is in it are trusted. All is done
 * relative to the open folder; keys get their mode when they are made, never
 * after. Writing never follows a link.
 */
#include "certs/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys/check.h"

bool
store_base_ok(const char *base)
{
	size_t len = strlen(base);

	return len > 0 && len <= STORE_BASE_MAX &&
	    strchr("._-", *base) == NULL &&
	    strspn(base, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len;
}

int
store_open(const char *path)
{
	if (mkdir(path, 0755) == 0) {
		/* whatever the umask: clients need the CA's certificate */
		if (chmod(path, 0755) == -1)
			return -1;
	} else if (errno != EEXIST)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void
file_name(char dst[STORE_NAME_MAX], const char *base, const char *suffix)
{
	snprintf(dst, STORE_NAME_MAX, "%.*s%s", STORE_BASE_MAX, base, suffix);
}

static bool
has(int dir, const char *base, const char *suffix)
{
	char name[STORE_NAME_MAX];
	struct stat st;

	file_name(name, base, suffix);
	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool
store_has(int dir, const char *base)
{
	return has(dir, base, ".pem") || has(dir, base, ".key");
}

static int
open_for_reading(int dir, const char *base, const char *suffix)
{
	char name[STORE_NAME_MAX];

	file_name(name, base, suffix);
	return openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

static int
read_cert(int fd, struct store_pair *pair)
{
	BIO *bio;

	if ((bio = BIO_new_fd(fd, BIO_NOCLOSE)) == NULL)
		return -1;
	pair->cert = cert_read(bio);
	BIO_free(bio);
	return pair->cert != NULL ? 0 : -1;
}

int
store_read(int dir, const char *base, bool with_key, const char *passphrase,
    struct store_pair *pair, const char **suffix, const char **why)
{
	int cert, key = -1, r = -1, e = 0;

	*pair = (struct store_pair){ NULL, NULL };
	*suffix = ".pem";
	*why = "holds no certificate";
	if ((cert = open_for_reading(dir, base, ".pem")) == -1)
		return -1;
	if (read_cert(cert, pair) == -1)
		goto out;
	if (with_key) {
		*suffix = ".key";
		if ((key = open_for_reading(dir, base, ".key")) == -1) {
			e = errno;
			goto out;
		}
		pair->key = keys_load_pair(cert, key, passphrase, why);
		if (pair->key == NULL)
			goto out;
	}
	r = 0;
out:
	close(cert);
	if (key != -1)
		close(key);
	if (r == -1)
		store_pair_clear(pair);
	errno = e;
	return r;
}

void
store_pair_clear(struct store_pair *pair)
{
	X509_free(pair->cert);
	EVP_PKEY_free(pair->key);
	*pair = (struct store_pair){ NULL, NULL };
}

static int
write_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, data, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* A name that nobody has; it is not guessed, and never reused. */
static int
temporary_name(char dst[STORE_NAME_MAX], const char *base)
{
	unsigned char r[8];

	if (getrandom(r, sizeof(r), 0) != (ssize_t)sizeof(r))
		return -1;
	snprintf(dst, STORE_NAME_MAX,
	    ".%.*s.%02x%02x%02x%02x%02x%02x%02x%02x", STORE_BASE_MAX, base,
	    r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7]);
	return 0;
}

/* Root renews for whoever owned the file that is replaced. */
static int
own_as_before(int fd, int dir, const char *base, const char *suffix)
{
	char name[STORE_NAME_MAX];
	struct stat st;

	file_name(name, base, suffix);
	if (geteuid() != 0 ||
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return 0;
	return fchown(fd, st.st_uid, st.st_gid);
}

/* Write bio to a new file, synced, and its name to tmp. */
static int
stage(int dir, const char *base, const char *suffix, BIO *bio, mode_t mode,
    char tmp[STORE_NAME_MAX])
{
	char *data;
	long len;
	int fd, saved;

	tmp[0] = '\0';
	if (bio == NULL || (len = BIO_get_mem_data(bio, &data)) <= 0) {
		errno = ENOMEM;
		return -1;
	}
	if (temporary_name(tmp, base) == -1)
		return -1;
	fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd == -1) {
		tmp[0] = '\0';
		return -1;
	}
	if (write_all(fd, data, (size_t)len) == 0 &&
	    own_as_before(fd, dir, base, suffix) == 0 &&
	    fchmod(fd, mode) == 0 && fsync(fd) == 0) {
		if (close(fd) == 0)
			return 0;
		fd = -1;
	}
	saved = errno;
	if (fd != -1)
		close(fd);
	unlinkat(dir, tmp, 0);
	tmp[0] = '\0';
	errno = saved;
	return -1;
}

static int
stage_cert(int dir, const char *base, X509 *x, char tmp[STORE_NAME_MAX])
{
	BIO *bio = cert_pem(x);
	int r = stage(dir, base, ".pem", bio, STORE_CERT_MODE, tmp);

	BIO_free(bio);
	return r;
}

static int
stage_key(int dir, const char *base, EVP_PKEY *key, const char *passphrase,
    char tmp[STORE_NAME_MAX])
{
	BIO *bio = cert_key_pem(key, passphrase);
	int r = stage(dir, base, ".key", bio, STORE_KEY_MODE, tmp);

	BIO_free(bio);
	return r;
}

/* link(2), unlike rename(2), refuses a name that is taken. */
static int
publish(int dir, const char *tmp, const char *base, const char *suffix)
{
	char name[STORE_NAME_MAX];

	file_name(name, base, suffix);
	return linkat(dir, tmp, dir, name, 0);
}

static void
remove_name(int dir, const char *name)
{
	int saved = errno;

	if (name[0] != '\0')
		unlinkat(dir, name, 0);
	errno = saved;
}

int
store_add(int dir, const char *base, const struct store_pair *pair,
    const char *passphrase)
{
	char cert[STORE_NAME_MAX] = "", key[STORE_NAME_MAX] = "";
	char name[STORE_NAME_MAX];
	int r = -1;

	if (stage_key(dir, base, pair->key, passphrase, key) == -1 ||
	    stage_cert(dir, base, pair->cert, cert) == -1 ||
	    publish(dir, key, base, ".key") == -1)
		goto out;
	if (publish(dir, cert, base, ".pem") == -1) {
		file_name(name, base, ".key");
		remove_name(dir, name);
		goto out;
	}
	r = fsync(dir);
out:
	remove_name(dir, key);
	remove_name(dir, cert);
	return r;
}

/* A second link to what is there now becomes BASE.suffix.old. */
static int
keep_old(int dir, const char *base, const char *suffix)
{
	char name[STORE_NAME_MAX], old[STORE_NAME_MAX], tmp[STORE_NAME_MAX];

	file_name(name, base, suffix);
	if (snprintf(old, sizeof(old), "%s.old", name) >= (int)sizeof(old)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (temporary_name(tmp, base) == -1)
		return -1;
	if (linkat(dir, name, dir, tmp, 0) == -1)
		return errno == ENOENT ? 0 : -1;
	if (renameat(dir, tmp, dir, old) == -1) {
		remove_name(dir, tmp);
		return -1;
	}
	/* rename(2) of two links to one file does nothing */
	remove_name(dir, tmp);
	return 0;
}

static int
put_over(int dir, char tmp[STORE_NAME_MAX], const char *base,
    const char *suffix)
{
	char name[STORE_NAME_MAX];

	file_name(name, base, suffix);
	if (keep_old(dir, base, suffix) == -1 ||
	    renameat(dir, tmp, dir, name) == -1)
		return -1;
	tmp[0] = '\0';
	return 0;
}

int
store_replace(int dir, const char *base, const struct store_pair *pair,
    const char *passphrase)
{
	char cert[STORE_NAME_MAX] = "", key[STORE_NAME_MAX] = "";
	int r = -1;

	if (pair->key != NULL &&
	    stage_key(dir, base, pair->key, passphrase, key) == -1)
		goto out;
	if (stage_cert(dir, base, pair->cert, cert) == -1)
		goto out;
	if (pair->key != NULL && put_over(dir, key, base, ".key") == -1)
		goto out;
	if (put_over(dir, cert, base, ".pem") == 0)
		r = fsync(dir);
out:
	remove_name(dir, key);
	remove_name(dir, cert);
	return r;
}
