/* SPDX-License-Identifier: ISC */
/*
 * Every key of postern.conf: where it stands, its type, default and range.
 * postern.conf(5) says the same; a test compares the two.
 */
#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>

#include "lib/conf.h"
#include "lib/idna.h"
#include "lib/str.h"

#define MIN	(60 * 1000ULL)
#define HOUR	(60 * MIN)
#define DAY	(24 * HOUR)
#define MIB	(1024 * 1024ULL)
#define OFF(f)	offsetof(struct conf, f)

static const char *const log_names[] = { "syslog", "stderr", NULL };
static const char *const tls_names[] = { "1.2", "1.3", NULL };
static const char *const clients_names[] =
    { "none", "request", "require", NULL };
static const char *const store_names[] =
    { "accounts", "sasldb", "saslauthd", "sql", NULL };

/* A host name by RFC 1123: labels of letters, digits and inner hyphens. */
static const char *
check_domain(const char *s)
{
	size_t n = strlen(s), label = 0;

	if (n == 0 || n > 253)
		return "not a domain name";
	for (size_t i = 0; i <= n; i++) {
		bool dot = i == n || s[i] == '.';

		if (dot && (label == 0 || label > 63 || s[i - 1] == '-'))
			return "not a domain name";
		if (!dot && strchr("abcdefghijklmnopqrstuvwxyz"
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", s[i]) == NULL)
			return "not a domain name";
		if (!dot && label == 0 && s[i] == '-')
			return "not a domain name";
		label = dot ? 0 : label + 1;
	}
	return NULL;
}

/* One of ours: with U-labels too, see idna.h; the conf keeps A-labels. */
static const char *
check_mail_domain(const char *s)
{
	char domain[IDNA_MAX + 1];

	if (idna_to_ascii(domain, sizeof(domain), s, strlen(s)) == -1)
		return "not a domain name";
	return check_domain(domain);
}

/* hostname = "" asks the system. */
static const char *
check_hostname(const char *s)
{
	return s[0] == '\0' ? NULL : check_domain(s);
}

static const char *
check_path(const char *s)
{
	return s[0] == '/' ? NULL : "not an absolute path";
}

/* "": none. */
static const char *
check_path_or_none(const char *s)
{
	return s[0] == '\0' ? NULL : check_path(s);
}

static const char *
check_address(const char *s)
{
	unsigned char a[16];

	return inet_pton(AF_INET, s, a) == 1 || inet_pton(AF_INET6, s, a) == 1
	    ? NULL : "not an IPv4 or IPv6 address";
}

static const char *
check_mechanism(const char *s)
{
	static const char *const known[] = { "SCRAM-SHA-256-PLUS",
	    "SCRAM-SHA-256", "PLAIN", "LOGIN", "EXTERNAL" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(s, known[i]) == 0)
			return NULL;
	return "not one of SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN "
	    "EXTERNAL";
}

/*
 * The library puts names into the query as text: they must stand in single
 * quotes. (A name with a quote of its own is never looked up.)
 */
static const char *
check_select(const char *s)
{
	bool quoted = false, named = false;

	for (; *s != '\0'; s++) {
		if (*s == '\'')
			quoted = !quoted;
		if (*s != '%' || *++s == '%')
			continue;
		if (*s == '\0' || strchr("urp", *s) == NULL)
			return "% is not followed by u, r, p or %";
		if (*s != 'p' && !quoted)
			return "%u and %r must stand in single quotes";
		named = named || *s == 'u';
	}
	return quoted ? "a single quote is not closed" :
	    named ? NULL : "the user, %u, is not in it";
}

static const char *
check_passphrase(const char *s)
{
	uint64_t fd;

	if (s[0] == '\0' || s[0] == '/')
		return NULL;
	if (strncmp(s, "fd:", 3) == 0 &&
	    str_u64(s + 3, strlen(s + 3), 1023, &fd) == 0 && fd > 2)
		return NULL;
	if (strncmp(s, "credential:", 11) == 0 && s[11] != '\0' &&
	    strchr(s + 11, '/') == NULL)
		return NULL;
	return "not an absolute path, fd:NUMBER or credential:NAME";
}

#define NUM(s, n, f, d, lo, hi) \
	{ s, n, CONF_NUMBER, d, lo, hi, NULL, OFF(f), NULL }
#define SIZE(s, n, f, d, lo, hi) \
	{ s, n, CONF_SIZE, d, lo, hi, NULL, OFF(f), NULL }
#define TIME(s, n, f, d, lo, hi) \
	{ s, n, CONF_TIME, d, lo, hi, NULL, OFF(f), NULL }
#define STR(s, n, f, d, check) \
	{ s, n, CONF_STRING, d, 0, 0, NULL, OFF(f), check }
#define PATH(s, n, f, d) \
	{ s, n, CONF_PATH, d, 0, 0, NULL, OFF(f), NULL }
#define LIST(s, n, f, d, check) \
	{ s, n, CONF_LIST, d, 0, 0, NULL, OFF(f), check }
#define BOOL(s, n, f, d) \
	{ s, n, CONF_BOOL, d, 0, 0, NULL, OFF(f), NULL }
#define ENUM(s, n, f, d, words) \
	{ s, n, CONF_ENUM, d, 0, 0, words, OFF(f), NULL }
#define LISTENER(kind, f, number) \
	LIST("listen " kind, "addresses", f.addresses, "", check_address), \
	NUM("listen " kind, "port", f.port, number, 0, 65535)

const char *
conf_store_name(const struct conf *c)
{
	return store_names[c->auth_store];
}

const struct conf_key conf_keys[] = {
	STR("", "hostname", hostname, "", check_hostname),
	LIST("", "domains", domains, "", check_mail_domain),
	PATH("", "mail_root", mail_root, LOCALSTATEDIR "/mail/postern"),
	PATH("", "state_dir", state_dir, LOCALSTATEDIR "/lib/postern"),
	PATH("", "run_dir", run_dir, RUNSTATEDIR "/postern"),
	ENUM("", "log", log, "syslog", log_names),
	NUM("", "session_processes", session_processes, "0", 0,
	    CONF_SESSIONS_MAX),

	LIST("tls", "certificates", tls_certificates, "", check_path),
	LIST("tls", "keys", tls_keys, "", check_path),
	STR("tls", "passphrase", tls_passphrase, "", check_passphrase),
	ENUM("tls", "minimum", tls_minimum, "1.2", tls_names),
	ENUM("tls", "client_certificates", tls_client_certificates, "none",
	    clients_names),
	STR("tls", "client_ca", tls_client_ca, "", check_path_or_none),
	NUM("tls", "client_chain_depth", tls_client_chain_depth, "4", 0, 16),
	SIZE("tls", "client_chain_size", tls_client_chain_size, "32K", 4096,
	    MIB),

	ENUM("auth", "store", auth_store, "accounts", store_names),
	PATH("auth", "accounts", auth_accounts, SYSCONFDIR "/postern/accounts"),
	PATH("auth", "sasldb", auth_sasldb, "/etc/sasldb2"),
	PATH("auth", "saslauthd", auth_saslauthd,
	    RUNSTATEDIR "/saslauthd/mux"),
	PATH("auth", "sql_database", auth_sql_database,
	    SYSCONFDIR "/postern/accounts.sqlite"),
	STR("auth", "sql_select", auth_sql_select, "SELECT password FROM users"
	    " WHERE username = '%u' AND realm = '%r' AND '%p' = 'userPassword'"
	    " AND password IS NOT NULL", check_select),
	LIST("auth", "mechanisms", auth_mechanisms,
	    "SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN", check_mechanism),
	NUM("auth", "iterations", auth_iterations, "10000", 4096, 1000000),
	NUM("auth", "workers", auth_workers, "2", 1, 64),
	NUM("auth", "queue", auth_queue, "1024", 1, 65536),
	TIME("auth", "cache_time", auth_cache_time, "5min", 0, DAY),
	TIME("auth", "ticket_time", auth_ticket_time, "4h", MIN, DAY),
	NUM("auth", "failure_limit", auth_failure_limit, "100", 1, 1000000),
	NUM("auth", "failure_limit_account", auth_failure_limit_account,
	    "50", 1, 1000000),
	TIME("auth", "failure_time", auth_failure_time, "10min", 1000, DAY),
	TIME("auth", "failure_delay", auth_failure_delay, "500ms", 0, MIN),

	LISTENER("submission", submission, "587"),
	LISTENER("submissions", submissions, "465"),
	LISTENER("https", https, "443"),

	TIME("limits", "command_time", command_time, "5min", 1000, HOUR),
	TIME("limits", "data_time", data_time, "3min", 1000, HOUR),
	TIME("limits", "session_time", session_time, "2h", 1000, DAY),
	TIME("limits", "handshake_time", handshake_time, "30s", 1000, HOUR),
	TIME("limits", "unauthenticated_time", unauthenticated_time, "60s",
	    1000, HOUR),
	SIZE("limits", "minimum_rate", minimum_rate, "64", 0, MIB),
	SIZE("limits", "command_line", command_line, "512", 512, 4096),
	SIZE("limits", "parameter_line", parameter_line, "4096", 1024, 12288),
	SIZE("limits", "auth_line", auth_line, "12288", 1024, 12288),
	SIZE("limits", "text_line", text_line, "1000", 1000, MIB),
	SIZE("limits", "message_size", message_size, "50M", 65536,
	    2048 * MIB),
	NUM("limits", "recipient_limit", recipient_limit, "1000", 1, 10000),
	NUM("limits", "messages_per_session", messages_per_session, "100", 1,
	    1000000),
	NUM("limits", "messages_per_login", messages_per_login, "0", 0,
	    1000000000),
	NUM("limits", "recipients_per_login", recipients_per_login, "0", 0,
	    1000000000),
	TIME("limits", "login_rate_time", login_rate_time, "1h", 1000, DAY),
	NUM("limits", "errors_per_session", errors_per_session, "10", 1,
	    1000),
	NUM("limits", "connections", connections, "16384", 1, 1000000),
	NUM("limits", "connections_per_address", connections_per_address,
	    "12288", 1, 1000000),
	SIZE("limits", "request_line", request_line, "8192", 512, 65536),
	SIZE("limits", "request_head", request_head, "16384", 1024, 65536),
	NUM("limits", "request_fields", request_fields, "100", 8, 1000),
	TIME("limits", "request_time", request_time, "30s", 1000, HOUR),
	TIME("limits", "idle_time", idle_time, "75s", 1000, HOUR),
	NUM("limits", "requests_per_connection", requests_per_connection,
	    "100000", 1, 1000000000),

	NUM("delivery", "threads", delivery_threads, "32", 1, 256),
	NUM("delivery", "queue", delivery_queue, "1024", 1, 65536),
	SIZE("delivery", "header_size", header_size, "256K", 4096, 16 * MIB),
	NUM("delivery", "received_limit", received_limit, "50", 1, 1000),
	SIZE("delivery", "quota", quota, "0", 0, 1024 * 1024 * 1024 * MIB),
	NUM("delivery", "quota_messages", quota_messages, "0", 0, 1000000000),
	PATH("delivery", "aliases", aliases, SYSCONFDIR "/postern/aliases"),
	BOOL("delivery", "catch_all", catch_all, "no"),
	NUM("delivery", "alias_members", alias_members, "1000", 1, 10000),
	NUM("delivery", "alias_depth", alias_depth, "10", 1, 100),
	NUM("delivery", "mailbox_limit", mailbox_limit, "2000", 1, 20000),
	STR("delivery", "postmaster", postmaster, "", NULL),
	BOOL("delivery", "long_lines", long_lines, "no"),
	BOOL("delivery", "hide_client", hide_client, "no"),

	NUM("retrieve", "list_default", list_default, "100", 1, 1000),

	{ NULL, NULL, CONF_STRING, NULL, 0, 0, NULL, 0, NULL }
};
