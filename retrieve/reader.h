/* SPDX-License-Identifier: ISC */
/*
 * The parts of retrieve-reader: reader.c (role, auth), reader_peer.c (what
 * sessions ask), reader_job.c (lists and measuring, in slices).
 */
#ifndef POSTERN_READER_H
#define POSTERN_READER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "auth/held.h"
#include "retrieve/boxes.h"
#include "retrieve/reader_proto.h"

#define READER_JOBS_MAX	1024	/* questions that are not answered at once */

struct chan;
struct event;
struct event_base;

struct peer;
struct job;
TAILQ_HEAD(peer_list, peer);
TAILQ_HEAD(job_list, job);

struct reader {
	struct event_base	*base;
	struct event		*step;		/* go on with the jobs */
	struct chan		*auth;
	struct held		*held;
	struct boxes		*boxes;
	int			 root;		/* the mail root */
	unsigned char		 key[SIPHASH_KEY];
	struct peer_list	 peers;
	struct job_list		 jobs;
	size_t			 njobs;
	bool			 draining;
	unsigned char		*scratch;	/* READER_SCRATCH octets */
	struct reader_rows	*rows;
};

#define READER_SCRATCH	65536

/* A session process. */
struct peer {
	TAILQ_ENTRY(peer)	 link;
	struct reader		*reader;
	struct chan		*chan;
	uint32_t		 instance;
};

/* A new channel to session process instance; takes fd over. */
void	 peer_new(struct reader *, uint32_t instance, int fd);
/* Close it; its jobs are dropped. */
void	 peer_free(struct peer *);
/* Send; on failure the channel breaks by itself. */
void	 peer_send(struct peer *, const void *msg, size_t len, int fd);
/* The one the reader waited for to go: ends a reader in drain. */
void	 reader_left(struct reader *);

/*
 * Answer a LIST: index (its reference is taken over) holds the page. 0, or
 * -1 when there are too many jobs or no memory: nothing was answered.
 */
int	 job_list(struct peer *, const char *user, struct index *,
	    const struct page *, const struct reader_list *,
	    const struct reader_listed *head);
/*
 * Answer an OPEN, measuring the file first if need be. fd and the index's
 * reference are taken over. 0, or -1 as job_list(): fd is closed.
 */
int	 job_open(struct peer *, const char *user, struct index *,
	    const char *id, int fd, const struct reader_opened *);
/* Drop what was to be answered to this peer. */
void	 job_drop(struct reader *, const struct peer *);
/* Go on with the jobs (the event `step'). */
void	 job_run(int fd, short what, void *reader);
/* Let job_run() be called soon, if there is anything to do. */
void	 job_wake(struct reader *);
/*
 * Open the file of the message id of x. It may have been renamed since x was
 * made: then *xp is replaced by a fresh index. The descriptor and *ep; or
 * -1 and errno, ENOENT when there is no such message any more.
 */
int	 reader_open(struct reader *, const char *user, struct index **xp,
	    const char *id, struct index_entry **ep, struct stat *);

#endif
