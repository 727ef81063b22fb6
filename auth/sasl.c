/* SPDX-License-Identifier: ISC */
/*
 * Server side of SASL, the one file that uses <sasl/...>. Runs in auth-sasl.
 * What comes from clients is not trusted and goes through Cyrus SASL, so
 * this process has nothing but the accounts to lose. Invariants: one
 * sasl_conn_t serves one attempt (a second start on it was seen to succeed
 * as the first user); a user that does not exist takes the same steps and
 * the same time as one that does.
 */
#include "auth/sasl.h"

#include <stdlib.h>
#include <string.h>

#include <sasl/sasl.h>
#include <sasl/saslplug.h>

#include "lib/conf.h"
#include "lib/log.h"
#include "lib/str.h"

#define AUXPROP		"postern"
#define PROPERTY	"*authPassword"	/* what the SCRAM plug-in asks for */
#define MECHANISMS_MAX	128
#define NO_NAME		"@"		/* no account can have it */

_Static_assert(AUTH_USER_MAX == ACCOUNTS_NAME_MAX, "one size of names");

struct saslauth {
	const struct conf	*conf;
	const struct accounts	*accounts;
	unsigned char		 decoy[SCRAM_KEY];
	char			 mechanisms[MECHANISMS_MAX];
	char			 mech_list[MECHANISMS_MAX];	/* and PLAIN */
	sasl_callback_t		 callbacks[7];
};

struct saslauth_dialogue {
	struct saslauth		*auth;
	sasl_conn_t		*conn;
	enum auth_service	 service;
	bool			 started;
	bool			 scram;
	bool			 spoken;	/* the client said something */
	bool			 proven;	/* SCRAM's last is sent */
	bool			 found;		/* the account is there */
	bool			 away;		/* the accounts are not */
	char			 user[AUTH_USER_MAX];
	char			 verifier[SCRAM_VERIFIER_MAX];
	unsigned char		 proof[ACCOUNTS_PROOF];
	sasl_callback_t		 callbacks[3];
};

/* Cyrus SASL keeps callbacks of all signatures under one type. */
#define CALLBACK(f)	((int (*)(void))(void (*)(void))(f))

static bool
list_has(const struct conf_list *list, const char *item)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (strcmp(list->item[i], item) == 0)
			return true;
	return false;
}

/*
 * Settings. The result must be NULL for what we do not know: some callers do
 * not set it before.
 */
static int
on_getopt(void *context, const char *plugin, const char *option,
    const char **result, unsigned int *len)
{
	static const struct {
		const char *name, *value;
	} options[] = {
		{ "auxprop_plugin", AUXPROP },
		{ "pwcheck_method", "auxprop" },
		{ "canon_user_plugin", "INTERNAL" },
		{ "auto_transition", "no" },
		{ "scram_secret_generate", "no" },
		{ "log_level", "1" },
	};
	const struct saslauth *s = context;
	size_t i;

	(void)plugin;
	*result = NULL;
	if (strcmp(option, "mech_list") == 0)
		*result = s->mech_list;
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (strcmp(option, options[i].name) == 0)
			*result = options[i].value;
	if (len != NULL)
		*len = *result == NULL ? 0 : (unsigned int)strlen(*result);
	return *result == NULL ? SASL_FAIL : SASL_OK;
}

static int
on_log(void *context, int level, const char *message)
{
	char text[256];

	(void)context;
	str_quote(text, sizeof(text), message, strlen(message));
	if (level == SASL_LOG_ERR)
		log_warn("sasl: library message=\"%s\"", text);
	else
		log_debug("sasl: library message=\"%s\"", text);
	return SASL_OK;
}

static int
on_getpath(void *context, const char **path)
{
	(void)context;
	*path = SASL_PLUGINDIR;
	return SASL_OK;
}

/* A folder that does not exist: no conf file is to be found. */
static int
on_getconfpath(void *context, char **path)
{
	(void)context;
	*path = strdup("/nonexistent");
	return *path == NULL ? SASL_NOMEM : SASL_OK;
}

/* The allow-list of plug-ins: no other one is ever loaded. */
static int
on_verifyfile(void *context, const char *file, sasl_verify_type_t type)
{
	static const struct {
		const char *mechanism, *file;
	} plugins[] = {
		{ "PLAIN", "libplain.so" },
		{ "LOGIN", "liblogin.so" },
		{ "SCRAM-SHA-256", "libscram.so" },
	};
	const struct saslauth *s = context;
	const char *base = strrchr(file, '/');
	size_t i;

	base = base == NULL ? file : base + 1;
	for (i = 0; type == SASL_VRFY_PLUGIN &&
	    i < sizeof(plugins) / sizeof(plugins[0]); i++)
		if (strncmp(base, plugins[i].file,
		    strlen(plugins[i].file)) == 0 &&
		    (i == 0 || list_has(&s->conf->auth_mechanisms,
		    plugins[i].mechanism)))
			return SASL_OK;
	return SASL_CONTINUE;
}

/* Whose identity may a login take? Its own. */
static int
on_proxy(sasl_conn_t *conn, void *context, const char *want,
    unsigned int want_len, const char *login, unsigned int login_len,
    const char *realm, unsigned int realm_len, struct propctx *props)
{
	(void)conn;
	(void)context;
	(void)realm;
	(void)realm_len;
	(void)props;
	return want_len == login_len && memcmp(want, login, want_len) == 0 ?
	    SASL_OK : SASL_NOAUTHZ;
}

/*
 * Find the verifier of d->user, or make the decoy, into d->verifier: once,
 * so that a change of the accounts does not mix two in one attempt.
 */
static int
look_up(struct saslauth_dialogue *d)
{
	const struct saslauth *s = d->auth;
	const struct account *acct;
	const char *at = strchr(d->user, '@');

	if (d->verifier[0] != '\0')
		return SASL_OK;
	if (s->accounts == NULL || at == NULL) {
		d->away = true;
		return SASL_UNAVAIL;
	}
	/* Both are done for every user, so that both take the same time. */
	if (scram_decoy(s->decoy, d->user, (uint32_t)s->conf->auth_iterations,
	    d->verifier, sizeof(d->verifier)) == -1)
		return SASL_FAIL;
	acct = accounts_find(s->accounts, d->user);
	if (acct == NULL || acct->disabled ||
	    !conf_is_local(s->conf, at + 1))
		return SASL_OK;
	if (str_copy(d->verifier, sizeof(d->verifier), acct->verifier) == -1)
		return SASL_FAIL;
	accounts_proof(acct, d->proof);
	d->found = true;
	return SASL_OK;
}

/*
 * Bring a name into canonical form; SCRAM passes inlen 0. What is no name
 * becomes NO_NAME, a user who does not exist: the LOGIN plug-in leaks the
 * password when this fails.
 */
static int
on_canon(sasl_conn_t *conn, void *context, const char *in,
    unsigned int inlen, unsigned int flags, const char *realm, char *out,
    unsigned int max, unsigned int *outlen)
{
	struct saslauth_dialogue *d = context;
	char name[ACCOUNTS_NAME_MAX];

	(void)conn;
	(void)realm;
	if (accounts_name(in, inlen == 0 ? strlen(in) : inlen,
	    d->auth->conf->domains.item[0], name, sizeof(name)) == -1)
		memcpy(name, NO_NAME, sizeof(NO_NAME));
	if (str_copy(out, max, name) == -1)
		return SASL_BADAUTH;
	*outlen = (unsigned int)strlen(out);
	/* The first name is the login's, and it cannot change after. */
	if ((flags & SASL_CU_AUTHID) != 0 && d->user[0] == '\0')
		str_copy(d->user, sizeof(d->user), name);
	return SASL_OK;
}

/* PLAIN and LOGIN. SASL_NOUSER: the library is not to look any further. */
static int
on_checkpass(sasl_conn_t *conn, void *context, const char *user,
    const char *password, unsigned int len, struct propctx *props)
{
	struct saslauth_dialogue *d = context;
	int fits;

	(void)conn;
	(void)props;
	if (strcmp(user, d->user) != 0 || look_up(d) != SASL_OK)
		return SASL_NOUSER;
	fits = scram_verifier_check(d->verifier, password, len);
	if (fits == -1)
		d->away = true;
	return fits == 1 && d->found ? SASL_OK : SASL_NOUSER;
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
	p = params->utils->prop_get(params->propctx);
	for (; p != NULL && p->name != NULL; p++) {
		if (!is_wanted(p, flags))
			continue;
		if ((rc = look_up(d)) != SASL_OK)
			return rc;
		params->utils->prop_set(params->propctx, p->name,
		    d->verifier, (int)strlen(d->verifier));
	}
	return SASL_OK;
}

static int
auxprop_init(const sasl_utils_t *utils, int max, int *version,
    sasl_auxprop_plug_t **plug, const char *name)
{
	static char auxprop_name[] = AUXPROP;
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

static void
add_mechanism(char list[MECHANISMS_MAX], const char *name)
{
	size_t used = strlen(list);

	if (used + strlen(name) + 2 > MECHANISMS_MAX)
		return;
	if (used > 0)
		list[used++] = ' ';
	memcpy(list + used, name, strlen(name) + 1);
}

static sasl_conn_t *
connection_new(struct saslauth *s, enum auth_service service,
    const sasl_callback_t *callbacks)
{
	const struct conf *c = s->conf;
	sasl_security_properties_t props;
	sasl_conn_t *conn = NULL;
	sasl_ssf_t tls = 256;

	if (sasl_server_new(service == AUTH_HTTP ? "http" : "smtp",
	    c->hostname, c->domains.item[0], NULL, NULL, callbacks, 0,
	    &conn) != SASL_OK)
		return NULL;
	/* TLS is the only layer, and it is always there: AUTH is not
	   offered before. */
	memset(&props, 0, sizeof(props));
	props.security_flags = SASL_SEC_NOANONYMOUS;
	if (sasl_setprop(conn, SASL_SEC_PROPS, &props) != SASL_OK ||
	    sasl_setprop(conn, SASL_SSF_EXTERNAL, &tls) != SASL_OK)
		sasl_dispose(&conn);
	return conn;
}

/* What the conf asks for and the library has. */
static int
find_mechanisms(struct saslauth *s)
{
	const struct conf_list *want = &s->conf->auth_mechanisms;
	sasl_conn_t *conn;
	const char *have = NULL;
	size_t i;

	if ((conn = connection_new(s, AUTH_SMTP, NULL)) == NULL)
		return -1;
	sasl_listmech(conn, NULL, "", " ", "", &have, NULL, NULL);
	for (i = 0; i < want->n; i++) {
		if (have != NULL && str_has_word(have, want->item[i]))
			add_mechanism(s->mechanisms, want->item[i]);
		else
			log_warn("sasl: no plug-in for mechanism=%s in "
			    SASL_PLUGINDIR, want->item[i]);
	}
	sasl_dispose(&conn);
	return s->mechanisms[0] == '\0' ? -1 : 0;
}

struct saslauth *
saslauth_new(const struct conf *conf)
{
	struct saslauth *s;
	size_t i;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	s->conf = conf;
	for (i = 0; i < conf->auth_mechanisms.n; i++)
		add_mechanism(s->mech_list, conf->auth_mechanisms.item[i]);
	if (!str_has_word(s->mech_list, "PLAIN"))
		add_mechanism(s->mech_list, "PLAIN");
	s->callbacks[0] = (sasl_callback_t){ SASL_CB_GETOPT,
	    CALLBACK(on_getopt), s };
	s->callbacks[1] = (sasl_callback_t){ SASL_CB_LOG,
	    CALLBACK(on_log), s };
	s->callbacks[2] = (sasl_callback_t){ SASL_CB_GETPATH,
	    CALLBACK(on_getpath), s };
	s->callbacks[3] = (sasl_callback_t){ SASL_CB_GETCONFPATH,
	    CALLBACK(on_getconfpath), s };
	s->callbacks[4] = (sasl_callback_t){ SASL_CB_VERIFYFILE,
	    CALLBACK(on_verifyfile), s };
	s->callbacks[5] = (sasl_callback_t){ SASL_CB_PROXY_POLICY,
	    CALLBACK(on_proxy), s };
	s->callbacks[6] = (sasl_callback_t){ SASL_CB_LIST_END, NULL, NULL };
	/* No name: the library then looks for no conf file of that name. */
	if (sasl_server_init(s->callbacks, NULL) != SASL_OK ||
	    sasl_auxprop_add_plugin(AUXPROP, auxprop_init) != SASL_OK ||
	    find_mechanisms(s) == -1) {
		log_err("sasl: cannot set up the library");
		saslauth_free(&s);
	}
	return s;
}

void
saslauth_free(struct saslauth **sp)
{
	struct saslauth *s = *sp;

	*sp = NULL;
	if (s == NULL)
		return;
	sasl_server_done();
	str_wipe(s, sizeof(*s));
	free(s);
}

const char *
saslauth_mechanisms(const struct saslauth *s)
{
	return s->mechanisms;
}

void
saslauth_decoy(struct saslauth *s, const unsigned char key[SCRAM_KEY])
{
	memcpy(s->decoy, key, SCRAM_KEY);
}

void
saslauth_accounts(struct saslauth *s, const struct accounts *a)
{
	s->accounts = a;
}

struct saslauth_dialogue *
saslauth_begin(struct saslauth *s, enum auth_service service)
{
	struct saslauth_dialogue *d;

	if ((d = calloc(1, sizeof(*d))) == NULL)
		return NULL;
	d->auth = s;
	d->service = service;
	d->callbacks[0] = (sasl_callback_t){ SASL_CB_CANON_USER,
	    CALLBACK(on_canon), d };
	d->callbacks[1] = (sasl_callback_t){ SASL_CB_SERVER_USERDB_CHECKPASS,
	    CALLBACK(on_checkpass), d };
	d->callbacks[2] = (sasl_callback_t){ SASL_CB_LIST_END, NULL, NULL };
	d->conn = connection_new(s, service, d->callbacks);
	if (d->conn == NULL)
		saslauth_end(&d);
	return d;
}

void
saslauth_end(struct saslauth_dialogue **dp)
{
	struct saslauth_dialogue *d = *dp;

	*dp = NULL;
	if (d == NULL)
		return;
	if (d->conn != NULL)
		sasl_dispose(&d->conn);
	str_wipe(d, sizeof(*d));
	free(d);
}

static enum auth_status
status_of(const struct saslauth_dialogue *d, int rc)
{
	if (d->away)
		return AUTH_TEMP;
	switch (rc) {
	case SASL_OK:
		return d->found ? AUTH_OK : AUTH_FAIL;
	case SASL_CONTINUE:
		return AUTH_MORE;
	case SASL_NOMECH:
	case SASL_TOOWEAK:
	case SASL_ENCRYPT:
		return AUTH_NO_MECHANISM;
	case SASL_BADPROT:
	case SASL_BADPARAM:
	case SASL_BUFOVER:
	case SASL_BADBINDING:
		return AUTH_BAD_PROTOCOL;
	case SASL_NOAUTHZ:
		return AUTH_NOT_AUTHORIZED;
	case SASL_FAIL:
	case SASL_NOMEM:
	case SASL_TRYAGAIN:
	case SASL_UNAVAIL:
		return AUTH_TEMP;
	default:
		return AUTH_FAIL;
	}
}

static struct saslauth_result
result_of(struct saslauth_dialogue *d, int rc, const char *data,
    unsigned int len)
{
	struct saslauth_result r = { status_of(d, rc), NULL, 0 };
	const char *detail;
	char text[256];

	if (rc != SASL_OK && rc != SASL_CONTINUE && log_is_verbose()) {
		detail = sasl_errdetail(d->conn);
		str_quote(text, sizeof(text), detail, strlen(detail));
		log_debug("sasl: refused code=%d detail=\"%s\"", rc, text);
	}
	if (r.status == AUTH_MORE && data != NULL) {
		r.data = data;
		r.len = len;
	}
	if (r.len > AUTH_DATA_MAX)
		return (struct saslauth_result){ AUTH_TEMP, NULL, 0 };
	return r;
}

/*
 * Does the client ask for channel binding, which is not offered (RFC 5802
 * section 7)? The library would refuse that only after the proof.
 */
static bool
asks_binding(struct saslauth_dialogue *d, const char *data, size_t len)
{
	bool first = !d->spoken;

	d->spoken = true;
	return first && d->scram && len > 0 && data[0] == 'p';
}

struct saslauth_result
saslauth_start(struct saslauth_dialogue *d, const char *mechanism,
    const void *data, size_t len)
{
	const char *out = NULL;
	unsigned int outlen = 0;
	int rc;

	BUG_IF(d->started);
	d->started = true;
	if (!str_has_word(d->auth->mechanisms, mechanism) &&
	    (d->service != AUTH_HTTP || strcmp(mechanism, "PLAIN") != 0))
		return result_of(d, SASL_NOMECH, NULL, 0);
	d->scram = strncmp(mechanism, "SCRAM-", 6) == 0;
	if (data != NULL && asks_binding(d, data, len))
		return result_of(d, SASL_BADPROT, NULL, 0);
	rc = sasl_server_start(d->conn, mechanism, data, (unsigned int)len,
	    &out, &outlen);
	return result_of(d, rc, out, outlen);
}

struct saslauth_result
saslauth_step(struct saslauth_dialogue *d, const void *data, size_t len)
{
	const char *out = NULL;
	unsigned int outlen = 0;
	int rc;

	/* RFC 4954 section 4: the answer to that message is empty; the
	   library would take any. */
	if (asks_binding(d, data, len) || (d->proven && len != 0))
		return result_of(d, SASL_BADPROT, NULL, 0);
	rc = sasl_server_step(d->conn, len == 0 ? "" : data,
	    (unsigned int)len, &out, &outlen);
	d->proven = d->scram && rc == SASL_CONTINUE && outlen > 2 &&
	    memcmp(out, "v=", 2) == 0;
	return result_of(d, rc, out, outlen);
}

const char *
saslauth_user(const struct saslauth_dialogue *d)
{
	return strcmp(d->user, NO_NAME) == 0 ? "" : d->user;
}

const unsigned char *
saslauth_proof(const struct saslauth_dialogue *d)
{
	return d->proof;
}
