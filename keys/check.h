/* SPDX-License-Identifier: ISC */
/*
 * Loading private keys and seeing whether they fit their certificates: the
 * process "keys" at its start, and the administrator's check. No prompt is
 * ever made.
 */
#ifndef POSTERN_KEYS_CHECK_H
#define POSTERN_KEYS_CHECK_H

#include <stddef.h>

#define KEYS_PASSPHRASE_MAX	1024	/* with its NUL */

struct evp_pkey_st;

/*
 * The key in PEM that key_fd holds, which belongs to the first certificate
 * in PEM that cert_fd holds, is ECDSA (P-256, P-384, P-521) or RSA (2048 to
 * 8192 bits). passphrase: for an encrypted key; NULL: there is none. The
 * descriptors stay the caller's. NULL, and *why a constant text.
 */
struct evp_pkey_st *keys_load_pair(int cert_fd, int key_fd,
	    const char *passphrase, const char **why);
/*
 * Is there something about the certificate that makes clients refuse it: a
 * time that has passed or not come, a chain out of order? NULL, or a
 * constant text.
 */
const char *keys_check_chain(int cert_fd);
/* Both of the above: NULL when all is good, or a constant text. */
const char *keys_check_pair(int cert_fd, int key_fd, const char *passphrase);
/*
 * The passphrase, which is the first line of fd without its line end. The
 * caller wipes it. 0, or -1 with *why a constant text.
 */
int	 keys_load_passphrase(int fd, char out[KEYS_PASSPHRASE_MAX],
	    const char **why);

#endif
