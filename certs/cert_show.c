/* SPDX-License-Identifier: ISC */
/*
 * posternctl cert show. Run by the administrator; the certificates may come
 * from anywhere. What is printed of them is escaped in cert_names.c.
 */
#include "certs/cert_impl.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "admin/fail.h"

#define SHOW_MAX	64		/* certificates of one file */

static int
show_file(const struct cert_options *o, int dir, const char *label,
    const char *path)
{
	BIO *bio;
	X509 *x;
	int fd, n;

	if ((fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) == -1)
		return fail_errno(label);
	if ((bio = BIO_new_fd(fd, BIO_CLOSE)) == NULL) {
		close(fd);
		return fail_say(EX_OSERR, label, "out of memory");
	}
	for (n = 0; n < SHOW_MAX && (x = cert_read(bio)) != NULL; n++) {
		printf("file: %s\n", label);
		cert_print(stdout, x, o->now);
		putchar('\n');
		X509_free(x);
	}
	BIO_free(bio);
	return n > 0 ? EX_OK : fail_say(EX_DATAERR, label,
	    "holds no certificate");
}

static int
is_pem(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return e->d_name[0] != '.' && len > 4 &&
	    strcmp(e->d_name + len - 4, ".pem") == 0;
}

static int
show_dir(const struct cert_options *o)
{
	struct dirent **list;
	char label[4096];
	int dir, i, n, one, status = EX_OK;

	dir = open(o->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1)
		return fail_errno(o->dir);
	if ((n = scandirat(dir, ".", &list, is_pem, alphasort)) == -1) {
		close(dir);
		return fail_errno(o->dir);
	}
	for (i = 0; i < n; i++) {
		snprintf(label, sizeof(label), "%s/%s", o->dir,
		    list[i]->d_name);
		one = show_file(o, dir, label, list[i]->d_name);
		status = status == EX_OK ? one : status;
		free(list[i]);
	}
	free(list);
	close(dir);
	return n > 0 ? status : fail_say(EX_NOINPUT, o->dir,
	    "no certificates (*.pem) in it");
}

int
cert_run_show(struct cert_options *o, int argc, char **argv)
{
	int i, one, status = EX_OK;

	if (argc == 0)
		status = show_dir(o);
	for (i = 0; i < argc; i++) {
		one = show_file(o, AT_FDCWD, argv[i], argv[i]);
		status = status == EX_OK ? one : status;
	}
	if (fflush(stdout) != 0 || ferror(stdout))
		return EX_IOERR;
	return status;
}
