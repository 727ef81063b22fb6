/* SPDX-License-Identifier: ISC */
/*
 * Every number there is: its name, type, labels, and who counts it. A new
 * one is a line here and a slot in stats.h. Pure; a unit test sees to it
 * that the slots fit the labels and the labels the words they stand for.
 */
#include <stddef.h>

#include "lib/stats_page.h"

/* 100 us to 30 s. */
const uint64_t stats_time_bounds[STATS_BOUNDS] = {
	100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000,
	500000, 1000000, 2500000, 10000000, 30000000
};
/* 256 octets to 256 MiB. */
const uint64_t stats_size_bounds[STATS_BOUNDS] = {
	256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072,
	262144, 1048576, 4194304, 16777216, 67108864, 268435456
};

static const char *const levels[] = { "error", "warning", NULL };
static const char *const ends[] = { "ok", "status", "signal", NULL };
static const char *const connections[] = {
	"accepted", "busy", "crowded", "blocked", NULL
};
static const char *const states[] = {
	"clear", "tls", "login", "transaction", NULL
};
static const char *const directions[] = { "in", "out", NULL };
static const char *const outcomes[] = { "ok", "failed", NULL };
static const char *const cache[] = { "hit", "miss", NULL };
static const char *const days[] = { "delivered", "refused", NULL };
static const char *const classes[] = {
	"1xx", "2xx", "3xx", "4xx", "5xx", NULL
};

/* The last of each is for what is none of the others. */
const char *const stats_mechanisms[] = {
	"PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "EXTERNAL",
	"other", NULL
};
const char *const stats_services[] = { "http", "smtp", NULL };
const char *const stats_logins[] = {
	"ok", "credentials", "authzid", "syntax", "throttled", "temporary",
	"busy", "expired", "scope", "other", NULL
};
const char *const stats_versions[] = { "TLSv1.2", "TLSv1.3", "other", NULL };

/* In the order of enum verb, without NONE. */
const char *const stats_verbs[] = {
	"EHLO", "HELO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "BDAT",
	"RSET", "NOOP", "VRFY", "HELP", "QUIT", "unimplemented", "unknown",
	NULL
};

/* In the order of enum store_status without NONE, then the session's own. */
const char *const stats_statuses[] = {
	"ok", "no-ticket", "not-sender", "no-user", "not-local", "too-many",
	"over-quota", "no-space", "failed", "not-author", "bad-header",
	"loop", "too-big", "rate", "bare-line-end", "nul", "long-line",
	"eight-bit", "timeout", "shutdown", "reset", "gone", "refused", NULL
};

#define R(role)		(1U << ROLE_##role)
#define SESSIONS	(R(SMTPD_SESSION) | R(RETRIEVE_SESSION))
#define ALL		(R(COUNT) - 1)
#define LABEL(n, v)	{ { n, v } }

const struct stats_family stats_families[] = {
	{ "log_lines", "Lines logged as errors or warnings.",
	    STATS_COUNTER, STATS_LOG_LINES, ALL, LABEL("level", levels) },
	{ "process_ends", "Processes that ended, by how.",
	    STATS_COUNTER, STATS_ENDS, R(NONE), LABEL("how", ends) },
	{ "connections", "Connections taken, or refused for a limit.",
	    STATS_COUNTER, STATS_CONNECTIONS, SESSIONS,
	    LABEL("result", connections) },
	{ "sessions", "Connections that are open, by what they have reached.",
	    STATS_GAUGE, STATS_SESSIONS, SESSIONS, LABEL("state", states) },
	{ "tls_handshakes", "TLS handshakes that were completed.",
	    STATS_COUNTER, STATS_HANDSHAKES, SESSIONS,
	    LABEL("version", stats_versions) },
	{ "tls_handshake_failures", "TLS handshakes that failed.",
	    STATS_COUNTER, STATS_HANDSHAKES_FAILED, SESSIONS,
	    LABEL(NULL, NULL) },
	{ "connection_bytes", "Octets of connections that have ended.",
	    STATS_COUNTER, STATS_OCTETS, SESSIONS,
	    LABEL("direction", directions) },
	{ "smtp_commands", "SMTP commands received.",
	    STATS_COUNTER, STATS_COMMANDS, R(SMTPD_SESSION),
	    LABEL("verb", stats_verbs) },
	{ "smtp_messages", "Messages whose data was asked for, by outcome.",
	    STATS_COUNTER, STATS_MESSAGES, R(SMTPD_SESSION),
	    LABEL("status", stats_statuses) },
	{ "smtp_recipients", "Recipients the store was asked about.",
	    STATS_COUNTER, STATS_RECIPIENTS, R(SMTPD_SESSION),
	    LABEL("status", stats_statuses) },
	{ "smtp_message_size_bytes",
	    "Sizes of delivered messages, as received.",
	    STATS_SIZES, STATS_MESSAGE_SIZE, R(SMTPD_SESSION),
	    LABEL(NULL, NULL) },
	{ "smtp_delivery_time_seconds",
	    "Time from the end of data to the reply.",
	    STATS_TIMES, STATS_DELIVERY, R(SMTPD_SESSION),
	    LABEL(NULL, NULL) },
	{ "smtp_today", "Messages of this day (UTC), by outcome.",
	    STATS_DAY, STATS_TODAY, R(SMTPD_SESSION),
	    LABEL("result", days) },
	{ "store_commits", "Messages the store was to deliver, by outcome.",
	    STATS_COUNTER, STATS_COMMITS, R(SMTPD_STORE),
	    LABEL("status", stats_statuses) },
	{ "store_fsync_time_seconds",
	    "Time fsync(2) took, of files and folders.",
	    STATS_TIMES, STATS_FSYNC, R(SMTPD_STORE), LABEL(NULL, NULL) },
	{ "store_queue", "Messages that wait for, or are with, a thread.",
	    STATS_GAUGE, STATS_QUEUE, R(SMTPD_STORE), LABEL(NULL, NULL) },
	{ "key_signatures", "Signatures asked of the keys process.",
	    STATS_COUNTER, STATS_SIGNATURES, R(TLS_KEYS),
	    LABEL("result", outcomes) },
	{ "auth_logins", "Attempts to log in, by outcome.",
	    STATS_COUNTER, STATS_LOGINS, R(AUTH_SERVER),
	    { { "mechanism", stats_mechanisms }, { "for", stats_services },
	    { "result", stats_logins } } },
	{ "auth_tickets", "Logins that are live.",
	    STATS_GAUGE, STATS_TICKETS, R(AUTH_SERVER), LABEL(NULL, NULL) },
	{ "auth_queue", "Requests that the SASL workers have.",
	    STATS_GAUGE, STATS_AUTH_QUEUE, R(AUTH_SERVER),
	    LABEL(NULL, NULL) },
	{ "auth_blocked_addresses", "Addresses refused for their failures.",
	    STATS_GAUGE, STATS_BLOCKED, R(AUTH_SERVER), LABEL(NULL, NULL) },
	{ "auth_cache", "PLAIN logins looked up in the cache.",
	    STATS_COUNTER, STATS_CACHE, R(AUTH_SERVER),
	    LABEL("result", cache) },
	{ "http_requests", "HTTP requests, by class of status.",
	    STATS_COUNTER, STATS_REQUESTS, R(RETRIEVE_SESSION),
	    LABEL("code", classes) },
	{ "http_request_time_seconds",
	    "Time from a request's first octet to the "
	    "end of its reply.",
	    STATS_TIMES, STATS_REQUEST_TIME, R(RETRIEVE_SESSION),
	    LABEL(NULL, NULL) },
	{ "reader_list_time_seconds", "Time the reader took for a list.",
	    STATS_TIMES, STATS_LIST, R(RETRIEVE_SESSION),
	    LABEL(NULL, NULL) },
	{ "reader_open_time_seconds",
	    "Time the reader took to open a message.",
	    STATS_TIMES, STATS_OPEN, R(RETRIEVE_SESSION),
	    LABEL(NULL, NULL) },
	{ NULL, NULL, STATS_NONE, 0, 0, LABEL(NULL, NULL) }
};
