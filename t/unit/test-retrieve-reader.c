/* SPDX-License-Identifier: ISC */
/*
 * The reader on a real Maildir, asked over a real channel: lists, opening,
 * what other programs do meanwhile, links that lead out, tickets, and
 * datagrams that no honest session would send.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <event2/event.h>
#include <fcntl.h>
#include <ftw.h>
#include <time.h>
#include <unistd.h>

#include "lib/ipc.h"
#include "lib/log.h"
#include "retrieve/reader.h"

#define USER	"ab@d.test"
#define MAILDIR	"d.test/ab/Maildir"

static char root[] = "/tmp/postern-reader-XXXXXX";
static struct reader reader;
static int left;
static const unsigned char nonce[AUTH_NONCE] = "nonce of alice.";

void
reader_left(struct reader *r)
{
	(void)r;
	left++;
}

static const char *
at(const char *name)
{
	static char	path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", root, name);
	return path;
}

static void
put(const char *name, const char *text, size_t len, int64_t mtime)
{
	struct timespec	ts[2] = { { .tv_sec = mtime }, { .tv_sec = mtime } };
	FILE		*fp = fopen(at(name), "w");

	assert_non_null(fp);
	assert_int_equal(fwrite(text, 1, len, fp), len);
	assert_int_equal(fclose(fp), 0);
	assert_int_equal(utimensat(AT_FDCWD, at(name), ts, 0), 0);
}

static void
give_ticket(const unsigned char *n, const char *user)
{
	struct auth_ticket	t;

	memset(&t, 0, sizeof(t));
	t.type = AUTH_TICKET;
	t.instance = 7;
	t.service = AUTH_HTTP;
	t.expiry = UINT64_MAX;
	memcpy(t.nonce, n, sizeof(t.nonce));
	(void)snprintf(t.user, sizeof(t.user), "%s", user);
	assert_int_equal(held_input(reader.held, &t, sizeof(t), 1), 0);
}

static int
setup(void **state)
{
	static const char *const dirs[] = { "d.test", "d.test/ab",
	    MAILDIR, MAILDIR "/new", MAILDIR "/cur", MAILDIR "/tmp",
	    "d.test/evil", "d.test/evil/Maildir" };
	size_t	i;

	(void)state;
	log_open("test", -1, false);
	assert_non_null(mkdtemp(root));
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		assert_int_equal(mkdir(at(dirs[i]), 0700), 0);
	reader.base = event_base_new();
	TAILQ_INIT(&reader.peers);
	TAILQ_INIT(&reader.jobs);
	reader.root = open(root, O_RDONLY | O_DIRECTORY);
	reader.step = evtimer_new(reader.base, job_run, &reader);
	reader.held = held_new(AUTH_HTTP, 100);
	reader.boxes = boxes_new(reader.root, reader.key, 1 << 20);
	reader.scratch = malloc(READER_SCRATCH);
	reader.rows = malloc(sizeof(*reader.rows));
	give_ticket(nonce, USER);
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int what, struct FTW *f)
{
	(void)st;
	(void)what;
	(void)f;
	return remove(path);
}

static int
teardown(void **state)
{
	(void)state;
	boxes_free(&reader.boxes);
	held_free(&reader.held);
	event_free(reader.step);
	event_base_free(reader.base);
	free(reader.scratch);
	free(reader.rows);
	close(reader.root);
	return nftw(root, remove_one, 10, FTW_DEPTH | FTW_PHYS);
}

/* A session's end of a new channel. */
static int
connect_session(void)
{
	int	sv[2];

	assert_int_equal(ipc_pair(sv), 0);
	peer_new(&reader, 7, sv[1]);
	return sv[0];
}

static void
disconnect(int fd)
{
	close(fd);
	event_base_loop(reader.base, EVLOOP_NONBLOCK);
	event_base_loop(reader.base, EVLOOP_NONBLOCK);
	assert_true(TAILQ_EMPTY(&reader.peers));
	assert_int_equal(reader.njobs, 0);
}

/* The next datagram, or 0 when the channel was closed. */
static size_t
await(int fd, void *buf, size_t size, int *got)
{
	ssize_t	n;
	int	i;

	for (i = 0; i < 10000; i++) {
		n = ipc_recv(fd, buf, size, got);
		if (n >= 0)
			return (size_t)n;
		event_base_loop(reader.base, EVLOOP_NONBLOCK);
	}
	fail_msg("no answer");
	return 0;
}

static struct reader_list
list_of(uint32_t limit, const char *after, const char *before)
{
	struct reader_list	q;

	memset(&q, 0, sizeof(q));
	q.type = READER_LIST;
	q.id = 3;
	q.limit = limit;
	memcpy(q.nonce, nonce, sizeof(q.nonce));
	(void)snprintf(q.after, sizeof(q.after), "%s", after);
	(void)snprintf(q.before, sizeof(q.before), "%s", before);
	return q;
}

/* Ask; the rows go to row. */
static struct reader_listed
ask_list(int fd, const struct reader_list *q, struct reader_row *row)
{
	static struct reader_rows	m;
	struct reader_listed		h;
	uint32_t			n = 0;

	assert_int_equal(ipc_send(fd, q, sizeof(*q), -1), 0);
	assert_int_equal(await(fd, &h, sizeof(h), NULL), sizeof(h));
	assert_int_equal(h.type, READER_LISTED);
	assert_int_equal(h.id, q->id);
	while (h.status == READER_OK && q->peek == 0 && n < h.count) {
		await(fd, &m, sizeof(m), NULL);
		assert_int_equal(m.type, READER_ROWS);
		assert_true(m.count <= h.count - n);
		memcpy(row + n, m.row, m.count * sizeof(m.row[0]));
		n += m.count;
	}
	return h;
}

static struct reader_opened
ask_open(int fd, const char *id, int *got)
{
	struct reader_open	q;
	struct reader_opened	o;

	memset(&q, 0, sizeof(q));
	q.type = READER_OPEN;
	q.id = 4;
	memcpy(q.nonce, nonce, sizeof(q.nonce));
	(void)snprintf(q.message, sizeof(q.message), "%s", id);
	assert_int_equal(ipc_send(fd, &q, sizeof(q), -1), 0);
	assert_int_equal(await(fd, &o, sizeof(o), got), sizeof(o));
	assert_int_equal(o.type, READER_OPENED);
	return o;
}

static struct reader_row rows[READER_LIMIT_MAX];

static void
test_empty(void **state)
{
	int			fd = connect_session(), got;
	struct reader_list	q = list_of(10, "", "");
	struct reader_listed	h = ask_list(fd, &q, rows);

	(void)state;
	assert_int_equal(h.status, READER_OK);
	assert_int_equal(h.total, 0);
	assert_int_equal(h.count, 0);
	assert_int_equal(ask_open(fd, "x", &got).status, READER_NO_MESSAGE);
	assert_int_equal(got, -1);
	disconnect(fd);
}

static void
test_list(void **state)
{
	char			text[200], name[100], next[READER_CURSOR_MAX];
	int			fd = connect_session(), i;
	struct reader_list	q = list_of(20, "", "");
	struct reader_listed	h;

	(void)state;
	for (i = 0; i < 50; i++) {
		(void)snprintf(text, sizeof(text), "From: f%d@x\nSubject: s%d"
		    "\n\nb\n", i, i);
		(void)snprintf(name, sizeof(name), MAILDIR "/%s/m%02d.h%s",
		    i % 2 == 0 ? "new" : "cur", i, i % 2 == 0 ? "" : ":2,S");
		put(name, text, strlen(text), 1000 + i);
	}
	h = ask_list(fd, &q, rows);
	assert_int_equal(h.total, 50);
	assert_int_equal(h.unseen, 25);
	assert_int_equal(h.count, 20);
	assert_string_equal(rows[0].message, "m49.h");
	assert_string_equal(rows[0].subject, "s49");
	assert_int_equal(rows[0].flags, READER_SEEN);
	assert_int_equal(rows[0].received, 1049);
	assert_int_equal(rows[0].size, strlen(text) + 4);
	assert_string_equal(rows[19].message, "m30.h");
	assert_string_equal(h.prev, "");
	memcpy(next, h.next, sizeof(next));
	/* The message of the cursor goes: the page stays the same. */
	assert_int_equal(unlink(at(MAILDIR "/new/m30.h")), 0);
	q = list_of(20, "", next);
	h = ask_list(fd, &q, rows);
	assert_int_equal(h.total, 49);
	assert_string_equal(rows[0].message, "m29.h");
	q = list_of(5, "", "m20.h");
	h = ask_list(fd, &q, rows);
	assert_string_equal(rows[0].message, "m19.h");
	q = list_of(5, "", "m30.h");
	assert_int_equal(ask_list(fd, &q, rows).status, READER_NO_CURSOR);
	next[5] ^= 1;
	q = list_of(5, "", next);
	assert_int_equal(ask_list(fd, &q, rows).status, READER_NO_CURSOR);
	q = list_of(5, "", "");
	q.peek = 1;
	assert_int_equal(ask_list(fd, &q, rows).count, 5);
	disconnect(fd);
}

static void
test_open(void **state)
{
	int			fd = connect_session(), got;
	struct reader_opened	o, again;
	char			buf[100];
	struct stat		st;

	(void)state;
	o = ask_open(fd, "m49.h", &got);
	assert_int_equal(o.status, READER_OK);
	assert_int_not_equal(got, -1);
	assert_int_equal(o.size, o.stored + 4);
	assert_int_equal(fcntl(got, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(write(got, "x", 1), -1);
	assert_int_equal(read(got, buf, sizeof(buf)), o.stored);
	close(got);
	/* Another program reads it: the id and the tag stay. */
	assert_int_equal(ask_open(fd, "m48.h", &got).status, READER_OK);
	close(got);
	o = ask_open(fd, "m48.h", &got);
	close(got);
	{
		char	from[512];

		(void)snprintf(from, sizeof(from), "%s",
		    at(MAILDIR "/new/m48.h"));
		assert_int_equal(rename(from, at(MAILDIR "/cur/m48.h:2,FS")),
		    0);
	}
	again = ask_open(fd, "m48.h", &got);
	assert_int_equal(again.status, READER_OK);
	assert_memory_equal(again.tag, o.tag, sizeof(o.tag));
	assert_int_equal(again.flags, READER_SEEN | READER_FLAGGED);
	close(got);
	/* Another message under the same id. */
	put(MAILDIR "/cur/m48.h:2,FS", "other\n", 6, 2000);
	again = ask_open(fd, "m48.h", &got);
	assert_memory_not_equal(again.tag, o.tag, sizeof(o.tag));
	assert_int_equal(again.size, 7);
	close(got);
	/* Nothing was written. */
	assert_int_equal(stat(at(MAILDIR "/cur/m49.h:2,S"), &st), 0);
	assert_int_equal(st.st_mtim.tv_sec, 1049);
	disconnect(fd);
}

/* A file too long to be measured at once. */
static void
test_measure(void **state)
{
	int			fd = connect_session(), got;
	struct reader_opened	o;
	struct reader_list	q = list_of(1, "", "");
	char			*big = malloc(5000001);

	(void)state;
	assert_non_null(big);
	memset(big, 'a', 5000000);
	memcpy(big, "A: b\n\n", 6);
	big[70000] = '\n';
	big[4999999] = '\n';
	put(MAILDIR "/new/big", big, 5000000, 3000);
	assert_int_equal(ask_list(fd, &q, rows).status, READER_OK);
	assert_string_equal(rows[0].message, "big");
	assert_int_equal(rows[0].size, 5000004);
	o = ask_open(fd, "big", &got);
	assert_int_equal(o.size, 5000004);
	close(got);
	put(MAILDIR "/new/big2", big, 5000000, 3000);
	o = ask_open(fd, "big2", &got);
	assert_int_equal(o.status, READER_OK);
	assert_int_equal(o.size, 5000004);
	close(got);
	/* The session goes while its file is measured. */
	put(MAILDIR "/new/big3", big, 5000000, 3000);
	free(big);
	q = list_of(3, "", "");
	assert_int_equal(ipc_send(fd, &q, sizeof(q), -1), 0);
	event_base_loop(reader.base, EVLOOP_NONBLOCK);
	disconnect(fd);
}

/* Nothing that is not a plain file below the root is served. */
static void
test_links(void **state)
{
	static const unsigned char	n2[AUTH_NONCE] = "nonce of evil..";
	int				fd = connect_session(), got;
	struct reader_list		q = list_of(100, "", "");
	struct reader_listed		h = ask_list(fd, &q, rows);
	uint64_t			before = h.total;

	(void)state;
	assert_int_equal(symlink("/etc/passwd", at(MAILDIR "/new/link1")), 0);
	assert_int_equal(symlink("../cur/m49.h:2,S",
	    at(MAILDIR "/new/link2")), 0);
	assert_int_equal(mkfifo(at(MAILDIR "/new/fifo"), 0600), 0);
	assert_int_equal(mkdir(at(MAILDIR "/new/dir"), 0700), 0);
	h = ask_list(fd, &q, rows);
	assert_int_equal(h.total, before);
	assert_int_equal(ask_open(fd, "link1", &got).status,
	    READER_NO_MESSAGE);
	assert_int_equal(ask_open(fd, "link2", &got).status,
	    READER_NO_MESSAGE);
	assert_int_equal(ask_open(fd, "fifo", &got).status, READER_NO_MESSAGE);
	assert_int_equal(ask_open(fd, "dir", &got).status, READER_NO_MESSAGE);
	/* A listed file that is swapped for a link before it is opened. */
	assert_int_equal(unlink(at(MAILDIR "/cur/m47.h:2,S")), 0);
	assert_int_equal(symlink("/etc/passwd",
	    at(MAILDIR "/cur/m47.h:2,S")), 0);
	assert_int_not_equal(ask_open(fd, "m47.h", &got).status, READER_OK);
	assert_int_equal(got, -1);
	/* A mailbox that is a link to another's. */
	give_ticket(n2, "evil@d.test");
	assert_int_equal(symlink("../../ab/Maildir/new",
	    at("d.test/evil/Maildir/new")), 0);
	memcpy(q.nonce, n2, sizeof(n2));
	assert_int_equal(ask_list(fd, &q, rows).status, READER_FAILED);
	disconnect(fd);
}

static void
test_users(void **state)
{
	static const char *const users[] = { "../ab@d.test", "ab@..",
	    "nobody", "@d.test", "a@d.test/ab", "" };
	int				fd = connect_session();
	unsigned char			n[AUTH_NONCE] = { 0 };
	struct reader_list		q = list_of(10, "", "");
	struct reader_listed		h;
	size_t				i;

	(void)state;
	for (i = 0; users[i][0] != '\0'; i++) {
		n[0] = (unsigned char)(i + 1);
		give_ticket(n, users[i]);
		memcpy(q.nonce, n, sizeof(n));
		h = ask_list(fd, &q, rows);
		assert_true(h.status == READER_FAILED || h.total == 0);
	}
	disconnect(fd);
}

static void
test_tickets(void **state)
{
	int			fd = connect_session(), sv[2], got;
	struct reader_list	q = list_of(10, "", "");
	struct auth_ticket	t;

	(void)state;
	q.nonce[0] ^= 1;
	assert_int_equal(ask_list(fd, &q, rows).status, READER_NO_TICKET);
	/* The right nonce, over another session's channel. */
	assert_int_equal(ipc_pair(sv), 0);
	peer_new(&reader, 8, sv[1]);
	q.nonce[0] ^= 1;
	assert_int_equal(ask_list(sv[0], &q, rows).status, READER_NO_TICKET);
	assert_int_equal(ask_open(sv[0], "m49.h", &got).status,
	    READER_NO_TICKET);
	assert_int_equal(got, -1);
	assert_int_equal(ask_list(fd, &q, rows).status, READER_OK);
	close(sv[0]);
	memset(&t, 0, sizeof(t));
	t.type = AUTH_TICKET_END;
	memcpy(t.nonce, nonce, sizeof(nonce));
	assert_int_equal(held_input(reader.held, &t, sizeof(t), 1), 0);
	assert_int_equal(ask_list(fd, &q, rows).status, READER_NO_TICKET);
	give_ticket(nonce, USER);
	disconnect(fd);
}

static void
test_held(void **state)
{
	struct held		*h = held_new(AUTH_HTTP, 3);
	struct auth_ticket	 t;
	unsigned char		 n[AUTH_NONCE] = { 0 };
	int			 i;

	(void)state;
	memset(&t, 0, sizeof(t));
	t.type = AUTH_TICKET;
	t.instance = 1;
	t.service = AUTH_HTTP;
	t.user[0] = 'u';
	for (i = 0; i < 3; i++) {
		t.nonce[0] = (unsigned char)i;
		t.expiry = 100 + (uint64_t)i;
		assert_int_equal(held_input(h, &t, sizeof(t), 1), 0);
	}
	t.nonce[0] = 9;
	assert_int_equal(held_input(h, &t, sizeof(t), 1), -1);
	assert_string_equal(held_find(h, 1, n, 99), "u");
	assert_null(held_find(h, 2, n, 99));
	assert_null(held_find(h, 1, n, 100));
	assert_int_equal(held_count(h), 2);
	assert_int_equal(held_input(h, &t, sizeof(t), 100), 0);
	assert_int_equal(held_input(h, &t, sizeof(t) - 1, 1), -1);
	t.service = AUTH_SMTP;
	t.nonce[0] = 10;
	assert_int_equal(held_input(h, &t, sizeof(t), 1), 0);
	assert_int_equal(held_count(h), 3);
	t.service = AUTH_SERVICE_COUNT;
	assert_int_equal(held_input(h, &t, sizeof(t), 1), -1);
	t.service = AUTH_HTTP;
	t.type = AUTH_START;
	assert_int_equal(held_input(h, &t, sizeof(t), 1), -1);
	t.type = AUTH_TICKET;
	memset(t.user, 'u', sizeof(t.user));
	assert_int_equal(held_input(h, &t, sizeof(t), 1), -1);
	held_free(&h);
	assert_null(h);
}

/* Each of these closes the channel, and nothing else happens. */
static void
test_hostile(void **state)
{
	static unsigned char	big[60000];
	struct reader_list	l;
	struct reader_open	o;
	struct {
		const void	*msg;
		size_t		 len;
	} bad[16];
	size_t			n = 0, i;
	uint32_t		type;
	int			fd;
	static struct reader_list ls[8];
	static struct reader_open os[4];

	(void)state;
	for (i = 0; i < 8; i++)
		ls[i] = list_of(1, "", "");
	ls[0].limit = 0;
	ls[1].limit = READER_LIMIT_MAX + 1;
	ls[2].ascending = 2;
	ls[3].peek = UINT32_MAX;
	memset(ls[4].after, 'a', sizeof(l.after));
	memset(ls[5].before, 'a', sizeof(l.before));
	ls[6].type = READER_LISTED;
	ls[7].type = 77;
	memset(os, 0, sizeof(os));
	for (i = 0; i < 4; i++)
		os[i].type = READER_OPEN;
	memset(os[0].message, 'a', sizeof(o.message));
	(void)snprintf(os[1].message, sizeof(o.message), "../x");
	(void)snprintf(os[2].message, sizeof(o.message), "..");
	for (i = 0; i < 8; i++) {
		bad[n].msg = &ls[i];
		bad[n++].len = sizeof(ls[i]);
	}
	for (i = 0; i < 4; i++) {	/* the last has an empty id */
		bad[n].msg = &os[i];
		bad[n++].len = sizeof(os[i]);
	}
	bad[n].msg = &ls[0];
	bad[n++].len = sizeof(ls[0]) - 1;
	bad[n].msg = &ls[0];
	bad[n++].len = 1;
	bad[n].msg = big;
	bad[n++].len = sizeof(big);
	type = READER_PING;
	bad[n].msg = &type;
	bad[n++].len = sizeof(type);
	for (i = 0; i < n; i++) {
		left = 0;
		fd = connect_session();
		assert_int_equal(ipc_send(fd, bad[i].msg, bad[i].len, -1), 0);
		if (await(fd, big, sizeof(big), NULL) != 0)
			fail_msg("datagram %zu was answered", i);
		assert_int_equal(left, 1);
		memset(big, 0, sizeof(big));
		disconnect(fd);
	}
	/* A descriptor that nobody asked for. */
	fd = connect_session();
	assert_int_equal(ipc_send(fd, &ls[0], sizeof(ls[0]), fd), 0);
	assert_int_equal(await(fd, big, sizeof(big), NULL), 0);
	disconnect(fd);
}

static void
test_ping(void **state)
{
	struct reader_ping	q = { READER_PING, 5 };
	struct reader_pong	a;
	int			fd = connect_session();

	(void)state;
	assert_int_equal(ipc_send(fd, &q, sizeof(q), -1), 0);
	assert_int_equal(await(fd, &a, sizeof(a), NULL), sizeof(a));
	assert_int_equal(a.status, READER_OK);
	assert_int_equal(a.id, 5);
	disconnect(fd);
}

/* More mailboxes than there is memory for: all are served all the same. */
static void
test_memory(void **state)
{
	struct boxes	*b = boxes_new(reader.root, reader.key, 1000);
	struct index	*x;
	char		 user[64];
	int		 i;

	(void)state;
	for (i = 0; i < 100; i++) {
		(void)snprintf(user, sizeof(user), "u%d@d.test", i);
		assert_non_null(x = boxes_get(b, user, false));
		index_release(&x);
		assert_non_null(x = boxes_get(b, USER, false));
		assert_true(x->n > 40);
		boxes_charge(b, USER, 1 << 20);
		index_release(&x);
	}
	boxes_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_measure),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_tickets),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_ping),
		cmocka_unit_test(test_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
