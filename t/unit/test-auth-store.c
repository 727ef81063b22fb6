/* SPDX-License-Identifier: ISC */
/*
 * auth/sasl_store.c: what must hold before anybody logs in. Each test is a
 * child, because the library is set up once in a process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/sasl.h"
#include "lib/conf.h"
#include "lib/log.h"

static char plain[] = "PLAIN", domain[] = "example.test",
    host[] = "mail.example.test", none[] = "/nonexistent/store",
    empty[] = "", query[] = "SELECT '%u'";
static char *mechanisms[] = { plain }, *domains[] = { domain };
static struct conf conf = {
	.hostname = host, .domains = { domains, 1 },
	.auth_mechanisms = { mechanisms, 1 },
	.auth_sasldb = none, .auth_saslauthd = none,
	.auth_sql_database = none, .auth_iterations = 4096,
};

/* 0: it was set up, and the store is away; 1: it was not; else wrong. */
static int
set_up(void)
{
	unsigned char proof[ACCOUNTS_PROOF];
	struct saslauth *s = saslauth_new(&conf);

	if (s == NULL)
		return 1;
	if (strcmp(saslauth_mechanisms(s), "PLAIN") != 0)
		return 2;
	return conf.auth_store == CONF_STORE_SASLAUTHD ||
	    saslauth_look(s, "alice@example.test", proof) == AUTH_TEMP ?
	    0 : 3;
}

static int
child(enum conf_store store, char *select)
{
	int status;
	pid_t pid;

	conf.auth_store = store;
	conf.auth_sql_select = select;
	if ((pid = fork()) == 0)
		_exit(set_up());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
test_set_up(void **state)
{
	(void)state;
	assert_int_equal(child(CONF_STORE_SASLAUTHD, empty), 0);
	if (access(SASL_PLUGINDIR "/libsasldb.so", R_OK) == 0)
		assert_int_equal(child(CONF_STORE_SASLDB, empty), 0);
	if (access(SASL_PLUGINDIR "/libsql.so", R_OK) == 0)
		assert_int_equal(child(CONF_STORE_SQL, query), 0);
}

/* The SQL plug-in does not load without a query, as if it were missing. */
static void
test_no_plugin(void **state)
{
	(void)state;
	assert_int_equal(child(CONF_STORE_SQL, empty), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_up),
		cmocka_unit_test(test_no_plugin),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	log_open("test-auth-store", -1, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
