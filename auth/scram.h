/* SPDX-License-Identifier: ISC */
/*
 * SCRAM-SHA-256 verifiers (RFC 5802, RFC 7677) in the authPassword syntax of
 * RFC 5803: "SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey". Any process;
 * makes no system call but for the random salt. A password is a string of
 * octets: UTF-8, taken as it is, without SASLprep (RFC 4013), which changes
 * nothing in ASCII.
 */
#ifndef POSTERN_SCRAM_H
#define POSTERN_SCRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRAM_KEY		32	/* octets of SHA-256 */
#define SCRAM_SALT		16	/* octets of salt in what we make */
#define SCRAM_SALT_MAX		64
#define SCRAM_ITERATIONS_MIN	4096	/* RFC 7677 section 4 */
#define SCRAM_ITERATIONS_MAX	1000000
#define SCRAM_PASSWORD_MAX	1024	/* octets */
#define SCRAM_VERIFIER_MAX	256	/* with the NUL */

struct scram_keys {
	uint32_t	iterations;
	size_t		salt_len;
	unsigned char	salt[SCRAM_SALT_MAX];
	unsigned char	stored[SCRAM_KEY];
	unsigned char	server[SCRAM_KEY];
};

/*
 * Make the verifier of the len octets of password, with a random salt, into
 * out. 0, or -1 and errno: EINVAL (iterations out of range, password empty,
 * too long or with a NUL), ENAMETOOLONG (size), ENOMEM, EIO (no random).
 */
int	 scram_verifier_make(const char *password, size_t len,
	    uint32_t iterations, char *out, size_t size);
/* Read a verifier strictly. 0, or -1 with errno EINVAL. */
int	 scram_verifier_parse(const char *verifier, struct scram_keys *);
/* Write the verifier of keys. 0, or -1 with errno ENAMETOOLONG. */
int	 scram_verifier_format(const struct scram_keys *, char *out,
	    size_t size);
/*
 * Is this the password? 1 yes, 0 no, -1 and errno: EINVAL (not a verifier),
 * ENOMEM. Costs one PBKDF2 of the verifier's iterations; the comparison is
 * in constant time.
 */
int	 scram_verifier_check(const char *verifier, const char *password,
	    size_t len);
/*
 * Derive the keys from password, salt and iterations (already in keys).
 * 0, or -1 with errno ENOMEM.
 */
int	 scram_derive(struct scram_keys *, const char *password, size_t len);
/*
 * The verifier shown for a user that does not exist: the same for the same
 * name as long as key stays the same, looking like any other. No password
 * fits it. 0, or -1 and errno as scram_verifier_make().
 */
int	 scram_decoy(const unsigned char key[SCRAM_KEY], const char *user,
	    uint32_t iterations, char *out, size_t size);

#endif
