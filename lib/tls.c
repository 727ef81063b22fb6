/* SPDX-License-Identifier: ISC */
/*
 * The server context of TLS. Sessions only, set up before they are confined.
 * The certificate files are the site's own. What a client may negotiate is
 * said here and nowhere else: the library's conf file is not read.
 */
#include "lib/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/chain.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/tls_key.h"

/* TLS 1.2; those of 1.3 are AEAD suites all. */
#define TLS_CIPHERS	"ECDHE+AESGCM:ECDHE+CHACHA20"
#define TLS_GROUPS	"X25519:P-256:P-384"
#define TLS_SIGALGS							\
	"ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:"			\
	"RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:"			\
	"RSA+SHA256:RSA+SHA384:RSA+SHA512"
/* Clients' keys are not ours to choose. */
#define TLS_CLIENT_SIGALGS	TLS_SIGALGS ":ed25519"

struct tls {
	SSL_CTX		*ctx;
	tls_sign_fn	*sign;
	void		*arg;
	struct tls_key	*keys[CONF_CERTS_MAX];
	size_t		 nkeys;
};

/* RFC 7301, 3.2: offered, but not ours: no_application_protocol. */
static int
tls_choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *outlen,
    const unsigned char *in, unsigned int inlen, void *arg)
{
	static const char ours[] = "http/1.1";
	const size_t len = sizeof(ours) - 1;

	(void)ssl;
	(void)arg;
	for (unsigned int i = 0; i < inlen && in[i] < inlen - i;
	    i += 1U + in[i])
		if (in[i] == len && memcmp(in + i + 1, ours, len) == 0) {
			*out = in + i + 1;
			*outlen = in[i];
			return SSL_TLSEXT_ERR_OK;
		}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int
tls_set_up(SSL_CTX *ctx, enum tls_use use, bool only_13)
{
	/* The library's macros cast const away, so they get what is not. */
	char groups[] = TLS_GROUPS, sigalgs[] = TLS_SIGALGS;
	int minimum = use == TLS_USE_HTTP || only_13 ? TLS1_3_VERSION :
	    TLS1_2_VERSION;

	if (SSL_CTX_set_min_proto_version(ctx, minimum) != 1 ||
	    SSL_CTX_set_cipher_list(ctx, TLS_CIPHERS) != 1 ||
	    SSL_CTX_set1_groups_list(ctx, groups) != 1 ||
	    SSL_CTX_set1_sigalgs_list(ctx, sigalgs) != 1 ||
	    SSL_CTX_set_num_tickets(ctx, 0) != 1 ||
	    SSL_CTX_set_max_early_data(ctx, 0) != 1)
		return -1;
	SSL_CTX_set_security_level(ctx, 2);
	SSL_CTX_clear_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION |
	    SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
	    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
	    SSL_OP_CLEANSE_PLAINTEXT);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS |
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
	/* A flood of key updates must not keep us within one call. */
	SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
	/* One system call for the head and the body of a record. */
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	if (use == TLS_USE_HTTP)
		SSL_CTX_set_alpn_select_cb(ctx, tls_choose_alpn, NULL);
	return 0;
}

struct tls *
tls_new(enum tls_use use, bool only_13, tls_sign_fn *sign, void *arg)
{
	struct tls *t;

	if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return NULL;
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	t->sign = sign;
	t->arg = arg;
	if ((t->ctx = SSL_CTX_new(TLS_server_method())) == NULL ||
	    tls_set_up(t->ctx, use, only_13) == -1)
		tls_free(&t);
	ERR_clear_error();
	return t;
}

void
tls_free(struct tls **tp)
{
	struct tls *t = *tp;

	if (t == NULL)
		return;
	SSL_CTX_free(t->ctx);
	for (size_t i = 0; i < t->nkeys; i++)
		tls_key_free(t->keys[i]);
	free(t);
	*tp = NULL;
}

/* All of chain into a store, their names into a list; both the ctx's. */
static int
tls_take_cas(SSL_CTX *ctx, STACK_OF(X509) *chain)
{
	STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
	X509_STORE *store = X509_STORE_new();
	int r = -1;

	if (names == NULL || store == NULL)
		goto out;
	for (int i = 0; i < sk_X509_num(chain); i++) {
		X509 *x = sk_X509_value(chain, i);
		X509_NAME *name = X509_NAME_dup(X509_get_subject_name(x));

		if (name == NULL || sk_X509_NAME_push(names, name) == 0) {
			X509_NAME_free(name);
			goto out;
		}
		if (X509_STORE_add_cert(store, x) != 1)
			goto out;
	}
	/* Not the ctx's own store: that one would lengthen our chain. */
	if (SSL_CTX_set1_verify_cert_store(ctx, store) != 1)
		goto out;
	SSL_CTX_set_client_CA_list(ctx, names);
	names = NULL;
	r = 0;
out:
	sk_X509_NAME_pop_free(names, X509_NAME_free);
	X509_STORE_free(store);
	return r;
}

/* A CA by RFC 5280, section 4.2.1.9, or one older than that. */
static bool
tls_are_cas(STACK_OF(X509) *chain)
{
	for (int i = 0; i < sk_X509_num(chain); i++)
		if (X509_check_ca(sk_X509_value(chain, i)) == 0)
			return false;
	return true;
}

int
tls_set_clients(struct tls *t, const struct tls_client_rules *rules,
    int ca_fd, const char **why)
{
	char sigalgs[] = TLS_CLIENT_SIGALGS;
	STACK_OF(X509) *chain;
	int r = -1;

	if (rules->mode == TLS_CLIENTS_NONE)
		return 0;
	ERR_clear_error();
	if ((chain = chain_read(ca_fd, why)) == NULL)
		return -1;
	*why = "a certificate in the file is not that of a CA";
	if (!tls_are_cas(chain))
		goto out;
	*why = "the certificates cannot be used to verify clients";
	if (tls_take_cas(t->ctx, chain) == -1 ||
	    SSL_CTX_set1_client_sigalgs_list(t->ctx, sigalgs) != 1 ||
	    SSL_CTX_set_purpose(t->ctx, X509_PURPOSE_SSL_CLIENT) != 1)
		goto out;
	SSL_CTX_set_verify_depth(t->ctx, (int)rules->depth);
	SSL_CTX_set_max_cert_list(t->ctx, (long)rules->size);
	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER |
	    (rules->mode == TLS_CLIENTS_REQUIRE ?
	    SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
	r = 0;
out:
	sk_X509_pop_free(chain, X509_free);
	ERR_clear_error();
	return r;
}

/* Why the library did not take a certificate. */
static const char *
tls_refusal(void)
{
	switch (ERR_GET_REASON(ERR_peek_last_error())) {
	case SSL_R_NOT_REPLACING_CERTIFICATE:
		return "there is a certificate with this type of key already";
	case SSL_R_EE_KEY_TOO_SMALL:
	case SSL_R_CA_KEY_TOO_SMALL:
		return "a certificate's key is too short";
	case SSL_R_CA_MD_TOO_WEAK:
		return "a certificate is signed with a weak digest";
	default:
		return "the certificate cannot be used for TLS";
	}
}

int
tls_add_chain(struct tls *t, unsigned number, int fd, const char **why)
{
	STACK_OF(X509) *chain;
	struct tls_key *key = NULL;
	X509 *x = NULL;
	EVP_PKEY *pub;
	int r = -1;

	ERR_clear_error();
	if ((chain = chain_read(fd, why)) == NULL)
		return -1;
	x = sk_X509_shift(chain);
	*why = "the certificate's key cannot be used";
	if ((pub = X509_get0_pubkey(x)) == NULL)
		goto out;
	if ((key = tls_key_new(pub, number, t->sign, t->arg, why)) == NULL)
		goto out;
	if (SSL_CTX_use_cert_and_key(t->ctx, x, tls_key_pkey(key), chain,
	    0) != 1) {
		*why = tls_refusal();
		goto out;
	}
	if (t->nkeys == CONF_CERTS_MAX)
		abort();	/* one of each type: the library sees to it */
	t->keys[t->nkeys++] = key;
	key = NULL;
	r = 0;
out:
	tls_key_free(key);
	X509_free(x);
	sk_X509_pop_free(chain, X509_free);
	ERR_clear_error();
	return r;
}

int
tls_add_chains(struct tls *t, int *fds, unsigned n)
{
	const char *why;
	int r = 0;

	for (unsigned i = 0; i < n; i++) {
		if (fds[i] == -1)
			continue;
		if (tls_add_chain(t, i, fds[i], &why) == -1) {
			log_err("tls: certificate=%u: %s", i, why);
			r = -1;
		}
		close(fds[i]);
		fds[i] = -1;
	}
	return r;
}

SSL *
tls_session(struct tls *t, int fd)
{
	SSL *ssl;

	if ((ssl = SSL_new(t->ctx)) == NULL)
		return NULL;
	if (SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_accept_state(ssl);
	return ssl;
}
