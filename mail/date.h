/* SPDX-License-Identifier: ISC */
/*
 * The calendar, in UTC, and the date-time of RFC 5322 section 3.3. Pure; the
 * C library's gmtime_r(3) would open the time zone file, which a confined
 * process cannot.
 */
#ifndef POSTERN_DATE_H
#define POSTERN_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DATE_MAX	40	/* octets that date_format() needs */

extern const char date_days[7][4];	/* "Sun" */
extern const char date_months[12][4];	/* "Jan" */

struct date {
	int64_t	year;
	int	month, day;		/* 1 to 12, 1 to 31 */
	int	hour, minute, second;
	int	weekday;		/* 0 Sunday */
};

/* The date of seconds since 1970, from year 1 to 9999, else the nearer end. */
void	 date_of(int64_t seconds, struct date *);
/* The seconds of a date; the weekday does not count. False: there is none. */
bool	 date_seconds(const struct date *, int64_t *seconds);
/*
 * Write "Tue, 4 Nov 2025 12:00:00 +0000" for seconds since 1970 (0 to the
 * end of the year 9999, else the nearer end). Returns dst.
 */
char	*date_format(int64_t seconds, char *dst, size_t size);

#endif
