/* SPDX-License-Identifier: ISC */
/*
 * App passwords: further passwords of an account, each for one program, with
 * a scope and an end. Each is a line of the accounts file whose name is
 * user+app@domain and which has the option app; see postern-accounts(5).
 * Any process; makes no system call but for the random salt.
 *
 * They are made by posternctl alone, with more than 100 bits of chance, so a
 * plain hash with a salt holds against guessing: that is their digest, by
 * which a password given under the account's own name is found among them in
 * microseconds. Under the name with +app the line's verifier counts.
 */
#ifndef POSTERN_APPPASS_H
#define POSTERN_APPPASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/accounts.h"
#include "auth/auth_proto.h"

#define APPPASS_MAX		32	/* of one account */
#define APPPASS_PASSWORD_MAX	64	/* octets of one */
#define APPPASS_SALT		16	/* octets, at the head of a digest */
#define APPPASS_DIGEST		(APPPASS_SALT + 32)
#define APPPASS_OPTIONS_MAX	192	/* octets of the options, with NUL */

/* Why an app password whose password was right does not get in. */
enum apppass_refusal {
	APPPASS_USABLE,
	APPPASS_EXPIRED,
	APPPASS_OUT_OF_SCOPE,
	APPPASS_REFUSAL_COUNT
};

/* Is this the name of an app: 1 to 32 of a-z, 0-9, hyphen, underscore? */
bool	 apppass_name_ok(const char *name, size_t len);
/*
 * Take "user+app@domain" apart, at the last + of the local part. False: the
 * name, which is canonical, is not of this form.
 */
bool	 apppass_split(const char *login, char user[ACCOUNTS_NAME_MAX],
	    char app[ACCOUNTS_APP_MAX]);
/*
 * The other way round. 0, or -1 with errno EINVAL: app is no name of one, or
 * the local part would be too long.
 */
int	 apppass_login(const char *user, const char *app,
	    char login[ACCOUNTS_NAME_MAX]);
/*
 * "smtp", "smtp:http" of a scope (APPPASS_SMTP, APPPASS_HTTP), never 0, with
 * this separator. Constant.
 */
const char *apppass_scope_text(unsigned scope, char separator);
/* The scope of such a text of len octets; 0 when it is none. */
unsigned apppass_scope(const char *text, size_t len, char separator);
/*
 * The options of a new one, with a digest of its password of len octets;
 * expires 0: never. 0, or -1 and errno: EINVAL (password empty or over
 * APPPASS_PASSWORD_MAX), ENOMEM, EIO (no random).
 */
int	 apppass_options(unsigned scope, uint64_t created, uint64_t expires,
	    const char *password, size_t len, char out[APPPASS_OPTIONS_MAX]);
/*
 * Whose password is this? NULL when it is none's. Of the n at list only the
 * first APPPASS_MAX are looked at. The work and the time are those of
 * APPPASS_MAX comparisons, whatever n is and wherever it stands.
 */
const struct account *apppass_match(const struct account *const *list,
	    size_t n, const char *password, size_t len);
/* May it be used for this service at this time (seconds since 1970)? */
enum apppass_refusal apppass_refusal(const struct account *app,
	    uint32_t service, uint64_t now);
/* "expired", "scope"; "" for APPPASS_USABLE. Constant. */
const char *apppass_refusal_text(uint32_t refusal);

#endif
