/* SPDX-License-Identifier: ISC */
/*
 * X.509 certificates and their keys as objects of libcrypto: making,
 * signing, PEM, names. Touches no file; see store.h for those.
 */
#ifndef POSTERN_CERT_H
#define POSTERN_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#define CERT_NAMES_MAX		64	/* subject alternative names of one */
#define CERT_BACKDATE		300	/* seconds, for clocks that differ */

enum cert_kind { CERT_BAD, CERT_DNS, CERT_IP, CERT_EMAIL };

/*
 * What a subject alternative name is: a host name of RFC 1123 (its first
 * label may be "*"), an IPv4 or IPv6 address, a mail address (RFC 5321, of
 * ASCII, with a dot-string and a host name), or none of these.
 */
enum cert_kind cert_name_kind(const char *name);

struct cert_names {
	char	*item[CERT_NAMES_MAX];	/* n strings, owned */
	size_t	 n;
};

/*
 * Add a copy of a name, in lower case; one that is there already is left out.
 * 0, or -1 with errno EINVAL (of no kind), ENOSPC or ENOMEM.
 */
int	 cert_names_add(struct cert_names *, const char *name);
/*
 * The alternative names of x into *names (empty before). 0, or -1 with
 * errno EINVAL: there are none, or kinds that cert_names_add() refuses.
 */
int	 cert_names_of(X509 *x, struct cert_names *names);
/* Are they all mail addresses; is none of them? */
bool	 cert_names_all_mail(const struct cert_names *);
bool	 cert_names_no_mail(const struct cert_names *);
void	 cert_names_clear(struct cert_names *);

struct cert_spec {
	bool			 ca;
	bool			 client;	/* neither: a server */
	const char		*common_name;	/* UTF-8; NULL: none */
	/* Of a server hosts, of a client mail addresses. */
	const struct cert_names	*names;
	unsigned		 days;		/* from now */
	time_t			 now;
};

/* A new ECDSA key on P-256; the caller's. NULL on failure. */
EVP_PKEY *cert_key_new(void);
/*
 * A certificate for the public half of key. A CA signs itself: issuer and
 * issuer_key are NULL. It may sign no other CA (path length 0). What is not
 * a CA's ends with its issuer's at the latest. The certificate is the
 * caller's; NULL on failure, with *why a constant text.
 */
X509	*cert_new(const struct cert_spec *, EVP_PKEY *key, X509 *issuer,
	    EVP_PKEY *issuer_key, const char **why);
/*
 * May x sign others now, and is key its own? NULL, or a constant text that
 * says why not.
 */
const char *cert_check_issuer(X509 *x, EVP_PKEY *key, time_t now);

/*
 * The key as PEM PKCS #8; encrypted (PBKDF2 and AES-256) unless passphrase
 * is NULL. The BIO is memory that is wiped when freed. NULL on failure.
 */
BIO	*cert_key_pem(EVP_PKEY *key, const char *passphrase);
BIO	*cert_pem(X509 *x);
/* The next certificate in PEM; the caller's. NULL when there is none. */
X509	*cert_read(BIO *);

/* Whole days from now to the end of x; below zero when it has ended. */
long	 cert_days_left(const X509 *x, time_t now);
/*
 * Print subject, issuer, names, serial number, validity and fingerprint,
 * one to a line. What is not printable ASCII is escaped. 0 or -1.
 */
int	 cert_print(FILE *fp, X509 *x, time_t now);

#endif
