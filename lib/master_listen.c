/* SPDX-License-Identifier: ISC */
/*
 * The listening sockets of a master, and the files that say where they are.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/ipc.h"
#include "lib/log.h"
#include "lib/master_impl.h"
#include "lib/str.h"

static const char *const kind_names[LISTEN_COUNT] = {
	[LISTEN_NONE] = "none",
	[LISTEN_SUBMISSION] = "submission",
	[LISTEN_SUBMISSIONS] = "submissions",
	[LISTEN_HTTPS] = "https",
	[LISTEN_AUTH] = "auth",
};

static const struct conf_listen *
conf_of(const struct conf *c, enum listen_kind kind)
{
	if (kind == LISTEN_SUBMISSION)
		return &c->submission;
	if (kind == LISTEN_SUBMISSIONS)
		return &c->submissions;
	return kind == LISTEN_HTTPS ? &c->https : NULL;
}

static socklen_t
make_address(struct sockaddr_storage *ss, const char *text, uint64_t port)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port)
	};
	struct sockaddr_in6 in6 = {
		.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)
	};

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
		memcpy(ss, &in, sizeof(in));
		return sizeof(in);
	}
	inet_pton(AF_INET6, text, &in6.sin6_addr);
	memcpy(ss, &in6, sizeof(in6));
	return sizeof(in6);
}

static int
open_tcp(struct listener *l, struct inheritance *in)
{
	struct sockaddr_storage ss;
	socklen_t len = make_address(&ss, l->address, l->asked);
	int one = 1, saved;
	uint16_t port;

	l->fd = inherit_take(in, &ss, l->asked, kind_names[l->kind],
	    &l->port);
	if (l->fd != -1 || errno != ENOENT)
		return l->fd;
	l->fd = socket(ss.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->fd == -1)
		return -1;
	setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (ss.ss_family == AF_INET6)
		setsockopt(l->fd, IPPROTO_IPV6, IPV6_V6ONLY, &one,
		    sizeof(one));
	/* Accepted sockets inherit it: no reply waits for an ACK. */
	setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(l->fd, (struct sockaddr *)&ss, len) == -1 ||
	    listen(l->fd, LISTEN_BACKLOG) == -1 ||
	    getsockname(l->fd, (struct sockaddr *)&ss, &len) == -1) {
		saved = errno;
		close(l->fd);
		l->fd = -1;
		errno = saved;
		return -1;
	}
	/* The port is at the same place in both kinds of address. */
	memcpy(&port, (char *)&ss + offsetof(struct sockaddr_in, sin_port),
	    sizeof(port));
	l->port = ntohs(port);
	return 0;
}

static bool
take_over(struct listener *l, const struct listeners *old)
{
	for (size_t i = 0; old != NULL && i < old->n; i++) {
		const struct listener *o = &old->item[i];

		if (o->kind != l->kind || o->asked != l->asked ||
		    strcmp(o->address, l->address) != 0)
			continue;
		l->fd = fcntl(o->fd, F_DUPFD_CLOEXEC, 0);
		l->port = o->port;
		return l->fd != -1;
	}
	return false;
}

static int
open_one(struct listeners *ls, const struct listeners *old,
    struct inheritance *in, enum listen_kind kind, const char *address,
    uint64_t port)
{
	struct listener *l = &ls->item[ls->n];
	int r;

	if (ls->n == MASTER_LISTENERS) {
		log_err("listen: more than %d addresses", MASTER_LISTENERS);
		return -1;
	}
	l->kind = kind;
	l->asked = l->port = port;
	if (str_copy(l->address, sizeof(l->address),
	    kind == LISTEN_AUTH ? "auth.sock" : address) == -1)
		return -1;
	if (take_over(l, old)) {
		ls->n++;
		return 0;
	}
	if (kind == LISTEN_AUTH)
		r = l->fd = ipc_listen(address);
	else
		r = open_tcp(l, in);
	if (r == -1) {
		log_err("listen: %s: address=%s port=%" PRIu64 ": %m",
		    kind_names[kind], address, port);
		return -1;
	}
	ls->n++;
	return 0;
}

int
listeners_open(struct listeners *ls, const struct listeners *old,
    struct inheritance *in, const struct master_spec *spec,
    const struct conf *c)
{
	char path[4096];

	ls->n = 0;
	for (const enum listen_kind *k = spec->kinds; *k != LISTEN_NONE; k++) {
		const struct conf_listen *l = conf_of(c, *k);

		if (l == NULL) {
			snprintf(path, sizeof(path), "%s/auth.sock",
			    c->run_dir);
			if (open_one(ls, old, in, *k, path, 0) == -1)
				goto fail;
			continue;
		}
		for (size_t i = 0; l->on && i < l->addresses.n; i++)
			if (open_one(ls, old, in, *k,
			    l->addresses.item[i], l->port) == -1)
				goto fail;
	}
	if (ls->n > 0)
		return 0;
	log_err("listen: %s has no listener in the conf", spec->name);
fail:
	listeners_close(ls);
	return -1;
}

void
listeners_close(struct listeners *ls)
{
	for (size_t i = 0; i < ls->n; i++)
		close(ls->item[i].fd);
	ls->n = 0;
}

/* Replace the file run_dir/name.suffix by the text, as a whole. */
static int
write_file(const struct master_spec *spec, const struct conf *c,
    const char *suffix, const char *text)
{
	char path[4096], temp[4096];
	FILE *fp;
	int bad;

	snprintf(path, sizeof(path), "%s/%s.%s", c->run_dir, spec->name,
	    suffix);
	snprintf(temp, sizeof(temp), "%s/.%s.%s", c->run_dir, spec->name,
	    suffix);
	if ((fp = fopen(temp, "we")) == NULL) {
		log_err("master: %s: %m", temp);
		return -1;
	}
	bad = fputs(text, fp) == EOF;
	bad |= fchmod(fileno(fp), 0644) == -1;
	bad |= fclose(fp) == EOF;
	if (!bad && rename(temp, path) == 0)
		return 0;
	log_err("master: %s: %m", path);
	unlink(temp);
	return -1;
}

int
listeners_announce(const struct listeners *ls, const struct master_spec *spec,
    const struct conf *c)
{
	char text[MASTER_LISTENERS * 96] = "", pid[32];
	size_t n = 0;

	for (size_t i = 0; i < ls->n; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "%s %s %" PRIu64 "\n", kind_names[ls->item[i].kind],
		    ls->item[i].address, ls->item[i].port);
	snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (write_file(spec, c, "ports", text) == -1)
		return -1;
	/* Last, because those who wait for it read the ports then. */
	return write_file(spec, c, "pid", pid);
}

void
listeners_withdraw(const struct master_spec *spec, const struct conf *c)
{
	static const char *const suffixes[] = { "pid", "ports" };
	char path[4096];

	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s.%s", c->run_dir,
		    spec->name, suffixes[i]);
		unlink(path);
	}
}
