/* SPDX-License-Identifier: ISC */
/*
 * Stored text on its way to a client, against a model that converts it
 * octet by octet. First octets: raw, how it is cut, where the window is.
 */
#include "retrieve/crlf.h"
#include "t/fuzz/fuzz.h"

/* All of it with CRLF; the length. */
static size_t
model(const uint8_t *p, size_t len, int raw, uint8_t *dst)
{
	size_t	i, n = 0;

	for (i = 0; i < len; i++) {
		if (!raw && p[i] == '\n' && (i == 0 || p[i - 1] != '\r'))
			dst[n++] = '\r';
		dst[n++] = p[i];
	}
	return n;
}

/* What of the window comes out, in pieces of `cut' octets. */
static size_t
convert(struct crlf *c, const uint8_t *p, size_t len, size_t cut,
    uint8_t *dst)
{
	size_t	i, n, out = 0;
	uint8_t	*room;

	for (i = 0; i < len && c->left > 0; i += n) {
		n = cut < len - i ? cut : len - i;
		room = malloc(2 * n);
		CHECK(room != NULL);
		cut = crlf_convert(c, p + i, n, room);
		CHECK(cut <= 2 * n);
		memcpy(dst + out, room, cut);
		out += cut;
		cut = n;
		free(room);
	}
	return out;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz	f = { data, size };
	int		raw = fuzz_octet(&f) & 1;
	size_t		cut = 1 + fuzz_octet(&f), first = fuzz_octet(&f);
	size_t		want = fuzz_octet(&f), all, n, i;
	uint8_t		*a = malloc(2 * f.len + 1), *b = malloc(2 * f.len + 1);
	struct crlf	c;
	uint64_t	more = 0;
	bool		cr = false;

	CHECK(a != NULL && b != NULL);
	all = model(f.p, f.len, raw, a);
	for (i = 0; !raw && i < f.len; i += n) {
		n = cut < f.len - i ? cut : f.len - i;
		more += crlf_count(&cr, f.p + i, n);
	}
	CHECK(all == f.len + more);
	first = first < all ? first : all;
	want = want < all - first ? want : all - first;
	crlf_init(&c, raw, first, want);
	n = convert(&c, f.p, f.len, cut, b);
	CHECK(n == want && c.left == 0);
	CHECK(memcmp(a + first, b, n) == 0);
	free(a);
	free(b);
	return 0;
}
