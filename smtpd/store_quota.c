/* SPDX-License-Identifier: ISC */
/*
 * Quotas, see store_quota.h. Runs in the main thread of smtpd-store alone, so
 * between a look and a reservation nobody else reserves: however many
 * sessions there are, what is used, reserved and being committed never adds
 * up to more than the limit. Two stores run side by side for a while after a
 * reload, and other programs deliver too: of their messages those count that
 * they have written down in maildirsize, those they are at work on do not,
 * or, when they are counted at that moment, twice until the next count.
 */
#include "smtpd/store_quota.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "mail/quota_scan.h"
#include "smtpd/store_quota_impl.h"

#define NSEC	1000000000

static int64_t
clock_now(void)
{
	struct timespec now = { 0, 0 };

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * NSEC + now.tv_nsec;
}

struct quota *
quota_new(int root, const struct quota_limits *defaults)
{
	struct quota *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	q->root = root;
	q->defaults = *defaults;
	TAILQ_INIT(&q->idle);
	q->clock = clock_now;
	q->filled = clock_now();
	q->budget = QUOTA_BURST;
	return q;
}

static void
box_free(struct quota *q, struct quota_box *b)
{
	LIST_REMOVE(b, bucket);
	TAILQ_REMOVE(&q->idle, b, idle);
	q->nidle--;
	q->boxes--;
	free(b);
}

void
quota_free(struct quota **pq)
{
	struct quota *q = *pq;

	if (q == NULL)
		return;
	*pq = NULL;
	while (!TAILQ_EMPTY(&q->idle))
		box_free(q, TAILQ_FIRST(&q->idle));
	BUG_IF(q->boxes != 0);
	free(q);
}

/* FNV-1a: the names of mailboxes are the administrator's. */
static size_t
bucket_of(const char *path)
{
	uint32_t h = 2166136261U;

	for (; *path != '\0'; path++)
		h = (h ^ (unsigned char)*path) * 16777619U;
	return h % QUOTA_BUCKETS;
}

static struct quota_box *
box_find(struct quota *q, const char *path)
{
	struct quota_box *b;

	LIST_FOREACH(b, &q->buckets[bucket_of(path)], bucket)
		if (strcmp(b->path, path) == 0)
			return b;
	return NULL;
}

/* One that nothing holds has the end of the list: it goes last. */
static void
box_idle(struct quota *q, struct quota_box *b)
{
	TAILQ_INSERT_TAIL(&q->idle, b, idle);
	if (++q->nidle > QUOTA_IDLE_MAX)
		box_free(q, TAILQ_FIRST(&q->idle));
}

static struct quota_box *
box_new(struct quota *q, const char *path)
{
	const size_t len = strlen(path) + 1;
	struct quota_box *b;

	if (q->boxes >= QUOTA_BOXES_MAX && q->nidle > 0)
		box_free(q, TAILQ_FIRST(&q->idle));
	if (q->boxes >= QUOTA_BOXES_MAX) {
		errno = ENOBUFS;
		return NULL;
	}
	if ((b = calloc(1, sizeof(*b) + len)) == NULL)
		return NULL;
	memcpy(b->path, path, len);
	b->limits = q->defaults;
	LIST_INSERT_HEAD(&q->buckets[bucket_of(path)], b, bucket);
	q->boxes++;
	box_idle(q, b);
	return b;
}

/* The file "quota" is another, or was not looked at yet. */
static void
set_limits(struct quota *q, struct quota_box *b, enum quota_file r,
    const char *text, size_t len)
{
	const bool charged = quota_limits_any(&b->limits);
	struct quota_limits l = q->defaults;

	if (r != QUOTA_FILE_NONE && (r != QUOTA_FILE_TEXT ||
	    quota_limits_parse(text, len, &l) == -1))
		log_err("store: bad quota file mailbox=%s: the default counts",
		    b->path);
	b->limits = l;
	b->seen.known = false;
	/* While there was no limit nothing was charged. */
	if (!charged && b->committing.messages == 0)
		b->known = false;
}

/* Find what limits a mailbox: *out is NULL where nothing does. */
static enum store_status
box_get(struct quota *q, const char *path, struct quota_box **out)
{
	static const struct quota_stamp never;
	struct quota_box *b = box_find(q, path);
	struct quota_stamp now;
	char text[QUOTA_SIZES_MAX];
	enum quota_file r;
	size_t len;

	*out = NULL;
	r = quota_file_read(q->root, path, "quota",
	    b != NULL ? &b->own : &never, &now, text, &len);
	if (r == QUOTA_FILE_FAILED)
		goto failed;
	if (b == NULL && r == QUOTA_FILE_NONE &&
	    !quota_limits_any(&q->defaults))
		return STORE_OK;
	if (b == NULL && (b = box_new(q, path)) == NULL)
		goto failed;
	if (r != QUOTA_FILE_SAME)
		set_limits(q, b, r, text, len);
	b->own = now;
	if (quota_limits_any(&b->limits))
		*out = b;
	return STORE_OK;
failed:
	log_err("store: quota of mailbox=%s: %m", path);
	return STORE_FAILED;
}

/* Is there time for counting, and for that of this mailbox? */
static bool
may_count(struct quota *q, const struct quota_box *b)
{
	const int64_t now = q->clock();

	q->budget += (now - q->filled) / QUOTA_SHARE;
	q->filled = now;
	if (q->budget > QUOTA_BURST)
		q->budget = QUOTA_BURST;
	return q->budget > 0 && now >= b->next;
}

/*
 * Count, or with use NULL look at the times of the folders. The time it took
 * goes out of the budget, and says from when on it may be done again.
 */
static int
scan(struct quota *q, struct quota_box *b, struct quota_use *use,
    struct timespec *newest, int64_t *next)
{
	const int64_t start = q->clock();
	int r = quota_scan(q->root, b->path, use, newest);
	const int64_t end = q->clock();

	q->budget -= end - start;
	*next = end - start <= QUOTA_CHEAP ? end :
	    end + (end - start) * QUOTA_BOX_SHARE;
	if (r == -1)
		log_err("store: cannot count mailbox=%s: %m", b->path);
	return r;
}

/* Write maildirsize anew from what is known. */
static void
save(struct quota *q, struct quota_box *b)
{
	b->lines = 1;
	if (quota_file_replace(q->root, b->path, &b->limits, &b->used,
	    &b->seen) != -1)
		return;
	log_err("store: cannot write maildirsize mailbox=%s: %m", b->path);
	b->recount = true;
	b->retry = q->clock() + QUOTA_RETRY;
}

/*
 * Count a mailbox, whose maildirsize is as now says. 0; or -1: not now, what
 * was known stays. Not while messages are on their way into it: they may be
 * there already, and will be added when their jobs are back.
 */
static int
count(struct quota *q, struct quota_box *b, const struct quota_stamp *now)
{
	struct timespec newest, after;
	struct quota_use use;
	int64_t next;

	if (b->committing.messages > 0 || !may_count(q, b) ||
	    scan(q, b, &use, &newest, &b->next) == -1)
		return -1;
	b->used = use;
	b->seen = *now;
	b->known = true;
	b->recount = false;
	b->counted = q->clock();
	save(q, b);
	/* Maildir++: not to be kept when others were at work meanwhile. */
	if (scan(q, b, NULL, &after, &next) == -1 ||
	    quota_later(&after, &newest)) {
		quota_file_remove(q->root, b->path);
		b->seen = (struct quota_stamp){ .known = true };
		b->recount = true;
	}
	log_debug("store: counted mailbox=%s octets=%" PRIu64 " messages=%"
	    PRIu64, b->path, use.bytes, use.messages);
	return 0;
}

/* Has something come to the folders, or gone, since this time? */
static bool
changed_since(struct quota *q, struct quota_box *b,
    const struct timespec *then)
{
	struct timespec newest;
	int64_t next;

	if (scan(q, b, NULL, &newest, &next) == 0 &&
	    !quota_later(then, &newest))
		return true;
	b->next = next;
	return false;
}

/*
 * Believe what maildirsize says, unless it is of other limits, or, at the
 * first look, older than what is in the folders: messages that were not
 * written down because the process was killed, or because there was no limit
 * for a while. Where there is no time to count, the greater of it and what
 * was known is taken for now.
 */
static void
take(struct quota *q, struct quota_box *b, const struct quota_sizes *s,
    const struct quota_stamp *now)
{
	bool doubt = !quota_limits_same(&s->limits, &b->limits);

	if (!doubt && !b->known)
		doubt = !may_count(q, b) || changed_since(q, b, &now->mtime);
	if (doubt && count(q, b, now) == 0)
		return;
	if (!doubt || !b->known || s->use.bytes > b->used.bytes)
		b->used.bytes = s->use.bytes;
	if (!doubt || !b->known || s->use.messages > b->used.messages)
		b->used.messages = s->use.messages;
	b->lines = s->lines;
	b->seen = *now;
	b->known = true;
	b->recount = doubt;
}

/* Bring the use up to date. 0, or -1 (logged): it is not known. */
static int
refresh(struct quota *q, struct quota_box *b)
{
	char text[QUOTA_SIZES_MAX];
	struct quota_stamp now;
	struct quota_sizes s;
	enum quota_file r;
	size_t len;

	r = quota_file_read(q->root, b->path, "Maildir/maildirsize", &b->seen,
	    &now, text, &len);
	if (r == QUOTA_FILE_SAME) {
		if (b->recount && q->clock() >= b->retry)
			count(q, b, &now);
		return 0;
	}
	if (r == QUOTA_FILE_TEXT && quota_sizes_parse(text, len, &s) == 0) {
		take(q, b, &s, &now);
		return 0;
	}
	if (r == QUOTA_FILE_FAILED)
		log_err("store: maildirsize of mailbox=%s: %m", b->path);
	else if (count(q, b, &now) == 0)
		return 0;
	if (!b->known)
		log_warn("store: cannot count now mailbox=%s", b->path);
	return b->known ? 0 : -1;
}

/*
 * It says "over quota": count again when it is not the sum of a count, or is
 * old (Maildir++), or when messages have come or gone since, so that room
 * made by hand is seen at once.
 */
static bool
may_be_wrong(struct quota *q, struct quota_box *b)
{
	struct timespec now = { 0, 0 };

	if (!may_count(q, b))
		return false;
	clock_gettime(CLOCK_REALTIME, &now);
	return !b->seen.known || !b->seen.there || b->lines > 1 ||
	    now.tv_sec - b->seen.mtime.tv_sec >= QUOTA_STALE ||
	    changed_since(q, b, &b->seen.mtime);
}

/* Who may send may try as fast as they can: that must not fill the log. */
static void
tell_full(struct quota *q, struct quota_box *b, const struct quota_use *held,
    uint64_t size)
{
	const int64_t now = q->clock();

	b->refused++;
	if (b->told != 0 && now - b->told < QUOTA_TELL)
		return;
	log_info("store: over quota mailbox=%s size=%" PRIu64 " used=%" PRIu64
	    " held=%" PRIu64 " limit=%" PRIu64 " messages=%" PRIu64 " held=%"
	    PRIu64 " limit=%" PRIu64 " count=%" PRIu64, b->path, size,
	    b->used.bytes, held->bytes, b->limits.bytes, b->used.messages,
	    held->messages, b->limits.messages, b->refused);
	b->told = now;
	b->refused = 0;
}

/* Is there room for size octets, beside what others hold? */
static enum store_status
room(struct quota *q, struct quota_box *b, const struct quota_use *own,
    uint64_t size)
{
	static const struct quota_use nothing;
	struct quota_use held = b->committing;

	if (!quota_limits_any(&b->limits))
		return STORE_OK;
	quota_use_add(&held, b->reserved.bytes - own->bytes,
	    b->reserved.messages - own->messages);
	if (refresh(q, b) == -1)
		return STORE_FAILED;
	if (quota_fits(&b->limits, &b->used, &held, size))
		return STORE_OK;
	/* What an empty mailbox would not take is not worth a count. */
	if (quota_fits(&b->limits, &nothing, &held, size) &&
	    may_be_wrong(q, b) && count(q, b, &b->seen) == 0 &&
	    quota_fits(&b->limits, &b->used, &held, size))
		return STORE_OK;
	tell_full(q, b, &held, size);
	return STORE_OVER_QUOTA;
}

void
quota_declare(struct quota_hold *h, uint64_t size)
{
	h->size = size > 0 ? size : 1;
}

static int
hold_grow(struct quota_hold *h)
{
	const size_t cap = h->cap == 0 ? 4 : h->cap * 2;
	struct quota_box **p;

	if (h->n < h->cap)
		return 0;
	if ((p = reallocarray(h->boxes, cap, sizeof(struct quota_box *))) ==
	    NULL)
		return -1;
	h->boxes = p;
	h->cap = cap;
	return 0;
}

enum store_status
quota_reserve(struct quota *q, struct quota_hold *h, const char *path)
{
	static const struct quota_use nothing;
	struct quota_box *b;
	enum store_status r;

	if ((r = box_get(q, path, &b)) != STORE_OK || b == NULL)
		return r;
	if (hold_grow(h) == -1) {
		log_err("store: quota of mailbox=%s: %m", path);
		return STORE_FAILED;
	}
	if ((r = room(q, b, &nothing, h->size)) != STORE_OK)
		return r;
	if (b->holds++ == 0) {
		TAILQ_REMOVE(&q->idle, b, idle);
		q->nidle--;
	}
	h->boxes[h->n++] = b;
	quota_use_add(&b->reserved, h->size, 1);
	return STORE_OK;
}

/* What the hold has in each mailbox goes out of this account of it. */
static void
take_back(const struct quota_hold *h, struct quota_use *account)
{
	BUG_IF(account->bytes < h->size || account->messages < 1);
	account->bytes -= h->size;
	account->messages--;
}

void
quota_trim(struct quota *q, struct quota_hold *h, size_t n)
{
	struct quota_box *b;

	while (h->n > n) {
		b = h->boxes[--h->n];
		take_back(h, h->committing ? &b->committing : &b->reserved);
		if (--b->holds == 0)
			box_idle(q, b);
	}
}

enum store_status
quota_commit(struct quota *q, struct quota_hold *h, uint64_t size)
{
	const struct quota_use own = { h->size, 1 };
	enum store_status r;
	size_t i;

	for (i = 0; i < h->n; i++)
		if ((r = room(q, h->boxes[i], &own, size)) != STORE_OK)
			return r;
	for (i = 0; i < h->n; i++) {
		take_back(h, &h->boxes[i]->reserved);
		quota_use_add(&h->boxes[i]->committing, size, 1);
	}
	h->size = size;
	h->committing = true;
	return STORE_OK;
}

/*
 * A message has come into the mailbox. When its line cannot be written the
 * mailbox is counted again later; the message stays delivered.
 */
static void
charge(struct quota *q, struct quota_box *b, uint64_t size)
{
	const bool first = b->seen.known && !b->seen.there;
	int r;

	quota_use_add(&b->used, size, 1);
	b->lines++;
	r = quota_file_append(q->root, b->path, size, &b->seen);
	if (r == -1) {
		log_err("store: cannot write maildirsize mailbox=%s: %m",
		    b->path);
		b->recount = true;
	}
	/* Too long for others too: while it is right it need not be counted. */
	if (r == 1 && b->seen.known && b->seen.size >= QUOTA_SIZES_MAX) {
		save(q, b);
		if (q->clock() - b->counted > (int64_t)QUOTA_STALE * NSEC)
			b->recount = true;
	}
	/* There was no Maildir yet; else somebody has removed the file. */
	if (r == 0 && first && !b->recount)
		save(q, b);
}

void
quota_done(struct quota *q, struct quota_hold *h, bool delivered)
{
	size_t i;

	for (i = 0; delivered && i < h->n; i++)
		if (quota_limits_any(&h->boxes[i]->limits))
			charge(q, h->boxes[i], h->size);
	quota_trim(q, h, 0);
}

void
quota_release(struct quota *q, struct quota_hold *h)
{
	quota_trim(q, h, 0);
	free(h->boxes);
	h->boxes = NULL;
	h->cap = 0;
}
