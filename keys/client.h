/* SPDX-License-Identifier: ISC */
/*
 * A session's side of the channel to the process that holds the keys. It
 * waits for the answer, because the TLS library does; so one request takes a
 * second at most, and after one that took so long none is made for a while.
 */
#ifndef POSTERN_KEYS_CLIENT_H
#define POSTERN_KEYS_CLIENT_H

#include <stdint.h>

#include "lib/tls.h"

#define KEYS_WAIT	1000	/* ms for one signature */
#define KEYS_REST	1000	/* ms without requests after a time-out */

struct keys_client {
	int		fd;		/* -1: no channel */
	uint32_t	id;		/* of the last request */
	uint64_t	rest;		/* monotonic ms: none before */
	uint64_t	signatures;
	uint64_t	failures;
};

void	keys_client_init(struct keys_client *);
/* Use the channel fd, taken over, from now on; the old one is closed. */
void	keys_client_set(struct keys_client *, int fd);
void	keys_client_close(struct keys_client *);
/*
 * Ask for a signature, see lib/tls.h; arg is the keys_client. A failure is
 * counted and logged. A channel that broke is closed: the master sends a
 * new one when there is a new process.
 */
tls_sign_fn keys_client_sign;

#endif
