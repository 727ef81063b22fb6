/* SPDX-License-Identifier: ISC */
/*
 * The target of a request (RFC 9112 section 3.2), split and decoded. Pure;
 * run by retrieve-session.
 */
#ifndef POSTERN_TARGET_H
#define POSTERN_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "retrieve/request.h"

#define TARGET_PATH_MAX		1024	/* octets of a decoded path */
#define TARGET_PARAMS		16

struct param {
	char	name[32];
	char	value[512];
};

struct target {
	bool		 asterisk;	/* "*" */
	struct span	 authority;	/* of an absolute form; s NULL: none */
	bool		 secure;	/* its scheme is https */
	char		 path[TARGET_PATH_MAX];	/* decoded, opens with '/' */
	struct span	 query;		/* raw, without the '?' */
};

/*
 * Split v and decode the path. NULL, or a constant text that says what is
 * wrong with it (400): bad escapes, an escaped '/' or control character,
 * dot segments, characters no URI may have.
 */
const char *target_parse(struct target *, struct span v);
/*
 * Take the next name=value off the front of *query and decode it. 1; 0 at
 * the end; -1: malformed or too long, p->name being as much of the name as
 * could be read.
 */
int	 target_param(struct span *query, struct param *p);
/*
 * Undo the percent-encoding of v into dst, a C string. 0, or -1: a bad
 * escape, one of a control character, or more than size - 1 octets.
 */
int	 target_decode(char *dst, size_t size, struct span v);
/*
 * Write s with everything but unreserved characters of RFC 3986 escaped.
 * 0, or -1 when size is too small.
 */
int	 target_encode(char *dst, size_t size, const char *s);

#endif
