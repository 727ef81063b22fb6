/* SPDX-License-Identifier: ISC */
/*
 * What every role program shares: the control channel to its master, over
 * which it gets its conf, its listening sockets, its files and its peers,
 * and the order of start: receive, open what is needed, confine, run.
 *
 * The master starts a role with its final uid and gid, descriptor 3 being
 * the control channel. A role that loses its master exits.
 */
#ifndef POSTERN_ROLE_H
#define POSTERN_ROLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum role {
	ROLE_NONE,		/* 0 is no role */
	ROLE_AUTH_SERVER,
	ROLE_AUTH_SASL,
	ROLE_TLS_KEYS,
	ROLE_SMTPD_SESSION,
	ROLE_SMTPD_STORE,
	ROLE_RETRIEVE_SESSION,
	ROLE_RETRIEVE_READER,
	ROLE_COUNT
};

/* Files a master opens for a role that may not. */
enum role_file {
	ROLE_FILE_NONE,
	ROLE_FILE_CERT,		/* PEM chain; number: index of the pair */
	ROLE_FILE_KEY,		/* PEM key */
	ROLE_FILE_PASSPHRASE,	/* its passphrase, first line */
	ROLE_FILE_CLIENT_CA,	/* PEM; who may sign clients' certificates */
	ROLE_FILE_COUNTS,	/* shared memory for limits, see counts.h */
	ROLE_FILE_STATS,	/* where to keep its numbers, see stats.h */
	ROLE_FILE_COUNT
};

enum listen_kind {
	LISTEN_NONE,
	LISTEN_SUBMISSION,	/* STARTTLS */
	LISTEN_SUBMISSIONS,	/* implicit TLS */
	LISTEN_HTTPS,
	LISTEN_AUTH,		/* the auth service's own IPC socket */
	LISTEN_COUNT
};

struct conf;
struct event_base;
struct priv_profile;

struct role_ops {
	enum role	 role;
	/* Path rights and system calls; filled in by start(). */
	const struct priv_profile *profile;
	/*
	 * Called in this order, each may be NULL where it does not apply.
	 * file, listener and peer hand over the descriptor. A peer may come
	 * again at any later time (instance differs) when the other role was
	 * restarted. -1 from start ends the program (it has logged why).
	 */
	void	(*file)(void *arg, enum role_file, uint32_t number, int fd);
	int	(*start)(void *arg, struct event_base *, const struct conf *);
	void	(*listener)(void *arg, enum listen_kind, int fd);
	void	(*peer)(void *arg, enum role, uint32_t instance, int fd);
	/* Confined from files, not yet from calls: start threads here. */
	int	(*threads)(void *arg);
	/*
	 * No new work: close listeners, finish, call role_done() when no
	 * work is left. Without it the program exits at once. May come
	 * twice: when others have taken over, and when the service stops.
	 */
	void	(*drain)(void *arg);
	/* Others hold its sockets for good: when the service ends it does too,
	   without drain(). */
	bool	ends_at_once;
};

/*
 * Run a role to its end: parse the options (-v), wait for the control
 * messages, call the ops, confine, say ready, dispatch. Returns the exit
 * status for main (sysexits(3)).
 *
 * start() is called when conf and files have come and before listeners and
 * peers; it opens directories and completes *profile.
 */
int	 role_main(int argc, char **argv, const struct role_ops *, void *arg);
/* End the event loop of role_main(); it then returns EX_OK. */
void	 role_done(void);
/* This process's number, unique among all of its master's children. */
uint32_t role_instance(void);
/* 0-based place among the processes of the same role. */
uint32_t role_index(void);
/* In drain(): does the service stop, or have others taken over? */
bool	 role_is_stopping(void);
/* A peer's channel broke: ask the master for a new one (ROLE_* named). */
void	 role_want_peer(enum role);
/* The name of a role's program, "smtpd-session" for example. */
const char *role_name(enum role);

#endif
