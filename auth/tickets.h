/* SPDX-License-Identifier: ISC */
/*
 * The live logins. A ticket lets its session process act as its user; it
 * ends when the session says so, at its expiry, or when the caller removes
 * it. Pure: the caller gives time and nonce.
 */
#ifndef POSTERN_TICKETS_H
#define POSTERN_TICKETS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "auth/accounts.h"
#include "auth/auth_proto.h"

struct ticket {
	/* Key: the connection, never used twice, and the id on it. */
	uint64_t		client;
	uint32_t		id;
	uint32_t		instance;	/* of the session process */
	uint32_t		service;	/* enum auth_service */
	uint64_t		expiry;		/* ms */
	/* Versions of the store (see server.h): with which the login was
	   found good last, and for which that was asked. */
	uint64_t		seen, asked;
	unsigned char		nonce[AUTH_NONCE];
	/* Digest of the account as it was when the login was verified. */
	unsigned char		proof[ACCOUNTS_PROOF];
	char			user[AUTH_USER_MAX];
	/* The app password of the login, or "". */
	char			app[ACCOUNTS_APP_MAX];
	TAILQ_ENTRY(ticket)	link;		/* of the table */
};

struct tickets;

/* At most max tickets. NULL and errno ENOMEM. */
struct tickets *tickets_new(size_t max);
void	 tickets_free(struct tickets **);
/*
 * Add a copy. NULL and errno: EEXIST (client and id are in use), ENOBUFS
 * (max), ENOMEM.
 */
struct ticket *tickets_add(struct tickets *, const struct ticket *);
struct ticket *tickets_find(struct tickets *, uint64_t client, uint32_t id);
/* Wipe, free, *tp becomes NULL. */
void	 tickets_remove(struct tickets *, struct ticket **tp);
/* In order of expiry; NULL at the end. The next one is taken before a
 * ticket is removed. */
struct ticket *tickets_first(struct tickets *);
struct ticket *tickets_next(struct ticket *);
/* The first one whose time has come, or NULL. */
struct ticket *tickets_expired(struct tickets *, uint64_t now);
size_t	 tickets_count(const struct tickets *);

#endif
