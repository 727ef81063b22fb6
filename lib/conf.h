/* SPDX-License-Identifier: ISC */
/*
 * The one conf file. What keys there are stands in one table (conf_table.c):
 * name, type, default, range. See postern.conf(5).
 */
#ifndef POSTERN_CONF_H
#define POSTERN_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CONF_FILE_DEFAULT	SYSCONFDIR "/postern/postern.conf"
#define CONF_LIST_MAX		64
#define CONF_CERTS_MAX		2	/* one ECDSA, one RSA */
#define CONF_SESSIONS_MAX	64	/* session processes of a service */
#define CONF_KEYS_MAX		96	/* more keys than there are */

struct conf_list {
	char	**item;		/* n strings, owned by the conf */
	size_t	 n;
};

enum conf_log { CONF_LOG_SYSLOG, CONF_LOG_STDERR };
enum conf_tls { CONF_TLS_1_2, CONF_TLS_1_3 };
enum conf_clients { CONF_CLIENTS_NONE, CONF_CLIENTS_REQUEST,
	CONF_CLIENTS_REQUIRE };
enum conf_store { CONF_STORE_ACCOUNTS, CONF_STORE_SASLDB,
	CONF_STORE_SASLAUTHD, CONF_STORE_SQL };

struct conf_listen {
	struct conf_list addresses;	/* "127.0.0.1", "::1" */
	uint64_t	 port;		/* 0: any free one */
	bool		 on;
};

/* Times are in milliseconds, sizes in octets. */
struct conf {
	char		*hostname;
	struct conf_list domains;	/* as idna.h; the first is default */
	char		*mail_root;
	char		*state_dir;
	char		*run_dir;
	uint64_t	 log;		/* enum conf_log */
	uint64_t	 session_processes;	/* 0: one per processor */

	struct conf_list tls_certificates;	/* paths, PEM chains */
	struct conf_list tls_keys;		/* paths, same order */
	char		*tls_passphrase;	/* "", path, fd:, credential: */
	uint64_t	 tls_minimum;		/* enum conf_tls, SMTP only */
	/* enum conf_clients, SMTP only */
	uint64_t	 tls_client_certificates;
	char		*tls_client_ca;		/* path, PEM; "" with NONE */
	uint64_t	 tls_client_chain_depth;
	uint64_t	 tls_client_chain_size;

	uint64_t	 auth_store;		/* enum conf_store */
	char		*auth_accounts;
	char		*auth_sasldb;
	char		*auth_saslauthd;	/* a socket */
	char		*auth_sql_database;	/* a file of SQLite */
	char		*auth_sql_select;
	struct conf_list auth_mechanisms;
	uint64_t	 auth_iterations;
	uint64_t	 auth_workers;
	uint64_t	 auth_queue;
	uint64_t	 auth_cache_time;
	uint64_t	 auth_ticket_time;
	uint64_t	 auth_failure_limit;	/* per address */
	uint64_t	 auth_failure_limit_account;
	uint64_t	 auth_failure_time;	/* window, length of block */
	uint64_t	 auth_failure_delay;

	struct conf_listen submission, submissions, https;

	/* SMTP */
	uint64_t	 command_time;
	uint64_t	 data_time;
	uint64_t	 session_time;
	uint64_t	 handshake_time;
	uint64_t	 unauthenticated_time;
	uint64_t	 minimum_rate;		/* octets a second, 0: none */
	uint64_t	 command_line;
	uint64_t	 parameter_line;	/* MAIL and RCPT */
	uint64_t	 auth_line;
	uint64_t	 text_line;
	uint64_t	 message_size;
	uint64_t	 recipient_limit;
	uint64_t	 messages_per_session;
	uint64_t	 messages_per_login;	/* in login_rate_time, 0: any */
	uint64_t	 recipients_per_login;
	uint64_t	 login_rate_time;
	uint64_t	 errors_per_session;
	uint64_t	 connections;
	uint64_t	 connections_per_address;
	/* HTTP */
	uint64_t	 request_line;
	uint64_t	 request_head;
	uint64_t	 request_fields;
	uint64_t	 request_time;
	uint64_t	 idle_time;
	uint64_t	 requests_per_connection;

	uint64_t	 delivery_threads;
	uint64_t	 delivery_queue;	/* messages being committed */
	uint64_t	 header_size;
	uint64_t	 received_limit;
	uint64_t	 quota;			/* of a mailbox, 0: none */
	uint64_t	 quota_messages;
	char		*aliases;
	bool		 catch_all;
	uint64_t	 alias_members;
	uint64_t	 alias_depth;
	uint64_t	 mailbox_limit;		/* of one message */
	char		*postmaster;		/* "" or an address */
	bool		 long_lines;
	bool		 hide_client;

	uint64_t	 list_default;		/* messages a page */

	int		 line[CONF_KEYS_MAX];	/* see conf_line() */
};

enum conf_type {
	CONF_STRING, CONF_PATH, CONF_LIST, CONF_NUMBER, CONF_SIZE, CONF_TIME,
	CONF_BOOL, CONF_ENUM
};

struct conf_key {
	const char	*section;	/* "" for the top level */
	const char	*name;
	enum conf_type	 type;
	const char	*fallback;	/* the default, as one would write it */
	uint64_t	 min, max;	/* NUMBER, SIZE (octets), TIME (ms) */
	const char	*const *names;	/* ENUM: NULL-ended, value: index */
	size_t		 offset;	/* in struct conf */
	/* what a string must look like; NULL or the reason it does not */
	const char	*(*check)(const char *value);
};

/* Every key there is; ended by name NULL. */
extern const struct conf_key conf_keys[];

/* Called for each fault: line is 0 where it has none. */
typedef void conf_fault_fn(void *arg, const char *file, int line,
	    const char *text);

/*
 * Read the conf in fp; file is its name in messages. All the bad values are
 * reported, then NULL is returned; a syntax error or unknown key ends the
 * reading. errno EINVAL, or ENOMEM.
 */
struct conf *conf_read(FILE *fp, const char *file, conf_fault_fn *, void *arg);

/*
 * The same for who looks for more faults: bad values are counted in faults
 * and the conf has their defaults in their place (lists: without them), and
 * conf_line() -1. Not for a service. NULL when the reading ended early.
 */
struct conf *conf_read_faulty(FILE *fp, const char *file, conf_fault_fn *,
	    void *arg, unsigned *faults);
void	 conf_free(struct conf **);
/* A fault function that logs "file:line: text" as an error. */
conf_fault_fn conf_fault_log;
/*
 * Print every key with its effective value, in the syntax of the file; the
 * defaults with c NULL.
 */
void	 conf_print(const struct conf *c, FILE *fp);
/*
 * The line of the file that sets a key (a list: its last value); 0 where it
 * has its default, or is no key; -1 when its value is bad.
 */
int	 conf_line(const struct conf *, const char *section, const char *name);
/* The account store as the conf names it. */
const char *conf_store_name(const struct conf *);
/*
 * Where the account store is; for CONF_STORE_SASLAUTHD a socket, else a
 * file. The key of the section auth that says so is in *key, unless NULL.
 */
const char *conf_store_path(const struct conf *, const char **key);
/* Is this domain (any case) one of ours? */
bool	 conf_is_local(const struct conf *, const char *domain);

#endif
