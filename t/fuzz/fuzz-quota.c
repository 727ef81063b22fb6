/* SPDX-License-Identifier: ISC */
/*
 * Files of quotas: what other programs and hands may have left there. What
 * is read is what is written again, and no sum goes below or beyond.
 */
#include "mail/quota.h"
#include "t/fuzz/fuzz.h"

static void
again(const struct quota_limits *l, const struct quota_use *u)
{
	char			 text[2 * QUOTA_LINE_MAX];
	struct quota_limits	 same;
	struct quota_sizes	 s;
	size_t			 n;

	n = quota_limits_format(l, text);
	CHECK(n == strlen(text) && n < QUOTA_LINE_MAX);
	CHECK(quota_limits_parse(text, n, &same) == 0);
	CHECK(quota_limits_same(l, &same));
	n = quota_sizes_format(l, u, text);
	CHECK(n == strlen(text) && n < sizeof(text));
	CHECK(quota_sizes_parse(text, n, &s) == 0 && s.lines == 1);
	CHECK(quota_limits_same(l, &s.limits));
	CHECK(s.use.bytes == u->bytes && s.use.messages == u->messages);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct quota_use nothing;
	const char		*text = (const char *)data;
	struct quota_limits	 l = { 1, 2 };
	struct quota_sizes	 s;

	if (quota_limits_parse(text, size, &l) == 0) {
		CHECK(l.bytes <= INT64_MAX && l.messages <= INT64_MAX);
		again(&l, &nothing);
	} else
		CHECK(l.bytes == 1 && l.messages == 2);
	if (quota_sizes_parse(text, size, &s) == -1)
		return 0;
	CHECK(size < QUOTA_SIZES_MAX && text[size - 1] == '\n');
	CHECK(s.lines > 0 && s.lines < size);
	CHECK(s.use.bytes <= INT64_MAX && s.use.messages <= INT64_MAX);
	again(&s.limits, &s.use);
	CHECK(quota_fits(&s.limits, &nothing, &nothing, s.limits.bytes));
	if (s.use.bytes > s.limits.bytes && s.limits.bytes != 0)
		CHECK(!quota_fits(&s.limits, &s.use, &nothing, 0));
	quota_use_add(&s.use, UINT64_MAX, UINT64_MAX);
	CHECK(s.use.bytes == INT64_MAX && s.use.messages == INT64_MAX);
	return 0;
}
