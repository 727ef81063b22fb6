/* SPDX-License-Identifier: ISC */
/*
 * What a handshake tells of the client: its certificate, the names in it, the
 * channel bindings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keys/sign.h"
#include "lib/log.h"
#include "lib/tls_names.h"
#include "lib/wire.h"
#include "t/unit/peer.h"
#include "t/unit/pki.h"

#define DAY	86400L

/* --- certificates, made once */

static EVP_PKEY *key, *ca_key, *other_key;
static X509 *root, *other_root;		/* of one name */

static const char *const ca_ext[] = { "basicConstraints", "critical,CA:TRUE",
	"keyUsage", "critical,keyCertSign,cRLSign", NULL };
static const char *const good_ext[] = { "basicConstraints", "CA:FALSE",
	"extendedKeyUsage", "clientAuth", "subjectAltName",
	"email:alice@example.test", NULL };
static const char *const two_ext[] = { "subjectAltName",
	"email:alice@example.test,DNS:a.test,email:bob@example.test", NULL };
static const char *const server_ext[] = { "extendedKeyUsage", "serverAuth",
	"subjectAltName", "email:alice@example.test", NULL };
static const char *const usage_ext[] = { "keyUsage", "keyEncipherment",
	"subjectAltName", "email:alice@example.test", NULL };
static const char *const dns_ext[] = { "subjectAltName", "DNS:a.test", NULL };
static const char *const no_ext[] = { NULL };

static X509 *
client_cert(X509 *issuer, long from, long to, const char *const *ext)
{
	return pki_cert_with(key, "alice@example.test", from, to, issuer,
	    issuer == other_root ? other_key : ca_key, EVP_sha256(), ext);
}

static struct tls *
server(enum tls_clients mode, unsigned depth, size_t size)
{
	const struct tls_client_rules rules = { mode, depth, size };
	struct tls *tls = peer_tls(TLS_USE_SMTP, false);
	int fd = pki_cert_fd(root, NULL);
	const char *why = "";

	NEED(tls_set_clients(tls, &rules, fd, &why) == 0);
	close(fd);
	return tls;
}

/* --- the client */

static struct shown {
	X509		*cert;		/* NULL: none */
	X509		*chain[8];
	EVP_PKEY	*key;
	bool		 only_12;
	bool		 no_ems;
	int		 alert;		/* 0: served */
} shown;

static void
set_shown(SSL_CTX *ctx)
{
	if (shown.only_12)
		SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	if (shown.no_ems)
		SSL_CTX_set_options(ctx, SSL_OP_NO_EXTENDED_MASTER_SECRET);
	if (shown.cert == NULL)
		return;
	SSL_CTX_set_security_level(ctx, 0);
	NEED(SSL_CTX_use_certificate(ctx, shown.cert) == 1 &&
	    SSL_CTX_use_PrivateKey(ctx, shown.key) == 1);
	for (size_t i = 0; shown.chain[i] != NULL; i++)
		NEED(SSL_CTX_add1_chain_cert(ctx, shown.chain[i]) == 1);
}

static void
be_client(int fd, void *arg)
{
	SSL *ssl = peer_ssl(fd, set_shown);
	char data[16];

	(void)arg;
	ERR_clear_error();
	if (shown.alert == 0) {
		NEED(SSL_do_handshake(ssl) == 1);
		peer_tls_read(ssl, data, 5);
		NEED(memcmp(data, "ready", 5) == 0);
		peer_tls_close(ssl, fd);
		return;
	}
	/* In TLS 1.3 the client believes for a while that all is well. */
	if (SSL_do_handshake(ssl) == 1)
		NEED(SSL_read(ssl, data, sizeof(data)) <= 0);
	if (ERR_GET_REASON(ERR_peek_error()) != shown.alert)
		ERR_print_errors_fp(stderr);
	NEED(ERR_GET_REASON(ERR_peek_error()) == shown.alert);
	SSL_free(ssl);
	close(fd);
}

static struct {
	char	names[256];
	size_t	n;
} seen;

static void
look(struct end *e)
{
	seen.n = conn_tls_names(e->conn, seen.names, sizeof(seen.names));
	assert_int_equal(conn_write(e->conn, "ready", 5), 0);
}

/* One connection; names: those the server is to see. */
static void
attempt(struct tls *tls, const char *names)
{
	struct end e = { .tls = tls, .secured = look };

	snprintf(seen.names, sizeof(seen.names), "nothing");
	peer_run(&e, be_client, NULL, false);
	assert_int_equal(e.secures, shown.alert == 0);
	if (shown.alert != 0) {
		assert_int_equal(e.why, CONN_END_HANDSHAKE);
		assert_int_equal(e.out, 0);
		assert_true(e.error[0] != '\0');
		assert_string_equal(seen.names, "nothing");
	} else {
		assert_int_equal(e.why, CONN_END_EOF);
		assert_string_equal(seen.names, names);
		assert_int_equal(seen.n == 0, names[0] == '\0');
	}
	peer_free(&e);
}

/* Certificates by what must come of them: 0, or an alert. */
static void
test_verify(void **state)
{
	const struct {
		X509		*cert;
		int		 alert;
		const char	*names;
	} rows[] = {
		{ client_cert(root, -DAY, DAY, good_ext), 0,
		    "alice@example.test\n" },
		{ client_cert(root, -DAY, DAY, two_ext), 0,
		    "alice@example.test\nbob@example.test\n" },
		{ client_cert(root, -DAY, DAY, dns_ext), 0, "" },
		/* The subject has an address too, and does not count. */
		{ client_cert(root, -DAY, DAY, no_ext), 0, "" },
		{ client_cert(root, -2 * DAY, -DAY, good_ext),
		    SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "" },
		{ client_cert(root, DAY, 2 * DAY, good_ext),
		    SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "" },
		{ client_cert(other_root, -DAY, DAY, good_ext),
		    SSL_R_TLSV1_ALERT_DECRYPT_ERROR, "" },
		{ client_cert(NULL, -DAY, DAY, good_ext),
		    SSL_R_TLSV1_ALERT_UNKNOWN_CA, "" },
		{ client_cert(root, -DAY, DAY, server_ext),
		    SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, "" },
		{ client_cert(root, -DAY, DAY, usage_ext),
		    SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, "" },
	};
	static const enum tls_clients modes[] = { TLS_CLIENTS_NONE,
		TLS_CLIENTS_REQUEST, TLS_CLIENTS_REQUIRE };

	(void)state;
	for (size_t m = 0; m < 3; m++) {
		struct tls *tls = server(modes[m], 4, 32768);

		for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]);
		    i++) {
			bool asked = modes[m] != TLS_CLIENTS_NONE;

			shown = (struct shown){ .cert = rows[i / 2].cert,
			    .key = key, .only_12 = i % 2,
			    .alert = asked ? rows[i / 2].alert : 0 };
			attempt(tls, asked ? rows[i / 2].names : "");
		}
		tls_free(&tls);
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		X509_free(rows[i].cert);
}

static void
test_no_certificate(void **state)
{
	struct tls *request = server(TLS_CLIENTS_REQUEST, 4, 32768);
	struct tls *require = server(TLS_CLIENTS_REQUIRE, 4, 32768);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		shown = (struct shown){ .only_12 = i == 1 };
		attempt(request, "");
		shown.alert = i == 1 ? SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE :
		    SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED;
		attempt(require, "");
	}
	tls_free(&request);
	tls_free(&require);
}

/* Clients' keys of every kind that is good; short ones and weak digests. */
static void
test_keys(void **state)
{
	const struct {
		EVP_PKEY	*key;
		const EVP_MD	*md;		/* of the signature */
		int		 alert;
	} rows[] = {
		{ pki_key("ED25519", 0), EVP_sha256(), 0 },
		{ pki_key("P-384", 0), EVP_sha384(), 0 },
		{ pki_key("rsa", 2048), EVP_sha512(), 0 },
		{ pki_key("rsa", 1024), EVP_sha256(),
		    SSL_R_SSLV3_ALERT_BAD_CERTIFICATE },
		{ pki_key("P-256", 0), EVP_sha1(),
		    SSL_R_SSLV3_ALERT_BAD_CERTIFICATE },
	};
	struct tls *tls = server(TLS_CLIENTS_REQUEST, 4, 32768);

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		shown = (struct shown){ .key = rows[i / 2].key,
		    .only_12 = i % 2, .alert = rows[i / 2].alert };
		shown.cert = pki_cert_with(shown.key, "a", -DAY, DAY, root,
		    ca_key, rows[i / 2].md, good_ext);
		attempt(tls, "alice@example.test\n");
		X509_free(shown.cert);
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		EVP_PKEY_free(rows[i].key);
	tls_free(&tls);
}

/* A chain of so many CAs below the root; the last one signs. */
static void
test_chain(void **state)
{
	struct tls *tls = server(TLS_CLIENTS_REQUEST, 2, 32768);
	struct tls *narrow = server(TLS_CLIENTS_REQUEST, 2, 1500);
	X509 *below[4], *leaf;
	char name[16];
	int n;

	(void)state;
	for (n = 0; n < 4; n++) {
		snprintf(name, sizeof(name), "ca %d", n);
		below[n] = pki_cert_with(ca_key, name, -DAY, DAY,
		    n == 0 ? root : below[n - 1], ca_key, EVP_sha256(),
		    ca_ext);
	}
	for (n = 1; n <= 4; n++) {
		leaf = client_cert(below[n - 1], -DAY, DAY, good_ext);
		shown = (struct shown){ .cert = leaf, .key = key };
		memcpy(shown.chain, below, (size_t)n * sizeof(below[0]));
		shown.alert = n <= 2 ? 0 : SSL_R_TLSV1_ALERT_UNKNOWN_CA;
		attempt(tls, "alice@example.test\n");
		/* The chain is whole, or it does not verify. */
		memset(shown.chain, 0, sizeof(shown.chain));
		shown.alert = SSL_R_TLSV1_ALERT_UNKNOWN_CA;
		attempt(tls, "");
		X509_free(leaf);
	}
	leaf = client_cert(below[0], -DAY, DAY, good_ext);
	shown = (struct shown){ .cert = leaf, .key = key,
	    .chain = { below[0] } };
	attempt(narrow, "alice@example.test\n");
	for (n = 1; n < 4; n++)
		shown.chain[n] = below[n];
	shown.alert = SSL_R_SSLV3_ALERT_ILLEGAL_PARAMETER;
	attempt(narrow, "");
	X509_free(leaf);
	/* Not a CA: it signs all the same. */
	leaf = client_cert(root, -DAY, DAY, good_ext);
	shown = (struct shown){ .key = key, .chain = { leaf },
	    .alert = SSL_R_TLSV1_ALERT_UNKNOWN_CA };
	shown.cert = pki_cert_with(key, "x", -DAY, DAY, leaf, key,
	    EVP_sha256(), two_ext);
	attempt(tls, "");
	X509_free(shown.cert);
	X509_free(leaf);
	for (n = 0; n < 4; n++)
		X509_free(below[n]);
	tls_free(&tls);
	tls_free(&narrow);
}

/* A certificate without its key is nothing. */
static void
steal(SSL_CTX *ctx)
{
	SSL_CTX_set_security_level(ctx, 0);
	NEED(SSL_CTX_use_PrivateKey(ctx, shown.key) == 1);
	NEED(SSL_CTX_use_certificate(ctx, shown.cert) == 1);
}

static void
be_thief(int fd, void *arg)
{
	SSL *ssl = peer_ssl(fd, steal);
	char data[16];

	(void)arg;
	if (SSL_do_handshake(ssl) == 1)
		NEED(SSL_read(ssl, data, sizeof(data)) <= 0);
	SSL_free(ssl);
	close(fd);
}

static void
test_stolen(void **state)
{
	struct tls *tls = server(TLS_CLIENTS_REQUIRE, 4, 32768);
	struct end e = { .tls = tls, .secured = look };

	(void)state;
	shown = (struct shown){ .cert = client_cert(root, -DAY, DAY,
	    good_ext), .key = pki_key("P-256", 0) };
	peer_run(&e, be_thief, NULL, false);
	assert_int_equal(e.secures, 0);
	peer_free(&e);
	EVP_PKEY_free(shown.key);
	X509_free(shown.cert);
	tls_free(&tls);
}

/* The names of the CAs are sent; our chain is not made longer by them. */
static void
see_names(int fd, void *arg)
{
	SSL *ssl = peer_connect(fd, NULL);
	const STACK_OF(X509_NAME) *names;

	(void)arg;
	NEED(ssl != NULL);
	names = SSL_get0_peer_CA_list(ssl);
	NEED(sk_X509_NAME_num(names) == 1);
	NEED(X509_NAME_cmp(sk_X509_NAME_value(names, 0),
	    X509_get_subject_name(root)) == 0);
	NEED(sk_X509_num(SSL_get_peer_cert_chain(ssl)) == 1);
	peer_tls_close(ssl, fd);
}

static void
test_ca_names(void **state)
{
	struct tls *tls = server(TLS_CLIENTS_REQUEST, 4, 32768);
	struct end e = { .tls = tls };

	(void)state;
	peer_run(&e, see_names, NULL, false);
	assert_int_equal(e.why, CONN_END_EOF);
	peer_free(&e);
	tls_free(&tls);
}

static void
test_bad_ca_files(void **state)
{
	const struct tls_client_rules rules = { TLS_CLIENTS_REQUEST, 4,
	    32768 }, none = { TLS_CLIENTS_NONE, 0, 0 };
	struct tls *tls = peer_tls(TLS_USE_SMTP, false);
	X509 *leaf = client_cert(root, -DAY, DAY, good_ext);
	const char *why = NULL;
	int fds[] = { -1, pki_text_fd("nothing"), pki_cert_fd(root, leaf) };
	static const char *const whys[] = {
		"the certificate file cannot be read",
		"the certificate file has no certificate in PEM",
		"a certificate in the file is not that of a CA" };

	(void)state;
	assert_int_equal(tls_set_clients(tls, &none, -1, &why), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(tls_set_clients(tls, &rules, fds[i], &why),
		    -1);
		assert_string_equal(why, whys[i]);
		close(fds[i]);
	}
	X509_free(leaf);
	tls_free(&tls);
}

/* --- names --- */

static void
check_names(const char *san, const char *want)
{
	const char *ext[] = { "subjectAltName", san, NULL };
	X509 *x = pki_cert_with(key, "eve@example.test", -DAY, DAY, root,
	    ca_key, EVP_sha256(), ext);
	char names[64];
	size_t n = 0;

	for (const char *p = want; *p != '\0'; p++)
		n += *p == '\n';
	if (tls_names_of(x, names, sizeof(names)) != n ||
	    strcmp(names, want) != 0)
		fail_msg("%s: %s", san, names);
	X509_free(x);
}

/* An otherName of the type 1.3.6.1.5.5.7.8.last, a string of this kind. */
static void
check_other(unsigned last, unsigned tag, const char *text, const char *want)
{
	unsigned n = (unsigned)strlen(text);
	char san[256];
	int used;

	used = snprintf(san, sizeof(san), "DER:30%02xa0%02x"
	    "06082b060105050708%02xa0%02x%02x%02x", n + 16, n + 14, last,
	    n + 2, tag, n);
	for (; *text != '\0'; text++)
		used += snprintf(san + used, sizeof(san) - (size_t)used,
		    "%02x", (unsigned char)*text);
	check_names(san, want);
}

static void
test_names(void **state)
{
	X509 *bare = pki_cert(key, "eve@example.test", -DAY, DAY, NULL, NULL);
	static const char *const both[] = { "subjectAltName", "email:a@b",
		"subjectAltName", "email:c@d", NULL };
	X509 *twice = pki_cert_with(key, "e", -DAY, DAY, NULL, NULL,
	    EVP_sha256(), both);
	char names[64];

	(void)state;
	check_names("email:a@b.test", "a@b.test\n");
	check_names("email:A@B.Test", "A@B.Test\n");
	check_names("DNS:a.test,URI:http://a@b/,IP:127.0.0.1,RID:1.2.3", "");
	check_names("email:a@b,DNS:x,email:c@d", "a@b\nc@d\n");
	/* What is no address, by itself, and beside one that is. */
	check_names("email:ab", "");
	check_names("email:@b,email:c@d", "c@d\n");
	check_names("email:a@,email:c@d", "c@d\n");
	check_names("email:a@b@c", "");
	check_names("email:a b@c", "");
	/* [1] a@b; and NUL .c; LF c; DEL; 8 bits; or nothing */
	check_names("DER:3005" "8103614062", "a@b\n");
	check_names("DER:3008" "8106614062002e63", "");
	check_names("DER:3007" "81056140620a63", "");
	check_names("DER:3006" "81046140627f", "");
	check_names("DER:3006" "8104614062e4", "");
	check_names("DER:3007" "8105614062c3bc", "");
	check_names("DER:3002" "8100", "");
	/* otherName: SmtpUTF8Mailbox, of ASCII alone, and of another kind */
	check_other(9, V_ASN1_UTF8STRING, "\xc3\xbc@b.test",
	    "\xc3\xbc@b.test\n");
	check_other(9, V_ASN1_UTF8STRING, "u@b.test", "");
	check_other(9, V_ASN1_IA5STRING, "\xc3\xbc@b.test", "");
	check_other(9, V_ASN1_UTF8STRING, "\xc2\x85@b.test", "");
	check_other(9, V_ASN1_UTF8STRING, "\xc3@b.test", "");
	check_other(9, V_ASN1_UTF8STRING, "\xc3\xbc@b@c", "");
	check_other(5, V_ASN1_UTF8STRING, "\xc3\xbc@b.test", "");
	/* All or none: 63 octets fit, one more does not. */
	check_names("email:1234567890123456789012345678901@a,"
	    "email:12345678901234567890123456@a", "1234567890123456789012345"
	    "678901@a\n12345678901234567890123456@a\n");
	check_names("email:1234567890123456789012345678901@a,"
	    "email:1234567890123456789012345678@a", "");
	assert_int_equal(tls_names_of(bare, names, sizeof(names)), 0);
	assert_string_equal(names, "");
	/* RFC 5280, section 4.2: an extension is there once. */
	assert_int_equal(tls_names_of(twice, names, sizeof(names)), 0);
	X509_free(bare);
	X509_free(twice);
}

static void
test_long_name(void **state)
{
	char san[400], names[400];
	size_t sizes[] = { TLS_NAME_MAX, TLS_NAME_MAX + 1 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const char *ext[] = { "subjectAltName", san, NULL };
		X509 *x;

		snprintf(san, sizeof(san), "email:%0*d@a", (int)sizes[i] - 2,
		    0);
		x = pki_cert_with(key, "e", -DAY, DAY, NULL, NULL,
		    EVP_sha256(), ext);
		assert_int_equal(tls_names_of(x, names, sizeof(names)),
		    i == 0);
		X509_free(x);
	}
}

/* --- channel bindings --- */

static struct {
	unsigned char	exporter[2][WIRE_EXPORTER];
	unsigned char	endpoint[2][WIRE_ENDPOINT_MAX];
	size_t		exporter_len, endpoint_len;
	const EVP_MD	*md;
} bound;

static void
bind_client(int fd, void *arg)
{
	SSL *ssl = peer_connect(fd, arg == NULL ? set_shown :
	    *(void (**)(SSL_CTX *))arg);
	unsigned int len;

	NEED(ssl != NULL);
	NEED(SSL_export_keying_material(ssl, bound.exporter[0],
	    WIRE_EXPORTER, "EXPORTER-Channel-Binding", 24,
	    (const unsigned char *)"", 0, 1) == 1);
	if (bound.md != NULL)
		NEED(X509_digest(SSL_get0_peer_certificate(ssl), bound.md,
		    bound.endpoint[0], &len) == 1);
	peer_tls_close(ssl, fd);
}

static void
bind_server(struct end *e)
{
	bound.exporter_len = conn_tls_exporter(e->conn, bound.exporter[1]);
	bound.endpoint_len = conn_tls_endpoint(e->conn, bound.endpoint[1]);
}

static void
bind_both(struct tls *tls, void (*setup)(SSL_CTX *), const EVP_MD *md)
{
	struct end e = { .tls = tls, .secured = bind_server };

	memset(&bound, 0, sizeof(bound));
	bound.md = md;
	peer_run(&e, bind_client, setup == NULL ? NULL : (void *)&setup,
	    false);
	assert_int_equal(e.secures, 1);
	assert_int_equal(bound.endpoint_len, md == NULL ? 0 :
	    EVP_MD_get_size(md));
	assert_memory_equal(bound.endpoint[0], bound.endpoint[1],
	    bound.endpoint_len);
	peer_free(&e);
}

static void
test_exporter(void **state)
{
	struct tls *tls = peer_tls(TLS_USE_SMTP, false);

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		shown = (struct shown){ .only_12 = i > 0, .no_ems = i > 1 };
		bind_both(tls, NULL, EVP_sha256());
		/* RFC 9266, section 4.2: extended master secret, or none */
		assert_int_equal(bound.exporter_len, i > 1 ? 0 :
		    WIRE_EXPORTER);
		assert_memory_equal(bound.exporter[0], bound.exporter[1],
		    bound.exporter_len);
	}
	tls_free(&tls);
}

static EVP_PKEY *server_keys[2];

static int
sign(void *arg, unsigned number, enum tls_algorithm algorithm,
    const unsigned char *in, size_t len, unsigned char *sig, size_t *siglen)
{
	struct keys_request request = { .type = KEYS_SIGN };
	struct keys_reply reply;

	(void)arg;
	request.algorithm = algorithm;
	request.len = (uint32_t)len;
	memcpy(request.data, in, len);
	keys_sign(server_keys[number], &request, &reply);
	memcpy(sig, reply.sig, reply.len);
	*siglen = reply.len;
	return reply.status == KEYS_OK ? 0 : -1;
}

static void
only_rsa(SSL_CTX *ctx)
{
	char list[] = "RSA-PSS+SHA256";

	SSL_CTX_set1_sigalgs_list(ctx, list);
	SSL_CTX_set_security_level(ctx, 0);
}

static void
only_ecdsa(SSL_CTX *ctx)
{
	char list[] = "ECDSA+SHA256";

	SSL_CTX_set1_sigalgs_list(ctx, list);
	SSL_CTX_set_security_level(ctx, 0);
}

static void
add_server(struct tls *tls, unsigned i, X509 *cert)
{
	const char *why;
	int fd = pki_cert_fd(cert, NULL);

	NEED(tls_add_chain(tls, i, fd, &why) == 0);
	close(fd);
	X509_free(cert);
}

/* By the digest of the signature; of the certificate that was sent. */
static void
test_endpoint(void **state)
{
	EVP_PKEY *ed = pki_key("ED25519", 0);
	const struct {
		const EVP_MD	*ecdsa, *rsa;		/* that sign */
		const EVP_MD	*want[2];
	} rows[] = {
		{ EVP_sha256(), EVP_sha384(), { EVP_sha256(), EVP_sha384() } },
		{ EVP_sha512(), EVP_sha256(), { EVP_sha512(), EVP_sha256() } },
		{ EVP_sha1(), EVP_md5(), { EVP_sha256(), EVP_sha256() } },
		/* signed by Ed25519, which has no digest to be named */
		{ NULL, EVP_sha256(), { NULL, EVP_sha256() } },
	};

	(void)state;
	server_keys[0] = pki_key("P-256", 0);
	server_keys[1] = pki_key("rsa", 2048);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tls *tls = tls_new(TLS_USE_SMTP, false, sign, NULL);
		X509 *ca = pki_cert_with(ed, "ca", -DAY, DAY, NULL, NULL,
		    NULL, ca_ext);

		add_server(tls, 0, pki_cert_with(server_keys[0], "s", -DAY,
		    DAY, rows[i].ecdsa == NULL ? ca : NULL, ed,
		    rows[i].ecdsa, no_ext));
		add_server(tls, 1, pki_cert_with(server_keys[1], "s", -DAY,
		    DAY, NULL, NULL, rows[i].rsa, no_ext));
		bind_both(tls, only_ecdsa, rows[i].want[0]);
		bind_both(tls, only_rsa, rows[i].want[1]);
		X509_free(ca);
		tls_free(&tls);
	}
	EVP_PKEY_free(ed);
	EVP_PKEY_free(server_keys[0]);
	EVP_PKEY_free(server_keys[1]);
}

/* In clear there is nothing of all this. */
static void
look_in_clear(struct end *e)
{
	unsigned char data[WIRE_ENDPOINT_MAX];

	assert_int_equal(conn_tls_exporter(e->conn, data), 0);
	assert_int_equal(conn_tls_endpoint(e->conn, data), 0);
	assert_int_equal(conn_tls_names(e->conn, seen.names,
	    sizeof(seen.names)), 0);
	assert_string_equal(seen.names, "");
	conn_close(e->conn);
}

static void
say_bye(int fd, void *arg)
{
	(void)arg;
	close(fd);
}

static void
test_clear(void **state)
{
	struct end e = { .eof = look_in_clear };

	(void)state;
	peer_run(&e, say_bye, NULL, true);
	peer_free(&e);
}

static int
set_up(void **state)
{
	(void)state;
	key = pki_key("P-256", 0);
	ca_key = pki_key("P-256", 0);
	other_key = pki_key("P-256", 0);
	root = pki_cert_with(ca_key, "root", -DAY, DAY, NULL, NULL,
	    EVP_sha256(), ca_ext);
	other_root = pki_cert_with(other_key, "root", -DAY, DAY, NULL, NULL,
	    EVP_sha256(), ca_ext);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	X509_free(root);
	X509_free(other_root);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(other_key);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verify),
		cmocka_unit_test(test_no_certificate),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_stolen),
		cmocka_unit_test(test_ca_names),
		cmocka_unit_test(test_bad_ca_files),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_exporter),
		cmocka_unit_test(test_endpoint),
		cmocka_unit_test(test_clear),
	};

	signal(SIGPIPE, SIG_IGN);
	log_open("test-tls-clients", -1, false);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
