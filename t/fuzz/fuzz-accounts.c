/* SPDX-License-Identifier: ISC */
/*
 * Lines of the accounts file, account names, verifiers.
 */
#include "auth/accounts_line.h"
#include "auth/apppass.h"
#include "auth/scram.h"
#include "t/fuzz/fuzz.h"

static void
check_name(const char *s, size_t len)
{
	char	name[ACCOUNTS_NAME_MAX], again[ACCOUNTS_NAME_MAX];

	if (accounts_name(s, len, len % 2 ? "example.test" : NULL, name,
	    sizeof(name)) == -1)
		return;
	CHECK(accounts_name_ok(name) && strpbrk(name, "\t\n ") == NULL);
	CHECK(accounts_name(name, strlen(name), NULL, again,
	    sizeof(again)) == 0);
	CHECK(strcmp(name, again) == 0);
}

static void
check_verifier(const char *v)
{
	struct scram_keys	k, again;
	char			text[SCRAM_VERIFIER_MAX];

	if (scram_verifier_parse(v, &k) == -1)
		return;
	CHECK(k.iterations >= SCRAM_ITERATIONS_MIN &&
	    k.iterations <= SCRAM_ITERATIONS_MAX);
	CHECK(k.salt_len > 0 && k.salt_len <= SCRAM_SALT_MAX);
	CHECK(scram_verifier_format(&k, text, sizeof(text)) == 0);
	CHECK(strcmp(text, v) == 0);
	CHECK(scram_verifier_parse(text, &again) == 0);
	CHECK(memcmp(k.stored, again.stored, SCRAM_KEY) == 0);
	CHECK(memcmp(k.server, again.server, SCRAM_KEY) == 0);
}

static void
check_app(const struct account *a)
{
	char	user[ACCOUNTS_NAME_MAX], app[ACCOUNTS_APP_MAX];
	char	login[ACCOUNTS_NAME_MAX];

	if (!a->app) {
		CHECK(a->scope == 0 && a->digest == NULL);
		return;
	}
	CHECK(a->scope == APPPASS_SMTP || a->scope == APPPASS_HTTP ||
	    a->scope == (APPPASS_SMTP | APPPASS_HTTP));
	CHECK(apppass_split(a->user, user, app));
	CHECK(apppass_login(user, app, login) == 0);
	CHECK(strcmp(login, a->user) == 0);
	CHECK(accounts_app_compare(a, a) == 0);
	CHECK(accounts_app_compare_user(a, user) == 0);
	CHECK(accounts_app_compare_user(a, a->user) != 0);
	CHECK(apppass_match(&a, 1, "none", 4) == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char		*line = fuzz_string(data, size), *copy;
	struct account	 a, b;

	check_name(line, size);
	check_verifier(line);
	(void)accounts_options_parse(line, &b);
	copy = fuzz_string(data, size);
	(void)accounts_line_is_comment(copy, size);
	if (accounts_line_parse(copy, size, &a) == NULL) {
		CHECK(accounts_name_ok(a.user));
		CHECK(accounts_options_parse(a.options, &b) == NULL);
		CHECK(a.disabled == b.disabled && a.app == b.app);
		check_verifier(a.verifier);
		check_app(&a);
	}
	free(copy);
	free(line);
	return 0;
}
