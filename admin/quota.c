/* SPDX-License-Identifier: ISC */
/*
 * posternctl quota set|remove|show. Run by the administrator, often as root,
 * while the mailboxes belong to postern-store: so all is done from an open
 * folder and through no link. A running store sees a change by itself.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "admin/admin.h"
#include "admin/fail.h"
#include "admin/mailbox.h"
#include "lib/conf.h"
#include "lib/conf_value.h"
#include "lib/file.h"
#include "lib/str.h"
#include "mail/addr.h"
#include "mail/quota_scan.h"

#define FILE_NAME	"quota"
#define FILE_MODE	0640
#define PLACE_MAX	(3 * ADDR_MAX + 2)	/* each octet as %HH */

const char quota_cmd_usage[] =
    "quota set ADDRESS SIZE [MESSAGES]\n"
    "quota remove ADDRESS\n"
    "quota show [ADDRESS]\n";

struct task {
	struct conf	*conf;
	int		 root;		/* the mail root */
	char		 user[ACCOUNTS_NAME_MAX];
	char		 place[PLACE_MAX];	/* "domain/local" */
};

/* One mailbox's limits, and where they come from. */
struct found {
	struct quota_limits	 limits;
	bool			 own, bad;
};

static int
open_box(const struct task *t, int *fd)
{
	*fd = file_open_below(t->root, t->place, O_RDONLY | O_DIRECTORY, 0);
	if (*fd != -1)
		return EX_OK;
	if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
		return fail_say(EX_NOUSER, t->user, "no such mailbox");
	return fail_errno(t->user);
}

/* Without limits nobody keeps it right; another makes it anew when needed. */
static void
forget_sizes(int box, const struct quota_limits *l)
{
	int fd;

	if (quota_limits_any(l))
		return;
	fd = file_open_below(box, "Maildir", O_RDONLY | O_DIRECTORY, 0);
	if (fd == -1)
		return;
	unlinkat(fd, "maildirsize", 0);
	close(fd);
}

static int
write_line(int fd, const char *line, const struct mailbox_owner *owner)
{
	if (owner->set && fchown(fd, (uid_t)-1, owner->gid) == -1)
		return -1;
	if (fchmod(fd, FILE_MODE) == -1)
		return -1;
	if (dprintf(fd, "%s\n", line) != (int)strlen(line) + 1)
		return -1;
	return fsync(fd);
}

/* Replace the file in the mailbox, at once. 0, or -1 and errno. */
static int
put_line(int box, const char *line, const struct mailbox_owner *owner)
{
	char name[40];
	int fd, r, saved;

	snprintf(name, sizeof(name), ".%s.%ld", FILE_NAME, (long)getpid());
	unlinkat(box, name, 0);
	fd = file_open_below(box, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd == -1)
		return -1;
	r = write_line(fd, line, owner);
	if (r == 0)
		r = renameat(box, name, box, FILE_NAME);
	if (r == 0)
		r = fsync(box);
	saved = errno;
	close(fd);
	if (r == -1)
		unlinkat(box, name, 0);
	errno = saved;
	return r;
}

/* A value as the conf would have it for delivery.name, into the conf. */
static int
take_value(struct conf *c, const char *name, const char *text)
{
	const struct conf_key *k;
	const char *reason;
	char why[128];

	for (k = conf_keys; k->name != NULL; k++)
		if (strcmp(k->section, "delivery") == 0 &&
		    strcmp(k->name, name) == 0)
			break;
	reason = conf_value_set(c, k, text, why, sizeof(why));
	return reason == NULL ? EX_OK : fail_say(EX_DATAERR, text, reason);
}

static int
run_set(struct task *t, int argc, char **argv)
{
	struct mailbox_owner owner;
	struct quota_limits l;
	char line[QUOTA_LINE_MAX];
	const char *missing;
	int box, status;

	if ((missing = mailbox_owner(&owner)) != NULL)
		return fail_say(EX_OSFILE, missing,
		    "no such system user or group");
	if ((status = take_value(t->conf, "quota", argv[0])) != EX_OK ||
	    (status = take_value(t->conf, "quota_messages",
	    argc > 1 ? argv[1] : "0")) != EX_OK ||
	    (status = open_box(t, &box)) != EX_OK)
		return status;
	l.bytes = t->conf->quota;
	l.messages = t->conf->quota_messages;
	quota_limits_format(&l, line);
	if (put_line(box, line, &owner) == -1)
		status = fail_errno(t->user);
	else
		forget_sizes(box, &l);
	close(box);
	return status;
}

static int
run_remove(struct task *t, int argc, char **argv)
{
	const struct quota_limits l = { t->conf->quota,
	    t->conf->quota_messages };
	int box, status;

	(void)argc;
	(void)argv;
	if ((status = open_box(t, &box)) != EX_OK)
		return status;
	if (unlinkat(box, FILE_NAME, 0) == -1)
		status = errno == ENOENT ? fail_say(EX_NOINPUT, t->user,
		    "has no quota of its own") : fail_errno(t->user);
	else if (fsync(box) == -1)
		status = fail_errno(t->user);
	else
		forget_sizes(box, &l);
	close(box);
	return status;
}

/* The file of the mailbox, or the default. EX_OK, or an exit status. */
static int
find_limits(const struct task *t, int box, struct found *f)
{
	unsigned char *text = NULL;
	struct stat st;
	size_t len;
	int fd;

	*f = (struct found){ .limits = { t->conf->quota,
	    t->conf->quota_messages } };
	fd = file_open_below(box, FILE_NAME, O_RDONLY | O_NONBLOCK, 0);
	if (fd == -1 && errno == ENOENT)
		return EX_OK;
	if (fd == -1 && errno != ELOOP)
		return fail_errno(t->user);
	f->own = true;
	if (fd != -1 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		text = file_load(fd, QUOTA_LINE_MAX, &len);
	if (text == NULL ||
	    quota_limits_parse((char *)text, len, &f->limits) == -1) {
		f->own = false;
		f->bad = true;
	}
	free(text);
	if (fd != -1)
		close(fd);
	return EX_OK;
}

static void
print_limit(uint64_t limit, const char *end)
{
	if (limit == 0)
		printf("-%s", end);
	else
		printf("%" PRIu64 "%s", limit, end);
}

static int
show_one(const struct task *t)
{
	struct quota_use use;
	struct found f;
	int box, status;

	if ((status = open_box(t, &box)) != EX_OK)
		return status;
	status = find_limits(t, box, &f);
	close(box);
	if (status != EX_OK)
		return status;
	if (quota_scan(t->root, t->place, &use, NULL) == -1)
		return fail_errno(t->user);
	printf("%s\t%" PRIu64 "\t", t->user, use.bytes);
	print_limit(f.limits.bytes, "\t");
	printf("%" PRIu64 "\t", use.messages);
	print_limit(f.limits.messages, f.own ? "\town\n" : "\tdefault\n");
	return f.bad ? fail_say(EX_DATAERR, t->user,
	    "its file " FILE_NAME " is bad, the default counts") : EX_OK;
}

/* The octets of a component of a path; "" for one that is none. */
static void
decode(const char *name, char *dst, size_t size)
{
	size_t n = 0;

	for (; *name != '\0' && n < size - 1; name++, n++) {
		dst[n] = *name;
		if (*name != '%')
			continue;
		if (str_hex(name[1]) == -1 || str_hex(name[2]) == -1)
			break;
		dst[n] = (char)(str_hex(name[1]) * 16 + str_hex(name[2]));
		name += 2;
	}
	dst[*name == '\0' ? n : 0] = '\0';
}

/* Can mail come to it? Then it has nothing that a terminal would obey. */
static bool
is_address(const struct addr *a)
{
	char text[2 * ADDR_MAX];
	struct addr same;

	addr_format(a, text, sizeof(text));
	return addr_parse_mailbox(text, strlen(text), &same) == ADDR_OK;
}

/* Show one of those that were found, if it is a mailbox. */
static int
show_place(struct task *t, const char *domain, const char *local)
{
	char again[PLACE_MAX];
	struct addr a;

	decode(domain, a.domain, sizeof(a.domain));
	decode(local, a.local, sizeof(a.local));
	snprintf(t->place, sizeof(t->place), "%s/%s", domain, local);
	if (addr_to_path(&a, again, sizeof(again)) == -1 ||
	    strcmp(again, t->place) != 0 || !is_address(&a))
		return EX_OK;
	addr_join(&a, t->user, sizeof(t->user));
	return show_one(t);
}

static int
is_name(const struct dirent *e)
{
	return e->d_name[0] != '.' &&
	    (e->d_type == DT_DIR || e->d_type == DT_UNKNOWN);
}

/* The names of folders in the folder fd, sorted. -1 and errno. */
static int
list(int fd, struct dirent ***names)
{
	return scandirat(fd, ".", names, is_name, alphasort);
}

static void
free_list(struct dirent **names, int n)
{
	if (n < 0)
		return;
	while (n-- > 0)
		free(names[n]);
	free(names);
}

/* All of a domain: the first status that is not good. */
static int
show_domain(struct task *t, const char *domain)
{
	struct dirent **names = NULL;
	int fd, i, n, r, status = EX_OK;

	fd = file_open_below(t->root, domain, O_RDONLY | O_DIRECTORY, 0);
	if (fd == -1)
		return fail_errno(domain);
	if ((n = list(fd, &names)) == -1)
		status = fail_errno(domain);
	for (i = 0; i < n; i++) {
		r = show_place(t, domain, names[i]->d_name);
		status = status == EX_OK ? r : status;
	}
	free_list(names, n);
	close(fd);
	return status;
}

static int
show_all(struct task *t)
{
	struct dirent **names = NULL;
	int i, n, r, status = EX_OK;

	if ((n = list(t->root, &names)) == -1)
		status = fail_errno(t->conf->mail_root);
	for (i = 0; i < n; i++) {
		if (strspn(names[i]->d_name, "abcdefghijklmnopqrstuvwxyz"
		    "0123456789-._%ABCDEF") != strlen(names[i]->d_name))
			continue;	/* lost+found */
		r = show_domain(t, names[i]->d_name);
		status = status == EX_OK ? r : status;
	}
	free_list(names, n);
	return status;
}

static int
run_show(struct task *t, int argc, char **argv)
{
	int status;

	(void)argc;
	(void)argv;
	status = t->user[0] != '\0' ? show_one(t) : show_all(t);
	if (fflush(stdout) != 0 || ferror(stdout))
		return fail_errno("standard output");
	return status;
}

static const struct command {
	const char	*name;
	int		 least, most;		/* operands */
	int		(*run)(struct task *, int, char **);
} commands[] = {
	{ "set", 2, 3, run_set },
	{ "remove", 1, 1, run_remove },
	{ "show", 0, 1, run_show },
};

static int
set_user(struct task *t, const char *text)
{
	const struct conf_list *domains = &t->conf->domains;
	struct addr a;

	if (accounts_name(text, strlen(text),
	    domains->n > 0 ? domains->item[0] : NULL, t->user,
	    sizeof(t->user)) == -1 || addr_split(t->user, &a) == -1 ||
	    addr_to_path(&a, t->place, sizeof(t->place)) == -1)
		return fail_say(EX_DATAERR, text, "not a mail address");
	return EX_OK;
}

/* argv holds the operands. */
static int
run(const struct command *cmd, const char *conf, int argc, char **argv)
{
	struct task t = { .root = -1 };
	int status;

	if (argc < cmd->least || argc > cmd->most)
		return fail_usage(quota_cmd_usage);
	status = admin_conf(conf, &t.conf);
	if (status == EX_OK && argc > 0)
		status = set_user(&t, argv[0]);
	if (status == EX_OK) {
		t.root = open(t.conf->mail_root,
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (t.root == -1)
			status = fail_errno(t.conf->mail_root);
		else
			status = cmd->run(&t, argc - 1, argv + 1);
	}
	if (t.root != -1)
		close(t.root);
	conf_free(&t.conf);
	return status;
}

int
quota_cmd(const char *conf, int argc, char **argv)
{
	size_t i;

	for (i = 0; argc > 0 && i < sizeof(commands) / sizeof(commands[0]);
	    i++)
		if (strcmp(argv[0], commands[i].name) == 0)
			return run(&commands[i], conf, argc - 1, argv + 1);
	return fail_usage(quota_cmd_usage);
}
