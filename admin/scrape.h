/* SPDX-License-Identifier: ISC */
/*
 * The server behind "posternctl metrics --listen": scrape.c (pure) judges
 * requests and makes heads, scrape_serve.c has the sockets. Who connects is
 * on this machine, and not trusted.
 */
#ifndef POSTERN_SCRAPE_H
#define POSTERN_SCRAPE_H

#include <stddef.h>
#include <stdint.h>

struct buf;

#define SCRAPE_HEAD_MAX	4096	/* octets of a request */
#define SCRAPE_TIME	5000	/* ms for a request, and for its reply */
#define SCRAPE_CLIENTS	16	/* at a time; more wait */

/* Octets of the head at data, its empty line with it; 0: it has no end yet. */
size_t	 scrape_head(const char *data, size_t len);
/*
 * Judge the len octets of a whole head, as scrape_head() has found it: 200
 * or what is wrong with it (400, 404, 405, 505).
 */
int	 scrape_judge(const char *head, size_t len);
/*
 * Append a whole reply: with 200 the body that is given, else a line that
 * says what is wrong. now: seconds since 1970. 0, or -1 as buf_add().
 */
int	 scrape_reply(struct buf *out, int code, const struct buf *body,
	    int64_t now);

/*
 * Listen on "127.0.0.1:9464", "[::1]:9464" or a local socket's absolute
 * path, and write what was bound to name. The descriptor, not blocking; or
 * -1, and *status is the exit status for what was said.
 */
int	 scrape_listen(const char *address, char *name, size_t size,
	    int *status);
/* Answer GET /metrics until SIGTERM or SIGINT. Returns the exit status. */
int	 scrape_serve(int fd, const char *run_dir);

#endif
