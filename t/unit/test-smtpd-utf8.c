/* SPDX-License-Identifier: ISC */
/*
 * SMTPUTF8 (RFC 6531) in the SMTP engine: the parameter, addresses, what the
 * store is told, header blocks of RFC 6532.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "t/unit/smtpd-play.h"

#define OE	"\xc3\xb6"
#define JOERG	"j" OE "rg@example.test"
#define SNOW	"\xe2\x98\x83"
#define A64	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define MAIL	"MAIL FROM:<> SMTPUTF8\r\n"
#define ENVELOPE MAIL "RCPT TO:<bob@example.test>\r\n"

/* The code that MAIL or RCPT gets with this argument. */
static const struct row {
	const char	*arg, *with, *without;	/* SMTPUTF8 */
} senders[] = {
	{ "<>", "250 2.1.0", "250 2.1.0" },
	{ "<alice@example.test>", "250 2.1.0", "250 2.1.0" },
	{ "<alice@m\xc3\xbcller.test>", "250 2.1.0", "553 5.6.7" },
	{ "<alice@xn--mller-kva.test>", "250 2.1.0", "250 2.1.0" },
	{ "<" JOERG ">", "553 5.7.1", "553 5.6.7" },
	{ "<\"" OE " x\"@example.test>", "553 5.7.1", "553 5.6.7" },
	{ "<@\xc3\xbc.test:alice@example.test>", "250 2.1.0", "553 5.6.7" },
	{ "<alice@" SNOW ".test>", "553 5.1.7", "553 5.6.7" },
	{ "<alice@x\xe3\x80\x82test>", "553 5.1.7", "553 5.6.7" },
	{ "<a" OE A64 "@example.test>", "501 5.5.4", "501 5.5.4" },
	{ "<\xf6@example.test>", "553 5.6.7", "553 5.6.7" },
	{ "<a@\xf6.test>", "553 5.6.7", "553 5.6.7" },
	{ "<a\xed\xa0\x80@example.test>", "553 5.6.7", "553 5.6.7" },
	{ "<a\xc0\x80@example.test>", "553 5.6.7", "553 5.6.7" },
	{ "<\"a\xc2\x9f\"@example.test>", "553 5.6.7", "553 5.6.7" },
	{ "<a\xef\xbb\xbf@example.test>", "553 5.6.7", "553 5.6.7" },
	{ "<" OE ">", "501 5.5.4", "501 5.5.4" },
	{ "<" JOERG, "501 5.5.4", "501 5.5.4" },
	{ JOERG, "501 5.5.4", "501 5.5.4" },
	{ "<alice@[" OE "]>", "501 5.5.4", "501 5.5.4" },
}, recipients[] = {
	{ "<bob@example.test>", "250 2.1.5", "250 2.1.5" },
	{ "<" JOERG ">", "250 2.1.5", "553 5.6.7" },
	{ "<\"" OE " x\"@example.test>", "250 2.1.5", "553 5.6.7" },
	{ "<" OE "@m\xc3\xbcller.test>", "550 5.7.1", "553 5.6.7" },
	{ "<bob@" SNOW ".test>", "553 5.1.3", "553 5.6.7" },
	{ "<bob@-\xc3\xbc>", "501 5.5.4", "501 5.5.4" },
	{ "<" A64 OE "@example.test>", "501 5.5.4", "501 5.5.4" },
	{ "<\xf6@example.test>", "553 5.6.7", "553 5.6.7" },
	{ "<bob\xe2\x80\xae@example.test>", "553 5.6.7", "553 5.6.7" },
	{ "<Postmaster" OE ">", "501 5.5.4", "501 5.5.4" },
	{ "<postmaster>", "250 2.1.5", "250 2.1.5" },
	{ "<bob@example.test> SMTPUTF8", "555 5.5.4", "555 5.5.4" },
	{ "<" JOERG "> SMTPUTF8", "555 5.5.4", "555 5.5.4" },
};

static void
test_senders(void **state)
{
	char line[400];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(senders) / sizeof(senders[0]); i++) {
		snprintf(line, sizeof(line), "MAIL FROM:%s SMTPUTF8\r\n",
		    senders[i].arg);
		play_check(PLAY_LOGIN, line, senders[i].with);
		snprintf(line, sizeof(line), "MAIL FROM:%s BODY=8BITMIME\r\n",
		    senders[i].arg);
		play_check(PLAY_LOGIN, line, senders[i].without);
	}
}

static void
test_recipients(void **state)
{
	char line[400], codes[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(recipients) / sizeof(recipients[0]); i++) {
		snprintf(line, sizeof(line), MAIL "RCPT TO:%s\r\n",
		    recipients[i].arg);
		snprintf(codes, sizeof(codes), "250 2.1.0,%s",
		    recipients[i].with);
		play_check(PLAY_LOGIN, line, codes);
		snprintf(line, sizeof(line), "MAIL FROM:<>\r\nRCPT TO:%s\r\n",
		    recipients[i].arg);
		snprintf(codes, sizeof(codes), "250 2.1.0,%s",
		    recipients[i].without);
		play_check(PLAY_LOGIN, line, codes);
	}
}

static void
test_parameter(void **state)
{
	static const struct { const char *params, *code; } cases[] = {
		{ " SMTPUTF8", "250 2.1.0" }, { " smtputf8", "250 2.1.0" },
		{ " SIZE=1 SMTPUTF8 BODY=8BITMIME", "250 2.1.0" },
		{ " SMTPUTF8=", "501 5.5.4" }, { " SMTPUTF8=1", "501 5.5.4" },
		{ " SMTPUTF8 SMTPUTF8", "501 5.5.4" },
		{ " SMTPUTF8 SIZE=1 smtputf8", "501 5.5.4" },
		{ " SMTPUTF8 X=1", "555 5.5.4" },
		{ " SMTPUTF", "555 5.5.4" }, { " UTF8SMTP", "555 5.5.4" },
		{ " SMTPUTF8\xc3\xb6", "501 5.5.4" },
		{ "SMTPUTF8", "501 5.5.4" },
	};
	char line[100];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(line, sizeof(line), "MAIL FROM:<>%s\r\n",
		    cases[i].params);
		play_check(PLAY_LOGIN, line, cases[i].code);
	}
	/* only after EHLO; it counts for its own message alone */
	play_check(PLAY_LOGIN, "HELO c\r\nMAIL FROM:<> SMTPUTF8\r\n",
	    "250,555 5.5.4");
	play_check(PLAY_LOGIN, MAIL "RCPT TO:<" JOERG ">\r\nRSET\r\n"
	    "MAIL FROM:<>\r\nRCPT TO:<" JOERG ">\r\n",
	    "250 2.1.0,250 2.1.5,250 2.0.0,250 2.1.0,553 5.6.7");
}

static void
test_vrfy(void **state)
{
	(void)state;
	play_check(PLAY_LOGIN, "VRFY bob\r\nVRFY bob SMTPUTF8\r\n"
	    "VRFY SMTPUTF8\r\nVRFY SMTPUTF8 smtputf8\r\nVRFY a b\r\n"
	    "VRFY bob SMTPUTF8=x\r\nVRFY bob SMTPUTF8=\r\n"
	    "VRFY bob SMTPUTF88\r\n",
	    "252 2.5.2,252 2.5.2,252 2.5.2,252 2.5.2,252 2.5.2,501 5.5.4,"
	    "501 5.5.4,252 2.5.2");
	play_check(PLAY_LOGIN, "VRFY " JOERG "\r\nVRFY " JOERG " SMTPUTF8\r\n"
	    "VRFY \xf6 SMTPUTF8\r\nVRFY a SMTPUTF8 " OE "\r\n"
	    "VRFY " OE "SMTPUTF8\r\nVRFY " OE " SMTPUTF88\r\n",
	    "553 5.6.7,252 2.5.2,553 5.6.7,553 5.6.7,553 5.6.7,553 5.6.7");
	play_check(PLAY_LOGIN, "HELO c\r\nVRFY " OE " SMTPUTF8\r\n"
	    "VRFY bob SMTPUTF8=x\r\n", "250,553 5.6.7,252 2.5.2");
}

/* UTF-8 has no place in other commands. */
static void
test_other_commands(void **state)
{
	(void)state;
	play_check(PLAY_LOGIN, "EHLO " OE ".test\r\nHELO " OE "\r\n"
	    "MAIL FROM:<> " OE "=1\r\nMAIL FROM:<> AUTH=" OE " SMTPUTF8\r\n"
	    OE "\r\n", "501 5.5.4,501 5.5.4,501 5.5.4,501 5.5.4,500 5.5.2");
}

static void
check_told(const char *params, unsigned flags)
{
	struct play p;
	char line[100];

	play_reach(&p, STATE_READY);
	p.hang = true;
	snprintf(line, sizeof(line), "MAIL FROM:<>%s\r\n", params);
	play_say(&p, line);
	assert_int_equal(p.asked.what, SESSION_DO_BEGIN);
	assert_int_equal(p.asked.flags & STORE_UTF8, flags);
	assert_int_equal(session_info(p.s).flags & STORE_UTF8, flags);
	play_end(&p);
}

/* Addresses in the one form, and the flag. */
static void
test_what_the_store_is_told(void **state)
{
	struct play p;

	(void)state;
	check_told("", 0);
	check_told(" SMTPUTF8", STORE_UTF8);
	check_told(" SIZE=1 SMTPUTF8 BODY=7BIT", STORE_UTF8);
	play_reach(&p, STATE_READY);
	play_say(&p, "MAIL FROM:<Alice@MU\xcc\x88LLER.test> SMTPUTF8\r\n"
	    "RSET\r\n" MAIL "RCPT TO:<Jo\xcc\x88rg@EXAMPLE.test>\r\n"
	    "RCPT TO:<\"" OE " \\x\"@m\xc3\xbcller.test>\r\n");
	play_check_log(&p, "BEGIN Alice@xn--mller-kva.test;ABORT;"
	    "BEGIN ;RCPT J" OE "rg@example.test;"
	    "RCPT " OE " x@xn--mller-kva.test;");
	play_end(&p);
}

static void
check_content(const char *text, bool valid)
{
	char said[400], mail[400] = "";

	if (valid)
		snprintf(mail, sizeof(mail), "%s|", text);
	snprintf(said, sizeof(said), ENVELOPE "DATA\r\n%s.\r\nQUIT\r\n",
	    text);
	play_check_split(PLAY_LOGIN, said, strlen(said), valid ?
	    "250 2.1.0,250 2.1.5,354,250 2.0.0,221 2.0.0" :
	    "250 2.1.0,250 2.1.5,354,550 5.6.0,221 2.0.0", mail);
}

static void
test_content(void **state)
{
	static const struct { const char *text; bool valid; } cases[] = {
		{ "Subject: " OE "\r\n\r\n" OE "\r\n", true },
		{ "Subject: \xe2\x82\xac\r\n \xf0\x9f\x98\x80\r\n\r\n", true },
		{ OE ": x\r\n\r\n", true },
		{ "A: b\r\n\r\n\xf6\xff\r\n", true },
		{ "\r\n\xf6\r\n", true },
		{ "A: \xf6\r\n\r\n", false },
		{ "A: \xf6" "bc\r\n\r\n", false },
		{ "A: \xc3\r\n\xb6: b\r\n\r\n", false },
		{ "A: \xe2\x82\r\n\r\n", false },
		{ "A: \xed\xa0\x80\r\n\r\n", false },
		{ "A: \xc0\xaf\r\n\r\n", false },
		{ "A: \xff\xff\xff\xff\xff\xff" OE "\r\n\r\n", false },
		{ "A: \xf5\x80\x80\x80\r\n\r\n", false },
		{ "A: b\r\n\xb6\r\n\r\n", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_content(cases[i].text, cases[i].valid);
	/* behind the stuffed dot too */
	play_check_split(PLAY_LOGIN, ENVELOPE "DATA\r\n.." OE "\r\n.\r\n",
	    sizeof(ENVELOPE "DATA\r\n.." OE "\r\n.\r\n") - 1,
	    "250 2.1.0,250 2.1.5,354,250 2.0.0", "." OE "\r\n|");
	play_check_split(PLAY_LOGIN, ENVELOPE "DATA\r\n.\xf6\r\n.\r\n",
	    sizeof(ENVELOPE "DATA\r\n.\xf6\r\n.\r\n") - 1,
	    "250 2.1.0,250 2.1.5,354,550 5.6.0", "");
}

/* The same in chunks, which may end within a character. */
static void
test_chunks(void **state)
{
	static const struct { const char *text, *codes, *mail; } cases[] = {
		{ "BDAT 6\r\nA: b\r\nBDAT 4 LAST\r\n" OE "\r\n",
		    "250 2.0.0,250 2.0.0", "A: b\r\n" OE "\r\n|" },
		{ "BDAT 4\r\nA: \xc3" "BDAT 3 LAST\r\n\xb6\r\n",
		    "250 2.0.0,250 2.0.0", "A: " OE "\r\n|" },
		{ "BDAT 4\r\nA: \xc3" "BDAT 3 LAST\r\nb\r\n",
		    "250 2.0.0,550 5.6.0", "" },
		{ "BDAT 4 LAST\r\nA: \xc3", "550 5.6.0", "" },
		{ "BDAT 5 LAST\r\nA: " OE, "250 2.0.0", "A: " OE "|" },
		{ "BDAT 4\r\nA: \xc3" "BDAT 0 LAST\r\n",
		    "250 2.0.0,550 5.6.0", "" },
		{ "BDAT 7 LAST\r\nA:\r\n\r\n\xff", "250 2.0.0",
		    "A:\r\n\r\n\xff|" },
	};
	char said[200], codes[100];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(said, sizeof(said), ENVELOPE "%sQUIT\r\n",
		    cases[i].text);
		snprintf(codes, sizeof(codes), "250 2.1.0,250 2.1.5,%s,"
		    "221 2.0.0", cases[i].codes);
		play_check_split(PLAY_LOGIN, said, strlen(said), codes,
		    cases[i].mail);
	}
	/* without SMTPUTF8 */
	play_check(PLAY_LOGIN, "MAIL FROM:<>\r\nRCPT TO:<bob@example.test>\r\n"
	    "BDAT 7 LAST\r\nA: " OE "\r\n",
	    "250 2.1.0,250 2.1.5,550 5.6.0");
	/* the header of a binary message is text */
	play_check(PLAY_LOGIN, "MAIL FROM:<> SMTPUTF8 BODY=BINARYMIME\r\n"
	    "RCPT TO:<" JOERG ">\r\nBDAT 12 LAST\r\nA: " OE "\r\n\r\n"
	    "\xff\n\r" "RSET\r\n" "MAIL FROM:<> SMTPUTF8 BODY=BINARYMIME\r\n"
	    "RCPT TO:<" JOERG ">\r\nBDAT 10 LAST\r\nA: \xff\r\n\r\nx\n",
	    "250 2.1.0,250 2.1.5,250 2.0.0,250 2.0.0,"
	    "250 2.1.0,250 2.1.5,550 5.6.0");
}

/* What the reply says, and that the next message is judged on its own. */
static void
test_content_replies(void **state)
{
	static const char text[] =
	    "MAIL FROM:<>\r\nRCPT TO:<bob@example.test>\r\n"
	    "DATA\r\nA: " OE "\r\n\r\n.\r\n"
	    ENVELOPE "DATA\r\nA: \xf6\r\n\r\n.\r\n"
	    "MAIL FROM:<" JOERG ">\r\nMAIL FROM:<\xf6@example.test>\r\n";
	static const char *const want[] = {
		"550 5.6.0 8-bit octet in the header without SMTPUTF8\r\n",
		"550 5.6.0 Header is not valid UTF-8\r\n",
		"553 5.6.7 Address must be ASCII without SMTPUTF8\r\n",
		"553 5.6.7 Address is not valid UTF-8\r\n",
	};
	struct play p;
	const char *at;
	size_t i;

	(void)state;
	play_reach(&p, STATE_READY);
	play_say(&p, text);
	buf_add(&p.out, "", 1);
	at = (const char *)buf_data(&p.out);
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		at = strstr(at, want[i]);
		assert_non_null(at);
	}
	play_end(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_senders),
		cmocka_unit_test(test_recipients),
		cmocka_unit_test(test_parameter),
		cmocka_unit_test(test_vrfy),
		cmocka_unit_test(test_other_commands),
		cmocka_unit_test(test_what_the_store_is_told),
		cmocka_unit_test(test_content),
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_content_replies),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
