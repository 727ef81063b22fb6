/* SPDX-License-Identifier: ISC */
/*
 * What sessions ask of retrieve-reader. Sessions are not trusted: each
 * datagram is checked whole, each question needs a ticket that auth gave
 * for this very channel, and a session that breaks the rules is cut off.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/chan.h"
#include "lib/log.h"
#include "lib/now.h"
#include "lib/role.h"
#include "lib/str.h"
#include "retrieve/msgid.h"
#include "retrieve/reader.h"

void
peer_send(struct peer *p, const void *msg, size_t len, int fd)
{
	if (chan_send(p->chan, msg, len, fd) == -1 && errno != EPIPE) {
		log_err("reader: session=%u: %m", p->instance);
		shutdown(chan_fd(p->chan), SHUT_RDWR);
	}
}

/* The user whom the nonce stands for, or NULL. */
static const char *
user_of(struct peer *p, const unsigned char nonce[AUTH_NONCE])
{
	struct reader	*r = p->reader;
	const char	*user;

	user = held_find(r->held, p->instance, nonce, now_boot());
	if (user == NULL && r->auth != NULL) {
		/* Auth sent it before the session heard of it. */
		chan_poll(r->auth);
		user = held_find(r->held, p->instance, nonce, now_boot());
	}
	return user;
}

/* The world's fault while looking at a mailbox. */
static uint32_t
fault(const char *user, const char *what)
{
	char	quoted[AUTH_USER_MAX + 64];
	int	saved = errno;

	str_quote(quoted, sizeof(quoted), user, strlen(user));
	errno = saved;
	log_err("reader: cannot %s user=\"%s\": %m", what, quoted);
	return READER_FAILED;
}

/* A bound as the client gave it: an id that is there, or a cursor. */
static bool
find_bound(const struct reader *r, const struct index *x, const char *user,
    const char *text, struct cursor *c)
{
	const struct index_entry	*e = index_find(x, text);

	if (e == NULL)
		return cursor_parse(c, text, user, r->key) == 0;
	c->arrival = e->arrival;
	c->adjacent = false;
	index_id(x, e, c->id);
	return true;
}

static void
write_cursor(const struct reader *r, const struct index *x, const char *user,
    size_t at, bool adjacent, char dst[READER_CURSOR_MAX])
{
	struct cursor	c = { x->entries[at].arrival, adjacent, "" };

	index_id(x, &x->entries[at], c.id);
	cursor_format(dst, &c, user, r->key);
}

/* The head of the list and the page. */
static uint32_t
make_list(const struct reader *r, const struct index *x, const char *user,
    const struct reader_list *q, struct reader_listed *h, struct page *page)
{
	struct cursor	 after, before, *a = NULL, *b = NULL;
	bool		 up = q->ascending != 0;

	if (q->after[0] != '\0') {
		if (!find_bound(r, x, user, q->after, &after))
			return READER_NO_CURSOR;
		a = &after;
	}
	if (q->before[0] != '\0') {
		if (!find_bound(r, x, user, q->before, &before))
			return READER_NO_CURSOR;
		b = &before;
	}
	*page = index_page(x, a, b, q->limit, up);
	h->count = (uint32_t)(page->hi - page->lo);
	h->total = x->n;
	h->unseen = x->unseen;
	memcpy(h->tag, x->tag, sizeof(h->tag));
	h->adjacent = (a != NULL && a->adjacent) || (b != NULL && b->adjacent);
	if (page->next)
		write_cursor(r, x, user, up ? page->hi - 1 : page->lo, false,
		    h->next);
	if (page->prev)
		write_cursor(r, x, user, up ? page->lo : page->hi - 1, true,
		    h->prev);
	return READER_OK;
}

static bool
on_list(struct peer *p, const void *msg, size_t len)
{
	struct reader		*r = p->reader;
	struct reader_list	 q;
	struct reader_listed	 h;
	struct index		*x = NULL;
	struct page		 page = { 0, 0, false, false };
	const char		*user;

	if (len != sizeof(q))
		return false;
	memcpy(&q, msg, sizeof(q));
	if (q.limit < 1 || q.limit > READER_LIMIT_MAX || q.ascending > 1 ||
	    q.peek > 1 || !str_ends(q.after, sizeof(q.after)) ||
	    !str_ends(q.before, sizeof(q.before)))
		return false;
	memset(&h, 0, sizeof(h));
	h.type = READER_LISTED;
	h.id = q.id;
	if ((user = user_of(p, q.nonce)) == NULL)
		h.status = READER_NO_TICKET;
	else if ((x = boxes_get(r->boxes, user, false)) == NULL)
		h.status = fault(user, "list");
	else
		h.status = make_list(r, x, user, &q, &h, &page);
	if (h.status == READER_OK && q.peek == 0 && h.count > 0) {
		if (job_list(p, user, x, &page, &q, &h) == 0)
			return true;
		x = NULL;
		h.status = READER_BUSY;
	}
	index_release(&x);
	peer_send(p, &h, sizeof(h), -1);
	return true;
}

int
reader_open(struct reader *r, const char *user, struct index **xp,
    const char *id, struct index_entry **ep, struct stat *st)
{
	int	fd, tries;

	for (tries = 0; tries < 3; tries++) {
		*ep = index_find(*xp, id);
		if (*ep == NULL)
			break;
		fd = boxes_open(r->boxes, user, (*ep)->fresh,
		    index_name(*xp, *ep), st);
		if (fd != -1 || errno != ENOENT)
			return fd;
		/* Renamed since. */
		index_release(xp);
		if ((*xp = boxes_get(r->boxes, user, true)) == NULL)
			return -1;
	}
	errno = ENOENT;
	return -1;
}

/* What names these octets: RFC 9110 section 8.8.3. */
static void
name_octets(const struct reader *r, const char *user, const char *id,
    const struct stat *st, unsigned char tag[SIPHASH_SIZE])
{
	struct siphash	h;
	int64_t		v[4] = { (int64_t)st->st_ino, (int64_t)st->st_size,
	    (int64_t)st->st_mtim.tv_sec, (int64_t)st->st_mtim.tv_nsec };

	siphash_init(&h, r->key);
	siphash_add_string(&h, "message");
	siphash_add_string(&h, user);
	siphash_add_string(&h, id);
	siphash_add(&h, v, sizeof(v));
	siphash_end(&h, tag);
}

static bool
on_open(struct peer *p, const void *msg, size_t len)
{
	struct reader		*r = p->reader;
	struct reader_open	 q;
	struct reader_opened	 o;
	struct index		*x = NULL;
	struct index_entry	*e;
	struct stat		 st;
	const char		*user;
	int			 fd = -1;

	if (len != sizeof(q))
		return false;
	memcpy(&q, msg, sizeof(q));
	if (!str_ends(q.message, sizeof(q.message)) ||
	    !msgid_valid(q.message, strlen(q.message)))
		return false;
	memset(&o, 0, sizeof(o));
	o.type = READER_OPENED;
	o.id = q.id;
	if ((user = user_of(p, q.nonce)) == NULL) {
		o.status = READER_NO_TICKET;
	} else if ((x = boxes_get(r->boxes, user, false)) == NULL ||
	    (fd = reader_open(r, user, &x, q.message, &e, &st)) == -1) {
		o.status = errno == ENOENT ? READER_NO_MESSAGE :
		    fault(user, "open");
	} else {
		o.status = READER_OK;
		o.flags = e->flags;
		o.stored = (uint64_t)st.st_size;
		o.size = o.stored == e->stored && e->sure ? e->size :
		    INDEX_UNKNOWN;
		o.received = (int64_t)st.st_mtim.tv_sec;
		name_octets(r, user, q.message, &st, o.tag);
		if (job_open(p, user, x, q.message, fd, &o) == 0)
			return true;
		x = NULL;
		o.status = READER_BUSY;
	}
	index_release(&x);
	peer_send(p, &o, sizeof(o), -1);
	return true;
}

static bool
on_ping(struct peer *p, const void *msg, size_t len)
{
	struct reader_ping	q;
	struct reader_pong	a;

	if (len != sizeof(q))
		return false;
	memcpy(&q, msg, sizeof(q));
	memset(&a, 0, sizeof(a));
	a.type = READER_PONG;
	a.id = q.id;
	a.status = boxes_reachable(p->reader->boxes) ? READER_OK :
	    READER_FAILED;
	peer_send(p, &a, sizeof(a), -1);
	return true;
}

static void
on_input(struct chan *c, void *arg, const void *msg, size_t len, int fd)
{
	struct peer	*p = arg;
	uint32_t	 type = READER_NONE;
	bool		 well = false;

	(void)c;
	if (len >= sizeof(type))
		memcpy(&type, msg, sizeof(type));
	if (fd != -1)
		close(fd);
	else if (type == READER_LIST)
		well = on_list(p, msg, len);
	else if (type == READER_OPEN)
		well = on_open(p, msg, len);
	else if (type == READER_PING)
		well = on_ping(p, msg, len);
	if (well)
		return;
	log_warn("reader: bad message session=%u type=%u octets=%zu",
	    p->instance, type, len);
	peer_free(p);
}

static void
on_gone(struct chan *c, void *arg)
{
	(void)c;
	peer_free(arg);
}

static void
on_drained(struct chan *c, void *arg)
{
	struct peer	*p = arg;

	(void)c;
	job_wake(p->reader);
}

void
peer_new(struct reader *r, uint32_t instance, int fd)
{
	static const struct chan_ops ops = {
		.input = on_input, .gone = on_gone, .drained = on_drained
	};
	struct peer	*p;

	if ((p = calloc(1, sizeof(*p))) == NULL) {
		log_err("reader: %m");
		close(fd);
		return;
	}
	p->reader = r;
	p->instance = instance;
	if ((p->chan = chan_new(r->base, fd, &ops, p)) == NULL) {
		log_err("reader: %m");
		free(p);
		return;
	}
	TAILQ_INSERT_TAIL(&r->peers, p, link);
}

void
peer_free(struct peer *p)
{
	struct reader	*r = p->reader;

	job_drop(r, p);
	TAILQ_REMOVE(&r->peers, p, link);
	chan_free(&p->chan);
	free(p);
	reader_left(r);
}
