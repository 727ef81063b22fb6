/* SPDX-License-Identifier: ISC */
/*
 * What the files of the master share: its state, and the parts that each
 * file offers to the others. Used by lib/master*.c alone.
 */
#ifndef POSTERN_MASTER_IMPL_H
#define POSTERN_MASTER_IMPL_H

#include <sys/queue.h>
#include <sys/types.h>
#include <time.h>

#include "lib/conf.h"
#include "lib/ip.h"
#include "lib/master.h"

#define MASTER_LISTENERS	64
#define LISTEN_BACKLOG		4096
#define MASTER_SIGNALS		4
#define MASTER_CHILDREN		128	/* processes of one generation */

struct chan;
struct counts;
struct event;
struct event_base;
struct master;
struct master_stats;
struct sockaddr_storage;

struct listener {
	enum listen_kind	 kind;
	int			 fd;
	char			 address[64];
	uint64_t		 asked;		/* port in the conf, 0: any */
	uint64_t		 port;		/* port that was bound */
};

struct listeners {
	struct listener		 item[MASTER_LISTENERS];
	size_t			 n;
};

/* A listening socket that the master was started with. */
struct inherited {
	int			 fd;
	char			 name[32];
	unsigned char		 ip[IP_SIZE];
	uint64_t		 port;
	bool			 both;	/* of :: and of 0.0.0.0, too */
	bool			 used;
};

struct inheritance {
	struct inherited	 item[MASTER_LISTENERS];
	size_t			 n;
};

/* One place for a process; pid is 0 while none runs in it. */
struct child {
	struct generation	*generation;
	const struct master_role *spec;
	uint32_t		 index;
	uint32_t		 instance;
	pid_t			 pid;
	struct chan		*ctl;
	struct event		*restart;
	struct timespec		 born;
	bool			 ready;
	bool			 wants_auth;
	uint64_t		 auth_at;	/* last connected to auth, ms */
	int			 stats_fd;	/* its numbers, or -1 */
};

/*
 * All processes that run by one reading of the conf. A reload starts a new
 * generation and drains the old one.
 */
struct generation {
	LIST_ENTRY(generation)	 next;
	struct master		*master;
	struct conf		*conf;
	int			 conf_fd;
	int			 cert_fd[CONF_CERTS_MAX];
	int			 key_fd[CONF_CERTS_MAX];
	int			 passphrase_fd;
	int			 client_ca_fd;
	int			 counts_fd;
	struct counts		*counts;
	struct listeners	 listeners;
	struct child		 children[MASTER_CHILDREN];
	size_t			 nchildren;
	bool			 draining;
	bool			 was_ready;
};

struct master {
	const struct master_spec *spec;
	const char		*conf_path;
	const char		*libexec;
	struct event_base	*base;
	LIST_HEAD(, generation)	 generations;	/* newest first */
	struct event		*auth_timer;
	struct event		*kill_timer;
	struct event		*signals[MASTER_SIGNALS];
	struct inheritance	 inheritance;
	struct master_stats	*stats;		/* NULL: none are kept */
	uint32_t		 next_instance;
	int			 parent_fd;	/* told when ready, or -1 */
	int			 status;	/* exit status */
	bool			 verbose;
	bool			 stopping;
	bool			 again;		/* reload once more, then */
};

/* master.c: the newest generation is ready, or its start failed. */
void	 master_ready(struct master *);
void	 master_fail(struct master *, int status);

/* master_conf.c */
/*
 * Read the conf and open all that it names. *status is the exit status that
 * fits when NULL is returned (logged).
 */
struct generation *generation_new(struct master *, int *status);
void	 generation_free(struct generation **);

/* master_inherit.c */
/*
 * Find the sockets that LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES of the
 * environment hand over to this process, see sd_listen_fds(3). 0, or -1 when
 * one of them is no TCP socket that listens (logged).
 */
int	 inherit_sockets(struct inheritance *);
/*
 * A duplicate of the one at this address and port; with port 0 the one at
 * this address that is called name. *bound is its port. -1 with errno ENOENT
 * when there is none, or what fcntl(2) says.
 */
int	 inherit_take(struct inheritance *, const struct sockaddr_storage *,
	    uint64_t port, const char *name, uint64_t *bound);
/* 0, or -1 when one was never taken: nobody would serve it (logged). */
int	 inherit_check(const struct inheritance *);

/* master_listen.c */
/*
 * Open what the conf asks for: taken over from old (may be NULL), handed
 * over to the master, or bound. 0, or -1 (logged).
 */
int	 listeners_open(struct listeners *, const struct listeners *old,
	    struct inheritance *, const struct master_spec *,
	    const struct conf *);
void	 listeners_close(struct listeners *);
/* Write or remove <run_dir>/<name>.ports and .pid. 0, or -1 (logged). */
int	 listeners_announce(const struct listeners *,
	    const struct master_spec *, const struct conf *);
void	 listeners_withdraw(const struct master_spec *, const struct conf *);

/* master_stats.c */
/*
 * Keep numbers below run_dir from now on. Without them the service works as
 * well: what goes wrong is logged, and none are kept.
 */
void	 numbers_open(struct master *, const struct conf *);
/* The service ends: remove the files. */
void	 numbers_close(struct master *);
/* A process was started: make its file, c->stats_fd or -1. */
void	 numbers_child(struct child *);
/* It ended so (wait(2)): take over what it has counted. */
void	 numbers_child_ended(struct child *, int status);

/* master_roles.c */
/* Start every process of a generation. 0, or -1 (logged). */
int	 roles_start(struct generation *);
/* No new work (reload), or an orderly end (stop). */
void	 roles_drain(struct generation *, bool stop);
void	 roles_kill(struct generation *, int signo);
/* Processes that run. */
size_t	 roles_running(const struct generation *);
/* A child was reaped. */
void	 roles_reaped(struct master *, pid_t, int status);
/* Offer connections to the auth service to those that want one. */
void	 roles_connect_auth(struct master *);

#endif
