/* SPDX-License-Identifier: ISC */
/*
 * Dates, see date.h. Any process. Years are counted from March, so that the
 * leap day is a year's last, in eras of 400 years (146097 days).
 */
#include "mail/date.h"

#include <stdio.h>

#define DATE_FIRST	-62135596800LL	/* 1 Jan 0001 */
#define DATE_LAST	253402300799LL	/* 31 Dec 9999 23:59:59 */

const char date_days[7][4] = {
	"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"
};
const char date_months[12][4] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct",
	"Nov", "Dec"
};

/* Days since 1970-01-01 of the proleptic Gregorian calendar. */
static int64_t
days_of(int64_t y, int m, int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

void
date_of(int64_t t, struct date *c)
{
	int64_t z, era, doe, yoe, doy, mp, rest;

	/* What a 4-digit year cannot show is shown as its nearest end. */
	if (t < DATE_FIRST)
		t = DATE_FIRST;
	if (t > DATE_LAST)
		t = DATE_LAST;
	z = (t >= 0 ? t : t - 86399) / 86400;
	rest = t - z * 86400;
	c->weekday = (int)(((z + 4) % 7 + 7) % 7);
	c->hour = (int)(rest / 3600);
	c->minute = (int)(rest / 60 % 60);
	c->second = (int)(rest % 60);
	z += 719468;
	era = (z >= 0 ? z : z - 146096) / 146097;
	doe = z - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	c->day = (int)(doy - (153 * mp + 2) / 5 + 1);
	c->month = (int)(mp < 10 ? mp + 3 : mp - 9);
	c->year = yoe + era * 400 + (c->month <= 2);
}

bool
date_seconds(const struct date *c, int64_t *t)
{
	static const int length[] = { 31, 29, 31, 30, 31, 30, 31, 31,
	    30, 31, 30, 31 };
	bool leap;

	leap = (c->year % 4 == 0 && c->year % 100 != 0) || c->year % 400 == 0;
	if (c->month < 1 || c->month > 12 || c->day < 1 ||
	    c->day > length[c->month - 1] ||
	    (c->month == 2 && c->day == 29 && !leap) ||
	    c->hour > 23 || c->minute > 59 || c->second > 60)
		return false;
	*t = days_of(c->year, c->month, c->day) * 86400 + c->hour * 3600 +
	    c->minute * 60 + c->second;
	return true;
}

char *
date_format(int64_t seconds, char *dst, size_t size)
{
	struct date d;

	date_of(seconds < 0 ? 0 : seconds, &d);
	snprintf(dst, size, "%s, %d %s %d %02d:%02d:%02d +0000",
	    date_days[d.weekday], d.day, date_months[d.month - 1],
	    (int)d.year, d.hour, d.minute, d.second);
	return dst;
}
