/* SPDX-License-Identifier: ISC */
/*
 * BASE64 in both forms, and Basic: what is decoded is encoded as it was.
 */
#include "lib/base64.h"
#include "retrieve/basic.h"
#include "t/fuzz/fuzz.h"

static void
check_basic(const char *s, size_t len)
{
	unsigned char	plain[512];
	struct span	v = { s, len };
	size_t		n = basic_to_plain(v, plain, sizeof(plain));

	CHECK(n <= sizeof(plain));
	if (n == 0)
		return;
	/* NUL user NUL password */
	CHECK(n >= 2 && plain[0] == 0);
	CHECK(memchr(plain + 1, 0, n - 1) != NULL);
}

/* Octets to text and back; text that is taken comes out the same. */
static void
check_form(enum base64 form, const uint8_t *data, size_t size)
{
	char	*text = malloc(BASE64_SIZE(size));
	uint8_t	*raw = malloc(size + 1);
	size_t	 n;
	ssize_t	 m;

	CHECK(text != NULL && raw != NULL);
	n = base64_encode(form, data, size, text);
	CHECK(n < BASE64_SIZE(size) && strlen(text) == n);
	CHECK(base64_decode(form, text, n, raw, size) == (ssize_t)size);
	CHECK(size == 0 || memcmp(raw, data, size) == 0);
	m = base64_decode(form, (const char *)data, size, raw, size);
	if (m >= 0) {
		CHECK((size_t)m <= size);
		n = base64_encode(form, raw, (size_t)m, text);
		CHECK(n == size && (n == 0 || memcmp(text, data, n) == 0));
		CHECK(m == 0 || base64_decode(form, (const char *)data, size,
		    raw, (size_t)m - 1) == -1);
	}
	free(text);
	free(raw);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_form(BASE64_PADDED, data, size);
	check_form(BASE64_URL, data, size);
	check_basic((const char *)data, size);
	return 0;
}
