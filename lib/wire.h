/* SPDX-License-Identifier: ISC */
/*
 * The two ways octets travel on a non-blocking socket, plain and TLS, with
 * one set of results. No events, no buffers: conn.c does those. Sessions
 * only; all input is hostile.
 */
#ifndef POSTERN_WIRE_H
#define POSTERN_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct ssl_st;
struct tls;

enum wire_result {
	WIRE_DONE,
	WIRE_WANT_READ,		/* again when the socket is readable */
	WIRE_WANT_WRITE,	/* again when it is writable */
	WIRE_EOF,		/* FIN, or close_notify under TLS */
	WIRE_CUT,		/* FIN under TLS without close_notify */
	WIRE_RESET,		/* the socket failed */
	WIRE_BAD		/* TLS failed; the alert was sent */
};

struct wire {
	struct ssl_st	*ssl;		/* NULL before wire_start_tls() */
	const char	*error;		/* constant text, or NULL */
	int		 fd;
	bool		 tls;		/* all octets are TLS's now */
	bool		 secure;	/* the handshake is complete */
	bool		 broken;	/* TLS failed: no close_notify */
};

/* Plain from now on; fd stays the caller's. */
void	 wire_init(struct wire *, int fd);
/* Free what TLS holds, not the fd. */
void	 wire_free(struct wire *);
/* Get ready for wire_handshake(). 0, or -1 with errno ENOMEM. */
int	 wire_start_tls(struct wire *, struct tls *);
/* The server handshake, or more of it; no plain octet after this. */
enum wire_result wire_handshake(struct wire *);
/* Read at most cap octets; *n > 0 with WIRE_DONE. */
enum wire_result wire_read(struct wire *, void *data, size_t cap, size_t *n);
/*
 * Write some of len > 0 octets. After WANT_* the next call must bring at
 * least the same octets again, at whatever address.
 */
enum wire_result wire_write(struct wire *, const void *data, size_t len,
	    size_t *n);
/*
 * Send close_notify where there is TLS to close; then the FIN. WIRE_RESET
 * when there was no one to send it to.
 */
enum wire_result wire_shutdown(struct wire *);
/* Does TLS hold input that no event will tell of? */
bool	 wire_pending(const struct wire *);
/* Read and drop, below TLS, at most cap octets; as wire_read(). */
enum wire_result wire_discard(struct wire *, void *data, size_t cap,
	    size_t *n);

/* NULL, NULL and 0 while plain. */
const char *wire_version(const struct wire *);
const char *wire_cipher(const struct wire *);
int	 wire_bits(const struct wire *);

#define WIRE_EXPORTER		32
#define WIRE_ENDPOINT_MAX	64

/*
 * Channel bindings, octets written to out; 0 while plain, and where there is
 * none: tls-exporter (RFC 9266) in TLS 1.2 without extended master secret,
 * tls-server-end-point (RFC 5929) when the certificate's signature has no
 * digest of its own.
 */
size_t	 wire_exporter(const struct wire *, unsigned char out[WIRE_EXPORTER]);
size_t	 wire_endpoint(const struct wire *,
	    unsigned char out[WIRE_ENDPOINT_MAX]);
/* See conn_tls_names() in conn.h. */
size_t	 wire_names(const struct wire *, char *names, size_t size);

#endif
