/* SPDX-License-Identifier: ISC */
/*
 * The client's side of SCRAM-SHA-256 for tests (RFC 5802).
 */
#ifndef POSTERN_TEST_SCRAM_CLIENT_H
#define POSTERN_TEST_SCRAM_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#define SCRAM_CLIENT_TEXT	3072	/* octets of any message */

struct scram_client {
	char	bare[512];	/* client-first-message-bare */
	char	gs2[1100];
	/* Channel binding data for -PLUS; set before the final message. */
	unsigned char cbind[64];
	size_t	cbind_len;
	char	expect[64];	/* BASE64 of the server's signature */
};

/* Write the first message to out; there is no binding so far. */
void	 scram_client_first(struct scram_client *, const char *gs2,
	    const char *user, char *out);
/* From the server's first message write the final one. False: bad text. */
bool	 scram_client_final(struct scram_client *, const char *server,
	    size_t len, const char *password, char *out);
/* Is this the server's final message with its right signature? */
bool	 scram_client_check(const struct scram_client *, const char *server,
	    size_t len);

#endif
