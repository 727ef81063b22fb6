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

bool
accounts_options_ok(const char *options, bool *disabled)
{
	const char *p = options, *end;
	size_t len;

	*disabled = false;
	if (*p == '\0')
		return true;
	for (;; p = end + 1) {
		end = strchrnul(p, ',');
		len = (size_t)(end - p);
		if (len != 8 || memcmp(p, "disabled", 8) != 0)
			return false;
		*disabled = true;
		if (*end == '\0')
			return true;
	}
}

bool
accounts_line_is_comment(const char *line, size_t len)
{
	return len == 0 || line[0] == '#';
}

const char *
accounts_line_parse(char *line, size_t len, struct account *out)
{
	struct scram_keys keys;
	char *verifier, *options;

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
	if (!accounts_options_ok(options, &out->disabled))
		return "unknown option";
	out->user = line;
	out->verifier = verifier;
	out->options = options;
	return NULL;
}
