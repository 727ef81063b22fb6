/* SPDX-License-Identifier: ISC */
/*
 * RFC 5322 dates, see date.h. Any process; its input is our own clock.
 */
#include "mail/date.h"

#include <stdio.h>

#define DAY		86400
#define SECONDS_MAX	253402300799LL	/* 31 Dec 9999 23:59:59 */

/*
 * The civil date of a day since 1970: years are counted from March, so that
 * the leap day is a year's last, in eras of 400 years (146097 days).
 */
static void
civil(int64_t days, int *year, int *month, int *day)
{
	int64_t z = days + 719468;	/* days since 1 March 0000 */
	int64_t era = z / 146097, doe = z % 146097, yoe, doy, mp;

	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*day = (int)(doy - (153 * mp + 2) / 5 + 1);
	*month = (int)(mp < 10 ? mp + 3 : mp - 9);
	*year = (int)(yoe + era * 400 + (*month <= 2 ? 1 : 0));
}

char *
date_format(int64_t seconds, char *dst, size_t size)
{
	static const char weekdays[] = "ThuFriSatSunMonTueWed";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t days;
	int year, month, day, s;

	if (seconds < 0)
		seconds = 0;
	if (seconds > SECONDS_MAX)
		seconds = SECONDS_MAX;
	days = seconds / DAY;
	s = (int)(seconds % DAY);
	civil(days, &year, &month, &day);
	snprintf(dst, size, "%.3s, %d %.3s %d %02d:%02d:%02d +0000",
	    weekdays + days % 7 * 3, day, months + (month - 1) * 3, year,
	    s / 3600, s / 60 % 60, s % 60);
	return dst;
}
