/* SPDX-License-Identifier: ISC */
/*
 * Threads that run blocking jobs for an event loop.
 */
#ifndef POSTERN_STORE_POOL_H
#define POSTERN_STORE_POOL_H

#include <stddef.h>
#include <sys/queue.h>

struct pool;

/* The first member of what the caller has run. */
struct pool_job {
	STAILQ_ENTRY(pool_job)	 next;
};

typedef void pool_fn(struct pool_job *);

/* A pool that holds at most max jobs. NULL and errno. */
struct pool *pool_new(size_t max, pool_fn *);
/* Start n threads. 0, or -1 and errno. */
int	 pool_start(struct pool *, unsigned n);
/* Hand a job over. 0, or -1 with errno ENOBUFS: there are max already. */
int	 pool_submit(struct pool *, struct pool_job *);
/* Readable when a job is done. */
int	 pool_fd(const struct pool *);
/* Call this when it is; then the jobs that are done, until NULL. */
void	 pool_rearm(struct pool *);
struct pool_job *pool_done(struct pool *);
/* Jobs handed over and not yet given back; of the caller's own thread. */
size_t	 pool_pending(const struct pool *);
/* End the threads (they finish what they run), free it. For the tests. */
void	 pool_free(struct pool **);

#endif
