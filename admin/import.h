/* SPDX-License-Identifier: ISC */
/*
 * The lines "address:password" that accounts are imported from. Pure.
 */
#ifndef POSTERN_IMPORT_H
#define POSTERN_IMPORT_H

#include <stddef.h>

enum import_line {
	IMPORT_NOTHING,		/* empty, or a comment */
	IMPORT_ACCOUNT,
	IMPORT_BAD		/* no colon that ends an address */
};

/*
 * Take the len octets of a line, without its LF, apart. A line that opens
 * with "#" is a comment. A CR at the end is dropped. The address ends at the
 * first colon outside a quoted string; all behind it is the password, which
 * may hold colons and blanks.
 */
enum import_line import_parse(const char *line, size_t len,
	    size_t *address_len, const char **password, size_t *password_len);

#endif
