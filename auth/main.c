/* SPDX-License-Identifier: ISC */
/*
 * postern-auth: the master of the auth service. Runs as root where it was
 * started so; reads nothing but the conf.
 */
#include "lib/conf.h"
#include "lib/master.h"

static unsigned
count(enum role role, const struct conf *conf)
{
	return role == ROLE_AUTH_SASL ? (unsigned)conf->auth_workers : 1;
}

int
main(int argc, char **argv)
{
	static const enum listen_kind kinds[] = { LISTEN_AUTH, LISTEN_NONE };
	static const struct master_role roles[] = {
		{
			.role = ROLE_AUTH_SERVER,
			.user = "postern-auth",
			.listens = true,
			.links = { ROLE_AUTH_SASL },
		}, {
			.role = ROLE_AUTH_SASL,
			.user = "postern-sasl",
			.links = { ROLE_AUTH_SERVER },
		},
	};
	static const struct master_spec spec = {
		.name = "postern-auth",
		.kinds = kinds,
		.roles = roles,
		.nroles = sizeof(roles) / sizeof(roles[0]),
		.count = count,
	};

	return master_main(argc, argv, &spec);
}
