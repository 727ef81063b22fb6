/* SPDX-License-Identifier: ISC */
/*
 * The process that holds the keys, and a session that asks it to sign: it
 * signs digests with the one key, well padded blocks with the other, and
 * nothing else. First octet: 0, or 1 for the session's side.
 */
#define main keys_main
int	keys_main(int, char **);
#include "keys/tls_keys.c"
#undef main

#include <event2/event.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <sys/socket.h>

#include "keys/client.h"
#include "t/fuzz/fuzz-ipc.h"

#define SIZE	256	/* octets of an RSA block */

static struct keys	keys;

static void
finish(void)
{
	EVP_PKEY_free(keys.slots[0].key);
	EVP_PKEY_free(keys.slots[1].key);
	event_base_free(keys.base);
}

static void
start(void)
{
	fuzz_quiet();
	keys.base = event_base_new();
	keys.nslots = 2;
	keys.slots[0].key = EVP_EC_gen("P-256");
	keys.slots[1].key = EVP_RSA_gen(8 * SIZE);
	CHECK(keys.slots[0].key != NULL && keys.slots[1].key != NULL);
	atexit(finish);
}

/* What this padding mode makes of a digest of 32 octets. */
static int
recovers(const struct keys_reply *r, int padding)
{
	EVP_PKEY_CTX	*c = EVP_PKEY_CTX_new(keys.slots[1].key, NULL);
	unsigned char	 out[SIZE];
	size_t		 n = sizeof(out);
	int		 rc;

	CHECK(c != NULL && EVP_PKEY_verify_recover_init(c) == 1);
	CHECK(EVP_PKEY_CTX_set_rsa_padding(c, padding) == 1);
	rc = EVP_PKEY_verify_recover(c, out, &n, r->sig, r->len);
	EVP_PKEY_CTX_free(c);
	/* PSS ends so; what else it holds keys_sign() has looked through */
	return rc == 1 && (padding != RSA_NO_PADDING ||
	    out[SIZE - 1] == 0xbc);
}

static void
check_reply(const struct keys_request *q, const struct keys_reply *r,
    size_t len)
{
	CHECK(len >= offsetof(struct keys_reply, sig));
	CHECK(r->len <= TLS_SIGN_MAX && r->id == q->id &&
	    len == offsetof(struct keys_reply, sig) + r->len);
	CHECK(r->status > KEYS_STATUS_NONE && r->status < KEYS_STATUS_COUNT);
	CHECK((r->status == KEYS_OK) == (r->len > 0));
	if (r->status != KEYS_OK)
		return;
	CHECK(q->number < 2 && q->algorithm == TLS_ALG_ECDSA + q->number);
	if (q->number == 0)
		CHECK(q->len == 32 || q->len == 48 || q->len == 64);
	else
		CHECK(q->len == SIZE && (recovers(r, RSA_PKCS1_PADDING) ||
		    recovers(r, RSA_NO_PADDING)));
}

/* A block of EMSA-PKCS1-v1_5 with SHA-256: RFC 8017, section 9.2. */
static void
good_request(uint8_t kind, struct keys_request *q)
{
	memset(q, 0, sizeof(*q));
	q->type = KEYS_SIGN;
	q->id = kind;
	q->number = kind & 1;
	q->algorithm = kind & 1 ? TLS_ALG_RSA : TLS_ALG_ECDSA;
	q->len = kind & 1 ? SIZE : 32;
	if ((kind & 1) == 0)
		return;
	memset(q->data, 0xff, SIZE - 32);
	q->data[0] = 0;
	q->data[1] = 1;
	q->data[SIZE - 52] = 0;
	memcpy(q->data + SIZE - 51, "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01"
	    "\x65\x03\x04\x02\x01\x05\x00\x04\x20", 19);
}

/* The other side: a session that gets any reply. */
static void
run_client(struct fuzz *f)
{
	struct keys_client	 k;
	struct keys_reply	 r = { 1, KEYS_OK, 70, "" };
	unsigned char		 sig[TLS_SIGN_MAX], in[32] = "";
	size_t			 len, siglen = 0;
	int			 sv[2];
	void			*msg;

	CHECK(ipc_pair(sv) == 0);
	keys_client_init(&k);
	keys_client_set(&k, sv[1]);
	while (f->len > 0) {
		r.status = 1 + fuzz_octet(f) % (KEYS_STATUS_COUNT - 1);
		len = offsetof(struct keys_reply, sig) + r.len;
		msg = fuzz_datagram(f, &r, &len);
		(void)ipc_send(sv[0], msg, len, -1);
		free(msg);
	}
	shutdown(sv[0], SHUT_WR);	/* or it would wait for more */
	if (keys_client_sign(&k, 0, TLS_ALG_ECDSA, in, sizeof(in), sig,
	    &siglen) == 0)
		CHECK(siglen > 0 && siglen <= TLS_SIGN_MAX);
	close(sv[0]);
	keys_client_close(&k);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz		 f = { data, size };
	struct keys_request	 q, *msg;
	struct keys_reply	 r;
	size_t			 len;
	ssize_t			 n = -1;
	int			 sv[2];

	if (keys.base == NULL)
		start();
	if (fuzz_octet(&f) & 1) {
		run_client(&f);
		return 0;
	}
	CHECK(ipc_pair(sv) == 0);
	keys_peer(&keys, ROLE_SMTPD_SESSION, 1, sv[1]);
	while (f.len > 0 && n != 0) {
		good_request(fuzz_octet(&f), &q);
		len = offsetof(struct keys_request, data) + q.len;
		msg = fuzz_datagram(&f, &q, &len);
		CHECK(ipc_send(sv[0], msg, len, -1) == 0);
		memset(&q, 0, sizeof(q));
		memcpy(&q, msg, len < sizeof(q) ? len : sizeof(q));
		free(msg);
		event_base_loop(keys.base, EVLOOP_NONBLOCK);
		n = ipc_recv(sv[0], &r, sizeof(r), NULL);
		CHECK(n >= 0);
		if (n > 0)
			check_reply(&q, &r, (size_t)n);
	}
	close(sv[0]);
	event_base_loop(keys.base, EVLOOP_NONBLOCK);
	CHECK(keys.sessions == 0);
	return 0;
}
