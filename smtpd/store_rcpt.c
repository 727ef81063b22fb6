/* SPDX-License-Identifier: ISC */
/*
 * Where an address leads, see store_rcpt.h. Runs in the main thread of
 * smtpd-store. The address is any client's; aliases and mailboxes are the
 * administrator's. A mailbox is what the file system says it is, at this
 * moment.
 */
#include "smtpd/store_rcpt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/conf.h"
#include "lib/log.h"
#include "lib/str.h"
#include "smtpd/store_impl.h"

#define PATH_MAX_OCTETS	520	/* two components of 255 and a slash */
#define POSTMASTER	"postmaster"

static enum store_status
add_found(struct rcpt_found *f, const struct addr *a, const char *path)
{
	size_t cap = f->cap == 0 ? 4 : f->cap * 2;
	char **p;

	if (f->n == f->cap) {
		if ((p = reallocarray(f->paths, cap, sizeof(*p))) == NULL)
			return STORE_FAILED;
		f->paths = p;
		f->cap = cap;
	}
	if ((f->paths[f->n] = strdup(path)) == NULL)
		return STORE_FAILED;
	if (f->n++ == 0)
		f->first = *a;
	return STORE_OK;
}

/* The mailbox of just this address. */
static enum store_status
find_mailbox(struct store *s, const struct addr *a, struct rcpt_found *f)
{
	char path[PATH_MAX_OCTETS];
	int r;

	if (addr_to_path(a, path, sizeof(path)) == -1)
		return STORE_NO_USER;
	r = mailbox_exists(s->bodies.root, path);
	if (r == -1) {
		log_err("store: cannot look for mailbox %s: %m", path);
		return body_errno(errno);
	}
	return r == 1 ? add_found(f, a, path) : STORE_NO_USER;
}

/* Has it a tag? Then *out is the address without it. */
static bool
without_tag(const struct addr *a, struct addr *out)
{
	*out = *a;
	addr_strip_tag(out);
	return strcmp(out->local, a->local) != 0;
}

struct expansion {
	struct store		*s;
	const struct alias	*alias;
	struct rcpt_found	*f;
	enum store_status	 status;	/* what stopped it */
};

/* What an alias leads to is a mailbox, or is left out and told once. */
static int
take_member(void *arg, const struct alias_member *m)
{
	struct expansion *e = arg;
	enum store_status r = STORE_NO_USER;
	char text[2 * ADDR_MAX];
	struct addr a, base;

	if (addr_split(m->address, &a) == 0) {
		r = find_mailbox(e->s, &a, e->f);
		if (r == STORE_NO_USER && without_tag(&a, &base))
			r = find_mailbox(e->s, &base, e->f);
	}
	if (r == STORE_NO_USER && !*m->told) {
		log_warn("aliases: no mailbox alias=\"%s\" target=\"%s\"",
		    e->alias->address, str_quote(text, sizeof(text),
		    m->address, strlen(m->address)));
		*m->told = true;
	}
	if (r == STORE_OK || r == STORE_NO_USER)
		return 0;
	e->status = r;
	return 1;
}

static enum store_status
follow_alias(struct store *s, const struct alias *alias,
    struct rcpt_found *f)
{
	struct expansion e = { s, alias, f, STORE_FAILED };
	int r;

	r = alias_expand(aliases_table(s->aliases), alias, take_member, &e);
	if (r == ALIAS_TOO_MANY) {
		log_warn("aliases: more than alias_members alias=\"%s\"",
		    alias->address);
		return STORE_TOO_MANY;
	}
	if (r != 0)
		return e.status;
	return f->n > 0 ? STORE_OK : STORE_NO_USER;
}

/* Of just this address the alias, else the mailbox. */
static enum store_status
find_exact(struct store *s, const struct addr *a, struct rcpt_found *f,
    bool *is_alias)
{
	const struct alias *alias = alias_find(aliases_table(s->aliases), a);

	*is_alias = alias != NULL;
	return alias != NULL ? follow_alias(s, alias, f) :
	    find_mailbox(s, a, f);
}

/* The same, then of the address without its tag. */
static enum store_status
find_address(struct store *s, const struct addr *a, struct rcpt_found *f,
    bool *is_alias)
{
	enum store_status r = find_exact(s, a, f, is_alias);
	struct addr base;

	if (r != STORE_NO_USER || *is_alias || !without_tag(a, &base))
		return r;
	return find_exact(s, &base, f, is_alias);
}

static bool
is_postmaster(const struct addr *a)
{
	struct addr base;

	without_tag(a, &base);
	return str_caseeq(base.local, POSTMASTER);
}

/* Make the mailbox that there always is, durably. */
static enum store_status
make_postmaster(struct store *s, const char *path)
{
	if (mailbox_create(s->bodies.root, path) == -1) {
		log_err("store: cannot make mailbox %s: %m", path);
		return body_errno(errno);
	}
	s->postmaster_made = true;
	return STORE_OK;
}

static enum store_status
last_resort(struct store *s, const struct addr *a, struct rcpt_found *f)
{
	enum store_status r = find_mailbox(s, a, f);
	char path[PATH_MAX_OCTETS];

	if (r != STORE_NO_USER || addr_to_path(a, path, sizeof(path)) == -1)
		return r;
	r = make_postmaster(s, path);
	return r == STORE_OK ? find_mailbox(s, a, f) : r;
}

/*
 * RFC 5321 section 4.5.1: mail to the postmaster is taken, come what may. Its
 * address in its own domain has led nowhere.
 */
static enum store_status
find_postmaster(struct store *s, struct rcpt_found *f)
{
	struct addr a = { .local = POSTMASTER };
	enum store_status r = STORE_NO_USER;
	bool is_alias;

	if (s->postmaster.local[0] != '\0')
		r = find_address(s, &s->postmaster, f, &is_alias);
	if (r != STORE_NO_USER)
		return r;
	if (str_copy(a.domain, sizeof(a.domain),
	    s->conf->domains.item[0]) == -1)
		return STORE_NO_USER;
	if (alias_find(aliases_table(s->aliases), &a) != NULL)
		r = find_exact(s, &a, f, &is_alias);
	return r == STORE_NO_USER ? last_resort(s, &a, f) : r;
}

/*
 * Who made the postmaster's mailbox may have been stopped before it was on
 * stable storage: see to that once in each process.
 */
static enum store_status
settle_postmaster(struct store *s, const struct rcpt_found *f)
{
	struct addr a = { .local = POSTMASTER };
	char path[PATH_MAX_OCTETS];

	if (s->postmaster_made || str_copy(a.domain, sizeof(a.domain),
	    s->conf->domains.item[0]) == -1 ||
	    addr_to_path(&a, path, sizeof(path)) == -1 ||
	    strcmp(f->paths[0], path) != 0)
		return STORE_OK;
	return make_postmaster(s, path);
}

static enum store_status
find_anyhow(struct store *s, const struct addr *a, struct rcpt_found *f)
{
	const struct alias *all = NULL;
	enum store_status r;
	bool is_alias;

	r = find_address(s, a, f, &is_alias);
	if (r != STORE_NO_USER)
		return r;
	if (is_postmaster(a))
		return find_postmaster(s, f);
	if (s->conf->catch_all && !is_alias)
		all = alias_find_catch_all(aliases_table(s->aliases),
		    a->domain);
	if (all != NULL)
		r = follow_alias(s, all, f);
	/* It may stand in the file that could not be read. */
	if (r == STORE_NO_USER && !aliases_known(s->aliases))
		return STORE_FAILED;
	return r;
}

enum store_status
rcpt_find(struct store *s, const struct addr *a, struct rcpt_found *f)
{
	enum store_status r;

	memset(f, 0, sizeof(*f));
	r = find_anyhow(s, a, f);
	return r == STORE_OK && is_postmaster(a) ? settle_postmaster(s, f) : r;
}

void
rcpt_free(struct rcpt_found *f)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		free(f->paths[i]);
	free(f->paths);
	memset(f, 0, sizeof(*f));
}
