/* SPDX-License-Identifier: ISC */
/*
 * Dates: of HTTP (RFC 9110 section 5.6.7), of mail (RFC 5322 section 3.3)
 * and of the interface (RFC 3339). Pure. Seconds since 1970, UTC.
 */
#ifndef POSTERN_HTTPDATE_H
#define POSTERN_HTTPDATE_H

#include <stddef.h>
#include <stdint.h>

#include "retrieve/request.h"

#define HTTPDATE_SIZE	40	/* octets of any text written here */

/* "Sun, 06 Nov 1994 08:49:37 GMT". Returns dst. */
char	*httpdate_format(char dst[HTTPDATE_SIZE], int64_t t);
/* "1994-11-06T08:49:37Z". Returns dst. */
char	*httpdate_format_3339(char dst[HTTPDATE_SIZE], int64_t t);
/* "1994-11-06 08:49". Returns dst. */
char	*httpdate_format_short(char dst[HTTPDATE_SIZE], int64_t t);
/* Any of the three forms HTTP has had. 0 and *t, or -1. */
int	 httpdate_parse(struct span, int64_t *t);
/*
 * The value of a mail's Date field, the obsolete zones too. 0 and *t; or
 * -1: it says nothing one can rely on.
 */
int	 httpdate_parse_mail(struct span, int64_t *t);

#endif
