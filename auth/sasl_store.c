/* SPDX-License-Identifier: ISC */
/*
 * The account stores of Cyrus SASL itself: sasldb, SQL, saslauthd. Runs in
 * auth-sasl; names and passwords are a client's, the store is trusted.
 * Invariants: a user that does not exist takes the same steps as one that
 * does; a store that fails is away, and is never taken for a wrong password;
 * d->found is true only for a name in a domain of the conf.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/hmac.h>

#include "auth/sasl_impl.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/str.h"

#include <sys/random.h>

#define PASSWORD	"*userPassword"	/* the property the plug-ins fill in */
#define HIDDEN		"-"
#define VALUE_MAX	8192		/* octets of it, as they cut it */
#define DECOY		24		/* octets of a made-up one, as hex */
#define ASKED_MAX	1024		/* octets of a password for saslauthd */

bool
saslauth_is_foreign(const struct saslauth *s)
{
	return s->conf->auth_store != CONF_STORE_ACCOUNTS;
}

/* Does the library see passwords, for it to look a user's up? */
static bool
has_passwords(const struct saslauth *s)
{
	return s->conf->auth_store == CONF_STORE_SASLDB ||
	    s->conf->auth_store == CONF_STORE_SQL;
}

const char *
saslauth_store_option(const struct saslauth *s, const char *option)
{
	const struct conf *c = s->conf;
	const struct {
		const char *name, *value;
	} options[] = {
		/* Ours is called before theirs and after it. */
		{ "auxprop_plugin", c->auth_store == CONF_STORE_SASLDB ?
		    SASL_AUXPROP " sasldb " SASL_AUXPROP :
		    c->auth_store == CONF_STORE_SQL ?
		    SASL_AUXPROP " sql " SASL_AUXPROP : SASL_AUXPROP },
		{ "pwcheck_method", c->auth_store == CONF_STORE_SASLAUTHD ?
		    "saslauthd" : "auxprop" },
		{ "sasldb_path", c->auth_sasldb },
		{ "saslauthd_path", c->auth_saslauthd },
		{ "sql_engine", "sqlite3" },
		{ "sql_database", c->auth_sql_database },
		{ "sql_select", c->auth_sql_select },
		{ "scram_iteration_counter", s->iterations },
	};
	size_t i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (strcmp(option, options[i].name) == 0)
			return options[i].value;
	return NULL;
}

const char *
saslauth_store_plugin(const struct saslauth *s)
{
	if (s->conf->auth_store == CONF_STORE_SASLDB)
		return "libsasldb.so";
	return s->conf->auth_store == CONF_STORE_SQL ? "libsql.so" : NULL;
}

static void
on_plugin(sasl_auxprop_plug_t *plug, sasl_info_callback_stage_t stage,
    void *arg)
{
	bool *found = arg;

	if (stage == SASL_INFO_LIST_MECH && plug->name != NULL)
		*found = true;
}

bool
saslauth_store_loaded(const struct saslauth *s)
{
	const char *name = s->conf->auth_store == CONF_STORE_SASLDB ?
	    "sasldb" : "sql";
	bool found = false;

	if (!has_passwords(s))
		return true;
	if (auxprop_plugin_info(name, on_plugin, &found) == SASL_OK && found)
		return true;
	log_err("sasl: no plug-in for store=%s in " SASL_PLUGINDIR,
	    conf_store_name(s->conf));
	return false;
}

bool
saslauth_store_has(const struct saslauth *s, const char *mechanism)
{
	/* It says whether a password is right, and not who is there. */
	return s->conf->auth_store != CONF_STORE_SASLAUTHD ||
	    strcmp(mechanism, "PLAIN") == 0 ||
	    strcmp(mechanism, "LOGIN") == 0;
}

/*
 * The library's SQL plug-in escapes a quote by a backslash, which SQLite does
 * not know: such a name would become part of the query.
 */
bool
saslauth_store_takes(const struct saslauth *s, const char *name)
{
	return s->conf->auth_store != CONF_STORE_SQL ||
	    strpbrk(name, "'\"`\\") == NULL;
}

/*
 * Can the file be read? The plug-ins cannot be asked: to the one for sasldb
 * a file that is missing is one without users.
 */
static bool
is_readable(const char *path)
{
	struct stat st;
	bool r;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1)
		return false;
	r = fstat(fd, &st) == 0;
	if (r && !S_ISREG(st.st_mode)) {
		errno = EINVAL;
		r = false;
	}
	close(fd);
	return r;
}

static void
tell_away(struct saslauth *s, const char *detail)
{
	char text[256];

	if (s->told)
		return;
	s->told = true;
	str_quote(text, sizeof(text), detail, strlen(detail));
	log_err("sasl: the account store is away store=%s path=%s "
	    "detail=\"%s\"", conf_store_name(s->conf),
	    conf_store_path(s->conf, NULL), text);
}

void
saslauth_store_end(struct saslauth_dialogue *d)
{
	struct propctx *props = sasl_auxprop_getctx(d->conn);

	/* The library frees a password as it is; this wipes it. */
	if (props != NULL)
		prop_erase(props, PASSWORD);
}

int
saslauth_store_begin(struct saslauth_dialogue *d)
{
	const char *names[] = { PASSWORD, NULL };

	if (!has_passwords(d->auth))
		return 0;
	if (!is_readable(conf_store_path(d->auth->conf, NULL))) {
		tell_away(d->auth, strerror(errno));
		d->away = true;
	}
	return sasl_auxprop_request(d->conn, names) == SASL_OK ? 0 : -1;
}

void
saslauth_store_note(struct saslauth_dialogue *d, enum auth_status status)
{
	struct saslauth *s = d->auth;

	if (status == AUTH_TEMP)
		tell_away(s, sasl_errdetail(d->conn));
	/* A store of passwords has been asked by then, as has saslauthd. */
	if ((status == AUTH_OK || status == AUTH_FAIL) && s->told) {
		s->told = false;
		log_notice("sasl: the account store is back store=%s",
		    conf_store_name(s->conf));
	}
}

/*
 * The SQL plug-in has one answer for a query that fails and for one that
 * finds nothing, and says at which it was in the log alone.
 */
static bool
is_failure(const struct saslauth *s, int level, const char *message)
{
	static const char prefix[] = "sql plugin";
	size_t n = strlen(prefix);

	return s->conf->auth_store == CONF_STORE_SQL &&
	    strncmp(message, prefix, n) == 0 && (level == SASL_LOG_ERR ||
	    (message[n] == ':' &&
	    strcmp(message + n, ": no result found") != 0));
}

int
saslauth_on_store_log(void *context, int level, const char *message)
{
	struct saslauth_dialogue *d = context;

	if (!is_failure(d->auth, level, message))
		return saslauth_on_log(d->auth, level, message);
	d->away = true;
	tell_away(d->auth, message);
	return SASL_OK;
}

/* What makes a login with this password the user's; a digest with a key. */
static int
proof_of(const struct saslauth_dialogue *d, const char *password, size_t len,
    unsigned char proof[ACCOUNTS_PROOF])
{
	unsigned char text[AUTH_USER_MAX + VALUE_MAX + AUTH_DATA_MAX];
	size_t n = strlen(d->user) + 1;
	bool ok;

	if (len > sizeof(text) - n)
		return -1;
	memcpy(text, d->user, n);
	memcpy(text + n, password, len);
	ok = HMAC(EVP_sha256(), d->auth->decoy, sizeof(d->auth->decoy), text,
	    n + len, proof, NULL) != NULL;
	str_wipe(text, n + len);
	return ok ? 0 : -1;
}

/* A password that nobody has, for who has none. */
static int
make_decoy(char text[2 * DECOY + 1])
{
	unsigned char random[DECOY];
	size_t i;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -1;
	for (i = 0; i < DECOY; i++) {
		text[2 * i] = "0123456789abcdef"[random[i] >> 4];
		text[2 * i + 1] = "0123456789abcdef"[random[i] & 15];
	}
	text[2 * DECOY] = '\0';
	return 0;
}

/* The user's password in what the plug-in found, or NULL. */
static const char *
stored(const struct saslauth_dialogue *d, const struct propval *p)
{
	const char *value = p->values == NULL ? NULL : p->values[0];

	if (value == NULL || value[0] == '\0' ||
	    !conf_is_local(d->auth->conf, strchr(d->user, '@') + 1))
		return NULL;
	/* So the SQL plug-in calls a column that is NULL: no password. */
	if (d->auth->conf->auth_store == CONF_STORE_SQL &&
	    strcmp(value, "NULL") == 0)
		return NULL;
	return value;
}

/*
 * These are read each time they are needed. One look-up at the store is
 * enough: after a refusal the library would make another one. And who is
 * refused here is not asked about at saslauthd.
 */
int
saslauth_on_store_getopt(void *context, const char *plugin,
    const char *option, const char **result, unsigned int *len)
{
	const struct saslauth_dialogue *d = context;

	if (d->looks >= 2 && strcmp(option, "auxprop_plugin") == 0)
		*result = SASL_AUXPROP;
	else if (!d->found && strcmp(option, "pwcheck_method") == 0)
		*result = "auxprop";	/* which finds nothing */
	else
		return saslauth_on_getopt(d->auth, plugin, option, result,
		    len);
	if (len != NULL)
		*len = (unsigned int)strlen(*result);
	return SASL_OK;
}

/*
 * Before the store's plug-in: it is to look up the password alone. Other
 * properties that mechanisms ask for are columns that a table has not. None
 * of them counts where there is a password, and there always will be one.
 */
static void
hide_others(const sasl_server_params_t *params)
{
	const struct propval *p = params->utils->prop_get(params->propctx);

	for (; p != NULL && p->name != NULL; p++)
		if (p->name[0] == '*' && p->values == NULL &&
		    strcmp(p->name, PASSWORD) != 0)
			params->utils->prop_set(params->propctx, p->name,
			    HIDDEN, sizeof(HIDDEN) - 1);
}

/* The property of the password, as it is now; or NULL. */
static const struct propval *
password_of(const sasl_server_params_t *params)
{
	const struct propval *p = params->utils->prop_get(params->propctx);

	for (; p != NULL && p->name != NULL; p++)
		if (strcmp(p->name, PASSWORD) == 0)
			return p;
	return NULL;
}

/*
 * The plug-in has looked the user up. Whoever has no password gets one that
 * is made up: PLAIN then compares it, and SCRAM makes its challenge of it, as
 * for anybody.
 */
static int
complete(struct saslauth_dialogue *d, const sasl_server_params_t *params)
{
	const struct propval *p = password_of(params);
	char decoy[2 * DECOY + 1];
	const char *value;

	if (p == NULL || make_decoy(decoy) == -1)
		return SASL_FAIL;
	value = stored(d, p);
	/* Only what the first look-up has found counts. */
	if (d->looks == 2)
		d->found = value != NULL;
	if (value == NULL) {
		params->utils->prop_erase(params->propctx, PASSWORD);
		params->utils->prop_set(params->propctx, PASSWORD, decoy,
		    (int)strlen(decoy));
		value = decoy;
	}
	return d->looks == 2 && proof_of(d, value, strlen(value),
	    d->proof) == -1 ? SASL_FAIL : SASL_OK;
}

int
saslauth_store_lookup(struct saslauth_dialogue *d,
    const sasl_server_params_t *params)
{
	if (!has_passwords(d->auth))
		return SASL_OK;
	if (d->looks++ == 0) {
		hide_others(params);
		return SASL_OK;
	}
	return complete(d, params);
}

/* Is saslauthd to be asked? It knows neither domains nor long passwords. */
static int
may_ask(struct saslauth_dialogue *d, size_t len)
{
	d->found = len <= ASKED_MAX && conf_is_local(d->auth->conf,
	    strchr(d->user, '@') + 1);
	if (!d->found)
		return SASL_NOUSER;
	/* All there is to tell one account from another is its name. */
	return proof_of(d, "", 0, d->proof) == -1 ? SASL_NOUSER : SASL_NOMECH;
}

int
saslauth_store_check(struct saslauth_dialogue *d, const char *password,
    size_t len)
{
	unsigned char proof[ACCOUNTS_PROOF];
	bool same;

	if (!has_passwords(d->auth))
		return may_ask(d, len);
	same = proof_of(d, password, len, proof) == 0 &&
	    str_same_secret(proof, d->proof, sizeof(proof));
	str_wipe(proof, sizeof(proof));
	return same && d->found ? SASL_OK : SASL_NOUSER;
}

int
saslauth_store_find(struct saslauth_dialogue *d)
{
	enum auth_status status = saslauth_look(d->auth, d->user, d->proof);

	d->found = status == AUTH_OK;
	d->away = d->away || status == AUTH_TEMP;
	return d->away ? SASL_UNAVAIL : SASL_OK;
}

enum auth_status
saslauth_look(struct saslauth *s, const char *user,
    unsigned char proof[ACCOUNTS_PROOF])
{
	static const struct auth_channel none;
	struct saslauth_dialogue *d = saslauth_begin(s, AUTH_HTTP, &none);
	struct saslauth_result r = { AUTH_TEMP, NULL, 0 };
	char text[AUTH_USER_MAX + 3];
	int n;

	if (d == NULL)
		return AUTH_TEMP;
	/* PLAIN looks up whom it is given, and refuses; that is as good. */
	n = snprintf(text, sizeof(text), "%c%s%c-", 0, user, 0);
	if (n > 0 && (size_t)n < sizeof(text))
		r = saslauth_start(d, "PLAIN", text, (size_t)n);
	if (r.status == AUTH_OK || r.status == AUTH_FAIL)
		r.status = d->found ? AUTH_OK : AUTH_FAIL;
	else
		r.status = AUTH_TEMP;
	memcpy(proof, d->proof, ACCOUNTS_PROOF);
	saslauth_end(&d);
	return r.status;
}
