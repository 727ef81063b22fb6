/* SPDX-License-Identifier: ISC */
/*
 * The date-time of RFC 5322 section 3.3, in UTC. Pure; the C library's
 * gmtime_r(3) would open the time zone file, which a confined process
 * cannot.
 */
#ifndef POSTERN_DATE_H
#define POSTERN_DATE_H

#include <stddef.h>
#include <stdint.h>

#define DATE_MAX	40	/* octets that date_format() needs */

/*
 * Write "Tue, 4 Nov 2025 12:00:00 +0000" for seconds since 1970 (0 to the
 * end of the year 9999, else the nearer end). Returns dst.
 */
char	*date_format(int64_t seconds, char *dst, size_t size);

#endif
