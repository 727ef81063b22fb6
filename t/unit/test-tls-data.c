/* SPDX-License-Identifier: ISC */
/*
 * Connections under TLS: STARTTLS, long transfers with key updates, what
 * an end looks like, what an idle one costs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <event2/event.h>
#include <malloc.h>
#include <openssl/err.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"
#include "t/unit/peer.h"

#define BULK	(6U << 20)

static struct tls *smtp;

static void
only_12_ecdsa(SSL_CTX *ctx)
{
	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_cipher_list(ctx, "ECDHE-ECDSA-AES256-GCM-SHA384");
}

static void
only_12_rsa(SSL_CTX *ctx)
{
	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_cipher_list(ctx, "ECDHE-RSA-AES128-GCM-SHA256");
}

/* --- STARTTLS --- */

static size_t
take_starttls(struct end *e, const unsigned char *data, size_t len)
{
	if (e->secures == 1) {
		assert_int_equal(buf_add(&e->got, data, len), 0);
		return len;
	}
	assert_true(len >= 10);
	assert_memory_equal(data, "STARTTLS\r\n", 10);
	assert_int_equal(conn_write(e->conn, "220 go\r\n", 8), 0);
	assert_int_equal(conn_start_tls(e->conn, smtp), 0);
	return 10;
}

static void
start_tls(int fd, void *arg)
{
	char data[16];
	SSL *ssl;

	(void)arg;
	peer_write(fd, "STARTTLS\r\n", 10);
	NEED(peer_read(fd, data, 8) == 8);
	NEED(memcmp(data, "220 go\r\n", 8) == 0);
	ssl = peer_connect(fd, NULL);
	NEED(ssl != NULL && SSL_write(ssl, "EHLO", 4) == 4);
	peer_tls_close(ssl, fd);
}

static void
test_starttls(void **state)
{
	struct end e = { .input = take_starttls };

	(void)state;
	peer_run(&e, start_tls, NULL, false);
	assert_int_equal(e.why, CONN_END_EOF);
	assert_int_equal(e.got.len, 4);
	assert_memory_equal(buf_data(&e.got), "EHLO", 4);
	assert_int_equal(e.in, 14);
	peer_free(&e);
}

/* Pipelined behind STARTTLS: never taken for what came under TLS. */
static void
inject(int fd, void *arg)
{
	char data[64];

	(void)arg;
	peer_write(fd, "STARTTLS\r\nRSET\r\n", 16);
	NEED(peer_read(fd, data, sizeof(data)) == 8);
	close(fd);
}

static void
test_injection(void **state)
{
	struct end e = { .input = take_starttls };

	(void)state;
	peer_run(&e, inject, NULL, false);
	assert_int_equal(e.why, CONN_END_HANDSHAKE);
	assert_string_equal(e.error, "plaintext behind STARTTLS");
	assert_int_equal(e.inputs, 1);
	peer_free(&e);
}

/* --- ends --- */

static void
cut(int fd, void *arg)
{
	SSL *ssl = peer_connect(fd, arg == NULL ? NULL : only_12_ecdsa);

	NEED(ssl != NULL && SSL_write(ssl, "half a message", 14) == 14);
	SSL_free(ssl);
	close(fd);
}

static void
test_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct end e = { .tls = smtp };

		peer_run(&e, cut, i == 0 ? NULL : &e, true);
		assert_int_equal(e.why, CONN_END_CUT);
		assert_int_equal(e.eofs, 0);
		assert_int_equal(e.got.len, 14);
		peer_free(&e);
	}
}

static void
damage(int fd, void *arg)
{
	SSL *ssl = peer_connect(fd, NULL);
	unsigned char data[64];
	unsigned long code;

	(void)arg;
	NEED(ssl != NULL);
	memset(data, 1, sizeof(data));
	memcpy(data, "\27\3\3\0\73", 5);
	peer_write(fd, data, sizeof(data));
	peer_write(fd, data, sizeof(data));
	NEED(SSL_read(ssl, data, sizeof(data)) <= 0);
	code = ERR_peek_error();
	NEED(ERR_GET_REASON(code) == SSL_R_SSLV3_ALERT_BAD_RECORD_MAC);
	SSL_free(ssl);
	close(fd);
}

static void
test_damage(void **state)
{
	struct end e = { .tls = smtp };

	(void)state;
	peer_run(&e, damage, NULL, false);
	assert_int_equal(e.why, CONN_END_ERROR);
	assert_int_equal(e.inputs, 0);
	assert_true(e.error[0] != '\0');
	peer_free(&e);
}

/* RFC 8446, 6.1: the client's close_notify closes one direction only. */
static void
half_close(int fd, void *arg)
{
	SSL *ssl = peer_connect(fd, NULL);
	char data[8];

	(void)arg;
	NEED(ssl != NULL && SSL_write(ssl, "question", 8) == 8);
	NEED(SSL_shutdown(ssl) == 0);
	peer_tls_read(ssl, data, 6);
	NEED(memcmp(data, "answer", 6) == 0);
	NEED(SSL_read(ssl, data, 1) == 0);
	NEED(SSL_get_error(ssl, 0) == SSL_ERROR_ZERO_RETURN);
	SSL_free(ssl);
	close(fd);
}

static void
answer_later(evutil_socket_t fd, short what, void *arg)
{
	struct end *e = arg;

	(void)fd;
	(void)what;
	assert_int_equal(conn_write(e->conn, "answer", 6), 0);
	conn_close(e->conn);
}

static void
answer_after_eof(struct end *e)
{
	const struct timeval tv = { 0, 20000 };

	event_base_once(e->base, -1, EV_TIMEOUT, answer_later, e, &tv);
}

static void
test_half_close(void **state)
{
	struct end e = { .tls = smtp, .eof = answer_after_eof };

	(void)state;
	peer_run(&e, half_close, NULL, true);
	assert_int_equal(e.why, CONN_END_NONE);
	assert_int_equal(e.eofs, 1);
	peer_free(&e);
}

static size_t
refuse(struct end *e, const unsigned char *data, size_t len)
{
	(void)data;
	assert_int_equal(conn_write(e->conn, "554 no", 6), 0);
	conn_close(e->conn);
	return len;
}

static void
send_all_then_read(int fd, void *arg)
{
	SSL *ssl = peer_connect(fd, NULL);
	static const char much[3U << 20];
	char data[8];

	(void)arg;
	NEED(ssl != NULL);
	NEED(SSL_write(ssl, much, sizeof(much)) == (int)sizeof(much));
	usleep(20000);
	peer_tls_read(ssl, data, 6);
	NEED(memcmp(data, "554 no", 6) == 0);
	peer_tls_close(ssl, fd);
}

static void
test_linger(void **state)
{
	struct end e = { .tls = smtp, .input = refuse };

	(void)state;
	peer_run(&e, send_all_then_read, NULL, false);
	assert_int_equal(e.why, CONN_END_NONE);
	assert_int_equal(e.inputs, 1);
	peer_free(&e);
}

/* --- long transfers, both ways, with key updates in between --- */

struct bulk {
	size_t	sent;
	size_t	seen;
	bool	updates;
};

static void
write_more(struct end *e)
{
	unsigned char data[50000];
	struct bulk *b = e->arg;
	size_t n = BULK - b->sent < sizeof(data) ? BULK - b->sent :
	    sizeof(data);

	for (size_t i = 0; i < n; i++)
		data[i] = peer_octet(b->sent + i);
	assert_int_equal(conn_write(e->conn, data, n), 0);
	b->sent += n;
}

static size_t
check_bulk(struct end *e, const unsigned char *data, size_t len)
{
	struct bulk *b = e->arg;
	size_t take = e->inputs % 5 == 0 && len > 1 ? len / 2 : len;

	for (size_t i = 0; i < take; i++)
		assert_int_equal(data[i], peer_octet(b->seen + i));
	b->seen += take;
	if (take < len)
		conn_resume(e->conn);
	if (e->inputs % 11 == 0 && conn_queued(e->conn) > 0)
		conn_hold(e->conn, true);
	return take;
}

static void
on_drained(struct end *e)
{
	conn_hold(e->conn, false);
	if (((struct bulk *)e->arg)->sent < BULK)
		write_more(e);
}

/* Send and receive at once, the socket's buffers being small. */
static void
exchange(int fd, void *arg)
{
	struct bulk *b = arg;
	unsigned char in[16384], out[16384];
	size_t sent = 0, seen = 0, n, len, turns = 0;
	SSL *ssl = peer_connect(fd, b->updates ? NULL : only_12_rsa);
	int nb = 1, e;
	bool open = true;

	NEED(ssl != NULL);
	NEED(ioctl(fd, FIONBIO, &nb) == 0);
	SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	while (sent < BULK || seen < BULK) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		len = BULK - sent < sizeof(out) ? BULK - sent : sizeof(out);
		for (size_t i = 0; i < len; i++)
			out[i] = peer_octet(sent + i);
		open = len > 0;
		if (open && SSL_write_ex(ssl, out, len, &n) == 1) {
			sent += n;
			if (b->updates && ++turns % 16 == 0)
				NEED(SSL_key_update(ssl,
				    SSL_KEY_UPDATE_REQUESTED) == 1);
		} else if (open) {
			e = SSL_get_error(ssl, 0);
			NEED(e == SSL_ERROR_WANT_WRITE ||
			    e == SSL_ERROR_WANT_READ);
			p.events |= POLLOUT;
		}
		if (SSL_read_ex(ssl, in, sizeof(in), &n) == 1) {
			for (size_t i = 0; i < n; i++)
				NEED(in[i] == peer_octet(seen + i));
			seen += n;
			continue;
		}
		e = SSL_get_error(ssl, 0);
		NEED(e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE);
		poll(&p, 1, 100);
		if (seen % 5 == 0)
			usleep(1000);
	}
	nb = 0;
	NEED(ioctl(fd, FIONBIO, &nb) == 0);
	peer_tls_close(ssl, fd);
}

static void
test_bulk(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct bulk b = { .updates = i == 0 };
		struct end e = { .tls = smtp, .secured = write_more,
		    .drained = on_drained, .input = check_bulk, .arg = &b };

		peer_run(&e, exchange, &b, false);
		assert_int_equal(e.why, CONN_END_EOF);
		assert_int_equal(e.in, BULK);
		assert_int_equal(e.out, BULK);
		assert_int_equal(b.seen, BULK);
		peer_free(&e);
	}
}

/* --- renegotiation is refused, and costs no more than a turn --- */

static void
renegotiate(int fd, void *arg)
{
	SSL *ssl = peer_connect(fd, only_12_ecdsa);
	char data[8];

	(void)arg;
	NEED(ssl != NULL);
	NEED(SSL_renegotiate(ssl) == 1);
	(void)SSL_do_handshake(ssl);
	(void)SSL_read(ssl, data, 1);
	SSL_free(ssl);
	close(fd);
}

static void
test_renegotiation(void **state)
{
	struct end e = { .tls = smtp };

	(void)state;
	peer_signatures = 0;
	peer_run(&e, renegotiate, NULL, false);
	assert_int_equal(e.secures, 1);
	assert_int_equal(peer_signatures, 1);
	assert_true(e.why != CONN_END_EOF);
	peer_free(&e);
}

/* --- what an idle connection costs --- */

#define IDLE	64

static void
idle_clients(const int *fds, int go)
{
	SSL *ssl[IDLE];
	char c;

	for (size_t i = 0; i < IDLE; i++) {
		ssl[i] = peer_connect(fds[i], i % 2 == 0 ? NULL :
		    only_12_ecdsa);
		NEED(ssl[i] != NULL && SSL_write(ssl[i], "x", 1) == 1);
	}
	(void)!read(go, &c, 1);
	_exit(0);
}

static size_t
count_input(struct end *e, const unsigned char *data, size_t len)
{
	(void)data;
	++*(unsigned *)e->arg;
	return len;
}

static void
test_memory(void **state)
{
	struct event_base *base = event_base_new();
	static struct end ends[IDLE];
	int fds[IDLE], go[2], status;
	unsigned seen = 0;
	size_t before, each;
	pid_t pid;

	(void)state;
	before = mallinfo2().uordblks;
	for (size_t i = 0; i < IDLE; i++) {
		ends[i] = (struct end){ .base = base, .tls = smtp,
		    .input = count_input, .arg = &seen };
		fds[i] = peer_start(&ends[i], false);
	}
	assert_int_equal(pipe(go), 0);
	pid = fork();
	assert_true(pid != -1);
	if (pid == 0) {
		close(go[1]);
		idle_clients(fds, go[0]);
	}
	while (seen < IDLE)
		assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
	each = (mallinfo2().uordblks - before) / IDLE;
	print_message("# %zu octets for an idle TLS connection\n", each);
	assert_true(each < 24 * 1024);
	for (size_t i = 0; i < IDLE; i++) {
		close(fds[i]);
		conn_drop(ends[i].conn);
		ends[i].ends = 0;
	}
	for (size_t i = 0; i < IDLE; i++)
		if (ends[i].ends == 0)
			peer_finish(&ends[i]);
	close(go[0]);
	close(go[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	event_base_free(base);
}

static int
set_up(void **state)
{
	(void)state;
	smtp = peer_tls(TLS_USE_SMTP, false);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	tls_free(&smtp);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_starttls),
		cmocka_unit_test(test_injection),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_half_close),
		cmocka_unit_test(test_linger),
		cmocka_unit_test(test_bulk),
		cmocka_unit_test(test_renegotiation),
		cmocka_unit_test(test_memory),
	};

	signal(SIGPIPE, SIG_IGN);
	log_open("test-tls-data", -1, false);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
