/* SPDX-License-Identifier: ISC */
/*
 * The auth service as its users see it: postern-auth is started with its
 * role programs, confined as in service, and driven over its socket by the
 * parts of a session, a store and a reader. As root it runs as nobody.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/wait.h>

#include <cmocka.h>

#include "auth/accounts.h"
#include "auth/apppass.h"
#include "auth/auth_proto.h"
#include "auth/lastuse.h"
#include "auth/scram.h"
#include "lib/ctl.h"
#include "lib/ipc.h"
#include "lib/role.h"
#include "t/unit/scram-client.h"

#define GOOD	"wonder land"
#define LIMIT	5
#define DELAY	100	/* ms */
#define ALICE	"alice@example.test"
#define BOB	"bob@example.test"

static char folder[64], conf[96], sock[96], path[96], build[4096];
static pid_t master;
static struct auth_channel channel;	/* of the logins that start */
static union {
	uint32_t		type;
	struct auth_mechs	mechs;
	struct auth_reply	reply;
	struct auth_ticket	ticket;
	struct auth_id		id;
	struct auth_blocked	blocked;
} in;

static void
set_password(const char *user, const char *password)
{
	struct accounts_edit *e = accounts_edit_begin(path, true);
	char v[SCRAM_VERIFIER_MAX];

	assert_non_null(e);
	assert_int_equal(scram_verifier_make(password, strlen(password),
	    4096, v, sizeof(v)), 0);
	if (accounts_edit_add(e, user, v, "") == -1)
		assert_int_equal(accounts_edit_verifier(e, user, v), 0);
	assert_int_equal(accounts_edit_commit(&e), 0);
}

static void
remove_account(const char *user)
{
	struct accounts_edit *e = accounts_edit_begin(path, false);

	assert_int_equal(accounts_edit_remove(e, user), 0);
	assert_int_equal(accounts_edit_commit(&e), 0);
}

/* An app password, good for that many seconds, 0: for ever. */
static void
set_app(const char *login, const char *password, unsigned scope, int seconds)
{
	struct accounts_edit *e = accounts_edit_begin(path, true);
	char v[SCRAM_VERIFIER_MAX], options[APPPASS_OPTIONS_MAX];
	uint64_t when = (uint64_t)time(NULL);

	assert_non_null(e);
	assert_int_equal(scram_verifier_make(password, strlen(password),
	    4096, v, sizeof(v)), 0);
	assert_int_equal(apppass_options(scope, when, seconds == 0 ? 0 :
	    when + (uint64_t)seconds, password, strlen(password), options),
	    0);
	if (accounts_edit_find(e, login) != NULL)
		assert_int_equal(accounts_edit_remove(e, login), 0);
	assert_int_equal(accounts_edit_add(e, login, v, options), 0);
	assert_int_equal(accounts_edit_commit(&e), 0);
}

static void
write_conf(void)
{
	FILE *fp = fopen(conf, "w");

	assert_non_null(fp);
	fprintf(fp, "hostname = \"mail.example.test\"\n"
	    "domains = { \"example.test\" }\n"
	    "mail_root = \"%s\"\nstate_dir = \"%s\"\nrun_dir = \"%s\"\n"
	    "log = stderr\n"
	    "tls { certificates = { \"/none\" } keys = { \"/none\" } }\n"
	    "auth { accounts = \"%s\"\niterations = 4096\nworkers = 2\n"
	    "failure_limit = %d\nfailure_limit_account = 50\n"
	    "failure_time = 1min\nfailure_delay = %dms\n"
	    "mechanisms = { SCRAM-SHA-256-PLUS, SCRAM-SHA-256, PLAIN, LOGIN, "
	    "EXTERNAL }\nticket_time = 1min\n }\n", folder, folder, folder,
	    path, LIMIT, DELAY);
	fclose(fp);
}

static void
run_master(void)
{
	char program[4200], log[128];
	int fd;

	snprintf(program, sizeof(program), "%s/postern-auth", build);
	snprintf(log, sizeof(log), "%s/log", folder);
	/* A process that is not dumpable cannot look for leaks. */
	setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(fd, 1);
	dup2(fd, 2);
	execl(program, "postern-auth", "-L", build, "-c", conf, (char *)NULL);
	_exit(127);
}

static int
connect_as(enum role role, uint32_t instance)
{
	struct ctl hello = { CTL_PEER, role, instance };
	int i, fd = -1;

	for (i = 0; i < 500 && fd == -1; i++) {
		if ((fd = ipc_connect(sock)) != -1)
			break;
		if (waitpid(master, NULL, WNOHANG) != 0)
			fail_msg("the service has ended; KEEP=1 shows why");
		usleep(20000);
	}
	assert_int_not_equal(fd, -1);
	assert_int_equal(ipc_send(fd, &hello, sizeof(hello), -1), 0);
	return fd;
}

/* The hosts that were told to be blocked, 192.0.0.HOST, since it was reset. */
static unsigned char blocked[256];

static void
note_blocked(size_t len)
{
	assert_int_equal(len, sizeof(in.blocked));
	assert_in_range(in.blocked.seconds, 1, 60);
	assert_memory_equal(in.blocked.address,
	    "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\0", 15);
	blocked[in.blocked.address[15]]++;
}

/*
 * The next datagram into `in': its type, 0 for none in time, -1 for EOF.
 * Who is blocked is noted on the way.
 */
static int
get(int fd, int ms)
{
	struct pollfd p = { fd, POLLIN, 0 };
	ssize_t n;

	do {
		if (poll(&p, 1, ms) <= 0)
			return 0;
		memset(&in, 0, sizeof(in));
		n = ipc_recv(fd, &in, sizeof(in), NULL);
		if (n > 0 && in.type == AUTH_BLOCKED)
			note_blocked((size_t)n);
	} while (n > 0 && in.type == AUTH_BLOCKED);
	return n <= 0 ? -1 : (int)in.type;
}

static int
session(enum role role, uint32_t instance)
{
	int fd = connect_as(role, instance);

	assert_int_equal(get(fd, 10000), AUTH_MECHS);
	assert_string_equal(in.mechs.list,
	    "SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN EXTERNAL");
	return fd;
}

static void
start(int fd, uint32_t id, uint32_t service, const char *mechanism,
    unsigned char host, const void *data, size_t len)
{
	struct auth_start m;

	memset(&m, 0, sizeof(m));
	m.type = AUTH_START;
	m.id = id;
	m.service = service;
	m.initial = data != NULL;
	m.address[10] = m.address[11] = 0xff;
	m.address[12] = 192;
	m.address[15] = host;
	strcpy(m.mechanism, mechanism);
	m.channel = channel;
	m.len = (uint32_t)len;
	if (len > 0)
		memcpy(m.data, data, len);
	assert_int_equal(ipc_send(fd, &m, offsetof(struct auth_start, data) +
	    len, -1), 0);
}

static void
step(int fd, uint32_t id, const void *data, size_t len)
{
	struct auth_step m;

	memset(&m, 0, sizeof(m));
	m.type = AUTH_STEP;
	m.id = id;
	m.len = (uint32_t)len;
	if (len > 0)
		memcpy(m.data, data, len);
	assert_int_equal(ipc_send(fd, &m, offsetof(struct auth_step, data) +
	    len, -1), 0);
}

static void
end(int fd, uint32_t id)
{
	struct auth_id m = { AUTH_END, id };

	assert_int_equal(ipc_send(fd, &m, sizeof(m), -1), 0);
}

static void
plain_ask(int fd, uint32_t id, uint32_t service, unsigned char host,
    const char *user, const char *password)
{
	char m[1024];
	int n = snprintf(m, sizeof(m), "%c%s%c%s", 0, user, 0, password);

	start(fd, id, service, "PLAIN", host, m, (size_t)n);
}

static enum auth_status
answer(int fd, uint32_t id)
{
	assert_int_equal(get(fd, 10000), AUTH_REPLY);
	assert_int_equal(in.reply.id, id);
	return (enum auth_status)in.reply.status;
}

static enum auth_status
plain(int fd, uint32_t id, unsigned char host, const char *user,
    const char *password)
{
	plain_ask(fd, id, AUTH_SMTP, host, user, password);
	return answer(fd, id);
}

static int64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
test_plain(void **state)
{
	int s = session(ROLE_SMTPD_SESSION, 7);
	int store = connect_as(ROLE_SMTPD_STORE, 8);
	int reader = connect_as(ROLE_RETRIEVE_READER, 9);
	unsigned char nonce[AUTH_NONCE];

	(void)state;
	assert_int_equal(get(store, 100), 0);
	assert_int_equal(plain(s, 1, 1, "Alice", GOOD), AUTH_OK);
	assert_string_equal(in.reply.user, ALICE);
	assert_int_equal(in.reply.lifetime, 60);
	assert_int_equal(in.reply.len, 0);
	memcpy(nonce, in.reply.nonce, sizeof(nonce));
	/* The store has it already. */
	assert_int_equal(get(store, 0), AUTH_TICKET);
	assert_memory_equal(in.ticket.nonce, nonce, sizeof(nonce));
	assert_string_equal(in.ticket.user, ALICE);
	assert_int_equal(in.ticket.instance, 7);
	assert_int_equal(in.ticket.service, AUTH_SMTP);
	assert_int_equal(get(reader, 50), 0);
	/* A store that comes later gets what is live. */
	close(store);
	store = connect_as(ROLE_SMTPD_STORE, 10);
	assert_int_equal(get(store, 5000), AUTH_TICKET);
	assert_memory_equal(in.ticket.nonce, nonce, sizeof(nonce));
	end(s, 1);
	assert_int_equal(get(store, 5000), AUTH_TICKET_END);
	assert_memory_equal(in.ticket.nonce, nonce, sizeof(nonce));
	/* Another login, and again, has another nonce. */
	assert_int_equal(plain(s, 1, 1, "alice", GOOD), AUTH_OK);
	assert_memory_not_equal(in.reply.nonce, nonce, sizeof(nonce));
	assert_int_equal(get(store, 5000), AUTH_TICKET);
	/* A session process that ends takes its logins with it. */
	close(s);
	assert_int_equal(get(store, 5000), AUTH_TICKET_END);
	close(store);
	close(reader);
}

static void
test_http(void **state)
{
	int s = session(ROLE_RETRIEVE_SESSION, 7);
	int store = connect_as(ROLE_SMTPD_STORE, 8);
	int reader = connect_as(ROLE_RETRIEVE_READER, 9);

	(void)state;
	assert_int_equal(get(reader, 100), 0);
	plain_ask(s, 5, AUTH_HTTP, 1, "bob", "builder");
	assert_int_equal(answer(s, 5), AUTH_OK);
	assert_int_equal(get(reader, 5000), AUTH_TICKET);
	assert_string_equal(in.ticket.user, BOB);
	assert_int_equal(in.ticket.service, AUTH_HTTP);
	assert_int_equal(get(store, 50), 0);
	close(s);
	assert_int_equal(get(reader, 5000), AUTH_TICKET_END);
	close(store);
	close(reader);
}

static void
test_failures(void **state)
{
	static const char *const users[] = {
		"alice", "nobody", "x@elsewhere.test"
	};
	int s = session(ROLE_SMTPD_SESSION, 7);
	int64_t t;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		t = now();
		assert_int_equal(plain(s, 1, (unsigned char)(10 + i),
		    users[i], "wrong"), AUTH_FAIL);
		t = now() - t;
		assert_true(t >= DELAY - 5 && t < DELAY + 2000);
		assert_string_equal(in.reply.user, "");
		assert_int_equal(in.reply.len, 0);
		end(s, 1);
	}
	plain_ask(s, 1, AUTH_SMTP, 14, "bob", "wrong");
	end(s, 1);			/* does not wait */
	assert_int_equal(get(s, 3 * DELAY), 0);
	start(s, 2, AUTH_SMTP, "CRAM-MD5", 14, NULL, 0);
	assert_int_equal(answer(s, 2), AUTH_NO_MECHANISM);
	start(s, 3, AUTH_SMTP, "PLAIN", 14, "x", 1);
	assert_int_equal(answer(s, 3), AUTH_BAD_PROTOCOL);
	start(s, 4, AUTH_SMTP, "PLAIN", 14, "bob\0alice\0" GOOD, 21);
	assert_int_equal(answer(s, 4), AUTH_NOT_AUTHORIZED);
	close(s);
}

static void
test_steps(void **state)
{
	int s = session(ROLE_SMTPD_SESSION, 7);
	struct scram_client c;
	char m[SCRAM_CLIENT_TEXT];

	(void)state;
	start(s, 1, AUTH_SMTP, "LOGIN", 1, NULL, 0);
	assert_int_equal(answer(s, 1), AUTH_MORE);
	step(s, 1, "bob", 3);
	assert_int_equal(answer(s, 1), AUTH_MORE);
	step(s, 1, "builder", 7);
	assert_int_equal(answer(s, 1), AUTH_OK);
	assert_string_equal(in.reply.user, BOB);
	scram_client_first(&c, "n,,", "alice", m);
	start(s, 2, AUTH_SMTP, "SCRAM-SHA-256", 1, m, strlen(m));
	assert_int_equal(answer(s, 2), AUTH_MORE);
	assert_true(scram_client_final(&c, (const char *)in.reply.data,
	    in.reply.len, GOOD, m));
	step(s, 2, m, strlen(m));
	assert_int_equal(answer(s, 2), AUTH_MORE);
	assert_true(scram_client_check(&c, (const char *)in.reply.data,
	    in.reply.len));
	step(s, 2, NULL, 0);
	assert_int_equal(answer(s, 2), AUTH_OK);
	assert_string_equal(in.reply.user, ALICE);
	/* PLAIN without initial response, twice: the second is cached. */
	for (uint32_t id = 3; id < 5; id++) {
		start(s, id, AUTH_SMTP, "PLAIN", 1, NULL, 0);
		assert_int_equal(answer(s, id), AUTH_MORE);
		step(s, id, "\0alice\0" GOOD, 18);
		assert_int_equal(answer(s, id), AUTH_OK);
	}
	/* Given up in the middle; the id is free again. */
	start(s, 9, AUTH_SMTP, "LOGIN", 1, NULL, 0);
	assert_int_equal(answer(s, 9), AUTH_MORE);
	end(s, 9);
	assert_int_equal(plain(s, 9, 1, "alice", GOOD), AUTH_OK);
	close(s);
}

static void
test_revoke(void **state)
{
	int s = session(ROLE_SMTPD_SESSION, 7);
	int store = connect_as(ROLE_SMTPD_STORE, 8);

	(void)state;
	set_password("carol@example.test", "old");
	set_password("dave@example.test", "dave");
	assert_int_equal(plain(s, 1, 1, "carol", "old"), AUTH_OK);
	assert_int_equal(plain(s, 2, 1, "dave", "dave"), AUTH_OK);
	assert_int_equal(get(store, 5000), AUTH_TICKET);
	assert_int_equal(get(store, 5000), AUTH_TICKET);
	set_password("carol@example.test", "new");
	assert_int_equal(get(s, 5000), AUTH_REVOKED);
	assert_int_equal(in.id.id, 1);
	assert_int_equal(get(store, 5000), AUTH_TICKET_END);
	assert_int_equal(plain(s, 1, 20, "carol", "old"), AUTH_FAIL);
	assert_int_equal(plain(s, 1, 20, "carol", "new"), AUTH_OK);
	/* What was right a moment ago is not taken from the cache. */
	set_password("carol@example.test", "newer");
	assert_int_equal(get(s, 5000), AUTH_REVOKED);
	assert_int_equal(plain(s, 1, 20, "carol", "new"), AUTH_FAIL);
	remove_account("dave@example.test");
	assert_int_equal(get(s, 5000), AUTH_REVOKED);
	assert_int_equal(in.id.id, 2);
	assert_int_equal(plain(s, 1, 20, "dave", "dave"), AUTH_FAIL);
	close(s);
	close(store);
}

/* By an app password one is its account, for what and while it is good. */
static void
test_app(void **state)
{
	int s = session(ROLE_SMTPD_SESSION, 7);
	int h = session(ROLE_RETRIEVE_SESSION, 8);
	int store = connect_as(ROLE_SMTPD_STORE, 9), i;

	(void)state;
	set_app("alice+one@example.test", "app-one", APPPASS_SMTP, 0);
	set_app("alice+two@example.test", "app-two",
	    APPPASS_SMTP | APPPASS_HTTP, 0);
	for (i = 1; i < 3; i++) {
		/* Twice: the second time it is known. */
		assert_int_equal(plain(s, (uint32_t)i, 21, "alice",
		    "app-one"), AUTH_OK);
		assert_string_equal(in.reply.user, ALICE);
		assert_int_equal(in.reply.lifetime, 60);
		assert_int_equal(get(store, 5000), AUTH_TICKET);
		assert_string_equal(in.ticket.user, ALICE);
		/* What is known for one service is not so for another. */
		plain_ask(h, 1, AUTH_HTTP, 21, "alice", "app-one");
		assert_int_equal(answer(h, 1), AUTH_FAIL);
	}
	assert_int_equal(plain(s, 3, 21, "alice+two", "app-two"), AUTH_OK);
	plain_ask(h, 3, AUTH_HTTP, 21, "alice", "app-two");
	assert_int_equal(answer(h, 3), AUTH_OK);
	assert_string_equal(in.reply.user, ALICE);
	/* One goes, the other stays. */
	remove_account("alice+one@example.test");
	assert_int_equal(get(s, 5000), AUTH_REVOKED);
	assert_int_equal(get(s, 5000), AUTH_REVOKED);
	assert_int_equal(plain(s, 1, 21, "alice", "app-one"), AUTH_FAIL);
	assert_int_equal(get(h, 100), 0);
	assert_int_equal(get(s, 0), 0);
	remove_account("alice+two@example.test");
	assert_int_equal(get(s, 5000), AUTH_REVOKED);
	assert_int_equal(in.id.id, 3);
	assert_int_equal(get(h, 5000), AUTH_REVOKED);
	close(s);
	close(h);
	close(store);
}

/* It ends by its time alone: the ticket, the login, what is known of it. */
static void
test_app_expires(void **state)
{
	int s = session(ROLE_SMTPD_SESSION, 7);
	int store = connect_as(ROLE_SMTPD_STORE, 9);
	struct scram_client c;
	struct timespec ts;
	uint64_t left;
	char m[1024];

	(void)state;
	set_app("bob+brief@example.test", "app-brief", APPPASS_SMTP, 5);
	assert_int_equal(plain(s, 1, 22, "bob", "app-brief"), AUTH_OK);
	assert_true(in.reply.lifetime <= 5);
	assert_int_equal(get(store, 5000), AUTH_TICKET);
	clock_gettime(CLOCK_BOOTTIME, &ts);
	left = in.ticket.expiry - ((uint64_t)ts.tv_sec * 1000 +
	    (uint64_t)ts.tv_nsec / 1000000);
	assert_true(left <= 5000);
	/* A dialogue in between: it is looked at again at its end. */
	scram_client_first(&c, "n,,", "bob+brief", m);
	start(s, 2, AUTH_SMTP, "SCRAM-SHA-256", 22, m, strlen(m));
	assert_int_equal(answer(s, 2), AUTH_MORE);
	assert_true(scram_client_final(&c, (const char *)in.reply.data,
	    in.reply.len, "app-brief", m));
	step(s, 2, m, strlen(m));
	assert_int_equal(answer(s, 2), AUTH_MORE);
	assert_int_equal(get(s, 10000), AUTH_REVOKED);
	assert_int_equal(in.id.id, 1);
	step(s, 2, NULL, 0);
	assert_int_equal(answer(s, 2), AUTH_FAIL);
	assert_int_equal(plain(s, 1, 22, "bob", "app-brief"), AUTH_FAIL);
	assert_int_equal(plain(s, 1, 22, "bob+brief", "app-brief"),
	    AUTH_FAIL);
	close(s);
	close(store);
}

/*
 * What is known of a login, because it was verified a short while ago, does
 * not make its refusal elsewhere quicker than any other.
 */
static void
test_app_known(void **state)
{
	int s = session(ROLE_SMTPD_SESSION, 7);
	int h = session(ROLE_RETRIEVE_SESSION, 8);
	char v[SCRAM_VERIFIER_MAX];
	struct accounts_edit *e;
	int64_t t, hashed;

	(void)state;
	set_password("slow@example.test", "main");
	assert_int_equal(scram_verifier_make("main", 4, 500000, v,
	    sizeof(v)), 0);
	assert_non_null(e = accounts_edit_begin(path, false));
	assert_int_equal(accounts_edit_verifier(e, "slow@example.test", v),
	    0);
	assert_int_equal(accounts_edit_commit(&e), 0);
	set_app("slow+s@example.test", "app-slow", APPPASS_SMTP, 0);
	t = now();
	assert_int_equal(plain(s, 1, 24, "slow", "app-slow"), AUTH_OK);
	hashed = now() - t;
	t = now();
	assert_int_equal(plain(s, 2, 24, "slow", "app-slow"), AUTH_OK);
	assert_true(now() - t < hashed / 2);
	t = now();
	plain_ask(h, 1, AUTH_HTTP, 24, "slow", "app-slow");
	assert_int_equal(answer(h, 1), AUTH_FAIL);
	assert_true(now() - t >= DELAY + hashed / 4);
	remove_account("slow@example.test");
	close(s);
	close(h);
}

/* Failures under an app's name are of the account, and forgiven with it. */
static void
test_app_counts(void **state)
{
	int s = session(ROLE_SMTPD_SESSION, 7);
	char password[32];
	uint32_t i, k;

	(void)state;
	for (k = 0; k < 2; k++) {
		for (i = 1; i < LIMIT - 1; i++) {
			snprintf(password, sizeof(password), "no %u %u", k,
			    i);
			assert_int_equal(plain(s, i, 25, i % 2 == 0 ?
			    "alice+x" : "alice+y", password), AUTH_FAIL);
		}
		assert_int_equal(plain(s, LIMIT + k, 25, "alice", GOOD),
		    AUTH_OK);
	}
	close(s);
}

/* The time of last use, as of what is in the file within a while. */
static uint32_t
used_by(const char *login)
{
	const struct lastuse_entry *e = NULL;
	struct lastuse *l = NULL;
	char file[128];
	uint32_t service = 0;
	int i;

	snprintf(file, sizeof(file), "%s/auth/last-use", folder);
	for (i = 0; i < 200 && e == NULL; i++) {
		lastuse_free(&l);
		assert_non_null(l = lastuse_new());
		assert_int_equal(lastuse_read(l, file), 0);
		if ((e = lastuse_find(l, login)) == NULL)
			usleep(50000);
	}
	if (e != NULL) {
		assert_string_equal(e->address, "192.0.0.23");
		service = e->service;
	}
	lastuse_free(&l);
	return service;
}

static void
test_app_used(void **state)
{
	int s = session(ROLE_SMTPD_SESSION, 7);
	int h = session(ROLE_RETRIEVE_SESSION, 8);

	(void)state;
	set_app("alice+a@example.test", "app-a", APPPASS_SMTP, 0);
	set_app("alice+b@example.test", "app-b", APPPASS_HTTP, 0);
	assert_int_equal(plain(s, 1, 23, "alice", "app-a"), AUTH_OK);
	assert_int_equal(used_by("alice+a@example.test"), AUTH_SMTP);
	/* The first use of another does not wait for its minute. */
	plain_ask(h, 1, AUTH_HTTP, 23, "alice", "app-b");
	assert_int_equal(answer(h, 1), AUTH_OK);
	assert_int_equal(used_by("alice+b@example.test"), AUTH_HTTP);
	remove_account("alice+a@example.test");
	remove_account("alice+b@example.test");
	close(s);
	close(h);
}

static void
test_throttle(void **state)
{
	int s = session(ROLE_SMTPD_SESSION, 7);
	char password[32];
	int i;

	(void)state;
	for (i = 0; i < 3 * LIMIT; i++)
		assert_int_equal(plain(s, 1, 30, "alice", "same"), AUTH_FAIL);
	for (i = 1; i < LIMIT; i++) {
		snprintf(password, sizeof(password), "guess %d", i);
		assert_int_equal(plain(s, 1, 30, "alice", password),
		    AUTH_FAIL);
	}
	assert_int_equal(plain(s, 1, 30, "alice", GOOD), AUTH_THROTTLED);
	assert_true(in.reply.retry_after >= 1 && in.reply.retry_after <= 60);
	start(s, 2, AUTH_SMTP, "LOGIN", 30, NULL, 0);
	assert_int_equal(answer(s, 2), AUTH_THROTTLED);
	assert_int_equal(plain(s, 1, 31, "alice", GOOD), AUTH_OK);
	close(s);
}

/* All sessions of both services hear of it, also those that come later. */
static void
test_blocked(void **state)
{
	int s = session(ROLE_SMTPD_SESSION, 7), later;
	int h = session(ROLE_RETRIEVE_SESSION, 8);
	int store = connect_as(ROLE_SMTPD_STORE, 9);
	char password[32];
	int i;

	(void)state;
	memset(blocked, 0, sizeof(blocked));
	for (i = 0; i < LIMIT; i++) {
		assert_int_equal(blocked[35], 0);
		snprintf(password, sizeof(password), "guess %d", i);
		assert_int_equal(plain(s, 1, 35, "alice", password),
		    AUTH_FAIL);
	}
	/* It is told before the last answer, and once. */
	assert_int_equal(blocked[35], 1);
	assert_int_equal(get(h, 200), 0);
	assert_int_equal(blocked[35], 2);
	assert_int_equal(get(store, 200), 0);
	assert_int_equal(blocked[35], 2);
	assert_int_equal(plain(s, 1, 35, "alice", GOOD), AUTH_THROTTLED);
	later = session(ROLE_SMTPD_SESSION, 10);
	assert_int_equal(get(later, 200), 0);
	assert_int_equal(get(s, 0), 0);
	assert_int_equal(blocked[35], 3);
	close(s);
	close(h);
	close(store);
	close(later);
}

/* Guesses sent all at once learn no more than those sent in turn. */
static void
test_throttle_burst(void **state)
{
	int s = session(ROLE_SMTPD_SESSION, 7), failed = 0, throttled = 0;
	char password[32];
	uint32_t i;

	(void)state;
	for (i = 0; i < 40; i++) {
		snprintf(password, sizeof(password), "guess %u", i);
		plain_ask(s, i, AUTH_SMTP, 40, "alice", i < 39 ? password :
		    GOOD);
	}
	for (i = 0; i < 40; i++) {
		assert_int_equal(get(s, 10000), AUTH_REPLY);
		failed += in.reply.status == AUTH_FAIL;
		throttled += in.reply.status == AUTH_THROTTLED;
	}
	assert_int_equal(failed + throttled, 40);
	assert_int_equal(failed, LIMIT);
	close(s);
}

static void
test_many(void **state)
{
	int s = session(ROLE_SMTPD_SESSION, 7);
	unsigned char seen[400] = { 0 };
	struct scram_client *c = calloc(400, sizeof(*c));
	char m[SCRAM_CLIENT_TEXT];
	uint32_t i, id, left = 400;

	(void)state;
	for (i = 0; i < 400; i++) {
		scram_client_first(&c[i], "n,,", "alice", m);
		start(s, i, AUTH_SMTP, "SCRAM-SHA-256", 50, m, strlen(m));
	}
	while (left > 0) {
		assert_int_equal(get(s, 10000), AUTH_REPLY);
		id = in.reply.id;
		assert_true(id < 400);
		seen[id]++;
		if (in.reply.status == AUTH_OK) {
			assert_int_equal(seen[id], 3);
			left--;
			continue;
		}
		assert_int_equal(in.reply.status, AUTH_MORE);
		if (seen[id] == 1) {
			assert_true(scram_client_final(&c[id],
			    (const char *)in.reply.data, in.reply.len, GOOD,
			    m));
			step(s, id, m, strlen(m));
		} else {
			step(s, id, NULL, 0);
		}
	}
	free(c);
	close(s);
}

static void
assert_closed(int fd)
{
	int type;

	while ((type = get(fd, 5000)) > 0)
		;
	assert_int_equal(type, -1);
	close(fd);
}

static enum auth_status
external(int fd, uint32_t id, unsigned char host, const char *names,
    const char *authzid)
{
	memset(&channel, 0, sizeof(channel));
	strcpy(channel.names, names);
	start(fd, id, AUTH_SMTP, "EXTERNAL", host, authzid, strlen(authzid));
	memset(&channel, 0, sizeof(channel));
	return answer(fd, id);
}

static void
test_external(void **state)
{
	int s = session(ROLE_SMTPD_SESSION, 7), i;
	int store = connect_as(ROLE_SMTPD_STORE, 7);
	char names[64];

	(void)state;
	while (get(store, 200) > 0)
		;		/* tickets of other tests */
	assert_int_equal(external(s, 1, 170, ALICE "\n", ""), AUTH_OK);
	assert_string_equal(in.reply.user, ALICE);
	assert_int_equal(get(store, 10000), AUTH_TICKET);
	assert_string_equal(((struct auth_ticket *)&in)->user, ALICE);
	assert_int_equal(external(s, 2, 170, ALICE "\n" BOB "\n", BOB),
	    AUTH_OK);
	assert_string_equal(in.reply.user, BOB);
	assert_int_equal(external(s, 3, 170, ALICE "\n", BOB),
	    AUTH_NOT_AUTHORIZED);
	assert_int_equal(external(s, 3, 170, "", ""), AUTH_NO_MECHANISM);
	start(s, 4, AUTH_SMTP, "SCRAM-SHA-256-PLUS", 170, NULL, 0);
	assert_int_equal(answer(s, 4), AUTH_NO_MECHANISM);
	/* The same certificate again counts once, another one each time. */
	for (i = 0; i < 3 * LIMIT; i++)
		assert_int_equal(external(s, 5, 171, "x@example.test\n", ""),
		    AUTH_FAIL);
	for (i = 1; i < LIMIT; i++) {
		snprintf(names, sizeof(names), "x%d@example.test\n", i);
		assert_int_equal(external(s, 5, 171, names, ""), AUTH_FAIL);
	}
	assert_int_equal(external(s, 5, 171, ALICE "\n", ""), AUTH_THROTTLED);
	close(s);
	close(store);
}

static void
bind_scram(struct scram_client *c, char octet)
{
	memset(&channel, 0, sizeof(channel));
	channel.exporter_len = AUTH_EXPORTER;
	memset(channel.exporter, 'x', AUTH_EXPORTER);
	c->cbind_len = AUTH_EXPORTER;
	memset(c->cbind, octet, AUTH_EXPORTER);
}

/* Logins bound to another connection are counted as guesses. */
static void
test_plus(void **state)
{
	int s = session(ROLE_SMTPD_SESSION, 7), i;
	struct scram_client c;
	char m[SCRAM_CLIENT_TEXT];

	(void)state;
	for (i = 0; i <= LIMIT + 1; i++) {
		scram_client_first(&c, "p=tls-exporter,,", "alice", m);
		bind_scram(&c, i == 0 ? 'x' : 'y');
		start(s, 1, AUTH_SMTP, "SCRAM-SHA-256-PLUS", 172, m,
		    strlen(m));
		if (i == LIMIT + 1)
			break;
		assert_int_equal(answer(s, 1), AUTH_MORE);
		assert_true(scram_client_final(&c, (const char *)in.reply.data,
		    in.reply.len, GOOD, m));
		step(s, 1, m, strlen(m));
		assert_int_equal(answer(s, 1), i == 0 ? AUTH_MORE : AUTH_FAIL);
		if (i > 0)
			continue;
		step(s, 1, NULL, 0);
		assert_int_equal(answer(s, 1), AUTH_OK);
		assert_string_equal(in.reply.user, ALICE);
		end(s, 1);
	}
	memset(&channel, 0, sizeof(channel));
	assert_int_equal(answer(s, 1), AUTH_THROTTLED);
	close(s);
}

/* What is said of a connection has its form, and HTTP says nothing. */
static void
test_bad_channels(void **state)
{
	static const struct {
		enum role role;
		uint32_t exporter_len, endpoint_len;
		const char *names;
	} rows[] = {
		{ ROLE_SMTPD_SESSION, 31, 0, "" },
		{ ROLE_SMTPD_SESSION, 33, 0, "" },
		{ ROLE_SMTPD_SESSION, 0xffffffff, 0, "" },
		{ ROLE_SMTPD_SESSION, 0, 65, "" },
		{ ROLE_SMTPD_SESSION, 0, 1, "" },
		{ ROLE_SMTPD_SESSION, 0, 0xffffffff, "" },
		{ ROLE_SMTPD_SESSION, 0, 0, ALICE },
		{ ROLE_SMTPD_SESSION, 0, 0, ALICE "\n\n" },
		{ ROLE_SMTPD_SESSION, 0, 0, "al ice\n" },
		{ ROLE_SMTPD_SESSION, 0, 0, NULL },
		{ ROLE_RETRIEVE_SESSION, 0, 0, ALICE "\n" },
		{ ROLE_RETRIEVE_SESSION, 32, 0, "" },
		{ ROLE_RETRIEVE_SESSION, 0, 32, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int s = session(rows[i].role, 7);

		memset(&channel, 0, sizeof(channel));
		channel.exporter_len = rows[i].exporter_len;
		channel.endpoint_len = rows[i].endpoint_len;
		memset(channel.names, 'a', sizeof(channel.names));
		if (rows[i].names != NULL)
			strcpy(channel.names, rows[i].names);
		start(s, 1, rows[i].role == ROLE_SMTPD_SESSION ? AUTH_SMTP :
		    AUTH_HTTP, "PLAIN", 173, NULL, 0);
		assert_closed(s);
	}
	memset(&channel, 0, sizeof(channel));
}

static void
test_bad_messages(void **state)
{
	static const uint32_t types[] = {
		AUTH_NONE, AUTH_MECHS, AUTH_REPLY, AUTH_REVOKED,
		AUTH_BLOCKED, AUTH_TICKET, AUTH_TICKET_END, AUTH_TYPE_COUNT,
		0xffffffff
	};
	struct ctl hello = { CTL_PEER, ROLE_TLS_KEYS, 1 };
	struct auth_start m;
	size_t i;
	int s;

	(void)state;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		s = session(ROLE_SMTPD_SESSION, 7);
		memset(&in, 0, sizeof(in));
		in.type = types[i];
		ipc_send(s, &in, sizeof(in), -1);
		assert_closed(s);
	}
	s = session(ROLE_SMTPD_SESSION, 7);
	start(s, 1, AUTH_HTTP, "PLAIN", 60, "", 0);	/* not its service */
	assert_closed(s);
	s = session(ROLE_SMTPD_SESSION, 7);
	start(s, 1, AUTH_SMTP, "LOGIN", 60, NULL, 0);
	start(s, 1, AUTH_SMTP, "LOGIN", 60, NULL, 0);	/* its id is in use */
	assert_closed(s);
	s = session(ROLE_SMTPD_SESSION, 7);
	memset(&m, 'A', sizeof(m));			/* no NUL */
	m.type = AUTH_START;
	m.service = AUTH_SMTP;
	m.initial = 1;
	m.len = 10;
	ipc_send(s, &m, offsetof(struct auth_start, data) + 10, -1);
	assert_closed(s);
	s = session(ROLE_SMTPD_SESSION, 7);
	memset(&m, 0, sizeof(m));
	m.type = AUTH_START;
	m.service = AUTH_SMTP;
	m.initial = 1;
	m.len = 0xffffffff;				/* a wrong length */
	ipc_send(s, &m, sizeof(m), -1);
	assert_closed(s);
	s = connect_as(ROLE_SMTPD_STORE, 1);		/* says nothing, ever */
	start(s, 1, AUTH_SMTP, "LOGIN", 60, NULL, 0);
	assert_closed(s);
	s = ipc_connect(sock);				/* no role that may */
	ipc_send(s, &hello, sizeof(hello), -1);
	assert_closed(s);
	s = ipc_connect(sock);
	ipc_send(s, &hello, 1, -1);
	assert_closed(s);
	/* A step that nobody waits for. */
	s = session(ROLE_SMTPD_SESSION, 7);
	step(s, 77, "x", 1);
	end(s, 78);
	assert_int_equal(plain(s, 1, 60, "alice", GOOD), AUTH_OK);
	close(s);
}

/* The processes below the master whose name is this. */
static int
kill_all(const char *name, int signo)
{
	char file[64], comm[64], list[1024] = "";
	char *p, *save = NULL;
	FILE *fp;
	int n = 0;

	snprintf(file, sizeof(file), "/proc/%d/task/%d/children",
	    (int)master, (int)master);
	if ((fp = fopen(file, "r")) == NULL)
		return 0;
	if (fgets(list, sizeof(list), fp) == NULL)
		list[0] = '\0';
	fclose(fp);
	for (p = strtok_r(list, " ", &save); p != NULL;
	    p = strtok_r(NULL, " ", &save)) {
		snprintf(file, sizeof(file), "/proc/%s/comm", p);
		if ((fp = fopen(file, "r")) == NULL)
			continue;
		if (fgets(comm, sizeof(comm), fp) != NULL &&
		    strncmp(comm, name, strlen(name)) == 0 &&
		    kill((pid_t)atoi(p), signo) == 0)
			n++;
		fclose(fp);
	}
	return n;
}

/* The workers die with work in hand: every attempt still gets an answer. */
static void
test_workers_die(void **state)
{
	int s = session(ROLE_SMTPD_SESSION, 7), i;
	enum auth_status status = AUTH_STATUS_NONE;
	char password[32];

	(void)state;
	start(s, 1000, AUTH_SMTP, "LOGIN", 70, NULL, 0);
	assert_int_equal(answer(s, 1000), AUTH_MORE);
	for (i = 0; i < 60; i++) {
		snprintf(password, sizeof(password), "%d", i);
		plain_ask(s, (uint32_t)i, AUTH_SMTP,
		    (unsigned char)(100 + i), "nobody", password);
	}
	if (kill_all("auth-sasl", SIGKILL) == 0)
		skip();
	for (i = 0; i < 60; i++) {
		assert_int_equal(get(s, 10000), AUTH_REPLY);
		assert_true(in.reply.status == AUTH_TEMP ||
		    in.reply.status == AUTH_FAIL);
	}
	step(s, 1000, "alice", 5);
	assert_int_equal(answer(s, 1000), AUTH_TEMP);
	for (i = 0; i < 100 && status != AUTH_OK; i++) {
		usleep(50000);
		status = plain(s, 2000, 71, "bob", "builder");
		assert_true(status == AUTH_OK || status == AUTH_TEMP);
	}
	assert_int_equal(status, AUTH_OK);
	close(s);
}

static void
test_server_dies(void **state)
{
	int s = session(ROLE_SMTPD_SESSION, 7), i;
	enum auth_status status = AUTH_STATUS_NONE;

	(void)state;
	if (kill_all("auth-server", SIGKILL) == 0)
		skip();
	assert_closed(s);
	s = session(ROLE_SMTPD_SESSION, 7);
	for (i = 0; i < 100 && status != AUTH_OK; i++) {
		status = plain(s, 1, 80, "bob", "builder");
		assert_true(status == AUTH_OK || status == AUTH_TEMP);
		usleep(50000);
	}
	assert_int_equal(status, AUTH_OK);
	close(s);
}

static void
test_reload(void **state)
{
	int s = session(ROLE_SMTPD_SESSION, 7), i;
	enum auth_status status = AUTH_STATUS_NONE;

	(void)state;
	/* Who is logged in goes on, then all move to the new one. */
	assert_int_equal(plain(s, 1, 90, "alice", GOOD), AUTH_OK);
	assert_int_equal(kill(master, SIGHUP), 0);
	assert_int_equal(get(s, 500), 0);
	assert_int_equal(plain(s, 2, 90, "bob", "builder"), AUTH_OK);
	end(s, 1);
	end(s, 2);
	assert_closed(s);
	s = session(ROLE_SMTPD_SESSION, 7);
	for (i = 0; i < 100 && status != AUTH_OK; i++) {
		status = plain(s, 1, 90, "alice", GOOD);
		usleep(50000);
	}
	assert_int_equal(status, AUTH_OK);
	close(s);
}

static int
setup(void **state)
{
	const char *dir = getenv("BUILDDIR");

	(void)state;
	if (realpath(dir == NULL ? "." : dir, build) == NULL)
		return -1;
	snprintf(folder, sizeof(folder), "/tmp/test-auth.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(conf, sizeof(conf), "%s/postern.conf", folder);
	snprintf(sock, sizeof(sock), "%s/auth.sock", folder);
	snprintf(path, sizeof(path), "%s/accounts", folder);
	write_conf();
	set_password(ALICE, GOOD);
	set_password(BOB, "builder");
	if ((master = fork()) == 0)
		run_master();
	return master == -1 ? -1 : 0;
}

static int
teardown(void **state)
{
	char command[128];
	int status = -1;

	(void)state;
	kill(master, SIGTERM);
	waitpid(master, &status, 0);
	snprintf(command, sizeof(command), getenv("KEEP") != NULL ?
	    "cat %s/log" : "rm -rf %s", folder);
	return system(command) != 0 || status != 0 ? -1 : 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_http),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_revoke),
		cmocka_unit_test(test_app),
		cmocka_unit_test(test_app_expires),
		cmocka_unit_test(test_app_known),
		cmocka_unit_test(test_app_counts),
		cmocka_unit_test(test_app_used),
		cmocka_unit_test(test_throttle),
		cmocka_unit_test(test_blocked),
		cmocka_unit_test(test_throttle_burst),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_external),
		cmocka_unit_test(test_plus),
		cmocka_unit_test(test_bad_channels),
		cmocka_unit_test(test_bad_messages),
		cmocka_unit_test(test_workers_die),
		cmocka_unit_test(test_server_dies),
		cmocka_unit_test(test_reload),
	};
	const char *dir = getenv("BUILDDIR");
	char program[4200];

	if (geteuid() == 0 && (setgroups(0, NULL) == -1 ||
	    setgid(65534) == -1 || setuid(65534) == -1))
		return 99;
	snprintf(program, sizeof(program), "%s/auth-sasl",
	    dir == NULL ? "." : dir);
	if (access(program, X_OK) == -1) {
		puts("1..0 # SKIP nobody cannot reach the build folder");
		return 0;
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
