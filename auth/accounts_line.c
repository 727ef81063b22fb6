/* SPDX-License-Identifier: ISC */
/*
 * Names and lines of the accounts file. Runs in the processes of the auth
 * service and in posternctl. Names come from clients, lines from the file;
 * neither is trusted. Makes no system call.
 */
#include "auth/accounts_line.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "auth/apppass.h"
#include "auth/scram.h"
#include "lib/idna.h"
#include "lib/nfc.h"
#include "lib/str.h"
#include "lib/utf8.h"

#define LOCAL_MAX	64	/* RFC 5321 section 4.5.3.1.1 */
#define DOMAIN_MAX	255	/* section 4.5.3.1.2 */
#define LABEL_MAX	63	/* RFC 1035 section 2.3.4 */

static bool
is_local(unsigned char c)
{
	return str_is_alnum(c) ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool
is_label(unsigned char c)
{
	return str_is_alnum(c) || c == '-';
}

/*
 * Are the len octets at s parts joined by single dots, each of octets that
 * fit says yes to and UTF-8, none longer than max?
 */
static bool
dotted(const char *str, size_t len, bool (*fit)(unsigned char), size_t max)
{
	const unsigned char *s = (const unsigned char *)str;
	size_t i = 0, n, run = 0;
	uint32_t c;

	while (i < len) {
		if (s[i] == '.') {
			if (run == 0)
				return false;
			run = 0;
			i++;
			continue;
		}
		n = utf8_decode(s + i, len - i, &c);
		if (c < 0x80 ? !fit(s[i]) : !utf8_is_name(c))
			return false;
		i += n;
		if ((run += n) > max)
			return false;
	}
	return run > 0;
}

static bool
domain_ok(const char *s, size_t len)
{
	size_t i;

	if (len == 0 || len > DOMAIN_MAX ||
	    !dotted(s, len, is_label, LABEL_MAX))
		return false;
	/* A label neither begins nor ends in a hyphen: RFC 1123 2.1. */
	for (i = 0; i < len; i++)
		if (s[i] == '-' && (i == 0 || i == len - 1 ||
		    s[i - 1] == '.' || s[i + 1] == '.'))
			return false;
	return true;
}

/* The local part in the form it is compared in. */
static int
put_local(char *dst, const char *s, size_t len)
{
	if (nfc_copy(dst, LOCAL_MAX + 1, s, len) == -1)
		return -1;
	str_lower(dst);
	/* A line that opens with `#' is a comment. */
	if (dst[0] != '#' && dotted(dst, strlen(dst), is_local, LOCAL_MAX))
		return 0;
	errno = EINVAL;
	return -1;
}

static int
put_domain(char *dst, const char *s, size_t len)
{
	if (idna_to_ascii(dst, DOMAIN_MAX + 1, s, len) == -1)
		return -1;
	if (domain_ok(dst, strlen(dst)))
		return 0;
	errno = EINVAL;
	return -1;
}

int
accounts_name(const char *name, size_t len, const char *fallback, char *out,
    size_t size)
{
	const char *at = len == 0 ? NULL : memrchr(name, '@', len);
	size_t local_len = at == NULL ? len : (size_t)(at - name);
	const char *domain = at == NULL ? fallback : at + 1;
	char l[LOCAL_MAX + 1], d[DOMAIN_MAX + 1];

	errno = EINVAL;
	if (domain == NULL || local_len > LOCAL_MAX ||
	    put_local(l, name, local_len) == -1 ||
	    put_domain(d, domain, at == NULL ? strlen(domain) :
	    len - local_len - 1) == -1 || strlen(l) + strlen(d) + 2 > size) {
		if (errno != ENOMEM)
			errno = EINVAL;
		return -1;
	}
	memcpy(out, l, strlen(l));
	out[strlen(l)] = '@';
	memcpy(out + strlen(l) + 1, d, strlen(d) + 1);
	return 0;
}

bool
accounts_name_ok(const char *name)
{
	char again[ACCOUNTS_NAME_MAX];
	size_t len = strnlen(name, ACCOUNTS_NAME_MAX);

	return accounts_name(name, len, NULL, again, sizeof(again)) == 0 &&
	    strcmp(name, again) == 0;
}

/* A name in its parts; app is NULL without one. */
struct parts {
	const char	*local, *app, *domain;
	size_t		 local_len, app_len;
};

static struct parts
parts_of(const char *name, bool with_app)
{
	const char *at = strrchr(name, '@'), *plus = NULL;
	struct parts p = { .local = name, .domain = at + 1 };

	p.local_len = (size_t)(at - name);
	if (with_app)
		plus = memrchr(name, '+', p.local_len);
	if (plus != NULL) {
		p.local_len = (size_t)(plus - name);
		p.app = plus + 1;
		p.app_len = (size_t)(at - p.app);
	}
	return p;
}

static int
compare_text(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int d = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return d != 0 ? d : (a_len > b_len) - (a_len < b_len);
}

static int
compare_user(const struct parts *a, const struct parts *b)
{
	int d = compare_text(a->local, a->local_len, b->local, b->local_len);

	return d != 0 ? d : strcmp(a->domain, b->domain);
}

int
accounts_app_compare(const struct account *x, const struct account *y)
{
	struct parts a = parts_of(x->user, true), b = parts_of(y->user, true);
	int d = compare_user(&a, &b);

	return d != 0 ? d : compare_text(a.app, a.app_len, b.app, b.app_len);
}

int
accounts_app_compare_user(const struct account *x, const char *user)
{
	struct parts a = parts_of(x->user, true), b = parts_of(user, false);

	return compare_user(&a, &b);
}

bool
accounts_line_is_comment(const char *line, size_t len)
{
	return len == 0 || line[0] == '#';
}

const char *
accounts_line_parse(char *line, size_t len, struct account *out)
{
	char user[ACCOUNTS_NAME_MAX], app[ACCOUNTS_APP_MAX];
	struct scram_keys keys;
	char *verifier, *options;
	const char *why;

	if (len > ACCOUNTS_LINE_MAX)
		return "line too long";
	if (memchr(line, '\0', len) != NULL)
		return "NUL in line";
	line[len] = '\0';
	if ((verifier = strchr(line, '\t')) == NULL)
		return "no verifier";
	*verifier++ = '\0';
	if ((options = strchr(verifier, '\t')) != NULL)
		*options++ = '\0';
	else
		options = line + len;
	if (!accounts_name_ok(line))
		return "not a name in canonical form";
	if (scram_verifier_parse(verifier, &keys) == -1)
		return "not a SCRAM-SHA-256 verifier";
	str_wipe(&keys, sizeof(keys));
	if ((why = accounts_options_parse(options, out)) != NULL)
		return why;
	if (out->app && !apppass_split(line, user, app))
		return "not the name of an app password";
	out->user = line;
	out->verifier = verifier;
	return NULL;
}
