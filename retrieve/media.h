/* SPDX-License-Identifier: ISC */
/*
 * Choice of a representation by Accept (RFC 9110 section 12.5.1). Pure; run
 * by retrieve-session.
 */
#ifndef POSTERN_MEDIA_H
#define POSTERN_MEDIA_H

#include <stdbool.h>

#include "retrieve/request.h"

enum media {
	MEDIA_NONE,		/* nothing offered is acceptable */
	MEDIA_TEXT,		/* text/plain */
	MEDIA_JSON,		/* application/json */
	MEDIA_MESSAGE,		/* message/rfc822 */
	MEDIA_YAML,		/* application/yaml */
	MEDIA_COUNT
};

/* "text/plain" and so on, without parameters. */
const char *media_name(enum media);
/*
 * The one of the offers (MEDIA_NONE-ended, the best of ours first) that the
 * client likes best; the first of equals; the first when it says nothing.
 */
enum media media_choose(const struct request *, const enum media *offers);
/* Does Accept name JSON, of the plain or the problem kind, itself? */
bool	 media_names_json(const struct request *);

#endif
