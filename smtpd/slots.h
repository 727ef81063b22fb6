/* SPDX-License-Identifier: ISC */
/*
 * Names for things that live in this process, to be used in messages to
 * others: a name is 32 bits, never 0, and one that was dropped is not given
 * again for long, so that a late answer finds nothing.
 */
#ifndef POSTERN_SMTPD_SLOTS_H
#define POSTERN_SMTPD_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#define SLOTS_MAX	65536

struct slot {
	void		*owner;		/* NULL: free */
	uint32_t	 serial;	/* names given so far */
	uint32_t	 next_free;
};

struct slots {
	struct slot	*item;
	uint32_t	 n;		/* allocated */
	uint32_t	 free;		/* first free one; n: none */
};

/* Give owner a place, *slot. 0, or -1 with errno ENOMEM (or all taken). */
int	 slots_take(struct slots *, void *owner, uint32_t *slot);
void	 slots_drop(struct slots *, uint32_t slot);
/* A new name for the owner of the slot. */
uint32_t slots_name(struct slots *, uint32_t slot);
/*
 * The owner of the slot in a name, NULL when there is none. Whether the name
 * is its present one the caller has to see.
 */
void	*slots_find(const struct slots *, uint32_t name);

#endif
