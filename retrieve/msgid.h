/* SPDX-License-Identifier: ISC */
/*
 * Which message ids are served: see mail/maildir.h for what an id is. Pure.
 */
#ifndef POSTERN_MSGID_H
#define POSTERN_MSGID_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Are the len octets at s an id that can be looked up: printable ASCII, not
 * hidden, no '/', '"', ',' or ':', short enough for READER_ID_MAX?
 */
bool	 msgid_valid(const char *s, size_t len);

#endif
