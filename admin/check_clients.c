/* SPDX-License-Identifier: ISC */
/*
 * posternctl check: what clients' certificates are verified by. See check.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "admin/check_impl.h"
#include "certs/cert.h"
#include "lib/chain.h"
#include "lib/conf.h"

/* Is there one in the chain that has signed x? */
static bool
has_issuer(STACK_OF(X509) *chain, X509 *x)
{
	for (int i = 0; i < sk_X509_num(chain); i++)
		if (X509_check_issued(sk_X509_value(chain, i), x) ==
		    X509_V_OK)
			return true;
	return false;
}

static void
check_ca(struct check *k, STACK_OF(X509) *chain, int i)
{
	const char *path = k->conf->tls_client_ca;
	X509 *x = sk_X509_value(chain, i);

	if (X509_check_ca(x) == 0)
		check_error(k, "tls", "client_ca",
		    "%s: certificate %d is not that of a CA", path, i + 1);
	else if (!has_issuer(chain, x))
		check_warn(k, "tls", "client_ca", "%s: certificate %d was "
		    "signed by one that is not there: nothing verifies by it",
		    path, i + 1);
	if (cert_days_left(x, time(NULL)) < 0)
		check_warn(k, "tls", "client_ca",
		    "%s: certificate %d has expired", path, i + 1);
}

static void
check_cas(struct check *k)
{
	const char *path = k->conf->tls_client_ca, *why = NULL;
	STACK_OF(X509) *chain;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd == -1) {
		check_error(k, "tls", "client_ca", "%s: %s", path,
		    strerror(errno));
		return;
	}
	chain = chain_read(fd, &why);
	close(fd);
	if (chain == NULL)
		check_error(k, "tls", "client_ca", "%s: %s", path, why);
	for (int i = 0; i < sk_X509_num(chain); i++)
		check_ca(k, chain, i);
	sk_X509_pop_free(chain, X509_free);
	ERR_clear_error();
}

void
check_clients(struct check *k)
{
	const struct conf *c = k->conf;
	const struct conf_list *mechs = &c->auth_mechanisms;

	if (c->tls_client_certificates != CONF_CLIENTS_NONE) {
		/* That there is none was said. */
		if (c->tls_client_ca[0] != '\0')
			check_cas(k);
		return;
	}
	if (check_bad(k, "tls", "client_certificates"))
		return;
	for (size_t i = 0; i < mechs->n; i++)
		if (strcmp(mechs->item[i], "EXTERNAL") == 0)
			check_warn(k, "auth", "mechanisms", "EXTERNAL is never "
			    "offered: tls.client_certificates is none");
}
