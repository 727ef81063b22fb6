/* SPDX-License-Identifier: ISC */
/*
 * Units of lib/: buf, str, base64, conf, ipc, chan, counts.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base64.h"
#include "lib/buf.h"
#include "lib/chan.h"
#include "lib/conf.h"
#include "lib/counts.h"
#include "lib/ipc.h"
#include "lib/str.h"

static void
test_buf_grows_to_its_limit(void **state)
{
	char in[1000];
	struct buf b;

	(void)state;
	memset(in, 'x', sizeof(in));
	buf_init(&b, 2500);
	assert_null(buf_data(&b));
	assert_int_equal(buf_add(&b, in, sizeof(in)), 0);
	assert_int_equal(buf_add(&b, in, sizeof(in)), 0);
	assert_int_equal(buf_add(&b, in, sizeof(in)), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(b.len, 2000);
	buf_take(&b, 1500);
	assert_int_equal(buf_add(&b, in, sizeof(in)), 0);
	assert_int_equal(b.len, 1500);
	assert_int_equal(buf_data(&b)[1499], 'x');
	buf_wipe(&b);
	assert_int_equal(b.len, 0);
	assert_int_equal(b.max, 2500);
}

static void
test_buf_keeps_order(void **state)
{
	unsigned char next_in = 0, next_out = 0;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	for (int round = 0; round < 2000; round++) {
		for (int i = 0; i < 7; i++, next_in++)
			assert_int_equal(buf_add(&b, &next_in, 1), 0);
		for (int i = 0; i < 6 + round % 3 && b.len > 0; i++) {
			assert_int_equal(buf_data(&b)[0], next_out++);
			buf_take(&b, 1);
		}
	}
	buf_free(&b);
}

static void
test_buf_addf(void **state)
{
	char big[2000];
	struct buf b;

	(void)state;
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	buf_init(&b, 4096);
	assert_int_equal(buf_addf(&b, "%s:%d", "x", 5), 0);
	assert_int_equal(b.len, 3);
	assert_memory_equal(buf_data(&b), "x:5", 3);
	assert_int_equal(buf_addf(&b, "%s", big), 0);
	assert_int_equal(b.len, 2002);
	assert_int_equal(buf_addf(&b, "%s%s", big, big), -1);
	assert_int_equal(b.len, 2002);
	buf_free(&b);
}

static void
test_str_copy(void **state)
{
	char d[4];

	(void)state;
	assert_int_equal(str_copy(d, sizeof(d), "abc"), 0);
	assert_string_equal(d, "abc");
	assert_int_equal(str_copy(d, sizeof(d), "abcd"), -1);
	assert_string_equal(d, "");
	assert_int_equal(str_copyn(d, sizeof(d), "a\0b", 3), -1);
	assert_int_equal(errno, EINVAL);
	assert_true(str_ends("ab", 3));
	assert_false(str_ends("abc", 3));
}

static void
test_str_quote(void **state)
{
	char d[16];

	(void)state;
	assert_string_equal(str_quote(d, sizeof(d), "a\"b\n", 4),
	    "a\\x22b\\x0a");
	assert_string_equal(str_quote(d, sizeof(d),
	    "aaaaaaaaaaaaaaaaaaaaaaa", 23), "aaaaaaaaaaaa...");
	assert_string_equal(str_quote(d, 8, "\x80\x80\x80", 3), "\\x80...");
}

static void
test_str_u64(void **state)
{
	uint64_t v = 7;

	(void)state;
	assert_int_equal(str_u64("18446744073709551615", 20, UINT64_MAX, &v),
	    0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(str_u64("18446744073709551616", 20, UINT64_MAX, &v),
	    -1);
	assert_int_equal(errno, ERANGE);
	assert_int_equal(str_u64("11", 2, 10, &v), -1);
	assert_int_equal(str_u64("", 0, 10, &v), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(str_u64("+1", 2, 10, &v), -1);
	assert_int_equal(str_u64(" 1", 2, 10, &v), -1);
	assert_int_equal(str_u64("1a", 2, 10, &v), -1);
	assert_int_equal(str_u64("000000000000000000001", 21, 10, &v), -1);
}

static void
test_str_has_word(void **state)
{
	(void)state;
	assert_true(str_has_word("PLAIN", "PLAIN"));
	assert_true(str_has_word("SCRAM-SHA-256 PLAIN LOGIN", "PLAIN"));
	assert_true(str_has_word("PLAIN LOGIN", "LOGIN"));
	assert_false(str_has_word("PLAIN LOGIN", "LOG"));
	assert_false(str_has_word("PLAIN LOGIN", "login"));
	assert_false(str_has_word("PLAIN LOGIN", "PLAIN LOGIN"));
	assert_false(str_has_word("PLAIN LOGIN", ""));
	assert_false(str_has_word("", "PLAIN"));
}

static void
check_base64(enum base64 form, const char *in, const char *want)
{
	char out[100];
	ssize_t n = base64_decode(form, in, strlen(in), out, sizeof(out));

	if (want == NULL) {
		assert_int_equal(n, -1);
		assert_int_equal(errno, EINVAL);
		return;
	}
	assert_int_equal(n, strlen(want));
	assert_memory_equal(out, want, strlen(want));
	assert_int_equal(base64_encode(form, want, strlen(want), out),
	    strlen(in));
	assert_string_equal(out, in);
}

static void
test_base64(void **state)
{
	static const char *const bad[] = {
		"Z", "Zg", "Zg=", "Zm9", "Zg===", "Zg==Zg==", "====", "=Zg=",
		"Z===", "Zh==", "Zm9=", "Zm 8=", "Zm8=\n", "Zm9v!bad", "Zm9v=",
		"*", "Zm-_", " Zm8=", "Zm8= ", "A=A="
	};
	char small[2];
	size_t i;

	(void)state;
	check_base64(BASE64_PADDED, "", "");
	check_base64(BASE64_PADDED, "Zg==", "f");
	check_base64(BASE64_PADDED, "Zm8=", "fo");
	check_base64(BASE64_PADDED, "Zm9v", "foo");
	check_base64(BASE64_PADDED, "Zm9vYmFy", "foobar");
	check_base64(BASE64_PADDED, "/+/+", "\377\357\376");
	check_base64(BASE64_URL, "Zg", "f");
	check_base64(BASE64_URL, "Zm9vYmE", "fooba");
	check_base64(BASE64_URL, "_-_-", "\377\357\376");
	check_base64(BASE64_URL, "Zg==", NULL);
	check_base64(BASE64_URL, "Zh", NULL);
	check_base64(BASE64_URL, "/+/+", NULL);
	assert_int_equal(base64_decode(BASE64_PADDED, "Zm9v", 4, small,
	    sizeof(small)), -1);
	assert_int_equal(errno, EMSGSIZE);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check_base64(BASE64_PADDED, bad[i], NULL);
}

struct faults {
	int	n;
	int	line[8];
	char	text[8][256];
};

static void
on_fault(void *arg, const char *file, int line, const char *text)
{
	struct faults *f = arg;

	assert_string_equal(file, "test.conf");
	if (f->n < 8) {
		f->line[f->n] = line;
		snprintf(f->text[f->n], sizeof(f->text[0]), "%s", text);
	}
	f->n++;
}

static struct conf *
read_text(const char *text, struct faults *f)
{
	FILE *fp = tmpfile();
	struct conf *c;

	memset(f, 0, sizeof(*f));
	assert_non_null(fp);
	assert_true(fputs(text, fp) >= 0);
	rewind(fp);
	c = conf_read(fp, "test.conf", on_fault, f);
	fclose(fp);
	return c;
}

#define GOOD	"domains = {Example.test, b.test}\n" \
		"tls { certificates = {/c} keys = {/k} }\n"

static void
test_conf_values(void **state)
{
	struct faults f;
	struct conf *c = read_text(GOOD
	    "hostname = mail.example.test\n"
	    "limits { message_size = 3M\n data_time = 2min }\n"
	    "delivery { hide_client = yes }\n"
	    "limits { command_time = 1500ms }\n"
	    "listen submission { addresses = {127.0.0.1, \"::1\"}\n"
	    "  port = 2587 }\n"
	    "listen https { }\n", &f);

	(void)state;
	assert_int_equal(f.n, 0);
	assert_non_null(c);
	assert_string_equal(c->domains.item[0], "example.test");
	assert_true(conf_is_local(c, "B.TEST"));
	assert_false(conf_is_local(c, "c.test"));
	assert_int_equal(c->message_size, 3 * 1024 * 1024);
	assert_int_equal(c->data_time, 120000);
	assert_int_equal(c->command_time, 1500);
	assert_true(c->hide_client);
	assert_int_equal(c->submission.port, 2587);
	assert_int_equal(c->submission.addresses.n, 2);
	assert_true(c->https.on);
	assert_int_equal(c->https.addresses.n, 2);
	assert_false(c->submissions.on);
	assert_int_equal(c->auth_iterations, 10000);
	conf_free(&c);
	assert_null(c);
}

/* U-labels and A-labels, with quotes or not, are the same domain. */
static void
test_conf_domains(void **state)
{
	static const char *const bad[] = { "\xe2\x98\x83.test", "\xfc.test",
		("a\xe3\x80\x82" "b"), "-\xc3\xbc.test", "\xc3\xbc..test",
		"\xc3\xbc.test.", "\xc3\xbc_a.test", "a@\xc3\xbc", "" };
	struct faults f;
	struct conf *c = read_text("domains = {M\xc3\x9cLLER.test, "
	    "\"mu\xcc\x88ller.example\", XN--MLLER-KVA.test}\n"
	    "tls { certificates = {/c} keys = {/k} }\n", &f);
	char text[200];

	(void)state;
	assert_int_equal(f.n, 0);
	assert_non_null(c);
	assert_int_equal(c->domains.n, 3);
	assert_string_equal(c->domains.item[0], "xn--mller-kva.test");
	assert_string_equal(c->domains.item[1], "xn--mller-kva.example");
	assert_string_equal(c->domains.item[2], "xn--mller-kva.test");
	assert_true(conf_is_local(c, "xn--mller-kva.example"));
	conf_free(&c);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "domains = {a.test,\n\"%s\"}\n"
		    "tls { certificates = {/c} keys = {/k} }\n", bad[i]);
		assert_null(read_text(text, &f));
		assert_int_equal(f.n, 1);
		assert_int_equal(f.line[0], 2);
	}
	/* an A-label is ASCII, whatever the name of the host */
	assert_null(read_text(GOOD "hostname = \"\xc3\xbc.test\"\n", &f));
	assert_int_equal(f.n, 1);
}

static void
test_conf_reports_all_bad_values(void **state)
{
	struct faults f;

	(void)state;
	assert_null(read_text(GOOD
	    "limits { message_size = 3X\n"
	    " recipient_limit = 0\n"
	    " data_time = 99d }\n"
	    "log = printer\n"
	    "mail_root = relative\n"
	    "listen submission { addresses = {nonsense} }\n", &f));
	assert_int_equal(f.n, 6);
	assert_int_equal(errno, EINVAL);
	for (int i = 0; i < 6; i++)
		assert_true(f.line[i] >= 3 && f.line[i] <= 8);
}

static void
test_conf_syntax(void **state)
{
	struct faults f;
	struct conf *c;

	(void)state;
	assert_null(read_text(GOOD "limits { no_such_key = 1 }\n", &f));
	assert_int_equal(f.n, 1);
	assert_int_equal(f.line[0], 3);
	assert_non_null(strstr(f.text[0], "no_such_key"));
	assert_null(read_text(GOOD "listen other { }\n", &f));
	assert_int_equal(f.n, 1);
	assert_null(read_text("limits {\n", &f));
	assert_true(f.n >= 1);
	assert_null(read_text(GOOD "limits {\n data_time = 2min\n", &f));
	assert_int_equal(f.n, 1);
	assert_int_equal(f.line[0], 3);
	assert_null(read_text(GOOD "/* limits {\n}\n", &f));
	assert_int_equal(f.line[0], 3);
	c = read_text(GOOD "# { it's\nlimits { } // { \"\n/* { ' **/\n"
	    "hostname = \"a.b\" # }", &f);
	assert_int_equal(f.n, 0);
	conf_free(&c);
	assert_null(read_text("", &f));
	assert_int_equal(f.n, 2);
}

/* What conf_print() writes reads back as the same. */
static void
test_conf_round_trip(void **state)
{
	char *one = NULL, *two = NULL;
	struct faults f;
	struct conf *c;
	size_t n;
	FILE *fp;

	(void)state;
	c = read_text(GOOD "listen https { }\nlimits { data_time = 90s\n"
	    "request_head = 17K }\n", &f);
	assert_non_null(c);
	fp = open_memstream(&one, &n);
	conf_print(c, fp);
	fclose(fp);
	conf_free(&c);
	c = read_text(one, &f);
	assert_int_equal(f.n, 0);
	assert_non_null(c);
	fp = open_memstream(&two, &n);
	conf_print(c, fp);
	fclose(fp);
	assert_string_equal(one, two);
	conf_free(&c);
	free(one);
	free(two);
}

static void
test_ipc_passes_descriptors(void **state)
{
	int sv[2], p[2], got = -1;
	char buf[16];

	(void)state;
	assert_int_equal(ipc_pair(sv), 0);
	assert_int_equal(pipe(p), 0);
	assert_int_equal(ipc_send(sv[0], "abc", 3, p[1]), 0);
	close(p[1]);
	assert_int_equal(ipc_recv(sv[1], buf, sizeof(buf), &got), 3);
	assert_true(got >= 0);
	assert_true(fcntl(got, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(got, "x", 1), 1);
	assert_int_equal(read(p[0], buf, 1), 1);
	close(got);
	close(p[0]);
	assert_int_equal(ipc_recv(sv[1], buf, sizeof(buf), &got), -1);
	assert_int_equal(errno, EAGAIN);
	/* One that is too long for the receiver is an error, not a part. */
	assert_int_equal(ipc_send(sv[0], "0123456789abcdefXX", 18, -1), 0);
	assert_int_equal(ipc_recv(sv[1], buf, sizeof(buf), &got), -1);
	assert_int_equal(errno, EMSGSIZE);
	/* An empty one is taken for the end; nothing that it holds stays. */
	assert_int_equal(pipe(p), 0);
	assert_int_equal(ipc_send(sv[0], "", 0, p[1]), 0);
	close(p[1]);
	assert_int_equal(ipc_recv(sv[1], buf, sizeof(buf), &got), 0);
	assert_int_equal(got, -1);
	assert_int_equal(read(p[0], buf, 1), 0);
	close(p[0]);
	close(sv[0]);
	assert_int_equal(ipc_recv(sv[1], buf, sizeof(buf), &got), 0);
	close(sv[1]);
}

struct peer {
	struct event_base	*base;
	struct chan		*chan;
	uint32_t		 next;
	bool			 gone;
};

static void
on_input(struct chan *c, void *arg, const void *msg, size_t len, int fd)
{
	struct peer *p = arg;
	uint32_t n;

	(void)c;
	assert_int_equal(fd, -1);
	assert_int_equal(len, 4096);
	memcpy(&n, msg, sizeof(n));
	assert_int_equal(n, p->next);
	p->next++;
}

static void
on_gone(struct chan *c, void *arg)
{
	struct peer *p = arg;

	assert_ptr_equal(c, p->chan);
	chan_free(&p->chan);
	p->gone = true;
	event_base_loopbreak(p->base);
}

/* More than the socket holds is queued, in order, and then delivered. */
static void
test_chan_queues_in_order(void **state)
{
	static const struct chan_ops ops = { on_input, on_gone, NULL };
	struct peer a = { 0 }, b = { 0 };
	unsigned char msg[4096] = { 0 };
	int sv[2];

	(void)state;
	a.base = b.base = event_base_new();
	assert_int_equal(ipc_pair(sv), 0);
	a.chan = chan_new(a.base, sv[0], &ops, &a);
	b.chan = chan_new(b.base, sv[1], &ops, &b);
	for (uint32_t i = 0; i < 1000; i++) {
		memcpy(msg, &i, sizeof(i));
		assert_int_equal(chan_send(a.chan, msg, sizeof(msg), -1), 0);
	}
	assert_true(chan_queued(a.chan) > 0);
	while (b.next < 1000)
		event_base_loop(a.base, EVLOOP_ONCE);
	assert_int_equal(chan_queued(a.chan), 0);
	chan_limit(a.chan, 100000);
	for (uint32_t i = 1000;; i++) {
		memcpy(msg, &i, sizeof(i));
		if (chan_send(a.chan, msg, sizeof(msg), -1) == -1)
			break;
		assert_true(i < 5000);
	}
	assert_int_equal(errno, ENOBUFS);
	chan_free(&a.chan);
	while (!b.gone)
		event_base_dispatch(b.base);
	assert_null(b.chan);
	event_base_free(a.base);
}

static const unsigned char *
v6(unsigned char ip[IP_SIZE], unsigned char net, unsigned char host)
{
	memset(ip, 0, IP_SIZE);
	ip[0] = 0x20;
	ip[7] = net;
	ip[15] = host;
	return ip;
}

static void
test_counts_limits(void **state)
{
	int fd = counts_create(2);
	struct counts *one = counts_map(fd, 0), *two = counts_map(fd, 1);
	unsigned char ip[IP_SIZE];

	(void)state;
	assert_non_null(one);
	assert_non_null(two);
	assert_null(counts_map(fd, 2));
	/* Two processes count together, and a /64 is one prefix. */
	assert_int_equal(counts_enter(one, v6(ip, 1, 1), 3, 2), 0);
	assert_int_equal(counts_enter(two, v6(ip, 1, 2), 3, 2), 0);
	assert_int_equal(counts_enter(one, v6(ip, 1, 3), 3, 2), 2);
	assert_int_equal(counts_enter(one, v6(ip, 2, 1), 3, 3), 0);
	assert_int_equal(counts_enter(one, v6(ip, 3, 1), 3, 3), 1);
	counts_leave(two, v6(ip, 1, 2));
	assert_int_equal(counts_enter(one, v6(ip, 3, 1), 3, 3), 0);
	/* A dead process's connections are forgotten. */
	counts_clear(two, 0);
	assert_int_equal(counts_enter(two, v6(ip, 1, 1), 1, 1), 0);
	counts_unmap(&one);
	counts_unmap(&two);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buf_grows_to_its_limit),
		cmocka_unit_test(test_buf_keeps_order),
		cmocka_unit_test(test_buf_addf),
		cmocka_unit_test(test_str_copy),
		cmocka_unit_test(test_str_quote),
		cmocka_unit_test(test_str_u64),
		cmocka_unit_test(test_str_has_word),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_conf_values),
		cmocka_unit_test(test_conf_domains),
		cmocka_unit_test(test_conf_reports_all_bad_values),
		cmocka_unit_test(test_conf_syntax),
		cmocka_unit_test(test_conf_round_trip),
		cmocka_unit_test(test_ipc_passes_descriptors),
		cmocka_unit_test(test_chan_queues_in_order),
		cmocka_unit_test(test_counts_limits),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("lib", tests, NULL, NULL);
}
