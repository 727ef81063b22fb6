/* SPDX-License-Identifier: ISC */
/*
 * Cyrus SASL as a whole: its settings, which come from callbacks alone, its
 * plug-ins, its mechanisms. Runs in auth-sasl; see sasl.h.
 */
#include "auth/sasl_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/conf.h"
#include "lib/log.h"
#include "lib/str.h"

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
int
saslauth_on_getopt(void *context, const char *plugin, const char *option,
    const char **result, unsigned int *len)
{
	static const struct {
		const char *name, *value;
	} options[] = {
		{ "canon_user_plugin", "INTERNAL" },
		{ "auto_transition", "no" },
		{ "scram_secret_generate", "no" },
		{ "log_level", "1" },
	};
	const struct saslauth *s = context;
	size_t i;

	(void)plugin;
	*result = saslauth_store_option(s, option);
	if (strcmp(option, "mech_list") == 0)
		*result = s->mech_list;
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (strcmp(option, options[i].name) == 0)
			*result = options[i].value;
	if (len != NULL)
		*len = *result == NULL ? 0 : (unsigned int)strlen(*result);
	return *result == NULL ? SASL_FAIL : SASL_OK;
}

int
saslauth_on_log(void *context, int level, const char *message)
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
		{ SASL_SCRAM, "libscram.so" },
		{ SASL_PLUS, "libscram.so" },
	};
	const struct saslauth *s = context;
	const char *base = strrchr(file, '/');
	const char *store = saslauth_store_plugin(s);
	size_t i;

	/* It asks before it reads one: the conf's is the only one. */
	if (type == SASL_VRFY_PASSWD)
		return strcmp(file, s->conf->auth_sasldb) == 0 ? SASL_OK :
		    SASL_BADPARAM;
	base = base == NULL ? file : base + 1;
	for (i = 0; type == SASL_VRFY_PLUGIN &&
	    i < sizeof(plugins) / sizeof(plugins[0]); i++)
		if (strncmp(base, plugins[i].file,
		    strlen(plugins[i].file)) == 0 &&
		    (i == 0 || list_has(&s->conf->auth_mechanisms,
		    plugins[i].mechanism)))
			return SASL_OK;
	if (type == SASL_VRFY_PLUGIN && store != NULL &&
	    strncmp(base, store, strlen(store)) == 0)
		return SASL_OK;
	return SASL_CONTINUE;
}

static void
add_mechanism(char list[SASL_LIST_MAX], const char *name)
{
	size_t used = strlen(list);

	if (used + strlen(name) + 2 > SASL_LIST_MAX)
		return;
	if (used > 0)
		list[used++] = ' ';
	memcpy(list + used, name, strlen(name) + 1);
}

sasl_conn_t *
saslauth_connection(struct saslauth *s, enum auth_service service,
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
	static const unsigned char octet[1];
	const sasl_channel_binding_t binding = { "none", 0, 1, octet };
	const struct conf_list *want = &s->conf->auth_mechanisms;
	sasl_conn_t *conn;
	const char *have = NULL;
	size_t i;

	if ((conn = saslauth_connection(s, AUTH_SMTP, NULL)) == NULL)
		return -1;
	/* Without these two it would not speak of -PLUS and EXTERNAL. */
	if (sasl_setprop(conn, SASL_CHANNEL_BINDING, &binding) != SASL_OK ||
	    sasl_setprop(conn, SASL_AUTH_EXTERNAL, "someone") != SASL_OK) {
		sasl_dispose(&conn);
		return -1;
	}
	sasl_listmech(conn, NULL, "", " ", "", &have, NULL, NULL);
	for (i = 0; i < want->n; i++) {
		if (!saslauth_store_has(s, want->item[i]))
			log_notice("sasl: mechanism=%s is not offered: "
			    "store=%s only checks passwords",
			    want->item[i], conf_store_name(s->conf));
		else if (have != NULL && str_has_word(have, want->item[i]))
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
	snprintf(s->iterations, sizeof(s->iterations), "%llu",
	    (unsigned long long)conf->auth_iterations);
	for (i = 0; i < conf->auth_mechanisms.n; i++)
		add_mechanism(s->mech_list, conf->auth_mechanisms.item[i]);
	if (!str_has_word(s->mech_list, "PLAIN"))
		add_mechanism(s->mech_list, "PLAIN");
	/* The library has no other name for -PLUS in this list. */
	if (!str_has_word(s->mech_list, SASL_SCRAM))
		add_mechanism(s->mech_list, SASL_SCRAM);
	s->callbacks[0] = (sasl_callback_t){ SASL_CB_GETOPT,
	    SASLAUTH_CALL(saslauth_on_getopt), s };
	s->callbacks[1] = (sasl_callback_t){ SASL_CB_LOG,
	    SASLAUTH_CALL(saslauth_on_log), s };
	s->callbacks[2] = (sasl_callback_t){ SASL_CB_GETPATH,
	    SASLAUTH_CALL(on_getpath), s };
	s->callbacks[3] = (sasl_callback_t){ SASL_CB_GETCONFPATH,
	    SASLAUTH_CALL(on_getconfpath), s };
	s->callbacks[4] = (sasl_callback_t){ SASL_CB_VERIFYFILE,
	    SASLAUTH_CALL(on_verifyfile), s };
	s->callbacks[5] = (sasl_callback_t){ SASL_CB_LIST_END, NULL, NULL };
	/* No name: the library then looks for no conf file of that name. */
	if (sasl_server_init(s->callbacks, NULL) != SASL_OK ||
	    sasl_auxprop_add_plugin(SASL_AUXPROP,
	    saslauth_auxprop_init) != SASL_OK ||
	    !saslauth_store_loaded(s) || find_mechanisms(s) == -1) {
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
