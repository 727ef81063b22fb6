/* SPDX-License-Identifier: ISC */
/*
 * Command lines, row by row: how they are cut (RFC 5321 sections 2.3.8 and
 * 4.5.3.1), verbs and white space, esmtp-param (section 4.1.2), xtext (RFC
 * 3461 section 4). Each text is handed over in memory of its own size.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "smtpd/cmd.h"

#define ROWS(a)	(sizeof(a) / sizeof((a)[0]))

static const struct cmd_limits limits = { 20, 30, 40 };

/* A copy that ends with its last octet; the caller frees. */
static char *
copy_of(const char *s, size_t len)
{
	char *copy = malloc(len > 0 ? len : 1);

	assert_non_null(copy);
	if (len > 0)
		memcpy(copy, s, len);
	return copy;
}

struct cut {
	const char	*in;
	enum cmd_read	 want;
	const char	*line;		/* of CMD_LINE */
	size_t		 used;
};

/* Read in pieces of that many octets, to the end of a line. */
static void
check_cut(const struct cut *c, size_t piece, bool dialogue, bool chunk)
{
	size_t len = strlen(c->in), n, used, all = 0;
	enum cmd_read r = CMD_MORE;
	struct cmd_reader reader;
	bool nomem = false;
	char *copy;

	cmd_reader_init(&reader, &limits);
	while (r == CMD_MORE && all < len) {
		n = len - all < piece ? len - all : piece;
		copy = copy_of(c->in + all, n);
		r = cmd_read(&reader, &limits, dialogue,
		    (unsigned char *)copy, n, &used, &nomem);
		free(copy);
		if (r == CMD_MORE)
			assert_int_equal(used, n);
		all += used;
		/* what is too long is not kept */
		assert_true(reader.line.len <= limits.auth);
	}
	if (r != c->want || all != c->used)
		fail_msg("%s in pieces of %zu: %d, %zu octets", c->in, piece,
		    (int)r, all);
	assert_false(nomem);
	if (r == CMD_LINE) {
		assert_int_equal(reader.line.len, strlen(c->line));
		assert_true(c->line[0] == '\0' || memcmp(
		    buf_data(&reader.line), c->line, strlen(c->line)) == 0);
	}
	if (r == CMD_LONG) {
		assert_int_equal(reader.line.len, 0);
		assert_int_equal(reader.chunk, chunk);
	}
	cmd_reader_reset(&reader);
}

#define X16	"xxxxxxxxxxxxxxxx"
#define X32	X16 X16

static void
test_cuts(void **state)
{
	static const struct cut rows[] = {
		{ "NOOP\r\n", CMD_LINE, "NOOP", 6 },
		{ "NOOP\r\nQUIT\r\n", CMD_LINE, "NOOP", 6 },
		{ "\r\n", CMD_LINE, "", 2 },
		{ "a\tb\x7f\xff\r\n", CMD_LINE, "a\tb\x7f\xff", 7 },
		{ "NOOP", CMD_MORE, "", 4 }, { "NOOP\r", CMD_MORE, "", 5 },
		{ "", CMD_MORE, "", 0 },
		{ "a\nb", CMD_BARE, "", 2 }, { "\n", CMD_BARE, "", 1 },
		{ "a\rb", CMD_BARE, "", 3 }, { "a\r\r\n", CMD_BARE, "", 3 },
		/* 20 octets with CRLF, and one more */
		{ "12345678901234 678\r\n", CMD_LINE, "12345678901234 678",
		    20 },
		{ "12345678901234 6789\r\n", CMD_LONG, "", 21 },
		{ X32 X32 X32 X32 "\r\nNOOP\r\n", CMD_LONG, "", 130 },
		{ X32 X32 X32 X32 "\rx", CMD_BARE, "", 130 },
		{ X32 X32 X32 X32 "\n", CMD_BARE, "", 129 },
		/* those with parameters: 30 */
		{ "MAIL " X16 "1234567\r\n", CMD_LINE, "MAIL " X16 "1234567",
		    30 },
		{ "MAIL " X16 "12345678\r\n", CMD_LONG, "", 31 },
		{ "rcpt " X16 "1234567\r\n", CMD_LINE, "rcpt " X16 "1234567",
		    30 },
		{ "rcpt " X16 "12345678\r\n", CMD_LONG, "", 31 },
		{ "MAILX" X16 "\r\n", CMD_LONG, "", 23 },
		{ "RCPT\t" X16 "\r\n", CMD_LONG, "", 23 },
		/* AUTH: 40 without CRLF */
		{ "AUTH " X32 "123\r\n", CMD_LINE, "AUTH " X32 "123", 42 },
		{ "Auth " X32 "1234\r\n", CMD_LONG, "", 43 },
		{ "AUTHX" X16 "\r\n", CMD_LONG, "", 23 },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		for (size_t piece = 1; piece < 135; piece++)
			check_cut(&rows[i], piece, false, false);
}

static void
test_cuts_of_a_dialogue(void **state)
{
	static const struct cut rows[] = {
		{ X32 "12345678\r\n", CMD_LINE, X32 "12345678", 42 },
		{ X32 "123456789\r\n", CMD_LONG, "", 43 },
		{ "BDAT " X32 "1234\r\n", CMD_LONG, "", 43 },
		{ "=\n", CMD_BARE, "", 2 },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		for (size_t piece = 1; piece < 45; piece++)
			check_cut(&rows[i], piece, true, false);
}

/* Behind a size that was not read nobody knows where commands begin. */
static void
test_cuts_of_chunk_sizes(void **state)
{
	static const struct {
		struct cut	cut;
		bool		chunk;
	} rows[] = {
		{ { "BDAT 1" X16 "\r\n", CMD_LONG, "", 24 }, true },
		{ { "bdat 1" X32 X32 X32 "\r\n", CMD_LONG, "", 104 }, true },
		{ { "BDAT1 " X32 X32 X32 "\r\n", CMD_LONG, "", 104 }, false },
		{ { "NOOP " X32 X16 "BDAT " X32 X32 "\r\n", CMD_LONG, "",
		    124 }, false },
		{ { X32 X16 "BDAT " X32 X32 "\r\n", CMD_LONG, "", 119 },
		    false },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		for (size_t piece = 1; piece < 125; piece++)
			check_cut(&rows[i].cut, piece, false, rows[i].chunk);
}

/* A response that is too long is known as one, however it comes. */
static void
test_long_responses(void **state)
{
	static const char auth[] = "AUTH PLAIN " X32 X32 X32 "\r\n";
	struct cmd_reader r;
	bool nomem = false;
	size_t piece, i, used;

	(void)state;
	for (piece = 1; piece < sizeof(auth) - 3; piece++) {
		cmd_reader_init(&r, &limits);
		for (i = 0; i < sizeof(auth) - 1; i += used)
			if (cmd_read(&r, &limits, false, (const unsigned
			    char *)auth + i, sizeof(auth) - 1 - i < piece ?
			    sizeof(auth) - 1 - i : piece, &used,
			    &nomem) == CMD_LONG)
				break;
		assert_true(r.over && r.sasl && !r.chunk);
		cmd_reader_reset(&r);
		assert_false(r.over || r.sasl || r.chunk || r.cr);
	}
}

static void
test_verbs(void **state)
{
	static const struct {
		const char	*line;
		enum verb	 verb;
		const char	*arg;
	} rows[] = {
		{ "EHLO a", VERB_EHLO, "a" }, { "HELO a", VERB_HELO, "a" },
		{ "STARTTLS", VERB_STARTTLS, "" },
		{ "AUTH X y", VERB_AUTH, "X y" },
		{ "MAIL FROM:<>", VERB_MAIL, "FROM:<>" },
		{ "RCPT TO:<a@b>", VERB_RCPT, "TO:<a@b>" },
		{ "DATA", VERB_DATA, "" }, { "BDAT 0", VERB_BDAT, "0" },
		{ "RSET", VERB_RSET, "" }, { "NOOP", VERB_NOOP, "" },
		{ "VRFY a", VERB_VRFY, "a" }, { "HELP", VERB_HELP, "" },
		{ "QUIT", VERB_QUIT, "" }, { "EXPN a", VERB_LATER, "a" },
		{ "ETRN a", VERB_LATER, "a" }, { "TURN", VERB_LATER, "" },
		{ "ATRN", VERB_LATER, "" }, { "SEND", VERB_LATER, "" },
		{ "SOML", VERB_LATER, "" }, { "SAML", VERB_LATER, "" },
		/* section 2.4: case does not count */
		{ "eHlO a", VERB_EHLO, "a" }, { "quit", VERB_QUIT, "" },
		/* section 4.1.1: white space at the end */
		{ "QUIT ", VERB_QUIT, "" }, { "QUIT\t", VERB_QUIT, "" },
		{ "NOOP a \t ", VERB_NOOP, "a" },
		{ "NOOP  a", VERB_NOOP, " a" },
		{ "NOOP\ta", VERB_UNKNOWN, "" },
		{ " NOOP", VERB_UNKNOWN, "NOOP" }, { "", VERB_UNKNOWN, "" },
		{ " ", VERB_UNKNOWN, "" }, { "NOO", VERB_UNKNOWN, "" },
		{ "NOOPS", VERB_UNKNOWN, "" }, { "MAIL:", VERB_UNKNOWN, "" },
		{ "DATA\x7f", VERB_UNKNOWN, "" },
	};
	struct cmd c;
	char *copy;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		copy = copy_of(rows[i].line, strlen(rows[i].line));
		cmd_parse(copy, strlen(rows[i].line), &c);
		if (c.verb != rows[i].verb || c.len != strlen(rows[i].arg) ||
		    memcmp(c.arg, rows[i].arg, c.len) != 0)
			fail_msg("\"%s\"", rows[i].line);
		free(copy);
	}
}

static void
test_keywords(void **state)
{
	static const struct {
		const char	*arg, *rest;	/* NULL: it is not there */
	} rows[] = {
		{ "FROM:<>", "<>" }, { "from:<>", "<>" },
		{ "FROM: <>", "<>" }, { "FROM:  <>", " <>" },
		{ "FROM:\t<>", "\t<>" }, { "FROM:", "" }, { "FROM: ", "" },
		{ "FROM", NULL }, { "FROM <>", NULL }, { "FROM :<>", NULL },
		{ " FROM:<>", NULL }, { "TO:<>", NULL }, { "", NULL },
		{ "FROM;<>", NULL },
	};
	struct cmd c;
	char *copy;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		c.len = strlen(rows[i].arg);
		c.arg = copy = copy_of(rows[i].arg, c.len);
		if (cmd_skip(&c, "FROM:") != (rows[i].rest != NULL))
			fail_msg("\"%s\"", rows[i].arg);
		if (rows[i].rest == NULL)
			assert_true(c.arg == copy &&
			    c.len == strlen(rows[i].arg));
		else if (c.len != strlen(rows[i].rest) ||
		    memcmp(c.arg, rows[i].rest, c.len) != 0)
			fail_msg("rest of \"%s\"", rows[i].arg);
		free(copy);
	}
}

/* Each as "key", "key=value"; "!" where the syntax is wrong. */
static void
test_parameters(void **state)
{
	static const struct {
		const char	*arg;
		const char	*want[3];
	} rows[] = {
		{ "", { NULL } },
		{ " A", { "A" } }, { " A=b", { "A=b" } },
		{ " A B=c", { "A", "B=c" } },
		{ "   A   B", { "A", "B" } },
		/* esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-") */
		{ " 0", { "0" } }, { " 9-", { "9-" } }, { " a-Z", { "a-Z" } },
		{ " z", { "z" } }, { " A-B-C=1", { "A-B-C=1" } },
		{ " -A", { "!" } }, { " A_B", { "!" } }, { " A/", { "!" } },
		{ " A:", { "!" } }, { " A@", { "!" } }, { " A[", { "!" } },
		{ " A`", { "!" } }, { " A{", { "!" } }, { " A\t", { "!" } },
		{ " A\x80", { "!" } }, { " \xc3\xa4", { "!" } },
		{ " =b", { "!" } }, { " ", { "!" } }, { "A", { "!" } },
		{ "\tA", { "!" } }, { " A B,", { "A", "!" } },
		/* esmtp-value = 1*(%d33-60 / %d62-126) */
		{ " A=!", { "A=!" } }, { " A=~", { "A=~" } },
		{ " A=<>", { "A=<>" } }, { " A=a,b;c", { "A=a,b;c" } },
		{ " A=", { "!" } }, { " A= B", { "!" } }, { " A==", { "!" } },
		{ " A=b=", { "!" } }, { " A=b\x7f", { "!" } },
		{ " A=\x7f", { "!" } }, { " A=\x1f", { "!" } },
		{ " A=b\x80", { "!" } }, { " A=\xff", { "!" } },
		{ " A=b\tC", { "!" } },
	};
	struct cmd_param p;
	struct cmd c;
	enum cmd_next next;
	char *copy, text[20];
	size_t n;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		c.len = strlen(rows[i].arg);
		c.arg = copy = copy_of(rows[i].arg, c.len);
		n = 0;
		do {
			const char *want = n < 3 ? rows[i].want[n] : NULL;

			memset(text, 0, sizeof(text));
			next = cmd_param(&c, &p);
			if (next == CMD_PARAM_BAD)
				text[0] = '!';
			else if (next == CMD_PARAM_ONE) {
				memcpy(text, p.key, p.key_len);
				if (p.value != NULL) {
					text[p.key_len] = '=';
					memcpy(text + p.key_len + 1, p.value,
					    p.value_len);
				}
			}
			if (strcmp(text, want != NULL ? want : "") != 0)
				fail_msg("\"%s\": %s", rows[i].arg, text);
			n++;
		} while (next == CMD_PARAM_ONE);
		free(copy);
	}
}

static void
test_parameter_names(void **state)
{
	const struct cmd_param p = { .key = "SIze", .key_len = 4 };

	(void)state;
	assert_true(cmd_param_is(&p, "SIZE"));
	assert_false(cmd_param_is(&p, "SIZ"));
	assert_false(cmd_param_is(&p, "SIZES"));
	assert_false(cmd_param_is(&p, "BODY"));
}

static void
test_xtext(void **state)
{
	static const struct {
		const char	*text;
		bool		 good;
	} rows[] = {
		/* xchar: 33 to 126 but "+" and "=" */
		{ "!", true }, { "~", true }, { "*", true }, { ",", true },
		{ "<", true }, { ">", true }, { "<>", true },
		{ "a@b", true }, { "", false }, { " ", false },
		{ "\x7f", false }, { "\x1f", false }, { "\x80", false },
		{ "\xff", false }, { "=", false }, { "a=", false },
		{ "a ", false },
		/* hexchar = "+" and two digits, letters in capitals */
		{ "+00", true }, { "+99", true }, { "+AF", true },
		{ "+FA", true }, { "+3Dx", true }, { "x+3D", true },
		{ "+3D+2B", true }, { "+3D3", true }, { "+3D+", false },
		{ "+", false }, { "+3", false }, { "a+3", false },
		{ "+/0", false }, { "+0/", false }, { "+:0", false },
		{ "+0:", false }, { "+@0", false }, { "+0@", false },
		{ "+G0", false }, { "+0G", false }, { "+a0", false },
		{ "+0f", false }, { "++3D", false }, { "+3D=", false },
		{ "+3Da+4", false },
	};
	char *copy;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		copy = copy_of(rows[i].text, strlen(rows[i].text));
		if (cmd_is_xtext(copy, strlen(rows[i].text)) != rows[i].good)
			fail_msg("\"%s\"", rows[i].text);
		free(copy);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_cuts_of_a_dialogue),
		cmocka_unit_test(test_cuts_of_chunk_sizes),
		cmocka_unit_test(test_long_responses),
		cmocka_unit_test(test_verbs),
		cmocka_unit_test(test_keywords),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_parameter_names),
		cmocka_unit_test(test_xtext),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("smtpd-cmd", tests, NULL, NULL);
}
