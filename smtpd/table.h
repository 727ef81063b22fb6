/* SPDX-License-Identifier: ISC */
/*
 * The state table of the SMTP server: for every state that takes commands
 * and every verb the next state or a named refusal. Part of the engine.
 */
#ifndef POSTERN_SMTPD_TABLE_H
#define POSTERN_SMTPD_TABLE_H

#include <stdbool.h>

#include "smtpd/reply.h"

enum state {
	STATE_NONE,		/* 0 is no state */
	/* these take commands */
	STATE_START,		/* in clear, no hello */
	STATE_HELLO,		/* in clear, hello said */
	STATE_TLS,		/* TLS, no hello since */
	STATE_IDENT,		/* hello said, no login */
	STATE_READY,		/* logged in, no transaction */
	STATE_MAIL,		/* a sender, no recipient */
	STATE_RCPT,		/* a recipient */
	STATE_BDAT,		/* between chunks */
	/* these do not */
	STATE_AUTHX,		/* a line of the SASL dialogue is awaited */
	STATE_DATA,		/* the message comes in */
	STATE_WAIT,		/* for a helper process or the handshake */
	STATE_DONE,		/* over: nothing is read any more */
	STATE_COUNT
};

#define STATE_COMMANDS	STATE_AUTHX	/* states below it take commands */

enum verb {
	VERB_NONE,
	VERB_EHLO,
	VERB_HELO,
	VERB_STARTTLS,
	VERB_AUTH,
	VERB_MAIL,
	VERB_RCPT,
	VERB_DATA,
	VERB_BDAT,
	VERB_RSET,
	VERB_NOOP,
	VERB_VRFY,
	VERB_HELP,
	VERB_QUIT,
	VERB_LATER,		/* EXPN, ETRN, TURN, ATRN, SEND, SOML, SAML */
	VERB_UNKNOWN,		/* no command */
	VERB_COUNT
};

/* Exactly one of the two is set. */
struct cell {
	enum state	next;
	enum reply	refuse;
};

/* The cell of a state that takes commands and a verb. */
const struct cell *table_cell(enum state, enum verb);
/*
 * Does the verb bring in a message, DATA or BDAT, where this state takes it?
 */
bool	 table_is_message(enum state home, enum verb);
/*
 * May a session go from state `from' to `to', when the command at work is
 * verb, said in state home (STATE_NONE before the greeting)?
 */
bool	 table_allows(enum state home, enum verb, enum state from,
	    enum state to);
/* "READY", "MAIL"; constant. */
const char *table_state_name(enum state);
const char *table_verb_name(enum verb);

#endif
