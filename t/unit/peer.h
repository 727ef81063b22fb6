/* SPDX-License-Identifier: ISC */
/*
 * For the tests of conn.h: a server in this thread, over loop-back TCP, and
 * a client in another, which blocks. What the server does is said by the
 * fields of struct end; what it saw is there after peer_run().
 */
#ifndef POSTERN_T_PEER_H
#define POSTERN_T_PEER_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/conn.h"
#include "lib/tls.h"

/* An assertion for any thread: aborts. */
#define NEED(c) do {							\
	if (!(c))							\
		peer_failed(__FILE__, __LINE__, #c);			\
} while (0)
void	 peer_failed(const char *file, int line, const char *what)
	    __attribute__((noreturn));

struct end {
	struct event_base *base;	/* made where NULL */
	struct conn	*conn;
	struct tls	*tls;		/* start with TLS at once; or NULL */
	uint64_t	 deadline;	/* ms, 0: none */
	/* Called in place of what is written below, where not NULL. */
	size_t		(*input)(struct end *, const unsigned char *, size_t);
	void		(*eof)(struct end *);
	void		(*secured)(struct end *);
	void		(*drained)(struct end *);
	void		(*timeout)(struct end *);	/* else conn_drop() */
	void		*arg;
	/* What was seen. */
	struct buf	 got;		/* by the default input */
	unsigned	 inputs, eofs, secures, drains, timeouts, ends;
	enum conn_end	 why;
	char		 error[128];
	char		 version[16];
	char		 cipher[64];
	int		 bits;
	uint64_t	 in, out;
};

/* The client: fd is blocking and its own to close. */
typedef void peer_fn(int fd, void *arg);

/*
 * Run one connection to its end, which must come within 20 s, and check
 * that ended() was called once. half_close: the server has an eof function.
 */
void	 peer_run(struct end *, peer_fn *, void *arg, bool half_close);
/* As above with no client: the other end of the socket is returned. */
int	 peer_start(struct end *, bool half_close);
void	 peer_finish(struct end *);
void	 peer_free(struct end *);

/* Helpers for clients; they abort on what should not be. */
void	 peer_write(int fd, const void *, size_t);
/* Read until len octets or the end; how many came, -1 for a reset. */
long	 peer_read(int fd, void *, size_t len);
/* A client's SSL on fd, handshake not done. setup may be NULL. */
SSL	*peer_ssl(int fd, void (*setup)(SSL_CTX *));
/* The same, handshake done; NULL when it failed. */
SSL	*peer_connect(int fd, void (*setup)(SSL_CTX *));
/* Read exactly len octets. */
void	 peer_tls_read(SSL *, void *, size_t len);
/* Close in good order, both sides' close_notify and FIN; frees both. */
void	 peer_tls_close(SSL *, int fd);
/* Octet number i of the pattern of long transfers. */
unsigned char peer_octet(size_t i);

/* Certificates of both kinds, made once; tls with them. */
struct tls *peer_tls(enum tls_use, bool only_13);
extern bool peer_sign_fails;
extern unsigned peer_signatures;

#endif
