/* SPDX-License-Identifier: ISC */
/*
 * retrieve-reader: lists and opens mail, read only, for sessions that name a
 * ticket. Trusts auth; not sessions, and not what lies in mailboxes. Once it
 * is confined it can write nowhere.
 */
#include "retrieve/reader.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/chan.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/now.h"
#include "lib/priv.h"
#include "lib/role.h"
#include "lib/secret.h"

#define INDEX_BYTES	(256UL << 20)	/* of memory for mailbox indexes */

static const int calls[] = {
	SCMP_SYS(openat2), SCMP_SYS(getdents64), SCMP_SYS(newfstatat),
	SCMP_SYS(pread64), SCMP_SYS(shutdown), -1
};
static struct priv_profile profile = { .calls = calls };
static struct reader reader = { .root = -1 };

void
reader_left(struct reader *r)
{
	if (r->draining && TAILQ_EMPTY(&r->peers))
		role_done();
}

static int
start(void *arg, struct event_base *base, const struct conf *conf)
{
	struct reader	*r = arg;

	r->base = base;
	TAILQ_INIT(&r->peers);
	TAILQ_INIT(&r->jobs);
	r->root = open(conf->mail_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->root == -1) {
		log_err("reader: %s: %m", conf->mail_root);
		return -1;
	}
	if (secret_load(conf->state_dir, "reader", "cursor.key", r->key,
	    sizeof(r->key)) == -1)
		return -1;
	profile.paths[0] = (struct priv_path){ conf->mail_root, PRIV_READ };
	r->step = evtimer_new(base, job_run, r);
	r->held = held_new(AUTH_HTTP, AUTH_LOGINS_MAX);
	r->boxes = boxes_new(r->root, r->key, INDEX_BYTES);
	r->scratch = malloc(READER_SCRATCH);
	r->rows = malloc(sizeof(*r->rows));
	if (r->step == NULL || r->held == NULL || r->boxes == NULL ||
	    r->scratch == NULL || r->rows == NULL) {
		log_err("reader: %m");
		return -1;
	}
	return 0;
}

static void
on_auth(struct chan *c, void *arg, const void *msg, size_t len, int fd)
{
	struct reader	*r = arg;

	(void)c;
	if (fd != -1)
		close(fd);
	if (held_input(r->held, msg, len, now_boot()) == 0)
		return;
	log_err("reader: ticket from auth: %m");
	if (errno == EPROTO)
		exit(EX_PROTOCOL);
}

static void
on_auth_gone(struct chan *c, void *arg)
{
	struct reader	*r = arg;

	(void)c;
	/* Nobody would tell of their end; a new auth sends the live ones. */
	chan_free(&r->auth);
	held_clear(r->held);
	role_want_peer(ROLE_AUTH_SERVER);
}

static void
on_peer(void *arg, enum role role, uint32_t instance, int fd)
{
	static const struct chan_ops auth_ops = {
		.input = on_auth, .gone = on_auth_gone
	};
	struct reader	*r = arg;

	switch (role) {
	case ROLE_AUTH_SERVER:
		chan_free(&r->auth);
		held_clear(r->held);
		r->auth = chan_new(r->base, fd, &auth_ops, r);
		if (r->auth == NULL) {
			log_err("reader: %m");
			exit(EX_OSERR);
		}
		break;
	case ROLE_RETRIEVE_SESSION:
		peer_new(r, instance, fd);
		break;
	default:
		close(fd);
		break;
	}
}

static void
on_drain(void *arg)
{
	struct reader	*r = arg;

	r->draining = true;
	reader_left(r);
}

int
main(int argc, char **argv)
{
	static const struct role_ops ops = {
		.role = ROLE_RETRIEVE_READER,
		.profile = &profile,
		.start = start,
		.peer = on_peer,
		.drain = on_drain,
	};

	return role_main(argc, argv, &ops, &reader);
}
