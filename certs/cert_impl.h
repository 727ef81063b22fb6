/* SPDX-License-Identifier: ISC */
/*
 * What the files of "posternctl cert" share: the options of one run, and
 * saying what went wrong. Each function returns an exit status
 * (sysexits(3)), EX_OK for success, having said on standard error what
 * failed.
 */
#ifndef POSTERN_CERT_IMPL_H
#define POSTERN_CERT_IMPL_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "certs/cert.h"
#include "certs/store.h"
#include "keys/check.h"

#define CERT_CA_BASE		"ca"
#define CERT_SERVER_BASE	"server"

struct cert_options {
	const char	*dir;
	const char	*base;		/* NULL: the default */
	const char	*name;
	const char	*passphrase_file;
	const char	*ca_passphrase_file;
	uint64_t	 days;		/* 0: the default */
	uint64_t	 within;
	bool		 within_set;
	bool		 new_key;
	time_t		 now;
	/* what the files hold; wiped by cert_cmd() */
	char		 passphrase[KEYS_PASSPHRASE_MAX];
	char		 ca_passphrase[KEYS_PASSPHRASE_MAX];
};

/*
 * Say why of the file BASE and suffix in the folder of o; with errno not 0
 * the text of that instead.
 */
int	 cert_fail_file(const struct cert_options *o, const char *base,
	    const char *suffix, const char *why);

int	 cert_run_ca(struct cert_options *, int argc, char **argv);
int	 cert_run_server(struct cert_options *, int argc, char **argv);
int	 cert_run_client(struct cert_options *, int argc, char **argv);
int	 cert_run_renew(struct cert_options *, int argc, char **argv);
int	 cert_run_show(struct cert_options *, int argc, char **argv);

#endif
