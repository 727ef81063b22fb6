/* SPDX-License-Identifier: ISC */
/*
 * Datagrams and descriptors between our own processes, see ipc.h.
 */
#include "lib/ipc.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/str.h"

#define IPC_FLAGS	(SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK)
#define IPC_BACKLOG	128
#define IPC_QUEUE	(1024 * 1024)	/* octets a socket may hold */

/* Room for the largest datagrams: the default holds few of 48 KiB. */
static void
widen(int fd)
{
	int size = IPC_QUEUE;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

int
ipc_pair(int sv[2])
{
	if (socketpair(AF_UNIX, IPC_FLAGS, 0, sv) == -1)
		return -1;
	widen(sv[0]);
	widen(sv[1]);
	return 0;
}

static int
ipc_address(struct sockaddr_un *sun, const char *path)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	return str_copy(sun->sun_path, sizeof(sun->sun_path), path);
}

int
ipc_listen(const char *path)
{
	struct sockaddr_un sun;
	mode_t mask;
	int fd, saved;

	if (ipc_address(&sun, path) == -1)
		return -1;
	if ((fd = socket(AF_UNIX, IPC_FLAGS, 0)) == -1)
		return -1;
	unlink(path);
	mask = umask(0177);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    listen(fd, IPC_BACKLOG) == -1) {
		saved = errno;
		umask(mask);
		close(fd);
		errno = saved;
		return -1;
	}
	umask(mask);
	return fd;
}

int
ipc_connect(const char *path)
{
	struct sockaddr_un sun;
	int fd, saved;

	if (ipc_address(&sun, path) == -1)
		return -1;
	if ((fd = socket(AF_UNIX, IPC_FLAGS, 0)) == -1)
		return -1;
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	widen(fd);
	return fd;
}

int
ipc_send(int fd, const void *msg, size_t len, int pass)
{
	union {
		struct cmsghdr	head;
		unsigned char	room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { .iov_len = len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;
	ssize_t n;

	memcpy(&iov.iov_base, &msg, sizeof(msg));	/* drops the const */
	if (pass != -1) {
		memset(&control, 0, sizeof(control));
		mh.msg_control = control.room;
		mh.msg_controllen = sizeof(control.room);
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &pass, sizeof(int));
	}
	do
		n = sendmsg(fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -1 : 0;
}

/* Keep one descriptor from the control data, close others. How many came. */
static int
take_fds(struct msghdr *mh, int *got)
{
	struct cmsghdr *c;
	int count = 0, fd;

	for (c = CMSG_FIRSTHDR(mh); c != NULL; c = CMSG_NXTHDR(mh, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		for (size_t i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int),
			    sizeof(int));
			if (count++ == 0 && got != NULL)
				*got = fd;
			else
				close(fd);
		}
	}
	return count;
}

ssize_t
ipc_recv(int fd, void *buf, size_t cap, int *got)
{
	union {
		struct cmsghdr	head;
		unsigned char	room[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = buf, .iov_len = cap };
	struct msghdr mh = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room)
	};
	int count;
	ssize_t n;

	if (got != NULL)
		*got = -1;
	do
		n = recvmsg(fd, &mh, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return -1;
	/* One without octets, which is taken for the end, can carry some. */
	count = take_fds(&mh, n > 0 ? got : NULL);
	if (n == 0 || (count <= 1 &&
	    (mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0))
		return n;
	if (got != NULL && *got != -1) {
		close(*got);
		*got = -1;
	}
	errno = count > 1 ? EPROTO : EMSGSIZE;
	return -1;
}
