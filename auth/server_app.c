/* SPDX-License-Identifier: ISC */
/*
 * App passwords as auth-server sees them: whether one may still be used, and
 * when it was used last. Runs in auth-server. The times are kept in a file
 * that posternctl shows; the first use is written within a second, later
 * ones once a minute, so that many logins cost few writes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auth/lastuse.h"
#include "auth/server.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/now.h"
#include "lib/str.h"

#define WRITE_MS	60000

static const struct account *
line_of(const struct server *s, const char *user, const char *app)
{
	return *app == '\0' ? NULL : accounts_find_app(s->accounts, user, app);
}

enum apppass_refusal
app_refusal(const struct server *s, const char *user, const char *app,
    uint32_t service)
{
	const struct account *line = line_of(s, user, app);

	return line == NULL ? APPPASS_USABLE :
	    apppass_refusal(line, service, (uint64_t)time(NULL));
}

uint64_t
app_time_left(const struct server *s, const char *user, const char *app)
{
	const struct account *line = line_of(s, user, app);
	struct timespec ts;
	uint64_t now;

	if (line == NULL || line->expires == 0)
		return UINT64_MAX;
	clock_gettime(CLOCK_REALTIME, &ts);
	now = (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
	return line->expires * 1000 > now ? line->expires * 1000 - now : 0;
}

void
app_account(const struct server *s, const char *name,
    char out[AUTH_USER_MAX])
{
	char user[ACCOUNTS_NAME_MAX], app[ACCOUNTS_APP_MAX];

	if (accounts_find(s->accounts, name) == NULL &&
	    apppass_split(name, user, app))
		name = user;
	str_copy(out, AUTH_USER_MAX, name);
}

int
app_start(struct server *s)
{
	/* Other stores have no app passwords. */
	if (s->conf->auth_store != CONF_STORE_ACCOUNTS)
		return 0;
	if (asprintf(&s->own_folder, "%s/%s", s->conf->state_dir,
	    LASTUSE_FOLDER) == -1 || asprintf(&s->lastuse_path, "%s/%s",
	    s->own_folder, LASTUSE_FILE) == -1 ||
	    (s->lastuse = lastuse_new()) == NULL)
		return -1;
	if (lastuse_read(s->lastuse, s->lastuse_path) == -1)
		log_warn("auth: cannot read file=%s: %m", s->lastuse_path);
	return 0;
}

void
app_used(const struct login *l)
{
	struct server *s = l->server;
	struct lastuse_entry e = {
		.time = (uint64_t)time(NULL), .service = l->service
	};
	const struct account *line = line_of(s, l->user, l->app);
	const struct lastuse_entry *last;

	if (s->lastuse == NULL || line == NULL ||
	    apppass_login(l->user, l->app, e.login) == -1)
		return;
	ip_text(l->address, e.address);
	/* What is known may be of a former one that had its name. */
	last = lastuse_find(s->lastuse, e.login);
	if (last == NULL || last->time <= line->created)
		s->used_first = true;
	s->used_again = true;
	if (lastuse_add(s->lastuse, &e) == -1)
		log_err("auth: cannot keep a time of last use: %m");
}

void
app_changed(struct server *s)
{
	s->used_again = s->used_again || (s->lastuse != NULL &&
	    lastuse_first(s->lastuse) != NULL);
}

void
app_write(struct server *s)
{
	/* Without the accounts it is not known what to keep. */
	if (s->lastuse == NULL || !s->used_again || s->accounts == NULL)
		return;
	s->used_first = s->used_again = false;
	if (lastuse_write(s->lastuse, s->lastuse_path, s->accounts) == -1) {
		log_err("auth: cannot write file=%s: %m", s->lastuse_path);
		s->used_again = true;
	}
	s->used_written = now_boot();
}

void
app_tick(struct server *s)
{
	if (s->used_first || (s->used_again &&
	    now_boot() >= s->used_written + WRITE_MS))
		app_write(s);
}
