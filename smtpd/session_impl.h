/* SPDX-License-Identifier: ISC */
/*
 * Inside the engine: shared by session.c, session_events.c and the verbs.
 */
#ifndef POSTERN_SMTPD_SESSION_IMPL_H
#define POSTERN_SMTPD_SESSION_IMPL_H

#include "lib/buf.h"
#include "smtpd/data.h"
#include "smtpd/session.h"

#define SESSION_QUEUE	6	/* the most actions of one call */

/* A mail transaction. Owned by the session, freed in session_step() alone. */
struct txn {
	uint64_t	 recipients;
	uint64_t	 spent;		/* ms, on all chunks so far */
	uint64_t	 octets;	/* as sent, of all chunks so far */
	struct data	 data;
	unsigned	 flags;		/* of struct store_begin */
	bool		 begun;		/* by DATA or BDAT */
	bool		 known;		/* the store holds it */
	bool		 committed;	/* the store was told to deliver */
};

/* What comes in while in STATE_DATA. */
struct intake {
	uint64_t	 began;		/* when it was let in; later, by the
					   time between chunks */
	uint64_t	 octets;	/* of the message, as sent */
	/* BDAT alone: */
	uint64_t	 size;		/* of the chunk */
	uint64_t	 left;		/* octets of it still to come */
	bool		 last;		/* LAST was said */
	bool		 bare;		/* a CR or LF on its own was seen */
	enum reply	 no;		/* octets are dropped, then this said */
};

struct session {
	const struct session_conf *conf;
	enum state	 state;		/* written by session_step() alone */
	enum state	 home;		/* the last state that took commands */
	enum verb	 verb;		/* the command at work */
	struct txn	*txn;
	struct intake	 in;
	struct cmd_reader reader;
	struct buf	 out;
	struct buf	 blob;		/* text and data of queued actions */
	struct session_action queue[SESSION_QUEUE];
	unsigned	 queued, fetched;
	size_t		 behind;	/* input behind the line at work */
	char		*helo;
	char		*user;
	struct session_tls tls;
	bool		 esmtp;
	bool		 eof;
	bool		 shutdown;
	bool		 revoked;
	bool		 chunk_failed;	/* the last command was BDAT, in vain */
	uint64_t	 messages, delivered, errors;
	enum reply	 last;
	enum reply	 verdict;	/* to the message that was ended last */
	bool		 verdict_due;	/* the next reply is it */
	uint64_t	 now;
	uint64_t	 started;
	uint64_t	 since;		/* the wait for the peer began */
};

/* The only writer of s->state; frees the transaction where none may be. */
void	 session_step(struct session *, enum state);
/* Give a reply. */
void	 session_say(struct session *, enum reply, const char *arg);
/* Give a reply that refuses and count the error. */
void	 session_refuse(struct session *, enum reply);
/* The command succeeded: step to the state its cell names, and reply. */
void	 session_accept(struct session *, enum reply, const char *arg);
/* Give a reply and close. */
void	 session_bye(struct session *, enum reply);
/* Queue an action; the session must not have filled the queue. */
struct session_action *session_queue(struct session *, enum session_do);
/*
 * In a state that takes input: end the session if it was told to end, and
 * no transaction is to be finished first.
 */
void	 session_settle(struct session *);
/* Memory is short: give the session up. */
void	 session_broken(struct session *);

/* Carry out a command whose cell allows it (verbs.c). */
void	 verb_run(struct session *, struct cmd *);
/* verb_auth.c */
void	 verb_auth(struct session *, struct cmd *);
/* Write the mechanisms offered to this client, or "", to list. */
void	 verb_auth_list(const struct session *, char *list, size_t size);
/* A line of the SASL dialogue. */
void	 verb_sasl_line(struct session *, const char *line, size_t len);
/* verb_mail.c */
void	 verb_mail(struct session *, struct cmd *);
void	 verb_rcpt(struct session *, struct cmd *);
/* verb_data.c */
void	 verb_data(struct session *, struct cmd *);
void	 verb_bdat(struct session *, struct cmd *);
/* In STATE_DATA: take input. Returns how many octets were taken. */
size_t	 verb_data_input(struct session *, const unsigned char *data,
	    size_t len);
/* The store's answer to OPEN: REPLY_NONE, or the refusal. */
void	 verb_data_opened(struct session *, enum reply no);
/* verb_help.c */
void	 verb_help(struct session *, struct cmd *);
/* True without an argument; else it was refused. */
bool	 verb_no_argument(struct session *, const struct cmd *);
/* Is name, in any case, one of the words of list? */
bool	 verb_has_word(const char *list, const char *name, size_t len);

#endif
