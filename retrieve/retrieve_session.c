/* SPDX-License-Identifier: ISC */
/*
 * retrieve-session: takes HTTPS connections and answers GET. All octets from
 * clients are hostile. It opens no file and holds no private key: the keys
 * process signs, auth knows who is who, the reader opens messages.
 */
#include <errno.h>
#include <jansson.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/accept.h"
#include "lib/blocked.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/priv.h"
#include "lib/role.h"
#include "lib/tls.h"
#include "retrieve/openapi_text.h"
#include "retrieve/serve.h"

#define HOSTS_MAX	(2 * CONF_LIST_MAX + 8)

static const int calls[] = {
	SCMP_SYS(accept4), SCMP_SYS(getsockopt), SCMP_SYS(pread64), -1
};
static const struct priv_profile profile = { .calls = calls };
static struct server server;
static int certs[CONF_CERTS_MAX] = { -1, -1 };
static int counts_fd = -1;
static const char *hosts[HOSTS_MAX + 1];
static char bracketed[CONF_LIST_MAX][64];

static void
on_file(void *arg, enum role_file what, uint32_t number, int fd)
{
	(void)arg;
	if (what == ROLE_FILE_CERT && number < CONF_CERTS_MAX &&
	    certs[number] == -1)
		certs[number] = fd;
	else if (what == ROLE_FILE_COUNTS && counts_fd == -1)
		counts_fd = fd;
	else
		close(fd);
}

static int
start_tls(struct server *sv)
{
	sv->tls = tls_new(TLS_USE_HTTP, true, keys_client_sign, &sv->keys);
	if (sv->tls == NULL) {
		log_err("http: cannot set TLS up");
		return -1;
	}
	return tls_add_chains(sv->tls, certs, CONF_CERTS_MAX);
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
	if (sv->in == NULL || sv->out == NULL ||
	    getrandom(sv->key, sizeof(sv->key), 0) != sizeof(sv->key) ||
	    (sv->blocked = blocked_new(AUTH_BLOCKED_MAX, sv->key)) == NULL) {
		log_err("http: %m");
		return -1;
	}
	sv->accept = accept_new(base, conf, counts_fd, &serve_accept_ops, sv);
	return sv->accept == NULL ? -1 : start_tls(sv);
}

static void
on_listener(void *arg, enum listen_kind kind, int fd)
{
	struct server	*sv = arg;

	accept_add(sv->accept, kind, fd);
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
	struct server	*sv = arg;

	accept_stop(sv->accept);
	serve_drain(sv);
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
