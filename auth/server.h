/* SPDX-License-Identifier: ISC */
/*
 * The parts of auth-server: connections (server_client.c), dialogues
 * (server_login.c), workers (server_worker.c), live logins (server_ticket.c),
 * other stores (server_store.c), app passwords (server_app.c) and the main
 * file (server.c), who owns the one struct server.
 */
#ifndef POSTERN_SERVER_H
#define POSTERN_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include "auth/auth_proto.h"
#include "auth/cache.h"
#include "auth/sasl_proto.h"
#include "auth/scram.h"
#include "auth/throttle.h"
#include "auth/tickets.h"
#include "lib/priv.h"
#include "lib/role.h"

struct accounts;
struct chan;
struct event;
struct event_base;
struct lastuse;

/* A connection: of a session process, of the store or of the reader. */
struct client {
	TAILQ_ENTRY(client)	 link;
	struct server		*server;
	struct chan		*chan;
	uint64_t		 serial;	/* never used twice */
	enum role		 role;		/* NONE before the hello */
	uint32_t		 instance;
	size_t			 ids;		/* dialogues and logins */
};

struct worker {
	TAILQ_ENTRY(worker)	 link;
	struct server		*server;
	struct chan		*chan;
	uint32_t		 instance;
	size_t			 waiting;	/* requests not answered */
	size_t			 looks;		/* the same of LOOK */
	bool			 ready;		/* it said hello */
};

enum login_state {
	LOGIN_NEW,
	LOGIN_WORKER,		/* a worker has a request */
	LOGIN_CLIENT,		/* the client has a challenge */
	LOGIN_DELAY,		/* a failure waits for its time */
};

/* A dialogue, from START to its last reply. */
struct login {
	TAILQ_ENTRY(login)	 link;
	struct server		*server;
	struct client		*client;	/* NULL: it waits no longer */
	uint64_t		 client_serial;	/* with id: key of a tree */
	uint32_t		 id;
	uint32_t		 service;	/* enum auth_service */
	uint64_t		 serial;	/* key of a tree */
	struct worker		*worker;	/* NULL: none was asked */
	enum login_state	 state;
	struct event		*timer;
	enum auth_status	 held;		/* DELAY: what to answer */
	bool			 spoken;	/* the client said something */
	uint64_t		 version;	/* of the store as it began */
	unsigned char		 address[16];
	char			 mechanism[AUTH_MECH_MAX];
	char			 user[AUTH_USER_MAX];
	char			 app[ACCOUNTS_APP_MAX];	/* "": none */
	uint32_t		 refusal;	/* enum apppass_refusal */
	/* Keyed digest of mechanism and all the client said so far. */
	unsigned char		 said[CACHE_DIGEST];
};

#define STORE_FILES	2

/* A store that is not the accounts file. */
struct store {
	struct stat		 mark[STORE_FILES];	/* as it was last */
	uint64_t		 version;	/* goes up with each change */
	size_t			 looks;		/* at all workers */
	bool			 paused;	/* until the tick */
};

struct server {
	const struct conf	*conf;
	struct event_base	*base;
	struct event		*listen;
	struct event		*tick;
	struct event		*change;	/* of the accounts' folder */
	int			 listen_fd;
	bool			 draining;
	uint64_t		 drain_end;
	TAILQ_HEAD(, client)	 clients;
	TAILQ_HEAD(, worker)	 workers;
	TAILQ_HEAD(, login)	 logins;
	void			*by_id;		/* tsearch(3) of logins */
	void			*by_serial;
	uint64_t		 next_serial;
	size_t			 waiting;	/* requests at all workers */
	size_t			 ids_max;	/* of a client */
	struct auth_mechs	 mechs;		/* list "": none known yet */
	struct accounts		*accounts;
	bool			 readable;	/* the account store */
	struct store		 store;
	struct throttle		*throttle;
	struct cache		*cache;
	struct tickets		*tickets;
	/* Of app passwords: */
	struct lastuse		*lastuse;	/* NULL: it is not kept */
	char			*lastuse_path;
	char			*own_folder;	/* below state_dir */
	bool			 used_first;	/* one for the first time */
	bool			 used_again;
	uint64_t		 used_written;	/* now_boot() */
	unsigned char		 key[32];	/* random, for `said' */
	unsigned char		 decoy[SCRAM_KEY]; /* for the workers */
	struct priv_profile	 profile;
};

/* The service a session, store or reader belongs to; NONE for others. */
enum auth_service server_service(enum role);
const char *server_service_name(uint32_t service);
/*
 * Follow the account store: where it changed, forget the cache and end the
 * logins of accounts that are not as they were. False: it cannot be read.
 */
bool	 server_follow_accounts(struct server *);
/* While draining: is nobody logged in any more, or is time up? Then end. */
void	 server_drained(struct server *);

/* Take over the connection fd. */
void	 client_new(struct server *, int fd);
/* Close and end all that depends on it. */
void	 client_free(struct client *);
/*
 * Send or queue; when that fails the connection is shut down, so that its
 * end is noticed on both sides.
 */
void	 client_send(struct client *, const void *msg, size_t len);
struct client *client_find(struct server *, uint64_t serial);
/* Tell all session processes which mechanisms there are. */
void	 client_tell_mechanisms(struct server *);
/*
 * Tell all session processes that this address is refused for so many ms.
 */
void	 client_tell_blocked(struct server *, const unsigned char address[16],
	    uint64_t ms);
/* Send to each store or reader of the service. */
void	 client_tell_service(struct server *, uint32_t service,
	    const void *msg, size_t len);

/* The message was checked for form. False: it breaks the protocol. */
bool	 login_start(struct client *, const struct auth_start *);
bool	 login_step(struct client *, const struct auth_step *);
/* Cancel the dialogue id, if there is one. */
void	 login_cancel(struct client *, uint32_t id);
/* The worker's answer to one of its dialogues. */
void	 login_answer(struct login *, const struct sasl_reply *);
/* The client is gone. */
void	 login_client_gone(struct client *);
/* The worker is gone: what it was asked fails for now. */
void	 login_worker_gone(struct worker *);
struct login *login_by_serial(struct server *, uint64_t serial);

/* Take over the channel to a worker. */
void	 worker_new(struct server *, uint32_t instance, int fd);
void	 worker_free(struct worker *);
/*
 * Ask a worker: the least busy one for the first request of a dialogue, then
 * the same. 0; or -1: none is there or too much waits already.
 */
int	 worker_start(struct login *, const struct auth_start *);
int	 worker_step(struct login *, const struct auth_step *);
/* Ask the least busy worker; false: there is none. */
bool	 worker_look(struct server *, const struct sasl_look *);
/* The worker may forget the dialogue; it had not ended it by itself. */
void	 worker_end(struct login *);

/*
 * The login is verified: make the ticket, tell store or reader, then the
 * session. proof: of the account that was checked, or NULL for the one that
 * is there now. The status to answer; on AUTH_OK it is answered already.
 */
enum auth_status ticket_issue(struct login *, const unsigned char *proof);
/* End a live login: at the store or reader; told: at the session too. */
void	 ticket_end(struct server *, struct ticket *, bool told);
/* All live logins of a client; those past their time; those whose account
 * is not as it was. */
void	 ticket_client_gone(struct client *);
void	 ticket_expire(struct server *);
void	 ticket_review(struct server *);
/*
 * The same for another store than the accounts file; false: it is not there.
 * Its logins are judged later, as the workers answer.
 */
bool	 store_follow(struct server *);
/* Ask about logins that are older than the last change; and once a second. */
void	 store_review(struct server *);
void	 store_tick(struct server *);
/* The answer of a worker, checked for form. */
void	 store_looked(struct server *, const struct sasl_looked *);
/* So many questions will not be answered. */
void	 store_worker_gone(struct server *, size_t looks);
/* A new store or reader gets what is live. */
void	 ticket_tell_all(struct client *);

/*
 * May the app password app of user be used for this service now? True for
 * app "", which is none, and for one that is gone: see proof_of().
 */
enum apppass_refusal app_refusal(const struct server *, const char *user,
	    const char *app, uint32_t service);
/* How long that one is good for: ms, UINT64_MAX without an end. */
uint64_t app_time_left(const struct server *, const char *user,
	    const char *app);
/*
 * The account that the throttle counts a name as: for user+app@domain it is
 * user@domain, unless there is an account of that whole name.
 */
void	 app_account(const struct server *, const char *name,
	    char out[AUTH_USER_MAX]);
/* Prepare to keep the times of last use; -1: no memory. */
int	 app_start(struct server *);
/* A login by the app password l->app has succeeded. */
void	 app_used(const struct login *l);
/* The accounts have: what is of app passwords that are gone may be dropped. */
void	 app_changed(struct server *);
/* Every second: write down what is due. At the end: all of it. */
void	 app_tick(struct server *);
void	 app_write(struct server *);

#endif
