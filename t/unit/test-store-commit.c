/* SPDX-License-Identifier: ISC */
/*
 * smtpd/store_body.c and store_commit.c: what is put on the disk, and that
 * nothing is left there when a step fails. The system calls are wrapped by
 * the linker to fail on demand.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mail/maildir.h"
#include "mail/trace.h"
#include "smtpd/store_body.h"
#include "smtpd/store_commit.h"
#include "t/unit/store_root.h"

/* Which call is to fail, and how: the at'th, counted from 1. */
static struct {
	const char	*call;
	int		 at, error;
	int		 fsyncs, links, unlinks, mkdirs, writes;
} fault;

int __real_fsync(int);
int __wrap_fsync(int);
int __real_linkat(int, const char *, int, const char *, int);
int __wrap_linkat(int, const char *, int, const char *, int);
int __real_unlinkat(int, const char *, int);
int __wrap_unlinkat(int, const char *, int);
int __real_mkdirat(int, const char *, mode_t);
int __wrap_mkdirat(int, const char *, mode_t);
ssize_t __real_write(int, const void *, size_t);
ssize_t __wrap_write(int, const void *, size_t);

static bool
strikes(const char *call, int *count)
{
	++*count;
	if (fault.call == NULL || strcmp(fault.call, call) != 0 ||
	    *count != fault.at)
		return false;
	errno = fault.error;
	return true;
}

int
__wrap_fsync(int fd)
{
	return strikes("fsync", &fault.fsyncs) ? -1 : __real_fsync(fd);
}

int
__wrap_linkat(int d, const char *a, int e, const char *b, int flags)
{
	return strikes("link", &fault.links) ? -1 :
	    __real_linkat(d, a, e, b, flags);
}

int
__wrap_unlinkat(int d, const char *a, int flags)
{
	return strikes("unlink", &fault.unlinks) ? -1 :
	    __real_unlinkat(d, a, flags);
}

int
__wrap_mkdirat(int d, const char *a, mode_t mode)
{
	return strikes("mkdir", &fault.mkdirs) ? -1 :
	    __real_mkdirat(d, a, mode);
}

ssize_t
__wrap_write(int fd, const void *p, size_t n)
{
	if (fd <= STDERR_FILENO)
		return __real_write(fd, p, n);
	if (strikes("write", &fault.writes))
		return -1;
	return __real_write(fd, p, n > 1000 ? n / 2 : n);
}

static void
fail_at(const char *call, int at, int error)
{
	memset(&fault, 0, sizeof(fault));
	fault.call = call;
	fault.at = at;
	fault.error = error;
}

struct fix {
	struct root		 root;
	struct body_env		 env;
	struct commit_env	 commits;
	struct body		 body;
	struct commit		 commit;
	struct addr		 from, rcpt;
	struct trace		 trace;
	uint32_t		 flags;
};

static int
setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));

	*state = f;
	fail_at(NULL, 0, 0);
	root_make(&f->root);
	f->env.root = f->commits.root = f->root.fd;
	f->env.hostname = "mx.example.test";
	f->env.message_size = 1 << 20;
	f->env.header_size = 4096;
	f->env.received_limit = 5;
	f->env.memory_max = 64 << 20;
	pthread_mutex_init(&f->commits.lock, NULL);
	maildir_maker_init(&f->commits.maker, "mx.example.test", 1);
	addr_split("alice@example.test", &f->from);
	f->trace.from = &f->from;
	f->trace.helo = "c.example";
	f->trace.client = "192.0.2.1";
	f->trace.protocol = "ESMTPSA";
	f->trace.tls_version = "";
	return 0;
}

static int
teardown(void **state)
{
	struct fix *f = *state;

	body_free(&f->body);
	assert_int_equal(f->env.memory, 0);
	root_remove(&f->root);
	pthread_mutex_destroy(&f->commits.lock);
	free(f);
	return 0;
}

static void
open_body(struct fix *f)
{
	body_free(&f->body);
	assert_int_equal(body_open(&f->body, &f->env, "example.test/bob",
	    &f->from, f->flags, "id.1", 1762258332, &f->trace), 0);
}

static enum store_status
feed_octets(struct fix *f, const char *text, size_t len, size_t step)
{
	size_t n;

	open_body(f);
	for (; len > 0; len -= n, text += n) {
		n = step > 0 && step < len ? step : len;
		body_add(&f->body, text, n);
	}
	return body_end(&f->body);
}

static enum store_status
feed(struct fix *f, const char *text, size_t step)
{
	return feed_octets(f, text, strlen(text), step);
}

static void
commit(struct fix *f, char *const *paths, size_t n)
{
	memset(&f->commit, 0, sizeof(f->commit));
	f->commit.env = &f->commits;
	f->commit.body = &f->body;
	f->commit.paths = paths;
	f->commit.n = n;
	commit_run(&f->commit);
}

static char bob[] = "example.test/bob", carol[] = "example.test/carol",
    alice[] = "example.test/alice";
static char *const three[] = { alice, bob, carol };

#define TRACE	"Return-Path: <alice@example.test>\n" \
		"Received: from c.example ([192.0.2.1]) by mx.example.test " \
		"with ESMTPSA\n\tid id.1; Tue, 4 Nov 2025 12:12:12 +0000\n"
#define DATE	"Date: Tue, 4 Nov 2025 12:12:12 +0000\n"
#define MSGID	"Message-ID: <id.1@mx.example.test>\n"

/* What is stored of what was sent; NULL: refused with that status. */
static const struct {
	const char		*in;
	const char		*out;
	enum store_status	 status;
} texts[] = {
	{ "", TRACE DATE MSGID, STORE_OK },
	{ "\r\n", TRACE DATE MSGID "\n", STORE_OK },
	{ "hello\r\n", TRACE DATE MSGID "\nhello\n", STORE_OK },
	{ "hello\r\n\r\nFrom: bob@example.test\r\n",
	    TRACE DATE MSGID "\nhello\n\nFrom: bob@example.test\n", STORE_OK },
	{ "From: alice@example.test\r\n\r\nx\r\n",
	    TRACE DATE MSGID "From: alice@example.test\n\nx\n", STORE_OK },
	{ "Date: x\r\nMessage-ID: y\r\n\r\n\r\n",
	    TRACE "Date: x\nMessage-ID: y\n\n\n", STORE_OK },
	{ "Date: x\r\nSubject: a\r\n\tb \r\n\r\n.\r\n\x80\x01\r\n",
	    TRACE MSGID "Date: x\nSubject: a\n\tb \n\n.\n\x80\x01\n",
	    STORE_OK },
	{ "Message-ID: y\r\nno field\r\nFrom: bob@example.test\r\n\r\n",
	    TRACE DATE "Message-ID: y\n\nno field\n"
	    "From: bob@example.test\n\n", STORE_OK },
	{ "A: b\r\n", TRACE DATE MSGID "A: b\n", STORE_OK },
	{ "Bcc: x\r\n\ty\r\nA: b\r\nresent-bcc :\r\nBCC:x\r\n"
	    "\r\nBcc: z\r\n",
	    TRACE DATE MSGID "A: b\n\nBcc: z\n", STORE_OK },
	{ "A: b\r\nBcc: x", TRACE DATE MSGID "A: b\n", STORE_OK },
	{ "A: b", TRACE DATE MSGID "A: b", STORE_OK },
	{ "From: bob@example.test\r\n\r\nx\r\n", NULL, STORE_NOT_AUTHOR },
	{ "From: bob@example.test\r\n", NULL, STORE_NOT_AUTHOR },
	{ "From: alice@example.test\r\nFrom: alice@example.test\r\n\r\n",
	    NULL, STORE_BAD_HEADER },
	{ "From: alice@example.test\r\n \r\nFrom: bob@example.test\r\n\r\n",
	    NULL, STORE_BAD_HEADER },
	{ "Received: 1\r\nReceived: 2\r\nReceived: 3\r\nReceived: 4\r\n"
	    "Received: 5\r\nReceived: 6\r\n\r\n", NULL, STORE_LOOP },
	{ "a\nb\r\n", NULL, STORE_BAD_HEADER },
	{ "\n", NULL, STORE_BAD_HEADER },
	{ "a\rb\r\n", NULL, STORE_BAD_HEADER },
	{ "a\r\r\n", NULL, STORE_BAD_HEADER },
	{ "a\r", NULL, STORE_BAD_HEADER },
	{ "A: b\r\n\r\nx\ny\r\n", NULL, STORE_BAD_HEADER },
};

/* Another root, empty. */
static void
new_root(struct fix *f)
{
	body_free(&f->body);
	root_remove(&f->root);
	root_make(&f->root);
	f->env.root = f->commits.root = f->root.fd;
}

static void
test_texts(void **state)
{
	struct fix *f = *state;
	size_t i, step;
	char *const one[] = { bob };
	char *text, name[256];
	enum store_status r;
	struct maildir_name n;
	const char *s;
	uint64_t lines;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (step = 0; step < 20; step++) {
			r = feed(f, texts[i].in, step);
			if (r != texts[i].status)
				fail_msg("text %zu step %zu: %d", i, step,
				    (int)r);
			if (r != STORE_OK || step > 2)
				continue;
			commit(f, one, 1);
			assert_int_equal(f->commit.status, STORE_OK);
			text = root_only(&f->root, bob, NULL, name);
			assert_string_equal(text, texts[i].out);
			assert_true(maildir_name_parse(name, &n));
			for (lines = 0, s = text; *s != '\0'; s++)
				lines += *s == '\n';
			assert_int_equal(n.size, strlen(text));
			assert_int_equal(n.wire, strlen(text) + lines);
			assert_int_equal(f->commit.size, n.size);
			free(text);
			assert_int_equal(root_files(&f->root), 1);
			assert_int_equal(__real_unlinkat(f->root.fd, "x", 0),
			    -1);
			new_root(f);
		}
}

#define C_TRACE	"Return-Path: <alice@example.test>\r\n" \
		"Received: from c.example ([192.0.2.1]) by mx.example.test " \
		"with ESMTPSA\r\n\tid id.1; " \
		"Tue, 4 Nov 2025 12:12:12 +0000\r\n"
#define C_DATE	"Date: Tue, 4 Nov 2025 12:12:12 +0000\r\n"
#define C_MSGID	"Message-ID: <id.1@mx.example.test>\r\n"

/* The same of binary messages. */
static const struct {
	const char		*in;
	size_t			 in_len;
	const char		*out;
	size_t			 out_len;
	enum store_status	 status;
} binaries[] = {
#define KEPT(in, out)	{ in, sizeof(in) - 1, out, sizeof(out) - 1, STORE_OK }
#define REFUSED(in, why) { in, sizeof(in) - 1, NULL, 0, why }
	KEPT("", C_TRACE C_DATE C_MSGID),
	KEPT("\r\n\n\r\0", C_TRACE C_DATE C_MSGID "\r\n\n\r\0"),
	KEPT("From: alice@example.test\r\nbcc: x\r\n\ty\r\nDate: z\r\n\r\n"
	    "a\nb\rc\0\r\n\xff.\r\nBcc: x\r\n\r",
	    C_TRACE C_MSGID "From: alice@example.test\r\nDate: z\r\n\r\n"
	    "a\nb\rc\0\r\n\xff.\r\nBcc: x\r\n\r"),
	KEPT("A: b", C_TRACE C_DATE C_MSGID "A: b"),
	KEPT("A: b\r\nno field\r\n\0\n",
	    C_TRACE C_DATE C_MSGID "A: b\r\n\r\nno field\r\n\0\n"),
	REFUSED("From: bob@example.test\r\n\r\n\0", STORE_NOT_AUTHOR),
	REFUSED("From: alice@example.test\r\nFrom: alice@example.test\r\n"
	    "\r\n", STORE_BAD_HEADER),
	REFUSED("Received: 1\r\nReceived: 2\r\nReceived: 3\r\n"
	    "Received: 4\r\nReceived: 5\r\nReceived: 6\r\n\r\n",
	    STORE_LOOP),
	/* an honest session lets none of these come */
	REFUSED("A: b\nC: d\r\n\r\n", STORE_BAD_HEADER),
	REFUSED("A: b\r\nC: d\n\r\n", STORE_BAD_HEADER),
	REFUSED("A: b\r\n\nx", STORE_BAD_HEADER),
	REFUSED("\n", STORE_BAD_HEADER),
	REFUSED("\r", STORE_BAD_HEADER),
	REFUSED("A: \rb\r\n\r\n", STORE_BAD_HEADER),
	REFUSED("A: b\r\r\n\r\n", STORE_BAD_HEADER),
	REFUSED("A: b\r", STORE_BAD_HEADER),
	REFUSED("A: b\r\n\r", STORE_BAD_HEADER),
	REFUSED("A: \0\r\n\r\n", STORE_BAD_HEADER),
};

static void
test_binary(void **state)
{
	struct fix *f = *state;
	char *const one[] = { bob };
	struct maildir_name n;
	char *text, name[256];
	enum store_status r;
	size_t i, step;

	f->flags = STORE_BINARY;
	for (i = 0; i < sizeof(binaries) / sizeof(binaries[0]); i++)
		for (step = 0; step < 20; step++) {
			r = feed_octets(f, binaries[i].in,
			    binaries[i].in_len, step);
			if (r != binaries[i].status)
				fail_msg("text %zu step %zu: %d", i, step,
				    (int)r);
			if (r != STORE_OK || step > 2)
				continue;
			commit(f, one, 1);
			assert_int_equal(f->commit.status, STORE_OK);
			text = root_only(&f->root, bob, NULL, name);
			assert_true(maildir_name_parse(name, &n));
			assert_int_equal(n.size, binaries[i].out_len);
			assert_int_equal(n.wire, n.size);
			assert_int_equal(f->commit.size, n.size);
			assert_memory_equal(text, binaries[i].out, n.size);
			free(text);
			new_root(f);
		}
}

/* More than is kept in memory. */
static void
test_binary_spill(void **state)
{
	static char block[5000];
	struct fix *f = *state;
	char *const one[] = { bob };
	char *text, name[256];
	struct maildir_name n;
	size_t i;

	f->flags = STORE_BINARY;
	for (i = 0; i < sizeof(block); i++)
		block[i] = (char)i;
	open_body(f);
	body_add(&f->body, "A: b\r\n\r\n", 8);
	for (i = 0; i < 100; i++)
		body_add(&f->body, block, sizeof(block));
	assert_int_not_equal(f->body.file.fd, -1);
	assert_int_equal(body_end(&f->body), STORE_OK);
	commit(f, one, 1);
	assert_int_equal(f->commit.status, STORE_OK);
	text = root_only(&f->root, bob, NULL, name);
	assert_true(maildir_name_parse(name, &n));
	assert_int_equal(n.size, strlen(C_TRACE C_DATE C_MSGID) + 8 + 500000);
	assert_int_equal(n.wire, n.size);
	for (i = 0; i < 100; i++)
		assert_memory_equal(text + n.size - (i + 1) * sizeof(block),
		    block, sizeof(block));
	free(text);
}

/* Each octet at which a message may be split, through 3 recipients. */
static void
test_split(void **state)
{
	static const char in[] = "From: alice@example.test\r\nA: b\r\n\tc\r\n"
	    "\r\nbody\r\n..\r\n";
	struct fix *f = *state;
	size_t cut;

	for (cut = 0; cut < sizeof(in); cut++) {
		open_body(f);
		body_add(&f->body, in, cut);
		body_add(&f->body, in + cut, sizeof(in) - 1 - cut);
		assert_int_equal(body_end(&f->body), STORE_OK);
		assert_int_equal(f->body.text.len, strlen(TRACE DATE MSGID) +
		    sizeof(in) - 1 - 6);
	}
}

static void
test_limits(void **state)
{
	struct fix *f = *state;
	char line[1001];
	int i;

	/* the size, as the client counts it */
	memset(line, 'x', sizeof(line));
	line[998] = '\r';
	line[999] = '\n';
	open_body(f);
	for (i = 0; i < 1048; i++)
		body_add(&f->body, line, 1000);
	assert_int_equal(f->body.status, STORE_OK);
	body_add(&f->body, line + 998 - 574, 576);
	assert_int_equal(f->body.status, STORE_OK);
	body_add(&f->body, line + 998, 2);
	assert_int_equal(body_end(&f->body), STORE_TOO_BIG);
	assert_int_equal(f->env.memory, 0);
	/* a header block without an end */
	open_body(f);
	memcpy(line, "A: ", 3);
	for (i = 0; i < 5; i++)
		body_add(&f->body, line, 1000);
	assert_int_equal(body_end(&f->body), STORE_BAD_HEADER);
	/* a line without an end that is no field is body */
	open_body(f);
	memset(line, 'x', sizeof(line));
	for (i = 0; i < 10; i++)
		body_add(&f->body, line, 1000);
	assert_int_equal(body_end(&f->body), STORE_OK);
	/* and one that is */
	open_body(f);
	memcpy(line, "From: ", 6);
	body_add(&f->body, line, 998);
	for (i = 0; i < 10; i++)
		body_add(&f->body, line + 10, 900);
	assert_int_equal(body_end(&f->body), STORE_BAD_HEADER);
}

/*
 * A header block that has room for nothing more, then one more line: the
 * verdict is the same wherever the pieces end.
 */
static void
test_limit_cut(void **state)
{
	static const struct {
		const char		*line;
		enum store_status	 plain, binary;
	} cases[] = {
		{ "Bcc: x@example.test\r\n\r\nx\r\n", STORE_BAD_HEADER,
		    STORE_BAD_HEADER },
		{ "Bcc \t: x\r\n\r\n", STORE_BAD_HEADER, STORE_BAD_HEADER },
		{ "\r\nx\r\n", STORE_OK, STORE_OK },
		{ "no field\r\n", STORE_OK, STORE_OK },
		{ "\x80\r\n", STORE_OK, STORE_OK },
	};
	struct fix *f = *state;
	enum store_status want;
	char text[4200];
	size_t i, cut, len, lines, at;

	for (i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		f->flags = i % 2 != 0 ? STORE_BINARY : 0;
		want = i % 2 != 0 ? cases[i / 2].binary : cases[i / 2].plain;
		/* LF for CRLF where it is not binary */
		lines = i % 2 != 0 ? 0 : 1;
		len = f->env.header_size + lines;
		memset(text, 'x', len);
		memcpy(text, "A: ", 3);
		memcpy(text + len - 2, "\r\n", 2);
		at = len;
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s",
		    cases[i / 2].line);
		for (cut = at - 1; cut < len; cut++) {
			open_body(f);
			body_add(&f->body, text, cut);
			body_add(&f->body, text + cut, len - cut);
			if (body_end(&f->body) != want)
				fail_msg("case %zu cut at %zu: %d", i, cut,
				    (int)f->body.status);
		}
	}
	/* It does not wait for ever, however the pieces end. */
	open_body(f);
	for (i = 0; i < 1000 && f->body.status == STORE_OK; i++)
		body_add(&f->body, i == 0 ? "Bcc" : ":\r\nBcc",
		    i == 0 ? 3 : 6);
	assert_int_equal(f->body.status, STORE_BAD_HEADER);
}

static void
test_memory_bound(void **state)
{
	static char line[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n";
	struct fix *f = *state;
	int i;

	/* little memory: the body goes to the file at once */
	f->env.memory_max = 2000;
	open_body(f);
	body_add(&f->body, "\r\n", 2);
	for (i = 0; i < 1000; i++)
		body_add(&f->body, line, 32);
	assert_true(f->env.memory <= 8000);
	assert_int_not_equal(f->body.file.fd, -1);
	assert_int_equal(body_end(&f->body), STORE_OK);
	/* a header block cannot: refused for now */
	open_body(f);
	for (i = 0; i < 200; i++)
		body_add(&f->body, "A: xxxxxxxxxxxxxxxxxxxxxxxx\r\n", 29);
	assert_int_equal(body_end(&f->body), STORE_FAILED);
}

static void
test_spill(void **state)
{
	static char line[] = "0123456789012345678901234567890\r\n";
	struct fix *f = *state;
	char *text;
	size_t i, head = strlen(TRACE DATE MSGID "\n");

	open_body(f);
	body_add(&f->body, "\r\n", 2);
	for (i = 0; i < 30000; i++)
		body_add(&f->body, line, 33);
	assert_int_equal(body_end(&f->body), STORE_OK);
	assert_int_not_equal(f->body.file.fd, -1);
	assert_true(f->env.memory < 2 * BODY_SPILL);
	commit(f, three, 3);
	assert_int_equal(f->commit.status, STORE_OK);
	text = root_only(&f->root, carol, NULL, NULL);
	assert_int_equal(strlen(text), head + 30000 * 32);
	for (i = 0; i < 30000; i++)
		assert_memory_equal(text + head + i * 32,
		    "0123456789012345678901234567890\n", 32);
	free(text);
}

/* One file, one inode, however many; modes; name. */
static void
test_many(void **state)
{
	struct fix *f = *state;
	char *paths[40], full[800], name[256], *text;
	unsigned long inode, first = 0;
	struct stat st;
	size_t i;

	for (i = 0; i < 40; i++) {
		paths[i] = malloc(32);
		snprintf(paths[i], 32, "example.test/u%02zu", i);
		root_add(&f->root, paths[i]);
	}
	assert_int_equal(feed(f, "hi\r\n", 0), STORE_OK);
	commit(f, paths, 40);
	assert_int_equal(f->commit.status, STORE_OK);
	for (i = 0; i < 40; i++) {
		text = root_only(&f->root, paths[i], &inode, name);
		free(text);
		if (i == 0)
			first = inode;
		assert_int_equal(inode, first);
		assert_memory_equal(name, f->commit.id, strlen(f->commit.id));
		assert_int_equal(name[strlen(f->commit.id)], ',');
		snprintf(full, sizeof(full), "%s/%s/Maildir/new/%s",
		    f->root.path, paths[i], name);
		assert_int_equal(stat(full, &st), 0);
		assert_int_equal(st.st_nlink, 40);
		assert_int_equal(st.st_mode & 07777, 0640);
		*strrchr(full, '/') = '\0';
		assert_int_equal(stat(full, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0750);
		free(paths[i]);
	}
	/* file, 40 x (Maildir, mailbox, new); no unlink */
	assert_int_equal(fault.fsyncs, 1 + 3 * 40);
	assert_int_equal(fault.unlinks, 0);
}

/* Every step fails once with every errno; nothing is left. */
static void
test_faults(void **state)
{
	static const struct { const char *call; int times; } calls[] = {
		{ "write", 3 }, { "fsync", 1 + 3 * 3 }, { "link", 3 },
		{ "mkdir", 3 * 4 },
	};
	static const int errors[] = { EIO, ENOSPC, EDQUOT, EMFILE };
	struct fix *f = *state;
	size_t c, e;
	int at;

	for (c = 0; c < sizeof(calls) / sizeof(calls[0]); c++)
		for (at = 1; at <= calls[c].times; at++)
			for (e = 0; e < 4; e++) {
				fail_at(NULL, 0, 0);
				assert_int_equal(feed(f, "a: b\r\n\r\nxxxxxxxx"
				    "xxxxxxxxxxxxxxxxxxxxxx\r\n", 0), STORE_OK);
				while (f->body.text.len < 4000)
					assert_int_equal(buf_add(&f->body.text,
					    "line\n", 5), 0);
				fail_at(calls[c].call, at, errors[e]);
				commit(f, three, 3);
				body_free(&f->body);
				if (f->commit.status != (errors[e] == ENOSPC ||
				    errors[e] == EDQUOT ? STORE_NO_SPACE :
				    STORE_FAILED) ||
				    f->commit.error != errors[e])
					fail_msg("%s %d: %d", calls[c].call,
					    at, (int)f->commit.status);
				if (root_files(&f->root) != 0)
					fail_msg("%s %d left a file",
					    calls[c].call, at);
				root_remove(&f->root);
				root_make(&f->root);
				f->env.root = f->commits.root = f->root.fd;
			}
	fail_at(NULL, 0, 0);
	assert_int_equal(feed(f, "hi\r\n", 0), STORE_OK);
	commit(f, three, 3);
	assert_int_equal(f->commit.status, STORE_OK);
	assert_int_equal(root_files(&f->root), 3);
}

/* After a failed fsync of the file nothing is linked or synced again. */
static void
test_fsync_once(void **state)
{
	struct fix *f = *state;

	assert_int_equal(feed(f, "hi\r\n", 0), STORE_OK);
	fail_at("fsync", 1, EIO);
	commit(f, three, 3);
	assert_int_equal(f->commit.status, STORE_FAILED);
	assert_int_equal(fault.fsyncs, 1);
	assert_int_equal(fault.links, 0);
}

/* Spilling meets a full disk. */
static void
test_spill_fault(void **state)
{
	static char line[] = "0123456789012345678901234567890\r\n";
	struct fix *f = *state;
	int i;

	fail_at("write", 2, ENOSPC);
	open_body(f);
	body_add(&f->body, "\r\n", 2);
	for (i = 0; i < 30000; i++)
		body_add(&f->body, line, 33);
	assert_int_equal(body_end(&f->body), STORE_NO_SPACE);
	assert_int_equal(f->body.error, ENOSPC);
	assert_int_equal(f->body.file.fd, -1);
	assert_int_equal(f->env.memory, 0);
	assert_int_equal(root_files(&f->root), 0);
}

/* A recipient's mailbox vanished meanwhile, or is a symbolic link. */
static void
test_no_mailbox(void **state)
{
	struct fix *f = *state;
	char gone[] = "example.test/zoe", full[800];
	char *const paths[] = { alice, bob, gone };

	assert_int_equal(feed(f, "hi\r\n", 0), STORE_OK);
	commit(f, paths, 3);
	assert_int_equal(f->commit.status, STORE_FAILED);
	assert_int_equal(root_files(&f->root), 0);
	snprintf(full, sizeof(full), "%s/%s", f->root.path, gone);
	assert_int_equal(symlink("alice", full), 0);
	assert_int_equal(mailbox_exists(f->root.fd, gone), 0);
	assert_int_equal(mailbox_exists(f->root.fd, alice), 1);
	assert_int_equal(mailbox_exists(f->root.fd, "example.test/none"), 0);
	assert_int_equal(mailbox_exists(f->root.fd, "../tmp"), -1);
	assert_int_equal(feed(f, "hi\r\n", 0), STORE_OK);
	commit(f, paths, 3);
	assert_int_equal(f->commit.status, STORE_FAILED);
	assert_int_equal(root_files(&f->root), 0);
}

/* Where files cannot be made without a name. */
static void
test_named(void **state)
{
	struct fix *f = *state;

	assert_int_equal(feed(f, "hi\r\n", 0), STORE_OK);
	assert_int_equal(mailbox_make(f->root.fd, bob), 0);
	f->body.file.dir = mailbox_open(f->root.fd, bob, "tmp");
	snprintf(f->body.file.name, sizeof(f->body.file.name), "id.1");
	f->body.file.fd = openat(f->body.file.dir, "id.1",
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	assert_int_not_equal(f->body.file.fd, -1);
	commit(f, three, 3);
	assert_int_equal(f->commit.status, STORE_OK);
	assert_int_equal(root_count(&f->root, bob, "tmp"), 1);
	body_free(&f->body);
	assert_int_equal(root_count(&f->root, bob, "tmp"), 0);
	assert_int_equal(root_files(&f->root), 3);
}

int
main(void)
{
#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_texts), TEST(test_split), TEST(test_limits),
		TEST(test_binary), TEST(test_binary_spill),
		TEST(test_limit_cut),
		TEST(test_memory_bound), TEST(test_spill), TEST(test_many),
		TEST(test_faults), TEST(test_fsync_once),
		TEST(test_spill_fault), TEST(test_no_mailbox),
		TEST(test_named),
	};

	umask(0027);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
