/* SPDX-License-Identifier: ISC */
/*
 * Signing what TLS has signed and nothing else. Process "keys". Pure: no
 * system call, no state.
 */
#ifndef POSTERN_KEYS_SIGN_H
#define POSTERN_KEYS_SIGN_H

#include "keys/keys_proto.h"

struct evp_pkey_st;

/*
 * Sign request->data (its len is at most TLS_SIGN_MAX, checked by the
 * caller) with the key; sets reply's status, len and sig. ECDSA: data is a
 * digest of SHA-256, SHA-384 or SHA-512. RSA: data is a whole block of the
 * key's size, padded for a signature with one of these digests, by
 * EMSA-PSS with a salt as long as the digest, or by EMSA-PKCS1-v1_5
 * (RFC 8017, 9.1 and 9.2). Anything else is refused: the key decrypts
 * nothing.
 */
void	keys_sign(struct evp_pkey_st *, const struct keys_request *request,
	    struct keys_reply *reply);

#endif
