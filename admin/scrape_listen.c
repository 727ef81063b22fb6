/* SPDX-License-Identifier: ISC */
/*
 * Where "posternctl metrics --listen" may listen: on this machine alone, for
 * there is neither login nor TLS.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "admin/fail.h"
#include "admin/scrape.h"
#include "lib/str.h"

#define BACKLOG		64
#define LOOPBACK_NET	127	/* RFC 1122 section 3.2.1.3 */

union address {
	struct sockaddr		any;
	struct sockaddr_in	in;
	struct sockaddr_in6	in6;
	struct sockaddr_un	un;
};

/* Its length; 0 when it is no loopback address with a port. */
static socklen_t
parse_port(const char *text, union address *a)
{
	const char *colon = strrchr(text, ':');
	char host[64];
	uint64_t port;

	if (colon == NULL ||
	    str_u64(colon + 1, strlen(colon + 1), 65535, &port) == -1 ||
	    str_copyn(host, sizeof(host), text, (size_t)(colon - text)) == -1)
		return 0;
	if (strcmp(host, "[::1]") == 0) {
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_addr = in6addr_loopback;
		a->in6.sin6_port = htons((uint16_t)port);
		return sizeof(a->in6);
	}
	a->in.sin_family = AF_INET;
	a->in.sin_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, host, &a->in.sin_addr) != 1 ||
	    ntohl(a->in.sin_addr.s_addr) >> 24 != LOOPBACK_NET)
		return 0;
	return sizeof(a->in);
}

/* Make room at the path of a local socket that nobody listens on any more. */
static int
remove_old(const union address *a)
{
	struct stat st;
	int fd, r;

	if (lstat(a->un.sun_path, &st) == -1)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISSOCK(st.st_mode)) {
		errno = EEXIST;
		return -1;
	}
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return -1;
	r = connect(fd, &a->any, sizeof(a->un));
	close(fd);
	if (r == 0)
		errno = EADDRINUSE;
	return r == 0 || errno != ECONNREFUSED ? -1 : unlink(a->un.sun_path);
}

static void
tell_name(int fd, const union address *asked, char *name, size_t size)
{
	union address a = *asked;
	socklen_t len = sizeof(a);

	if (asked->any.sa_family == AF_UNIX ||
	    getsockname(fd, &a.any, &len) == -1)
		str_copy(name, size, asked->un.sun_path);
	else if (asked->any.sa_family == AF_INET6)
		snprintf(name, size, "[::1]:%u", ntohs(a.in6.sin6_port));
	else
		snprintf(name, size, "%s:%u", inet_ntoa(a.in.sin_addr),
		    ntohs(a.in.sin_port));
}

static int
open_socket(const union address *a, socklen_t len)
{
	int fd, one = 1, error;
	mode_t mask;

	fd = socket(a->any.sa_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (a->any.sa_family != AF_UNIX)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* What it tells is no secret: anyone may connect. */
	mask = umask(0111);
	if ((a->any.sa_family == AF_UNIX && remove_old(a) == -1) ||
	    bind(fd, &a->any, len) == -1 || listen(fd, BACKLOG) == -1) {
		error = errno;
		close(fd);
		errno = error;
		fd = -1;
	}
	umask(mask);
	return fd;
}

int
scrape_listen(const char *address, char *name, size_t size, int *status)
{
	union address a;
	socklen_t len;
	int fd;

	memset(&a, 0, sizeof(a));
	if (address[0] == '/') {
		a.un.sun_family = AF_UNIX;
		len = str_copy(a.un.sun_path, sizeof(a.un.sun_path),
		    address) == 0 ? sizeof(a.un) : 0;
	} else
		len = parse_port(address, &a);
	if (len == 0) {
		*status = fail_say(EX_USAGE, address, "not a loopback address "
		    "with a port, as 127.0.0.1:9464 or [::1]:9464, nor the "
		    "absolute path of a local socket");
		return -1;
	}
	if ((fd = open_socket(&a, len)) == -1) {
		*status = errno == EADDRINUSE || errno == EADDRNOTAVAIL ?
		    EX_UNAVAILABLE : EX_OK;
		if (*status == EX_OK)
			*status = fail_errno(address);
		else
			fail_say(0, address, strerror(errno));
		return -1;
	}
	tell_name(fd, &a, name, size);
	return fd;
}
