/* SPDX-License-Identifier: ISC */
/*
 * What the three masters share: parse the conf, bind, exec the roles under
 * their users, connect them in pairs, restart what dies, reload, stop.
 * Reads nothing from clients and links no TLS.
 */
#ifndef POSTERN_MASTER_H
#define POSTERN_MASTER_H

#include <stdbool.h>
#include <stddef.h>

#include "role.h"

#define MASTER_LINKS	3

struct master_role {
	enum role	 role;
	const char	*user;		/* system user when started as root */
	bool		 listens;	/* gets the service's listeners */
	bool		 certs;		/* gets the certificate chains */
	bool		 keys;		/* gets keys and passphrases too */
	bool		 client_ca;	/* gets the CAs of clients */
	bool		 counts;	/* gets the shared counters */
	/* gets a connection to the auth service */
	bool		 auth;
	/* roles of this service it has a channel to, 0-ended */
	enum role	 links[MASTER_LINKS];
};

struct master_spec {
	const char		*name;		/* "postern-smtpd" */
	const enum listen_kind	*kinds;		/* 0-ended */
	const struct master_role *roles;
	size_t			 nroles;
	/* how many processes of a role (1 or more) this conf asks for */
	unsigned		(*count)(enum role, const struct conf *);
};

/* How many session processes: as the conf says, else one a processor. */
unsigned master_sessions(const struct conf *);
/* Run a master to its end; returns the exit status (sysexits(3)). */
int	 master_main(int argc, char **argv, const struct master_spec *);

#endif
