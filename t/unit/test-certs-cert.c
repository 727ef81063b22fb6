/* SPDX-License-Identifier: ISC */
/*
 * Certificates as the certificate tool makes them, seen through libcrypto.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "certs/cert.h"

#define NOW	((time_t)1800000000)

static void
test_name_kind(void **state)
{
	static const struct {
		const char *name;
		enum cert_kind kind;
	} t[] = {
		{ "localhost", CERT_DNS }, { "mail.example.test", CERT_DNS },
		{ "A-1.b", CERT_DNS }, { "*.example.test", CERT_DNS },
		{ "1and1.test", CERT_DNS }, { "xn--bcher-kva.test", CERT_DNS },
		{ "127.0.0.1", CERT_IP }, { "::1", CERT_IP },
		{ "2001:db8::1", CERT_IP }, { "", CERT_BAD },
		{ ".", CERT_BAD }, { "a.", CERT_BAD }, { ".a", CERT_BAD },
		{ "a..b", CERT_BAD }, { "-a", CERT_BAD }, { "a-", CERT_BAD },
		{ "a_b", CERT_BAD }, { "a b", CERT_BAD }, { "a/b", CERT_BAD },
		{ "*", CERT_BAD }, { "*.test", CERT_BAD },
		{ "a.*.test", CERT_BAD }, { "*a.b.test", CERT_BAD },
		{ "1.2.3", CERT_BAD }, { "256.1.1.1", CERT_BAD },
		{ "::1%lo", CERT_BAD }, { "[::1]", CERT_BAD },
		{ "a\n", CERT_BAD }, { "b\xc3\xbc.test", CERT_BAD },
		{ "a@b", CERT_EMAIL }, { "A.b+c@d-e.test", CERT_EMAIL },
		{ "a@b.", CERT_BAD }, { "a@1.2.3.4", CERT_BAD },
		{ "@b", CERT_BAD }, { "a@", CERT_BAD }, { "a@b@c", CERT_BAD },
		{ ".a@b", CERT_BAD }, { "a.@b", CERT_BAD },
		{ "a..a@b", CERT_BAD }, { "a b@c", CERT_BAD },
		{ "\"a\"@b", CERT_BAD }, { "a\n@b", CERT_BAD },
		{ "a@*.b.test", CERT_BAD }, { "\xc3\xbc@b", CERT_BAD },
	};
	char label[65], host[256];

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (cert_name_kind(t[i].name) != t[i].kind)
			fail_msg("\"%s\"", t[i].name);
	memset(label, 'a', sizeof(label));
	label[64] = '\0';
	assert_int_equal(cert_name_kind(label), CERT_BAD);
	label[63] = '\0';
	assert_int_equal(cert_name_kind(label), CERT_DNS);
	for (size_t i = 0; i < 255; i++)
		host[i] = i % 2 == 0 ? 'a' : '.';
	host[255] = '\0';
	assert_int_equal(cert_name_kind(host), CERT_BAD);
	host[253] = '\0';
	assert_int_equal(cert_name_kind(host), CERT_DNS);
}

static void
test_names_add(void **state)
{
	struct cert_names names = { .n = 0 };
	char host[32];

	(void)state;
	assert_int_equal(cert_names_add(&names, "Mail.Example.TEST"), 0);
	assert_string_equal(names.item[0], "mail.example.test");
	assert_int_equal(cert_names_add(&names, "MAIL.example.test"), 0);
	assert_int_equal(names.n, 1);
	assert_int_equal(cert_names_add(&names, "no name"), -1);
	assert_int_equal(errno, EINVAL);
	for (int i = 1; i < CERT_NAMES_MAX; i++) {
		snprintf(host, sizeof(host), "h%d.test", i);
		assert_int_equal(cert_names_add(&names, host), 0);
	}
	assert_int_equal(cert_names_add(&names, "more.test"), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(cert_names_add(&names, "h1.test"), 0);
	cert_names_clear(&names);
	assert_int_equal(names.n, 0);
}

struct pair {
	X509		*cert;
	EVP_PKEY	*key;
};

static struct pair
make_ca(unsigned days)
{
	const struct cert_spec spec = {
		.ca = true, .common_name = "Test CA", .days = days, .now = NOW
	};
	const char *why;
	struct pair p;

	assert_non_null(p.key = cert_key_new());
	assert_non_null(p.cert = cert_new(&spec, p.key, NULL, NULL, &why));
	assert_null(why);
	return p;
}

static struct pair
make_server(const struct pair *ca, const char *name, unsigned days)
{
	struct cert_names names = { .n = 0 };
	const struct cert_spec spec = {
		.common_name = NULL, .names = &names, .days = days, .now = NOW
	};
	const char *why;
	struct pair p;

	assert_int_equal(cert_names_add(&names, name), 0);
	assert_int_equal(cert_names_add(&names, "2001:DB8::1"), 0);
	assert_non_null(p.key = cert_key_new());
	p.cert = cert_new(&spec, p.key, ca->cert, ca->key, &why);
	assert_non_null(p.cert);
	cert_names_clear(&names);
	return p;
}

static void
drop(struct pair *p)
{
	X509_free(p->cert);
	EVP_PKEY_free(p->key);
}

/* The verdict of a strict TLS client at a time. */
static int
verify(const struct pair *ca, const struct pair *server, const char *host,
    time_t when)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	int r;

	assert_int_equal(X509_STORE_add_cert(store, ca->cert), 1);
	assert_int_equal(X509_STORE_CTX_init(ctx, store, server->cert, NULL),
	    1);
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
	X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
	X509_VERIFY_PARAM_set1_host(param, host, 0);
	X509_VERIFY_PARAM_set_time(param, when);
	X509_verify_cert(ctx);
	r = X509_STORE_CTX_get_error(ctx);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return r;
}

static void
test_chain(void **state)
{
	struct pair ca = make_ca(1000), other = make_ca(1000);
	struct pair server = make_server(&ca, "mail.example.test", 397);
	const time_t end = NOW + 397 * 86400L;

	(void)state;
	assert_int_equal(verify(&ca, &server, "mail.example.test", NOW),
	    X509_V_OK);
	assert_int_equal(verify(&ca, &server, "mail.example.test", end - 1),
	    X509_V_OK);
	assert_int_equal(verify(&ca, &server, "mail.example.test", end + 1),
	    X509_V_ERR_CERT_HAS_EXPIRED);
	assert_int_equal(verify(&ca, &server, "mail.example.test",
	    NOW - CERT_BACKDATE - 1), X509_V_ERR_CERT_NOT_YET_VALID);
	assert_int_equal(verify(&ca, &server, "example.test", NOW),
	    X509_V_ERR_HOSTNAME_MISMATCH);
	assert_int_not_equal(verify(&other, &server, "mail.example.test",
	    NOW), X509_V_OK);
	/* a server's certificate signs nothing */
	assert_non_null(cert_check_issuer(server.cert, server.key, NOW));
	drop(&server);
	drop(&other);
	drop(&ca);
}

static void
test_extensions(void **state)
{
	struct pair ca = make_ca(10);
	struct pair server = make_server(&ca, "a.test", 5);
	int crit;
	GENERAL_NAMES *names;

	(void)state;
	assert_int_equal(X509_get_version(ca.cert), X509_VERSION_3);
	assert_int_equal(X509_check_ca(ca.cert), 1);
	assert_int_equal(X509_get_pathlen(ca.cert), 0);
	assert_int_equal(X509_get_key_usage(ca.cert),
	    KU_KEY_CERT_SIGN | KU_CRL_SIGN);
	assert_int_equal(X509_check_ca(server.cert), 0);
	assert_int_equal(X509_get_key_usage(server.cert),
	    KU_DIGITAL_SIGNATURE);
	assert_int_equal(X509_get_extended_key_usage(server.cert),
	    XKU_SSL_SERVER);
	assert_int_equal(ASN1_OCTET_STRING_cmp(
	    X509_get0_authority_key_id(server.cert),
	    X509_get0_subject_key_id(ca.cert)), 0);
	/* no subject: the names must be critical */
	names = X509_get_ext_d2i(server.cert, NID_subject_alt_name, &crit,
	    NULL);
	assert_int_equal(sk_GENERAL_NAME_num(names), 2);
	assert_int_equal(crit, 1);
	sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);
	drop(&server);
	drop(&ca);
}

static void
test_serial(void **state)
{
	struct pair a = make_ca(1), b = make_ca(1);
	const ASN1_INTEGER *x = X509_get0_serialNumber(a.cert);
	BIGNUM *n = ASN1_INTEGER_to_BN(x, NULL);

	(void)state;
	assert_int_not_equal(ASN1_INTEGER_cmp(x,
	    X509_get0_serialNumber(b.cert)), 0);
	assert_false(BN_is_negative(n));
	assert_int_equal(BN_num_bits(n), 127);
	BN_free(n);
	drop(&a);
	drop(&b);
}

static void
test_times(void **state)
{
	struct pair ca = make_ca(30);
	struct pair server = make_server(&ca, "a.test", 397);

	(void)state;
	/* it ends with its CA */
	assert_int_equal(cert_days_left(server.cert, NOW), 30);
	assert_int_equal(cert_days_left(ca.cert, NOW), 30);
	assert_int_equal(cert_days_left(ca.cert, NOW + 1), 29);
	assert_int_equal(cert_days_left(ca.cert, NOW + 30 * 86400L), 0);
	assert_int_equal(cert_days_left(ca.cert, NOW + 30 * 86400L + 1), -1);
	assert_null(cert_check_issuer(ca.cert, ca.key, NOW));
	assert_non_null(cert_check_issuer(ca.cert, server.key, NOW));
	assert_non_null(cert_check_issuer(ca.cert, ca.key,
	    NOW + 31 * 86400L));
	assert_non_null(cert_check_issuer(ca.cert, ca.key, NOW - 86400L));
	drop(&server);
	drop(&ca);
}

static void
test_bad_spec(void **state)
{
	static const char long_name[] = "12345678901234567890123456789012"
	    "34567890123456789012345678901234x";
	static const char *const bad[] =
	    { "", "line\nbreak", "\x7f", long_name };
	struct cert_names names = { .n = 0 };
	struct cert_spec spec = { .ca = true, .days = 1, .now = NOW };
	EVP_PKEY *key = cert_key_new();
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		spec.common_name = bad[i];
		assert_null(cert_new(&spec, key, NULL, NULL, &why));
		assert_non_null(why);
	}
	/* a CA has a name, a server an alternative one */
	spec.common_name = NULL;
	assert_null(cert_new(&spec, key, NULL, NULL, &why));
	spec.ca = false;
	spec.names = &names;
	assert_null(cert_new(&spec, key, NULL, NULL, &why));
	assert_string_equal(why, "a server or client needs a name");
	/* their names are not of one kind */
	assert_int_equal(cert_names_add(&names, "a@a.test"), 0);
	assert_null(cert_new(&spec, key, NULL, NULL, &why));
	assert_string_equal(why,
	    "hosts and mail addresses do not go together");
	assert_int_equal(cert_names_add(&names, "a.test"), 0);
	spec.client = true;
	assert_null(cert_new(&spec, key, NULL, NULL, &why));
	cert_names_clear(&names);
	EVP_PKEY_free(key);
}

static void
test_names_of(void **state)
{
	struct pair ca = make_ca(10);
	struct pair server = make_server(&ca, "*.a.test", 5);
	struct cert_names names = { .n = 0 };

	(void)state;
	assert_int_equal(cert_names_of(server.cert, &names), 0);
	assert_int_equal(names.n, 2);
	assert_string_equal(names.item[0], "*.a.test");
	assert_string_equal(names.item[1], "2001:db8::1");
	cert_names_clear(&names);
	assert_int_equal(cert_names_of(ca.cert, &names), -1);
	assert_int_equal(errno, EINVAL);
	drop(&server);
	drop(&ca);
}

static void
test_key_pem(void **state)
{
	EVP_PKEY *key = cert_key_new(), *back;
	char secret[] = "secret", wrong[] = "wrong", *text;
	BIO *bio;

	(void)state;
	assert_non_null(bio = cert_key_pem(key, NULL));
	back = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	assert_int_equal(EVP_PKEY_eq(key, back), 1);
	EVP_PKEY_free(back);
	BIO_free(bio);

	assert_non_null(bio = cert_key_pem(key, secret));
	BIO_get_mem_data(bio, &text);
	assert_memory_equal(text, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n",
	    38);
	back = PEM_read_bio_PrivateKey(bio, NULL, NULL, secret);
	assert_int_equal(EVP_PKEY_eq(key, back), 1);
	EVP_PKEY_free(back);
	BIO_free(bio);

	assert_non_null(bio = cert_key_pem(key, secret));
	assert_null(PEM_read_bio_PrivateKey(bio, NULL, NULL, wrong));
	BIO_free(bio);
	EVP_PKEY_free(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name_kind),
		cmocka_unit_test(test_names_add),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_extensions),
		cmocka_unit_test(test_serial),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_bad_spec),
		cmocka_unit_test(test_names_of),
		cmocka_unit_test(test_key_pem),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
