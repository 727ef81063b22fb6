/* SPDX-License-Identifier: ISC */
/*
 * Asking the process with the keys for a signature. Sessions only, called
 * from within a TLS handshake. The reply is trusted to be a signature, but
 * its lengths and id are checked.
 */
#include "keys/client.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "keys/keys_proto.h"
#include "lib/ipc.h"
#include "lib/log.h"
#include "lib/now.h"

void
keys_client_init(struct keys_client *k)
{
	*k = (struct keys_client){ .fd = -1 };
}

void
keys_client_set(struct keys_client *k, int fd)
{
	keys_client_close(k);
	k->fd = fd;
	k->rest = 0;
}

void
keys_client_close(struct keys_client *k)
{
	if (k->fd != -1)
		close(k->fd);
	k->fd = -1;
}

/* Wait until something can be read. 0, or -1 with errno. */
static int
keys_await(int fd, uint64_t until)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t now;
	int n;

	do {
		if ((now = now_monotonic()) >= until) {
			errno = ETIMEDOUT;
			return -1;
		}
		n = poll(&p, 1, (int)(until - now));
	} while (n == 0 || (n == -1 && errno == EINTR));
	return n == -1 ? -1 : 0;
}

/*
 * Receive the reply to the last request; those to earlier ones, which came
 * too late, are dropped. 0, or -1 with errno.
 */
static int
keys_receive(struct keys_client *k, struct keys_reply *reply, uint64_t until)
{
	const size_t head = offsetof(struct keys_reply, sig);
	ssize_t n;

	do {
		if (keys_await(k->fd, until) == -1)
			return -1;
		n = ipc_recv(k->fd, reply, sizeof(*reply), NULL);
		if (n == -1 && errno == EAGAIN)
			continue;
		if (n == -1)
			return -1;
		if (n == 0) {
			errno = EPIPE;
			return -1;
		}
		if ((size_t)n < head || reply->len > TLS_SIGN_MAX ||
		    (size_t)n != head + reply->len ||
		    reply->status == KEYS_STATUS_NONE ||
		    reply->status >= KEYS_STATUS_COUNT) {
			errno = EPROTO;
			return -1;
		}
	} while (n == -1 || reply->id != k->id);
	return 0;
}

/* Send a request and wait for its reply. 0, or -1 with errno. */
static int
keys_ask(struct keys_client *k, struct keys_request *request,
    struct keys_reply *reply)
{
	uint64_t now = now_monotonic();
	size_t len = offsetof(struct keys_request, data) + request->len;

	if (k->fd == -1) {
		errno = ENOTCONN;
		return -1;
	}
	if (now < k->rest) {
		errno = EBUSY;
		return -1;
	}
	if (ipc_send(k->fd, request, len, -1) == 0 &&
	    keys_receive(k, reply, now + KEYS_WAIT) == 0)
		return 0;
	if (errno == ETIMEDOUT || errno == EAGAIN)
		k->rest = now_monotonic() + KEYS_REST;
	else
		keys_client_close(k);
	return -1;
}

/* What a failure of keys_ask() means here. */
static const char *
keys_reason(int error)
{
	switch (error) {
	case ENOTCONN:
		return "no channel";
	case EBUSY:
		return "it did not answer a moment ago";
	case ETIMEDOUT:
		return "no answer in time";
	case EPROTO:
	case EMSGSIZE:
		return "a bad answer";
	default:
		return strerror(error);
	}
}

static int
keys_failed(struct keys_client *k, unsigned number, const char *why)
{
	k->failures++;
	log_warn("keys: no signature certificate=%u failures=%llu: %s",
	    number, (unsigned long long)k->failures, why);
	return -1;
}

int
keys_client_sign(void *arg, unsigned number, enum tls_algorithm algorithm,
    const unsigned char *in, size_t len, unsigned char *sig, size_t *siglen)
{
	static const char *const refusals[KEYS_STATUS_COUNT] = {
		[KEYS_NO_KEY] = "no such key",
		[KEYS_REFUSED] = "the request was refused",
		[KEYS_FAILED] = "the library failed",
	};
	struct keys_client *k = arg;
	struct keys_request request;
	struct keys_reply reply;

	if (len == 0 || len > TLS_SIGN_MAX)
		return keys_failed(k, number, "bad length");
	request.type = KEYS_SIGN;
	request.id = ++k->id;
	request.number = number;
	request.algorithm = algorithm;
	request.len = (uint32_t)len;
	memcpy(request.data, in, len);
	if (keys_ask(k, &request, &reply) == -1)
		return keys_failed(k, number, keys_reason(errno));
	if (reply.status != KEYS_OK)
		return keys_failed(k, number, refusals[reply.status]);
	if (reply.len == 0)
		return keys_failed(k, number, "empty signature");
	memcpy(sig, reply.sig, reply.len);
	*siglen = reply.len;
	k->signatures++;
	return 0;
}
