/* SPDX-License-Identifier: ISC */
/*
 * Files of certificate chains. Sessions, tls-keys and posternctl, before
 * they are confined; needs libcrypto alone.
 */
#ifndef POSTERN_CHAIN_H
#define POSTERN_CHAIN_H

struct stack_st_X509;

/*
 * All certificates in PEM that fd (which stays the caller's) holds, one at
 * least, the server's own first; sk_X509_pop_free() frees them. NULL, and
 * *why a constant text.
 */
struct stack_st_X509 *chain_read(int fd, const char **why);

#endif
