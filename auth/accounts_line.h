/* SPDX-License-Identifier: ISC */
/*
 * One line of the accounts file. For accounts.c and accounts_edit.c alone.
 */
#ifndef POSTERN_ACCOUNTS_LINE_H
#define POSTERN_ACCOUNTS_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "auth/accounts.h"

/* Is the line blank or a comment? */
bool	 accounts_line_is_comment(const char *line, size_t len);
/*
 * Read a line of len octets, without its LF; line[len] must be writable.
 * Tabs and line[len] become NULs and *out points into the line. NULL, or
 * the reason why the line is wrong; it may have been changed then too.
 */
const char *accounts_line_parse(char *line, size_t len, struct account *out);
/* Are these options known? Sets *disabled. */
bool	 accounts_options_ok(const char *options, bool *disabled);

#endif
