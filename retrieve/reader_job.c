/* SPDX-License-Identifier: ISC */
/*
 * Lists and measuring in retrieve-reader, a slice at a time, so that one
 * user's thousand messages do not keep the others waiting. Text from mail is
 * handled here: a few header fields, of which at most JOB_HEADER octets are
 * looked at.
 */
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/chan.h"
#include "lib/log.h"
#include "lib/now.h"
#include "lib/str.h"
#include "retrieve/crlf.h"
#include "retrieve/reader.h"

#define JOB_HEADER	READER_SCRATCH	/* octets of a message for a list */
#define JOB_PROBE	8192		/* most headers are shorter */
#define JOB_READ	(1 << 20)	/* octets measured at a time */
#define JOB_SLICE	5		/* ms before others have their turn */

/* A file being read through to learn its size with CRLF. */
struct measure {
	int		fd;		/* -1: none */
	uint64_t	at, added;
	bool		cr;
	struct index_entry *entry;	/* in the job's index */
};

struct job {
	TAILQ_ENTRY(job)	 link;
	struct peer		*peer;
	struct index		*index;
	struct measure		 measure;
	bool			 open;		/* an OPEN, else a LIST */
	struct reader_opened	 opened;
	uint32_t		 id;
	bool			 ascending;
	size_t			 lo, hi;	/* entries still to be sent */
	char			 message[READER_ID_MAX];
	char			 user[AUTH_USER_MAX];
};

/* A new job; the index's reference is the job's on success. */
static struct job *
job_new(struct peer *p, const char *user, struct index *x)
{
	struct reader	*r = p->reader;
	struct job	*j;

	if (r->njobs >= READER_JOBS_MAX ||
	    (j = calloc(1, sizeof(*j))) == NULL)
		return NULL;
	j->peer = p;
	j->index = x;
	j->measure.fd = -1;
	str_copy(j->user, sizeof(j->user), user);
	TAILQ_INSERT_TAIL(&r->jobs, j, link);
	r->njobs++;
	job_wake(r);
	return j;
}

static void
job_free(struct reader *r, struct job *j)
{
	TAILQ_REMOVE(&r->jobs, j, link);
	r->njobs--;
	if (j->measure.fd != -1)
		close(j->measure.fd);
	index_release(&j->index);
	free(j);
}

void
job_drop(struct reader *r, const struct peer *p)
{
	struct job	*j, *next;

	for (j = TAILQ_FIRST(&r->jobs); j != NULL; j = next) {
		next = TAILQ_NEXT(j, link);
		if (j->peer == p)
			job_free(r, j);
	}
}

int
job_list(struct peer *p, const char *user, struct index *x,
    const struct page *page, const struct reader_list *q,
    const struct reader_listed *head)
{
	struct job	*j = job_new(p, user, x);

	if (j == NULL) {
		index_release(&x);
		return -1;
	}
	j->id = q->id;
	j->ascending = q->ascending != 0;
	j->lo = page->lo;
	j->hi = page->hi;
	peer_send(p, head, sizeof(*head), -1);
	return 0;
}

/* Read as much as there is, up to len octets. Octets, or -1 and errno. */
static ssize_t
read_at(int fd, unsigned char *buf, size_t len, uint64_t at)
{
	size_t	n = 0;
	ssize_t	r;

	while (n < len) {
		r = pread(fd, buf + n, len - n, (off_t)(at + n));
		if (r == -1 && errno == EINTR)
			continue;
		if (r == -1)
			return -1;
		if (r == 0)
			break;
		n += (size_t)r;
	}
	return (ssize_t)n;
}

static void
know_size(struct index_entry *e, uint64_t size)
{
	e->size = size;
	e->sure = true;
}

/* Go on measuring. 1: done, its size is noted; 0: more; -1: failed. */
static int
measure_step(struct reader *r, struct job *j)
{
	struct measure	*m = &j->measure;
	size_t		 all = 0;
	ssize_t		 n;

	while (all < JOB_READ) {
		n = read_at(m->fd, r->scratch, READER_SCRATCH, m->at);
		if (n == -1)
			return -1;
		m->added += crlf_count(&m->cr, r->scratch, (size_t)n);
		m->at += (uint64_t)n;
		all += (size_t)n;
		if (n == READER_SCRATCH)
			continue;
		if (m->entry != NULL && m->entry->stored == m->at)
			know_size(m->entry, m->at + m->added);
		return 1;
	}
	return 0;
}

/* OPEN: true when the job is over. */
static bool
open_step(struct reader *r, struct job *j)
{
	struct reader_opened	*o = &j->opened;
	int			 done = measure_step(r, j);

	if (done == 0)
		return false;
	if (done == -1)
		log_err("reader: cannot read a message: %m");
	/* It grew or shrank meanwhile: what was promised would be wrong. */
	if (done == -1 || j->measure.at != o->stored) {
		o->status = READER_FAILED;
		peer_send(j->peer, o, sizeof(*o), -1);
		return true;
	}
	o->size = j->measure.at + j->measure.added;
	peer_send(j->peer, o, sizeof(*o), j->measure.fd);
	return true;
}

int
job_open(struct peer *p, const char *user, struct index *x, const char *id,
    int fd, const struct reader_opened *o)
{
	struct job	*j;

	if (o->size != INDEX_UNKNOWN) {
		peer_send(p, o, sizeof(*o), fd);
		close(fd);
		index_release(&x);
		return 0;
	}
	if ((j = job_new(p, user, x)) == NULL) {
		close(fd);
		index_release(&x);
		return -1;
	}
	j->open = true;
	j->opened = *o;
	j->measure.fd = fd;
	j->measure.entry = index_find(x, id);
	/* Most are short: one read, and no waiting for a turn. */
	if (o->stored < READER_SCRATCH && open_step(p->reader, j))
		job_free(p->reader, j);
	return 0;
}

/* Learn the header fields. 0, or -1 with errno. */
static int
read_fields(struct reader *r, struct job *j, int fd, struct index_entry *e)
{
	static const size_t	 sizes[] = { JOB_PROBE, JOB_HEADER };
	ssize_t			 n = 0;
	size_t			 i;
	bool			 cr;

	for (i = 0; i < 2; i++) {
		n = read_at(fd, r->scratch, sizes[i], 0);
		if (n == -1)
			return -1;
		if ((size_t)n < sizes[i] ||
		    memmem(r->scratch, (size_t)n, "\n\n", 2) != NULL ||
		    memmem(r->scratch, (size_t)n, "\n\r\n", 3) != NULL)
			break;
	}
	/* All of it was read: count, rather than believe the name. */
	if (i < 2 && (size_t)n < sizes[i] && (uint64_t)n == e->stored &&
	    !e->sure) {
		cr = false;
		know_size(e, e->stored + crlf_count(&cr, r->scratch,
		    (size_t)n));
	}
	e->fields = fields_read((const char *)r->scratch, (size_t)n);
	if (e->fields == NULL)
		return -1;
	boxes_charge(r->boxes, j->user, e->fields->size);
	return 0;
}

static void
fill_row(const struct index *x, const struct index_entry *e,
    struct reader_row *row)
{
	const struct fields	*f = e->fields;

	memset(row, 0, sizeof(*row));
	index_id(x, e, row->message);
	row->size = e->size == INDEX_UNKNOWN ? e->stored : e->size;
	row->received = e->mtime / 1000000000 - (e->mtime % 1000000000 < 0);
	row->flags = e->flags;
	if (f == NULL)
		return;
	row->dated = f->dated;
	row->date = f->date;
	str_copy(row->from, sizeof(row->from), f->from);
	str_copy(row->to, sizeof(row->to), f->to);
	str_copy(row->subject, sizeof(row->subject), f->subject);
}

enum row { ROW_READY, ROW_WAIT, ROW_GONE };

/*
 * Make the row of the entry. It WAITs while its size is being measured. A
 * message that cannot be read is shown with what its name tells.
 */
static enum row
make_row(struct reader *r, struct job *j, struct index_entry *e,
    struct reader_row *row)
{
	struct index		*x = j->index;
	struct index_entry	*now;
	struct stat		 st;
	char			 id[READER_ID_MAX];
	int			 fd, error;

	if (e->fields != NULL && e->size != INDEX_UNKNOWN) {
		fill_row(x, e, row);
		return ROW_READY;
	}
	index_hold(x);
	fd = reader_open(r, j->user, &x, index_id(x, e, id), &now, &st);
	error = errno;
	index_release(&x);
	if (fd == -1 && error == ENOENT)
		return ROW_GONE;
	errno = error;
	if (fd == -1 || (e->fields == NULL &&
	    read_fields(r, j, fd, e) == -1))
		log_err("reader: cannot read a message: %m");
	if (fd != -1 && e->size == INDEX_UNKNOWN) {
		j->measure = (struct measure){ .fd = fd, .entry = e };
		return ROW_WAIT;
	}
	if (fd != -1)
		close(fd);
	fill_row(j->index, e, row);
	return ROW_READY;
}

static void
send_rows(struct reader *r, struct job *j)
{
	struct reader_rows	*m = r->rows;

	if (m->count == 0)
		return;
	m->type = READER_ROWS;
	m->id = j->id;
	m->reserved = 0;
	peer_send(j->peer, m, offsetof(struct reader_rows, row) +
	    m->count * sizeof(m->row[0]), -1);
}

/* LIST: a datagram of rows, or a part of a file. True when it is over. */
static bool
list_step(struct reader *r, struct job *j)
{
	struct reader_rows	*m = r->rows;
	struct index_entry	*e;
	enum row		 what;
	int			 done;

	if (j->measure.fd != -1) {
		if ((done = measure_step(r, j)) == 0)
			return false;
		close(j->measure.fd);
		j->measure.fd = -1;
		/* Whatever came of it, the row goes out now. */
		e = j->measure.entry;
		if (e->size == INDEX_UNKNOWN)
			e->size = done == 1 ? j->measure.at +
			    j->measure.added : e->stored;
	}
	m->count = 0;
	while (j->lo < j->hi && m->count < READER_ROWS_MAX) {
		e = &j->index->entries[j->ascending ? j->lo : j->hi - 1];
		what = make_row(r, j, e, &m->row[m->count]);
		if (what == ROW_WAIT)
			break;
		if (what == ROW_GONE)
			memset(&m->row[m->count], 0, sizeof(m->row[0]));
		m->count++;
		if (j->ascending)
			j->lo++;
		else
			j->hi--;
	}
	send_rows(r, j);
	return j->lo == j->hi;
}

/* The next job whose peer takes more, or NULL. */
static struct job *
next_job(struct reader *r)
{
	struct job	*j;

	TAILQ_FOREACH(j, &r->jobs, link)
		if (chan_queued(j->peer->chan) == 0)
			break;
	return j;
}

void
job_wake(struct reader *r)
{
	static const struct timeval	now = { 0, 0 };

	if (!TAILQ_EMPTY(&r->jobs))
		event_add(r->step, &now);
}

void
job_run(int fd, short what, void *arg)
{
	struct reader	*r = arg;
	uint64_t	 start = now_monotonic();
	struct job	*j;

	(void)fd;
	(void)what;
	while ((j = next_job(r)) != NULL &&
	    now_monotonic() - start < JOB_SLICE) {
		if (j->open ? open_step(r, j) : list_step(r, j)) {
			job_free(r, j);
			continue;
		}
		TAILQ_REMOVE(&r->jobs, j, link);
		TAILQ_INSERT_TAIL(&r->jobs, j, link);
	}
	if (j != NULL)
		job_wake(r);
}
