/* SPDX-License-Identifier: ISC */
/*
 * Fault points, see fault.h. Not in builds for service. The counts are of
 * the process, hence file-scope state.
 */
#include "lib/fault.h"

#ifdef POSTERN_FAULT
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/str.h"

#define FAULT_MAX	16

struct fault {
	char		point[16];
	uint64_t	left;	/* calls until it strikes */
	int		error;	/* 0: SIGKILL */
};

static struct {
	pthread_mutex_t	lock;
	bool		read;
	struct fault	faults[FAULT_MAX];
	size_t		n;
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int
error_of(const char *name, size_t len)
{
	static const struct { const char *name; int error; } known[] = {
		{ "KILL", 0 }, { "EIO", EIO }, { "ENOSPC", ENOSPC },
		{ "EDQUOT", EDQUOT }, { "EMFILE", EMFILE },
		{ "ENOMEM", ENOMEM }, { "EACCES", EACCES },
		{ "EPIPE", EPIPE }, { "EXDEV", EXDEV }, { "EROFS", EROFS },
		{ "EOPNOTSUPP", EOPNOTSUPP },
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i].name) == len &&
		    memcmp(known[i].name, name, len) == 0)
			return known[i].error;
	abort();
}

/* One "point:count=ERROR" of len octets. */
static void
read_one(const char *s, size_t len)
{
	const char *colon = memchr(s, ':', len), *equal = memchr(s, '=', len);
	struct fault *f = &all.faults[all.n];

	if (all.n == FAULT_MAX || colon == NULL || equal == NULL ||
	    equal < colon || str_copyn(f->point, sizeof(f->point), s,
	    (size_t)(colon - s)) == -1 || str_u64(colon + 1,
	    (size_t)(equal - colon - 1), UINT32_MAX, &f->left) == -1)
		abort();
	f->error = error_of(equal + 1, len - (size_t)(equal + 1 - s));
	all.n++;
}

static void
read_all(void)
{
	const char *s = getenv("POSTERN_FAULT_POINTS");
	size_t len;

	all.read = true;
	for (; s != NULL && *s != '\0'; s += len + (s[len] == ',')) {
		len = strcspn(s, ",");
		read_one(s, len);
	}
}

bool
fault_point(const char *point)
{
	struct fault *f;
	int error = -1;

	pthread_mutex_lock(&all.lock);
	if (!all.read)
		read_all();
	for (f = all.faults; f < all.faults + all.n; f++)
		if (f->left > 0 && strcmp(f->point, point) == 0 &&
		    --f->left == 0)
			error = f->error;
	pthread_mutex_unlock(&all.lock);
	if (error == 0)
		raise(SIGKILL);
	if (error > 0)
		errno = error;
	return error > 0;
}
#endif
