/* SPDX-License-Identifier: ISC */
/*
 * Numbers for questions to another process, and who asked. A number is not
 * given again for a long time after its end, so that a late answer finds
 * nobody. Pure.
 */
#ifndef POSTERN_IDS_H
#define POSTERN_IDS_H

#include <stddef.h>
#include <stdint.h>

struct ids_slot {
	void		*who;		/* NULL: free */
	uint32_t	 turn;		/* how often it was given */
	uint32_t	 next;		/* free: the one freed after it */
};

struct ids {
	struct ids_slot	*slots;
	uint32_t	 n;		/* slots there are */
	uint32_t	 first, last;	/* free ones: the longest, the latest */
};

/* Empty; allocates nothing. */
void	 ids_init(struct ids *);
void	 ids_free(struct ids *);
/* A number for who (not NULL), never 0. 0 and errno ENOMEM or ENOBUFS. */
uint32_t ids_new(struct ids *, void *who);
/* Who it belongs to, or NULL. */
void	*ids_find(const struct ids *, uint32_t id);
/* The number ends; 0 and numbers that have ended are taken too. */
void	 ids_end(struct ids *, uint32_t id);

#endif
