/* SPDX-License-Identifier: ISC */
/*
 * Subject alternative names, and certificates as text for people. Linked
 * into posternctl. A certificate that is shown may come from anywhere: its
 * strings are escaped before they are printed.
 */
#include "certs/cert.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "lib/str.h"

#define HOST_MAX	253
#define LABEL_MAX	63
#define LOCAL_MAX	64		/* RFC 5321, section 4.5.3.1.1 */
#define LINE_MAX_OUT	1024

static bool
is_ip(const char *name)
{
	unsigned char raw[16];

	return inet_pton(AF_INET, name, raw) == 1 ||
	    inet_pton(AF_INET6, name, raw) == 1;
}

static bool
is_label(const char *s, size_t len)
{
	size_t i;

	if (len == 0 || len > LABEL_MAX || s[0] == '-' || s[len - 1] == '-')
		return false;
	for (i = 0; i < len; i++)
		if (!str_is_alnum(s[i]) && s[i] != '-')
			return false;
	return true;
}

/* RFC 1123 section 2.1; a last label of digits would be a bad address. */
static bool
is_host(const char *name)
{
	size_t len;

	if (strlen(name) > HOST_MAX)
		return false;
	if (name[0] == '*' && name[1] == '.' && strchr(name + 2, '.') != NULL)
		name += 2;
	for (;;) {
		len = strcspn(name, ".");
		if (!is_label(name, len))
			return false;
		if (name[len] == '\0')
			return strspn(name, "0123456789") != len;
		name += len + 1;
	}
}

/* Atext of RFC 5322, section 3.2.3. */
static bool
is_atext(char ch)
{
	return str_is_alnum(ch) ||
	    (ch != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", ch) != NULL);
}

static bool
is_mail(const char *name)
{
	const char *at = strchr(name, '@'), *p;
	char last = '.';

	if (at == NULL || at - name > LOCAL_MAX || at[1] == '*' ||
	    !is_host(at + 1))
		return false;
	for (p = name; p < at; last = *p++)
		if (*p == '.' ? last == '.' : !is_atext(*p))
			return false;
	return last != '.';
}

enum cert_kind
cert_name_kind(const char *name)
{
	if (is_ip(name))
		return CERT_IP;
	if (is_mail(name))
		return CERT_EMAIL;
	return is_host(name) ? CERT_DNS : CERT_BAD;
}

bool
cert_names_all_mail(const struct cert_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		if (cert_name_kind(names->item[i]) != CERT_EMAIL)
			return false;
	return true;
}

bool
cert_names_no_mail(const struct cert_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		if (cert_name_kind(names->item[i]) == CERT_EMAIL)
			return false;
	return true;
}

int
cert_names_add(struct cert_names *names, const char *name)
{
	size_t i;
	char *copy;

	if (cert_name_kind(name) == CERT_BAD) {
		errno = EINVAL;
		return -1;
	}
	for (i = 0; i < names->n; i++)
		if (str_caseeq(names->item[i], name))
			return 0;
	if (names->n == CERT_NAMES_MAX) {
		errno = ENOSPC;
		return -1;
	}
	if ((copy = strdup(name)) == NULL)
		return -1;
	str_lower(copy);
	names->item[names->n++] = copy;
	return 0;
}

void
cert_names_clear(struct cert_names *names)
{
	while (names->n > 0)
		free(names->item[--names->n]);
}

/* The text of one name; NULL for kinds that have none here. */
static const char *
alt_text(const GENERAL_NAME *name, char *dst, size_t size)
{
	const ASN1_STRING *value;
	const unsigned char *raw;
	int type, len;

	value = GENERAL_NAME_get0_value(name, &type);
	if (type != GEN_DNS && type != GEN_IPADD && type != GEN_EMAIL)
		return NULL;
	raw = ASN1_STRING_get0_data(value);
	len = ASN1_STRING_length(value);
	if (type != GEN_IPADD)
		return str_quote(dst, size, raw, (size_t)len);
	if (len != 4 && len != 16)
		return NULL;
	return inet_ntop(len == 4 ? AF_INET : AF_INET6, raw, dst,
	    (socklen_t)size);
}

int
cert_names_of(X509 *x, struct cert_names *names)
{
	char text[LINE_MAX_OUT];
	const char *name;
	GENERAL_NAMES *list;
	int i, r = -1;

	errno = EINVAL;
	list = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	if (list == NULL)
		return -1;
	for (i = 0; i < sk_GENERAL_NAME_num(list); i++) {
		name = alt_text(sk_GENERAL_NAME_value(list, i), text,
		    sizeof(text));
		errno = EINVAL;
		if (name == NULL || cert_names_add(names, name) == -1)
			goto out;
	}
	r = names->n > 0 ? 0 : -1;
out:
	sk_GENERAL_NAME_pop_free(list, GENERAL_NAME_free);
	return r;
}

static void
print_name(FILE *fp, const char *label, const X509_NAME *name)
{
	char text[LINE_MAX_OUT];
	char *data;
	BIO *bio;
	long len;

	if ((bio = BIO_new(BIO_s_mem())) == NULL)
		return;
	/* escapes as RFC 2253 but leaves UTF-8 to str_quote() */
	X509_NAME_print_ex(bio, name, 0,
	    XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
	len = BIO_get_mem_data(bio, &data);
	fprintf(fp, "%s: %s\n", label,
	    str_quote(text, sizeof(text), data, len > 0 ? (size_t)len : 0));
	BIO_free(bio);
}

static void
print_alt_names(FILE *fp, const X509 *x)
{
	char text[LINE_MAX_OUT];
	const char *name;
	GENERAL_NAMES *list;
	int i;

	list = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	for (i = 0; i < sk_GENERAL_NAME_num(list); i++) {
		name = alt_text(sk_GENERAL_NAME_value(list, i), text,
		    sizeof(text));
		fprintf(fp, "name: %s\n", name != NULL ? name : "(other kind)");
	}
	sk_GENERAL_NAME_pop_free(list, GENERAL_NAME_free);
}

static void
print_time(FILE *fp, const char *label, const ASN1_TIME *t)
{
	char text[32];
	struct tm tm;
	bool good;

	good = ASN1_TIME_to_tm(t, &tm) &&
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) != 0;
	fprintf(fp, "%s: %s", label, good ? text : "(bad time)");
}

static void
print_serial(FILE *fp, const X509 *x)
{
	BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
	char *hex = n != NULL ? BN_bn2hex(n) : NULL;

	fprintf(fp, "serial: %s\n", hex != NULL ? hex : "(bad number)");
	OPENSSL_free(hex);
	BN_free(n);
}

static void
print_fingerprint(FILE *fp, const X509 *x)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned len = 0, i;

	if (!X509_digest(x, EVP_sha256(), md, &len))
		len = 0;
	fputs("sha256:", fp);
	for (i = 0; i < len; i++)
		fprintf(fp, "%c%02X", i == 0 ? ' ' : ':', md[i]);
	fputc('\n', fp);
}

int
cert_print(FILE *fp, X509 *x, time_t now)
{
	const EVP_PKEY *key = X509_get0_pubkey(x);
	const char *type = key != NULL ? EVP_PKEY_get0_type_name(key) : NULL;
	long left = cert_days_left(x, now);

	print_name(fp, "subject", X509_get_subject_name(x));
	print_name(fp, "issuer", X509_get_issuer_name(x));
	fprintf(fp, "ca: %s\n", X509_check_ca(x) == 1 ? "yes" : "no");
	print_alt_names(fp, x);
	fprintf(fp, "key: %s %d\n", type != NULL ? type : "(unknown)",
	    key != NULL ? EVP_PKEY_get_bits(key) : 0);
	print_serial(fp, x);
	print_time(fp, "from", X509_get0_notBefore(x));
	fputc('\n', fp);
	print_time(fp, "until", X509_get0_notAfter(x));
	if (left < 0)
		fputs(" (expired)\n", fp);
	else
		fprintf(fp, " (%ld days left)\n", left);
	print_fingerprint(fp, x);
	ERR_clear_error();
	return ferror(fp) ? -1 : 0;
}
