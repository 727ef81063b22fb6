/* SPDX-License-Identifier: ISC */
/*
 * posternctl cert ca|server|client|renew. Run by the administrator; the files
 * of the folder are trusted. A new certificate never takes the place of
 * another but by renew, which keeps a copy; what it replaces must fit its key.
 */
#include "certs/cert_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <openssl/x509v3.h>

#include "admin/fail.h"
#include "lib/str.h"

#define CA_DAYS		3652
#define SERVER_DAYS	397
#define HOST_MAX	50		/* octets of the host in a CA's name */

/* The passphrase for the key, NULL for none. */
static const char *
passphrase(const struct cert_options *o)
{
	return o->passphrase_file != NULL ? o->passphrase : NULL;
}

static const char *
ca_passphrase(const struct cert_options *o)
{
	return o->ca_passphrase_file != NULL ? o->ca_passphrase : NULL;
}

static int
open_dir(const struct cert_options *o, int *dir)
{
	*dir = store_open(o->dir);
	return *dir == -1 ? fail_errno(o->dir) : EX_OK;
}

static int
read_pair(const struct cert_options *o, int dir, const char *base, bool both,
    const char *pass, struct store_pair *pair)
{
	const char *suffix, *why;

	if (store_read(dir, base, both, pass, pair, &suffix, &why) == 0)
		return EX_OK;
	return cert_fail_file(o, base, suffix, why);
}

static int
read_ca(const struct cert_options *o, int dir, const char *pass,
    struct store_pair *ca)
{
	const char *why;
	int status;

	if ((status = read_pair(o, dir, CERT_CA_BASE, true, pass, ca)) != EX_OK)
		return status;
	if ((why = cert_check_issuer(ca->cert, ca->key, o->now)) == NULL)
		return EX_OK;
	errno = 0;
	return cert_fail_file(o, CERT_CA_BASE, ".pem", why);
}

/* Tell where the new files are, and when the certificate ends. */
static int
announce(const struct cert_options *o, const char *base, const X509 *x,
    uint64_t days, bool key)
{
	long left = cert_days_left(x, o->now);

	if (left < (long)days)
		fprintf(stderr, "posternctl: warning: the certificate ends "
		    "with its CA, in %ld days\n", left);
	printf("%s/%s.pem\n", o->dir, base);
	if (key)
		printf("%s/%s.key\n", o->dir, base);
	return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

/* Make the certificate for pair->key. */
static int
make(const struct cert_options *o, const struct cert_spec *spec,
    const struct store_pair *issuer, struct store_pair *pair)
{
	const char *why;

	if (pair->key == NULL && (pair->key = cert_key_new()) == NULL)
		return fail_say(EX_OSERR, o->dir, "libcrypto made no key");
	pair->cert = cert_new(spec, pair->key, issuer->cert, issuer->key,
	    &why);
	if (pair->cert == NULL)
		return fail_say(EX_DATAERR, o->dir, why);
	return EX_OK;
}

static int
make_and_add(const struct cert_options *o, int dir, const char *base,
    const struct cert_spec *spec, const struct store_pair *issuer)
{
	struct store_pair pair = { NULL, NULL };
	int status;

	if ((status = make(o, spec, issuer, &pair)) == EX_OK) {
		if (store_add(dir, base, &pair, passphrase(o)) == 0)
			status = announce(o, base, pair.cert, spec->days,
			    true);
		else
			status = fail_errno(o->dir);
	}
	store_pair_clear(&pair);
	return status;
}

static int
refuse_existing(const struct cert_options *o, int dir, const char *base)
{
	if (!store_has(dir, base))
		return EX_OK;
	fprintf(stderr, "posternctl: %s/%s.pem or %s.key is there already; "
	    "to renew it: posternctl cert renew\n", o->dir, base, base);
	return EX_CANTCREAT;
}

int
cert_run_ca(struct cert_options *o, int argc, char **argv)
{
	const struct store_pair none = { NULL, NULL };
	struct cert_spec spec = { .ca = true, .now = o->now };
	char host[64] = "", name[64];
	int dir, status;

	(void)argc, (void)argv;
	if (gethostname(host, sizeof(host) - 1) == -1 || host[0] == '\0')
		str_copy(host, sizeof(host), "localhost");
	snprintf(name, sizeof(name), "Postern CA %.*s", HOST_MAX, host);
	spec.common_name = o->name != NULL ? o->name : name;
	spec.days = o->days != 0 ? (unsigned)o->days : CA_DAYS;
	if ((status = open_dir(o, &dir)) != EX_OK)
		return status;
	if ((status = refuse_existing(o, dir, CERT_CA_BASE)) == EX_OK)
		status = make_and_add(o, dir, CERT_CA_BASE, &spec, &none);
	close(dir);
	return status;
}

static int
read_names(struct cert_names *names, bool mail, int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++) {
		errno = EINVAL;
		if ((cert_name_kind(argv[i]) == CERT_EMAIL) == mail &&
		    cert_names_add(names, argv[i]) == 0)
			continue;
		if (errno == EINVAL)
			return fail_say(EX_DATAERR, argv[i], mail ?
			    "not a mail address (ASCII, without quotes)" :
			    "not a host name (ASCII, at most 253 octets) or "
			    "IP address");
		return errno == ENOSPC ? fail_say(EX_DATAERR, argv[i],
		    "too many names") : fail_errno(argv[i]);
	}
	return EX_OK;
}

/*
 * A subject for people to see: the first name, not an IP address, that fits
 * in one. Whoever verifies looks at the alternative names alone (RFC 6125).
 */
static const char *
first_name(const struct cert_names *names)
{
	size_t i;

	for (i = 0; i < names->n; i++)
		if (cert_name_kind(names->item[i]) != CERT_IP &&
		    strlen(names->item[i]) <= 64)
			return names->item[i];
	return NULL;
}

/* The names are of one kind: those of a client or of a server. */
static struct cert_spec
spec_of(const struct cert_options *o, const struct cert_names *names)
{
	return (struct cert_spec){
		.client = cert_names_all_mail(names),
		.common_name = first_name(names),
		.names = names,
		.days = o->days != 0 ? (unsigned)o->days : SERVER_DAYS,
		.now = o->now,
	};
}

static int
issue(struct cert_options *o, const struct cert_names *names)
{
	struct store_pair ca = { NULL, NULL };
	struct cert_spec spec = spec_of(o, names);
	int dir = -1, status;

	if (strcmp(o->base, CERT_CA_BASE) == 0)
		return fail_say(EX_USAGE, o->base, "is the CA's own name");
	if ((status = open_dir(o, &dir)) == EX_OK &&
	    (status = refuse_existing(o, dir, o->base)) == EX_OK &&
	    (status = read_ca(o, dir, ca_passphrase(o), &ca)) == EX_OK)
		status = make_and_add(o, dir, o->base, &spec, &ca);
	store_pair_clear(&ca);
	if (dir != -1)
		close(dir);
	return status;
}

int
cert_run_server(struct cert_options *o, int argc, char **argv)
{
	struct cert_names names = { .n = 0 };
	int status;

	if (o->base == NULL)
		o->base = CERT_SERVER_BASE;
	if ((status = read_names(&names, false, argc, argv)) == EX_OK)
		status = issue(o, &names);
	cert_names_clear(&names);
	return status;
}

/* "client-" and the address, "_" for what has no place in such a name. */
static int
base_of(const char *address, char base[STORE_BASE_MAX + 1])
{
	int n = snprintf(base, STORE_BASE_MAX + 1, "client-%s", address);

	if (n < 0 || n > STORE_BASE_MAX)
		return fail_say(EX_USAGE, address, "too long for the name of "
		    "a file: give one with --file");
	for (; *base != '\0'; base++)
		if (!str_is_alnum(*base) && strchr(".-", *base) == NULL)
			*base = '_';
	return EX_OK;
}

int
cert_run_client(struct cert_options *o, int argc, char **argv)
{
	struct cert_names names = { .n = 0 };
	char base[STORE_BASE_MAX + 1];
	int status;

	status = read_names(&names, true, argc, argv);
	if (status == EX_OK && o->base == NULL &&
	    (status = base_of(names.item[0], base)) == EX_OK)
		o->base = base;
	if (status == EX_OK)
		status = issue(o, &names);
	o->base = NULL;
	cert_names_clear(&names);
	return status;
}

/* The CA's common name, which a renewed certificate keeps. */
static char *
common_name(X509 *x)
{
	X509_NAME *subject = X509_get_subject_name(x);
	unsigned char *text = NULL;
	char *copy;
	int at;

	at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	if (at < 0 || ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(
	    X509_NAME_get_entry(subject, at))) < 0)
		return NULL;
	copy = strdup((char *)text);
	OPENSSL_free(text);
	return copy;
}

/* Its own key signs it, so what it has signed stays good. */
static int
renew_ca(const struct cert_options *o, int dir, struct store_pair *old,
    struct store_pair *new)
{
	const struct store_pair none = { NULL, NULL };
	struct cert_spec spec = { .ca = true, .now = o->now };
	char *name;
	int status;

	if (o->new_key)
		return fail_say(EX_USAGE, "--new-key", "a CA with a new key is "
		    "another CA: move the old one away, then cert ca");
	if ((name = common_name(old->cert)) == NULL)
		return fail_say(EX_DATAERR, o->dir,
		    "the CA has no common name");
	spec.common_name = name;
	spec.days = o->days != 0 ? (unsigned)o->days : CA_DAYS;
	new->key = old->key;
	status = make(o, &spec, &none, new);
	new->key = NULL;
	if (status == EX_OK && store_replace(dir, o->base, new, NULL) == -1)
		status = fail_errno(o->dir);
	if (status == EX_OK)
		status = announce(o, o->base, new->cert, 0, false);
	free(name);
	return status;
}

static int
renew_other(const struct cert_options *o, int dir, struct store_pair *old,
    struct store_pair *new)
{
	struct cert_names names = { .n = 0 };
	struct store_pair ca = { NULL, NULL };
	struct cert_spec spec;
	int status;

	if (cert_names_of(old->cert, &names) == -1) {
		errno = 0;
		status = cert_fail_file(o, o->base, ".pem",
		    "has no names, or names of a kind not made here");
		goto out;
	}
	if ((status = read_ca(o, dir, ca_passphrase(o), &ca)) != EX_OK)
		goto out;
	if (X509_check_issued(ca.cert, old->cert) != X509_V_OK) {
		errno = 0;
		status = cert_fail_file(o, o->base, ".pem",
		    "was not signed by this CA; it is left as it is");
		goto out;
	}
	spec = spec_of(o, &names);
	if (!o->new_key)
		new->key = old->key;
	status = make(o, &spec, &ca, new);
	if (!o->new_key)
		new->key = NULL;
	if (status == EX_OK &&
	    store_replace(dir, o->base, new, passphrase(o)) == -1)
		status = fail_errno(o->dir);
	if (status == EX_OK)
		status = announce(o, o->base, new->cert, spec.days,
		    o->new_key);
out:
	store_pair_clear(&ca);
	cert_names_clear(&names);
	return status;
}

static bool
not_due(const struct cert_options *o, const X509 *x)
{
	return o->within_set &&
	    cert_days_left(x, o->now) > (long)o->within;
}

int
cert_run_renew(struct cert_options *o, int argc, char **argv)
{
	struct store_pair old = { NULL, NULL }, new = { NULL, NULL };
	bool ca = o->base != NULL && strcmp(o->base, CERT_CA_BASE) == 0;
	const char *pass = passphrase(o);
	int dir = -1, status;

	(void)argc, (void)argv;
	if (o->base == NULL)
		o->base = CERT_SERVER_BASE;
	if (ca && o->ca_passphrase_file != NULL)
		pass = ca_passphrase(o);
	if ((status = open_dir(o, &dir)) != EX_OK)
		return status;
	status = read_pair(o, dir, o->base, false, NULL, &old);
	if (status != EX_OK || not_due(o, old.cert))
		goto out;
	store_pair_clear(&old);
	status = read_pair(o, dir, o->base, !o->new_key || ca, pass, &old);
	if (status != EX_OK)
		goto out;
	status = ca ? renew_ca(o, dir, &old, &new) :
	    renew_other(o, dir, &old, &new);
out:
	store_pair_clear(&old);
	store_pair_clear(&new);
	close(dir);
	return status;
}
