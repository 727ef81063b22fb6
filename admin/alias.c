/* SPDX-License-Identifier: ISC */
/*
 * posternctl alias add|remove|list. Run by the administrator. What is written
 * was read back first as the store will read it, and makes no loop; a file
 * with errors is left to its author.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "admin/admin.h"
#include "admin/alias_edit.h"
#include "admin/fail.h"
#include "admin/mailbox.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/str.h"

const char alias_cmd_usage[] =
    "alias add ADDRESS TARGET ...\n"
    "alias remove ADDRESS [TARGET ...]\n"
    "alias list [ADDRESS]\n";

/* One run. */
struct task {
	struct conf		*conf;
	struct addr		 addr;
	bool			 catch_all;
	char			 address[ADDR_MAX + 1];	/* "" without one */
	struct addr		*given;		/* the n targets named */
	size_t			 n;
	struct alias_edit	*edit;
	struct alias_table	*table;		/* of the file as it is */
	const struct alias	*entry;		/* of the address, or NULL */
	const char		**targets;	/* it shall have */
	size_t			 ntargets;
};

static void
say_fault(void *arg, size_t line, const char *text)
{
	const struct task *t = arg;

	fprintf(stderr, "%s:%zu: %s\n", t->conf->aliases, line, text);
}

static void
no_fault(void *arg, size_t line, const char *text)
{
	(void)arg;
	(void)line;
	(void)text;
}

static char *
canonical(const struct addr *a, char dst[ADDR_MAX + 1])
{
	str_lower(addr_join(a, dst, ADDR_MAX + 1));
	return dst;
}

static int
parse_operands(struct task *t, int argc, char **argv)
{
	const char *why;
	int i;

	if (argc == 0)
		return EX_OK;
	why = alias_address(t->conf, argv[0], strlen(argv[0]), &t->addr,
	    &t->catch_all);
	if (why != NULL)
		return fail_say(EX_DATAERR, argv[0], why);
	canonical(&t->addr, t->address);
	if ((t->given = calloc((size_t)argc, sizeof(*t->given))) == NULL)
		return fail_errno("memory");
	for (i = 1; i < argc; i++) {
		why = alias_address(t->conf, argv[i], strlen(argv[i]),
		    &t->given[t->n++], NULL);
		if (why != NULL)
			return fail_say(EX_DATAERR, argv[i], why);
	}
	return EX_OK;
}

static const struct alias *
find_entry(const struct task *t, const struct alias_table *table)
{
	return t->catch_all ? alias_find_catch_all(table, t->addr.domain) :
	    alias_find(table, &t->addr);
}

static int
unknown(const char *address)
{
	return fail_say(EX_NOUSER, address, "no such alias");
}

/* A table of some text; the faults are told by fn. */
static int
read_table(struct task *t, const char *text, size_t len, alias_fault_fn *fn,
    struct alias_table **table)
{
	*table = alias_read(text, len, t->conf, fn, t);
	return *table != NULL ? EX_OK : fail_errno(t->conf->aliases);
}

/* Lock the file and know what is in it. */
static int
begin(struct task *t)
{
	const char *path = t->conf->aliases, *text;
	size_t len;
	int status;

	if ((t->edit = alias_edit_begin(path)) == NULL)
		return fail_errno(path);
	text = alias_edit_text(t->edit, &len);
	/* Loops there were before do not matter here. */
	status = read_table(t, text, len, no_fault, &t->table);
	if (status != EX_OK)
		return status;
	if (alias_errors(t->table) > 0) {
		alias_free(&t->table);
		if (read_table(t, text, len, say_fault, &t->table) == EX_OK)
			alias_free(&t->table);
		return fail_say(EX_DATAERR, path, "has errors; not changed");
	}
	t->entry = find_entry(t, t->table);
	t->targets = calloc(t->n + 1 + (t->entry != NULL ? t->entry->n : 0),
	    sizeof(*t->targets));
	return t->targets != NULL ? EX_OK : fail_errno("memory");
}

static int
count_member(void *arg, const struct alias_member *m)
{
	(void)arg;
	(void)m;
	return 0;
}

/* The file as it would be: has it a fault that was not there before? */
static int
judge(struct task *t, struct alias_table *now, const char *text, size_t len)
{
	const struct alias *a = find_entry(t, now);
	struct alias_table *again = NULL;
	int r;

	BUG_IF(alias_errors(now) > 0);
	if (alias_refused(now) > alias_refused(t->table)) {
		if (read_table(t, text, len, say_fault, &again) == EX_OK)
			alias_free(&again);
		return fail_say(EX_DATAERR, t->address,
		    "would make a loop or too deep a nest; not changed");
	}
	r = a == NULL ? 0 : alias_expand(now, a, count_member, NULL);
	return r != ALIAS_TOO_MANY ? EX_OK : fail_say(EX_DATAERR, t->address,
	    "would lead to more mailboxes than alias_members; not changed");
}

/* Write the entry with the targets it shall have; *table is the new one. */
static int
rewrite(struct task *t, struct alias_table **table)
{
	const char *old;
	size_t len, newlen = 0;
	char *text;
	int status;

	old = alias_edit_text(t->edit, &len);
	text = alias_text_with(old, len, t->entry, t->address, t->targets,
	    t->ntargets, &newlen);
	if (text == NULL)
		return fail_errno("memory");
	status = read_table(t, text, newlen, no_fault, table);
	if (status == EX_OK)
		status = judge(t, *table, text, newlen);
	if (status == EX_OK &&
	    alias_edit_commit(&t->edit, text, newlen) == -1)
		status = fail_errno(t->conf->aliases);
	free(text);
	return status;
}

static bool
has_target(const struct task *t, const char *address)
{
	size_t i;

	for (i = 0; i < t->ntargets; i++)
		if (strcmp(t->targets[i], address) == 0)
			return true;
	return false;
}

static void
warn(const char *address, const char *why)
{
	fprintf(stderr, "posternctl: %s: warning: %s\n", address, why);
}

/* What is allowed, and may not be meant. */
static void
warn_of(const struct task *t, const struct alias_table *table)
{
	const char *root = t->conf->mail_root;
	char name[ADDR_MAX + 1];
	struct addr a;
	size_t i;

	for (i = 0; i < t->n; i++) {
		canonical(&t->given[i], name);
		a = t->given[i];
		addr_strip_tag(&a);
		if (strcmp(name, t->address) != 0 &&
		    (alias_find(table, &t->given[i]) != NULL ||
		    alias_find(table, &a) != NULL))
			continue;
		if (mailbox_is_missing(root, name))
			warn(name, "has no mailbox");
	}
	if (t->catch_all && !t->conf->catch_all)
		warn(t->address, "has no effect without catch_all = yes");
	else if (!t->catch_all && !has_target(t, t->address) &&
	    mailbox_is_there(root, t->address))
		warn(t->address, "its mailbox gets no mail any more");
}

/* The targets that the entry has now. */
static void
take_targets(struct task *t)
{
	size_t i;

	for (i = 0; t->entry != NULL && i < t->entry->n; i++)
		t->targets[t->ntargets++] = alias_target(t->table, t->entry,
		    i);
}

static int
run_add(struct task *t)
{
	struct alias_table *now = NULL;
	char (*names)[ADDR_MAX + 1];
	size_t i, before;
	int status;

	if ((status = begin(t)) != EX_OK)
		return status;
	take_targets(t);
	before = t->ntargets;
	if ((names = calloc(t->n, sizeof(*names))) == NULL)
		return fail_errno("memory");
	for (i = 0; i < t->n; i++)
		if (!has_target(t, canonical(&t->given[i], names[i])))
			t->targets[t->ntargets++] = names[i];
	if (t->ntargets > before)
		status = rewrite(t, &now);
	if (status == EX_OK)
		warn_of(t, now != NULL ? now : t->table);
	free(names);
	alias_free(&now);
	return status;
}

static bool
is_given(const struct task *t, const char *address)
{
	char name[ADDR_MAX + 1];
	size_t i;

	for (i = 0; i < t->n; i++)
		if (strcmp(canonical(&t->given[i], name), address) == 0)
			return true;
	return false;
}

static int
run_remove(struct task *t)
{
	struct alias_table *now = NULL;
	char name[ADDR_MAX + 1];
	size_t i, n;
	int status;

	if ((status = begin(t)) != EX_OK)
		return status;
	if (t->entry == NULL)
		return unknown(t->address);
	take_targets(t);
	for (i = 0; i < t->n; i++)
		if (!has_target(t, canonical(&t->given[i], name)))
			return fail_say(EX_NOUSER, name, "no such target");
	for (i = n = 0; i < t->ntargets && t->n > 0; i++)
		if (!is_given(t, t->targets[i]))
			t->targets[n++] = t->targets[i];
	t->ntargets = n;
	status = rewrite(t, &now);
	alias_free(&now);
	return status;
}

static void
print_entry(const struct alias_table *table, const struct alias *a)
{
	char word[2 * ADDR_MAX];
	size_t i;

	fputs(alias_word(a->address, word, sizeof(word)), stdout);
	for (i = 0; i < a->n; i++)
		printf("%s %s", i == 0 ? ":" : ",", alias_word(
		    alias_target(table, a, i), word, sizeof(word)));
	putchar('\n');
}

static int
run_list(struct task *t)
{
	size_t len = 0, i;
	int status;
	char *text;

	if ((text = alias_file_load(t->conf->aliases, &len)) == NULL)
		return fail_errno(t->conf->aliases);
	status = read_table(t, text, len, say_fault, &t->table);
	free(text);
	if (status != EX_OK)
		return status;
	if (t->address[0] == '\0')
		for (i = 0; i < alias_count(t->table); i++)
			print_entry(t->table, alias_at(t->table, i));
	else if ((t->entry = find_entry(t, t->table)) != NULL)
		print_entry(t->table, t->entry);
	else
		return unknown(t->address);
	if (fflush(stdout) != 0 || ferror(stdout))
		return fail_errno("standard output");
	return alias_errors(t->table) + alias_refused(t->table) == 0 ?
	    EX_OK : EX_DATAERR;
}

static const struct command {
	const char	*name;
	int		 least, most;	/* operands */
	int		(*run)(struct task *);
} commands[] = {
	{ "add", 2, INT_MAX, run_add },
	{ "remove", 1, INT_MAX, run_remove },
	{ "list", 0, 1, run_list },
};

static int
run(const struct command *cmd, const char *conf, int argc, char **argv)
{
	struct task t = { .conf = NULL };
	int status;

	status = admin_conf(conf, &t.conf);
	if (status == EX_OK)
		status = parse_operands(&t, argc, argv);
	if (status == EX_OK)
		status = cmd->run(&t);
	alias_edit_abort(&t.edit);
	alias_free(&t.table);
	free(t.targets);
	free(t.given);
	conf_free(&t.conf);
	return status;
}

int
alias_cmd(const char *conf, int argc, char **argv)
{
	const struct command *cmd;
	int skip;

	for (cmd = commands; argc > 0 && cmd < commands +
	    sizeof(commands) / sizeof(commands[0]); cmd++) {
		if (strcmp(argv[0], cmd->name) != 0)
			continue;
		skip = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;
		if ((skip == 1 && argc > 1 && argv[1][0] == '-') ||
		    argc - skip < cmd->least || argc - skip > cmd->most)
			break;
		return run(cmd, conf, argc - skip, argv + skip);
	}
	return fail_usage(alias_cmd_usage);
}
