/* SPDX-License-Identifier: ISC */
/*
 * mail/alias*.c: the alias file's syntax, look-ups, expansion, loops, limits.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/conf.h"
#include "mail/alias_impl.h"

static char first[] = "a.test", second[] = "b.test";
static char *domains[] = { first, second };
static struct conf conf = {
	.domains = { domains, 2 }, .alias_members = 1000, .alias_depth = 10,
};

struct faults {
	size_t	n, line;	/* the last one's line */
	char	text[1200];	/* all: "line text;" */
};

static void
on_fault(void *arg, size_t line, const char *text)
{
	struct faults *f = arg;
	size_t len = strlen(f->text);

	f->n++;
	f->line = line;
	snprintf(f->text + len, sizeof(f->text) - len, "%zu %s;", line, text);
}

static struct alias_table *
read_text(const char *text, struct faults *f)
{
	struct alias_table *t;

	memset(f, 0, sizeof(*f));
	t = alias_read(text, strlen(text), &conf, on_fault, f);
	assert_non_null(t);
	return t;
}

static int
add_member(void *arg, const struct alias_member *m)
{
	char *out = arg;

	assert_false(*m->told);
	if (out[0] != '\0')
		strcat(out, " ");
	strcat(out, m->address);
	return 0;
}

static const struct alias *
find(const struct alias_table *t, const char *address)
{
	struct addr a;

	assert_int_equal(addr_split(address, &a), 0);
	if (a.local[0] == '\0')
		return alias_find_catch_all(t, a.domain);
	return alias_find(t, &a);
}

static void
check_expand(struct alias_table *t, const char *address, const char *want)
{
	const struct alias *a = find(t, address);
	char got[4096] = "";

	if (a == NULL) {
		assert_null(want);
		return;
	}
	if (want == NULL)
		fail_msg("%s is there", address);
	assert_int_equal(alias_expand(t, a, add_member, got), 0);
	assert_string_equal(got, want);
}

/* What is one entry, or none, and what is no fault. */
static void
test_syntax(void **state)
{
	static const struct { const char *text, *address, *want; } good[] = {
		{ "", "x@a.test", NULL },
		{ "\n\n# x: y\n  \t\n", "x@a.test", NULL },
		{ "x: y\n", "x@a.test", "y@a.test" },
		{ "x: y", "x@a.test", "y@a.test" },
		{ "x:y,z", "x@a.test", "y@a.test z@a.test" },
		{ "x\t :\t y ,\tz \r\n", "x@a.test", "y@a.test z@a.test" },
		{ "X@A.Test: Y@B.TEST\n", "x@a.test", "y@b.test" },
		{ "x@b.test: y@b.test\n", "X@B.test", "y@b.test" },
		{ "x@b.test: y@b.test\n", "x@a.test", NULL },
		{ "x:\n y,\n\tz\n", "x@a.test", "y@a.test z@a.test" },
		{ "x\n :\n y\n ,z\n", "x@a.test", "y@a.test z@a.test" },
		{ "x: y,\n# c\n\n  # d\n z\n", "x@a.test",
		    "y@a.test z@a.test" },
		{ "x: y # z\n", "x@a.test", "y@a.test" },
		{ "x: # c\n y, # d, e\n z # f", "x@a.test",
		    "y@a.test z@a.test" },
		{ "x: y#z\n", "x@a.test", "y#z@a.test" },
		{ "x: y+t\n", "x@a.test", "y+t@a.test" },
		{ "\"#x\": \"y\"\n", "#x@a.test", "y@a.test" },
		{ "\"a b\": \"c, d\", \"e:f\", \"g\\\"h\"@b.test\n",
		    "a b@a.test", "c, d@a.test e:f@a.test g\"h@b.test" },
		{ "\"x@y\": z\n", "x@y@a.test", "z@a.test" },
		{ "x: y, Y, y@a.test\n", "x@a.test", "y@a.test" },
		{ "j\xc3\xb6rg: jo\xcc\x88rk\n", "j\xc3\xb6rg@a.test",
		    "j\xc3\xb6rk@a.test" },
		{ "@a.test: y\n", "@a.test", "y@a.test" },
		{ "@B.test: y@b.test\n", "@b.test", "y@b.test" },
		{ "@a.test: y\n", "z@a.test", NULL },
	};
	struct alias_table *t;
	struct faults f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		t = read_text(good[i].text, &f);
		if (f.n != 0)
			fail_msg("\"%s\": %s", good[i].text, f.text);
		check_expand(t, good[i].address, good[i].want);
		assert_int_equal(alias_errors(t), 0);
		alias_free(&t);
		assert_null(t);
	}
}

/* Each has one fault, on the line that is named, and no entry. */
static void
test_faults(void **state)
{
	static const struct { const char *text; size_t line; } bad[] = {
		{ "x\n", 1 }, { "x:\n", 1 }, { "x:\n\n\ny: z\n", 1 },
		{ "\nx y: z\n", 2 }, { "x y\n", 1 }, { ": y\n", 1 },
		{ ", y\n", 1 }, { "x, y: z\n", 1 }, { "x: y z\n", 1 },
		{ "x: y\n z\n", 2 }, { "x: ,y\n", 1 }, { "x: y,,z\n", 1 },
		{ "x: y,\n", 1 }, { "x: y,\n\n\n z,\n", 4 },
		{ " x: y\n", 1 }, { "#\n\tx: y\n", 2 }, { "x:: y\n", 1 },
		{ "x: y: z\n", 1 }, { "x: y\n z: w\n", 2 },
		{ "x: :include:/etc/passwd\n", 1 }, { "x: |cat\n", 1 },
		{ "x: \"|cat /etc/passwd\"\n", 1 }, { "x: /etc/passwd\n", 1 },
		{ "x: \\x\n", 1 }, { "x: y@foreign.test\n", 1 },
		{ "x@foreign.test: y\n", 1 }, { "@foreign.test: y\n", 1 },
		{ "x: y@[127.0.0.1]\n", 1 }, { "x@[127.0.0.1]: y\n", 1 },
		{ "x: @a.test\n", 1 }, { "@: y\n", 1 }, { "@a..test: y\n", 1 },
		{ "x: y@\n", 1 }, { "x: y@@a.test\n", 1 }, { "x: .y\n", 1 },
		{ "x: y.\n", 1 }, { "x: a..b\n", 1 }, { "x: <y>\n", 1 },
		{ "x: \"y\n", 1 }, { "x: \"\"\n", 1 }, { "x: y(z)\n", 1 },
		{ "x: y;z\n", 1 }, { "x: y@a.test.\n", 1 },
		{ "x: j\xf6rg\n", 1 }, { "x: y\x01\n", 1 },
		{ "x: y\x7f\n", 1 }, { "x\r: y\n", 1 },
		{ "x: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    "aaaaaaaaaa\n", 1 },
	};
	struct alias_table *t;
	struct faults f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		t = read_text(bad[i].text, &f);
		if (f.n < 1 || f.line < bad[i].line || alias_errors(t) != f.n)
			fail_msg("\"%s\": %zu faults: %s", bad[i].text, f.n,
			    f.text);
		if (strncmp(bad[i].text, "x:\n\n\ny", 6) != 0 && (f.n != 1 ||
		    f.line != bad[i].line || alias_count(t) != 0))
			fail_msg("\"%s\": %s", bad[i].text, f.text);
		alias_free(&t);
	}
}

/* A NUL is no end; a faulty entry does not touch its neighbours. */
static void
test_neighbours(void **state)
{
	static const char nul[] = "x: y\0z\nw: v\n";
	struct faults f = { .n = 0 };
	struct alias_table *t;

	(void)state;
	t = alias_read(nul, sizeof(nul) - 1, &conf, on_fault, &f);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.line, 1);
	check_expand(t, "w@a.test", "v@a.test");
	alias_free(&t);
	t = read_text("v: w\nx: a, b, |c, d\n e, f\ny: z\ny: w\nq: \n", &f);
	assert_int_equal(f.n, 3);
	assert_non_null(strstr(f.text, "2 \"|c\": "));
	assert_non_null(strstr(f.text, "5 y@a.test stands on line 4 "));
	assert_non_null(strstr(f.text, "6 a target is missing"));
	assert_int_equal(alias_count(t), 2);
	check_expand(t, "v@a.test", "w@a.test");
	check_expand(t, "x@a.test", NULL);
	check_expand(t, "y@a.test", "z@a.test");
	alias_free(&t);
}

static void
test_entries(void **state)
{
	struct alias_table *t;
	const struct alias *a;
	struct faults f;

	(void)state;
	t = read_text("# c\nTeam: Bob,\n# d\n  carol@b.test\n\n@b.test: bob\n",
	    &f);
	assert_int_equal(f.n, 0);
	assert_int_equal(alias_count(t), 2);
	a = alias_at(t, 0);
	assert_string_equal(a->address, "team@a.test");
	assert_int_equal(a->line, 2);
	assert_int_equal(a->last, 4);
	assert_int_equal(a->n, 2);
	assert_false(a->catch_all || a->refused);
	assert_string_equal(alias_target(t, a, 0), "bob@a.test");
	assert_string_equal(alias_target(t, a, 1), "carol@b.test");
	a = alias_at(t, 1);
	assert_string_equal(a->address, "@b.test");
	assert_true(a->catch_all);
	assert_ptr_equal(find(t, "@B.TEST"), a);
	assert_null(find(t, "@a.test"));
	assert_null(find(NULL, "x@a.test"));
	assert_null(find(NULL, "@a.test"));
	/* An empty local part is no way to the catch-all. */
	assert_null(alias_find(t, &(struct addr){ .domain = "b.test" }));
	alias_free(&t);
}

static void
test_nested(void **state)
{
	struct alias_table *t;
	struct faults f;

	(void)state;
	t = read_text("all: staff, dan, alice\n"
	    "staff: alice, team+x, bob\n"
	    "team: bob, carol+lists, bob+own\n"
	    "bob+own: erin\n"
	    "alice: alice, dan\n"
	    "carol: frank\n"
	    "carol+lists: carol+lists, bob\n"
	    "zoe: zoe+x\n"
	    "two: zoe, zoe+y\n"
	    "@a.test: all\n", &f);
	assert_int_equal(f.n, 0);
	check_expand(t, "alice@a.test", "alice@a.test dan@a.test");
	check_expand(t, "team@a.test", "bob@a.test carol+lists@a.test "
	    "erin@a.test");
	check_expand(t, "staff@a.test", "bob@a.test alice@a.test dan@a.test "
	    "carol+lists@a.test erin@a.test");
	check_expand(t, "all@a.test", "dan@a.test bob@a.test alice@a.test "
	    "carol+lists@a.test erin@a.test");
	check_expand(t, "carol@a.test", "frank@a.test");
	/* A tag of its own leads to its mailbox, as the address does. */
	check_expand(t, "zoe@a.test", "zoe+x@a.test");
	check_expand(t, "two@a.test", "zoe+x@a.test");
	/* No catch-all within, though everything is in one. */
	check_expand(t, "@a.test", "dan@a.test bob@a.test alice@a.test "
	    "carol+lists@a.test erin@a.test");
	alias_free(&t);
}

/* Which lines are refused; the others lead where they can. */
static void
test_loops(void **state)
{
	static const struct { const char *text, *lines; } cases[] = {
		{ "a: a\n", "" }, { "a: a, b\nb: b\n", "" },
		{ "a: b\nb: a\n", "12" }, { "a: b\nb: c\nc: a\n", "123" },
		{ "a: b, x\nb: y, a\nc: a, z\n", "12" },
		{ "a: b+t\nb: a+u\n", "12" }, { "a: b\nb+t: a\n", "" },
		{ "a: b+t\nb+t: a\nb: x\n", "12" },
		{ "a: b\nb: a\nc: d\nd: c\ne: a, c\n", "1234" },
		{ "a: b\nb: c, d\nc: b\nd: x\n", "23" },
		{ "a: b, c\nb: d\nc: d\nd: x\n", "" },
		{ "a: b\nb: c\nc: d, a\nd: e, b\ne: e, x\n", "1234" },
		{ "@a.test: a\na: b\n", "" },
		{ "a: b, c\nb: a\nc: a, d\nd: x\n", "123" },
	};
	struct alias_table *t;
	struct faults f;
	char lines[64];
	size_t i, j, n;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		t = read_text(cases[i].text, &f);
		for (j = n = 0; j < alias_count(t); j++)
			if (alias_at(t, j)->refused)
				lines[n++] = (char)('0' + alias_at(t, j)->line);
		lines[n] = '\0';
		if (strcmp(lines, cases[i].lines) != 0)
			fail_msg("%s: %s %s", cases[i].text, lines, f.text);
		assert_int_equal(alias_refused(t), n);
		assert_int_equal(f.n, n);
		assert_int_equal(alias_errors(t), 0);
		alias_free(&t);
	}
	t = read_text("a: b, x\nb: y, a\nc: a, z\n", &f);
	check_expand(t, "a@a.test", "");
	check_expand(t, "c@a.test", "z@a.test");
	assert_non_null(strstr(f.text, "1 a@a.test: a loop: b@a.test leads"));
	assert_non_null(strstr(f.text, "2 b@a.test: a loop: a@a.test leads"));
	alias_free(&t);
}

/* A chain of n aliases, the first leading into the second and so on. */
static struct alias_table *
read_chain(size_t n, struct faults *f)
{
	char *text = malloc(n * 32), *p = text;
	struct alias_table *t;
	size_t i;

	for (i = 0; i < n; i++)
		p += sprintf(p, "a%zu: a%zu\n", i, i + 1);
	t = read_text(text, f);
	free(text);
	return t;
}

static void
test_depth(void **state)
{
	struct alias_table *t;
	struct faults f;

	(void)state;
	t = read_chain(10, &f);
	assert_int_equal(f.n, 0);
	check_expand(t, "a0@a.test", "a10@a.test");
	alias_free(&t);
	t = read_chain(12, &f);
	assert_int_equal(f.n, 2);
	assert_non_null(strstr(f.text, "2 a1@a.test: 11 aliases one in the "));
	assert_non_null(strstr(f.text, "1 a0@a.test: 12 aliases one in the "));
	check_expand(t, "a1@a.test", "");
	check_expand(t, "a2@a.test", "a12@a.test");
	alias_free(&t);
	/* Deep enough to end a program that recurses. */
	conf.alias_depth = 100000;
	t = read_chain(99999, &f);
	assert_int_equal(f.n, 0);
	check_expand(t, "a0@a.test", "a99999@a.test");
	alias_free(&t);
	conf.alias_depth = 10;
}

static int
count_member(void *arg, const struct alias_member *m)
{
	size_t *n = arg;

	(void)m;
	(*n)++;
	return 0;
}

static int
stop_at_two(void *arg, const struct alias_member *m)
{
	size_t *n = arg;

	*m->told = true;
	return ++*n == 2 ? 7 : 0;
}

static void
test_members(void **state)
{
	struct alias_table *t;
	struct faults f;
	size_t n = 0;

	(void)state;
	conf.alias_members = 3;
	t = read_text("x: a, b, c, a\ny: x, d\nz: y\n", &f);
	assert_int_equal(f.n, 0);
	assert_int_equal(alias_expand(t, find(t, "x@a.test"), count_member,
	    &n), 0);
	assert_int_equal(n, 3);
	n = 0;
	assert_int_equal(alias_expand(t, find(t, "z@a.test"), count_member,
	    &n), ALIAS_TOO_MANY);
	assert_int_equal(n, 3);
	n = 0;
	assert_int_equal(alias_expand(t, find(t, "x@a.test"), stop_at_two,
	    &n), 7);
	assert_int_equal(n, 2);
	alias_free(&t);
	conf.alias_members = 1000;
}

static void
test_leads_to(void **state)
{
	static const struct { const char *from, *login; bool want; } rows[] = {
		{ "sales", "alice", true }, { "sales", "bob", true },
		{ "sales", "carol", false }, { "sales", "sales", false },
		{ "all", "alice", true }, { "all", "dan", true },
		{ "all", "nobody", false }, { "all", "bo", false },
		{ "dan", "dan", true }, { "dan", "erin", true },
		{ "erin", "dan", false }, { "erin", "erin", false },
		{ "loop", "alice", false }, { "pool", "alice", false },
		{ "by", "alice", false }, { "by", "frank", true },
	};
	char from[64], login[64];
	struct alias_table *t;
	struct addr a;
	struct faults f;
	size_t i;

	(void)state;
	t = read_text("sales: alice, bob+sales\nall: sales, dan\n"
	    "dan: dan, erin\nerin: gina\nloop: pool, alice\n"
	    "pool: loop, alice\nby: loop, frank\n@a.test: alice\n", &f);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(from, sizeof(from), "%s@a.test", rows[i].from);
		snprintf(login, sizeof(login), "%s@a.test", rows[i].login);
		addr_split(login, &a);
		if (strcmp(rows[i].login, "erin") == 0 &&
		    strcmp(rows[i].from, "dan") == 0)
			continue;	/* erin is an alias: see below */
		if (alias_leads_to(t, find(t, from), &a) != rows[i].want)
			fail_msg("%s %s", from, login);
	}
	addr_split("erin@a.test", &a);
	assert_false(alias_leads_to(t, find(t, "dan@a.test"), &a));
	addr_split("gina@a.test", &a);
	assert_true(alias_leads_to(t, find(t, "dan@a.test"), &a));
	addr_split("alice@b.test", &a);
	assert_false(alias_leads_to(t, find(t, "sales@a.test"), &a));
	addr_split("alice@a.test", &a);
	assert_false(alias_leads_to(t, find(t, "@a.test"), &a));
	alias_free(&t);
}

/* A From: that names one alias many times costs one walk. */
static void
test_leads_to_again(void **state)
{
	struct faults f;
	struct alias_table *t = read_text("team: ann, bob\nall: team\n", &f);
	struct addr ann, bob, eve;
	uint32_t walks;

	(void)state;
	addr_split("ann@a.test", &ann);
	addr_split("bob@a.test", &bob);
	addr_split("eve@a.test", &eve);
	assert_true(alias_leads_to(t, find(t, "all@a.test"), &ann));
	walks = t->stamp;
	assert_true(alias_leads_to(t, find(t, "all@a.test"), &ann));
	assert_int_equal(t->stamp, walks);
	/* What is known of one says nothing of another. */
	assert_false(alias_leads_to(t, find(t, "all@a.test"), &eve));
	assert_true(alias_leads_to(t, find(t, "all@a.test"), &bob));
	assert_int_equal(t->stamp, walks + 1);
	assert_true(alias_leads_to(t, find(t, "all@a.test"), &ann));
	assert_true(alias_leads_to(t, find(t, "team@a.test"), &ann));
	assert_int_equal(t->stamp, walks + 3);
	alias_free(&t);
}

static void
test_address(void **state)
{
	struct addr a;
	bool all;

	(void)state;
	assert_null(alias_address(&conf, "Bob", 3, &a, NULL));
	assert_string_equal(a.domain, "a.test");
	assert_null(alias_address(&conf, "@B.test", 7, &a, &all));
	assert_true(all);
	assert_string_equal(a.local, "");
	assert_string_equal(a.domain, "b.test");
	assert_non_null(alias_address(&conf, "@b.test", 7, &a, NULL));
	assert_non_null(alias_address(&conf, "", 0, &a, &all));
	assert_non_null(alias_address(&conf, "@", 1, &a, &all));
	assert_null(alias_address(&conf, "bob@b.test", 10, &a, &all));
	assert_false(all);
	assert_non_null(alias_address(&conf, "bob\0@b.test", 11, &a, &all));
}

/* Many entries: soon read, and all of them found. */
static void
test_many(void **state)
{
	const size_t n = 100000;
	char *text = malloc(n * 80), *p = text, name[32];
	struct timespec from, to;
	struct alias_table *t;
	struct faults f;
	double took;
	size_t i;

	(void)state;
	for (i = 0; i < n; i++)
		p += sprintf(p, "alias%zu@a.test: user%zu@a.test, "
		    "user%zu@b.test\n", i, i % 1000, i);
	clock_gettime(CLOCK_MONOTONIC, &from);
	t = read_text(text, &f);
	clock_gettime(CLOCK_MONOTONIC, &to);
	took = (double)(to.tv_sec - from.tv_sec) +
	    (double)(to.tv_nsec - from.tv_nsec) / 1e9;
	print_message("# %zu entries in %.3f s\n", n, took);
	/* Far more than it takes, far less than by a slow way. */
	assert_true(took < 20);
	assert_int_equal(f.n, 0);
	assert_int_equal(alias_count(t), n);
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "alias%zu@a.test", i);
		assert_string_equal(find(t, name)->address, name);
	}
	assert_null(find(t, "alias100000@a.test"));
	free(text);
	alias_free(&t);
}

static void
test_too_big(void **state)
{
	struct faults f = { .n = 0 };
	char *text;

	(void)state;
	text = calloc(1, ALIAS_FILE_MAX + 1);
	memset(text, '\n', ALIAS_FILE_MAX + 1);
	errno = 0;
	assert_null(alias_read(text, ALIAS_FILE_MAX + 1, &conf, on_fault, &f));
	assert_int_equal(errno, EFBIG);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_neighbours),
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_loops),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_leads_to),
		cmocka_unit_test(test_leads_to_again),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_too_big),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
