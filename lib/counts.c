/* SPDX-License-Identifier: ISC */
/*
 * Shared counters of connections, see counts.h. Sessions and masters.
 *
 * Every process writes its own column only; sums are read without a lock, so
 * two processes may each admit a connection at the same moment: the limit can
 * be passed by at most the number of processes.
 */
#include "lib/counts.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/siphash.h"

#define COUNTS_BUCKETS	8192	/* a power of two */

struct column {
	_Atomic uint32_t	total;
	_Atomic uint32_t	bucket[COUNTS_BUCKETS];
};

struct shared {
	unsigned char	key[SIPHASH_KEY];
	uint32_t	columns;
	struct column	column[];
};

struct counts {
	struct shared	*shared;
	struct column	*own;
	size_t		 size;
};

static size_t
shared_size(unsigned n)
{
	return offsetof(struct shared, column) + n * sizeof(struct column);
}

int
counts_create(unsigned n)
{
	struct shared head = { .columns = n };
	int fd;

	if (n == 0 || n > CONF_SESSIONS_MAX)
		n = head.columns = CONF_SESSIONS_MAX;
	if (getrandom(head.key, sizeof(head.key), 0) != sizeof(head.key))
		return -1;
	if ((fd = memfd_create("counts", MFD_CLOEXEC)) == -1)
		return -1;
	if (ftruncate(fd, (off_t)shared_size(n)) == -1 ||
	    pwrite(fd, &head, offsetof(struct shared, column), 0) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

struct counts *
counts_map(int fd, unsigned index)
{
	struct counts *c;
	struct stat st;
	void *p;

	if (fstat(fd, &st) == -1 ||
	    (size_t)st.st_size < shared_size(index + 1))
		return NULL;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	c->size = (size_t)st.st_size;
	p = mmap(NULL, c->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		free(c);
		return NULL;
	}
	c->shared = p;
	c->own = &c->shared->column[index];
	return c;
}

void
counts_unmap(struct counts **cp)
{
	if (*cp == NULL)
		return;
	munmap((*cp)->shared, (*cp)->size);
	free(*cp);
	*cp = NULL;
}

void
counts_clear(struct counts *c, unsigned index)
{
	if (shared_size(index + 1) > c->size)
		return;
	memset(&c->shared->column[index], 0, sizeof(struct column));
}

/* Keyed: clients cannot choose what falls together. */
static size_t
bucket_of(const struct counts *c, const unsigned char *ip)
{
	unsigned char out[SIPHASH_SIZE];
	struct siphash h;

	siphash_init(&h, c->shared->key);
	siphash_add(&h, ip, ip_prefix(ip));
	siphash_end(&h, out);
	return (out[0] | (size_t)out[1] << 8) & (COUNTS_BUCKETS - 1);
}

int
counts_enter(struct counts *c, const unsigned char ip[IP_SIZE],
    uint32_t total_max, uint32_t prefix_max)
{
	size_t b = bucket_of(c, ip), columns;
	uint64_t total = 0, prefix = 0;

	columns = (c->size - offsetof(struct shared, column)) /
	    sizeof(struct column);
	for (size_t i = 0; i < columns; i++) {
		total += atomic_load_explicit(&c->shared->column[i].total,
		    memory_order_relaxed);
		prefix += atomic_load_explicit(&c->shared->column[i].bucket[b],
		    memory_order_relaxed);
	}
	if (total >= total_max)
		return 1;
	if (prefix >= prefix_max)
		return 2;
	atomic_fetch_add_explicit(&c->own->total, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&c->own->bucket[b], 1,
	    memory_order_relaxed);
	return 0;
}

void
counts_leave(struct counts *c, const unsigned char ip[IP_SIZE])
{
	size_t b = bucket_of(c, ip);

	atomic_fetch_sub_explicit(&c->own->total, 1, memory_order_relaxed);
	atomic_fetch_sub_explicit(&c->own->bucket[b], 1,
	    memory_order_relaxed);
}
