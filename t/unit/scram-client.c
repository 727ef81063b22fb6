/* SPDX-License-Identifier: ISC */
/*
 * The client's side of SCRAM-SHA-256 for tests. Written from RFC 5802, apart
 * from auth/scram.c, so that one checks the other.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "t/unit/scram-client.h"

#define KEY	32

static void
hmac(const unsigned char *key, const char *text, unsigned char *out)
{
	HMAC(EVP_sha256(), key, KEY, (const unsigned char *)text,
	    strlen(text), out, NULL);
}

void
scram_client_first(struct scram_client *c, const char *gs2, const char *user,
    char *out)
{
	static unsigned int n;

	c->cbind_len = 0;
	snprintf(c->gs2, sizeof(c->gs2), "%s", gs2);
	snprintf(c->bare, sizeof(c->bare), "n=%s,r=fyko+d2lbbFgONRv9q%u",
	    user, ++n);
	snprintf(out, SCRAM_CLIENT_TEXT, "%s%s", c->gs2, c->bare);
}

bool
scram_client_final(struct scram_client *c, const char *server, size_t len,
    const char *password, char *out)
{
	unsigned char salt[128], salted[KEY], key[KEY], stored[KEY];
	unsigned char sig[KEY], b64[256], cbind[2048], bound[1200];
	char nonce[256], salt64[128], message[4096], text[1024];
	int iterations, n, i;

	if (len >= sizeof(text))
		return false;
	memcpy(text, server, len);
	text[len] = '\0';
	if (sscanf(text, "r=%255[^,],s=%127[^,],i=%d", nonce, salt64,
	    &iterations) != 3)
		return false;
	n = EVP_DecodeBlock(salt, (unsigned char *)salt64,
	    (int)strlen(salt64));
	for (i = (int)strlen(salt64) - 1; i > 0 && salt64[i] == '='; i--)
		n--;
	PKCS5_PBKDF2_HMAC(password, (int)strlen(password), salt, n,
	    iterations, EVP_sha256(), KEY, salted);
	n = (int)strlen(c->gs2);
	memcpy(bound, c->gs2, (size_t)n);
	memcpy(bound + n, c->cbind, c->cbind_len);
	EVP_EncodeBlock(cbind, bound, n + (int)c->cbind_len);
	snprintf(message, sizeof(message), "%s,%s,c=%s,r=%s", c->bare, text,
	    (char *)cbind, nonce);
	hmac(salted, "Client Key", key);
	EVP_Digest(key, KEY, stored, NULL, EVP_sha256(), NULL);
	hmac(stored, message, sig);
	for (i = 0; i < KEY; i++)
		key[i] ^= sig[i];
	EVP_EncodeBlock(b64, key, KEY);
	snprintf(out, SCRAM_CLIENT_TEXT, "c=%s,r=%s,p=%s", (char *)cbind, nonce,
	    (char *)b64);
	hmac(salted, "Server Key", key);
	hmac(key, message, sig);
	EVP_EncodeBlock((unsigned char *)c->expect, sig, KEY);
	return true;
}

bool
scram_client_check(const struct scram_client *c, const char *server,
    size_t len)
{
	return len == strlen(c->expect) + 2 && memcmp(server, "v=", 2) == 0 &&
	    memcmp(server + 2, c->expect, len - 2) == 0;
}
