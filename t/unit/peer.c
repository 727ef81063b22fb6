/* SPDX-License-Identifier: ISC */
/*
 * A server and a client for the tests of conn.h. See peer.h.
 */
#include "t/unit/peer.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keys/sign.h"
#include "t/unit/pki.h"

bool peer_sign_fails;
unsigned peer_signatures;

void
peer_failed(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}

static size_t
on_input(void *arg, const unsigned char *data, size_t len)
{
	struct end *e = arg;

	e->inputs++;
	NEED(len > 0 && e->ends == 0);
	if (e->input != NULL)
		return e->input(e, data, len);
	NEED(buf_add(&e->got, data, len) == 0);
	return len;
}

static void
on_eof(void *arg)
{
	struct end *e = arg;

	e->eofs++;
	if (e->eof != NULL)
		e->eof(e);
	else
		conn_close(e->conn);
}

static void
on_secured(void *arg)
{
	struct end *e = arg;

	e->secures++;
	if (e->secured != NULL)
		e->secured(e);
}

static void
on_drained(void *arg)
{
	struct end *e = arg;

	e->drains++;
	NEED(conn_queued(e->conn) == 0);
	if (e->drained != NULL)
		e->drained(e);
}

static void
on_timeout(void *arg)
{
	struct end *e = arg;

	e->timeouts++;
	if (e->timeout != NULL)
		e->timeout(e);
	else
		conn_drop(e->conn);
}

static void
on_ended(void *arg, enum conn_end why)
{
	struct end *e = arg;

	e->ends++;
	e->why = why;
	snprintf(e->error, sizeof(e->error), "%s", conn_error(e->conn));
	if (conn_tls_version(e->conn) != NULL) {
		snprintf(e->version, sizeof(e->version), "%s",
		    conn_tls_version(e->conn));
		snprintf(e->cipher, sizeof(e->cipher), "%s",
		    conn_tls_cipher(e->conn));
		e->bits = conn_tls_bits(e->conn);
	}
	e->in = conn_octets_in(e->conn);
	e->out = conn_octets_out(e->conn);
	e->conn = NULL;
	event_base_loopbreak(e->base);
}

static const struct conn_ops ops = {
	.input = on_input, .secured = on_secured, .drained = on_drained,
	.timeout = on_timeout, .ended = on_ended,
};
static const struct conn_ops half_ops = {
	.input = on_input, .eof = on_eof, .secured = on_secured,
	.drained = on_drained, .timeout = on_timeout, .ended = on_ended,
};

static void
tcp_pair(int sv[2])
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int lfd = socket(AF_INET, SOCK_STREAM, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	NEED(lfd != -1 && bind(lfd, (struct sockaddr *)&sin, len) == 0 &&
	    listen(lfd, 1) == 0 &&
	    getsockname(lfd, (struct sockaddr *)&sin, &len) == 0);
	sv[1] = socket(AF_INET, SOCK_STREAM, 0);
	NEED(sv[1] != -1 &&
	    connect(sv[1], (struct sockaddr *)&sin, sizeof(sin)) == 0);
	sv[0] = accept4(lfd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	NEED(sv[0] != -1);
	close(lfd);
}

int
peer_start(struct end *e, bool half_close)
{
	int sv[2];

	tcp_pair(sv);
	buf_init(&e->got, 64U << 20);
	if (e->base == NULL)
		e->base = event_base_new();
	e->conn = conn_new(e->base, sv[0], half_close ? &half_ops : &ops, e);
	NEED(e->conn != NULL);
	if (e->deadline != 0)
		conn_deadline(e->conn, e->deadline);
	if (e->tls != NULL)
		NEED(conn_start_tls(e->conn, e->tls) == 0);
	return sv[1];
}

static void
too_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	peer_failed(__FILE__, __LINE__, "no end within 20 s");
}

void
peer_finish(struct end *e)
{
	struct timeval tv = { 20, 0 };
	struct event *guard = event_new(e->base, -1, 0, too_late, NULL);

	event_add(guard, &tv);
	while (e->ends == 0)
		NEED(event_base_dispatch(e->base) == 0);
	event_free(guard);
	/* Whatever is still to come would be wrong. */
	event_base_loop(e->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	NEED(e->ends == 1);
}

struct client {
	peer_fn	*fn;
	void	*arg;
	int	 fd;
};

static void *
client_main(void *arg)
{
	struct client *c = arg;

	c->fn(c->fd, c->arg);
	return NULL;
}

void
peer_run(struct end *e, peer_fn *fn, void *arg, bool half_close)
{
	struct client c = { .fn = fn, .arg = arg };
	pthread_t thread;

	c.fd = peer_start(e, half_close);
	NEED(pthread_create(&thread, NULL, client_main, &c) == 0);
	peer_finish(e);
	pthread_join(thread, NULL);
}

void
peer_free(struct end *e)
{
	buf_free(&e->got);
	if (e->base != NULL)
		event_base_free(e->base);
}

void
peer_write(int fd, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	for (; len > 0; len -= (size_t)n, p += n)
		NEED((n = write(fd, p, len)) > 0);
}

long
peer_read(int fd, void *data, size_t len)
{
	char *p = data;
	size_t have = 0;
	ssize_t n;

	while (have < len && (n = read(fd, p + have, len - have)) != 0) {
		if (n == -1)
			return -1;
		have += (size_t)n;
	}
	return (long)have;
}

SSL *
peer_ssl(int fd, void (*setup)(SSL_CTX *))
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl;

	NEED(ctx != NULL);
	if (setup != NULL)
		setup(ctx);
	ssl = SSL_new(ctx);
	NEED(ssl != NULL && SSL_set_fd(ssl, fd) == 1);
	SSL_set_connect_state(ssl);
	SSL_CTX_free(ctx);
	return ssl;
}

SSL *
peer_connect(int fd, void (*setup)(SSL_CTX *))
{
	SSL *ssl = peer_ssl(fd, setup);

	if (SSL_do_handshake(ssl) == 1)
		return ssl;
	SSL_free(ssl);
	return NULL;
}

void
peer_tls_read(SSL *ssl, void *data, size_t len)
{
	char *p = data;
	size_t n;

	for (; len > 0; len -= n, p += n)
		NEED(SSL_read_ex(ssl, p, len, &n) == 1);
}

void
peer_tls_close(SSL *ssl, int fd)
{
	char data[16];
	size_t n;

	NEED(SSL_shutdown(ssl) >= 0);
	NEED(SSL_read_ex(ssl, data, sizeof(data), &n) == 0);
	NEED(SSL_get_error(ssl, 0) == SSL_ERROR_ZERO_RETURN);
	SSL_free(ssl);
	close(fd);
}

unsigned char
peer_octet(size_t i)
{
	return (unsigned char)(i ^ i >> 8 ^ i >> 16);
}

/* As the process "keys" signs, in this one. */
static int
sign(void *arg, unsigned number, enum tls_algorithm algorithm,
    const unsigned char *in, size_t len, unsigned char *sig, size_t *siglen)
{
	EVP_PKEY **keys = arg;
	struct keys_request request = { .type = KEYS_SIGN };
	struct keys_reply reply;

	peer_signatures++;
	if (peer_sign_fails)
		return -1;
	request.algorithm = algorithm;
	request.len = (uint32_t)len;
	memcpy(request.data, in, len);
	keys_sign(keys[number], &request, &reply);
	if (reply.status != KEYS_OK) {
		fprintf(stderr, "peer: refused %u\n", reply.status);
		return -1;
	}
	memcpy(sig, reply.sig, reply.len);
	*siglen = reply.len;
	return 0;
}

struct tls *
peer_tls(enum tls_use use, bool only_13)
{
	static EVP_PKEY *keys[2];
	static X509 *certs[2];
	const char *why = "";
	struct tls *tls = tls_new(use, only_13, sign, keys);

	NEED(tls != NULL);
	for (unsigned i = 0; i < 2; i++) {
		if (keys[i] == NULL) {
			keys[i] = pki_key(i == 0 ? "P-256" : "rsa", 2048);
			certs[i] = pki_cert(keys[i], "localhost", -86400,
			    86400, NULL, NULL);
		}
		int fd = pki_cert_fd(certs[i], NULL);

		NEED(tls_add_chain(tls, i, fd, &why) == 0);
		close(fd);
	}
	return tls;
}
