/* SPDX-License-Identifier: ISC */
/*
 * Names of messages in a Maildir: "secs.M<usec>P<pid>Q<n>.host,S=<octets>,
 * W=<octets with CRLF>" and, in cur/, ":2,<flags>" behind. The id of a
 * message is its name up to the first ',' or ':'; it stays when other
 * programs change flags. Pure: no system call.
 */
#ifndef POSTERN_MAILDIR_H
#define POSTERN_MAILDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAILDIR_NAME_MAX	256	/* with the NUL */
#define MAILDIR_ID_MAX		160	/* with the NUL, of ids made here */

enum maildir_flag {
	MAILDIR_DRAFT = 1,
	MAILDIR_FLAGGED = 2,
	MAILDIR_PASSED = 4,
	MAILDIR_REPLIED = 8,
	MAILDIR_SEEN = 16,
	MAILDIR_TRASHED = 32
};

/* Makes names; one per process, under the owner's lock. */
struct maildir_maker {
	char		host[81];	/* safe in a name and in a URL */
	uint64_t	pid;
	uint64_t	last;		/* microseconds, of the last name */
	uint64_t	count;
};

void	 maildir_maker_init(struct maildir_maker *, const char *host,
	    uint64_t pid);
/*
 * Write a new name to dst (MAILDIR_NAME_MAX octets): now in microseconds
 * since 1970, size and wire in octets. Names increase, as strcmp(3) orders
 * them too, even when the clock does not.
 */
void	 maildir_maker_next(struct maildir_maker *, uint64_t now,
	    uint64_t size, uint64_t wire, char *dst);

struct maildir_name {
	size_t		 id_len;	/* the id is the name's first octets */
	bool		 has_size, has_wire;
	uint64_t	 size, wire;	/* S= and W= */
	unsigned	 flags;		/* enum maildir_flag */
};

/*
 * Read a name as any program may have left it. False when it is not that of
 * a message: empty, hidden, or without an id.
 */
bool	 maildir_name_parse(const char *name, struct maildir_name *out);

#endif
