/* SPDX-License-Identifier: ISC */
/*
 * How many connections are open, in all and per address prefix (IPv4 /32,
 * IPv6 /64), over all session processes of a service: one shared page set,
 * a column a process, so that the master can clear what a dead one held.
 * Addresses are hashed with a key; two prefixes may share a bucket, which
 * can only make the limit stricter.
 */
#ifndef POSTERN_COUNTS_H
#define POSTERN_COUNTS_H

#include <stdint.h>

#include "lib/ip.h"

struct counts;

/* Master: make the memory for n processes. Descriptor, or -1 and errno. */
int	 counts_create(unsigned n);
/* Map it, as process number index. NULL and errno on failure. */
struct counts *counts_map(int fd, unsigned index);
void	 counts_unmap(struct counts **);
/* Master: forget what process index held. */
void	 counts_clear(struct counts *, unsigned index);
/*
 * Count one connection from ip. 0; or 1 when total would pass total_max,
 * 2 when the prefix would pass prefix_max: then nothing was counted.
 */
int	 counts_enter(struct counts *, const unsigned char ip[IP_SIZE],
	    uint32_t total_max, uint32_t prefix_max);
/* The connection that was counted has ended. */
void	 counts_leave(struct counts *, const unsigned char ip[IP_SIZE]);

#endif
