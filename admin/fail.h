/* SPDX-License-Identifier: ISC */
/*
 * Saying on standard error what went wrong, and the exit status for it
 * (sysexits(3)).
 */
#ifndef POSTERN_FAIL_H
#define POSTERN_FAIL_H

/* Say "posternctl: what: why"; returns status. */
int	 fail_say(int status, const char *what, const char *why);
/* The same with the text of errno; returns the status that fits errno. */
int	 fail_errno(const char *what);
/*
 * Say how the commands in usage, one a line, are called; lines that open
 * with a blank go on with the one before. Returns EX_USAGE.
 */
int	 fail_usage(const char *usage);

#endif
