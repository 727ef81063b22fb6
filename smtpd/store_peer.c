/* SPDX-License-Identifier: ISC */
/*
 * The channel from one session process. Runs in the main thread of
 * smtpd-store. Every octet that comes is hostile: what an honest session
 * would never send closes this channel and drops its transactions, and
 * touches nothing else.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/chan.h"
#include "lib/conf.h"
#include "lib/fault.h"
#include "lib/log.h"
#include "lib/stats.h"
#include "lib/str.h"
#include "lib/utf8.h"
#include "smtpd/store_impl.h"

/* Each takes a datagram of its type; returns NULL, or what is wrong. */
typedef const char *handler_fn(struct peer *, const void *, size_t);

static handler_fn peer_begin, peer_rcpt, peer_open, peer_body, peer_commit,
    peer_abort;

static const struct handler {
	handler_fn	*fn;
	size_t		 least, most;	/* octets */
} handlers[STORE_TYPE_COUNT] = {
#define EXACT(s)	sizeof(struct s), sizeof(struct s)
	[STORE_BEGIN] = { peer_begin, EXACT(store_begin) },
	[STORE_RCPT] = { peer_rcpt, EXACT(store_rcpt) },
	[STORE_OPEN] = { peer_open, EXACT(store_open) },
	[STORE_BODY] = { peer_body, offsetof(struct store_body, data),
	    offsetof(struct store_body, data) + STORE_BODY_MAX },
	[STORE_COMMIT] = { peer_commit, EXACT(store_commit) },
	[STORE_ABORT] = { peer_abort, EXACT(store_commit) },
#undef EXACT
};

static const char *
answer_later(struct peer *p, uint32_t number, enum store_type request,
    enum store_status status, uint32_t retry_after, const char *id)
{
	struct store_reply r;

	memset(&r, 0, sizeof(r));
	r.retry_after = status == STORE_RATE ? retry_after : 0;
	r.type = STORE_REPLY;
	r.txn = number;
	r.request = request;
	r.status = status;
	if (id != NULL && str_copy(r.id, sizeof(r.id), id) == -1)
		r.id[0] = '\0';
	if (fault_point("send") || chan_send(p->chan, &r, sizeof(r), -1) == -1)
		return "takes no answer";
	return NULL;
}

static const char *
answer(struct peer *p, uint32_t number, enum store_type request,
    enum store_status status, const char *id)
{
	return answer_later(p, number, request, status, 0, id);
}

/* Is there a NUL within size octets, and only printable ASCII before it? */
static bool
is_text(const char *s, size_t size)
{
	if (!str_ends(s, size))
		return false;
	for (; *s != '\0'; s++)
		if (*s < 32 || *s > 126)
			return false;
	return true;
}

/* Printable ASCII, and letters beyond it that may stand in a name. */
static bool
is_letters(const char *s)
{
	size_t len = strlen(s), n;
	uint32_t c;

	for (; len > 0; s += n, len -= n) {
		n = utf8_decode(s, len, &c);
		if (!utf8_is_name(c))
			return false;
	}
	return true;
}

/*
 * The same of an address; with utf8 letters of UTF-8 too. Its domain never
 * has them: sessions send A-labels.
 */
static bool
is_path(const char *s, size_t size, bool utf8, struct addr *out)
{
	if (!str_ends(s, size) || addr_split(s, out) == -1 ||
	    !is_text(out->domain, sizeof(out->domain)))
		return false;
	return is_text(out->local, sizeof(out->local)) ||
	    (utf8 && is_letters(out->local));
}

static const char *
peer_begin(struct peer *p, const void *msg, size_t len)
{
	const struct store_begin *m = msg;
	enum store_status r;
	struct addr from;
	const char *user;
	struct txn *t;
	uint32_t wait;

	(void)len;
	if ((m->flags & ~STORE_FLAGS) != 0)
		return "unknown flags";
	if (!is_path(m->reverse_path, sizeof(m->reverse_path),
	    (m->flags & STORE_UTF8) != 0, &from))
		return "bad reverse-path";
	if (txn_find(p, m->txn) != NULL)
		return "transaction begun twice";
	user = store_user(p->store, m->nonce, p->instance);
	if (user == NULL)
		return answer(p, m->txn, STORE_BEGIN, STORE_NO_TICKET, NULL);
	if (p->ntxns >= p->store->conf->connections ||
	    (t = txn_new(p, m->txn)) == NULL)
		return answer(p, m->txn, STORE_BEGIN, STORE_FAILED, NULL);
	t->flags = m->flags;
	r = txn_begin(t, user, &from, m->size);
	wait = t->retry_after;
	if (r != STORE_OK)
		txn_free(t);
	return answer_later(p, m->txn, STORE_BEGIN, r, wait, NULL);
}

static const char *
peer_rcpt(struct peer *p, const void *msg, size_t len)
{
	const struct store_rcpt *m = msg;
	struct txn *t = txn_find(p, m->txn);
	enum store_status r;
	struct addr rcpt;

	(void)len;
	if (!is_path(m->forward_path, sizeof(m->forward_path),
	    t == NULL || (t->flags & STORE_UTF8) != 0, &rcpt) ||
	    (rcpt.domain[0] == '\0' &&
	    !str_caseeq(rcpt.local, "postmaster")))
		return "bad forward-path";
	if (t == NULL)
		return answer(p, m->txn, STORE_RCPT, STORE_FAILED, NULL);
	if (t->state != TXN_MAIL)
		return "RCPT out of order";
	r = txn_rcpt(t, &rcpt);
	return answer_later(p, m->txn, STORE_RCPT, r, t->retry_after, NULL);
}

static const char *
peer_open(struct peer *p, const void *msg, size_t len)
{
	const struct store_open *m = msg;
	struct txn *t = txn_find(p, m->txn);

	(void)len;
	if (!is_text(m->helo, sizeof(m->helo)) ||
	    !is_text(m->client, sizeof(m->client)) ||
	    !is_text(m->protocol, sizeof(m->protocol)) ||
	    !is_text(m->tls_version, sizeof(m->tls_version)) ||
	    !is_text(m->tls_cipher, sizeof(m->tls_cipher)))
		return "bad text in OPEN";
	if (t == NULL)
		return answer(p, m->txn, STORE_OPEN, STORE_FAILED, NULL);
	if (t->state != TXN_MAIL || t->rcpts == 0)
		return "OPEN out of order";
	return answer(p, m->txn, STORE_OPEN, txn_open(t, m), NULL);
}

static const char *
peer_body(struct peer *p, const void *msg, size_t len)
{
	const struct store_body *m = msg;
	struct txn *t = txn_find(p, m->txn);

	if (m->len != len - offsetof(struct store_body, data))
		return "bad length of BODY";
	if (t == NULL)
		return NULL;
	if (t->state != TXN_BODY)
		return "BODY out of order";
	body_add(&t->body, m->data, m->len);
	return NULL;
}

/* A refusal ends the transaction; the client's text is not logged. */
static const char *
refuse(struct txn *t, enum store_status r)
{
	struct peer *p = t->peer;
	uint32_t number = t->number;
	char login[ADDR_MAX + 1], user[2 * ADDR_MAX];

	addr_join(&t->login, login, sizeof(login));
	str_quote(user, sizeof(user), login, strlen(login));
	if (t->body.error != 0)
		log_err("store: failed user=\"%s\" status=%s error=\"%s\"",
		    user, store_status_name(r), strerror(t->body.error));
	else
		log_debug("store: refused user=\"%s\" status=%s", user,
		    store_status_name(r));
	stats_add(STATS_COMMITS + r - 1, 1);
	txn_free(t);
	return answer(p, number, STORE_COMMIT, r, NULL);
}

static const char *
peer_commit(struct peer *p, const void *msg, size_t len)
{
	const struct store_commit *m = msg;
	struct txn *t = txn_find(p, m->txn);
	enum store_status r;

	(void)len;
	if (t == NULL)
		return answer(p, m->txn, STORE_COMMIT, STORE_FAILED, NULL);
	if (t->state != TXN_BODY)
		return "COMMIT out of order";
	if (m->size != t->body.received)
		return "COMMIT of another size";
	r = txn_commit(t);
	stats_set(STATS_QUEUE, pool_pending(p->store->pool));
	return r == STORE_OK ? NULL : refuse(t, r);
}

/* A commit under way cannot be called off; it is answered all the same. */
static const char *
peer_abort(struct peer *p, const void *msg, size_t len)
{
	const struct store_commit *m = msg;
	struct txn *t = txn_find(p, m->txn);

	(void)len;
	if (t != NULL && t->state != TXN_COMMIT)
		txn_free(t);
	return NULL;
}

static void
log_committed(const struct txn *t)
{
	const struct commit *c = &t->commit;
	char login[ADDR_MAX + 1], from[ADDR_MAX + 1];
	char user[2 * ADDR_MAX], sender[2 * ADDR_MAX];

	addr_join(&t->login, login, sizeof(login));
	str_quote(user, sizeof(user), login, strlen(login));
	if (c->status != STORE_OK) {
		log_err("store: failed user=\"%s\" recipients=%zu step=\"%s\" "
		    "error=\"%s\"", user, t->npaths, c->what,
		    strerror(c->error));
		return;
	}
	addr_join(&t->from, from, sizeof(from));
	str_quote(sender, sizeof(sender), from, strlen(from));
	log_debug("store: delivered id=%s trace=%s user=\"%s\" from=\"%s\" "
	    "recipients=%zu size=%llu", c->id, t->body.id, user, sender,
	    t->npaths, (unsigned long long)c->size);
}

void
peer_committed(struct txn *t)
{
	struct peer *p = t->peer;

	quota_done(t->store->quota, &t->hold, t->commit.status == STORE_OK);
	log_committed(t);
	stats_add(STATS_COMMITS + t->commit.status - 1, 1);
	if (p != NULL && answer(p, t->number, STORE_COMMIT, t->commit.status,
	    t->commit.id) != NULL)
		peer_free(p);	/* detaches t */
	txn_free(t);
}

static void
on_input(struct chan *c, void *arg, const void *msg, size_t len, int fd)
{
	struct peer *p = arg;
	const struct handler *h;
	const char *wrong = "bad datagram";
	uint32_t type = STORE_NONE;

	(void)c;
	if (len >= sizeof(type))
		memcpy(&type, msg, sizeof(type));
	if (fd != -1)
		close(fd);
	else if (type < STORE_TYPE_COUNT && (h = &handlers[type])->fn != NULL &&
	    len >= h->least && len <= h->most)
		wrong = h->fn(p, msg, len);
	if (wrong == NULL)
		return;
	log_warn("store: bad message session=%u type=%u octets=%zu "
	    "reason=\"%s\"", p->instance, type, len, wrong);
	peer_free(p);
}

static void
on_gone(struct chan *c, void *arg)
{
	(void)c;
	peer_free(arg);
}

int
peer_new(struct store *s, uint32_t instance, int fd)
{
	static const struct chan_ops ops = { .input = on_input,
	    .gone = on_gone };
	struct peer *p;
	size_t i;

	if ((p = calloc(1, sizeof(*p))) == NULL) {
		log_err("store: %m");
		close(fd);
		return -1;
	}
	p->store = s;
	p->instance = instance;
	for (i = 0; i < PEER_BUCKETS; i++)
		LIST_INIT(&p->txns[i]);
	if ((p->chan = chan_new(s->base, fd, &ops, p)) == NULL) {
		log_err("store: %m");
		free(p);
		return -1;
	}
	LIST_INSERT_HEAD(&s->peers, p, next);
	return 0;
}

void
peer_free(struct peer *p)
{
	struct store *s = p->store;
	struct txn *t;
	size_t i;

	for (i = 0; i < PEER_BUCKETS; i++)
		while ((t = LIST_FIRST(&p->txns[i])) != NULL) {
			if (t->state == TXN_COMMIT)
				txn_detach(t);
			else
				txn_free(t);
		}
	LIST_REMOVE(p, next);
	chan_free(&p->chan);
	free(p);
	store_left(s);
}
