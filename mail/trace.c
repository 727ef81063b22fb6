/* SPDX-License-Identifier: ISC */
/*
 * Trace fields, see trace.h. Runs in the store; the strings come from a
 * session and are not trusted: what could end a line, a comment or a clause
 * is replaced.
 */
#include "mail/trace.h"

#include <stdio.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/str.h"
#include "mail/date.h"

#define WORD_MAX	256
#define FOLD		78	/* RFC 5322 section 2.1.1 */

struct line {
	struct buf	*b;
	size_t		 column;
	int		 r;
};

/*
 * Copy a word, only letters, digits and "-._:" kept, the others become '_';
 * a pair of brackets around it stays.
 */
static const char *
clean(const char *s, char *dst)
{
	size_t i, len = strlen(s);
	bool bracket = len > 1 && s[0] == '[' && s[len - 1] == ']', keep;
	char c;

	if (len > WORD_MAX - 1)
		len = WORD_MAX - 1;
	for (i = 0; i < len; i++) {
		c = s[i];
		keep = str_is_alnum(c) || (c != '\0' &&
		    strchr("-._:", c) != NULL) ||
		    (bracket && (i == 0 || i == len - 1));
		dst[i] = keep ? c : '_';
	}
	dst[len] = '\0';
	return len > 0 ? dst : "unknown";
}

/* Append a clause, on a new line when this one would grow too long. */
static void
put(struct line *l, const char *text)
{
	size_t len = strlen(text);

	if (l->column > 0 && l->column + 1 + len > FOLD) {
		l->r |= buf_addf(l->b, "\n\t%s", text);
		l->column = 8 + len;
		return;
	}
	l->r |= buf_addf(l->b, "%s%s", l->column > 0 ? " " : "", text);
	l->column += len + (l->column > 0 ? 1 : 0);
}

static void
put_from(struct line *l, const struct trace *t)
{
	char word[WORD_MAX], text[WORD_MAX + 16];

	put(l, "Received: from");
	if (t->client == NULL) {
		put(l, "withheld.invalid");
		return;
	}
	put(l, clean(t->helo, word));
	snprintf(text, sizeof(text), "([%s])", clean(t->client, word));
	put(l, text);
}

static void
put_by(struct line *l, const struct trace *t)
{
	char version[WORD_MAX], cipher[WORD_MAX], text[2 * WORD_MAX + 32];
	const char *v;

	snprintf(text, sizeof(text), "by %s", clean(t->hostname, version));
	put(l, text);
	snprintf(text, sizeof(text), "with %s", clean(t->protocol, version));
	put(l, text);
	if (t->tls_version[0] != '\0') {
		v = clean(t->tls_version, version);
		if (strncmp(v, "TLSv", 4) == 0) {
			memmove(version + 3, version + 4,
			    strlen(version + 4) + 1);
		}
		snprintf(text, sizeof(text), "(%s:%s:%u)", v,
		    clean(t->tls_cipher, cipher), t->tls_bits);
		put(l, text);
	}
	snprintf(text, sizeof(text), "id %s%s", clean(t->id, version),
	    t->rcpt == NULL ? ";" : "");
	put(l, text);
}

int
trace_write(struct buf *b, const struct trace *t)
{
	struct line l = { .b = b };
	char addr[2 * ADDR_MAX], text[2 * ADDR_MAX + 16], date[DATE_MAX];

	l.r = buf_addf(b, "Return-Path: <%s>\n",
	    addr_format(t->from, addr, sizeof(addr)));
	if (t->mailbox != NULL)
		l.r |= buf_addf(b, "Delivered-To: %s\n",
		    addr_format(t->mailbox, addr, sizeof(addr)));
	put_from(&l, t);
	put_by(&l, t);
	if (t->rcpt != NULL) {
		snprintf(text, sizeof(text), "for <%s>;",
		    addr_format(t->rcpt, addr, sizeof(addr)));
		put(&l, text);
	}
	put(&l, date_format(t->now, date, sizeof(date)));
	l.r |= buf_add(b, "\n", 1);
	return l.r;
}

int
trace_write_date(struct buf *b, const struct trace *t)
{
	char date[DATE_MAX];

	return buf_addf(b, "Date: %s\n", date_format(t->now, date,
	    sizeof(date)));
}

int
trace_write_message_id(struct buf *b, const struct trace *t)
{
	char id[WORD_MAX], host[WORD_MAX];

	return buf_addf(b, "Message-ID: <%s@%s>\n", clean(t->id, id),
	    clean(t->hostname, host));
}
