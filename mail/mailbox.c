/* SPDX-License-Identifier: ISC */
/*
 * Address lists, see mailbox.h. Runs in the store, where the From: field
 * decides whether a message is taken, and in retrieve-session. What two readers
 * could take for two different lists is refused rather than guessed at.
 */
#include "mail/mailbox.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "lib/str.h"

enum token {
	TOK_END,
	TOK_BAD,
	TOK_ATOM,
	TOK_QUOTED,
	TOK_LITERAL,		/* domain literal, brackets included */
	TOK_SPECIAL		/* one octet */
};

struct lexer {
	const char	*p, *end;	/* what is not read yet */
	enum token	 kind;		/* the present token, */
	const char	*text;		/* where it stands, */
	size_t		 len;		/* its octets, quotes included */
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* atext of RFC 5322 section 3.2.3 and RFC 6532 */
static bool
is_atext(char c)
{
	if ((unsigned char)c >= 0x80)
		return true;
	return c > 32 && c < 127 && strchr("()<>[]:;@\\,.\"", c) == NULL;
}

/* Printable or blank, or an octet over 127. */
static bool
is_text(char c)
{
	return (unsigned char)c >= 0x80 || (c >= 32 && c < 127) || is_blank(c);
}

/* Skip comments, nested or not, and blanks. False: one has no end. */
static bool
skip_cfws(struct lexer *l)
{
	unsigned depth = 0;

	for (; l->p < l->end; l->p++) {
		if (*l->p == '(')
			depth++;
		else if (depth == 0 && !is_blank(*l->p))
			return true;
		else if (!is_text(*l->p))
			return false;
		else if (*l->p == ')')
			depth--;
		else if (*l->p == '\\' && ++l->p == l->end)
			return false;
	}
	return depth == 0;
}

/* Take up to the closing octet, which stands behind no backslash. */
static enum token
lex_enclosed(struct lexer *l, char close, enum token kind)
{
	for (l->p++; l->p < l->end && *l->p != close; l->p++) {
		if (*l->p == '\\' && ++l->p == l->end)
			return TOK_BAD;
		if (!is_text(*l->p) || (close == ']' && *l->p == '['))
			return TOK_BAD;
	}
	if (l->p == l->end)
		return TOK_BAD;
	l->p++;
	return kind;
}

static enum token
lex(struct lexer *l)
{
	if (!skip_cfws(l))
		return TOK_BAD;
	l->text = l->p;
	if (l->p == l->end)
		return TOK_END;
	if (*l->p == '"')
		return lex_enclosed(l, '"', TOK_QUOTED);
	if (*l->p == '[')
		return lex_enclosed(l, ']', TOK_LITERAL);
	if (is_atext(*l->p)) {
		while (l->p < l->end && is_atext(*l->p))
			l->p++;
		return TOK_ATOM;
	}
	if (*l->p == '\0' || strchr("<>:;@,.", *l->p) == NULL)
		return TOK_BAD;
	l->p++;
	return TOK_SPECIAL;
}

static void
next(struct lexer *l)
{
	l->kind = lex(l);
	l->len = (size_t)(l->p - l->text);
}

static bool
is_special(const struct lexer *l, char c)
{
	return l->kind == TOK_SPECIAL && *l->text == c;
}

static bool
is_word(const struct lexer *l)
{
	return l->kind == TOK_ATOM || l->kind == TOK_QUOTED;
}

/* Append the token to dst, quoting undone. False: no room, or a NUL. */
static bool
append(const struct lexer *l, char *dst, size_t *n, size_t max)
{
	const char *s = l->text, *end = l->text + l->len;
	bool quoted = l->kind == TOK_QUOTED;

	if (quoted) {
		s++;
		end--;
	}
	for (; s < end; s++) {
		if (*s == '\n' || *s == '\r')
			continue;
		if (quoted && *s == '\\')
			s++;
		if (*n >= max || *s == '\0')
			return false;
		dst[(*n)++] = *s;
	}
	dst[*n] = '\0';
	return true;
}

/* local-part = word *("." word), blanks between them or not */
static bool
parse_local(struct lexer *l, char *dst)
{
	size_t n = 0;

	for (;; next(l)) {
		if (!is_word(l) || !append(l, dst, &n, ADDR_LOCAL_MAX))
			return false;
		next(l);
		if (!is_special(l, '.'))
			return true;
		if (!append(l, dst, &n, ADDR_LOCAL_MAX))
			return false;
	}
}

/* domain = atom *("." atom) / domain-literal */
static bool
parse_domain(struct lexer *l, char *dst)
{
	size_t n = 0;

	if (l->kind == TOK_LITERAL) {
		if (!append(l, dst, &n, ADDR_DOMAIN_MAX))
			return false;
		next(l);
		return true;
	}
	for (;; next(l)) {
		if (l->kind != TOK_ATOM ||
		    !append(l, dst, &n, ADDR_DOMAIN_MAX))
			return false;
		next(l);
		if (!is_special(l, '.'))
			return true;
		if (!append(l, dst, &n, ADDR_DOMAIN_MAX))
			return false;
	}
}

/* addr-spec = local-part "@" domain */
static bool
parse_spec(struct lexer *l, struct addr *a)
{
	memset(a, 0, sizeof(*a));
	if (!parse_local(l, a->local) || !is_special(l, '@'))
		return false;
	next(l);
	if (!parse_domain(l, a->domain))
		return false;
	str_lower(a->domain);
	return true;
}

/* obs-route = *("," / CFWS) "@" domain *("," ["@" domain]) ":" */
static bool
skip_route(struct lexer *l)
{
	char domain[ADDR_DOMAIN_MAX + 1];

	while (!is_special(l, ':')) {
		if (is_special(l, '@')) {
			next(l);
			if (!parse_domain(l, domain))
				return false;
		} else if (is_special(l, ','))
			next(l);
		else
			return false;
	}
	next(l);
	return true;
}

/* angle-addr; the lexer stands on "<" */
static bool
parse_angle(struct lexer *l, struct addr *a)
{
	next(l);
	if ((is_special(l, '@') || is_special(l, ',')) && !skip_route(l))
		return false;
	if (!parse_spec(l, a) || !is_special(l, '>'))
		return false;
	next(l);
	return true;
}

/*
 * Skip a phrase, or the start of an addr-spec; *words tells whether there
 * was a word. end is set behind the last of it.
 */
static const char *
skip_phrase(struct lexer *l, bool *words)
{
	const char *end = l->text;

	for (*words = false; is_word(l) || (*words && is_special(l, '.'));
	    next(l)) {
		*words = true;
		end = l->p;
	}
	return end;
}

struct list {
	struct lexer	 l;
	bool		 group;		/* within one */
	int		 count;
	mailbox_fn	*fn;
	void		*arg;
};

/* One mailbox, or the head of a group. 0, or as mailbox_list_parse(). */
static int
parse_address(struct list *list)
{
	struct lexer *l = &list->l, start = *l;
	struct mailbox m;
	const char *end;
	bool words;

	memset(&m, 0, sizeof(m));
	end = skip_phrase(l, &words);
	if (words && !list->group && is_special(l, ':')) {
		list->group = true;
		next(l);
		return 0;
	}
	if (is_special(l, '<')) {
		m.name = start.text;
		m.name_len = (size_t)(end - start.text);
		if (!parse_angle(l, &m.addr))
			return -1;
	} else {
		*l = start;
		if (!parse_spec(l, &m.addr))
			return -1;
	}
	if (list->count == INT_MAX || !(l->kind == TOK_END ||
	    is_special(l, ',') || (list->group && is_special(l, ';'))))
		return -1;
	list->count++;
	return list->fn(list->arg, &m) == 0 ? 0 : -2;
}

int
mailbox_list_parse(const char *value, size_t len, mailbox_fn *fn, void *arg)
{
	struct list list = { .l = { .p = value, .end = value + len },
	    .fn = fn, .arg = arg };
	struct lexer *l = &list.l;
	bool any = false;	/* an address or a group */
	int r;

	next(l);
	while (l->kind != TOK_END) {
		if (is_special(l, ',')) {	/* empty elements: obsolete */
			next(l);
		} else if (list.group && is_special(l, ';')) {
			list.group = false;
			next(l);
			if (l->kind != TOK_END && !is_special(l, ','))
				return -1;
		} else {
			any = true;
			if ((r = parse_address(&list)) != 0)
				return r;
		}
	}
	return any && !list.group ? list.count : -1;
}

static int
take_one(void *arg, const struct mailbox *m)
{
	struct addr *out = arg;

	*out = m->addr;
	return 0;
}

int
mailbox_parse_one(const char *value, size_t len, struct addr *out)
{
	/* As if within a group: there no other can begin. */
	struct list list = { .l = { .p = value, .end = value + len },
	    .group = true, .fn = take_one, .arg = out };

	memset(out, 0, sizeof(*out));
	next(&list.l);
	return parse_address(&list) == 0 && list.l.kind == TOK_END ? 0 : -1;
}
