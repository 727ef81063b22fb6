/* SPDX-License-Identifier: ISC */
/*
 * The client and the helper processes of the engine's unit tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "t/unit/smtpd-play.h"

#define MEGA	(1024 * 1024)

void
play_init(struct play *p)
{
	memset(p, 0, sizeof(*p));
	p->conf = (struct session_conf){
		.hostname = "mx.test",
		.mechs = "SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN "
		    "EXTERNAL",
		.scratch_size = sizeof(p->scratch),
		.lines = { 512, 4096, 12288 },
		.text_line = 1000,
		.message_size = 5000,
		.recipient_limit = 3,
		.messages_per_session = 4,
		.errors_per_session = 1000,
		.command_time = 300000,
		.data_time = 180000,
		.session_time = 7200000,
		.handshake_time = 30000,
		.unauthenticated_time = 60000,
		.minimum_rate = 64,
	};
	p->verdict = p->opens = STORE_OK;
	p->now = 1000;
	buf_init(&p->out, MEGA);
	buf_init(&p->log, MEGA);
	buf_init(&p->body, MEGA);
	buf_init(&p->mail, MEGA);
	buf_init(&p->ended, MEGA);
}

static void
add(struct buf *b, const void *data, size_t len)
{
	assert_int_equal(buf_add(b, data, len), 0);
}

static bool
has(const char *s, const char *word)
{
	return strncmp(s, word, strlen(word)) == 0;
}

static enum store_status
sender_status(const char *path)
{
	if (path[0] == '\0' || has(path, "alice@"))
		return STORE_OK;
	if (has(path, "busy@"))
		return STORE_RATE;
	return STORE_NOT_SENDER;
}

static enum store_status
rcpt_status(const char *path)
{
	const char *at = strrchr(path, '@');

	if (at != NULL && strcmp(at, "@example.test") != 0)
		return STORE_NOT_LOCAL;
	if (has(path, "nobody@"))
		return STORE_NO_USER;
	if (has(path, "busy@"))
		return STORE_RATE;
	return has(path, "full@") ? STORE_OVER_QUOTA : STORE_OK;
}

static enum store_status
commit_status(struct play *p)
{
	const char *at = NULL;

	add(&p->body, "", 1);
	at = strstr((const char *)buf_data(&p->body), "X-Status: ");
	if (at != NULL)
		return (enum store_status)atoi(at + 10);
	if (p->verdict == STORE_OK) {
		add(&p->mail, buf_data(&p->body), p->body.len - 1);
		add(&p->mail, "|", 1);
	}
	return p->verdict;
}

/* One step of AUTH; LOGIN asks twice and takes the second for all. */
static void
login_answer(struct play *p, const struct session_action *a)
{
	static const char good[] = "\0alice\0secret";
	const char *d = (const char *)a->data;
	enum auth_status st = AUTH_FAIL;

	if (a->what == SESSION_DO_AUTH_START && !a->initial)
		st = AUTH_MORE;
	else if (a->len == sizeof(good) - 1 &&
	    memcmp(d, good, a->len) == 0)
		st = AUTH_OK;
	else if (a->len == 4 && memcmp(d, "temp", 4) == 0)
		st = AUTH_TEMP;
	else if (a->len == 4 && memcmp(d, "more", 4) == 0)
		st = AUTH_MORE;
	else if (a->len == 4 && memcmp(d, "slow", 4) == 0)
		st = AUTH_THROTTLED;
	else if (a->len == 4 && memcmp(d, "garb", 4) == 0)
		st = AUTH_BAD_PROTOCOL;
	session_login(p->s, st, "alice@example.test", "chal", st == AUTH_MORE &&
	    a->what == SESSION_DO_AUTH_STEP ? 4 : 0, p->now);
}

static void
answer(struct play *p)
{
	struct session_action a = p->asked;

	if (p->hang)
		return;
	memset(&p->asked, 0, sizeof(p->asked));
	switch (a.what) {
	case SESSION_DO_TLS:
		session_secured(p->s, p->tls, p->now);
		break;
	case SESSION_DO_AUTH_START:
	case SESSION_DO_AUTH_STEP:
		login_answer(p, &a);
		break;
	case SESSION_DO_BEGIN:
		session_stored(p->s, sender_status(a.text), "3600", p->now);
		break;
	case SESSION_DO_RCPT:
		session_stored(p->s, rcpt_status(a.text), "17", p->now);
		break;
	case SESSION_DO_OPEN:
		session_stored(p->s, p->opens, NULL, p->now);
		break;
	case SESSION_DO_COMMIT:
		session_stored(p->s, commit_status(p), "m1", p->now);
		break;
	default:
		break;
	}
}

static void
note(struct play *p, const struct session_action *a)
{
	static const char *const names[] = {
		[SESSION_DO_NONE] = "", [SESSION_DO_TLS] = "TLS",
		[SESSION_DO_AUTH_START] = "START",
		[SESSION_DO_AUTH_STEP] = "STEP",
		[SESSION_DO_AUTH_END] = "END", [SESSION_DO_BEGIN] = "BEGIN",
		[SESSION_DO_RCPT] = "RCPT", [SESSION_DO_OPEN] = "OPEN",
		[SESSION_DO_BODY] = "BODY", [SESSION_DO_COMMIT] = "COMMIT",
		[SESSION_DO_ABORT] = "ABORT", [SESSION_DO_CLOSE] = "CLOSE",
		[SESSION_DO_DROP] = "DROP"
	};

	if (a->what != SESSION_DO_BODY && a->what != SESSION_DO_ENDED)
		assert_int_equal(buf_addf(&p->log, "%s%s%s;", names[a->what],
		    a->text != NULL ? " " : "",
		    a->text != NULL ? a->text : ""), 0);
}

/* Carry out one action; true when it has to be answered. */
static bool
carry_out(struct play *p, const struct session_action *a)
{
	note(p, a);
	switch (a->what) {
	case SESSION_DO_BEGIN:
	case SESSION_DO_ABORT:
		buf_free(&p->body);
		if (a->what == SESSION_DO_BEGIN)
			p->flags = a->flags;
		return a->what == SESSION_DO_BEGIN;
	case SESSION_DO_BODY:
		assert_in_range(a->len, 1, p->conf.scratch_size);
		add(&p->body, a->data, a->len);
		return false;
	case SESSION_DO_COMMIT:
		assert_int_equal(a->size, p->body.len);
		return true;
	case SESSION_DO_CLOSE:
	case SESSION_DO_DROP:
		p->closed = true;
		return false;
	case SESSION_DO_ENDED:
		assert_int_equal(buf_addf(&p->ended, "%d:%llu;",
		    reply_row(session_info(p->s).verdict)->code,
		    (unsigned long long)a->size), 0);
		return false;
	case SESSION_DO_AUTH_END:
		return false;
	default:
		return true;
	}
}

static void
gather(struct play *p)
{
	struct buf *o = session_output(p->s);

	if (o->len > 0)
		add(&p->out, buf_data(o), o->len);
	buf_take(o, o->len);
}

void
play_turn(struct play *p)
{
	struct session_action a;
	char text[400];

	for (;;) {
		gather(p);
		if (!session_action(p->s, &a))
			break;
		if (!carry_out(p, &a))
			continue;
		p->asked = a;
		/* what an action points to does not outlive this turn */
		if (a.text != NULL) {
			snprintf(text, sizeof(text), "%s", a.text);
			p->asked.text = text;
		}
		answer(p);
	}
}

void
play_feed(struct play *p, const void *data, size_t len, size_t piece)
{
	const unsigned char *d = data;
	unsigned char copy[70000];
	size_t n, used;

	while (len > 0 && !p->closed) {
		n = piece == 0 || piece > len ? len : piece;
		if (n > sizeof(copy))
			n = sizeof(copy);
		/* no octet may be looked for behind what was handed over */
		memcpy(copy, d, n);
		used = session_input(p->s, copy, n, p->now);
		assert_in_range(used, 0, n);
		play_turn(p);
		if (used == 0 && !session_wants_input(p->s))
			break;
		d += used;
		len -= used;
	}
}

void
play_say(struct play *p, const char *text)
{
	play_feed(p, text, strlen(text), 0);
}

void
play_event(struct play *p, enum session_event ev)
{
	session_event(p->s, ev, p->now);
	play_turn(p);
}

void
play_begin(struct play *p, enum play_start start)
{
	p->conf.scratch = p->scratch;
	p->s = session_new(&p->conf, start != PLAY_CLEAR, p->now);
	assert_non_null(p->s);
	play_turn(p);
	if (start != PLAY_LOGIN)
		return;
	play_say(p, "EHLO c\r\nAUTH PLAIN " PLAY_ALICE "\r\n");
	assert_int_equal(session_state(p->s), STATE_READY);
	buf_free(&p->out);
	buf_free(&p->log);
}

void
play_reach(struct play *p, enum state s)
{
	play_init(p);
	play_begin(p, s <= STATE_HELLO ? PLAY_CLEAR :
	    s <= STATE_IDENT ? PLAY_TLS : PLAY_LOGIN);
	if (s == STATE_HELLO || s == STATE_IDENT)
		play_say(p, "EHLO c\r\n");
	if (s >= STATE_MAIL)
		play_say(p, "MAIL FROM:<>\r\n");
	if (s >= STATE_RCPT)
		play_say(p, "RCPT TO:<bob@example.test>\r\n");
	if (s == STATE_BDAT)
		play_say(p, "BDAT 6\r\nA: b\r\n");
	assert_int_equal(session_state(p->s), s);
	buf_free(&p->out);
	buf_free(&p->log);
}

void
play_check_log(struct play *p, const char *want)
{
	add(&p->log, "", 1);
	assert_string_equal((const char *)buf_data(&p->log), want);
	buf_free(&p->log);
}

void
play_check_ended(struct play *p, const char *want)
{
	add(&p->ended, "", 1);
	assert_string_equal((const char *)buf_data(&p->ended), want);
	buf_free(&p->ended);
}

void
play_end(struct play *p)
{
	session_free(&p->s);
	buf_free(&p->out);
	buf_free(&p->log);
	buf_free(&p->body);
	buf_free(&p->mail);
	buf_free(&p->ended);
}

/* The code of the reply line, with its enhanced code when it has one. */
static void
add_code(struct buf *b, const char *line)
{
	size_t n = 4 + strspn(line + 4, "0123456789.");

	if (b->len > 0)
		add(b, ",", 1);
	add(b, line, n > 4 && line[n] == ' ' ? n : 3);
}

char *
play_codes(const struct play *p)
{
	struct buf codes;
	char *text, *line, *end, *result;

	buf_init(&codes, MEGA);
	text = calloc(1, p->out.len + 1);
	assert_non_null(text);
	if (p->out.len > 0)
		memcpy(text, buf_data(&p->out), p->out.len);
	for (line = text; *line != '\0'; line = end + 2) {
		end = strstr(line, "\r\n");
		assert_non_null(end);
		assert_in_range(end - line, 4, 4000);
		if (line[3] == ' ')
			add_code(&codes, line);
		else
			assert_int_equal(line[3], '-');
	}
	add(&codes, "", 1);
	result = strdup((const char *)buf_data(&codes));
	buf_free(&codes);
	free(text);
	return result;
}

static void
check_codes(const struct play *p, const char *want)
{
	char *got = play_codes(p);

	assert_string_equal(got, want);
	free(got);
}

void
play_check(enum play_start start, const char *text, const char *codes)
{
	struct play p;

	play_init(&p);
	play_begin(&p, start);
	play_say(&p, text);
	check_codes(&p, codes);
	play_end(&p);
}

static void
check_mail(struct play *p, const char *want)
{
	add(&p->mail, "", 1);
	assert_string_equal((const char *)buf_data(&p->mail), want);
}

void
play_check_split(enum play_start start, const char *text, size_t len,
    const char *codes, const char *mail)
{
	struct play p;
	size_t i;

	for (i = 0; i <= len; i++) {
		play_init(&p);
		play_begin(&p, start);
		if (i == len)		/* byte by byte */
			play_feed(&p, text, len, 1);
		else {
			play_feed(&p, text, i, 0);
			play_feed(&p, text + i, len - i, 0);
		}
		check_codes(&p, codes);
		check_mail(&p, mail);
		play_end(&p);
	}
}
