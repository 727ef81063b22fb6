/* SPDX-License-Identifier: ISC */
/*
 * SCRAM-SHA-256 verifiers. Runs in the SASL workers and in posternctl. The
 * verifier comes from the accounts file and is read strictly, the password
 * from a client. Invariant: what secrets pass through here are wiped before
 * the return.
 */
#include "auth/scram.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <sys/random.h>

#include "lib/base64.h"
#include "lib/str.h"

#define SCRAM_PREFIX	"SCRAM-SHA-256$"

/* Decode; the number of octets, or -1 when it is none or more than max. */
static ssize_t
decode(const char *s, int len, unsigned char *out, size_t max)
{
	ssize_t n = base64_decode(BASE64_PADDED, s, (size_t)len, out, max);

	return n > 0 ? n : -1;
}

static int
hmac_sha256(const unsigned char *key, const void *data, size_t len,
    unsigned char out[SCRAM_KEY])
{
	unsigned int n = SCRAM_KEY;

	if (HMAC(EVP_sha256(), key, SCRAM_KEY, data, len, out, &n) == NULL) {
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

/* RFC 5802 section 3: SaltedPassword, ClientKey, StoredKey, ServerKey. */
int
scram_derive(struct scram_keys *k, const char *password, size_t len)
{
	unsigned char salted[SCRAM_KEY], client[SCRAM_KEY];
	int rc = -1;

	if (len > SCRAM_PASSWORD_MAX) {
		errno = EINVAL;
		return -1;
	}
	if (PKCS5_PBKDF2_HMAC(password, (int)len, k->salt, (int)k->salt_len,
	    (int)k->iterations, EVP_sha256(), SCRAM_KEY, salted) != 1) {
		errno = ENOMEM;
		goto out;
	}
	if (hmac_sha256(salted, "Client Key", 10, client) == -1 ||
	    hmac_sha256(salted, "Server Key", 10, k->server) == -1)
		goto out;
	if (EVP_Digest(client, sizeof(client), k->stored, NULL, EVP_sha256(),
	    NULL) != 1) {
		errno = ENOMEM;
		goto out;
	}
	rc = 0;
out:
	str_wipe(salted, sizeof(salted));
	str_wipe(client, sizeof(client));
	return rc;
}

int
scram_verifier_format(const struct scram_keys *k, char *out, size_t size)
{
	char salt[BASE64_SIZE(SCRAM_SALT_MAX)];
	char stored[BASE64_SIZE(SCRAM_KEY)], server[BASE64_SIZE(SCRAM_KEY)];
	int n;

	base64_encode(BASE64_PADDED, k->salt, k->salt_len, salt);
	base64_encode(BASE64_PADDED, k->stored, SCRAM_KEY, stored);
	base64_encode(BASE64_PADDED, k->server, SCRAM_KEY, server);
	n = snprintf(out, size, SCRAM_PREFIX "%" PRIu32 ":%s$%s:%s",
	    k->iterations, salt, stored, server);
	if (n < 0 || (size_t)n >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

int
scram_verifier_make(const char *password, size_t len, uint32_t iterations,
    char *out, size_t size)
{
	struct scram_keys k;
	int rc = -1;

	memset(&k, 0, sizeof(k));
	if (len == 0 || len > SCRAM_PASSWORD_MAX ||
	    memchr(password, '\0', len) != NULL ||
	    iterations < SCRAM_ITERATIONS_MIN ||
	    iterations > SCRAM_ITERATIONS_MAX) {
		errno = EINVAL;
		return -1;
	}
	k.iterations = iterations;
	k.salt_len = SCRAM_SALT;
	if (getrandom(k.salt, SCRAM_SALT, 0) != SCRAM_SALT) {
		errno = EIO;
		goto out;
	}
	if (scram_derive(&k, password, len) == -1)
		goto out;
	rc = scram_verifier_format(&k, out, size);
out:
	str_wipe(&k, sizeof(k));
	return rc;
}

/* Cut *s at the octet end; the part's length, *s moved past it, or -1. */
static int
part(const char **s, char end)
{
	const char *p = strchr(*s, end);
	ptrdiff_t n;

	if (p == NULL)
		return -1;
	n = p - *s;
	*s = p + 1;
	return n < SCRAM_VERIFIER_MAX ? (int)n : -1;
}

int
scram_verifier_parse(const char *s, struct scram_keys *k)
{
	const char *salt, *stored;
	uint64_t iterations;
	ssize_t salt_len;
	int n, salt_n, stored_n;

	memset(k, 0, sizeof(*k));
	if (strnlen(s, SCRAM_VERIFIER_MAX) == SCRAM_VERIFIER_MAX ||
	    strncmp(s, SCRAM_PREFIX, sizeof(SCRAM_PREFIX) - 1) != 0)
		goto bad;
	s += sizeof(SCRAM_PREFIX) - 1;
	/* No leading zero: one spelling. */
	if (*s == '0' || (n = part(&s, ':')) == -1 || str_u64(s - n - 1,
	    (size_t)n, SCRAM_ITERATIONS_MAX, &iterations) == -1 ||
	    iterations < SCRAM_ITERATIONS_MIN)
		goto bad;
	k->iterations = (uint32_t)iterations;
	salt = s;
	if ((salt_n = part(&s, '$')) == -1)
		goto bad;
	stored = s;
	if ((stored_n = part(&s, ':')) == -1)
		goto bad;
	salt_len = decode(salt, salt_n, k->salt, sizeof(k->salt));
	if (salt_len == -1 ||
	    decode(stored, stored_n, k->stored, SCRAM_KEY) != SCRAM_KEY ||
	    decode(s, (int)strlen(s), k->server, SCRAM_KEY) != SCRAM_KEY)
		goto bad;
	k->salt_len = (size_t)salt_len;
	return 0;
bad:
	errno = EINVAL;
	return -1;
}

int
scram_verifier_check(const char *verifier, const char *password, size_t len)
{
	struct scram_keys want, got;
	int rc = -1;

	if (scram_verifier_parse(verifier, &want) == -1)
		return -1;
	got = want;
	/* A password over the limit fits no verifier we made. */
	if (len > SCRAM_PASSWORD_MAX)
		rc = 0;
	else if (scram_derive(&got, password, len) == 0)
		rc = str_same_secret(want.stored, got.stored, SCRAM_KEY);
	str_wipe(&want, sizeof(want));
	str_wipe(&got, sizeof(got));
	return rc;
}

int
scram_decoy(const unsigned char key[SCRAM_KEY], const char *user,
    uint32_t iterations, char *out, size_t size)
{
	struct scram_keys k;
	unsigned char seed[SCRAM_KEY], salt[SCRAM_KEY];
	int rc = -1;

	memset(&k, 0, sizeof(k));
	if (hmac_sha256(key, user, strlen(user), seed) == -1 ||
	    hmac_sha256(seed, "salt", 4, salt) == -1 ||
	    hmac_sha256(seed, "stored", 6, k.stored) == -1 ||
	    hmac_sha256(seed, "server", 6, k.server) == -1)
		goto out;
	memcpy(k.salt, salt, SCRAM_SALT);
	k.salt_len = SCRAM_SALT;
	k.iterations = iterations;
	rc = scram_verifier_format(&k, out, size);
out:
	str_wipe(seed, sizeof(seed));
	str_wipe(&k, sizeof(k));
	return rc;
}
