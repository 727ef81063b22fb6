/* SPDX-License-Identifier: ISC */
/*
 * The SMTP engine. First octet: 1 implicit TLS, 2 tight limits, 4 answers
 * within the action loop. Then the client's octets, with these among them:
 * 1 x: an answer of status x, 2 x: an event, 3: cut the input here,
 * 4 x: the octet x itself. Under TLS and without events the same is said
 * again octet by octet, with the same outcome.
 */
#include <strings.h>

#include "lib/buf.h"
#include "lib/str.h"
#include "lib/utf8.h"
#include "smtpd/session.h"
#include "t/fuzz/fuzz.h"

#define IN_MAX	8192

static struct play {
	struct session_conf	 conf;
	struct session		*s;
	enum session_do		 asked;		/* NONE: nothing */
	uint8_t			 status;	/* of the next answer */
	uint64_t		 now, received;
	struct session_tls	 gives;		/* the handshake */
	int			 tls, user, over, begun, opened, rcpts;
	int			 bdat;		/* is said somewhere */
	unsigned		 flags;		/* of BEGIN */
	int			 raw;		/* a binary body has begun */
	size_t			 line;		/* octets of it so far */
	char			 last;		/* octet of BODY */
	uint8_t			 in[IN_MAX];
	size_t			 len;
	size_t			 piece;		/* octets at a time */
	int			 logins;
	uint64_t		 print;		/* of all that came out */
	uint64_t		 body;		/* of the message */
} p;
static unsigned char scratch[300];

/* Take octets into a fingerprint (FNV-1a). */
static void
print(uint64_t *h, const void *data, size_t len)
{
	const uint8_t	*d = data;

	while (len-- > 0)
		*h = (*h ^ *d++) * 0x100000001b3;
}

/* Whole lines, printable, short enough: RFC 5321 section 4.5.3.1.5. */
static void
check_output(struct buf *o)
{
	const char	*t = (const char *)buf_data(o), *end;
	size_t		 len = o->len, n, i;

	print(&p.print, t, len);
	for (; len > 0; len -= n, t += n) {
		end = memchr(t, '\n', len);
		CHECK(end != NULL && end > t && end[-1] == '\r');
		n = (size_t)(end - t) + 1;
		CHECK(n >= 6 && t[0] >= '2' && t[0] <= '5');
		CHECK(t[3] == ' ' || t[3] == '-');
		CHECK(n <= 512 || memcmp(t, "334 ", 4) == 0);
		for (i = 0; i < n - 2; i++)
			CHECK(t[i] >= 32 && t[i] < 127);
	}
	buf_take(o, o->len);
}

static void
check_body(const struct session_action *a)
{
	size_t	i;

	CHECK(p.opened && a->len > 0 && a->len <= p.conf.scratch_size);
	for (i = 0; i < a->len; i++) {
		CHECK(p.raw || a->data[i] != 0);
		CHECK(p.raw || (a->data[i] == '\n') == (p.last == '\r'));
		p.last = (char)a->data[i];
		p.line++;
		if (p.last != '\n')
			continue;
		if (p.line == 2 && (p.flags & STORE_BINARY) != 0)
			p.raw = 1;
		p.line = 0;
	}
	p.received += a->len;
	print(&p.body, a->data, a->len);
}

/* These end what was asked; an answer that comes later finds nobody. */
static int
check_end(const struct session_action *a)
{
	switch (a->what) {
	case SESSION_DO_ABORT:
		CHECK(p.begun);
		p.begun = p.opened = 0;
		break;
	case SESSION_DO_ENDED:
		return 1;
	case SESSION_DO_CLOSE:
	case SESSION_DO_DROP:
		p.over = 1;
		break;
	case SESSION_DO_AUTH_END:
		CHECK(p.tls && !p.user);
		break;
	default:
		return 0;
	}
	p.asked = SESSION_DO_NONE;
	return 1;
}

/* Is it what the store takes? See smtpd/store_peer.c. */
static void
check_path(const char *s)
{
	const char	*at = strrchr(s, '@');
	size_t		 len = strlen(s), n;
	uint32_t	 c;

	CHECK(len < STORE_PATH_MAX);
	CHECK(at == NULL || str_is_ascii(at, strlen(at)));
	CHECK((p.flags & STORE_UTF8) != 0 || str_is_ascii(s, len));
	for (; len > 0; s += n, len -= n) {
		n = utf8_decode(s, len, &c);
		CHECK(utf8_is_name(c));
	}
}

/* May this be done now? */
static void
check_action(const struct session_action *a)
{
	CHECK(!p.over);
	if (check_end(a))
		return;
	CHECK(p.asked == SESSION_DO_NONE);
	switch (a->what) {
	case SESSION_DO_TLS:
		CHECK(!p.tls && !p.user);
		break;
	case SESSION_DO_AUTH_START:
	case SESSION_DO_AUTH_STEP:
		CHECK(p.tls && !p.user && a->len <= AUTH_DATA_MAX);
		CHECK(a->what == SESSION_DO_AUTH_STEP ||
		    strstr(p.conf.mechs, a->text) != NULL);
		break;
	case SESSION_DO_BEGIN:
		CHECK(p.tls && p.user && !p.begun && !p.opened);
		p.flags = a->flags;
		check_path(a->text);
		p.begun = 1;
		p.rcpts = p.raw = 0;
		CHECK((p.flags & ~STORE_FLAGS) == 0);
		break;
	case SESSION_DO_RCPT:
		CHECK(p.begun && !p.opened && a->text[0] != '\0');
		check_path(a->text);
		break;
	case SESSION_DO_OPEN:
		CHECK(p.begun && !p.opened && p.rcpts > 0);
		break;
	case SESSION_DO_BODY:
		check_body(a);
		return;
	case SESSION_DO_COMMIT:
		CHECK(p.opened && a->size == p.received);
		CHECK(p.received <= p.conf.message_size);
		CHECK(p.raw || p.received == 0 ||
		    (p.bdat ? p.last != '\r' : p.last == '\n'));
		print(&p.print, &p.body, sizeof(p.body));
		break;
	default:
		abort();
	}
	p.asked = a->what;
}

static void
answer_login(enum auth_status st)
{
	p.user = st == AUTH_OK;
	session_login(p.s, st, "alice@example.test", "challenge",
	    (size_t)p.logins++ % 10, p.now);
}

static void
answer_store(enum session_do what, enum store_status st)
{
	if (what == SESSION_DO_RCPT)
		p.rcpts += st == STORE_OK;
	else if (what == SESSION_DO_OPEN)
		p.opened = st == STORE_OK;
	else if (what == SESSION_DO_COMMIT)
		p.begun = p.opened = 0;
	p.received = p.body = 0;
	p.last = 0;
	p.line = 0;
	session_stored(p.s, st, "id.1", p.now);
}

static void
answer(void)
{
	enum session_do	what = p.asked;
	uint8_t		st = p.status;

	p.asked = SESSION_DO_NONE;
	p.status = 0;
	if (what == SESSION_DO_TLS) {
		p.tls = 1;
		session_secured(p.s, p.gives, p.now);
		CHECK(session_info(p.s).helo[0] == '\0');
	} else if (what == SESSION_DO_AUTH_START ||
	    what == SESSION_DO_AUTH_STEP) {
		answer_login(st == 0 ? AUTH_OK : (enum auth_status)
		    (1 + st % (AUTH_STATUS_COUNT - 1)));
	} else if (what != SESSION_DO_NONE) {
		answer_store(what, st == 0 ? STORE_OK : (enum store_status)
		    (1 + st % (STORE_STATUS_COUNT - 1)));
	}
}

/* As a driver does after each call; at once: it answers in the loop. */
static void
turn(int at_once)
{
	struct session_action	a;

	for (;;) {
		check_output(session_output(p.s));
		if (!session_action(p.s, &a))
			break;
		check_action(&a);
		if (at_once)
			answer();
	}
	CHECK(p.over == (session_state(p.s) == STATE_DONE));
	CHECK(!p.over || !session_wants_input(p.s));
	(void)session_deadline(p.s);
}

static void
feed(int at_once)
{
	size_t	n, used;
	uint8_t	*copy;

	while (p.len > 0 && session_wants_input(p.s)) {
		n = p.len < p.piece ? p.len : p.piece;
		copy = malloc(n);
		CHECK(copy != NULL);
		memcpy(copy, p.in, n);
		used = session_input(p.s, copy, n, p.now);
		free(copy);
		CHECK(used <= n && used > 0);
		memmove(p.in, p.in + used, p.len - used);
		p.len -= used;
		turn(at_once);
		while (p.status == 0 && p.asked != SESSION_DO_NONE) {
			answer();
			turn(at_once);
		}
	}
}

static void
event(uint8_t x, int at_once)
{
	p.now += (uint64_t)(x >> 3) * (x >> 3) * 100;
	if (x % 8 <= SESSION_EV_REVOKED)
		session_event(p.s, (enum session_event)(x % 8), p.now);
	if (x % 8 == SESSION_EV_GONE)
		p.len = 0;
	turn(at_once);
	if (p.asked != SESSION_DO_NONE)
		return;
	/* too late, or never asked for */
	session_secured(p.s, p.gives, p.now);
	session_login(p.s, AUTH_OK, "eve@example.test", "", 0, p.now);
	session_stored(p.s, STORE_OK, "id.2", p.now);
	turn(at_once);
}

static void
octet(struct fuzz *f, int at_once)
{
	uint8_t	c = fuzz_octet(f);

	if (c >= 1 && c <= 3) {
		feed(at_once);
		if (c == 1 && p.asked == SESSION_DO_NONE)
			p.status = fuzz_octet(f);
		else if (c == 2)
			event(fuzz_octet(f), at_once);
		if (c == 1 && p.asked != SESSION_DO_NONE) {
			answer();
			turn(at_once);
		}
		return;
	}
	if (c == 4)
		c = fuzz_octet(f);
	if (p.len < IN_MAX)
		p.in[p.len++] = c;
}

static int
says_bdat(const uint8_t *s, size_t len)
{
	size_t	i;

	for (i = 0; i + 4 <= len; i++)
		if (strncasecmp((const char *)s + i, "BDAT", 4) == 0)
			return 1;
	return 0;
}

/* A whole session; returns the fingerprint of what came of it. */
static uint64_t
run(struct fuzz f, size_t piece)
{
	uint8_t	how = fuzz_octet(&f);

	memset(&p, 0, sizeof(p));
	p.piece = piece;
	p.bdat = says_bdat(f.p, f.len);
	p.gives = (struct session_tls){ how & 16, how & 32 };
	p.conf = (struct session_conf){
		.hostname = "mx.example.test", .scratch = scratch,
		.mechs = how & 8 ? "" : "SCRAM-SHA-256-PLUS SCRAM-SHA-256 "
		    "PLAIN LOGIN EXTERNAL",
		.scratch_size = how & 2 ? 2 : sizeof(scratch),
		.lines = { 512, how & 2 ? 600 : 4096, how & 2 ? 64 : 12288 },
		.text_line = how & 2 ? 20 : 1000,
		.message_size = how & 2 ? 50 : 5000, .recipient_limit = 2,
		.messages_per_session = 3, .errors_per_session = 8,
		.command_time = 300000, .data_time = 180000,
		.session_time = 7200000, .handshake_time = 30000,
		.unauthenticated_time = 60000, .minimum_rate = 64,
	};
	p.now = 1000;
	p.s = session_new(&p.conf, how & 1, p.now);
	CHECK(p.s != NULL);
	turn(how & 4);
	while (f.len > 0 && !p.over) {
		if (p.asked != SESSION_DO_NONE && p.status == 0 &&
		    f.p[0] != 2) {
			answer();
			turn(how & 4);
		}
		octet(&f, how & 4);
	}
	if (!p.over)
		feed(how & 4);
	session_free(&p.s);
	return p.print;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz	f = { data, size };
	uint64_t	whole = run(f, IN_MAX);

	if (size > 0 && data[0] & 1 && memchr(data + 1, 1, size - 1) == NULL &&
	    memchr(data + 1, 2, size - 1) == NULL)
		CHECK(run(f, 1) == whole);
	return 0;
}
