/* SPDX-License-Identifier: ISC */
/*
 * Listening sockets that were bound by whoever started the master: socket
 * activation, as sd_listen_fds(3) has it. The conf still says what is
 * listened on; such a socket stands in for one that would be bound.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/master_impl.h"
#include "lib/str.h"

#define FIRST_FD	3	/* SD_LISTEN_FDS_START */

static int
option(int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int value = 0;

	return getsockopt(fd, level, name, &value, &len) == -1 ? -1 : value;
}

/* Where is it bound, and is it what we would have bound? */
static int
look_at(struct inherited *s)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	uint16_t port;

	if (option(s->fd, SOL_SOCKET, SO_ACCEPTCONN) != 1 ||
	    option(s->fd, SOL_SOCKET, SO_PROTOCOL) != IPPROTO_TCP ||
	    getsockname(s->fd, (struct sockaddr *)&ss, &len) == -1)
		return -1;
	ip_of(&ss, s->ip);
	memcpy(&port, (char *)&ss + offsetof(struct sockaddr_in, sin_port),
	    sizeof(port));
	s->port = ntohs(port);
	s->both = ss.ss_family == AF_INET6 &&
	    memcmp(s->ip, &in6addr_any, IP_SIZE) == 0 &&
	    option(s->fd, IPPROTO_IPV6, IPV6_V6ONLY) == 0;
	return 0;
}

/* The conf's backlog and options count, not those of the other program. */
static int
make_ours(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) == -1 ||
	    listen(fd, LISTEN_BACKLOG) == -1 ? -1 : 0;
}

int
inherit_sockets(struct inheritance *in)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	const char *names = getenv("LISTEN_FDNAMES");
	uint64_t p, n;

	in->n = 0;
	if (names == NULL)
		names = "";
	if (pid == NULL || count == NULL ||
	    str_u64(pid, strlen(pid), INT_MAX, &p) == -1 ||
	    p != (uint64_t)getpid())
		return 0;
	if (str_u64(count, strlen(count), MASTER_LISTENERS, &n) == -1) {
		log_err("listen: LISTEN_FDS is no number up to %d",
		    MASTER_LISTENERS);
		return -1;
	}
	for (; in->n < n; in->n++) {
		struct inherited *s = &in->item[in->n];
		size_t len = strcspn(names, ":");

		s->fd = FIRST_FD + (int)in->n;
		s->used = false;
		/* One that is too long is no name of ours. */
		(void)str_copyn(s->name, sizeof(s->name), names, len);
		names += len + (names[len] == ':');
		if (look_at(s) == -1 || make_ours(s->fd) == -1) {
			log_err("listen: descriptor=%d was handed over, and is "
			    "no TCP socket that listens", s->fd);
			return -1;
		}
	}
	return 0;
}

int
inherit_take(struct inheritance *in, const struct sockaddr_storage *where,
    uint64_t port, const char *name, uint64_t *bound)
{
	unsigned char ip[IP_SIZE];

	ip_of(where, ip);
	for (size_t i = 0; i < in->n; i++) {
		struct inherited *s = &in->item[i];
		bool any4 = where->ss_family == AF_INET &&
		    ((const struct sockaddr_in *)where)->sin_addr.s_addr ==
		    INADDR_ANY;

		if (memcmp(s->ip, ip, IP_SIZE) != 0 && !(s->both && any4))
			continue;
		if (port == 0 ? strcmp(s->name, name) != 0 : s->port != port)
			continue;
		s->used = true;
		*bound = s->port;
		return fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
	}
	errno = ENOENT;
	return -1;
}

int
inherit_check(const struct inheritance *in)
{
	char text[IP_TEXT];
	int r = 0;

	for (size_t i = 0; i < in->n; i++)
		if (!in->item[i].used) {
			log_err("listen: descriptor=%d was handed over, and "
			    "no listener of the conf is at address=%s "
			    "port=%" PRIu64, in->item[i].fd,
			    ip_text(in->item[i].ip, text), in->item[i].port);
			r = -1;
		}
	return r;
}
