/* SPDX-License-Identifier: ISC */
/*
 * What the fuzz harnesses share. A harness is one file with
 * LLVMFuzzerTestOneInput(); it is linked with the fuzzer of clang, or with
 * replay.c, which runs it over its corpus.
 */
#ifndef POSTERN_FUZZ_H
#define POSTERN_FUZZ_H

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* An invariant that does not hold is a crash. */
#define CHECK(c) do {							\
	if (!(c)) {							\
		fprintf(stderr, "%s:%d: not so: %s\n", __FILE__,	\
		    __LINE__, #c);					\
		abort();						\
	}								\
} while (0)

/* The input, taken from the front. */
struct fuzz {
	const uint8_t	*p;
	size_t		 len;
};

/* The next octet; 0 at the end. */
static inline uint8_t
fuzz_octet(struct fuzz *f)
{
	if (f->len == 0)
		return 0;
	f->len--;
	return *f->p++;
}

/* The next n octets at most, in an allocation of just that size. */
static inline uint8_t *
fuzz_take(struct fuzz *f, size_t n, size_t *len)
{
	uint8_t	*copy;

	*len = n < f->len ? n : f->len;
	copy = malloc(*len > 0 ? *len : 1);
	CHECK(copy != NULL);
	if (*len > 0)
		memcpy(copy, f->p, *len);
	f->p += *len;
	f->len -= *len;
	return copy;
}

/* All that is left, as a C string of its own. */
static inline char *
fuzz_string(const uint8_t *data, size_t len)
{
	char	*s = malloc(len + 1);

	CHECK(s != NULL);
	if (len > 0)
		memcpy(s, data, len);
	s[len] = '\0';
	return s;
}

/* Log lines are built, and go nowhere unless FUZZ_LOG is set. */
static inline void
fuzz_quiet(void)
{
	static int	done;

	if (!done && getenv("FUZZ_LOG") == NULL)
		log_open("fuzz", open("/dev/null", O_WRONLY | O_CLOEXEC),
		    1);
	done = 1;
}

#endif
