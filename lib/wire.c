/* SPDX-License-Identifier: ISC */
/*
 * Octets to and from a socket, plain or TLS. Sessions only; what comes in is
 * hostile. Invariants: the error queue is empty before each call of the
 * library, and after a fatal error none is made but to free (SSL_get_error(3)).
 */
#include "lib/wire.h"

#include <sys/socket.h>

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>
#include <unistd.h>

#include "lib/tls.h"
#include "lib/tls_names.h"

void
wire_init(struct wire *w, int fd)
{
	*w = (struct wire){ .fd = fd };
}

void
wire_free(struct wire *w)
{
	SSL_free(w->ssl);
	w->ssl = NULL;
	w->secure = false;
}

int
wire_start_tls(struct wire *w, struct tls *tls)
{
	if ((w->ssl = tls_session(tls, w->fd)) != NULL)
		return 0;
	ERR_clear_error();
	errno = ENOMEM;
	return -1;
}

/* Sort out why read(2) or write(2) failed. */
static enum wire_result
wire_errno(struct wire *w, int error, enum wire_result again)
{
	switch (error) {
	case EAGAIN:
	case EINTR:
		return again;
	case ECONNRESET:
	case EPIPE:
		w->error = "connection reset";
		break;
	case ETIMEDOUT:
		w->error = "connection timed out";
		break;
	default:
		w->error = "socket error";
	}
	w->broken = true;
	return WIRE_RESET;
}

static enum wire_result
wire_cut(struct wire *w)
{
	w->broken = true;
	w->error = "end of data without close_notify";
	return WIRE_CUT;
}

/* The result of a call of the library that returned ret, not success. */
static enum wire_result
wire_tls_result(struct wire *w, int ret)
{
	int error = errno;
	unsigned long code;

	switch (SSL_get_error(w->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		return WIRE_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return WIRE_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return WIRE_EOF;
	case SSL_ERROR_SYSCALL:
		if (error == 0)
			return wire_cut(w);
		return wire_errno(w, error, WIRE_WANT_READ);
	default:
		break;
	}
	code = ERR_peek_error();
	if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return wire_cut(w);
	w->broken = true;
	if (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED)
		w->error = X509_verify_cert_error_string(
		    SSL_get_verify_result(w->ssl));
	else if ((w->error = ERR_reason_error_string(code)) == NULL)
		w->error = "TLS failed";
	ERR_clear_error();
	return WIRE_BAD;
}

/* What every call of the library wants to find. */
static void
wire_prepare(void)
{
	ERR_clear_error();
	errno = 0;
}

enum wire_result
wire_handshake(struct wire *w)
{
	enum wire_result r;
	int ret;

	w->tls = true;
	wire_prepare();
	if ((ret = SSL_do_handshake(w->ssl)) == 1) {
		w->secure = true;
		return WIRE_DONE;
	}
	r = wire_tls_result(w, ret);
	if (r == WIRE_EOF || r == WIRE_CUT) {
		w->error = "the peer closed during the handshake";
		w->broken = true;
		r = WIRE_CUT;
	}
	return r;
}

enum wire_result
wire_read(struct wire *w, void *data, size_t cap, size_t *n)
{
	ssize_t got;

	if (w->tls) {
		wire_prepare();
		if (SSL_read_ex(w->ssl, data, cap, n) == 1)
			return WIRE_DONE;
		return wire_tls_result(w, 0);
	}
	if ((got = read(w->fd, data, cap)) == -1)
		return wire_errno(w, errno, WIRE_WANT_READ);
	*n = (size_t)got;
	return got == 0 ? WIRE_EOF : WIRE_DONE;
}

enum wire_result
wire_write(struct wire *w, const void *data, size_t len, size_t *n)
{
	ssize_t put;

	if (w->tls) {
		wire_prepare();
		if (SSL_write_ex(w->ssl, data, len, n) == 1)
			return WIRE_DONE;
		return wire_tls_result(w, 0);
	}
	if ((put = write(w->fd, data, len)) == -1)
		return wire_errno(w, errno, WIRE_WANT_WRITE);
	*n = (size_t)put;
	return WIRE_DONE;
}

enum wire_result
wire_shutdown(struct wire *w)
{
	enum wire_result result;
	int ret;

	if (w->secure && !w->broken) {
		wire_prepare();
		/* 0: ours is out, the peer's has not come; enough. */
		if ((ret = SSL_shutdown(w->ssl)) < 0) {
			result = wire_tls_result(w, ret);
			if (result == WIRE_WANT_WRITE ||
			    result == WIRE_WANT_READ)
				return result;
		}
	}
	return shutdown(w->fd, SHUT_WR) == -1 ? WIRE_RESET : WIRE_DONE;
}

bool
wire_pending(const struct wire *w)
{
	return w->secure && SSL_has_pending(w->ssl) == 1;
}

enum wire_result
wire_discard(struct wire *w, void *data, size_t cap, size_t *n)
{
	ssize_t got;

	if ((got = read(w->fd, data, cap)) == -1)
		return errno == EAGAIN || errno == EINTR ? WIRE_WANT_READ :
		    WIRE_RESET;
	*n = (size_t)got;
	return got == 0 ? WIRE_EOF : WIRE_DONE;
}

const char *
wire_version(const struct wire *w)
{
	return w->secure ? SSL_get_version(w->ssl) : NULL;
}

const char *
wire_cipher(const struct wire *w)
{
	return w->secure ? SSL_get_cipher_name(w->ssl) : NULL;
}

int
wire_bits(const struct wire *w)
{
	return w->secure ? SSL_get_cipher_bits(w->ssl, NULL) : 0;
}

size_t
wire_exporter(const struct wire *w, unsigned char out[WIRE_EXPORTER])
{
	static const char label[] = "EXPORTER-Channel-Binding";
	static const unsigned char context[1];	/* of length 0, but there */

	if (!w->secure || (SSL_version(w->ssl) < TLS1_3_VERSION &&
	    SSL_get_extms_support(w->ssl) != 1))
		return 0;
	wire_prepare();
	return SSL_export_keying_material(w->ssl, out, WIRE_EXPORTER, label,
	    sizeof(label) - 1, context, 0, 1) == 1 ? WIRE_EXPORTER : 0;
}

/* RFC 5929, section 4.1: for MD5 and SHA-1 it is SHA-256. */
static const EVP_MD *
wire_endpoint_digest(X509 *x)
{
	int digest;

	if (X509_get_signature_info(x, &digest, NULL, NULL, NULL) != 1)
		return NULL;
	if (digest == NID_md5 || digest == NID_sha1 || digest == NID_md5_sha1)
		return EVP_sha256();
	return EVP_get_digestbynid(digest);
}

size_t
wire_endpoint(const struct wire *w, unsigned char out[WIRE_ENDPOINT_MAX])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	const EVP_MD *md;
	unsigned int len;
	X509 *x;

	/* The one of ours that this client was sent. */
	if (!w->secure || (x = SSL_get_certificate(w->ssl)) == NULL)
		return 0;
	wire_prepare();
	if ((md = wire_endpoint_digest(x)) == NULL ||
	    X509_digest(x, md, digest, &len) != 1 || len > WIRE_ENDPOINT_MAX)
		return 0;
	memcpy(out, digest, len);
	return len;
}

size_t
wire_names(const struct wire *w, char *names, size_t size)
{
	X509 *x;

	names[0] = '\0';
	/* The handshake would have failed; yet this is what logins rest on. */
	if (!w->secure || SSL_get_verify_result(w->ssl) != X509_V_OK ||
	    (x = SSL_get0_peer_certificate(w->ssl)) == NULL)
		return 0;
	wire_prepare();
	return tls_names_of(x, names, size);
}
