/* SPDX-License-Identifier: ISC */
/*
 * Inside auth-sasl's use of the library: shared by auth/sasl*.c alone.
 */
#ifndef POSTERN_SASL_IMPL_H
#define POSTERN_SASL_IMPL_H

#include <sasl/sasl.h>
#include <sasl/saslplug.h>

#include "auth/sasl.h"

#define SASL_AUXPROP	"postern"	/* the name of our plug-in */
#define SASL_LIST_MAX	128		/* octets of a list of mechanisms */
#define SASL_NO_NAME	"@"		/* no account can have it */
#define SASL_SCRAM	"SCRAM-SHA-256"
#define SASL_PLUS	"SCRAM-SHA-256-PLUS"
#define SASL_EXTERNAL	"EXTERNAL"
#define SASL_GS2_MAX	1024		/* octets of a GS2 header */

struct saslauth {
	const struct conf	*conf;
	const struct accounts	*accounts;
	unsigned char		 decoy[SCRAM_KEY];
	char			 mechanisms[SASL_LIST_MAX];
	char			 mech_list[SASL_LIST_MAX];	/* and PLAIN */
	char			 iterations[24];	/* as text */
	bool			 told;		/* that the store is away */
	sasl_callback_t		 callbacks[6];
};

struct saslauth_dialogue {
	struct saslauth		*auth;
	sasl_conn_t		*conn;
	enum auth_service	 service;
	bool			 started;
	bool			 scram;
	bool			 plus;		/* with channel binding */
	bool			 external;
	bool			 begun;		/* the library is at work */
	bool			 proven;	/* SCRAM's last is sent */
	bool			 found;		/* the account is there */
	bool			 right;		/* so is the password */
	bool			 away;		/* the accounts are not */
	char			 user[AUTH_USER_MAX];	/* as it was given */
	char			 base[AUTH_USER_MAX];	/* the account */
	char			 app[ACCOUNTS_APP_MAX];	/* or "" */
	enum apppass_refusal	 refusal;	/* of the app password */
	char			 verifier[SCRAM_VERIFIER_MAX];
	unsigned char		 proof[ACCOUNTS_PROOF];
	unsigned		 looks;		/* at the store, by halves */
	sasl_callback_t		 callbacks[6];
	char			 mechanism[AUTH_MECH_MAX];
	struct auth_channel	 channel;
	sasl_channel_binding_t	 binding;	/* the one in use */
	char			 gs2[SASL_GS2_MAX];	/* the client's */
	size_t			 gs2_len;
};

/* Cyrus SASL keeps callbacks of all signatures under one type. */
#define SASLAUTH_CALL(f)	((int (*)(void))(void (*)(void))(f))

/* sasl_library.c: a connection of the library, with the callbacks given. */
sasl_conn_t *saslauth_connection(struct saslauth *, enum auth_service,
	    const sasl_callback_t *);

/* sasl_binding.c: each returns SASL_OK or how the attempt ends. */
/* Has this connection any channel binding? */
bool	 saslauth_has_binding(const struct saslauth_dialogue *);
/* SCRAM's first message: may it say that of channel binding? Then set it. */
int	 saslauth_bind(struct saslauth_dialogue *, const char *data,
	    size_t len);
/* SCRAM's final message: is it bound to this connection? */
int	 saslauth_bound(const struct saslauth_dialogue *, const char *data,
	    size_t len);

/* sasl_external.c: the whole of EXTERNAL, given the client's message. */
int	 saslauth_external(struct saslauth_dialogue *, const char *data,
	    size_t len);

/*
 * sasl_store.c: the stores of the library itself, in place of the accounts
 * file. The value of an option that depends on the store, or NULL.
 */
const char *saslauth_store_option(const struct saslauth *,
	    const char *option);
/* The file name of the plug-in it needs; NULL: none. */
const char *saslauth_store_plugin(const struct saslauth *);
/* Was it loaded? Without it everybody would be unknown. False: logged. */
bool	 saslauth_store_loaded(const struct saslauth *);
/* Can it serve this mechanism? */
bool	 saslauth_store_has(const struct saslauth *, const char *mechanism);
/* Is it another one than the accounts file? All below is for such alone. */
bool	 saslauth_is_foreign(const struct saslauth *);
/* Before the first step. Sets d->away when the store cannot be reached. */
int	 saslauth_store_begin(struct saslauth_dialogue *);
/* Before the connection is disposed of. */
void	 saslauth_store_end(struct saslauth_dialogue *);
/* The end of a step: log when the store went away, or has come back. */
void	 saslauth_store_note(struct saslauth_dialogue *, enum auth_status);
/* May the library look this canonical name up? */
bool	 saslauth_store_takes(const struct saslauth *, const char *name);
/* Look d->user up: as saslauth_look_up(). */
int	 saslauth_store_find(struct saslauth_dialogue *);
/* Our auxiliary properties, before and after those of the store. */
int	 saslauth_store_lookup(struct saslauth_dialogue *,
	    const sasl_server_params_t *);
/*
 * Check a password. As saslauth_on_checkpass(); SASL_NOMECH: it is left to
 * the library.
 */
int	 saslauth_store_check(struct saslauth_dialogue *,
	    const char *password, size_t len);
/* SASL_CB_LOG and SASL_CB_GETOPT of a dialogue. */
int	 saslauth_on_store_log(void *context, int level,
	    const char *message);
int	 saslauth_on_store_getopt(void *context, const char *plugin,
	    const char *option, const char **result, unsigned int *len);
/* sasl_library.c: the same of the library. */
int	 saslauth_on_log(void *context, int level, const char *message);
int	 saslauth_on_getopt(void *context, const char *plugin,
	    const char *option, const char **result, unsigned int *len);

/* sasl_lookup.c */
/* The account of this canonical name, if it may log in; else NULL. */
const struct account *saslauth_account(const struct saslauth *,
	    const char *user);
/* Look d->user up: SASL_OK and d->found, or why it cannot be done. */
int	 saslauth_look_up(struct saslauth_dialogue *);
/* Callbacks, as sasl.h and saslplug.h declare them. */
int	 saslauth_on_proxy(sasl_conn_t *, void *context, const char *want,
	    unsigned int want_len, const char *login, unsigned int login_len,
	    const char *realm, unsigned int realm_len, struct propctx *);
int	 saslauth_on_canon(sasl_conn_t *, void *context, const char *in,
	    unsigned int inlen, unsigned int flags, const char *realm,
	    char *out, unsigned int max, unsigned int *outlen);
int	 saslauth_on_checkpass(sasl_conn_t *, void *context,
	    const char *user, const char *password, unsigned int len,
	    struct propctx *);
/* The plug-in of auxiliary properties: verifiers for SCRAM. */
int	 saslauth_auxprop_init(const sasl_utils_t *, int max, int *version,
	    sasl_auxprop_plug_t **plug, const char *name);

#endif
