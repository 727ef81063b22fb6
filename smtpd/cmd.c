/* SPDX-License-Identifier: ISC */
/*
 * Command lines, cut and taken apart. Runs in smtpd-session; pure; all
 * input is hostile. A line ends with CRLF and nothing else (RFC 5321
 * section 2.3.8).
 */
#include <string.h>

#include "lib/str.h"
#include "smtpd/cmd.h"

static size_t
max_of(size_t a, size_t b)
{
	return a > b ? a : b;
}

void
cmd_reader_init(struct cmd_reader *r, const struct cmd_limits *lim)
{
	memset(r, 0, sizeof(*r));
	buf_init(&r->line,
	    max_of(lim->auth, max_of(lim->command, lim->parameter)));
}

void
cmd_reader_reset(struct cmd_reader *r)
{
	buf_wipe(&r->line);
	r->cr = r->over = r->sasl = r->chunk = false;
}

static bool
begins(const struct buf *b, const char *word)
{
	size_t n = strlen(word);

	return b->len >= n && str_caseeqn(buf_data(b), word, n);
}

/* How many octets may the line that begins in r have, without CRLF? */
static size_t
limit_of(const struct cmd_reader *r, const struct cmd_limits *lim,
    bool dialogue)
{
	if (dialogue || begins(&r->line, "AUTH "))
		return lim->auth;
	if (begins(&r->line, "MAIL ") || begins(&r->line, "RCPT "))
		return lim->parameter - 2;
	return lim->command - 2;
}

/* n octets without CR, LF and NUL; -1 when memory is short. */
static int
add_text(struct cmd_reader *r, const struct cmd_limits *lim, bool dialogue,
    const unsigned char *p, size_t n)
{
	size_t room = r->line.max - r->line.len;
	size_t take = n < room ? n : room;

	if (r->over)
		return 0;
	if (buf_add(&r->line, p, take) == -1)
		return -1;
	if (take < n || r->line.len > limit_of(r, lim, dialogue)) {
		r->over = true;
		r->sasl = dialogue || begins(&r->line, "AUTH ");
		r->chunk = !dialogue && begins(&r->line, "BDAT ");
		buf_wipe(&r->line);
	}
	return 0;
}

/* How many of the len octets come before the first CR, LF or NUL? */
static size_t
stretch(const unsigned char *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] == '\r' || p[i] == '\n' || p[i] == '\0')
			break;
	return i;
}

enum cmd_read
cmd_read(struct cmd_reader *r, const struct cmd_limits *lim, bool dialogue,
    const unsigned char *data, size_t len, size_t *used, bool *nomem)
{
	size_t i = 0, n;

	*used = len;
	while (i < len) {
		if (r->cr) {
			*used = i + 1;
			r->cr = false;
			if (data[i] != '\n')
				return CMD_BARE;
			return r->over ? CMD_LONG : CMD_LINE;
		}
		n = stretch(data + i, len - i);
		if (n > 0 && add_text(r, lim, dialogue, data + i, n) == -1) {
			*nomem = true;
			return CMD_MORE;
		}
		i += n;
		if (i == len)
			break;
		if (data[i] != '\r') {
			*used = i + 1;
			return CMD_BARE;
		}
		r->cr = true;
		i++;
	}
	return CMD_MORE;
}

static const struct {
	const char	*name;
	enum verb	 verb;
} verbs[] = {
	{ "EHLO", VERB_EHLO }, { "HELO", VERB_HELO },
	{ "STARTTLS", VERB_STARTTLS }, { "AUTH", VERB_AUTH },
	{ "MAIL", VERB_MAIL }, { "RCPT", VERB_RCPT }, { "DATA", VERB_DATA },
	{ "BDAT", VERB_BDAT }, { "RSET", VERB_RSET }, { "NOOP", VERB_NOOP },
	{ "VRFY", VERB_VRFY }, { "HELP", VERB_HELP }, { "QUIT", VERB_QUIT },
	{ "EXPN", VERB_LATER }, { "ETRN", VERB_LATER },
	{ "TURN", VERB_LATER }, { "ATRN", VERB_LATER },
	{ "SEND", VERB_LATER }, { "SOML", VERB_LATER },
	{ "SAML", VERB_LATER },
};

static enum verb
find_verb(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strlen(verbs[i].name) == len &&
		    str_caseeqn(verbs[i].name, s, len))
			return verbs[i].verb;
	return VERB_UNKNOWN;
}

void
cmd_parse(const char *line, size_t len, struct cmd *out)
{
	size_t n;

	/* RFC 5321 section 4.1.1: white space at the end is tolerated */
	while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t'))
		len--;
	for (n = 0; n < len && line[n] != ' '; n++)
		;
	out->verb = find_verb(line, n);
	if (n < len)
		n++;
	out->arg = line + n;
	out->len = len - n;
}

static void
advance(struct cmd *c, size_t n)
{
	c->arg += n;
	c->len -= n;
}

bool
cmd_skip(struct cmd *c, const char *keyword)
{
	size_t n = strlen(keyword);

	if (c->len < n || !str_caseeqn(c->arg, keyword, n))
		return false;
	advance(c, n);
	if (c->len > 0 && c->arg[0] == ' ')
		advance(c, 1);
	return true;
}

static size_t
key_len(const char *s, size_t len)
{
	size_t n;

	for (n = 0; n < len; n++)
		if (!str_is_alnum(s[n]) && (n == 0 || s[n] != '-'))
			break;
	return n;
}

static size_t
value_len(const char *s, size_t len)
{
	size_t n;

	for (n = 0; n < len; n++)
		if (s[n] < 33 || s[n] > 126 || s[n] == '=')
			break;
	return n;
}

enum cmd_next
cmd_param(struct cmd *c, struct cmd_param *out)
{
	memset(out, 0, sizeof(*out));
	if (c->len == 0)
		return CMD_PARAM_NONE;
	if (c->arg[0] != ' ')
		return CMD_PARAM_BAD;
	while (c->len > 0 && c->arg[0] == ' ')
		advance(c, 1);
	out->key = c->arg;
	out->key_len = key_len(c->arg, c->len);
	advance(c, out->key_len);
	if (out->key_len == 0)
		return CMD_PARAM_BAD;
	if (c->len > 0 && c->arg[0] == '=') {
		advance(c, 1);
		out->value = c->arg;
		out->value_len = value_len(c->arg, c->len);
		advance(c, out->value_len);
		if (out->value_len == 0)
			return CMD_PARAM_BAD;
	}
	if (c->len > 0 && c->arg[0] != ' ')
		return CMD_PARAM_BAD;
	return CMD_PARAM_ONE;
}

bool
cmd_param_is(const struct cmd_param *p, const char *key)
{
	return strlen(key) == p->key_len &&
	    str_caseeqn(p->key, key, p->key_len);
}

static bool
is_upper_hex(char ch)
{
	return (ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'F');
}

bool
cmd_is_xtext(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (s[i] < 33 || s[i] > 126 || s[i] == '=')
			return false;
		if (s[i] != '+')
			continue;
		if (len - i < 3 || !is_upper_hex(s[i + 1]) ||
		    !is_upper_hex(s[i + 2]))
			return false;
		i += 2;
	}
	return len > 0;
}
