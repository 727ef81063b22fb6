/* SPDX-License-Identifier: ISC */
/*
 * Message ids, run by retrieve-session (from paths) and retrieve-reader
 * (from file names and, again, from sessions).
 */
#include <string.h>

#include "retrieve/msgid.h"
#include "retrieve/reader_proto.h"

bool
msgid_valid(const char *s, size_t len)
{
	size_t	i;

	if (len == 0 || len >= READER_ID_MAX || s[0] == '.')
		return false;
	for (i = 0; i < len; i++)
		if (s[i] <= 0x20 || s[i] >= 0x7f ||
		    strchr("/\",:", s[i]) != NULL)
			return false;
	return true;
}
