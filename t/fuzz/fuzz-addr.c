/* SPDX-License-Identifier: ISC */
/*
 * Paths and mailboxes of SMTP: no form of an address leads out of the mail
 * root, each is the same after a trip through every form it is sent in, and
 * what is parsed is in the one form that is compared.
 */
#include "lib/str.h"
#include "lib/utf8.h"
#include "mail/addr.h"
#include "t/fuzz/fuzz.h"

static void
check_path(const struct addr *a)
{
	char	path[4096], *slash;

	if (addr_to_path(a, path, sizeof(path)) == -1)
		return;
	slash = strchr(path, '/');
	CHECK(slash != NULL && strchr(slash + 1, '/') == NULL);
	CHECK(path[0] != '.' && slash[1] != '.');
	CHECK(slash > path && slash[1] != '\0' && strlen(slash + 1) <= 255);
	CHECK(strspn(path, "abcdefghijklmnopqrstuvwxyz0123456789_=.-/%"
	    "ABCDEF") == strlen(path));
}

/* In the one form already, and so are its letters in the other case. */
static void
check_canon(const struct addr *a)
{
	struct addr	b = *a, low;

	CHECK(addr_canon(&b) == 0);
	CHECK(memcmp(a, &b, sizeof(b)) == 0);
	str_lower(b.local);
	low = b;
	CHECK(addr_canon(&b) == 0);
	CHECK(memcmp(&b, &low, sizeof(b)) == 0);
}

static void
check_forms(const struct addr *a)
{
	char		joined[ADDR_MAX + 1], text[2 * ADDR_MAX + 1];
	char		path[2 * ADDR_MAX + 4], lower[4096], upper[4096];
	struct addr	b, c = *a;
	const char	*s;
	size_t		used, len, i, n;
	uint32_t	letter;

	addr_join(a, joined, sizeof(joined));
	/* what the store takes from a session, see smtpd/store_peer.c */
	for (s = joined, len = strlen(s); len > 0; s += n, len -= n) {
		n = utf8_decode(s, len, &letter);
		CHECK(utf8_is_name(letter));
	}
	CHECK(str_is_ascii(a->domain, strlen(a->domain)));
	check_canon(a);
	CHECK(addr_split(joined, &b) == 0);
	CHECK(strcmp(a->local, b.local) == 0);
	CHECK(strcmp(a->domain, b.domain) == 0);
	check_path(a);
	if (a->domain[0] == '\0')
		return;
	addr_format(a, text, sizeof(text));
	CHECK(addr_parse_mailbox(text, strlen(text), &b) == ADDR_OK);
	CHECK(memcmp(a, &b, sizeof(b)) == 0);
	len = (size_t)snprintf(path, sizeof(path), "<%s>", text);
	CHECK(addr_parse_path(path, len, ADDR_FORWARD, &b, &used) == ADDR_OK);
	CHECK(used == len && memcmp(a, &b, sizeof(b)) == 0);
	for (i = 0; c.local[i] != '\0'; i++)
		if (c.local[i] >= 'a' && c.local[i] <= 'z')
			c.local[i] = (char)(c.local[i] - 32);
	CHECK(addr_same(a, &c, false) && addr_same(&c, a, false));
	if (addr_to_path(a, lower, sizeof(lower)) == 0) {
		CHECK(addr_to_path(&c, upper, sizeof(upper)) == 0);
		CHECK(strcmp(lower, upper) == 0);
	}
	addr_strip_tag(&c);
	CHECK(addr_same(a, &c, true));
	check_path(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char	*s = (const char *)data;
	struct addr	 a;
	size_t		 used;
	int		 use;
	char		*text;

	for (use = ADDR_REVERSE; use <= ADDR_FORWARD; use++) {
		if (addr_parse_path(s, size, (enum addr_use)use, &a,
		    &used) != ADDR_OK)
			continue;
		CHECK(used <= size && used >= 2 && s[used - 1] == '>');
		CHECK(use == ADDR_REVERSE || a.local[0] != '\0' ||
		    a.domain[0] != '\0');
		check_forms(&a);
	}
	if (addr_parse_mailbox(s, size, &a) == ADDR_OK)
		check_forms(&a);
	(void)addr_valid_domain(s, size);
	(void)addr_valid_literal(s, size);
	text = fuzz_string(data, size);
	if (addr_split(text, &a) == 0) {
		check_path(&a);
		if (addr_canon(&a) == 0)
			check_canon(&a);
	}
	free(text);
	return 0;
}
