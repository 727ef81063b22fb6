/* SPDX-License-Identifier: ISC */
/*
 * Fault points for the tests, built in by --enable-fault alone. The variable
 * POSTERN_FAULT_POINTS names which calls fail, and how:
 * "fsync:2=EIO,link:3=ENOSPC,write:1=KILL" is: the second fsync of the
 * process, the third link, and the end by SIGKILL at the first write.
 */
#ifndef POSTERN_FAULT_H
#define POSTERN_FAULT_H

#include <stdbool.h>

#ifdef POSTERN_FAULT
/*
 * The call called point is about to be made: true, with errno set, when it
 * is to fail instead. Any thread.
 */
bool	 fault_point(const char *point);
#else
#define fault_point(point)	false
#endif

#endif
