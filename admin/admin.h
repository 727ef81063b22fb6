/* SPDX-License-Identifier: ISC */
/*
 * The commands of posternctl that need the conf, and what they share. Each
 * command returns its exit status (sysexits(3)), having said on standard
 * error what went wrong.
 */
#ifndef POSTERN_ADMIN_H
#define POSTERN_ADMIN_H

#include <stddef.h>

#include "auth/accounts.h"

struct conf;

/*
 * Read the conf at path; its faults are said. EX_OK and *c, which is the
 * caller's; EX_CONFIG, or EX_NOPERM when it cannot be opened.
 */
int	 admin_conf(const char *path, struct conf **c);
/* The same, but bad values are only counted: see conf_read_faulty(). */
int	 admin_conf_faulty(const char *path, struct conf **c, unsigned *faults);
/*
 * The canonical form of the len octets of a mail address into out. NULL, or
 * a constant text that says why there can be no account of that name.
 */
const char *admin_address(const struct conf *, const char *text, size_t len,
	    char out[ACCOUNTS_NAME_MAX]);
/*
 * A file of accounts that root has made, and that has root's group: give it
 * to the group that the auth service reads it with. EX_OK, EX_OSFILE (no
 * such group) or as fail_errno().
 */
int	 admin_own_accounts(const char *path);

/*
 * Are the accounts in the accounts file? EX_OK, or EX_CONFIG, having said
 * where they are.
 */
int	 admin_keeps_accounts(const struct conf *);

/* argv[0] is the word after the command's name: "add", "passwd", ... */
int	 user_cmd(const char *conf, int argc, char **argv);
/* The same: "set", "remove", "show". */
int	 quota_cmd(const char *conf, int argc, char **argv);
/* argv[0] is "apppass". */
int	 apppass_cmd(const char *conf, int argc, char **argv);
/* argv[0] is "import". */
int	 import_cmd(const char *conf, int argc, char **argv);
/* argv[0] is "create". */
int	 mailbox_cmd(const char *conf, int argc, char **argv);
/* argv[0] is the word after the command's name: "add", "remove", "list". */
int	 alias_cmd(const char *conf, int argc, char **argv);
/* argv[0] is "check", "show". */
int	 check_cmd(const char *conf, int argc, char **argv);
int	 show_cmd(const char *conf, int argc, char **argv);
extern const char user_cmd_usage[], apppass_cmd_usage[], check_cmd_usage[],
    show_cmd_usage[], quota_cmd_usage[], alias_cmd_usage[],
    mailbox_cmd_usage[];
/* argv[0] is "status", "metrics". */
int	 status_cmd(const char *conf, int argc, char **argv);
int	 metrics_cmd(const char *conf, int argc, char **argv);
extern const char status_cmd_usage[], metrics_cmd_usage[];

#endif
