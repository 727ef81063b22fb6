/* SPDX-License-Identifier: ISC */
/*
 * posternctl apppass add|list|remove. Run by the administrator. App passwords
 * are lines of the accounts file, see auth/apppass.h; the auth service takes
 * up a change at once. When they were used is auth-server's word, which is
 * read here and not trusted.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "admin/admin.h"
#include "admin/fail.h"
#include "admin/password.h"
#include "auth/apppass.h"
#include "auth/lastuse.h"
#include "auth/scram.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/str.h"

#define EXPIRES_MAX	((uint64_t)36525 * 86400)	/* a hundred years */

const char apppass_cmd_usage[] =
    "apppass add [--scope smtp|http|smtp,http]\n"
    "    [--expires TIME | never] USER APP\n"
    "apppass list [USER]\n"
    "apppass remove USER APP\n";

/* One run; the strings are empty until they are known. */
struct task {
	struct conf	*conf;
	char		 user[ACCOUNTS_NAME_MAX];	/* the account */
	char		 login[ACCOUNTS_NAME_MAX];	/* user+app@domain */
	const char	*app;		/* NULL: none was named */
	unsigned	 scope;
	uint64_t	 lifetime;	/* seconds, 0: for ever */
};

/* "90d" in seconds; 0 when it is no time, or too long a one. */
static uint64_t
parse_time(const char *text)
{
	static const struct {
		const char *name;
		uint64_t seconds;
	} units[] = {
		{ "s", 1 }, { "min", 60 }, { "h", 3600 }, { "d", 86400 },
		{ "w", 7 * 86400 }, { "y", 365 * 86400 },
	};
	size_t digits = strspn(text, "0123456789"), i;
	uint64_t n;

	if (str_u64(text, digits, EXPIRES_MAX, &n) == -1)
		return 0;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(text + digits, units[i].name) == 0 &&
		    n <= EXPIRES_MAX / units[i].seconds)
			return n * units[i].seconds;
	return 0;
}

static int
no_account(const struct task *t)
{
	return fail_say(EX_NOUSER, t->user, "no such account");
}

/* NULL, or why it cannot be added to the accounts as they are. */
static const char *
refuse(const struct task *t, const struct accounts_edit *e)
{
	if (accounts_edit_find(e, t->login) != NULL)
		return "there is one of this name already";
	if (accounts_edit_count_apps(e, t->user) >= APPPASS_MAX)
		return "the account has as many as it can have";
	return NULL;
}

static int
add_line(const struct task *t, const char *verifier, const char *options)
{
	const char *path = t->conf->auth_accounts, *why;
	const struct account *account;
	struct accounts_edit *e;
	int status = EX_OK;

	if ((e = accounts_edit_begin(path, false)) == NULL)
		return fail_errno(path);
	account = accounts_edit_find(e, t->user);
	if (account == NULL || account->app)
		status = no_account(t);
	else if ((why = refuse(t, e)) != NULL)
		status = fail_say(EX_CANTCREAT, t->login, why);
	else if (accounts_edit_add(e, t->login, verifier, options) == -1 ||
	    accounts_edit_commit(&e) == -1)
		status = fail_errno(path);
	accounts_edit_abort(&e);
	return status;
}

static int
run_add(struct task *t)
{
	char password[PASSWORD_APP + 1], verifier[SCRAM_VERIFIER_MAX];
	char options[APPPASS_OPTIONS_MAX];
	uint64_t now = (uint64_t)time(NULL);
	int status = EX_OK;

	if (password_generate_app(password) == -1)
		return fail_errno("random numbers");
	if (scram_verifier_make(password, PASSWORD_APP,
	    (uint32_t)t->conf->auth_iterations, verifier,
	    sizeof(verifier)) == -1 || apppass_options(t->scope, now,
	    t->lifetime == 0 ? 0 : now + t->lifetime, password, PASSWORD_APP,
	    options) == -1)
		status = fail_errno("password");
	else
		status = add_line(t, verifier, options);
	if (status == EX_OK && (puts(password) == EOF ||
	    fflush(stdout) != 0)) {
		fail_errno("standard output");
		status = fail_say(EX_IOERR, t->login, "its password could "
		    "not be shown; remove it and add another");
	}
	str_wipe(password, sizeof(password));
	return status;
}

static int
run_remove(struct task *t)
{
	const char *path = t->conf->auth_accounts;
	const struct account *line;
	struct accounts_edit *e;
	int status = EX_OK;

	if ((e = accounts_edit_begin(path, false)) == NULL)
		return fail_errno(path);
	line = accounts_edit_find(e, t->login);
	if (line == NULL || !line->app)
		status = fail_say(EX_NOUSER, t->login,
		    "no such app password");
	else if (accounts_edit_remove(e, t->login) == -1 ||
	    accounts_edit_commit(&e) == -1)
		status = fail_errno(path);
	accounts_edit_abort(&e);
	return status;
}

/* "created 2026-11-21T10:00:00Z", or with `none' for 0. */
static void
print_time(const char *what, uint64_t when, const char *none)
{
	char text[32] = "";
	time_t t = (time_t)when;
	struct tm tm;

	if (when != 0 && gmtime_r(&t, &tm) != NULL)
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	printf("\t%s %s", what, text[0] == '\0' ? none : text);
}

static void
print_line(const struct account *line, const struct lastuse *l)
{
	char user[ACCOUNTS_NAME_MAX], app[ACCOUNTS_APP_MAX];
	const struct lastuse_entry *e;

	BUG_IF(!apppass_split(line->user, user, app));
	e = l == NULL ? NULL : lastuse_find(l, line->user);
	/* Of a former one that had its name. */
	if (e != NULL && e->time < line->created)
		e = NULL;
	printf("%s\t%s\t%s", user, app, apppass_scope_text(line->scope, ','));
	print_time("created", line->created, "unknown");
	print_time(line->expires != 0 && line->expires <=
	    (uint64_t)time(NULL) ? "expired" : "expires", line->expires,
	    "never");
	print_time("last used", e == NULL ? 0 : e->time,
	    l == NULL ? "unknown" : "never");
	if (e != NULL)
		printf(" %s %s", e->service == AUTH_HTTP ? "http" : "smtp",
		    e->address);
	printf("%s\n", line->disabled ? "\tdisabled" : "");
}

/* The times of last use, or NULL, which is said. */
static struct lastuse *
load_lastuse(const struct conf *c)
{
	struct lastuse *l = lastuse_new();
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s/%s", c->state_dir,
	    LASTUSE_FOLDER, LASTUSE_FILE);
	if (l != NULL && lastuse_read(l, path) == 0)
		return l;
	fail_errno(path);
	lastuse_free(&l);
	return NULL;
}

static void
print_all(const struct task *t, const struct accounts *a)
{
	const struct account *const *list;
	struct lastuse *l = load_lastuse(t->conf);
	size_t i, n;

	if (t->user[0] != '\0') {
		list = accounts_apps(a, t->user, &n);
		for (i = 0; i < n; i++)
			print_line(list[i], l);
	} else {
		for (i = 0; i < accounts_count(a); i++)
			if (accounts_at(a, i)->app)
				print_line(accounts_at(a, i), l);
	}
	lastuse_free(&l);
}

static int
run_list(struct task *t)
{
	struct accounts *a;
	int status = EX_OK;

	if ((a = accounts_load(t->conf->auth_accounts)) == NULL)
		return fail_errno(t->conf->auth_accounts);
	if (t->user[0] != '\0' && accounts_find(a, t->user) == NULL)
		status = no_account(t);
	else
		print_all(t, a);
	if (status == EX_OK && accounts_bad(a) > 0)
		status = EX_DATAERR;
	accounts_free(&a);
	if (fflush(stdout) != 0 || ferror(stdout))
		return fail_errno("standard output");
	return status;
}

static const struct command {
	const char	*name;
	const char	*options;
	int		 operands_min, operands_max;
	int		(*run)(struct task *);
} commands[] = {
	{ "add", "e:s:", 2, 2, run_add },
	{ "list", "", 0, 1, run_list },
	{ "remove", "", 2, 2, run_remove },
	{ "revoke", "", 2, 2, run_remove },
};

/* The account, with or without its domain, and the app. */
static int
set_names(struct task *t, const char *user, const char *app)
{
	if (accounts_name(user, strlen(user), t->conf->domains.item[0],
	    t->user, sizeof(t->user)) == -1)
		return fail_say(EX_DATAERR, user, "not a mail address");
	if (app == NULL)
		return EX_OK;
	t->app = app;
	if (!apppass_name_ok(app, strlen(app)))
		return fail_say(EX_DATAERR, app, "not the name of an app "
		    "password: 1 to 32 of a-z, 0-9, - and _");
	if (apppass_login(t->user, app, t->login) == -1)
		return fail_say(EX_DATAERR, app, "too long: the name of the "
		    "user, + and this one have at most 64 octets");
	return EX_OK;
}

static int
set_option(struct task *t, int option, const char *value)
{
	switch (option) {
	case 's':
		t->scope = apppass_scope(value, strlen(value), ',');
		return t->scope != 0 ? EX_OK : fail_say(EX_DATAERR, value,
		    "not a scope: smtp, http, or smtp,http");
	case 'e':
		t->lifetime = parse_time(value);
		return t->lifetime != 0 || strcmp(value, "never") == 0 ?
		    EX_OK : fail_say(EX_DATAERR, value, "not a time like "
		    "12h, 90d, 1y (a hundred years at most), or never");
	default:
		return fail_usage(apppass_cmd_usage);
	}
}

static int
run(const struct command *cmd, const char *conf, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "expires", required_argument, NULL, 'e' },
		{ "scope", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 }
	};
	struct task t = { .scope = APPPASS_SMTP | APPPASS_HTTP };
	int c, n, status = EX_OK;

	optind = 0;		/* glibc: start over */
	opterr = 0;
	while (status == EX_OK && (c = getopt_long(argc, argv, cmd->options,
	    *cmd->options == '\0' ? long_options + 2 : long_options,
	    NULL)) != -1)
		status = set_option(&t, c, optarg);
	if (status != EX_OK)
		return status;
	n = argc - optind;
	if (n < cmd->operands_min || n > cmd->operands_max)
		return fail_usage(apppass_cmd_usage);
	status = admin_conf(conf, &t.conf);
	if (status == EX_OK && t.conf->auth_store != CONF_STORE_ACCOUNTS)
		status = fail_say(EX_CONFIG, conf_store_path(t.conf, NULL),
		    "accounts are kept there (auth.store), and app passwords "
		    "are for those of the accounts file alone");
	if (status == EX_OK && n > 0)
		status = set_names(&t, argv[optind], n > 1 ?
		    argv[optind + 1] : NULL);
	if (status == EX_OK)
		status = cmd->run(&t);
	conf_free(&t.conf);
	return status;
}

int
apppass_cmd(const char *conf, int argc, char **argv)
{
	size_t i;

	for (i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]);
	    i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return run(&commands[i], conf, argc - 1, argv + 1);
	return fail_usage(apppass_cmd_usage);
}
