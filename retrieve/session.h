/* SPDX-License-Identifier: ISC */
/*
 * One HTTP connection as a state machine: octets and answers of the helpers
 * in, octets and wishes out. Pure: the driver (serve.c) does what `state'
 * asks for and calls back; time comes with the calls. Run by
 * retrieve-session.
 */
#ifndef POSTERN_SESSION_H
#define POSTERN_SESSION_H

#include "lib/buf.h"
#include "retrieve/list.h"
#include "retrieve/query.h"
#include "retrieve/request.h"
#include "retrieve/route.h"

#define SESSION_ETAG	80	/* octets of an entity tag with its quotes */

enum session_state {
	SESSION_NONE,		/* 0 is no state */
	SESSION_HEAD,		/* wants input */
	SESSION_LOGIN,		/* wants session_login() */
	SESSION_LIST,		/* wants session_listed(), session_row() ... */
	SESSION_OPEN,		/* wants session_opened() */
	SESSION_BLOCK,		/* wants session_block() */
	SESSION_PING,		/* wants session_pinged() */
	SESSION_BODY,		/* wants `file' sent, then session_sent() */
	SESSION_OVER,		/* wants a close once all is out */
	SESSION_COUNT
};

struct session_conf {
	struct request_limits	 limits;
	uint32_t		 requests;	/* of one connection */
	uint32_t		 list_default;
	const char		*realm;		/* no quotes in it */
	const char		*const *hosts;	/* our own, NULL-ended; for
						   absolute targets alone */
	const char		*openapi;	/* text of /openapi.yaml */
};

enum session_verdict {
	SESSION_ADMITTED,
	SESSION_REJECTED,	/* 401 */
	SESSION_THROTTLED,	/* 429 */
	SESSION_UNSURE		/* 503: could not be found out */
};

/* The octets of a message that a reply consists of. */
struct session_file {
	uint64_t	first, length;
	bool		raw;
};

/* What the log line of a request says. */
struct session_log {
	char		method[16];	/* quoted */
	char		target[256];	/* quoted, without the query */
	unsigned	code;
	uint64_t	octets;		/* of the body */
};

struct session {
	const struct session_conf *conf;
	enum session_state	 state;
	bool			 fresh;	/* the state's wish is not yet met;
					   the driver clears it */
	bool			 busy;	/* a request is being served */
	int64_t			 now;	/* seconds since 1970, by the driver */
	uint32_t		 served;
	struct request		 req;
	const struct route	*route;
	char			 id[READER_ID_MAX];
	enum media		 media;
	struct query		*query;		/* LIST */
	struct list		*list;
	struct reader_listed	*head;
	uint32_t		 rows;		/* still to come */
	bool			 peek;		/* LIST: the head alone */
	bool			 close;
	char			 user[AUTH_USER_MAX];
	struct session_file	 file;
	char			 etag[SESSION_ETAG];
	struct session_log	 log;
	struct buf		 out;		/* for the driver to send */
};

void	 session_init(struct session *, const struct session_conf *);
void	 session_free(struct session *);

/* Take input in state HEAD; how many octets were taken (0 in others). */
size_t	 session_input(struct session *, const unsigned char *data,
	    size_t len);
/* The client took too long: 408 if it had begun, else just the end. */
void	 session_slow(struct session *);
/* No more requests after the present one; if there is none, the end. */
void	 session_drain(struct session *);
/* No more requests after the present one, or the next. */
void	 session_last(struct session *);

/* LOGIN: the credentials as the client sent them. */
struct span session_credentials(const struct session *);
/* user is needed with ADMITTED, retry_after (seconds) with the others. */
void	 session_login(struct session *, enum session_verdict,
	    const char *user, uint32_t retry_after);
/* A question to a helper failed: 503. Any state that wants an answer. */
void	 session_fail(struct session *);
/* LIST: the reader's head; with status OK and no peek its rows follow. */
void	 session_listed(struct session *, const struct reader_listed *);
void	 session_row(struct session *, const struct reader_row *);
/*
 * OPEN: the reader's answer. With OK the state is BODY, BLOCK or, when the
 * file is of no use any more, another.
 */
void	 session_opened(struct session *, const struct reader_opened *);
/* BLOCK: the first octets of the file. */
void	 session_block(struct session *, const char *data, size_t len);
void	 session_pinged(struct session *, bool well);
/* BODY: all of it is on its way. */
void	 session_sent(struct session *);

#endif
