/* SPDX-License-Identifier: ISC */
/*
 * A byte buffer with a limit, see buf.h. Any process.
 */
#include "lib/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/str.h"

#define BUF_FIRST	256	/* octets of the first allocation */

void
buf_init(struct buf *b, size_t max)
{
	memset(b, 0, sizeof(*b));
	b->max = max;
}

void
buf_free(struct buf *b)
{
	size_t max = b->max;

	free(b->base);
	buf_init(b, max);
}

void
buf_wipe(struct buf *b)
{
	str_wipe(b->base, b->cap);
	buf_free(b);
}

/* Make room for len more octets behind those that wait. */
static int
buf_reserve(struct buf *b, size_t len)
{
	size_t need, cap;
	unsigned char *p;

	if (len > b->max || b->len > b->max - len) {
		errno = EMSGSIZE;
		return -1;
	}
	need = b->len + len;
	if (b->off + need <= b->cap)
		return 0;
	/* Moving only when half is free keeps the cost per octet constant. */
	if (b->off > 0 && need <= b->cap / 2) {
		memmove(b->base, b->base + b->off, b->len);
		b->off = 0;
		return 0;
	}
	cap = b->cap < BUF_FIRST ? BUF_FIRST : b->cap;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	if ((p = malloc(cap)) == NULL)
		return -1;
	if (b->len > 0)
		memcpy(p, b->base + b->off, b->len);
	/* The old octets may be secret: realloc would leave them behind. */
	str_wipe(b->base, b->base == NULL ? 0 : b->cap);
	free(b->base);
	b->base = p;
	b->off = 0;
	b->cap = cap;
	return 0;
}

int
buf_add(struct buf *b, const void *data, size_t len)
{
	if (len == 0)
		return 0;
	if (buf_reserve(b, len) == -1)
		return -1;
	memcpy(b->base + b->off + b->len, data, len);
	b->len += len;
	return 0;
}

int
buf_addf(struct buf *b, const char *fmt, ...)
{
	char small[512], *big = NULL;
	va_list ap;
	int n, r = -1;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n < 0)
		return -1;
	if ((size_t)n < sizeof(small))
		return buf_add(b, small, (size_t)n);
	if ((size_t)n > b->max) {
		errno = EMSGSIZE;
		return -1;
	}
	if ((big = malloc((size_t)n + 1)) == NULL)
		return -1;
	va_start(ap, fmt);
	n = vsnprintf(big, (size_t)n + 1, fmt, ap);
	va_end(ap);
	if (n >= 0)
		r = buf_add(b, big, (size_t)n);
	free(big);
	return r;
}

const unsigned char *
buf_data(const struct buf *b)
{
	return b->len == 0 ? NULL : b->base + b->off;
}

void
buf_take(struct buf *b, size_t n)
{
	b->off += n;
	b->len -= n;
	if (b->len == 0)
		b->off = 0;
}
