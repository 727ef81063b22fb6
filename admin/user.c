/* SPDX-License-Identifier: ISC */
/*
 * posternctl user add|passwd|remove|list. Run by the administrator. An
 * account and its mailbox come together; removing an account never removes
 * mail. A password is on no command line, and in no file but as a verifier.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "admin/admin.h"
#include "admin/fail.h"
#include "admin/mailbox.h"
#include "admin/password.h"
#include "auth/scram.h"
#include "lib/conf.h"
#include "lib/str.h"

const char user_cmd_usage[] =
    "user add [-p] ADDRESS\n"
    "user passwd [-p] ADDRESS\n"
    "user remove ADDRESS\n"
    "user list\n"
    "user import [-ku] [FILE | -]\n";

/* One run; the strings are empty until they are known. */
struct task {
	struct conf	*conf;
	char		 user[ACCOUNTS_NAME_MAX];
	char		 verifier[SCRAM_VERIFIER_MAX];
	char		 shown[PASSWORD_GENERATED + 1];	/* made here */
	bool		 ask;		/* -p */
};

/* Read or make the password, keep its verifier. */
static int
choose_password(struct task *t)
{
	char password[PASSWORD_SIZE];
	size_t len = PASSWORD_GENERATED;
	int status = EX_OK;

	if (t->ask)
		status = password_read(password, &len);
	else if (password_generate(t->shown) == -1)
		status = fail_errno("random numbers");
	else
		memcpy(password, t->shown, len);
	if (status == EX_OK && scram_verifier_make(password, len,
	    (uint32_t)t->conf->auth_iterations, t->verifier,
	    sizeof(t->verifier)) == -1)
		status = fail_errno("password");
	str_wipe(password, sizeof(password));
	return status;
}

/* The account stands: only now may its password be known. */
static int
show_password(const struct task *t)
{
	if (t->shown[0] == '\0')
		return EX_OK;
	if (puts(t->shown) != EOF && fflush(stdout) == 0)
		return EX_OK;
	fail_errno("standard output");
	return fail_say(EX_IOERR, t->user, "its password could not be shown; "
	    "set another: posternctl user passwd");
}

static int
load(const struct conf *c, struct accounts **a)
{
	*a = accounts_load(c->auth_accounts);
	return *a != NULL ? EX_OK : fail_errno(c->auth_accounts);
}

/* Before a password is asked for. What counts is looked up again later. */
static int
refuse_existing(const struct task *t)
{
	struct accounts *a;
	int status = EX_OK;

	if ((a = accounts_load(t->conf->auth_accounts)) == NULL)
		return errno == ENOENT ? EX_OK :
		    fail_errno(t->conf->auth_accounts);
	if (accounts_find(a, t->user) != NULL)
		status = fail_say(EX_CANTCREAT, t->user,
		    "there is such an account already");
	accounts_free(&a);
	return status;
}

/* With the mailbox, which is taken back when the account fails. */
static int
add_account(const struct task *t, const struct mailbox_owner *owner,
    bool *had_mailbox)
{
	const struct conf *c = t->conf;
	struct accounts_edit *e = NULL;
	int made = 0, status = EX_OK;

	if ((e = accounts_edit_begin(c->auth_accounts, true)) == NULL)
		return fail_errno(c->auth_accounts);
	if (accounts_edit_find(e, t->user) != NULL)
		status = fail_say(EX_CANTCREAT, t->user,
		    "there is such an account already");
	else if ((made = mailbox_make(c->mail_root, t->user, owner)) == -1 ||
	    mailbox_sync(c->mail_root) == -1)
		status = fail_errno(c->mail_root);
	else {
		/* Whoever had the address before may know them. */
		accounts_edit_remove_apps(e, t->user);
		if (accounts_edit_add(e, t->user, t->verifier, NULL) == -1 ||
		    accounts_edit_commit(&e) == -1)
			status = fail_errno(c->auth_accounts);
	}
	accounts_edit_abort(&e);
	if (status != EX_OK && made == 1)
		mailbox_unmake(c->mail_root, t->user);
	*had_mailbox = made == 0;
	return status == EX_OK ? admin_own_accounts(c->auth_accounts) : status;
}

static int
run_add(struct task *t)
{
	struct mailbox_owner owner;
	const char *missing;
	bool had_mailbox = false;
	int status;

	if ((missing = mailbox_owner(&owner)) != NULL)
		return fail_say(EX_OSFILE, missing,
		    "no such system user or group");
	if ((status = refuse_existing(t)) != EX_OK ||
	    (status = choose_password(t)) != EX_OK ||
	    (status = add_account(t, &owner, &had_mailbox)) != EX_OK)
		return status;
	if (had_mailbox)
		fprintf(stderr, "posternctl: %s: note: its mailbox was there "
		    "before, with what mail is in it\n", t->user);
	return show_password(t);
}

/* No such account, in the way of the other failures. */
static int
unknown(const struct task *t)
{
	return fail_say(EX_NOUSER, t->user, "no such account");
}

/* App passwords are not; "posternctl apppass" is for them. */
static bool
is_account(const struct account *account)
{
	return account != NULL && !account->app;
}

static int
check_known(const struct task *t)
{
	struct accounts *a;
	int status;

	if ((status = load(t->conf, &a)) != EX_OK)
		return status;
	status = accounts_find(a, t->user) != NULL ? EX_OK : unknown(t);
	accounts_free(&a);
	return status;
}

static int
run_passwd(struct task *t)
{
	const char *path = t->conf->auth_accounts;
	struct accounts_edit *e;
	int status;

	if ((status = check_known(t)) != EX_OK ||
	    (status = choose_password(t)) != EX_OK)
		return status;
	if ((e = accounts_edit_begin(path, false)) == NULL)
		return fail_errno(path);
	if (!is_account(accounts_edit_find(e, t->user)))
		status = unknown(t);
	else if (accounts_edit_verifier(e, t->user, t->verifier) == -1 ||
	    accounts_edit_commit(&e) == -1)
		status = fail_errno(path);
	accounts_edit_abort(&e);
	return status == EX_OK ? show_password(t) : status;
}

static int
run_remove(struct task *t)
{
	const char *path = t->conf->auth_accounts;
	struct accounts_edit *e;
	char mail[PATH_MAX];
	int status = EX_OK;

	if ((e = accounts_edit_begin(path, false)) == NULL)
		return fail_errno(path);
	if (!is_account(accounts_edit_find(e, t->user)))
		status = unknown(t);
	else if (accounts_edit_remove(e, t->user) == -1 ||
	    accounts_edit_commit(&e) == -1)
		status = fail_errno(path);
	accounts_edit_abort(&e);
	if (status == EX_OK && mailbox_path(t->conf->mail_root, t->user, mail,
	    sizeof(mail)) == 0 && access(mail, F_OK) == 0)
		printf("mail stays in %s\n", mail);
	return status;
}

static int
run_list(struct task *t)
{
	const struct account *account;
	struct accounts *a;
	size_t i, n;
	int status;

	if ((status = load(t->conf, &a)) != EX_OK)
		return status;
	for (i = 0; i < accounts_count(a); i++) {
		account = accounts_at(a, i);
		if (account->app)
			continue;
		printf("%s%s", account->user,
		    account->disabled ? "\tdisabled" : "");
		accounts_apps(a, account->user, &n);
		if (n > 0)
			printf("\t%zu app password%s", n, n == 1 ? "" : "s");
		putchar('\n');
	}
	if (accounts_bad(a) > 0)
		status = EX_DATAERR;
	accounts_free(&a);
	if (fflush(stdout) != 0 || ferror(stdout))
		return fail_errno("standard output");
	return status;
}

static const struct command {
	const char	*name;
	const char	*options;
	int		 operands;
	bool		 must_be_local;
	int		(*run)(struct task *);
} commands[] = {
	{ "add", "p", 1, true, run_add },
	{ "passwd", "p", 1, false, run_passwd },
	{ "remove", "", 1, false, run_remove },
	{ "list", "", 0, false, run_list },
};

/*
 * An account may be changed or removed after its domain has gone from the
 * conf, and whatever its name.
 */
static int
set_user(struct task *t, const struct command *cmd, const char *text)
{
	const char *why = NULL;

	if (cmd->must_be_local)
		why = admin_address(t->conf, text, strlen(text), t->user);
	else if (accounts_name(text, strlen(text), NULL, t->user,
	    sizeof(t->user)) == -1)
		why = "not a mail address";
	return why == NULL ? EX_OK : fail_say(EX_DATAERR, text, why);
}

static int
run(const struct command *cmd, const char *conf, int argc, char **argv)
{
	struct task t = { .conf = NULL };
	int c, status;

	optind = 0;		/* glibc: start over */
	opterr = 0;
	while ((c = getopt(argc, argv, cmd->options)) != -1) {
		if (c != 'p')
			return fail_usage(user_cmd_usage);
		t.ask = true;
	}
	if (argc - optind != cmd->operands)
		return fail_usage(user_cmd_usage);
	status = admin_conf(conf, &t.conf);
	if (status == EX_OK)
		status = admin_keeps_accounts(t.conf);
	if (status == EX_OK && cmd->operands == 1)
		status = set_user(&t, cmd, argv[optind]);
	if (status == EX_OK)
		status = cmd->run(&t);
	conf_free(&t.conf);
	str_wipe(&t, sizeof(t));
	return status;
}

int
user_cmd(const char *conf, int argc, char **argv)
{
	size_t i;

	if (argc > 0 && strcmp(argv[0], "import") == 0)
		return import_cmd(conf, argc, argv);
	for (i = 0; argc > 0 && i < sizeof(commands) / sizeof(commands[0]);
	    i++)
		if (strcmp(argv[0], commands[i].name) == 0)
			return run(&commands[i], conf, argc, argv);
	return fail_usage(user_cmd_usage);
}
