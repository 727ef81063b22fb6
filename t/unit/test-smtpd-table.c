/* SPDX-License-Identifier: ISC */
/*
 * Walks every cell of the SMTP state table and every step a session may
 * take, and proves from them what must never happen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "smtpd/table.h"

#define FOR_CELLS(s, v, c) \
	for (int s = STATE_START; s < STATE_COMMANDS; s++) \
		for (int v = VERB_EHLO; v < VERB_COUNT; v++) \
			for (const struct cell *c = table_cell( \
			    (enum state)s, (enum verb)v); c != NULL; c = NULL)

static void
test_each_cell_is_set_once(void **state)
{
	(void)state;
	FOR_CELLS(s, v, c) {
		assert_true((c->next != STATE_NONE) !=
		    (c->refuse != REPLY_NONE));
		assert_true(c->next < STATE_COUNT);
		assert_true(c->refuse < REPLY_COUNT);
	}
}

static void
test_refusals_are_5xx(void **state)
{
	(void)state;
	FOR_CELLS(s, v, c)
		if (c->refuse != REPLY_NONE)
			assert_in_range(reply_row(c->refuse)->code, 500, 559);
}

static void
test_each_reply_is_whole(void **state)
{
	const struct reply_row *r;
	int i;

	(void)state;
	for (i = REPLY_NONE + 1; i < REPLY_COUNT; i++) {
		r = reply_row((enum reply)i);
		assert_in_range(r->code, 200, 559);
		assert_non_null(r->text);
		assert_non_null(r->enhanced);
		/* RFC 2034 section 4: the class is that of the code */
		if (r->enhanced[0] != '\0')
			assert_int_equal(r->enhanced[0], '0' + r->code / 100);
		else
			assert_true(r->code == 220 || r->code == 250 ||
			    r->code == 334 || r->code == 354);
	}
}

/* Is the state reached in clear, under TLS, logged in, in a transaction? */
static bool
is_clear(int s)
{
	return s == STATE_START || s == STATE_HELLO;
}

static bool
is_logged_in(int s)
{
	return s >= STATE_READY && s < STATE_COMMANDS;
}

static void
test_no_mail_before_login(void **state)
{
	(void)state;
	FOR_CELLS(s, v, c) {
		if (is_logged_in(s))
			continue;
		if (v == VERB_MAIL || v == VERB_RCPT || v == VERB_DATA ||
		    v == VERB_BDAT)
			assert_true(c->refuse != REPLY_NONE);
		/* the one way in is AUTH, under TLS, after a hello */
		if (is_logged_in((int)c->next) || c->next == STATE_DATA) {
			assert_int_equal(v, VERB_AUTH);
			assert_int_equal(s, STATE_IDENT);
			assert_int_equal(c->next, STATE_READY);
		}
	}
}

static void
test_data_only_from_rcpt(void **state)
{
	(void)state;
	FOR_CELLS(s, v, c)
		if (c->next == STATE_DATA) {
			assert_int_equal(s, STATE_RCPT);
			assert_int_equal(v, VERB_DATA);
		}
}

static void
test_tls_and_login_are_never_lost(void **state)
{
	(void)state;
	FOR_CELLS(s, v, c) {
		if (c->next == STATE_NONE || c->next == STATE_DONE)
			continue;
		if (!is_clear(s))
			assert_false(is_clear((int)c->next));
		if (is_logged_in(s))
			assert_true(is_logged_in((int)c->next) ||
			    c->next == STATE_DATA);
		if (is_clear(s) && !is_clear((int)c->next))
			assert_int_equal(v, VERB_STARTTLS);
	}
}

/* The same for the steps: by way of WAIT, AUTHX or DATA nothing is won. */
static void
test_steps_follow_the_cells(void **state)
{
	(void)state;
	FOR_CELLS(s, v, c)
		for (int from = STATE_START; from < STATE_DONE; from++)
			for (int to = STATE_START; to < STATE_COMMANDS; to++) {
				if (!table_allows((enum state)s, (enum verb)v,
				    (enum state)from, (enum state)to))
					continue;
				if (to == s || to == (int)c->next)
					continue;
				/* the end of a message */
				assert_int_equal(to, STATE_READY);
				assert_true(from == STATE_DATA ||
				    from == STATE_WAIT);
				assert_true(table_is_message((enum state)s,
				    (enum verb)v));
			}
}

/* A chunk that is refused is read, and nothing else comes of it. */
static void
test_refused_chunks_change_nothing(void **state)
{
	(void)state;
	FOR_CELLS(s, v, c)
		for (int to = STATE_START; to < STATE_DONE; to++)
			if (v == VERB_BDAT && c->refuse != REPLY_NONE)
				assert_int_equal(table_allows((enum state)s,
				    (enum verb)v, STATE_DATA, (enum state)to),
				    to == s);
}

static void
test_messages_only_with_recipients(void **state)
{
	(void)state;
	FOR_CELLS(s, v, c)
		assert_int_equal(table_is_message((enum state)s, (enum verb)v),
		    (s == STATE_RCPT && (v == VERB_DATA || v == VERB_BDAT)) ||
		    (s == STATE_BDAT && v == VERB_BDAT));
}

static void
test_refused_verbs_take_no_step(void **state)
{
	(void)state;
	FOR_CELLS(s, v, c)
		for (int to = STATE_START; to < STATE_DONE; to++)
			if (c->refuse != REPLY_NONE &&
			    (v != VERB_BDAT || to != STATE_DATA))
				assert_false(table_allows((enum state)s,
				    (enum verb)v, (enum state)s,
				    (enum state)to));
}

/* By way of WAIT: AUTH alone opens a dialogue, BDAT alone stays in chunks. */
static void
test_ways_of_some_verbs_alone(void **state)
{
	(void)state;
	FOR_CELLS(s, v, c) {
		assert_int_equal(table_allows((enum state)s, (enum verb)v,
		    STATE_WAIT, STATE_AUTHX), v == VERB_AUTH);
		assert_int_equal(table_allows((enum state)s, (enum verb)v,
		    STATE_WAIT, STATE_DATA), v == VERB_BDAT ||
		    c->next == STATE_DATA);
		assert_int_equal(table_allows((enum state)s, (enum verb)v,
		    STATE_DATA, STATE_BDAT), v == VERB_BDAT &&
		    (s == STATE_RCPT || s == STATE_BDAT));
		/* a command is said in the state the session is in */
		for (int from = STATE_START; from < STATE_COMMANDS; from++)
			for (int to = STATE_START; to < STATE_DONE; to++)
				if (from != s)
					assert_false(table_allows(
					    (enum state)s, (enum verb)v,
					    (enum state)from,
					    (enum state)to));
	}
}

static void
test_nothing_is_beside_the_tables(void **state)
{
	(void)state;
	for (int s = STATE_COMMANDS; s <= STATE_COUNT; s++) {
		const struct cell *c = table_cell((enum state)s, VERB_NOOP);

		assert_int_equal(c->next, STATE_NONE);
		assert_int_equal(c->refuse, REPLY_NONE);
	}
	assert_int_equal(table_cell(STATE_BDAT, VERB_COUNT)->next, STATE_NONE);
	assert_int_equal(table_cell(STATE_START, VERB_COUNT)->next,
	    STATE_NONE);
	assert_true(table_cell(STATE_START, VERB_COUNT) ==
	    table_cell(STATE_COUNT, VERB_EHLO));
	assert_string_equal(table_state_name(STATE_DONE), "DONE");
	assert_string_equal(table_state_name(STATE_COUNT), "");
	assert_string_equal(table_verb_name(VERB_UNKNOWN), "any other");
	assert_string_equal(table_verb_name(VERB_COUNT), "");
	assert_int_equal(reply_row(REPLY_PARAM)->code, 555);
	assert_int_equal(reply_row(REPLY_COUNT)->code, 0);
}

/* Whole or not: no room is said, wherever it ends. */
static void
test_replies_need_room(void **state)
{
	static const char bye[] =
	    "221 2.0.0 mx.test closing connection\r\n";
	struct buf b;
	size_t max;

	(void)state;
	for (max = 0; max < sizeof(bye) + 3; max++) {
		buf_init(&b, max);
		assert_int_equal(reply_add(&b, REPLY_BYE, "mx.test"),
		    max >= sizeof(bye) - 1 ? 0 : -1);
		if (max >= sizeof(bye) - 1) {
			assert_int_equal(b.len, sizeof(bye) - 1);
			assert_memory_equal(buf_data(&b), bye, b.len);
		}
		buf_free(&b);
		buf_init(&b, max);
		assert_int_equal(reply_add_line(&b, REPLY_HELP, true, "x"),
		    max >= 13 ? 0 : -1);
		buf_free(&b);
	}
	/* nothing to name */
	buf_init(&b, 100);
	assert_int_equal(reply_add(&b, REPLY_BYE, NULL), 0);
	assert_int_equal(b.len, sizeof(bye) - 1 - 7);
	buf_free(&b);
}

static void
test_done_is_the_end(void **state)
{
	(void)state;
	FOR_CELLS(s, v, c)
		for (int to = STATE_START; to < STATE_DONE; to++)
			assert_false(table_allows((enum state)s, (enum verb)v,
			    STATE_DONE, (enum state)to));
}

/* All that a command of the build prints; the caller frees. */
static char *
output_of(const char *args)
{
	const char *dir = getenv("BUILDDIR");
	char cmd[4096];
	char *text = calloc(1, 65536);
	FILE *fp;

	assert_non_null(text);
	snprintf(cmd, sizeof(cmd), "'%s/smtp-table' %s",
	    dir != NULL ? dir : ".", args);
	fp = popen(cmd, "r");
	assert_non_null(fp);
	assert_true(fread(text, 1, 65535, fp) > 0);
	assert_int_equal(pclose(fp), 0);
	return text;
}

static char *
contents_of(const char *name)
{
	const char *dir = getenv("SRCDIR");
	char path[4096];
	char *text = calloc(1, 131072);
	FILE *fp;

	assert_non_null(text);
	snprintf(path, sizeof(path), "%s/%s", dir != NULL ? dir : ".", name);
	fp = fopen(path, "r");
	assert_non_null(fp);
	assert_true(fread(text, 1, 131071, fp) > 0);
	fclose(fp);
	return text;
}

static void
test_golden_table(void **state)
{
	char *got = output_of(""), *want = contents_of(
	    "t/golden/smtp-table.txt");

	(void)state;
	assert_string_equal(got, want);
	free(got);
	free(want);
}

static void
test_man_page_shows_the_table(void **state)
{
	char *page = contents_of("man/postern-smtp.7");
	char *table = output_of("mdoc"), *replies = output_of("replies");

	(void)state;
	assert_non_null(strstr(page, table));
	assert_non_null(strstr(page, replies));
	free(page);
	free(table);
	free(replies);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_cell_is_set_once),
		cmocka_unit_test(test_refusals_are_5xx),
		cmocka_unit_test(test_each_reply_is_whole),
		cmocka_unit_test(test_no_mail_before_login),
		cmocka_unit_test(test_data_only_from_rcpt),
		cmocka_unit_test(test_tls_and_login_are_never_lost),
		cmocka_unit_test(test_steps_follow_the_cells),
		cmocka_unit_test(test_refused_verbs_take_no_step),
		cmocka_unit_test(test_refused_chunks_change_nothing),
		cmocka_unit_test(test_messages_only_with_recipients),
		cmocka_unit_test(test_ways_of_some_verbs_alone),
		cmocka_unit_test(test_nothing_is_beside_the_tables),
		cmocka_unit_test(test_replies_need_room),
		cmocka_unit_test(test_done_is_the_end),
		cmocka_unit_test(test_golden_table),
		cmocka_unit_test(test_man_page_shows_the_table),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("smtpd-table", tests, NULL, NULL);
}
