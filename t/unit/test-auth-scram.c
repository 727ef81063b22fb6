/* SPDX-License-Identifier: ISC */
/*
 * auth/scram.c: verifiers, against the example of RFC 7677 section 3.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "auth/scram.h"

#define SALT	"W22ZaJ0SNY7soEsUEjb6gQ=="
#define STORED	"WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
#define SERVER	"wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
#define PENCIL	"SCRAM-SHA-256$4096:" SALT "$" STORED ":" SERVER

static void
hmac(const unsigned char *key, const char *text, unsigned char *out)
{
	assert_non_null(HMAC(EVP_sha256(), key, SCRAM_KEY,
	    (const unsigned char *)text, strlen(text), out, NULL));
}

static void
decode(const char *text, unsigned char *out, size_t len)
{
	unsigned char buf[64];

	assert_true(EVP_DecodeBlock(buf, (const unsigned char *)text,
	    (int)strlen(text)) >= (int)len);
	memcpy(out, buf, len);
}

/* The proof and the server's signature of the RFC fit the derived keys. */
static void
test_rfc7677(void **state)
{
	static const char message[] =
	    "n=user,r=rOprNGfwEbeRWgbNEkqO,"
	    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
	    "s=" SALT ",i=4096,"
	    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
	unsigned char proof[SCRAM_KEY], sig[SCRAM_KEY], key[SCRAM_KEY];
	unsigned char want[SCRAM_KEY];
	struct scram_keys k;
	size_t i;

	(void)state;
	memset(&k, 0, sizeof(k));
	k.iterations = 4096;
	k.salt_len = 16;
	decode(SALT, k.salt, k.salt_len);
	assert_int_equal(scram_derive(&k, "pencil", 6), 0);
	decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", proof,
	    sizeof(proof));
	hmac(k.stored, message, sig);
	for (i = 0; i < SCRAM_KEY; i++)
		key[i] = (unsigned char)(proof[i] ^ sig[i]);
	assert_int_equal(EVP_Digest(key, sizeof(key), want, NULL,
	    EVP_sha256(), NULL), 1);
	assert_memory_equal(want, k.stored, SCRAM_KEY);
	hmac(k.server, message, sig);
	decode("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", want,
	    sizeof(want));
	assert_memory_equal(want, sig, SCRAM_KEY);
}

static void
test_check(void **state)
{
	char out[SCRAM_VERIFIER_MAX], long_one[SCRAM_PASSWORD_MAX + 2];

	(void)state;
	assert_int_equal(scram_verifier_check(PENCIL, "pencil", 6), 1);
	assert_int_equal(scram_verifier_check(PENCIL, "pencil ", 7), 0);
	assert_int_equal(scram_verifier_check(PENCIL, "pencil", 5), 0);
	assert_int_equal(scram_verifier_check(PENCIL, "", 0), 0);
	assert_int_equal(scram_verifier_check("x", "pencil", 6), -1);
	memset(long_one, 'x', sizeof(long_one));
	assert_int_equal(scram_verifier_check(PENCIL, long_one,
	    sizeof(long_one)), 0);
	assert_int_equal(scram_verifier_make("p\xc3\xa4ssword", 9, 4096, out,
	    sizeof(out)), 0);
	assert_int_equal(scram_verifier_check(out, "p\xc3\xa4ssword", 9), 1);
	assert_int_equal(scram_verifier_check(out, "passsword", 9), 0);
}

static void
test_make(void **state)
{
	char a[SCRAM_VERIFIER_MAX], b[SCRAM_VERIFIER_MAX];
	struct scram_keys k;

	(void)state;
	assert_int_equal(scram_verifier_make("x", 1, 4096, a, sizeof(a)), 0);
	assert_int_equal(scram_verifier_make("x", 1, 4096, b, sizeof(b)), 0);
	assert_string_not_equal(a, b);	/* the salt */
	assert_int_equal(scram_verifier_parse(a, &k), 0);
	assert_int_equal(k.iterations, 4096);
	assert_int_equal(k.salt_len, SCRAM_SALT);
	assert_int_equal(scram_verifier_format(&k, b, sizeof(b)), 0);
	assert_string_equal(a, b);
	assert_int_equal(scram_verifier_make("", 0, 4096, a, sizeof(a)), -1);
	assert_int_equal(scram_verifier_make("a\0b", 3, 4096, a,
	    sizeof(a)), -1);
	assert_int_equal(scram_verifier_make("x", 1, 4095, a,
	    sizeof(a)), -1);
	assert_int_equal(scram_verifier_make("x", 1, 1000001, a,
	    sizeof(a)), -1);
	assert_int_equal(scram_verifier_make("x", 1, 4096, a, 20), -1);
	assert_int_equal(errno, ENAMETOOLONG);
}

static void
test_parse(void **state)
{
	static const char *const bad[] = {
		"", "x", "SCRAM-SHA-256", "SCRAM-SHA-256$",
		"SCRAM-SHA-1$4096:" SALT "$" STORED ":" SERVER,
		"scram-sha-256$4096:" SALT "$" STORED ":" SERVER,
		"SCRAM-SHA-256$4095:" SALT "$" STORED ":" SERVER,
		"SCRAM-SHA-256$1000001:" SALT "$" STORED ":" SERVER,
		"SCRAM-SHA-256$04096:" SALT "$" STORED ":" SERVER,
		"SCRAM-SHA-256$+4096:" SALT "$" STORED ":" SERVER,
		"SCRAM-SHA-256$-4096:" SALT "$" STORED ":" SERVER,
		"SCRAM-SHA-256$4096 :" SALT "$" STORED ":" SERVER,
		"SCRAM-SHA-256$99999999999999999999:" SALT "$" STORED ":"
		    SERVER,
		"SCRAM-SHA-256$:" SALT "$" STORED ":" SERVER,
		"SCRAM-SHA-256$4096:$" STORED ":" SERVER,
		"SCRAM-SHA-256$4096:" SALT "$:" SERVER,
		"SCRAM-SHA-256$4096:" SALT "$" STORED ":",
		"SCRAM-SHA-256$4096:" SALT "$" STORED,
		"SCRAM-SHA-256$4096:" SALT ":" STORED "$" SERVER,
		"SCRAM-SHA-256$4096:" SALT "$" STORED ":" SERVER " ",
		"SCRAM-SHA-256$4096:" SALT "$" STORED ":" SERVER "=",
		"SCRAM-SHA-256$4096:" SALT "$" STORED ":" SALT,
		"SCRAM-SHA-256$4096: " SALT "$" STORED ":" SERVER,
		/* not the canonical spelling: spare bits set */
		"SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gR==$" STORED ":"
		    SERVER,
		"SCRAM-SHA-256$4096:====$" STORED ":" SERVER,
		"SCRAM-SHA-256$4096:AA=A$" STORED ":" SERVER,
		"SCRAM-SHA-256$4096:A===$" STORED ":" SERVER,
	};
	char huge[600];
	struct scram_keys k;
	size_t i;

	(void)state;
	assert_int_equal(scram_verifier_parse(PENCIL, &k), 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (scram_verifier_parse(bad[i], &k) != -1)
			fail_msg("taken: %s", bad[i]);
	memset(huge, 'A', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	memcpy(huge, "SCRAM-SHA-256$4096:", 19);
	assert_int_equal(scram_verifier_parse(huge, &k), -1);
}

static void
test_decoy(void **state)
{
	unsigned char key[SCRAM_KEY] = { 1 }, other[SCRAM_KEY] = { 2 };
	char a[SCRAM_VERIFIER_MAX], b[SCRAM_VERIFIER_MAX];
	struct scram_keys k;

	(void)state;
	assert_int_equal(scram_decoy(key, "nobody@example.test", 10000, a,
	    sizeof(a)), 0);
	assert_int_equal(scram_verifier_parse(a, &k), 0);
	assert_int_equal(k.iterations, 10000);
	assert_int_equal(k.salt_len, SCRAM_SALT);
	scram_decoy(key, "nobody@example.test", 10000, b, sizeof(b));
	assert_string_equal(a, b);
	scram_decoy(key, "nobodz@example.test", 10000, b, sizeof(b));
	assert_string_not_equal(a, b);
	scram_decoy(other, "nobody@example.test", 10000, b, sizeof(b));
	assert_string_not_equal(a, b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc7677),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_make),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_decoy),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
