/* SPDX-License-Identifier: ISC */
/*
 * Signing what TLS has signed and nothing else. Process "keys"; requests are
 * hostile, since a session may be in other hands. An RSA operation on any
 * block at all would also decrypt, so the padding is looked through first.
 */
#define OPENSSL_SUPPRESS_DEPRECATED	/* PKCS1_MGF1() */
#include "keys/sign.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdbool.h>
#include <string.h>

#define KEYS_DIGESTS	3
#define KEYS_PREFIX	19	/* octets of DigestInfo before the digest */

struct keys_digest {
	size_t			 len;
	const EVP_MD		*(*md)(void);
	unsigned char		 prefix[KEYS_PREFIX];
};

/* RFC 8017, 9.2, note 1. */
static const struct keys_digest keys_digests[KEYS_DIGESTS] = {
	{ 32, EVP_sha256, { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86,
	    0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04,
	    0x20 } },
	{ 48, EVP_sha384, { 0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86,
	    0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04,
	    0x30 } },
	{ 64, EVP_sha512, { 0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86,
	    0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04,
	    0x40 } },
};

/* 00 01 FF ... FF 00 DigestInfo, of size octets: RFC 8017, 9.2. */
static bool
keys_is_pkcs1(const unsigned char *block, size_t size,
    const struct keys_digest *d)
{
	size_t info = size - KEYS_PREFIX - d->len;

	if (block[0] != 0 || block[1] != 1 || block[info - 1] != 0)
		return false;
	for (size_t i = 2; i < info - 1; i++)
		if (block[i] != 0xff)
			return false;
	return memcmp(block + info, d->prefix, KEYS_PREFIX) == 0;
}

/*
 * Steps 4 to 10 of EMSA-PSS-VERIFY (RFC 8017, 9.1.2), all that can be done
 * without the message's digest: the unmasked padding is zeros and a one.
 */
static bool
keys_is_pss(const unsigned char *block, size_t size, unsigned bits,
    const struct keys_digest *d)
{
	unsigned char db[TLS_SIGN_MAX];
	unsigned top = (bits - 1) % 8;	/* bits in use of the first octet */
	size_t dblen;

	if (top == 0) {
		if (*block++ != 0)
			return false;
		size--;
		top = 8;
	}
	dblen = size - d->len - 1;
	if (block[size - 1] != 0xbc || block[0] >> (top - 1) >> 1 != 0)
		return false;
	if (PKCS1_MGF1(db, (long)dblen, block + dblen, (long)d->len,
	    d->md()) != 0)
		return false;
	for (size_t i = 0; i < dblen; i++)
		db[i] ^= block[i];
	db[0] &= (unsigned char)(0xff >> (8 - top));
	for (size_t i = 0; i < dblen - d->len - 1; i++)
		if (db[i] != 0)
			return false;
	return db[dblen - d->len - 1] == 1;
}

/* Is this a block that a handshake has signed? */
static bool
keys_is_padded(const EVP_PKEY *key, const unsigned char *block, size_t len)
{
	int bits = EVP_PKEY_get_bits(key), size = EVP_PKEY_get_size(key);

	/* At least 256 octets: all the lengths above are positive. */
	if (bits < 2048 || size <= 0 || len != (size_t)size)
		return false;
	for (size_t i = 0; i < KEYS_DIGESTS; i++)
		if (keys_is_pkcs1(block, len, &keys_digests[i]) ||
		    keys_is_pss(block, len, (unsigned)bits,
		    &keys_digests[i]))
			return true;
	return false;
}

static bool
keys_is_digest(size_t len)
{
	for (size_t i = 0; i < KEYS_DIGESTS; i++)
		if (len == keys_digests[i].len)
			return true;
	return false;
}

/* May the request be signed with this key? */
static enum keys_status
keys_judge(const EVP_PKEY *key, const struct keys_request *request)
{
	bool good;

	if (request->algorithm == TLS_ALG_ECDSA) {
		if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC)
			return KEYS_NO_KEY;
		good = keys_is_digest(request->len);
	} else if (request->algorithm == TLS_ALG_RSA) {
		if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
			return KEYS_NO_KEY;
		good = keys_is_padded(key, request->data, request->len);
	} else {
		return KEYS_REFUSED;
	}
	return good ? KEYS_OK : KEYS_REFUSED;
}

void
keys_sign(EVP_PKEY *key, const struct keys_request *request,
    struct keys_reply *reply)
{
	EVP_PKEY_CTX *ctx = NULL;
	size_t len = sizeof(reply->sig);

	reply->len = 0;
	reply->status = keys_judge(key, request);
	if (reply->status != KEYS_OK)
		return;
	reply->status = KEYS_FAILED;
	if ((ctx = EVP_PKEY_CTX_new(key, NULL)) == NULL ||
	    EVP_PKEY_sign_init(ctx) != 1)
		goto out;
	/* The library blinds RSA operations unless told not to. */
	if (request->algorithm == TLS_ALG_RSA &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) != 1)
		goto out;
	if (EVP_PKEY_sign(ctx, reply->sig, &len, request->data,
	    request->len) != 1 || len == 0)
		goto out;
	reply->len = (uint32_t)len;
	reply->status = KEYS_OK;
out:
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
}
