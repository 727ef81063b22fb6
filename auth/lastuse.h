/* SPDX-License-Identifier: ISC */
/*
 * When each app password was used last, and a file that keeps it: one a line,
 *	user+app@domain TAB seconds since 1970 TAB smtp|http TAB address
 * Written by auth-server, who reads what it wrote; read by posternctl.
 */
#ifndef POSTERN_LASTUSE_H
#define POSTERN_LASTUSE_H

#include <stdint.h>

#include "auth/accounts.h"
#include "lib/ip.h"

#define LASTUSE_FOLDER	"auth"		/* below state_dir */
#define LASTUSE_FILE	"last-use"

struct lastuse;

struct lastuse_entry {
	char		 login[ACCOUNTS_NAME_MAX];	/* user+app@domain */
	uint64_t	 time;		/* seconds since 1970 */
	uint32_t	 service;	/* AUTH_SMTP, AUTH_HTTP */
	char		 address[IP_TEXT];
};

/* An empty table. NULL and errno ENOMEM. */
struct lastuse *lastuse_new(void);
/* *lp becomes NULL; NULL is taken too. */
void	 lastuse_free(struct lastuse **lp);
/*
 * Take in what the file at path says, where that is later; lines that are
 * wrong are left out, a file that is not there is an empty one. 0, or -1 and
 * errno of open(2), read(2), or EFBIG, EINVAL (not a regular file), ENOMEM.
 */
int	 lastuse_read(struct lastuse *, const char *path);
/* The entry of this app password, or NULL; valid until the next change. */
const struct lastuse_entry *lastuse_find(const struct lastuse *,
	    const char *login);
/* Any entry; NULL when there is none. */
const struct lastuse_entry *lastuse_first(const struct lastuse *);
/* Take in a copy, unless a later one is there. 0, or -1: EINVAL, ENOMEM. */
int	 lastuse_add(struct lastuse *, const struct lastuse_entry *);
/*
 * Take in the file (another process may have written it), drop what is not
 * of an app password among the accounts, or of a former one of that name,
 * and replace the file by rename. Nothing is synced: losing it does no harm.
 * 0, or -1 and errno: the old file stands.
 */
int	 lastuse_write(struct lastuse *, const char *path,
	    const struct accounts *);

#endif
