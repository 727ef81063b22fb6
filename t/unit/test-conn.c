/* SPDX-License-Identifier: ISC */
/*
 * Connections without TLS: input in pieces, back-pressure, half-close, long
 * transfers.
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "t/unit/peer.h"

#define BULK	(8U << 20)

static const struct timeval tick = { 0, 20000 };

/* --- a client that says little, octet by octet --- */

static void
say_slowly(int fd, void *arg)
{
	const char *text = "octet by octet";
	char reply[64];

	(void)arg;
	for (; *text != '\0'; text++) {
		peer_write(fd, text, 1);
		usleep(500);
	}
	shutdown(fd, SHUT_WR);
	NEED(peer_read(fd, reply, sizeof(reply)) == 0);
	close(fd);
}

static void
test_slow(void **state)
{
	struct end e = { 0 };

	(void)state;
	peer_run(&e, say_slowly, NULL, false);
	assert_int_equal(e.why, CONN_END_EOF);
	assert_int_equal(e.got.len, 14);
	assert_memory_equal(buf_data(&e.got), "octet by octet", 14);
	assert_int_equal(e.in, 14);
	assert_int_equal(e.out, 0);
	assert_string_equal(e.error, "");
	assert_string_equal(e.version, "");
	peer_free(&e);
}

/* --- half-close: the reply comes after the client's FIN --- */

static void
ask_and_wait(int fd, void *arg)
{
	char reply[64] = "";

	(void)arg;
	peer_write(fd, "question", 8);
	shutdown(fd, SHUT_WR);
	NEED(peer_read(fd, reply, sizeof(reply)) == 6);
	NEED(memcmp(reply, "answer", 6) == 0);
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
	assert_int_equal(conn_write(e->conn, "more", 4), -1);
	assert_int_equal(errno, EPIPE);
}

static void
answer_after_eof(struct end *e)
{
	event_base_once(e->base, -1, EV_TIMEOUT, answer_later, e, &tick);
}

static void
test_half_close(void **state)
{
	struct end e = { .eof = answer_after_eof };

	(void)state;
	peer_run(&e, ask_and_wait, NULL, true);
	assert_int_equal(e.why, CONN_END_NONE);
	assert_int_equal(e.eofs, 1);
	assert_int_equal(e.got.len, 8);
	assert_int_equal(e.out, 6);
	peer_free(&e);
}

static size_t
answer_at_once(struct end *e, const unsigned char *data, size_t len)
{
	(void)data;
	assert_int_equal(conn_write(e->conn, "answer", 6), 0);
	assert_int_equal(conn_queued(e->conn), 6);
	return len;
}

static void
test_eof_flushes(void **state)
{
	struct end e = { .input = answer_at_once };

	(void)state;
	peer_run(&e, ask_and_wait, NULL, false);
	assert_int_equal(e.why, CONN_END_EOF);
	assert_int_equal(e.out, 6);
	peer_free(&e);
}

/* --- what input() does not take is handed up again on demand --- */

static void
resume_later(evutil_socket_t fd, short what, void *arg)
{
	struct end *e = arg;

	(void)fd;
	(void)what;
	if (e->conn != NULL)
		conn_resume(e->conn);
}

/* Takes one octet, then none, until it is asked again. */
static size_t
take_one(struct end *e, const unsigned char *data, size_t len)
{
	size_t taken = e->inputs % 2;

	assert_int_equal(buf_add(&e->got, data, taken), 0);
	if (taken == len)
		return taken;
	if (taken == 1)
		conn_resume(e->conn);
	else
		event_base_once(e->base, -1, EV_TIMEOUT, resume_later, e,
		    &tick);
	return taken;
}

static void
say_at_once(int fd, void *arg)
{
	char reply[64];

	(void)arg;
	peer_write(fd, "piecemeal", 9);
	shutdown(fd, SHUT_WR);
	NEED(peer_read(fd, reply, sizeof(reply)) == 0);
	close(fd);
}

static void
test_partial(void **state)
{
	struct end e = { .input = take_one };

	(void)state;
	peer_run(&e, say_at_once, NULL, false);
	assert_int_equal(e.why, CONN_END_EOF);
	assert_int_equal(e.got.len, 9);
	assert_memory_equal(buf_data(&e.got), "piecemeal", 9);
	assert_int_equal(e.inputs, 17);
	peer_free(&e);
}

/* --- a pause costs nothing and loses nothing --- */

static double
cpu(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return (double)ru.ru_utime.tv_sec + (double)ru.ru_stime.tv_sec +
	    (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
}

static size_t
take_none(struct end *e, const unsigned char *data, size_t len)
{
	(void)e;
	(void)data;
	(void)len;
	return 0;
}

static size_t
take_all(struct end *e, const unsigned char *data, size_t len)
{
	assert_int_equal(buf_add(&e->got, data, len), 0);
	return len;
}

static void
unpause(struct end *e)
{
	assert_int_equal(e->inputs, 1);
	assert_int_equal(conn_unread(e->conn), 5);
	e->input = take_all;
	conn_resume(e->conn);
	/* Never from within: only the event loop calls input(). */
	assert_int_equal(e->inputs, 1);
}

static void
talk_twice(int fd, void *arg)
{
	char reply[8];

	(void)arg;
	peer_write(fd, "first", 5);
	usleep(50000);
	peer_write(fd, "second", 6);
	shutdown(fd, SHUT_WR);
	NEED(peer_read(fd, reply, sizeof(reply)) == 0);
	close(fd);
}

static void
test_pause(void **state)
{
	struct end e = { .input = take_none, .timeout = unpause,
	    .deadline = 400 };
	double start = cpu();

	(void)state;
	peer_run(&e, talk_twice, NULL, false);
	assert_true(cpu() - start < 0.1);
	assert_int_equal(e.timeouts, 1);
	assert_int_equal(e.why, CONN_END_EOF);
	assert_memory_equal(buf_data(&e.got), "firstsecond", 11);
	peer_free(&e);
}

static size_t
take_and_hold(struct end *e, const unsigned char *data, size_t len)
{
	conn_hold(e->conn, true);
	return take_all(e, data, len);
}

static void
let_go(struct end *e)
{
	assert_int_equal(e->inputs, 1);
	assert_int_equal(e->got.len, 5);
	conn_hold(e->conn, false);
	e->input = take_all;
}

static void
test_hold(void **state)
{
	struct end e = { .input = take_and_hold, .timeout = let_go,
	    .deadline = 400 };
	double start = cpu();

	(void)state;
	peer_run(&e, talk_twice, NULL, false);
	assert_true(cpu() - start < 0.1);
	assert_int_equal(e.why, CONN_END_EOF);
	assert_memory_equal(buf_data(&e.got), "firstsecond", 11);
	peer_free(&e);
}

/* --- long transfers --- */

struct bulk {
	size_t	sent;
	size_t	seen;
};

static size_t
check_bulk(struct end *e, const unsigned char *data, size_t len)
{
	struct bulk *b = e->arg;
	size_t take = b->seen % 7 == 0 && len > 1 ? len / 2 : len;

	for (size_t i = 0; i < take; i++)
		assert_int_equal(data[i], peer_octet(b->seen + i));
	b->seen += take;
	if (take < len)
		conn_resume(e->conn);
	return take;
}

static void
send_bulk(int fd, void *arg)
{
	unsigned char data[5000];
	size_t sent = 0, n;

	(void)arg;
	for (; sent < BULK; sent += n) {
		n = BULK - sent < sizeof(data) ? BULK - sent : sizeof(data);
		for (size_t i = 0; i < n; i++)
			data[i] = peer_octet(sent + i);
		peer_write(fd, data, n);
	}
	shutdown(fd, SHUT_WR);
	NEED(peer_read(fd, data, 1) == 0);
	close(fd);
}

static void
test_upload(void **state)
{
	struct bulk b = { 0 };
	struct end e = { .input = check_bulk, .arg = &b };

	(void)state;
	peer_run(&e, send_bulk, NULL, false);
	assert_int_equal(e.why, CONN_END_EOF);
	assert_int_equal(b.seen, BULK);
	assert_int_equal(e.in, BULK);
	peer_free(&e);
}

static void
write_more(struct end *e)
{
	unsigned char data[65536];
	struct bulk *b = e->arg;

	if (b->sent == BULK) {
		conn_close(e->conn);
		return;
	}
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = peer_octet(b->sent + i);
	assert_int_equal(conn_write(e->conn, data, sizeof(data)), 0);
	b->sent += sizeof(data);
}

static size_t
start_bulk(struct end *e, const unsigned char *data, size_t len)
{
	(void)data;
	write_more(e);
	return len;
}

static void
fetch_bulk(int fd, void *arg)
{
	unsigned char data[70000];
	size_t seen = 0;
	long n;

	(void)arg;
	peer_write(fd, "go", 2);
	while ((n = peer_read(fd, data, sizeof(data))) > 0) {
		for (long i = 0; i < n; i++)
			NEED(data[i] == peer_octet(seen + (size_t)i));
		if (seen % 3 == 0)
			usleep(2000);
		seen += (size_t)n;
	}
	NEED(seen == BULK);
	close(fd);
}

static void
test_download(void **state)
{
	struct bulk b = { 0 };
	struct end e = { .input = start_bulk, .drained = write_more,
	    .arg = &b };

	(void)state;
	peer_run(&e, fetch_bulk, NULL, false);
	assert_int_equal(e.why, CONN_END_NONE);
	assert_int_equal(e.out, BULK);
	assert_int_equal(e.drains, BULK / 65536);
	peer_free(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_half_close),
		cmocka_unit_test(test_eof_flushes),
		cmocka_unit_test(test_partial),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_upload),
		cmocka_unit_test(test_download),
	};

	signal(SIGPIPE, SIG_IGN);
	log_open("test-conn", -1, false);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
