/* SPDX-License-Identifier: ISC */
/*
 * The HTTP engine, run by retrieve-session. Input is hostile; what comes
 * from auth and reader was checked by the driver. Only session_step() writes
 * the state. Replies to one request are made in session_reply.c.
 */
#include <string.h>

#include "lib/log.h"
#include "lib/str.h"
#include "retrieve/session_impl.h"
#include "retrieve/target.h"

/* Which states may follow which; all the rest is a bug of ours. */
static const bool follows[SESSION_COUNT][SESSION_COUNT] = {
	[SESSION_NONE] = { [SESSION_HEAD] = true },
	[SESSION_HEAD] = { [SESSION_HEAD] = true, [SESSION_LOGIN] = true,
	    [SESSION_PING] = true, [SESSION_OVER] = true },
	[SESSION_LOGIN] = { [SESSION_HEAD] = true, [SESSION_LIST] = true,
	    [SESSION_OPEN] = true, [SESSION_OVER] = true },
	[SESSION_LIST] = { [SESSION_HEAD] = true, [SESSION_LIST] = true,
	    [SESSION_OVER] = true },
	[SESSION_OPEN] = { [SESSION_HEAD] = true, [SESSION_BODY] = true,
	    [SESSION_BLOCK] = true, [SESSION_OVER] = true },
	[SESSION_BLOCK] = { [SESSION_HEAD] = true, [SESSION_OVER] = true },
	[SESSION_PING] = { [SESSION_HEAD] = true, [SESSION_OVER] = true },
	[SESSION_BODY] = { [SESSION_HEAD] = true, [SESSION_OVER] = true },
};

void
session_step(struct session *s, enum session_state next)
{
	BUG_IF(!follows[s->state][next]);
	s->state = next;
	s->fresh = true;
}

/* Forget the request, keep the connection. */
static void
forget(struct session *s)
{
	request_free(&s->req);
	free(s->query);
	s->query = NULL;
	free(s->head);
	s->head = NULL;
	if (s->list != NULL)
		list_free(s->list);
	free(s->list);
	s->list = NULL;
	s->rows = 0;
	s->peek = false;
}

void
session_init(struct session *s, const struct session_conf *conf)
{
	memset(s, 0, sizeof(*s));
	s->conf = conf;
	request_init(&s->req);
	buf_init(&s->out, 128 * 1024 * 1024);
	session_step(s, SESSION_HEAD);
}

void
session_free(struct session *s)
{
	forget(s);
	buf_free(&s->out);
}

void
session_done(struct session *s)
{
	forget(s);
	s->served++;
	session_step(s, s->close ? SESSION_OVER : SESSION_HEAD);
}

void
session_drain(struct session *s)
{
	s->close = true;
	if (s->state == SESSION_HEAD && !request_begun(&s->req))
		session_step(s, SESSION_OVER);
}

void
session_last(struct session *s)
{
	s->close = true;
}

void
session_slow(struct session *s)
{
	if (s->state != SESSION_HEAD)
		return;
	s->close = true;
	if (request_begun(&s->req)) {
		session_log_request(s);
		session_refuse(s, 408, NULL);
	} else {
		session_step(s, SESSION_OVER);
	}
}

/* Does an absolute target name us, and the same host as Host does? */
static bool
is_ours(const struct session *s, const struct target *t)
{
	struct span		 host = request_field(&s->req, FIELD_HOST);
	struct span		 name = t->authority;
	const char *const	*h;
	const char		*end;

	if (!t->secure || (host.s != NULL && (host.len != name.len ||
	    !str_caseeqn(host.s, name.s, host.len))))
		return false;
	end = memchr(name.s, name.s[0] == '[' ? ']' : ':', name.len);
	if (end != NULL)
		name.len = (size_t)(end - name.s) + (name.s[0] == '[');
	for (h = s->conf->hosts; *h != NULL; h++)
		if (span_is(name, *h))
			return true;
	return false;
}

/* The checks that need no login. True when the request may go on. */
static bool
admit(struct session *s, struct target *t)
{
	const char	*why;

	if (s->req.method == METHOD_OTHER) {
		/* Its body is not read, so the stream ends here. */
		s->close = s->close || s->req.body;
		session_refuse(s, 405, NULL);
		return false;
	}
	if ((why = target_parse(t, request_target(&s->req))) != NULL) {
		session_refuse(s, 400, why);
		return false;
	}
	if (t->asterisk) {
		if (s->req.method == METHOD_OPTIONS)
			session_options(s);
		else
			session_refuse(s, 400, "malformed target");
		return false;
	}
	if (t->authority.s != NULL && !is_ours(s, t)) {
		session_refuse(s, 421, NULL);
		return false;
	}
	s->route = route_find(t->path, s->id);
	if (!s->route->cross_site && span_is(request_field(&s->req,
	    FIELD_SEC_FETCH_SITE), "cross-site")) {
		session_refuse(s, 403, "asked for by another site");
		return false;
	}
	return true;
}

static void
begin(struct session *s)
{
	struct target	t;

	s->close = s->close || s->req.close ||
	    s->served + 1 >= s->conf->requests;
	if (!admit(s, &t))
		return;
	if (s->route->open)
		session_serve(s);
	else if (request_field(&s->req, FIELD_AUTHORIZATION).s == NULL)
		session_refuse(s, 401, NULL);
	else
		session_step(s, SESSION_LOGIN);
}

size_t
session_input(struct session *s, const unsigned char *data, size_t len)
{
	size_t	used;

	if (s->state != SESSION_HEAD)
		return 0;
	switch (request_read(&s->req, &s->conf->limits, data, len, &used)) {
	case REQUEST_MORE:
		break;
	case REQUEST_BAD:
		s->close = true;
		session_log_request(s);
		session_refuse(s, s->req.code, s->req.why);
		break;
	case REQUEST_DONE:
		session_log_request(s);
		begin(s);
		break;
	}
	return used;
}

struct span
session_credentials(const struct session *s)
{
	return request_field(&s->req, FIELD_AUTHORIZATION);
}

void
session_login(struct session *s, enum session_verdict v, const char *user,
    uint32_t retry_after)
{
	BUG_IF(s->state != SESSION_LOGIN);
	switch (v) {
	case SESSION_ADMITTED:
		if (str_copy(s->user, sizeof(s->user), user) == 0)
			session_serve(s);
		else
			session_fail(s);
		break;
	case SESSION_REJECTED:
		session_refuse(s, 401, NULL);
		break;
	case SESSION_THROTTLED:
		session_refuse_later(s, 429, "too many failed logins",
		    retry_after);
		break;
	case SESSION_UNSURE:
		session_fail(s);
		break;
	}
}

void
session_sent(struct session *s)
{
	BUG_IF(s->state != SESSION_BODY);
	session_done(s);
}
