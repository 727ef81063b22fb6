/* SPDX-License-Identifier: ISC */
/*
 * Passwords: made, read and judged. Their owner wipes them.
 */
#ifndef POSTERN_PASSWORD_H
#define POSTERN_PASSWORD_H

#include <stddef.h>

#include "auth/scram.h"

/* room for a line that is too long by its CR and by one octet */
#define PASSWORD_SIZE		(SCRAM_PASSWORD_MAX + 2)
#define PASSWORD_GENERATED	22	/* characters of one that is made */
#define PASSWORD_APP		29	/* of one for an app */

/*
 * NULL, or a constant text that says why these len octets can be no
 * password: empty, over SCRAM_PASSWORD_MAX octets, not UTF-8, a control
 * character.
 */
const char *password_fault(const char *password, size_t len);
/*
 * Make one of letters and digits that do not look alike, with more than 126
 * bits of chance. 0, or -1 and errno of getrandom(2).
 */
int	 password_generate(char out[PASSWORD_GENERATED + 1]);
/*
 * Make one to be typed on any device: six groups, joined by hyphens, of four
 * small letters and digits that do not look alike, with more than 118 bits
 * of chance. 0, or -1 and errno of getrandom(2).
 */
int	 password_generate_app(char out[PASSWORD_APP + 1]);
/*
 * Read one from the first line of standard input: from a terminal without
 * echo and twice. *len is its length, which password_fault() has approved.
 * EX_OK, or an exit status, having said why.
 */
int	 password_read(char out[PASSWORD_SIZE], size_t *len);

#endif
