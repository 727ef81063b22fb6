/* SPDX-License-Identifier: ISC */
/*
 * The body of a list, row by row as the reader sends them. Pure; run by
 * retrieve-session.
 */
#ifndef POSTERN_LIST_H
#define POSTERN_LIST_H

#include "lib/buf.h"
#include "retrieve/media.h"
#include "retrieve/reader_proto.h"

struct list {
	enum media	 media;		/* TEXT or JSON */
	struct buf	 body;
	struct buf	 ids;		/* TEXT: the first column, for its
					   width, NUL after each */
	size_t		 widest;
	size_t		 rows;
};

/* Make *l empty. */
void	 list_init(struct list *l, enum media);
/* Release what it holds. */
void	 list_free(struct list *l);
/* Open the list of user. 0, or -1 with errno ENOMEM. */
int	 list_begin(struct list *l, const char *user,
	    const struct reader_listed *);
/* Append a row. 0, or -1 with errno ENOMEM. */
int	 list_add(struct list *l, const struct reader_row *);
/* Close the list: l->body is the whole. 0, or -1 with errno ENOMEM. */
int	 list_end(struct list *l);

/*
 * The header block that opens data, len octets as stored, as text or JSON
 * into body. 0, or -1 with errno ENOMEM or EMSGSIZE.
 */
int	 list_headers(struct buf *body, enum media, const char *data,
	    size_t len);

#endif
