/* SPDX-License-Identifier: ISC */
/*
 * Command lines: cut from the input, taken apart into verb, argument and
 * parameters (RFC 5321 section 4.1.2). Part of the engine: all input is
 * hostile, no system call is made.
 */
#ifndef POSTERN_SMTPD_CMD_H
#define POSTERN_SMTPD_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"
#include "smtpd/table.h"

/*
 * The longest lines, in octets: command and parameter with their CRLF
 * (section 4.5.3.1.4), auth without it (RFC 4954 section 4).
 */
struct cmd_limits {
	size_t	command;
	size_t	parameter;		/* MAIL, RCPT */
	size_t	auth;			/* AUTH and its dialogue */
};

/* Cuts lines; its buffer is held only while part of a line is there. */
struct cmd_reader {
	struct buf	line;
	bool		cr;		/* the last octet was a CR */
	bool		over;		/* too long: skip to its CRLF */
	bool		sasl;		/* what is too long is AUTH's */
	bool		chunk;		/* or BDAT's */
};

enum cmd_read {
	CMD_MORE,		/* no whole line yet */
	CMD_LINE,		/* one is in reader->line, without CRLF */
	CMD_LONG,		/* one ended that is longer than its limit */
	CMD_BARE		/* CR or LF on its own, or a NUL */
};

void	 cmd_reader_init(struct cmd_reader *, const struct cmd_limits *);
/*
 * Read on from the len octets at data, to the end of a line at most; *used
 * octets were read. With dialogue the line is one of a SASL dialogue.
 * *nomem is set when memory is short; the reader is then of no more use.
 */
enum cmd_read cmd_read(struct cmd_reader *, const struct cmd_limits *,
	    bool dialogue, const unsigned char *data, size_t len,
	    size_t *used, bool *nomem);
/* Forget the line, and overwrite it: it may hold a password. */
void	 cmd_reader_reset(struct cmd_reader *);

struct cmd {
	enum verb	 verb;
	const char	*arg;		/* behind the verb and one blank */
	size_t		 len;		/* without blanks at the end */
};

/* Take a line apart; out points into it. */
void	 cmd_parse(const char *line, size_t len, struct cmd *out);
/*
 * Cut the keyword ("FROM:", any case) and at most one blank off the front of
 * the argument. True when it was there.
 */
bool	 cmd_skip(struct cmd *, const char *keyword);

struct cmd_param {
	const char	*key;
	size_t		 key_len;
	const char	*value;		/* NULL when there is no "=" */
	size_t		 value_len;
};

enum cmd_next { CMD_PARAM_NONE, CMD_PARAM_ONE, CMD_PARAM_BAD };

/*
 * Cut the next " key=value" off the front of the argument (RFC 5321 section
 * 4.1.2, esmtp-param).
 */
enum cmd_next cmd_param(struct cmd *, struct cmd_param *out);
/* Is the key this one, in any case? */
bool	 cmd_param_is(const struct cmd_param *, const char *key);
/* Is it the xtext of RFC 3461 section 4? */
bool	 cmd_is_xtext(const char *s, size_t len);

#endif
