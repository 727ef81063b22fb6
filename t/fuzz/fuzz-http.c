/* SPDX-License-Identifier: ISC */
/*
 * The HTTP engine: requests one after the other, helpers that answer as the
 * input says. First octet: how the stream is cut; the next 16: answers.
 */
#include "retrieve/session.h"
#include "t/fuzz/fuzz.h"

#define STEPS	400

static const char *const hosts[] = { "us.test", NULL };
static const struct session_conf conf = {
	.limits = { 400, 2000, 20 }, .requests = 6, .list_default = 3,
	.realm = "example.test", .hosts = hosts, .openapi = "openapi: 3.1.0\n"
};
static uint8_t answers[16];
static unsigned next;
static uint64_t print;		/* of all replies so far (FNV-1a) */

static unsigned
pick(unsigned n)
{
	return answers[next++ % sizeof(answers)] % n;
}

static void
give_list(struct session *s)
{
	struct reader_listed	h;
	static struct reader_row row;

	memset(&h, 0, sizeof(h));
	memset(&row, 0, sizeof(row));
	h.status = pick(4) > 0 ? READER_OK : 1 + pick(READER_STATUS_COUNT - 1);
	h.count = pick(4) % (s->query->limit + 1);
	h.total = h.count;
	memcpy(h.next, "next", pick(2) * 5);
	memcpy(h.prev, "p&\"r", pick(2) * 5);
	h.adjacent = pick(2);
	session_listed(s, &h);
	while (s->state == SESSION_LIST) {
		snprintf(row.message, sizeof(row.message), "m%u",
		    pick(9));
		row.date = (int64_t)((uint64_t)pick(255) << pick(64));
		row.received = row.date;
		row.dated = pick(2);
		row.flags = pick(64);
		snprintf(row.from, sizeof(row.from), "\"a\" <a@b>, %s",
		    answers[3] % 2 ? "\xe2\x80\xae=?utf-8?q?=00?= <" : "");
		session_row(s, &row);
	}
}

static void
give_open(struct session *s)
{
	struct reader_opened	o;

	memset(&o, 0, sizeof(o));
	o.status = pick(4) > 0 ? READER_OK : 1 + pick(READER_STATUS_COUNT - 1);
	o.stored = pick(200);
	o.size = o.stored + pick(2) * (o.stored / 2);
	o.received = pick(2) ? 784111777 : -1;
	session_opened(s, &o);
}

/* What the state wants. False when the connection is over. */
static int
serve(struct session *s)
{
	static const char	block[] = "Subject: x\nFrom: a\n\tb\n\nt";

	s->fresh = false;
	switch (s->state) {
	case SESSION_LOGIN:
		CHECK(session_credentials(s).s != NULL);
		session_login(s, pick(4) > 0 ? SESSION_ADMITTED :
		    (enum session_verdict)pick(4), "a@example.test", pick(9));
		return 1;
	case SESSION_LIST:
		CHECK(s->query != NULL);
		give_list(s);
		return 1;
	case SESSION_OPEN:
		CHECK(s->id[0] != '\0' && strchr(s->id, '/') == NULL);
		give_open(s);
		return 1;
	case SESSION_BLOCK:
		session_block(s, block, pick(sizeof(block)));
		return 1;
	case SESSION_PING:
		session_pinged(s, pick(2));
		return 1;
	case SESSION_BODY:
		CHECK(s->file.first + s->file.length <= 400);
		session_sent(s);
		return 1;
	default:
		return 0;
	}
}

/* Heads in order; no line of one could be split by what a client said. */
static void
check_output(struct session *s)
{
	const char	*t = (const char *)buf_data(&s->out);
	size_t		 i;

	if (s->out.len == 0)
		return;
	CHECK(s->out.len > 16 && memcmp(t, "HTTP/1.1 ", 9) == 0);
	for (i = 1; i < s->out.len; i++) {
		CHECK(t[i] != 0 && (t[i] != '\n' || t[i - 1] == '\r'));
		if (t[i] == '\n' && t[i - 2] == '\n')
			break;
	}
	CHECK(i < s->out.len);
	for (i = 0; i < s->out.len; i++)
		print = (print ^ (uint8_t)t[i]) * 0x100000001b3;
	buf_free(&s->out);
}

/* All requests, in pieces of `cut' octets; the fingerprint of the replies. */
static uint64_t
run(struct fuzz f, uint8_t cut, int slow)
{
	uint8_t		*piece;
	struct session	 s;
	size_t		 n, used = 1;

	next = 0;
	print = 0;
	session_init(&s, &conf);
	s.now = 784111777;
	while (f.len > 0 && s.state != SESSION_OVER) {
		n = cut == 0 || cut > f.len ? f.len : cut;
		piece = fuzz_take(&f, n, &n);
		used = session_input(&s, piece, n);
		CHECK(used <= n);
		f.p -= n - used;
		f.len += n - used;
		free(piece);
		do
			check_output(&s);
		while (serve(&s));
		CHECK(s.state == SESSION_HEAD || s.state == SESSION_OVER);
		CHECK(used > 0 || s.state == SESSION_OVER);
	}
	if (slow)
		session_slow(&s);
	else
		session_drain(&s);
	session_free(&s);
	return print;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz	f = { data, size };
	uint8_t		cut = fuzz_octet(&f);
	uint64_t	whole;
	size_t		i;

	for (i = 0; i < sizeof(answers); i++)
		answers[i] = fuzz_octet(&f);
	whole = run(f, 0, cut & 1);
	CHECK(run(f, cut, cut & 1) == whole);
	return 0;
}
