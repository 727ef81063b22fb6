/* SPDX-License-Identifier: ISC */
/*
 * Program smtpd-session: an event loop that serves SMTP clients. Hostile
 * input ends in the engine; what this process may ask of the others is all
 * it can do: it opens no file, makes no socket, holds no private key.
 */
#include <event2/event.h>
#include <inttypes.h>
#include <seccomp.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/accept.h"
#include "lib/blocked.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/now.h"
#include "lib/priv.h"
#include "lib/stats.h"
#include "lib/str.h"
#include "lib/tls.h"
#include "smtpd/driver.h"

static const int calls[] = { SCMP_SYS(accept4), -1 };
static const struct priv_profile profile = { .calls = calls };

static struct driver driver;	/* the process is one driver */

static void
on_file(void *arg, enum role_file what, uint32_t number, int fd)
{
	struct driver *d = arg;

	if (what == ROLE_FILE_CERT && number < CONF_CERTS_MAX &&
	    d->certs[number] == -1) {
		d->certs[number] = fd;
		return;
	}
	if (what == ROLE_FILE_CLIENT_CA && d->client_ca == -1)
		d->client_ca = fd;
	else if (what == ROLE_FILE_COUNTS && d->counts_fd == -1)
		d->counts_fd = fd;
	else
		close(fd);
}

static int
set_clients(struct driver *d, const struct conf *conf)
{
	static const enum tls_clients modes[] = {
		[CONF_CLIENTS_NONE] = TLS_CLIENTS_NONE,
		[CONF_CLIENTS_REQUEST] = TLS_CLIENTS_REQUEST,
		[CONF_CLIENTS_REQUIRE] = TLS_CLIENTS_REQUIRE,
	};
	const struct tls_client_rules rules = {
		.mode = modes[conf->tls_client_certificates],
		.depth = (unsigned)conf->tls_client_chain_depth,
		.size = (size_t)conf->tls_client_chain_size,
	};
	const char *why = "";
	int r = tls_set_clients(d->tls, &rules, d->client_ca, &why);

	if (r == -1)
		log_err("tls: client_ca=%s: %s", conf->tls_client_ca, why);
	if (d->client_ca != -1)
		close(d->client_ca);
	d->client_ca = -1;
	return r;
}

static int
start_tls(struct driver *d, const struct conf *conf)
{
	d->tls = tls_new(TLS_USE_SMTP, conf->tls_minimum == CONF_TLS_1_3,
	    keys_client_sign, &d->keys);
	if (d->tls == NULL) {
		log_err("smtp: cannot set TLS up");
		return -1;
	}
	if (set_clients(d, conf) == -1)
		return -1;
	return tls_add_chains(d->tls, d->certs, CONF_CERTS_MAX);
}

static void
set_conf(struct driver *d, const struct conf *conf)
{
	struct session_conf *s = &d->conf;

	*s = (struct session_conf){
		.hostname = d->hostname,
		.mechs = d->mechs,
		.scratch = d->body.data,
		.scratch_size = sizeof(d->body.data),
		.lines = { conf->command_line, conf->parameter_line,
		    conf->auth_line },
		.text_line = conf->long_lines ? 0 : conf->text_line,
		.message_size = conf->message_size,
		.recipient_limit = conf->recipient_limit,
		.messages_per_session = conf->messages_per_session,
		.errors_per_session = conf->errors_per_session,
		.command_time = conf->command_time,
		.data_time = conf->data_time,
		.session_time = conf->session_time,
		.handshake_time = conf->handshake_time,
		.unauthenticated_time = conf->unauthenticated_time,
		.minimum_rate = conf->minimum_rate,
		/* NONE, which is never counted, has no slot */
		.commands = stats_own + STATS_COMMANDS - 1,
	};
}

/* Offered until the auth service has said what it has. */
static void
set_mechs(struct driver *d, const struct conf_list *list)
{
	char both[sizeof(d->mechs)];
	size_t i;

	for (i = 0; i < list->n; i++)
		if (snprintf(both, sizeof(both), "%s%s%s", d->mechs,
		    i > 0 ? " " : "", list->item[i]) < (int)sizeof(both))
			str_copy(d->mechs, sizeof(d->mechs), both);
}

static int
start_accept(struct driver *d, const struct conf *conf)
{
	unsigned char key[SIPHASH_KEY];

	if (getrandom(key, sizeof(key), 0) != sizeof(key) ||
	    (d->blocked = blocked_new(AUTH_BLOCKED_MAX, key)) == NULL) {
		log_err("smtp: %m");
		return -1;
	}
	d->accept = accept_new(d->base, conf, d->counts_fd,
	    &client_accept_ops, d);
	if (d->accept == NULL)
		return -1;
	accept_block(d->accept, d->blocked);
	return 0;
}

static int
on_start(void *arg, struct event_base *base, const struct conf *conf)
{
	struct driver *d = arg;

	d->base = base;
	if (str_copy(d->hostname, sizeof(d->hostname), conf->hostname) == -1)
		return -1;
	set_mechs(d, &conf->auth_mechanisms);
	set_conf(d, conf);
	return start_accept(d, conf) == -1 ? -1 : start_tls(d, conf);
}

static void
on_listener(void *arg, enum listen_kind kind, int fd)
{
	struct driver *d = arg;

	accept_add(d->accept, kind, fd);
}

static void
on_peer(void *arg, enum role role, uint32_t instance, int fd)
{
	struct driver *d = arg;

	(void)instance;
	if (role == ROLE_AUTH_SERVER)
		auth_connect(d, fd);
	else if (role == ROLE_SMTPD_STORE)
		store_connect(d, fd);
	else if (role == ROLE_TLS_KEYS)
		keys_client_set(&d->keys, fd);
	else
		close(fd);
}

static void
tell_clients(struct driver *d)
{
	struct client *c;

	LIST_FOREACH(c, &d->clients, next) {
		session_event(c->session, SESSION_EV_SHUTDOWN, now_monotonic());
		client_turn(c);
	}
}

/* Clients go on when it is for a new conf, which new ones will meet. */
static void
on_drain(void *arg)
{
	struct driver *d = arg;

	d->draining = true;
	accept_stop(d->accept);
	if (role_is_stopping())
		tell_clients(d);
	driver_left(d);
}

int
main(int argc, char **argv)
{
	static const struct role_ops ops = {
		.role = ROLE_SMTPD_SESSION,
		.profile = &profile,
		.file = on_file,
		.start = on_start,
		.listener = on_listener,
		.peer = on_peer,
		.drain = on_drain,
	};
	size_t i;

	LIST_INIT(&driver.clients);
	LIST_INIT(&driver.left);
	ids_init(&driver.logins);
	ids_init(&driver.txns);
	driver.counts_fd = driver.client_ca = -1;
	for (i = 0; i < CONF_CERTS_MAX; i++)
		driver.certs[i] = -1;
	keys_client_init(&driver.keys);
	return role_main(argc, argv, &ops, &driver);
}
