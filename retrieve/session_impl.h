/* SPDX-License-Identifier: ISC */
/*
 * Between session.c (what comes next) and session_reply.c (what is said).
 */
#ifndef POSTERN_SESSION_IMPL_H
#define POSTERN_SESSION_IMPL_H

#include <stdlib.h>

#include "retrieve/session.h"

/* The only writer of the state. */
void	 session_step(struct session *, enum session_state);
/* The reply is complete: on to the next request, or the end. */
void	 session_done(struct session *);
/* Fill in what the log says of the request. */
void	 session_log_request(struct session *);
/* Serve the route, all being allowed. */
void	 session_serve(struct session *);
/* Refuse the request; detail is printable or NULL. */
void	 session_refuse(struct session *, unsigned code, const char *detail);
void	 session_refuse_later(struct session *, unsigned code,
	    const char *detail, uint32_t seconds);
/* Answer OPTIONS. */
void	 session_options(struct session *);

#endif
