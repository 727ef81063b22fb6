/* SPDX-License-Identifier: ISC */
/*
 * Account stores of Cyrus SASL, as auth-server sees them: a file that changes
 * and cannot be read here. After each change the workers are asked what every
 * login is worth now, and those that are not as they were end. Trusts the
 * workers in what they say of the store.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "auth/server.h"
#include "lib/chan.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/str.h"

#define LOOKS_MAX	256	/* questions on their way: logins come first */

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	    a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	    a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* The file and, where SQLite keeps one, its log of changes. */
static int
look_at(const struct conf *c, struct stat mark[STORE_FILES])
{
	const char *path = conf_store_path(c, NULL);
	char wal[4096];

	memset(mark, 0, STORE_FILES * sizeof(mark[0]));
	if (stat(path, &mark[0]) == -1)
		return -1;
	if (c->auth_store == CONF_STORE_SQL &&
	    snprintf(wal, sizeof(wal), "%s-wal", path) < (int)sizeof(wal) &&
	    stat(wal, &mark[1]) == -1)
		memset(&mark[1], 0, sizeof(mark[1]));
	return 0;
}

bool
store_follow(struct server *s)
{
	const char *path = conf_store_path(s->conf, NULL);
	struct stat mark[STORE_FILES];

	/* saslauthd tells nobody of changes. */
	if (s->conf->auth_store == CONF_STORE_SASLAUTHD)
		return true;
	if (look_at(s->conf, mark) == -1) {
		if (s->readable)
			log_err("store: cannot see file=%s: %m", path);
		return s->readable = false;
	}
	s->readable = true;
	if (same_file(&mark[0], &s->store.mark[0]) &&
	    same_file(&mark[1], &s->store.mark[1]))
		return true;
	memcpy(s->store.mark, mark, sizeof(mark));
	s->store.version++;
	log_debug("store: changed file=%s version=%llu", path,
	    (unsigned long long)s->store.version);
	store_review(s);
	return true;
}

/* Ask what the ticket's user is worth; false: nobody can be asked now. */
static bool
ask(struct server *s, struct ticket *k)
{
	struct sasl_look m;

	memset(&m, 0, sizeof(m));
	m.type = SASLW_LOOK;
	m.client = k->client;
	m.id = k->id;
	m.version = s->store.version;
	str_copy(m.user, sizeof(m.user), k->user);
	if (!worker_look(s, &m))
		return false;
	k->asked = s->store.version;
	s->store.looks++;
	return true;
}

void
store_review(struct server *s)
{
	struct ticket *k;

	for (k = tickets_first(s->tickets); k != NULL && !s->store.paused &&
	    s->store.looks < LOOKS_MAX; k = tickets_next(k))
		if (k->seen != s->store.version &&
		    k->asked != s->store.version && !ask(s, k))
			s->store.paused = true;
}

void
store_tick(struct server *s)
{
	s->store.paused = false;
	if (s->conf->auth_store != CONF_STORE_ACCOUNTS)
		store_review(s);
}

/* As the store was when this was asked. */
static void
judge(struct server *s, struct ticket *k, const struct sasl_looked *m)
{
	char user[2 * AUTH_USER_MAX];

	if (m->status == AUTH_TEMP) {
		k->asked = 0;
		s->store.paused = true;
		return;
	}
	if (m->status == AUTH_OK &&
	    memcmp(m->proof, k->proof, sizeof(k->proof)) == 0) {
		k->seen = m->version;
		return;
	}
	str_quote(user, sizeof(user), k->user, strlen(k->user));
	log_info("auth: revoked user=%s service=%s", user,
	    server_service_name(k->service));
	ticket_end(s, k, true);
}

void
store_looked(struct server *s, const struct sasl_looked *m)
{
	struct ticket *k = tickets_find(s->tickets, m->client, m->id);

	s->store.looks--;
	/* The name: the id may be that of a later login. */
	if (k != NULL && k->asked == m->version &&
	    strcmp(k->user, m->user) == 0)
		judge(s, k, m);
	if (s->store.looks == 0)
		store_review(s);
}

void
store_worker_gone(struct server *s, size_t looks)
{
	struct ticket *k;

	s->store.looks -= looks;
	if (looks == 0)
		return;
	for (k = tickets_first(s->tickets); k != NULL; k = tickets_next(k))
		k->asked = 0;
	/* The tick goes on with another worker. */
	s->store.paused = true;
}
