/* SPDX-License-Identifier: ISC */
/*
 * The datagrams between retrieve-session and retrieve-reader. The session
 * asks, with an id of its own choosing that is unique among the questions
 * it has open; each question has one answer, LIST up to 1 + limit.
 *
 * Strings are NUL-terminated within their arrays.
 */
#ifndef POSTERN_READER_PROTO_H
#define POSTERN_READER_PROTO_H

#include <stdint.h>

#include "auth/auth_proto.h"

#define READER_ID_MAX		256	/* a message's id, with NUL */
#define READER_CURSOR_MAX	400	/* a cursor, with NUL */
#define READER_TAG		16	/* octets that name a state */
#define READER_LIMIT_MAX	1000	/* messages of one list */
#define READER_ROWS_MAX		13	/* rows of one datagram */

enum reader_type {
	READER_NONE,
	/* session to reader */
	READER_LIST,		/* struct reader_list */
	READER_OPEN,		/* struct reader_open */
	READER_PING,		/* struct reader_ping */
	/* reader to session */
	READER_LISTED,		/* struct reader_listed, then ROWS */
	READER_ROWS,		/* struct reader_rows */
	READER_OPENED,		/* struct reader_opened and, with OK, an fd */
	READER_PONG,		/* struct reader_pong */
	READER_TYPE_COUNT
};

enum reader_status {
	READER_STATUS_NONE,
	READER_OK,
	READER_NO_TICKET,	/* the login is no longer valid */
	READER_NO_MESSAGE,	/* 404 */
	READER_NO_CURSOR,	/* 410: never given out, or its id is gone */
	READER_BUSY,		/* 503: too many questions open */
	READER_FAILED,		/* 503: the world's fault, logged */
	READER_STATUS_COUNT
};

/* Flags of a message, from its name. */
enum reader_flag {
	READER_SEEN = 1,
	READER_ANSWERED = 2,
	READER_FLAGGED = 4,
	READER_DRAFT = 8,
	READER_TRASHED = 16,
	READER_PASSED = 32,
	READER_FLAGS_ALL = 63
};

struct reader_list {
	uint32_t	type;
	uint32_t	id;
	unsigned char	nonce[AUTH_NONCE];
	uint32_t	limit;		/* 1 to READER_LIMIT_MAX */
	uint32_t	ascending;	/* 1: oldest first */
	uint32_t	peek;		/* 1: the head alone, no rows */
	uint32_t	reserved;
	char		after[READER_CURSOR_MAX];	/* "": no bound */
	char		before[READER_CURSOR_MAX];
};

struct reader_open {
	uint32_t	type;
	uint32_t	id;
	unsigned char	nonce[AUTH_NONCE];
	char		message[READER_ID_MAX];
};

struct reader_ping {
	uint32_t	type;
	uint32_t	id;
};

struct reader_pong {
	uint32_t	type;
	uint32_t	id;
	uint32_t	status;		/* OK or FAILED */
	uint32_t	reserved;
};

struct reader_listed {
	uint32_t	type;
	uint32_t	id;
	uint32_t	status;		/* the rest counts with OK alone */
	uint32_t	count;		/* rows that follow */
	uint64_t	total;		/* messages in the mailbox */
	uint64_t	unseen;
	unsigned char	tag[READER_TAG];	/* names the mailbox's state */
	uint32_t	adjacent;	/* a bound was a rel="prev" cursor */
	uint32_t	reserved;
	char		next[READER_CURSOR_MAX];	/* "": no such page */
	char		prev[READER_CURSOR_MAX];
};

/* Header values are unfolded, valid UTF-8, with controls made visible. */
struct reader_row {
	char		message[READER_ID_MAX];	/* "": gone meanwhile */
	uint64_t	size;		/* with CRLF line ends */
	int64_t		received;	/* seconds since 1970 */
	int64_t		date;		/* of the Date field, if dated is 1 */
	uint32_t	dated;
	uint32_t	flags;		/* READER_SEEN ... */
	char		from[1024];
	char		to[2048];
	char		subject[1024];
};

struct reader_rows {
	uint32_t	type;
	uint32_t	id;
	uint32_t	count;		/* 1 to READER_ROWS_MAX */
	uint32_t	reserved;
	struct reader_row row[READER_ROWS_MAX];	/* cut after row[count - 1] */
};

struct reader_opened {
	uint32_t	type;
	uint32_t	id;
	uint32_t	status;
	uint32_t	flags;
	uint64_t	stored;		/* octets of the file */
	uint64_t	size;		/* with CRLF; equal to stored: serve
					   the file as it is */
	int64_t		received;
	unsigned char	tag[READER_TAG];	/* names these very octets */
};

#endif
