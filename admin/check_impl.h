/* SPDX-License-Identifier: ISC */
/*
 * What the files of "posternctl check" share.
 */
#ifndef POSTERN_CHECK_IMPL_H
#define POSTERN_CHECK_IMPL_H

#include <stdbool.h>

struct conf;

struct check {
	const char	*file;		/* the conf's name */
	const struct conf *conf;
	unsigned	 errors;
};

/* Has the key a bad value, which was said? Then nothing more is. */
bool	 check_bad(const struct check *, const char *section,
	    const char *name);
/*
 * Say "file:line: section.name: ..." of a key that a start would fail for,
 * and count it; of one that it would not fail for, as a warning. With name
 * NULL nothing but "file: ...".
 */
void	 check_error(struct check *, const char *section, const char *name,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void	 check_warn(struct check *, const char *section, const char *name,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/*
 * Could this system user do that (access(2))? Without privilege: could
 * whoever runs this? 0, or -1 and errno.
 */
int	 check_access(const char *user, const char *path, int mode);

void	 check_tls(struct check *);
void	 check_clients(struct check *);
void	 check_places(struct check *);
void	 check_accounts(struct check *);
/* The account store, whichever it is. */
void	 check_store(struct check *);
void	 check_aliases(struct check *);
void	 check_listeners(struct check *);

#endif
