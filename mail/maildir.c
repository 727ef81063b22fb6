/* SPDX-License-Identifier: ISC */
/*
 * Maildir names, see maildir.h. Made in the store, read in the reader; names
 * that are read may be any other program's work.
 */
#include "mail/maildir.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/str.h"

#define USEC	1000000

/* Octets that need no care in a file name, a Maildir name or a URL. */
static bool
is_safe(char c)
{
	return str_is_alnum(c) || c == '-' || c == '.';
}

void
maildir_maker_init(struct maildir_maker *m, const char *host, uint64_t pid)
{
	size_t i;

	memset(m, 0, sizeof(*m));
	m->pid = pid;
	for (i = 0; host[i] != '\0' && i < sizeof(m->host) - 1; i++)
		m->host[i] = is_safe(host[i]) ? host[i] : '_';
	if (i == 0)
		memcpy(m->host, "localhost", sizeof("localhost"));
}

void
maildir_maker_next(struct maildir_maker *m, uint64_t now, uint64_t size,
    uint64_t wire, char *dst)
{
	if (now <= m->last)
		now = m->last + 1;
	m->last = now;
	m->count++;
	snprintf(dst, MAILDIR_NAME_MAX, "%010" PRIu64 ".M%06" PRIu64 "P%"
	    PRIu64 "Q%" PRIu64 ".%s,S=%" PRIu64 ",W=%" PRIu64, now / USEC,
	    now % USEC, m->pid, m->count, m->host, size, wire);
}

static unsigned
parse_flags(const char *s)
{
	static const char letters[] = "DFPRST";	/* in the order of the enum */
	const char *at;
	unsigned flags = 0;

	for (; *s != '\0'; s++)
		if ((at = strchr(letters, *s)) != NULL)
			flags |= 1U << (at - letters);
	return flags;
}

/* One ",X=number" of len octets; other fields are left alone. */
static void
parse_field(const char *s, size_t len, struct maildir_name *out)
{
	uint64_t n;

	if (len < 3 || s[1] != '=' ||
	    str_u64(s + 2, len - 2, INT64_MAX, &n) == -1)
		return;
	if (s[0] == 'S') {
		out->has_size = true;
		out->size = n;
	} else if (s[0] == 'W') {
		out->has_wire = true;
		out->wire = n;
	}
}

bool
maildir_name_parse(const char *name, struct maildir_name *out)
{
	const char *s;
	size_t len;

	memset(out, 0, sizeof(*out));
	out->id_len = strcspn(name, ",:");
	if (out->id_len == 0 || name[0] == '.')
		return false;
	for (s = name + out->id_len; *s == ','; s += len) {
		s++;
		len = strcspn(s, ",:");
		parse_field(s, len, out);
	}
	if (strncmp(s, ":2,", 3) == 0)
		out->flags = parse_flags(s + 3);
	return true;
}
