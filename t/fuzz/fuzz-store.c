/* SPDX-License-Identifier: ISC */
/*
 * The store and a session process that sends it anything. After all of it
 * nothing of that session is left, and its neighbour is still served.
 */
#include <event2/event.h>
#include <poll.h>

#include "lib/chan.h"
#include "lib/conf.h"
#include "lib/role.h"
#include "smtpd/store_impl.h"
#include "smtpd/store_quota_impl.h"
#include "t/fuzz/fuzz-ipc.h"

static char		 root[256], domain[] = "example.test";
static char		*domains[] = { domain };
static struct conf	 conf;
static struct store	 store;
static struct event_base *base;
static int		 auth;

static void
finish(void)
{
	store_free(&store);
	event_base_free(base);
	close(auth);
	fuzz_remove(root);
}

static void
give_ticket(uint32_t instance)
{
	struct auth_ticket	k;

	memset(&k, 0, sizeof(k));
	k.type = AUTH_TICKET;
	k.instance = instance;
	k.service = AUTH_SMTP;
	k.expiry = UINT64_MAX;
	k.nonce[0] = (unsigned char)instance;
	snprintf(k.user, sizeof(k.user), "alice@example.test");
	CHECK(ipc_send(auth, &k, sizeof(k), -1) == 0);
}

static void
start(void)
{
	static const char *const dirs[] = { "", "/alice", "/bob" };
	char			 path[400];
	size_t			 i;
	int			 sv[2];

	fuzz_quiet();
	fuzz_folder(root, sizeof(root));
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(path, sizeof(path), "%s/example.test%s", root,
		    dirs[i]);
		CHECK(mkdir(path, 0750) == 0);
	}
	conf.hostname = domain;
	conf.domains.item = domains;
	conf.domains.n = 1;
	conf.mail_root = root;
	conf.message_size = 20000;
	conf.header_size = 2000;
	conf.received_limit = 5;
	conf.recipient_limit = 3;
	conf.quota = 10000;
	conf.quota_messages = 4;
	conf.mailbox_limit = 3;
	conf.connections = 5;
	conf.delivery_threads = 1;
	conf.delivery_queue = 3;
	base = event_base_new();
	CHECK(base != NULL && store_init(&store, base, &conf) == 0);
	CHECK(store_threads(&store) == 0 && ipc_pair(sv) == 0);
	auth = sv[0];
	store_auth(&store, sv[1]);
	give_ticket(1);
	give_ticket(2);
	atexit(finish);
}

/* Take the answers: false when the channel is closed. */
static int
hear(int fd, int *answers)
{
	struct store_reply	r;
	ssize_t			n;

	event_base_loop(base, EVLOOP_NONBLOCK);
	while ((n = ipc_recv(fd, &r, sizeof(r), NULL)) > 0) {
		CHECK(n == sizeof(r) && r.type == STORE_REPLY);
		CHECK(r.status > STORE_STATUS_NONE &&
		    r.status < STORE_STATUS_COUNT);
		CHECK(r.request < STORE_TYPE_COUNT);
		CHECK(memchr(r.id, 0, sizeof(r.id)) != NULL);
		*answers += 1;
	}
	return n == -1;
}

union good {
	struct store_begin	begin;
	struct store_rcpt	rcpt;
	struct store_open	open;
	struct store_body	body;
	struct store_commit	commit;
};

/* A well-formed message; kind says which, and of which transaction. */
static size_t
good_message(struct fuzz *f, uint8_t kind, union good *g)
{
	static uint64_t	received;
	size_t		n;
	uint8_t		*text;

	memset(g, 0, offsetof(struct store_body, data));
	g->body.type = 1 + kind % (STORE_REPLY - 1);
	g->body.txn = kind >> 6;
	switch (g->body.type) {
	case STORE_BEGIN:
		memset(g, 0, sizeof(g->begin));
		g->begin.type = STORE_BEGIN;
		g->begin.txn = kind >> 6;
		g->begin.nonce[0] = 1;
		g->begin.flags = kind & 32 ? STORE_BINARY : 0;
		received = 0;
		return sizeof(g->begin);
	case STORE_RCPT:
		memset(g->rcpt.forward_path, 0, sizeof(g->rcpt.forward_path));
		snprintf(g->rcpt.forward_path, 30, "bob@example.test");
		return sizeof(g->rcpt);
	case STORE_OPEN:
		memset(&g->open.helo, 0, sizeof(g->open) -
		    offsetof(struct store_open, helo));
		return sizeof(g->open);
	case STORE_BODY:
		text = fuzz_take(f, (size_t)fuzz_octet(f) * 8, &n);
		g->body.len = (uint32_t)n;
		memcpy(g->body.data, text, n);
		free(text);
		received += n;
		return offsetof(struct store_body, data) + n;
	default:
		g->commit.size = received;
		return sizeof(g->commit);
	}
}

/* Nothing of the session is left; the neighbour is served. */
static void
check_rest(int neighbour)
{
	static const struct store_begin	b = { .type = STORE_BEGIN, .txn = 9,
	    .nonce = { 2 } };
	static const struct store_commit a = { .type = STORE_ABORT,
	    .txn = 9 };
	int				i, answers = 0;

	for (i = 0; i < 5000 && pool_pending(store.pool) > 0; i++) {
		poll(NULL, 0, 1);
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
	CHECK(pool_pending(store.pool) == 0);
	CHECK(store.bodies.memory == 0);
	CHECK(store.quota->nidle == store.quota->boxes);
	CHECK(ipc_send(neighbour, &b, sizeof(b), -1) == 0);
	CHECK(hear(neighbour, &answers) && answers == 1);
	CHECK(ipc_send(neighbour, &a, sizeof(a), -1) == 0);
	CHECK(hear(neighbour, &answers) && answers == 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static union good	 good;
	struct fuzz		 f = { data, size };
	int			 a[2], b[2], answers = 0, open = 1;
	size_t			 len;
	void			*msg;
	char			 path[400];

	if (base == NULL)
		start();
	CHECK(ipc_pair(a) == 0 && ipc_pair(b) == 0);
	CHECK(peer_new(&store, 1, a[1]) == 0);
	CHECK(peer_new(&store, 2, b[1]) == 0);
	while (f.len > 0 && open) {
		len = good_message(&f, fuzz_octet(&f), &good);
		msg = fuzz_datagram(&f, &good, &len);
		if (ipc_send(a[0], msg, len, -1) == -1)
			open = 0;
		else
			open = hear(a[0], &answers);
		free(msg);
	}
	close(a[0]);
	event_base_loop(base, EVLOOP_NONBLOCK);
	check_rest(b[0]);
	close(b[0]);
	event_base_loop(base, EVLOOP_NONBLOCK);
	CHECK(LIST_EMPTY(&store.peers));
	snprintf(path, sizeof(path), "%s/example.test/bob/Maildir", root);
	fuzz_remove(path);
	snprintf(path, sizeof(path), "%s/example.test/alice/Maildir", root);
	fuzz_remove(path);
	return 0;
}
