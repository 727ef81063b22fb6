/* SPDX-License-Identifier: ISC */
/*
 * The commands: each function here is called when the table allows its verb
 * in the present state, checks the arguments and answers or asks a helper.
 * Runs in smtpd-session; pure; all input is hostile.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/str.h"
#include "lib/utf8.h"
#include "mail/addr.h"
#include "smtpd/session_impl.h"

#define HELO_MAX	255

static bool
is_name_octet(char ch)
{
	return str_is_alnum(ch) || ch == '-' || ch == '_' || ch == '.';
}

/*
 * A domain or address literal. Wider than RFC 5321 section 4.1.2: real
 * clients have host names with "_" and "-" in odd places, or with a dot at
 * the end.
 */
static bool
is_hello_name(const char *s, size_t len)
{
	char last = '.';
	size_t i;

	if (len == 0 || len > HELO_MAX)
		return false;
	if (s[0] == '[')
		return addr_valid_literal(s, len);
	for (i = 0; i < len; last = s[i++])
		if (!is_name_octet(s[i]) || (s[i] == '.' && last == '.'))
			return false;
	return true;
}

static void
say_line(struct session *s, bool more, const char *text)
{
	if (reply_add_line(&s->out, REPLY_HELLO, more, text) == -1)
		session_broken(s);
}

/* RFC 9422 section 4: no value has more than six digits. */
static uint64_t
limit(uint64_t n)
{
	return n < 999999 ? n : 999999;
}

static void
list_extensions(struct session *s)
{
	char line[160], mechs[128];

	say_line(s, true, s->conf->hostname);
	say_line(s, true, "PIPELINING");
	snprintf(line, sizeof(line), "SIZE %" PRIu64, s->conf->message_size);
	say_line(s, true, line);
	say_line(s, true, "8BITMIME");
	say_line(s, true, "BINARYMIME");
	say_line(s, true, "CHUNKING");
	say_line(s, true, "SMTPUTF8");
	say_line(s, true, "ENHANCEDSTATUSCODES");
	snprintf(line, sizeof(line), "LIMITS RCPTMAX=%" PRIu64 " MAILMAX=%"
	    PRIu64, limit(s->conf->recipient_limit),
	    limit(s->conf->messages_per_session));
	say_line(s, true, line);
	if (s->state == STATE_HELLO)
		say_line(s, true, "STARTTLS");
	verb_auth_list(s, mechs, sizeof(mechs));
	if (s->state == STATE_IDENT && mechs[0] != '\0') {
		snprintf(line, sizeof(line), "AUTH %s", mechs);
		say_line(s, true, line);
	}
	say_line(s, true, "VRFY");
	say_line(s, false, "HELP");
	s->last = REPLY_HELLO;
}

/* RFC 5321 section 4.1.4: a hello that is refused changes nothing. */
static void
verb_hello(struct session *s, struct cmd *c)
{
	char *name = NULL;

	if (!is_hello_name(c->arg, c->len)) {
		session_refuse(s, REPLY_HELLO_NAME);
		return;
	}
	name = strndup(c->arg, c->len);
	if (name == NULL) {
		session_broken(s);
		return;
	}
	free(s->helo);
	s->helo = name;
	s->esmtp = c->verb == VERB_EHLO;
	session_step(s, table_cell(s->state, c->verb)->next);
	if (c->verb == VERB_EHLO)
		list_extensions(s);
	else
		session_say(s, REPLY_HELLO, NULL);
}

bool
verb_has_word(const char *list, const char *name, size_t len)
{
	size_t n;

	for (; *list != '\0'; list += n + (list[n] == ' ')) {
		n = strcspn(list, " ");
		if (n == len && str_caseeqn(list, name, len))
			return true;
	}
	return false;
}

bool
verb_no_argument(struct session *s, const struct cmd *c)
{
	if (c->len == 0)
		return true;
	session_refuse(s, REPLY_NO_ARGUMENT);
	return false;
}

static void
verb_starttls(struct session *s, struct cmd *c)
{
	if (!verb_no_argument(s, c))
		return;
	if (s->behind > 0) {
		/* what came in clear would be taken for what TLS protects */
		s->errors++;
		session_bye(s, REPLY_TLS_PIPELINED);
		return;
	}
	session_say(s, REPLY_TLS_GO, NULL);
	if (s->state == STATE_DONE)
		return;
	session_step(s, STATE_WAIT);
	session_queue(s, SESSION_DO_TLS);
}

static void
verb_rset(struct session *s, struct cmd *c)
{
	if (verb_no_argument(s, c))
		session_accept(s, REPLY_OK, NULL);
}

static void
verb_noop(struct session *s, struct cmd *c)
{
	(void)c;
	session_accept(s, REPLY_OK, NULL);
}

/*
 * Does VRFY's argument end with the parameter SMTPUTF8, RFC 6531 section
 * 3.7.4.2? REPLY_NONE, or the refusal.
 */
static enum reply
vrfy_param(const struct session *s, const struct cmd *c, bool *utf8)
{
	static const char word[] = " SMTPUTF8";
	const size_t len = sizeof(word) - 1;
	const char *end = c->arg + c->len, *blank;

	*utf8 = false;
	blank = memrchr(c->arg, ' ', c->len);
	if (!s->esmtp || blank == NULL || (size_t)(end - blank) < len ||
	    !str_caseeqn(blank, word, len))
		return REPLY_NONE;
	if (blank[len] == '=' && end > blank + len)
		return REPLY_PARAM_SYNTAX;
	*utf8 = blank + len == end;
	return REPLY_NONE;
}

/* That nothing is told makes the reply ASCII, whatever the name. */
static void
verb_vrfy(struct session *s, struct cmd *c)
{
	enum reply no;
	bool utf8;

	no = c->len == 0 ? REPLY_ARGUMENT : vrfy_param(s, c, &utf8);
	if (no == REPLY_NONE && !str_is_ascii(c->arg, c->len))
		no = !utf8 ? REPLY_NON_ASCII : utf8_is_valid(c->arg, c->len) ?
		    REPLY_NONE : REPLY_NOT_UTF8;
	if (no != REPLY_NONE)
		session_refuse(s, no);
	else
		session_accept(s, REPLY_VRFY, NULL);
}

static void
verb_quit(struct session *s, struct cmd *c)
{
	if (verb_no_argument(s, c))
		session_bye(s, REPLY_BYE);
}

void
verb_run(struct session *s, struct cmd *c)
{
	static void (*const run[VERB_COUNT])(struct session *,
	    struct cmd *) = {
		[VERB_EHLO] = verb_hello,
		[VERB_HELO] = verb_hello,
		[VERB_STARTTLS] = verb_starttls,
		[VERB_AUTH] = verb_auth,
		[VERB_MAIL] = verb_mail,
		[VERB_RCPT] = verb_rcpt,
		[VERB_DATA] = verb_data,
		[VERB_BDAT] = verb_bdat,
		[VERB_RSET] = verb_rset,
		[VERB_NOOP] = verb_noop,
		[VERB_VRFY] = verb_vrfy,
		[VERB_HELP] = verb_help,
		[VERB_QUIT] = verb_quit,
	};

	if (c->verb < VERB_COUNT && run[c->verb] != NULL)
		run[c->verb](s, c);
}
