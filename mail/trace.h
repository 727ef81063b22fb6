/* SPDX-License-Identifier: ISC */
/*
 * The fields put before a message at delivery: Return-Path, Delivered-To,
 * Received (RFC 5321 section 4.4), and Date and Message-ID where they are
 * missing (RFC 6409 section 8). Pure.
 */
#ifndef POSTERN_TRACE_H
#define POSTERN_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "mail/addr.h"

struct buf;

struct trace {
	const struct addr	*from;		/* reverse-path */
	/* With a single recipient, else NULL: it and its mailbox. */
	const struct addr	*rcpt, *mailbox;
	/* What the client said or is; any octets, cleaned here. */
	const char		*helo;
	const char		*client;	/* "192.0.2.1", "IPv6:..."; or
						   NULL: helo is withheld too */
	const char		*protocol;	/* "ESMTPSA" */
	const char		*tls_version;	/* "TLSv1.3", or "" */
	const char		*tls_cipher;
	unsigned		 tls_bits;
	const char		*hostname;	/* ours */
	const char		*id;		/* [A-Za-z0-9.-] */
	int64_t			 now;		/* seconds since 1970 */
};

/* Append the trace fields. 0, or -1 as buf_add(). */
int	 trace_write(struct buf *, const struct trace *);
/* Append a Date or a Message-ID field. 0, or -1 as buf_add(). */
int	 trace_write_date(struct buf *, const struct trace *);
int	 trace_write_message_id(struct buf *, const struct trace *);

#endif
