/* SPDX-License-Identifier: ISC */
/*
 * The state table. Runs in smtpd-session; pure. One row a state, one cell a
 * verb; the unit test walks all cells, and the tables of postern-smtp(7) and
 * t/golden are printed from here.
 */
#include <stddef.h>

#include "smtpd/table.h"

#define GO(s)	{ STATE_ ## s, REPLY_NONE }
#define NO(r)	{ STATE_NONE, REPLY_ ## r }

/* No state knows these. */
#define NEVER \
	[VERB_LATER] = NO(LATER), \
	[VERB_UNKNOWN] = NO(UNKNOWN)

static const struct cell cells[STATE_COMMANDS][VERB_COUNT] = {
	[STATE_START] = {
		[VERB_EHLO] = GO(HELLO),
		[VERB_HELO] = GO(HELLO),
		[VERB_STARTTLS] = NO(HELLO_FIRST),
		[VERB_AUTH] = NO(HELLO_FIRST),
		[VERB_MAIL] = NO(HELLO_FIRST),
		[VERB_RCPT] = NO(HELLO_FIRST),
		[VERB_DATA] = NO(HELLO_FIRST),
		[VERB_BDAT] = NO(HELLO_FIRST),
		[VERB_RSET] = GO(START),
		[VERB_NOOP] = GO(START),
		[VERB_VRFY] = NO(NEED_TLS),
		[VERB_HELP] = GO(START),
		[VERB_QUIT] = GO(DONE),
		NEVER
	},
	[STATE_HELLO] = {
		[VERB_EHLO] = GO(HELLO),
		[VERB_HELO] = GO(HELLO),
		[VERB_STARTTLS] = GO(TLS),
		[VERB_AUTH] = NO(AUTH_NEEDS_TLS),
		[VERB_MAIL] = NO(NEED_TLS),
		[VERB_RCPT] = NO(NEED_TLS),
		[VERB_DATA] = NO(NEED_TLS),
		[VERB_BDAT] = NO(NEED_TLS),
		[VERB_RSET] = GO(HELLO),
		[VERB_NOOP] = GO(HELLO),
		[VERB_VRFY] = NO(NEED_TLS),
		[VERB_HELP] = GO(HELLO),
		[VERB_QUIT] = GO(DONE),
		NEVER
	},
	[STATE_TLS] = {
		[VERB_EHLO] = GO(IDENT),
		[VERB_HELO] = GO(IDENT),
		[VERB_STARTTLS] = NO(TLS_ALREADY),
		[VERB_AUTH] = NO(HELLO_FIRST),
		[VERB_MAIL] = NO(HELLO_FIRST),
		[VERB_RCPT] = NO(HELLO_FIRST),
		[VERB_DATA] = NO(HELLO_FIRST),
		[VERB_BDAT] = NO(HELLO_FIRST),
		[VERB_RSET] = GO(TLS),
		[VERB_NOOP] = GO(TLS),
		[VERB_VRFY] = NO(NEED_AUTH),
		[VERB_HELP] = GO(TLS),
		[VERB_QUIT] = GO(DONE),
		NEVER
	},
	[STATE_IDENT] = {
		[VERB_EHLO] = GO(IDENT),
		[VERB_HELO] = GO(IDENT),
		[VERB_STARTTLS] = NO(TLS_ALREADY),
		[VERB_AUTH] = GO(READY),
		[VERB_MAIL] = NO(NEED_AUTH),
		[VERB_RCPT] = NO(NEED_AUTH),
		[VERB_DATA] = NO(NEED_AUTH),
		[VERB_BDAT] = NO(NEED_AUTH),
		[VERB_RSET] = GO(IDENT),
		[VERB_NOOP] = GO(IDENT),
		[VERB_VRFY] = NO(NEED_AUTH),
		[VERB_HELP] = GO(IDENT),
		[VERB_QUIT] = GO(DONE),
		NEVER
	},
	[STATE_READY] = {
		[VERB_EHLO] = GO(READY),
		[VERB_HELO] = GO(READY),
		[VERB_STARTTLS] = NO(TLS_ALREADY),
		[VERB_AUTH] = NO(LOGGED_IN),
		[VERB_MAIL] = GO(MAIL),
		[VERB_RCPT] = NO(MAIL_FIRST),
		[VERB_DATA] = NO(MAIL_FIRST),
		[VERB_BDAT] = NO(MAIL_FIRST),
		[VERB_RSET] = GO(READY),
		[VERB_NOOP] = GO(READY),
		[VERB_VRFY] = GO(READY),
		[VERB_HELP] = GO(READY),
		[VERB_QUIT] = GO(DONE),
		NEVER
	},
	[STATE_MAIL] = {
		[VERB_EHLO] = GO(READY),
		[VERB_HELO] = GO(READY),
		[VERB_STARTTLS] = NO(IN_TRANSACTION),
		[VERB_AUTH] = NO(IN_TRANSACTION),
		[VERB_MAIL] = NO(NESTED),
		[VERB_RCPT] = GO(RCPT),
		[VERB_DATA] = NO(RCPT_FIRST),
		[VERB_BDAT] = NO(RCPT_FIRST),
		[VERB_RSET] = GO(READY),
		[VERB_NOOP] = GO(MAIL),
		[VERB_VRFY] = GO(MAIL),
		[VERB_HELP] = GO(MAIL),
		[VERB_QUIT] = GO(DONE),
		NEVER
	},
	[STATE_RCPT] = {
		[VERB_EHLO] = GO(READY),
		[VERB_HELO] = GO(READY),
		[VERB_STARTTLS] = NO(IN_TRANSACTION),
		[VERB_AUTH] = NO(IN_TRANSACTION),
		[VERB_MAIL] = NO(NESTED),
		[VERB_RCPT] = GO(RCPT),
		[VERB_DATA] = GO(DATA),
		[VERB_BDAT] = GO(BDAT),
		[VERB_RSET] = GO(READY),
		[VERB_NOOP] = GO(RCPT),
		[VERB_VRFY] = GO(RCPT),
		[VERB_HELP] = GO(RCPT),
		[VERB_QUIT] = GO(DONE),
		NEVER
	},
	[STATE_BDAT] = {
		[VERB_EHLO] = GO(READY),
		[VERB_HELO] = GO(READY),
		[VERB_STARTTLS] = NO(IN_TRANSACTION),
		[VERB_AUTH] = NO(IN_TRANSACTION),
		[VERB_MAIL] = NO(NESTED),
		[VERB_RCPT] = NO(IN_DATA),
		[VERB_DATA] = NO(IN_DATA),
		[VERB_BDAT] = GO(BDAT),
		[VERB_RSET] = GO(READY),
		[VERB_NOOP] = GO(BDAT),
		[VERB_VRFY] = GO(BDAT),
		[VERB_HELP] = GO(BDAT),
		[VERB_QUIT] = GO(DONE),
		NEVER
	},
};

static const char *const state_names[STATE_COUNT] = {
	[STATE_NONE] = "",
	[STATE_START] = "START",
	[STATE_HELLO] = "HELLO",
	[STATE_TLS] = "TLS",
	[STATE_IDENT] = "IDENT",
	[STATE_READY] = "READY",
	[STATE_MAIL] = "MAIL",
	[STATE_RCPT] = "RCPT",
	[STATE_BDAT] = "BDAT",
	[STATE_AUTHX] = "AUTHX",
	[STATE_DATA] = "DATA",
	[STATE_WAIT] = "WAIT",
	[STATE_DONE] = "DONE",
};

static const char *const verb_names[VERB_COUNT] = {
	[VERB_NONE] = "",
	[VERB_EHLO] = "EHLO",
	[VERB_HELO] = "HELO",
	[VERB_STARTTLS] = "STARTTLS",
	[VERB_AUTH] = "AUTH",
	[VERB_MAIL] = "MAIL",
	[VERB_RCPT] = "RCPT",
	[VERB_DATA] = "DATA",
	[VERB_BDAT] = "BDAT",
	[VERB_RSET] = "RSET",
	[VERB_NOOP] = "NOOP",
	[VERB_VRFY] = "VRFY",
	[VERB_HELP] = "HELP",
	[VERB_QUIT] = "QUIT",
	[VERB_LATER] = "EXPN ETRN TURN ATRN SEND SOML SAML",
	[VERB_UNKNOWN] = "any other",
};

const struct cell *
table_cell(enum state s, enum verb v)
{
	if (s >= STATE_COMMANDS || v >= VERB_COUNT)
		return &cells[STATE_NONE][VERB_NONE];
	return &cells[s][v];
}

bool
table_is_message(enum state home, enum verb v)
{
	return (v == VERB_DATA || v == VERB_BDAT) &&
	    table_cell(home, v)->next != STATE_NONE;
}

/* From a state that takes commands: as its cell says, maybe by way of. */
static bool
allows_command(enum state home, enum verb v, enum state to)
{
	enum state next = table_cell(home, v)->next;

	if (v == VERB_BDAT && to == STATE_DATA)
		return true;		/* what is refused is read, too */
	return next != STATE_NONE && (to == next || to == STATE_WAIT);
}

/* From a helper's answer. */
static bool
allows_answer(enum state home, enum verb v, enum state to)
{
	if (home == STATE_NONE)		/* implicit TLS */
		return to == STATE_TLS;
	return to == home || to == table_cell(home, v)->next ||
	    (v == VERB_AUTH && to == STATE_AUTHX) ||
	    (v == VERB_BDAT && to == STATE_DATA) ||
	    (to == STATE_READY && table_is_message(home, v));
}

/* From the octets of a message, or of a chunk that is not taken. */
static bool
allows_octets(enum state home, enum verb v, enum state to)
{
	if (!table_is_message(home, v))
		return v == VERB_BDAT && to == home;
	return to == STATE_WAIT || to == STATE_READY ||
	    (v == VERB_BDAT && to == STATE_BDAT);
}

bool
table_allows(enum state home, enum verb v, enum state from, enum state to)
{
	if (to == STATE_DONE)
		return true;
	switch (from) {
	case STATE_NONE:
		return to == STATE_START || to == STATE_WAIT;
	case STATE_WAIT:
		return allows_answer(home, v, to);
	case STATE_AUTHX:
		return to == STATE_WAIT || to == home;
	case STATE_DATA:
		return allows_octets(home, v, to);
	case STATE_DONE:
	case STATE_COUNT:
		return false;
	default:
		return from == home && allows_command(home, v, to);
	}
}

const char *
table_state_name(enum state s)
{
	return s < STATE_COUNT ? state_names[s] : "";
}

const char *
table_verb_name(enum verb v)
{
	return v < VERB_COUNT ? verb_names[v] : "";
}
