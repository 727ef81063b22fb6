/* SPDX-License-Identifier: ISC */
/*
 * postern-retrieve: the master of the retrieval service, see lib/master.h.
 * Binds, starts and restarts its roles; reads nothing from clients.
 */
#include "lib/master.h"

static const enum listen_kind kinds[] = { LISTEN_HTTPS, LISTEN_NONE };
static const struct master_role roles[] = {
	{ .role = ROLE_TLS_KEYS, .user = "postern-keys", .keys = true,
	    .certs = true },
	{ .role = ROLE_RETRIEVE_READER, .user = "postern-read",
	    .auth = true },
	{ .role = ROLE_RETRIEVE_SESSION, .user = "postern-session",
	    .listens = true, .certs = true, .counts = true, .auth = true,
	    .links = { ROLE_TLS_KEYS, ROLE_RETRIEVE_READER } },
};

static unsigned
count(enum role role, const struct conf *conf)
{
	return role == ROLE_RETRIEVE_SESSION ? master_sessions(conf) : 1;
}

int
main(int argc, char **argv)
{
	static const struct master_spec spec = {
		.name = "postern-retrieve",
		.kinds = kinds,
		.roles = roles,
		.nroles = sizeof(roles) / sizeof(roles[0]),
		.count = count,
	};

	return master_main(argc, argv, &spec);
}
