/* SPDX-License-Identifier: ISC */
/*
 * Keys: loading and checking pairs, what is signed and what is not, and the
 * sessions' client with a server that behaves and one that does not.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "keys/check.h"
#include "keys/client.h"
#include "keys/keys_proto.h"
#include "keys/sign.h"
#include "lib/file.h"
#include "lib/ipc.h"
#include "lib/log.h"
#include "t/unit/pki.h"

#define DAY	86400

static const char *
check(X509 *cert, X509 *second, EVP_PKEY *key, const char *sealed,
    const char *passphrase)
{
	int cert_fd = pki_cert_fd(cert, second);
	int key_fd = pki_key_fd(key, sealed);
	const char *why = keys_check_pair(cert_fd, key_fd, passphrase);

	/* Nothing depends on where the descriptors stand. */
	if (why == NULL)
		assert_null(keys_check_pair(cert_fd, key_fd, passphrase));
	close(cert_fd);
	close(key_fd);
	return why;
}

static void
test_pair(void **state)
{
	EVP_PKEY *ec = pki_key("P-256", 0), *rsa = pki_key("rsa", 2048);
	X509 *ecx = pki_cert(ec, "a", -DAY, DAY, NULL, NULL);
	X509 *rsax = pki_cert(rsa, "b", -DAY, DAY, NULL, NULL);

	(void)state;
	assert_null(check(ecx, NULL, ec, NULL, NULL));
	assert_null(check(rsax, NULL, rsa, NULL, "not needed"));
	assert_string_equal(check(ecx, NULL, rsa, NULL, NULL),
	    "the key does not belong to the certificate");
	EVP_PKEY_free(rsa);
	rsa = pki_key("rsa", 2048);
	assert_string_equal(check(rsax, NULL, rsa, NULL, NULL),
	    "the key does not belong to the certificate");
	X509_free(ecx);
	X509_free(rsax);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(rsa);
}

static void
test_passphrase(void **state)
{
	EVP_PKEY *key = pki_key("P-256", 0);
	X509 *cert = pki_cert(key, "a", -DAY, DAY, NULL, NULL);

	(void)state;
	assert_null(check(cert, NULL, key, "open sesame", "open sesame"));
	assert_string_equal(check(cert, NULL, key, "open sesame", "wrong"),
	    "the passphrase does not open the key");
	assert_string_equal(check(cert, NULL, key, "open sesame", ""),
	    "the passphrase does not open the key");
	assert_string_equal(check(cert, NULL, key, "open sesame", NULL),
	    "the key is encrypted and there is no passphrase");
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void
test_kinds(void **state)
{
	static const struct {
		const char	*kind;
		unsigned	 bits;
		const char	*why;
	} kinds[] = {
		{ "P-384", 0, NULL },
		{ "P-521", 0, NULL },
		{ "secp256k1", 0,
		    "the key is on none of P-256, P-384, P-521" },
		{ "rsa", 1024, "the RSA key is shorter than 2048 bits" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		EVP_PKEY *key = pki_key(kinds[i].kind, kinds[i].bits);
		X509 *cert = pki_cert(key, "a", -DAY, DAY, NULL, NULL);
		const char *why = check(cert, NULL, key, NULL, NULL);

		if (kinds[i].why == NULL)
			assert_null(why);
		else
			assert_string_equal(why, kinds[i].why);
		X509_free(cert);
		EVP_PKEY_free(key);
	}
}

static void
test_chain(void **state)
{
	EVP_PKEY *ca = pki_key("P-256", 0), *key = pki_key("P-256", 0);
	X509 *cax = pki_cert(ca, "ca", -DAY, DAY, NULL, NULL);
	X509 *good = pki_cert(key, "a", -DAY, DAY, cax, ca);
	X509 *old = pki_cert(key, "a", -2 * DAY, -DAY, cax, ca);
	X509 *young = pki_cert(key, "a", DAY, 2 * DAY, cax, ca);

	(void)state;
	assert_null(check(good, cax, key, NULL, NULL));
	assert_string_equal(check(old, cax, key, NULL, NULL),
	    "the certificate has expired");
	assert_string_equal(check(young, NULL, key, NULL, NULL),
	    "the certificate is not valid yet");
	assert_string_equal(check(good, old, key, NULL, NULL),
	    "a certificate of the chain has expired");
	assert_non_null(strstr(check(good, good, key, NULL, NULL),
	    "out of order"));
	assert_string_equal(check(cax, good, key, NULL, NULL),
	    "the key does not belong to the certificate");
	X509_free(young);
	X509_free(old);
	X509_free(good);
	X509_free(cax);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca);
}

static const char *
check_texts(const char *cert, const char *key)
{
	int cert_fd = pki_text_fd(cert), key_fd = pki_text_fd(key);
	const char *why = keys_check_pair(cert_fd, key_fd, NULL);

	close(cert_fd);
	close(key_fd);
	return why;
}

static void
test_bad_files(void **state)
{
	EVP_PKEY *key = pki_key("P-256", 0);
	X509 *cert = pki_cert(key, "a", -DAY, DAY, NULL, NULL);
	int fd = pki_cert_fd(cert, NULL);
	unsigned char *pem;
	size_t len;

	(void)state;
	pem = file_load(fd, 65536, &len);
	assert_non_null(pem);
	assert_string_equal(check_texts("", ""),
	    "the certificate file has no certificate in PEM");
	assert_string_equal(check_texts((char *)pem, ""),
	    "the key file has no private key in PEM");
	assert_string_equal(check_texts((char *)pem, (char *)pem),
	    "the key file has no private key in PEM");
	memcpy(pem + len / 2, "####", 4);
	assert_non_null(check_texts((char *)pem, ""));
	assert_string_equal(keys_check_pair(-1, -1, NULL),
	    "the certificate file cannot be read");
	assert_string_equal(keys_check_pair(fd, -1, NULL),
	    "the key file cannot be read");
	free(pem);
	close(fd);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void
test_file(void **state)
{
	int fd = pki_text_fd("0123456789"), p[2];
	unsigned char *data;
	size_t len;

	(void)state;
	assert_int_equal(lseek(fd, 5, SEEK_SET), 5);
	data = file_load(fd, 10, &len);
	assert_non_null(data);
	assert_int_equal(len, 10);
	assert_string_equal((char *)data, "0123456789");
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 5);
	free(data);
	assert_null(file_load(fd, 9, &len));
	assert_int_equal(errno, EFBIG);
	close(fd);
	assert_int_equal(pipe(p), 0);
	assert_int_equal(write(p[1], "abc", 3), 3);
	close(p[1]);
	data = file_load(p[0], 10, &len);
	assert_non_null(data);
	assert_int_equal(len, 3);
	free(data);
	close(p[0]);
}

static void
test_passphrase_file(void **state)
{
	char out[KEYS_PASSPHRASE_MAX], lengthy[KEYS_PASSPHRASE_MAX + 2];
	const char *why;
	int fd;

	(void)state;
	fd = pki_text_fd("two words\r\nsecond line\n");
	assert_int_equal(keys_load_passphrase(fd, out, &why), 0);
	assert_string_equal(out, "two words");
	close(fd);
	fd = pki_text_fd("no line end");
	assert_int_equal(keys_load_passphrase(fd, out, &why), 0);
	assert_string_equal(out, "no line end");
	close(fd);
	fd = pki_text_fd("\nsecond");
	assert_int_equal(keys_load_passphrase(fd, out, &why), -1);
	close(fd);
	memset(lengthy, 'x', sizeof(lengthy));
	lengthy[KEYS_PASSPHRASE_MAX] = '\0';
	fd = pki_text_fd(lengthy);
	assert_int_equal(keys_load_passphrase(fd, out, &why), -1);
	assert_string_equal(why, "the passphrase is too long");
	close(fd);
	assert_int_equal(keys_load_passphrase(-1, out, &why), -1);
}

static enum keys_status
ask(EVP_PKEY *key, uint32_t algorithm, const void *data, size_t len,
    struct keys_reply *reply)
{
	struct keys_request request = { .type = KEYS_SIGN, .id = 1 };

	request.algorithm = algorithm;
	request.len = (uint32_t)len;
	if (len > 0)
		memcpy(request.data, data, len);
	keys_sign(key, &request, reply);
	if (reply->status != KEYS_OK)
		assert_int_equal(reply->len, 0);
	return reply->status;
}

static void
test_sign_ecdsa(void **state)
{
	EVP_PKEY *key = pki_key("P-256", 0);
	unsigned char digest[TLS_SIGN_MAX];
	struct keys_reply reply;
	EVP_PKEY_CTX *ctx;

	(void)state;
	memset(digest, 7, sizeof(digest));
	for (size_t len = 0; len <= 80; len++)
		assert_int_equal(ask(key, TLS_ALG_ECDSA, digest, len, &reply),
		    len == 32 || len == 48 || len == 64 ? KEYS_OK :
		    KEYS_REFUSED);
	assert_int_equal(ask(key, TLS_ALG_ECDSA, digest, sizeof(digest),
	    &reply), KEYS_REFUSED);
	assert_int_equal(ask(key, TLS_ALG_RSA, digest, 256, &reply),
	    KEYS_NO_KEY);
	assert_int_equal(ask(key, TLS_ALG_NONE, digest, 32, &reply),
	    KEYS_REFUSED);
	assert_int_equal(ask(key, TLS_ALG_COUNT, digest, 32, &reply),
	    KEYS_REFUSED);
	assert_int_equal(ask(key, TLS_ALG_ECDSA, digest, 32, &reply), KEYS_OK);
	ctx = EVP_PKEY_CTX_new(key, NULL);
	assert_int_equal(EVP_PKEY_verify_init(ctx), 1);
	assert_int_equal(EVP_PKEY_verify(ctx, reply.sig, reply.len, digest, 32),
	    1);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
}

/* Blocks as a TLS library makes them, for one modulus length. */
static void
sign_rsa(unsigned bits)
{
	const EVP_MD *mds[] = { EVP_sha256(), EVP_sha384(), EVP_sha512() };
	EVP_PKEY *key = pki_key("rsa", bits);
	RSA *rsa = EVP_PKEY_get1_RSA(key);
	unsigned char block[TLS_SIGN_MAX], digest[64], out[TLS_SIGN_MAX];
	const size_t size = (size_t)EVP_PKEY_get_size(key);
	struct keys_reply reply;

	memset(digest, 9, sizeof(digest));
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(RSA_padding_add_PKCS1_PSS_mgf1(
		    rsa, block, digest, mds[i], mds[i], -1),
		    1);
		assert_int_equal(ask(key, TLS_ALG_RSA, block, size, &reply),
		    KEYS_OK);
		assert_int_equal(reply.len, size);
		assert_int_equal(RSA_public_decrypt((int)size, reply.sig, out,
		    rsa, RSA_NO_PADDING), size);
		assert_memory_equal(out, block, size);
		/* Another length of the salt, a flipped bit. */
		assert_int_equal(RSA_padding_add_PKCS1_PSS_mgf1(
		    rsa, block, digest, mds[i], mds[i], 20),
		    1);
		assert_int_equal(ask(key, TLS_ALG_RSA, block, size, &reply),
		    KEYS_REFUSED);
		block[size / 2] ^= 1;
		assert_int_equal(ask(key, TLS_ALG_RSA, block, size, &reply),
		    KEYS_REFUSED);
	}
	RSA_free(rsa);
	EVP_PKEY_free(key);
}

static void
test_sign_pss(void **state)
{
	(void)state;
	sign_rsa(2048);
	sign_rsa(2049);
	sign_rsa(2055);
}

static void
test_sign_pkcs1(void **state)
{
	static const unsigned char info[] = { 0x30, 0x31, 0x30, 0x0d, 0x06,
	    0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
	    0x00, 0x04, 0x20 };
	EVP_PKEY *key = pki_key("rsa", 2048);
	unsigned char block[256];
	struct keys_reply reply;

	(void)state;
	memset(block, 0xff, sizeof(block));
	block[0] = 0;
	block[1] = 1;
	block[256 - 52] = 0;
	memcpy(block + 256 - 51, info, sizeof(info));
	assert_int_equal(ask(key, TLS_ALG_RSA, block, 256, &reply), KEYS_OK);
	assert_int_equal(reply.len, 256);
	/* Each octet before the digest counts; no other length will do. */
	for (size_t i = 0; i < 256 - 32; i++) {
		block[i] ^= 0x10;
		assert_int_equal(ask(key, TLS_ALG_RSA, block, 256, &reply),
		    KEYS_REFUSED);
		block[i] ^= 0x10;
	}
	assert_int_equal(ask(key, TLS_ALG_RSA, block, 255, &reply),
	    KEYS_REFUSED);
	assert_int_equal(ask(key, TLS_ALG_RSA, block + 1, 255, &reply),
	    KEYS_REFUSED);
	assert_int_equal(ask(key, TLS_ALG_ECDSA, block, 32, &reply),
	    KEYS_NO_KEY);
	/* What one would send to have something decrypted. */
	memset(block, 0x55, sizeof(block));
	assert_int_equal(ask(key, TLS_ALG_RSA, block, 256, &reply),
	    KEYS_REFUSED);
	block[255] = 0xbc;
	assert_int_equal(ask(key, TLS_ALG_RSA, block, 256, &reply),
	    KEYS_REFUSED);
	EVP_PKEY_free(key);
}

/* The other end of the client's channel, in a thread. */
struct server {
	int		 fd;
	enum { ANSWER, LATE, REFUSE, SILENT, SHORT, LONG, HANG_UP } how;
};

static void
serve(const struct server *s, const struct keys_request *request)
{
	const size_t head = offsetof(struct keys_reply, sig);
	struct keys_reply reply = { .id = request->id, .status = KEYS_OK };

	reply.len = 2;
	memcpy(reply.sig, "ok", 2);
	switch (s->how) {
	case LATE:
		reply.id--;
		memcpy(reply.sig, "no", 2);
		ipc_send(s->fd, &reply, head + 2, -1);
		reply.id++;
		memcpy(reply.sig, "ok", 2);
		break;
	case REFUSE:
		reply.status = KEYS_REFUSED;
		reply.len = 0;
		break;
	case SHORT:
		ipc_send(s->fd, &reply, head + 1, -1);
		return;
	case LONG:
		reply.len = TLS_SIGN_MAX + 1;
		break;
	case SILENT:
		return;
	case HANG_UP:
		shutdown(s->fd, SHUT_RDWR);
		return;
	case ANSWER:
		break;
	}
	ipc_send(s->fd, &reply, head + (reply.len > 2 ? 2 : reply.len), -1);
}

static void *
server_main(void *arg)
{
	const struct server *s = arg;
	struct keys_request request;
	ssize_t n;

	do {
		n = ipc_recv(s->fd, &request, sizeof(request), NULL);
		if (n > 0)
			serve(s, &request);
		else if (n == -1 && errno == EAGAIN)
			usleep(1000);
	} while (n > 0 || (n == -1 && errno == EAGAIN));
	close(s->fd);
	return NULL;
}

static double
seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Ask twice of a server of one kind; what the last returned. */
static int
client_with(struct keys_client *k, int how, unsigned char *sig, double *took)
{
	struct server s;
	pthread_t thread;
	size_t len = 0;
	double start;
	int sv[2], r;

	assert_int_equal(ipc_pair(sv), 0);
	s.fd = sv[1];
	s.how = (unsigned)how;
	assert_int_equal(pthread_create(&thread, NULL, server_main, &s), 0);
	keys_client_set(k, sv[0]);
	start = seconds();
	r = keys_client_sign(k, 0, TLS_ALG_ECDSA,
	    (const unsigned char *)"digest", 6, sig, &len);
	if (r == 0)
		assert_int_equal(len, 2);
	(void)keys_client_sign(k, 0, TLS_ALG_ECDSA,
	    (const unsigned char *)"digest", 6, sig, &len);
	*took = seconds() - start;
	keys_client_close(k);
	pthread_join(thread, NULL);
	return r;
}

static void
test_client(void **state)
{
	unsigned char sig[TLS_SIGN_MAX];
	struct keys_client k;
	size_t len;
	double took;

	(void)state;
	keys_client_init(&k);
	assert_int_equal(keys_client_sign(&k, 0, TLS_ALG_ECDSA, sig, 32, sig,
	    &len), -1);
	assert_int_equal(client_with(&k, ANSWER, sig, &took), 0);
	assert_memory_equal(sig, "ok", 2);
	assert_int_equal(client_with(&k, LATE, sig, &took), 0);
	assert_memory_equal(sig, "ok", 2);
	assert_int_equal(k.signatures, 4);
	assert_int_equal(k.failures, 1);
	assert_int_equal(client_with(&k, REFUSE, sig, &took), -1);
	assert_int_equal(client_with(&k, SHORT, sig, &took), -1);
	assert_int_equal(client_with(&k, LONG, sig, &took), -1);
	assert_int_equal(client_with(&k, HANG_UP, sig, &took), -1);
	assert_true(took < 0.9);
	/* One second for the first, none for the second. */
	assert_int_equal(client_with(&k, SILENT, sig, &took), -1);
	assert_true(took > 0.9 && took < 1.9);
	/* A new channel is used at once. */
	assert_int_equal(client_with(&k, ANSWER, sig, &took), 0);
	assert_int_equal(keys_client_sign(&k, 0, TLS_ALG_RSA, sig,
	    TLS_SIGN_MAX + 1, sig, &len), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_pair),
		cmocka_unit_test(test_passphrase),
		cmocka_unit_test(test_passphrase_file),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_sign_ecdsa),
		cmocka_unit_test(test_sign_pss),
		cmocka_unit_test(test_sign_pkcs1),
		cmocka_unit_test(test_client),
	};

	log_open("test-keys", -1, false);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
