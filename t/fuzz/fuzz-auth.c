/* SPDX-License-Identifier: ISC */
/*
 * The auth service between two sessions, a store, a reader and a worker,
 * each of which may send anything. Nothing outlives its connection.
 */
#define main auth_main
int	auth_main(int, char **);
#include "auth/server.c"
#undef main

#include "lib/ctl.h"
#include "t/fuzz/fuzz-ipc.h"

enum { SMTP, STORE, HTTP, READER, WORKER, PEERS };

static char		folder[256], path[300];
static struct conf	conf;
static struct server	server;
static int		peer[PEERS];
static uint64_t		serial;		/* of the last dialogue */
static struct sasl_look	look;		/* the last question */
static unsigned char	proof[ACCOUNTS_PROOF];	/* of alice's account */
static unsigned char	app_proof[ACCOUNTS_PROOF];	/* of alice+a */

static void
finish(void)
{
	accounts_free(&server.accounts);
	event_base_free(server.base);
	fuzz_remove(folder);
}

static void
start(void)
{
	char	v[SCRAM_VERIFIER_MAX], options[APPPASS_OPTIONS_MAX];
	FILE	*fp;

	fuzz_quiet();
	fuzz_folder(folder, sizeof(folder));
	snprintf(path, sizeof(path), "%s/accounts", folder);
	CHECK(scram_verifier_make("x", 1, 4096, v, sizeof(v)) == 0);
	CHECK((fp = fopen(path, "w")) != NULL);
	CHECK(apppass_options(APPPASS_SMTP, 1, 0, "y", 1, options) == 0);
	fprintf(fp, "alice@example.test\t%s\nalice+a@example.test\t%s\t%s\n",
	    v, v, options);
	fclose(fp);
	CHECK((server.accounts = accounts_load(path)) != NULL);
	accounts_proof(accounts_find(server.accounts, "alice@example.test"),
	    proof);
	accounts_proof_app(accounts_find(server.accounts,
	    "alice@example.test"), accounts_find_app(server.accounts,
	    "alice@example.test", "a"), app_proof);
	conf.auth_accounts = path;
	conf.auth_sasldb = path;
	conf.auth_queue = 3;
	conf.auth_cache_time = 60000;
	conf.auth_ticket_time = 60000;
	conf.auth_failure_limit = 4;
	conf.auth_failure_limit_account = 3;
	conf.auth_failure_time = 60000;
	conf.connections = 4;
	server.base = event_base_new();
	server.conf = &conf;
	TAILQ_INIT(&server.clients);
	TAILQ_INIT(&server.workers);
	TAILQ_INIT(&server.logins);
	atexit(finish);
}

/* Take what came; false when the connection is closed. */
static int
hear(int i)
{
	static union {
		struct auth_reply	reply;
		struct auth_ticket	ticket;
		struct sasl_request	request;
		struct sasl_look	look;
	} in;
	ssize_t				n;

	while ((n = ipc_recv(peer[i], &in, sizeof(in), NULL)) > 0) {
		if (i == WORKER && (in.request.type == SASLW_START ||
		    in.request.type == SASLW_STEP)) {
			CHECK(in.request.serial >= serial);
			CHECK((size_t)n == offsetof(struct sasl_request,
			    data) + in.request.len);
			serial = in.request.serial;
		} else if (i == WORKER && in.look.type == SASLW_LOOK) {
			CHECK(conf.auth_store != CONF_STORE_ACCOUNTS);
			CHECK((size_t)n == sizeof(in.look));
			look = in.look;
		} else if (in.reply.type == AUTH_REPLY) {
			CHECK(i == SMTP || i == HTTP);
			CHECK((size_t)n == offsetof(struct auth_reply,
			    data) + in.reply.len);
			CHECK((in.reply.status == AUTH_OK) ==
			    (in.reply.user[0] != '\0'));
		} else if (in.ticket.type == AUTH_TICKET) {
			CHECK(in.ticket.service == (i == STORE ? AUTH_SMTP :
			    AUTH_HTTP) && (i == STORE || i == READER));
		}
	}
	return n == -1;
}

static void
join(int i)
{
	static const enum role	roles[] = { ROLE_SMTPD_SESSION,
	    ROLE_SMTPD_STORE, ROLE_RETRIEVE_SESSION, ROLE_RETRIEVE_READER };
	struct ctl		hello = { CTL_PEER, 0, 7 };
	struct auth_mechs	mechs = { SASLW_HELLO, "PLAIN SCRAM-SHA-256" };
	int			sv[2];

	CHECK(ipc_pair(sv) == 0);
	peer[i] = sv[0];
	if (i == WORKER) {
		worker_new(&server, 1, sv[1]);
		CHECK(ipc_send(sv[0], &mechs, sizeof(mechs), -1) == 0);
	} else {
		client_new(&server, sv[1]);
		hello.what = roles[i];
		CHECK(ipc_send(sv[0], &hello, sizeof(hello), -1) == 0);
	}
	event_base_loop(server.base, EVLOOP_NONBLOCK);
}

union good {
	struct auth_start	start;
	struct auth_step	step;
	struct auth_id		id;
	struct sasl_reply	reply;
	struct sasl_looked	looked;
};

static size_t
good_reply(uint8_t kind, union good *g)
{
	g->reply.type = SASLW_REPLY;
	g->reply.status = 1 + (kind >> 3) % (AUTH_STATUS_COUNT - 1);
	g->reply.serial = serial;
	snprintf(g->reply.user, 30, "alice@example.test");
	memcpy(g->reply.proof, proof, sizeof(proof));
	/* Half of them by an app password. */
	if (kind & 0x80) {
		memcpy(g->reply.proof, app_proof, sizeof(app_proof));
		snprintf(g->reply.app, sizeof(g->reply.app), "a");
		if (g->reply.status == AUTH_FAIL)
			g->reply.refusal = APPPASS_EXPIRED;
	}
	g->reply.len = g->reply.status == AUTH_MORE ? 9 : 0;
	return offsetof(struct sasl_reply, data) + g->reply.len;
}

/* As the store says, or not: gone, away, another password. */
static size_t
good_look(uint8_t kind, union good *g)
{
	static const enum auth_status	status[] =
	    { AUTH_OK, AUTH_FAIL, AUTH_TEMP };

	g->looked.type = SASLW_LOOKED;
	g->looked.id = look.id;
	g->looked.client = look.client;
	g->looked.version = look.version;
	memcpy(g->looked.user, look.user, sizeof(look.user));
	g->looked.status = status[(kind >> 3) % 3];
	memcpy(g->looked.proof, proof, sizeof(proof));
	if (kind >> 6 == 3)
		g->looked.proof[0] ^= 1;
	look.version = 0;
	return sizeof(g->looked);
}

static size_t
good_message(int i, uint8_t kind, union good *g)
{
	memset(g, 0, sizeof(*g));
	if (i == WORKER)
		return look.version != 0 ? good_look(kind, g) :
		    good_reply(kind, g);
	g->id.id = kind >> 6;
	switch ((kind >> 3) % 4) {
	case 0:
	case 1:
		g->start.type = AUTH_START;
		g->start.service = i == HTTP ? AUTH_HTTP : AUTH_SMTP;
		g->start.address[15] = 1;
		g->start.initial = 1;
		snprintf(g->start.mechanism, 9, "PLAIN");
		g->start.len = 14;
		memcpy(g->start.data, "\0alice\0password", 14);
		return offsetof(struct auth_start, data) + 14;
	case 2:
		g->step.type = AUTH_STEP;
		g->step.len = 4;
		return offsetof(struct auth_step, data) + 4;
	default:
		g->id.type = AUTH_END;
		return sizeof(g->id);
	}
}

/* One message, or the end and return of a peer. */
static void
turn(struct fuzz *f)
{
	static union good	 good;
	uint8_t			 kind = fuzz_octet(f);
	int			 i = kind % 8, k;
	size_t			 len;
	void			*msg;

	if (i == 7 && conf.auth_store != CONF_STORE_ACCOUNTS) {
		server.store.mark[0].st_size++;
		on_tick(-1, 0, &server);
		event_base_loop(server.base, EVLOOP_NONBLOCK);
		(void)hear(WORKER);
		return;
	}
	if (i >= PEERS) {
		i = (kind >> 3) % PEERS;
		close(peer[i]);
		event_base_loop(server.base, EVLOOP_NONBLOCK);
		join(i);
		return;
	}
	len = good_message(i, kind, &good);
	msg = fuzz_datagram(f, &good, &len);
	(void)ipc_send(peer[i], msg, len, -1);
	free(msg);
	event_base_loop(server.base, EVLOOP_NONBLOCK);
	for (k = 0; k < PEERS; k++)
		if (!hear(k)) {
			close(peer[k]);
			join(k);
		}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz	f = { data, size };
	int		i;

	if (server.base == NULL)
		start();
	serial = 0;
	i = fuzz_octet(&f);
	conf.auth_failure_delay = i & 1;
	conf.auth_store = i & 2 ? CONF_STORE_SASLDB : CONF_STORE_ACCOUNTS;
	memset(&server.store, 0, sizeof(server.store));
	memset(&look, 0, sizeof(look));
	CHECK(make_tables(&server) == 0);
	for (i = 0; i < PEERS; i++)
		join(i);
	while (f.len > 0)
		turn(&f);
	for (i = 0; i < PEERS; i++) {
		close(peer[i]);
		event_base_loop(server.base, EVLOOP_NONBLOCK);
	}
	for (i = 0; i < 3 && !TAILQ_EMPTY(&server.logins); i++)
		event_base_loop(server.base, EVLOOP_ONCE);
	CHECK(TAILQ_EMPTY(&server.clients) && TAILQ_EMPTY(&server.workers));
	CHECK(TAILQ_EMPTY(&server.logins) && server.waiting == 0);
	CHECK(tickets_count(server.tickets) == 0);
	CHECK(server.store.looks == 0);
	throttle_free(&server.throttle);
	cache_free(&server.cache);
	tickets_free(&server.tickets);
	return 0;
}
