/* SPDX-License-Identifier: ISC */
/*
 * A session process in the hands of an attacker, for t/130-owned-session.sh:
 * one attempt a process, with the channels and the confinement of the real
 * one.
 */
#ifndef POSTERN_T_OWNED_H
#define POSTERN_T_OWNED_H

#include <stddef.h>
#include <sys/types.h>

#include "auth/auth_proto.h"

struct driver;

/* Opened before the confinement, for reports and agreements. */
enum owned_file {
	OWNED_GO,		/* one octet: begin */
	OWNED_RESULT,
	OWNED_NONCE,		/* a ticket, given away */
	OWNED_TRIED,		/* one octet: it was tried */
	OWNED_FILES
};

/* What must come of an attempt. */
enum fate {
	FATE_KILLED,		/* SIGSYS, by the kernel */
	FATE_MASTER,		/* SIGKILL, by the master */
	FATE_REFUSED		/* the attempt says whether it was refused */
};

struct owned {
	struct driver	*driver;
	int		 ctl;		/* the channel to the master */
	pid_t		 master;
	int		 listener;	/* shared with all sessions */
	int		 files[OWNED_FILES];	/* beside the program */
};

/*
 * NULL: refused as it must be; or what happened in its place. The calls of
 * FATE_KILLED and FATE_MASTER do not return.
 */
typedef const char *attempt_fn(struct owned *, int arg);

struct attempt {
	const char	*name;
	enum fate	 fate;
	attempt_fn	*fn;
	int		 arg;
};

extern const struct attempt owned_calls[];	/* ended by name NULL */
extern const struct attempt owned_store[];
extern const struct attempt owned_helpers[];

/* Wait until a file has len octets and read them. 0, or -1 after 20 s. */
int	 owned_await(int file, void *dst, size_t len);
/* Log in as alice by that id: the nonce. 0, or -1. */
int	 owned_login(struct owned *, uint32_t id,
	    unsigned char nonce[AUTH_NONCE]);
/* Send a datagram, with a descriptor or -1. 0, or -1 and errno. */
int	 owned_send(int fd, const void *msg, size_t len, int pass);
/*
 * Receive the next datagram of a type (0: of any), skipping others. Its
 * length; 0 when the channel was closed; -1 when nothing came in 20 s.
 */
ssize_t	 owned_receive(int fd, uint32_t type, void *dst, size_t cap);
/* Send as owned_send(): NULL when the channel is then closed. */
const char *owned_closes(int fd, const void *msg, size_t len, int pass);

#endif
