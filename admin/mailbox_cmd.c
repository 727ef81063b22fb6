/* SPDX-License-Identifier: ISC */
/*
 * posternctl mailbox create: mailboxes without accounts, for those that are
 * kept in another store. Run by the administrator.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "admin/admin.h"
#include "admin/fail.h"
#include "admin/mailbox.h"
#include "lib/conf.h"

const char mailbox_cmd_usage[] = "mailbox create ADDRESS ...\n";

/* One mailbox, not yet on stable storage. */
static int
create(const struct conf *c, const char *text,
    const struct mailbox_owner *owner)
{
	char user[ACCOUNTS_NAME_MAX];
	const char *why = admin_address(c, text, strlen(text), user);

	if (why != NULL)
		return fail_say(EX_DATAERR, text, why);
	switch (mailbox_make(c->mail_root, user, owner)) {
	case 1:
		return EX_OK;
	case 0:
		return fail_say(EX_CANTCREAT, user,
		    "there is such a mailbox already");
	default:
		return fail_errno(c->mail_root);
	}
}

/* Those that can be made are, whatever becomes of the others. */
static int
create_all(const struct conf *c, int n, char **addresses)
{
	struct mailbox_owner owner;
	const char *missing = mailbox_owner(&owner);
	int i, r, status = EX_OK;

	if (missing != NULL)
		return fail_say(EX_OSFILE, missing,
		    "no such system user or group");
	for (i = 0; i < n; i++)
		if ((r = create(c, addresses[i], &owner)) != EX_OK &&
		    status == EX_OK)
			status = r;
	if (mailbox_sync(c->mail_root) == -1 && status == EX_OK)
		status = fail_errno(c->mail_root);
	return status;
}

int
mailbox_cmd(const char *conf, int argc, char **argv)
{
	struct conf *c = NULL;
	int status;

	if (argc < 2 || strcmp(argv[0], "create") != 0)
		return fail_usage(mailbox_cmd_usage);
	if ((status = admin_conf(conf, &c)) == EX_OK)
		status = create_all(c, argc - 1, argv + 1);
	conf_free(&c);
	return status;
}
