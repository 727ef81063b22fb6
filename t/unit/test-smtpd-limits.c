/* SPDX-License-Identifier: ISC */
/*
 * The SMTP engine and those who mean harm or are late: long lines, odd line
 * ends, bad content, limits, time, helpers that fail, the end from outside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "t/unit/smtpd-play.h"

#define ENVELOPE "MAIL FROM:<alice@example.test>\r\n" \
	"RCPT TO:<bob@example.test>\r\n"
#define MESSAGE	"Subject: x\r\n\r\nhello\r\n"

/* n octets of the letter x in a line between head and tail. */
static void
check_long(enum play_start start, const char *head, size_t n,
    const char *tail, const char *codes)
{
	char *text = malloc(strlen(head) + n + strlen(tail) + 1);

	assert_non_null(text);
	strcpy(text, head);
	memset(text + strlen(head), 'x', n);
	strcpy(text + strlen(head) + n, tail);
	play_check(start, text, codes);
	free(text);
}

static void
test_long_lines(void **state)
{
	(void)state;
	check_long(PLAY_CLEAR, "NOOP ", 505, "\r\nNOOP\r\n",
	    "220,250 2.0.0,250 2.0.0");
	check_long(PLAY_CLEAR, "NOOP ", 506, "\r\nNOOP\r\n",
	    "220,500 5.5.2,250 2.0.0");
	check_long(PLAY_CLEAR, "NOOP ", 60000, "\r\nNOOP\r\n",
	    "220,500 5.5.2,250 2.0.0");
	check_long(PLAY_CLEAR, "", 60000, "\r\nNOOP\r\n",
	    "220,500 5.5.2,250 2.0.0");
	check_long(PLAY_LOGIN, "MAIL FROM:<> AUTH=", 4094 - 18, "\r\n",
	    "250 2.1.0");
	check_long(PLAY_LOGIN, "MAIL FROM:<> AUTH=", 4095 - 18,
	    "\r\nNOOP\r\n", "500 5.5.2,250 2.0.0");
	check_long(PLAY_LOGIN, "MAIL FROM:<>\r\nRCPT TO:<b@example.test> X=",
	    4094 - 27, "\r\n", "250 2.1.0,555 5.5.4");
	check_long(PLAY_LOGIN, "MAIL FROM:<>\r\nRCPT TO:<b@example.test> X=",
	    4095 - 27, "\r\nNOOP\r\n", "250 2.1.0,500 5.5.2,250 2.0.0");
	check_long(PLAY_LOGIN, "MAIL FROM:<", 65, "@a.test>\r\n",
	    "501 5.5.4");
	check_long(PLAY_TLS, "EHLO c\r\nAUTH PLAIN ", 12288 - 11,
	    "\r\nNOOP\r\n", "220,250,501 5.5.2,250 2.0.0");
	check_long(PLAY_TLS, "EHLO c\r\nAUTH PLAIN ", 12289 - 11,
	    "\r\nNOOP\r\n", "220,250,500 5.5.6,250 2.0.0");
	check_long(PLAY_TLS, "EHLO c\r\nAUTH PLAIN\r\n", 12288,
	    "\r\nNOOP\r\n", "220,250,334,535 5.7.8,250 2.0.0");
	check_long(PLAY_TLS, "EHLO c\r\nAUTH PLAIN\r\n", 12289,
	    "\r\nNOOP\r\n", "220,250,334,500 5.5.6,250 2.0.0");
}

static void
test_long_lines_in_pieces(void **state)
{
	char text[700];
	size_t n = sizeof(text) - 8;

	(void)state;
	memset(text, 'x', n);
	memcpy(text + n, "\r\nNOOP\r\n", 8);
	play_check_split(PLAY_CLEAR, text, sizeof(text),
	    "220,500 5.5.2,250 2.0.0", "");
}

/* Nothing but CRLF ends a line; what else would is the end. */
static void
test_bare_line_ends(void **state)
{
	static const char *const bad[] = { "NOOP\n", "NOOP\r", "NOOP\rx",
		"NO\nOP\r\n", "\n", "NOOP\n\n", "NOOP\n\r\n",
		"NOOP \r\r\n", "\r\r\n" };
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "%sNOOP\r\n", bad[i]);
		play_check_split(PLAY_CLEAR, text, strlen(text),
		    "220,500 5.5.2", "");
	}
	play_check_split(PLAY_CLEAR, "NO\0OP\r\nNOOP\r\n", 13,
	    "220,500 5.5.2", "");
	play_check_split(PLAY_TLS, "EHLO c\r\nAUTH PLAIN\r\na\nNOOP\r\n", 28,
	    "220,250,334,500 5.5.2", "");
}

static void
test_bare_content(void **state)
{
	static const char *const bad[] = { "\n.\n", "\n.\r\n", "\r\n.\n",
		"\r.\r\n", "\r\n.\r\r\n", "\n\n", "\r\r\n" };
	char text[300];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), ENVELOPE "DATA\r\nA: b\r\n\r\nx"
		    "%sMAIL FROM:<>\r\n.\r\nNOOP\r\n", bad[i]);
		play_check_split(PLAY_LOGIN, text, strlen(text),
		    "250 2.1.0,250 2.1.5,354,550 5.5.2", "");
	}
}

static void
test_content_faults(void **state)
{
	static const char nul[] = ENVELOPE "DATA\r\nA: b\r\n\r\nx\0y\r\n.\r\n"
	    "NOOP\r\n";
	static const char eight[] = ENVELOPE "DATA\r\nA: \351\r\n\r\nx\r\n"
	    ".\r\nNOOP\r\n";
	struct play p;
	char *got;
	int i;

	(void)state;
	play_check_split(PLAY_LOGIN, nul, sizeof(nul) - 1,
	    "250 2.1.0,250 2.1.5,354,550 5.6.0,250 2.0.0", "");
	play_check_split(PLAY_LOGIN, eight, sizeof(eight) - 1,
	    "250 2.1.0,250 2.1.5,354,550 5.6.0,250 2.0.0", "");
	check_long(PLAY_LOGIN, ENVELOPE "DATA\r\nA: b\r\n\r\n", 999,
	    "\r\n.\r\nNOOP\r\n",
	    "250 2.1.0,250 2.1.5,354,550 5.6.0,250 2.0.0");

	/* too big: told to the store at once, to the client at the end */
	play_reach(&p, STATE_RCPT);
	p.log.len = 0;
	play_say(&p, "DATA\r\nA: b\r\n\r\n");
	for (i = 0; i < 100; i++)
		play_say(&p, "0123456789012345678901234567890123456789"
		    "0123456789012345678\r\n");
	play_check_log(&p, "OPEN;ABORT;");
	got = play_codes(&p);
	assert_string_equal(got, "354");
	free(got);
	play_say(&p, ".\r\nNOOP\r\n");
	got = play_codes(&p);
	assert_string_equal(got, "354,552 5.3.4,250 2.0.0");
	free(got);
	play_end(&p);
}

static void
test_limits_of_a_session(void **state)
{
	struct play p;
	char *got;
	int i;

	(void)state;
	play_reach(&p, STATE_READY);
	for (i = 0; i < 5; i++)
		play_say(&p, "MAIL FROM:<>\r\nRSET\r\n");
	got = play_codes(&p);
	assert_string_equal(got + strlen(got) - 19, "452 4.5.3,250 2.0.0");
	free(got);
	play_end(&p);

	play_reach(&p, STATE_READY);
	p.conf.errors_per_session = 2;
	play_say(&p, "X\r\nNOOP\r\nX\r\nNOOP\r\nX\r\nNOOP\r\n");
	got = play_codes(&p);
	assert_string_equal(got, "500 5.5.2,250 2.0.0,500 5.5.2,250 2.0.0,"
	    "421 4.7.0");
	free(got);
	assert_true(p.closed);
	play_end(&p);
}

static void
pass(struct play *p, uint64_t ms, const char *codes)
{
	char *got;

	p->now += ms;
	play_event(p, SESSION_EV_TIMEOUT);
	got = play_codes(p);
	assert_string_equal(got, codes);
	free(got);
}

static void
test_times(void **state)
{
	struct play p;

	(void)state;
	play_reach(&p, STATE_START);
	assert_int_equal(session_deadline(p.s), 1000 + 60000);
	pass(&p, 59999, "");
	pass(&p, 1, "421 4.7.0");
	play_end(&p);

	play_reach(&p, STATE_READY);
	pass(&p, 299999, "");
	play_say(&p, "NO");		/* half a command buys no time */
	pass(&p, 1, "421 4.4.2");
	play_end(&p);

	play_reach(&p, STATE_RCPT);
	play_say(&p, "DATA\r\n");
	pass(&p, 100000, "354");
	play_say(&p, MESSAGE);
	pass(&p, 79999, "354");
	pass(&p, 1, "354,421 4.4.2");	/* too slow */
	play_end(&p);

	play_reach(&p, STATE_RCPT);
	p.conf.minimum_rate = 0;
	play_say(&p, "DATA\r\n");
	pass(&p, 179999, "354");
	play_say(&p, "x");
	pass(&p, 179999, "354");
	pass(&p, 1, "354,421 4.4.2");
	play_end(&p);

	play_reach(&p, STATE_READY);
	p.conf.session_time = 1000;
	pass(&p, 999, "");
	play_say(&p, "NOOP\r\n");
	pass(&p, 1, "250 2.0.0,421 4.4.2");
	play_end(&p);
}

static void
test_helpers_that_hang(void **state)
{
	struct play p;

	(void)state;
	play_reach(&p, STATE_READY);
	p.log.len = 0;
	p.hang = true;
	play_say(&p, "MAIL FROM:<>\r\nNOOP\r\n");
	pass(&p, 299999, "");
	pass(&p, 1, "421 4.3.0");
	play_check_log(&p, "BEGIN ;ABORT;CLOSE;");
	play_end(&p);

	/* the handshake: nothing can be said */
	play_reach(&p, STATE_HELLO);
	p.hang = true;
	play_say(&p, "STARTTLS\r\n");
	pass(&p, 30000, "220 2.0.0");
	assert_true(p.closed);
	play_end(&p);
}

static void
test_the_end_comes_from_outside(void **state)
{
	struct play p;
	char *got;

	(void)state;
	play_reach(&p, STATE_READY);
	play_event(&p, SESSION_EV_SHUTDOWN);
	got = play_codes(&p);
	assert_string_equal(got, "421 4.3.2");
	free(got);
	play_end(&p);

	/* a transaction is let finish */
	play_reach(&p, STATE_RCPT);
	play_event(&p, SESSION_EV_SHUTDOWN);
	play_say(&p, "DATA\r\n" MESSAGE ".\r\nNOOP\r\n");
	got = play_codes(&p);
	assert_string_equal(got, "354,250 2.0.0,421 4.3.2");
	free(got);
	play_end(&p);

	play_reach(&p, STATE_RCPT);
	p.log.len = 0;
	play_event(&p, SESSION_EV_REVOKED);
	got = play_codes(&p);
	assert_string_equal(got, "421 4.7.0");
	free(got);
	play_check_log(&p, "ABORT;CLOSE;");
	play_end(&p);

	/* half closed: what was sent is still answered */
	play_reach(&p, STATE_RCPT);
	play_say(&p, "DATA\r\n" MESSAGE);
	p.hang = true;
	play_say(&p, ".\r\n");
	play_event(&p, SESSION_EV_EOF);
	assert_false(p.closed);
	session_stored(p.s, STORE_OK, "m2", p.now);
	play_turn(&p);
	got = play_codes(&p);
	assert_string_equal(got, "354,250 2.0.0");
	free(got);
	assert_true(p.closed);
	play_end(&p);
}

/* Numbers that are the same on every run (Knuth's MMIX). */
static unsigned
next_number(uint64_t *seed, unsigned below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*seed >> 33) % below;
}

/* What brings a session on from its present state. */
static const char *
next_line(const struct play *p)
{
	static const char *const says[STATE_COUNT] = {
		[STATE_START] = "EHLO c\r\n", [STATE_HELLO] = "STARTTLS\r\n",
		[STATE_TLS] = "EHLO c\r\n",
		[STATE_IDENT] = "AUTH PLAIN " PLAY_ALICE "\r\n",
		[STATE_READY] = "MAIL FROM:<>\r\n",
		[STATE_MAIL] = "RCPT TO:<bob@example.test>\r\n",
		[STATE_RCPT] = "DATA\r\n", [STATE_AUTHX] = PLAY_ALICE "\r\n",
		[STATE_DATA] = MESSAGE ".\r\n"
	};
	const char *line = says[session_state(p->s)];

	return line != NULL ? line : "";
}

static void
random_step(struct play *p, uint64_t *seed)
{
	static const char *const says[] = {
		"EHLO c\r\n", "HELO c\r\n", "STARTTLS\r\n", "AUTH PLAIN\r\n",
		"AUTH PLAIN " PLAY_ALICE "\r\n", PLAY_ALICE "\r\n", "*\r\n",
		"MAIL FROM:<>\r\n", "MAIL FROM:<alice@example.test>\r\n",
		"RCPT TO:<bob@example.test>\r\n", "RSET\r\n", "DATA\r\n",
		"RCPT TO:<nobody@example.test>\r\n", MESSAGE, ".\r\n",
		"X-Status: 9\r\n", "X-Status: 2\r\n", "\r\n", "VRFY x\r\n",
		"BDAT 3 LAST\r\n", "BDAT 7\r\n", "BDAT 0\r\n",
		"BDAT 0 LAST\r\n", "MAIL FROM:<> BODY=BINARYMIME\r\n",
		"BDAT 7\r\nA: bc\r\nBDAT 9 LAST\r\nDE: fgh\r\n",
		"BDAT\r\n", "\0\r\n", "NOOP", "\r", "\n", "QUIT\r\n",
		"A: \351\r\n", "HELP\r\n", "AUTH PLAIN c2xvdw==\r\n"
	};
	const unsigned n = sizeof(says) / sizeof(says[0]);
	unsigned what = next_number(seed, 2 * n + 6);
	const char *line;

	p->now += next_number(seed, 50);
	p->hang = next_number(seed, 20) == 0;
	if (what < n || what >= n + 6) {
		line = what < n ? says[what] : next_line(p);
		play_feed(p, line, strlen(line), next_number(seed, 4));
	} else if (what == n)
		play_event(p, (enum session_event)next_number(seed, 5));
	else if (what == n + 1) {
		p->now = session_deadline(p->s) == UINT64_MAX ? p->now :
		    session_deadline(p->s);
		play_event(p, SESSION_EV_TIMEOUT);
	} else if (what == n + 2)
		session_secured(p->s, p->tls, p->now);
	else if (what == n + 3)
		session_login(p->s, (enum auth_status)next_number(seed,
		    AUTH_STATUS_COUNT + 1), "alice@example.test", "x", 1,
		    p->now);
	else if (what == n + 4)
		session_stored(p->s, (enum store_status)next_number(seed,
		    STORE_STATUS_COUNT + 1), "m", p->now);
	else if (p->hang)
		p->now += 1000;
	play_turn(p);
}

/* Whatever comes, in whatever order: the engine's own checks hold. */
static void
test_random_walks(void **state)
{
	uint64_t seed = 1, delivered = 0;
	struct play p;
	char *codes;
	unsigned start;
	int walk, i;

	(void)state;
	for (walk = 0; walk < 4000; walk++) {
		play_init(&p);
		start = next_number(&seed, 5);
		play_begin(&p, start < PLAY_LOGIN ? (enum play_start)start :
		    PLAY_LOGIN);
		for (i = 0; i < 60 && !p.closed; i++)
			random_step(&p, &seed);
		codes = play_codes(&p);		/* well formed */
		free(codes);
		delivered += session_info(p.s).delivered;
		play_end(&p);
	}
	assert_in_range(delivered, 100, 100000);	/* some got far */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_long_lines_in_pieces),
		cmocka_unit_test(test_bare_line_ends),
		cmocka_unit_test(test_bare_content),
		cmocka_unit_test(test_content_faults),
		cmocka_unit_test(test_limits_of_a_session),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_helpers_that_hang),
		cmocka_unit_test(test_the_end_comes_from_outside),
		cmocka_unit_test(test_random_walks),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("smtpd-limits", tests, NULL, NULL);
}
