/* SPDX-License-Identifier: ISC */
/*
 * posternctl metrics: the numbers of the services, once to standard output
 * or to whoever asks for them over HTTP. To serve it gives up all rights but
 * that of reading what everyone may read.
 */
#include <libgen.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "admin/admin.h"
#include "admin/fail.h"
#include "admin/numbers.h"
#include "admin/scrape.h"
#include "lib/buf.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/priv.h"

#define TEXT_MAX	(1U << 20)

/* Of the system users the one that owns no file and may read none's. */
#define USER		"postern-session"

const char metrics_cmd_usage[] = "metrics [--listen address]\n";

static int
print(const char *run_dir)
{
	struct numbers *n = numbers_read(run_dir);
	struct buf text;
	int status = EX_OK;

	buf_init(&text, TEXT_MAX);
	if (n == NULL || numbers_openmetrics(n, &text) == -1)
		status = fail_errno("metrics");
	else if (fwrite(buf_data(&text), 1, text.len, stdout) != text.len ||
	    fflush(stdout) != 0)
		status = fail_errno("standard output");
	buf_free(&text);
	free(n);
	return status;
}

/*
 * The folder of the run folder, for systems that make the latter anew with
 * each start of a service: rights to a folder are not those to its name.
 */
static int
confine(const char *run_dir)
{
	static const int calls[] = {
		SCMP_SYS(accept4), SCMP_SYS(openat), SCMP_SYS(open),
		SCMP_SYS(getdents64), SCMP_SYS(newfstatat), SCMP_SYS(stat),
		SCMP_SYS(pread64), SCMP_SYS(fcntl), SCMP_SYS(signalfd4),
		-1
	};
	struct priv_profile p = { .calls = calls, .nofile = 64 };
	char path[4096];

	snprintf(path, sizeof(path), "%s", run_dir);
	p.paths[0] = (struct priv_path){ dirname(path), PRIV_READ };
	if (chdir("/") == -1 || priv_become(USER) == -1)
		return fail_say(EX_NOUSER, USER, "cannot become this user");
	if (priv_confine_files(&p) == -1 || priv_confine_calls(&p) == -1)
		return fail_errno("confinement");
	return EX_OK;
}

static int
serve(const char *address, const char *run_dir)
{
	char name[128];
	int fd, status;

	if ((fd = scrape_listen(address, name, sizeof(name), &status)) == -1)
		return status;
	if ((status = confine(run_dir)) == EX_OK) {
		log_notice("metrics: listening address=%s", name);
		status = scrape_serve(fd, run_dir);
	}
	close(fd);
	return status;
}

int
metrics_cmd(const char *path, int argc, char **argv)
{
	struct conf *c = NULL;
	int status;

	if (argc != 1 && (argc != 3 || strcmp(argv[1], "--listen") != 0))
		return fail_usage(metrics_cmd_usage);
	if ((status = admin_conf(path, &c)) != EX_OK)
		return status;
	status = argc == 1 ? print(c->run_dir) : serve(argv[2], c->run_dir);
	conf_free(&c);
	return status;
}
