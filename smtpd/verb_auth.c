/* SPDX-License-Identifier: ISC */
/*
 * AUTH and its dialogue (RFC 4954), as far as they are not the mechanism's.
 * Runs in smtpd-session; pure; all input is hostile.
 */
#include <errno.h>
#include <string.h>

#include "lib/base64.h"
#include "lib/str.h"
#include "smtpd/session_impl.h"

#define MECH_MAX	20	/* octets of a name, RFC 4422 section 3.1 */

static bool
is_mech_octet(char ch)
{
	return str_is_alnum(ch) || ch == '-' || ch == '_';
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

/* Does the client's TLS have what this mechanism, of the list, rests on? */
static bool
fits_tls(const struct session *s, const char *mech, size_t len)
{
	static const char plus[] = "-PLUS", external[] = "EXTERNAL";

	if (len > sizeof(plus) - 1 && str_caseeqn(mech + len -
	    (sizeof(plus) - 1), plus, sizeof(plus) - 1))
		return s->tls.binding;
	if (len == sizeof(external) - 1 && str_caseeqn(mech, external, len))
		return s->tls.external;
	return true;
}

void
verb_auth_list(const struct session *s, char *list, size_t size)
{
	const char *p = s->conf->mechs;
	size_t used = 0, n;

	list[0] = '\0';
	for (; *p != '\0'; p += n + (p[n] == ' ')) {
		n = strcspn(p, " ");
		if (n == 0 || !fits_tls(s, p, n) || used + n + 2 > size)
			continue;
		if (used > 0)
			list[used++] = ' ';
		memcpy(list + used, p, n);
		used += n;
		list[used] = '\0';
	}
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

void
verb_auth(struct session *s, struct cmd *c)
{
	size_t n = mech_len(c), rest = n + (n < c->len), i;
	char mech[MECH_MAX + 1] = "";
	bool initial = rest < c->len;

	if (n == 0) {
		session_refuse(s, REPLY_ARGUMENT);
		return;
	}
	if (n > MECH_MAX || !verb_has_word(s->conf->mechs, c->arg, n) ||
	    !fits_tls(s, c->arg, n)) {
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
