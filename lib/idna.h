/* SPDX-License-Identifier: ISC */
/*
 * Domain names as they are compared everywhere: ASCII in lower case, labels
 * of other letters as A-labels (RFC 5890 section 2.3.2.1). Pure; takes memory
 * for a moment where a domain is not ASCII.
 */
#ifndef POSTERN_IDNA_H
#define POSTERN_IDNA_H

#include <stddef.h>

#define IDNA_MAX	255	/* octets, before and after */

/*
 * Write the len octets of a domain at src to dst of size octets, in that
 * form, NUL-terminated. Labels that are not ASCII are brought into lower case
 * and NFC, nothing else is mapped (RFC 5895 section 2, steps 1 and 3), and
 * must be valid by IDNA2008 (RFC 5891 section 4.2). Labels of ASCII are
 * lowered and not looked at, fake A-labels too: their syntax is the caller's.
 * src and dst may be the same. 0, or -1 with errno EINVAL (no valid domain),
 * ENAMETOOLONG (a label over 63, the whole over 255 or size) or ENOMEM; dst
 * is unchanged then.
 */
int	 idna_to_ascii(char *dst, size_t size, const char *src, size_t len);

#endif
