/* SPDX-License-Identifier: ISC */
/*
 * Credentials of the Basic scheme (RFC 7617), as a message of the SASL
 * mechanism PLAIN (RFC 4616). Pure; run by retrieve-session.
 */
#ifndef POSTERN_BASIC_H
#define POSTERN_BASIC_H

#include <stddef.h>

#include "retrieve/request.h"

/*
 * Turn the value of an Authorization field into NUL user NUL password at
 * dst. Its length; or 0: another scheme, malformed BASE64, no colon, a NUL,
 * or more than size octets.
 */
size_t	 basic_to_plain(struct span value, unsigned char *dst, size_t size);

#endif
