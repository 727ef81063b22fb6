/* SPDX-License-Identifier: ISC */
/*
 * Private keys that are elsewhere. Sessions only. OpenSSL 3.0 has no other
 * way for this but a provider and the methods of 1.1 for EC_KEY and RSA,
 * which are marked as deprecated; the methods are a tenth of the code.
 *
 * What a method is called with comes from the library, what the signing
 * function returns from process "keys": lengths of both are checked.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "lib/tls_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

/* The slot of application data, which every kind of object has. */
#define TLS_KEY_SLOT	0

struct tls_key {
	EVP_PKEY	*pkey;
	EC_KEY_METHOD	*ec_method;
	RSA_METHOD	*rsa_method;
	tls_sign_fn	*sign;
	void		*arg;
	unsigned	 number;
};

/* Sign; the length of the signature, 1 to max, or 0. */
static size_t
tls_key_sign(const struct tls_key *k, enum tls_algorithm algorithm,
    const unsigned char *in, size_t len, unsigned char *sig, size_t max)
{
	unsigned char out[TLS_SIGN_MAX];
	size_t n = 0;

	if (k == NULL || len > TLS_SIGN_MAX)
		return 0;
	if (k->sign(k->arg, k->number, algorithm, in, len, out, &n) == -1)
		return 0;
	if (n > sizeof(out) || n > max)
		return 0;
	memcpy(sig, out, n);
	return n;
}

static size_t
tls_key_ec_sign(const unsigned char *digest, int len, unsigned char *sig,
    EC_KEY *ec)
{
	int max = ECDSA_size(ec);

	if (len <= 0 || max <= 0)
		return 0;
	return tls_key_sign(EC_KEY_get_ex_data(ec, TLS_KEY_SLOT),
	    TLS_ALG_ECDSA, digest, (size_t)len, sig,
	    (size_t)max < TLS_SIGN_MAX ? (size_t)max : TLS_SIGN_MAX);
}

/* EC_KEY_METHOD: sig has room for ECDSA_size() octets. */
static int
tls_key_ecdsa(int type, const unsigned char *digest, int len,
    unsigned char *sig, unsigned int *siglen, const BIGNUM *kinv,
    const BIGNUM *r, EC_KEY *ec)
{
	size_t n;

	(void)type;
	(void)kinv;
	(void)r;
	if ((n = tls_key_ec_sign(digest, len, sig, ec)) == 0)
		return 0;
	*siglen = (unsigned int)n;
	return 1;
}

static ECDSA_SIG *
tls_key_ecdsa_sig(const unsigned char *digest, int len, const BIGNUM *kinv,
    const BIGNUM *r, EC_KEY *ec)
{
	unsigned char sig[TLS_SIGN_MAX];
	const unsigned char *p = sig;
	size_t n;

	(void)kinv;
	(void)r;
	if ((n = tls_key_ec_sign(digest, len, sig, ec)) == 0)
		return NULL;
	return d2i_ECDSA_SIG(NULL, &p, (long)n);
}

/* RSA_METHOD: to has room for RSA_size() octets. */
static int
tls_key_rsa(int len, const unsigned char *from, unsigned char *to, RSA *rsa,
    int padding)
{
	unsigned char block[TLS_SIGN_MAX];
	int size = RSA_size(rsa);

	if (size <= 0 || size > TLS_SIGN_MAX || len <= 0 || len > size)
		return -1;
	if (padding == RSA_PKCS1_PADDING) {
		if (RSA_padding_add_PKCS1_type_1(block, size, from, len) != 1)
			return -1;
	} else if (padding == RSA_NO_PADDING && len == size) {
		memcpy(block, from, (size_t)size);
	} else {
		return -1;
	}
	if (tls_key_sign(RSA_get_ex_data(rsa, TLS_KEY_SLOT), TLS_ALG_RSA,
	    block, (size_t)size, to, (size_t)size) != (size_t)size)
		return -1;
	return size;
}

/* No suite that is offered decrypts with the key. */
static int
tls_key_rsa_decrypt(int len, const unsigned char *from, unsigned char *to,
    RSA *rsa, int padding)
{
	(void)len;
	(void)from;
	(void)to;
	(void)rsa;
	(void)padding;
	return -1;
}

static int
tls_key_set_ec(struct tls_key *k, EVP_PKEY *pub)
{
	const EC_KEY *from;
	EC_KEY *ec = NULL;
	int r = -1;

	if ((k->ec_method = EC_KEY_METHOD_new(EC_KEY_OpenSSL())) == NULL)
		goto out;
	EC_KEY_METHOD_set_sign(k->ec_method, tls_key_ecdsa, NULL,
	    tls_key_ecdsa_sig);
	if ((from = EVP_PKEY_get0_EC_KEY(pub)) == NULL ||
	    (ec = EC_KEY_new()) == NULL ||
	    EC_KEY_set_group(ec, EC_KEY_get0_group(from)) != 1 ||
	    EC_KEY_set_public_key(ec, EC_KEY_get0_public_key(from)) != 1 ||
	    EC_KEY_set_method(ec, k->ec_method) != 1 ||
	    EC_KEY_set_ex_data(ec, TLS_KEY_SLOT, k) != 1 ||
	    EVP_PKEY_set1_EC_KEY(k->pkey, ec) != 1)
		goto out;
	r = 0;
out:
	EC_KEY_free(ec);
	return r;
}

static int
tls_key_set_rsa(struct tls_key *k, EVP_PKEY *pub)
{
	BIGNUM *n = NULL, *e = NULL;
	RSA *rsa = NULL;
	int r = -1;

	if ((k->rsa_method = RSA_meth_dup(RSA_PKCS1_OpenSSL())) == NULL ||
	    RSA_meth_set1_name(k->rsa_method, "postern") != 1 ||
	    RSA_meth_set_priv_enc(k->rsa_method, tls_key_rsa) != 1 ||
	    RSA_meth_set_priv_dec(k->rsa_method, tls_key_rsa_decrypt) != 1)
		goto out;
	if (EVP_PKEY_get_bn_param(pub, OSSL_PKEY_PARAM_RSA_N, &n) != 1 ||
	    EVP_PKEY_get_bn_param(pub, OSSL_PKEY_PARAM_RSA_E, &e) != 1 ||
	    (rsa = RSA_new()) == NULL || RSA_set0_key(rsa, n, e, NULL) != 1)
		goto out;
	n = e = NULL;
	RSA_set_flags(rsa, RSA_FLAG_EXT_PKEY);
	if (RSA_set_method(rsa, k->rsa_method) != 1 ||
	    RSA_set_ex_data(rsa, TLS_KEY_SLOT, k) != 1 ||
	    EVP_PKEY_set1_RSA(k->pkey, rsa) != 1)
		goto out;
	r = 0;
out:
	BN_free(n);
	BN_free(e);
	RSA_free(rsa);
	return r;
}

struct tls_key *
tls_key_new(EVP_PKEY *pub, unsigned number, tls_sign_fn *sign, void *arg,
    const char **why)
{
	struct tls_key *k;
	int r = -1;

	*why = "out of memory";
	if ((k = calloc(1, sizeof(*k))) == NULL)
		return NULL;
	k->number = number;
	k->sign = sign;
	k->arg = arg;
	if ((k->pkey = EVP_PKEY_new()) == NULL)
		goto fail;
	*why = "the certificate's key cannot be used";
	switch (EVP_PKEY_get_base_id(pub)) {
	case EVP_PKEY_EC:
		r = tls_key_set_ec(k, pub);
		break;
	case EVP_PKEY_RSA:
		r = tls_key_set_rsa(k, pub);
		break;
	default:
		*why = "the certificate's key is neither ECDSA nor RSA";
	}
	if (r == 0)
		return k;
fail:
	tls_key_free(k);
	return NULL;
}

EVP_PKEY *
tls_key_pkey(struct tls_key *k)
{
	return k->pkey;
}

void
tls_key_free(struct tls_key *k)
{
	if (k == NULL)
		return;
	/* The key first: its end is still the method's business. */
	EVP_PKEY_free(k->pkey);
	if (k->ec_method != NULL)
		EC_KEY_METHOD_free(k->ec_method);
	if (k->rsa_method != NULL)
		RSA_meth_free(k->rsa_method);
	free(k);
}
