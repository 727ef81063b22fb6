/* SPDX-License-Identifier: ISC */
/*
 * What rests on the client's TLS connection: SCRAM-SHA-256-PLUS and EXTERNAL
 * in a SASL worker, driven in this process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/accounts.h"
#include "auth/apppass.h"
#include "auth/channel.h"
#include "auth/sasl.h"
#include "auth/scram.h"
#include "lib/conf.h"
#include "t/unit/scram-client.h"

#define ITERATIONS	4096
#define GOOD		"wonder land"
#define PLUS		"SCRAM-SHA-256-PLUS"
#define EXPORTER	"p=tls-exporter,,"
#define ENDPOINT	"p=tls-server-end-point,,"

static char domain1[] = "example.test", domain2[] = "other.test";
static char *domains[] = { domain1, domain2 };
static char plus_name[] = PLUS, scram_name[] = "SCRAM-SHA-256";
static char plain_name[] = "PLAIN", external_name[] = "EXTERNAL";
static char host[] = "mail.example.test";
static char *mechanisms[] = { plus_name, scram_name, plain_name,
	external_name };
static struct conf conf = {
	.hostname = host,
	.domains = { domains, 2 },
	.auth_mechanisms = { mechanisms, 4 },
	.auth_iterations = ITERATIONS,
};
static struct saslauth *sasl;
static struct accounts *accounts;
static char path[64];
static struct auth_channel channel;	/* of the next dialogue */

static int
setup(void **state)
{
	static const struct { const char *user, *options; } all[] = {
		{ "alice@example.test", "" },
		{ "bob@example.test", "" },
		{ "carol@other.test", "" },
		{ "gone@example.test", "\tdisabled" },
		{ "foreign@elsewhere.test", "" },
		{ "\xc3\xbc@example.test", "" },
		{ "alice+app@example.test", "\tapp,scope=smtp,digest="
		    "Eq+dl4yn1tYfU1bJvbkE0QTkrCaipB9S"
		    "+uOjCj63yJVi6i/yCxbvpn1hJQPal7uD" },
	};
	static const unsigned char key[SCRAM_KEY] = { 7 };
	char verifier[SCRAM_VERIFIER_MAX], options[APPPASS_OPTIONS_MAX];
	FILE *fp;
	size_t i;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/test-channel.XXXXXX");
	if ((fd = mkstemp(path)) == -1 || (fp = fdopen(fd, "w")) == NULL)
		return -1;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		scram_verifier_make(GOOD, strlen(GOOD), ITERATIONS, verifier,
		    sizeof(verifier));
		fprintf(fp, "%s\t%s%s\n", all[i].user, verifier,
		    all[i].options);
	}
	if (apppass_options(APPPASS_SMTP, 1, 0, GOOD, strlen(GOOD),
	    options) == -1)
		return -1;
	fprintf(fp, "alice+laptop@example.test\t%s\t%s\n", verifier, options);
	fclose(fp);
	accounts = accounts_load(path);
	sasl = saslauth_new(&conf);
	if (accounts == NULL || sasl == NULL || accounts_bad(accounts) > 0)
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

/* A connection with both bindings, and a certificate with these names. */
static void
connection(const char *names)
{
	memset(&channel, 0, sizeof(channel));
	channel.exporter_len = AUTH_EXPORTER;
	memset(channel.exporter, 'x', AUTH_EXPORTER);
	channel.endpoint_len = 48;
	memset(channel.endpoint, 'e', 48);
	strcpy(channel.names, names);
}

static struct saslauth_dialogue *
begin(void)
{
	struct saslauth_dialogue *d = saslauth_begin(sasl, AUTH_SMTP,
	    &channel);

	assert_non_null(d);
	return d;
}

/* --- SCRAM-SHA-256-PLUS --- */

struct attempt {
	const char	*mechanism, *gs2, *user, *password;
	size_t		 len;		/* of the binding data */
	char		 octet;		/* that it is full of */
	bool		 later;		/* no initial response */
	int		 replies;	/* out: until the end */
	char		 name[AUTH_USER_MAX];	/* out */
};

static enum auth_status
scram(struct attempt *a)
{
	struct saslauth_dialogue *d = begin();
	struct scram_client c;
	struct saslauth_result r;
	char m[SCRAM_CLIENT_TEXT];

	a->replies = 1;
	scram_client_first(&c, a->gs2, a->user, m);
	memset(c.cbind, a->octet, sizeof(c.cbind));
	c.cbind_len = a->len;
	r = saslauth_start(d, a->mechanism, a->later ? NULL : m,
	    a->later ? 0 : strlen(m));
	if (a->later && r.status == AUTH_MORE) {
		assert_int_equal(r.len, 0);
		r = saslauth_step(d, m, strlen(m));
	}
	if (r.status == AUTH_MORE) {
		a->replies++;
		assert_true(scram_client_final(&c, r.data, r.len, a->password,
		    m));
		r = saslauth_step(d, m, strlen(m));
	}
	if (r.status == AUTH_MORE) {
		a->replies++;
		assert_true(scram_client_check(&c, r.data, r.len));
		r = saslauth_step(d, "", 0);
	}
	strcpy(a->name, saslauth_user(d));
	saslauth_end(&d);
	return r.status;
}

/* The attempt of alice with her password. */
static enum auth_status
alice(const char *mechanism, const char *gs2, size_t len, char octet)
{
	struct attempt a = { mechanism, gs2, "alice", GOOD, len, octet, false,
	    0, "" };

	return scram(&a);
}

static void
test_mechanisms(void **state)
{
	(void)state;
	assert_string_equal(saslauth_mechanisms(sasl),
	    PLUS " SCRAM-SHA-256 PLAIN EXTERNAL");
}

static void
test_plus(void **state)
{
	struct attempt a = { PLUS, EXPORTER, "alice", GOOD, 32, 'x', false, 0,
	    "" };

	(void)state;
	connection("");
	for (int i = 0; i < 4; i++) {
		a.later = i % 2 == 1;
		a.gs2 = i < 2 ? EXPORTER : ENDPOINT;
		a.len = i < 2 ? 32 : 48;
		a.octet = i < 2 ? 'x' : 'e';
		assert_int_equal(scram(&a), AUTH_OK);
		assert_int_equal(a.replies, 3);
		assert_string_equal(a.name, "alice@example.test");
	}
	assert_int_equal(alice(PLUS, "p=tls-exporter,a=alice,", 32, 'x'),
	    AUTH_OK);
	assert_int_equal(alice(PLUS, "p=tls-exporter,a=bob,", 32, 'x'),
	    AUTH_NOT_AUTHORIZED);
	a = (struct attempt){ PLUS, EXPORTER, "alice", "wrong", 32, 'x',
	    false, 0, "" };
	assert_int_equal(scram(&a), AUTH_FAIL);
	assert_int_equal(a.replies, 2);
	a.user = "nobody";
	assert_int_equal(scram(&a), AUTH_FAIL);
	assert_int_equal(a.replies, 2);
}

/* RFC 5802, section 5.1: bound to another connection is a wrong proof. */
static void
test_mismatch(void **state)
{
	struct attempt a = { PLUS, EXPORTER, "alice", GOOD, 32, 'y', false, 0,
	    "" };
	static const size_t lengths[] = { 0, 1, 31, 33, 48, 64 };

	(void)state;
	connection("");
	assert_int_equal(scram(&a), AUTH_FAIL);
	assert_int_equal(a.replies, 2);
	assert_string_equal(a.name, "alice@example.test");
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		assert_int_equal(alice(PLUS, EXPORTER, lengths[i], 'x'),
		    AUTH_FAIL);
	/* The data of one kind under the name of the other. */
	assert_int_equal(alice(PLUS, EXPORTER, 48, 'e'), AUTH_FAIL);
	assert_int_equal(alice(PLUS, ENDPOINT, 32, 'x'), AUTH_FAIL);
	assert_int_equal(alice(PLUS, ENDPOINT, 48, 'x'), AUTH_FAIL);
	assert_int_equal(alice(PLUS, ENDPOINT, 47, 'e'), AUTH_FAIL);
}

/* What the first message may not say. */
static void
test_flags(void **state)
{
	static const struct {
		const char *mechanism, *gs2;
		enum auth_status status;
	} rows[] = {
		{ PLUS, "n,,", AUTH_BAD_PROTOCOL },
		{ PLUS, "y,,", AUTH_BAD_PROTOCOL },
		{ PLUS, "p=tls-unique,,", AUTH_BAD_PROTOCOL },
		{ PLUS, "p=tls-exporte,,", AUTH_BAD_PROTOCOL },
		{ PLUS, "p=tls-exporterr,,", AUTH_BAD_PROTOCOL },
		{ PLUS, "p=TLS-EXPORTER,,", AUTH_BAD_PROTOCOL },
		{ PLUS, "p=,,", AUTH_BAD_PROTOCOL },
		{ PLUS, "p,,", AUTH_BAD_PROTOCOL },
		{ PLUS, "ptls-exporter,,", AUTH_BAD_PROTOCOL },
		{ PLUS, "pxtls-exporter,,", AUTH_BAD_PROTOCOL },
		{ PLUS, ",,", AUTH_BAD_PROTOCOL },
		{ PLUS, "p=tls-exporter", AUTH_BAD_PROTOCOL },
		{ PLUS, "q=tls-exporter,,", AUTH_BAD_PROTOCOL },
		{ PLUS, "", AUTH_BAD_PROTOCOL },
		{ "SCRAM-SHA-256", EXPORTER, AUTH_BAD_PROTOCOL },
		{ "SCRAM-SHA-256", ENDPOINT, AUTH_BAD_PROTOCOL },
		/* RFC 5802, section 6: somebody took the offer away */
		{ "SCRAM-SHA-256", "y,,", AUTH_FAIL },
		{ "SCRAM-SHA-256", "n,,", AUTH_OK },
	};

	(void)state;
	connection("");
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		struct attempt a = { rows[i / 2].mechanism, rows[i / 2].gs2,
		    "alice", GOOD, rows[i / 2].gs2[0] == 'p' ? 32 : 0, 'x',
		    i % 2 == 1, 0, "" };
		enum auth_status s = scram(&a);

		if (s != rows[i / 2].status)
			fail_msg("%s: %d", rows[i / 2].gs2, (int)s);
		assert_int_equal(a.replies, s == AUTH_OK ? 3 : 1);
	}
}

static enum auth_status
first(const char *mechanism, const char *data, size_t len, bool later)
{
	struct saslauth_dialogue *d = begin();
	struct saslauth_result r = saslauth_start(d, mechanism,
	    later ? NULL : data, later ? 0 : len);

	if (later && r.status == AUTH_MORE)
		r = saslauth_step(d, data, len);
	saslauth_end(&d);
	return r.status;
}

/* The header is as long as it may be, or longer, or is not whole. */
static void
test_header(void **state)
{
	static const char *const cut[] = { "p", "p=", "p=tls-exporter",
		"p=tls-exporter,", "p=tls-exporter,a=alice", ",", ",," };
	char gs2[1100];

	(void)state;
	connection("");
	for (size_t i = 0; i < sizeof(cut) / sizeof(cut[0]); i++)
		assert_int_equal(first(PLUS, cut[i], strlen(cut[i]), i % 2),
		    AUTH_BAD_PROTOCOL);
	for (int len = 1024; len <= 1025; len++) {
		snprintf(gs2, sizeof(gs2), "p=tls-exporter,a=%0*d,", len - 18,
		    0);
		assert_int_equal(strlen(gs2), len);
		assert_int_equal(alice(PLUS, gs2, 32, 'x'),
		    len == 1024 ? AUTH_NOT_AUTHORIZED : AUTH_BAD_PROTOCOL);
	}
	/* SCRAM has no empty first message; it is asked for, once. */
	assert_int_equal(first(PLUS, "", 0, false), AUTH_MORE);
	assert_int_equal(first(PLUS, "", 0, true), AUTH_BAD_PROTOCOL);
	assert_int_equal(first("SCRAM-SHA-256", "", 0, true),
	    AUTH_BAD_PROTOCOL);
}

/* The final message of -PLUS that is not in form. */
static void
test_final(void **state)
{
	static const char m[] = EXPORTER "n=alice,r=abcdefgh";
	static const struct {
		const char *text;
		enum auth_status status;
	} rows[] = {
		{ "", AUTH_BAD_PROTOCOL }, { "c", AUTH_BAD_PROTOCOL },
		{ "c=", AUTH_BAD_PROTOCOL }, { "c=biws", AUTH_BAD_PROTOCOL },
		{ "c=????,r=x,p=x", AUTH_BAD_PROTOCOL },
		{ "x=biws,r=x,p=x", AUTH_BAD_PROTOCOL },
		{ "c=biws,r=x,p=x", AUTH_FAIL }, { "c=,r=x,p=x", AUTH_FAIL },
	};

	(void)state;
	connection("");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct saslauth_dialogue *d = begin();
		struct saslauth_result r;

		r = saslauth_start(d, PLUS, m, sizeof(m) - 1);
		assert_int_equal(r.status, AUTH_MORE);
		r = saslauth_step(d, rows[i].text, strlen(rows[i].text));
		if (r.status != rows[i].status)
			fail_msg("%s: %d", rows[i].text, (int)r.status);
		saslauth_end(&d);
	}
}

/* A connection may have one binding of the two, or none. */
static void
test_unbound(void **state)
{
	(void)state;
	connection("");
	channel.exporter_len = 0;
	assert_int_equal(alice(PLUS, EXPORTER, 32, 'x'), AUTH_BAD_PROTOCOL);
	assert_int_equal(alice(PLUS, EXPORTER, 0, 'x'), AUTH_BAD_PROTOCOL);
	assert_int_equal(alice(PLUS, ENDPOINT, 48, 'e'), AUTH_OK);
	assert_int_equal(alice("SCRAM-SHA-256", "y,,", 0, 0), AUTH_FAIL);
	connection("");
	channel.endpoint_len = 0;
	assert_int_equal(alice(PLUS, ENDPOINT, 48, 'e'), AUTH_BAD_PROTOCOL);
	assert_int_equal(alice(PLUS, EXPORTER, 32, 'x'), AUTH_OK);
	channel.exporter_len = 0;
	assert_int_equal(alice(PLUS, EXPORTER, 32, 'x'), AUTH_NO_MECHANISM);
	/* It was not offered: who says so is right. */
	assert_int_equal(alice("SCRAM-SHA-256", "y,,", 0, 0), AUTH_OK);
}

/* --- EXTERNAL --- */

static enum auth_status
external(const char *names, const char *authzid, const char *user)
{
	char name[AUTH_USER_MAX] = "";
	enum auth_status status = AUTH_STATUS_NONE;

	connection(names);
	for (int later = 0; later < 2; later++) {
		struct saslauth_dialogue *d = begin();
		struct saslauth_result r = saslauth_start(d, "EXTERNAL",
		    later ? NULL : authzid, later ? 0 : strlen(authzid));

		if (later && r.status == AUTH_MORE) {
			assert_int_equal(r.len, 0);
			r = saslauth_step(d, authzid, strlen(authzid));
		}
		strcpy(name, saslauth_user(d));
		assert_true(later == 0 || status == r.status);
		status = r.status;
		if (status == AUTH_OK) {
			unsigned char want[ACCOUNTS_PROOF];

			accounts_proof(accounts_find(accounts, name), want);
			assert_memory_equal(want, saslauth_proof(d),
			    sizeof(want));
		}
		saslauth_end(&d);
	}
	if (user != NULL)
		assert_string_equal(name, user);
	return status;
}

static void
test_external(void **state)
{
	static const struct {
		const char *names, *authzid;
		enum auth_status status;
		const char *user;
	} rows[] = {
		{ "alice@example.test\n", "", AUTH_OK, "alice@example.test" },
		{ "ALICE@Example.TEST\n", "", AUTH_OK, "alice@example.test" },
		{ "\xc3\xbc@example.test\n", "", AUTH_OK,
		    "\xc3\xbc@example.test" },
		{ "alice@example.test\n", "alice@example.test", AUTH_OK,
		    "alice@example.test" },
		{ "alice@example.test\n", "Alice", AUTH_OK,
		    "alice@example.test" },
		{ "alice@example.test\n", "bob@example.test",
		    AUTH_NOT_AUTHORIZED, NULL },
		{ "alice@example.test\n", "alice@other.test",
		    AUTH_NOT_AUTHORIZED, NULL },
		{ "alice@example.test\n", "nobody", AUTH_NOT_AUTHORIZED,
		    NULL },
		{ "alice@example.test\n", "al ice", AUTH_NOT_AUTHORIZED,
		    NULL },
		{ "alice@example.test\n", "alice+x@example.test",
		    AUTH_NOT_AUTHORIZED, NULL },
		/* an app password is nobody */
		{ "alice+laptop@example.test\n", "", AUTH_FAIL,
		    "alice+laptop@example.test" },
		{ "alice+laptop@example.test\n", "alice+laptop@example.test",
		    AUTH_FAIL, "alice+laptop@example.test" },
		/* several names */
		{ "x@y.test\nalice@example.test\n", "", AUTH_OK,
		    "alice@example.test" },
		{ "alice@example.test\nAlice@EXAMPLE.test\n", "", AUTH_OK,
		    "alice@example.test" },
		{ "alice@example.test\nbob@example.test\n", "", AUTH_FAIL,
		    NULL },
		{ "alice@example.test\nbob@example.test\n",
		    "bob@example.test", AUTH_OK, "bob@example.test" },
		{ "gone@example.test\nbob@example.test\n", "", AUTH_OK,
		    "bob@example.test" },
		/* an account that is none, off, of another domain */
		{ "nobody@example.test\n", "", AUTH_FAIL,
		    "nobody@example.test" },
		{ "nobody@example.test\n", "nobody@example.test", AUTH_FAIL,
		    "nobody@example.test" },
		{ "gone@example.test\n", "", AUTH_FAIL, "gone@example.test" },
		{ "gone@example.test\n", "gone@example.test", AUTH_FAIL,
		    "gone@example.test" },
		{ "foreign@elsewhere.test\n", "", AUTH_FAIL, NULL },
		/* an app password is no account */
		{ "alice+app@example.test\n", "", AUTH_FAIL,
		    "alice+app@example.test" },
		{ "alice+app@example.test\n", "alice+app", AUTH_FAIL,
		    "alice+app@example.test" },
		{ "alice+app@example.test\n", "alice", AUTH_NOT_AUTHORIZED,
		    NULL },
		{ "alice@example.test\n", "alice+app", AUTH_NOT_AUTHORIZED,
		    NULL },
		/* a name without a domain is nobody's */
		{ "alice\n", "", AUTH_FAIL, NULL },
		{ "alice\n", "alice", AUTH_NOT_AUTHORIZED, NULL },
		{ "carol@example.test\n", "", AUTH_FAIL, NULL },
		{ "\"alice\"@example.test\n", "", AUTH_FAIL, NULL },
		{ "", "", AUTH_NO_MECHANISM, "" },
		{ "", "alice@example.test", AUTH_NO_MECHANISM, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum auth_status s = external(rows[i].names, rows[i].authzid,
		    rows[i].user);

		if (s != rows[i].status)
			fail_msg("%s as \"%s\": %d", rows[i].names,
			    rows[i].authzid, (int)s);
	}
}

static void
test_external_octets(void **state)
{
	(void)state;
	connection("alice@example.test\n");
	assert_int_equal(first("EXTERNAL", "alice\0x", 7, false),
	    AUTH_BAD_PROTOCOL);
	assert_int_equal(first("EXTERNAL", "\0", 1, true), AUTH_BAD_PROTOCOL);
	assert_int_equal(first("EXTERNAL", "", 0, true), AUTH_OK);
}

static void
test_external_long(void **state)
{
	char names[AUTH_NAMES_MAX] = "", authzid[AUTH_DATA_MAX];

	(void)state;
	for (int i = 0; i < 40; i++)
		snprintf(names + strlen(names), sizeof(names) - strlen(names),
		    "someone.%02d@example.test\n", i);
	strcat(names, "bob@example.test\n");
	assert_int_equal(external(names, "", "bob@example.test"), AUTH_OK);
	connection("alice@example.test\n");
	memset(authzid, 'a', sizeof(authzid));
	assert_int_equal(first("EXTERNAL", authzid, sizeof(authzid), false),
	    AUTH_NOT_AUTHORIZED);
}

static void
test_away(void **state)
{
	(void)state;
	saslauth_accounts(sasl, NULL);
	assert_int_equal(external("alice@example.test\n", "", NULL),
	    AUTH_TEMP);
	assert_int_equal(alice(PLUS, EXPORTER, 32, 'x'), AUTH_TEMP);
	saslauth_accounts(sasl, accounts);
	assert_int_equal(external("alice@example.test\n", "", NULL), AUTH_OK);
}

/* --- the form of a channel --- */

static void
test_form(void **state)
{
	static const char *const good[] = { "", "a@b\n", "a@b\nc@d\n",
		"\xc3\xbc@b\n" };
	static const char *const bad[] = { "a@b", "\n", "a@b\n\n", "\na@b\n",
		"a@b\nc", "a b\n", "a\tb\n", "a\x7f\n", "a\r\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		connection(good[i]);
		assert_true(channel_ok(&channel));
		assert_false(channel_is_empty(&channel));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		connection(bad[i]);
		if (channel_ok(&channel))
			fail_msg("%zu", i);
	}
	memset(&channel, 0, sizeof(channel));
	assert_true(channel_is_empty(&channel));
	assert_true(channel_ok(&channel));
	for (uint32_t n = 1; n < 70; n++) {
		memset(&channel, 0, sizeof(channel));
		channel.exporter_len = n;
		assert_int_equal(channel_ok(&channel), n == 32);
		assert_false(channel_is_empty(&channel));
		channel.exporter_len = 0;
		channel.endpoint_len = n;
		assert_int_equal(channel_ok(&channel), n >= 20 && n <= 64);
		assert_false(channel_is_empty(&channel));
	}
	connection("a@b\n");
	channel.exporter_len = channel.endpoint_len = 0;
	assert_false(channel_is_empty(&channel));
	/* no end within the array, though all is in form up to it */
	for (size_t i = 0; i < sizeof(channel.names); i++)
		channel.names[i] = i % 2 == 0 ? 'a' : '\n';
	assert_false(channel_ok(&channel));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mechanisms),
		cmocka_unit_test(test_plus),
		cmocka_unit_test(test_mismatch),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_final),
		cmocka_unit_test(test_unbound),
		cmocka_unit_test(test_external),
		cmocka_unit_test(test_external_octets),
		cmocka_unit_test(test_external_long),
		cmocka_unit_test(test_away),
		cmocka_unit_test(test_form),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
