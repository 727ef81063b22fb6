/* SPDX-License-Identifier: ISC */
/*
 * Connections without TLS: limits, fairness, time-outs, and replies that
 * survive a close.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "t/unit/peer.h"

static void
reset_close(int fd)
{
	struct linger now = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

/* --- a client that asks and asks and never reads --- */

static size_t
answer_much(struct end *e, const unsigned char *data, size_t len)
{
	static const char text[64];

	(void)data;
	/* 64 octets for one: the queue must still have an end. */
	for (size_t i = 0; i < len; i++)
		assert_int_equal(conn_write(e->conn, text, sizeof(text)), 0);
	return len;
}

static void
never_read(int fd, void *arg)
{
	static const char data[1U << 20];
	struct timeval tv = { 0, 300000 };

	(void)arg;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	while (write(fd, data, sizeof(data)) > 0)
		;
	usleep(200000);
	reset_close(fd);
}

static void
test_never_read(void **state)
{
	struct end e = { .input = answer_much, .deadline = 5000 };

	(void)state;
	peer_run(&e, never_read, NULL, false);
	assert_int_equal(e.why, CONN_END_ERROR);
	assert_string_equal(e.error, "connection reset");
	assert_int_equal(e.timeouts, 0);
	peer_free(&e);
}

static void
test_queue_limit(void **state)
{
	static const char big[1U << 20];
	struct end e = { 0 };
	int fd = peer_start(&e, false);

	(void)state;
	for (size_t i = 0; i < CONN_QUEUE_MAX / sizeof(big); i++)
		assert_int_equal(conn_write(e.conn, big, sizeof(big)), 0);
	assert_int_equal(conn_write(e.conn, big, 1), -1);
	assert_int_equal(errno, EMSGSIZE);
	conn_drop(e.conn);
	assert_int_equal(conn_write(e.conn, big, 1), -1);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(e.ends, 0);
	peer_finish(&e);
	assert_int_equal(e.why, CONN_END_NONE);
	assert_int_equal(e.out, 0);
	close(fd);
	peer_free(&e);
}

/* --- the last reply survives what the client still sends --- */

static size_t
refuse(struct end *e, const unsigned char *data, size_t len)
{
	(void)data;
	assert_int_equal(conn_write(e->conn, "554 no\r\n", 8), 0);
	conn_close(e->conn);
	return len / 2;
}

static void
send_all_then_read(int fd, void *arg)
{
	static const char data[4U << 20];
	char reply[64];

	(void)arg;
	peer_write(fd, data, sizeof(data));
	usleep(50000);
	NEED(peer_read(fd, reply, sizeof(reply)) == 8);
	NEED(memcmp(reply, "554 no\r\n", 8) == 0);
	close(fd);
}

static void
test_linger(void **state)
{
	struct end e = { .input = refuse };

	(void)state;
	peer_run(&e, send_all_then_read, NULL, false);
	assert_int_equal(e.why, CONN_END_NONE);
	assert_int_equal(e.inputs, 1);
	assert_string_equal(e.error, "");
	peer_free(&e);
}

static void
say_and_stay(int fd, void *arg)
{
	char reply[64];

	peer_write(fd, "x", 1);
	NEED(peer_read(fd, reply, sizeof(reply)) == 8);
	/* No FIN: the server does not wait for it for long. */
	*(int *)arg = fd;
}

static void
test_linger_ends(void **state)
{
	struct end e = { .input = refuse };
	int fd = -1;

	(void)state;
	peer_run(&e, say_and_stay, &fd, false);
	assert_int_equal(e.why, CONN_END_NONE);
	close(fd);
	peer_free(&e);
}

/* --- ends --- */

static void
just_reset(int fd, void *arg)
{
	(void)arg;
	peer_write(fd, "x", 1);
	usleep(20000);
	reset_close(fd);
}

static void
test_reset(void **state)
{
	struct end e = { 0 };

	(void)state;
	peer_run(&e, just_reset, NULL, false);
	assert_int_equal(e.why, CONN_END_ERROR);
	assert_string_equal(e.error, "connection reset");
	peer_free(&e);
}

static void
wait_for_end(int fd, void *arg)
{
	char reply[64];

	NEED(peer_read(fd, reply, sizeof(reply)) == *(int *)arg);
	close(fd);
}

static void
say_goodbye(struct end *e)
{
	assert_int_equal(conn_write(e->conn, "421 bye\r\n", 9), 0);
	conn_close(e->conn);
	conn_close(e->conn);
}

static void
test_timeout(void **state)
{
	struct end e = { .deadline = 50, .timeout = say_goodbye };
	struct end dropped = { .deadline = 50 };
	int len = 9, none = 0;

	(void)state;
	peer_run(&e, wait_for_end, &len, false);
	assert_int_equal(e.why, CONN_END_NONE);
	assert_int_equal(e.timeouts, 1);
	peer_free(&e);
	peer_run(&dropped, wait_for_end, &none, false);
	assert_int_equal(dropped.why, CONN_END_NONE);
	assert_int_equal(dropped.timeouts, 1);
	peer_free(&dropped);
}

static size_t
drop(struct end *e, const unsigned char *data, size_t len)
{
	(void)data;
	(void)len;
	assert_int_equal(conn_write(e->conn, "never", 5), 0);
	conn_drop(e->conn);
	conn_close(e->conn);
	conn_resume(e->conn);
	conn_deadline(e->conn, 1);
	return 0;
}

static void
ask_in_vain(int fd, void *arg)
{
	char reply[64];

	(void)arg;
	peer_write(fd, "x", 1);
	NEED(peer_read(fd, reply, sizeof(reply)) == 0);
	close(fd);
}

static void
test_drop(void **state)
{
	struct end e = { .input = drop };

	(void)state;
	peer_run(&e, ask_in_vain, NULL, false);
	assert_int_equal(e.why, CONN_END_NONE);
	assert_int_equal(e.inputs, 1);
	assert_int_equal(e.out, 0);
	peer_free(&e);
}

/* --- one that never stops sending does not keep the others waiting --- */

struct turns {
	struct event	*ev;		/* once in each turn of the loop */
	size_t		 now;		/* octets in this turn */
	size_t		 most;
	unsigned	 n;
};

static size_t
swallow(struct end *e, const unsigned char *data, size_t len)
{
	struct turns *t = e->arg;

	(void)data;
	t->now += len;
	if (t->now > t->most)
		t->most = t->now;
	return len;
}

static void
flood(int fd, void *arg)
{
	static const char data[256U << 10];

	(void)arg;
	for (size_t i = 0; i < 64; i++)
		peer_write(fd, data, sizeof(data));
	shutdown(fd, SHUT_WR);
	wait_for_end(fd, &(int){ 0 });
}

static void
next_turn(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval now = { 0, 0 };
	struct turns *t = arg;

	(void)fd;
	(void)what;
	t->now = 0;
	t->n++;
	event_add(t->ev, &now);
}

static void
test_fair(void **state)
{
	struct turns t = { 0 };
	struct end e = { .input = swallow, .arg = &t };

	(void)state;
	e.base = event_base_new();
	t.ev = event_new(e.base, -1, 0, next_turn, &t);
	next_turn(-1, 0, &t);
	peer_run(&e, flood, NULL, false);
	assert_int_equal(e.why, CONN_END_EOF);
	assert_true(t.most > 0);
	assert_true(t.most < 256U << 10);
	event_free(t.ev);
	peer_free(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_never_read),
		cmocka_unit_test(test_queue_limit),
		cmocka_unit_test(test_linger),
		cmocka_unit_test(test_linger_ends),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_fair),
	};

	signal(SIGPIPE, SIG_IGN);
	log_open("test-conn-end", -1, false);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
