/* SPDX-License-Identifier: ISC */
/*
 * One event a line: "module: event key=value ...", to stderr or, by a
 * connected datagram socket the process was given, to syslog (RFC 3164,
 * facility mail). Never opens anything after log_open(), so that it works
 * in a sandbox. Text from a peer goes through str_quote() first.
 */
#ifndef POSTERN_LOG_H
#define POSTERN_LOG_H

#include <stdbool.h>
#include <syslog.h>

/*
 * name: this program's name, kept by reference. fd: -1 for stderr, else a
 * connected syslog socket, owned by the log from now on. verbose: LOG_DEBUG
 * lines are written too.
 */
void	 log_open(const char *name, int fd, bool verbose);
/* The socket to syslog, or -1: for handing it to a child. */
int	 log_fd(void);
bool	 log_is_verbose(void);
/* priority: LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO or LOG_DEBUG. */
void	 log_write(int priority, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
#define log_err(...)	log_write(LOG_ERR, __VA_ARGS__)
#define log_warn(...)	log_write(LOG_WARNING, __VA_ARGS__)
#define log_notice(...)	log_write(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)	log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...)	log_write(LOG_DEBUG, __VA_ARGS__)
/* Our own bug: log where and abort(3). */
void	 log_bug(const char *file, int line, const char *what)
	    __attribute__((noreturn));
#define BUG_IF(c) do { if (c) log_bug(__FILE__, __LINE__, #c); } while (0)

#endif
