/* SPDX-License-Identifier: ISC */
/*
 * auth/sasl.c: the dialogues of a SASL worker, driven in this process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/accounts.h"
#include "auth/apppass.h"
#include "auth/sasl.h"
#include "auth/scram.h"
#include "lib/conf.h"
#include "t/unit/scram-client.h"

#define ITERATIONS	4096
#define GOOD		"wonder land"

static char domain1[] = "example.test", domain2[] = "other.test";
static char *domains[] = { domain1, domain2 };
static char scram_name[] = "SCRAM-SHA-256", plain_name[] = "PLAIN";
static char login_name[] = "LOGIN", host[] = "mail.example.test";
static char *mechanisms[] = { scram_name, plain_name, login_name };
static struct conf conf = {
	.hostname = host,
	.domains = { domains, 2 },
	.auth_mechanisms = { mechanisms, 3 },
	.auth_iterations = ITERATIONS,
};
static struct saslauth *sasl;
static struct accounts *accounts;
static char path[64];

#define APP_SMTP	"smtp-only-password"
#define APP_HTTP	"http-only-password"
#define APP_ENDED	"expired-password"
#define APP_LATER	"not-expired-password"
#define APP_OFF		"disabled-password"
#define APP_GONE	"password-of-gone"
#define APP_NONE	"password-of-nobody"
#define APP_TWICE	"app-password-of-an-app"

static void
put_apps(FILE *fp)
{
	static const struct {
		const char *login, *password, *before;
		unsigned scope;
		uint64_t expires;
	} all[] = {
		{ "alice+s@example.test", APP_SMTP, "", APPPASS_SMTP, 0 },
		{ "alice+h@example.test", APP_HTTP, "", APPPASS_HTTP, 0 },
		{ "alice+e@example.test", APP_ENDED, "", APPPASS_SMTP, 1000 },
		{ "alice+l@example.test", APP_LATER, "",
		    APPPASS_SMTP | APPPASS_HTTP, 99999999999 },
		{ "alice+o@example.test", APP_OFF, "disabled,",
		    APPPASS_SMTP, 0 },
		{ "gone+s@example.test", APP_GONE, "", APPPASS_SMTP, 0 },
		{ "nobody+s@example.test", APP_NONE, "", APPPASS_SMTP, 0 },
		{ "foreign+s@elsewhere.test", APP_SMTP, "", APPPASS_SMTP, 0 },
		{ "bob+old+s@example.test", APP_LATER, "", APPPASS_SMTP, 0 },
		/* of an app password, which can have none */
		{ "alice+s+t@example.test", APP_TWICE, "", APPPASS_SMTP, 0 },
		/* the same as the main one */
		{ "bob+m@example.test", "builder", "", APPPASS_HTTP, 0 },
	};
	char verifier[SCRAM_VERIFIER_MAX], options[APPPASS_OPTIONS_MAX];
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		scram_verifier_make(all[i].password, strlen(all[i].password),
		    ITERATIONS, verifier, sizeof(verifier));
		apppass_options(all[i].scope, 1, all[i].expires,
		    all[i].password, strlen(all[i].password), options);
		fprintf(fp, "%s\t%s\t%s%s\n", all[i].login, verifier,
		    all[i].before, options);
	}
}

static int
setup(void **state)
{
	static const struct { const char *user, *password, *options; } all[] = {
		{ "alice@example.test", GOOD, "" },
		{ "bob@example.test", "builder", "" },
		{ "carol@other.test", GOOD, "" },
		{ "gone@example.test", GOOD, "\tdisabled" },
		{ "foreign@elsewhere.test", GOOD, "" },
		{ "bob+old@example.test", "of old", "" },
	};
	static const unsigned char key[SCRAM_KEY] = { 7 };
	char verifier[SCRAM_VERIFIER_MAX];
	FILE *fp;
	size_t i;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/test-sasl.XXXXXX");
	if ((fd = mkstemp(path)) == -1 || (fp = fdopen(fd, "w")) == NULL)
		return -1;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		scram_verifier_make(all[i].password, strlen(all[i].password),
		    ITERATIONS, verifier, sizeof(verifier));
		fprintf(fp, "%s\t%s%s\n", all[i].user, verifier,
		    all[i].options);
	}
	put_apps(fp);
	fclose(fp);
	accounts = accounts_load(path);
	sasl = saslauth_new(&conf);
	if (accounts == NULL || sasl == NULL)
		return -1;
	saslauth_decoy(sasl, key);
	saslauth_accounts(sasl, accounts);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	saslauth_free(&sasl);
	accounts_free(&accounts);
	return unlink(path);
}

static enum auth_service service = AUTH_SMTP;
/* Of the attempt before: */
static char last_app[ACCOUNTS_APP_MAX];
static enum apppass_refusal last_refusal;

static struct saslauth_dialogue *
begin(void)
{
	static const struct auth_channel none;
	struct saslauth_dialogue *d = saslauth_begin(sasl, service, &none);

	assert_non_null(d);
	return d;
}

/* One attempt that says all in its first message. */
static enum auth_status
once(const char *mechanism, const char *data, size_t len, char *user)
{
	struct saslauth_dialogue *d = begin();
	struct saslauth_result r = saslauth_start(d, mechanism, data, len);

	if (user != NULL)
		strcpy(user, saslauth_user(d));
	strcpy(last_app, saslauth_app(d));
	last_refusal = saslauth_refusal(d);
	saslauth_end(&d);
	assert_null(d);
	return r.status;
}

static enum auth_status
plain(const char *authzid, const char *user, const char *password,
    char *canonical)
{
	char m[2048];
	int n;

	n = snprintf(m, sizeof(m), "%s%c%s%c%s", authzid, 0, user, 0,
	    password);
	return once("PLAIN", m, (size_t)n, canonical);
}

static enum auth_status
login(const char *user, const char *password)
{
	struct saslauth_dialogue *d = begin();
	struct saslauth_result r = saslauth_start(d, "LOGIN", NULL, 0);

	assert_int_equal(r.status, AUTH_MORE);
	assert_int_equal(r.len, 9);
	assert_memory_equal(r.data, "Username:", 9);
	r = saslauth_step(d, user, strlen(user));
	if (r.status == AUTH_MORE) {
		assert_memory_equal(r.data, "Password:", 9);
		r = saslauth_step(d, password, strlen(password));
	}
	saslauth_end(&d);
	return r.status;
}

/* *steps: server replies until the end. */
static enum auth_status
scram(const char *gs2, const char *user, const char *password, bool initial,
    int *steps, char *canonical)
{
	struct saslauth_dialogue *d = begin();
	struct scram_client c;
	struct saslauth_result r;
	char m[SCRAM_CLIENT_TEXT];

	*steps = 1;
	scram_client_first(&c, gs2, user, m);
	if (initial) {
		r = saslauth_start(d, "SCRAM-SHA-256", m, strlen(m));
	} else {
		r = saslauth_start(d, "SCRAM-SHA-256", NULL, 0);
		assert_int_equal(r.status, AUTH_MORE);
		assert_int_equal(r.len, 0);
		r = saslauth_step(d, m, strlen(m));
	}
	if (r.status == AUTH_MORE) {
		++*steps;
		assert_true(scram_client_final(&c, r.data, r.len, password,
		    m));
		r = saslauth_step(d, m, strlen(m));
	}
	if (r.status == AUTH_MORE) {
		++*steps;
		assert_true(scram_client_check(&c, r.data, r.len));
		r = saslauth_step(d, "", 0);
		assert_int_equal(r.len, 0);
	}
	if (canonical != NULL)
		strcpy(canonical, saslauth_user(d));
	strcpy(last_app, saslauth_app(d));
	last_refusal = saslauth_refusal(d);
	saslauth_end(&d);
	return r.status;
}

static void
test_mechanisms(void **state)
{
	(void)state;
	assert_string_equal(saslauth_mechanisms(sasl),
	    "SCRAM-SHA-256 PLAIN LOGIN");
	assert_int_equal(once("CRAM-MD5", NULL, 0, NULL), AUTH_NO_MECHANISM);
	assert_int_equal(once("DIGEST-MD5", NULL, 0, NULL),
	    AUTH_NO_MECHANISM);
	assert_int_equal(once("ANONYMOUS", "x", 1, NULL), AUTH_NO_MECHANISM);
	assert_int_equal(once("EXTERNAL", "", 0, NULL), AUTH_NO_MECHANISM);
	assert_int_equal(once("SCRAM-SHA-1", "n,,n=alice,r=x", 14, NULL),
	    AUTH_NO_MECHANISM);
	assert_int_equal(once("SCRAM-SHA-256-PLUS", "n,,n=alice,r=xxxxxxxx",
	    21, NULL), AUTH_NO_MECHANISM);
	assert_int_equal(once("", NULL, 0, NULL), AUTH_NO_MECHANISM);
	assert_int_equal(once("PLAIN LOGIN", NULL, 0, NULL),
	    AUTH_NO_MECHANISM);
	assert_int_equal(once("PLAI", NULL, 0, NULL), AUTH_NO_MECHANISM);
}

static void
test_plain(void **state)
{
	char user[AUTH_USER_MAX];

	(void)state;
	assert_int_equal(plain("", "alice", GOOD, user), AUTH_OK);
	assert_string_equal(user, "alice@example.test");
	assert_int_equal(plain("", "ALICE@Example.Test", GOOD, user),
	    AUTH_OK);
	assert_string_equal(user, "alice@example.test");
	assert_int_equal(plain("", "carol@other.test", GOOD, user), AUTH_OK);
	assert_string_equal(user, "carol@other.test");
	assert_int_equal(plain("", "alice", "wrong", user), AUTH_FAIL);
	assert_string_equal(user, "alice@example.test");
	assert_int_equal(plain("", "alice", GOOD "x", NULL), AUTH_FAIL);
	assert_int_equal(plain("", "bob", GOOD, NULL), AUTH_FAIL);
	assert_int_equal(plain("", "nobody", GOOD, user), AUTH_FAIL);
	assert_string_equal(user, "nobody@example.test");
	assert_int_equal(plain("", "carol", GOOD, NULL), AUTH_FAIL);
	/* not a name at all */
	assert_int_equal(plain("", "al ice", GOOD, user), AUTH_FAIL);
	assert_string_equal(user, "");
	/* off, and of a domain that is not ours */
	assert_int_equal(plain("", "gone", GOOD, NULL), AUTH_FAIL);
	assert_int_equal(plain("", "foreign@elsewhere.test", GOOD, NULL),
	    AUTH_FAIL);
}

static void
test_plain_steps(void **state)
{
	struct saslauth_dialogue *d = begin();
	struct saslauth_result r = saslauth_start(d, "PLAIN", NULL, 0);

	(void)state;
	assert_int_equal(r.status, AUTH_MORE);
	assert_int_equal(r.len, 0);
	r = saslauth_step(d, "\0alice\0" GOOD, 7 + strlen(GOOD));
	assert_int_equal(r.status, AUTH_OK);
	saslauth_end(&d);
}

static void
test_authzid(void **state)
{
	int steps;

	(void)state;
	assert_int_equal(plain("alice", "alice", GOOD, NULL), AUTH_OK);
	assert_int_equal(plain("Alice@example.test", "alice", GOOD, NULL),
	    AUTH_OK);
	assert_int_equal(plain("bob", "alice", GOOD, NULL),
	    AUTH_NOT_AUTHORIZED);
	assert_int_equal(plain("nobody", "alice", GOOD, NULL),
	    AUTH_NOT_AUTHORIZED);
	assert_int_equal(plain("al ice", "alice", GOOD, NULL),
	    AUTH_NOT_AUTHORIZED);
	assert_int_equal(plain("al ice", "b ob", GOOD, NULL), AUTH_FAIL);
	/* Nothing is said of it without the password. */
	assert_int_equal(plain("bob", "alice", "wrong", NULL), AUTH_FAIL);
	assert_int_equal(scram("n,a=alice,", "alice", GOOD, true, &steps,
	    NULL), AUTH_OK);
	assert_int_equal(scram("n,a=bob,", "alice", GOOD, true, &steps,
	    NULL), AUTH_NOT_AUTHORIZED);
}

static void
test_login(void **state)
{
	struct saslauth_dialogue *d;
	struct saslauth_result r;

	(void)state;
	assert_int_equal(login("bob", "builder"), AUTH_OK);
	assert_int_equal(login("Bob@Example.TEST", "builder"), AUTH_OK);
	assert_int_equal(login("bob", "wrong"), AUTH_FAIL);
	assert_int_equal(login("nobody", "wrong"), AUTH_FAIL);
	assert_int_equal(login("no name", "wrong"), AUTH_FAIL);
	/* The user's name as initial response. */
	d = begin();
	r = saslauth_start(d, "LOGIN", "bob", 3);
	assert_int_equal(r.status, AUTH_MORE);
	assert_memory_equal(r.data, "Password:", 9);
	r = saslauth_step(d, "builder", 7);
	assert_int_equal(r.status, AUTH_OK);
	saslauth_end(&d);
}

static void
test_scram(void **state)
{
	char user[AUTH_USER_MAX];
	int good, wrong, unknown;

	(void)state;
	assert_int_equal(scram("n,,", "alice", GOOD, true, &good, user),
	    AUTH_OK);
	assert_string_equal(user, "alice@example.test");
	assert_int_equal(scram("n,,", "alice", GOOD, false, &good, user),
	    AUTH_OK);
	assert_int_equal(good, 3);
	assert_int_equal(scram("y,,", "carol@other.test", GOOD, true, &good,
	    user), AUTH_OK);
	assert_string_equal(user, "carol@other.test");
	assert_int_equal(scram("n,,", "alice", "wrong", true, &wrong, user),
	    AUTH_FAIL);
	assert_int_equal(scram("n,,", "nobody", "wrong", true, &unknown,
	    user), AUTH_FAIL);
	assert_string_equal(user, "nobody@example.test");
	assert_int_equal(wrong, unknown);
	assert_int_equal(scram("n,,", "no name", GOOD, true, &unknown, user),
	    AUTH_FAIL);
	assert_int_equal(wrong, unknown);
	assert_string_equal(user, "");
	assert_int_equal(scram("n,,", "gone", GOOD, true, &unknown, NULL),
	    AUTH_FAIL);
	assert_int_equal(wrong, unknown);
	assert_int_equal(scram("n,,", "foreign@elsewhere.test", GOOD, true,
	    &unknown, NULL), AUTH_FAIL);
	assert_int_equal(wrong, unknown);
	/* Channel binding is not offered. */
	assert_int_equal(scram("p=tls-exporter,,", "alice", GOOD, true,
	    &good, NULL), AUTH_BAD_PROTOCOL);
	assert_int_equal(good, 1);
	assert_int_equal(scram("p=tls-exporter,,", "alice", GOOD, false,
	    &good, NULL), AUTH_BAD_PROTOCOL);
}

/* The salt of an unknown user is stable, and its own. */
static void
test_scram_decoy(void **state)
{
	char first[3][256];
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct saslauth_dialogue *d = begin();
		struct saslauth_result r;
		const char *m = i == 2 ? "n,,n=nobodz,r=abcdefgh" :
		    "n,,n=nobody,r=abcdefgh";

		r = saslauth_start(d, "SCRAM-SHA-256", m, strlen(m));
		assert_int_equal(r.status, AUTH_MORE);
		snprintf(first[i], sizeof(first[i]), "%.*s", (int)r.len,
		    r.data);
		assert_non_null(strstr(first[i], ",i=4096"));
		memmove(first[i], strstr(first[i], ",s="), 40);
		saslauth_end(&d);
	}
	assert_memory_equal(first[0], first[1], 30);
	assert_memory_not_equal(first[0], first[2], 30);
}

static void
test_server_nonce(void **state)
{
	static const char m[] = "n,,n=alice,r=abcdefgh";
	char seen[16][64];
	int i, k;

	(void)state;
	for (i = 0; i < 16; i++) {
		struct saslauth_dialogue *d = begin();
		struct saslauth_result r;

		r = saslauth_start(d, "SCRAM-SHA-256", m, sizeof(m) - 1);
		assert_true(r.len > 42);
		memcpy(seen[i], r.data + 10, 32);
		for (k = 0; k < i; k++)
			assert_memory_not_equal(seen[i], seen[k], 32);
		saslauth_end(&d);
	}
}

static void
test_garbage(void **state)
{
	static const struct {
		const char *mechanism, *data;
		size_t len;
	} cases[] = {
		{ "PLAIN", "", 0 }, { "PLAIN", "x", 1 },
		{ "PLAIN", "\0", 1 }, { "PLAIN", "\0\0", 2 },
		{ "PLAIN", "\0\0\0", 3 }, { "PLAIN", "\0alice", 6 },
		{ "PLAIN", "\0alice\0", 7 },
		{ "PLAIN", "\0alice\0" GOOD "\0", 19 },
		{ "PLAIN", "\0alice\0" GOOD "\0more", 23 },
		{ "PLAIN", "\0\0" GOOD, 13 },
		{ "PLAIN", "\0al ice\0" GOOD, 19 },
		{ "PLAIN", "\0alice@@x\0" GOOD, 21 },
		{ "PLAIN", "\0alice\n\0" GOOD, 19 },
		{ "SCRAM-SHA-256", "n", 1 },
		{ "SCRAM-SHA-256", "n,,", 3 },
		{ "SCRAM-SHA-256", "x,,n=alice,r=abcdefgh", 21 },
		{ "SCRAM-SHA-256", "n,,n=alice", 10 },
		{ "SCRAM-SHA-256", "n,,m=x,n=alice,r=abcdefgh", 25 },
		{ "SCRAM-SHA-256", "n,,n=a=xx,r=abcdefgh", 20 },
		{ "SCRAM-SHA-256", "n,,n=alice\0,r=abcdefgh", 22 },
		{ "SCRAM-SHA-256", "n,b=x,n=alice,r=abcdefgh", 24 },
		{ "SCRAM-SHA-256", "\xff\xfe\xfd", 3 },
	};
	enum auth_status s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s = once(cases[i].mechanism, cases[i].data, cases[i].len,
		    NULL);
		if (getenv("SHOW") != NULL)
			print_message("# case %zu: %d\n", i, (int)s);
		if (s != AUTH_FAIL && s != AUTH_BAD_PROTOCOL)
			fail_msg("case %zu: status %d", i, (int)s);
	}
}

static void
test_scram_garbage(void **state)
{
	static const char *const bad[] = {
		"", "x", "c=biws", "c=biws,r=x,p=x", "c=biws,p=x",
		"c=eSws,r=%s,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
		"c=biws,r=%s,p=", "c=biws,r=%s,p=AAAA", "c=biws,r=%s",
		"c=biws,r=%sx,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
		"c=biws,r=%s,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
		"c=biws,r=%s,p=!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!=",
		"c=biws,r=%s,m=x,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7A=",
	};
	static const char first[] = "n,,n=alice,r=abcdefgh";
	struct saslauth_result r;
	char nonce[256], m[1024];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct saslauth_dialogue *d = begin();
		const char *p = strstr(bad[i], "%s");

		r = saslauth_start(d, "SCRAM-SHA-256", first,
		    sizeof(first) - 1);
		assert_int_equal(r.status, AUTH_MORE);
		snprintf(nonce, sizeof(nonce), "%.*s", (int)strcspn(r.data,
		    ",") - 2, r.data + 2);
		snprintf(m, sizeof(m), "%.*s%s%s", p == NULL ?
		    (int)strlen(bad[i]) : (int)(p - bad[i]), bad[i],
		    p == NULL ? "" : nonce, p == NULL ? "" : p + 2);
		r = saslauth_step(d, m, strlen(m));
		if (getenv("SHOW") != NULL)
			print_message("# case %zu: %d\n", i, (int)r.status);
		if (r.status != AUTH_FAIL && r.status != AUTH_BAD_PROTOCOL)
			fail_msg("case %zu: status %d", i, (int)r.status);
		saslauth_end(&d);
	}
}

/* Random octets never succeed and never crash. */
static void
test_noise(void **state)
{
	char m[AUTH_DATA_MAX];
	unsigned int seed = 1;
	size_t i, k, len;

	(void)state;
	for (i = 0; i < 300; i++) {
		struct saslauth_dialogue *d = begin();
		struct saslauth_result r;

		seed = seed * 1103515245 + 12345;
		len = i % 10 == 0 ? sizeof(m) : (seed >> 8) % 200;
		for (k = 0; k < len; k++) {
			seed = seed * 1103515245 + 12345;
			m[k] = (char)(seed >> 16);
		}
		r = saslauth_start(d, mechanisms[i % 3], m, len);
		if (r.status == AUTH_MORE)
			r = saslauth_step(d, m, len);
		if (r.status == AUTH_MORE)
			r = saslauth_step(d, m, len);
		assert_int_not_equal(r.status, AUTH_OK);
		assert_int_not_equal(r.status, AUTH_MORE);
		saslauth_end(&d);
	}
}

/* Dialogues of different users and mechanisms, step by step in turns. */
static void
test_interleaved(void **state)
{
	enum { N = 20 };
	struct saslauth_dialogue *d[N];
	struct saslauth_result r;
	struct scram_client c[N];
	static char m[N][SCRAM_CLIENT_TEXT];
	int i;

	(void)state;
	for (i = 0; i < N; i++) {
		d[i] = begin();
		if (i % 2 == 0) {
			r = saslauth_start(d[i], "LOGIN", "bob", 3);
		} else {
			scram_client_first(&c[i], "n,,", "alice", m[i]);
			r = saslauth_start(d[i], "SCRAM-SHA-256", m[i],
			    strlen(m[i]));
			assert_true(scram_client_final(&c[i], r.data, r.len,
			    i % 3 == 0 ? "wrong" : GOOD, m[i]));
		}
		assert_int_equal(r.status, AUTH_MORE);
	}
	/* Some are given up in the middle. */
	saslauth_end(&d[4]);
	saslauth_end(&d[5]);
	for (i = N - 1; i >= 0; i--) {
		if (d[i] == NULL)
			continue;
		if (i % 2 == 0)
			r = saslauth_step(d[i], i % 3 == 0 ? "x" : "builder",
			    i % 3 == 0 ? 1 : 7);
		else
			r = saslauth_step(d[i], m[i], strlen(m[i]));
		assert_int_equal(r.status, i % 3 == 0 ? AUTH_FAIL :
		    i % 2 == 0 ? AUTH_OK : AUTH_MORE);
		if (r.status == AUTH_MORE)
			assert_int_equal(saslauth_step(d[i], "", 0).status,
			    AUTH_OK);
		assert_string_equal(saslauth_user(d[i]), i % 2 == 0 ?
		    "bob@example.test" : "alice@example.test");
		saslauth_end(&d[i]);
	}
}

/*
 * After SCRAM's last message a client must not get in by anything else: its
 * answer has to be empty, and what it starts next is a new attempt.
 */
static void
test_fresh(void **state)
{
	struct saslauth_dialogue *d = begin();
	struct scram_client c;
	struct saslauth_result r;
	char m[SCRAM_CLIENT_TEXT];

	(void)state;
	scram_client_first(&c, "n,,", "alice", m);
	r = saslauth_start(d, "SCRAM-SHA-256", m, strlen(m));
	assert_true(scram_client_final(&c, r.data, r.len, GOOD, m));
	r = saslauth_step(d, m, strlen(m));
	assert_int_equal(r.status, AUTH_MORE);
	saslauth_end(&d);
	assert_int_equal(plain("", "mallory", "junk", NULL), AUTH_FAIL);

	d = begin();
	scram_client_first(&c, "n,,", "alice", m);
	r = saslauth_start(d, "SCRAM-SHA-256", m, strlen(m));
	assert_true(scram_client_final(&c, r.data, r.len, GOOD, m));
	r = saslauth_step(d, m, strlen(m));
	assert_int_equal(r.status, AUTH_MORE);
	r = saslauth_step(d, "\0mallory\0junk", 13);
	assert_int_equal(r.status, AUTH_BAD_PROTOCOL);
	saslauth_end(&d);
}

static void
test_away(void **state)
{
	int steps;

	(void)state;
	saslauth_accounts(sasl, NULL);
	assert_int_equal(plain("", "alice", GOOD, NULL), AUTH_TEMP);
	assert_int_equal(plain("", "nobody", GOOD, NULL), AUTH_TEMP);
	assert_int_equal(scram("n,,", "alice", GOOD, true, &steps, NULL),
	    AUTH_TEMP);
	saslauth_accounts(sasl, accounts);
	assert_int_equal(plain("", "alice", GOOD, NULL), AUTH_OK);
}

static void
test_proof(void **state)
{
	unsigned char want[ACCOUNTS_PROOF];
	struct saslauth_dialogue *d = begin();

	(void)state;
	assert_int_equal(saslauth_start(d, "PLAIN", "\0alice\0" GOOD,
	    7 + strlen(GOOD)).status, AUTH_OK);
	accounts_proof(accounts_find(accounts, "alice@example.test"), want);
	assert_memory_equal(want, saslauth_proof(d), sizeof(want));
	saslauth_end(&d);
}

/*
 * App passwords: under which name, password and service what comes of it,
 * for whom, by which one, and why not.
 */
static const struct app_case {
	const char *user, *password;
	enum auth_service service;
	enum auth_status plain, scram;
	const char *name, *app;
	enum apppass_refusal refusal;
} app_cases[] = {
#define AA "alice@example.test"
#define YES(user, password, service, scram, app) \
	{ user, password, service, AUTH_OK, scram, AA, app, 0 }
#define NOT(user, password, service, app, refusal) \
	{ user, password, service, AUTH_FAIL, AUTH_FAIL, AA, app, refusal }
#define NO(user, password, service, name) \
	{ user, password, service, AUTH_FAIL, AUTH_FAIL, name, "", 0 }
	/* Under the account's own name PLAIN alone knows them. */
	YES("alice", APP_SMTP, AUTH_SMTP, AUTH_FAIL, "s"),
	YES("alice", APP_HTTP, AUTH_HTTP, AUTH_FAIL, "h"),
	YES("alice", APP_LATER, AUTH_SMTP, AUTH_FAIL, "l"),
	YES("ALICE@example.test", APP_LATER, AUTH_HTTP, AUTH_FAIL, "l"),
	YES("alice+s", APP_SMTP, AUTH_SMTP, AUTH_OK, "s"),
	YES("Alice+S@Example.test", APP_SMTP, AUTH_SMTP, AUTH_OK, "s"),
	YES("alice+h", APP_HTTP, AUTH_HTTP, AUTH_OK, "h"),
	YES("alice+l", APP_LATER, AUTH_SMTP, AUTH_OK, "l"),
	YES("alice+l", APP_LATER, AUTH_HTTP, AUTH_OK, "l"),
	YES("alice", GOOD, AUTH_HTTP, AUTH_OK, ""),
	NOT("alice+h", APP_HTTP, AUTH_SMTP, "h", APPPASS_OUT_OF_SCOPE),
	NOT("alice+s", APP_SMTP, AUTH_HTTP, "s", APPPASS_OUT_OF_SCOPE),
	NOT("alice+e", APP_ENDED, AUTH_SMTP, "e", APPPASS_EXPIRED),
	NOT("alice+e", APP_ENDED, AUTH_HTTP, "e", APPPASS_OUT_OF_SCOPE),
	/* Of one that is another's, or wrong, nothing is known. */
	NO("alice+e", APP_SMTP, AUTH_SMTP, "alice+e@example.test"),
	NO("alice+s", APP_HTTP, AUTH_SMTP, "alice+s@example.test"),
	NO("alice+s", GOOD, AUTH_SMTP, "alice+s@example.test"),
	NO("alice+x", GOOD, AUTH_SMTP, "alice+x@example.test"),
	NO("alice+x", APP_SMTP, AUTH_SMTP, "alice+x@example.test"),
	NO("alice+o", APP_OFF, AUTH_SMTP, "alice+o@example.test"),
	NO("alice", APP_OFF, AUTH_SMTP, AA),
	NO("alice+s", APP_TWICE, AUTH_SMTP, "alice+s@example.test"),
	NO("alice+s+t", APP_TWICE, AUTH_SMTP, "alice+s+t@example.test"),
	{ "bob", "builder", AUTH_SMTP, AUTH_OK, AUTH_OK, "bob@example.test",
	    "", 0 },
	NO("bob", APP_SMTP, AUTH_SMTP, "bob@example.test"),
	NO("bob", APP_LATER, AUTH_SMTP, "bob@example.test"),
	/* Accounts that are off, gone, or not ours. */
	NO("gone", APP_GONE, AUTH_SMTP, "gone@example.test"),
	NO("gone+s", APP_GONE, AUTH_SMTP, "gone+s@example.test"),
	NO("nobody", APP_NONE, AUTH_SMTP, "nobody@example.test"),
	NO("nobody+s", APP_NONE, AUTH_SMTP, "nobody+s@example.test"),
	NO("foreign@elsewhere.test", APP_SMTP, AUTH_SMTP,
	    "foreign@elsewhere.test"),
	NO("foreign+s@elsewhere.test", APP_SMTP, AUTH_SMTP,
	    "foreign+s@elsewhere.test"),
	/* An account of old that has a + in its name is one. */
	{ "bob+old", "of old", AUTH_SMTP, AUTH_OK, AUTH_OK,
	    "bob+old@example.test", "", 0 },
	{ "bob+old", APP_LATER, AUTH_SMTP, AUTH_OK, AUTH_FAIL,
	    "bob+old@example.test", "s", 0 },
	{ "bob+old+s", APP_LATER, AUTH_SMTP, AUTH_OK, AUTH_OK,
	    "bob+old@example.test", "s", 0 },
};

static void
assert_app(const struct app_case *c, size_t i, enum auth_status want,
    enum auth_status got, const char *user)
{
	if (got != want)
		fail_msg("case %zu: %d, not %d", i, (int)got, (int)want);
	if (got != AUTH_OK && c->plain == AUTH_OK)
		return;		/* SCRAM under the account's own name */
	assert_string_equal(user, c->name);
	assert_string_equal(last_app, c->app);
	assert_int_equal(last_refusal, c->refusal);
}

static void
test_apps(void **state)
{
	const struct app_case *c;
	char user[AUTH_USER_MAX];
	int steps, wrong;
	size_t i;

	(void)state;
	scram("n,,", "alice", "wrong", true, &wrong, NULL);
	for (i = 0; i < sizeof(app_cases) / sizeof(app_cases[0]); i++) {
		c = &app_cases[i];
		service = c->service;
		assert_app(c, i, c->plain, plain("", c->user, c->password,
		    user), user);
		assert_app(c, i, c->scram, scram("n,,", c->user, c->password,
		    true, &steps, user), user);
		/* A refusal looks like one for a wrong password. */
		assert_int_equal(steps, c->scram == AUTH_OK ? 3 : wrong);
	}
	service = AUTH_SMTP;
	assert_int_equal(login("alice", APP_SMTP), AUTH_OK);
	assert_int_equal(login("alice+s", APP_SMTP), AUTH_OK);
	assert_int_equal(login("alice+h", APP_HTTP), AUTH_FAIL);
	assert_int_equal(login("alice", APP_ENDED), AUTH_FAIL);
}

/* As whom: the login's own name, or the account. */
static void
test_app_authzid(void **state)
{
	static const struct {
		const char *authzid, *user;
		enum auth_status plain, scram;
	} cases[] = {
		{ "alice", "alice+s", AUTH_OK, AUTH_OK },
		{ "alice+s", "alice+s", AUTH_OK, AUTH_OK },
		{ "ALICE@example.test", "alice+s", AUTH_OK, AUTH_OK },
		{ "alice+l", "alice+s", AUTH_NOT_AUTHORIZED,
		    AUTH_NOT_AUTHORIZED },
		{ "bob", "alice+s", AUTH_NOT_AUTHORIZED,
		    AUTH_NOT_AUTHORIZED },
		{ "alice+h", "alice+h", AUTH_FAIL, AUTH_FAIL },
		/* Out of scope is said before. */
		{ "bob", "alice+h", AUTH_FAIL, AUTH_FAIL },
		{ "alice", "alice", AUTH_OK, AUTH_FAIL },
		{ "alice+s", "alice", AUTH_NOT_AUTHORIZED, AUTH_FAIL },
		{ "bob", "alice", AUTH_NOT_AUTHORIZED, AUTH_FAIL },
	};
	char gs2[64], user[AUTH_USER_MAX];
	const char *password;
	int steps;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		password = strcmp(cases[i].user, "alice+h") == 0 ? APP_HTTP :
		    APP_SMTP;
		if (plain(cases[i].authzid, cases[i].user, password, user) !=
		    cases[i].plain)
			fail_msg("PLAIN: case %zu", i);
		if (cases[i].plain == AUTH_OK)
			assert_string_equal(user, AA);
		snprintf(gs2, sizeof(gs2), "n,a=%s,", cases[i].authzid);
		if (scram(gs2, cases[i].user, password, true, &steps, user) !=
		    cases[i].scram)
			fail_msg("SCRAM: case %zu", i);
		if (cases[i].scram == AUTH_OK)
			assert_string_equal(user, AA);
	}
	/* The main password makes nobody an app. */
	assert_int_equal(plain("alice+s", "alice", GOOD, NULL),
	    AUTH_NOT_AUTHORIZED);
	assert_int_equal(plain("alice+s", "alice+s", GOOD, NULL), AUTH_FAIL);
}

static void
test_app_proof(void **state)
{
	unsigned char want[ACCOUNTS_PROOF];
	struct saslauth_dialogue *d;
	const char *user[] = { "alice", "alice+s" };
	char m[64];
	int i, n;

	(void)state;
	accounts_proof_app(accounts_find(accounts, AA),
	    accounts_find_app(accounts, AA, "s"), want);
	for (i = 0; i < 2; i++) {
		d = begin();
		n = snprintf(m, sizeof(m), "%c%s%c%s", 0, user[i], 0,
		    APP_SMTP);
		assert_int_equal(saslauth_start(d, "PLAIN", m,
		    (size_t)n).status, AUTH_OK);
		assert_memory_equal(want, saslauth_proof(d), sizeof(want));
		saslauth_end(&d);
	}
}

/* A user who does not exist costs the same work, and so do app names. */
static void
test_time(void **state)
{
	struct timespec a, b;
	static const char *const names[] = {
		"nobody", "alice", "bob", "alice+s", "alice+x"
	};
	double spent[5] = { 0, 0, 0, 0, 0 };
	int i;

	(void)state;
	for (i = 0; i < 150; i++) {
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
		plain("", names[i % 5], "wrong", NULL);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
		spent[i % 5] += (double)(b.tv_sec - a.tv_sec) * 1e9 +
		    (double)(b.tv_nsec - a.tv_nsec);
	}
	for (i = 1; i < 5; i++)
		assert_true(spent[0] < spent[i] * 1.5 &&
		    spent[i] < spent[0] * 1.5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mechanisms),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_plain_steps),
		cmocka_unit_test(test_authzid),
		cmocka_unit_test(test_login),
		cmocka_unit_test(test_scram),
		cmocka_unit_test(test_scram_decoy),
		cmocka_unit_test(test_server_nonce),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_scram_garbage),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_interleaved),
		cmocka_unit_test(test_fresh),
		cmocka_unit_test(test_away),
		cmocka_unit_test(test_proof),
		cmocka_unit_test(test_apps),
		cmocka_unit_test(test_app_authzid),
		cmocka_unit_test(test_app_proof),
		cmocka_unit_test(test_time),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
