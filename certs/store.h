/* SPDX-License-Identifier: ISC */
/*
 * Certificate and key files in one folder, each BASE.pem and BASE.key.
 * A file is complete under its own name or not there: it is written under
 * another one, synced and moved.
 */
#ifndef POSTERN_CERTS_STORE_H
#define POSTERN_CERTS_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "certs/cert.h"

#define STORE_BASE_MAX	64	/* octets of BASE */
#define STORE_NAME_MAX	96	/* octets of any file name here, with NUL */
#define STORE_CERT_MODE	0644	/* what is public */
#define STORE_KEY_MODE	0600

struct store_pair {
	X509		*cert;
	EVP_PKEY	*key;
};

/* Letters, digits, dot, dash, underscore; opens with letter or digit. */
bool	 store_base_ok(const char *base);
/*
 * The folder at path, made with mode 0755 when it is not there (its parent
 * is). A descriptor, or -1 and errno.
 */
int	 store_open(const char *path);
/* Is there BASE.pem or BASE.key? */
bool	 store_has(int dir, const char *base);
/*
 * Read the certificate and, with_key, its key, which must fit. 0, or -1 with
 * *why a constant text and *suffix that of the file at fault; errno is not 0
 * when it was the system that failed.
 */
int	 store_read(int dir, const char *base, bool with_key,
	    const char *passphrase, struct store_pair *, const char **suffix,
	    const char **why);
void	 store_pair_clear(struct store_pair *);
/*
 * Write a pair that must not be there: both files or none. -1 and errno,
 * EEXIST when there was one.
 */
int	 store_add(int dir, const char *base, const struct store_pair *,
	    const char *passphrase);
/*
 * Replace the certificate and, unless key is NULL in the pair, the key. What
 * was there stays as BASE.pem.old and BASE.key.old. Each file is replaced at
 * once; key and certificate are two steps. -1 and errno.
 */
int	 store_replace(int dir, const char *base, const struct store_pair *,
	    const char *passphrase);
#endif
