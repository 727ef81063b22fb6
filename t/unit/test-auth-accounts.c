/* SPDX-License-Identifier: ISC */
/*
 * auth/accounts*.c: names, hostile lines, snapshots, changes of the file.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "auth/accounts.h"

#define V1 "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$" \
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:" \
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
#define V2 "SCRAM-SHA-256$5000:W22ZaJ0SNY7soEsUEjb6gQ==$" \
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:" \
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

static char folder[64], path[96];

static int
setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/test-accounts.XXXXXX");
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
put(const void *text, size_t len)
{
	FILE *fp = fopen(path, "w");

	assert_non_null(fp);
	assert_int_equal(fwrite(text, 1, len, fp), len);
	assert_int_equal(fclose(fp), 0);
}

static void
put_text(const char *text)
{
	put(text, strlen(text));
}

static void
assert_file(const char *want)
{
	char have[4096];
	FILE *fp = fopen(path, "r");
	size_t n;

	assert_non_null(fp);
	n = fread(have, 1, sizeof(have) - 1, fp);
	have[n] = '\0';
	fclose(fp);
	assert_string_equal(have, want);
}

static void
test_names(void **state)
{
	static const struct { const char *in, *want; } cases[] = {
		{ "alice", "alice@example.test" },
		{ "Alice@Example.TEST", "alice@example.test" },
		{ "a.b+c@d.example", "a.b+c@d.example" },
		{ "!$%&'*/=?^_`{|}~-@x", "!$%&'*/=?^_`{|}~-@x" },
		{ "j\xc3\xbcrgen@b\xc3\xbc" "cher.example",
		    "j\xc3\xbcrgen@xn--bcher-kva.example" },
		{ "Ju\xcc\x88rgen@B\xc3\x9c" "CHER.example",
		    "j\xc3\xbcrgen@xn--bcher-kva.example" },
		{ "a@XN--BCHER-KVA.example", "a@xn--bcher-kva.example" },
		{ "J\xc3\x9cRGEN", "j\xc3\x9crgen@example.test" },
		{ "J\xcc\x8c@c", "\xc7\xb0@c" },
		{ "j\xcc\x8c@c", "\xc7\xb0@c" },
		{ "\xe2\x84\xaa@c", "k@c" }, { "\xcd\xbe@c", NULL },
		{ "a@\xe2\x98\x83.example", NULL },
		{ "a@\xef\xbd\x81.example", NULL }, { "a@\xc3", NULL },
		{ "a@b\xe3\x80\x82" "c", NULL },
		{ "\xef\xbb\xbf" "a@c", NULL }, { "a\xe2\x80\xae@c", NULL },
		{ "a\xef\xbf\xbe@c", NULL },
		{ "", NULL }, { "@", NULL }, { "@example.test", NULL },
		{ "alice@", NULL }, { "a@b@c", NULL }, { "#a@b", NULL },
		{ ".a@b", NULL }, { "a.@b", NULL }, { "a..b@c", NULL },
		{ "a b@c", NULL }, { "a\tb@c", NULL }, { "\"a\"@c", NULL },
		{ "a@b..c", NULL }, { "a@.b", NULL }, { "a@b.", NULL },
		{ "a@-b", NULL }, { "a@b-", NULL }, { "a@b-.c", NULL },
		{ "a@[127.0.0.1]", NULL }, { "a@b_c", NULL },
		{ "a\\b@c", NULL }, { "a:b@c", NULL }, { "a\x7f@c", NULL },
		{ "a\xff@c", NULL }, { "a\xc0\x80@c", NULL },
		{ "a\xed\xa0\x80@c", NULL }, { "a\xf4\x90\x80\x80@c", NULL },
		{ "a\xc3@c", NULL }, { "a\xc2\x85@c", NULL },
		{ "\xe2\x82@c", NULL }, { " alice", NULL },
		{ "alice\r\n", NULL },
	};
	char out[ACCOUNTS_NAME_MAX], big[400];
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rc = accounts_name(cases[i].in, strlen(cases[i].in),
		    "example.test", out, sizeof(out));
		if (rc != (cases[i].want == NULL ? -1 : 0))
			fail_msg("%s: %d", cases[i].in, rc);
		if (rc == 0)
			assert_string_equal(out, cases[i].want);
	}
	assert_int_equal(accounts_name("a\0b", 3, "x", out, sizeof(out)), -1);
	assert_int_equal(accounts_name("alice", 5, NULL, out,
	    sizeof(out)), -1);
	memset(big, 'a', sizeof(big));
	assert_int_equal(accounts_name(big, 64, "x", out, sizeof(out)), 0);
	assert_int_equal(accounts_name(big, 65, "x", out, sizeof(out)), -1);
	big[1] = '@';
	for (i = 65; i < sizeof(big); i += 64)
		big[i] = '.';
	assert_int_equal(accounts_name(big, 2 + 255, NULL, out,
	    sizeof(out)), 0);
	assert_int_equal(accounts_name(big, 2 + 256, NULL, out,
	    sizeof(out)), -1);
	assert_true(accounts_name_ok("alice@example.test"));
	assert_false(accounts_name_ok("Alice@example.test"));
	assert_false(accounts_name_ok("alice"));
	assert_true(accounts_name_ok("j\xc3\xbc@xn--bcher-kva.example"));
	assert_false(accounts_name_ok("ju\xcc\x88@c"));
	assert_false(accounts_name_ok("a@b\xc3\xbc" "cher.example"));
	/* the limit is one of octets */
	for (i = 0; i < 64; i += 2)
		memcpy(big + i, "\xc3\xbc", 2);
	assert_int_equal(accounts_name(big, 64, "x", out, sizeof(out)), 0);
	big[64] = 'a';
	assert_int_equal(accounts_name(big, 65, "x", out, sizeof(out)), -1);
	memset(big, 'a', 61);
	memcpy(big + 61, "\xef\xac\xac", 3);	/* six octets in NFC */
	assert_int_equal(accounts_name(big, 64, "x", out, sizeof(out)), -1);
}

static void
test_load(void **state)
{
	struct accounts *a;
	const struct account *acct;

	(void)state;
	put_text("# comment\n\n"
	    "bob@example.test\t" V1 "\n"
	    "alice@example.test\t" V2 "\tdisabled\n"
	    "carol@example.test\t" V1 "\t\n"
	    "last@example.test\t" V1);
	a = accounts_load(path);
	assert_non_null(a);
	assert_int_equal(accounts_count(a), 4);
	assert_int_equal(accounts_bad(a), 0);
	assert_string_equal(accounts_at(a, 0)->user, "alice@example.test");
	acct = accounts_find(a, "alice@example.test");
	assert_non_null(acct);
	assert_true(acct->disabled);
	assert_string_equal(acct->verifier, V2);
	assert_string_equal(acct->options, "disabled");
	acct = accounts_find(a, "carol@example.test");
	assert_non_null(acct);
	assert_false(acct->disabled);
	assert_string_equal(acct->options, "");
	assert_non_null(accounts_find(a, "last@example.test"));
	assert_null(accounts_find(a, "alice@example.tes"));
	assert_null(accounts_find(a, "Alice@example.test"));
	assert_null(accounts_find(a, ""));
	accounts_free(&a);
	assert_null(a);
	assert_null(accounts_find(NULL, "x"));
}

static void
test_hostile(void **state)
{
	static const char text[] =
	    "good@example.test\t" V1 "\n"
	    "noverifier@example.test\n"
	    "empty@example.test\t\n"
	    "\t" V1 "\n"
	    "\t\t\t\n"
	    "plain@example.test\tpassword\n"
	    "Upper@example.test\t" V1 "\n"
	    "nodomain\t" V1 "\n"
	    "space@example.test \t" V1 "\n"
	    " space@example.test\t" V1 "\n"
	    "blank@example.test " V1 "\n"
	    "cr@example.test\t" V1 "\r\n"
	    "opt@example.test\t" V1 "\tunknown\n"
	    "opt@example.test\t" V1 "\tdisabled,\n"
	    "opt@example.test\t" V1 "\tdisabled\tmore\n"
	    "nul@example.test\t" V1 "\t\0\n"
	    "n\0ul@example.test\t" V1 "\n"
	    "good@example.test\t" V2 "\n"
	    "end@example.test\t" V1 "\n";
	char big[4096];
	struct accounts *a;

	(void)state;
	put(text, sizeof(text) - 1);
	a = accounts_load(path);
	assert_non_null(a);
	assert_int_equal(accounts_count(a), 2);
	assert_int_equal(accounts_bad(a), 17);
	/* Of two lines with one name the first one counts. */
	assert_string_equal(accounts_find(a, "good@example.test")->verifier,
	    V1);
	assert_non_null(accounts_find(a, "end@example.test"));
	accounts_free(&a);

	memset(big, 'a', sizeof(big));
	big[2000] = '\n';
	memcpy(big + 2001, "x@y\t" V1 "\n", strlen("x@y\t" V1 "\n"));
	put(big, 2001 + strlen("x@y\t" V1 "\n"));
	a = accounts_load(path);
	assert_int_equal(accounts_count(a), 1);
	assert_int_equal(accounts_bad(a), 1);
	accounts_free(&a);

	put_text("");
	a = accounts_load(path);
	assert_int_equal(accounts_count(a), 0);
	accounts_free(&a);
	assert_null(accounts_load(folder));
	assert_null(accounts_load("/nonexistent/accounts"));
	assert_int_equal(errno, ENOENT);
}

static void
test_refresh(void **state)
{
	struct accounts *a = NULL;
	struct accounts_edit *e;
	unsigned char p1[ACCOUNTS_PROOF], p2[ACCOUNTS_PROOF];

	(void)state;
	put_text("a@b\t" V1 "\n");
	assert_int_equal(accounts_refresh(&a, path), 1);
	assert_int_equal(accounts_refresh(&a, path), 0);
	accounts_proof(accounts_find(a, "a@b"), p1);
	e = accounts_edit_begin(path, false);
	assert_non_null(e);
	assert_int_equal(accounts_edit_verifier(e, "a@b", V2), 0);
	assert_int_equal(accounts_edit_commit(&e), 0);
	assert_null(e);
	assert_int_equal(accounts_refresh(&a, path), 1);
	assert_string_equal(accounts_find(a, "a@b")->verifier, V2);
	accounts_proof(accounts_find(a, "a@b"), p2);
	assert_memory_not_equal(p1, p2, sizeof(p1));
	/* What cannot be read leaves the old one. */
	unlink(path);
	assert_int_equal(accounts_refresh(&a, path), -1);
	assert_non_null(accounts_find(a, "a@b"));
	accounts_free(&a);
}

static void
test_edit(void **state)
{
	struct accounts_edit *e;
	struct stat st;

	(void)state;
	unlink(path);
	assert_null(accounts_edit_begin(path, false));
	assert_int_equal(errno, ENOENT);
	e = accounts_edit_begin(path, true);
	assert_non_null(e);
	assert_int_equal(accounts_edit_add(e, "b@x", V1, NULL), 0);
	assert_int_equal(accounts_edit_add(e, "a@x", V1, "disabled"), 0);
	assert_int_equal(accounts_edit_add(e, "b@x", V2, ""), -1);
	assert_int_equal(errno, EEXIST);
	assert_int_equal(accounts_edit_commit(&e), 0);
	assert_file("b@x\t" V1 "\na@x\t" V1 "\tdisabled\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);

	assert_int_equal(chmod(path, 0600), 0);
	e = accounts_edit_begin(path, false);
	assert_int_equal(accounts_edit_verifier(e, "b@x", V2), 0);
	assert_string_equal(accounts_edit_find(e, "b@x")->verifier, V2);
	assert_int_equal(accounts_edit_commit(&e), 0);
	assert_file("b@x\t" V2 "\na@x\t" V1 "\tdisabled\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	e = accounts_edit_begin(path, false);
	assert_int_equal(accounts_edit_remove(e, "b@x"), 0);
	assert_null(accounts_edit_find(e, "b@x"));
	assert_int_equal(accounts_edit_remove(e, "b@x"), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(accounts_edit_verifier(e, "b@x", V1), -1);
	assert_int_equal(accounts_edit_add(e, "b@x", V1, ""), 0);
	assert_int_equal(accounts_edit_commit(&e), 0);
	assert_file("a@x\t" V1 "\tdisabled\nb@x\t" V1 "\n");

	e = accounts_edit_begin(path, false);
	assert_int_equal(accounts_edit_remove(e, "b@x"), 0);
	accounts_edit_abort(&e);
	assert_null(e);
	assert_file("a@x\t" V1 "\tdisabled\nb@x\t" V1 "\n");
}

static void
test_edit_refuses(void **state)
{
	static const struct { const char *user, *verifier, *options; } bad[] = {
		{ "a", V1, "" }, { "A@x", V1, "" }, { "", V1, "" },
		{ "#a@x", V1, "" }, { "a@x\tb", V1, "" },
		{ "a@x\nb@x", V1, "" }, { "a@x", "password", "" },
		{ "a@x", V1 "\n", "" }, { "a@x", V1 "\tdisabled", "" },
		{ "a@x", V1, "unknown" }, { "a@x", V1, "\n" },
		{ "a@x", V1, "disabled\n" },
	};
	struct accounts_edit *e;
	size_t i;

	(void)state;
	unlink(path);
	e = accounts_edit_begin(path, true);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (accounts_edit_add(e, bad[i].user, bad[i].verifier,
		    bad[i].options) != -1)
			fail_msg("taken: case %zu", i);
		assert_int_equal(errno, EINVAL);
	}
	assert_int_equal(accounts_edit_commit(&e), 0);
	/* Without a change nothing is written. */
	assert_int_equal(access(path, F_OK), -1);
}

static void
test_edit_keeps(void **state)
{
	struct accounts_edit *e;

	(void)state;
	put_text("# first\n\nbad line\na@x\t" V1 "\nb@x\t" V1 "\n"
	    "a@x\t" V2 "\nlast");
	e = accounts_edit_begin(path, false);
	assert_int_equal(accounts_edit_verifier(e, "b@x", V2), 0);
	/* The second line of a@x must not come to life. */
	assert_int_equal(accounts_edit_remove(e, "a@x"), 0);
	assert_int_equal(accounts_edit_commit(&e), 0);
	assert_file("# first\n\nbad line\nb@x\t" V2 "\nlast\n");
}

/* Four writers at once: no addition is lost. */
static void
test_edit_locks(void **state)
{
	struct accounts_edit *e;
	struct accounts *a;
	char user[64];
	int i, k, status;

	(void)state;
	unlink(path);
	for (i = 0; i < 4; i++) {
		if (fork() != 0)
			continue;
		for (k = 0; k < 10; k++) {
			snprintf(user, sizeof(user), "u%d.%d@x", i, k);
			if ((e = accounts_edit_begin(path, true)) == NULL ||
			    accounts_edit_add(e, user, V1, "") == -1 ||
			    accounts_edit_commit(&e) == -1)
				_exit(1);
		}
		_exit(0);
	}
	for (i = 0; i < 4; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	a = accounts_load(path);
	assert_int_equal(accounts_count(a), 40);
	assert_int_equal(accounts_bad(a), 0);
	accounts_free(&a);
}

static void
test_edit_bulk(void **state)
{
	struct accounts_edit *e;
	struct accounts *a;
	char user[64];
	int i;

	(void)state;
	unlink(path);
	e = accounts_edit_begin(path, true);
	for (i = 0; i < 20000; i++) {
		snprintf(user, sizeof(user), "u%d@x", i);
		assert_int_equal(accounts_edit_add(e, user, V1, ""), 0);
	}
	assert_int_equal(accounts_edit_commit(&e), 0);
	a = accounts_load(path);
	assert_int_equal(accounts_count(a), 20000);
	accounts_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_edit),
		cmocka_unit_test(test_edit_refuses),
		cmocka_unit_test(test_edit_keeps),
		cmocka_unit_test(test_edit_locks),
		cmocka_unit_test(test_edit_bulk),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
