/* SPDX-License-Identifier: ISC */
/*
 * The mail transaction: MAIL and RCPT, their paths and parameters.
 * Runs in smtpd-session; pure; all input is hostile.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/str.h"
#include "mail/addr.h"
#include "smtpd/session_impl.h"

struct path {
	struct addr		 addr;
	enum addr_result	 result;
	bool			 ascii;		/* as it was sent */
};

/*
 * Cut the path off the front of the argument. False when a refusal was
 * given. What SMTPUTF8 decides about is left to check_path().
 */
static bool
take_path(struct session *s, struct cmd *c, const char *keyword,
    enum addr_use use, struct path *out)
{
	size_t used;

	if (!cmd_skip(c, keyword)) {
		session_refuse(s, REPLY_ARGUMENT);
		return false;
	}
	out->result = addr_parse_path(c->arg, c->len, use, &out->addr, &used);
	switch (out->result) {
	case ADDR_OK:
	case ADDR_BAD_DOMAIN:
	case ADDR_NO_MEMORY:
		out->ascii = str_is_ascii(c->arg, used);
		c->arg += used;
		c->len -= used;
		return true;
	case ADDR_TOO_LONG:
		session_refuse(s, REPLY_PATH_LONG);
		return false;
	case ADDR_NOT_UTF8:
		session_refuse(s, REPLY_NOT_UTF8);
		return false;
	case ADDR_SYNTAX:
	default:
		session_refuse(s, REPLY_PATH);
		return false;
	}
}

/* The rest, when the flags of the message are known. As take_path(). */
static bool
check_path(struct session *s, const struct path *p, unsigned flags,
    enum reply bad_domain)
{
	if (!p->ascii && (flags & STORE_UTF8) == 0)
		session_refuse(s, REPLY_NON_ASCII);
	else if (p->result == ADDR_BAD_DOMAIN)
		session_refuse(s, bad_domain);
	else if (p->result == ADDR_NO_MEMORY)
		session_broken(s);
	else
		return true;
	return false;
}

/* Queue an action with an address. */
static void
ask_store(struct session *s, enum session_do what, const struct addr *a,
    uint64_t size, unsigned flags)
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
	act->flags = flags;
}

struct mail_params {
	bool		size_given, body_given, auth_given;
	uint64_t	size;
	unsigned	flags;		/* of struct store_begin */
};

/* RFC 1870 section 3: 1 to 20 digits. */
static enum reply
param_size(const struct session *s, const struct cmd_param *p,
    struct mail_params *m)
{
	if (m->size_given)
		return REPLY_PARAM_TWICE;
	m->size_given = true;
	if (str_u64(p->value, p->value_len, UINT64_MAX, &m->size) == -1)
		return errno == ERANGE ? REPLY_TOO_BIG : REPLY_PARAM_SYNTAX;
	return m->size > s->conf->message_size ? REPLY_TOO_BIG : REPLY_NONE;
}

/*
 * RFC 6152: what comes is kept as it is, so 7BIT and 8BITMIME mean the same
 * here. RFC 3030 section 3: BINARYMIME.
 */
static enum reply
param_body(const struct cmd_param *p, struct mail_params *m)
{
	if (m->body_given)
		return REPLY_PARAM_TWICE;
	m->body_given = true;
	if (p->value == NULL)
		return REPLY_PARAM_SYNTAX;
	if (verb_has_word("BINARYMIME", p->value, p->value_len))
		m->flags |= STORE_BINARY;
	else if (!verb_has_word("7BIT 8BITMIME", p->value, p->value_len))
		return REPLY_BODY_VALUE;
	return REPLY_NONE;
}

/* RFC 4954 section 5: taken and not believed, as if it were <>. */
static enum reply
param_auth(const struct cmd_param *p, struct mail_params *m)
{
	if (m->auth_given)
		return REPLY_PARAM_TWICE;
	m->auth_given = true;
	if (!cmd_is_xtext(p->value, p->value_len))
		return REPLY_PARAM_SYNTAX;
	return REPLY_NONE;
}

/* RFC 6531 section 3.4: without a value */
static enum reply
param_utf8(const struct cmd_param *p, struct mail_params *m)
{
	if ((m->flags & STORE_UTF8) != 0)
		return REPLY_PARAM_TWICE;
	m->flags |= STORE_UTF8;
	return p->value == NULL ? REPLY_NONE : REPLY_PARAM_SYNTAX;
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
	if (cmd_param_is(p, "SMTPUTF8"))
		return param_utf8(p, m);
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

void
verb_mail(struct session *s, struct cmd *c)
{
	struct mail_params m = { .size = 0 };
	struct path from;
	enum reply no;

	if (!take_path(s, c, "FROM:", ADDR_REVERSE, &from))
		return;
	no = mail_params(s, c, &m);
	if (no != REPLY_NONE) {
		session_refuse(s, no);
		return;
	}
	if (!check_path(s, &from, m.flags, REPLY_SENDER_DOMAIN))
		return;
	if (s->messages >= s->conf->messages_per_session) {
		session_say(s, REPLY_MAIL_LIMIT, NULL);
		return;
	}
	s->txn = calloc(1, sizeof(*s->txn));
	if (s->txn == NULL) {
		session_broken(s);
		return;
	}
	s->txn->flags = m.flags;
	ask_store(s, SESSION_DO_BEGIN, &from.addr, m.size, m.flags);
	if (s->txn != NULL)
		s->txn->known = true;
}

void
verb_rcpt(struct session *s, struct cmd *c)
{
	struct cmd_param p;
	struct path to;

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
	if (!check_path(s, &to, s->txn->flags, REPLY_RCPT_DOMAIN))
		return;
	if (s->txn->recipients >= s->conf->recipient_limit)
		session_say(s, REPLY_RCPT_LIMIT, NULL);
	else
		ask_store(s, SESSION_DO_RCPT, &to.addr, 0, 0);
}
