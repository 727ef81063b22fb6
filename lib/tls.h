/* SPDX-License-Identifier: ISC */
/*
 * The server side of TLS: one context from a certificate chain and a
 * function that signs elsewhere (process "keys"). Sessions only. tls.c and
 * wire.c are the only files in sessions that include <openssl/ssl.h>.
 */
#ifndef POSTERN_TLS_H
#define POSTERN_TLS_H

#include <stdbool.h>
#include <stddef.h>

enum tls_algorithm {
	TLS_ALG_NONE,
	TLS_ALG_ECDSA,		/* input: a digest */
	TLS_ALG_RSA,		/* input: a padded block of the key's size */
	TLS_ALG_COUNT
};

#define TLS_SIGN_MAX	1024	/* octets of input or signature */

/*
 * Sign len octets at in with the key of certificate number; the signature
 * goes to sig (TLS_SIGN_MAX octets), its length to *siglen. Blocks for at
 * most a second. 0, or -1: the handshake fails.
 */
typedef int tls_sign_fn(void *arg, unsigned number, enum tls_algorithm,
	    const unsigned char *in, size_t len, unsigned char *sig,
	    size_t *siglen);

/* What is asked of clients about themselves. */
enum tls_clients {
	TLS_CLIENTS_NONE,	/* nothing */
	TLS_CLIENTS_REQUEST,	/* a certificate, if they have one */
	TLS_CLIENTS_REQUIRE	/* a certificate */
};

struct tls_client_rules {
	enum tls_clients mode;
	unsigned	 depth;	/* CA certificates between the client's and
				   one of ours */
	size_t		 size;	/* octets of all that a client sends */
};

struct tls;			/* a context; one per process */
struct ssl_st;

enum tls_use { TLS_USE_SMTP, TLS_USE_HTTP };

/*
 * A context for SMTP (minimum 1.2, or 1.3 with only_13) or HTTP (1.3, ALPN
 * "http/1.1"). AEAD suites, no tickets, no renegotiation, no compression, no
 * early data. To be called before the process is confined: the library
 * sets itself up here, without its conf file. NULL when memory is short.
 */
struct tls *tls_new(enum tls_use, bool only_13, tls_sign_fn *, void *arg);
/*
 * Add the PEM chain read from fd (which stays the caller's) as certificate
 * number, an ECDSA and an RSA one at most. 0, or -1 with *why a constant
 * text.
 */
int	 tls_add_chain(struct tls *, unsigned number, int fd, const char **why);
/*
 * Add the n chains that fds hold (-1: none there) by their places, and close
 * them all. 0, or -1 (logged).
 */
int	 tls_add_chains(struct tls *, int *fds, unsigned n);
/*
 * Verify clients' certificates by the CA certificates in PEM that ca_fd holds
 * (which stays the caller's), and send clients the names of these: the chain
 * up to one that signed itself, dates, purpose (RFC 5280, clientAuth); no
 * CRL. A handshake with a certificate that does not verify fails, in either
 * mode. 0, or -1 with *why a constant text; with TLS_CLIENTS_NONE nothing is
 * done or read.
 */
int	 tls_set_clients(struct tls *, const struct tls_client_rules *,
	    int ca_fd, const char **why);
/* No connection that uses it may live. *tp becomes NULL; NULL is taken. */
void	 tls_free(struct tls **tp);
/* For wire.c: the server side of one connection, on fd. NULL: no memory. */
struct ssl_st *tls_session(struct tls *, int fd);

#endif
