/* SPDX-License-Identifier: ISC */
/*
 * A session process of SMTP without its sockets: two clients, answers of
 * auth and store, in form or not, helpers that go and come. Connections and
 * channels are stand-ins. A bad message from a helper may end the process.
 */
#include <setjmp.h>

#define exit fuzz_exit
static void	fuzz_exit(int) __attribute__((noreturn));
#define on_input auth_on_input
#define on_gone auth_on_gone
#define bad_message auth_bad_message
#include "smtpd/driver_auth.c"
#undef on_input
#undef on_gone
#undef bad_message
#define on_input store_on_input
#define on_gone store_on_gone
#define bad_message store_bad_message
#define send_end store_send_end
#include "smtpd/driver_store.c"
#undef on_input
#undef on_gone
#undef bad_message
#include "smtpd/client.c"
#include "smtpd/message.c"
#undef exit

#include "t/fuzz/fuzz-ipc.h"

struct conn {
	void	*arg;
	int	 tls, over, resumed, used;
	uint8_t	 in[4096];
	size_t	 len;
};

struct chan {
	int	 there;
};

static struct conn	conns[2];
static struct chan	channels[2];	/* auth, store */
static struct driver	driver;
static jmp_buf		away;
static uint32_t		auth_id, txn, request;	/* last seen */
static size_t		queued;

static void
fuzz_exit(int status)
{
	CHECK(status == EX_PROTOCOL);
	longjmp(away, 1);
}

struct conn *
conn_new(struct event_base *base, int fd, const struct conn_ops *o, void *arg)
{
	struct conn	*c = &conns[fd - 100];

	(void)base;
	CHECK(o == &ops);
	memset(c, 0, sizeof(*c));
	c->arg = arg;
	c->used = 1;
	return c;
}

int
conn_start_tls(struct conn *c, struct tls *t)
{
	(void)t;
	CHECK(c->used && c->tls == 0);
	c->tls = 1;
	return 0;
}

void
conn_resume(struct conn *c)
{
	c->resumed = 1;
}

int
conn_write(struct conn *c, const void *data, size_t len)
{
	CHECK(c->used && !c->over && data != NULL && len > 0);
	return 0;
}

void
conn_close(struct conn *c)
{
	CHECK(c->used);
	c->over = 1;
}

void
conn_drop(struct conn *c)
{
	CHECK(c->used);
	c->over = 1;
}

void
conn_deadline(struct conn *c, uint64_t ms)
{
	CHECK(c->used && !c->over && ms > 0);
}

const char *
conn_error(const struct conn *c)
{
	(void)c;
	return "";
}

const char *
conn_tls_version(const struct conn *c)
{
	return c->tls ? "TLSv1.3" : NULL;
}

const char *
conn_tls_cipher(const struct conn *c)
{
	return c->tls ? "TLS_AES_256_GCM_SHA384" : NULL;
}

int
conn_tls_bits(const struct conn *c)
{
	return c->tls ? 256 : 0;
}

size_t
conn_tls_exporter(const struct conn *c, unsigned char *out)
{
	memset(out, 1, WIRE_EXPORTER);
	return c->tls ? WIRE_EXPORTER : 0;
}

size_t
conn_tls_endpoint(const struct conn *c, unsigned char *out)
{
	memset(out, 2, 32);
	return c->tls ? 32 : 0;
}

size_t
conn_tls_names(const struct conn *c, char *names, size_t size)
{
	snprintf(names, size, "%s", c->tls ? "alice@example.test\n" : "");
	return c->tls != 0;
}

uint64_t
conn_octets_in(const struct conn *c)
{
	return c->len;
}

uint64_t
conn_octets_out(const struct conn *c)
{
	return c->len;
}

struct chan *
chan_new(struct event_base *b, int fd, const struct chan_ops *o, void *arg)
{
	(void)b;
	(void)o;
	(void)arg;
	CHECK(fd == 0 || fd == 1);
	channels[fd].there = 1;
	return &channels[fd];
}

void
chan_free(struct chan **cp)
{
	if (*cp != NULL)
		(*cp)->there = 0;
	*cp = NULL;
}

size_t
chan_queued(const struct chan *c)
{
	return c == &channels[1] ? queued : 0;
}

/* What is sent is in form. */
int
chan_send(struct chan *c, const void *msg, size_t len, int fd)
{
	const struct auth_start	*a = msg;
	const struct store_open	*s = msg;

	CHECK(c->there && fd == -1 && len <= IPC_MAX);
	if (c == &channels[0]) {
		CHECK(a->type >= AUTH_START && a->type <= AUTH_END);
		CHECK(a->type != AUTH_START || len == a->len +
		    offsetof(struct auth_start, data));
		auth_id = a->id;
	} else {
		CHECK(s->type >= STORE_BEGIN && s->type <= STORE_ABORT);
		CHECK(s->txn != 0);
		txn = s->txn;
		if (s->type != STORE_BODY && s->type != STORE_ABORT)
			request = s->type;
		queued += s->type == STORE_BODY;
	}
	return 0;
}

void
role_want_peer(enum role r)
{
	CHECK(r == ROLE_AUTH_SERVER);
}

void
role_done(void)
{
}

uint32_t
role_instance(void)
{
	return 1;
}

void
accept_left(struct accept *a, const unsigned char ip[IP_SIZE])
{
	CHECK(a == NULL && ip != NULL);
}

/* Give the client what came, as conn.c does. */
static void
offer(struct conn *c)
{
	size_t	n;
	uint8_t	*copy;

	while (c->used && !c->over && c->tls != 1 && c->len > 0) {
		n = c->len;
		copy = malloc(n);
		CHECK(copy != NULL);
		memcpy(copy, c->in, n);
		c->resumed = 0;
		n = ops.input(c->arg, copy, n);
		free(copy);
		CHECK(n <= c->len);
		memmove(c->in, c->in + n, c->len - n);
		c->len -= n;
		if (c->len > 0 && !c->resumed)
			break;
	}
	if (c->used && c->over) {
		ops.ended(c->arg, CONN_END_NONE);
		c->used = 0;
	}
}

/* What happens to connection i. */
static void
client_event(struct fuzz *f, int i, uint8_t what)
{
	static const unsigned char	ip[IP_SIZE] = { 0x20, 1, 13, 0xb8 };
	struct conn			*c = &conns[i];
	size_t				 n;
	uint8_t				*text;

	if (!c->used) {
		client_accept_ops.taken(&driver, what & 1 ?
		    LISTEN_SUBMISSIONS : LISTEN_SUBMISSION, 100 + i, ip);
	} else if (c->tls == 1) {
		c->tls = 2;
		c->len = 0;
		ops.secured(c->arg);
	} else if (what % 8 == 7) {
		ops.eof(c->arg);
	} else if (what % 8 == 6) {
		ops.timeout(c->arg);
	} else if (what % 16 == 5) {
		ops.ended(c->arg, CONN_END_ERROR);
		c->used = 0;
	} else {
		text = fuzz_take(f, fuzz_octet(f), &n);
		if (n > sizeof(c->in) - c->len)
			n = sizeof(c->in) - c->len;
		memcpy(c->in + c->len, text, n);
		c->len += n;
		free(text);
	}
	offer(&conns[i]);
}

static void
auth_says(struct fuzz *f, uint8_t what)
{
	static struct auth_reply	r;
	struct auth_mechs		m = { AUTH_MECHS, "PLAIN LOGIN X" };
	struct auth_id			i = { AUTH_REVOKED, auth_id };
	size_t				len = sizeof(i);
	const void			*good = &i;
	void				*msg;

	memset(&r, 0, offsetof(struct auth_reply, data));
	r.type = AUTH_REPLY;
	r.id = auth_id;
	r.status = 1 + (what >> 2) % (AUTH_STATUS_COUNT - 1);
	snprintf(r.user, 30, "alice@example.test");
	if (what % 4 < 2) {
		good = &r;
		len = offsetof(struct auth_reply, data);
	} else if (what % 4 == 2) {
		good = &m;
		len = sizeof(m);
	}
	msg = fuzz_datagram(f, good, &len);
	if (driver.auth != NULL && setjmp(away) == 0)
		auth_on_input(driver.auth, &driver, msg, len, -1);
	free(msg);
}

static void
store_says(struct fuzz *f, uint8_t what)
{
	struct store_reply	r = { STORE_REPLY, txn, request,
	    1 + what % (STORE_STATUS_COUNT - 1), 0, "1.M2" };
	size_t			len = sizeof(r);
	void			*msg = fuzz_datagram(f, &r, &len);

	if (driver.store != NULL && setjmp(away) == 0)
		store_on_input(driver.store, &driver, msg, len, -1);
	free(msg);
}

static void
turn(struct fuzz *f)
{
	uint8_t	what = fuzz_octet(f);

	switch (what % 8) {
	case 0:
	case 1:
	case 2:
		client_event(f, what % 8 == 2, what >> 3);
		break;
	case 3:
		auth_says(f, what >> 3);
		break;
	case 4:
	case 5:
		store_says(f, what >> 3);
		break;
	case 6:
		queued = 0;
		if (driver.store != NULL)
			on_drained(driver.store, &driver);
		break;
	default:
		if (what & 8 && driver.auth != NULL)
			auth_on_gone(driver.auth, &driver);
		else if (what & 8)
			auth_connect(&driver, 0);
		else if (driver.store != NULL)
			store_on_gone(driver.store, &driver);
		else
			store_connect(&driver, 1);
	}
	offer(&conns[0]);
	offer(&conns[1]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned char	key[SIPHASH_KEY];
	struct fuzz	f = { data, size };
	int		i;

	fuzz_quiet();
	memset(&driver, 0, sizeof(driver));
	memset(conns, 0, sizeof(conns));
	driver.conf = (struct session_conf){
		.hostname = "mx.example.test", .mechs = driver.mechs,
		.scratch = driver.body.data, .scratch_size = 64,
		.lines = { 512, 4096, 12288 }, .text_line = 1000,
		.message_size = 5000, .recipient_limit = 3,
		.messages_per_session = 9, .errors_per_session = 10,
		.command_time = 300000, .data_time = 180000,
		.session_time = 7200000, .handshake_time = 30000,
		.unauthenticated_time = 60000, .minimum_rate = 64,
	};
	snprintf(driver.mechs, sizeof(driver.mechs), "PLAIN");
	LIST_INIT(&driver.clients);
	ids_init(&driver.logins);
	ids_init(&driver.txns);
	CHECK((driver.blocked = blocked_new(8, key)) != NULL);
	auth_connect(&driver, 0);
	store_connect(&driver, 1);
	queued = 0;
	auth_id = txn = request = 1;
	while (f.len > 0)
		turn(&f);
	for (i = 0; i < 2; i++)
		if (conns[i].used)
			ops.ended(conns[i].arg, CONN_END_CUT);
	CHECK(LIST_EMPTY(&driver.clients));
	message_lost(&driver);
	CHECK(LIST_EMPTY(&driver.left));
	ids_free(&driver.logins);
	ids_free(&driver.txns);
	blocked_free(&driver.blocked);
	return 0;
}
