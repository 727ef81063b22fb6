/* SPDX-License-Identifier: ISC */
/*
 * What is served at which path. Pure; run by retrieve-session.
 */
#ifndef POSTERN_ROUTE_H
#define POSTERN_ROUTE_H

#include <stdbool.h>

#include "retrieve/media.h"
#include "retrieve/reader_proto.h"

enum route_action {
	ROUTE_NOTHING,		/* 404, for those who are logged in */
	ROUTE_LIST,
	ROUTE_MESSAGE,
	ROUTE_HEADERS,
	ROUTE_HEALTH,
	ROUTE_OPENAPI
};

struct route {
	const char		*prefix;
	const char		*suffix;	/* behind the id; NULL: no id */
	enum route_action	 action;
	bool			 open;		/* needs no login */
	bool			 cross_site;	/* may be asked for by others */
	enum media		 offers[4];	/* MEDIA_NONE-ended */
};

/*
 * The route of a decoded path, never NULL: what is not served has one too.
 * id is the message's id where the route has one, else "".
 */
const struct route *route_find(const char *path, char id[READER_ID_MAX]);

#endif
