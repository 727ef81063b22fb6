/* SPDX-License-Identifier: ISC */
/*
 * posternctl user import. Run by the administrator on a file that may have
 * come from elsewhere: each line is checked, and unless told otherwise
 * nothing is changed when one is wrong. Verifiers are computed before the
 * accounts file is locked, because that takes long.
 */
#include "admin/import.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "admin/admin.h"
#include "admin/fail.h"
#include "admin/mailbox.h"
#include "admin/password.h"
#include "auth/scram.h"
#include "lib/conf.h"
#include "lib/str.h"

#define ENTRIES_MAX	1000000

struct entry {
	char		user[ACCOUNTS_NAME_MAX];
	char		verifier[SCRAM_VERIFIER_MAX];
	unsigned long	line;
	bool		made;		/* its mailbox is new */
	bool		skipped;
};

struct import {
	struct conf	*conf;
	const char	*file;
	bool		 keep_going, update;
	struct entry	*entry;
	size_t		 n, cap;
	unsigned long	 bad, added, changed;
};

enum import_line
import_parse(const char *line, size_t len, size_t *address_len,
    const char **password, size_t *password_len)
{
	size_t i;
	bool quoted = false;

	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len == 0 || line[0] == '#')
		return IMPORT_NOTHING;
	for (i = 0; i < len; i++) {
		if (quoted && line[i] == '\\')
			i++;
		else if (line[i] == '"')
			quoted = !quoted;
		else if (line[i] == ':' && !quoted)
			break;
	}
	if (i >= len)
		return IMPORT_BAD;
	*address_len = i;
	*password = line + i + 1;
	*password_len = len - i - 1;
	return IMPORT_ACCOUNT;
}

static void
say_bad(struct import *im, unsigned long line, const char *why)
{
	im->bad++;
	fprintf(stderr, "%s:%lu: %s\n", im->file, line, why);
}

static struct entry *
new_entry(struct import *im)
{
	struct entry *list;
	size_t cap;

	if (im->n == im->cap) {
		cap = im->cap == 0 ? 64 : im->cap * 2;
		if (cap > 2 * ENTRIES_MAX) {
			errno = EFBIG;
			return NULL;
		}
		list = reallocarray(im->entry, cap, sizeof(*list));
		if (list == NULL)
			return NULL;
		im->entry = list;
		im->cap = cap;
	}
	return memset(&im->entry[im->n], 0, sizeof(struct entry));
}

/* 0, or -1 and errno when the world, not the line, is at fault. */
static int
take_line(struct import *im, unsigned long number, const char *line,
    size_t len)
{
	struct entry *e;
	const char *password = NULL, *why;
	size_t address_len = 0, n = 0;

	switch (import_parse(line, len, &address_len, &password, &n)) {
	case IMPORT_NOTHING:
		return 0;
	case IMPORT_BAD:
		say_bad(im, number, "not of the form address:password");
		return 0;
	case IMPORT_ACCOUNT:
		break;
	}
	if ((e = new_entry(im)) == NULL)
		return -1;
	if ((why = admin_address(im->conf, line, address_len, e->user)) !=
	    NULL || (why = password_fault(password, n)) != NULL) {
		say_bad(im, number, why);
		return 0;
	}
	e->line = number;
	im->n++;
	/* with a line that is wrong nothing will be written */
	if (im->bad > 0 && !im->keep_going)
		return 0;
	return scram_verifier_make(password, n,
	    (uint32_t)im->conf->auth_iterations, e->verifier,
	    sizeof(e->verifier));
}

static int
read_lines(struct import *im, FILE *fp)
{
	unsigned long number = 0;
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = getline(&line, &cap, fp)) > 0) {
		if (line[n - 1] == '\n')
			n--;
		r = take_line(im, ++number, line, (size_t)n);
	}
	if (r == 0 && ferror(fp))
		r = -1;
	if (line != NULL)
		str_wipe(line, cap);
	free(line);
	return r == 0 ? EX_OK : fail_errno(im->file);
}

static int
read_file(struct import *im)
{
	FILE *fp = stdin;
	int status;

	if (strcmp(im->file, "-") == 0)
		im->file = "standard input";
	else if ((fp = fopen(im->file, "re")) == NULL)
		return fail_errno(im->file);
	status = read_lines(im, fp);
	if (fp != stdin)
		fclose(fp);
	return status;
}

static int
by_user(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int r = strcmp(x->user, y->user);

	if (r != 0)
		return r;
	return x->line < y->line ? -1 : x->line > y->line;
}

static int
by_line(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->line < y->line ? -1 : x->line > y->line;
}

static void
refuse_doubles(struct import *im)
{
	size_t i;

	if (im->n == 0)
		return;
	qsort(im->entry, im->n, sizeof(*im->entry), by_user);
	for (i = 1; i < im->n; i++)
		im->entry[i].skipped = strcmp(im->entry[i - 1].user,
		    im->entry[i].user) == 0;
	qsort(im->entry, im->n, sizeof(*im->entry), by_line);
	for (i = 0; i < im->n; i++)
		if (im->entry[i].skipped)
			say_bad(im, im->entry[i].line,
			    "this address stands in a line before");
}

/* -1 and errno when the world is at fault. */
static int
apply_entry(struct import *im, struct accounts_edit *edit, struct entry *e,
    const struct mailbox_owner *owner)
{
	bool there = accounts_edit_find(edit, e->user) != NULL;
	int made;

	if (e->skipped)
		return 0;
	if (there && !im->update) {
		say_bad(im, e->line, "there is such an account already");
		return 0;
	}
	if ((made = mailbox_make(im->conf->mail_root, e->user, owner)) == -1)
		return -1;
	e->made = made == 1;
	if (there ? accounts_edit_verifier(edit, e->user, e->verifier) == -1 :
	    accounts_edit_add(edit, e->user, e->verifier, NULL) == -1)
		return -1;
	im->changed += there;
	im->added += !there;
	return 0;
}

static int
nothing_imported(const struct import *im)
{
	fprintf(stderr, "posternctl: %s: %lu bad line%s, nothing was "
	    "imported\n", im->file, im->bad, im->bad == 1 ? "" : "s");
	return EX_DATAERR;
}

static int
apply(struct import *im, struct accounts_edit **edit,
    const struct mailbox_owner *owner)
{
	const char *path = im->conf->auth_accounts;
	size_t i;

	for (i = 0; i < im->n; i++)
		if (apply_entry(im, *edit, &im->entry[i], owner) == -1)
			return fail_errno(im->entry[i].user);
	if (im->bad > 0 && !im->keep_going)
		return nothing_imported(im);
	if (im->n > 0 && mailbox_sync(im->conf->mail_root) == -1)
		return fail_errno(im->conf->mail_root);
	if (accounts_edit_commit(edit) == -1)
		return fail_errno(path);
	return EX_OK;
}

/* Change the accounts file once for all, or take back what was made. */
static int
write_accounts(struct import *im)
{
	struct accounts_edit *edit;
	struct mailbox_owner owner;
	const char *missing;
	size_t i;
	int status;

	if ((missing = mailbox_owner(&owner)) != NULL)
		return fail_say(EX_OSFILE, missing,
		    "no such system user or group");
	edit = accounts_edit_begin(im->conf->auth_accounts, true);
	if (edit == NULL)
		return fail_errno(im->conf->auth_accounts);
	status = apply(im, &edit, &owner);
	accounts_edit_abort(&edit);
	for (i = 0; status != EX_OK && i < im->n; i++)
		if (im->entry[i].made)
			mailbox_unmake(im->conf->mail_root,
			    im->entry[i].user);
	return status == EX_OK ?
	    admin_own_accounts(im->conf->auth_accounts) : status;
}

static int
run(struct import *im)
{
	int status;

	if ((status = read_file(im)) != EX_OK)
		return status;
	refuse_doubles(im);
	if (im->bad > 0 && !im->keep_going)
		return nothing_imported(im);
	if ((status = write_accounts(im)) != EX_OK)
		return status;
	printf("%lu added, %lu changed", im->added, im->changed);
	printf(im->bad > 0 ? ", %lu bad lines\n" : "\n", im->bad);
	if (fflush(stdout) != 0)
		return fail_errno("standard output");
	return im->bad > 0 ? EX_DATAERR : EX_OK;
}

int
import_cmd(const char *conf, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "keep-going", no_argument, NULL, 'k' },
		{ "update", no_argument, NULL, 'u' },
		{ NULL, 0, NULL, 0 }
	};
	struct import im = { .file = "-" };
	int c, status;

	optind = 0;		/* glibc: start over */
	opterr = 0;
	while ((c = getopt_long(argc, argv, "ku", long_options, NULL)) != -1)
		switch (c) {
		case 'k':
			im.keep_going = true;
			break;
		case 'u':
			im.update = true;
			break;
		default:
			return fail_usage(user_cmd_usage);
		}
	if (argc - optind > 1)
		return fail_usage(user_cmd_usage);
	if (argc - optind == 1)
		im.file = argv[optind];
	if ((status = admin_conf(conf, &im.conf)) == EX_OK &&
	    (status = admin_keeps_accounts(im.conf)) == EX_OK)
		status = run(&im);
	if (im.entry != NULL)
		str_wipe(im.entry, im.cap * sizeof(*im.entry));
	free(im.entry);
	conf_free(&im.conf);
	return status;
}
