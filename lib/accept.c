/* SPDX-License-Identifier: ISC */
/*
 * Taking connections, see accept.h. Sessions only. Whoever connects is
 * hostile; nothing is read here.
 */
#include "lib/accept.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/blocked.h"
#include "lib/conf.h"
#include "lib/counts.h"
#include "lib/log.h"
#include "lib/now.h"
#include "lib/stats.h"

#define ACCEPT_SOCKETS	CONF_LIST_MAX
#define ACCEPT_TURN	32	/* connections before others' turn */
#define ACCEPT_REST	100	/* ms without accepting, out of descriptors */

struct socket {
	struct accept		*accept;
	struct event		*event;
	enum listen_kind	 kind;
	int			 fd;
};

struct accept {
	struct event_base	*base;
	const struct accept_ops	*ops;
	void			*arg;
	struct counts		*counts;
	struct blocked		*blocked;	/* or NULL */
	struct event		*again;		/* the end of a rest */
	uint32_t		 limit, limit_per_address;
	struct socket		 sockets[ACCEPT_SOCKETS];
	size_t			 n;
};

static void
set_accepting(struct accept *a, bool on)
{
	for (size_t i = 0; i < a->n; i++)
		if (on)
			event_add(a->sockets[i].event, NULL);
		else
			event_del(a->sockets[i].event);
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	set_accepting(arg, true);
}

/* Nothing to take a connection with: rest, not spin. */
static void
rest(struct accept *a)
{
	static const struct timeval wait = { 0, ACCEPT_REST * 1000 };

	log_err("accept: %m");
	set_accepting(a, false);
	event_add(a->again, &wait);
}

/* Is it let in? Then it is counted. */
static enum accept_refusal
judge(struct accept *a, const unsigned char ip[IP_SIZE])
{
	if (a->blocked != NULL && blocked_wait(a->blocked, ip,
	    now_boot()) > 0)
		return ACCEPT_BLOCKED;
	switch (counts_enter(a->counts, ip, a->limit, a->limit_per_address)) {
	case 0:
		return ACCEPT_NOT_REFUSED;
	case 1:
		return ACCEPT_BUSY;
	default:
		return ACCEPT_CROWDED;
	}
}

static void
log_refusal(struct accept *a, const unsigned char ip[IP_SIZE],
    enum accept_refusal why)
{
	static const char *const limits[] = {
		[ACCEPT_BUSY] = "connections",
		[ACCEPT_CROWDED] = "connections_per_address",
		[ACCEPT_BLOCKED] = "failure_limit",
	};
	char address[IP_TEXT], count[32] = "";
	uint32_t n;

	/* One who is blocked must not be able to fill the log. */
	if (why == ACCEPT_BLOCKED) {
		n = blocked_count(a->blocked, ip, now_boot());
		if (n == 0)
			return;
		snprintf(count, sizeof(count), " count=%u", (unsigned)n);
	}
	log_notice("accept: refused client=%s limit=%s%s",
	    ip_text(ip, address), limits[why], count);
}

static void
take(struct socket *s, int fd, const struct sockaddr_storage *ss)
{
	struct accept *a = s->accept;
	enum accept_refusal why;
	unsigned char ip[IP_SIZE];

	ip_of(ss, ip);
	why = judge(a, ip);
	stats_add(STATS_CONNECTIONS + (unsigned)why, 1);
	if (why == ACCEPT_NOT_REFUSED) {
		a->ops->taken(a->arg, s->kind, fd, ip);
		return;
	}
	log_refusal(a, ip, why);
	if (a->ops->refused != NULL)
		a->ops->refused(a->arg, s->kind, fd, why);
	close(fd);
}

static void
on_connection(evutil_socket_t listening, short what, void *arg)
{
	struct socket *s = arg;
	struct sockaddr_storage ss;
	socklen_t len;
	int fd;

	(void)what;
	for (int i = 0; i < ACCEPT_TURN; i++) {
		memset(&ss, 0, sizeof(ss));
		len = sizeof(ss);
		fd = accept4(listening, (struct sockaddr *)&ss, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd != -1)
			take(s, fd, &ss);
		else if (errno == EMFILE || errno == ENFILE ||
		    errno == ENOBUFS || errno == ENOMEM) {
			rest(s->accept);
			return;
		} else if (errno == EAGAIN)
			return;
		/* Another error is of a connection that broke: the next. */
	}
}

struct accept *
accept_new(struct event_base *base, const struct conf *conf, int counts_fd,
    const struct accept_ops *ops, void *arg)
{
	struct accept *a = calloc(1, sizeof(*a));

	if (a == NULL)
		goto fail;
	a->base = base;
	a->ops = ops;
	a->arg = arg;
	a->limit = (uint32_t)conf->connections;
	a->limit_per_address = (uint32_t)conf->connections_per_address;
	a->counts = counts_map(counts_fd, role_index());
	a->again = evtimer_new(base, on_again, a);
	if (a->counts == NULL || a->again == NULL)
		goto fail;
	close(counts_fd);
	return a;

fail:
	log_err("accept: %m");
	if (counts_fd != -1)
		close(counts_fd);
	if (a != NULL && a->again != NULL)
		event_free(a->again);
	if (a != NULL)
		counts_unmap(&a->counts);
	free(a);
	return NULL;
}

void
accept_add(struct accept *a, enum listen_kind kind, int fd)
{
	struct socket *s = &a->sockets[a->n];

	if (a->n == ACCEPT_SOCKETS)
		goto fail;
	*s = (struct socket){ .accept = a, .kind = kind, .fd = fd };
	s->event = event_new(a->base, fd, EV_READ | EV_PERSIST, on_connection,
	    s);
	if (s->event == NULL || event_add(s->event, NULL) == -1)
		goto fail;
	a->n++;
	return;

fail:
	log_err("accept: cannot use a listening socket");
	close(fd);
}

void
accept_block(struct accept *a, struct blocked *b)
{
	a->blocked = b;
}

void
accept_stop(struct accept *a)
{
	event_del(a->again);
	for (size_t i = 0; i < a->n; i++) {
		event_free(a->sockets[i].event);
		close(a->sockets[i].fd);
	}
	a->n = 0;
}

void
accept_left(struct accept *a, const unsigned char ip[IP_SIZE])
{
	counts_leave(a->counts, ip);
}
