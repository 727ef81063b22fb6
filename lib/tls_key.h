/* SPDX-License-Identifier: ISC */
/*
 * Keys of which only the public half is here: signing is a function's
 * business (see tls.h). Used by tls.c alone.
 */
#ifndef POSTERN_TLS_KEY_H
#define POSTERN_TLS_KEY_H

#include "lib/tls.h"

struct evp_pkey_st;
struct tls_key;

/*
 * A key that looks like the owner of the public key pub (ECDSA or RSA) and
 * signs with the function. NULL and *why, a constant text. The key is held
 * by the result; who wants it longer takes a reference.
 */
struct tls_key *tls_key_new(struct evp_pkey_st *pub, unsigned number,
	    tls_sign_fn *, void *arg, const char **why);
struct evp_pkey_st *tls_key_pkey(struct tls_key *);
/* No one may sign with it any more. NULL is taken. */
void	 tls_key_free(struct tls_key *);

#endif
