/* SPDX-License-Identifier: ISC */
/*
 * Program postern-smtpd: the master of the SMTP service. Binds, starts and
 * restarts its roles; reads no octet from a client and links no TLS.
 */
#include "lib/master.h"

static unsigned
count(enum role role, const struct conf *conf)
{
	return role == ROLE_SMTPD_SESSION ? master_sessions(conf) : 1;
}

int
main(int argc, char **argv)
{
	static const enum listen_kind kinds[] = {
		LISTEN_SUBMISSION, LISTEN_SUBMISSIONS, LISTEN_NONE
	};
	static const struct master_role roles[] = {
		{ .role = ROLE_TLS_KEYS, .user = "postern-keys",
		    .certs = true, .keys = true },
		{ .role = ROLE_SMTPD_STORE, .user = "postern-store",
		    .auth = true },
		{ .role = ROLE_SMTPD_SESSION, .user = "postern-session",
		    .listens = true, .certs = true, .client_ca = true,
		    .counts = true, .auth = true,
		    .links = { ROLE_TLS_KEYS, ROLE_SMTPD_STORE } },
	};
	static const struct master_spec spec = {
		.name = "postern-smtpd",
		.kinds = kinds,
		.roles = roles,
		.nroles = sizeof(roles) / sizeof(roles[0]),
		.count = count,
	};

	return master_main(argc, argv, &spec);
}
