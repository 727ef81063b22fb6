/* SPDX-License-Identifier: ISC */
/*
 * The SMTP engine as a client sees it: each pair of state and verb, arguments,
 * AUTH, transactions.
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

/* How to say each verb rightly. */
static const char *const lines[VERB_COUNT] = {
	[VERB_EHLO] = "EHLO c\r\n",
	[VERB_HELO] = "HELO c\r\n",
	[VERB_STARTTLS] = "STARTTLS\r\n",
	[VERB_AUTH] = "AUTH PLAIN " PLAY_ALICE "\r\n",
	[VERB_MAIL] = "MAIL FROM:<>\r\n",
	[VERB_RCPT] = "RCPT TO:<bob@example.test>\r\n",
	[VERB_DATA] = "DATA\r\n",
	[VERB_BDAT] = "BDAT 0\r\n",
	[VERB_RSET] = "RSET\r\n",
	[VERB_NOOP] = "NOOP\r\n",
	[VERB_VRFY] = "VRFY bob\r\n",
	[VERB_HELP] = "HELP\r\n",
	[VERB_QUIT] = "QUIT\r\n",
	[VERB_LATER] = "ETRN x\r\n",
	[VERB_UNKNOWN] = "WAFFLE\r\n",
};

/* The engine does what the table says. */
static void
check_cell(enum state s, enum verb v)
{
	const struct cell *c = table_cell(s, v);
	const struct reply_row *r = reply_row(c->refuse);
	char want[32], *got;
	struct play p;

	play_reach(&p, s);
	play_say(&p, lines[v]);
	got = play_codes(&p);
	if (c->refuse != REPLY_NONE) {
		snprintf(want, sizeof(want), "%d %s", r->code, r->enhanced);
		assert_string_equal(got, want);
		assert_int_equal(session_state(p.s), s);
	} else {
		assert_in_range(got[0], '2', '3');
		assert_int_equal(session_state(p.s), c->next);
	}
	free(got);
	play_end(&p);
}

static void
test_every_cell(void **state)
{
	int s, v;

	(void)state;
	for (s = STATE_START; s < STATE_COMMANDS; s++)
		for (v = VERB_EHLO; v < VERB_COUNT; v++)
			check_cell((enum state)s, (enum verb)v);
}

static void
test_whole_sessions(void **state)
{
	static const char text[] =
	    "EHLO c\r\nAUTH PLAIN " PLAY_ALICE "\r\n" ENVELOPE
	    "RCPT TO:<nobody@example.test>\r\nDATA\r\n" MESSAGE
	    "..dot\r\n.\r\nMAIL FROM:<> SIZE=10\r\nRSET\r\nQUIT\r\n";
	static const char clear[] =
	    "NOOP\r\nMAIL FROM:<a@b>\r\nHELO c\r\nEHLO c\r\nSTARTTLS\r\n";

	(void)state;
	play_check_split(PLAY_TLS, text, sizeof(text) - 1,
	    "220,250,235 2.7.0,250 2.1.0,250 2.1.5,550 5.1.1,354,250 2.0.0,"
	    "250 2.1.0,250 2.0.0,221 2.0.0", MESSAGE ".dot\r\n|");
	play_check_split(PLAY_CLEAR, clear, sizeof(clear) - 1,
	    "220,250 2.0.0,503 5.5.1,250,250,220 2.0.0", "");
}

static void
test_hello_lists(void **state)
{
	struct play p;
	const char *out;

	(void)state;
	play_reach(&p, STATE_START);
	play_say(&p, "EHLO c\r\n");
	buf_add(&p.out, "", 1);
	out = (const char *)buf_data(&p.out);
	assert_string_equal(out, "250-mx.test\r\n250-PIPELINING\r\n"
	    "250-SIZE 5000\r\n250-8BITMIME\r\n250-BINARYMIME\r\n"
	    "250-CHUNKING\r\n250-SMTPUTF8\r\n"
	    "250-ENHANCEDSTATUSCODES\r\n"
	    "250-LIMITS RCPTMAX=3 MAILMAX=4\r\n"
	    "250-STARTTLS\r\n250-VRFY\r\n250 HELP\r\n");
	play_end(&p);
	play_reach(&p, STATE_TLS);
	p.conf.recipient_limit = 999999;
	p.conf.messages_per_session = 1000000;
	play_say(&p, "EHLO c\r\n");
	buf_add(&p.out, "", 1);
	out = (const char *)buf_data(&p.out);
	assert_string_equal(out, "250-mx.test\r\n250-PIPELINING\r\n"
	    "250-SIZE 5000\r\n250-8BITMIME\r\n250-BINARYMIME\r\n"
	    "250-CHUNKING\r\n250-SMTPUTF8\r\n"
	    "250-ENHANCEDSTATUSCODES\r\n"
	    "250-LIMITS RCPTMAX=999999 MAILMAX=999999\r\n"
	    "250-AUTH SCRAM-SHA-256 PLAIN LOGIN\r\n250-VRFY\r\n250 HELP\r\n");
	play_end(&p);
}

/* A client is offered the mechanisms that its TLS allows, and has no other. */
static void
test_mechanisms(void **state)
{
	static const struct {
		struct session_tls tls;
		const char *mechs, *line, *codes;
	} rows[] = {
		{ { false, false }, "A-PLUS A EXTERNAL B",
		    "AUTH A B\r\n", "504 5.5.4,504 5.5.4,334" },
		{ { true, false }, "A-PLUS A EXTERNAL B",
		    "AUTH A-PLUS A B\r\n", "334,504 5.5.4,334" },
		{ { false, true }, "A-PLUS A EXTERNAL B",
		    "AUTH A EXTERNAL B\r\n", "504 5.5.4,334,334" },
		{ { true, true }, "A-PLUS A EXTERNAL B",
		    "AUTH A-PLUS A EXTERNAL B\r\n", "334,334,334" },
		{ { false, false }, "A-PLUS EXTERNAL", NULL,
		    "504 5.5.4,504 5.5.4,504 5.5.4" },
		{ { true, true }, "A", "AUTH A\r\n",
		    "504 5.5.4,504 5.5.4,334" },
		{ { true, true }, "", NULL, "454 4.7.0,454 4.7.0,454 4.7.0" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static const char *const names[] = { "a-plus", "External",
			"A" };
		const char *out, *line;
		struct play p;
		char *codes;
		char want[128];

		play_init(&p);
		p.conf.mechs = rows[i].mechs;
		p.tls = rows[i].tls;
		play_begin(&p, PLAY_TLS);
		play_say(&p, "EHLO c\r\n");
		buf_add(&p.out, "", 1);
		out = (const char *)buf_data(&p.out);
		line = strstr(out, "AUTH");
		if (rows[i].line == NULL)
			assert_null(line);
		else
			assert_memory_equal(line, rows[i].line,
			    strlen(rows[i].line));
		play_end(&p);
		play_init(&p);
		p.conf.mechs = rows[i].mechs;
		p.tls = rows[i].tls;
		play_begin(&p, PLAY_TLS);
		play_say(&p, "EHLO c\r\n");
		for (size_t n = 0; n < 3; n++) {
			play_say(&p, "AUTH ");
			play_say(&p, names[n]);
			play_say(&p, "\r\n");
			if (p.s != NULL && session_state(p.s) == STATE_AUTHX)
				play_say(&p, "*\r\n");
		}
		codes = play_codes(&p);
		want[0] = '\0';
		for (const char *c = codes; *c != '\0'; c += strcspn(c, ",") +
		    (c[strcspn(c, ",")] == ',')) {
			if (strncmp(c, "220", 3) == 0 ||
			    strncmp(c, "250", 3) == 0 ||
			    strncmp(c, "501", 3) == 0)
				continue;
			snprintf(want + strlen(want), sizeof(want) -
			    strlen(want), "%s%.*s", want[0] == '\0' ? "" :
			    ",", (int)strcspn(c, ","), c);
		}
		assert_string_equal(want, rows[i].codes);
		free(codes);
		play_end(&p);
	}
}

static void
test_hello_arguments(void **state)
{
	static const char *const good[] = { "a", "a.b", "A-1.b_c.", "1.2.3.4",
		"[192.0.2.1]", "[IPv6:2001:db8::1]", "-a", "xn--80ak6aa92e" };
	static const char *const bad[] = { "", "a b", "a..b", ".a", "a\001",
		"[1.2.3]", "[]", "<a>", "a\351", "a@b", "." };
	char line[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(line, sizeof(line), "EHLO %s\r\n", good[i]);
		play_check(PLAY_CLEAR, line, "220,250");
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line), "EHLO %s\r\nSTARTTLS\r\n",
		    bad[i]);
		play_check(PLAY_CLEAR, line, "220,501 5.5.4,503 5.5.1");
	}
	/* a refused hello ends no transaction */
	play_check(PLAY_LOGIN, ENVELOPE "EHLO\r\nDATA\r\n",
	    "250 2.1.0,250 2.1.5,501 5.5.4,354");
}

static void
test_arguments(void **state)
{
	(void)state;
	play_check(PLAY_CLEAR, "RSET x\r\nQUIT x\r\nNOOP x\r\nHELP x\r\n",
	    "220,501 5.5.4,501 5.5.4,250 2.0.0,504 5.5.4");
	play_check(PLAY_CLEAR, "EHLO c\r\nSTARTTLS x\r\n",
	    "220,250,501 5.5.4");
	play_check(PLAY_LOGIN, "VRFY\r\nVRFY a b\r\n", "501 5.5.4,252 2.5.2");
	play_check(PLAY_LOGIN, ENVELOPE "DATA x\r\nDATA \r\n",
	    "250 2.1.0,250 2.1.5,501 5.5.4,354");
	play_check(PLAY_CLEAR, "\r\n \r\nNOOP\r\n",
	    "220,500 5.5.2,500 5.5.2,250 2.0.0");
}

/* All that HELP says of a word; the last line is the same for all. */
static void
check_help(const char *arg, const char *want)
{
	struct play p;
	char line[80], all[600];

	play_reach(&p, STATE_START);
	snprintf(line, sizeof(line), "HELP%s\r\n", arg);
	play_say(&p, line);
	buf_add(&p.out, "", 1);
	snprintf(all, sizeof(all), "%s214 2.0.0 See RFC 5321 and "
	    "postern-smtp(7)\r\n", want);
	assert_string_equal((const char *)buf_data(&p.out), all);
	play_end(&p);
}

static void
test_help(void **state)
{
	static const char *const unknown[] = { "X", "EXPN", "MAIL FROM",
		"MAI", "MAILS", "\351" };
	char line[80], want[80];
	size_t i;
	int v;

	(void)state;
	check_help("", "214-2.0.0 EHLO HELO STARTTLS AUTH MAIL RCPT DATA "
	    "BDAT\r\n214-2.0.0 RSET NOOP VRFY HELP QUIT\r\n");
	check_help(" help ", "214-2.0.0 HELP [verb]\r\n");
	check_help(" Bdat", "214-2.0.0 BDAT octets [LAST]\r\n"
	    "214-2.0.0 So many octets of the message follow\r\n");
	for (v = VERB_EHLO; v < VERB_LATER; v++) {
		snprintf(line, sizeof(line), "HELP %s\r\n",
		    table_verb_name((enum verb)v));
		play_check(PLAY_CLEAR, line, "220,214 2.0.0");
	}
	for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		snprintf(line, sizeof(line), "HELP %s\r\n", unknown[i]);
		snprintf(want, sizeof(want), "220,504 5.5.4");
		play_check(PLAY_CLEAR, line, want);
	}
}

static void
check_mail(const char *arg, const char *codes)
{
	char line[5000];

	snprintf(line, sizeof(line), "MAIL FROM:%s\r\n", arg);
	play_check(PLAY_LOGIN, line, codes);
}

static void
test_mail_arguments(void **state)
{
	(void)state;
	check_mail("<alice@example.test>", "250 2.1.0");
	check_mail(" <alice@example.test>", "250 2.1.0");
	check_mail("  <alice@example.test>", "501 5.5.4");
	check_mail("alice@example.test", "501 5.5.4");
	check_mail("<alice@example.test", "501 5.5.4");
	check_mail("<alice>", "501 5.5.4");
	check_mail("", "501 5.5.4");
	check_mail("<>", "250 2.1.0");
	check_mail("<mallory@example.test>", "553 5.7.1");
	check_mail("<\351@example.test>", "553 5.6.7");
	check_mail("<> ", "250 2.1.0");
	check_mail("<>x", "501 5.5.4");
	check_mail("<>SIZE=1", "501 5.5.4");
	check_mail("<> SIZE=5000", "250 2.1.0");
	check_mail("<> SIZE=5001", "552 5.3.4");
	check_mail("<> SIZE=99999999999999999999", "552 5.3.4");
	check_mail("<> SIZE=999999999999999999999", "501 5.5.4");
	check_mail("<> SIZE=-1", "501 5.5.4");
	check_mail("<> SIZE=1x", "501 5.5.4");
	check_mail("<> SIZE=", "501 5.5.4");
	check_mail("<> SIZE", "501 5.5.4");
	check_mail("<> SIZE=1 size=1", "501 5.5.4");
	check_mail("<> body=8bitmime", "250 2.1.0");
	check_mail("<> BODY=7BIT SIZE=1 AUTH=<>", "250 2.1.0");
	check_mail("<> BODY=BinaryMIME", "250 2.1.0");
	check_mail("<> BODY=BINARY", "504 5.5.4");
	check_mail("<> BODY=BINARYMIME BODY=7BIT", "501 5.5.4");
	check_mail("<> BODY=X", "504 5.5.4");
	check_mail("<> BODY", "501 5.5.4");
	check_mail("<> BODY=7BIT BODY=7BIT", "501 5.5.4");
	check_mail("<> AUTH=e+3Dmc2@example.com", "250 2.1.0");
	check_mail("<> AUTH=e+3dmc2", "501 5.5.4");
	check_mail("<> AUTH=+ED", "250 2.1.0");
	check_mail("<> AUTH=+GD", "501 5.5.4");
	check_mail("<> AUTH=+DG", "501 5.5.4");
	check_mail("<> AUTH=a+", "501 5.5.4");
	check_mail("<> AUTH=a+3", "501 5.5.4");
	check_mail("<> AUTH", "501 5.5.4");
	check_mail("<> AUTH=a AUTH=a", "501 5.5.4");
	check_mail("<> RET=HDRS", "555 5.5.4");
	check_mail("<> RET=a\177", "501 5.5.4");
	check_mail("<> RET=a\001", "501 5.5.4");
	play_check(PLAY_LOGIN, "MAIL\r\nMAIL TO:<>\r\nMAIL FROM <>\r\n"
	    "MAIL FROM :<>\r\nmail from:<>\r\n",
	    "501 5.5.4,501 5.5.4,501 5.5.4,501 5.5.4,250 2.1.0");
	/* no parameters without EHLO */
	play_check(PLAY_LOGIN, "HELO c\r\nMAIL FROM:<> SIZE=1\r\n"
	    "MAIL FROM:<>\r\n", "250,555 5.5.4,250 2.1.0");
}

static void
test_rcpt(void **state)
{
	(void)state;
	play_check(PLAY_LOGIN, "MAIL FROM:<>\r\nRCPT TO:<>\r\n"
	    "RCPT TO:<nobody@example.test>\r\nRCPT TO:<a@other.test>\r\n"
	    "RCPT TO:<full@example.test>\r\nRCPT TO:<b@example.test> X=1\r\n"
	    "RCPT TO:<b@example.test>NOTIFY=NEVER\r\nDATA\r\n"
	    "RCPT TO:<@a.test,@b.test:bob@example.test>\r\n"
	    "RCPT TO:<Postmaster>\r\nRCPT TO: <c@example.test>\r\n"
	    "RCPT TO:<d@example.test>\r\nDATA\r\n",
	    "250 2.1.0,501 5.5.4,550 5.1.1,550 5.7.1,452 4.2.2,555 5.5.4,"
	    "501 5.5.4,503 5.5.1,250 2.1.5,250 2.1.5,250 2.1.5,452 4.5.3,"
	    "354");
}

/* The reply says when to come back; the session goes on where it was. */
static void
test_rate(void **state)
{
	struct play p;

	(void)state;
	play_reach(&p, STATE_READY);
	buf_take(&p.out, p.out.len);
	play_say(&p, "MAIL FROM:<busy@example.test>\r\nRCPT TO:<b@c.test>\r\n"
	    "MAIL FROM:<>\r\nRCPT TO:<busy@example.test>\r\nDATA\r\n"
	    "RCPT TO:<bob@example.test>\r\n");
	assert_int_equal(buf_add(&p.out, "", 1), 0);
	assert_string_equal((const char *)buf_data(&p.out),
	    "450 4.7.1 Too much mail from this login, try again in 3600 "
	    "seconds\r\n503 5.5.1 Say MAIL first\r\n250 2.1.0 Sender ok\r\n"
	    "450 4.7.1 Too much mail from this login, try again in 17 "
	    "seconds\r\n503 5.5.1 No valid recipient yet\r\n"
	    "250 2.1.5 Recipient ok\r\n");
	assert_int_equal(session_info(p.s).messages, 1);
	play_end(&p);
}

static void
test_what_the_store_is_told(void **state)
{
	struct play p;

	(void)state;
	play_reach(&p, STATE_READY);
	play_say(&p, "MAIL FROM:<\"alice\"@EXAMPLE.test>\r\n"
	    "RCPT TO:<\"b ob\"@example.test>\r\nRCPT TO:<postmaster>\r\n"
	    "DATA\r\n" MESSAGE ".\r\n");
	play_check_log(&p, "BEGIN alice@example.test;RCPT b ob@example.test;"
	    "RCPT postmaster;OPEN;COMMIT;");
	play_say(&p, "MAIL FROM:<>\r\nEHLO c\r\nRSET\r\n");
	play_check_log(&p, "BEGIN ;ABORT;");
	play_say(&p, "MAIL FROM:<>\r\nRSET\r\n" ENVELOPE "QUIT\r\n");
	play_check_log(&p, "BEGIN ;ABORT;BEGIN alice@example.test;"
	    "RCPT bob@example.test;ABORT;CLOSE;");
	play_end(&p);
	play_reach(&p, STATE_RCPT);
	p.log.len = 0;
	play_say(&p, "DATA\r\nx");
	play_event(&p, SESSION_EV_GONE);
	play_check_log(&p, "OPEN;ABORT;CLOSE;");
	play_end(&p);
}

static void
test_commit_verdicts(void **state)
{
	static const struct {
		enum store_status	 status;
		const char		*codes;
	} cases[] = {
		{ STORE_FAILED, "354,451 4.3.0,250 2.0.0" },
		{ STORE_NO_SPACE, "354,452 4.3.1,250 2.0.0" },
		{ STORE_OVER_QUOTA, "354,452 4.2.2,250 2.0.0" },
		{ STORE_NOT_AUTHOR, "354,550 5.7.1,250 2.0.0" },
		{ STORE_BAD_HEADER, "354,550 5.6.0,250 2.0.0" },
		{ STORE_LOOP, "354,554 5.4.6,250 2.0.0" },
		{ STORE_TOO_BIG, "354,552 5.3.4,250 2.0.0" },
		{ STORE_NO_TICKET, "354,421 4.7.0" },
		{ STORE_STATUS_COUNT, "354,451 4.3.0,250 2.0.0" },
	};
	struct play p;
	char *got;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		play_reach(&p, STATE_RCPT);
		p.verdict = cases[i].status;
		play_say(&p, "DATA\r\n" MESSAGE ".\r\nNOOP\r\n");
		got = play_codes(&p);
		assert_string_equal(got, cases[i].codes);
		free(got);
		play_end(&p);
	}
}

static void
test_auth(void **state)
{
	(void)state;
	play_check(PLAY_TLS, "EHLO c\r\nAUTH\r\nAUTH PLAIN a b\r\n"
	    "AUTH X-FOO\r\nAUTH @\r\nAUTH PLAIN %%%\r\n"
	    "AUTH PLAIN dGVtcA==\r\nAUTH PLAIN Z2FyYg==\r\n"
	    "AUTH PLAIN bm9wZQ==\r\nAUTH PLAIN =\r\n"
	    "auth plain " PLAY_ALICE "\r\nAUTH PLAIN\r\n",
	    "220,250,501 5.5.4,501 5.5.4,504 5.5.4,501 5.5.4,501 5.5.2,"
	    "454 4.7.0,501 5.5.2,535 5.7.8,535 5.7.8,235 2.7.0,503 5.5.1");
	play_check(PLAY_TLS, "EHLO c\r\nAUTH PLAIN\r\n*\r\nAUTH PLAIN\r\n"
	    "=\r\nAUTH PLAIN\r\n\r\nAUTH LOGIN\r\n \r\nAUTH LOGIN\r\n"
	    "bW9yZQ==\r\n" PLAY_ALICE "\r\n",
	    "220,250,334,501 5.7.0,334,501 5.5.2,334,535 5.7.8,334,"
	    "501 5.5.2,334,334,235 2.7.0");
	play_check(PLAY_TLS, "EHLO c\r\nAUTH PLAIN c2xvdw==\r\nNOOP\r\n",
	    "220,250,421 4.7.0");
	/* after HELO too */
	play_check(PLAY_TLS, "HELO c\r\nAUTH PLAIN " PLAY_ALICE "\r\n",
	    "220,250,235 2.7.0");
}

static void
test_auth_ends_its_dialogue(void **state)
{
	struct play p;

	(void)state;
	play_reach(&p, STATE_IDENT);
	p.log.len = 0;
	play_say(&p, "AUTH PLAIN\r\n*\r\nAUTH PLAIN\r\n%\r\n"
	    "AUTH PLAIN bm9wZQ==\r\nAUTH PLAIN dGVtcA==\r\nAUTH PLAIN ?\r\n");
	play_check_log(&p, "START PLAIN;END;START PLAIN;END;START PLAIN;END;"
	    "START PLAIN;END;");
	play_say(&p, "AUTH LOGIN\r\n");
	play_event(&p, SESSION_EV_GONE);
	play_check_log(&p, "START LOGIN;END;CLOSE;");
	play_end(&p);
	play_reach(&p, STATE_IDENT);
	p.log.len = 0;
	play_say(&p, "AUTH PLAIN " PLAY_ALICE "\r\nQUIT\r\n");
	play_check_log(&p, "START PLAIN;CLOSE;");
	play_end(&p);
}

static void
test_no_auth_service(void **state)
{
	struct play p;
	char *got;

	(void)state;
	play_reach(&p, STATE_IDENT);
	p.conf.mechs = "";
	play_say(&p, "EHLO c\r\nAUTH PLAIN " PLAY_ALICE "\r\n");
	got = play_codes(&p);
	assert_string_equal(got, "250,454 4.7.0");
	free(got);
	play_end(&p);
}

static void
test_starttls(void **state)
{
	struct play p;
	char *got;

	(void)state;
	/* octets behind STARTTLS are never read */
	play_check(PLAY_CLEAR, "EHLO c\r\nSTARTTLS\r\nEHLO d\r\n",
	    "220,250,554 5.5.0");
	play_check(PLAY_CLEAR, "EHLO c\r\nSTARTTLS\r\n ",
	    "220,250,554 5.5.0");

	play_reach(&p, STATE_HELLO);
	p.hang = true;
	play_say(&p, "STARTTLS\r\n");
	assert_false(session_wants_input(p.s));
	assert_int_equal(session_input(p.s,
	    (const unsigned char *)"NOOP\r\n", 6, p.now), 0);
	session_secured(p.s, p.tls, p.now);
	play_turn(&p);
	/* all that was said in clear is forgotten */
	assert_string_equal(session_info(p.s).helo, "");
	play_say(&p, "AUTH PLAIN\r\nSTARTTLS\r\nEHLO c\r\n");
	got = play_codes(&p);
	assert_string_equal(got, "220 2.0.0,503 5.5.1,503 5.5.1,250");
	free(got);
	play_end(&p);
}

/* A pipelined message of many pieces, as a fast client sends it. */
static void
test_pipelining(void **state)
{
	static const char one[] = ENVELOPE "RCPT TO:<c@example.test>\r\n"
	    "DATA\r\n";

	(void)state;
	play_check_split(PLAY_LOGIN, one, sizeof(one) - 1,
	    "250 2.1.0,250 2.1.5,250 2.1.5,354", "");
	play_check(PLAY_LOGIN, ENVELOPE "DATA\r\n" MESSAGE ".\r\n" ENVELOPE
	    "DATA\r\n" MESSAGE ".\r\nQUIT\r\n",
	    "250 2.1.0,250 2.1.5,354,250 2.0.0,250 2.1.0,250 2.1.5,354,"
	    "250 2.0.0,221 2.0.0");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_cell),
		cmocka_unit_test(test_whole_sessions),
		cmocka_unit_test(test_hello_lists),
		cmocka_unit_test(test_mechanisms),
		cmocka_unit_test(test_hello_arguments),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_mail_arguments),
		cmocka_unit_test(test_rcpt),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_what_the_store_is_told),
		cmocka_unit_test(test_commit_verdicts),
		cmocka_unit_test(test_auth),
		cmocka_unit_test(test_auth_ends_its_dialogue),
		cmocka_unit_test(test_no_auth_service),
		cmocka_unit_test(test_starttls),
		cmocka_unit_test(test_pipelining),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("smtpd-session", tests, NULL,
	    NULL);
}
