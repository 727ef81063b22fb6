/* SPDX-License-Identifier: ISC */
/*
 * The alias file: any text makes a table in which every entry can be looked
 * up and expanded; what posternctl writes of an entry reads back the same.
 */
#include "admin/alias_edit.h"
#include "lib/conf.h"
#include "t/fuzz/fuzz.h"

static char	 first[] = "a.test", second[] = "b.test";
static char	*domains[] = { first, second };
static const struct conf conf = {
	.domains = { domains, 2 }, .alias_members = 20, .alias_depth = 4,
};

static void
on_fault(void *arg, size_t line, const char *text)
{
	size_t	*lines = arg;

	CHECK(line > 0 && line <= *lines && text[0] != '\0');
}

static int
on_member(void *arg, const struct alias_member *m)
{
	size_t		*n = arg;
	struct addr	 a;
	char		 path[2 * ADDR_MAX];

	CHECK(++*n <= conf.alias_members);
	CHECK(addr_split(m->address, &a) == 0);
	CHECK(addr_to_path(&a, path, sizeof(path)) == 0);
	CHECK(conf_is_local(&conf, a.domain));
	return 0;
}

static struct alias_table *
read_text(const char *text, size_t len)
{
	size_t			 lines = 1, i;
	struct alias_table	*t;

	for (i = 0; i < len; i++)
		lines += text[i] == '\n';
	t = alias_read(text, len, &conf, on_fault, &lines);
	CHECK(t != NULL);
	return t;
}

static const struct alias *
find(const struct alias_table *t, const struct alias *a)
{
	struct addr	addr;

	CHECK(addr_split(a->address, &addr) == 0);
	return a->catch_all ? alias_find_catch_all(t, addr.domain) :
	    alias_find(t, &addr);
}

static void
check_entry(struct alias_table *t, const struct alias *a)
{
	static const struct addr alice = { "alice", "a.test" };
	size_t	members = 0;
	int	r;

	CHECK(find(t, a) == a && a->n > 0 && a->line <= a->last);
	r = alias_expand(t, a, on_member, &members);
	CHECK(r == 0 || r == ALIAS_TOO_MANY);
	CHECK(!a->refused || members == 0);
	CHECK(!a->refused || !alias_leads_to(t, a, &alice));
	(void)alias_leads_to(t, a, &alice);
}

/* Rewrite the entry as it is, then take it out. */
static void
check_rewrite(const char *text, size_t len, const struct alias_table *t,
    const struct alias *a)
{
	const char		*targets[200];
	struct alias_table	*now;
	const struct alias	*b;
	size_t			 i, newlen;
	char			*out;

	if (alias_errors(t) > 0 || a->n > 200)
		return;
	for (i = 0; i < a->n; i++)
		targets[i] = alias_target(t, a, i);
	out = alias_text_with(text, len, a, a->address, targets, a->n,
	    &newlen);
	CHECK(out != NULL);
	now = read_text(out, newlen);
	CHECK(alias_errors(now) == 0 && alias_count(now) == alias_count(t));
	CHECK((b = find(now, a)) != NULL && b->n == a->n);
	for (i = 0; i < a->n; i++)
		CHECK(strcmp(alias_target(now, b, i), targets[i]) == 0);
	alias_free(&now);
	free(out);
	out = alias_text_with(text, len, a, a->address, NULL, 0, &newlen);
	CHECK(out != NULL);
	now = read_text(out, newlen);
	CHECK(alias_errors(now) == 0);
	CHECK(alias_count(now) == alias_count(t) - 1 && find(now, a) == NULL);
	alias_free(&now);
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char			*text = fuzz_string(data, size);
	struct alias_table	*t = read_text(text, size);
	size_t			 i, refused = 0;

	for (i = 0; i < alias_count(t); i++) {
		check_entry(t, alias_at(t, i));
		refused += alias_at(t, i)->refused;
		if (i < 5)
			check_rewrite(text, size, t, alias_at(t, i));
	}
	CHECK(refused == alias_refused(t));
	alias_free(&t);
	free(text);
	return 0;
}
