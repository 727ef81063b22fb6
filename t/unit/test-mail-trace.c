/* SPDX-License-Identifier: ISC */
/*
 * mail/trace.c and mail/date.c: the fields a delivery adds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "mail/date.h"
#include "mail/trace.h"

static void
test_dates(void **state)
{
	static const struct { int64_t t; const char *want; } cases[] = {
		{ 0, "Thu, 1 Jan 1970 00:00:00 +0000" },
		{ -5, "Thu, 1 Jan 1970 00:00:00 +0000" },
		{ 951782399, "Mon, 28 Feb 2000 23:59:59 +0000" },
		{ 951782400, "Tue, 29 Feb 2000 00:00:00 +0000" },
		{ 951868800, "Wed, 1 Mar 2000 00:00:00 +0000" },
		{ 1709164800, "Thu, 29 Feb 2024 00:00:00 +0000" },
		{ 1735689599, "Tue, 31 Dec 2024 23:59:59 +0000" },
		{ 1762258332, "Tue, 4 Nov 2025 12:12:12 +0000" },
		{ 4107542400, "Mon, 1 Mar 2100 00:00:00 +0000" },
		{ 253402300799, "Fri, 31 Dec 9999 23:59:59 +0000" },
		{ INT64_MAX, "Fri, 31 Dec 9999 23:59:59 +0000" },
	};
	char text[DATE_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(date_format(cases[i].t, text,
		    sizeof(text)), cases[i].want);
}

static char *
text_of(struct buf *b)
{
	assert_int_equal(buf_add(b, "", 1), 0);
	return (char *)b->base + b->off;
}

static void
fill(struct trace *t, const struct addr *from)
{
	memset(t, 0, sizeof(*t));
	t->from = from;
	t->helo = "client.example";
	t->client = "192.0.2.1";
	t->protocol = "ESMTPSA";
	t->tls_version = "TLSv1.3";
	t->tls_cipher = "TLS_AES_256_GCM_SHA384";
	t->tls_bits = 256;
	t->hostname = "mx.example.test";
	t->id = "abc-1";
	t->now = 1762258332;
}

static void
test_single(void **state)
{
	struct addr from, rcpt, box;
	struct trace t;
	struct buf b;

	(void)state;
	buf_init(&b, 65536);
	addr_split("a b@example.test", &from);
	addr_split("bob+x@example.test", &rcpt);
	addr_split("bob@example.test", &box);
	fill(&t, &from);
	t.rcpt = &rcpt;
	t.mailbox = &box;
	assert_int_equal(trace_write(&b, &t), 0);
	assert_int_equal(trace_write_date(&b, &t), 0);
	assert_int_equal(trace_write_message_id(&b, &t), 0);
	assert_string_equal(text_of(&b),
	    "Return-Path: <\"a b\"@example.test>\n"
	    "Delivered-To: bob@example.test\n"
	    "Received: from client.example ([192.0.2.1]) by mx.example.test "
	    "with ESMTPSA\n"
	    "\t(TLS1.3:TLS_AES_256_GCM_SHA384:256) id abc-1 "
	    "for <bob+x@example.test>;\n"
	    "\tTue, 4 Nov 2025 12:12:12 +0000\n"
	    "Date: Tue, 4 Nov 2025 12:12:12 +0000\n"
	    "Message-ID: <abc-1@mx.example.test>\n");
	buf_free(&b);
}

static void
test_many_null_hidden(void **state)
{
	struct addr from = { "", "" };
	struct trace t;
	struct buf b;

	(void)state;
	buf_init(&b, 65536);
	fill(&t, &from);
	t.client = NULL;
	t.helo = "[192.0.2.1]";
	t.tls_version = "";
	assert_int_equal(trace_write(&b, &t), 0);
	assert_string_equal(text_of(&b),
	    "Return-Path: <>\n"
	    "Received: from withheld.invalid by mx.example.test with ESMTPSA "
	    "id abc-1;\n"
	    "\tTue, 4 Nov 2025 12:12:12 +0000\n");
	buf_free(&b);
}

/* Nothing a session says can end a line, a comment or a clause. */
static void
test_hostile(void **state)
{
	struct addr from = { "", "" };
	struct trace t;
	struct buf b;
	char octet[2] = "", *text, *s;
	size_t lines;
	int c;

	(void)state;
	for (c = 1; c < 256; c++) {
		buf_init(&b, 65536);
		fill(&t, &from);
		octet[0] = (char)c;
		t.helo = t.client = t.protocol = t.tls_version =
		    t.tls_cipher = t.hostname = t.id = octet;
		assert_int_equal(trace_write(&b, &t), 0);
		text = text_of(&b);
		for (lines = 0, s = text; *s != '\0'; s++)
			if (*s == '\n' && s[1] != '\t')
				lines++;
		assert_int_equal(lines, 2);
		assert_non_null(strstr(text, "\nReceived: from "));
		assert_ptr_equal(strchr(text, ';'), strrchr(text, ';'));
		buf_free(&b);
	}
}

static void
test_long(void **state)
{
	struct addr from = { "", "" };
	struct trace t;
	struct buf b;
	char word[300], *s;

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	buf_init(&b, 65536);
	fill(&t, &from);
	t.helo = t.client = t.protocol = t.tls_version = t.tls_cipher =
	    t.hostname = t.id = word;
	assert_int_equal(trace_write(&b, &t), 0);
	for (s = text_of(&b); *s != '\0'; s += strcspn(s, "\n") + 1)
		assert_true(strcspn(s, "\n") < 998);
	buf_free(&b);
	buf_init(&b, 40);
	assert_int_equal(trace_write(&b, &t), -1);
	buf_free(&b);
	fill(&t, &from);
	t.helo = "";
	buf_init(&b, 4096);
	assert_int_equal(trace_write(&b, &t), 0);
	assert_non_null(strstr(text_of(&b), "from unknown ("));
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_single),
		cmocka_unit_test(test_many_null_hidden),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_long),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
