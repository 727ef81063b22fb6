/* SPDX-License-Identifier: ISC */
/*
 * The few header fields a list shows. Pure; run by retrieve-reader.
 */
#ifndef POSTERN_FIELDS_H
#define POSTERN_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One allocation; the strings lie in text, each with its NUL. */
struct fields {
	int64_t		 date;		/* seconds since 1970 */
	bool		 dated;
	size_t		 size;		/* of the allocation */
	const char	*from, *to, *subject;
	char		 text[];
};

/*
 * Read them from the first octets of a message, as stored. The values are
 * those of the first field of each name, unfolded and made visible, cut to
 * what struct reader_row holds; "" where there is none. NULL and errno
 * ENOMEM; else free(3) it.
 */
struct fields *fields_read(const char *data, size_t len);

#endif
