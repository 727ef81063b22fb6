/* SPDX-License-Identifier: ISC */
/*
 * The delivery threads, see store_pool.h. Runs in smtpd-store. The main
 * thread submits and takes back; a job belongs to one thread at a time.
 */
#include "smtpd/store_pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define STACK	(256 * 1024)

STAILQ_HEAD(jobs, pool_job);

struct pool {
	pthread_mutex_t	 lock;
	pthread_cond_t	 wake;
	struct jobs	 todo, done;	/* under the lock */
	bool		 stop;
	size_t		 pending, max;	/* the main thread's */
	pool_fn		*fn;
	pthread_t	*threads;
	unsigned	 n;
	int		 fd;
};

struct pool *
pool_new(size_t max, pool_fn *fn)
{
	struct pool *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	if ((p->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) == -1) {
		free(p);
		return NULL;
	}
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wake, NULL);
	STAILQ_INIT(&p->todo);
	STAILQ_INIT(&p->done);
	p->max = max;
	p->fn = fn;
	return p;
}

static void *
work(void *arg)
{
	const uint64_t one = 1;
	struct pool *p = arg;
	struct pool_job *j;
	ssize_t n;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		while ((j = STAILQ_FIRST(&p->todo)) == NULL && !p->stop)
			pthread_cond_wait(&p->wake, &p->lock);
		if (j == NULL)
			break;
		STAILQ_REMOVE_HEAD(&p->todo, next);
		pthread_mutex_unlock(&p->lock);
		p->fn(j);
		pthread_mutex_lock(&p->lock);
		STAILQ_INSERT_TAIL(&p->done, j, next);
		/* Full means readable: then there is nothing to add. */
		n = write(p->fd, &one, sizeof(one));
		(void)n;
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

int
pool_start(struct pool *p, unsigned n)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int error = 0;

	if ((p->threads = calloc(n, sizeof(*p->threads))) == NULL)
		return -1;
	if ((error = pthread_attr_init(&attr)) != 0)
		goto out;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	error = pthread_attr_setstacksize(&attr, STACK);
	for (; error == 0 && p->n < n; p->n += error == 0)
		error = pthread_create(&p->threads[p->n], &attr, work, p);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
out:
	errno = error;
	return error == 0 ? 0 : -1;
}

int
pool_submit(struct pool *p, struct pool_job *j)
{
	if (p->pending >= p->max) {
		errno = ENOBUFS;
		return -1;
	}
	p->pending++;
	pthread_mutex_lock(&p->lock);
	STAILQ_INSERT_TAIL(&p->todo, j, next);
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
	return 0;
}

int
pool_fd(const struct pool *p)
{
	return p->fd;
}

void
pool_rearm(struct pool *p)
{
	uint64_t count;
	ssize_t n = read(p->fd, &count, sizeof(count));

	(void)n;
}

struct pool_job *
pool_done(struct pool *p)
{
	struct pool_job *j;

	pthread_mutex_lock(&p->lock);
	if ((j = STAILQ_FIRST(&p->done)) != NULL) {
		STAILQ_REMOVE_HEAD(&p->done, next);
		p->pending--;
	}
	pthread_mutex_unlock(&p->lock);
	return j;
}

size_t
pool_pending(const struct pool *p)
{
	return p->pending;
}

void
pool_free(struct pool **pp)
{
	struct pool *p = *pp;
	unsigned i;

	if (p == NULL)
		return;
	*pp = NULL;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->lock);
	for (i = 0; i < p->n; i++)
		pthread_join(p->threads[i], NULL);
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->lock);
	close(p->fd);
	free(p->threads);
	free(p);
}
