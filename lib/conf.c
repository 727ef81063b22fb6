/* SPDX-License-Identifier: ISC */
/*
 * Reading postern.conf with libConfuse, driven by the table of keys. Masters
 * and posternctl read the administrator's file; roles the master's copy.
 *
 * libConfuse's callbacks carry no argument, so one reader at a time is
 * noted in `reading' while conf_read() runs.
 */
#include "lib/conf.h"

#include <confuse.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf_value.h"
#include "lib/idna.h"
#include "lib/log.h"
#include "lib/str.h"

#define CONF_SECTIONS	5	/* without "listen" and the top level */
#define LISTEN		"listen "

struct reader {
	const char	*file;
	conf_fault_fn	*fault;
	void		*arg;
	unsigned	 faults;
	int		 line[CONF_KEYS_MAX];	/* 0: not in the file */
	bool		 bad[CONF_KEYS_MAX];	/* and was reported */
	struct conf	*conf;
};

static struct reader *reading;

static void	report(struct reader *, int, const char *, ...)
		    __attribute__((format(printf, 3, 4)));
static void	on_error(cfg_t *, const char *, va_list)
		    __attribute__((format(printf, 2, 0)));

static void
report(struct reader *r, int line, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->faults++;
	r->fault(r->arg, r->file, line, text);
}

static void
on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	char text[512];

	vsnprintf(text, sizeof(text), fmt, ap);
	report(reading, cfg == NULL ? 0 : cfg->line, "%s", text);
}

/* Is this the key for option name in the section and title of cfg? */
static bool
is_key(const struct conf_key *key, cfg_t *cfg, const char *name)
{
	const char *title = cfg_title(cfg), *section = cfg_name(cfg);

	if (strcmp(key->name, name) != 0)
		return false;
	if (title != NULL)
		return strncmp(key->section, LISTEN, strlen(LISTEN)) == 0 &&
		    strcmp(key->section + strlen(LISTEN), title) == 0;
	if (key->section[0] == '\0')
		return strcmp(section, "root") == 0;
	return strcmp(key->section, section) == 0;
}

/* A value was read: note its line for what is said of it later. */
static int
on_value(cfg_t *cfg, cfg_opt_t *opt)
{
	for (size_t i = 0; conf_keys[i].name != NULL; i++)
		if (is_key(&conf_keys[i], cfg, cfg_opt_name(opt)))
			reading->line[i] = cfg->line;
	return 0;
}

static size_t
options_of(const char *section, cfg_opt_t *opts)
{
	size_t n = 0;

	for (const struct conf_key *k = conf_keys; k->name != NULL; k++) {
		cfg_opt_t str = CFG_STR(k->name, NULL, CFGF_NODEFAULT);
		cfg_opt_t list = CFG_STR_LIST(k->name, NULL, CFGF_NODEFAULT);

		if (strcmp(k->section, section) == 0)
			opts[n++] = k->type == CONF_LIST ? list : str;
	}
	return n;
}

static void
watch_section(cfg_t *cfg, const char *section, const char *path)
{
	char name[128];

	for (const struct conf_key *k = conf_keys; k->name != NULL; k++) {
		if (strcmp(k->section, section) != 0)
			continue;
		snprintf(name, sizeof(name), "%s%s%s", path,
		    path[0] == '\0' ? "" : "|", k->name);
		cfg_set_validate_func(cfg, name, on_value);
	}
}

static const char *const sections[CONF_SECTIONS] =
    { "tls", "auth", "limits", "delivery", "retrieve" };

/* The parser for our grammar; its option tables live in opts. */
static cfg_t *
make_parser(cfg_opt_t opts[CONF_SECTIONS + 2][CONF_KEYS_MAX])
{
	const cfg_opt_t end = CFG_END();
	cfg_opt_t *top = opts[CONF_SECTIONS + 1];
	size_t n = options_of("", top);
	cfg_t *cfg;

	for (size_t i = 0; i < CONF_SECTIONS; i++) {
		cfg_opt_t sec = CFG_SEC(sections[i], opts[i], CFGF_NONE);

		opts[i][options_of(sections[i], opts[i])] = end;
		top[n++] = sec;
	}
	cfg_opt_t listen = CFG_SEC("listen", opts[CONF_SECTIONS],
	    CFGF_MULTI | CFGF_TITLE);

	opts[CONF_SECTIONS][options_of("listen https",
	    opts[CONF_SECTIONS])] = end;
	top[n++] = listen;
	top[n] = end;
	if ((cfg = cfg_init(top, CFGF_NONE)) == NULL)
		return NULL;
	cfg_set_error_function(cfg, on_error);
	watch_section(cfg, "", "");
	for (size_t i = 0; i < CONF_SECTIONS; i++)
		watch_section(cfg, sections[i], sections[i]);
	watch_section(cfg, "listen https", "listen");
	return cfg;
}

static void
set_default(struct conf *c, const struct conf_key *key)
{
	char why[128], copy[128], *s = copy, *word;

	if (key->type != CONF_LIST) {
		if (conf_value_set(c, key, key->fallback, why,
		    sizeof(why)) != NULL)
			BUG_IF(strcmp(why, "out of memory") != 0);
		return;
	}
	BUG_IF(str_copy(copy, sizeof(copy), key->fallback) == -1);
	while ((word = strsep(&s, " ")) != NULL)
		if (word[0] != '\0')
			BUG_IF(conf_value_add(c, key, word) != NULL);
}

/* Move the value of key, if the file had one, from cfg to the conf. */
static void
take_value(struct reader *r, cfg_t *cfg, size_t i)
{
	const struct conf_key *key = &conf_keys[i];
	const char *why, *sep = key->section[0] == '\0' ? "" : ".";
	char room[256], text[128];

	if (r->line[i] == 0)
		return;
	if (key->type == CONF_LIST)
		conf_value_free(r->conf, key);
	for (unsigned n = 0; n < cfg_size(cfg, key->name); n++) {
		const char *v = cfg_getnstr(cfg, key->name, n);

		why = v == NULL ? "has no value" : key->type == CONF_LIST ?
		    conf_value_add(r->conf, key, v) :
		    conf_value_set(r->conf, key, v, room, sizeof(room));
		if (why == NULL)
			continue;
		r->bad[i] = true;
		str_quote(text, sizeof(text), v, v == NULL ? 0 : strlen(v));
		report(r, r->line[i], "%s%s%s: \"%s\": %s", key->section,
		    sep, key->name, text, why);
	}
}

static struct conf_listen *
listen_of(struct conf *c, const char *title)
{
	if (strcmp(title, "submission") == 0)
		return &c->submission;
	if (strcmp(title, "submissions") == 0)
		return &c->submissions;
	return strcmp(title, "https") == 0 ? &c->https : NULL;
}

static void
take_section(struct reader *r, cfg_t *cfg, const char *section)
{
	for (size_t i = 0; conf_keys[i].name != NULL; i++)
		if (strcmp(conf_keys[i].section, section) == 0)
			take_value(r, cfg, i);
}

static void
take_listeners(struct reader *r, cfg_t *cfg)
{
	for (unsigned n = 0; n < cfg_size(cfg, "listen"); n++) {
		cfg_t *sec = cfg_getnsec(cfg, "listen", n);
		struct conf_listen *l = listen_of(r->conf, cfg_title(sec));
		char section[64], title[64];

		if (l == NULL) {
			report(r, sec->line, "listen \"%s\": not one of "
			    "submission submissions https",
			    str_quote(title, sizeof(title), cfg_title(sec),
			    strlen(cfg_title(sec))));
			continue;
		}
		l->on = true;
		snprintf(section, sizeof(section), LISTEN "%s",
		    cfg_title(sec));
		take_section(r, sec, section);
	}
}

/* A listener without addresses is on all of them. */
static void
complete_listener(struct conf *c, const char *section, size_t n)
{
	for (const struct conf_key *k = conf_keys; k->name != NULL; k++) {
		if (n > 0 || strcmp(k->section, section) != 0 ||
		    k->type != CONF_LIST)
			continue;
		BUG_IF(conf_value_add(c, k, "::") != NULL);
		BUG_IF(conf_value_add(c, k, "0.0.0.0") != NULL);
	}
}

static size_t
key_of(const char *section, const char *name)
{
	size_t i = 0;

	while (strcmp(conf_keys[i].section, section) != 0 ||
	    strcmp(conf_keys[i].name, name) != 0)
		i++;
	return i;
}

/* Had the key a value that was refused? */
static bool
is_bad(const struct reader *r, const char *section, const char *name)
{
	return r->bad[key_of(section, name)];
}

/* Mail is not relayed, not even the postmaster's. */
static void
complete_postmaster(struct reader *r)
{
	const struct conf *c = r->conf;
	char domain[IDNA_MAX + 1];
	const char *at;

	if (c->postmaster == NULL || is_bad(r, "", "domains") ||
	    (at = strrchr(c->postmaster, '@')) == NULL ||
	    (idna_to_ascii(domain, sizeof(domain), at + 1,
	    strlen(at + 1)) == 0 && conf_is_local(c, domain)))
		return;
	report(r, r->line[key_of("delivery", "postmaster")],
	    "delivery.postmaster: its domain is not one of the domains");
}

/* The form in which domains are compared. */
static void
complete_domains(struct reader *r)
{
	char domain[IDNA_MAX + 1], *copy;

	for (size_t i = 0; i < r->conf->domains.n; i++) {
		char **item = &r->conf->domains.item[i];

		/* not so: the value's own check has said it, or no memory */
		if (idna_to_ascii(domain, sizeof(domain), *item,
		    strlen(*item)) == -1)
			continue;
		if ((copy = strdup(domain)) == NULL) {
			report(r, 0, "domains: %s", strerror(errno));
			continue;
		}
		free(*item);
		*item = copy;
	}
}

/* Is there a mechanism that the account store can be used with? */
static bool
can_check(const struct conf *c)
{
	for (size_t i = 0; i < c->auth_mechanisms.n; i++)
		if (strcmp(c->auth_mechanisms.item[i], "PLAIN") == 0 ||
		    strcmp(c->auth_mechanisms.item[i], "LOGIN") == 0)
			return true;
	return c->auth_store != CONF_STORE_SASLAUTHD;
}

/* What depends on more than one key, and values that need the system. */
static void
complete(struct reader *r)
{
	struct conf *c = r->conf;
	char host[256];

	if (c->hostname != NULL && c->hostname[0] == '\0' &&
	    gethostname(host, sizeof(host)) == 0) {
		host[sizeof(host) - 1] = '\0';
		free(c->hostname);
		c->hostname = strdup(host);
	}
	complete_listener(c, "listen submission", c->submission.addresses.n);
	complete_listener(c, "listen submissions",
	    c->submissions.addresses.n);
	complete_listener(c, "listen https", c->https.addresses.n);
	complete_domains(r);
	if (!can_check(c))
		report(r, 0, "auth.mechanisms: saslauthd checks passwords, "
		    "as PLAIN and LOGIN send them: list one of these");
	if (c->domains.n == 0)
		report(r, 0, "domains: none is given");
	complete_postmaster(r);
	if (c->tls_certificates.n == 0)
		report(r, 0, "tls.certificates: none is given");
	if (c->tls_certificates.n != c->tls_keys.n)
		report(r, 0, "tls.keys: must be as many as certificates");
	if (c->tls_client_certificates != CONF_CLIENTS_NONE &&
	    c->tls_client_ca[0] == '\0' && !is_bad(r, "tls", "client_ca"))
		report(r, 0, "tls.client_ca: needed where "
		    "client_certificates is not none");
	if (c->tls_certificates.n > CONF_CERTS_MAX)
		report(r, 0, "tls.certificates: more than %d (one ECDSA, one "
		    "RSA)", CONF_CERTS_MAX);
}

/* Read on behind a comment that ends by `end', or a string. EOF: it is open. */
static int
skip_to(FILE *fp, int end, int *line)
{
	int c, last = 0;

	while ((c = getc(fp)) != EOF) {
		*line += c == '\n';
		if (end == '*' ? last == '*' && c == '/' : c == end &&
		    (end == '\n' || last != '\\'))
			return c;
		last = last == '\\' && c == '\\' ? 0 : c;
	}
	return end == '\n' ? '\n' : EOF;
}

/*
 * libConfuse takes the end of the file for that of an open section or
 * comment, and half a file for a whole one. The line of what is open, or 0.
 */
static int
find_open(FILE *fp)
{
	int c, line = 1, at[4] = { 0 }, depth = 0, start;
	bool word = false;		/* within an unquoted string */

	rewind(fp);
	while ((c = getc(fp)) != EOF) {
		start = line;
		line += c == '\n';
		if (c == '/' && !word) {
			c = getc(fp);
			if (c == '*' || c == '/') {
				if (skip_to(fp, c == '/' ? '\n' : c,
				    &line) == EOF)
					return start;
				continue;
			}
			ungetc(c, fp);
			c = '/';
		}
		if ((c == '#' && skip_to(fp, '\n', &line) == EOF) ||
		    ((c == '"' || c == '\'') && skip_to(fp, c, &line) == EOF))
			return start;
		if (c == '{' && depth++ < 4)
			at[depth - 1] = start;
		if (c == '}' && depth > 0)
			depth--;
		word = strchr(" \t\r\n\"'#{}()=+,", c) == NULL;
	}
	return depth == 0 ? 0 : at[depth > 4 ? 3 : depth - 1];
}

static struct conf *
conf_new(void)
{
	struct conf *c = calloc(1, sizeof(*c));

	for (const struct conf_key *k = conf_keys;
	    c != NULL && k->name != NULL; k++)
		set_default(c, k);
	return c;
}

/* What the file says, when its syntax is right. */
static void
take_all(struct reader *r, cfg_t *cfg)
{
	take_section(r, cfg, "");
	for (size_t i = 0; i < CONF_SECTIONS; i++)
		take_section(r, cfg_getsec(cfg, sections[i]), sections[i]);
	take_listeners(r, cfg);
	complete(r);
	for (size_t i = 0; conf_keys[i].name != NULL; i++)
		r->conf->line[i] = r->bad[i] ? -1 : r->line[i];
}

struct conf *
conf_read_faulty(FILE *fp, const char *file, conf_fault_fn *fault, void *arg,
    unsigned *faults)
{
	static cfg_opt_t opts[CONF_SECTIONS + 2][CONF_KEYS_MAX];
	struct reader r = { .file = file, .fault = fault, .arg = arg };
	cfg_t *cfg = NULL;
	int open, error = EINVAL;

	*faults = 0;
	if ((r.conf = conf_new()) == NULL)
		return NULL;
	reading = &r;
	if ((cfg = make_parser(opts)) == NULL) {
		error = ENOMEM;
		conf_free(&r.conf);
		goto out;
	}
	if (cfg_parse_fp(cfg, fp) != CFG_SUCCESS) {
		if (r.faults == 0)
			report(&r, 0, "cannot be read");
		conf_free(&r.conf);
	} else if ((open = find_open(fp)) != 0) {
		report(&r, open, "what begins here is not closed");
		conf_free(&r.conf);
	} else
		take_all(&r, cfg);
out:
	reading = NULL;
	if (cfg != NULL)
		cfg_free(cfg);
	*faults = r.faults;
	errno = error;
	return r.conf;
}

struct conf *
conf_read(FILE *fp, const char *file, conf_fault_fn *fault, void *arg)
{
	unsigned faults;
	struct conf *c = conf_read_faulty(fp, file, fault, arg, &faults);

	if (c != NULL && faults > 0) {
		conf_free(&c);
		errno = EINVAL;
	}
	return c;
}

void
conf_free(struct conf **cp)
{
	if (*cp == NULL)
		return;
	for (const struct conf_key *k = conf_keys; k->name != NULL; k++)
		conf_value_free(*cp, k);
	free(*cp);
	*cp = NULL;
}

void
conf_fault_log(void *arg, const char *file, int line, const char *text)
{
	(void)arg;
	if (line > 0)
		log_err("%s:%d: %s", file, line, text);
	else
		log_err("%s: %s", file, text);
}

/* Does this conf have the listener that section names? */
static bool
is_on(const struct conf *c, const char *section)
{
	if (strcmp(section, "listen submission") == 0)
		return c->submission.on;
	if (strcmp(section, "listen submissions") == 0)
		return c->submissions.on;
	return strcmp(section, "listen https") == 0 ? c->https.on : true;
}

void
conf_print(const struct conf *c, FILE *fp)
{
	const char *section = "";
	struct conf *defaults = NULL;

	if (c == NULL) {
		if ((defaults = conf_new()) == NULL)
			return;
		defaults->submission.on = defaults->submissions.on =
		    defaults->https.on = true;
		c = defaults;
	}
	for (const struct conf_key *k = conf_keys; k->name != NULL; k++) {
		if (!is_on(c, k->section))
			continue;
		if (strcmp(section, k->section) != 0) {
			fprintf(fp, "%s\n%s {\n",
			    section[0] == '\0' ? "" : "}\n", k->section);
			section = k->section;
		}
		fprintf(fp, "%s%s = ", section[0] == '\0' ? "" : "\t",
		    k->name);
		conf_value_print(c, k, fp);
		fputc('\n', fp);
	}
	fputs(section[0] == '\0' ? "" : "}\n", fp);
	conf_free(&defaults);
}

int
conf_line(const struct conf *c, const char *section, const char *name)
{
	for (size_t i = 0; conf_keys[i].name != NULL; i++)
		if (strcmp(conf_keys[i].section, section) == 0 &&
		    strcmp(conf_keys[i].name, name) == 0)
			return c->line[i];
	return 0;
}

const char *
conf_store_path(const struct conf *c, const char **key)
{
	static const char *const keys[] = {
		[CONF_STORE_ACCOUNTS] = "accounts",
		[CONF_STORE_SASLDB] = "sasldb",
		[CONF_STORE_SASLAUTHD] = "saslauthd",
		[CONF_STORE_SQL] = "sql_database",
	};
	const char *const paths[] = {
		[CONF_STORE_ACCOUNTS] = c->auth_accounts,
		[CONF_STORE_SASLDB] = c->auth_sasldb,
		[CONF_STORE_SASLAUTHD] = c->auth_saslauthd,
		[CONF_STORE_SQL] = c->auth_sql_database,
	};

	if (key != NULL)
		*key = keys[c->auth_store];
	return paths[c->auth_store];
}

bool
conf_is_local(const struct conf *c, const char *domain)
{
	for (size_t i = 0; i < c->domains.n; i++)
		if (str_caseeq(c->domains.item[i], domain))
			return true;
	return false;
}
