/* SPDX-License-Identifier: ISC */
/*
 * Taking connections in smtpd-session, within the limits that all session
 * processes share. Those over a limit are told so and closed at once.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/counts.h"
#include "lib/log.h"
#include "smtpd/driver.h"

#define ACCEPT_TURN	8	/* connections taken before others' turn */
#define ACCEPT_REST_MS	100	/* without descriptors or memory */

/* The peer as IPv6, IPv4 mapped. */
static void
map_address(const struct sockaddr_storage *ss, struct sockaddr_in6 *out)
{
	struct sockaddr_in in;

	memset(out, 0, sizeof(*out));
	if (ss->ss_family == AF_INET6) {
		memcpy(out, ss, sizeof(*out));
		return;
	}
	out->sin6_family = AF_INET6;
	if (ss->ss_family != AF_INET)
		return;
	memcpy(&in, ss, sizeof(in));
	out->sin6_port = in.sin_port;
	out->sin6_addr.s6_addr[10] = out->sin6_addr.s6_addr[11] = 0xff;
	memcpy(&out->sin6_addr.s6_addr[12], &in.sin_addr, 4);
}

/* Say why there is no service; under implicit TLS nothing can be said. */
static void
turn_away(struct driver *d, int fd, enum listen_kind kind, enum reply r)
{
	struct buf line;
	ssize_t n = 0;

	buf_init(&line, 512);
	if (kind == LISTEN_SUBMISSION &&
	    reply_add(&line, r, d->conf.hostname) == 0)
		n = send(fd, buf_data(&line), line.len,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	buf_free(&line);
	(void)n;		/* it is gone either way */
	shutdown(fd, SHUT_WR);
	close(fd);
}

static void
take(struct listener *l, int fd, const struct sockaddr_storage *ss)
{
	struct driver *d = l->driver;
	struct sockaddr_in6 peer;
	char address[64];
	int on = 1, over = 0;

	map_address(ss, &peer);
	if (d->counts != NULL)
		over = counts_enter(d->counts,
		    (const struct sockaddr *)&peer, d->connections,
		    d->connections_per_address);
	if (over != 0) {
		log_notice("smtp: turned away client=%s reason=\"too many "
		    "connections%s\"",
		    client_address(&peer, address, sizeof(address)),
		    over == 1 ? "" : " from the address");
		turn_away(d, fd, l->kind, over == 1 ? REPLY_BUSY :
		    REPLY_CROWDED);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	client_new(d, fd, &peer, l->kind == LISTEN_SUBMISSIONS);
}

static void
set_accepting(struct driver *d, bool on)
{
	size_t i;

	for (i = 0; i < d->nlisteners; i++)
		if (on)
			event_add(d->listeners[i].event, NULL);
		else
			event_del(d->listeners[i].event);
}

/* Nothing to take a connection with: rest, not spin. */
static void
rest(struct driver *d)
{
	static const struct timeval wait = { 0, ACCEPT_REST_MS * 1000 };

	log_warn("smtp: cannot accept: %m");
	set_accepting(d, false);
	event_add(d->accept_again, &wait);
}

static void
on_accept_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	set_accepting(arg, true);
}

static void
on_accept(evutil_socket_t lfd, short what, void *arg)
{
	struct listener *l = arg;
	struct sockaddr_storage ss;
	socklen_t len;
	int i, fd;

	(void)what;
	for (i = 0; i < ACCEPT_TURN; i++) {
		len = sizeof(ss);
		memset(&ss, 0, sizeof(ss));
		fd = accept4(lfd, (struct sockaddr *)&ss, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd != -1)
			take(l, fd, &ss);
		else if (errno == EMFILE || errno == ENFILE ||
		    errno == ENOBUFS || errno == ENOMEM) {
			rest(l->driver);
			return;
		} else if (errno == EAGAIN)
			return;
	}
}

void
accept_add(struct driver *d, enum listen_kind kind, int fd)
{
	struct listener *l;

	if (d->draining || d->nlisteners == DRIVER_LISTENERS)
		goto fail;
	if (d->accept_again == NULL)
		d->accept_again = evtimer_new(d->base, on_accept_again, d);
	l = &d->listeners[d->nlisteners];
	*l = (struct listener){ .fd = fd, .kind = kind, .driver = d };
	l->event = event_new(d->base, fd, EV_READ | EV_PERSIST, on_accept, l);
	if (l->event == NULL || d->accept_again == NULL)
		goto fail;
	d->nlisteners++;
	event_add(l->event, NULL);
	return;

fail:
	log_err("smtp: cannot use a listening socket");
	close(fd);
}

void
accept_stop(struct driver *d)
{
	size_t i;

	for (i = 0; i < d->nlisteners; i++) {
		event_free(d->listeners[i].event);
		close(d->listeners[i].fd);
	}
	d->nlisteners = 0;
	if (d->accept_again != NULL)
		evtimer_del(d->accept_again);
}
