/* SPDX-License-Identifier: ISC */
/*
 * What is said of a client's TLS connection, looked at by each who receives
 * it: auth-server from a session, the worker from auth-server. Pure.
 */
#ifndef POSTERN_CHANNEL_H
#define POSTERN_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "auth/auth_proto.h"

/*
 * Is it in form: lengths that can be, names that end within their array, none
 * of them empty or with octets that are controls or a blank?
 */
bool	 channel_ok(const struct auth_channel *);
/* Is there nothing in it? */
bool	 channel_is_empty(const struct auth_channel *);
/* The length of the name at p, one of a channel in form; 0 at their end. */
size_t	 channel_name_len(const char *p);
/* The name behind the one at p. */
const char *channel_name_next(const char *p);

#endif
