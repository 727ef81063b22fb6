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
/*
 * Read options into all but the first two members of *out, which point into
 * them. NULL, or the reason why they are wrong.
 */
const char *accounts_options_parse(const char *options, struct account *out);
/* The octets of an app password's digest, APPPASS_DIGEST of them. */
void	 accounts_digest(const struct account *app, unsigned char *out);
/*
 * The order of app passwords: by account, then by name; and where one stands
 * to those of the account of a (canonical) name, 0 being among them.
 */
int	 accounts_app_compare(const struct account *, const struct account *);
int	 accounts_app_compare_user(const struct account *, const char *user);

#endif
