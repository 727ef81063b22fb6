/* SPDX-License-Identifier: ISC */
/*
 * Keys and certificates for the unit tests. See pki.h.
 */
#include "t/unit/pki.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void
need(int good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "pki: %s failed\n", what);
	abort();
}

EVP_PKEY *
pki_key(const char *kind, unsigned bits)
{
	EVP_PKEY *key = strcmp(kind, "rsa") == 0 ? EVP_RSA_gen(bits) :
	    strcmp(kind, "ED25519") == 0 ?
	    EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") : EVP_EC_gen(kind);

	need(key != NULL, "making a key");
	return key;
}

static void
extend(X509 *x, X509 *issuer, const char *const *extensions)
{
	X509_EXTENSION *e;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer == NULL ? x : issuer, x, NULL, NULL, 0);
	for (; *extensions != NULL; extensions += 2) {
		e = X509V3_EXT_conf(NULL, &ctx, extensions[0], extensions[1]);
		need(e != NULL && X509_add_ext(x, e, -1) == 1,
		    extensions[1]);
		X509_EXTENSION_free(e);
	}
}

X509 *
pki_cert(EVP_PKEY *key, const char *name, long from, long to, X509 *issuer,
    EVP_PKEY *issuer_key)
{
	static const char *const none[] = { NULL };

	return pki_cert_with(key, name, from, to, issuer, issuer_key,
	    EVP_sha256(), none);
}

X509 *
pki_cert_with(EVP_PKEY *key, const char *name, long from, long to,
    X509 *issuer, EVP_PKEY *issuer_key, const EVP_MD *md,
    const char *const *extensions)
{
	X509 *x = X509_new();
	X509_NAME *subject;

	need(x != NULL && X509_set_version(x, 2) == 1 &&
	    ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1 &&
	    X509_gmtime_adj(X509_getm_notBefore(x), from) != NULL &&
	    X509_gmtime_adj(X509_getm_notAfter(x), to) != NULL &&
	    X509_set_pubkey(x, key) == 1, "making a certificate");
	subject = X509_get_subject_name(x);
	need(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
	    (const unsigned char *)name, -1, -1, 0) == 1, "naming it");
	need(X509_set_issuer_name(x, issuer == NULL ? subject :
	    X509_get_subject_name(issuer)) == 1, "naming its issuer");
	extend(x, issuer, extensions);
	need(X509_sign(x, issuer == NULL ? key : issuer_key, md) > 0,
	    "signing it");
	return x;
}

static int
bio_fd(BIO *bio)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);
	int fd = memfd_create("pki", MFD_CLOEXEC);

	need(fd != -1 && write(fd, data, (size_t)len) == len, "memory");
	BIO_free(bio);
	return fd;
}

int
pki_cert_fd(X509 *first, X509 *second)
{
	BIO *bio = BIO_new(BIO_s_mem());

	need(PEM_write_bio_X509(bio, first) == 1 && (second == NULL ||
	    PEM_write_bio_X509(bio, second) == 1), "PEM");
	return bio_fd(bio);
}

int
pki_key_fd(EVP_PKEY *key, const char *passphrase)
{
	BIO *bio = BIO_new(BIO_s_mem());

	need(PEM_write_bio_PKCS8PrivateKey(bio, key,
	    passphrase == NULL ? NULL : EVP_aes_256_cbc(), passphrase,
	    passphrase == NULL ? 0 : (int)strlen(passphrase), NULL, NULL) == 1,
	    "PEM");
	return bio_fd(bio);
}

int
pki_text_fd(const char *text)
{
	BIO *bio = BIO_new(BIO_s_mem());

	need(BIO_puts(bio, text) >= 0, "text");
	return bio_fd(bio);
}
