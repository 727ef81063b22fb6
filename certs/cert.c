/* SPDX-License-Identifier: ISC */
/*
 * Making certificates (RFC 5280) and keys. Linked into posternctl, run by
 * the administrator. Names come from the command line or from a certificate
 * that is renewed, and are checked here. Serial numbers are random; the
 * certificates of CA, servers and clients differ in the table of extensions
 * alone.
 */
#include "certs/cert.h"

#include <errno.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#define SERIAL_BITS	127	/* at most 20 octets, RFC 5280 4.1.2.2 */
#define COMMON_NAME_MAX	64	/* ub-common-name, RFC 5280 appendix A */
#define KEY_ITERATIONS	600000	/* PBKDF2 of an encrypted key */
#define DAY		86400

struct extension {
	int		 nid;
	const char	*value;
};

static const struct extension ca_extensions[] = {
	{ NID_basic_constraints, "critical,CA:TRUE,pathlen:0" },
	{ NID_key_usage, "critical,keyCertSign,cRLSign" },
	{ NID_subject_key_identifier, "hash" },
	{ 0, NULL }
};

static const struct extension server_extensions[] = {
	{ NID_basic_constraints, "critical,CA:FALSE" },
	{ NID_key_usage, "critical,digitalSignature" },
	{ NID_ext_key_usage, "serverAuth" },
	{ NID_subject_key_identifier, "hash" },
	{ NID_authority_key_identifier, "keyid:always" },
	{ 0, NULL }
};

static const struct extension client_extensions[] = {
	{ NID_basic_constraints, "critical,CA:FALSE" },
	{ NID_key_usage, "critical,digitalSignature" },
	{ NID_ext_key_usage, "clientAuth" },
	{ NID_subject_key_identifier, "hash" },
	{ NID_authority_key_identifier, "keyid:always" },
	{ 0, NULL }
};

EVP_PKEY *
cert_key_new(void)
{
	return EVP_EC_gen("P-256");
}

static int
set_serial(X509 *x)
{
	BIGNUM *n;
	int r = -1;

	if ((n = BN_new()) == NULL)
		return -1;
	if (BN_rand(n, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
	    BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL)
		r = 0;
	BN_free(n);
	return r;
}

static int
set_validity(X509 *x, const struct cert_spec *spec, X509 *issuer)
{
	const ASN1_TIME *end;
	time_t now = spec->now;
	int day, sec;

	if (X509_time_adj_ex(X509_getm_notBefore(x), 0, -CERT_BACKDATE,
	    &now) == NULL ||
	    X509_time_adj_ex(X509_getm_notAfter(x), (int)spec->days, 0,
	    &now) == NULL)
		return -1;
	if (issuer == NULL)
		return 0;
	end = X509_get0_notAfter(issuer);
	if (!ASN1_TIME_diff(&day, &sec, X509_get0_notAfter(x), end))
		return -1;
	if (day >= 0 && sec >= 0)
		return 0;
	return X509_set1_notAfter(x, end) ? 0 : -1;
}

/* RFC 5280 section 4.1.2.4: an issuer's name is never empty. */
static int
set_subject(X509 *x, const struct cert_spec *spec)
{
	X509_NAME *subject = X509_get_subject_name(x);
	const char *name = spec->common_name;

	if (name == NULL)
		return spec->ca ? -1 : 0;
	return X509_NAME_add_entry_by_NID(subject, NID_commonName,
	    MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0) ? 0 : -1;
}

static int
alt_type(const char *text)
{
	enum cert_kind kind = cert_name_kind(text);

	return kind == CERT_IP ? GEN_IPADD : kind == CERT_EMAIL ? GEN_EMAIL :
	    GEN_DNS;
}

static GENERAL_NAME *
alt_name(const char *text)
{
	GENERAL_NAME *name;
	ASN1_STRING *value;
	const int type = alt_type(text);
	const bool ip = type == GEN_IPADD;

	if ((name = GENERAL_NAME_new()) == NULL)
		return NULL;
	value = ip ? a2i_IPADDRESS(text) : ASN1_IA5STRING_new();
	if (value == NULL || (!ip && !ASN1_STRING_set(value, text, -1))) {
		ASN1_STRING_free(value);
		GENERAL_NAME_free(name);
		return NULL;
	}
	GENERAL_NAME_set0_value(name, type, value);
	return name;
}

/* Critical where the subject is empty: RFC 5280 section 4.2.1.6. */
static int
add_alt_names(X509 *x, const struct cert_names *names, bool critical)
{
	GENERAL_NAMES *list;
	GENERAL_NAME *name = NULL;
	size_t i;
	int r = -1;

	if ((list = sk_GENERAL_NAME_new_null()) == NULL)
		return -1;
	for (i = 0; i < names->n; i++) {
		if ((name = alt_name(names->item[i])) == NULL ||
		    !sk_GENERAL_NAME_push(list, name))
			goto out;
		name = NULL;
	}
	if (X509_add1_ext_i2d(x, NID_subject_alt_name, list, critical,
	    X509V3_ADD_DEFAULT) == 1)
		r = 0;
out:
	GENERAL_NAME_free(name);
	sk_GENERAL_NAME_pop_free(list, GENERAL_NAME_free);
	return r;
}

static int
add_extensions(X509 *x, X509 *issuer, const struct extension *table)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;
	int ok;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	for (; table->value != NULL; table++) {
		ext = X509V3_EXT_conf_nid(NULL, &ctx, table->nid, table->value);
		if (ext == NULL)
			return -1;
		ok = X509_add_ext(x, ext, -1);
		X509_EXTENSION_free(ext);
		if (!ok)
			return -1;
	}
	return 0;
}

static const char *
spec_fault(const struct cert_spec *spec)
{
	const char *p = spec->common_name;

	if (!spec->ca && (spec->names == NULL || spec->names->n == 0))
		return "a server or client needs a name";
	if (!spec->ca && !(spec->client ? cert_names_all_mail(spec->names) :
	    cert_names_no_mail(spec->names)))
		return "hosts and mail addresses do not go together";
	if (p == NULL)
		return NULL;
	if (*p == '\0' || strlen(p) > COMMON_NAME_MAX)
		return "the common name is empty or over 64 octets";
	for (; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return "the common name holds control characters";
	return NULL;
}

static int
fill(X509 *x, const struct cert_spec *spec, EVP_PKEY *key, X509 *issuer)
{
	X509 *by = issuer != NULL ? issuer : x;

	if (!X509_set_version(x, X509_VERSION_3) || set_serial(x) == -1 ||
	    set_validity(x, spec, issuer) == -1 ||
	    set_subject(x, spec) == -1 || !X509_set_pubkey(x, key) ||
	    !X509_set_issuer_name(x, X509_get_subject_name(by)) ||
	    add_extensions(x, by, spec->ca ? ca_extensions : spec->client ?
	    client_extensions : server_extensions) == -1)
		return -1;
	return spec->ca ? 0 :
	    add_alt_names(x, spec->names, spec->common_name == NULL);
}

X509 *
cert_new(const struct cert_spec *spec, EVP_PKEY *key, X509 *issuer,
    EVP_PKEY *issuer_key, const char **why)
{
	X509 *x;

	if ((*why = spec_fault(spec)) != NULL)
		return NULL;
	*why = "libcrypto could not make the certificate";
	if ((x = X509_new()) == NULL)
		return NULL;
	if (fill(x, spec, key, issuer) == -1 ||
	    !X509_sign(x, issuer_key != NULL ? issuer_key : key,
	    EVP_sha256())) {
		X509_free(x);
		return NULL;
	}
	*why = NULL;
	return x;
}

const char *
cert_check_issuer(X509 *x, EVP_PKEY *key, time_t now)
{
	if (X509_check_ca(x) != 1)
		return "is not the certificate of a CA";
	if (!X509_check_private_key(x, key)) {
		ERR_clear_error();
		return "does not fit its key";
	}
	if (X509_cmp_time(X509_get0_notAfter(x), &now) < 0)
		return "has expired";
	if (X509_cmp_time(X509_get0_notBefore(x), &now) > 0)
		return "is not valid yet";
	return NULL;
}

static X509_SIG *
encrypt_key(EVP_PKEY *key, const char *passphrase)
{
	PKCS8_PRIV_KEY_INFO *plain;
	X509_SIG *sig;

	if ((plain = EVP_PKEY2PKCS8(key)) == NULL)
		return NULL;
	/* -1: PBES2 with the cipher; the PRF is HMAC-SHA-256 */
	sig = PKCS8_encrypt(-1, EVP_aes_256_cbc(), passphrase,
	    (int)strlen(passphrase), NULL, 0, KEY_ITERATIONS, plain);
	PKCS8_PRIV_KEY_INFO_free(plain);
	return sig;
}

BIO *
cert_key_pem(EVP_PKEY *key, const char *passphrase)
{
	X509_SIG *sig = NULL;
	BIO *bio;
	int ok = 0;

	if ((bio = BIO_new(BIO_s_secmem())) == NULL)
		return NULL;
	if (passphrase == NULL)
		ok = PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0,
		    NULL, NULL);
	else if ((sig = encrypt_key(key, passphrase)) != NULL)
		ok = PEM_write_bio_PKCS8(bio, sig);
	X509_SIG_free(sig);
	if (!ok) {
		BIO_free(bio);
		return NULL;
	}
	return bio;
}

BIO *
cert_pem(X509 *x)
{
	BIO *bio;

	if ((bio = BIO_new(BIO_s_mem())) == NULL)
		return NULL;
	if (!PEM_write_bio_X509(bio, x)) {
		BIO_free(bio);
		return NULL;
	}
	return bio;
}

X509 *
cert_read(BIO *bio)
{
	X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	ERR_clear_error();
	return x;
}

long
cert_days_left(const X509 *x, time_t now)
{
	ASN1_TIME *from;
	int day = 0, sec = 0;

	from = ASN1_TIME_set(NULL, now);
	if (from == NULL ||
	    !ASN1_TIME_diff(&day, &sec, from, X509_get0_notAfter(x)))
		day = -1;
	else if (sec < 0)
		day--;
	ASN1_TIME_free(from);
	return day;
}
