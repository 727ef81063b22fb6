/* SPDX-License-Identifier: ISC */
/*
 * posternctl check: the alias file and where the postmaster's mail goes. See
 * check.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/alias_edit.h"
#include "admin/check_impl.h"
#include "admin/mailbox.h"
#include "lib/conf.h"

static void
on_fault(void *arg, size_t line, const char *text)
{
	struct check *k = arg;

	check_error(k, "delivery", "aliases", "%s:%zu: %s", k->conf->aliases,
	    line, text);
}

struct members {
	struct check		*k;
	const struct alias	*alias;
	size_t			 n, missing;
	bool			 looks;		/* for mailboxes */
};

static int
on_member(void *arg, const struct alias_member *m)
{
	struct members *x = arg;

	x->n++;
	if (!x->looks ||
	    !mailbox_is_missing(x->k->conf->mail_root, m->address))
		return 0;
	x->missing++;
	if (!*m->told)
		check_warn(x->k, "delivery", "aliases",
		    "%s:%zu: %s: has no mailbox", x->k->conf->aliases,
		    x->alias->line, m->address);
	*m->told = true;
	return 0;
}

static void
check_entry(struct check *k, struct alias_table *t, const struct alias *a)
{
	struct members x = { k, a, 0, 0, !check_bad(k, "", "mail_root") };
	const char *path = k->conf->aliases;

	if (a->catch_all && !k->conf->catch_all &&
	    !check_bad(k, "delivery", "catch_all"))
		check_warn(k, "delivery", "aliases", "%s:%zu: %s: has no "
		    "effect without catch_all = yes", path, a->line,
		    a->address);
	if (a->refused)
		return;
	if (alias_expand(t, a, on_member, &x) == ALIAS_TOO_MANY)
		check_error(k, "delivery", "aliases", "%s:%zu: %s: leads to "
		    "more mailboxes than alias_members", path, a->line,
		    a->address);
	else if (x.missing == x.n)
		check_warn(k, "delivery", "aliases", "%s:%zu: %s: leads to no "
		    "mailbox", path, a->line, a->address);
}

static void
check_file(struct check *k)
{
	const char *path = k->conf->aliases;
	struct stat st;

	if (geteuid() == 0 && check_access(MAILBOX_USER, path, R_OK) == -1 &&
	    errno != ENOENT)
		check_error(k, "delivery", "aliases", "%s: %s: %s", path,
		    MAILBOX_USER, strerror(errno));
	if (stat(path, &st) == 0 && (st.st_mode & S_IWOTH) != 0)
		check_error(k, "delivery", "aliases",
		    "%s: everybody may write to it", path);
}

static void
check_table(struct check *k)
{
	const char *path = k->conf->aliases;
	struct alias_table *t = NULL;
	size_t len = 0, i;
	char *text;

	text = alias_file_load(path, &len);
	if (text != NULL)
		t = alias_read(text, len, k->conf, on_fault, k);
	if (t == NULL)
		check_error(k, "delivery", "aliases", "%s: %s", path,
		    strerror(errno));
	free(text);
	if (t == NULL)
		return;
	for (i = 0; i < alias_count(t); i++)
		check_entry(k, t, alias_at(t, i));
	alias_free(&t);
}

static void
check_postmaster(struct check *k)
{
	const char *text = k->conf->postmaster, *why;
	struct addr a;

	if (text[0] == '\0' || check_bad(k, "", "domains"))
		return;
	why = alias_address(k->conf, text, strlen(text), &a, NULL);
	if (why != NULL)
		check_error(k, "delivery", "postmaster", "%s: %s", text, why);
}

void
check_aliases(struct check *k)
{
	check_postmaster(k);
	/* All of them would be of foreign domains. */
	if (check_bad(k, "delivery", "aliases") ||
	    check_bad(k, "", "domains"))
		return;
	check_file(k);
	check_table(k);
}
