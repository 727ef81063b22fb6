/* SPDX-License-Identifier: ISC */
/*
 * The time now, see now.h. Any process.
 */
#include "lib/now.h"

#include <time.h>

#include "lib/log.h"

static uint64_t
microseconds(clockid_t clock)
{
	struct timespec ts;

	BUG_IF(clock_gettime(clock, &ts) == -1);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t
now_monotonic(void)
{
	return microseconds(CLOCK_MONOTONIC) / 1000;
}

uint64_t
now_micro(void)
{
	return microseconds(CLOCK_MONOTONIC);
}

uint64_t
now_boot(void)
{
	return microseconds(CLOCK_BOOTTIME) / 1000;
}
