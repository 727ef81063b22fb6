/* SPDX-License-Identifier: ISC */
/*
 * The alias file, postern-aliases(5), as a table: what it says, where an
 * address leads, what is wrong with it. Read by the store and by posternctl.
 * Pure: text in, table out. The file is the administrator's; the addresses
 * that are looked up may be anyone's.
 */
#ifndef POSTERN_ALIAS_H
#define POSTERN_ALIAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/addr.h"

#define ALIAS_FILE_MAX	((size_t)64 << 20)	/* octets */
#define ALIAS_ENTRIES_MAX	1000000
#define ALIAS_TARGETS_MAX	8000000

struct conf;
struct alias_table;

/* One entry. Lives as long as its table; callers read it. */
struct alias {
	const char	*address;	/* local@domain, lower case as far as
					   ASCII; "@domain" of a catch-all */
	size_t		 line, last;	/* its first and last line, from 1 */
	size_t		 n;		/* targets */
	bool		 catch_all;
	bool		 refused;	/* a loop, or nested too deep: leads
					   nowhere */
	/* alias.c's */
	uint32_t	 node;
	uint32_t	 first;		/* of its targets */
	uint32_t	 depth;
	uint32_t	 led_to;	/* the login's node it was last found
					   to lead to; 0: none */
};

/* Called for each fault, in no order: its line and a text without one. */
typedef void alias_fault_fn(void *arg, size_t line, const char *text);

/*
 * Make a table of the len octets of an alias file. Of the conf, domains,
 * alias_members and alias_depth count. Lines that are wrong are told and
 * left out (alias_errors()); entries that lead in a loop or are nested too
 * deep are told and kept as refused (alias_refused()). NULL and errno: ENOMEM,
 * EFBIG (more than the limits above, or than the file may have).
 */
struct alias_table *alias_read(const char *text, size_t len,
	    const struct conf *, alias_fault_fn *, void *arg);
/* *tp becomes NULL; NULL is taken too. */
void	 alias_free(struct alias_table **tp);
/* How many faults made something be left out; how many entries refused. */
size_t	 alias_errors(const struct alias_table *);
size_t	 alias_refused(const struct alias_table *);

/*
 * An address or catch-all as it stands in the file or on a command line, the
 * len octets at s. One without a domain is of the conf's first. NULL and
 * *out; or why it cannot stand there, a constant text. A catch-all (if
 * catch_all is not NULL, which it then tells) has an empty local part.
 */
const char *alias_address(const struct conf *, const char *s, size_t len,
	    struct addr *out, bool *catch_all);

/*
 * Where in a line of the file, without its end, a comment begins; len when
 * there is none.
 */
size_t	 alias_comment(const char *line, size_t len);

/* How many entries there are, and each, in the order of the file. */
size_t	 alias_count(const struct alias_table *);
const struct alias *alias_at(const struct alias_table *, size_t i);
/* Target i of an entry, local@domain. */
const char *alias_target(const struct alias_table *, const struct alias *,
	    size_t i);
/*
 * The entry of just this address; NULL when there is none. A NULL table has
 * none. Catch-alls are found by alias_find_catch_all() alone.
 */
const struct alias *alias_find(const struct alias_table *,
	    const struct addr *);
const struct alias *alias_find_catch_all(const struct alias_table *,
	    const char *domain);

/* Where an entry leads in the end: an address that is no alias. */
struct alias_member {
	const char	*address;	/* local@domain */
	bool		*told;		/* for the caller's use; false first */
};
typedef int alias_member_fn(void *arg, const struct alias_member *);

/*
 * Call fn for each address that the entry leads to, once. A target is the
 * entry of its address, else that of its address without the tag, else an
 * address to call fn for; a target that leads to its own entry means the
 * mailbox. No catch-all counts. 0; what fn returned when that is not 0, which
 * stops; ALIAS_TOO_MANY when there are more than alias_members (fn was called
 * for that many).
 */
#define ALIAS_TOO_MANY	(-2)
int	 alias_expand(struct alias_table *, const struct alias *,
	    alias_member_fn *, void *arg);
/*
 * Does the entry lead to the mailbox of this login, or to a +tag of it? A
 * refused one does not, nor a catch-all.
 */
bool	 alias_leads_to(struct alias_table *, const struct alias *,
	    const struct addr *login);

#endif
