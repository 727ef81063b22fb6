/* SPDX-License-Identifier: ISC */
/*
 * Header fields for lists, run by retrieve-reader on text that anyone may
 * have written.
 */
#include <stdlib.h>
#include <string.h>

#include "mail/header.h"
#include "retrieve/fields.h"
#include "retrieve/httpdate.h"
#include "retrieve/reader_proto.h"
#include "retrieve/visible.h"

enum { FROM, TO, SUBJECT, NAMES };

static const char *const names[NAMES] = { "from", "to", "subject" };
static const size_t sizes[NAMES] = {
	sizeof(((struct reader_row *)0)->from),
	sizeof(((struct reader_row *)0)->to),
	sizeof(((struct reader_row *)0)->subject),
};

struct values {
	char	 text[NAMES][2048];
	bool	 seen[NAMES];
	bool	 date_seen;
	bool	 dated;
	int64_t	 date;
};

static void
take_field(struct values *v, const struct header_field *f)
{
	char	raw[8192];
	size_t	n;
	int	i;

	for (i = 0; i < NAMES; i++) {
		if (v->seen[i] || !header_is(f, names[i]))
			continue;
		v->seen[i] = true;
		n = header_unfold(f, raw, sizeof(raw));
		visible_copy(v->text[i], sizes[i], raw, n);
		return;
	}
	if (!v->date_seen && header_is(f, "date")) {
		v->date_seen = true;
		n = header_unfold(f, raw, sizeof(raw));
		v->dated = httpdate_parse_mail((struct span){ raw, n },
		    &v->date) == 0;
	}
}

static struct fields *
pack(const struct values *v)
{
	const char	*at[NAMES];
	struct fields	*f;
	size_t		 size = sizeof(*f), n;
	char		*p;
	int		 i;

	for (i = 0; i < NAMES; i++)
		size += strlen(v->text[i]) + 1;
	if ((f = malloc(size)) == NULL)
		return NULL;
	f->size = size;
	f->date = v->date;
	f->dated = v->dated;
	p = f->text;
	for (i = 0; i < NAMES; i++) {
		n = strlen(v->text[i]) + 1;
		at[i] = memcpy(p, v->text[i], n);
		p += n;
	}
	f->from = at[FROM];
	f->to = at[TO];
	f->subject = at[SUBJECT];
	return f;
}

struct fields *
fields_read(const char *data, size_t len)
{
	struct header_search	search = { 0, 0 };
	struct header_field	f;
	struct values		v;
	size_t			end, pos = 0;

	memset(&v, 0, sizeof(v));
	(void)header_find_end(&search, data, len, true, &end);
	while (header_next(data, end, &pos, &f))
		take_field(&v, &f);
	return pack(&v);
}
