/* SPDX-License-Identifier: ISC */
/*
 * The mailboxes of a From or To field, for showing. Pure.
 */
#ifndef POSTERN_ADDRLIST_H
#define POSTERN_ADDRLIST_H

#include <stddef.h>

#define ADDRLIST_TEXT	700	/* octets of a name or an address with NUL */

struct addrlist_entry {
	char	name[ADDRLIST_TEXT];	/* decoded, without quotes; or "" */
	char	address[ADDRLIST_TEXT];	/* local@domain; or "" */
};

/* Called for each entry in turn; not 0 ends the reading. */
typedef int addrlist_fn(void *arg, const struct addrlist_entry *);

/*
 * Read an unfolded value. Where it is no address list, what came before the
 * fault counts; with nothing before it the whole value is one entry's name,
 * so that nothing is hidden. 0, or what fn returned that was not 0.
 */
int	 addrlist_read(const char *value, addrlist_fn *fn, void *arg);

#endif
