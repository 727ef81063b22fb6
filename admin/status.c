/* SPDX-License-Identifier: ISC */
/*
 * posternctl status: the services, their processes and what they have done,
 * for a human to read. Run by anyone who may read the run folder.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "admin/admin.h"
#include "admin/fail.h"
#include "admin/numbers.h"
#include "lib/conf.h"

const char status_cmd_usage[] = "status\n";

/* "2d 3h", "4min 5s": the two largest parts. */
static const char *
duration(uint64_t s, char *text, size_t size)
{
	if (s >= 86400)
		snprintf(text, size, "%" PRIu64 "d %" PRIu64 "h", s / 86400,
		    s / 3600 % 24);
	else if (s >= 3600)
		snprintf(text, size, "%" PRIu64 "h %" PRIu64 "min", s / 3600,
		    s / 60 % 60);
	else if (s >= 60)
		snprintf(text, size, "%" PRIu64 "min %" PRIu64 "s", s / 60,
		    s % 60);
	else
		snprintf(text, size, "%" PRIu64 "s", s);
	return text;
}

static uint64_t
age(const struct numbers *n, const struct stats_head *h)
{
	return n->now > h->started ? n->now - h->started : 0;
}

static uint64_t
total(const struct numbers_service *s, unsigned slot, unsigned count)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < count; i++)
		sum += s->value[slot + i];
	return sum;
}

static void	line(const char *name, const char *fmt, ...)
		    __attribute__((format(printf, 2, 3)));

static void
line(const char *name, const char *fmt, ...)
{
	va_list ap;

	printf("  %-14s", name);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* The values of a family that are not 0, after skip of them. */
static void
print_words(const char *name, const uint64_t *v, const char *const *words,
    unsigned skip)
{
	const char *sep = "";

	printf("  %-14s", name);
	for (unsigned i = skip; words[i] != NULL; i++)
		if (v[i] > 0) {
			printf("%s%" PRIu64 " %s", sep, v[i], words[i]);
			sep = ", ";
		}
	puts(sep[0] == '\0' ? "none" : "");
}

static uint64_t
of_today(const struct numbers *n, const struct numbers_service *s,
    unsigned what)
{
	const uint64_t *v = &s->value[STATS_TODAY + what * STATS_DAYS];

	return v[0] == n->now / STATS_DAY_SECONDS ? v[1] : 0;
}

static void
print_sessions(const struct numbers_service *s)
{
	const uint64_t *v = s->value;

	line("sessions", "%" PRIu64 " open: %" PRIu64 " in clear, %" PRIu64
	    " in TLS, %" PRIu64 " logged in, %" PRIu64 " in a transaction",
	    total(s, STATS_SESSIONS, 4), v[STATS_SESSIONS + STATS_CLEAR],
	    v[STATS_SESSIONS + STATS_TLS],
	    v[STATS_SESSIONS + STATS_LOGGED_IN],
	    v[STATS_SESSIONS + STATS_TRANSACTION]);
	line("connections", "%" PRIu64 " accepted; refused: %" PRIu64
	    " busy, %" PRIu64 " crowded, %" PRIu64 " blocked",
	    v[STATS_CONNECTIONS + STATS_ACCEPTED],
	    v[STATS_CONNECTIONS + STATS_BUSY],
	    v[STATS_CONNECTIONS + STATS_CROWDED],
	    v[STATS_CONNECTIONS + STATS_BARRED]);
	line("TLS", "%" PRIu64 " handshakes, %" PRIu64 " failed",
	    total(s, STATS_HANDSHAKES, 3), v[STATS_HANDSHAKES_FAILED]);
}

static void
print_smtp(const struct numbers *n, const struct numbers_service *s)
{
	const uint64_t *v = s->value;

	print_sessions(s);
	line("messages", "today (UTC) %" PRIu64 " delivered, %" PRIu64
	    " refused; since the start %" PRIu64 " delivered, %" PRIu64
	    " refused", of_today(n, s, STATS_DELIVERED),
	    of_today(n, s, STATS_REFUSED), v[STATS_MESSAGES],
	    total(s, STATS_MESSAGES + 1, STATS_STATUS - 1));
	print_words("refusals", v + STATS_MESSAGES, stats_statuses, 1);
	line("recipients", "%" PRIu64 " accepted, %" PRIu64 " refused",
	    v[STATS_RECIPIENTS],
	    total(s, STATS_RECIPIENTS + 1, STATS_STATUS - 1));
	line("store queue", "%" PRIu64, v[STATS_QUEUE]);
}

static void
print_auth(const struct numbers_service *s)
{
	const uint64_t *v = s->value;
	uint64_t result[STATS_RESULTS] = { 0 };

	for (unsigned i = 0; i < STATS_TICKETS - STATS_LOGINS; i++)
		result[i % STATS_RESULTS] += v[STATS_LOGINS + i];
	line("logins", "%" PRIu64 " live, %" PRIu64 " since the start",
	    v[STATS_TICKETS], result[0]);
	print_words("failures", result, stats_logins, 1);
	line("queue", "%" PRIu64 " requests with the workers",
	    v[STATS_AUTH_QUEUE]);
	line("blocked", "%" PRIu64 " addresses", v[STATS_BLOCKED]);
	line("cache", "%" PRIu64 " hits, %" PRIu64 " misses",
	    v[STATS_CACHE + STATS_HIT], v[STATS_CACHE + STATS_MISS]);
}

static void
print_retrieve(const struct numbers_service *s)
{
	static const char *const classes[] =
	    { "1xx", "2xx", "3xx", "4xx", "5xx", NULL };

	print_sessions(s);
	print_words("requests", s->value + STATS_REQUESTS, classes, 0);
}

static void
print_processes(const struct numbers *n, const struct numbers_service *s)
{
	char up[32];

	printf("  %-18s %8s %9s  %s\n", "role", "instance", "pid", "up");
	for (size_t i = 0; i < s->n; i++) {
		const struct numbers_process *p = &s->process[i];

		printf("  %-18s %8" PRIu32 " %9" PRId32 "  %s",
		    role_name((enum role)p->head.role), p->head.instance,
		    p->head.pid, duration(age(n, &p->head), up, sizeof(up)));
		if (p->sessions > 0)
			printf(", sessions %" PRIu64, p->sessions);
		putchar('\n');
	}
}

static void
print_faults(const struct numbers_service *s)
{
	const uint64_t *v = s->value;

	line("logged", "%" PRIu64 " errors, %" PRIu64 " warnings",
	    v[STATS_LOG_LINES + STATS_ERROR],
	    v[STATS_LOG_LINES + STATS_WARNING]);
	line("ended", "%" PRIu64 " processes well, %" PRIu64 " with an error, "
	    "%" PRIu64 " by a signal", v[STATS_ENDS + STATS_ENDED_WELL],
	    v[STATS_ENDS + STATS_ENDED_BADLY], v[STATS_ENDS + STATS_KILLED]);
	if (s->unread > 0)
		line("unread", "%u files could not be used", s->unread);
	if (s->bad > 0)
		line("bad", "%u numbers cannot be, and are left out", s->bad);
}

static void
print_service(const struct numbers *n, const struct numbers_service *s)
{
	static const char *const states[] = {
		[NUMBERS_NONE] = "not running",
		[NUMBERS_STALE] = "not running (its master was killed)",
		[NUMBERS_UP] = "running",
		[NUMBERS_UNREADABLE] = "unknown: its numbers cannot be read",
	};
	char up[32];

	printf("%s: %s", s->program, states[s->state]);
	if (s->state != NUMBERS_UP) {
		putchar('\n');
		return;
	}
	printf(", pid %" PRId32 ", up %s\n", s->master.pid,
	    duration(age(n, &s->master), up, sizeof(up)));
	print_processes(n, s);
	if ((s->roles & 1U << ROLE_SMTPD_SESSION) != 0)
		print_smtp(n, s);
	else if ((s->roles & 1U << ROLE_RETRIEVE_SESSION) != 0)
		print_retrieve(s);
	else
		print_auth(s);
	print_faults(s);
}

int
status_cmd(const char *path, int argc, char **argv)
{
	struct conf *c = NULL;
	struct numbers *n;
	int status;

	(void)argv;
	if (argc != 1)
		return fail_usage(status_cmd_usage);
	if ((status = admin_conf(path, &c)) != EX_OK)
		return status;
	if ((n = numbers_read(c->run_dir)) == NULL)
		status = fail_errno("status");
	for (size_t i = 0; n != NULL && i < NUMBERS_SERVICES; i++) {
		if (i > 0)
			putchar('\n');
		print_service(n, &n->service[i]);
	}
	free(n);
	conf_free(&c);
	if (status == EX_OK && (fflush(stdout) != 0 || ferror(stdout)))
		status = fail_errno("standard output");
	return status;
}
