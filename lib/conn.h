/* SPDX-License-Identifier: ISC */
/*
 * A client's connection in an event loop: plain or TLS, input handed up as
 * it comes, output queued and flushed, orderly close. Sessions only.
 *
 * All input is hostile. Costs little while idle: no buffer is held that
 * has nothing in it.
 */
#ifndef POSTERN_CONN_H
#define POSTERN_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;
struct event_base;
struct tls;

enum conn_end {
	CONN_END_NONE,
	CONN_END_EOF,		/* orderly: FIN, or close_notify under TLS */
	CONN_END_CUT,		/* FIN under TLS without close_notify */
	CONN_END_ERROR,		/* reset, TLS alert, bad record */
	CONN_END_HANDSHAKE	/* the TLS handshake failed */
};

struct conn_ops {
	/*
	 * len > 0 octets came. Returns how many were taken; the rest is
	 * kept, and reading pauses until conn_resume(). conn_close() and
	 * conn_drop() are fine in here, as in every one of these functions.
	 */
	size_t	(*input)(void *arg, const unsigned char *data, size_t len);
	/*
	 * The peer sends no more, in good order, and all it sent was taken:
	 * FIN, or close_notify under TLS. Output still goes; conn_close()
	 * when done. NULL: what is queued goes out, the connection is
	 * closed and ended() hears CONN_END_EOF.
	 */
	void	(*eof)(void *arg);
	/* The TLS handshake is complete. NULL when of no interest. */
	void	(*secured)(void *arg);
	/*
	 * All output has gone out: who sends much writes some 64 KiB at a
	 * time, the next from here. NULL when of no interest.
	 */
	void	(*drained)(void *arg);
	/* The time set by conn_deadline() has come. NULL: conn_drop(). */
	void	(*timeout)(void *arg);
	/*
	 * The connection is over; why is CONN_END_NONE after our own
	 * conn_close() or conn_drop(). Called once, from the event loop,
	 * last of all calls; the conn is freed after it returns, so the
	 * functions that tell about it still work in here.
	 */
	void	(*ended)(void *arg, enum conn_end why);
};

#define CONN_QUEUE_MAX	(8U << 20)	/* octets of output that may wait */
#define CONN_QUEUE_HIGH	(256U << 10)	/* reading pauses above this */

/*
 * Takes fd (non-blocking) over, even on failure: NULL and errno ENOMEM. No
 * function below but ended() frees it; nothing is called before the caller
 * is back in the event loop. The process ignores SIGPIPE.
 */
struct conn *conn_new(struct event_base *, int fd, const struct conn_ops *,
	    void *arg);
/*
 * Begin the server handshake, once the output so far is out; reading pauses
 * until then. Plaintext that input() did not take at that moment is never
 * mixed with what comes under TLS: the connection ends, CONN_END_HANDSHAKE.
 * Once per connection. 0, or -1 with errno ENOMEM.
 */
int	 conn_start_tls(struct conn *, struct tls *);
/* Octets that input() did not take; within input(): of earlier calls. */
size_t	 conn_unread(const struct conn *);
/* Hand up what was kept and read on; input is called from the event loop. */
void	 conn_resume(struct conn *);
/* Stop input (true) or go on (false), for back-pressure. */
void	 conn_hold(struct conn *, bool hold);
/*
 * Queue output; it goes out at the end of this turn of the loop, under TLS
 * not before secured(). 0, or -1 with errno ENOMEM, EMSGSIZE (more than
 * CONN_QUEUE_MAX would wait) or EPIPE (closed or over already).
 */
int	 conn_write(struct conn *, const void *data, size_t len);
/* Octets of output not yet handed to the kernel. */
size_t	 conn_queued(const struct conn *);
/*
 * Close after the output is out (a minute at most): close_notify, FIN, then
 * what the peer still sends is read and dropped, for two seconds at most, so
 * that no reset destroys the last reply (RFC 9112, 9.6). Nothing but
 * `ended' is called any more.
 */
void	 conn_close(struct conn *);
/* Close now. */
void	 conn_drop(struct conn *);
/*
 * Call timeout() once when ms have passed from now; 0: never. The newest
 * call counts.
 */
void	 conn_deadline(struct conn *, uint64_t ms);
/*
 * What went wrong, for the log: constant text, "" when nothing did. Of use
 * in ended().
 */
const char *conn_error(const struct conn *);

/* "TLSv1.3", "TLS_AES_256_GCM_SHA384", bits 256; NULL and 0 while plain. */
const char *conn_tls_version(const struct conn *);
const char *conn_tls_cipher(const struct conn *);
int	 conn_tls_bits(const struct conn *);
/*
 * The channel bindings, see wire.h: octets written to out, which has room
 * for WIRE_EXPORTER and WIRE_ENDPOINT_MAX; 0: there is none.
 */
size_t	 conn_tls_exporter(const struct conn *, unsigned char *out);
size_t	 conn_tls_endpoint(const struct conn *, unsigned char *out);
/*
 * The mail addresses in the client's verified certificate, see tls_names.h:
 * each ended by LF, the whole by NUL. How many; 0 and "" without any.
 */
size_t	 conn_tls_names(const struct conn *, char *names, size_t size);
/* Octets in and out since the start, as the application saw them. */
uint64_t conn_octets_in(const struct conn *);
uint64_t conn_octets_out(const struct conn *);

#endif
