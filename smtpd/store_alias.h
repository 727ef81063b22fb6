/* SPDX-License-Identifier: ISC */
/*
 * The alias file as the store follows it: read again when it has changed.
 * The folder is opened once, before the store is confined. A file that cannot
 * be read or has errors changes nothing but the log.
 */
#ifndef POSTERN_STORE_ALIAS_H
#define POSTERN_STORE_ALIAS_H

#include <stdbool.h>
#include <stdint.h>

#include "mail/alias.h"

struct aliases;

/*
 * Open the folder of the conf's alias file and read the file. A folder that
 * does not exist means no aliases, and none until a new process is started.
 * NULL and errno ENOMEM.
 */
struct aliases *aliases_new(const struct conf *);
/* *ap becomes NULL; NULL is taken too. */
void	 aliases_free(struct aliases **ap);
/* The folder that must stay readable; NULL when there is none. */
const char *aliases_folder(const struct aliases *);
/*
 * Has the file changed? Then read it. Costs one fstatat(2) otherwise. What
 * aliases_table() returned before is not valid any more.
 */
void	 aliases_follow(struct aliases *, uint64_t now);
/* The table now; NULL: no aliases. */
struct alias_table *aliases_table(const struct aliases *);
/*
 * Was the file ever read without an error, or not there? Else an address that
 * is in no table may be an alias all the same.
 */
bool	 aliases_known(const struct aliases *);

#endif
