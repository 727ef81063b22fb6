/* SPDX-License-Identifier: ISC */
/*
 * Messages of posternctl. The administrator reads them; text from files is
 * quoted by the callers.
 */
#include "admin/fail.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

int
fail_say(int status, const char *what, const char *why)
{
	fprintf(stderr, "posternctl: %s: %s\n", what, why);
	return status;
}

int
fail_errno(const char *what)
{
	int e = errno;

	fail_say(0, what, strerror(e));
	switch (e) {
	case EACCES:
	case EPERM:
	case EROFS:
		return EX_NOPERM;
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
	case ELOOP:
		return EX_NOINPUT;
	case EEXIST:
		return EX_CANTCREAT;
	case EINVAL:
		return EX_DATAERR;
	case EWOULDBLOCK:
		return EX_TEMPFAIL;
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		return EX_OSERR;
	default:
		return EX_IOERR;
	}
}

int
fail_usage(const char *usage)
{
	const char *p, *end;

	for (p = usage; *p != '\0'; p = end + 1) {
		end = p + strcspn(p, "\n");
		fprintf(stderr, "%s%s%.*s\n", p == usage ? "usage: " :
		    "       ", *p == ' ' ? "" : "posternctl ",
		    (int)(end - p), p);
		if (*end == '\0')
			break;
	}
	return EX_USAGE;
}
