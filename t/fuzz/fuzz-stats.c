/* SPDX-License-Identifier: ISC */
/*
 * A stats file, of whatever octets: what is taken of it can be summed and
 * written, and is within bounds. With a first octet that is odd the head is
 * a good one, so that values are reached.
 */
#include "admin/numbers.h"
#include "admin/scrape.h"
#include "lib/buf.h"
#include "t/fuzz/fuzz.h"

#define NOW	1800000000ULL

static void
check_request(const uint8_t *data, size_t len)
{
	char	*s = fuzz_string(data, len);
	size_t	 head = scrape_head(s, len);
	int	 code;

	CHECK(head <= len);
	if (head > 0) {
		code = scrape_judge(s, head);
		CHECK(code == 200 || code == 400 || code == 404 ||
		    code == 405 || code == 505);
		CHECK(code != 200 || memmem(s, head, "/metrics", 8) != NULL);
	}
	free(s);
}

static void
check_text(struct numbers *n)
{
	struct buf	b;

	buf_init(&b, 1 << 20);
	CHECK(numbers_openmetrics(n, &b) == 0);
	CHECK(memcmp(buf_data(&b) + b.len - 6, "# EOF\n", 6) == 0);
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct numbers	 n;
	struct fuzz		 f = { data, size };
	struct stats_page	 p;
	struct stats_head	 good;
	uint8_t			*head, *values;
	size_t			 hlen, vlen;
	bool			 use = fuzz_octet(&f) & 1;
	int			 r;

	check_request(f.p, f.len);
	stats_head_make(&good, ROLE_SMTPD_SESSION, 1, 1, NOW);
	head = fuzz_take(&f, use ? 0 : sizeof(good), &hlen);
	values = fuzz_take(&f, STATS_VALUES_SIZE, &vlen);
	r = stats_decode(use ? (void *)&good : head, use ? sizeof(good) :
	    hlen, values, vlen, NOW, &p);
	if (r == 0) {
		memset(&n, 0, sizeof(n));
		n.now = NOW;
		for (size_t i = 0; i < NUMBERS_SERVICES; i++) {
			n.service[i].name = "x";
			n.service[i].roles = (1U << ROLE_COUNT) - 1;
			n.service[i].state = NUMBERS_UP;
			stats_sum(n.service[i].value, &p, true);
			stats_sum(n.service[i].value, &p, i > 0);
		}
		for (size_t i = 0; i < STATS_SLOTS; i++)
			CHECK(n.service[0].value[i] <= STATS_MAX);
		check_text(&n);
	}
	free(head);
	free(values);
	return 0;
}
