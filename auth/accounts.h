/* SPDX-License-Identifier: ISC */
/*
 * The accounts file, postern-accounts(5): one account a line,
 *	user@domain TAB verifier [TAB options]
 * Read by the processes of the auth service as a snapshot; written by
 * posternctl, which replaces the file by rename. What the file holds is the
 * administrator's, but each line is checked strictly: one that is wrong is
 * logged with its number and skipped.
 */
#ifndef POSTERN_ACCOUNTS_H
#define POSTERN_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACCOUNTS_NAME_MAX	321	/* local 64, @, domain 255, NUL */
#define ACCOUNTS_APP_MAX	33	/* name of an app password, with NUL */
#define ACCOUNTS_LINE_MAX	1024	/* octets of a line, without its LF */
#define ACCOUNTS_PROOF		32	/* octets of accounts_proof() */
#define ACCOUNTS_FILE_MAX	((size_t)256 << 20)	/* octets */

/* What an app password is good for. */
enum apppass_scope { APPPASS_SMTP = 1, APPPASS_HTTP = 2 };

struct account {
	const char	*user;		/* canonical local@domain */
	const char	*verifier;	/* see scram.h, syntax checked */
	const char	*options;	/* "" or comma-separated */
	bool		 disabled;	/* option: no login */
	/* Of an app password, whose name is user+app@domain; see apppass.h */
	bool		 app;		/* this is one; else all below is 0 */
	unsigned	 scope;		/* APPPASS_SMTP, APPPASS_HTTP */
	uint64_t	 created;	/* seconds since 1970, 0: not known */
	uint64_t	 expires;	/* the same, 0: never */
	const char	*digest;	/* BASE64, syntax checked, no NUL */
};

struct accounts;

/*
 * Names. The canonical form is local@domain, ASCII in lower case; the local
 * part is a dot-string of RFC 5321 (UTF-8 of RFC 6531 included) in NFC, at
 * most 64 octets; the domain has A-labels, none of UTF-8, and at most 255. A
 * name without `@' gets the domain fallback, unless that is NULL. Writes it
 * to out, at least ACCOUNTS_NAME_MAX octets. 0, or -1 with errno EINVAL, or
 * ENOMEM.
 */
int	 accounts_name(const char *name, size_t len, const char *fallback,
	    char *out, size_t size);
/* Is this string, whole, in the canonical form? */
bool	 accounts_name_ok(const char *name);

/*
 * Read the file at path. NULL and errno of open(2), read(2), or EFBIG,
 * ENOMEM, EINVAL (not a regular file).
 */
struct accounts *accounts_load(const char *path);
void	 accounts_free(struct accounts **);
/*
 * Has the file at path another device, inode, size or time than the
 * snapshot? Then read it again and replace *a (a former snapshot and what
 * points into it are freed). 1: replaced; 0: the same; -1 and errno: it
 * cannot be read, *a stays as it was. *a may be NULL.
 */
int	 accounts_refresh(struct accounts **a, const char *path);
/*
 * By canonical name; NULL when there is none, or when it is the name of an
 * app password. Valid as long as *a.
 */
const struct account *accounts_find(const struct accounts *,
	    const char *user);
/*
 * The app passwords of the account of this name, sorted by name; *n is how
 * many. They may be left from an account that is gone. Valid as long as *a.
 */
const struct account *const *accounts_apps(const struct accounts *,
	    const char *user, size_t *n);
/* The one of this name, or NULL. */
const struct account *accounts_find_app(const struct accounts *,
	    const char *user, const char *app);
/* How many lines there are, of accounts and app passwords, and how many of
 * app passwords alone; and each one, sorted by name; i < count. */
size_t	 accounts_count(const struct accounts *);
size_t	 accounts_count_apps(const struct accounts *);
const struct account *accounts_at(const struct accounts *, size_t i);
/*
 * A digest of all that makes this account what it is: it changes when the
 * password or the options do.
 */
void	 accounts_proof(const struct account *,
	    unsigned char out[ACCOUNTS_PROOF]);
/* The same of an account and one of its app passwords. */
void	 accounts_proof_app(const struct account *, const struct account *app,
	    unsigned char out[ACCOUNTS_PROOF]);
/* The folder of the file at path, to be freed; NULL with errno ENOMEM. */
char	*accounts_folder(const char *path);
/* How many lines were skipped as wrong. */
size_t	 accounts_bad(const struct accounts *);

/*
 * Changing the file: begin, any number of changes, then commit or abort.
 * From begin to commit the lock file "<path>.lock" is held, so that two
 * writers never lose a change. Lines that are comments or wrong are kept.
 */
struct accounts_edit;

/*
 * Lock and read; a file that does not exist is an empty one when create.
 * NULL and errno of open(2) or accounts_load(); EWOULDBLOCK: another writer
 * has held the lock for ten seconds.
 */
struct accounts_edit *accounts_edit_begin(const char *path, bool create);
/*
 * The account, or app password, of this name as it is at this point of the
 * edit, or NULL. Valid until the next change.
 */
const struct account *accounts_edit_find(const struct accounts_edit *,
	    const char *user);
/*
 * Add an account; options "" or NULL for none. 0, or -1 and errno: EINVAL
 * (not canonical, no verifier, unknown option), EEXIST, ENOMEM.
 */
int	 accounts_edit_add(struct accounts_edit *, const char *user,
	    const char *verifier, const char *options);
/* Replace the verifier. 0, or -1 and errno: EINVAL, ENOENT, ENOMEM. */
int	 accounts_edit_verifier(struct accounts_edit *, const char *user,
	    const char *verifier);
/*
 * Remove an account with its app passwords, or an app password. 0, or -1
 * with errno ENOENT or ENOMEM.
 */
int	 accounts_edit_remove(struct accounts_edit *, const char *user);
/* How many app passwords the account of this name has, or had. */
size_t	 accounts_edit_count_apps(const struct accounts_edit *,
	    const char *user);
/* Remove them all. */
void	 accounts_edit_remove_apps(struct accounts_edit *, const char *user);
/*
 * Write a new file (owner, group and mode of the old one, else 0640), fsync,
 * rename over the old one, fsync the folder, unlock, free; *e becomes NULL.
 * Without a change since begin, only unlock and free. 0, or -1 and errno:
 * the old file stands, unless only the fsync of the folder failed.
 */
int	 accounts_edit_commit(struct accounts_edit **e);
/* Forget the changes, unlock, free; *e becomes NULL; NULL is taken too. */
void	 accounts_edit_abort(struct accounts_edit **e);

#endif
