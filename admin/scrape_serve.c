/* SPDX-License-Identifier: ISC */
/*
 * The sockets of "posternctl metrics --listen": a few clients at a time, one
 * request each, all in one loop. Who connects is on this machine, and not
 * trusted: it costs a slot, 4 KiB and one reply, for ten seconds at most.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "admin/fail.h"
#include "admin/numbers.h"
#include "admin/scrape.h"
#include "lib/buf.h"
#include "lib/log.h"
#include "lib/now.h"

#define REPLY_MAX	(1U << 20)
#define BACKLOG		64

struct scrape {
	int		 fd;		/* -1: the place is free */
	uint64_t	 until;		/* ms */
	size_t		 len;
	bool		 said;		/* the reply is out: it may close */
	struct buf	 out;
	char		 in[SCRAPE_HEAD_MAX];
};

struct server {
	int		 listen;
	int		 signals;
	const char	*run_dir;
	struct scrape	 client[SCRAPE_CLIENTS];
};

static void
end(struct scrape *c)
{
	close(c->fd);
	c->fd = -1;
	buf_free(&c->out);
}

/* Write what goes. When all is out the client is to close first. */
static void
flush(struct scrape *c)
{
	ssize_t n;

	while (c->out.len > 0) {
		n = send(c->fd, buf_data(&c->out), c->out.len, MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno != EAGAIN)
			end(c);
		if (n == -1)
			return;
		buf_take(&c->out, (size_t)n);
	}
	c->said = true;
	if (shutdown(c->fd, SHUT_WR) == -1)
		end(c);
}

static void
answer(struct server *s, struct scrape *c, int code)
{
	struct numbers *n = NULL;
	struct buf body;

	buf_init(&body, REPLY_MAX);
	if (code == 200 && ((n = numbers_read(s->run_dir)) == NULL ||
	    numbers_openmetrics(n, &body) == -1))
		code = 503;
	c->until = now_monotonic() + SCRAPE_TIME;
	if (scrape_reply(&c->out, code, &body, (int64_t)time(NULL)) == -1)
		end(c);
	else
		flush(c);
	buf_free(&body);
	free(n);
}

static void
take_input(struct server *s, struct scrape *c)
{
	size_t head;
	ssize_t n;

	/* What comes behind the request is of no interest. */
	n = recv(c->fd, c->in + (c->said ? 0 : c->len),
	    sizeof(c->in) - (c->said ? 0 : c->len), 0);
	if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR)) {
		end(c);
		return;
	}
	if (n == -1 || c->said)
		return;
	c->len += (size_t)n;
	if ((head = scrape_head(c->in, c->len)) > 0)
		answer(s, c, scrape_judge(c->in, head));
	else if (c->len == sizeof(c->in))
		answer(s, c, 431);
}

static void
take_client(struct server *s)
{
	struct scrape *c;
	int fd;

	for (c = s->client; c < s->client + SCRAPE_CLIENTS; c++) {
		if (c->fd != -1)
			continue;
		fd = accept4(s->listen, NULL, NULL,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd == -1)
			return;
		c->fd = fd;
		c->len = 0;
		c->said = false;
		c->until = now_monotonic() + SCRAPE_TIME;
		buf_init(&c->out, REPLY_MAX + SCRAPE_HEAD_MAX);
	}
}

/* Out of time: who has not asked is told, who does not read is dropped. */
static void
expire(struct server *s, struct scrape *c, uint64_t now)
{
	if (now < c->until)
		return;
	if (c->said || c->out.len > 0 || c->len == 0)
		end(c);
	else
		answer(s, c, 408);
}

/* What to wait for; returns how long, in ms. */
static int
prepare(const struct server *s, struct pollfd *p, uint64_t now)
{
	uint64_t until = UINT64_MAX;
	bool room = false;

	for (size_t i = 0; i < SCRAPE_CLIENTS; i++) {
		const struct scrape *c = &s->client[i];

		p[i].fd = c->fd;
		p[i].events = c->out.len > 0 ? POLLOUT : POLLIN;
		room |= c->fd == -1;
		if (c->fd != -1 && c->until < until)
			until = c->until;
	}
	p[SCRAPE_CLIENTS].fd = room ? s->listen : -1;
	p[SCRAPE_CLIENTS].events = POLLIN;
	p[SCRAPE_CLIENTS + 1].fd = s->signals;
	p[SCRAPE_CLIENTS + 1].events = POLLIN;
	if (until == UINT64_MAX)
		return -1;
	return until <= now ? 0 : (int)(until - now);
}

static void
serve_clients(struct server *s, const struct pollfd *p)
{
	uint64_t now = now_monotonic();

	for (size_t i = 0; i < SCRAPE_CLIENTS; i++) {
		struct scrape *c = &s->client[i];

		if (c->fd == -1)
			continue;
		if (p[i].revents != 0 && c->out.len > 0)
			flush(c);
		else if (p[i].revents != 0)
			take_input(s, c);
		if (c->fd != -1)
			expire(s, c, now);
	}
}

/* One turn of the loop. False: it is over. */
static bool
serve_turn(struct server *s)
{
	struct pollfd p[SCRAPE_CLIENTS + 2];
	int wait = prepare(s, p, now_monotonic());

	if (poll(p, SCRAPE_CLIENTS + 2, wait) == -1) {
		if (errno == EINTR)
			return true;
		log_err("metrics: poll: %m");
		return false;
	}
	if (p[SCRAPE_CLIENTS + 1].revents != 0)
		return false;
	serve_clients(s, p);
	if (p[SCRAPE_CLIENTS].revents != 0)
		take_client(s);
	return true;
}

int
scrape_serve(int fd, const char *run_dir)
{
	struct server s = { .listen = fd, .run_dir = run_dir };
	sigset_t set;

	for (size_t i = 0; i < SCRAPE_CLIENTS; i++)
		s.client[i].fd = -1;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1 ||
	    (s.signals = signalfd(-1, &set, SFD_CLOEXEC)) == -1)
		return fail_errno("signals");
	while (serve_turn(&s))
		;
	for (size_t i = 0; i < SCRAPE_CLIENTS; i++)
		if (s.client[i].fd != -1)
			end(&s.client[i]);
	close(s.signals);
	return EX_OK;
}
