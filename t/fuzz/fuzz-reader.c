/* SPDX-License-Identifier: ISC */
/*
 * The reader and a session process that asks it anything: what it answers
 * is in form, and what it passes is a file of that user's mailbox.
 */
#include <event2/event.h>
#include <fcntl.h>

#include "lib/chan.h"
#include "retrieve/msgid.h"
#include "retrieve/reader.h"
#include "t/fuzz/fuzz-ipc.h"

#define MAILDIR	"/d.test/ab/Maildir"

static char		 root[256];
static struct reader	 reader;

void
reader_left(struct reader *r)
{
	(void)r;
}

static void
finish(void)
{
	boxes_free(&reader.boxes);
	held_free(&reader.held);
	event_free(reader.step);
	event_base_free(reader.base);
	free(reader.scratch);
	free(reader.rows);
	close(reader.root);
	fuzz_remove(root);
}

static void
put(const char *name, const char *text)
{
	char	path[400];
	FILE	*fp;

	snprintf(path, sizeof(path), "%s" MAILDIR "/%s", root, name);
	CHECK((fp = fopen(path, "w")) != NULL);
	CHECK(fputs(text, fp) >= 0 && fclose(fp) == 0);
}

static void
start(void)
{
	static const char *const dirs[] = { "/d.test", "/d.test/ab",
	    MAILDIR, MAILDIR "/new", MAILDIR "/cur" };
	struct auth_ticket	 t;
	char			 path[400];
	size_t			 i;

	fuzz_quiet();
	fuzz_folder(root, sizeof(root));
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", root, dirs[i]);
		CHECK(mkdir(path, 0700) == 0);
	}
	put("new/1.a", "Subject: \033[1m\xff\nFrom: =?utf-8?q?=0A?=\n\nx\n");
	put("new/2.b,S=3", "\n\n\n");
	put("cur/3.c:2,FS", "To: a\r\n b\r\n\r\nx");
	put("cur/3.d:2,", "");
	reader.base = event_base_new();
	TAILQ_INIT(&reader.peers);
	TAILQ_INIT(&reader.jobs);
	reader.root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	reader.step = evtimer_new(reader.base, job_run, &reader);
	reader.held = held_new(AUTH_HTTP, 100);
	reader.boxes = boxes_new(reader.root, reader.key, 1 << 20);
	reader.scratch = malloc(READER_SCRATCH);
	reader.rows = malloc(sizeof(*reader.rows));
	memset(&t, 0, sizeof(t));
	t.type = AUTH_TICKET;
	t.instance = 7;
	t.service = AUTH_HTTP;
	t.expiry = UINT64_MAX;
	t.nonce[0] = 1;
	snprintf(t.user, sizeof(t.user), "ab@d.test");
	CHECK(held_input(reader.held, &t, sizeof(t), 1) == 0);
	atexit(finish);
}

union good {
	struct reader_list	list;
	struct reader_open	open;
	struct reader_ping	ping;
};

static size_t
good_message(uint8_t kind, union good *g)
{
	static const char *const names[] = { "1.a", "2.b", "3.c", "nil" };

	memset(g, 0, sizeof(*g));
	g->list.type = 1 + kind % READER_PING;
	g->list.id = kind;
	g->list.nonce[0] = 1;
	if (g->list.type == READER_OPEN) {
		snprintf(g->open.message, 9, "%s", names[kind >> 6]);
		return sizeof(g->open);
	}
	if (g->list.type == READER_PING)
		return sizeof(g->ping);
	g->list.limit = 1 + (kind >> 5) % 4;
	g->list.ascending = kind >> 7;
	snprintf(g->list.before, 9, "%s", kind & 16 ? names[kind >> 6] : "");
	return sizeof(g->list);
}

static void
check_rows(const struct reader_rows *m, size_t n)
{
	uint32_t	i;

	CHECK(m->count >= 1 && m->count <= READER_ROWS_MAX);
	CHECK(n == offsetof(struct reader_rows, row) + m->count *
	    sizeof(m->row[0]));
	for (i = 0; i < m->count; i++) {
		CHECK(m->row[i].message[0] == '\0' || msgid_valid(
		    m->row[i].message, strlen(m->row[i].message)));
		CHECK(strpbrk(m->row[i].subject, "\n\r\033") == NULL);
	}
}

/* Take the answers: false when the channel is closed. */
static int
hear(int fd)
{
	static union {
		struct reader_listed	listed;
		struct reader_rows	rows;
		struct reader_opened	opened;
	} in;
	ssize_t				n;
	int				got, i;

	for (i = 0; i < 3; i++)
		event_base_loop(reader.base, EVLOOP_NONBLOCK);
	while ((n = ipc_recv(fd, &in, sizeof(in), &got)) > 0) {
		if (in.listed.type == READER_ROWS)
			check_rows(&in.rows, (size_t)n);
		else if (in.listed.type == READER_OPENED)
			CHECK((got != -1) == (in.opened.status == READER_OK));
		else
			CHECK(in.listed.type == READER_LISTED ||
			    in.listed.type == READER_PONG);
		CHECK(got == -1 || in.listed.type == READER_OPENED);
		if (got != -1)
			CHECK((fcntl(got, F_GETFL) & O_ACCMODE) == O_RDONLY &&
			    close(got) == 0);
	}
	return n == -1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz	 f = { data, size };
	union good	 good;
	size_t		 len;
	int		 sv[2], open = 1;
	void		*msg;

	if (reader.base == NULL)
		start();
	CHECK(ipc_pair(sv) == 0);
	peer_new(&reader, 7, sv[1]);
	while (f.len > 0 && open) {
		len = good_message(fuzz_octet(&f), &good);
		msg = fuzz_datagram(&f, &good, &len);
		CHECK(ipc_send(sv[0], msg, len, -1) == 0);
		free(msg);
		open = hear(sv[0]);
	}
	close(sv[0]);
	event_base_loop(reader.base, EVLOOP_NONBLOCK);
	event_base_loop(reader.base, EVLOOP_NONBLOCK);
	CHECK(TAILQ_EMPTY(&reader.peers) && reader.njobs == 0);
	return 0;
}
