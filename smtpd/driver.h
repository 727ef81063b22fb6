/* SPDX-License-Identifier: ISC */
/*
 * Process smtpd-session: what joins the engine to its client's connection,
 * to the auth service and to the store. Shared by the driver's files and
 * session_main.c.
 */
#ifndef POSTERN_SMTPD_DRIVER_H
#define POSTERN_SMTPD_DRIVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "auth/auth_proto.h"
#include "keys/client.h"
#include "lib/conf.h"
#include "lib/ids.h"
#include "lib/ip.h"
#include "lib/role.h"
#include "smtpd/session.h"
#include "smtpd/store_proto.h"

struct accept;
struct blocked;
struct chan;
struct conn;
struct event;
struct event_base;
struct tls;

struct driver;
struct message;

/* One client; freed when its connection has ended, in client.c alone. */
struct client {
	LIST_ENTRY(client)	 next;
	struct driver		*driver;
	struct conn		*conn;
	struct session		*session;
	unsigned char		 ip[IP_SIZE];
	uint32_t		 auth_id;	/* dialogue or login, 0: none */
	uint32_t		 txn;		/* at the store, 0: none */
	enum store_type		 asked;		/* reply the store owes */
	bool			 held;		/* until the store drains */
	bool			 paused;	/* input waits in the conn */
	bool			 over;		/* closed: say nothing more */
	bool			 secured;	/* the handshake is complete */
	unsigned		 stage;		/* as counted, STATS_CLEAR... */
	struct message		*message;	/* from MAIL on, or NULL */
	uint64_t		 armed;		/* deadline of the conn, ms */
	uint64_t		 began;
	uint64_t		 number;	/* of this process's clients */
	unsigned char		 nonce[AUTH_NONCE];
};

struct driver {
	struct event_base	*base;
	struct session_conf	 conf;
	int			 certs[CONF_CERTS_MAX];	/* until start */
	int			 client_ca;		/* until start */
	struct tls		*tls;
	struct keys_client	 keys;
	int			 counts_fd;	/* until the start */
	struct accept		*accept;
	struct blocked		*blocked;	/* as auth tells */
	struct chan		*auth;
	struct chan		*store;
	char			 hostname[256];
	char			 mechs[128];
	struct store_body	 body;		/* the engine's scratch */
	struct ids		 logins;
	struct ids		 txns;
	LIST_HEAD(, client)	 clients;
	LIST_HEAD(, message)	 left;		/* whose clients are gone */
	uint64_t		 served;	/* clients so far */
	bool			 draining;
};

/* client.c */
/* How clients come in; arg is the driver. */
extern const struct accept_ops client_accept_ops;
/* Carry out what the engine asks for; after every call of it. */
void	 client_turn(struct client *);
/* The same when an answer came: input may go on. */
void	 client_answered(struct client *);
/* A client or a message is over: in drain, end with the last. */
void	 driver_left(struct driver *);

/* driver_auth.c */
/* Use the channel fd, taken over, from now on. */
void	 auth_connect(struct driver *, int fd);
void	 auth_do(struct client *, const struct session_action *);
/* What the client's TLS offers to AUTH. */
struct session_tls auth_tls(const struct client *);
/* The session is over: its login or dialogue ends. */
void	 auth_end(struct client *);

/* driver_store.c */
void	 store_connect(struct driver *, int fd);
void	 store_do(struct client *, const struct session_action *);
/* The session is over: an answer for it finds nobody. */
void	 store_forget(struct client *);
/* Is the store behind with what it was sent? */
bool	 store_is_full(const struct driver *);

/* message.c: what the log and the numbers say of each message */
/* The engine wants this done, or ENDED. */
void	 message_do(struct client *, const struct session_action *);
/*
 * An answer of the store, which the engine is to hear of after this. c is
 * NULL when its client waits for it no longer.
 */
void	 message_stored(struct driver *, struct client *,
	    const struct store_reply *);
/* The engine has heard of it. */
void	 message_answered(struct client *);
/* What the store was asked last it will never answer. */
void	 message_failed(struct client *);
/* The same for those whose clients are gone. */
void	 message_lost(struct driver *);
/* The client is freed. */
void	 message_free(struct client *);

#endif
