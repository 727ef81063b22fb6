/* SPDX-License-Identifier: ISC */
/*
 * The datagrams between a session and the process that holds the private
 * keys. A session asks for one signature at a time; each request with a
 * known type gets one reply, in order. Both are cut after data[len] and
 * sig[len].
 */
#ifndef POSTERN_KEYS_PROTO_H
#define POSTERN_KEYS_PROTO_H

#include <stdint.h>

#include "lib/tls.h"

enum keys_type {
	KEYS_NONE,
	KEYS_SIGN,		/* struct keys_request */
	KEYS_TYPE_COUNT
};

enum keys_status {
	KEYS_STATUS_NONE,
	KEYS_OK,		/* len > 0, sig */
	KEYS_NO_KEY,		/* no such certificate, or another algorithm */
	KEYS_REFUSED,		/* the data is not what TLS has signed */
	KEYS_FAILED,		/* the library could not */
	KEYS_STATUS_COUNT
};

struct keys_request {
	uint32_t	type;		/* enum keys_type */
	uint32_t	id;		/* returned in the reply */
	uint32_t	number;		/* of the certificate */
	uint32_t	algorithm;	/* enum tls_algorithm */
	uint32_t	len;		/* 1 to TLS_SIGN_MAX */
	unsigned char	data[TLS_SIGN_MAX];
};

struct keys_reply {
	uint32_t	id;
	uint32_t	status;		/* enum keys_status */
	uint32_t	len;
	unsigned char	sig[TLS_SIGN_MAX];
};

#endif
