/* SPDX-License-Identifier: ISC */
/*
 * App passwords: their names, scopes, digests. Runs in auth-server, in the
 * SASL workers and in posternctl. Names and passwords come from clients,
 * digests from the accounts file. Invariant: looking for a password takes
 * the same steps whether the account has none, or many, or does not exist.
 */
#include "auth/apppass.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <sys/random.h>

#include "auth/accounts_line.h"
#include "lib/base64.h"
#include "lib/log.h"
#include "lib/str.h"

#define SHA256	(APPPASS_DIGEST - APPPASS_SALT)

bool
apppass_name_ok(const char *name, size_t len)
{
	size_t i;

	if (len == 0 || len >= ACCOUNTS_APP_MAX)
		return false;
	for (i = 0; i < len; i++)
		if (!(name[i] >= 'a' && name[i] <= 'z') &&
		    !(name[i] >= '0' && name[i] <= '9') &&
		    name[i] != '-' && name[i] != '_')
			return false;
	return true;
}

bool
apppass_split(const char *login, char user[ACCOUNTS_NAME_MAX],
    char app[ACCOUNTS_APP_MAX])
{
	const char *at = strrchr(login, '@'), *plus;
	size_t len;

	if (at == NULL || at == login)
		return false;
	plus = memrchr(login, '+', (size_t)(at - login));
	if (plus == NULL || plus == login)
		return false;
	len = (size_t)(at - plus - 1);
	if (!apppass_name_ok(plus + 1, len) ||
	    str_copyn(user, ACCOUNTS_NAME_MAX, login,
	    (size_t)(plus - login)) == -1 ||
	    str_copy(user + (plus - login), ACCOUNTS_NAME_MAX -
	    (size_t)(plus - login), at) == -1)
		return false;
	str_copyn(app, ACCOUNTS_APP_MAX, plus + 1, len);
	/* What is before the + may be no name, as in "a.+b@c". */
	return accounts_name_ok(user);
}

int
apppass_login(const char *user, const char *app,
    char login[ACCOUNTS_NAME_MAX])
{
	const char *at = strrchr(user, '@');
	int n = -1;

	if (at != NULL && apppass_name_ok(app, strlen(app)))
		n = snprintf(login, ACCOUNTS_NAME_MAX, "%.*s+%s%s",
		    (int)(at - user), user, app, at);
	if (n > 0 && n < ACCOUNTS_NAME_MAX && accounts_name_ok(login))
		return 0;
	errno = EINVAL;
	return -1;
}

const char *
apppass_scope_text(unsigned scope, char separator)
{
	switch (scope) {
	case APPPASS_SMTP:
		return "smtp";
	case APPPASS_HTTP:
		return "http";
	default:
		return separator == ':' ? "smtp:http" : "smtp,http";
	}
}

unsigned
apppass_scope(const char *text, size_t len, char separator)
{
	unsigned scope = 0, bit;
	const char *end;
	size_t n;

	for (;; text += n + 1, len -= n + 1) {
		end = memchr(text, separator, len);
		n = end == NULL ? len : (size_t)(end - text);
		if (n != 4)
			return 0;
		bit = memcmp(text, "smtp", 4) == 0 ? APPPASS_SMTP :
		    memcmp(text, "http", 4) == 0 ? APPPASS_HTTP : 0;
		if (bit == 0 || (scope & bit) != 0)
			return 0;
		scope |= bit;
		if (end == NULL)
			return scope;
	}
}

static bool
hash(const unsigned char *salt, const char *password, size_t len,
    unsigned char out[SHA256])
{
	return HMAC(EVP_sha256(), salt, APPPASS_SALT,
	    (const unsigned char *)password, len, out, NULL) != NULL;
}

int
apppass_options(unsigned scope, uint64_t created, uint64_t expires,
    const char *password, size_t len, char out[APPPASS_OPTIONS_MAX])
{
	unsigned char digest[APPPASS_DIGEST];
	char text[BASE64_SIZE(APPPASS_DIGEST)], end[32] = "";

	if (len == 0 || len > APPPASS_PASSWORD_MAX || scope == 0) {
		errno = EINVAL;
		return -1;
	}
	if (getrandom(digest, APPPASS_SALT, 0) != APPPASS_SALT) {
		errno = EIO;
		return -1;
	}
	if (!hash(digest, password, len, digest + APPPASS_SALT)) {
		errno = ENOMEM;
		return -1;
	}
	base64_encode(BASE64_PADDED, digest, sizeof(digest), text);
	if (expires != 0)
		snprintf(end, sizeof(end), ",expires=%" PRIu64, expires);
	snprintf(out, APPPASS_OPTIONS_MAX,
	    "app,scope=%s,created=%" PRIu64 "%s,digest=%s",
	    apppass_scope_text(scope, ':'), created, end, text);
	return 0;
}

const struct account *
apppass_match(const struct account *const *list, size_t n,
    const char *password, size_t len)
{
	static const unsigned char none[APPPASS_DIGEST];
	unsigned char digest[APPPASS_DIGEST], got[SHA256];
	const struct account *found = NULL, *a;
	size_t i;

	/* How long it is only its sender decides. */
	if (len == 0 || len > APPPASS_PASSWORD_MAX)
		return NULL;
	for (i = 0; i < APPPASS_MAX; i++) {
		a = i < n ? list[i] : NULL;
		memcpy(digest, none, sizeof(digest));
		if (a != NULL)
			accounts_digest(a, digest);
		if (hash(digest, password, len, got) && str_same_secret(got,
		    digest + APPPASS_SALT, SHA256) && a != NULL &&
		    !a->disabled)
			found = a;
	}
	str_wipe(got, sizeof(got));
	return found;
}

enum apppass_refusal
apppass_refusal(const struct account *app, uint32_t service, uint64_t now)
{
	unsigned need = service == AUTH_SMTP ? APPPASS_SMTP :
	    service == AUTH_HTTP ? APPPASS_HTTP : 0;

	if ((app->scope & need) == 0)
		return APPPASS_OUT_OF_SCOPE;
	if (app->expires != 0 && app->expires <= now)
		return APPPASS_EXPIRED;
	return APPPASS_USABLE;
}

const char *
apppass_refusal_text(uint32_t refusal)
{
	return refusal == APPPASS_EXPIRED ? "expired" :
	    refusal == APPPASS_OUT_OF_SCOPE ? "scope" : "";
}
