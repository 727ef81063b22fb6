/* SPDX-License-Identifier: ISC */
/*
 * The store over its channels: honest sessions, and dishonest ones, whose
 * channel is closed while the others go on.
 */
#include <event2/event.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/chan.h"
#include "lib/conf.h"
#include "lib/ipc.h"
#include "lib/log.h"
#include "lib/role.h"
#include "smtpd/store_impl.h"
#include "t/unit/store_root.h"

static char domain[] = "example.test", hostname[] = "mx.example.test";
static char *domains[] = { domain };
static unsigned done_calls, want_calls;

void __wrap_role_done(void);
void __wrap_role_want_peer(enum role);

void
__wrap_role_done(void)
{
	done_calls++;
}

void
__wrap_role_want_peer(enum role r)
{
	assert_int_equal(r, ROLE_AUTH_SERVER);
	want_calls++;
}

#define PEERS	3

struct fix {
	struct root		 root;
	struct conf		 conf;
	char			 aliases[300];
	struct event_base	*base;
	struct store		 store;
	int			 peer[PEERS];	/* instances 10, 11, 12 */
	int			 auth;
	unsigned char		 nonce[AUTH_NONCE];
};

static void
pump(struct fix *f)
{
	int i;

	for (i = 0; i < 20; i++)
		event_base_loop(f->base, EVLOOP_NONBLOCK);
}

static void
send_ticket(struct fix *f, uint32_t instance, const char *user)
{
	struct auth_ticket k;

	memset(&k, 0, sizeof(k));
	k.type = AUTH_TICKET;
	k.instance = instance;
	k.service = AUTH_SMTP;
	k.expiry = UINT64_MAX;
	memcpy(k.nonce, f->nonce, sizeof(k.nonce));
	snprintf(k.user, sizeof(k.user), "%s", user);
	assert_int_equal(ipc_send(f->auth, &k, sizeof(k), -1), 0);
}

static void
new_auth(struct fix *f)
{
	int sv[2];

	assert_int_equal(ipc_pair(sv), 0);
	f->auth = sv[0];
	store_auth(&f->store, sv[1]);
}

static int
setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));
	int i, sv[2];

	*state = f;
	done_calls = want_calls = 0;
	root_make(&f->root);
	f->conf.hostname = hostname;
	f->conf.domains.item = domains;
	f->conf.domains.n = 1;
	f->conf.mail_root = f->root.path;
	f->conf.message_size = 1 << 20;
	f->conf.header_size = 4096;
	f->conf.received_limit = 50;
	snprintf(f->aliases, sizeof(f->aliases), "%s/aliases",
	    f->root.path);
	f->conf.aliases = f->aliases;
	f->conf.alias_members = 10;
	f->conf.alias_depth = 2;
	f->conf.recipient_limit = 3;
	f->conf.mailbox_limit = 3;
	f->conf.connections = 5;
	f->conf.delivery_threads = 2;
	f->conf.delivery_queue = 100;
	f->base = event_base_new();
	assert_int_equal(store_init(&f->store, f->base, &f->conf), 0);
	assert_int_equal(store_threads(&f->store), 0);
	new_auth(f);
	for (i = 0; i < PEERS; i++) {
		assert_int_equal(ipc_pair(sv), 0);
		f->peer[i] = sv[0];
		assert_int_equal(peer_new(&f->store, 10 + (uint32_t)i, sv[1]),
		    0);
	}
	memset(f->nonce, 7, sizeof(f->nonce));
	send_ticket(f, 10, "alice@example.test");
	return 0;
}

static int
teardown(void **state)
{
	struct fix *f = *state;
	int i;

	store_free(&f->store);
	event_base_free(f->base);
	for (i = 0; i < PEERS; i++)
		if (f->peer[i] != -1)
			close(f->peer[i]);
	close(f->auth);
	root_remove(&f->root);
	free(f);
	return 0;
}

/* What comes on the peer's end: a reply, 0: closed, -1: nothing. */
static int
hear(struct fix *f, int i, struct store_reply *r)
{
	ssize_t n;

	pump(f);
	n = ipc_recv(f->peer[i], r, sizeof(*r), NULL);
	if (n == -1)
		return -1;
	if (n > 0)
		assert_int_equal(n, sizeof(*r));
	return n > 0;
}

static enum store_status
answer(struct fix *f, int i, uint32_t txn, enum store_type request)
{
	struct store_reply r;
	int tries, got = -1;

	for (tries = 0; tries < 500 && got == -1; tries++) {
		got = hear(f, i, &r);
		if (got == -1)
			poll(NULL, 0, 2);
	}
	assert_int_equal(got, 1);
	assert_int_equal(r.type, STORE_REPLY);
	assert_int_equal(r.txn, txn);
	assert_int_equal(r.request, request);
	assert_memory_equal(&r.id[sizeof(r.id) - 1], "", 1);
	assert_int_equal(r.id[0] != '\0', request == STORE_COMMIT &&
	    r.status == STORE_OK);
	return (enum store_status)r.status;
}

static void
say(struct fix *f, int i, const void *msg, size_t len)
{
	assert_int_equal(ipc_send(f->peer[i], msg, len, -1), 0);
}

static struct store_begin
begin_msg(const struct fix *f, uint32_t txn, const char *from)
{
	struct store_begin m;

	memset(&m, 0, sizeof(m));
	m.type = STORE_BEGIN;
	m.txn = txn;
	memcpy(m.nonce, f->nonce, sizeof(m.nonce));
	snprintf(m.reverse_path, sizeof(m.reverse_path), "%s", from);
	return m;
}

static enum store_status
begin(struct fix *f, int i, uint32_t txn, const char *from)
{
	struct store_begin m = begin_msg(f, txn, from);

	say(f, i, &m, sizeof(m));
	return answer(f, i, txn, STORE_BEGIN);
}

static enum store_status
begin_utf8(struct fix *f, int i, uint32_t txn, const char *from)
{
	struct store_begin m = begin_msg(f, txn, from);

	m.flags = STORE_UTF8;
	say(f, i, &m, sizeof(m));
	return answer(f, i, txn, STORE_BEGIN);
}

static struct store_rcpt
rcpt_msg(uint32_t txn, const char *to)
{
	struct store_rcpt m;

	memset(&m, 0, sizeof(m));
	m.type = STORE_RCPT;
	m.txn = txn;
	snprintf(m.forward_path, sizeof(m.forward_path), "%s", to);
	return m;
}

static enum store_status
rcpt(struct fix *f, int i, uint32_t txn, const char *to)
{
	struct store_rcpt m = rcpt_msg(txn, to);

	say(f, i, &m, sizeof(m));
	return answer(f, i, txn, STORE_RCPT);
}

static struct store_open
open_msg(uint32_t txn)
{
	struct store_open m;

	memset(&m, 0, sizeof(m));
	m.type = STORE_OPEN;
	m.txn = txn;
	snprintf(m.helo, sizeof(m.helo), "client.example");
	snprintf(m.client, sizeof(m.client), "192.0.2.1");
	snprintf(m.protocol, sizeof(m.protocol), "ESMTPSA");
	return m;
}

static enum store_status
open_txn(struct fix *f, int i, uint32_t txn)
{
	struct store_open m = open_msg(txn);

	say(f, i, &m, sizeof(m));
	return answer(f, i, txn, STORE_OPEN);
}

static size_t
body_msg(struct store_body *m, uint32_t txn, const char *text)
{
	memset(m, 0, sizeof(*m));
	m->type = STORE_BODY;
	m->txn = txn;
	m->len = (uint32_t)strlen(text);
	memcpy(m->data, text, m->len);
	return offsetof(struct store_body, data) + m->len;
}

static void
body(struct fix *f, int i, uint32_t txn, const char *text)
{
	static struct store_body m;
	size_t len = body_msg(&m, txn, text);

	say(f, i, &m, len);
}

static struct store_commit
commit_msg(uint32_t txn, enum store_type type, uint64_t size)
{
	struct store_commit m;

	memset(&m, 0, sizeof(m));
	m.type = type;
	m.txn = txn;
	m.size = size;
	return m;
}

static enum store_status
commit(struct fix *f, int i, uint32_t txn, uint64_t size)
{
	struct store_commit m = commit_msg(txn, STORE_COMMIT, size);

	say(f, i, &m, sizeof(m));
	return answer(f, i, txn, STORE_COMMIT);
}

static void
abort_txn(struct fix *f, int i, uint32_t txn)
{
	struct store_commit m = commit_msg(txn, STORE_ABORT, 0);

	say(f, i, &m, sizeof(m));
}

/* A whole message from alice to bob. */
static void
deliver(struct fix *f, int i, uint32_t txn)
{
	size_t before = root_count(&f->root, "example.test/bob", "new");

	assert_int_equal(begin(f, i, txn, "alice@example.test"), STORE_OK);
	assert_int_equal(rcpt(f, i, txn, "bob@example.test"), STORE_OK);
	assert_int_equal(open_txn(f, i, txn), STORE_OK);
	body(f, i, txn, "From: alice@example.test\r\n\r\n");
	body(f, i, txn, "hello\r\n");
	assert_int_equal(commit(f, i, txn, 35), STORE_OK);
	assert_int_equal(root_count(&f->root, "example.test/bob", "new"),
	    before + 1);
}

static void
test_deliver(void **state)
{
	struct fix *f = *state;
	uint32_t i;

	for (i = 0; i < 10; i++)
		deliver(f, 0, 5);
	assert_int_equal(f->store.bodies.memory, 0);
}

/* What BEGIN said holds for the whole of the message. */
static void
test_binary(void **state)
{
	struct fix *f = *state;
	struct store_begin m = begin_msg(f, 1, "");
	char *text;

	m.flags = STORE_BINARY;
	say(f, 0, &m, sizeof(m));
	assert_int_equal(answer(f, 0, 1, STORE_BEGIN), STORE_OK);
	assert_int_equal(rcpt(f, 0, 1, "bob@example.test"), STORE_OK);
	assert_int_equal(open_txn(f, 0, 1), STORE_OK);
	body(f, 0, 1, "A: b\r\n\r\na\nb\r");
	assert_int_equal(commit(f, 0, 1, 12), STORE_OK);
	text = root_only(&f->root, "example.test/bob", NULL, NULL);
	assert_non_null(strstr(text, "Return-Path: <>\r\n"));
	assert_string_equal(strstr(text, "A: b"), "A: b\r\n\r\na\nb\r");
	free(text);
}

static void
test_utf8(void **state)
{
	struct fix *f = *state;

	root_add(&f->root, "example.test/j%C3%B6rg");
	assert_int_equal(begin_utf8(f, 0, 1, "\xc3\xb6@example.test"),
	    STORE_NOT_SENDER);
	assert_int_equal(begin_utf8(f, 0, 1, "alice+\xc3\xb6@example.test"),
	    STORE_OK);
	assert_int_equal(rcpt(f, 0, 1, "j\xc3\xb6rk@example.test"),
	    STORE_NO_USER);
	assert_int_equal(rcpt(f, 0, 1, "J\xc3\xb6rg+x@example.test"),
	    STORE_OK);
	/* a transaction that is not known may have had the flag */
	assert_int_equal(rcpt(f, 0, 9, "j\xc3\xb6rg@example.test"),
	    STORE_FAILED);
	assert_int_equal(open_txn(f, 0, 1), STORE_OK);
	body(f, 0, 1, "Subject: \xc3\xb6\r\n\r\n");
	assert_int_equal(commit(f, 0, 1, 15), STORE_OK);
	assert_int_equal(root_count(&f->root, "example.test/j%C3%B6rg",
	    "new"), 1);
}

static void
test_senders(void **state)
{
	struct fix *f = *state;
	struct store_begin m;

	assert_int_equal(begin(f, 0, 1, ""), STORE_OK);
	assert_int_equal(begin(f, 0, 2, "alice+x@EXAMPLE.test"), STORE_OK);
	assert_int_equal(begin(f, 0, 3, "bob@example.test"),
	    STORE_NOT_SENDER);
	assert_int_equal(begin(f, 0, 3, "alice"), STORE_NOT_SENDER);
	m = begin_msg(f, 3, "");
	m.size = f->conf.message_size + 1;
	say(f, 0, &m, sizeof(m));
	assert_int_equal(answer(f, 0, 3, STORE_BEGIN), STORE_TOO_BIG);
	/* what was refused is not kept, and may be begun again */
	assert_int_equal(rcpt(f, 0, 3, "bob@example.test"), STORE_FAILED);
	assert_int_equal(begin(f, 0, 3, ""), STORE_OK);
}

static void
test_recipients(void **state)
{
	struct fix *f = *state;
	char *text;

	root_add(&f->root, "example.test/dan%2Bx");
	assert_int_equal(begin(f, 0, 1, ""), STORE_OK);
	assert_int_equal(rcpt(f, 0, 1, "zoe@example.test"), STORE_NO_USER);
	assert_int_equal(rcpt(f, 0, 1, "bob@example.org"), STORE_NOT_LOCAL);
	assert_int_equal(rcpt(f, 0, 1, "a@[192.0.2.1]"), STORE_NOT_LOCAL);
	assert_int_equal(rcpt(f, 0, 1, "../bob@example.test"),
	    STORE_NO_USER);
	assert_int_equal(rcpt(f, 0, 1, "@example.test"), STORE_NO_USER);
	assert_int_equal(rcpt(f, 0, 1, "Bob+x@Example.Test"), STORE_OK);
	assert_int_equal(rcpt(f, 0, 1, "dan+x@example.test"), STORE_OK);
	assert_int_equal(rcpt(f, 0, 1, "dan@example.test"), STORE_NO_USER);
	assert_int_equal(rcpt(f, 0, 1, "POSTMASTER"), STORE_OK);
	assert_int_equal(rcpt(f, 0, 1, "alice@example.test"),
	    STORE_TOO_MANY);
	assert_int_equal(open_txn(f, 0, 1), STORE_OK);
	assert_int_equal(commit(f, 0, 1, 0), STORE_OK);
	assert_int_equal(root_files(&f->root), 3);
	/* duplicates once; both Delivered-To and no "for" */
	assert_int_equal(begin(f, 0, 1, ""), STORE_OK);
	assert_int_equal(rcpt(f, 0, 1, "carol@example.test"), STORE_OK);
	assert_int_equal(rcpt(f, 0, 1, "carol+x@example.test"), STORE_OK);
	assert_int_equal(open_txn(f, 0, 1), STORE_OK);
	assert_int_equal(commit(f, 0, 1, 0), STORE_OK);
	text = root_only(&f->root, "example.test/carol", NULL, NULL);
	assert_non_null(strstr(text, "\nDelivered-To: carol@example.test\n"));
	assert_null(strstr(text, "for <"));
	free(text);
}

/* An alias that does not fit leaves nothing behind, however often. */
static void
test_alias_undone(void **state)
{
	struct fix *f = *state;
	size_t before;
	FILE *fp;
	int i;

	root_add(&f->root, "example.test/dan");
	assert_non_null(fp = fopen(f->aliases, "w"));
	fputs("all: alice, bob, carol, dan\nsome: bob, bob+x, alice\n", fp);
	fclose(fp);
	assert_int_equal(begin(f, 0, 1, ""), STORE_OK);
	assert_int_equal(rcpt(f, 0, 1, "bob@example.test"), STORE_OK);
	before = f->store.bodies.memory;
	for (i = 0; i < 5; i++) {
		assert_int_equal(rcpt(f, 0, 1, "all@example.test"),
		    STORE_TOO_MANY);
		assert_int_equal(f->store.bodies.memory, before);
	}
	assert_int_equal(rcpt(f, 0, 1, "some@example.test"), STORE_OK);
	assert_int_equal(open_txn(f, 0, 1), STORE_OK);
	assert_int_equal(commit(f, 0, 1, 0), STORE_OK);
	assert_int_equal(root_count(&f->root, "example.test/alice", "new"), 1);
	assert_int_equal(root_count(&f->root, "example.test/bob", "new"), 1);
	assert_int_equal(root_count(&f->root, "example.test/carol", "new"), 0);
	assert_int_equal(f->store.bodies.memory, 0);
}

static void
test_refused_content(void **state)
{
	struct fix *f = *state;
	static const char *const texts[] = {
		"From: bob@example.test\r\n\r\n", "From: x\r\n\r\n"
	};
	static const enum store_status want[] = {
		STORE_NOT_AUTHOR, STORE_BAD_HEADER
	};
	size_t i;

	for (i = 0; i < 2; i++) {
		assert_int_equal(begin(f, 0, 1, ""), STORE_OK);
		assert_int_equal(rcpt(f, 0, 1, "bob@example.test"), STORE_OK);
		assert_int_equal(open_txn(f, 0, 1), STORE_OK);
		body(f, 0, 1, texts[i]);
		body(f, 0, 1, "more\r\n");
		assert_int_equal(commit(f, 0, 1, strlen(texts[i]) + 6),
		    want[i]);
		assert_int_equal(root_files(&f->root), 0);
		assert_int_equal(f->store.bodies.memory, 0);
	}
	deliver(f, 0, 1);
}

static void
test_abort(void **state)
{
	struct fix *f = *state;
	struct store_reply r;

	abort_txn(f, 0, 9);		/* unknown: nothing */
	body(f, 0, 9, "x\r\n");
	assert_int_equal(begin(f, 0, 1, ""), STORE_OK);
	assert_int_equal(rcpt(f, 0, 1, "bob@example.test"), STORE_OK);
	assert_int_equal(open_txn(f, 0, 1), STORE_OK);
	body(f, 0, 1, "x\r\n");
	abort_txn(f, 0, 1);
	assert_int_equal(hear(f, 0, &r), -1);
	assert_int_equal(f->store.bodies.memory, 0);
	assert_int_equal(root_files(&f->root), 0);
	assert_int_equal(open_txn(f, 0, 1), STORE_FAILED);
	assert_int_equal(commit(f, 0, 1, 0), STORE_FAILED);
	deliver(f, 0, 1);
}

static void
test_tickets(void **state)
{
	struct fix *f = *state;
	struct auth_ticket k;

	/* the ticket of instance 10 is no good elsewhere */
	assert_int_equal(begin(f, 1, 1, ""), STORE_NO_TICKET);
	assert_int_equal(begin(f, 0, 1, ""), STORE_OK);
	f->nonce[15]++;
	assert_int_equal(begin(f, 0, 2, ""), STORE_NO_TICKET);
	/* it is read from auth's channel before it is refused */
	send_ticket(f, 11, "alice@example.test");
	assert_int_equal(begin(f, 1, 1, "alice@example.test"), STORE_OK);
	memset(&k, 0, sizeof(k));
	k.type = AUTH_TICKET_END;
	memcpy(k.nonce, f->nonce, sizeof(k.nonce));
	assert_int_equal(ipc_send(f->auth, &k, sizeof(k), -1), 0);
	pump(f);
	assert_int_equal(begin(f, 1, 2, ""), STORE_NO_TICKET);
}

static void
test_auth_restart(void **state)
{
	struct fix *f = *state;

	assert_int_equal(begin(f, 0, 1, ""), STORE_OK);
	close(f->auth);
	pump(f);
	assert_int_equal(want_calls, 1);
	assert_null(f->store.auth);
	assert_int_equal(begin(f, 0, 2, ""), STORE_OK);
	new_auth(f);
	assert_int_equal(begin(f, 0, 3, ""), STORE_NO_TICKET);
	send_ticket(f, 10, "bob@example.test");
	assert_int_equal(begin(f, 0, 3, "bob@example.test"), STORE_OK);
}

static void
test_bounds(void **state)
{
	struct fix *f = *state;
	uint32_t i;

	for (i = 0; i < 5; i++)
		assert_int_equal(begin(f, 0, i, ""), STORE_OK);
	assert_int_equal(begin(f, 0, 5, ""), STORE_FAILED);
	abort_txn(f, 0, 3);
	assert_int_equal(begin(f, 0, 5, ""), STORE_OK);
	f->conf.delivery_queue = 0;
	assert_int_equal(rcpt(f, 0, 5, "bob@example.test"), STORE_OK);
	assert_int_equal(open_txn(f, 0, 5), STORE_FAILED);
	f->conf.delivery_queue = 100;
	assert_int_equal(open_txn(f, 0, 5), STORE_OK);
}

/* The datagram closes channel 0; channel 1's transaction goes on. */
static void
closes(struct fix *f, const void *msg, size_t len, const char *what)
{
	struct store_reply r;
	int sv[2], got;

	say(f, 0, msg, len);
	while ((got = hear(f, 0, &r)) == 1)
		;
	if (got != 0)
		fail_msg("not closed: %s", what);
	if (f->store.bodies.memory != 0)
		fail_msg("memory kept: %s", what);
	close(f->peer[0]);
	assert_int_equal(ipc_pair(sv), 0);
	f->peer[0] = sv[0];
	assert_int_equal(peer_new(&f->store, 10, sv[1]), 0);
	assert_int_equal(rcpt(f, 1, 77, "zoe@example.test"), STORE_NO_USER);
}

static void
watch_neighbour(struct fix *f)
{
	f->nonce[0]++;
	send_ticket(f, 11, "alice@example.test");
	assert_int_equal(begin(f, 1, 77, ""), STORE_OK);
	f->nonce[0]--;
}

static void
test_bad_form(void **state)
{
	struct fix *f = *state;
	static const size_t lengths[] = { 1, 3, 4, 8, 15, 17, 100, 1000,
		60000 };
	static unsigned char junk[65536];
	struct store_begin b;
	struct store_rcpt c;
	struct store_open o;
	uint32_t type;
	size_t i;

	watch_neighbour(f);
	for (type = 0; type < STORE_TYPE_COUNT + 3; type++)
		for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
			memcpy(junk, &type, sizeof(type));
			closes(f, junk, lengths[i], "length");
		}
	type = STORE_REPLY;
	memcpy(junk, &type, sizeof(type));
	closes(f, junk, sizeof(struct store_reply), "a reply");
	type = UINT32_MAX;
	memcpy(junk, &type, sizeof(type));
	closes(f, junk, sizeof(struct store_commit), "type");
	b = begin_msg(f, 1, "");
	memset(b.reverse_path, 'a', sizeof(b.reverse_path));
	closes(f, &b, sizeof(b), "reverse-path without NUL");
	b = begin_msg(f, 1, "a\n@example.test");
	closes(f, &b, sizeof(b), "line end in reverse-path");
	b = begin_msg(f, 1, "a\x80@example.test");
	closes(f, &b, sizeof(b), "octet over 127");
	b = begin_msg(f, 1, "a@");
	closes(f, &b, sizeof(b), "no domain");
	b = begin_msg(f, 1, "");
	b.flags = STORE_FLAGS + 1;
	closes(f, &b, sizeof(b), "unknown flag");
	c = rcpt_msg(1, "bob");
	closes(f, &c, sizeof(c), "forward-path without domain");
	c = rcpt_msg(1, "");
	closes(f, &c, sizeof(c), "empty forward-path");
	memset(c.forward_path, 'a', sizeof(c.forward_path));
	closes(f, &c, sizeof(c), "forward-path without NUL");
	o = open_msg(1);
	memset(o.helo, 'a', sizeof(o.helo));
	closes(f, &o, sizeof(o), "helo without NUL");
	o = open_msg(1);
	o.client[0] = '\n';
	closes(f, &o, sizeof(o), "line end in client");
	o = open_msg(1);
	memset(o.tls_cipher, 'a', sizeof(o.tls_cipher));
	closes(f, &o, sizeof(o), "cipher without NUL");
	o = open_msg(1);
	memset(o.tls_version, 'a', sizeof(o.tls_version));
	closes(f, &o, sizeof(o), "version without NUL");
	o = open_msg(1);
	memset(o.protocol, 'a', sizeof(o.protocol));
	closes(f, &o, sizeof(o), "protocol without NUL");
}

/* UTF-8 in paths: with the flag alone, and where letters may stand. */
static void
test_utf8_form(void **state)
{
	static const char *const bad[] = { "a\xc3@example.test",
		"a\xed\xa0\x80@example.test", "a\xc2\x85@example.test",
		"a\xe2\x80\xae@example.test", "\xc3\xb6\n@example.test",
		"\xc3\xb6\x7f@example.test", "alice@\xc3\xb6.test",
		"\xc3\xb6@\xc3\xb6.test" };
	struct fix *f = *state;
	struct store_begin b;
	struct store_rcpt c;
	size_t i;

	watch_neighbour(f);
	b = begin_msg(f, 1, "\xc3\xb6@example.test");
	closes(f, &b, sizeof(b), "UTF-8 without the flag");
	b.flags = STORE_BINARY;
	closes(f, &b, sizeof(b), "UTF-8 with another flag");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		b = begin_msg(f, 1, bad[i]);
		b.flags = STORE_UTF8;
		closes(f, &b, sizeof(b), bad[i]);
		assert_int_equal(begin_utf8(f, 0, 1, ""), STORE_OK);
		c = rcpt_msg(1, bad[i]);
		closes(f, &c, sizeof(c), bad[i]);
	}
	assert_int_equal(begin(f, 0, 1, ""), STORE_OK);
	c = rcpt_msg(1, "\xc3\xb6@example.test");
	closes(f, &c, sizeof(c), "UTF-8 in RCPT without the flag");
}

/* Bring a transaction of channel 0 to a state. */
static void
bring(struct fix *f, enum txn_state state)
{
	assert_int_equal(begin(f, 0, 1, ""), STORE_OK);
	if (state == TXN_MAIL)
		return;
	assert_int_equal(rcpt(f, 0, 1, "bob@example.test"), STORE_OK);
	assert_int_equal(open_txn(f, 0, 1), STORE_OK);
	body(f, 0, 1, "A: b\r\n");
}

static void
test_bad_order(void **state)
{
	static struct store_body y;
	struct fix *f = *state;
	struct store_begin b = begin_msg(f, 1, "");
	struct store_rcpt c = rcpt_msg(1, "bob@example.test");
	struct store_open o = open_msg(1);
	struct store_commit k = commit_msg(1, STORE_COMMIT, 6);
	size_t len = body_msg(&y, 1, "x\r\n");

	watch_neighbour(f);
	bring(f, TXN_MAIL);
	closes(f, &b, sizeof(b), "BEGIN twice");
	bring(f, TXN_MAIL);
	closes(f, &o, sizeof(o), "OPEN without RCPT");
	bring(f, TXN_MAIL);
	closes(f, &y, len, "BODY before OPEN");
	bring(f, TXN_MAIL);
	k.size = 0;
	closes(f, &k, sizeof(k), "COMMIT before OPEN");
	bring(f, TXN_BODY);
	closes(f, &b, sizeof(b), "BEGIN in BODY");
	bring(f, TXN_BODY);
	closes(f, &c, sizeof(c), "RCPT in BODY");
	bring(f, TXN_BODY);
	closes(f, &o, sizeof(o), "OPEN twice");
	bring(f, TXN_BODY);
	closes(f, &k, sizeof(k), "size too small");
	bring(f, TXN_BODY);
	k.size = 7;
	closes(f, &k, sizeof(k), "size too large");
	bring(f, TXN_BODY);
	closes(f, &y, len - 1, "BODY shorter than it says");
	bring(f, TXN_BODY);
	y.len = UINT32_MAX;
	closes(f, &y, len, "BODY length");
	assert_int_equal(root_files(&f->root), 0);
}

static void
test_descriptor(void **state)
{
	struct fix *f = *state;
	struct store_begin b = begin_msg(f, 1, "");
	struct store_reply r;

	assert_int_equal(ipc_send(f->peer[0], &b, sizeof(b), 0), 0);
	assert_int_equal(hear(f, 0, &r), 0);
}

/* A session dies: its commit goes on, the rest is dropped. */
static void
test_gone(void **state)
{
	struct fix *f = *state;
	struct store_commit m = commit_msg(1, STORE_COMMIT, 6);
	int i;

	bring(f, TXN_BODY);
	assert_int_equal(begin(f, 0, 2, ""), STORE_OK);
	say(f, 0, &m, sizeof(m));
	close(f->peer[0]);
	f->peer[0] = -1;
	for (i = 0; i < 500 && root_files(&f->root) == 0; i++) {
		pump(f);
		poll(NULL, 0, 2);
	}
	assert_int_equal(root_files(&f->root), 1);
	for (i = 0; i < 500 && f->store.bodies.memory > 0; i++) {
		pump(f);
		poll(NULL, 0, 2);
	}
	assert_int_equal(f->store.bodies.memory, 0);
}

static void
test_drain(void **state)
{
	struct fix *f = *state;
	int i;

	f->store.draining = true;
	store_left(&f->store);
	deliver(f, 0, 1);
	assert_int_equal(done_calls, 0);
	for (i = 0; i < PEERS; i++) {
		assert_int_equal(done_calls, 0);
		close(f->peer[i]);
		f->peer[i] = -1;
		pump(f);
	}
	assert_true(done_calls > 0);
}

/*
 * Messages that are not gone on with hold memory, until others need it: then
 * a whole header block goes to a file with what follows it, and one that is
 * not whole is given up.
 */
static void
try_room(struct fix *f, bool at_open)
{
	static const char line[] = "X-A: 345678901234567890123456789\r\n";
	static char head[3 * 1024], text[20 * 1024];
	size_t i;

	for (i = 0; i + sizeof(line) < sizeof(head); i += sizeof(line) - 1)
		memcpy(head + i, line, sizeof(line));
	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "A: b\r\n\r\n", 8);
	for (i = 0; i < 4; i++) {
		assert_int_equal(begin(f, 0, 1 + (uint32_t)i,
		    "alice@example.test"), STORE_OK);
		assert_int_equal(rcpt(f, 0, 1 + (uint32_t)i,
		    "bob@example.test"), STORE_OK);
		if (i < 3)
			assert_int_equal(open_txn(f, 0, 1 + (uint32_t)i),
			    STORE_OK);
	}
	body(f, 0, 1, text);
	body(f, 0, 2, head);
	body(f, 0, 3, "A: b\r\n");
	pump(f);
	f->store.bodies.memory_max = f->store.bodies.memory;
	if (at_open)
		assert_int_equal(open_txn(f, 0, 4), STORE_OK);
	else
		deliver(f, 0, 5);
	assert_true(f->store.bodies.memory <
	    f->store.bodies.memory_max / 8 * 7);
	abort_txn(f, 0, 4);
	/* Nothing of the first is lost, */
	body(f, 0, 1, "\r\n");
	assert_int_equal(commit(f, 0, 1, sizeof(text) + 1), STORE_OK);
	/* a small one is left in peace. */
	assert_int_equal(commit(f, 0, 2, strlen(head)), STORE_FAILED);
	assert_int_equal(commit(f, 0, 3, 6), STORE_OK);
	assert_int_equal(f->store.bodies.memory, 0);
}

static void
test_room(void **state)
{
	try_room(*state, false);
}

static void
test_room_open(void **state)
{
	try_room(*state, true);
}

int
main(void)
{
#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_deliver), TEST(test_binary), TEST(test_utf8),
		TEST(test_senders),
		TEST(test_recipients), TEST(test_alias_undone),
		TEST(test_refused_content),
		TEST(test_abort), TEST(test_tickets), TEST(test_auth_restart),
		TEST(test_bounds), TEST(test_bad_form), TEST(test_bad_order),
		TEST(test_utf8_form), TEST(test_descriptor), TEST(test_gone),
		TEST(test_drain), TEST(test_room),
		TEST(test_room_open),
	};

	umask(0027);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
