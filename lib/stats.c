/* SPDX-License-Identifier: ISC */
/*
 * A process's own numbers, see stats.h. Any process. The page is mapped
 * without its head, and the descriptor closed: what takes the process over
 * later can spoil these numbers, not say whose they are.
 */
#include "lib/stats.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/stats_page.h"

static uint64_t nowhere[STATS_SLOTS];
uint64_t *stats_own = nowhere;

static void
observe(unsigned slot, const uint64_t *bounds, uint64_t value)
{
	unsigned i;

	for (i = 0; i < STATS_BOUNDS && value > bounds[i]; i++)
		;
	stats_add(slot + i, 1);
	stats_add(slot + STATS_HIST - 1, value);
}

void
stats_time(unsigned slot, uint64_t microseconds)
{
	observe(slot, stats_time_bounds, microseconds);
}

void
stats_size(unsigned slot, uint64_t octets)
{
	observe(slot, stats_size_bounds, octets);
}

void
stats_today(unsigned slot)
{
	uint64_t today = (uint64_t)time(NULL) / STATS_DAY_SECONDS;

	if (stats_own[slot] != today) {
		stats_set(slot + 1, 0);
		stats_set(slot, today);
	}
	stats_add(slot + 1, 1);
}

/* The place of word in values, or the last one's, which is for the rest. */
static unsigned
place(const char *const *values, const char *word)
{
	unsigned i;

	for (i = 0; values[i + 1] != NULL; i++)
		if (word != NULL && strcmp(values[i], word) == 0)
			break;
	return i;
}

unsigned
stats_login(const char *mechanism, const char *service, const char *result)
{
	unsigned m = place(stats_mechanisms, mechanism);
	unsigned s = place(stats_services, service);

	return STATS_LOGINS + (m * 2 + s) * STATS_RESULTS +
	    place(stats_logins, result);
}

unsigned
stats_tls(const char *version)
{
	return STATS_HANDSHAKES + place(stats_versions, version);
}

int
stats_map(int fd)
{
	struct stat st;
	void *p = MAP_FAILED;
	int error;

	if (fstat(fd, &st) == 0 && (uint64_t)st.st_size < STATS_FILE_SIZE)
		errno = EINVAL;
	else
		p = mmap(NULL, STATS_VALUES_SIZE, PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, STATS_VALUES_AT);
	error = errno;
	close(fd);
	errno = error;
	if (p == MAP_FAILED)
		return -1;
	stats_own = p;
	return 0;
}
