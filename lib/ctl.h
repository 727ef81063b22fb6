/* SPDX-License-Identifier: ISC */
/*
 * The datagrams between a master and its roles (see role.h).
 */
#ifndef POSTERN_CTL_H
#define POSTERN_CTL_H

#include <stdint.h>

enum ctl_type {
	CTL_NONE,
	/* master to role */
	CTL_CONF,	/* fd: the conf file's text, sealed memory */
	CTL_LOG,	/* fd: a connected syslog socket */
	CTL_FILE,	/* what: role_file; number; fd */
	CTL_LISTENER,	/* what: listen_kind; fd */
	CTL_PEER,	/* what: role; number: its instance; fd */
	CTL_START,	/* all that is needed at the start was sent */
	CTL_DRAIN,	/* what: 1 when the service ends, 0 on a reload */
	/* role to master */
	CTL_READY,
	CTL_WANT_PEER,	/* what: role */
	CTL_COUNT
};

#define CTL_FD	3	/* where a role finds its control channel */

struct ctl {
	uint32_t	type;		/* enum ctl_type */
	uint32_t	what;
	uint32_t	number;
};

#endif
