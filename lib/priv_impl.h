/* SPDX-License-Identifier: ISC */
/*
 * The two halves of priv_confine_files() and priv_confine_calls(), each in
 * its own file. Used by priv.c alone.
 */
#ifndef POSTERN_PRIV_IMPL_H
#define POSTERN_PRIV_IMPL_H

#include "lib/priv.h"

/* Landlock: only the paths remain. 0, or -1 with errno. */
int	priv_landlock(const struct priv_path *);
/* seccomp: only the common calls and these remain. 0, or -1 with errno. */
int	priv_seccomp(const int *calls, const struct priv_arg *args);

#endif
