/* SPDX-License-Identifier: ISC */
/*
 * auth/apppass.c, accounts_options.c, lastuse.c: names, lines, digests,
 * scopes and times of app passwords, and how the accounts file has them.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/stat.h>

#include <cmocka.h>

#include "auth/accounts.h"
#include "auth/accounts_line.h"
#include "auth/apppass.h"
#include "auth/lastuse.h"

#define V "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$" \
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:" \
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
/* HMAC-SHA-256 of "abcd-efgh" under the key "0123456789abcdef". */
#define DIGEST "MDEyMzQ1Njc4OWFiY2RlZqkwW8IQM3fM" \
    "baQfg0gY3qu5yeMcxbpuXWnzgbhs9N89"
#define PASSWORD "abcd-efgh"
#define APP "app,scope=smtp,digest=" DIGEST
#define N(a) (sizeof(a) / sizeof((a)[0]))

static char folder[64], path[96];

static int
setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/test-apppass.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/accounts", folder);
	return 0;
}

static int
teardown(void **state)
{
	char name[128];

	(void)state;
	unlink(path);
	snprintf(name, sizeof(name), "%s.lock", path);
	unlink(name);
	return rmdir(folder);
}

static void
put(const char *text)
{
	FILE *fp = fopen(path, "w");

	assert_non_null(fp);
	assert_int_equal(fputs(text, fp) >= 0, 1);
	assert_int_equal(fclose(fp), 0);
}

static void
assert_file(const char *want)
{
	char have[8192];
	FILE *fp = fopen(path, "r");
	size_t n;

	assert_non_null(fp);
	n = fread(have, 1, sizeof(have) - 1, fp);
	have[n] = '\0';
	fclose(fp);
	assert_string_equal(have, want);
}

static void
test_app_names(void **state)
{
	static const struct { const char *name; bool ok; } cases[] = {
		{ "a", true }, { "laptop", true }, { "my-phone_2", true },
		{ "0", true }, { "-", true }, { "_", true },
		{ "abcdefghijklmnopqrstuvwxyz012345", true },
		{ "abcdefghijklmnopqrstuvwxyz0123456", false },
		{ "", false }, { "Laptop", false }, { "a b", false },
		{ "a.b", false }, { "a+b", false }, { "a@b", false },
		{ "a/b", false }, { "\xc3\xbc", false }, { "a\n", false },
		{ "a:b", false }, { "a,b", false }, { "`", false },
		{ "{", false }, { "/", false }, { ":", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < N(cases); i++)
		if (apppass_name_ok(cases[i].name, strlen(cases[i].name)) !=
		    cases[i].ok)
			fail_msg("%s", cases[i].name);
	assert_false(apppass_name_ok("a\0b", 3));
}

static void
test_split(void **state)
{
	static const struct { const char *login, *user, *app; } cases[] = {
		{ "alice+laptop@x.test", "alice@x.test", "laptop" },
		{ "a.b+c-d_e@x", "a.b@x", "c-d_e" },
		{ "alice+old+app@x", "alice+old@x", "app" },
		{ "+x+app@x", "+x@x", "app" },
		{ "alice@x", NULL, NULL }, { "alice@x+y", NULL, NULL },
		{ "+laptop@x", NULL, NULL }, { "alice+@x", NULL, NULL },
		{ "alice+a.b@x", NULL, NULL }, { "a.+b@x", NULL, NULL },
		{ "alice+laptop", NULL, NULL }, { "", NULL, NULL },
		{ "@x", NULL, NULL }, { "@", NULL, NULL },
		{ "alice+abcdefghijklmnopqrstuvwxyz0123456@x", NULL, NULL },
	};
	char user[ACCOUNTS_NAME_MAX], app[ACCOUNTS_APP_MAX];
	char login[ACCOUNTS_NAME_MAX], big[80];
	size_t i;
	bool ok;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		ok = apppass_split(cases[i].login, user, app);
		if (ok != (cases[i].user != NULL))
			fail_msg("%s", cases[i].login);
		if (!ok)
			continue;
		assert_string_equal(user, cases[i].user);
		assert_string_equal(app, cases[i].app);
		assert_int_equal(apppass_login(user, app, login), 0);
		assert_string_equal(login, cases[i].login);
	}
	assert_int_equal(apppass_login("alice@x", "A", login), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(apppass_login("alice", "a", login), -1);
	/* The local part has 64 octets at most, with all in it. */
	memset(big, 'b', sizeof(big));
	strcpy(big + 62, "@x");
	assert_int_equal(apppass_login(big, "a", login), 0);
	assert_int_equal(apppass_login(big, "ab", login), -1);
}

static void
test_scopes(void **state)
{
	static const struct { const char *text; unsigned scope; } cases[] = {
		{ "smtp", APPPASS_SMTP }, { "http", APPPASS_HTTP },
		{ "smtp:http", APPPASS_SMTP | APPPASS_HTTP },
		{ "http:smtp", APPPASS_SMTP | APPPASS_HTTP },
		{ "", 0 }, { ":", 0 }, { "smtp:", 0 }, { ":smtp", 0 },
		{ "smtp:smtp", 0 }, { "smtp,http", 0 }, { "SMTP", 0 },
		{ "imap", 0 }, { "smtp:imap", 0 }, { "smt", 0 },
		{ "smtps", 0 }, { "smtp:http:smtp", 0 }, { "*", 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < N(cases); i++)
		if (apppass_scope(cases[i].text, strlen(cases[i].text),
		    ':') != cases[i].scope)
			fail_msg("%s", cases[i].text);
	for (i = 1; i <= 3; i++) {
		const char *text = apppass_scope_text((unsigned)i, ',');

		assert_int_equal(apppass_scope(text, strlen(text), ','), i);
	}
	assert_string_equal(apppass_scope_text(3, ':'), "smtp:http");
}

static void
test_lines(void **state)
{
	static const struct {
		const char *name, *options;
		bool ok;
		unsigned scope;
		uint64_t created, expires;
	} cases[] = {
		{ "a+b@x", APP, true, APPPASS_SMTP, 0, 0 },
		{ "a+b@x", "disabled," APP, true, APPPASS_SMTP, 0, 0 },
		{ "a+b@x", "digest=" DIGEST ",expires=2,created=1,"
		    "scope=http:smtp,app", true, 3, 1, 2 },
		{ "a+b@x", APP ",expires=253402300799", true, 1, 0,
		    253402300799 },
		{ "a+b@x", APP ",expires=253402300800", false, 0, 0, 0 },
		{ "a+b@x", APP ",expires=0", false, 0, 0, 0 },
		{ "a+b@x", APP ",expires=01", false, 0, 0, 0 },
		{ "a+b@x", APP ",expires=", false, 0, 0, 0 },
		{ "a+b@x", APP ",expires=-1", false, 0, 0, 0 },
		{ "a+b@x", APP ",expires=1d", false, 0, 0, 0 },
		{ "a+b@x", APP ",expires", false, 0, 0, 0 },
		{ "a+b@x", APP ",created=0", false, 0, 0, 0 },
		{ "a+b@x", APP ",expires=1,expires=2", false, 0, 0, 0 },
		{ "a+b@x", APP ",app", false, 0, 0, 0 },
		{ "a+b@x", APP ",disabled,disabled", false, 0, 0, 0 },
		{ "a+b@x", APP ",scope=http", false, 0, 0, 0 },
		{ "a+b@x", APP ",", false, 0, 0, 0 },
		{ "a+b@x", "," APP, false, 0, 0, 0 },
		{ "a+b@x", "app,scope=smtp", false, 0, 0, 0 },
		{ "a+b@x", "app,digest=" DIGEST, false, 0, 0, 0 },
		{ "a+b@x", "app", false, 0, 0, 0 },
		{ "a+b@x", "app,scope=,digest=" DIGEST, false, 0, 0, 0 },
		{ "a+b@x", "app=1,scope=smtp,digest=" DIGEST, false, 0, 0, 0 },
		{ "a+b@x", "app,scope=smtp,digest=", false, 0, 0, 0 },
		{ "a+b@x", "app,scope=smtp,digest=AAAA", false, 0, 0, 0 },
		{ "a+b@x", APP "A", false, 0, 0, 0 },
		{ "a+b@x", "app,scope=smtp,digest=!" DIGEST, false, 0, 0, 0 },
		/* as long as it must be, but not BASE64 */
		{ "a+b@x", "app,scope=smtp,digest="
		    "!DEyMzQ1Njc4OWFiY2RlZqkwW8IQM3fM"
		    "baQfg0gY3qu5yeMcxbpuXWnzgbhs9N89", false, 0, 0, 0 },
		{ "a@x", APP, false, 0, 0, 0 },
		{ "a+B@x", APP, false, 0, 0, 0 },
		{ "a+b.c@x", APP, false, 0, 0, 0 },
		{ "+b@x", APP, false, 0, 0, 0 },
		{ "a+@x", APP, false, 0, 0, 0 },
		{ "a.+b@x", APP, false, 0, 0, 0 },
		{ "a@x", "scope=smtp", false, 0, 0, 0 },
		{ "a@x", "expires=5", false, 0, 0, 0 },
		{ "a@x", "digest=" DIGEST, false, 0, 0, 0 },
		{ "a+b@x", "scope=smtp,digest=" DIGEST, false, 0, 0, 0 },
		{ "a@x", "Disabled", false, 0, 0, 0 },
	};
	struct account a;
	char line[1100];
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		snprintf(line, sizeof(line), "%s\t" V "\t%s", cases[i].name,
		    cases[i].options);
		why = accounts_line_parse(line, strlen(line), &a);
		if ((why == NULL) != cases[i].ok)
			fail_msg("case %zu: %s", i, why == NULL ? "ok" : why);
		if (why != NULL)
			continue;
		assert_true(a.app);
		assert_int_equal(a.scope, cases[i].scope);
		assert_int_equal(a.created, cases[i].created);
		assert_int_equal(a.expires, cases[i].expires);
		assert_int_equal(a.disabled,
		    strstr(cases[i].options, "disabled") != NULL);
		assert_memory_equal(a.digest, DIGEST, strlen(DIGEST));
	}
	/* An account of old whose name has a +. */
	snprintf(line, sizeof(line), "a+b@x\t" V);
	assert_null(accounts_line_parse(line, strlen(line), &a));
	assert_false(a.app);
	assert_null(a.digest);
}

static void
test_refusal(void **state)
{
	static const struct {
		unsigned scope;
		uint64_t expires, now;
		uint32_t service;
		enum apppass_refusal want;
	} cases[] = {
		{ 1, 0, 100, AUTH_SMTP, APPPASS_USABLE },
		{ 2, 0, 100, AUTH_HTTP, APPPASS_USABLE },
		{ 3, 0, 100, AUTH_SMTP, APPPASS_USABLE },
		{ 3, 0, 100, AUTH_HTTP, APPPASS_USABLE },
		{ 1, 0, 100, AUTH_HTTP, APPPASS_OUT_OF_SCOPE },
		{ 2, 0, 100, AUTH_SMTP, APPPASS_OUT_OF_SCOPE },
		{ 3, 0, 100, AUTH_SERVICE_NONE, APPPASS_OUT_OF_SCOPE },
		{ 3, 0, 100, AUTH_SERVICE_COUNT, APPPASS_OUT_OF_SCOPE },
		{ 1, 101, 100, AUTH_SMTP, APPPASS_USABLE },
		{ 1, 100, 100, AUTH_SMTP, APPPASS_EXPIRED },
		{ 1, 99, 100, AUTH_SMTP, APPPASS_EXPIRED },
		{ 1, 99, 100, AUTH_HTTP, APPPASS_OUT_OF_SCOPE },
	};
	size_t i;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		struct account a = { .app = true, .scope = cases[i].scope,
		    .expires = cases[i].expires };

		if (apppass_refusal(&a, cases[i].service, cases[i].now) !=
		    cases[i].want)
			fail_msg("case %zu", i);
	}
	assert_string_equal(apppass_refusal_text(APPPASS_EXPIRED), "expired");
	assert_string_equal(apppass_refusal_text(APPPASS_OUT_OF_SCOPE),
	    "scope");
	assert_string_equal(apppass_refusal_text(APPPASS_USABLE), "");
}

static void
test_digest(void **state)
{
	char options[4][APPPASS_OPTIONS_MAX], password[32], big[80];
	const struct account *list[APPPASS_MAX + 1];
	struct account a[4], known;
	int i;

	(void)state;
	assert_null(accounts_options_parse(APP, &known));
	list[0] = &known;
	assert_ptr_equal(apppass_match(list, 1, PASSWORD, strlen(PASSWORD)),
	    &known);
	assert_null(apppass_match(list, 1, PASSWORD, strlen(PASSWORD) - 1));
	assert_null(apppass_match(list, 1, "Abcd-efgh", 9));
	assert_null(apppass_match(list, 0, PASSWORD, strlen(PASSWORD)));
	assert_null(apppass_match(NULL, 0, PASSWORD, strlen(PASSWORD)));
	assert_null(apppass_match(list, 1, "", 0));
	known.disabled = true;
	assert_null(apppass_match(list, 1, PASSWORD, strlen(PASSWORD)));

	for (i = 0; i < 4; i++) {
		snprintf(password, sizeof(password), "password %d", i);
		assert_int_equal(apppass_options(i % 2 == 0 ? 1 : 3, 5,
		    i == 0 ? 0 : 6, password, strlen(password), options[i]),
		    0);
		assert_null(strstr(options[i], password));
		assert_null(accounts_options_parse(options[i], &a[i]));
		assert_int_equal(a[i].scope, i % 2 == 0 ? 1 : 3);
		assert_int_equal(a[i].created, 5);
		assert_int_equal(a[i].expires, i == 0 ? 0 : 6);
		list[i] = &a[i];
	}
	for (i = 0; i < 4; i++) {
		snprintf(password, sizeof(password), "password %d", i);
		assert_ptr_equal(apppass_match(list, 4, password,
		    strlen(password)), &a[i]);
		assert_ptr_equal(apppass_match(list, 3, password,
		    strlen(password)), i == 3 ? NULL : &a[i]);
	}
	/* The same password, another salt. */
	assert_int_equal(apppass_options(1, 5, 0, "password 0", 10,
	    options[1]), 0);
	assert_string_not_equal(options[0], options[1]);
	/* What is past the limit is not looked at. */
	for (i = 0; i < APPPASS_MAX; i++)
		list[i] = &a[0];
	list[APPPASS_MAX] = &a[2];
	assert_null(apppass_match(list, APPPASS_MAX + 1, "password 2", 10));
	list[APPPASS_MAX - 1] = &a[2];
	assert_ptr_equal(apppass_match(list, APPPASS_MAX, "password 2", 10),
	    &a[2]);

	memset(big, 'x', sizeof(big));
	/* One too long is not looked for, even if there is such a digest. */
	assert_null(accounts_options_parse("app,scope=smtp,digest="
	    "MDEyMzQ1Njc4OWFiY2RlZsgvwv+fyLT2"
	    "DeyuECQID+xs4gDk7draB+jikSSzj+o+", &known));
	list[0] = &known;
	assert_null(apppass_match(list, 1, big, APPPASS_PASSWORD_MAX + 1));
	assert_int_equal(apppass_options(1, 5, 0, big, APPPASS_PASSWORD_MAX,
	    options[0]), 0);
	assert_int_equal(apppass_options(1, 5, 0, big,
	    APPPASS_PASSWORD_MAX + 1, options[0]), -1);
	assert_int_equal(apppass_options(1, 5, 0, "", 0, options[0]), -1);
	assert_int_equal(errno, EINVAL);
}

/* It takes the same time to find one of many as none at all. */
static void
test_digest_time(void **state)
{
	const struct account *list[APPPASS_MAX];
	double spent[3] = { 0, 0, 0 };
	struct timespec before, after;
	struct account known;
	int i;

	(void)state;
	assert_null(accounts_options_parse(APP, &known));
	for (i = 0; i < APPPASS_MAX; i++)
		list[i] = &known;
	for (i = 0; i < 900; i++) {
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
		apppass_match(list, i % 3 == 0 ? 0 : i % 3 == 1 ? 1 :
		    APPPASS_MAX, i % 2 == 0 ? PASSWORD : "wrong one", 9);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
		spent[i % 3] += (double)(after.tv_sec - before.tv_sec) * 1e9 +
		    (double)(after.tv_nsec - before.tv_nsec);
	}
	for (i = 1; i < 3; i++)
		assert_true(spent[0] < spent[i] * 1.6 &&
		    spent[i] < spent[0] * 1.6);
}

static void
test_index(void **state)
{
	const struct account *const *list;
	struct accounts *a;
	unsigned char p1[ACCOUNTS_PROOF], p2[ACCOUNTS_PROOF];
	unsigned char p3[ACCOUNTS_PROOF];
	size_t n;

	(void)state;
	put("bob+z@x\t" V "\t" APP "\n"
	    "bob@x\t" V "\n"
	    "bo+a@x\t" V "\t" APP "\n"
	    "bob.b+b@x\t" V "\t" APP "\n"
	    "bob+a@y\t" V "\t" APP "\n"
	    "bob+old@x\t" V "\n"
	    "bob+old+c@x\t" V "\t" APP "\n"
	    "bob+a@x\t" V "\t" APP "\n"
	    "bob+a@x\t" V "\t" APP ",expires=5\n"
	    "gone+a@x\t" V "\t" APP "\n"
	    "bob-b+b@x\t" V "\t" APP "\n"
	    "bob+a-b@x\t" V "\t" APP "\n");
	a = accounts_load(path);
	assert_non_null(a);
	assert_int_equal(accounts_bad(a), 1);		/* stands twice */
	assert_int_equal(accounts_count(a), 11);
	assert_int_equal(accounts_count_apps(a), 9);
	list = accounts_apps(a, "bob@x", &n);
	assert_int_equal(n, 3);
	assert_string_equal(list[0]->user, "bob+a@x");
	assert_int_equal(list[0]->expires, 0);
	assert_string_equal(list[1]->user, "bob+a-b@x");
	assert_string_equal(list[2]->user, "bob+z@x");
	accounts_apps(a, "bob@y", &n);
	assert_int_equal(n, 1);
	list = accounts_apps(a, "bob+old@x", &n);
	assert_int_equal(n, 1);
	assert_string_equal(list[0]->user, "bob+old+c@x");
	accounts_apps(a, "bob+a@x", &n);
	assert_int_equal(n, 0);
	assert_null(accounts_apps(a, "zoe@x", &n));
	assert_null(accounts_apps(NULL, "bob@x", &n));
	/* An app password is no account, and the other way round. */
	assert_null(accounts_find(a, "bob+a@x"));
	assert_non_null(accounts_find(a, "bob+old@x"));
	assert_non_null(accounts_find_app(a, "bob@x", "a"));
	assert_null(accounts_find_app(a, "bob@x", "old"));
	assert_null(accounts_find_app(a, "bob@x", "b"));
	assert_null(accounts_find_app(a, "bob@x", ""));
	assert_non_null(accounts_find_app(a, "bob+old@x", "c"));
	assert_null(accounts_find_app(NULL, "bob@x", "a"));
	/* The proof is of both. */
	accounts_proof_app(accounts_find(a, "bob@x"),
	    accounts_find_app(a, "bob@x", "a"), p1);
	accounts_proof_app(accounts_find(a, "bob@x"),
	    accounts_find_app(a, "bob@x", "z"), p2);
	accounts_proof_app(accounts_find(a, "bob+old@x"),
	    accounts_find_app(a, "bob@x", "a"), p3);
	assert_memory_not_equal(p1, p2, sizeof(p1));
	assert_memory_not_equal(p1, p3, sizeof(p1));
	accounts_free(&a);
}

static void
test_edit(void **state)
{
	struct accounts_edit *e;
	char options[APPPASS_OPTIONS_MAX];

	(void)state;
	put("a+z@x\t" V "\t" APP "\na@x\t" V "\nb@x\t" V "\n"
	    "a+b@x\t" V "\t" APP "\na+b@x\t" V "\n"
	    "b+b@x\t" V "\t" APP "\na+old@x\t" V "\n");
	e = accounts_edit_begin(path, false);
	assert_non_null(e);
	assert_int_equal(accounts_edit_count_apps(e, "a@x"), 2);
	assert_int_equal(accounts_edit_count_apps(e, "b@x"), 1);
	assert_int_equal(accounts_edit_count_apps(e, "c@x"), 0);
	assert_true(accounts_edit_find(e, "a+z@x")->app);
	assert_int_equal(apppass_options(2, 1, 2, "pass", 4, options), 0);
	assert_int_equal(accounts_edit_add(e, "a+new@x", V, options), 0);
	assert_int_equal(accounts_edit_add(e, "a+new@x", V, options), -1);
	assert_int_equal(errno, EEXIST);
	/* An account of old is in its way. */
	assert_int_equal(accounts_edit_add(e, "a+old@x", V, options), -1);
	assert_int_equal(accounts_edit_add(e, "a+NEW@x", V, options), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(accounts_edit_count_apps(e, "a@x"), 3);
	assert_int_equal(accounts_edit_remove(e, "a+new@x"), 0);
	assert_int_equal(accounts_edit_remove(e, "a+new@x"), -1);
	assert_int_equal(accounts_edit_count_apps(e, "a@x"), 2);
	/* With the account go its app passwords, and their second lines. */
	assert_int_equal(accounts_edit_remove(e, "a@x"), 0);
	assert_int_equal(accounts_edit_count_apps(e, "a@x"), 0);
	assert_int_equal(accounts_edit_commit(&e), 0);
	assert_file("b@x\t" V "\nb+b@x\t" V "\t" APP "\na+old@x\t" V "\n");
	/* A second line is none, and takes nobody with it. */
	put("a@x\t" V "\na+b@x\t" V "\na+b@x\t" V "\t" APP "\n");
	e = accounts_edit_begin(path, false);
	assert_int_equal(accounts_edit_count_apps(e, "a@x"), 0);
	assert_int_equal(accounts_edit_remove(e, "a@x"), 0);
	assert_non_null(accounts_edit_find(e, "a+b@x"));
	accounts_edit_abort(&e);
	put("b@x\t" V "\nb+b@x\t" V "\t" APP "\na+old@x\t" V "\n");
	/* An app password alone. */
	e = accounts_edit_begin(path, false);
	assert_int_equal(accounts_edit_remove(e, "b+b@x"), 0);
	assert_int_equal(accounts_edit_commit(&e), 0);
	assert_file("b@x\t" V "\na+old@x\t" V "\n");
}

static struct lastuse_entry
entry(const char *login, uint64_t when)
{
	struct lastuse_entry e = { .time = when, .service = AUTH_HTTP };

	strcpy(e.login, login);
	strcpy(e.address, "2001:db8::1");
	return e;
}

static void
test_lastuse(void **state)
{
	static const char *const bad[] = {
		"a@x\t5\tsmtp\t1.2.3.4\n", "a+b@x\t5\tsmtp\n",
		"a+b@x\t5\tsmtp\t1.2.3.4", "a+b@x\t\tsmtp\t1.2.3.4\n",
		"a+b@x\t-5\tsmtp\t1.2.3.4\n", "a+b@x\t5\timap\t1.2.3.4\n",
		"a+b@x\t5\tsmtp\t\033[A\n", "a+b@x\t5\tsmtp\t\n",
		"A+b@x\t5\tsmtp\t1.2.3.4\n", "a+b@x 5 smtp 1.2.3.4\n",
		"a+b@x\t253402300800\tsmtp\t1.2.3.4\n",
		("a+b@x\t5\tsmtp\t11111111111111111111111111111111111111111"
		    "11111111111\n"),
		"\n", "\t\t\t\n", "a+b@x\t5\tsmtp\t1.2.3.4\tmore\n",
	};
	struct lastuse_entry e;
	struct lastuse *l;
	size_t i;

	(void)state;
	unlink(path);
	l = lastuse_new();
	assert_null(lastuse_first(l));
	assert_int_equal(lastuse_read(l, path), 0);
	for (i = 0; i < N(bad); i++) {
		put(bad[i]);
		assert_int_equal(lastuse_read(l, path), 0);
		if (lastuse_first(l) != NULL)
			fail_msg("taken: case %zu", i);
	}
	put("nonsense\na+b@x\t5\tsmtp\t192.0.2.1\n\na+c@x\t6\thttp\t::1\n"
	    "a+b@x\t4\thttp\t::1\ncut+b@x\t7\thttp");
	assert_int_equal(lastuse_read(l, path), 0);
	assert_int_equal(lastuse_find(l, "a+b@x")->time, 5);
	assert_int_equal(lastuse_find(l, "a+b@x")->service, AUTH_SMTP);
	assert_string_equal(lastuse_find(l, "a+b@x")->address, "192.0.2.1");
	assert_int_equal(lastuse_find(l, "a+c@x")->service, AUTH_HTTP);
	assert_null(lastuse_find(l, "cut+b@x"));
	e = entry("a+b@x", 4);
	assert_int_equal(lastuse_add(l, &e), 0);
	assert_int_equal(lastuse_find(l, "a+b@x")->time, 5);
	e = entry("a+b@x", 9);
	assert_int_equal(lastuse_add(l, &e), 0);
	e = entry("a@x", 9);
	assert_int_equal(lastuse_add(l, &e), -1);
	assert_int_equal(errno, EINVAL);
	lastuse_free(&l);
	assert_null(l);
	assert_int_equal(lastuse_read(l = lastuse_new(), folder), -1);
	assert_int_equal(errno, EINVAL);
	lastuse_free(&l);
}

static void
test_lastuse_file(void **state)
{
	struct lastuse *l = lastuse_new();
	struct lastuse_entry e;
	struct accounts *a;
	struct stat st;
	char *big;

	(void)state;
	/* What is not there any more goes, what another wrote comes in. */
	e = entry("a+b@x", 9);
	assert_int_equal(lastuse_add(l, &e), 0);
	e = entry("a+gone@x", 9);
	assert_int_equal(lastuse_add(l, &e), 0);
	e = entry("a+new@x", 9);
	assert_int_equal(lastuse_add(l, &e), 0);
	put("a@x\t" V "\na+b@x\t" V "\t" APP "\na+c@x\t" V "\t" APP "\n"
	    "a+new@x\t" V "\t" APP ",created=10\n");
	a = accounts_load(path);
	put("a+b@x\t9\tsmtp\t192.0.2.1\na+c@x\t6\thttp\t::1\n");
	assert_int_equal(lastuse_write(l, path, a), 0);
	assert_file("a+b@x\t9\thttp\t2001:db8::1\na+c@x\t6\thttp\t::1\n");
	assert_null(lastuse_find(l, "a+gone@x"));
	assert_null(lastuse_find(l, "a+new@x"));
	assert_int_equal(lastuse_find(l, "a+c@x")->time, 6);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* A file that cannot be written leaves the old one. */
	assert_int_equal(lastuse_write(l, "/nonexistent/x", a), -1);
	assert_int_equal(lastuse_find(l, "a+b@x")->time, 9);
	big = malloc(5000);
	assert_non_null(big);
	memset(big, 'x', 4999);
	big[4999] = '\0';
	assert_int_equal(lastuse_write(l, big, a), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	free(big);
	accounts_free(&a);
	lastuse_free(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_app_names),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_refusal),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_digest_time),
		cmocka_unit_test(test_index),
		cmocka_unit_test(test_edit),
		cmocka_unit_test(test_lastuse),
		cmocka_unit_test(test_lastuse_file),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
