/* SPDX-License-Identifier: ISC */
/*
 * The SMTP engine when memory runs out: at each allocation of a session in
 * turn. It is dropped then; what was said before stands, and nothing that
 * was not committed is delivered.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "t/unit/smtpd-play.h"

/* Allocations of the engine alone, while one of its functions runs. */
static int engine, left = -1;

static bool
fails(void)
{
	if (engine == 0 || left < 0 || left-- > 0)
		return false;
	errno = ENOMEM;
	return true;
}

void	*__real_malloc(size_t);
void	*__wrap_malloc(size_t);
void	*__real_calloc(size_t, size_t);
void	*__wrap_calloc(size_t, size_t);
void	*__real_realloc(void *, size_t);
void	*__wrap_realloc(void *, size_t);
char	*__real_strdup(const char *);
char	*__wrap_strdup(const char *);
char	*__real_strndup(const char *, size_t);
char	*__wrap_strndup(const char *, size_t);

void *
__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}

char *
__wrap_strdup(const char *s)
{
	return fails() ? NULL : __real_strdup(s);
}

char *
__wrap_strndup(const char *s, size_t len)
{
	return fails() ? NULL : __real_strndup(s, len);
}

size_t	 __real_session_input(struct session *, const unsigned char *,
	    size_t, uint64_t);
size_t	 __wrap_session_input(struct session *, const unsigned char *,
	    size_t, uint64_t);
void	 __real_session_secured(struct session *, struct session_tls,
	    uint64_t);
void	 __wrap_session_secured(struct session *, struct session_tls,
	    uint64_t);
void	 __real_session_login(struct session *, enum auth_status,
	    const char *, const void *, size_t, uint64_t);
void	 __wrap_session_login(struct session *, enum auth_status,
	    const char *, const void *, size_t, uint64_t);
void	 __real_session_stored(struct session *, enum store_status,
	    const char *, uint64_t);
void	 __wrap_session_stored(struct session *, enum store_status,
	    const char *, uint64_t);

size_t
__wrap_session_input(struct session *s, const unsigned char *data, size_t len,
    uint64_t now)
{
	size_t used;

	engine++;
	used = __real_session_input(s, data, len, now);
	engine--;
	return used;
}

void
__wrap_session_secured(struct session *s, struct session_tls tls,
    uint64_t now)
{
	engine++;
	__real_session_secured(s, tls, now);
	engine--;
}

void
__wrap_session_login(struct session *s, enum auth_status st, const char *user,
    const void *data, size_t len, uint64_t now)
{
	engine++;
	__real_session_login(s, st, user, data, len, now);
	engine--;
}

void
__wrap_session_stored(struct session *s, enum store_status st,
    const char *detail, uint64_t now)
{
	engine++;
	__real_session_stored(s, st, detail, now);
	engine--;
}

/* Said after the greeting: whatever may need memory. */
static const char *const lines[] = {
	"EHLO c\r\n", "HELP AUTH\r\n", "STAR", "TTLS\r\n", "EHLO d\r\n",
	"X\r\n", "AUTH LOGIN\r\n", "bW9yZQ==\r\n", "?\r\n",
	"AUTH PLAIN " PLAY_ALICE "\r\n",
	"MAIL FROM:<a\xcc\x88@m\xc3\xbcller.test> SMTPUTF8\r\n",
	"MAIL FROM:<alice@m\xc3\xbcller.test> SMTPUTF8\r\n",
	"RCPT TO:<bob@example.test>\r\n",
	"RCPT TO:<bob@m\xc3\xbcller.test>\r\n",
	"DATA\r\n", "A: b\r\n\r\nx\r\n.\r\n",
	"MAIL FROM:<>\r\nRCPT TO:<bob@example.test>\r\n",
	"BDAT 6\r\nA: b\r\nBDAT 2 LAST\r\n\r\n", "QUIT\r\n",
};

static void
say_all(struct play *p)
{
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		play_say(p, lines[i]);
}

static void
test_each_allocation(void **state)
{
	struct play whole, p;
	size_t len;
	int n;

	(void)state;
	play_init(&whole);
	play_begin(&whole, PLAY_CLEAR);
	say_all(&whole);
	assert_int_equal(session_info(whole.s).delivered, 2);
	for (n = 0; n < 10000; n++) {
		play_init(&p);
		play_begin(&p, PLAY_CLEAR);
		left = n;
		say_all(&p);
		if (left >= 0)
			break;		/* there are no more */
		left = -1;
		assert_true(p.closed);
		assert_int_equal(session_state(p.s), STATE_DONE);
		assert_true(p.log.len >= 5);
		assert_memory_equal(buf_data(&p.log) + p.log.len - 5, "DROP;",
		    5);
		/* as far as it came it is the same session */
		assert_true(p.out.len < whole.out.len);
		assert_memory_equal(buf_data(&p.out), buf_data(&whole.out),
		    p.out.len);
		len = p.mail.len;
		assert_true(len <= whole.mail.len);
		if (len > 0)
			assert_memory_equal(buf_data(&p.mail),
			    buf_data(&whole.mail), len);
		play_end(&p);
	}
	left = -1;
	assert_in_range(n, 30, 9999);
	assert_int_equal(p.out.len, whole.out.len);
	play_end(&p);
	play_end(&whole);
}

static void
test_new(void **state)
{
	struct session_conf conf = { .hostname = "mx.test", .mechs = "" };

	(void)state;
	for (int tls = 0; tls < 2; tls++) {
		engine = 1;
		left = 0;
		assert_null(session_new(&conf, tls, 1));
		engine = 0;
		left = -1;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_allocation),
		cmocka_unit_test(test_new),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("smtpd-memory", tests, NULL, NULL);
}
