/* SPDX-License-Identifier: ISC */
/*
 * Plays a client against the SMTP engine, with stand-ins for the helper
 * processes: input is fed in pieces of any size, output and delivered
 * messages are gathered. For the unit tests of smtpd.
 *
 * The login is alice with the password secret. Recipients are local when
 * in example.test; nobody@ does not exist there, full@ is over quota, busy@
 * comes too fast (17 s; as a sender 3600 s). A sender must be alice@ or
 * empty. The body decides about the commit: when it has "X-Status: n" the
 * store answers with status n.
 */
#ifndef POSTERN_T_SMTPD_PLAY_H
#define POSTERN_T_SMTPD_PLAY_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"
#include "smtpd/session.h"

struct play {
	struct session_conf	 conf;
	struct session		*s;
	unsigned char		 scratch[64];
	struct buf		 out;		/* what the client sees */
	struct buf		 log;		/* "BEGIN a@b;RCPT c@d;..." */
	struct buf		 body;		/* of the present transaction */
	struct buf		 mail;		/* committed, each ended by | */
	struct buf		 ended;		/* "250:12;": reply and size */
	struct session_action	 asked;		/* a helper has to answer */
	enum store_status	 verdict;	/* of the next COMMIT */
	enum store_status	 opens;		/* of the next OPEN */
	unsigned		 flags;		/* of the last BEGIN */
	uint64_t		 now;
	struct session_tls	 tls;		/* what a handshake gives */
	bool			 hang;		/* the helpers do not answer */
	bool			 closed;
};

enum play_start { PLAY_CLEAR, PLAY_TLS, PLAY_LOGIN };

/* Defaults for conf; then play_begin(). */
void	 play_init(struct play *);
void	 play_begin(struct play *, enum play_start);
/*
 * Both, and bring the session into a state that takes commands; the chunk
 * said in BDAT is "A: b" and CRLF.
 */
void	 play_reach(struct play *, enum state);
/* Feed len octets in pieces of at most piece octets (0: all at once). */
void	 play_feed(struct play *, const void *data, size_t len, size_t piece);
void	 play_say(struct play *, const char *text);
/* Carry out what the engine asks for; answer as the helpers. */
void	 play_turn(struct play *);
void	 play_event(struct play *, enum session_event);
void	 play_end(struct play *);
/*
 * The codes of the replies so far: "220,250,503 5.5.1"; the caller frees.
 */
char	*play_codes(const struct play *);
/* Fail unless the actions since the last call were these. */
void	 play_check_log(struct play *, const char *want);
/* The same of the messages that were begun and are over. */
void	 play_check_ended(struct play *, const char *want);
/* Fail unless the text, said at this start, gives these codes. */
void	 play_check(enum play_start, const char *text, const char *codes);
/* The same, whole, byte by byte and split in two at every place. */
void	 play_check_split(enum play_start, const char *text, size_t len,
	    const char *codes, const char *mail);

#define PLAY_ALICE	"AGFsaWNlAHNlY3JldA=="	/* NUL alice NUL secret */

#endif
