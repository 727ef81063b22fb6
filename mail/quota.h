/* SPDX-License-Identifier: ISC */
/*
 * Quotas of a mailbox in the text of Maildir++: the file "quota" that sets
 * them for one mailbox, and Maildir/maildirsize, which other programs read
 * and write as well. Pure: no system call. The texts may be anyone's work.
 */
#ifndef POSTERN_QUOTA_H
#define POSTERN_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Octets of a maildirsize; one that is as long is made anew (Maildir++). */
#define QUOTA_SIZES_MAX		5120
/* Seconds after which one that says "over quota" is not believed. */
#define QUOTA_STALE		(15 * 60)
/* Octets of a line of limits with its LF and a NUL: "19 digits S,19 C". */
#define QUOTA_LINE_MAX		48

/* What is allowed; 0: no limit. At most INT64_MAX. */
struct quota_limits {
	uint64_t	 bytes, messages;
};

/* What there is. At most INT64_MAX. */
struct quota_use {
	uint64_t	 bytes, messages;
};

/*
 * Read the len octets of a file "quota": one line, with or without its LF,
 * of one or two parts parted by a comma, "<octets>S" and "<messages>C", each
 * at most once, in any order, decimal digits only. A part that is absent is
 * 0: no limit. 0, or -1: anything else.
 */
int	 quota_limits_parse(const char *text, size_t len,
	    struct quota_limits *);
/*
 * Write them as one line without LF into dst (QUOTA_LINE_MAX octets), parts
 * of 0 left out: "1000S,5C", "5C"; "0S" when both are 0. Returns its length.
 */
size_t	 quota_limits_format(const struct quota_limits *, char *dst);
bool	 quota_limits_same(const struct quota_limits *,
	    const struct quota_limits *);
/* Is there any limit? */
bool	 quota_limits_any(const struct quota_limits *);

/* What a maildirsize says. */
struct quota_sizes {
	struct quota_limits	 limits;	/* its first line */
	struct quota_use	 use;		/* the sum of the others, */
	size_t			 lines;		/* of which there are */
};

/*
 * Read the len octets of a maildirsize: a line of limits, then at least one
 * line "<octets> <messages>", which may be negative and have blanks around
 * its numbers; each line ends with LF. 0, or -1: malformed, too long, a
 * number or sum that does not fit, or a sum below 0.
 */
int	 quota_sizes_parse(const char *text, size_t len,
	    struct quota_sizes *);
/*
 * Write a maildirsize with the limits and one line into dst
 * (2 * QUOTA_LINE_MAX octets). Returns its length.
 */
size_t	 quota_sizes_format(const struct quota_limits *,
	    const struct quota_use *, char *dst);

/* Add, staying at INT64_MAX where the sum is more. */
void	 quota_use_add(struct quota_use *, uint64_t bytes,
	    uint64_t messages);
/*
 * Is there room for one more message of bytes beside what is used and what
 * is held? Exactly at the limit there is.
 */
bool	 quota_fits(const struct quota_limits *, const struct quota_use *used,
	    const struct quota_use *held, uint64_t bytes);

#endif
