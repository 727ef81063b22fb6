/* SPDX-License-Identifier: ISC */
/*
 * The datagrams between auth-server and a SASL worker. The server sends KEY
 * first, upon which the worker sends HELLO. serial names a dialogue and is
 * never used twice. Each START and STEP gets one REPLY; after a status other
 * than AUTH_MORE the dialogue is over. END drops it at any time and has no
 * reply. LOOK is apart from all dialogues; each gets one LOOKED.
 *
 * A datagram with `data' is cut after data[len]; strings end within their
 * arrays.
 */
#ifndef POSTERN_SASL_PROTO_H
#define POSTERN_SASL_PROTO_H

#include <stdint.h>

#include "auth/accounts.h"
#include "auth/apppass.h"
#include "auth/auth_proto.h"
#include "auth/scram.h"

enum sasl_type {
	SASLW_NONE,
	/* worker to server */
	SASLW_HELLO,		/* struct auth_mechs: what the worker offers */
	SASLW_REPLY,		/* struct sasl_reply */
	SASLW_LOOKED,		/* struct sasl_looked */
	/* server to worker */
	SASLW_KEY,		/* struct sasl_key */
	SASLW_START,		/* struct sasl_request */
	SASLW_STEP,		/* struct sasl_request */
	SASLW_END,		/* struct sasl_end */
	SASLW_LOOK,		/* struct sasl_look */
	SASLW_TYPE_COUNT
};

struct sasl_key {
	uint32_t	type;
	unsigned char	decoy[SCRAM_KEY];	/* see scram_decoy() */
};

struct sasl_request {
	uint32_t	type;
	uint32_t	service;	/* START: enum auth_service */
	uint64_t	serial;
	uint32_t	initial;	/* START: data is an initial response */
	uint32_t	len;
	char		mechanism[AUTH_MECH_MAX];	/* START */
	struct auth_channel channel;			/* START */
	unsigned char	data[AUTH_DATA_MAX];
};

struct sasl_end {
	uint32_t	type;
	uint32_t	reserved;
	uint64_t	serial;
};

/*
 * What is the user of a login worth in the store now? Not for the accounts
 * file, which the server reads itself. client, id and version mean nothing
 * to the worker and come back with the answer.
 */
struct sasl_look {
	uint32_t	type;
	uint32_t	id;
	uint64_t	client;
	uint64_t	version;
	char		user[AUTH_USER_MAX];	/* canonical */
};

struct sasl_looked {
	uint32_t	type;
	uint32_t	id;
	uint64_t	client;
	uint64_t	version;
	char		user[AUTH_USER_MAX];	/* as in LOOK */
	uint32_t	status;		/* AUTH_OK, _FAIL: gone, or _TEMP */
	unsigned char	proof[ACCOUNTS_PROOF];	/* AUTH_OK: as in REPLY */
};

struct sasl_reply {
	uint32_t	type;
	uint32_t	status;		/* enum auth_status, never THROTTLED */
	uint64_t	serial;
	/* AUTH_FAIL: the app password was right, but is not good for this. */
	uint32_t	refusal;	/* enum apppass_refusal */
	/* The canonical name the client gave, "" as long as it gave none;
	   when the password was right that of the account. */
	char		user[AUTH_USER_MAX];
	/* AUTH_OK, or refusal: the app password it was; "" for none. */
	char		app[ACCOUNTS_APP_MAX];
	/* AUTH_OK: accounts_proof() of the account that was checked, or
	   accounts_proof_app(). */
	unsigned char	proof[ACCOUNTS_PROOF];
	uint32_t	len;
	unsigned char	data[AUTH_DATA_MAX];	/* AUTH_MORE */
};

#endif
