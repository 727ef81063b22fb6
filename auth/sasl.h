/* SPDX-License-Identifier: ISC */
/*
 * Server side of SASL: the dialogues of a worker process. What Cyrus SASL
 * asks for it gets by callbacks; it reads no file but its plug-ins.
 */
#ifndef POSTERN_SASL_H
#define POSTERN_SASL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/accounts.h"
#include "auth/apppass.h"
#include "auth/auth_proto.h"
#include "auth/scram.h"

struct conf;
struct priv_profile;
struct saslauth;
struct saslauth_dialogue;

/* What a step came to. */
struct saslauth_result {
	enum auth_status	 status;	/* never AUTH_THROTTLED */
	/* MORE: len octets of challenge, valid until the next step. */
	const char		*data;
	size_t			 len;
};

/*
 * Load the library and the plug-ins of the mechanisms in the conf, which is
 * kept by reference; once a process. NULL when it cannot (it has logged why).
 */
struct saslauth *saslauth_new(const struct conf *);
/*
 * What the process needs from then on; paths in the profile live as long as
 * the process does. -1 and errno ENOMEM.
 */
int	 saslauth_confine(const struct conf *, struct priv_profile *);
/* The key of the verifiers shown for users that do not exist. */
void	 saslauth_decoy(struct saslauth *,
	    const unsigned char key[SCRAM_KEY]);
void	 saslauth_free(struct saslauth **);
/* The mechanisms of the conf that are there, "SCRAM-SHA-256 PLAIN". */
const char *saslauth_mechanisms(const struct saslauth *);
/*
 * The accounts to look in from now on, kept by reference; NULL: the store is
 * away, every attempt ends in AUTH_TEMP.
 */
void	 saslauth_accounts(struct saslauth *, const struct accounts *);

/*
 * A new dialogue, for one attempt; NULL and errno ENOMEM. channel: what the
 * client's TLS connection is known by, in form, copied; without its bindings
 * there is no mechanism in -PLUS, without its names no EXTERNAL. Ended by
 * saslauth_end() in every case.
 */
struct saslauth_dialogue *saslauth_begin(struct saslauth *,
	    enum auth_service, const struct auth_channel *channel);
/*
 * Open it with a mechanism; data is the initial response, or NULL without
 * one. Once a dialogue. PLAIN can be used for AUTH_HTTP even if the conf
 * does not list it: it carries HTTP's Basic.
 */
struct saslauth_result saslauth_start(struct saslauth_dialogue *,
	    const char *mechanism, const void *data, size_t len);
/* The client's answer, after AUTH_MORE. */
struct saslauth_result saslauth_step(struct saslauth_dialogue *,
	    const void *data, size_t len);
/*
 * The canonical name the client gave, or ""; when the password was right,
 * that of the account, without an app's. With EXTERNAL: one of those in its
 * certificate.
 */
const char *saslauth_user(const struct saslauth_dialogue *);
/* When an app password was right: its name, and whether it may be used; for
   all else "" and APPPASS_USABLE. */
const char *saslauth_app(const struct saslauth_dialogue *);
enum apppass_refusal saslauth_refusal(const struct saslauth_dialogue *);
/* After AUTH_OK: accounts_proof() or accounts_proof_app() of what was
   checked. */
const unsigned char *saslauth_proof(const struct saslauth_dialogue *);
/*
 * What is this canonical name worth in a store that is not the accounts
 * file? AUTH_OK and the proof that a login as it would get; AUTH_FAIL: it is
 * not there; AUTH_TEMP.
 */
enum auth_status saslauth_look(struct saslauth *, const char *user,
	    unsigned char proof[ACCOUNTS_PROOF]);
/* Free; *dp becomes NULL; NULL is taken too. */
void	 saslauth_end(struct saslauth_dialogue **dp);

#endif
