/* SPDX-License-Identifier: ISC */
/*
 * A session process of HTTP without its sockets: two clients, answers of
 * auth and reader, in form or not, helpers that go and come. Connections
 * and channels are stand-ins. A bad message may end the process.
 */
#include <setjmp.h>

#define exit fuzz_exit
static void	fuzz_exit(int) __attribute__((noreturn));
#define on_input ask_on_input
#define on_gone ask_on_gone
#define lose ask_lose
#include "retrieve/ask.c"
#undef on_input
#undef on_gone
#undef lose
#include "retrieve/login.c"
#undef exit

#include "t/fuzz/fuzz-ipc.h"

struct chan {
	int	there;
};

static const char *const hosts[] = { "us.test", NULL };
static struct chan	channels[2];	/* auth, reader */
static struct server	server;
static struct client	*clients[2];
static jmp_buf		away;
static uint32_t		login_id, ask_id, ask_type;	/* last seen */

static void
fuzz_exit(int status)
{
	CHECK(status == EX_PROTOCOL);
	longjmp(away, 1);
}

struct chan *
chan_new(struct event_base *b, int fd, const struct chan_ops *o, void *arg)
{
	(void)b;
	(void)o;
	(void)arg;
	channels[fd].there = 1;
	return &channels[fd];
}

void
chan_free(struct chan **cp)
{
	if (*cp != NULL)
		(*cp)->there = 0;
	*cp = NULL;
}

/* What is sent is in form. */
int
chan_send(struct chan *c, const void *msg, size_t len, int fd)
{
	const struct auth_start		*a = msg;
	const struct reader_list	*r = msg;

	CHECK(c->there && fd == -1);
	if (c == &channels[0]) {
		CHECK(a->type == AUTH_START || a->type == AUTH_END);
		CHECK(a->type == AUTH_END || len == a->len +
		    offsetof(struct auth_start, data));
		login_id = a->id;
		return 0;
	}
	CHECK(r->type >= READER_LIST && r->type <= READER_PING && r->id != 0);
	if (r->type == READER_LIST)
		CHECK(len == sizeof(*r) && r->limit >= 1 &&
		    r->limit <= READER_LIMIT_MAX && r->ascending <= 1);
	ask_id = r->id;
	ask_type = r->type;
	return 0;
}

void
conn_drop(struct conn *c)
{
	(void)c;
}

void
role_want_peer(enum role r)
{
	CHECK(r == ROLE_AUTH_SERVER);
}

/* As serve.c does, without a file or a connection. */
void
serve_advance(struct client *c)
{
	struct session	*s = &c->http;

	for (;;) {
		buf_free(&s->out);
		if (s->fresh) {
			s->fresh = false;
			if (s->state == SESSION_LOGIN)
				login_need(c);
			else if (s->state == SESSION_LIST ||
			    s->state == SESSION_OPEN ||
			    s->state == SESSION_PING)
				ask_reader(c);
			else if (s->state == SESSION_BLOCK)
				session_block(s, "Subject: x\n\n", 12);
			else if (s->state != SESSION_BODY)
				ask_end(c);
			if (s->fresh || s->state == SESSION_BODY)
				continue;
			return;
		}
		if (s->state != SESSION_BODY)
			return;
		if (c->fd != -1)
			close(c->fd);
		c->fd = -1;
		session_sent(s);
	}
}

static void
end(int i)
{
	struct client	*c = clients[i];

	if (c == NULL)
		return;
	ask_end(c);
	login_end(c);
	session_free(&c->http);
	if (c->fd != -1)
		close(c->fd);
	TAILQ_REMOVE(&server.clients, c, link);
	free(c);
	clients[i] = NULL;
}

static void
begin(int i)
{
	struct client	*c = calloc(1, sizeof(*c));

	CHECK(c != NULL);
	c->server = &server;
	c->fd = -1;
	c->ip[15] = 1;
	session_init(&c->http, &server.session);
	TAILQ_INSERT_TAIL(&server.clients, c, link);
	clients[i] = c;
	serve_advance(c);
}

/* A request: whole ones are short to say. */
static void
client_says(struct fuzz *f, int i, uint8_t what)
{
	static const char *const paths[] = { "/mail/", "/mail/1.x",
	    "/mail/1.x/headers", "/healthz", "/mail/?limit=2&order=asc" };
	char		text[600], with[200];
	size_t		n;
	uint8_t		*more = fuzz_take(f, fuzz_octet(f), &n);
	const uint8_t	*p = (const uint8_t *)text;
	struct client	*c;

	snprintf(with, sizeof(with), "%.*s", (int)(n < 199 ? n : 199),
	    (const char *)more);
	free(more);
	n = (size_t)snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: "
	    "us.test\r\nAuthorization: Basic YTp%c\r\n%s\r\n",
	    what & 8 ? "HEAD" : "GET", paths[what % 5], what & 16 ? 'i' : 'j',
	    with);
	if (clients[i] == NULL)
		begin(i);
	c = clients[i];
	c->renewed = false;
	n -= session_input(&c->http, p, n);
	serve_advance(c);
	if (c->http.state == SESSION_OVER || n > 0)
		end(i);
}

static void
auth_says(struct fuzz *f, uint8_t what)
{
	static struct auth_reply	r;
	struct auth_id			i = { AUTH_REVOKED, login_id };
	size_t				len = sizeof(i);
	const void			*good = &i;
	void				*msg;

	memset(&r, 0, offsetof(struct auth_reply, data));
	r.type = AUTH_REPLY;
	r.id = login_id;
	r.lifetime = 60;
	r.status = what & 4 ? AUTH_OK : 1 + (what >> 2) %
	    (AUTH_STATUS_COUNT - 1);
	snprintf(r.user, 30, "alice@example.test");
	if (what % 4 > 0) {
		good = &r;
		len = offsetof(struct auth_reply, data);
	}
	msg = fuzz_datagram(f, good, &len);
	if (server.auth != NULL && setjmp(away) == 0)
		on_input(server.auth, &server, msg, len, -1);
	free(msg);
}

static void
hear_reader(const void *msg, size_t len, int fd)
{
	if (server.reader == NULL) {
		if (fd != -1)
			close(fd);
	} else if (setjmp(away) == 0) {
		ask_on_input(server.reader, &server, msg, len, fd);
	}
}

static void
reader_says(struct fuzz *f, uint8_t what)
{
	static struct {
		struct reader_listed	listed;
		struct reader_opened	opened;
		struct reader_pong	pong;
		struct reader_rows	rows;
	} g;
	size_t		len = sizeof(g.pong);
	const void	*good = &g.pong;
	int		fd = -1;
	void		*msg;

	memset(&g, 0, sizeof(g));
	g.listed.status = g.opened.status = g.pong.status =
	    what & 3 ? READER_OK : what % READER_STATUS_COUNT;
	g.listed.id = g.opened.id = g.pong.id = g.rows.id = ask_id;
	g.listed.type = READER_LISTED;
	g.listed.count = what % 3;
	g.opened.type = READER_OPENED;
	g.pong.type = READER_PONG;
	g.rows.type = READER_ROWS;
	g.rows.count = 1 + what % 2;
	if (ask_type == READER_LIST && what & 8) {
		good = &g.rows;
		len = offsetof(struct reader_rows, row[g.rows.count]);
	} else if (ask_type == READER_LIST) {
		good = &g.listed;
		len = sizeof(g.listed);
	} else if (ask_type == READER_OPEN) {
		g.opened.stored = g.opened.size = 12;
		good = &g.opened;
		len = sizeof(g.opened);
		if (g.opened.status == READER_OK)
			fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	msg = fuzz_datagram(f, good, &len);
	hear_reader(msg, len, fd);
	free(msg);
}

static void
turn(struct fuzz *f)
{
	uint8_t	what = fuzz_octet(f);

	switch (what % 8) {
	case 0:
	case 1:
		client_says(f, what % 8, what >> 3);
		break;
	case 2:
	case 3:
		auth_says(f, what >> 3);
		break;
	case 4:
	case 5:
		reader_says(f, what >> 3);
		break;
	case 6:
		end(what >> 3 & 1);
		break;
	default:
		if (what & 8 && server.auth != NULL)
			on_gone(server.auth, &server);
		else if (what & 8)
			login_peer(&server, 0);
		else if (server.reader != NULL)
			ask_on_gone(server.reader, &server);
		else
			ask_peer(&server, 1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz	f = { data, size };

	fuzz_quiet();
	memset(&server, 0, sizeof(server));
	server.session = (struct session_conf){
		.limits = { 200, 1000, 20 }, .requests = 9,
		.list_default = 3, .realm = "x", .hosts = hosts, .openapi = "x"
	};
	TAILQ_INIT(&server.clients);
	ids_init(&server.logins);
	ids_init(&server.questions);
	CHECK((server.blocked = blocked_new(8, server.key)) != NULL);
	login_peer(&server, 0);
	ask_peer(&server, 1);
	login_id = ask_id = ask_type = 1;
	while (f.len > 0)
		turn(&f);
	end(0);
	end(1);
	ids_free(&server.logins);
	ids_free(&server.questions);
	blocked_free(&server.blocked);
	return 0;
}
