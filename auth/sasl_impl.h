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

struct saslauth {
	const struct conf	*conf;
	const struct accounts	*accounts;
	unsigned char		 decoy[SCRAM_KEY];
	char			 mechanisms[SASL_LIST_MAX];
	char			 mech_list[SASL_LIST_MAX];	/* and PLAIN */
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
#define SASLAUTH_CALL(f)	((int (*)(void))(void (*)(void))(f))

/* sasl_library.c: a connection of the library, with the callbacks given. */
sasl_conn_t *saslauth_connection(struct saslauth *, enum auth_service,
	    const sasl_callback_t *);

/* sasl_lookup.c: callbacks, as sasl.h and saslplug.h declare them. */
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
