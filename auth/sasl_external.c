/* SPDX-License-Identifier: ISC */
/*
 * EXTERNAL (RFC 4422, appendix A): the login is a name in the certificate
 * that the client's session has verified. Runs in auth-sasl; trusts the
 * session for the names, which is why a conf has to ask for it, and the
 * client for nothing. Invariant: without an authorization identity there is
 * one account that the certificate can mean, or none.
 */
#include <string.h>

#include "auth/channel.h"
#include "auth/sasl_impl.h"
#include "lib/conf.h"
#include "lib/str.h"

/*
 * Is there such an account, not an app password of one? If nobody can say
 * now, d->away.
 */
static bool
exists(struct saslauth_dialogue *d, const char *name)
{
	unsigned char proof[ACCOUNTS_PROOF];
	enum auth_status status;

	if (!saslauth_is_foreign(d->auth))
		return saslauth_account(d->auth, name) != NULL;
	status = saslauth_look(d->auth, name, proof);
	d->away = d->away || status == AUTH_TEMP;
	return status == AUTH_OK;
}

/* The one account among the names: SASL_OK and d->user. */
static int
find_login(struct saslauth_dialogue *d)
{
	const char *p = d->channel.names;
	char name[ACCOUNTS_NAME_MAX], found[ACCOUNTS_NAME_MAX] = "";

	for (; *p != '\0'; p = channel_name_next(p)) {
		if (accounts_name(p, channel_name_len(p), NULL, name,
		    sizeof(name)) == -1)
			continue;
		/* For the log, if it comes to nothing. */
		if (d->user[0] == '\0')
			str_copy(d->user, sizeof(d->user), name);
		if (!exists(d, name))
			continue;
		if (found[0] != '\0' && strcmp(found, name) != 0)
			return SASL_BADAUTH;
		str_copy(found, sizeof(found), name);
	}
	if (found[0] == '\0')
		return SASL_BADAUTH;
	return str_copy(d->user, sizeof(d->user), found) == -1 ? SASL_FAIL :
	    SASL_OK;
}

/* Is the authorization identity one of the names? SASL_OK and d->user. */
static int
find_authzid(struct saslauth_dialogue *d, const char *authzid)
{
	const char *p = d->channel.names;
	char name[ACCOUNTS_NAME_MAX];

	for (; *p != '\0'; p = channel_name_next(p))
		if (accounts_name(p, channel_name_len(p), NULL, name,
		    sizeof(name)) == 0 && strcmp(name, authzid) == 0)
			break;
	if (*p == '\0')
		return SASL_NOAUTHZ;
	/* Whether it names an account is seen when it is looked up. */
	return str_copy(d->user, sizeof(d->user), name) == -1 ? SASL_FAIL :
	    SASL_OK;
}

int
saslauth_external(struct saslauth_dialogue *d, const char *data, size_t len)
{
	const char *domain = d->auth->conf->domains.item[0];
	char authzid[ACCOUNTS_NAME_MAX] = "";
	const char *out = NULL;
	unsigned int outlen = 0;
	int rc;

	if (memchr(data, '\0', len) != NULL)
		return SASL_BADPROT;
	if (d->auth->accounts == NULL && !saslauth_is_foreign(d->auth)) {
		d->away = true;
		return SASL_UNAVAIL;
	}
	if (len > 0 && accounts_name(data, len, domain, authzid,
	    sizeof(authzid)) == -1)
		return SASL_NOAUTHZ;
	rc = len > 0 ? find_authzid(d, authzid) : find_login(d);
	if (rc == SASL_OK)
		rc = saslauth_look_up(d);
	if (rc != SASL_OK)
		return rc;
	if (sasl_setprop(d->conn, SASL_AUTH_EXTERNAL, d->user) != SASL_OK)
		return SASL_FAIL;
	return sasl_server_start(d->conn, SASL_EXTERNAL, authzid,
	    (unsigned int)strlen(authzid), &out, &outlen);
}
