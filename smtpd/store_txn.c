/* SPDX-License-Identifier: ISC */
/*
 * One transaction: sender, recipients, body, commit. Runs in the main thread
 * of smtpd-store. Its arguments were checked for form by store_peer.c; what
 * they mean is judged here. Freed in one place, txn_free().
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/log.h"
#include "lib/str.h"
#include "mail/trace.h"
#include "smtpd/store_author.h"
#include "smtpd/store_impl.h"

#define PATH_MAX_OCTETS	520	/* two components of 255 and a slash */

struct txn *
txn_new(struct peer *p, uint32_t number)
{
	struct txn *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->peer = p;
	t->store = p->store;
	t->number = number;
	t->state = TXN_MAIL;
	LIST_INSERT_HEAD(&p->txns[number % PEER_BUCKETS], t, next);
	p->ntxns++;
	return t;
}

struct txn *
txn_find(const struct peer *p, uint32_t number)
{
	struct txn *t;

	LIST_FOREACH(t, &p->txns[number % PEER_BUCKETS], next)
		if (t->number == number)
			return t;
	return NULL;
}

void
txn_detach(struct txn *t)
{
	LIST_REMOVE(t, next);
	t->peer->ntxns--;
	t->peer = NULL;
}

void
txn_free(struct txn *t)
{
	size_t i;

	if (t->peer != NULL)
		txn_detach(t);
	t->store->bodies.memory -= t->charged;
	body_free(&t->body);
	quota_release(t->store->quota, &t->hold);
	for (i = 0; i < t->npaths; i++)
		free(t->paths[i]);
	free(t->paths);
	free(t);
}

enum store_status
txn_begin(struct txn *t, const char *user, const struct addr *from,
    uint64_t size)
{
	if (addr_split(user, &t->login) == -1)
		return STORE_NO_TICKET;
	t->from = *from;
	/* RFC 5321 section 4.5.5: the null path is anyone's. */
	if ((from->local[0] != '\0' || from->domain[0] != '\0') &&
	    !author_owns(&t->login, from))
		return STORE_NOT_SENDER;
	if (size > t->store->conf->message_size)
		return STORE_TOO_BIG;
	quota_declare(&t->hold, size);
	return STORE_OK;
}

/* Where path stands in the sorted list, or would: *found tells which. */
static size_t
place_of(const struct txn *t, const char *path, bool *found)
{
	size_t low = 0, high = t->npaths, mid;
	int r;

	*found = false;
	while (low < high) {
		mid = low + (high - low) / 2;
		if ((r = strcmp(t->paths[mid], path)) == 0) {
			*found = true;
			return mid;
		}
		if (r < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static enum store_status
add_path(struct txn *t, const char *path)
{
	struct body_env *env = &t->store->bodies;
	const size_t cost = strlen(path) + 1 + sizeof(*t->paths);
	enum store_status r;
	size_t at, cap;
	char **p, *copy;
	bool found;

	at = place_of(t, path, &found);
	if (found)
		return STORE_OK;
	if (env->memory + cost > env->memory_max)
		return STORE_FAILED;
	if (t->npaths == t->cap) {
		cap = t->cap == 0 ? 4 : t->cap * 2;
		if ((p = reallocarray(t->paths, cap, sizeof(*p))) == NULL)
			return STORE_FAILED;
		t->paths = p;
		t->cap = cap;
	}
	if ((copy = strdup(path)) == NULL)
		return STORE_FAILED;
	if ((r = quota_reserve(t->store->quota, &t->hold, path)) != STORE_OK) {
		free(copy);
		return r;
	}
	memmove(t->paths + at + 1, t->paths + at,
	    (t->npaths - at) * sizeof(*t->paths));
	t->paths[at] = copy;
	t->npaths++;
	t->charged += cost;
	env->memory += cost;
	return STORE_OK;
}

/*
 * Find the mailbox of an address: its own, or the one without the tag. The
 * path is written to path, the mailbox's address to *a.
 */
static enum store_status
find_mailbox(struct store *s, struct addr *a, char *path, size_t size)
{
	bool tagged = strchr(a->local, '+') != NULL;
	int r = 0;

	if (addr_to_path(a, path, size) == 0)
		r = mailbox_exists(s->bodies.root, path);
	if (r == 0 && tagged) {
		addr_strip_tag(a);
		if (addr_to_path(a, path, size) == 0)
			r = mailbox_exists(s->bodies.root, path);
	}
	if (r == -1) {
		log_err("store: cannot look for mailbox %s: %m", path);
		return body_errno(errno);
	}
	return r == 1 ? STORE_OK : STORE_NO_USER;
}

enum store_status
txn_rcpt(struct txn *t, const struct addr *rcpt)
{
	struct store *s = t->store;
	struct addr a = *rcpt;
	char path[PATH_MAX_OCTETS];
	enum store_status r;

	/* RFC 5321 section 4.1.1.3: <postmaster> is of this host. */
	if (a.domain[0] == '\0' && (s->conf->domains.n == 0 ||
	    str_copy(a.domain, sizeof(a.domain),
	    s->conf->domains.item[0]) == -1))
		return STORE_NO_USER;
	if (!conf_is_local(s->conf, a.domain))
		return STORE_NOT_LOCAL;
	if (t->rcpts >= s->conf->recipient_limit)
		return STORE_TOO_MANY;
	if ((r = find_mailbox(s, &a, path, sizeof(path))) != STORE_OK)
		return r;
	if ((r = add_path(t, path)) != STORE_OK)
		return r;
	if (t->rcpts++ == 0) {
		t->rcpt = *rcpt;
		t->mailbox = a;
	}
	return STORE_OK;
}

/* An id for the Received field: this moment and this process, in hex. */
static void
make_id(struct store *s, char *dst, int64_t *seconds)
{
	struct timespec now = { 0, 0 };
	uint64_t usec;

	clock_gettime(CLOCK_REALTIME, &now);
	*seconds = now.tv_sec;
	usec = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	if (usec <= s->last_id)
		usec = s->last_id + 1;
	s->last_id = usec;
	snprintf(dst, BODY_ID_MAX, "%" PRIx64 ".%lx", usec,
	    (unsigned long)getpid());
}

enum store_status
txn_open(struct txn *t, const struct store_open *o)
{
	struct store *s = t->store;
	const struct trace trace = {
		.from = &t->from,
		.rcpt = t->rcpts == 1 ? &t->rcpt : NULL,
		.mailbox = t->npaths == 1 && ((t->flags & STORE_UTF8) != 0 ||
		    addr_is_ascii(&t->mailbox)) ? &t->mailbox : NULL,
		.helo = o->helo,
		.client = s->conf->hide_client ? NULL : o->client,
		.protocol = o->protocol,
		.tls_version = o->tls_version,
		.tls_cipher = o->tls_cipher,
		.tls_bits = o->tls_bits,
	};
	char id[BODY_ID_MAX];
	int64_t now;

	if (pool_pending(s->pool) >= s->conf->delivery_queue ||
	    s->bodies.memory >= s->bodies.memory_max)
		return STORE_FAILED;
	make_id(s, id, &now);
	if (body_open(&t->body, &s->bodies, t->paths[0], &t->login, t->flags,
	    id, now, &trace) == -1)
		return STORE_FAILED;
	t->state = TXN_BODY;
	return STORE_OK;
}

enum store_status
txn_commit(struct txn *t)
{
	struct store *s = t->store;
	enum store_status r = body_end(&t->body);

	if (r == STORE_OK)
		r = quota_commit(s->quota, &t->hold,
		    t->body.size + t->body.text.len);
	if (r != STORE_OK)
		return r;
	t->commit.env = &s->commits;
	t->commit.body = &t->body;
	t->commit.paths = t->paths;
	t->commit.n = t->npaths;
	if (pool_submit(s->pool, &t->job) == -1)
		return STORE_FAILED;
	t->state = TXN_COMMIT;
	return STORE_OK;
}
