/* SPDX-License-Identifier: ISC */
/*
 * Reading the alias file, see alias.h: addresses, lines, entries. Runs in
 * smtpd-store and posternctl. Pure; the text is the administrator's, and
 * checked strictly: a mistake must not send mail elsewhere.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/conf.h"
#include "lib/str.h"
#include "mail/alias_impl.h"

#define WORD_MAX	600	/* octets of an address, quotes and all */

enum expect { EXPECT_ADDRESS, EXPECT_COLON, EXPECT_TARGET, EXPECT_COMMA };

struct reader {
	const struct conf	*conf;
	struct alias_table	*t;
	alias_fault_fn		*fault;
	void			*arg;
	size_t			 line;
	enum expect		 expect;
	struct alias		 entry;		/* that is being read */
	bool			 open;		/* there is one */
	bool			 bad;		/* and it has a fault */
};

/* Is there an '@' outside of quotes? */
static bool
has_domain(const char *s, size_t len)
{
	bool quoted = false;
	size_t i;

	for (i = 0; i < len; i++)
		if (quoted && s[i] == '\\')
			i++;
		else if (s[i] == '"')
			quoted = !quoted;
		else if (s[i] == '@' && !quoted)
			return true;
	return false;
}

static const char *
parse_mailbox(const char *s, size_t len, struct addr *out)
{
	enum addr_result r = addr_parse_mailbox(s, len, out);

	if (r == ADDR_OK)
		return NULL;
	return r == ADDR_TOO_LONG ? "too long for an address" :
	    "not an address";
}

/* What sendmail would take for a file, a command or a list. */
static bool
is_special(const char *local)
{
	return strchr("|/:\\", local[0]) != NULL;
}

const char *
alias_address(const struct conf *c, const char *s, size_t len,
    struct addr *out, bool *catch_all)
{
	const char *why, *domain = c->domains.n > 0 ? c->domains.item[0] : "";
	bool all = catch_all != NULL && len > 1 && s[0] == '@';
	bool bare = !all && !has_domain(s, len);
	char full[WORD_MAX], path[2 * ADDR_MAX];
	int n;

	memset(out, 0, sizeof(*out));
	if (catch_all != NULL)
		*catch_all = all;
	if (len + strlen(domain) + 3 > sizeof(full))
		return "too long for an address";
	if (memchr(s, '\0', len) != NULL)
		return "not an address";
	/* Any local part will do for a domain alone. */
	n = snprintf(full, sizeof(full), "%s%.*s%s%s", all ? "x" : "",
	    (int)len, s, bare ? "@" : "", bare ? domain : "");
	if ((why = parse_mailbox(full, (size_t)n, out)) != NULL)
		return why;
	if (bare && is_special(out->local))
		return "not the address of a mailbox";
	if (!conf_is_local(c, out->domain))
		return "its domain is not one of the conf's domains";
	if (addr_to_path(out, path, sizeof(path)) == -1)
		return "not an address";
	if (all)
		out->local[0] = '\0';
	return NULL;
}

static void	fault(struct reader *, size_t, const char *, ...)
		    __attribute__((format(printf, 3, 4)));

static void
fault(struct reader *r, size_t line, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->t->errors++;
	r->bad = true;
	r->fault(r->arg, line, text);
}

/* The entry's lines are over: take it or leave it. */
static int
end_entry(struct reader *r)
{
	struct alias_table *t = r->t;
	struct alias *e = &r->entry;
	uint32_t before;

	if (!r->open)
		return 0;
	r->open = false;
	if (!r->bad && r->expect != EXPECT_COMMA)
		fault(r, e->last, r->expect == EXPECT_TARGET ?
		    "a target is missing" : "a colon is missing");
	if (!r->bad && (before = t->nodes[e->node - 1].entry) != 0)
		fault(r, e->line, "%s stands on line %zu already", e->address,
		    t->entries[before - 1].line);
	if (r->bad)
		return 0;
	e->n = t->ntargets - e->first;
	return alias_add_entry(t, e);
}

static void
begin_entry(struct reader *r)
{
	memset(&r->entry, 0, sizeof(r->entry));
	r->entry.line = r->line;
	r->entry.first = r->t->ntargets;
	r->expect = EXPECT_ADDRESS;
	r->open = true;
	r->bad = false;
}

/* An address of the entry, or a target. 0, or -1 and errno. */
static int
take_word(struct reader *r, const char *s, size_t len)
{
	bool key = r->expect == EXPECT_ADDRESS;
	char shown[128];
	const char *why;
	struct addr a;
	uint32_t node;

	if (!key && r->expect != EXPECT_TARGET) {
		fault(r, r->line, "a %s is missing before \"%s\"",
		    r->expect == EXPECT_COLON ? "colon" : "comma",
		    str_quote(shown, sizeof(shown), s, len));
		return 0;
	}
	why = alias_address(r->conf, s, len, &a,
	    key ? &r->entry.catch_all : NULL);
	if (why != NULL) {
		fault(r, r->line, "\"%s\": %s",
		    str_quote(shown, sizeof(shown), s, len), why);
		return 0;
	}
	if ((node = alias_node(r->t, &a)) == 0)
		return -1;
	r->expect = key ? EXPECT_COLON : EXPECT_COMMA;
	if (!key)
		return alias_add_target(r->t, node);
	r->entry.node = node;
	r->entry.address = r->t->nodes[node - 1].text;
	return 0;
}

static void
take_sign(struct reader *r, char c)
{
	if (c == ':' && r->expect == EXPECT_COLON)
		r->expect = EXPECT_TARGET;
	else if (c == ',' && r->expect == EXPECT_COMMA)
		r->expect = EXPECT_TARGET;
	else if (c == ':' && r->expect >= EXPECT_TARGET)
		fault(r, r->line, "a colon among the targets: they are "
		    "addresses of mailboxes, nothing else");
	else
		fault(r, r->line, "an address is missing before \"%c\"", c);
}

/* The length of the word at s: up to a blank or sign outside of quotes. */
static size_t
word_len(const char *s, size_t len)
{
	bool quoted = false;
	size_t i;

	for (i = 0; i < len; i++)
		if (quoted && s[i] == '\\')
			i++;
		else if (s[i] == '"')
			quoted = !quoted;
		else if (!quoted && (s[i] == ' ' || s[i] == '\t' ||
		    s[i] == ':' || s[i] == ','))
			break;
	return i < len ? i : len;
}

size_t
alias_comment(const char *s, size_t len)
{
	size_t i = 0;

	while (i < len && s[i] != '#')
		i += strchr(" \t:,", s[i]) != NULL ? 1 :
		    word_len(s + i, len - i);
	return i;
}

/* One line, without its end, that is not empty and no comment. */
static int
read_line(struct reader *r, const char *s, size_t len)
{
	size_t n;

	r->entry.last = r->line;
	for (; len > 0 && !r->bad; s += n, len -= n) {
		n = 1;
		if (*s == '#')
			break;
		if (*s == ' ' || *s == '\t')
			continue;
		if (*s == ':' || *s == ',') {
			take_sign(r, *s);
			continue;
		}
		n = word_len(s, len);
		if (take_word(r, s, n) == -1)
			return -1;
	}
	return 0;
}

static int
take_line(struct reader *r, const char *s, size_t len)
{
	size_t blank = 0;

	r->line++;
	if (len > 0 && s[len - 1] == '\r')
		len--;
	while (blank < len && (s[blank] == ' ' || s[blank] == '\t'))
		blank++;
	/* Neither ends an entry, as in aliases(5). */
	if (blank == len || s[blank] == '#')
		return 0;
	if (blank == 0) {
		if (end_entry(r) == -1)
			return -1;
		begin_entry(r);
	} else if (!r->open) {
		begin_entry(r);
		fault(r, r->line, "the line begins with a blank and goes on "
		    "with no entry");
	}
	return read_line(r, s + blank, len - blank);
}

static int
read_all(struct reader *r, const char *s, size_t len)
{
	const char *end = s + len, *lf;

	if (len > ALIAS_FILE_MAX) {
		errno = EFBIG;
		return -1;
	}
	while (s < end) {
		lf = memchr(s, '\n', (size_t)(end - s));
		if (lf == NULL)
			lf = end;
		if (take_line(r, s, (size_t)(lf - s)) == -1)
			return -1;
		s = lf < end ? lf + 1 : end;
	}
	return end_entry(r);
}

struct alias_table *
alias_read(const char *text, size_t len, const struct conf *c,
    alias_fault_fn *fn, void *arg)
{
	struct reader r = { .conf = c, .fault = fn, .arg = arg };
	int saved;

	if ((r.t = calloc(1, sizeof(*r.t))) == NULL)
		return NULL;
	r.t->members_max = c->alias_members;
	r.t->depth_max = c->alias_depth;
	if (read_all(&r, text, len) == 0 && alias_link(r.t) == 0 &&
	    alias_order(r.t, fn, arg) == 0)
		return r.t;
	saved = errno;
	alias_free(&r.t);
	errno = saved;
	return NULL;
}
