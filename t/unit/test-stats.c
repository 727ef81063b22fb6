/* SPDX-License-Identifier: ISC */
/*
 * The numbers of processes: the table, counting, files as they should not
 * be, sums; and the text that is made of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "admin/numbers.h"
#include "lib/buf.h"
#include "lib/stats_page.h"
#include "smtpd/store_proto.h"
#include "smtpd/table.h"

#define NOW	1800000000ULL
#define TODAY	(NOW / STATS_DAY_SECONDS)

static void
test_families_fill_the_page(void **state)
{
	const struct stats_family *f;
	unsigned next = 0;

	(void)state;
	for (f = stats_families; f->name != NULL; f++) {
		assert_int_equal(f->slot, next);
		next += stats_cells(f) * stats_width(f->type);
		assert_int_not_equal(f->type, STATS_NONE);
		assert_int_not_equal(f->roles, 0);
		assert_int_equal(f->roles >> ROLE_COUNT, 0);
	}
	assert_int_equal(next, STATS_SLOTS);
}

static bool
is_name(const char *s)
{
	return s[0] >= 'a' && s[0] <= 'z' &&
	    strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(s);
}

static bool
is_word(const char *s)
{
	return s[0] != '\0' && strpbrk(s, "\"\\\n{},") == NULL;
}

/* Names that OpenMetrics takes, each once; labels that need no quoting. */
static void
test_names_are_well_formed(void **state)
{
	static const char *const suffixes[] = { "_total", "_count", "_sum",
	    "_bucket", "_created", "_info" };
	const struct stats_family *f, *g;

	(void)state;
	for (f = stats_families; f->name != NULL; f++) {
		assert_true(is_name(f->name));
		assert_null(strpbrk(f->help, "\\\n\""));
		assert_int_equal(f->help[strlen(f->help) - 1], '.');
		for (g = stats_families; g != f; g++)
			assert_string_not_equal(f->name, g->name);
		for (size_t i = 0; i < 6; i++)
			assert_null(strstr(f->name, suffixes[i]));
		assert_int_equal(f->type == STATS_TIMES,
		    strstr(f->name, "_seconds") != NULL);
		for (size_t i = 0; i < STATS_LABELS; i++) {
			const struct stats_label *l = &f->labels[i];

			if (l->name == NULL)
				continue;
			assert_true(is_name(l->name));
			assert_string_not_equal(l->name, "service");
			assert_string_not_equal(l->name, "le");
			for (size_t k = 0; l->values[k] != NULL; k++)
				assert_true(is_word(l->values[k]));
		}
	}
}

static void
test_bounds_rise(void **state)
{
	(void)state;
	for (unsigned i = 1; i < STATS_BOUNDS; i++) {
		assert_true(stats_time_bounds[i] > stats_time_bounds[i - 1]);
		assert_true(stats_size_bounds[i] > stats_size_bounds[i - 1]);
	}
}

/* The words of labels are those of what is counted. */
static void
test_words_are_those_of_the_services(void **state)
{
	unsigned i;

	(void)state;
	for (i = STORE_OK; i < STORE_STATUS_COUNT; i++)
		assert_string_equal(stats_statuses[i - 1],
		    store_status_name(i));
	for (i = 0; stats_statuses[i] != NULL; i++)
		;
	assert_int_equal(i, STATS_STATUS);
	for (i = 0; stats_verbs[i] != NULL; i++)
		;
	assert_int_equal(i, VERB_COUNT - 1);
	for (i = VERB_EHLO; i < VERB_LATER; i++)
		assert_string_equal(stats_verbs[i - 1], table_verb_name(i));
	for (i = 0; stats_logins[i] != NULL; i++)
		;
	assert_int_equal(i, STATS_RESULTS);
}

static void
test_places(void **state)
{
	unsigned first = stats_login("PLAIN", "http", "ok"), last;

	(void)state;
	assert_int_equal(first, STATS_LOGINS);
	assert_int_equal(stats_login("PLAIN", "http", "credentials"),
	    STATS_LOGINS + 1);
	assert_int_equal(stats_login("PLAIN", "smtp", "ok"),
	    STATS_LOGINS + STATS_RESULTS);
	assert_int_equal(stats_login("LOGIN", "http", "ok"),
	    STATS_LOGINS + 2 * STATS_RESULTS);
	last = stats_login("no\"such", "smtp", "unheard-of");
	assert_int_equal(last, STATS_TICKETS - 1);
	assert_int_equal(stats_tls("TLSv1.2"), STATS_HANDSHAKES);
	assert_int_equal(stats_tls("TLSv1.3"), STATS_HANDSHAKES + 1);
	assert_int_equal(stats_tls(NULL), STATS_HANDSHAKES + 2);
	assert_int_equal(stats_tls("SSLv3"), STATS_HANDSHAKES + 2);
}

/* A file as a master makes it, in memory. */
static int
make_file(const struct stats_head *h, size_t size)
{
	int fd = memfd_create("stats", MFD_CLOEXEC);

	assert_int_not_equal(fd, -1);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(pwrite(fd, h, sizeof(*h), 0), sizeof(*h));
	return fd;
}

static struct stats_head
head(enum role role)
{
	struct stats_head h;

	stats_head_make(&h, role, 7, 4711, NOW - 60);
	return h;
}

static int
read_back(int fd, struct stats_page *p)
{
	unsigned char values[STATS_VALUES_SIZE];
	struct stats_head h;
	ssize_t n;

	assert_int_equal(pread(fd, &h, sizeof(h), 0), sizeof(h));
	n = pread(fd, values, sizeof(values), STATS_VALUES_AT);
	assert_true(n >= 0);
	return stats_decode(&h, sizeof(h), values, (size_t)n, NOW, p);
}

static void
test_counting_in_a_file(void **state)
{
	struct stats_head h = head(ROLE_SMTPD_SESSION);
	int fd = make_file(&h, STATS_FILE_SIZE), again = dup(fd);
	struct stats_page p;
	const uint64_t *v = p.value;

	(void)state;
	assert_int_equal(stats_map(fd), 0);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	stats_add(STATS_OCTETS + STATS_OUT, 1000);
	stats_add(STATS_SESSIONS, 1);
	stats_add(STATS_SESSIONS, 1);
	stats_less(STATS_SESSIONS);
	stats_set(STATS_QUEUE, 17);
	stats_time(STATS_DELIVERY, 100);
	stats_time(STATS_DELIVERY, 101);
	stats_time(STATS_DELIVERY, 30000001);
	stats_size(STATS_MESSAGE_SIZE, 0);
	stats_today(STATS_TODAY);
	stats_today(STATS_TODAY);
	assert_int_equal(read_back(again, &p), 0);
	assert_int_equal(p.head.pid, 4711);
	assert_int_equal(p.head.role, ROLE_SMTPD_SESSION);
	assert_int_equal(p.head.instance, 7);
	assert_int_equal(v[STATS_OCTETS + STATS_OUT], 1000);
	assert_int_equal(v[STATS_SESSIONS], 1);
	assert_int_equal(v[STATS_QUEUE], 17);
	assert_int_equal(v[STATS_DELIVERY], 1);
	assert_int_equal(v[STATS_DELIVERY + 1], 1);
	assert_int_equal(v[STATS_DELIVERY + STATS_BOUNDS], 1);
	assert_int_equal(v[STATS_DELIVERY + STATS_HIST - 1], 30000202);
	assert_int_equal(v[STATS_MESSAGE_SIZE], 1);
	assert_int_equal(stats_own[STATS_TODAY + 1], 2);
	/* Yesterday's are forgotten. */
	stats_set(STATS_TODAY, stats_own[STATS_TODAY] - 1);
	stats_today(STATS_TODAY);
	assert_int_equal(stats_own[STATS_TODAY + 1], 1);
	close(again);
}

/* The head is out of reach of who has the values. */
static void
test_the_head_is_not_mapped(void **state)
{
	struct stats_head h = head(ROLE_SMTPD_SESSION);
	int fd = make_file(&h, STATS_FILE_SIZE), again = dup(fd);
	struct stats_page p;

	(void)state;
	assert_int_equal(stats_map(fd), 0);
	assert_true(STATS_VALUES_AT >= sizeof(h));
	assert_int_equal(STATS_VALUES_AT % sysconf(_SC_PAGESIZE), 0);
	memset(stats_own, 0xff, STATS_VALUES_SIZE);
	assert_int_equal(read_back(again, &p), 0);
	assert_int_equal(p.head.pid, 4711);
	assert_int_equal(p.bad, STATS_SLOTS);
	memset(stats_own, 0, STATS_VALUES_SIZE);
	close(again);
}

static void
test_a_short_file_is_not_mapped(void **state)
{
	struct stats_head h = head(ROLE_SMTPD_SESSION);
	uint64_t *before = stats_own;
	int fd = make_file(&h, STATS_FILE_SIZE - 1);

	(void)state;
	assert_int_equal(stats_map(fd), -1);
	assert_int_equal(errno, EINVAL);
	assert_ptr_equal(stats_own, before);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void
test_files_that_are_none(void **state)
{
	static uint64_t values[STATS_SLOTS];
	struct stats_head good = head(ROLE_SMTPD_STORE), h;
	struct stats_page p;

	(void)state;
#define TRY(len) stats_decode(&h, sizeof(h), values, len, NOW, &p)
	h = good;
	assert_int_equal(TRY(sizeof(values)), 0);
	assert_int_equal(TRY(sizeof(values) - 1), -1);
	assert_int_equal(TRY(0), -1);
	assert_int_equal(stats_decode(&h, sizeof(h) - 1, values,
	    sizeof(values), NOW, &p), -1);
	h.magic[7] ^= 1;
	assert_int_equal(TRY(sizeof(values)), -1);
	h = good;
	h.table ^= 1;
	assert_int_equal(TRY(sizeof(values)), -1);
	h = good;
	h.slots--;
	assert_int_equal(TRY(sizeof(values)), -1);
	h = good;
	h.role = ROLE_COUNT;
	assert_int_equal(TRY(sizeof(values)), -1);
	h = good;
	h.pid = 0;
	assert_int_equal(TRY(sizeof(values)), -1);
#undef TRY
}

static struct stats_page
page(void)
{
	struct stats_page p;

	memset(&p, 0, sizeof(p));
	p.head = head(ROLE_SMTPD_SESSION);
	return p;
}

static void
test_values_that_cannot_be(void **state)
{
	struct stats_page in = page(), p;

	(void)state;
	in.value[STATS_MESSAGES] = STATS_MAX;
	in.value[STATS_MESSAGES + 1] = STATS_MAX + 1;
	in.value[STATS_SESSIONS] = (uint64_t)-1;	/* went below 0 */
	in.value[STATS_TODAY] = TODAY + 1;
	in.value[STATS_TODAY + STATS_DAYS] = TODAY;
	in.value[STATS_TODAY + STATS_DAYS + 1] = 5;
	assert_int_equal(stats_decode(&in.head, sizeof(in.head), in.value,
	    sizeof(in.value), NOW, &p), 0);
	assert_int_equal(p.bad, 3);
	assert_true(p.value[STATS_MESSAGES] == STATS_MAX);
	assert_int_equal(p.value[STATS_MESSAGES + 1], 0);
	assert_int_equal(p.value[STATS_SESSIONS], 0);
	assert_int_equal(p.value[STATS_TODAY], 0);
	assert_int_equal(p.value[STATS_TODAY + STATS_DAYS], TODAY);
}

static void
test_sums(void **state)
{
	static uint64_t sum[STATS_SLOTS];
	struct stats_page p = page();

	(void)state;
	memset(sum, 0, sizeof(sum));
	p.value[STATS_MESSAGES] = 3;
	p.value[STATS_SESSIONS] = 2;
	p.value[STATS_DELIVERY + STATS_HIST - 1] = 1000;
	stats_sum(sum, &p, false);
	assert_int_equal(sum[STATS_SESSIONS], 0);
	stats_sum(sum, &p, true);
	assert_int_equal(sum[STATS_SESSIONS], 2);
	assert_int_equal(sum[STATS_MESSAGES], 6);
	assert_int_equal(sum[STATS_DELIVERY + STATS_HIST - 1], 2000);
	p.value[STATS_MESSAGES] = STATS_MAX - 6;
	stats_sum(sum, &p, false);
	assert_true(sum[STATS_MESSAGES] == STATS_MAX);
	stats_sum(sum, &p, false);
	assert_true(sum[STATS_MESSAGES] == STATS_MAX);
}

static void
test_sums_of_a_day(void **state)
{
	static uint64_t sum[STATS_SLOTS];
	struct stats_page p = page();
	uint64_t *v = p.value + STATS_TODAY, *s = sum + STATS_TODAY;

	(void)state;
	memset(sum, 0, sizeof(sum));
	v[0] = TODAY - 1;
	v[1] = 5;
	stats_sum(sum, &p, false);
	stats_sum(sum, &p, false);
	assert_int_equal(s[1], 10);
	v[0] = TODAY;
	v[1] = 2;
	stats_sum(sum, &p, false);
	assert_int_equal(s[0], TODAY);
	assert_int_equal(s[1], 2);
	v[0] = TODAY - 1;
	stats_sum(sum, &p, false);
	assert_int_equal(s[0], TODAY);
	assert_int_equal(s[1], 2);
}

static void
expect_line(const char *text, const char *line)
{
	const char *at = strstr(text, line);

	if (at == NULL || (at != text && at[-1] != '\n'))
		fail_msg("not in the text: %s", line);
}

/* What the checker of the daemons' test cannot see: exact values. */
static void
test_openmetrics(void **state)
{
	struct numbers *n = calloc(1, sizeof(*n));
	struct numbers_service *s;
	struct buf b;
	char *text;

	(void)state;
	assert_non_null(n);
	s = &n->service[1];
	s->name = "smtpd";
	s->roles = 1U << ROLE_SMTPD_SESSION | 1U;
	s->state = NUMBERS_UP;
	n->service[0].name = "auth";
	n->service[2].name = "retrieve";
	s->value[STATS_MESSAGES + 1] = 9;
	s->value[STATS_DELIVERY] = 2;
	s->value[STATS_DELIVERY + 2] = 1;
	s->value[STATS_DELIVERY + STATS_BOUNDS] = 1;
	s->value[STATS_DELIVERY + STATS_HIST - 1] = 31000042;
	buf_init(&b, 1 << 20);
	assert_int_equal(numbers_openmetrics(n, &b), 0);
	assert_int_equal(buf_add(&b, "", 1), 0);
	text = strdup((const char *)buf_data(&b));
	assert_non_null(text);
#define S "postern_smtp_delivery_time_seconds"
	expect_line(text, "# TYPE " S " histogram\n");
	expect_line(text, "# UNIT " S " seconds\n");
	expect_line(text, S "_bucket{service=\"smtpd\",le=\"0.0001\"} 2\n");
	expect_line(text, S "_bucket{service=\"smtpd\",le=\"0.00025\"} 2\n");
	expect_line(text, S "_bucket{service=\"smtpd\",le=\"0.0005\"} 3\n");
	expect_line(text, S "_bucket{service=\"smtpd\",le=\"1.0\"} 3\n");
	expect_line(text, S "_bucket{service=\"smtpd\",le=\"30.0\"} 3\n");
	expect_line(text, S "_bucket{service=\"smtpd\",le=\"+Inf\"} 4\n");
	expect_line(text, S "_count{service=\"smtpd\"} 4\n");
	expect_line(text, S "_sum{service=\"smtpd\"} 31.000042\n");
#undef S
	expect_line(text, "postern_smtp_messages_total{service=\"smtpd\","
	    "status=\"no-ticket\"} 9\n");
	expect_line(text, "postern_up{service=\"auth\"} 0\n");
	expect_line(text, "postern_up{service=\"smtpd\"} 1\n");
	assert_null(strstr(text, "postern_http_requests_total{"));
	assert_null(strstr(text, "smtp_today"));
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
	free(text);
	buf_free(&b);
	free(n);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_families_fill_the_page),
		cmocka_unit_test(test_names_are_well_formed),
		cmocka_unit_test(test_bounds_rise),
		cmocka_unit_test(test_words_are_those_of_the_services),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_counting_in_a_file),
		cmocka_unit_test(test_the_head_is_not_mapped),
		cmocka_unit_test(test_a_short_file_is_not_mapped),
		cmocka_unit_test(test_files_that_are_none),
		cmocka_unit_test(test_values_that_cannot_be),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_sums_of_a_day),
		cmocka_unit_test(test_openmetrics),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
