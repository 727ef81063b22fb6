/* SPDX-License-Identifier: ISC */
/*
 * Logins verified a short while ago, so that the same one again costs no
 * password hashing: from a keyed digest of what the client said to the user
 * it proved to be. No password is kept. Pure: the caller gives the time.
 */
#ifndef POSTERN_CACHE_H
#define POSTERN_CACHE_H

#include <stddef.h>
#include <stdint.h>

#define CACHE_DIGEST	32

struct cache;

/*
 * About slots entries that live lifetime ms (0: nothing is ever found).
 * NULL and errno ENOMEM.
 */
struct cache *cache_new(size_t slots, uint64_t lifetime);
/* Wipe and free; *cp becomes NULL. */
void	 cache_free(struct cache **cp);
/*
 * The user who proved who he is with what has this digest, or NULL; valid
 * until the next call. *app: with which app password, "" for none. Services
 * share the cache: whether that one may be used, here and now, the caller
 * looks up.
 */
const char *cache_find(struct cache *,
	    const unsigned char digest[CACHE_DIGEST], uint64_t now,
	    const char **app);
/* Remember a verified login; the oldest of its set makes room. */
void	 cache_add(struct cache *, const unsigned char digest[CACHE_DIGEST],
	    const char *user, const char *app, uint64_t now);
/* Forget all: the accounts have changed. */
void	 cache_clear(struct cache *);

#endif
