/* SPDX-License-Identifier: ISC */
/*
 * The form of what is said of a client's TLS connection. Linked into
 * auth-server and auth-sasl; it may come from a session in other hands.
 */
#include "auth/channel.h"

#include <string.h>

#include "lib/str.h"

#define ENDPOINT_MIN	20	/* octets of the shortest digest */

static bool
names_ok(const char *p)
{
	char last = '\n';

	for (; *p != '\0'; last = *p++)
		if (*p == '\n' ? last == '\n' :
		    (unsigned char)*p <= ' ' || *p == 0x7f)
			return false;
	return last == '\n';
}

bool
channel_ok(const struct auth_channel *ch)
{
	return (ch->exporter_len == 0 || ch->exporter_len == AUTH_EXPORTER) &&
	    (ch->endpoint_len == 0 || (ch->endpoint_len >= ENDPOINT_MIN &&
	    ch->endpoint_len <= AUTH_ENDPOINT_MAX)) &&
	    str_ends(ch->names, sizeof(ch->names)) && names_ok(ch->names);
}

bool
channel_is_empty(const struct auth_channel *ch)
{
	return ch->exporter_len == 0 && ch->endpoint_len == 0 &&
	    ch->names[0] == '\0';
}

size_t
channel_name_len(const char *p)
{
	return strcspn(p, "\n");
}

const char *
channel_name_next(const char *p)
{
	p += strcspn(p, "\n");
	return *p == '\n' ? p + 1 : p;
}
