/* SPDX-License-Identifier: ISC */
/*
 * TLS handshakes: of each kind, with keys that are elsewhere, and those
 * that must fail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "t/unit/peer.h"
#include "t/unit/pki.h"

static struct tls *smtp, *http;

/* --- handshakes --- */

static void
set_sigalgs(SSL_CTX *ctx, const char *list)
{
	char copy[64];

	snprintf(copy, sizeof(copy), "%s", list);
	SSL_CTX_set1_sigalgs_list(ctx, copy);
}

static void
only_12_ecdsa(SSL_CTX *ctx)
{
	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_cipher_list(ctx, "ECDHE-ECDSA-AES256-GCM-SHA384");
}

static void
only_12_rsa(SSL_CTX *ctx)
{
	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_cipher_list(ctx, "ECDHE-RSA-AES128-GCM-SHA256");
}

/* No PSS: EMSA-PKCS1-v1_5 is still there in TLS 1.2. */
static void
only_12_pkcs1(SSL_CTX *ctx)
{
	only_12_rsa(ctx);
	set_sigalgs(ctx, "RSA+SHA384");
}

static void
only_13_ecdsa(SSL_CTX *ctx)
{
	SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	set_sigalgs(ctx, "ECDSA+SHA256");
}

static void
only_13_rsa(SSL_CTX *ctx)
{
	SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	set_sigalgs(ctx, "RSA-PSS+SHA512");
}

static void
only_13_chacha(SSL_CTX *ctx)
{
	SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	SSL_CTX_set_ciphersuites(ctx, "TLS_CHACHA20_POLY1305_SHA256");
}

struct kind {
	void		(*setup)(SSL_CTX *);
	const char	*version;
	const char	*cipher;
	int		 bits;
	int		 key;		/* of the server's certificate */
};

static const struct kind kinds[] = {
	{ NULL, "TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, 0 },
	{ only_13_ecdsa, "TLSv1.3", "TLS_AES_256_GCM_SHA384", 256,
	    EVP_PKEY_EC },
	{ only_13_rsa, "TLSv1.3", "TLS_AES_256_GCM_SHA384", 256,
	    EVP_PKEY_RSA },
	{ only_13_chacha, "TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256", 256, 0 },
	{ only_12_ecdsa, "TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384", 256,
	    EVP_PKEY_EC },
	{ only_12_rsa, "TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256", 128,
	    EVP_PKEY_RSA },
	{ only_12_pkcs1, "TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256", 128,
	    EVP_PKEY_RSA },
};

static void
greet(int fd, void *arg)
{
	const struct kind *kind = arg;
	char data[16];
	SSL *ssl = peer_connect(fd, kind->setup);

	NEED(ssl != NULL);
	NEED(strcmp(SSL_get_version(ssl), kind->version) == 0);
	NEED(kind->key == 0 || EVP_PKEY_get_base_id(X509_get0_pubkey(
	    SSL_get0_peer_certificate(ssl))) == kind->key);
	peer_tls_read(ssl, data, 9);
	NEED(memcmp(data, "220 ready", 9) == 0);
	NEED(SSL_write(ssl, "hello", 5) == 5);
	/* RFC 5077: no ticket came, so no session can be resumed. */
	NEED(!SSL_SESSION_is_resumable(SSL_get0_session(ssl)));
	peer_tls_close(ssl, fd);
}

static void
say_ready(struct end *e)
{
	assert_int_equal(conn_write(e->conn, "220 ", 4), 0);
	assert_int_equal(conn_write(e->conn, "ready", 5), 0);
}

static void
test_handshake(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct end e = { .tls = smtp, .secured = say_ready };
		struct kind kind = kinds[i];

		peer_signatures = 0;
		peer_run(&e, greet, &kind, false);
		assert_int_equal(e.why, CONN_END_EOF);
		assert_string_equal(e.error, "");
		assert_int_equal(e.secures, 1);
		assert_int_equal(peer_signatures, 1);
		assert_string_equal(e.version, kind.version);
		assert_string_equal(e.cipher, kind.cipher);
		assert_int_equal(e.bits, kind.bits);
		assert_int_equal(e.got.len, 5);
		assert_int_equal(e.in, 5);
		assert_int_equal(e.out, 9);
		peer_free(&e);
	}
}

/* --- handshakes that must fail --- */

static void
only_11(SSL_CTX *ctx)
{
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, TLS1_1_VERSION);
	SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION);
}

static void
only_cbc(SSL_CTX *ctx)
{
	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_cipher_list(ctx, "ECDHE+AES+SHA256:ECDHE+AES+SHA1");
}

static void
only_static_rsa(SSL_CTX *ctx)
{
	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_cipher_list(ctx, "AES256-GCM-SHA384");
}

static void
only_p521(SSL_CTX *ctx)
{
	char groups[] = "P-521";

	SSL_CTX_set1_groups_list(ctx, groups);
}

static void
alpn_h2(SSL_CTX *ctx)
{
	SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)"\2h2", 3);
}

static void
alpn_both(SSL_CTX *ctx)
{
	SSL_CTX_set_alpn_protos(ctx,
	    (const unsigned char *)"\2h2\10http/1.1", 12);
}

struct refusal {
	struct tls	**tls;
	void		(*setup)(SSL_CTX *);
	int		 alert;		/* as the client hears of it */
};

static void
be_refused(int fd, void *arg)
{
	const struct refusal *r = arg;
	char data[16];
	unsigned long code;

	ERR_clear_error();
	/* In TLS 1.3 the client may believe for a while that all is well. */
	SSL *ssl = peer_ssl(fd, r->setup);
	if (SSL_do_handshake(ssl) == 1)
		NEED(SSL_read(ssl, data, sizeof(data)) <= 0);
	code = ERR_peek_error();
	NEED(ERR_GET_REASON(code) == r->alert);
	SSL_free(ssl);
	close(fd);
}

static void
test_refused(void **state)
{
	static const struct refusal refusals[] = {
		{ &smtp, only_11, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION },
		{ &smtp, only_cbc, SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE },
		{ &smtp, only_static_rsa,
		    SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE },
		{ &smtp, only_p521, SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE },
		{ &http, only_12_ecdsa, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION },
		{ &http, alpn_h2, SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct refusal r = refusals[i];
		struct end e = { .tls = *r.tls };

		peer_run(&e, be_refused, &r, false);
		assert_int_equal(e.why, CONN_END_HANDSHAKE);
		assert_int_equal(e.secures, 0);
		assert_true(e.error[0] != '\0');
		assert_string_equal(e.version, "");
		peer_free(&e);
	}
}

static void
test_alpn(void **state)
{
	static const struct kind http_kinds[] = {
		{ NULL, "TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, 0 },
		{ alpn_both, "TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, 0 },
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct end e = { .tls = http, .secured = say_ready };
		struct kind kind = http_kinds[i];

		peer_run(&e, greet, &kind, false);
		assert_int_equal(e.why, CONN_END_EOF);
		peer_free(&e);
	}
	/* SMTP has no name there: what is offered does not matter. */
	struct end e = { .tls = smtp, .secured = say_ready };
	struct kind kind = { alpn_h2, "TLSv1.3", NULL, 0, 0 };

	peer_run(&e, greet, &kind, false);
	assert_int_equal(e.why, CONN_END_EOF);
	peer_free(&e);
}

static void
test_no_signature(void **state)
{
	struct refusal r = { &smtp, NULL, SSL_R_TLSV1_ALERT_INTERNAL_ERROR };
	void (*setups[])(SSL_CTX *) = { only_13_ecdsa, only_13_rsa,
	    only_12_ecdsa, only_12_rsa, only_12_pkcs1 };

	(void)state;
	peer_sign_fails = true;
	for (size_t i = 0; i < sizeof(setups) / sizeof(setups[0]); i++) {
		struct end e = { .tls = smtp };

		r.setup = setups[i];
		peer_run(&e, be_refused, &r, false);
		assert_int_equal(e.why, CONN_END_HANDSHAKE);
		peer_free(&e);
	}
	peer_sign_fails = false;
}

static void
speak_http(int fd, void *arg)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
	unsigned char data[64];
	long n;

	(void)arg;
	peer_write(fd, text, sizeof(text) - 1);
	/* An alert, or nothing, but no reset; then the end. */
	n = peer_read(fd, data, sizeof(data));
	NEED(n == 0 || (n == 7 && data[0] == 21));
	close(fd);
}

static void
say_nothing(int fd, void *arg)
{
	(void)arg;
	close(fd);
}

static void
test_garbage(void **state)
{
	peer_fn *fns[] = { speak_http, say_nothing };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct end e = { .tls = smtp };

		peer_run(&e, fns[i], NULL, false);
		assert_int_equal(e.why, CONN_END_HANDSHAKE);
		assert_true(e.error[0] != '\0');
		assert_int_equal(e.secures, 0);
		peer_free(&e);
	}
}

static void
stall(int fd, void *arg)
{
	char data[16];

	(void)arg;
	peer_write(fd, "\26\3\1\2", 4);
	NEED(peer_read(fd, data, sizeof(data)) == 0);
	close(fd);
}

static void
give_up(struct end *e)
{
	conn_close(e->conn);
}

static void
test_stalled(void **state)
{
	struct end e = { .tls = smtp, .deadline = 100 };
	struct end closed = { .tls = smtp, .deadline = 100,
	    .timeout = give_up };

	(void)state;
	peer_run(&e, stall, NULL, false);
	assert_int_equal(e.why, CONN_END_NONE);
	assert_int_equal(e.timeouts, 1);
	peer_free(&e);
	peer_run(&closed, stall, NULL, false);
	assert_int_equal(closed.why, CONN_END_NONE);
	peer_free(&closed);
}

/* --- a client whose octets we see before the socket does --- */

struct pump {
	SSL	*ssl;
	BIO	*in;
	BIO	*out;
	int	 fd;
};

static void
pump_init(struct pump *p, int fd, void (*setup)(SSL_CTX *))
{
	int on = 1;

	p->ssl = peer_ssl(fd, setup);
	p->in = BIO_new(BIO_s_mem());
	p->out = BIO_new(BIO_s_mem());
	SSL_set_bio(p->ssl, p->in, p->out);
	p->fd = fd;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* Send what the library wants sent, in pieces of so many octets. */
static void
pump_send(struct pump *p, size_t piece)
{
	char *data;
	size_t len = (size_t)BIO_get_mem_data(p->out, &data), n;

	for (; len > 0; len -= n, data += n) {
		n = len < piece ? len : piece;
		peer_write(p->fd, data, n);
		if (piece == 1)
			usleep(300);
	}
	(void)BIO_reset(p->out);
}

static void
pump_receive(struct pump *p)
{
	char data[4096];
	ssize_t n = read(p->fd, data, sizeof(data));

	NEED(n > 0 && BIO_write(p->in, data, (int)n) == n);
}

/* All of the handshake but the client's last flight goes out. */
static void
pump_handshake(struct pump *p, size_t piece)
{
	int r;

	while ((r = SSL_do_handshake(p->ssl)) != 1) {
		NEED(SSL_get_error(p->ssl, r) == SSL_ERROR_WANT_READ);
		pump_send(p, piece);
		pump_receive(p);
	}
}

static void
octet_by_octet(int fd, void *arg)
{
	struct pump p;

	(void)arg;
	pump_init(&p, fd, NULL);
	pump_handshake(&p, 1);
	NEED(SSL_write(p.ssl, "slow", 4) == 4);
	NEED(SSL_shutdown(p.ssl) == 0);
	pump_send(&p, 1);
	/* Our close_notify comes back. */
	pump_receive(&p);
	NEED(SSL_shutdown(p.ssl) == 1);
	SSL_free(p.ssl);
	close(fd);
}

static void
test_slow(void **state)
{
	struct end e = { .tls = smtp };

	(void)state;
	peer_run(&e, octet_by_octet, NULL, false);
	assert_int_equal(e.why, CONN_END_EOF);
	assert_int_equal(e.got.len, 4);
	assert_memory_equal(buf_data(&e.got), "slow", 4);
	peer_free(&e);
}

/* The request in the same segment as Finished; then wait for the answer. */
static void
ask_with_finished(int fd, void *arg)
{
	struct pump p;
	char data[8];

	pump_init(&p, fd, arg != NULL ? only_12_rsa : NULL);
	pump_handshake(&p, 1U << 20);
	NEED(SSL_write(p.ssl, "question", 8) == 8);
	pump_send(&p, 1U << 20);
	pump_receive(&p);
	NEED(SSL_read(p.ssl, data, sizeof(data)) == 6);
	SSL_shutdown(p.ssl);
	pump_send(&p, 1U << 20);
	SSL_free(p.ssl);
	close(fd);
}

static size_t
answer(struct end *e, const unsigned char *data, size_t len)
{
	(void)data;
	assert_int_equal(len, 8);
	assert_int_equal(e->secures, 1);
	assert_int_equal(conn_write(e->conn, "answer", 6), 0);
	return len;
}

static void
test_early(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct end e = { .tls = smtp, .input = answer };

		peer_run(&e, ask_with_finished, i == 0 ? NULL : &e, false);
		assert_int_equal(e.why, CONN_END_EOF);
		peer_free(&e);
	}
}

/* --- certificates that cannot be used --- */

static int
no_sign(void *arg, unsigned number, enum tls_algorithm algorithm,
    const unsigned char *in, size_t len, unsigned char *sig, size_t *siglen)
{
	(void)arg;
	(void)number;
	(void)algorithm;
	(void)in;
	(void)len;
	(void)sig;
	(void)siglen;
	return -1;
}

static void
test_certificates(void **state)
{
	struct tls *tls = tls_new(TLS_USE_SMTP, true, no_sign, NULL);
	EVP_PKEY *ca = pki_key("P-256", 0);
	X509 *cax = pki_cert(ca, "ca", 0, 99, NULL, NULL);
	const char *why = NULL;
	int fd;

	(void)state;
	assert_non_null(tls);
	assert_int_equal(tls_add_chain(tls, 0, -1, &why), -1);
	assert_string_equal(why, "the certificate file cannot be read");
	fd = pki_text_fd("nothing");
	assert_int_equal(tls_add_chain(tls, 0, fd, &why), -1);
	assert_string_equal(why,
	    "the certificate file has no certificate in PEM");
	close(fd);
	for (size_t i = 0; i < 4; i++) {
		static const char *const names[] = { "P-256", "P-384", "rsa",
		    "ED25519" };
		static const char *const whys[] = { NULL,
		    "there is a certificate with this type of key already",
		    "a certificate's key is too short",
		    "the certificate's key is neither ECDSA nor RSA" };
		EVP_PKEY *key = pki_key(names[i], 1024);
		X509 *cert;

		cert = pki_cert(key, "a", 0, 99, i == 3 ? cax : NULL, ca);
		fd = pki_cert_fd(cert, NULL);
		assert_int_equal(tls_add_chain(tls, 0, fd, &why),
		    whys[i] == NULL ? 0 : -1);
		if (whys[i] != NULL)
			assert_string_equal(why, whys[i]);
		close(fd);
		X509_free(cert);
		EVP_PKEY_free(key);
	}
	X509_free(cax);
	EVP_PKEY_free(ca);
	tls_free(&tls);
	assert_null(tls);
	tls_free(&tls);
}

static int
set_up(void **state)
{
	(void)state;
	smtp = peer_tls(TLS_USE_SMTP, false);
	http = peer_tls(TLS_USE_HTTP, false);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	tls_free(&smtp);
	tls_free(&http);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_handshake),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_alpn),
		cmocka_unit_test(test_no_signature),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_stalled),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_early),
	};

	signal(SIGPIPE, SIG_IGN);
	log_open("test-tls", -1, false);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
