/* SPDX-License-Identifier: ISC */
/*
 * The mail addresses in a client's certificate, see tls_names.h. Sessions
 * only. The certificate was verified, yet what a CA can be brought to sign is
 * looked at as strictly as what a client says.
 */
#include "lib/tls_names.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <string.h>

#include "lib/utf8.h"

/* Printable and no blank; *ascii: is it of ASCII alone? */
static bool
is_visible(const unsigned char *s, size_t len, bool *ascii)
{
	size_t i, n;
	uint32_t c;

	*ascii = true;
	for (i = 0; i < len; i += n) {
		n = utf8_decode(s + i, len - i, &c);
		if (c == UINT32_MAX || c == ' ' || utf8_is_control(c))
			return false;
		*ascii = *ascii && c < 0x80;
	}
	return true;
}

static bool
is_address(const ASN1_STRING *text, bool ascii)
{
	const unsigned char *s = ASN1_STRING_get0_data(text), *at;
	int size = ASN1_STRING_length(text);
	size_t len = size < 0 ? 0 : (size_t)size;
	bool only_ascii;

	if (len == 0 || len > TLS_NAME_MAX ||
	    (at = memchr(s, '@', len)) == NULL || at == s ||
	    at == s + len - 1 ||
	    memchr(at + 1, '@', (size_t)(s + len - at - 1)) != NULL)
		return false;
	/* RFC 9598, section 3: what ASCII can say is an rfc822Name. */
	return is_visible(s, len, &only_ascii) && only_ascii == ascii;
}

/* The text of a name that is a mail address, or NULL. */
static const ASN1_STRING *
address_of(const GENERAL_NAME *name)
{
	const ASN1_STRING *text;
	ASN1_OBJECT *oid;
	ASN1_TYPE *value;

	if (name->type == GEN_EMAIL) {
		text = name->d.rfc822Name;
		return is_address(text, true) ? text : NULL;
	}
	if (GENERAL_NAME_get0_otherName(name, &oid, &value) != 1 ||
	    OBJ_obj2nid(oid) != NID_id_on_SmtpUTF8Mailbox ||
	    ASN1_TYPE_get(value) != V_ASN1_UTF8STRING)
		return NULL;
	text = value->value.utf8string;
	return is_address(text, false) ? text : NULL;
}

size_t
tls_names_of(X509 *x, char *names, size_t size)
{
	GENERAL_NAMES *all;
	const ASN1_STRING *text;
	size_t n = 0, used = 0, len;

	/* NULL as well when the extension is there twice, or damaged. */
	all = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		text = address_of(sk_GENERAL_NAME_value(all, i));
		if (text == NULL)
			continue;
		len = (size_t)ASN1_STRING_length(text);
		if (len + 2 > size - used) {
			n = used = 0;
			break;
		}
		memcpy(names + used, ASN1_STRING_get0_data(text), len);
		used += len;
		names[used++] = '\n';
		n++;
	}
	names[used] = '\0';
	sk_GENERAL_NAME_pop_free(all, GENERAL_NAME_free);
	ERR_clear_error();
	return n;
}
