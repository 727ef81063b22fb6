/* SPDX-License-Identifier: ISC */
/*
 * The decoder of messages against a model that looks at the whole text at
 * once. The first octets: size limit; line limit, 64: in chunks, 128: binary;
 * how the text is cut, 128: UTF-8 in the header.
 */
#include "smtpd/data.h"
#include "t/fuzz/fuzz.h"

struct model {
	enum data_end	end;
	size_t		used;		/* octets up to the end */
	uint8_t		*out;
	size_t		len;
	size_t		raw;		/* of them before a binary body */
	int		cr;		/* one waits for its LF */
};

/* Line by line: where it ends, what it holds. */
static struct model
model_run(const uint8_t *p, size_t len, int chunked, int binary)
{
	struct model	 m = { DATA_MORE, len, malloc(len + 1), 0, SIZE_MAX,
	    0 };
	size_t		 i = 0, n, k;

	CHECK(m.out != NULL);
	while (i < len) {
		if (binary && m.raw == SIZE_MAX && (m.len == 2 || m.len > 3) &&
		    memcmp(m.out + m.len - (m.len == 2 ? 2 : 4), "\r\n\r\n",
		    m.len == 2 ? 2 : 4) == 0)
			m.raw = m.len;
		if (m.raw != SIZE_MAX) {
			memcpy(m.out + m.len, p + i, len - i);
			m.len += len - i;
			return m;
		}
		for (n = i; n < len && p[n] != '\r' && p[n] != '\n'; n++)
			;
		k = !chunked && i < n && p[i] == '.';
		memcpy(m.out + m.len, p + i + k, n - i - k);
		m.len += n - i - k;
		m.cr = n < len && p[n] == '\r' && n + 1 == len;
		if (n == len || m.cr)
			return m;
		if (p[n] == '\n' || p[n + 1] != '\n') {
			m.end = DATA_BARE;
			m.used = p[n] == '\n' ? n + 1 : n + 2;
			return m;
		}
		if (k == 1 && n == i + 1) {
			m.end = DATA_END;
			m.used = n + 2;
			return m;
		}
		memcpy(m.out + m.len, "\r\n", 2);
		m.len += 2;
		i = n + 2;
	}
	return m;
}

/* What is wrong with decoded text; whole lines and an open one. */
static enum data_fault
judge(const struct model *m, size_t size_max, size_t line_max, int utf8)
{
	const uint8_t	*p = m->out;
	size_t		 i, line = 0, len = m->len;
	int		 header = 1, is_long = 0, eight = 0, bad = 0;

	if (len > size_max)
		return DATA_TOO_BIG;
	if (m->raw < len)
		len = m->raw;
	for (i = 0; i < len; i++) {
		if (p[i] == '\r') {
			bad |= header && !utf8_is_valid(p + i - line, line);
			header = header && line > 0;
			line = 0;
			i++;
			continue;
		}
		line++;
		is_long |= line_max != 0 && line > line_max;
		eight |= header && p[i] > 127;
	}
	bad |= header && !utf8_is_valid(p + len - line, line);
	if (memchr(p, 0, len) != NULL)
		return DATA_NUL;
	if (is_long)
		return DATA_LONG_LINE;
	if (utf8)
		return bad ? DATA_NOT_UTF8 : DATA_SOUND;
	return eight ? DATA_EIGHT_BIT : DATA_SOUND;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz	 f = { data, size };
	size_t		 size_max = (size_t)fuzz_octet(&f) * 4;
	uint8_t		 how = fuzz_octet(&f), cut = fuzz_octet(&f), *piece;
	size_t		 line_max = how % 64, n, used, made;
	struct model	 m = model_run(f.p, f.len, how & 64, how & 128);
	enum data_end	 end = DATA_MORE;
	struct data	 d;
	size_t		 total = 0, len = 0;
	uint8_t		*out = malloc(f.len + 1), *dst;

	CHECK(out != NULL);
	data_init(&d, size_max, line_max);
	d.chunked = (how & 64) != 0;
	d.binary = (how & 128) != 0;
	d.utf8 = (cut & 128) != 0;
	while (f.len > 0 && end == DATA_MORE) {
		n = cut == 0 ? f.len : 1 + (cut * (total + 7u)) % 13;
		piece = fuzz_take(&f, n, &n);
		dst = malloc(n + 1);
		CHECK(dst != NULL);
		end = data_decode(&d, piece, n, dst, &used, &made);
		CHECK(used <= n && made <= n + 1 && used > 0);
		CHECK(end != DATA_MORE || used == n);
		memcpy(out + len, dst, made);
		len += made;
		total += used;
		free(dst);
		free(piece);
	}
	CHECK(end == m.end && total == m.used);
	if (end != DATA_BARE) {		/* the session ends on that */
		CHECK(d.size == m.len);
		CHECK(d.fault != DATA_SOUND || len == m.len);
		end = data_finish(&d);
		CHECK(!d.chunked || (end == DATA_BARE) == m.cr);
		CHECK(d.fault == judge(&m, size_max, line_max, cut & 128));
	}
	CHECK(len <= m.len && memcmp(out, m.out, len) == 0);
	free(out);
	free(m.out);
	return 0;
}
