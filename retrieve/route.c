/* SPDX-License-Identifier: ISC */
/*
 * The route table, run by retrieve-session on decoded paths.
 */
#include <string.h>

#include "lib/str.h"
#include "retrieve/msgid.h"
#include "retrieve/route.h"

static const struct route routes[] = {
	{ "/", NULL, ROUTE_NOTHING, false, true, { MEDIA_NONE } },
	{ "/healthz", NULL, ROUTE_HEALTH, true, false,
	    { MEDIA_TEXT, MEDIA_NONE } },
	{ "/openapi.yaml", NULL, ROUTE_OPENAPI, true, false,
	    { MEDIA_YAML, MEDIA_NONE } },
	{ "/mail/", NULL, ROUTE_LIST, false, false,
	    { MEDIA_TEXT, MEDIA_JSON, MEDIA_NONE } },
	{ "/mail/", "/headers", ROUTE_HEADERS, false, false,
	    { MEDIA_TEXT, MEDIA_JSON, MEDIA_NONE } },
	{ "/mail/", "", ROUTE_MESSAGE, false, false,
	    { MEDIA_MESSAGE, MEDIA_NONE } },
};
static const struct route nothing = { "", NULL, ROUTE_NOTHING, false, false,
    { MEDIA_NONE } };

static bool
matches(const struct route *r, const char *path, char *id)
{
	size_t	n = strlen(path), front = strlen(r->prefix), back;

	id[0] = '\0';
	if (r->suffix == NULL)
		return strcmp(path, r->prefix) == 0;
	back = strlen(r->suffix);
	return n > front + back && memcmp(path, r->prefix, front) == 0 &&
	    memcmp(path + n - back, r->suffix, back) == 0 &&
	    msgid_valid(path + front, n - front - back) &&
	    str_copyn(id, READER_ID_MAX, path + front, n - front - back) == 0;
}

const struct route *
route_find(const char *path, char id[READER_ID_MAX])
{
	size_t	i;

	for (i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (matches(&routes[i], path, id))
			return &routes[i];
	id[0] = '\0';
	return &nothing;
}
