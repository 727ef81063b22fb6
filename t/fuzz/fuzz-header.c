/* SPDX-License-Identifier: ISC */
/*
 * Header blocks, the address lists in them, and whose message it is.
 */
#include "lib/str.h"
#include "mail/header.h"
#include "mail/mailbox.h"
#include "smtpd/store_author.h"
#include "t/fuzz/fuzz.h"

struct seen {
	const struct author	*who;
	int			 n, foreign;
};

static int
on_mailbox(void *arg, const struct mailbox *m)
{
	struct seen	*s = arg;

	CHECK(strlen(m->addr.local) <= ADDR_LOCAL_MAX);
	CHECK(strlen(m->addr.domain) <= ADDR_DOMAIN_MAX);
	s->n++;
	s->foreign += !author_owns(s->who, &m->addr);
	return 0;
}

/* How long is the block, found in pieces of `step' octets? */
static enum header_end
find(const char *text, size_t len, size_t step, size_t *end)
{
	struct header_search	s = { 0, 0 };
	enum header_end		how = HEADER_MORE;
	size_t			at = 0;
	char			*copy;

	while (how == HEADER_MORE && at < len) {
		at = step > len - at ? len : at + step;
		copy = fuzz_string((const uint8_t *)text, at);
		how = header_find_end(&s, copy, at, at == len, end);
		free(copy);
	}
	return len == 0 ? header_find_end(&s, text, 0, true, end) : how;
}

/* How many lines would any reader take for a From: field? */
static size_t
count_from(const char *block, size_t len)
{
	size_t	i, n = 0, k;

	for (i = 0; i + 4 < len; i++) {
		if ((i > 0 && block[i - 1] != '\n') ||
		    !str_caseeqn(block + i, "from", 4))
			continue;
		for (k = i + 4; k < len && (block[k] == ' ' ||
		    block[k] == '\t'); k++)
			;
		n += k < len && block[k] == ':';
	}
	return n;
}

/* The first From: decides; two of them are refused. */
static void
judge(const char *block, size_t len, const struct author *who)
{
	struct author_facts	facts;
	struct header_field	f;
	struct seen		s = { who, 0, 0 };
	size_t			pos = 0, last = 0, from = 0, sender = 0;
	char			line[200];
	struct addr		a;
	bool			one = true;
	int			r = 0;

	while (header_next(block, len, &pos, &f)) {
		CHECK(pos > last && pos <= len && f.name_len > 0);
		CHECK(f.name >= block && f.value + f.value_len <= block + len);
		CHECK(memchr(f.name, '\n', f.name_len) == NULL);
		last = pos;
		CHECK(header_unfold(&f, line, sizeof(line)) == strlen(line) ||
		    memchr(f.value, 0, f.value_len) != NULL);
		CHECK(strpbrk(line, "\n") == NULL);
		if (header_is(&f, "From") && from++ == 0)
			r = mailbox_list_parse(f.value, f.value_len,
			    on_mailbox, &s);
		if (header_is(&f, "Sender") && sender++ == 0)
			one = mailbox_parse_one(f.value, f.value_len, &a) == 0;
	}
	CHECK(r < 0 || r == s.n);
	if (author_check(block, len, who, 50, &facts) != STORE_OK)
		return;
	CHECK(count_from(block, len) == from && (from == 0 ||
	    (from == 1 && r >= 0 && s.foreign == 0)));
	CHECK(sender <= 1 && one);
	CHECK(sender == 0 || author_owns(who, &a));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct addr login = { "alice", "example.test" };
	static const struct author who = { &login, NULL };
	struct fuzz		 f = { data, size };
	size_t			 step = 1 + fuzz_octet(&f), end = 0, other = 0;
	char			*text = fuzz_string(f.p, f.len);
	enum header_end		 a, b;

	a = find(text, f.len, f.len > 0 ? f.len : 1, &end);
	b = find(text, f.len, step, &other);
	CHECK(a != HEADER_MORE && a == b && end == other && end <= f.len);
	CHECK(end == 0 || text[end - 1] == '\n' || end == f.len);
	judge(text, end, &who);
	(void)mailbox_list_parse(text, f.len, on_mailbox,
	    &(struct seen){ &who, 0, 0 });
	free(text);
	return 0;
}
