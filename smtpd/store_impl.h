/* SPDX-License-Identifier: ISC */
/*
 * What the parts of smtpd-store share. All of it belongs to the main thread
 * but the job of a transaction that is being committed.
 */
#ifndef POSTERN_STORE_IMPL_H
#define POSTERN_STORE_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "mail/addr.h"
#include "smtpd/store_alias.h"
#include "smtpd/store_author.h"
#include "smtpd/store_body.h"
#include "smtpd/store_commit.h"
#include "smtpd/store_pool.h"
#include "smtpd/store_proto.h"
#include "smtpd/store_quota.h"
#include "smtpd/store_rate.h"

struct chan;
struct conf;
struct event;
struct event_base;
struct held;

enum txn_state {
	TXN_NONE,
	TXN_MAIL,	/* BEGIN was answered: RCPT, OPEN */
	TXN_BODY,	/* OPEN was answered: BODY, COMMIT */
	TXN_COMMIT,	/* a delivery thread may hold the job */
	TXN_STATE_COUNT
};

struct peer;

struct txn {
	struct pool_job		 job;		/* first, see pool.h */
	LIST_ENTRY(txn)		 next;
	struct store		*store;
	struct peer		*peer;		/* NULL: its channel is gone */
	uint32_t		 number;
	enum txn_state		 state;
	struct addr		 login, from;
	uint32_t		 flags;		/* of struct store_begin */
	/* Mailboxes, sorted, each once; rcpts counts those that were told. */
	char			**paths;
	size_t			 npaths, cap, rcpts;
	size_t			 charged;	/* of the memory account */
	struct quota_hold	 hold;		/* in the recipients' quotas */
	uint32_t		 retry_after;	/* seconds, with STORE_RATE */
	struct addr		 rcpt, mailbox;	/* the first recipient's */
	struct body		 body;
	struct commit		 commit;
};

#define PEER_BUCKETS	256

/* The channel to one session process. */
struct peer {
	LIST_ENTRY(peer)	 next;
	struct store		*store;
	struct chan		*chan;
	uint32_t		 instance;
	size_t			 ntxns;
	LIST_HEAD(, txn)	 txns[PEER_BUCKETS];	/* by number */
};

struct store {
	const struct conf	*conf;
	struct event_base	*base;
	struct event		*done;		/* the pool's descriptor */
	struct held		*held;
	struct chan		*auth;
	struct pool		*pool;
	struct quota		*quota;
	struct aliases		*aliases;
	struct rate		*rate;
	struct addr		 postmaster;	/* the conf's, or empty */
	bool			 postmaster_made;
	struct body_env		 bodies;
	struct commit_env	 commits;
	LIST_HEAD(, peer)	 peers;
	uint64_t		 last_id;	/* microseconds */
	uint64_t		 room_at;	/* ms; see make_room() */
	bool			 draining;
};

/* store_peer.c: take fd over; 0, or -1 (logged). */
int	 peer_new(struct store *, uint32_t instance, int fd);
/* Close it and drop its transactions; commits under way go on. */
void	 peer_free(struct peer *);
/* A job is back: log, answer, free. */
void	 peer_committed(struct txn *);

/* store_txn.c: NULL when memory is short. */
struct txn *txn_new(struct peer *, uint32_t number);
struct txn *txn_find(const struct peer *, uint32_t number);
void	 txn_free(struct txn *);
/* The channel is gone, the commit goes on. */
void	 txn_detach(struct txn *);
enum store_status txn_begin(struct txn *, const char *user,
	    const struct addr *from, uint64_t size);
enum store_status txn_rcpt(struct txn *, const struct addr *);
enum store_status txn_open(struct txn *, const struct store_open *);
/* STORE_OK: handed to the pool, peer_committed() will be called. */
enum store_status txn_commit(struct txn *);

/* store_start.c: 0, or -1 (logged). For the role and for the tests. */
int	 store_init(struct store *, struct event_base *, const struct conf *);
int	 store_threads(struct store *);
/* Look whether the alias file has changed; the tables before are gone. */
void	 store_follow_aliases(struct store *);
/* The channel to auth. Takes fd over. */
void	 store_auth(struct store *, int fd);
/* The user of a ticket, asked of auth's channel before it is refused. */
const char *store_user(struct store *, const unsigned char *nonce,
	    uint32_t instance);
/* No channel and no commit is left. */
bool	 store_idle(const struct store *);
/* A channel or a commit is over: in drain, end with the last. */
void	 store_left(struct store *);
/* For the tests. */
void	 store_free(struct store *);

#endif
