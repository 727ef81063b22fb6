/* SPDX-License-Identifier: ISC */
/*
 * retrieve-session: takes HTTPS connections and answers GET. All octets from
 * clients are hostile. It opens no file and holds no private key: the keys
 * process signs, auth knows who is who, the reader opens messages.
 */
#include <errno.h>
#include <event2/event.h>
#include <jansson.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/counts.h"
#include "lib/log.h"
#include "lib/priv.h"
#include "lib/role.h"
#include "lib/tls.h"
#include "retrieve/openapi_text.h"
#include "retrieve/serve.h"

#define CERTS_MAX	8
#define LISTENERS_MAX	CONF_LIST_MAX
#define HOSTS_MAX	(2 * CONF_LIST_MAX + 8)
#define ACCEPT_TURN	64	/* connections before others have their turn */
#define ACCEPT_REST	100	/* ms without accepting, out of descriptors */

static const int calls[] = {
	SCMP_SYS(accept4), SCMP_SYS(setsockopt), SCMP_SYS(getsockopt),
	SCMP_SYS(pread64), -1
};
static const struct priv_profile profile = { .calls = calls };
static struct server server;
static int certs[CERTS_MAX] = { -1, -1, -1, -1, -1, -1, -1, -1 };
static int counts_fd = -1;
static struct event *listeners[LISTENERS_MAX];
static size_t nlisteners;
static struct event *resting;		/* until listening goes on */
static const char *hosts[HOSTS_MAX + 1];
static char bracketed[CONF_LIST_MAX][64];

static void
on_file(void *arg, enum role_file what, uint32_t number, int fd)
{
	(void)arg;
	if (what == ROLE_FILE_CERT && number < CERTS_MAX &&
	    certs[number] == -1)
		certs[number] = fd;
	else if (what == ROLE_FILE_COUNTS && counts_fd == -1)
		counts_fd = fd;
	else
		close(fd);
}

static int
load_certs(struct server *sv)
{
	const char	*why;
	unsigned	 i;

	sv->tls = tls_new(TLS_USE_HTTP, true, keys_client_sign, &sv->keys);
	if (sv->tls == NULL)
		return -1;
	for (i = 0; i < CERTS_MAX; i++) {
		if (certs[i] == -1)
			continue;
		if (tls_add_chain(sv->tls, i, certs[i], &why) == -1) {
			log_err("http: certificate %u: %s", i, why);
			return -1;
		}
		close(certs[i]);
		certs[i] = -1;
	}
	return 0;
}

/* The names an absolute target may call us by. */
static void
name_hosts(const struct conf *conf)
{
	const struct conf_list	*l = &conf->https.addresses;
	size_t			 n = 0, i;

	hosts[n++] = conf->hostname;
	hosts[n++] = "localhost";
	hosts[n++] = "127.0.0.1";
	hosts[n++] = "[::1]";
	for (i = 0; i < conf->domains.n && i < CONF_LIST_MAX; i++)
		hosts[n++] = conf->domains.item[i];
	for (i = 0; i < l->n && i < CONF_LIST_MAX; i++) {
		if (strchr(l->item[i], ':') == NULL) {
			hosts[n++] = l->item[i];
			continue;
		}
		(void)snprintf(bracketed[i], sizeof(bracketed[i]), "[%s]",
		    l->item[i]);
		hosts[n++] = bracketed[i];
	}
	hosts[n] = NULL;
}

static void
set_limits(struct server *sv, const struct conf *conf)
{
	struct session_conf	*s = &sv->session;

	s->limits.line = (size_t)conf->request_line;
	s->limits.head = (size_t)conf->request_head;
	s->limits.fields = (size_t)conf->request_fields;
	s->requests = (uint32_t)conf->requests_per_connection;
	s->list_default = (uint32_t)conf->list_default;
	s->realm = conf->domains.n > 0 ? conf->domains.item[0] : "mail";
	s->hosts = hosts;
	s->openapi = openapi_text;
}

static void
set_listening(bool on)
{
	size_t	i;

	for (i = 0; i < nlisteners; i++)
		if (on)
			event_add(listeners[i], NULL);
		else
			event_del(listeners[i]);
}

static void
on_rested(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	set_listening(true);
}

static int
start(void *arg, struct event_base *base, const struct conf *conf)
{
	struct server	*sv = arg;

	sv->base = base;
	sv->conf = conf;
	TAILQ_INIT(&sv->clients);
	ids_init(&sv->logins);
	ids_init(&sv->questions);
	keys_client_init(&sv->keys);
	/* Its hash seed comes from a file, which will be out of reach. */
	json_object_seed(0);
	name_hosts(conf);
	set_limits(sv, conf);
	sv->in = malloc(SERVE_CHUNK);
	sv->out = malloc(2 * SERVE_CHUNK);
	resting = evtimer_new(base, on_rested, NULL);
	if (sv->in == NULL || sv->out == NULL || resting == NULL ||
	    getrandom(sv->key, sizeof(sv->key), 0) != sizeof(sv->key)) {
		log_err("http: %m");
		return -1;
	}
	if (counts_fd != -1) {
		sv->counts = counts_map(counts_fd, role_index());
		if (sv->counts == NULL) {
			log_err("http: counters: %m");
			return -1;
		}
		close(counts_fd);
	}
	return load_certs(sv);
}

static void
on_connection(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval	rest = { 0, ACCEPT_REST * 1000 };
	struct sockaddr_storage		addr;
	socklen_t			len;
	int				s, i;

	(void)what;
	for (i = 0; i < ACCEPT_TURN; i++) {
		memset(&addr, 0, sizeof(addr));
		len = sizeof(addr);
		s = accept4(fd, (struct sockaddr *)&addr, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (s != -1) {
			serve_accept(arg, s, &addr);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM) {
			log_err("http: accept: %m");
			set_listening(false);
			event_add(resting, &rest);
			return;
		}
		if (errno == EAGAIN)
			return;
		/* A connection that broke while it waited: the next one. */
	}
}

static void
on_listener(void *arg, enum listen_kind kind, int fd)
{
	struct server	*sv = arg;
	struct event	*ev = NULL;

	if (kind == LISTEN_HTTPS && nlisteners < LISTENERS_MAX)
		ev = event_new(sv->base, fd, EV_READ | EV_PERSIST,
		    on_connection, sv);
	if (ev == NULL || event_add(ev, NULL) == -1) {
		log_err("http: cannot listen");
		close(fd);
		return;
	}
	listeners[nlisteners++] = ev;
}

static void
on_peer(void *arg, enum role role, uint32_t instance, int fd)
{
	struct server	*sv = arg;

	(void)instance;
	switch (role) {
	case ROLE_AUTH_SERVER:
		login_peer(sv, fd);
		break;
	case ROLE_RETRIEVE_READER:
		ask_peer(sv, fd);
		break;
	case ROLE_TLS_KEYS:
		keys_client_set(&sv->keys, fd);
		break;
	default:
		close(fd);
		break;
	}
}

static void
on_drain(void *arg)
{
	size_t	i;
	int	fd;

	event_del(resting);
	for (i = 0; i < nlisteners; i++) {
		fd = event_get_fd(listeners[i]);
		event_free(listeners[i]);
		close(fd);
	}
	nlisteners = 0;
	serve_drain(arg);
}

int
main(int argc, char **argv)
{
	static const struct role_ops ops = {
		.role = ROLE_RETRIEVE_SESSION,
		.profile = &profile,
		.file = on_file,
		.start = start,
		.listener = on_listener,
		.peer = on_peer,
		.drain = on_drain,
	};

	return role_main(argc, argv, &ops, &server);
}
