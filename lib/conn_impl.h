/* SPDX-License-Identifier: ISC */
/*
 * A connection from within: conn.c has the functions for callers, conn_turn.c
 * does the work.
 */
#ifndef POSTERN_CONN_IMPL_H
#define POSTERN_CONN_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/conn.h"
#include "lib/wire.h"

#define CONN_READ	16384U		/* the plaintext of one TLS record */
#define CONN_CLOSE_TIME	60000U		/* ms to take the last output */

enum conn_state {
	CONN_OPEN,
	CONN_STARTING,		/* flush, then the handshake */
	CONN_HANDSHAKE,
	CONN_CLOSING,		/* flush, close_notify, FIN */
	CONN_LINGERING,		/* read and drop until the peer's FIN */
	CONN_OVER
};

struct conn {
	struct wire		 wire;
	struct event		*rd;
	struct event		*wr;
	struct event		*tick;		/* deferred work */
	struct event		*timer;
	const struct conn_ops	*ops;
	void			*arg;
	struct buf		 in;		/* what input() did not take */
	struct buf		 out;
	uint64_t		 octets_in;
	uint64_t		 octets_out;
	size_t			 dropped;	/* while lingering */
	enum conn_state		 state;
	enum conn_end		 end;
	/* Which event lets reading, writing go on: EV_READ or EV_WRITE. */
	short			 read_on;
	short			 write_on;
	bool			 write_blocked;	/* until that event */
	bool			 rd_added;
	bool			 wr_added;
	bool			 in_turn;
	bool			 held;		/* conn_hold() */
	bool			 paused;	/* until conn_resume() */
	bool			 look;		/* read without an event */
	bool			 more;		/* the last read had some */
	bool			 eof;
	bool			 fin;		/* the socket's own end */
};

/* Do what can be done; what: the events that came. May free the conn. */
void	 conn_turn(struct conn *, short what);
/* From here on output goes out, nothing comes in, and the end is near. */
void	 conn_begin_close(struct conn *, enum conn_end why);
/* (Re)arm the one timer. */
void	 conn_timer(struct conn *, uint64_t ms);
/* Free what conn_new() made, but for the descriptor. */
void	 conn_destroy(struct conn *);

#endif
