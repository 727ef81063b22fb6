/* SPDX-License-Identifier: ISC */
/*
 * The datagrams between the auth service and those who use it: sessions
 * (logins) and store and reader (tickets). The first datagram on a
 * connection is the master's struct ctl (CTL_PEER: role, instance), which
 * says who holds the other end; all later ones begin with the type below.
 *
 * Strings are NUL-terminated within their arrays; a datagram with `data' is
 * cut after data[len].
 */
#ifndef POSTERN_AUTH_PROTO_H
#define POSTERN_AUTH_PROTO_H

#include <stdint.h>

#define AUTH_USER_MAX	321	/* local part 64, @, domain 255, NUL; as
				   ACCOUNTS_NAME_MAX */
#define AUTH_DATA_MAX	9216	/* a line of 12,288 octets of BASE64 */
#define AUTH_MECH_MAX	32
#define AUTH_NONCE	16
#define AUTH_EXPORTER	32	/* octets of tls-exporter, RFC 9266 */
#define AUTH_ENDPOINT_MAX 64	/* of tls-server-end-point, RFC 5929 */
#define AUTH_NAMES_MAX	1024	/* of the names in a client's certificate */
#define AUTH_LOGINS_MAX	262144	/* live ones, of both services */
#define AUTH_BLOCKED_MAX 8192	/* addresses blocked at a time */
#define AUTH_BLOCKED_TIME 86400	/* seconds; the most of failure_time */

enum auth_type {
	AUTH_NONE,
	/* auth to session */
	AUTH_MECHS,		/* struct auth_mechs; first, and on change */
	AUTH_REPLY,		/* struct auth_reply */
	AUTH_REVOKED,		/* struct auth_id: the login has ended */
	AUTH_BLOCKED,		/* struct auth_blocked; on change, and those
				   that last to a new session process */
	/* session to auth */
	AUTH_START,		/* struct auth_start */
	AUTH_STEP,		/* struct auth_step */
	AUTH_END,		/* struct auth_id: cancel the dialogue, or log
				   out; every id is ended once */
	/* auth to store and reader */
	AUTH_TICKET,		/* struct auth_ticket */
	AUTH_TICKET_END,	/* struct auth_ticket, nonce alone counts */
	AUTH_TYPE_COUNT
};

enum auth_status {
	AUTH_STATUS_NONE,
	AUTH_MORE,		/* data: the challenge; STEP is awaited */
	AUTH_OK,		/* user, nonce, lifetime; data: additional data
				   that SMTP sends as one last challenge */
	AUTH_FAIL,		/* 535 / 401 */
	AUTH_TEMP,		/* 454 / 503: store away, queue full */
	AUTH_THROTTLED,		/* 421 / 429: retry_after */
	AUTH_NO_MECHANISM,	/* 504 */
	AUTH_BAD_PROTOCOL,	/* 501 5.5.2: the mechanism's syntax */
	AUTH_NOT_AUTHORIZED,	/* 535: authzid is not the login's own */
	AUTH_STATUS_COUNT
};

enum auth_service { AUTH_SERVICE_NONE, AUTH_SMTP, AUTH_HTTP,
	AUTH_SERVICE_COUNT };

struct auth_mechs {
	uint32_t	type;
	char		list[128];	/* "SCRAM-SHA-256 PLAIN LOGIN" */
};

/* id: chosen by the session, unique among its live dialogues and logins. */
struct auth_id {
	uint32_t	type;
	uint32_t	id;
};

/*
 * An address has failed too often: until `seconds', 1 to AUTH_BLOCKED_TIME,
 * have passed every login from its prefix (see ip_prefix()) is refused, so a
 * connection may be too. Sent before the answer to the failure. Who loses
 * the channel forgets all: the next auth-server says anew what it knows.
 */
struct auth_blocked {
	uint32_t	type;
	uint32_t	seconds;
	unsigned char	address[16];
};

/*
 * What the client's TLS connection is known by. Of SMTP's sessions; those of
 * HTTP send none of it, all 0.
 */
struct auth_channel {
	/* Channel bindings; lengths 0: it has none. */
	uint32_t	exporter_len;	/* 0 or AUTH_EXPORTER */
	uint32_t	endpoint_len;
	unsigned char	exporter[AUTH_EXPORTER];
	unsigned char	endpoint[AUTH_ENDPOINT_MAX];
	/* The mail addresses in the client's verified certificate, each
	   ended by LF; "": none */
	char		names[AUTH_NAMES_MAX];
};

struct auth_start {
	uint32_t	type;
	uint32_t	id;
	uint32_t	service;	/* enum auth_service */
	uint32_t	initial;	/* 1: data is an initial response */
	unsigned char	address[16];	/* client; IPv4 as ::ffff:a.b.c.d */
	char		mechanism[AUTH_MECH_MAX];	/* upper case */
	struct auth_channel channel;
	uint32_t	len;
	unsigned char	data[AUTH_DATA_MAX];
};

struct auth_step {
	uint32_t	type;
	uint32_t	id;
	uint32_t	len;
	unsigned char	data[AUTH_DATA_MAX];
};

struct auth_reply {
	uint32_t	type;
	uint32_t	id;
	uint32_t	status;		/* enum auth_status */
	uint32_t	retry_after;	/* seconds, THROTTLED */
	uint32_t	lifetime;	/* seconds the ticket lives, OK */
	char		user[AUTH_USER_MAX];	/* canonical user@domain, OK */
	unsigned char	nonce[AUTH_NONCE];	/* OK */
	uint32_t	len;
	unsigned char	data[AUTH_DATA_MAX];
};

/*
 * Whoever names this nonce over the channel of session process instance may
 * act as user until expiry.
 */
struct auth_ticket {
	uint32_t	type;
	uint32_t	instance;	/* of the session process */
	uint32_t	service;
	uint32_t	reserved;
	uint64_t	expiry;		/* CLOCK_BOOTTIME, milliseconds */
	unsigned char	nonce[AUTH_NONCE];
	char		user[AUTH_USER_MAX];
};

#endif
