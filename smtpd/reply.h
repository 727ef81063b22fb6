/* SPDX-License-Identifier: ISC */
/*
 * Every reply the SMTP server can give, in one table (reply.c): code,
 * enhanced code (RFC 3463), text. Part of the engine: makes no system call.
 */
#ifndef POSTERN_SMTPD_REPLY_H
#define POSTERN_SMTPD_REPLY_H

#include <stdbool.h>

struct buf;

enum reply {
	REPLY_NONE,		/* 0 is no reply */
	/* 2xx and 3xx */
	REPLY_HELP,
	REPLY_GREETING,
	REPLY_TLS_GO,
	REPLY_BYE,
	REPLY_LOGIN_OK,
	REPLY_HELLO,
	REPLY_OK,
	REPLY_DELIVERED,
	REPLY_CHUNK,
	REPLY_SENDER_OK,
	REPLY_RCPT_OK,
	REPLY_VRFY,
	REPLY_CHALLENGE,
	REPLY_GO_AHEAD,
	/* 421: said before the server closes */
	REPLY_HELPER_STUCK,
	REPLY_SHUTDOWN,
	REPLY_BUSY,
	REPLY_TIMEOUT,
	REPLY_SESSION_TIME,
	REPLY_SLOW,
	REPLY_CROWDED,
	REPLY_LOGIN_TIME,
	REPLY_ERRORS,
	REPLY_THROTTLED,
	REPLY_REVOKED,
	/* 4xx */
	REPLY_RATE,
	REPLY_FAILED,
	REPLY_QUOTA,
	REPLY_NO_SPACE,
	REPLY_RCPT_LIMIT,
	REPLY_MAIL_LIMIT,
	REPLY_AUTH_AWAY,
	/* 5xx */
	REPLY_UNKNOWN,
	REPLY_BARE_COMMAND,
	REPLY_LONG_COMMAND,
	REPLY_LONG_SASL,
	REPLY_BASE64,
	REPLY_SASL_SYNTAX,
	REPLY_ARGUMENT,
	REPLY_NO_ARGUMENT,
	REPLY_HELLO_NAME,
	REPLY_PATH,
	REPLY_PATH_LONG,
	REPLY_PARAM_SYNTAX,
	REPLY_PARAM_TWICE,
	REPLY_CHUNK_SIZE,
	REPLY_CANCELLED,
	REPLY_LATER,
	REPLY_HELLO_FIRST,
	REPLY_TLS_ALREADY,
	REPLY_LOGGED_IN,
	REPLY_MAIL_FIRST,
	REPLY_RCPT_FIRST,
	REPLY_NESTED,
	REPLY_IN_TRANSACTION,
	REPLY_IN_DATA,
	REPLY_NEEDS_BDAT,
	REPLY_MECHANISM,
	REPLY_BODY_VALUE,
	REPLY_NO_HELP,
	REPLY_NEED_TLS,
	REPLY_NEED_AUTH,
	REPLY_LOGIN_FAILED,
	REPLY_AUTH_NEEDS_TLS,
	REPLY_NO_USER,
	REPLY_BARE_CONTENT,
	REPLY_NUL,
	REPLY_TEXT_LINE,
	REPLY_EIGHT_BIT,
	REPLY_HEADER_UTF8,
	REPLY_BAD_HEADER,
	REPLY_NOT_LOCAL,
	REPLY_NOT_AUTHOR,
	REPLY_TOO_BIG,
	REPLY_SENDER_DOMAIN,
	REPLY_RCPT_DOMAIN,
	REPLY_NON_ASCII,
	REPLY_NOT_UTF8,
	REPLY_NOT_SENDER,
	REPLY_LOOP,
	REPLY_TLS_PIPELINED,
	REPLY_PARAM,
	REPLY_COUNT
};

struct reply_row {
	int		 code;
	const char	*enhanced;	/* "5.5.1"; "": RFC 2034 has none */
	const char	*text;		/* one "%s" at most */
};

/* The row of a reply; it lives for ever. */
const struct reply_row *reply_row(enum reply);
/*
 * Append the reply to out, with arg for the "%s" of its text (NULL where it
 * has none). 0, or -1 and errno as buf_add().
 */
int	 reply_add(struct buf *out, enum reply, const char *arg);
/*
 * Append one line of a reply with more lines ("250-..." when more) or its
 * last one, with the code of r and the text given instead of its own.
 * 0, or -1 and errno as buf_add().
 */
int	 reply_add_line(struct buf *out, enum reply r, bool more,
	    const char *text);

#endif
