/* SPDX-License-Identifier: ISC */
/*
 * "posternctl cert": the certificate tool's commands.
 */
#ifndef POSTERN_CERT_CMD_H
#define POSTERN_CERT_CMD_H

/*
 * Run the command argv[0] ("ca", "server", "client", "renew", "show") with its
 * options and operands. Messages go to standard error. Returns the exit
 * status (sysexits(3)).
 */
int	 cert_cmd(int argc, char **argv);
/* The synopsis of the commands, one a line, for a usage message. */
extern const char cert_cmd_usage[];

#endif
