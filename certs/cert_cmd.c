/* SPDX-License-Identifier: ISC */
/*
 * posternctl cert ca|server|client|renew|show. Run by the administrator, who is
 * trusted; what is on the command line is checked all the same. A key is
 * never overwritten without a copy, and never asked for at a terminal.
 */
#include "certs/cert_cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <openssl/err.h>

#include "admin/fail.h"
#include "certs/cert_impl.h"
#include "lib/str.h"

#define DIR_DEFAULT	SYSCONFDIR "/postern/tls"
#define DAYS_MAX	36525

const char cert_cmd_usage[] =
    "cert ca [--dir DIR] [--name TEXT] [--days N] [--passphrase-file FILE]\n"
    "cert server [--dir DIR] [--file BASE] [--days N]\n"
    "            [--passphrase-file FILE] [--ca-passphrase-file FILE]\n"
    "            NAME ...\n"
    "cert client [--dir DIR] [--file BASE] [--days N]\n"
    "            [--passphrase-file FILE] [--ca-passphrase-file FILE]\n"
    "            ADDRESS ...\n"
    "cert renew [--dir DIR] [--file BASE] [--days N] [--within N] [--new-key]\n"
    "            [--passphrase-file FILE] [--ca-passphrase-file FILE]\n"
    "cert show [--dir DIR] [FILE ...]\n";

enum { OPT_DIR = 1, OPT_FILE, OPT_NAME, OPT_DAYS, OPT_WITHIN, OPT_NEW_KEY,
	OPT_PASSPHRASE, OPT_CA_PASSPHRASE, OPT_COUNT };

static const struct option long_options[] = {
	{ "dir", required_argument, NULL, OPT_DIR },
	{ "file", required_argument, NULL, OPT_FILE },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "days", required_argument, NULL, OPT_DAYS },
	{ "within", required_argument, NULL, OPT_WITHIN },
	{ "new-key", no_argument, NULL, OPT_NEW_KEY },
	{ "passphrase-file", required_argument, NULL, OPT_PASSPHRASE },
	{ "ca-passphrase-file", required_argument, NULL, OPT_CA_PASSPHRASE },
	{ NULL, 0, NULL, 0 }
};

#define BIT(opt)	(1u << (opt))
#define CA_OPTIONS	(BIT(OPT_DIR) | BIT(OPT_NAME) | BIT(OPT_DAYS) | \
			    BIT(OPT_PASSPHRASE))
#define SERVER_OPTIONS	(BIT(OPT_DIR) | BIT(OPT_FILE) | BIT(OPT_DAYS) | \
			    BIT(OPT_PASSPHRASE) | BIT(OPT_CA_PASSPHRASE))
#define RENEW_OPTIONS	(SERVER_OPTIONS | BIT(OPT_WITHIN) | BIT(OPT_NEW_KEY))
#define SHOW_OPTIONS	BIT(OPT_DIR)

struct command {
	const char	*name;
	unsigned	 options;	/* BIT of each one it takes */
	int		 min, max;	/* operands; max -1: any number */
	int		(*run)(struct cert_options *, int, char **);
};

int
cert_fail_file(const struct cert_options *o, const char *base,
    const char *suffix, const char *why)
{
	char path[PATH_MAX];
	int e = errno;

	snprintf(path, sizeof(path), "%s/%s%s", o->dir, base, suffix);
	errno = e;
	return e == 0 ? fail_say(EX_DATAERR, path, why) : fail_errno(path);
}

static int
set_number(const char *option, const char *text, uint64_t min, uint64_t *out)
{
	if (str_u64(text, strlen(text), DAYS_MAX, out) == 0 && *out >= min)
		return 0;
	fprintf(stderr, "posternctl: --%s takes days from %d to %d\n", option,
	    (int)min, DAYS_MAX);
	return -1;
}

static int
set_option(struct cert_options *o, int c)
{
	switch (c) {
	case OPT_DIR:
		o->dir = optarg;
		return 0;
	case OPT_FILE:
		o->base = optarg;
		if (store_base_ok(optarg))
			return 0;
		fprintf(stderr, "posternctl: --file takes a name of letters, "
		    "digits, dot, dash and underscore\n");
		return -1;
	case OPT_NAME:
		o->name = optarg;
		return 0;
	case OPT_DAYS:
		return set_number("days", optarg, 1, &o->days);
	case OPT_WITHIN:
		o->within_set = true;
		return set_number("within", optarg, 0, &o->within);
	case OPT_NEW_KEY:
		o->new_key = true;
		return 0;
	case OPT_PASSPHRASE:
		o->passphrase_file = optarg;
		return 0;
	case OPT_CA_PASSPHRASE:
		o->ca_passphrase_file = optarg;
		return 0;
	default:
		return -1;
	}
}

static int
parse(struct cert_options *o, const struct command *cmd, int argc,
    char **argv)
{
	int c;

	optind = 0;		/* glibc: start over */
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (c >= OPT_COUNT || (cmd->options & BIT(c)) == 0) {
			fprintf(stderr, "posternctl: cert %s: bad option %s\n",
			    cmd->name, argv[optind - 1]);
			return -1;
		}
		if (set_option(o, c) == -1)
			return -1;
	}
	argc -= optind;
	return argc < cmd->min || (cmd->max >= 0 && argc > cmd->max) ? -1 : 0;
}

static int
read_passphrase(const char *path, char out[KEYS_PASSPHRASE_MAX])
{
	const char *why;
	struct stat st;
	int fd, status = EX_OK;

	if (path == NULL)
		return EX_OK;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) == -1)
		return fail_errno(path);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & S_IROTH) != 0)
		fail_say(EX_OK, path, "warning: everybody may read it");
	if (keys_load_passphrase(fd, out, &why) == -1)
		status = fail_say(EX_DATAERR, path, why);
	close(fd);
	return status;
}

static const struct command commands[] = {
	{ "ca", CA_OPTIONS, 0, 0, cert_run_ca },
	{ "server", SERVER_OPTIONS, 1, -1, cert_run_server },
	{ "client", SERVER_OPTIONS, 1, -1, cert_run_client },
	{ "renew", RENEW_OPTIONS, 0, 0, cert_run_renew },
	{ "show", SHOW_OPTIONS, 0, -1, cert_run_show },
};

int
cert_cmd(int argc, char **argv)
{
	struct cert_options o = { .dir = DIR_DEFAULT };
	const struct command *cmd = NULL;
	size_t i;
	int status;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (argc > 0 && strcmp(argv[0], commands[i].name) == 0)
			cmd = &commands[i];
	o.now = time(NULL);
	if (cmd == NULL || parse(&o, cmd, argc, argv) == -1)
		return fail_usage(cert_cmd_usage);
	status = read_passphrase(o.passphrase_file, o.passphrase);
	if (status == EX_OK)
		status = read_passphrase(o.ca_passphrase_file,
		    o.ca_passphrase);
	if (status == EX_OK)
		status = cmd->run(&o, argc - optind, argv + optind);
	str_wipe(o.passphrase, sizeof(o.passphrase));
	str_wipe(o.ca_passphrase, sizeof(o.ca_passphrase));
	ERR_clear_error();
	return status;
}
