/* SPDX-License-Identifier: ISC */
/*
 * The options of a line of the accounts file. Runs in the processes of the
 * auth service and in posternctl; what stands in the file is not trusted.
 * Makes no system call.
 */
#include "auth/accounts_line.h"

#include <string.h>

#include "auth/apppass.h"
#include "lib/base64.h"
#include "lib/log.h"
#include "lib/str.h"

enum option {
	DISABLED = 1, APP = 2, SCOPE = 4, CREATED = 8, EXPIRES = 16,
	DIGEST = 32
};

#define DIGEST_TEXT	(BASE64_SIZE(APPPASS_DIGEST) - 1)
/* The end of the year 9999: all that can be written as a date. */
#define TIME_MAX	253402300799

static bool
take_time(const char *text, size_t len, uint64_t *out)
{
	/* No leading zero: one spelling, and 0 is not among them. */
	return len > 0 && text[0] != '0' &&
	    str_u64(text, len, TIME_MAX, out) == 0;
}

static bool
take_digest(struct account *a, const char *text, size_t len)
{
	unsigned char digest[APPPASS_DIGEST];
	bool ok;

	ok = len == DIGEST_TEXT && base64_decode(BASE64_PADDED, text, len,
	    digest, sizeof(digest)) == APPPASS_DIGEST;
	str_wipe(digest, sizeof(digest));
	a->digest = text;
	return ok;
}

static bool
take_value(struct account *a, enum option option, const char *text, size_t len)
{
	switch (option) {
	case DISABLED:
		return a->disabled = true;
	case APP:
		return a->app = true;
	case SCOPE:
		return (a->scope = apppass_scope(text, len, ':')) != 0;
	case CREATED:
		return take_time(text, len, &a->created);
	case EXPIRES:
		return take_time(text, len, &a->expires);
	case DIGEST:
		return take_digest(a, text, len);
	}
	return false;
}

/* Take one option of len octets; 0 when it is none. */
static unsigned
take_option(struct account *a, const char *text, size_t len)
{
	static const struct {
		const char *name;	/* with "=" where a value follows */
		enum option option;
	} options[] = {
		{ "disabled", DISABLED }, { "app", APP },
		{ "scope=", SCOPE }, { "created=", CREATED },
		{ "expires=", EXPIRES }, { "digest=", DIGEST },
	};
	size_t i, n;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		n = strlen(options[i].name);
		if (len < n || memcmp(text, options[i].name, n) != 0 ||
		    (options[i].name[n - 1] != '=' && len != n))
			continue;
		return take_value(a, options[i].option, text + n, len - n) ?
		    options[i].option : 0;
	}
	return 0;
}

const char *
accounts_options_parse(const char *options, struct account *a)
{
	const char *p = options, *end;
	unsigned seen = 0, option;

	a->options = options;
	a->disabled = a->app = false;
	a->scope = 0;
	a->created = a->expires = 0;
	a->digest = NULL;
	for (; *options != '\0'; p = end + 1) {
		end = strchrnul(p, ',');
		if ((option = take_option(a, p, (size_t)(end - p))) == 0)
			return "unknown option or bad value";
		if ((seen & option) != 0)
			return "an option stands twice";
		seen |= option;
		if (*end == '\0')
			break;
	}
	if (!a->app)
		return (seen & ~(unsigned)DISABLED) == 0 ? NULL :
		    "options of an app password without app";
	return (seen & SCOPE) != 0 && (seen & DIGEST) != 0 ? NULL :
	    "app password without scope or digest";
}

void
accounts_digest(const struct account *a, unsigned char *out)
{
	BUG_IF(base64_decode(BASE64_PADDED, a->digest, DIGEST_TEXT, out,
	    APPPASS_DIGEST) != APPPASS_DIGEST);
}
