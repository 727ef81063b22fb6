/* SPDX-License-Identifier: ISC */
/*
 * The DATA decoder: stuffing, the end, smuggling, faults; whole, split at
 * every octet, octet by octet. And command lines and parameters.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "smtpd/cmd.h"
#include "smtpd/data.h"

struct result {
	enum data_end	 end;
	enum data_fault	 fault;
	size_t		 used;
	char		 out[8192];
	size_t		 made;
};

static void
feed(struct data *d, struct result *r, const char *in, size_t len)
{
	unsigned char out[8192];
	size_t used, made;

	if (r->end != DATA_MORE || len == 0)
		return;
	r->end = data_decode(d, (const unsigned char *)in, len, out, &used,
	    &made);
	assert_in_range(made, 0, len + 1);
	memcpy(r->out + r->made, out, made);
	r->made += made;
	r->used += used;
	r->fault = d->fault;
}

/* Decode with a cut at the offset cut; SIZE_MAX: octet by octet. */
static void
decode(const char *in, size_t len, size_t cut, struct result *r)
{
	struct data d;
	size_t i;

	memset(r, 0, sizeof(*r));
	data_init(&d, 4000, 998);
	if (cut != SIZE_MAX) {
		feed(&d, r, in, cut);
		feed(&d, r, in + cut, len - cut);
		return;
	}
	for (i = 0; i < len; i++)
		feed(&d, r, in + i, 1);
}

static void
check(const char *in, size_t len, enum data_end end, enum data_fault fault,
    const char *out, size_t rest)
{
	struct result r;
	size_t cut;

	for (cut = 0; cut <= len + 1; cut++) {
		decode(in, len, cut == len + 1 ? SIZE_MAX : cut, &r);
		assert_int_equal(r.end, end);
		assert_int_equal(r.fault, fault);
		if (out == NULL)
			continue;
		assert_int_equal(r.used, len - rest);
		assert_int_equal(r.made, strlen(out));
		assert_memory_equal(r.out, out, r.made);
	}
}

#define CHECK(in, end, fault, out, rest) \
	check(in, sizeof(in) - 1, end, fault, out, rest)

static void
test_data_end(void **state)
{
	(void)state;
	CHECK(".\r\n", DATA_END, DATA_SOUND, "", 0);
	CHECK("a\r\n.\r\n", DATA_END, DATA_SOUND, "a\r\n", 0);
	CHECK("a\r\n\r\n.\r\nQUIT\r\n", DATA_END, DATA_SOUND, "a\r\n\r\n", 6);
	CHECK("a\r\n.\r", DATA_MORE, DATA_SOUND, "a\r\n", 0);
	CHECK("a.\r\nb\r\n.\r\n", DATA_END, DATA_SOUND, "a.\r\nb\r\n", 0);
}

static void
test_data_stuffing(void **state)
{
	(void)state;
	CHECK("..\r\n.\r\n", DATA_END, DATA_SOUND, ".\r\n", 0);
	CHECK("..a\r\n.\r\n", DATA_END, DATA_SOUND, ".a\r\n", 0);
	CHECK("...\r\n.\r\n", DATA_END, DATA_SOUND, "..\r\n", 0);
	CHECK(".a\r\n.\r\n", DATA_END, DATA_SOUND, "a\r\n", 0);
	CHECK("a..b\r\n.\r\n", DATA_END, DATA_SOUND, "a..b\r\n", 0);
}

/* Each is the end of data to some other server. */
static void
test_data_smuggling(void **state)
{
	(void)state;
	CHECK("a\n.\n", DATA_BARE, DATA_SOUND, NULL, 0);
	CHECK("a\n.\r\n", DATA_BARE, DATA_SOUND, NULL, 0);
	CHECK("a\r\n.\n", DATA_BARE, DATA_SOUND, NULL, 0);
	CHECK("a\r.\r\n", DATA_BARE, DATA_SOUND, NULL, 0);
	CHECK("a\r.\r", DATA_BARE, DATA_SOUND, NULL, 0);
	CHECK("a\r\n.\r\r\n", DATA_BARE, DATA_SOUND, NULL, 0);
	CHECK("a\r\r\n.\r\n", DATA_BARE, DATA_SOUND, NULL, 0);
	CHECK("a\r\n\n.\r\n", DATA_BARE, DATA_SOUND, NULL, 0);
	CHECK("a\r\n.\rX", DATA_BARE, DATA_SOUND, NULL, 0);
	CHECK("\n", DATA_BARE, DATA_SOUND, NULL, 0);
	CHECK("\rx", DATA_BARE, DATA_SOUND, NULL, 0);
	CHECK("a\r\0\n.\r\n", DATA_BARE, DATA_SOUND, NULL, 0);
	CHECK("a\r\n.\0\r\n.\r\n", DATA_END, DATA_NUL, NULL, 0);
}

static void
test_data_faults(void **state)
{
	char line[1100];

	(void)state;
	CHECK("A: b\r\n\r\nx\0y\r\n.\r\n", DATA_END, DATA_NUL, NULL, 0);
	CHECK("A: \351\r\n\r\nx\r\n.\r\n", DATA_END, DATA_EIGHT_BIT, NULL, 0);
	CHECK("A: b\r\n\r\n\351\r\n.\r\n", DATA_END, DATA_SOUND,
	    "A: b\r\n\r\n\351\r\n", 0);
	CHECK("\r\n\351\r\n.\r\n", DATA_END, DATA_SOUND, "\r\n\351\r\n", 0);
	/* the worst fault counts, in whatever order they come */
	CHECK("A: \351\0\r\n\r\n.\r\n", DATA_END, DATA_NUL, NULL, 0);
	CHECK("A: \0\351\r\n\r\n.\r\n", DATA_END, DATA_NUL, NULL, 0);

	memset(line, 'x', sizeof(line));
	memcpy(line + 998, "\r\n.\r\n", 5);
	check(line, 998 + 5, DATA_END, DATA_SOUND, NULL, 0);
	memset(line, 'x', sizeof(line));
	memcpy(line + 999, "\r\n.\r\n", 5);
	check(line, 999 + 5, DATA_END, DATA_LONG_LINE, NULL, 0);
	/* RFC 5321 section 4.5.3.1.6: the dot of the stuffing is not counted */
	line[0] = line[1] = '.';
	check(line, 999 + 5, DATA_END, DATA_SOUND, NULL, 0);
}

static void
test_data_size(void **state)
{
	char text[4200];
	size_t i;

	(void)state;
	for (i = 0; i < 4000; i += 100) {
		memset(text + i, 'x', 98);
		memcpy(text + i + 98, "\r\n", 2);
	}
	memcpy(text + 4000, ".\r\n", 3);
	check(text, 4003, DATA_END, DATA_SOUND, NULL, 0);
	memcpy(text + 4000, "\r\n.\r\n", 5);
	check(text, 4005, DATA_END, DATA_TOO_BIG, NULL, 0);
}

static void
check_parse(const char *line, enum verb verb, const char *arg)
{
	struct cmd c;

	cmd_parse(line, strlen(line), &c);
	assert_int_equal(c.verb, verb);
	assert_int_equal(c.len, strlen(arg));
	assert_memory_equal(c.arg, arg, c.len);
}

static void
test_cmd_parse(void **state)
{
	(void)state;
	check_parse("NOOP", VERB_NOOP, "");
	check_parse("nOoP", VERB_NOOP, "");
	check_parse("NOOP \t ", VERB_NOOP, "");
	check_parse("NOOP a b ", VERB_NOOP, "a b");
	check_parse("NOOPX", VERB_UNKNOWN, "");
	check_parse("NOO", VERB_UNKNOWN, "");
	check_parse(" NOOP", VERB_UNKNOWN, "NOOP");
	check_parse("NOOP\ta", VERB_UNKNOWN, "");
	check_parse("", VERB_UNKNOWN, "");
	check_parse("   ", VERB_UNKNOWN, "");
	check_parse("etrn x", VERB_LATER, "x");
	check_parse("MAIL FROM:<a@b>", VERB_MAIL, "FROM:<a@b>");
}

/* The parameters in text, as "key=value;", "!" for a syntax error. */
static void
check_params(const char *text, const char *want)
{
	struct cmd c = { VERB_MAIL, text, strlen(text) };
	struct cmd_param p;
	enum cmd_next next;
	struct buf b;

	buf_init(&b, 1000);
	while ((next = cmd_param(&c, &p)) == CMD_PARAM_ONE)
		assert_int_equal(buf_addf(&b, "%.*s=%.*s;", (int)p.key_len,
		    p.key, (int)p.value_len,
		    p.value != NULL ? p.value : ""), 0);
	if (next == CMD_PARAM_BAD)
		buf_add(&b, "!", 1);
	buf_add(&b, "", 1);
	assert_string_equal((const char *)buf_data(&b), want);
	buf_free(&b);
}

static void
test_cmd_param(void **state)
{
	(void)state;
	check_params("", "");
	check_params(" SIZE=1", "SIZE=1;");
	check_params(" SIZE=1  BODY=7BIT", "SIZE=1;BODY=7BIT;");
	check_params(" SMTPUTF8", "SMTPUTF8=;");
	check_params("SIZE=1", "!");
	check_params(" SIZE=", "!");
	check_params(" =1", "!");
	check_params(" -A=1", "!");
	check_params(" A-b=1", "A-b=1;");
	check_params(" A=1=2", "!");
	check_params(" A=\351", "!");
	check_params(" A=1\t", "!");
	assert_true(cmd_is_xtext("<>", 2));
	assert_true(cmd_is_xtext("e+3DF", 5));
	assert_false(cmd_is_xtext("e+3d", 4));
	assert_false(cmd_is_xtext("e+3", 3));
	assert_false(cmd_is_xtext("a=b", 3));
	assert_false(cmd_is_xtext("", 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_data_end),
		cmocka_unit_test(test_data_stuffing),
		cmocka_unit_test(test_data_smuggling),
		cmocka_unit_test(test_data_faults),
		cmocka_unit_test(test_data_size),
		cmocka_unit_test(test_cmd_parse),
		cmocka_unit_test(test_cmd_param),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("smtpd-data", tests, NULL, NULL);
}
