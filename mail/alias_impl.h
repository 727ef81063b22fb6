/* SPDX-License-Identifier: ISC */
/*
 * Inside the alias table: shared by alias.c, alias_read.c and alias_order.c.
 * Numbers of nodes and entries are stored with 1 added: 0 is none.
 */
#ifndef POSTERN_ALIAS_IMPL_H
#define POSTERN_ALIAS_IMPL_H

#include "mail/alias.h"

/* An address that stands in the file, as an alias or as a target. */
struct node {
	const char	*text;		/* local@domain */
	const char	*path;		/* its key, see addr_to_path() */
	uint32_t	 hash;
	uint32_t	 entry;		/* the alias of just this address */
	uint32_t	 base;		/* the node without the tag */
	uint32_t	 via;		/* the entry it leads through */
	uint32_t	 stamp;		/* of the expansion that saw it */
	bool		 told;
};

struct chunk;

struct alias_table {
	uint64_t	 members_max, depth_max;
	struct chunk	*chunks;	/* all strings */
	struct node	*nodes;
	uint32_t	 nnodes, nodes_cap;
	uint32_t	*slots;		/* nodes by the hash of their paths */
	uint32_t	 nslots;	/* a power of two */
	struct alias	*entries;
	uint32_t	 nentries, entries_cap;
	uint32_t	*targets;	/* nodes; those of an entry in a row */
	uint32_t	 ntargets, targets_cap;
	uint32_t	*queue;		/* room for each entry once */
	uint32_t	 stamp;
	size_t		 errors, refused;
};

/*
 * The node of an address (a catch-all without a local part), made where there
 * is none. Its number, or 0 and errno ENOMEM or EFBIG.
 */
uint32_t alias_node(struct alias_table *, const struct addr *);
/* Append a target, or an entry. 0, or -1 and errno ENOMEM or EFBIG. */
int	 alias_add_target(struct alias_table *, uint32_t node);
int	 alias_add_entry(struct alias_table *, const struct alias *);
/*
 * All entries are there: let targets know theirs. 0, or -1 and errno as
 * alias_node().
 */
int	 alias_link(struct alias_table *);
/* The entry a target leads through, or 0; its own entry is none. */
uint32_t alias_next(const struct alias_table *, const struct alias *,
	    size_t i);
/* Find loops and depths; refuse and tell. 0, or -1 and errno ENOMEM. */
int	 alias_order(struct alias_table *, alias_fault_fn *, void *arg);

#endif
