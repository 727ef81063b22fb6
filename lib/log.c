/* SPDX-License-Identifier: ISC */
/*
 * Log lines to stderr or to a syslog socket, see log.h. Any process. The
 * state is set once by log_open() at the start of main.
 */
#include "lib/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/stats.h"

#define LOG_LINE_MAX	2048

static struct {
	const char	*name;
	int		 fd;
	bool		 verbose;
} state = { "postern", -1, false };

void
log_open(const char *name, int fd, bool verbose)
{
	if (state.fd != -1 && state.fd != fd)
		close(state.fd);
	state.name = name;
	state.fd = fd;
	state.verbose = verbose;
	/* The first gmtime_r(3) too opens the zone's file: not in a sandbox. */
	tzset();
}

int
log_fd(void)
{
	return state.fd;
}

bool
log_is_verbose(void)
{
	return state.verbose;
}

/* "2026-11-21T10:00:00.123Z name[pid]: ", UTC as sandboxes read no zone. */
static int
prefix_stderr(char *line, size_t size)
{
	struct timespec now;
	struct tm tm;
	char when[32];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	return snprintf(line, size, "%s.%03dZ %s[%d]: ", when,
	    (int)(now.tv_nsec / 1000000), state.name, (int)getpid());
}

void
log_write(int priority, const char *fmt, ...)
{
	char line[LOG_LINE_MAX];
	int n, m, room = (int)sizeof(line) - 1;
	va_list ap;

	if (priority == LOG_DEBUG && !state.verbose)
		return;
	if (priority <= LOG_WARNING)
		stats_add(STATS_LOG_LINES + (priority == LOG_WARNING), 1);
	if (state.fd == -1)
		n = prefix_stderr(line, (size_t)room);
	else
		n = snprintf(line, (size_t)room, "<%d>%s[%d]: ",
		    LOG_MAIL | priority, state.name, (int)getpid());
	if (n < 0 || n >= room)
		return;
	va_start(ap, fmt);
	m = vsnprintf(line + n, (size_t)(room - n), fmt, ap);
	va_end(ap);
	if (m < 0)
		return;
	n = m >= room - n ? room - 1 : n + m;
	if (state.fd == -1) {
		line[n++] = '\n';
		/* A log that cannot be written has nowhere to say so. */
		if (write(STDERR_FILENO, line, (size_t)n) == -1)
			return;
	} else {
		send(state.fd, line, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
}

void
log_bug(const char *file, int line, const char *what)
{
	log_write(LOG_ERR, "bug: %s:%d: %s", file, line, what);
	abort();
}
