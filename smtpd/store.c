/* SPDX-License-Identifier: ISC */
/*
 * smtpd-store: puts messages into mailboxes. It may create and link below
 * the mail root, and has no network. Its sessions are not trusted (see
 * store_peer.c); auth and its master are.
 */
#include <event2/event.h>
#include <malloc.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/log.h"
#include "lib/priv.h"
#include "lib/role.h"
#include "smtpd/store_impl.h"

/*
 * Quotas need getdents64, to count a mailbox, and a rename, to replace its
 * maildirsize, which others must never find half written; below the mail
 * root linkat and unlinkat can do as much already. Which call renameat(3)
 * makes depends on the architecture.
 */
static const int calls[] = {
	SCMP_SYS(openat2), SCMP_SYS(linkat), SCMP_SYS(unlinkat),
	SCMP_SYS(mkdirat), SCMP_SYS(fsync), SCMP_SYS(fchmod),
	SCMP_SYS(newfstatat), SCMP_SYS(getdents64), SCMP_SYS(renameat),
#ifndef __NR_renameat
	SCMP_SYS(renameat2),
#endif
	SCMP_SYS(pread64),	/* the alias file */
	-1
};

static struct store	store;
static struct priv_profile profile = { .calls = calls };

/*
 * Descriptors: a file for each message that is in a file, a folder for each
 * mailbox of those that threads deliver, and channels.
 */
static unsigned long
descriptors(const struct conf *c)
{
	return (unsigned long)(c->connections + c->delivery_threads *
	    (c->mailbox_limit + 8) + 256);
}

static int
on_start(void *arg, struct event_base *base, const struct conf *conf)
{
	struct store *s = arg;

#ifdef M_ARENA_MAX
	/* Else malloc(3) in a thread opens a file to count the processors. */
	mallopt(M_ARENA_MAX, 4);
#endif
	umask(0027);
	signal(SIGXFSZ, SIG_IGN);
	profile.paths[0].path = conf->mail_root;
	profile.paths[0].access = PRIV_READ | PRIV_WRITE | PRIV_LINK |
	    PRIV_MKDIR | PRIV_UNLINK;
	profile.nofile = descriptors(conf);
	if (store_init(s, base, conf) == -1)
		return -1;
	/* The folder: the file is replaced by rename(2). */
	profile.paths[1].path = aliases_folder(s->aliases);
	profile.paths[1].access = PRIV_READ;
	return 0;
}

static void
on_peer(void *arg, enum role role, uint32_t instance, int fd)
{
	struct store *s = arg;

	if (role == ROLE_SMTPD_SESSION)
		peer_new(s, instance, fd);
	else if (role == ROLE_AUTH_SERVER)
		store_auth(s, fd);
	else
		close(fd);
}

static int
on_threads(void *arg)
{
	return store_threads(arg);
}

static void
on_drain(void *arg)
{
	struct store *s = arg;

	s->draining = true;
	store_left(s);
}

int
main(int argc, char **argv)
{
	static const struct role_ops ops = {
		.role = ROLE_SMTPD_STORE,
		.profile = &profile,
		.start = on_start,
		.peer = on_peer,
		.threads = on_threads,
		.drain = on_drain,
	};

	return role_main(argc, argv, &ops, &store);
}
