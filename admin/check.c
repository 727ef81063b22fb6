/* SPDX-License-Identifier: ISC */
/*
 * posternctl check: would the services start with this conf? Run by the
 * administrator. Changes nothing; as root it asks in child processes what
 * the system users may. Says all that it finds, not the first alone.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "admin/admin.h"
#include "admin/check_impl.h"
#include "admin/fail.h"
#include "lib/conf.h"

const char check_cmd_usage[] = "check\n";

static void	say(const struct check *, const char *, const char *,
		    const char *, const char *, va_list)
		    __attribute__((format(printf, 5, 0)));

static void
say(const struct check *k, const char *section, const char *name,
    const char *kind, const char *fmt, va_list ap)
{
	int line = name != NULL ? conf_line(k->conf, section, name) : 0;

	fprintf(stderr, "%s:", k->file);
	if (line > 0)
		fprintf(stderr, "%d:", line);
	fprintf(stderr, " %s", kind);
	if (name != NULL)
		fprintf(stderr, "%s%s%s: ", section,
		    section[0] != '\0' ? "." : "", name);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

bool
check_bad(const struct check *k, const char *section, const char *name)
{
	return name != NULL && conf_line(k->conf, section, name) == -1;
}

void
check_error(struct check *k, const char *section, const char *name,
    const char *fmt, ...)
{
	va_list ap;

	if (check_bad(k, section, name))
		return;
	k->errors++;
	va_start(ap, fmt);
	say(k, section, name, "", fmt, ap);
	va_end(ap);
}

void
check_warn(struct check *k, const char *section, const char *name,
    const char *fmt, ...)
{
	va_list ap;

	if (check_bad(k, section, name))
		return;
	va_start(ap, fmt);
	say(k, section, name, "warning: ", fmt, ap);
	va_end(ap);
}

static void
check_users(struct check *k)
{
	static const char *const users[] = { "postern-auth", "postern-sasl",
	    "postern-session", "postern-keys", "postern-store",
	    "postern-read" };
	static const char *const groups[] = { "postern-auth",
	    "postern-mail" };
	size_t i;

	if (geteuid() != 0)
		return;
	for (i = 0; i < sizeof(users) / sizeof(users[0]); i++)
		if (getpwnam(users[i]) == NULL)
			check_error(k, "", NULL, "there is no system user %s",
			    users[i]);
	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (getgrnam(groups[i]) == NULL)
			check_error(k, "", NULL, "there is no system group %s",
			    groups[i]);
}

/* As the masters do. A port in use may be the running service's. */
static int
try_bind(const char *address, uint64_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	int fd, one = 1, r;
	bool v4;

	in.sin_port = in6.sin6_port = htons((uint16_t)port);
	v4 = inet_pton(AF_INET, address, &in.sin_addr) == 1;
	if (!v4 && inet_pton(AF_INET6, address, &in6.sin6_addr) != 1) {
		errno = EINVAL;
		return -1;
	}
	fd = socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!v4)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	r = v4 ? bind(fd, (struct sockaddr *)&in, sizeof(in)) :
	    bind(fd, (struct sockaddr *)&in6, sizeof(in6));
	if (r == -1 && errno == EADDRINUSE)
		r = 0;
	close(fd);
	return r;
}

static void
check_listener(struct check *k, const char *section,
    const struct conf_listen *l)
{
	size_t i;

	if (!l->on || check_bad(k, section, "port"))
		return;
	for (i = 0; i < l->addresses.n; i++)
		if (try_bind(l->addresses.item[i], l->port) == -1)
			check_error(k, section, "addresses",
			    "%s: port %u: %s", l->addresses.item[i],
			    (unsigned)l->port, strerror(errno));
}

static bool
share_address(const struct conf_listen *a, const struct conf_listen *b)
{
	size_t i, j;

	if (!a->on || !b->on || a->port != b->port || a->port == 0)
		return false;
	for (i = 0; i < a->addresses.n; i++)
		for (j = 0; j < b->addresses.n; j++)
			if (strcmp(a->addresses.item[i],
			    b->addresses.item[j]) == 0)
				return true;
	return false;
}

void
check_listeners(struct check *k)
{
	const struct {
		const char *section;
		const struct conf_listen *l;
	} kinds[] = {
		{ "listen submission", &k->conf->submission },
		{ "listen submissions", &k->conf->submissions },
		{ "listen https", &k->conf->https },
	};
	size_t i, j;

	for (i = 0; i < 3; i++) {
		check_listener(k, kinds[i].section, kinds[i].l);
		for (j = 0; j < i; j++)
			if (share_address(kinds[i].l, kinds[j].l))
				check_error(k, kinds[i].section, "port",
				    "%u is that of \"%s\" too",
				    (unsigned)kinds[i].l->port,
				    kinds[j].section);
	}
	if (!kinds[0].l->on && !kinds[1].l->on && !kinds[2].l->on)
		check_error(k, "", NULL, "there is no \"listen\" section");
}

int
check_cmd(const char *path, int argc, char **argv)
{
	struct check k = { .file = path };
	struct conf *c;

	(void)argv;
	if (argc != 1)
		return fail_usage(check_cmd_usage);
	if (admin_conf_faulty(path, &c, &k.errors) != EX_OK)
		return EX_CONFIG;
	k.conf = c;
	check_users(&k);
	check_places(&k);
	check_tls(&k);
	check_clients(&k);
	check_store(&k);
	check_aliases(&k);
	check_listeners(&k);
	conf_free(&c);
	if (k.errors > 0)
		return EX_CONFIG;
	puts("ok");
	return fflush(stdout) == 0 ? EX_OK : fail_errno("standard output");
}
