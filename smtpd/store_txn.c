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
#include "lib/now.h"
#include "lib/str.h"
#include "mail/trace.h"
#include "smtpd/store_impl.h"
#include "smtpd/store_rcpt.h"

#define ROOM_MS		1000	/* between two searches for memory */
#define ROOM_SMALL	4096	/* octets of a message that may be kept */

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

/* May there be one more of its kind from this login now? */
static enum store_status
check_rate(struct txn *t, enum rate_kind kind, uint64_t limit)
{
	char login[ADDR_MAX + 1], user[2 * ADDR_MAX];
	const uint64_t now = now_monotonic();
	uint32_t count;

	t->retry_after = rate_wait(t->store->rate, &t->login, kind, limit,
	    now);
	if (t->retry_after == 0)
		return STORE_OK;
	count = rate_refused(t->store->rate, &t->login, kind, now);
	/* It may try as fast as it can: that must not fill the log. */
	if (count == 0)
		return STORE_RATE;
	addr_join(&t->login, login, sizeof(login));
	log_info("store: refused user=\"%s\" status=rate of=%s "
	    "retry_after=%u count=%u", str_quote(user, sizeof(user), login,
	    strlen(login)), kind == RATE_MESSAGES ? "messages" :
	    "recipients", t->retry_after, count);
	return STORE_RATE;
}

static void
count_rate(struct txn *t, enum rate_kind kind, uint64_t limit)
{
	rate_count(t->store->rate, &t->login, kind, limit, now_monotonic());
}

enum store_status
txn_begin(struct txn *t, const char *user, const struct addr *from,
    uint64_t size)
{
	struct store *s = t->store;
	const uint64_t rate = s->conf->messages_per_login;
	struct author who = { &t->login, NULL };

	if (addr_split(user, &t->login) == -1)
		return STORE_NO_TICKET;
	t->from = *from;
	store_follow_aliases(s);
	who.aliases = aliases_table(s->aliases);
	/* RFC 5321 section 4.5.5: the null path is anyone's. */
	if ((from->local[0] != '\0' || from->domain[0] != '\0') &&
	    !author_owns(&who, from))
		return STORE_NOT_SENDER;
	if (size > s->conf->message_size)
		return STORE_TOO_BIG;
	if (check_rate(t, RATE_MESSAGES, rate) != STORE_OK)
		return STORE_RATE;
	count_rate(t, RATE_MESSAGES, rate);
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

/*
 * Messages whose clients take their time hold memory as long: when it gets
 * short that is taken from them, rather than refuse all others. It is not
 * looked for often, for what is left then are many small pieces.
 */
static void
make_room(struct store *s)
{
	struct body_env *env = &s->bodies;
	const uint64_t now = now_monotonic();
	struct peer *p;
	struct txn *t;
	size_t i;

	if (env->memory < env->memory_max - env->memory_max / 8 ||
	    now < s->room_at)
		return;
	s->room_at = now + ROOM_MS;
	LIST_FOREACH(p, &s->peers, next)
		for (i = 0; i < PEER_BUCKETS; i++)
			LIST_FOREACH(t, &p->txns[i], next)
				if (t->state == TXN_BODY)
					body_yield(&t->body, ROOM_SMALL);
	log_notice("store: memory was short: octets=%zu are left in use",
	    env->memory);
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
	if (t->npaths >= t->store->conf->mailbox_limit)
		return STORE_TOO_MANY;
	make_room(t->store);
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

/* Take back what was added last; the paths stay the caller's. */
static void
drop_paths(struct txn *t, char *const *paths, size_t n)
{
	size_t i, at, cost;
	bool found;

	for (i = 0; i < n; i++) {
		at = place_of(t, paths[i], &found);
		BUG_IF(!found);
		cost = strlen(paths[i]) + 1 + sizeof(*t->paths);
		t->charged -= cost;
		t->store->bodies.memory -= cost;
		free(t->paths[at]);
		t->npaths--;
		memmove(t->paths + at, t->paths + at + 1,
		    (t->npaths - at) * sizeof(*t->paths));
	}
}

/* Add the mailboxes of a recipient, all or none. */
static enum store_status
add_paths(struct txn *t, const struct rcpt_found *f)
{
	const size_t held = t->hold.n;
	enum store_status r = STORE_OK;
	size_t i, before, added = 0;
	char *path;

	for (i = 0; i < f->n && r == STORE_OK; i++) {
		before = t->npaths;
		r = add_path(t, f->paths[i]);
		if (t->npaths == before)
			continue;
		/* Those that are new to the front, to be taken back. */
		path = f->paths[i];
		f->paths[i] = f->paths[added];
		f->paths[added++] = path;
	}
	if (r != STORE_OK) {
		drop_paths(t, f->paths, added);
		quota_trim(t->store->quota, &t->hold, held);
	}
	return r;
}

static enum store_status
add_recipient(struct txn *t, const struct addr *a)
{
	struct rcpt_found f;
	enum store_status r;

	r = rcpt_find(t->store, a, &f);
	if (r == STORE_OK)
		r = add_paths(t, &f);
	if (r == STORE_OK && t->rcpts++ == 0)
		t->mailbox = f.first;
	rcpt_free(&f);
	return r;
}

enum store_status
txn_rcpt(struct txn *t, const struct addr *rcpt)
{
	const struct conf *c = t->store->conf;
	const uint64_t rate = c->recipients_per_login;
	struct addr a = *rcpt;
	enum store_status r;

	/* RFC 5321 section 4.1.1.3: <postmaster> is of this host. */
	if (a.domain[0] == '\0' && (c->domains.n == 0 ||
	    str_copy(a.domain, sizeof(a.domain), c->domains.item[0]) == -1))
		return STORE_NO_USER;
	if (!conf_is_local(c, a.domain))
		return STORE_NOT_LOCAL;
	if (t->rcpts >= c->recipient_limit)
		return STORE_TOO_MANY;
	if ((r = check_rate(t, RATE_RECIPIENTS, rate)) != STORE_OK)
		return r;
	store_follow_aliases(t->store);
	if ((r = add_recipient(t, &a)) != STORE_OK)
		return r;
	if (t->rcpts == 1)
		t->rcpt = *rcpt;
	count_rate(t, RATE_RECIPIENTS, rate);
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

	make_room(s);
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
