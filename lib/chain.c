/* SPDX-License-Identifier: ISC */
/*
 * Certificate chains, see chain.h. The files are the site's own.
 */
#include "lib/chain.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "lib/file.h"

#define CHAIN_MAX	(1U << 20)	/* octets of a file */

STACK_OF(X509) *
chain_read(int fd, const char **why)
{
	STACK_OF(X509) *chain = NULL;
	unsigned char *pem;
	BIO *bio = NULL;
	X509 *x;
	size_t len;

	*why = "the certificate file cannot be read";
	if ((pem = file_load(fd, CHAIN_MAX, &len)) == NULL)
		return NULL;
	*why = "out of memory";
	ERR_clear_error();
	if ((bio = BIO_new_mem_buf(pem, (int)len)) == NULL ||
	    (chain = sk_X509_new_null()) == NULL)
		goto fail;
	while ((x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		if (sk_X509_push(chain, x) == 0) {
			X509_free(x);
			goto fail;
		}
	*why = "the certificate file has no certificate in PEM";
	if (sk_X509_num(chain) == 0)
		goto fail;
	/* The end of the file is not an error, all else is. */
	*why = "a certificate in the file is damaged";
	if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE)
		goto out;
fail:
	sk_X509_pop_free(chain, X509_free);
	chain = NULL;
out:
	ERR_clear_error();
	BIO_free(bio);
	free(pem);
	return chain;
}
