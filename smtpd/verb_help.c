/* SPDX-License-Identifier: ISC */
/*
 * HELP (RFC 5321 section 4.1.1.8): the verbs, or how one of them is said.
 * Runs in smtpd-session; pure; all input is hostile.
 */
#include <string.h>

#include "lib/str.h"
#include "smtpd/session_impl.h"

#define LINES	2

static const struct topic {
	const char	*name;		/* "" when no word was given */
	const char	*line[LINES];	/* NULL: no more */
} topics[] = {
	{ "", {
	    "EHLO HELO STARTTLS AUTH MAIL RCPT DATA BDAT",
	    "RSET NOOP VRFY HELP QUIT" } },
	{ "EHLO", { "EHLO domain | address-literal" } },
	{ "HELO", { "HELO domain | address-literal" } },
	{ "STARTTLS", { "STARTTLS" } },
	{ "AUTH", {
	    "AUTH mechanism [initial-response]",
	    "Responses are BASE64, an empty one is =, * cancels" } },
	{ "MAIL", {
	    "MAIL FROM:<[address]> [SIZE=octets] [AUTH=xtext] [SMTPUTF8]",
	    "[BODY=7BIT | BODY=8BITMIME | BODY=BINARYMIME]" } },
	{ "RCPT", { "RCPT TO:<address> | RCPT TO:<postmaster>" } },
	{ "DATA", {
	    "DATA",
	    "The message follows, ended by <CR><LF>.<CR><LF>" } },
	{ "BDAT", {
	    "BDAT octets [LAST]",
	    "So many octets of the message follow" } },
	{ "RSET", { "RSET" } },
	{ "NOOP", { "NOOP [text]" } },
	{ "VRFY", { "VRFY text [SMTPUTF8]" } },
	{ "HELP", { "HELP [verb]" } },
	{ "QUIT", { "QUIT" } },
};

static const struct topic *
find(const struct cmd *c)
{
	size_t i;

	for (i = 0; i < sizeof(topics) / sizeof(topics[0]); i++)
		if (strlen(topics[i].name) == c->len &&
		    str_caseeqn(topics[i].name, c->arg, c->len))
			return &topics[i];
	return NULL;
}

void
verb_help(struct session *s, struct cmd *c)
{
	const struct topic *t = find(c);
	size_t i;

	if (t == NULL) {
		session_refuse(s, REPLY_NO_HELP);
		return;
	}
	for (i = 0; i < LINES && t->line[i] != NULL; i++)
		if (reply_add_line(&s->out, REPLY_HELP, true,
		    t->line[i]) == -1) {
			session_broken(s);
			return;
		}
	session_accept(s, REPLY_HELP, NULL);
}
