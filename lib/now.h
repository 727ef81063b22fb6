/* SPDX-License-Identifier: ISC */
/*
 * The time now, by clocks that never go back, in milliseconds. Any process.
 */
#ifndef POSTERN_NOW_H
#define POSTERN_NOW_H

#include <stdint.h>

/* For times within this process; stands still while the machine sleeps. */
uint64_t now_monotonic(void);
/* The same in microseconds. */
uint64_t now_micro(void);
/* For times that processes tell each other; goes on while it sleeps. */
uint64_t now_boot(void);

#endif
