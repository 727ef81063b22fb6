/* SPDX-License-Identifier: ISC */
/*
 * What the commands of posternctl share about the conf, and "posternctl
 * show". The conf is the administrator's.
 */
#include "admin/admin.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "admin/fail.h"
#include "lib/conf.h"

#define ACCOUNTS_GROUP	"postern-auth"

const char show_cmd_usage[] = "show [--defaults]\n";

static void
say_fault(void *arg, const char *file, int line, const char *text)
{
	(void)arg;
	if (line > 0)
		fprintf(stderr, "%s:%d: %s\n", file, line, text);
	else
		fprintf(stderr, "%s: %s\n", file, text);
}

int
admin_conf_faulty(const char *path, struct conf **c, unsigned *faults)
{
	FILE *fp;

	*c = NULL;
	if ((fp = fopen(path, "re")) == NULL)
		return fail_errno(path) == EX_NOPERM ? EX_NOPERM : EX_CONFIG;
	*c = conf_read_faulty(fp, path, say_fault, NULL, faults);
	fclose(fp);
	return *c != NULL ? EX_OK : EX_CONFIG;
}

int
admin_conf(const char *path, struct conf **c)
{
	unsigned faults = 0;
	int r = admin_conf_faulty(path, c, &faults);

	if (r != EX_OK || faults == 0)
		return r;
	conf_free(c);
	return EX_CONFIG;
}

const char *
admin_address(const struct conf *c, const char *text, size_t len,
    char out[ACCOUNTS_NAME_MAX])
{
	const char *tag;

	if (accounts_name(text, len, NULL, out, ACCOUNTS_NAME_MAX) == -1)
		return "not a mail address (local part of at most 64 octets, "
		    "@, domain)";
	if (!conf_is_local(c, strrchr(out, '@') + 1))
		return "its domain is not one of the conf's domains";
	tag = strchr(out, '+');
	if (tag != NULL && tag != out)
		return "a local part with + gets no mail: what follows the + "
		    "is a tag, or names an app password";
	return NULL;
}

int
admin_keeps_accounts(const struct conf *c)
{
	if (c->auth_store == CONF_STORE_ACCOUNTS)
		return EX_OK;
	return fail_say(EX_CONFIG, conf_store_path(c, NULL), "accounts are "
	    "kept there (auth.store) and changed with other programs; a "
	    "mailbox is made by: posternctl mailbox create");
}

int
admin_own_accounts(const char *path)
{
	struct group *g;
	struct stat st;

	if (geteuid() != 0 || lstat(path, &st) == -1 || st.st_gid != 0)
		return EX_OK;
	if ((g = getgrnam(ACCOUNTS_GROUP)) == NULL)
		return fail_say(EX_OSFILE, ACCOUNTS_GROUP,
		    "no such system group");
	return lchown(path, 0, g->gr_gid) == 0 ? EX_OK : fail_errno(path);
}

int
show_cmd(const char *path, int argc, char **argv)
{
	struct conf *c = NULL;
	int status;

	if (argc == 2 && strcmp(argv[1], "--defaults") == 0)
		status = EX_OK;
	else if (argc != 1)
		return fail_usage(show_cmd_usage);
	else if ((status = admin_conf(path, &c)) != EX_OK)
		return status;
	conf_print(c, stdout);
	conf_free(&c);
	if (fflush(stdout) != 0 || ferror(stdout))
		return fail_errno("standard output");
	return status;
}
