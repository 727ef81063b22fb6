/* SPDX-License-Identifier: ISC */
/*
 * Datagrams for the harnesses of receivers: one that is well formed, with
 * what the input says written over it. Of the input: how much the length
 * differs (most often 0), where to write (2 octets), how much, what.
 */
#ifndef POSTERN_FUZZ_IPC_H
#define POSTERN_FUZZ_IPC_H

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/ipc.h"
#include "t/fuzz/fuzz.h"

/* The datagram, in an allocation of just its size; *len is set. */
static inline void *
fuzz_datagram(struct fuzz *f, const void *good, size_t *len)
{
	int8_t		 delta = (int8_t)fuzz_octet(f);
	size_t		 at = fuzz_octet(f), n, take;
	uint8_t		*msg, *with;

	at = at << 8 | fuzz_octet(f);
	n = fuzz_octet(f);
	with = fuzz_take(f, n, &take);
	if (delta < 0 && (size_t)-delta >= *len)
		delta = 0;
	msg = calloc(1, *len + 128);
	CHECK(msg != NULL);
	memcpy(msg, good, *len);
	*len = (size_t)((ssize_t)*len + delta);
	if (at < *len)
		memcpy(msg + at, with, take < *len - at ? take : *len - at);
	free(with);
	with = malloc(*len);
	CHECK(with != NULL);
	memcpy(with, msg, *len);
	free(msg);
	return with;
}

static inline int
fuzz_remove_one(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)st;
	(void)type;
	return ftw->level > 0 ? remove(path) : rmdir(path);
}

static inline void
fuzz_remove(const char *folder)
{
	nftw(folder, fuzz_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A folder of the harness's own; the caller removes it at exit. */
static inline void
fuzz_folder(char *dst, size_t size)
{
	const char	*tmp = getenv("TMPDIR");

	snprintf(dst, size, "%s/postern-fuzz.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	CHECK(mkdtemp(dst) != NULL);
}

#endif
