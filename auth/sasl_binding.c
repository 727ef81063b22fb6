/* SPDX-License-Identifier: ISC */
/*
 * Channel binding of SCRAM (RFC 5802, section 6). Runs in auth-sasl; the
 * messages are a client's, the bindings come from its session. The library
 * gets no choice: it is told of the one binding that the client's first
 * message names, and a message that is bound to something else never gets to
 * it.
 */
#include <string.h>

#include "auth/sasl_impl.h"
#include "lib/base64.h"
#include "lib/str.h"

bool
saslauth_has_binding(const struct saslauth_dialogue *d)
{
	return d->channel.exporter_len > 0 || d->channel.endpoint_len > 0;
}

/* RFC 9266 and RFC 5929; tls-unique is broken in TLS 1.2, gone in 1.3. */
static int
use_binding(struct saslauth_dialogue *d, const char *flag, size_t len)
{
	const struct auth_channel *ch = &d->channel;
	const sasl_channel_binding_t known[] = {
		{ "p=tls-exporter", 0, ch->exporter_len, ch->exporter },
		{ "p=tls-server-end-point", 0, ch->endpoint_len,
		    ch->endpoint },
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (len != strlen(known[i].name) ||
		    memcmp(flag, known[i].name, len) != 0 ||
		    known[i].len == 0)
			continue;
		/* The library keeps the pointer as long as the dialogue. */
		d->binding = known[i];
		d->binding.name += 2;
		return sasl_setprop(d->conn, SASL_CHANNEL_BINDING,
		    &d->binding);
	}
	return SASL_BADPROT;
}

/* gs2-cbind-flag "," [authzid] "," opens the message. */
static int
take_header(struct saslauth_dialogue *d, const char *data, size_t len)
{
	const char *comma = memchr(data, ',', len), *end = NULL;

	if (comma != NULL)
		end = memchr(comma + 1, ',', (size_t)(data + len - comma) - 1);
	if (end == NULL)
		return SASL_BADPROT;
	d->gs2_len = (size_t)(end - data) + 1;
	if (d->gs2_len > sizeof(d->gs2))
		return SASL_BADPROT;
	memcpy(d->gs2, data, d->gs2_len);
	return use_binding(d, data, (size_t)(comma - data));
}

int
saslauth_bind(struct saslauth_dialogue *d, const char *data, size_t len)
{
	char flag = len == 0 ? '\0' : data[0];

	if (d->plus)
		return take_header(d, data, len);
	/* It could have had it: somebody took the offer out of our EHLO. */
	if (flag == 'y' && saslauth_has_binding(d) &&
	    str_has_word(d->auth->mechanisms, SASL_PLUS))
		return SASL_BADAUTH;
	/* The library would refuse what is not offered after the proof. */
	return flag == 'p' || flag == '\0' ? SASL_BADPROT : SASL_OK;
}

int
saslauth_bound(const struct saslauth_dialogue *d, const char *data,
    size_t len)
{
	unsigned char want[SASL_GS2_MAX + AUTH_ENDPOINT_MAX];
	unsigned char got[sizeof(want)];
	size_t size = d->gs2_len + d->binding.len;
	const char *comma;
	ssize_t n;

	/* What is malformed is left to the library to refuse. */
	if (len < 2 || memcmp(data, "c=", 2) != 0 ||
	    (comma = memchr(data, ',', len)) == NULL)
		return SASL_OK;
	n = base64_decode(BASE64_PADDED, data + 2, (size_t)(comma - data) - 2,
	    got, sizeof(got));
	if (n == -1)
		return SASL_BADPROT;
	memcpy(want, d->gs2, d->gs2_len);
	memcpy(want + d->gs2_len, d->binding.data, d->binding.len);
	return (size_t)n == size && str_same_secret(got, want, size) ?
	    SASL_OK : SASL_BADAUTH;
}
