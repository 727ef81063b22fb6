/* SPDX-License-Identifier: ISC */
/*
 * Verified logins. Runs in auth-server. Digests are keyed by the caller, so
 * clients cannot choose where they fall. Invariant: an entry lives from the
 * full check that made it, however often it is found.
 */
#include "auth/cache.h"

#include <stdlib.h>
#include <string.h>

#include "auth/accounts.h"
#include "auth/auth_proto.h"
#include "lib/str.h"

#define WAYS	4

struct entry {
	uint64_t	expiry;		/* 0: free */
	unsigned char	digest[CACHE_DIGEST];
	char		user[AUTH_USER_MAX];
	char		app[ACCOUNTS_APP_MAX];
};

struct cache {
	struct entry	*entries;
	size_t		 sets;
	uint64_t	 lifetime;
};

struct cache *
cache_new(size_t slots, uint64_t lifetime)
{
	struct cache *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	c->sets = slots / WAYS + 1;
	c->lifetime = lifetime;
	c->entries = calloc(c->sets * WAYS, sizeof(struct entry));
	if (c->entries == NULL)
		cache_free(&c);
	return c;
}

void
cache_free(struct cache **cp)
{
	struct cache *c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	if (c->entries != NULL)
		cache_clear(c);
	free(c->entries);
	free(c);
}

static struct entry *
set_of(struct cache *c, const unsigned char digest[CACHE_DIGEST])
{
	uint64_t n;

	memcpy(&n, digest, sizeof(n));
	return c->entries + (size_t)(n % c->sets) * WAYS;
}

const char *
cache_find(struct cache *c, const unsigned char digest[CACHE_DIGEST],
    uint64_t now, const char **app)
{
	struct entry *set = set_of(c, digest);
	size_t i;

	for (i = 0; i < WAYS; i++)
		if (set[i].expiry > now && str_same_secret(set[i].digest,
		    digest, CACHE_DIGEST)) {
			*app = set[i].app;
			return set[i].user;
		}
	return NULL;
}

void
cache_add(struct cache *c, const unsigned char digest[CACHE_DIGEST],
    const char *user, const char *app, uint64_t now)
{
	struct entry *set = set_of(c, digest), *e = set;
	size_t i;

	if (c->lifetime == 0)
		return;
	for (i = 0; i < WAYS; i++) {
		if (str_same_secret(set[i].digest, digest, CACHE_DIGEST)) {
			e = &set[i];
			break;
		}
		if (set[i].expiry < e->expiry)
			e = &set[i];
	}
	e->expiry = now + c->lifetime;
	memcpy(e->digest, digest, CACHE_DIGEST);
	if (str_copy(e->user, sizeof(e->user), user) == -1 ||
	    str_copy(e->app, sizeof(e->app), app) == -1)
		memset(e, 0, sizeof(*e));
}

void
cache_clear(struct cache *c)
{
	str_wipe(c->entries, c->sets * WAYS * sizeof(struct entry));
}
