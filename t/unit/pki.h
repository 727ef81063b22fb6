/* SPDX-License-Identifier: ISC */
/*
 * Keys and certificates for the unit tests, made on the spot. Each function
 * aborts when it cannot. Files are memory, to be closed by the caller.
 */
#ifndef POSTERN_T_PKI_H
#define POSTERN_T_PKI_H

#include <openssl/evp.h>
#include <openssl/x509.h>

/* A new key: a curve's name for ECDSA, or "rsa" of that many bits. */
EVP_PKEY *pki_key(const char *kind, unsigned bits);
/*
 * A certificate for localhost that begins `from' and ends `to' seconds from
 * now, issued by issuer with its key, or by itself with issuer NULL.
 */
X509	*pki_cert(EVP_PKEY *, const char *name, long from, long to,
	    X509 *issuer, EVP_PKEY *issuer_key);
/*
 * The same with extensions: names and values of openssl's x509v3_config(5) in
 * turn, up to a NULL; signed with this digest, or NULL with a key that has
 * its own.
 */
X509	*pki_cert_with(EVP_PKEY *, const char *name, long from, long to,
	    X509 *issuer, EVP_PKEY *issuer_key, const EVP_MD *,
	    const char *const *extensions);
/* PEM of one or two certificates, of a key (encrypted with passphrase). */
int	 pki_cert_fd(X509 *, X509 *second);
int	 pki_key_fd(EVP_PKEY *, const char *passphrase);
int	 pki_text_fd(const char *text);

#endif
