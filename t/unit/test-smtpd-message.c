/* SPDX-License-Identifier: ISC */
/*
 * What the engine tells of messages that are over, and of commands: it is
 * what the log and the numbers are made of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "t/unit/smtpd-play.h"

#define MAIL	"MAIL FROM:<>\r\n"
#define RCPT	"RCPT TO:<bob@example.test>\r\n"
#define DATA	MAIL RCPT "DATA\r\n"
#define LINE	"Subject: x\r\n\r\nab\r\n"	/* 18 octets */

static void
check(const char *text, const char *ended)
{
	struct play p;

	play_reach(&p, STATE_READY);
	play_say(&p, text);
	play_check_ended(&p, ended);
	play_end(&p);
}

static void
test_one_for_each_message(void **state)
{
	static const struct {
		const char	*text, *ended;
	} rows[] = {
		{ DATA LINE ".\r\n", "250:18;" },
		{ DATA LINE ".\r\nQUIT\r\n", "250:18;" },
		{ DATA ".\r\n" DATA LINE ".\r\n", "250:0;250:18;" },
		{ DATA "X-Status: 9\r\n\r\n.\r\n", "451:15;" },
		{ DATA "X-Status: 13\r\n\r\n.\r\nQUIT\r\n", "552:16;" },
		{ DATA "\xff: x\r\n\r\n.\r\nNOOP\r\nQUIT\r\n", "550:8;" },
		{ DATA "a\nb\r\n.\r\n", "550:1;" },
		/* in chunks */
		{ MAIL RCPT "BDAT 2\r\nabBDAT 2 LAST\r\n\r\nRSET\r\n",
		    "250:4;" },
		{ MAIL RCPT "BDAT 2\r\nabRSET\r\nNOOP\r\n", "250:2;" },
		{ MAIL RCPT "BDAT 2\r\nabQUIT\r\n", "221:2;" },
		{ MAIL RCPT "BDAT 9999 LAST\r\n", "" },
		{ MAIL RCPT "BDAT x\r\n", "501:0;" },
		{ "BDAT 2 LAST\r\nab" MAIL RCPT "BDAT 1\r\n", "" },
		/* none that was not begun */
		{ MAIL, "" },
		{ MAIL RCPT "RSET\r\nQUIT\r\n", "" },
		{ MAIL "DATA\r\nRSET\r\n", "" },
		{ MAIL RCPT "DATA x\r\nRSET\r\n", "" },
		{ MAIL "RCPT TO:<nobody@example.test>\r\nQUIT\r\n", "" },
		{ "MAIL FROM:<bob@example.test>\r\n", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(rows[i].text, rows[i].ended);
}

/* The rest of the input waits until the driver has heard of the first. */
static void
test_the_verdict_is_the_message_s_own(void **state)
{
	char big[6000];
	struct play p;

	(void)state;
	memset(big, 'x', sizeof(big));
	for (size_t i = 100; i < sizeof(big); i += 100)
		memcpy(big + i, "\r\n", 2);
	play_reach(&p, STATE_READY);
	play_say(&p, DATA);
	play_feed(&p, big, sizeof(big), 0);
	play_check_ended(&p, "");
	play_say(&p, "\r\n.\r\n" MAIL RCPT "QUIT\r\n");
	play_check_ended(&p, "552:6002;");
	play_end(&p);
}

/* What is said to the session next is not said to the message. */
static void
test_a_bye_is_no_verdict(void **state)
{
	struct play p;

	(void)state;
	play_reach(&p, STATE_READY);
	play_say(&p, DATA LINE);
	play_event(&p, SESSION_EV_SHUTDOWN);
	play_check_ended(&p, "");
	play_say(&p, ".\r\n");
	assert_true(p.closed);
	play_check_ended(&p, "250:18;");
	play_end(&p);
}

static void
test_ends_without_the_dot(void **state)
{
	struct play p;

	(void)state;
	play_reach(&p, STATE_READY);
	play_say(&p, DATA LINE);
	play_event(&p, SESSION_EV_GONE);
	play_check_ended(&p, "0:18;");
	play_end(&p);

	play_reach(&p, STATE_READY);
	play_say(&p, DATA LINE);
	p.now += p.conf.session_time;
	play_event(&p, SESSION_EV_TIMEOUT);
	play_check_ended(&p, "421:18;");
	play_end(&p);

	play_reach(&p, STATE_READY);
	play_say(&p, DATA LINE);
	play_event(&p, SESSION_EV_REVOKED);
	play_check_ended(&p, "421:18;");
	play_end(&p);
}

/* The client leaves, or is sent away, while the store is at it. */
static void
test_ends_before_the_answer(void **state)
{
	struct play p;

	(void)state;
	play_reach(&p, STATE_READY);
	play_say(&p, DATA LINE);
	p.hang = true;
	play_say(&p, ".\r\n");
	play_check_ended(&p, "");
	play_event(&p, SESSION_EV_GONE);
	play_check_ended(&p, "0:18;");
	play_end(&p);

	play_reach(&p, STATE_READY);
	play_say(&p, DATA LINE);
	p.hang = true;
	play_say(&p, ".\r\n");
	p.now += p.conf.command_time;
	play_event(&p, SESSION_EV_TIMEOUT);
	play_check_ended(&p, "421:18;");
	play_end(&p);
}

static void
test_whether_there_is_a_transaction(void **state)
{
	struct play p;

	(void)state;
	play_reach(&p, STATE_READY);
	assert_false(session_info(p.s).transaction);
	play_say(&p, MAIL);
	assert_true(session_info(p.s).transaction);
	play_say(&p, "RSET\r\n");
	assert_false(session_info(p.s).transaction);
	play_end(&p);
}

static void
test_commands_are_counted(void **state)
{
	uint64_t n[VERB_COUNT] = { 0 };
	struct play p;

	(void)state;
	play_init(&p);
	p.conf.commands = n;
	play_begin(&p, PLAY_CLEAR);
	play_say(&p, "EHLO c\r\nnoop\r\nNOOP\r\nMAIL FROM:<>\r\nETRN\r\n"
	    "x\r\n\r\n");
	assert_int_equal(n[VERB_EHLO], 1);
	assert_int_equal(n[VERB_NOOP], 2);
	assert_int_equal(n[VERB_MAIL], 1);
	assert_int_equal(n[VERB_LATER], 1);
	assert_int_equal(n[VERB_UNKNOWN], 2);
	assert_int_equal(n[VERB_NONE], 0);
	play_end(&p);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_for_each_message),
		cmocka_unit_test(test_the_verdict_is_the_message_s_own),
		cmocka_unit_test(test_a_bye_is_no_verdict),
		cmocka_unit_test(test_ends_without_the_dot),
		cmocka_unit_test(test_ends_before_the_answer),
		cmocka_unit_test(test_whether_there_is_a_transaction),
		cmocka_unit_test(test_commands_are_counted),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
