/* SPDX-License-Identifier: ISC */
/*
 * Tickets held, see held.h. Runs in the store and the reader; input comes
 * from auth, questions from sessions. Expired ones are dropped when their
 * chain is walked and, all of them, when the table is full.
 */
#include "auth/held.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/str.h"

#define HELD_CHAINS	4096	/* a power of two */

struct ticket {
	struct ticket	*next;
	uint64_t	 expiry;
	uint32_t	 instance;
	unsigned char	 nonce[AUTH_NONCE];
	char		 user[AUTH_USER_MAX];
};

struct held {
	enum auth_service service;
	size_t		 max;
	size_t		 count;
	struct ticket	*chains[HELD_CHAINS];
};

struct held *
held_new(enum auth_service service, size_t max)
{
	struct held *h = calloc(1, sizeof(*h));

	if (h != NULL) {
		h->service = service;
		h->max = max;
	}
	return h;
}

static void
drop(struct held *h, struct ticket **at)
{
	struct ticket *t = *at;

	*at = t->next;
	str_wipe(t, sizeof(*t));
	free(t);
	h->count--;
}

void
held_clear(struct held *h)
{
	for (size_t i = 0; i < HELD_CHAINS; i++)
		while (h->chains[i] != NULL)
			drop(h, &h->chains[i]);
}

void
held_free(struct held **hp)
{
	if (*hp == NULL)
		return;
	held_clear(*hp);
	free(*hp);
	*hp = NULL;
}

/* The nonces are random and come from auth: some of their octets will do. */
static struct ticket **
chain_of(struct held *h, const unsigned char *nonce)
{
	uint32_t n;

	memcpy(&n, nonce, sizeof(n));
	return &h->chains[n & (HELD_CHAINS - 1)];
}

/* Where the ticket hangs, or would. */
static struct ticket **
seek(struct held *h, const unsigned char *nonce)
{
	struct ticket **at = chain_of(h, nonce);

	while (*at != NULL &&
	    !str_same_secret((*at)->nonce, nonce, AUTH_NONCE))
		at = &(*at)->next;
	return at;
}

static void
drop_expired(struct held *h, uint64_t now)
{
	for (size_t i = 0; i < HELD_CHAINS; i++) {
		struct ticket **at = &h->chains[i];

		while (*at != NULL)
			if ((*at)->expiry <= now)
				drop(h, at);
			else
				at = &(*at)->next;
	}
}

static int
take(struct held *h, const struct auth_ticket *m, uint64_t now)
{
	struct ticket **at = seek(h, m->nonce), *t;

	if (*at == NULL) {
		if (h->count >= h->max) {
			drop_expired(h, now);
			at = seek(h, m->nonce);
		}
		if (h->count >= h->max) {
			errno = ENOBUFS;
			return -1;
		}
		if ((t = calloc(1, sizeof(*t))) == NULL)
			return -1;
		*at = t;
		h->count++;
	}
	t = *at;
	t->expiry = m->expiry;
	t->instance = m->instance;
	memcpy(t->nonce, m->nonce, sizeof(t->nonce));
	memcpy(t->user, m->user, sizeof(t->user));
	return 0;
}

int
held_input(struct held *h, const void *msg, size_t len, uint64_t now)
{
	struct auth_ticket m;
	struct ticket **at;

	if (len != sizeof(m))
		goto bad;
	memcpy(&m, msg, sizeof(m));
	if (m.type == AUTH_TICKET_END) {
		at = seek(h, m.nonce);
		if (*at != NULL)
			drop(h, at);
		return 0;
	}
	if (m.type != AUTH_TICKET || m.service == AUTH_SERVICE_NONE ||
	    m.service >= AUTH_SERVICE_COUNT ||
	    !str_ends(m.user, sizeof(m.user)) || m.user[0] == '\0')
		goto bad;
	return m.service == (uint32_t)h->service ? take(h, &m, now) : 0;
bad:
	errno = EPROTO;
	return -1;
}

const char *
held_find(struct held *h, uint32_t instance,
    const unsigned char nonce[AUTH_NONCE], uint64_t now)
{
	struct ticket **at = seek(h, nonce);

	if (*at == NULL || (*at)->instance != instance)
		return NULL;
	if ((*at)->expiry <= now) {
		drop(h, at);
		return NULL;
	}
	return (*at)->user;
}

size_t
held_count(const struct held *h)
{
	return h->count;
}
