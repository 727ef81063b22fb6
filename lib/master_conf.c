/* SPDX-License-Identifier: ISC */
/*
 * One generation of a master: its reading of the conf and the files that the
 * conf names, opened once so that all its processes see the same ones.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/counts.h"
#include "lib/log.h"
#include "lib/master_impl.h"
#include "lib/str.h"

#define CONF_SIZE_MAX	(1024 * 1024)
#define SECRET_MAX	4096

/*
 * Copy what can be read from fd, at most max octets, to sealed memory, so
 * that it can be read again whatever becomes of the file. -1 and errno.
 */
static int
copy_to_memory(int fd, const char *name, size_t max)
{
	unsigned char buf[4096];
	size_t total = 0;
	ssize_t n;
	int mem;

	if ((mem = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING)) == -1)
		return -1;
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		total += (size_t)n;
		if (total > max) {
			errno = EFBIG;
			n = -1;
			break;
		}
		if (write(mem, buf, (size_t)n) != n) {
			n = -1;
			break;
		}
	}
	str_wipe(buf, sizeof(buf));
	if (n == -1 || fcntl(mem, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW |
	    F_SEAL_WRITE | F_SEAL_SEAL) == -1) {
		close(mem);
		return -1;
	}
	return mem;
}

static int
read_conf(struct generation *g)
{
	const char *path = g->master->conf_path;
	char self[64];
	FILE *fp;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1) {
		log_err("conf: %s: %m", path);
		return -1;
	}
	g->conf_fd = copy_to_memory(fd, "conf", CONF_SIZE_MAX);
	close(fd);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", g->conf_fd);
	if (g->conf_fd == -1 || (fp = fopen(self, "re")) == NULL) {
		log_err("conf: %s: %m", path);
		return -1;
	}
	g->conf = conf_read(fp, path, conf_fault_log, NULL);
	fclose(fp);
	return g->conf == NULL ? -1 : 0;
}

static int
open_passphrase(const char *spec)
{
	const char *folder;
	char path[4096];
	uint64_t number;
	int fd, mem;

	/* The conf's check has seen to it that this is a number. */
	if (strncmp(spec, "fd:", 3) == 0 &&
	    str_u64(spec + 3, strlen(spec + 3), 1023, &number) == 0)
		return copy_to_memory((int)number, "passphrase", SECRET_MAX);
	if (strncmp(spec, "credential:", 11) == 0) {
		if ((folder = getenv("CREDENTIALS_DIRECTORY")) == NULL) {
			errno = ENOENT;
			return -1;
		}
		snprintf(path, sizeof(path), "%s/%s", folder, spec + 11);
		spec = path;
	}
	if ((fd = open(spec, O_RDONLY | O_CLOEXEC)) == -1)
		return -1;
	mem = copy_to_memory(fd, "passphrase", SECRET_MAX);
	close(fd);
	return mem;
}

/* The passphrase comes once by fd:N: a reload keeps what it was. */
static int
take_passphrase(struct generation *g)
{
	const char *spec = g->conf->tls_passphrase;
	const struct generation *old = LIST_FIRST(&g->master->generations);

	if (spec[0] == '\0')
		return 0;
	if (strncmp(spec, "fd:", 3) == 0 && old != NULL)
		g->passphrase_fd = fcntl(old->passphrase_fd,
		    F_DUPFD_CLOEXEC, 0);
	else
		g->passphrase_fd = open_passphrase(spec);
	if (g->passphrase_fd != -1)
		return 0;
	log_err("conf: tls.passphrase: %s: %m", spec);
	return -1;
}

static int
open_pairs(struct generation *g)
{
	const struct conf *c = g->conf;
	int bad = 0;

	for (size_t i = 0; i < c->tls_keys.n && i < CONF_CERTS_MAX; i++) {
		g->cert_fd[i] = open(c->tls_certificates.item[i],
		    O_RDONLY | O_CLOEXEC);
		if (g->cert_fd[i] == -1) {
			log_err("conf: tls.certificates: %s: %m",
			    c->tls_certificates.item[i]);
			bad = -1;
		}
		g->key_fd[i] = open(c->tls_keys.item[i], O_RDONLY | O_CLOEXEC);
		if (g->key_fd[i] == -1) {
			log_err("conf: tls.keys: %s: %m", c->tls_keys.item[i]);
			bad = -1;
		}
	}
	return take_passphrase(g) == -1 ? -1 : bad;
}

/* For a service one of whose roles looks at clients' certificates. */
static int
open_client_ca(struct generation *g)
{
	const struct master_spec *spec = g->master->spec;
	const char *path = g->conf->tls_client_ca;
	bool wanted = false;

	for (size_t i = 0; i < spec->nroles; i++)
		wanted |= spec->roles[i].client_ca;
	if (!wanted ||
	    g->conf->tls_client_certificates == CONF_CLIENTS_NONE)
		return 0;
	g->client_ca_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (g->client_ca_fd != -1)
		return 0;
	log_err("conf: tls.client_ca: %s: %m", path);
	return -1;
}

/* Does any role of this service take part in TLS? */
static bool
has_tls(const struct master_spec *spec)
{
	for (size_t i = 0; i < spec->nroles; i++)
		if (spec->roles[i].certs || spec->roles[i].keys)
			return true;
	return false;
}

static int
make_counts(struct generation *g)
{
	const struct master_spec *spec = g->master->spec;

	for (size_t i = 0; i < spec->nroles; i++) {
		if (!spec->roles[i].counts)
			continue;
		g->counts_fd = counts_create(spec->count(spec->roles[i].role,
		    g->conf));
		if (g->counts_fd == -1 ||
		    (g->counts = counts_map(g->counts_fd, 0)) == NULL) {
			log_err("master: shared counters: %m");
			return -1;
		}
	}
	return 0;
}

struct generation *
generation_new(struct master *m, int *status)
{
	struct generation *g, *old = LIST_FIRST(&m->generations);

	*status = EX_OSERR;
	if ((g = calloc(1, sizeof(*g))) == NULL)
		return NULL;
	g->master = m;
	g->conf_fd = g->passphrase_fd = g->client_ca_fd = g->counts_fd = -1;
	for (size_t i = 0; i < CONF_CERTS_MAX; i++)
		g->cert_fd[i] = g->key_fd[i] = -1;
	*status = EX_CONFIG;
	if (read_conf(g) == -1 || (has_tls(m->spec) && open_pairs(g) == -1) ||
	    open_client_ca(g) == -1)
		goto fail;
	*status = EX_OSERR;
	if (make_counts(g) == -1)
		goto fail;
	*status = EX_UNAVAILABLE;
	if (listeners_open(&g->listeners, old == NULL ? NULL :
	    &old->listeners, &m->inheritance, m->spec, g->conf) == -1 ||
	    (old == NULL && inherit_check(&m->inheritance) == -1))
		goto fail;
	return g;
fail:
	generation_free(&g);
	return NULL;
}

static void
close_if_open(int fd)
{
	if (fd != -1)
		close(fd);
}

void
generation_free(struct generation **gp)
{
	struct generation *g = *gp;

	*gp = NULL;
	listeners_close(&g->listeners);
	for (size_t i = 0; i < CONF_CERTS_MAX; i++) {
		close_if_open(g->cert_fd[i]);
		close_if_open(g->key_fd[i]);
	}
	close_if_open(g->conf_fd);
	close_if_open(g->passphrase_fd);
	close_if_open(g->client_ca_fd);
	close_if_open(g->counts_fd);
	counts_unmap(&g->counts);
	conf_free(&g->conf);
	free(g);
}
