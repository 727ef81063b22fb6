/* SPDX-License-Identifier: ISC */
/*
 * The datagrams between an SMTP session and the store. A transaction is
 * named by txn, chosen by the session, unique on its channel; its order is
 * BEGIN, RCPT+, OPEN, BODY*, COMMIT, and ABORT at any time. Every request
 * but BODY and ABORT gets one REPLY; requests of one transaction are
 * answered in order. After the COMMIT reply or ABORT the txn is forgotten;
 * one whose BEGIN was refused is not kept. For a txn that is not known RCPT,
 * OPEN and COMMIT answer STORE_FAILED, BODY and ABORT do nothing. A commit
 * under way cannot be aborted. Anything out of form or order, and a size at
 * COMMIT that is not that of all BODY, closes the channel.
 */
#ifndef POSTERN_STORE_PROTO_H
#define POSTERN_STORE_PROTO_H

#include <stdint.h>

#include "auth/auth_proto.h"

#define STORE_PATH_MAX	324	/* local 64, @, domain 255, quotes, NUL */
#define STORE_BODY_MAX	49152	/* octets in one BODY */

enum store_type {
	STORE_NONE,
	STORE_BEGIN,		/* struct store_begin, at MAIL */
	STORE_RCPT,		/* struct store_rcpt */
	STORE_OPEN,		/* struct store_open, at DATA or the first
				   BDAT */
	STORE_BODY,		/* struct store_body; lines end in CRLF,
				   unless STORE_BINARY */
	STORE_COMMIT,		/* struct store_commit */
	STORE_ABORT,		/* struct store_commit, size unused */
	STORE_REPLY,		/* struct store_reply */
	STORE_TYPE_COUNT
};

enum store_status {
	STORE_STATUS_NONE,
	STORE_OK,		/* 250 */
	STORE_NO_TICKET,	/* 421 4.7.0: the login is no longer valid */
	STORE_NOT_SENDER,	/* 553 5.7.1: MAIL FROM is not the login's */
	STORE_NO_USER,		/* 550 5.1.1 */
	STORE_NOT_LOCAL,	/* 550 5.7.1: foreign domain */
	STORE_TOO_MANY,		/* 452 4.5.3: recipients */
	STORE_OVER_QUOTA,	/* 452 4.2.2 */
	STORE_NO_SPACE,		/* 452 4.3.1: ENOSPC, EDQUOT */
	STORE_FAILED,		/* 451 4.3.0: any other fault of the world */
	STORE_NOT_AUTHOR,	/* 550 5.7.1: From: is not the login's */
	STORE_BAD_HEADER,	/* 550 5.6.0: From: unparsable, too big */
	STORE_LOOP,		/* 554 5.4.6: too many Received */
	STORE_TOO_BIG,		/* 552 5.3.4 */
	STORE_RATE,		/* 450 4.7.1: too fast; retry_after */
	STORE_STATUS_COUNT
};

/* The word for a status in the logs of both sides. */
static inline const char *
store_status_name(uint32_t status)
{
	static const char *const names[STORE_STATUS_COUNT] = {
		"none", "ok", "no-ticket", "not-sender", "no-user",
		"not-local", "too-many", "over-quota", "no-space", "failed",
		"not-author", "bad-header", "loop", "too-big", "rate"
	};

	return status < STORE_STATUS_COUNT ? names[status] : "unknown";
}

/* What MAIL said of the message. */
#define STORE_UTF8	1U	/* SMTPUTF8: UTF-8 in paths and header */
#define STORE_BINARY	2U	/* BODY=BINARYMIME: octets, kept as they come */
#define STORE_FLAGS	(STORE_UTF8 | STORE_BINARY)

struct store_begin {
	uint32_t	type;
	uint32_t	txn;
	uint64_t	size;			/* declared, 0: not */
	unsigned char	nonce[AUTH_NONCE];
	char		reverse_path[STORE_PATH_MAX];	/* "" for <> */
	uint32_t	flags;			/* STORE_UTF8, STORE_BINARY */
};

struct store_rcpt {
	uint32_t	type;
	uint32_t	txn;
	char		forward_path[STORE_PATH_MAX];	/* local@domain, or
					"postmaster"; unquoted local part */
};

struct store_open {
	uint32_t	type;
	uint32_t	txn;
	char		helo[256];
	char		client[64];		/* "192.0.2.1", "IPv6:..." */
	char		protocol[16];		/* "ESMTPSA", "UTF8SMTPSA" */
	char		tls_version[16];
	char		tls_cipher[64];
	uint32_t	tls_bits;
};

struct store_body {
	uint32_t	type;
	uint32_t	txn;
	uint32_t	len;
	unsigned char	data[STORE_BODY_MAX];	/* cut after data[len] */
};

struct store_commit {
	uint32_t	type;
	uint32_t	txn;
	uint64_t	size;			/* octets of all BODY */
};

struct store_reply {
	uint32_t	type;
	uint32_t	txn;
	uint32_t	request;	/* the enum store_type answered */
	uint32_t	status;		/* enum store_status */
	uint32_t	retry_after;	/* seconds; RATE */
	char		id[160];	/* COMMIT: the message's id */
};

#endif
