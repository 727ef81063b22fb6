/* SPDX-License-Identifier: ISC */
/*
 * posternctl(8): accounts, quotas, certificates and the conf, for the
 * administrator. A program of its own that talks to no service. It trusts
 * who runs it, and handles passwords and keys: no core dumps, no file that
 * others may read unless it is meant for them.
 */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "admin/admin.h"
#include "admin/fail.h"
#include "certs/cert_cmd.h"
#include "lib/conf.h"
#include "lib/log.h"

/*
 * The standard descriptors exist, so no file we open becomes one of them. A
 * closed output stays one that cannot be written: a password is not lost
 * unnoticed.
 */
static void
open_standard(void)
{
	int fd;

	do {
		if ((fd = open("/dev/null", O_RDONLY)) == -1)
			_exit(EX_OSERR);
	} while (fd <= STDERR_FILENO);
	close(fd);
}

static void
guard(void)
{
	const struct rlimit none = { 0, 0 };

	open_standard();
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
}

static int
cert_command(const char *conf, int argc, char **argv)
{
	(void)conf;
	return cert_cmd(argc - 1, argv + 1);
}

static int
user_command(const char *conf, int argc, char **argv)
{
	return user_cmd(conf, argc - 1, argv + 1);
}

static int
quota_command(const char *conf, int argc, char **argv)
{
	return quota_cmd(conf, argc - 1, argv + 1);
}

static int
mailbox_command(const char *conf, int argc, char **argv)
{
	return mailbox_cmd(conf, argc - 1, argv + 1);
}

static int
alias_command(const char *conf, int argc, char **argv)
{
	return alias_cmd(conf, argc - 1, argv + 1);
}

static const struct command {
	const char	*name;
	const char	*usage;
	int		(*run)(const char *, int, char **);
} commands[] = {
	{ "user", user_cmd_usage, user_command },
	{ "apppass", apppass_cmd_usage, apppass_cmd },
	{ "quota", quota_cmd_usage, quota_command },
	{ "mailbox", mailbox_cmd_usage, mailbox_command },
	{ "alias", alias_cmd_usage, alias_command },
	{ "check", check_cmd_usage, check_cmd },
	{ "show", show_cmd_usage, show_cmd },
	{ "status", status_cmd_usage, status_cmd },
	{ "metrics", metrics_cmd_usage, metrics_cmd },
	{ "cert", cert_cmd_usage, cert_command },
};
#define COMMANDS	(sizeof(commands) / sizeof(commands[0]))

static int
usage(void)
{
	size_t i;

	fputs("usage: posternctl [-c conf] command ...\n", stderr);
	for (i = 0; i < COMMANDS; i++)
		fail_usage(commands[i].usage);
	return EX_USAGE;
}

int
main(int argc, char **argv)
{
	const char *conf = CONF_FILE_DEFAULT;
	size_t i;
	int c;

	guard();
	log_open("posternctl", -1, false);
	while ((c = getopt(argc, argv, "+c:")) != -1) {
		if (c != 'c')
			return usage();
		conf = optarg;
	}
	argc -= optind;
	argv += optind;
	for (i = 0; argc > 0 && i < COMMANDS; i++)
		if (strcmp(argv[0], commands[i].name) == 0)
			return commands[i].run(conf, argc, argv);
	return usage();
}
