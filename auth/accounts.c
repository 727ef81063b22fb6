/* SPDX-License-Identifier: ISC */
/*
 * Snapshots of the accounts file. Runs in auth-server, in the SASL workers
 * and in posternctl. Invariant: the accounts are sorted by name, each name
 * once, and all their strings lie in `text', which is wiped when freed.
 */
#include "auth/accounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include <sys/stat.h>

#include "auth/accounts_line.h"
#include "auth/apppass.h"
#include "lib/log.h"
#include "lib/str.h"

#define COMPLAINTS_MAX	20	/* lines of log for one reading */

struct accounts {
	struct stat	 st;	/* of the file that was read */
	char		*text;
	size_t		 size;
	struct account	*list;
	size_t		 n, cap;
	const struct account **apps;	/* those of list, by account */
	size_t		 n_apps;
	size_t		 bad;
};

/* Read the whole file, one octet more allocated than it has. */
static int
read_all(struct accounts *a, int fd)
{
	ssize_t n;
	size_t cap = (size_t)a->st.st_size + 1;

	if ((a->text = malloc(cap)) == NULL)
		return -1;
	/* What is appended meanwhile shows as another size at the next look. */
	while (a->size < cap - 1) {
		n = read(fd, a->text + a->size, cap - 1 - a->size);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			break;
		a->size += (size_t)n;
	}
	a->text[a->size] = '\0';
	return 0;
}

static void
complain(struct accounts *a, const char *path, size_t line, const char *why)
{
	a->bad++;
	if (a->bad <= COMPLAINTS_MAX)
		log_warn("accounts: line skipped file=%s line=%zu "
		    "reason=\"%s\"", path, line, why);
	else if (a->bad == COMPLAINTS_MAX + 1)
		log_warn("accounts: more lines skipped file=%s", path);
}

static int
append(struct accounts *a, const struct account *acct)
{
	struct account *list;
	size_t cap;

	if (a->n == a->cap) {
		cap = a->cap == 0 ? 64 : a->cap * 2;
		list = reallocarray(a->list, cap, sizeof(*list));
		if (list == NULL)
			return -1;
		a->list = list;
		a->cap = cap;
	}
	a->list[a->n++] = *acct;
	return 0;
}

static int
parse_all(struct accounts *a, const char *path)
{
	struct account acct;
	const char *why;
	char *p = a->text, *end = a->text + a->size, *eol;
	size_t line = 0, len;

	for (; p < end; p = eol + 1) {
		if ((eol = memchr(p, '\n', (size_t)(end - p))) == NULL)
			eol = end;
		len = (size_t)(eol - p);
		line++;
		if (accounts_line_is_comment(p, len))
			continue;
		if ((why = accounts_line_parse(p, len, &acct)) != NULL)
			complain(a, path, line, why);
		else if (append(a, &acct) == -1)
			return -1;
	}
	return 0;
}

static int
compare(const void *x, const void *y)
{
	const struct account *a = x, *b = y;
	int d = strcmp(a->user, b->user);

	/* Within one name the order of the file. */
	if (d == 0)
		d = (a->user > b->user) - (a->user < b->user);
	return d;
}

/* Sort; of a name that stands twice only the first line counts. */
static void
sort_all(struct accounts *a, const char *path)
{
	size_t i, n = 0;

	if (a->n == 0)
		return;
	qsort(a->list, a->n, sizeof(*a->list), compare);
	for (i = 0; i < a->n; i++) {
		if (n > 0 && strcmp(a->list[n - 1].user,
		    a->list[i].user) == 0) {
			a->bad++;
			log_warn("accounts: second line of an account skipped"
			    " file=%s user=%s", path, a->list[i].user);
		} else
			a->list[n++] = a->list[i];
	}
	a->n = n;
}

static int
compare_apps(const void *x, const void *y)
{
	return accounts_app_compare(*(const struct account *const *)x,
	    *(const struct account *const *)y);
}

static int
index_apps(struct accounts *a)
{
	size_t i, n = 0;

	for (i = 0; i < a->n; i++)
		n += a->list[i].app;
	if (n == 0)
		return 0;
	a->apps = calloc(n, sizeof(const struct account *));
	if (a->apps == NULL)
		return -1;
	for (i = 0; i < a->n; i++)
		if (a->list[i].app)
			a->apps[a->n_apps++] = &a->list[i];
	qsort(a->apps, n, sizeof(const struct account *), compare_apps);
	return 0;
}

struct accounts *
accounts_load(const char *path)
{
	struct accounts *a = NULL;
	int fd, saved;

	/* O_NONBLOCK: a FIFO put in its place must not stop us. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1)
		return NULL;
	if ((a = calloc(1, sizeof(*a))) == NULL ||
	    fstat(fd, &a->st) == -1)
		goto fail;
	if (!S_ISREG(a->st.st_mode)) {
		errno = EINVAL;
		goto fail;
	}
	if (a->st.st_size > (off_t)ACCOUNTS_FILE_MAX) {
		errno = EFBIG;
		goto fail;
	}
	if (read_all(a, fd) == -1 || parse_all(a, path) == -1)
		goto fail;
	sort_all(a, path);
	if (index_apps(a) == -1)
		goto fail;
	close(fd);
	return a;
fail:
	saved = errno;
	close(fd);
	accounts_free(&a);
	errno = saved;
	return NULL;
}

void
accounts_free(struct accounts **ap)
{
	struct accounts *a = *ap;

	*ap = NULL;
	if (a == NULL)
		return;
	if (a->text != NULL)
		str_wipe(a->text, a->size);
	free(a->text);
	free(a->list);
	free(a->apps);
	free(a);
}

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	    a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	    a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

int
accounts_refresh(struct accounts **ap, const char *path)
{
	struct accounts *a;
	struct stat st;

	if (*ap != NULL) {
		if (stat(path, &st) == -1)
			return -1;
		if (same_file(&st, &(*ap)->st))
			return 0;
	}
	if ((a = accounts_load(path)) == NULL)
		return -1;
	accounts_free(ap);
	*ap = a;
	return 1;
}

static int
compare_key(const void *key, const void *elem)
{
	const struct account *a = elem;

	return strcmp(key, a->user);
}

const struct account *
accounts_find(const struct accounts *a, const char *user)
{
	const struct account *acct;

	if (a == NULL || a->n == 0)
		return NULL;
	acct = bsearch(user, a->list, a->n, sizeof(*a->list), compare_key);
	return acct == NULL || acct->app ? NULL : acct;
}

const struct account *const *
accounts_apps(const struct accounts *a, const char *user, size_t *n)
{
	size_t low = 0, high = a == NULL ? 0 : a->n_apps, mid, first;

	*n = 0;
	while (low < high) {
		mid = low + (high - low) / 2;
		if (accounts_app_compare_user(a->apps[mid], user) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (first = low; a != NULL && low < a->n_apps &&
	    accounts_app_compare_user(a->apps[low], user) == 0; low++)
		++*n;
	return *n == 0 ? NULL : a->apps + first;
}

const struct account *
accounts_find_app(const struct accounts *a, const char *user, const char *app)
{
	char login[ACCOUNTS_NAME_MAX];
	const struct account *acct;

	if (a == NULL || a->n == 0 || apppass_login(user, app, login) == -1)
		return NULL;
	acct = bsearch(login, a->list, a->n, sizeof(*a->list), compare_key);
	return acct == NULL || !acct->app ? NULL : acct;
}

size_t
accounts_count(const struct accounts *a)
{
	return a->n;
}

size_t
accounts_count_apps(const struct accounts *a)
{
	return a->n_apps;
}

const struct account *
accounts_at(const struct accounts *a, size_t i)
{
	BUG_IF(i >= a->n);
	return &a->list[i];
}

size_t
accounts_bad(const struct accounts *a)
{
	return a->bad;
}

void
accounts_proof(const struct account *acct, unsigned char out[ACCOUNTS_PROOF])
{
	char buf[ACCOUNTS_LINE_MAX + 3];
	int n;

	/* No part has a tab, so no two accounts give the same text. */
	n = snprintf(buf, sizeof(buf), "%s\t%s\t%s", acct->user,
	    acct->verifier, acct->options);
	BUG_IF(n < 0 || (size_t)n >= sizeof(buf));
	BUG_IF(EVP_Digest(buf, (size_t)n, out, NULL, EVP_sha256(), NULL) != 1);
	str_wipe(buf, sizeof(buf));
}

void
accounts_proof_app(const struct account *acct, const struct account *app,
    unsigned char out[ACCOUNTS_PROOF])
{
	unsigned char both[2 * ACCOUNTS_PROOF];

	accounts_proof(acct, both);
	accounts_proof(app, both + ACCOUNTS_PROOF);
	BUG_IF(EVP_Digest(both, sizeof(both), out, NULL, EVP_sha256(),
	    NULL) != 1);
}

char *
accounts_folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}
