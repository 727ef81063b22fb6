/* SPDX-License-Identifier: ISC */
/*
 * The driver of retrieve-session around the engine of session.h: serve.c
 * (connections), login.c (auth), ask.c (reader), retrieve_session.c (role).
 */
#ifndef POSTERN_SERVE_H
#define POSTERN_SERVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "keys/client.h"
#include "lib/ip.h"
#include "retrieve/crlf.h"
#include "lib/ids.h"
#include "retrieve/session.h"
#include "lib/siphash.h"

#define SERVE_CHUNK	65536	/* octets of a file at a time */

struct accept;
struct blocked;
struct chan;
struct conf;
struct conn;
struct event;
struct event_base;
struct tls;

struct client;
TAILQ_HEAD(client_list, client);

struct server {
	struct event_base	*base;
	const struct conf	*conf;
	struct tls		*tls;
	struct keys_client	 keys;
	struct accept		*accept;
	struct session_conf	 session;
	struct client_list	 clients;
	struct chan		*auth;
	struct ids		 logins;
	struct blocked		*blocked;	/* as auth tells */
	struct chan		*reader;
	struct ids		 questions;
	unsigned char		 key[SIPHASH_KEY];	/* of this process */
	unsigned char		*in;		/* SERVE_CHUNK octets */
	unsigned char		*out;		/* twice as many */
	bool			 draining;
};

enum login_state { LOGIN_NONE, LOGIN_ASKING, LOGIN_IN };

/* What a connection is logged in as, from one Authorization text. */
struct login {
	enum login_state	 state;
	uint32_t		 id;		/* at auth; 0 with NONE */
	unsigned char		 print[SIPHASH_SIZE];	/* of that text */
	unsigned char		 nonce[AUTH_NONCE];
	uint64_t		 until;		/* CLOCK_BOOTTIME, ms */
	char			 user[AUTH_USER_MAX];
};

struct client {
	TAILQ_ENTRY(client)	 link;
	struct server		*server;
	struct conn		*conn;
	struct event		*again;		/* after a long skip */
	struct session		 http;
	unsigned char		 ip[IP_SIZE];
	char			 name[IP_TEXT];
	struct login		 login;
	uint32_t		 question;	/* to the reader; 0: none */
	uint64_t		 asked;		/* when; microseconds */
	unsigned		 stage;		/* as counted, STATS_CLEAR... */
	bool			 secured;
	bool			 renewed;	/* the ticket, this request */
	int			 fd;		/* file being served, or -1 */
	uint64_t		 at;		/* octets of it read */
	struct crlf		 crlf;
	uint64_t		 since;		/* start of the request, ms */
};

/* How clients come in; arg is the server. */
extern const struct accept_ops serve_accept_ops;
/* Do what the engine asks for. To be called after each call of it. */
void	 serve_advance(struct client *);
/* No new requests on any connection; ends the role when there are none. */
void	 serve_drain(struct server *);

/* Find out who sent the request: ends in session_login(), now or later. */
void	 login_need(struct client *);
/*
 * The reader does not know the ticket any more: log in anew, then ask
 * again; a second time in one request it is a failure.
 */
void	 login_renew(struct client *);
/* Forget the login and tell auth. */
void	 login_end(struct client *);
/* A new channel to auth; takes fd over. */
void	 login_peer(struct server *, int fd);

/* Ask the reader what the engine wants; the state says what. */
void	 ask_reader(struct client *);
/* Nobody waits for the answer any more. */
void	 ask_end(struct client *);
/* A new channel to the reader; takes fd over. */
void	 ask_peer(struct server *, int fd);

#endif
