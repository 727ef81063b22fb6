/* SPDX-License-Identifier: ISC */
/*
 * Passwords from the administrator's terminal or pipe, or made from the
 * kernel's random numbers. Linked into posternctl. The terminal is given
 * back as it was, also when a signal ends the program.
 */
#include "admin/password.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include "admin/fail.h"
#include "lib/str.h"
#include "lib/utf8.h"

/* Without 0 O 1 l I i o. */
static const char alphabet[] = "abcdefghjkmnpqrstuvwxyz23456789"
    "ABCDEFGHJKLMNPQRSTUVWXYZ";
#define LETTERS	(sizeof(alphabet) - 1)
#define SMALL	31		/* letters and digits before the capitals */
#define GROUP	4		/* characters between two hyphens */

const char *
password_fault(const char *password, size_t len)
{
	size_t i;
	uint32_t c;

	if (len == 0)
		return "the password is empty";
	if (len > SCRAM_PASSWORD_MAX)
		return "the password is over 1024 octets";
	for (i = 0; i < len;) {
		i += utf8_decode(password + i, len - i, &c);
		if (c == UINT32_MAX)
			return "the password is not UTF-8";
		if (utf8_is_control(c))
			return "the password holds a control character";
	}
	return NULL;
}

/* len characters, each one of the first n of the alphabet. */
static int
draw(char *out, size_t len, unsigned n)
{
	const unsigned fair = 256 / n * n;
	unsigned char r;
	size_t i = 0;

	while (i < len) {
		if (getrandom(&r, 1, 0) != 1) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		/* so that each letter is as likely as any other */
		if (r < fair)
			out[i++] = alphabet[r % n];
	}
	out[i] = '\0';
	return 0;
}

int
password_generate(char out[PASSWORD_GENERATED + 1])
{
	return draw(out, PASSWORD_GENERATED, LETTERS);
}

int
password_generate_app(char out[PASSWORD_APP + 1])
{
	size_t i;

	if (draw(out, PASSWORD_APP, SMALL) == -1)
		return -1;
	for (i = GROUP; i < PASSWORD_APP; i += GROUP + 1)
		out[i] = '-';
	return 0;
}

/* One octet of standard input; stops for a signal that waits in sigs. */
static ssize_t
read_octet(int sigs, char *c)
{
	struct pollfd p[2] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = sigs, .events = POLLIN },
	};
	ssize_t n;

	do {
		if (poll(p, 2, -1) == -1 && errno != EINTR)
			return -1;
		if ((p[1].revents & POLLIN) != 0) {
			errno = ECANCELED;
			return -1;
		}
		n = read(STDIN_FILENO, c, 1);
	} while (n == -1 && (errno == EINTR || errno == EAGAIN));
	return n;
}

/* A line without its end, cut to what fits, which is too long then. */
static int
read_line(int sigs, char out[PASSWORD_SIZE], size_t *len)
{
	ssize_t n;
	char c = '\0';

	*len = 0;
	while ((n = read_octet(sigs, &c)) == 1 && c != '\n')
		if (*len < PASSWORD_SIZE)
			out[(*len)++] = c;
	if (n == -1)
		return -1;
	if (*len > 0 && out[*len - 1] == '\r')
		(*len)--;
	return 0;
}

static int
read_hidden(const char *prompt, char out[PASSWORD_SIZE], size_t *len)
{
	struct termios old, quiet;
	sigset_t fatal, held, before;
	int sigs, r, saved;

	sigemptyset(&fatal);
	sigaddset(&fatal, SIGINT);
	sigaddset(&fatal, SIGTERM);
	sigaddset(&fatal, SIGHUP);
	sigaddset(&fatal, SIGQUIT);
	held = fatal;
	sigaddset(&held, SIGTSTP);
	if ((sigs = signalfd(-1, &fatal, SFD_CLOEXEC)) == -1)
		return -1;
	if (tcgetattr(STDIN_FILENO, &old) == -1) {
		close(sigs);
		return -1;
	}
	sigprocmask(SIG_BLOCK, &held, &before);
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet.c_lflag |= ECHONL;
	/* the prompt comes after the flush: what is typed then counts */
	r = tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	fputs(prompt, stderr);
	if (r == 0)
		r = read_line(sigs, out, len);
	saved = errno;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
	close(sigs);
	/* a signal that waits ends the program here */
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = saved;
	return r;
}

static int
read_twice(char out[PASSWORD_SIZE], size_t *len)
{
	char again[PASSWORD_SIZE];
	size_t n;
	int status = EX_OK;

	if (read_hidden("New password: ", out, len) == -1 ||
	    read_hidden("Again: ", again, &n) == -1)
		status = fail_errno("terminal");
	else if (n != *len || memcmp(out, again, n) != 0)
		status = fail_say(EX_DATAERR, "password",
		    "the two are not the same");
	str_wipe(again, sizeof(again));
	return status;
}

int
password_read(char out[PASSWORD_SIZE], size_t *len)
{
	const char *why;
	int status = EX_OK;

	if (isatty(STDIN_FILENO))
		status = read_twice(out, len);
	else if (read_line(-1, out, len) == -1)
		status = fail_errno("standard input");
	if (status == EX_OK && (why = password_fault(out, *len)) != NULL)
		status = fail_say(EX_DATAERR, "password", why);
	if (status != EX_OK)
		str_wipe(out, PASSWORD_SIZE);
	return status;
}
