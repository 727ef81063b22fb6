/* SPDX-License-Identifier: ISC */
/*
 * Messages in chunks (RFC 3030) in the SMTP engine: sizes, every way to cut
 * a message, what becomes of refused chunks, content, binary bodies, limits.
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
#define BINARY	"MAIL FROM:<> BODY=BINARYMIME\r\n" \
	"RCPT TO:<bob@example.test>\r\n"
#define MESSAGE	"Subject: x\r\n\r\n.\r\nhello\r\n"
#define TOLD	"250 2.1.0,250 2.1.5,"

static void
check_codes(const struct play *p, const char *want)
{
	char *got = play_codes(p);

	assert_string_equal(got, want);
	free(got);
}

/* The text, said when logged in, gives these codes and this mail. */
static void
check(const char *text, size_t len, const char *codes, const char *mail,
    size_t mail_len)
{
	struct play p;
	size_t i;

	for (i = 0; i <= len; i++) {
		play_init(&p);
		play_begin(&p, PLAY_LOGIN);
		if (i == len)		/* octet by octet */
			play_feed(&p, text, len, 1);
		else {
			play_feed(&p, text, i, 0);
			play_feed(&p, text + i, len - i, 0);
		}
		check_codes(&p, codes);
		assert_int_equal(p.mail.len, mail_len);
		if (mail_len > 0)
			assert_memory_equal(buf_data(&p.mail), mail, mail_len);
		play_end(&p);
	}
}

#define CHECK(text, codes, mail) \
	check(text, sizeof(text) - 1, codes, mail, sizeof(mail) - 1)

/* What stands behind BDAT: a size, or the end of the session. */
static void
test_sizes(void **state)
{
	static const char *const bad[] = { "", "LAST", "-1", "+1", "-0", "0x1",
		"1x", "x1", "1,", "1.0", " 1", "1  LAST", "1 LAST x",
		"1 LASTX", "1 LAS", "1 FIRST", "1 1", "1LAST", "LAST 1",
		"4294967296", "4294967297 LAST", "18446744073709551616",
		"99999999999999999999999", "1\tLAST", "\t1", "1\t1", "\xb2",
		"1 LAST LAST", "1\v", "1;LAST", "1\xa0" };
	static const char *const good[] = { "0", "00", "0 last", "0 LaSt",
		"00000000000000000000 LAST", "0 \t ", "0 LAST  " };
	enum state s;
	struct play p;
	char line[80];
	size_t i;

	(void)state;
	for (s = STATE_START; s < STATE_COMMANDS; s++)
		for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			play_reach(&p, s);
			snprintf(line, sizeof(line), "BDAT %s\r\nNOOP\r\n",
			    bad[i]);
			play_say(&p, line);
			check_codes(&p, "501 5.5.4");
			assert_true(p.closed);
			assert_int_equal(session_info(p.s).errors, 1);
			play_end(&p);
		}
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		play_reach(&p, STATE_RCPT);
		snprintf(line, sizeof(line), "bdat %s\r\nNOOP\r\n", good[i]);
		play_say(&p, line);
		check_codes(&p, "250 2.0.0,250 2.0.0");
		play_end(&p);
	}
	play_check(PLAY_CLEAR, "BDAT\r\nNOOP\r\n", "220,501 5.5.4");
}

/* What was not read of a line may have been a size. */
static void
test_long_lines(void **state)
{
	static const char *const heads[] = { "BDAT 1", "bdat 1 LAST",
		"BDAT x" };
	struct play p;
	char line[700];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		snprintf(line, sizeof(line), "%s%600s\r\nNOOP\r\n", heads[i],
		    "");
		play_check(PLAY_LOGIN, line, "500 5.5.2");
	}
	snprintf(line, sizeof(line), "BDATX 1%600s\r\nNOOP\r\n", "");
	play_check(PLAY_LOGIN, line, "500 5.5.2,250 2.0.0");
	play_reach(&p, STATE_READY);
	snprintf(line, sizeof(line), "BDAT 1%600s\r\n", "");
	play_say(&p, line);
	assert_int_equal(session_info(p.s).errors, 1);
	play_end(&p);
	/* and it is the front of the line that counts, however long it is */
	play_reach(&p, STATE_READY);
	play_say(&p, "BDAT 1");
	for (i = 0; i < 30; i++)
		play_feed(&p, line + 6, 600, 0);
	play_say(&p, "\r\nNOOP\r\n");
	check_codes(&p, "500 5.5.2");
	play_end(&p);
	/* a response of the SASL dialogue is no command */
	play_reach(&p, STATE_IDENT);
	play_say(&p, "AUTH PLAIN\r\nBDAT 1");
	for (i = 0; i < 30; i++)
		play_feed(&p, line + 6, 500, 0);
	play_say(&p, "\r\nNOOP\r\n");
	check_codes(&p, "334,500 5.5.6,250 2.0.0");
	play_end(&p);
}

static void
test_replies(void **state)
{
	struct play p;

	(void)state;
	play_reach(&p, STATE_RCPT);
	play_say(&p, "BDAT 11\r\nSubject: x\rBDAT 00\r\nBDAT 7 LAST\r\n"
	    "\n\r\nok\r\n");
	buf_add(&p.out, "", 1);
	assert_string_equal((const char *)buf_data(&p.out),
	    "250 2.0.0 11 octets received\r\n"
	    "250 2.0.0 0 octets received\r\n"
	    "250 2.0.0 Ok: delivered as m1\r\n");
	play_check_log(&p, "OPEN;COMMIT;");
	play_end(&p);
}

static void
test_whole_sessions(void **state)
{
	(void)state;
	CHECK(ENVELOPE "BDAT 24 LAST\r\n" MESSAGE ENVELOPE "BDAT 5\r\nSubje"
	    "BDAT 7\r\nct: x\r\nBDAT 0\r\nBDAT 3\r\n\r\n.BDAT 10 LAST\r\n"
	    "\r\nhello\r\n\r" "\nQUIT\r\n" "QUIT\r\n",
	    TOLD "250 2.0.0," TOLD "250 2.0.0,250 2.0.0,250 2.0.0,250 2.0.0,"
	    "550 5.5.2", MESSAGE "|");
	CHECK(ENVELOPE "BDAT 5\r\nSubjeBDAT 7\r\nct: x\r\nBDAT 3\r\n\r\n."
	    "BDAT 9\r\n\r\nhello\r\nBDAT 0 LAST\r\nMAIL FROM:<>\r\nQUIT\r\n",
	    TOLD "250 2.0.0,250 2.0.0,250 2.0.0,250 2.0.0,250 2.0.0,"
	    "250 2.1.0,221 2.0.0", MESSAGE "|");
	/* nothing at all; no line end at the end; commands as content */
	CHECK(ENVELOPE "BDAT 0 LAST\r\nNOOP\r\n",
	    TOLD "250 2.0.0,250 2.0.0", "|");
	CHECK(ENVELOPE "BDAT 4 LAST\r\nA: bNOOP\r\n",
	    TOLD "250 2.0.0,250 2.0.0", "A: b|");
	CHECK(ENVELOPE "BDAT 24\r\n\r\nRSET\r\nBDAT 5 LAST\r\n.\r\n"
	    "BDAT 6 LAST\r\nQUIT\r\n",
	    TOLD "250 2.0.0,250 2.0.0",
	    "\r\nRSET\r\nBDAT 5 LAST\r\n.\r\nQUIT\r\n|");
}

/* Every chunking in two, with and without LAST on its own. */
static void
test_every_cut(void **state)
{
	const size_t len = sizeof(MESSAGE) - 1;
	char text[300];
	size_t i, n;
	int zero;

	(void)state;
	for (i = 0; i <= len; i++)
		for (zero = 0; zero < 2; zero++) {
			n = (size_t)snprintf(text, sizeof(text), ENVELOPE
			    "BDAT %zu\r\n%.*sBDAT %zu%s\r\n%s%s", i, (int)i,
			    MESSAGE, len - i, zero ? "" : " LAST",
			    &MESSAGE[i], zero ? "BDAT 0 LAST\r\n" : "");
			check(text, n, zero ? TOLD "250 2.0.0,250 2.0.0,"
			    "250 2.0.0" : TOLD "250 2.0.0,250 2.0.0",
			    MESSAGE "|", len + 1);
		}
	/* in single octets */
	n = (size_t)snprintf(text, sizeof(text), "%s", ENVELOPE);
	for (i = 0; i < 12; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "BDAT 1%s\r\n%c", i == 11 ? " LAST" : "", MESSAGE[i]);
	check(text, n, TOLD "250 2.0.0,250 2.0.0,250 2.0.0,250 2.0.0,"
	    "250 2.0.0,250 2.0.0,250 2.0.0,250 2.0.0,250 2.0.0,250 2.0.0,"
	    "250 2.0.0,250 2.0.0", "Subject: x\r\n|", 13);
}

/* The octets of a chunk that no state takes are not commands. */
static void
test_refused_in_every_state(void **state)
{
	static const char text[] = "BDAT 8 LAST\r\nQUIT\r\n\0\nBDAT 0\r\n"
	    "NOOP\r\n";
	const struct reply_row *r;
	char want[64];
	struct play p;
	enum state s;
	size_t i;

	(void)state;
	for (s = STATE_START; s < STATE_RCPT; s++)
		for (i = 0; i < sizeof(text); i++) {
			play_reach(&p, s);
			play_feed(&p, text, i, 0);
			assert_int_equal(p.out.len > 0, i >= 21);
			play_feed(&p, text + i, sizeof(text) - 1 - i, 1);
			r = reply_row(table_cell(s, VERB_BDAT)->refuse);
			snprintf(want, sizeof(want), "%d %s,%d %s,250 2.0.0",
			    r->code, r->enhanced, r->code, r->enhanced);
			check_codes(&p, want);
			assert_int_equal(session_state(p.s), s);
			play_check_log(&p, "");
			play_end(&p);
		}
}

static void
test_between_chunks(void **state)
{
	struct play p;

	(void)state;
	CHECK(ENVELOPE "BDAT 6\r\nA: b\r\nMAIL FROM:<>\r\n"
	    "RCPT TO:<c@example.test>\r\nDATA\r\nSTARTTLS\r\nAUTH PLAIN\r\n"
	    "NOOP\r\nVRFY x\r\nHELP\r\nBDAT 2 LAST\r\n\r\n",
	    TOLD "250 2.0.0,503 5.5.1,503 5.5.1,503 5.5.1,503 5.5.1,503 5.5.1,"
	    "250 2.0.0,252 2.5.2,214 2.0.0,250 2.0.0", "A: b\r\n\r\n|");
	CHECK(ENVELOPE "BDAT 6\r\nA: b\r\nRSET\r\nBDAT 3 LAST\r\nA: BDAT\r\n",
	    TOLD "250 2.0.0,250 2.0.0,503 5.5.1,501 5.5.4", "");
	CHECK(ENVELOPE "BDAT 6\r\nA: b\r\nEHLO c\r\n" ENVELOPE
	    "BDAT 2 LAST\r\n\r\n",
	    TOLD "250 2.0.0,250," TOLD "250 2.0.0", "\r\n|");
	play_reach(&p, STATE_BDAT);
	play_say(&p, "QUIT\r\n");
	check_codes(&p, "221 2.0.0");
	play_check_log(&p, "ABORT;CLOSE;");
	play_end(&p);
	play_reach(&p, STATE_BDAT);
	play_say(&p, "BDAT 10\r\nx");
	play_event(&p, SESSION_EV_GONE);
	play_check_log(&p, "ABORT;CLOSE;");
	play_end(&p);
}

/* Both in a transaction: RFC 3030 section 2. */
static void
test_no_mixing(void **state)
{
	(void)state;
	CHECK(ENVELOPE "BDAT 6\r\nA: b\r\nDATA\r\nBDAT 0 LAST\r\n",
	    TOLD "250 2.0.0,503 5.5.1,250 2.0.0", "A: b\r\n|");
	CHECK(BINARY "DATA\r\nBDAT 6 LAST\r\nA: b\r\n",
	    TOLD "503 5.5.1,250 2.0.0", "A: b\r\n|");
}

static void
test_bare_line_ends(void **state)
{
	/* the rest is not read as commands, nor is there more */
	CHECK(ENVELOPE "BDAT 12 LAST\r\nA: b\nRSET\r\nxNOOP\r\n",
	    TOLD "550 5.5.2", "");
	CHECK(ENVELOPE "BDAT 6\r\nA: b\r\nBDAT 4\r\na\rb\r\nBDAT 0 LAST\r\n",
	    TOLD "250 2.0.0,550 5.5.2", "");
	CHECK(ENVELOPE "BDAT 1\r\n\rBDAT 1\r\n\nBDAT 1\r\n\nNOOP\r\n",
	    TOLD "250 2.0.0,250 2.0.0,550 5.5.2", "");
	CHECK(ENVELOPE "BDAT 1\r\n\rBDAT 1\r\nxNOOP\r\n",
	    TOLD "250 2.0.0,550 5.5.2", "");
	CHECK(ENVELOPE "BDAT 1\r\n\rBDAT 0\r\nBDAT 0 LAST\r\nNOOP\r\n",
	    TOLD "250 2.0.0,250 2.0.0,550 5.5.2", "");
	CHECK(ENVELOPE "BDAT 2 LAST\r\nx\rNOOP\r\n", TOLD "550 5.5.2", "");
	/* a fault of another kind does not hide it */
	CHECK(ENVELOPE "BDAT 3 LAST\r\n\0x\rNOOP\r\n", TOLD "550 5.5.2", "");
	(void)state;
}

/* One chunk that fails ends the transaction; those behind it find none. */
static void
test_content_faults(void **state)
{
	char text[1300], line[1010];

	(void)state;
	CHECK(ENVELOPE "BDAT 8\r\nA: b\0c\r\nBDAT 5\r\nQUIT\nBDAT 4 LAST\r\n"
	    "RSETNOOP\r\n",
	    TOLD "550 5.6.0,503 5.5.1,503 5.5.1,250 2.0.0", "");
	CHECK(ENVELOPE "BDAT 6 LAST\r\nA: \351\r\nNOOP\r\n",
	    TOLD "550 5.6.0,250 2.0.0", "");
	CHECK(ENVELOPE "BDAT 2\r\n\r\nBDAT 3 LAST\r\n\351\r\n",
	    TOLD "250 2.0.0,250 2.0.0", "\r\n\351\r\n|");
	memset(line, 'x', sizeof(line));
	snprintf(text, sizeof(text), ENVELOPE "BDAT 500\r\n%.500s"
	    "BDAT 499\r\n%.499sNOOP\r\n", line, line);
	play_check(PLAY_LOGIN, text, TOLD "250 2.0.0,550 5.6.0,250 2.0.0");
	snprintf(text, sizeof(text), ENVELOPE "BDAT 500\r\n%.500s"
	    "BDAT 498\r\n%.498sBDAT 3 LAST\r\n\r\nx", line, line);
	play_check(PLAY_LOGIN, text, TOLD "250 2.0.0,250 2.0.0,250 2.0.0");
}

/* Told to the store at once, to the client when the chunk is read. */
static void
test_faults_reach_the_store(void **state)
{
	struct play p;

	(void)state;
	play_reach(&p, STATE_BDAT);
	play_say(&p, "BDAT 100\r\n\r\n");
	play_check_log(&p, "");
	play_say(&p, "\0");
	play_feed(&p, "\0", 1, 0);
	play_check_log(&p, "ABORT;");
	check_codes(&p, "");
	play_end(&p);
	play_reach(&p, STATE_BDAT);
	play_say(&p, "BDAT 100\r\n\n");
	play_check_log(&p, "ABORT;");
	check_codes(&p, "");
	play_end(&p);
}

/* n octets in lines of 50. */
static void
lines_of(struct play *p, size_t n)
{
	char line[51];

	memset(line, 'x', 48);
	memcpy(line + 48, "\r\n", 3);
	for (; n >= 50; n -= 50)
		play_say(p, line);
	play_feed(p, line, n, 0);
}

static void
test_size_limit(void **state)
{
	struct play p;

	(void)state;
	/* 5000 octets fit, and one more does not */
	play_reach(&p, STATE_RCPT);
	play_say(&p, "BDAT 3000\r\n");
	lines_of(&p, 3000);
	play_say(&p, "BDAT 2000 LAST\r\n");
	lines_of(&p, 2000);
	check_codes(&p, "250 2.0.0,250 2.0.0");
	assert_int_equal(p.mail.len, 5001);
	play_check_log(&p, "OPEN;COMMIT;");
	play_end(&p);

	play_reach(&p, STATE_RCPT);
	play_say(&p, "BDAT 3000\r\n");
	lines_of(&p, 3000);
	play_say(&p, "BDAT 2001\r\n");
	play_check_log(&p, "OPEN;ABORT;");
	lines_of(&p, 2001);
	play_say(&p, "BDAT 4 LAST\r\nQUITNOOP\r\n");
	check_codes(&p, "250 2.0.0,552 5.3.4,503 5.5.1,250 2.0.0");
	play_check_log(&p, "");
	play_end(&p);

	/* the first: the store is not asked to begin */
	play_reach(&p, STATE_RCPT);
	play_say(&p, "BDAT 5001 LAST\r\n");
	play_check_log(&p, "ABORT;");
	lines_of(&p, 5000);
	check_codes(&p, "");
	play_say(&p, "\nNOOP\r\n");
	check_codes(&p, "552 5.3.4,250 2.0.0");
	play_end(&p);

	/* a CR that is held back counts */
	play_reach(&p, STATE_RCPT);
	play_say(&p, "BDAT 4999\r\n");
	lines_of(&p, 4999);
	play_say(&p, "BDAT 2\r\n\nxNOOP\r\n");
	check_codes(&p, "250 2.0.0,552 5.3.4,250 2.0.0");
	play_end(&p);

	/* the most there can be, drained without end */
	play_reach(&p, STATE_RCPT);
	play_say(&p, "BDAT 4294967295 LAST\r\n");
	lines_of(&p, 100000);
	check_codes(&p, "");
	assert_int_equal(session_state(p.s), STATE_DATA);
	play_end(&p);
}

static void
test_open_refused(void **state)
{
	struct play p;

	(void)state;
	play_reach(&p, STATE_RCPT);
	p.opens = STORE_FAILED;
	play_say(&p, "BDAT 6\r\nA: ");
	check_codes(&p, "");
	play_check_log(&p, "OPEN;ABORT;");
	play_say(&p, "b\r\nBDAT 4 LAST\r\nRSETBDAT 0 LAST\r\nNOOP\r\n");
	check_codes(&p, "451 4.3.0,503 5.5.1,503 5.5.1,250 2.0.0");
	assert_int_equal(p.mail.len, 0);
	play_end(&p);

	play_reach(&p, STATE_RCPT);
	p.opens = STORE_NO_SPACE;
	play_say(&p, "BDAT 0 LAST\r\nNOOP\r\n");
	check_codes(&p, "452 4.3.1,250 2.0.0");
	play_check_log(&p, "OPEN;ABORT;");
	play_end(&p);

	play_reach(&p, STATE_RCPT);
	p.opens = STORE_NO_TICKET;
	play_say(&p, "BDAT 6\r\nA: b\r\n");
	check_codes(&p, "421 4.7.0");
	play_end(&p);
}

static void
test_commit_refused(void **state)
{
	struct play p;

	(void)state;
	play_reach(&p, STATE_RCPT);
	p.verdict = STORE_OVER_QUOTA;
	play_say(&p, "BDAT 6\r\nA: b\r\nBDAT 2 LAST\r\n\r\n"
	    "BDAT 4 LAST\r\nQUITNOOP\r\n");
	check_codes(&p, "250 2.0.0,452 4.2.2,503 5.5.1,250 2.0.0");
	play_check_log(&p, "OPEN;COMMIT;");
	play_end(&p);
}

/* All octets, in a body that is kept as it comes. */
static void
test_binary(void **state)
{
	static const char head[] = "A: b\r\nC: d\r\n\r\n";
	unsigned char body[1200], all[1400];
	char text[2000];
	struct play p;
	size_t i, n, k;

	(void)state;
	for (i = 0; i < sizeof(body); i++)	/* no CRLF, one long line */
		body[i] = (unsigned char)(255 - i);
	memcpy(body, "\r\r\n\n\r", 5);
	memcpy(body + sizeof(body) - 3, "\r\n\r", 3);
	n = (size_t)snprintf(text, sizeof(text), BINARY "BDAT %zu\r\n%sBDAT "
	    "%zu LAST\r\n", sizeof(head) - 1, head, sizeof(body));
	memcpy(text + n, body, sizeof(body));
	n += sizeof(body);
	memcpy(all, head, sizeof(head) - 1);
	memcpy(all + sizeof(head) - 1, body, sizeof(body));
	k = sizeof(head) - 1 + sizeof(body);
	all[k++] = '|';
	check(text, n, TOLD "250 2.0.0,250 2.0.0", (const char *)all, k);
	CHECK(BINARY "BDAT 3\r\n\r\n\rBDAT 1\r\n\rBDAT 0 LAST\r\n",
	    TOLD "250 2.0.0,250 2.0.0,250 2.0.0", "\r\n\r\r|");

	play_reach(&p, STATE_READY);
	play_say(&p, BINARY "RSET\r\n");
	assert_int_equal(p.flags, STORE_BINARY);
	play_say(&p, ENVELOPE);
	assert_int_equal(p.flags, 0);
	play_end(&p);
}

/* The header of a binary message is lines as of any other. */
static void
test_binary_header(void **state)
{
	char text[1300], line[1010];

	(void)state;
	CHECK(BINARY "BDAT 9 LAST\r\nA: b\n\r\n\r\nNOOP\r\n",
	    TOLD "550 5.5.2", "");
	CHECK(BINARY "BDAT 9 LAST\r\nA: \rb\r\n\r\nNOOP\r\n",
	    TOLD "550 5.5.2", "");
	CHECK(BINARY "BDAT 6 LAST\r\nA: b\r\rNOOP\r\n", TOLD "550 5.5.2", "");
	CHECK(BINARY "BDAT 5 LAST\r\nA: b\rNOOP\r\n", TOLD "550 5.5.2", "");
	CHECK(BINARY "BDAT 9 LAST\r\nA: \0b\r\n\r\nNOOP\r\n",
	    TOLD "550 5.6.0,250 2.0.0", "");
	CHECK(BINARY "BDAT 9 LAST\r\nA: \351b\r\n\r\nNOOP\r\n",
	    TOLD "550 5.6.0,250 2.0.0", "");
	memset(line, 'x', sizeof(line));
	snprintf(text, sizeof(text), BINARY "BDAT 1002 LAST\r\nA: %.997s\r\n"
	    "NOOP\r\n", line);
	play_check(PLAY_LOGIN, text, TOLD "550 5.6.0,250 2.0.0");
	/* MAIL has no parameters without EHLO */
	CHECK("HELO c\r\nMAIL FROM:<> BODY=BINARYMIME\r\n",
	    "250,555 5.5.4", "");
}

static void
pass(struct play *p, uint64_t ms, const char *codes)
{
	p->now += ms;
	play_event(p, SESSION_EV_TIMEOUT);
	check_codes(p, codes);
}

static void
test_times(void **state)
{
	struct play p;

	(void)state;
	/* within a chunk: data_time, and the rate of all chunks */
	play_reach(&p, STATE_BDAT);
	p.conf.minimum_rate = 0;
	play_say(&p, "BDAT 10\r\n");
	pass(&p, 179999, "");
	play_say(&p, "x");
	pass(&p, 179999, "");
	pass(&p, 1, "421 4.4.2");
	play_end(&p);

	play_reach(&p, STATE_BDAT);
	play_say(&p, "BDAT 10\r\n");
	pass(&p, 100000, "");
	play_say(&p, "0123456789");
	pass(&p, 299999, "250 2.0.0");	/* between them: command_time */
	play_say(&p, "BDAT 10\r\n");
	pass(&p, 70000, "250 2.0.0");
	play_say(&p, "x");
	pass(&p, 9999, "250 2.0.0");
	pass(&p, 1, "250 2.0.0,421 4.4.2");
	play_end(&p);

	/* what came in earlier chunks counts: 4006 octets are 200.3 s */
	play_reach(&p, STATE_BDAT);
	p.conf.minimum_rate = 20;
	play_say(&p, "BDAT 4000\r\n");
	lines_of(&p, 4000);
	play_say(&p, "BDAT 10\r\n");
	pass(&p, 100000, "250 2.0.0");
	play_say(&p, "x");
	pass(&p, 100349, "250 2.0.0");
	pass(&p, 1, "250 2.0.0,421 4.4.2");
	play_end(&p);

	play_reach(&p, STATE_BDAT);
	pass(&p, 299999, "");
	pass(&p, 1, "421 4.4.2");
	play_end(&p);

	/* what is refused is not waited for longer */
	play_reach(&p, STATE_READY);
	play_say(&p, "BDAT 10\r\n");
	pass(&p, 179999, "");
	pass(&p, 1, "421 4.4.2");
	play_end(&p);
	play_reach(&p, STATE_READY);
	play_say(&p, "BDAT 1000000\r\n");
	pass(&p, 179999, "");
	play_say(&p, "x");
	pass(&p, 1, "421 4.4.2");
	play_end(&p);
	play_reach(&p, STATE_START);
	play_say(&p, "BDAT 10\r\n");
	pass(&p, 60000, "421 4.7.0");
	play_end(&p);
}

static void
test_the_end_comes_from_outside(void **state)
{
	struct play p;

	(void)state;
	play_reach(&p, STATE_READY);
	play_say(&p, "BDAT 10\r\nx");
	play_event(&p, SESSION_EV_SHUTDOWN);
	check_codes(&p, "421 4.3.2");
	play_end(&p);

	/* a transaction is let finish */
	play_reach(&p, STATE_BDAT);
	play_event(&p, SESSION_EV_SHUTDOWN);
	play_say(&p, "BDAT 2 LAST\r\n");
	play_event(&p, SESSION_EV_SHUTDOWN);
	play_say(&p, "\r\n");
	check_codes(&p, "250 2.0.0,421 4.3.2");
	assert_int_equal(p.mail.len, 9);
	play_end(&p);

	play_reach(&p, STATE_BDAT);
	play_event(&p, SESSION_EV_REVOKED);
	check_codes(&p, "421 4.7.0");
	play_check_log(&p, "ABORT;CLOSE;");
	play_end(&p);
	play_reach(&p, STATE_BDAT);
	play_say(&p, "BDAT 2 LAST\r\n\r");
	play_event(&p, SESSION_EV_REVOKED);
	check_codes(&p, "421 4.7.0");
	play_end(&p);

	/* told while the store was asked */
	play_reach(&p, STATE_RCPT);
	p.hang = true;
	play_say(&p, "BDAT 6\r\n");
	play_event(&p, SESSION_EV_EOF);
	assert_false(p.closed);
	p.hang = false;
	session_stored(p.s, STORE_OK, NULL, p.now);
	play_turn(&p);
	check_codes(&p, "");
	assert_true(p.closed);
	play_end(&p);
	play_reach(&p, STATE_RCPT);
	p.hang = true;
	play_say(&p, "DATA\r\n");
	play_event(&p, SESSION_EV_REVOKED);
	session_stored(p.s, STORE_OK, NULL, p.now);
	play_turn(&p);
	check_codes(&p, "354,421 4.7.0");
	play_end(&p);

	/* the octets will not come: no reply */
	play_reach(&p, STATE_READY);
	play_say(&p, "BDAT 10\r\nx");
	play_event(&p, SESSION_EV_EOF);
	check_codes(&p, "");
	assert_true(p.closed);
	play_end(&p);
}

/* Chunks sent in one go are one fault of the client, however many. */
static void
test_errors(void **state)
{
	struct play p;
	char line[700];
	int i;

	(void)state;
	play_reach(&p, STATE_RCPT);
	play_say(&p, "BDAT 3\r\n");
	play_feed(&p, "\0xy", 3, 0);
	for (i = 0; i < 30; i++)
		play_say(&p, "BDAT 3\r\nabc");
	assert_int_equal(session_info(p.s).errors, 0);
	play_say(&p, "NOOP\r\nBDAT 3\r\nabcBDAT 3\r\nabc");
	assert_int_equal(session_info(p.s).errors, 1);
	play_say(&p, "X\r\nBDAT 3\r\nabc");
	assert_int_equal(session_info(p.s).errors, 3);
	play_end(&p);

	/* any other line between them */
	play_reach(&p, STATE_READY);
	snprintf(line, sizeof(line), "BDAT 1\r\nx%600s\r\nBDAT 1\r\nx", "");
	play_say(&p, line);
	assert_int_equal(session_info(p.s).errors, 3);
	play_end(&p);

	play_reach(&p, STATE_READY);
	p.conf.errors_per_session = 1;
	play_say(&p, "BDAT 1\r\nxNOOP\r\nBDAT 1\r\nxNOOP\r\n");
	check_codes(&p, "503 5.5.1,250 2.0.0,421 4.7.0");
	play_end(&p);
}

/* What is sent behind STARTTLS in clear is never read, chunk or not. */
static void
test_starttls(void **state)
{
	(void)state;
	play_check(PLAY_CLEAR, "EHLO c\r\nBDAT 10\r\nSTARTTLS\r\nSTARTTLS\r\n"
	    "BDAT 4\r\n", "220,250,530 5.7.0,554 5.5.0");
	play_check(PLAY_CLEAR, "EHLO c\r\nBDAT 10\r\nSTARTTLS\r\nSTARTTLS\r\n",
	    "220,250,530 5.7.0,220 2.0.0");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_whole_sessions),
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_refused_in_every_state),
		cmocka_unit_test(test_between_chunks),
		cmocka_unit_test(test_no_mixing),
		cmocka_unit_test(test_bare_line_ends),
		cmocka_unit_test(test_content_faults),
		cmocka_unit_test(test_faults_reach_the_store),
		cmocka_unit_test(test_size_limit),
		cmocka_unit_test(test_open_refused),
		cmocka_unit_test(test_commit_refused),
		cmocka_unit_test(test_binary),
		cmocka_unit_test(test_binary_header),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_the_end_comes_from_outside),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_starttls),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("smtpd-bdat", tests, NULL, NULL);
}
