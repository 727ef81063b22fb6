/* SPDX-License-Identifier: ISC */
/*
 * The decoder of messages: an automaton of five states over octets, with a
 * fast path for the stretches between line ends. Runs in smtpd-session;
 * pure; all input is hostile. CR is held back until its LF has come, so
 * that nothing but whole CRLFs is ever written, but in a binary body.
 */
#include <string.h>

#include "lib/str.h"
#include "smtpd/data.h"

struct sink {
	unsigned char	*out;
	size_t		 made;
};

void
data_init(struct data *d, uint64_t size_max, uint64_t line_max)
{
	memset(d, 0, sizeof(*d));
	d->state = DATA_LINE;
	d->header = true;
	d->blank = true;
	d->size_max = size_max;
	d->line_max = line_max;
}

static void
note(struct data *d, enum data_fault f)
{
	if (d->fault == DATA_SOUND || f < d->fault)
		d->fault = f;
}

static void
put(struct data *d, struct sink *k, const void *p, size_t n)
{
	d->size += n;
	if (d->size > d->size_max)
		note(d, DATA_TOO_BIG);
	if (d->fault != DATA_SOUND)
		return;
	memcpy(k->out + k->made, p, n);
	k->made += n;
}

/* Octets of the text of a line of the header. */
static void
check_header(struct data *d, const unsigned char *p, size_t n)
{
	if (d->utf8 && !utf8_stream_add(&d->letters, p, n))
		note(d, DATA_NOT_UTF8);
	else if (!d->utf8 && !str_is_ascii(p, n))
		note(d, DATA_EIGHT_BIT);
}

/* n octets without CR and LF that belong to the text of a line. */
static void
put_text(struct data *d, struct sink *k, const unsigned char *p, size_t n)
{
	d->blank = false;
	d->line += n;
	if (memchr(p, '\0', n) != NULL)
		note(d, DATA_NUL);
	if (d->line_max != 0 && d->line > d->line_max)
		note(d, DATA_LONG_LINE);
	if (d->header)
		check_header(d, p, n);
	put(d, k, p, n);
	d->state = DATA_TEXT;
}

/* A line, or the message, ends here. */
static void
end_letters(struct data *d)
{
	if (!utf8_stream_whole(&d->letters))
		note(d, DATA_NOT_UTF8);
}

static void
put_line_end(struct data *d, struct sink *k)
{
	end_letters(d);
	if (d->blank)
		d->header = false;
	put(d, k, "\r\n", 2);
	d->blank = true;
	d->line = 0;
	d->state = DATA_LINE;
}

/* How many of the len octets come before the first CR or LF? */
static size_t
stretch(const unsigned char *p, size_t len)
{
	const unsigned char *at;

	at = memchr(p, '\r', len);
	if (at != NULL)
		len = (size_t)(at - p);
	at = memchr(p, '\n', len);
	return at != NULL ? (size_t)(at - p) : len;
}

/* One octet that decides about the state. */
static enum data_end
step(struct data *d, struct sink *k, const unsigned char *p)
{
	switch (d->state) {
	case DATA_LINE:
	case DATA_TEXT:
		if (*p == '\n')
			return DATA_BARE;
		if (*p == '\r')
			d->state = DATA_CR;
		else if (*p == '.' && d->state == DATA_LINE && !d->chunked)
			d->state = DATA_DOT;
		else
			put_text(d, k, p, 1);
		return DATA_MORE;
	case DATA_CR:
		if (*p != '\n')
			return DATA_BARE;
		put_line_end(d, k);
		return DATA_MORE;
	case DATA_DOT:
		if (*p == '\n')
			return DATA_BARE;
		if (*p == '\r')
			d->state = DATA_DOT_CR;
		else		/* section 4.5.2: the first dot goes */
			put_text(d, k, p, 1);
		return DATA_MORE;
	case DATA_DOT_CR:
	default:
		return *p == '\n' ? DATA_END : DATA_BARE;
	}
}

/* The next octets that need no look at each. How many there are. */
static size_t
put_stretch(struct data *d, struct sink *k, const unsigned char *p,
    size_t len)
{
	if (d->binary && !d->header) {
		put(d, k, p, len);
		return len;
	}
	if (d->state != DATA_TEXT || (len = stretch(p, len)) == 0)
		return 0;
	put_text(d, k, p, len);
	return len;
}

enum data_end
data_decode(struct data *d, const unsigned char *in, size_t len,
    unsigned char *out, size_t *used, size_t *made)
{
	struct sink k = { out, 0 };
	enum data_end end = DATA_MORE;
	size_t i = 0, n;

	while (i < len && end == DATA_MORE) {
		n = put_stretch(d, &k, in + i, len - i);
		if (n == 0) {
			end = step(d, &k, in + i);
			n = 1;
		}
		i += n;
	}
	*used = i;
	*made = k.made;
	return end;
}

enum data_end
data_finish(struct data *d)
{
	end_letters(d);
	return d->state == DATA_CR ? DATA_BARE : DATA_END;
}
