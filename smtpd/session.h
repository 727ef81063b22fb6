/* SPDX-License-Identifier: ISC */
/*
 * The SMTP server of one client, as a pure engine: octets and events in,
 * octets and actions out. It makes no system call; time comes as an
 * argument (milliseconds of a clock that never goes back).
 *
 * The driver's loop: hand input to session_input(), or an event to one of
 * the functions below; send what session_output() holds; carry out what
 * session_action() gives, in that order, until it gives none; go on. What
 * input was not taken is offered again after the next event.
 */
#ifndef POSTERN_SMTPD_SESSION_H
#define POSTERN_SMTPD_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/auth_proto.h"
#include "smtpd/cmd.h"
#include "smtpd/store_proto.h"

struct buf;
struct session;

/* Shared by all sessions of a process; it outlives them. ms and octets. */
struct session_conf {
	const char	*hostname;
	const char	*mechs;		/* "SCRAM-SHA-256 PLAIN"; may change
					   between calls; a session offers
					   those that its TLS allows */
	unsigned char	*scratch;	/* BODY data lies here; see below */
	size_t		 scratch_size;	/* 2 or more */
	struct cmd_limits lines;
	uint64_t	 text_line;	/* with CRLF; 0: any length */
	uint64_t	 message_size;
	uint64_t	 recipient_limit;
	uint64_t	 messages_per_session;
	uint64_t	 errors_per_session;
	uint64_t	 command_time;
	uint64_t	 data_time;
	uint64_t	 session_time;
	uint64_t	 handshake_time;
	uint64_t	 unauthenticated_time;
	uint64_t	 minimum_rate;	/* octets a second, 0: none */
	uint64_t	*commands;	/* VERB_COUNT counters, or NULL */
};

/* What a handshake gave that mechanisms of AUTH rest on. */
struct session_tls {
	bool	binding;	/* channel bindings: those that end in -PLUS */
	bool	external;	/* the client's names, verified: EXTERNAL */
};

enum session_do {
	SESSION_DO_NONE,
	SESSION_DO_TLS,		/* start the handshake */
	SESSION_DO_AUTH_START,	/* text: mechanism; initial, data, len */
	SESSION_DO_AUTH_STEP,	/* data, len */
	SESSION_DO_AUTH_END,	/* the attempt is over, without login */
	SESSION_DO_BEGIN,	/* text: reverse-path; size: declared or 0;
				   flags: those of struct store_begin */
	SESSION_DO_RCPT,	/* text: forward-path */
	SESSION_DO_OPEN,
	SESSION_DO_BODY,	/* data, len */
	SESSION_DO_COMMIT,	/* size: octets of all BODY */
	SESSION_DO_ABORT,
	SESSION_DO_ENDED,	/* a message that was begun, by DATA or BDAT,
				   is over; size: its octets. What was said
				   to it stands in session_info() */
	SESSION_DO_CLOSE,	/* after the output is out */
	SESSION_DO_DROP		/* at once */
};

/* text and data are valid until the next call for any session. */
struct session_action {
	enum session_do		 what;
	bool			 initial;
	const char		*text;
	const unsigned char	*data;
	size_t			 len;
	uint64_t		 size;
	unsigned		 flags;
};

enum session_event {
	SESSION_EV_EOF,		/* no more input; the client may still read */
	SESSION_EV_GONE,	/* the connection is over */
	SESSION_EV_TIMEOUT,	/* session_deadline() has passed */
	SESSION_EV_SHUTDOWN,	/* end when no transaction is running */
	SESSION_EV_REVOKED	/* the login has ended */
};

/* What the logs want to know. */
struct session_info {
	const char	*user;		/* "" before the login */
	const char	*helo;		/* "" before the hello; printable */
	uint64_t	 messages;	/* accepted MAILs */
	uint64_t	 delivered;
	uint64_t	 errors;
	uint64_t	 recipients;	/* accepted, of the transaction */
	uint64_t	 size;		/* octets of the message so far */
	unsigned	 flags;		/* of struct store_begin */
	bool		 transaction;	/* there is one */
	enum reply	 last;		/* the last reply given */
	enum reply	 verdict;	/* with ENDED: the reply; NONE: the
					   client did not hear any */
};

/*
 * A session that begins now: with implicit TLS it waits for the handshake
 * first, else its greeting is ready. NULL when memory is short.
 */
struct session *session_new(const struct session_conf *, bool implicit_tls,
	    uint64_t now);
/* Free it; *sp becomes NULL. Actions not yet fetched are lost. */
void	 session_free(struct session **sp);
/*
 * Take input. Returns how many octets were taken: fewer than len when an
 * action is to be carried out first, or a helper's answer is awaited.
 */
size_t	 session_input(struct session *, const unsigned char *data,
	    size_t len, uint64_t now);
/* The handshake is complete. */
void	 session_secured(struct session *, struct session_tls, uint64_t now);
/* The answer to AUTH_START or AUTH_STEP. user counts with AUTH_OK. */
void	 session_login(struct session *, enum auth_status, const char *user,
	    const void *data, size_t len, uint64_t now);
/*
 * The answer to BEGIN, RCPT, OPEN or COMMIT. detail is what the reply names:
 * the message's id with STORE_OK to COMMIT, the seconds to wait as decimal
 * digits with STORE_RATE; else it does not count and may be NULL.
 */
void	 session_stored(struct session *, enum store_status,
	    const char *detail, uint64_t now);
void	 session_event(struct session *, enum session_event, uint64_t now);
/* The octets to be sent; the driver takes them with buf_take(). */
struct buf *session_output(struct session *);
/* Fetch the next action. False when there is none. */
bool	 session_action(struct session *, struct session_action *);
/* When SESSION_EV_TIMEOUT is due, in the time of `now'. */
uint64_t session_deadline(const struct session *);
/* Would session_input() take octets now? */
bool	 session_wants_input(const struct session *);
enum state session_state(const struct session *);
struct session_info session_info(const struct session *);

#endif
