/* SPDX-License-Identifier: ISC */
/*
 * A message on its way in: octets with CRLF line ends from a session, held
 * in memory while few, in a staged file when many; its header block judged
 * when complete, trace fields put before it. It is stored with LF line ends,
 * but a binary one (RFC 3030) as it came, with CRLF in what is added to it.
 */
#ifndef POSTERN_STORE_BODY_H
#define POSTERN_STORE_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "mail/addr.h"
#include "mail/header.h"
#include "smtpd/store_file.h"
#include "smtpd/store_proto.h"

struct alias_table;
struct trace;

#define BODY_ID_MAX	48
#define BODY_SPILL	(256 * 1024)	/* octets kept in memory */

/* Shared by all bodies of the process. */
struct body_env {
	int		 root;			/* the mail root */
	const char	*hostname;
	uint64_t	 message_size;		/* limits, octets */
	uint64_t	 header_size;
	uint64_t	 received_limit;
	struct alias_table *aliases;		/* or NULL; it may change */
	size_t		 memory;		/* in use by all, */
	size_t		 memory_max;		/* and its bound */
};

struct body {
	struct body_env		*env;
	const char		*path;		/* see body_open() */
	struct addr		 login;
	char			 id[BODY_ID_MAX];	/* in Received */
	int64_t			 now;		/* seconds, at OPEN */
	bool			 binary;	/* stored as it came */
	struct buf		 head;		/* trace fields */
	struct buf		 text;		/* what is not in the file yet,
						   as it is stored */
	size_t			 charged;	/* of env->memory */
	struct header_search	 search;
	bool			 header_done;
	bool			 cr;		/* a CR waits for its LF */
	uint64_t		 received;	/* octets from the session */
	uint64_t		 size;		/* octets in the file, */
	uint64_t		 lines;		/* and line ends without CR */
	struct staged		 file;
	enum store_status	 status;	/* STORE_OK: sound so far */
	int			 error;		/* errno behind the status */
};

/*
 * Begin. path (of one recipient's mailbox) stays the caller's and valid;
 * flags are those of struct store_begin; t holds all but hostname, id and
 * now, which are taken from the body and its env. 0, or -1 with errno.
 */
int	 body_open(struct body *, struct body_env *, const char *path,
	    const struct addr *login, uint32_t flags, const char *id,
	    int64_t now, const struct trace *t);
/* Take octets. What is wrong with them stands in b->status from then on. */
void	 body_add(struct body *, const void *data, size_t len);
/*
 * Others need the memory it holds, if that is more than `most' octets: what
 * is in it goes to the file. Until its header block is whole that cannot be;
 * it is given up then (STORE_FAILED).
 */
void	 body_yield(struct body *, size_t most);
/* There will be no more; returns the status. */
enum store_status body_end(struct body *);
/*
 * Put what is in memory into the file, which is made where there is none.
 * 0, or -1 and errno. Not the main thread's alone: after body_end() a
 * delivery thread calls it. b->size and b->lines are final then.
 */
int	 body_flush(struct body *);
/* Let go of all it holds. Main thread only. */
void	 body_free(struct body *);
/* The status that says what errno means to the client. */
enum store_status body_errno(int error);

#endif
