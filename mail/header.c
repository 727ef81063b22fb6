/* SPDX-License-Identifier: ISC */
/*
 * Header blocks, see header.h. Runs in store, reader and retrieve-session, on
 * text that any client may have written.
 */
#include "mail/header.h"

#include <string.h>

#include "lib/str.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * Does the line open a field: one or more octets 33 to 126 but the colon,
 * blanks (obsolete, section 4.5), colon? Length of the name, or 0.
 */
static size_t
name_length(const char *line, size_t len, size_t *value)
{
	size_t n = 0, i;

	while (n < len && line[n] > 32 && line[n] < 127 && line[n] != ':')
		n++;
	for (i = n; i < len && is_blank(line[i]); i++)
		;
	if (i == len || line[i] != ':')
		return 0;
	*value = i + 1;
	return n;
}

/* The octets of a line without its line end. */
static size_t
line_length(const char *line, size_t len)
{
	if (len > 0 && line[len - 1] == '\n')
		len--;
	if (len > 0 && line[len - 1] == '\r')
		len--;
	return len;
}

bool
header_may_begin(const char *line, size_t len)
{
	size_t n = 0;

	while (n < len && line[n] > 32 && line[n] < 127 && line[n] != ':')
		n++;
	while (n > 0 && n < len && is_blank(line[n]))
		n++;
	return n == len;
}

/* Judge the line of len octets that starts at offset at. */
static enum header_end
judge(const char *text, size_t at, size_t len)
{
	size_t n = line_length(text + at, len), value;

	if (n == 0)
		return HEADER_BLANK;
	if (is_blank(text[at]) && at > 0)
		return HEADER_MORE;
	return name_length(text + at, n, &value) > 0 ? HEADER_MORE :
	    HEADER_BROKEN;
}

enum header_end
header_find_end(struct header_search *s, const char *text, size_t len,
    bool eof, size_t *end)
{
	const char *lf;
	size_t n;
	enum header_end r;

	for (;;) {
		n = s->line + s->seen;
		lf = n < len ? memchr(text + n, '\n', len - n) : NULL;
		if (lf == NULL) {
			s->seen = len - s->line;
			*end = s->line;
			if (!eof)
				return HEADER_MORE;
			if (s->line == len)
				return HEADER_BROKEN;
			lf = text + len - 1;
		}
		*end = s->line;
		n = (size_t)(lf + 1 - text) - s->line;
		if ((r = judge(text, s->line, n)) != HEADER_MORE)
			return r;
		s->line += n;
		s->seen = 0;
	}
}

bool
header_next(const char *block, size_t len, size_t *pos,
    struct header_field *f)
{
	const char *line = block + *pos, *end = block + len, *lf;
	size_t value;

	if (*pos >= len)
		return false;
	for (lf = line; (lf = memchr(lf, '\n', (size_t)(end - lf))) != NULL;) {
		lf++;
		if (lf == end || !is_blank(*lf))
			break;
	}
	if (lf == NULL)
		lf = end;
	f->name = line;
	f->name_len = name_length(line, (size_t)(lf - line), &value);
	if (f->name_len == 0)
		return false;	/* not a block */
	f->value = line + value;
	f->value_len = line_length(f->value, (size_t)(lf - f->value));
	*pos = (size_t)(lf - block);
	return true;
}

bool
header_is(const struct header_field *f, const char *name)
{
	return f->name_len == strlen(name) &&
	    str_caseeqn(f->name, name, f->name_len);
}

size_t
header_unfold(const struct header_field *f, char *dst, size_t size)
{
	size_t i, n = 0;
	char c;

	for (i = 0; i < f->value_len && n + 1 < size; i++) {
		c = f->value[i];
		if (c == '\n' || (c == '\r' && i + 1 < f->value_len &&
		    f->value[i + 1] == '\n'))
			continue;
		if (n > 0 || !is_blank(c))
			dst[n++] = c;
	}
	while (n > 0 && is_blank(dst[n - 1]))
		n--;
	dst[n] = '\0';
	return n;
}
