/* SPDX-License-Identifier: ISC */
/*
 * The commands: each function here is called when the table allows its verb
 * in the present state, checks the arguments and answers or asks a helper.
 * Runs in smtpd-session; pure; all input is hostile.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base64.h"
#include "lib/str.h"
#include "mail/addr.h"
#include "smtpd/session_impl.h"

#define MECH_MAX	20	/* octets of a name, RFC 4422 section 3.1 */
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

static void
list_extensions(struct session *s)
{
	char line[160];

	say_line(s, true, s->conf->hostname);
	say_line(s, true, "PIPELINING");
	snprintf(line, sizeof(line), "SIZE %" PRIu64, s->conf->message_size);
	say_line(s, true, line);
	say_line(s, true, "8BITMIME");
	say_line(s, true, "ENHANCEDSTATUSCODES");
	if (s->state == STATE_HELLO)
		say_line(s, true, "STARTTLS");
	if (s->state == STATE_IDENT && s->conf->mechs[0] != '\0') {
		snprintf(line, sizeof(line), "AUTH %s", s->conf->mechs);
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

static bool
no_argument(struct session *s, const struct cmd *c)
{
	if (c->len == 0)
		return true;
	session_refuse(s, REPLY_NO_ARGUMENT);
	return false;
}

static void
verb_starttls(struct session *s, struct cmd *c)
{
	if (!no_argument(s, c))
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

static bool
is_mech_octet(char ch)
{
	return is_name_octet(ch) && ch != '.';
}

/* Is name one of the words of list? */
static bool
has_word(const char *list, const char *name, size_t len)
{
	size_t n;

	for (; *list != '\0'; list += n + (list[n] == ' ')) {
		n = strcspn(list, " ");
		if (n == len && str_caseeqn(list, name, len))
			return true;
	}
	return false;
}

/* Length of the mechanism's name at the front of the argument, or 0. */
static size_t
mech_len(const struct cmd *c)
{
	size_t n;

	for (n = 0; n < c->len && is_mech_octet(c->arg[n]); n++)
		;
	return n < c->len && c->arg[n] != ' ' ? 0 : n;
}

/* Append the decoded line to the blob. False when a refusal was given. */
static bool
decode(struct session *s, const char *line, size_t len)
{
	unsigned char data[AUTH_DATA_MAX];
	ssize_t n = base64_decode(BASE64_PADDED, line, len, data,
	    sizeof(data));
	bool done = false;

	if (n == -1)
		session_refuse(s, errno == EMSGSIZE ? REPLY_LONG_SASL :
		    REPLY_BASE64);
	else if (buf_add(&s->blob, data, (size_t)n) == -1)
		session_broken(s);
	else
		done = true;
	str_wipe(data, sizeof(data));
	if (!done)
		buf_wipe(&s->blob);
	return done;
}

static void
auth_start(struct session *s, const char *mech, size_t mech_size,
    bool initial)
{
	struct session_action *a;

	session_step(s, STATE_WAIT);
	a = session_queue(s, SESSION_DO_AUTH_START);
	a->text = mech;
	a->initial = initial;
	a->data = buf_data(&s->blob) + mech_size;
	a->len = s->blob.len - mech_size;
}

static void
verb_auth(struct session *s, struct cmd *c)
{
	size_t n = mech_len(c), rest = n + (n < c->len), i;
	char mech[MECH_MAX + 1] = "";
	bool initial = rest < c->len;

	if (n == 0) {
		session_refuse(s, REPLY_ARGUMENT);
		return;
	}
	if (n > MECH_MAX || !has_word(s->conf->mechs, c->arg, n)) {
		/* no list yet: the auth service has not been heard of */
		if (s->conf->mechs[0] == '\0')
			session_say(s, REPLY_AUTH_AWAY, NULL);
		else
			session_refuse(s, REPLY_MECHANISM);
		return;
	}
	if (initial && memchr(c->arg + rest, ' ', c->len - rest) != NULL) {
		session_refuse(s, REPLY_ARGUMENT);
		return;
	}
	for (i = 0; i < n; i++)
		mech[i] = c->arg[i] >= 'a' && c->arg[i] <= 'z' ?
		    (char)(c->arg[i] - 'a' + 'A') : c->arg[i];
	if (buf_add(&s->blob, mech, n + 1) == -1) {
		session_broken(s);
		return;
	}
	/* RFC 4954 section 4: "=" is the empty initial response */
	if (initial && (c->len - rest != 1 || c->arg[rest] != '=') &&
	    !decode(s, c->arg + rest, c->len - rest))
		return;
	auth_start(s, (const char *)buf_data(&s->blob), n + 1, initial);
}

void
verb_sasl_line(struct session *s, const char *line, size_t len)
{
	struct session_action *a;

	if (len == 1 && line[0] == '*') {
		session_step(s, s->home);
		session_refuse(s, REPLY_CANCELLED);
		return;
	}
	if (!decode(s, line, len)) {
		if (s->state == STATE_AUTHX)
			session_step(s, s->home);
		return;
	}
	session_step(s, STATE_WAIT);
	a = session_queue(s, SESSION_DO_AUTH_STEP);
	a->data = buf_data(&s->blob);
	a->len = s->blob.len;
}

/*
 * Cut the path off the front of the argument. False when a refusal was
 * given.
 */
static bool
take_path(struct session *s, struct cmd *c, const char *keyword,
    enum addr_use use, struct addr *out)
{
	enum addr_result res;
	size_t used;

	if (!cmd_skip(c, keyword)) {
		session_refuse(s, REPLY_ARGUMENT);
		return false;
	}
	res = addr_parse_path(c->arg, c->len, use, out, &used);
	switch (res) {
	case ADDR_OK:
		c->arg += used;
		c->len -= used;
		return true;
	case ADDR_TOO_LONG:
		session_refuse(s, REPLY_PATH_LONG);
		return false;
	case ADDR_NON_ASCII:
		session_refuse(s, REPLY_NON_ASCII);
		return false;
	case ADDR_SYNTAX:
	default:
		session_refuse(s, REPLY_PATH);
		return false;
	}
}

/* Queue an action with an address. */
static void
ask_store(struct session *s, enum session_do what, const struct addr *a,
    uint64_t size)
{
	struct session_action *act;
	char path[ADDR_MAX + 1];

	addr_join(a, path, sizeof(path));
	if (buf_add(&s->blob, path, strlen(path) + 1) == -1) {
		session_broken(s);
		return;
	}
	session_step(s, STATE_WAIT);
	act = session_queue(s, what);
	act->text = (const char *)buf_data(&s->blob);
	act->size = size;
}

struct mail_params {
	bool		size_given, body_given, auth_given;
	uint64_t	size;
};

/* RFC 1870 section 3: 1 to 20 digits. */
static enum reply
param_size(const struct session *s, const struct cmd_param *p,
    struct mail_params *m)
{
	if (m->size_given)
		return REPLY_PARAM_TWICE;
	m->size_given = true;
	if (p->value == NULL)
		return REPLY_PARAM_SYNTAX;
	if (str_u64(p->value, p->value_len, UINT64_MAX, &m->size) == -1)
		return errno == ERANGE ? REPLY_TOO_BIG : REPLY_PARAM_SYNTAX;
	return m->size > s->conf->message_size ? REPLY_TOO_BIG : REPLY_NONE;
}

/* RFC 6152: what comes is kept as it is, so both mean the same here. */
static enum reply
param_body(const struct cmd_param *p, struct mail_params *m)
{
	if (m->body_given)
		return REPLY_PARAM_TWICE;
	m->body_given = true;
	if (p->value == NULL)
		return REPLY_PARAM_SYNTAX;
	if (has_word("7BIT 8BITMIME", p->value, p->value_len))
		return REPLY_NONE;
	return REPLY_BODY_VALUE;
}

/* RFC 4954 section 5: taken and not believed, as if it were <>. */
static enum reply
param_auth(const struct cmd_param *p, struct mail_params *m)
{
	if (m->auth_given)
		return REPLY_PARAM_TWICE;
	m->auth_given = true;
	if (p->value == NULL || !cmd_is_xtext(p->value, p->value_len))
		return REPLY_PARAM_SYNTAX;
	return REPLY_NONE;
}

static enum reply
mail_param(const struct session *s, const struct cmd_param *p,
    struct mail_params *m)
{
	if (!s->esmtp)		/* section 4.1.1.11: only after EHLO */
		return REPLY_PARAM;
	if (cmd_param_is(p, "SIZE"))
		return param_size(s, p, m);
	if (cmd_param_is(p, "BODY"))
		return param_body(p, m);
	if (cmd_param_is(p, "AUTH"))
		return param_auth(p, m);
	return REPLY_PARAM;
}

/* All the parameters of MAIL. REPLY_NONE, or the refusal. */
static enum reply
mail_params(const struct session *s, struct cmd *c, struct mail_params *m)
{
	struct cmd_param p;
	enum reply no = REPLY_NONE;
	enum cmd_next next;

	while ((next = cmd_param(c, &p)) == CMD_PARAM_ONE) {
		no = mail_param(s, &p, m);
		if (no != REPLY_NONE)
			return no;
	}
	return next == CMD_PARAM_BAD ? REPLY_PARAM_SYNTAX : REPLY_NONE;
}

static void
verb_mail(struct session *s, struct cmd *c)
{
	struct mail_params m = { .size = 0 };
	struct addr from;
	enum reply no;

	if (!take_path(s, c, "FROM:", ADDR_REVERSE, &from))
		return;
	no = mail_params(s, c, &m);
	if (no != REPLY_NONE) {
		session_refuse(s, no);
		return;
	}
	if (s->messages >= s->conf->messages_per_session) {
		session_say(s, REPLY_MAIL_LIMIT, NULL);
		return;
	}
	s->txn = calloc(1, sizeof(*s->txn));
	if (s->txn == NULL) {
		session_broken(s);
		return;
	}
	ask_store(s, SESSION_DO_BEGIN, &from, m.size);
	if (s->txn != NULL)
		s->txn->known = true;
}

static void
verb_rcpt(struct session *s, struct cmd *c)
{
	struct cmd_param p;
	struct addr to;

	if (!take_path(s, c, "TO:", ADDR_FORWARD, &to))
		return;
	switch (cmd_param(c, &p)) {
	case CMD_PARAM_ONE:
		session_refuse(s, REPLY_PARAM);
		return;
	case CMD_PARAM_BAD:
		session_refuse(s, REPLY_PARAM_SYNTAX);
		return;
	case CMD_PARAM_NONE:
	default:
		break;
	}
	if (s->txn->recipients >= s->conf->recipient_limit)
		session_say(s, REPLY_RCPT_LIMIT, NULL);
	else
		ask_store(s, SESSION_DO_RCPT, &to, 0);
}

static void
verb_data(struct session *s, struct cmd *c)
{
	const struct session_conf *conf = s->conf;

	if (!no_argument(s, c))
		return;
	data_init(&s->txn->data, conf->message_size,
	    conf->text_line == 0 ? 0 : conf->text_line - 2);
	session_queue(s, SESSION_DO_OPEN);
	session_step(s, STATE_WAIT);
}

/* CHUNKING is not offered. */
static void
verb_bdat(struct session *s, struct cmd *c)
{
	(void)c;
	session_refuse(s, REPLY_LATER);
}

static void
verb_rset(struct session *s, struct cmd *c)
{
	if (no_argument(s, c))
		session_accept(s, REPLY_OK, NULL);
}

static void
verb_noop(struct session *s, struct cmd *c)
{
	(void)c;
	session_accept(s, REPLY_OK, NULL);
}

static void
verb_vrfy(struct session *s, struct cmd *c)
{
	if (c->len == 0)
		session_refuse(s, REPLY_ARGUMENT);
	else
		session_accept(s, REPLY_VRFY, NULL);
}

static void
verb_help(struct session *s, struct cmd *c)
{
	(void)c;
	if (reply_add_line(&s->out, REPLY_HELP, true,
	    "EHLO HELO STARTTLS AUTH MAIL RCPT DATA") == -1 ||
	    reply_add_line(&s->out, REPLY_HELP, true,
	    "RSET NOOP VRFY HELP QUIT") == -1)
		session_broken(s);
	else
		session_accept(s, REPLY_HELP, NULL);
}

static void
verb_quit(struct session *s, struct cmd *c)
{
	if (no_argument(s, c))
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
