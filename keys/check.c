/* SPDX-License-Identifier: ISC */
/*
 * Loading private keys and seeing whether they fit their certificates. Runs
 * in tls-keys before it is confined, and in posternctl. The files are the
 * site's own; a mistake in them is named, never guessed around. Secrets are
 * wiped here as soon as the library has them.
 */
#include "keys/check.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/chain.h"
#include "lib/file.h"
#include "lib/str.h"

#define KEYS_FILE_MAX	(64U << 10)	/* octets of a key file */
#define KEYS_RSA_MIN	2048		/* bits */
#define KEYS_RSA_MAX	8192

struct keys_ask {
	const char	*passphrase;
	bool		 asked;
};

/* Called by the library for an encrypted key; without it, it would prompt. */
static int
keys_give_passphrase(char *buf, int size, int writing, void *arg)
{
	struct keys_ask *ask = arg;
	size_t len;

	ask->asked = true;
	if (writing != 0 || ask->passphrase == NULL)
		return -1;
	len = strlen(ask->passphrase);
	if (size < 0 || len > (size_t)size)
		return -1;
	memcpy(buf, ask->passphrase, len);
	return (int)len;
}

static EVP_PKEY *
keys_read_key(int fd, const char *passphrase, const char **why)
{
	struct keys_ask ask = { .passphrase = passphrase };
	EVP_PKEY *key = NULL;
	unsigned char *pem;
	BIO *bio;
	size_t len;

	*why = "the key file cannot be read";
	if ((pem = file_load(fd, KEYS_FILE_MAX, &len)) == NULL)
		return NULL;
	*why = "the key file has no private key in PEM";
	if ((bio = BIO_new_mem_buf(pem, (int)len)) != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, keys_give_passphrase,
		    &ask);
	if (key == NULL && ask.asked)
		*why = passphrase == NULL ?
		    "the key is encrypted and there is no passphrase" :
		    "the passphrase does not open the key";
	BIO_free(bio);
	str_wipe(pem, len);
	free(pem);
	ERR_clear_error();
	return key;
}

static bool
keys_curve_is_good(const EVP_PKEY *key)
{
	static const char *const good[] =
	    { "prime256v1", "P-256", "secp384r1", "P-384", "secp521r1",
	    "P-521" };
	char name[64];
	size_t len;

	if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME,
	    name, sizeof(name), &len) != 1)
		return false;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (strcmp(name, good[i]) == 0)
			return true;
	return false;
}

/* Is this a kind of key that TLS here can use? NULL, or why not. */
static const char *
keys_check_kind(EVP_PKEY *key)
{
	EVP_PKEY_CTX *ctx;
	int bits = EVP_PKEY_get_bits(key), good;

	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
		if (!keys_curve_is_good(key))
			return "the key is on none of P-256, P-384, P-521";
	} else if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
		if (bits < KEYS_RSA_MIN)
			return "the RSA key is shorter than 2048 bits";
		if (bits > KEYS_RSA_MAX)
			return "the RSA key is longer than 8192 bits";
	} else {
		return "the key is neither ECDSA nor RSA";
	}
	/* Do its two halves belong together? */
	ctx = EVP_PKEY_CTX_new(key, NULL);
	good = ctx != NULL && EVP_PKEY_pairwise_check(ctx) == 1;
	EVP_PKEY_CTX_free(ctx);
	return good ? NULL : "the key is damaged";
}

EVP_PKEY *
keys_load_pair(int cert_fd, int key_fd, const char *passphrase,
    const char **why)
{
	STACK_OF(X509) *chain;
	EVP_PKEY *key = NULL;

	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	if ((chain = chain_read(cert_fd, why)) == NULL)
		return NULL;
	if ((key = keys_read_key(key_fd, passphrase, why)) == NULL)
		goto out;
	if ((*why = keys_check_kind(key)) == NULL &&
	    X509_check_private_key(sk_X509_value(chain, 0), key) != 1)
		*why = "the key does not belong to the certificate";
	if (*why != NULL) {
		EVP_PKEY_free(key);
		key = NULL;
	}
out:
	sk_X509_pop_free(chain, X509_free);
	ERR_clear_error();
	return key;
}

const char *
keys_check_chain(int cert_fd)
{
	STACK_OF(X509) *chain;
	const char *why = NULL;

	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	if ((chain = chain_read(cert_fd, &why)) == NULL)
		return why;
	why = NULL;
	for (int i = 0; i < sk_X509_num(chain) && why == NULL; i++) {
		X509 *x = sk_X509_value(chain, i);

		if (X509_cmp_current_time(X509_get0_notAfter(x)) < 0)
			why = i == 0 ? "the certificate has expired" :
			    "a certificate of the chain has expired";
		else if (X509_cmp_current_time(X509_get0_notBefore(x)) > 0)
			why = "the certificate is not valid yet";
		else if (i > 0 && X509_check_issued(x,
		    sk_X509_value(chain, i - 1)) != X509_V_OK)
			why = "the chain is out of order: each certificate "
			    "is to be followed by its issuer's";
	}
	sk_X509_pop_free(chain, X509_free);
	ERR_clear_error();
	return why;
}

const char *
keys_check_pair(int cert_fd, int key_fd, const char *passphrase)
{
	const char *why = NULL;
	EVP_PKEY *key;

	key = keys_load_pair(cert_fd, key_fd, passphrase, &why);
	EVP_PKEY_free(key);
	return key == NULL ? why : keys_check_chain(cert_fd);
}

int
keys_load_passphrase(int fd, char out[KEYS_PASSPHRASE_MAX], const char **why)
{
	unsigned char *text;
	size_t len, line;
	int r = -1;

	*why = "the passphrase file cannot be read";
	if ((text = file_load(fd, KEYS_FILE_MAX, &len)) == NULL)
		return -1;
	line = strcspn((char *)text, "\r\n");
	if (line == 0)
		*why = "the first line of the passphrase file is empty";
	else if (str_copyn(out, KEYS_PASSPHRASE_MAX, text, line) == -1)
		*why = "the passphrase is too long";
	else
		r = 0;
	str_wipe(text, len);
	free(text);
	return r;
}
