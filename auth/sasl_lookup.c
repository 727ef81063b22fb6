/* SPDX-License-Identifier: ISC */
/*
 * What Cyrus SASL asks about users: names, verifiers, passwords. Runs in
 * auth-sasl; names and passwords are a client's. Invariant: a user that does
 * not exist takes the same steps and the same time as one that does.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "auth/sasl_impl.h"
#include "lib/conf.h"
#include "lib/str.h"

#define PROPERTY	"*authPassword"	/* what the SCRAM plug-in asks for */

_Static_assert(AUTH_USER_MAX == ACCOUNTS_NAME_MAX, "one size of names");

/*
 * Whose identity may a login take? Its own, which under the name of an app
 * password is also that of the account.
 */
int
saslauth_on_proxy(sasl_conn_t *conn, void *context, const char *want,
    unsigned int want_len, const char *login, unsigned int login_len,
    const char *realm, unsigned int realm_len, struct propctx *props)
{
	struct saslauth_dialogue *d = context;

	(void)conn;
	(void)realm;
	(void)realm_len;
	(void)props;
	/* This is asked when the password was right, and of SCRAM before its
	   last message is shown: a refusal looks like one of a wrong one. */
	d->right = true;
	if (d->refusal != APPPASS_USABLE)
		return SASL_BADAUTH;
	if (want_len == login_len && memcmp(want, login, want_len) == 0)
		return SASL_OK;
	return want_len == strlen(d->base) &&
	    memcmp(want, d->base, want_len) == 0 ? SASL_OK : SASL_NOAUTHZ;
}

const struct account *
saslauth_account(const struct saslauth *s, const char *user)
{
	const struct account *acct = accounts_find(s->accounts, user);
	const char *at = strchr(user, '@');

	return acct == NULL || acct->disabled || at == NULL ||
	    !conf_is_local(s->conf, at + 1) ? NULL : acct;
}

/*
 * The account that may log in by the name d->user, or NULL; *app is the app
 * password that the name is of, or NULL.
 */
static const struct account *
find_account(const struct saslauth_dialogue *d, const struct account **app)
{
	const struct saslauth *s = d->auth;
	char user[ACCOUNTS_NAME_MAX], name[ACCOUNTS_APP_MAX];

	*app = NULL;
	if (accounts_find(s->accounts, d->user) != NULL ||
	    !apppass_split(d->user, user, name))
		return saslauth_account(s, d->user);
	*app = accounts_find_app(s->accounts, user, name);
	return *app == NULL || (*app)->disabled ? NULL :
	    saslauth_account(s, user);
}

/* What this dialogue is for: the account, by an app password or not. */
static int
take_account(struct saslauth_dialogue *d, const struct account *acct,
    const struct account *app)
{
	char user[ACCOUNTS_NAME_MAX];

	if (str_copy(d->base, sizeof(d->base), acct->user) == -1)
		return SASL_FAIL;
	if (app == NULL) {
		accounts_proof(acct, d->proof);
	} else {
		if (!apppass_split(app->user, user, d->app))
			return SASL_FAIL;
		accounts_proof_app(acct, app, d->proof);
		d->refusal = apppass_refusal(app, d->service,
		    (uint64_t)time(NULL));
	}
	d->found = true;
	return SASL_OK;
}

/*
 * Find the verifier of d->user, or make the decoy, into d->verifier: once,
 * so that a change of the accounts does not mix two in one attempt.
 */
int
saslauth_look_up(struct saslauth_dialogue *d)
{
	const struct saslauth *s = d->auth;
	const struct account *acct, *app = NULL;

	if (saslauth_is_foreign(s))
		return saslauth_store_find(d);
	if (d->verifier[0] != '\0')
		return SASL_OK;
	if (s->accounts == NULL || strchr(d->user, '@') == NULL) {
		d->away = true;
		return SASL_UNAVAIL;
	}
	/* Both are done for every user, so that both take the same time. */
	if (scram_decoy(s->decoy, d->user, (uint32_t)s->conf->auth_iterations,
	    d->verifier, sizeof(d->verifier)) == -1)
		return SASL_FAIL;
	acct = d->external ? saslauth_account(s, d->user) :
	    find_account(d, &app);
	if (acct == NULL)
		return SASL_OK;
	if (str_copy(d->verifier, sizeof(d->verifier), app == NULL ?
	    acct->verifier : app->verifier) == -1)
		return SASL_FAIL;
	return take_account(d, acct, app);
}

/*
 * Is it one of the app passwords of the account that was named, not being
 * right already? It takes the same time for every name.
 */
static bool
is_app_password(struct saslauth_dialogue *d, const char *password, size_t len,
    bool right)
{
	const struct account *const *list, *acct, *app, *named;
	size_t n;

	list = accounts_apps(d->auth->accounts, d->user, &n);
	app = apppass_match(list, n, password, len);
	acct = find_account(d, &named);
	return !right && app != NULL && acct != NULL && named == NULL &&
	    take_account(d, acct, app) == SASL_OK;
}

/*
 * Bring a name into canonical form; SCRAM passes inlen 0. What is no name
 * becomes SASL_NO_NAME, a user who does not exist: the LOGIN plug-in leaks the
 * password when this fails.
 */
int
saslauth_on_canon(sasl_conn_t *conn, void *context, const char *in,
    unsigned int inlen, unsigned int flags, const char *realm, char *out,
    unsigned int max, unsigned int *outlen)
{
	struct saslauth_dialogue *d = context;
	char name[ACCOUNTS_NAME_MAX];

	(void)conn;
	(void)realm;
	if (accounts_name(in, inlen == 0 ? strlen(in) : inlen,
	    d->auth->conf->domains.item[0], name, sizeof(name)) == -1) {
		d->away = d->away || errno == ENOMEM;
		memcpy(name, SASL_NO_NAME, sizeof(SASL_NO_NAME));
	} else if (!saslauth_store_takes(d->auth, name))
		memcpy(name, SASL_NO_NAME, sizeof(SASL_NO_NAME));
	if (str_copy(out, max, name) == -1)
		return SASL_BADAUTH;
	*outlen = (unsigned int)strlen(out);
	/* The first name is the login's, and it cannot change after. */
	if ((flags & SASL_CU_AUTHID) != 0 && d->user[0] == '\0')
		str_copy(d->user, sizeof(d->user), name);
	return SASL_OK;
}

/*
 * PLAIN and LOGIN. After SASL_NOUSER the library looks for a password in
 * clear, and finds none.
 */
int
saslauth_on_checkpass(sasl_conn_t *conn, void *context, const char *user,
    const char *password, unsigned int len, struct propctx *props)
{
	struct saslauth_dialogue *d = context;
	bool right;
	int fits;

	(void)conn;
	(void)props;
	if (strcmp(user, d->user) != 0)
		return SASL_NOUSER;
	if (saslauth_is_foreign(d->auth))
		return saslauth_store_check(d, password, len);
	if (saslauth_look_up(d) != SASL_OK)
		return SASL_NOUSER;
	fits = scram_verifier_check(d->verifier, password, len);
	if (fits == -1)
		d->away = true;
	right = fits == 1 && d->found;
	if (is_app_password(d, password, len, right))
		right = true;
	return right ? SASL_OK : SASL_NOUSER;
}

/* Does the library want this property now, and is it ours? */
static bool
is_wanted(const struct propval *p, unsigned int flags)
{
	return (p->values == NULL || (flags & SASL_AUXPROP_OVERRIDE) != 0) &&
	    str_caseeq(p->name, PROPERTY);
}

/* The auxiliary property plug-in: verifiers for SCRAM. */
static int
on_auxprop(void *context, sasl_server_params_t *params, unsigned int flags,
    const char *user, unsigned int len)
{
	struct saslauth_dialogue *d;
	const struct propval *p;
	sasl_callback_ft f;
	void *found;
	int rc;

	(void)context;
	if ((flags & SASL_AUXPROP_AUTHZID) != 0)
		return SASL_OK;
	/* The dialogue is the context of a callback of its connection. */
	if (params->utils->getcallback(params->utils->conn,
	    SASL_CB_SERVER_USERDB_CHECKPASS, &f, &found) != SASL_OK)
		return SASL_FAIL;
	d = found;
	if (strlen(d->user) != len || memcmp(user, d->user, len) != 0)
		return SASL_NOUSER;
	if (saslauth_is_foreign(d->auth))
		return saslauth_store_lookup(d, params);
	p = params->utils->prop_get(params->propctx);
	for (; p != NULL && p->name != NULL; p++) {
		if (!is_wanted(p, flags))
			continue;
		if ((rc = saslauth_look_up(d)) != SASL_OK)
			return rc;
		params->utils->prop_set(params->propctx, p->name,
		    d->verifier, (int)strlen(d->verifier));
	}
	return SASL_OK;
}

int
saslauth_auxprop_init(const sasl_utils_t *utils, int max, int *version,
    sasl_auxprop_plug_t **plug, const char *name)
{
	static char auxprop_name[] = SASL_AUXPROP;
	static sasl_auxprop_plug_t ours = {	/* never written to */
		.auxprop_lookup = on_auxprop, .name = auxprop_name
	};

	(void)utils;
	(void)name;
	if (max < SASL_AUXPROP_PLUG_VERSION)
		return SASL_BADVERS;
	*version = SASL_AUXPROP_PLUG_VERSION;
	*plug = &ours;
	return SASL_OK;
}
