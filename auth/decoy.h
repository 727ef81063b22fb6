/* SPDX-License-Identifier: ISC */
/*
 * The key of the verifiers shown for users that do not exist. It is made
 * once and kept, because a verifier that changes with a restart would show
 * that its user does not exist.
 */
#ifndef POSTERN_DECOY_H
#define POSTERN_DECOY_H

#include "auth/scram.h"

/*
 * Read <state_dir>/auth/decoy.key, made first (mode 0600) where there is
 * none; several processes may do so at once and all get the same. 0, or -1
 * and it has logged why.
 */
int	 decoy_key(const char *state_dir, unsigned char key[SCRAM_KEY]);

#endif
