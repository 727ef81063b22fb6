/* SPDX-License-Identifier: ISC */
/*
 * What the reader knows of one mailbox: its messages in the order in which
 * they were first seen, those of a first scan by mtime, then id. Made by a
 * scan, never changed but for what is learned of a message later. Pure; run
 * by retrieve-reader.
 */
#ifndef POSTERN_INDEX_H
#define POSTERN_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "retrieve/cursor.h"
#include "retrieve/fields.h"

#define INDEX_UNKNOWN	UINT64_MAX
#define INDEX_MAX	1000000		/* messages */

struct index_entry {
	int64_t		 mtime;		/* nanoseconds since 1970 */
	int64_t		 arrival;	/* the mtime, or what puts it behind
					   those seen before it */
	uint64_t	 stored;	/* octets of the file */
	uint64_t	 size;		/* with CRLF, or INDEX_UNKNOWN */
	uint64_t	 ino;
	struct fields	*fields;	/* or NULL */
	uint32_t	 name;		/* offset of the file's name */
	uint16_t	 id_len;
	uint8_t		 flags;		/* enum reader_flag */
	uint8_t		 kept;		/* scans that missed it in a row */
	bool		 fresh;		/* in new/, else in cur/ */
	bool		 sure;		/* size was counted, or is stored */
};

struct index {
	struct index_entry *entries;
	uint32_t	*by_id;		/* positions, in the order of ids */
	char		*names;		/* each with its NUL */
	size_t		 n, cap;
	size_t		 names_len, names_cap;
	uint64_t	 unseen;
	int64_t		 last;		/* the greatest arrival ever */
	unsigned	 refs;
	unsigned char	 tag[SIPHASH_SIZE];	/* names this state */
};

/* An empty index with one reference. NULL and errno ENOMEM. */
struct index *index_new(void);
void	 index_hold(struct index *);
/* Give a reference back; *xp becomes NULL; NULL is taken too. */
void	 index_release(struct index **xp);
/*
 * Add the file called name; mtime, stored and ino are set in *e, the rest
 * is found out here. A name that is no message's, or whose id cannot be
 * served, is passed over. 0, or -1 with errno ENOMEM or EFBIG (INDEX_MAX).
 */
int	 index_add(struct index *, const char *name, bool fresh,
	    const struct index_entry *e);
/*
 * Add what old has: the folders changed while they were read, so that a
 * message being renamed may have been missed. One that stays away is not
 * kept for ever. 0, or -1 as index_add().
 */
int	 index_keep(struct index *, const struct index *old);
/*
 * All were added: put them in order (of two files with one id, as a scan may
 * see while one is renamed, that in cur/ stays) and name the state. What old
 * (or NULL) has not comes behind all that it had: whoever has read on to
 * its end misses nothing. 0, or -1 with errno ENOMEM.
 */
int	 index_finish(struct index *, const struct index *old,
	    const unsigned char key[SIPHASH_KEY]);
/* Take over from old what is known of the same files. */
void	 index_inherit(struct index *, struct index *old);
const char *index_name(const struct index *, const struct index_entry *);
/* Write the entry's id. Returns dst. */
char	*index_id(const struct index *, const struct index_entry *,
	    char dst[READER_ID_MAX]);
/* The entry with this id, or NULL. */
struct index_entry *index_find(const struct index *, const char *id);
/* Octets it occupies. */
size_t	 index_bytes(const struct index *);
/* Forget the fields of its messages. */
void	 index_shrink(struct index *);

struct page {
	size_t	lo, hi;		/* entries lo to hi - 1, oldest first */
	bool	next, prev;	/* there are such pages */
};

/*
 * The page of at most limit messages newer than after and older than before
 * (each may be NULL).
 */
struct page index_page(const struct index *, const struct cursor *after,
	    const struct cursor *before, size_t limit, bool ascending);

#endif
