/* SPDX-License-Identifier: ISC */
/*
 * What becomes of a session when a helper answers, time passes or the end
 * comes from outside: a row for each answer, time-out and event, in each
 * state; and the words of the replies that name something.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "t/unit/smtpd-play.h"

#define ROWS(a)	(sizeof(a) / sizeof((a)[0]))
#define LONG	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static void
check_codes(const struct play *p, const char *want, const char *why)
{
	char *got = play_codes(p);

	if (strcmp(got, want) != 0)
		fail_msg("%s: %s, not %s", why, got, want);
	free(got);
}

/* The last reply was this one, and the session is over, or not. */
static void
check_last(const struct play *p, enum reply r, bool closed)
{
	assert_string_equal(reply_row(session_info(p->s).last)->text,
	    reply_row(r)->text);
	assert_int_equal(p->closed, closed);
	assert_int_equal(session_state(p->s) == STATE_DONE, closed);
}

/* In each state, those too that take no command. */
static void
reach(struct play *p, enum state s)
{
	switch (s) {
	case STATE_AUTHX:
		play_reach(p, STATE_IDENT);
		play_say(p, "AUTH LOGIN\r\n");
		break;
	case STATE_DATA:
		play_reach(p, STATE_RCPT);
		play_say(p, "DATA\r\n");
		break;
	default:
		play_reach(p, s);
	}
	assert_int_equal(session_state(p->s), s);
	buf_free(&p->out);
	buf_free(&p->log);
}

static void
test_answers_of_auth(void **state)
{
	static const struct {
		enum auth_status	 status;
		const char		*codes;
		unsigned		 errors;
		enum state		 then;
		const char		*told;
	} rows[] = {
		{ AUTH_STATUS_NONE, "454 4.7.0", 0, STATE_IDENT, "END;" },
		{ AUTH_MORE, "334", 0, STATE_AUTHX, "" },
		{ AUTH_OK, "235 2.7.0", 0, STATE_READY, "" },
		{ AUTH_FAIL, "535 5.7.8", 1, STATE_IDENT, "END;" },
		{ AUTH_TEMP, "454 4.7.0", 0, STATE_IDENT, "END;" },
		{ AUTH_THROTTLED, "421 4.7.0", 0, STATE_DONE, "END;CLOSE;" },
		{ AUTH_NO_MECHANISM, "504 5.5.4", 1, STATE_IDENT, "END;" },
		{ AUTH_BAD_PROTOCOL, "501 5.5.2", 1, STATE_IDENT, "END;" },
		{ AUTH_NOT_AUTHORIZED, "535 5.7.8", 1, STATE_IDENT, "END;" },
		{ AUTH_STATUS_COUNT, "454 4.7.0", 0, STATE_IDENT, "END;" },
	};
	struct play p;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		for (int step = 0; step < 2; step++) {
			reach(&p, step ? STATE_AUTHX : STATE_IDENT);
			p.hang = true;
			play_say(&p, step ? "YQ==\r\n" : "AUTH LOGIN YQ==\r\n");
			buf_free(&p.log);
			session_login(p.s, rows[i].status, "bob@example.test",
			    "", 0, p.now);
			play_turn(&p);
			check_codes(&p, rows[i].codes, "auth");
			assert_int_equal(session_state(p.s), rows[i].then);
			assert_int_equal(session_info(p.s).errors,
			    rows[i].errors);
			assert_string_equal(session_info(p.s).user,
			    rows[i].status == AUTH_OK ? "bob@example.test" :
			    "");
			play_check_log(&p, rows[i].told);
			play_end(&p);
		}
}

static void
test_answers_of_the_store(void **state)
{
	static const char *const codes[] = {
		[STORE_STATUS_NONE] = "451 4.3.0",
		[STORE_NO_TICKET] = "421 4.7.0",
		[STORE_NOT_SENDER] = "553 5.7.1",
		[STORE_NO_USER] = "550 5.1.1",
		[STORE_NOT_LOCAL] = "550 5.7.1",
		[STORE_TOO_MANY] = "452 4.5.3",
		[STORE_OVER_QUOTA] = "452 4.2.2",
		[STORE_NO_SPACE] = "452 4.3.1",
		[STORE_FAILED] = "451 4.3.0",
		[STORE_NOT_AUTHOR] = "550 5.7.1",
		[STORE_BAD_HEADER] = "550 5.6.0",
		[STORE_LOOP] = "554 5.4.6",
		[STORE_TOO_BIG] = "552 5.3.4",
		[STORE_RATE] = "450 4.7.1",
		[STORE_STATUS_COUNT] = "451 4.3.0",
	};
	static const struct {
		enum state	 at, then, refused;
		const char	*say, *ok;
	} rows[] = {
		{ STATE_READY, STATE_MAIL, STATE_READY, "MAIL FROM:<>\r\n",
		    "250 2.1.0" },
		{ STATE_MAIL, STATE_RCPT, STATE_MAIL, "RCPT TO:<a@b>\r\n",
		    "250 2.1.5" },
		{ STATE_RCPT, STATE_RCPT, STATE_RCPT, "RCPT TO:<a@b>\r\n",
		    "250 2.1.5" },
		{ STATE_RCPT, STATE_DATA, STATE_RCPT, "DATA\r\n", "354" },
		{ STATE_RCPT, STATE_BDAT, STATE_READY, "BDAT 0\r\n",
		    "250 2.0.0" },
		{ STATE_DATA, STATE_READY, STATE_READY, ".\r\n",
		    "250 2.0.0" },
		{ STATE_BDAT, STATE_READY, STATE_READY, "BDAT 0 LAST\r\n",
		    "250 2.0.0" },
	};
	enum store_status st;
	struct play p;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		for (st = 0; st <= STORE_STATUS_COUNT; st++) {
			reach(&p, rows[i].at);
			p.hang = true;
			play_say(&p, rows[i].say);
			assert_int_equal(session_state(p.s), STATE_WAIT);
			session_stored(p.s, st, "7", p.now);
			play_turn(&p);
			check_codes(&p, st == STORE_OK ? rows[i].ok :
			    codes[st], rows[i].say);
			assert_int_equal(session_state(p.s),
			    st == STORE_OK ? rows[i].then :
			    st == STORE_NO_TICKET ? STATE_DONE :
			    rows[i].refused);
			/* the client has made no error */
			assert_int_equal(session_info(p.s).errors, 0);
			play_end(&p);
		}
}

/* What nobody asked for. */
static void
test_answers_to_nothing(void **state)
{
	enum state s;
	struct play p;

	(void)state;
	for (s = STATE_START; s <= STATE_DATA; s++) {
		reach(&p, s);
		session_secured(p.s, p.tls, p.now);
		session_login(p.s, AUTH_OK, "eve@example.test", "", 0, p.now);
		session_stored(p.s, STORE_OK, "m9", p.now);
		play_turn(&p);
		assert_int_equal(session_state(p.s), s);
		check_codes(&p, "", "late");
		assert_string_equal(session_info(p.s).user,
		    s >= STATE_READY && s != STATE_AUTHX ?
		    "alice@example.test" : "");
		play_end(&p);
	}
	/* an answer of another helper than that which was asked */
	reach(&p, STATE_READY);
	p.hang = true;
	play_say(&p, "MAIL FROM:<>\r\n");
	session_secured(p.s, p.tls, p.now);
	session_login(p.s, AUTH_OK, "eve@example.test", "", 0, p.now);
	assert_int_equal(session_state(p.s), STATE_WAIT);
	play_end(&p);
	reach(&p, STATE_IDENT);
	p.hang = true;
	play_say(&p, "AUTH PLAIN\r\n");
	session_secured(p.s, p.tls, p.now);
	session_stored(p.s, STORE_OK, "m9", p.now);
	assert_int_equal(session_state(p.s), STATE_WAIT);
	play_end(&p);
	reach(&p, STATE_HELLO);
	p.hang = true;
	play_say(&p, "STARTTLS\r\n");
	session_login(p.s, AUTH_OK, "eve@example.test", "", 0, p.now);
	session_stored(p.s, STORE_OK, "m9", p.now);
	assert_int_equal(session_state(p.s), STATE_WAIT);
	play_end(&p);
}

/* Time-outs of play_init(), in seconds from when the wait began. */
static void
test_deadlines(void **state)
{
	static const struct {
		enum state	at;
		unsigned	seconds;
		enum reply	last;
	} rows[] = {
		{ STATE_START, 60, REPLY_LOGIN_TIME },
		{ STATE_HELLO, 60, REPLY_LOGIN_TIME },
		{ STATE_TLS, 60, REPLY_LOGIN_TIME },
		{ STATE_IDENT, 60, REPLY_LOGIN_TIME },
		{ STATE_AUTHX, 60, REPLY_LOGIN_TIME },
		{ STATE_READY, 300, REPLY_TIMEOUT },
		{ STATE_MAIL, 300, REPLY_TIMEOUT },
		{ STATE_RCPT, 300, REPLY_TIMEOUT },
		{ STATE_BDAT, 300, REPLY_TIMEOUT },
		{ STATE_DATA, 180, REPLY_TIMEOUT },
	};
	struct play p;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		reach(&p, rows[i].at);
		assert_int_equal(session_deadline(p.s),
		    1000 + rows[i].seconds * 1000);
		p.now += rows[i].seconds * 1000 - 1;
		play_event(&p, SESSION_EV_TIMEOUT);
		assert_false(p.closed);
		p.now++;
		play_event(&p, SESSION_EV_TIMEOUT);
		check_last(&p, rows[i].last, true);
		assert_true(session_deadline(p.s) == UINT64_MAX);
		play_end(&p);
		/* the whole session */
		reach(&p, rows[i].at);
		p.conf.session_time = 2000;
		assert_int_equal(session_deadline(p.s), 3000);
		p.now += 1999;
		play_event(&p, SESSION_EV_TIMEOUT);
		assert_false(p.closed);
		p.now++;
		play_event(&p, SESSION_EV_TIMEOUT);
		check_last(&p, REPLY_SESSION_TIME, true);
		play_end(&p);
	}
	/* before the login the wait for a command counts too */
	reach(&p, STATE_START);
	p.conf.command_time = 5000;
	assert_int_equal(session_deadline(p.s), 6000);
	p.now += 5000;
	play_event(&p, SESSION_EV_TIMEOUT);
	check_last(&p, REPLY_TIMEOUT, true);
	play_end(&p);
}

/* A minute after the last wait began something is said, and it begins anew. */
static void
test_what_begins_a_wait_anew(void **state)
{
	static const struct {
		enum state	 at;
		const char	*say;
		bool		 anew;
	} rows[] = {
		{ STATE_READY, "NOOP\r\n", true },
		{ STATE_READY, "DATA\r\n", true },	/* refused by table */
		{ STATE_READY, "MAIL FROM:x\r\n", true },
		{ STATE_READY, "MAIL FROM:<>\r\n", true },
		{ STATE_READY, "WAFFLE\r\n", true },
		{ STATE_READY, LONG LONG LONG LONG LONG LONG "\r\n", true },
		{ STATE_READY, "NOOP", false }, { STATE_READY, "\r", false },
		{ STATE_READY, LONG LONG LONG LONG LONG LONG, false },
		{ STATE_MAIL, "RCPT TO:<nobody@example.test>\r\n", true },
		{ STATE_RCPT, "DATA\r\n", true },
		{ STATE_BDAT, "BDAT 0\r\n", true },
		{ STATE_BDAT, "BDAT 9\r\nx", true },
		{ STATE_DATA, "x", true }, { STATE_DATA, "\r", true },
		{ STATE_AUTHX, "bW9yZQ==\r\n", true },
		{ STATE_AUTHX, "*\r\n", true }, { STATE_AUTHX, "?\r\n", true },
		{ STATE_AUTHX, "bW9y", false },
	};
	uint64_t wait;
	struct play p;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		reach(&p, rows[i].at);
		p.conf.unauthenticated_time = p.conf.session_time;
		p.conf.minimum_rate = 0;
		p.now += 60000;
		play_say(&p, rows[i].say);
		wait = session_state(p.s) == STATE_DATA ? 180000 : 300000;
		if (session_deadline(p.s) != wait + (rows[i].anew ? 61000 :
		    1000))
			fail_msg("%s", rows[i].say);
		play_end(&p);
	}
}

/* The time that a helper took is not the client's. */
static void
test_waits_begin_with_the_answer(void **state)
{
	struct play p;

	(void)state;
	reach(&p, STATE_READY);
	p.hang = true;
	play_say(&p, "MAIL FROM:<>\r\n");
	assert_int_equal(session_deadline(p.s), 301000);
	p.now = 100000;
	session_stored(p.s, STORE_OK, NULL, p.now);
	assert_int_equal(session_deadline(p.s), 400000);
	play_end(&p);
	reach(&p, STATE_IDENT);
	p.hang = true;
	play_say(&p, "AUTH PLAIN " PLAY_ALICE "\r\n");
	assert_int_equal(session_deadline(p.s), 301000);
	p.now = 100000;
	session_login(p.s, AUTH_OK, "alice@example.test", "", 0, p.now);
	assert_int_equal(session_deadline(p.s), 400000);
	play_end(&p);
	reach(&p, STATE_HELLO);
	p.conf.unauthenticated_time = 7200000;
	p.hang = true;
	play_say(&p, "STARTTLS\r\n");
	assert_int_equal(session_deadline(p.s), 31000);
	p.now = 20000;
	session_secured(p.s, p.tls, p.now);
	assert_int_equal(session_deadline(p.s), 320000);
	play_end(&p);
	/* and one who never answers is at fault, whatever else is over */
	reach(&p, STATE_READY);
	p.conf.session_time = 1;
	p.hang = true;
	play_say(&p, "MAIL FROM:<>\r\n");
	p.now += 300000;
	play_event(&p, SESSION_EV_TIMEOUT);
	check_last(&p, REPLY_HELPER_STUCK, true);
	play_end(&p);
}

/*
 * minimum_rate is 64 octets a second; the first data_time is free. Lines of
 * 64 octets come at once, and one more later: by when is more to come?
 */
static void
test_rates(void **state)
{
	static const struct {
		unsigned	lines, later;
		unsigned	deadline;	/* seconds */
		enum reply	last;
	} rows[] = {
		{ 0, 0, 180, REPLY_TIMEOUT }, { 0, 100, 180, REPLY_SLOW },
		{ 178, 100, 180, REPLY_SLOW }, { 179, 100, 180, REPLY_SLOW },
		{ 180, 100, 181, REPLY_SLOW }, { 277, 100, 278, REPLY_SLOW },
		{ 278, 100, 279, REPLY_SLOW }, { 280, 100, 280,
		    REPLY_TIMEOUT }, { 300, 100, 280, REPLY_TIMEOUT },
	};
	char line[65];
	struct play p;

	(void)state;
	memset(line, 'x', 62);
	memcpy(line + 62, "\r\n", 3);
	for (size_t i = 0; i < ROWS(rows); i++) {
		reach(&p, STATE_RCPT);
		p.conf.message_size = 1000000;
		play_say(&p, "DATA\r\n");
		for (unsigned n = 0; n < rows[i].lines; n++)
			play_say(&p, line);
		p.now += rows[i].later * 1000;
		play_say(&p, line);
		assert_int_equal(session_deadline(p.s),
		    1000 + rows[i].deadline * 1000);
		p.now = 1000 + rows[i].deadline * 1000;
		play_event(&p, SESSION_EV_TIMEOUT);
		check_last(&p, rows[i].last, true);
		play_end(&p);
	}
	/* both are over: the wait is named */
	reach(&p, STATE_DATA);
	p.now += 180000;
	play_event(&p, SESSION_EV_TIMEOUT);
	check_last(&p, REPLY_TIMEOUT, true);
	play_end(&p);
	/* 0: there is none */
	reach(&p, STATE_DATA);
	p.conf.minimum_rate = 0;
	p.now += 179000;
	play_say(&p, "x");
	assert_int_equal(session_deadline(p.s), p.now + 180000);
	play_end(&p);
}

/* Told to end: at once, or when the transaction is over. */
static void
test_shutdown(void **state)
{
	static const struct {
		enum state	 at;
		const char	*say, *codes;
	} rows[] = {
		{ STATE_START, "", "421 4.3.2" },
		{ STATE_HELLO, "", "421 4.3.2" },
		{ STATE_TLS, "", "421 4.3.2" },
		{ STATE_IDENT, "", "421 4.3.2" },
		{ STATE_READY, "", "421 4.3.2" },
		{ STATE_AUTHX, "", "421 4.3.2" },
		{ STATE_MAIL, "RSET\r\nNOOP\r\n", "250 2.0.0,421 4.3.2" },
		{ STATE_MAIL, "RCPT TO:<bob@example.test>\r\n", "250 2.1.5" },
		{ STATE_RCPT, "EHLO c\r\nNOOP\r\n", "250,421 4.3.2" },
		{ STATE_RCPT, "DATA\r\n.\r\nNOOP\r\n",
		    "354,250 2.0.0,421 4.3.2" },
		{ STATE_DATA, ".\r\nNOOP\r\n", "250 2.0.0,421 4.3.2" },
		{ STATE_DATA, "A: \xff\r\n.\r\nNOOP\r\n",
		    "550 5.6.0,421 4.3.2" },
		{ STATE_BDAT, "BDAT 2\r\n\r\nBDAT 0 LAST\r\nNOOP\r\n",
		    "250 2.0.0,250 2.0.0,421 4.3.2" },
		{ STATE_BDAT, "BDAT 2 LAST\r\n\0", "" },
	};
	struct play p;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		reach(&p, rows[i].at);
		play_event(&p, SESSION_EV_SHUTDOWN);
		assert_int_equal(p.closed, rows[i].say[0] == '\0');
		play_say(&p, rows[i].say);
		check_codes(&p, rows[i].codes,
		    table_state_name(rows[i].at));
		play_end(&p);
	}
	/* while a helper works: when it has answered */
	reach(&p, STATE_IDENT);
	p.hang = true;
	play_say(&p, "AUTH PLAIN " PLAY_ALICE "\r\n");
	play_event(&p, SESSION_EV_SHUTDOWN);
	check_codes(&p, "", "login under way");
	session_login(p.s, AUTH_OK, "alice@example.test", "", 0, p.now);
	play_turn(&p);
	check_codes(&p, "235 2.7.0,421 4.3.2", "login");
	play_end(&p);
	/* the greeting is that */
	play_init(&p);
	p.hang = true;
	play_begin(&p, PLAY_TLS);
	play_event(&p, SESSION_EV_SHUTDOWN);
	session_secured(p.s, p.tls, p.now);
	play_turn(&p);
	check_codes(&p, "421 4.3.2", "handshake");
	play_end(&p);
}

/* The login has ended: nothing more is taken, nothing is delivered. */
static void
test_revocation(void **state)
{
	static const struct {
		enum state	 at;
		const char	*codes, *told;
	} rows[] = {
		{ STATE_START, "", "" }, { STATE_HELLO, "", "" },
		{ STATE_TLS, "", "" }, { STATE_IDENT, "", "" },
		{ STATE_AUTHX, "", "" },
		{ STATE_READY, "421 4.7.0", "CLOSE;" },
		{ STATE_MAIL, "421 4.7.0", "ABORT;CLOSE;" },
		{ STATE_RCPT, "421 4.7.0", "ABORT;CLOSE;" },
		{ STATE_BDAT, "421 4.7.0", "ABORT;CLOSE;" },
		{ STATE_DATA, "421 4.7.0", "ABORT;CLOSE;" },
	};
	struct play p;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		reach(&p, rows[i].at);
		play_event(&p, SESSION_EV_REVOKED);
		check_codes(&p, rows[i].codes,
		    table_state_name(rows[i].at));
		play_check_log(&p, rows[i].told);
		assert_int_equal(p.closed, rows[i].told[0] != '\0');
		play_end(&p);
	}
	/* that of nobody does not count later */
	reach(&p, STATE_IDENT);
	play_event(&p, SESSION_EV_REVOKED);
	play_say(&p, "AUTH PLAIN " PLAY_ALICE "\r\nNOOP\r\n");
	check_codes(&p, "235 2.7.0,250 2.0.0", "revoked before the login");
	play_end(&p);
	/* while the store works */
	reach(&p, STATE_READY);
	p.hang = true;
	play_say(&p, "MAIL FROM:<>\r\n");
	play_event(&p, SESSION_EV_REVOKED);
	assert_false(p.closed);
	session_stored(p.s, STORE_OK, NULL, p.now);
	play_turn(&p);
	check_codes(&p, "250 2.1.0,421 4.7.0", "revoked meanwhile");
	play_end(&p);
}

/* No more input, or the connection is gone. */
static void
test_ends_without_a_word(void **state)
{
	static const enum session_event ends[] = { SESSION_EV_EOF,
		SESSION_EV_GONE };
	struct play p;
	enum state s;

	(void)state;
	for (size_t i = 0; i < ROWS(ends); i++)
		for (s = STATE_START; s <= STATE_DATA; s++) {
			reach(&p, s);
			play_event(&p, ends[i]);
			check_codes(&p, "", table_state_name(s));
			play_check_log(&p, s == STATE_AUTHX ? "END;CLOSE;" :
			    s >= STATE_MAIL ? "ABORT;CLOSE;" : "CLOSE;");
			/* and once alone */
			play_event(&p, ends[i]);
			play_check_log(&p, "");
			play_end(&p);
		}
	/* at the end of input an answer is still given */
	reach(&p, STATE_IDENT);
	p.hang = true;
	play_say(&p, "AUTH PLAIN " PLAY_ALICE "\r\n");
	play_event(&p, SESSION_EV_EOF);
	assert_false(p.closed);
	session_login(p.s, AUTH_FAIL, "", "", 0, p.now);
	play_turn(&p);
	check_codes(&p, "535 5.7.8", "login");
	assert_true(p.closed);
	play_end(&p);
	reach(&p, STATE_HELLO);
	p.hang = true;
	play_say(&p, "STARTTLS\r\n");
	play_event(&p, SESSION_EV_EOF);
	assert_false(p.closed);
	session_secured(p.s, p.tls, p.now);
	play_turn(&p);
	assert_true(p.closed);
	play_end(&p);
}

/* Replies that name something, whole. */
static void
test_words(void **state)
{
	static const struct {
		enum state	 at;
		const char	*say, *out;
	} rows[] = {
		{ STATE_START, "HELO c\r\n", "250 mx.test\r\n" },
		{ STATE_START, "QUIT\r\n",
		    "221 2.0.0 mx.test closing connection\r\n" },
		{ STATE_IDENT, "AUTH LOGIN\r\n", "334 \r\n" },
		{ STATE_AUTHX, "bW9yZQ==\r\n", "334 Y2hhbA==\r\n" },
		{ STATE_IDENT, "AUTH PLAIN c2xvdw==\r\n", "421 4.7.0 mx.test "
		    "too many failed logins, try again later\r\n" },
		{ STATE_DATA, ".\r\n", "250 2.0.0 Ok: delivered as m1\r\n" },
	};
	struct play p;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		reach(&p, rows[i].at);
		play_say(&p, rows[i].say);
		buf_add(&p.out, "", 1);
		assert_string_equal((const char *)buf_data(&p.out),
		    rows[i].out);
		play_end(&p);
	}
	play_init(&p);
	play_begin(&p, PLAY_CLEAR);
	buf_add(&p.out, "", 1);
	assert_string_equal((const char *)buf_data(&p.out),
	    "220 mx.test ESMTP\r\n");
	play_end(&p);
	/* when to come again */
	reach(&p, STATE_READY);
	p.hang = true;
	play_say(&p, "MAIL FROM:<>\r\n");
	session_stored(p.s, STORE_RATE, "30", p.now);
	play_turn(&p);
	buf_add(&p.out, "", 1);
	assert_non_null(strstr((const char *)buf_data(&p.out),
	    "again in 30 seconds\r\n"));
	play_end(&p);
}

static void
test_challenge_of_any_octets(void **state)
{
	struct play p;

	(void)state;
	reach(&p, STATE_IDENT);
	p.hang = true;
	play_say(&p, "AUTH LOGIN\r\n");
	session_login(p.s, AUTH_MORE, "", "\xfb\xff\xbf\0", 4, p.now);
	play_turn(&p);
	buf_add(&p.out, "", 1);
	assert_string_equal((const char *)buf_data(&p.out),
	    "334 +/+/AA==\r\n");
	play_end(&p);
}

/* What the logs want to know. */
static void
test_info(void **state)
{
	struct session_info i;
	struct play p;

	(void)state;
	reach(&p, STATE_START);
	i = session_info(p.s);
	assert_string_equal(i.user, "");
	assert_string_equal(i.helo, "");
	assert_int_equal(i.recipients + i.size + i.flags + i.messages +
	    i.delivered + i.errors, 0);
	assert_false(i.transaction);
	assert_int_equal(i.last, REPLY_GREETING);
	play_say(&p, "EHLO a.test\r\n");
	assert_string_equal(session_info(p.s).helo, "a.test");
	assert_int_equal(session_info(p.s).last, REPLY_HELLO);
	play_say(&p, "EHLO .\r\n");
	assert_string_equal(session_info(p.s).helo, "a.test");
	assert_int_equal(session_info(p.s).last, REPLY_HELLO_NAME);
	play_say(&p, "HELO b.test\r\n");
	assert_string_equal(session_info(p.s).helo, "b.test");
	play_say(&p, "HELP\r\nSTARTTLS\r\n");
	assert_string_equal(session_info(p.s).helo, "");
	play_end(&p);
	reach(&p, STATE_READY);
	assert_string_equal(session_info(p.s).user, "alice@example.test");
	play_say(&p, "MAIL FROM:<> SMTPUTF8 SIZE=77\r\n"
	    "RCPT TO:<a@example.test>\r\nRCPT TO:<nobody@example.test>\r\n"
	    "RCPT TO:<b@example.test>\r\nBDAT 6\r\nA: b\r\n");
	i = session_info(p.s);
	assert_true(i.transaction);
	assert_int_equal(i.recipients, 2);
	assert_int_equal(i.size, 6);
	assert_int_equal(i.flags, STORE_UTF8);
	assert_int_equal(i.messages, 1);
	assert_int_equal(i.delivered, 0);
	play_say(&p, "BDAT 0 LAST\r\n");
	i = session_info(p.s);
	assert_false(i.transaction);
	assert_int_equal(i.delivered, 1);
	assert_int_equal(i.recipients + i.size + i.flags, 0);
	assert_int_equal(i.verdict, REPLY_DELIVERED);
	play_say(&p, "MAIL FROM:<>\r\nRCPT TO:<a@example.test>\r\nDATA\r\n");
	play_event(&p, SESSION_EV_GONE);
	assert_int_equal(session_info(p.s).verdict, REPLY_NONE);
	play_end(&p);
}

/* Each error counts once, those too that end the session. */
static void
test_errors(void **state)
{
	static const struct {
		enum state	 at;
		const char	*say;
		unsigned	 errors;
	} rows[] = {
		{ STATE_READY, "NOOP\r\n", 0 }, { STATE_READY, "X\r\n", 1 },
		{ STATE_READY, "DATA\r\n", 1 },
		{ STATE_READY, "MAIL FROM:x\r\n", 1 },
		{ STATE_READY, "MAIL FROM:<m@a>\r\n", 0 },
		{ STATE_READY, "NOOP\n", 1 }, { STATE_READY, "\rx", 1 },
		{ STATE_READY, "BDAT x\r\n", 1 },
		{ STATE_READY, "BDAT 2\r\nab", 1 },
		{ STATE_READY, "BDAT 2\r\nabBDAT 2\r\nab", 1 },
		{ STATE_READY, "BDAT 2\r\nabNOOP\r\nBDAT 2\r\nab", 2 },
		{ STATE_READY, LONG LONG LONG LONG LONG LONG "\r\n", 1 },
		{ STATE_HELLO, "STARTTLS\r\nx", 1 },
		{ STATE_DATA, "\n", 1 }, { STATE_DATA, "\xff\r\n.\r\n", 0 },
		{ STATE_BDAT, "BDAT 1 LAST\r\n\n", 1 },
		{ STATE_AUTHX, "*\r\n", 1 }, { STATE_AUTHX, "?\r\n", 1 },
		{ STATE_RCPT, "RCPT TO:<nobody@example.test>\r\n", 0 },
		{ STATE_RCPT, "RCPT TO:<a@example.test>\r\n"
		    "RCPT TO:<b@example.test>\r\nRCPT TO:<c@example.test>\r\n",
		    0 },
	};
	struct play p;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		reach(&p, rows[i].at);
		play_say(&p, rows[i].say);
		if (session_info(p.s).errors != rows[i].errors)
			fail_msg("%s", rows[i].say);
		play_end(&p);
	}
}

/* The last error that is forgiven, and the next, wherever it is made. */
static void
test_too_many_errors(void **state)
{
	static const struct {
		enum state	 at;
		const char	*say, *told;
	} rows[] = {
		{ STATE_READY, "X\r\n", "CLOSE;" },
		{ STATE_RCPT, "X\r\n", "ABORT;CLOSE;" },
		{ STATE_IDENT, "AUTH PLAIN ?\r\n", "CLOSE;" },
		{ STATE_AUTHX, "?\r\n", "END;CLOSE;" },
		{ STATE_AUTHX, "*\r\n", "END;CLOSE;" },
		{ STATE_AUTHX, "YQ==\r\n", "STEP;END;CLOSE;" },
		{ STATE_READY, "BDAT 1\r\nx", "CLOSE;" },
		{ STATE_READY, LONG LONG LONG LONG LONG LONG "\r\n",
		    "CLOSE;" },
	};
	struct play p;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		for (unsigned most = 0; most < 2; most++) {
			reach(&p, rows[i].at);
			p.conf.errors_per_session = most;
			play_say(&p, rows[i].say);
			assert_int_equal(p.closed, most == 0);
			if (most == 0) {
				check_last(&p, REPLY_ERRORS, true);
				play_check_log(&p, rows[i].told);
			}
			play_end(&p);
		}
}

/*
 * A client that reads nothing is not written to without end: it is dropped,
 * once, whatever the reply is for which there is no room.
 */
static void
test_output_has_an_end(void **state)
{
	static const struct {
		enum state	 at;
		const char	*say;
	} rows[] = {
		{ STATE_READY, "NOOP\r\n" }, { STATE_READY, "QUIT\r\n" },
		{ STATE_READY, "EHLO c\r\n" }, { STATE_READY, "HELP\r\n" },
		{ STATE_READY, "HELO c\r\n" }, { STATE_READY, "X\r\n" },
		{ STATE_READY, "BDAT x\r\n" }, { STATE_READY, "\n" },
		{ STATE_HELLO, "STARTTLS\r\n" }, { STATE_IDENT, "AUTH ?\r\n" },
	};
	const size_t max = 1048576;
	struct session_action a;
	struct play p;
	size_t n;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		reach(&p, rows[i].at);
		while (session_output(p.s)->len <= max - 14)
			session_input(p.s, (const unsigned char *)
			    "NOOP\r\n", 6, p.now);
		n = session_output(p.s)->len;
		assert_in_range(n, max - 13, max);
		assert_int_equal(p.closed, false);
		session_input(p.s, (const unsigned char *)rows[i].say,
		    strlen(rows[i].say), p.now);
		assert_in_range(session_output(p.s)->len, n, max);
		assert_int_equal(session_state(p.s), STATE_DONE);
		assert_true(session_action(p.s, &a));
		assert_int_equal(a.what, SESSION_DO_DROP);
		assert_false(session_action(p.s, &a));
		assert_int_equal(a.what, SESSION_DO_NONE);
		play_end(&p);
	}
}

/* What BEGIN and RCPT say beside their address. */
static void
test_what_is_declared(void **state)
{
	static const struct {
		const char	*say;
		unsigned	 size, flags;
	} rows[] = {
		{ "MAIL FROM:<>\r\n", 0, 0 },
		{ "MAIL FROM:<> SIZE=77\r\n", 77, 0 },
		{ "MAIL FROM:<> BODY=8BITMIME\r\n", 0, 0 },
		{ "MAIL FROM:<> BODY=BINARYMIME\r\n", 0, STORE_BINARY },
		{ "MAIL FROM:<> SMTPUTF8 SIZE=5000 BODY=BINARYMIME\r\n",
		    5000, STORE_BINARY | STORE_UTF8 },
	};
	struct session_action a;
	struct play p;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		reach(&p, STATE_READY);
		session_input(p.s, (const unsigned char *)rows[i].say,
		    strlen(rows[i].say), p.now);
		assert_true(session_action(p.s, &a));
		assert_int_equal(a.what, SESSION_DO_BEGIN);
		assert_int_equal(a.size, rows[i].size);
		assert_int_equal(a.flags, rows[i].flags);
		session_stored(p.s, STORE_OK, NULL, p.now);
		assert_false(session_action(p.s, &a));
		session_input(p.s, (const unsigned char *)"RCPT TO:<a@b>\r\n",
		    15, p.now);
		assert_true(session_action(p.s, &a));
		assert_int_equal(a.what, SESSION_DO_RCPT);
		assert_int_equal(a.size + a.flags, 0);
		/* freed as it is, with an action that nobody fetched */
		play_end(&p);
	}
}

/* Each fault of the content by its name. */
static void
test_faults_of_content(void **state)
{
	static const struct {
		const char	*params, *text;
		enum reply	 last;
	} rows[] = {
		{ "", "A: \xff\r\n", REPLY_EIGHT_BIT },
		{ "", "A: \xc3\xb6\r\n", REPLY_EIGHT_BIT },
		{ "", "A: \xff\xff\xff\xff\r\n", REPLY_EIGHT_BIT },
		{ " SMTPUTF8", "A: \xff\r\n", REPLY_HEADER_UTF8 },
		{ " SMTPUTF8", "A: \xc3\r\n", REPLY_HEADER_UTF8 },
		{ " SMTPUTF8", "A: \xc3\xb6\r\n", REPLY_DELIVERED },
		{ "", "A: b\r\n\r\n\xff\r\n", REPLY_DELIVERED },
		{ "", "A:" LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG
		    "\r\n", REPLY_TEXT_LINE },
		/* the gravest of several */
		{ "", "A: \xff" LONG LONG LONG LONG LONG LONG LONG LONG LONG
		    LONG "\r\n", REPLY_TEXT_LINE },
	};
	struct play p;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		reach(&p, STATE_READY);
		play_say(&p, "MAIL FROM:<>");
		play_say(&p, rows[i].params);
		play_say(&p, "\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n");
		play_say(&p, rows[i].text);
		play_say(&p, ".\r\n");
		check_last(&p, rows[i].last, false);
		play_end(&p);
	}
	reach(&p, STATE_DATA);
	play_feed(&p, "A: \xff\0\r\n.\r\n", 10, 0);
	check_last(&p, REPLY_NUL, false);
	play_end(&p);
}

/* Ends that are none: NULL was never a session, and once is enough. */
static void
test_freeing(void **state)
{
	struct session *s = NULL;
	struct play p;

	(void)state;
	session_free(&s);
	reach(&p, STATE_RCPT);
	session_free(&p.s);
	assert_null(p.s);
	play_end(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_of_auth),
		cmocka_unit_test(test_answers_of_the_store),
		cmocka_unit_test(test_answers_to_nothing),
		cmocka_unit_test(test_deadlines),
		cmocka_unit_test(test_what_begins_a_wait_anew),
		cmocka_unit_test(test_waits_begin_with_the_answer),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_shutdown),
		cmocka_unit_test(test_revocation),
		cmocka_unit_test(test_ends_without_a_word),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_challenge_of_any_octets),
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_too_many_errors),
		cmocka_unit_test(test_output_has_an_end),
		cmocka_unit_test(test_what_is_declared),
		cmocka_unit_test(test_faults_of_content),
		cmocka_unit_test(test_freeing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("smtpd-turns", tests, NULL, NULL);
}
