/* SPDX-License-Identifier: ISC */
/*
 * Datagrams between our own processes: SOCK_SEQPACKET, fixed structs, at
 * most one descriptor each by SCM_RIGHTS. No framing to parse; who receives
 * still checks every enum, length and NUL.
 */
#ifndef POSTERN_IPC_H
#define POSTERN_IPC_H

#include <stddef.h>
#include <sys/types.h>

#define IPC_MAX	65536		/* the most octets of one datagram */

/* A connected pair, close-on-exec, non-blocking. 0, or -1 and errno. */
int	 ipc_pair(int sv[2]);
/*
 * Listen on, or connect to, the socket at path (mode 0600; an old socket
 * there is replaced by ipc_listen). The descriptor, or -1 and errno.
 */
int	 ipc_listen(const char *path);
int	 ipc_connect(const char *path);
/*
 * Send one datagram, with the descriptor pass unless it is -1 (pass stays
 * the caller's). 0, or -1 and errno: EAGAIN when the peer's queue is full,
 * EPIPE or ECONNRESET when it is gone.
 */
int	 ipc_send(int fd, const void *msg, size_t len, int pass);
/*
 * Receive one datagram into buf of cap octets. Its length; 0 when the peer
 * is gone; -1 and errno: EAGAIN when none waits, EMSGSIZE when it was cut,
 * EPROTO when more than one descriptor came. *got is the descriptor
 * that came (close-on-exec, now the caller's) or -1; with got NULL any that
 * comes is closed.
 */
ssize_t	 ipc_recv(int fd, void *buf, size_t cap, int *got);

#endif
