/* SPDX-License-Identifier: ISC */
/*
 * The store's policy below its channels: following the alias file, where
 * addresses lead when the world is against it, the postmaster's mailbox.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/conf.h"
#include "smtpd/store_impl.h"
#include "smtpd/store_rcpt.h"
#include "t/unit/store_root.h"

static char first[] = "example.test", second[] = "other.test";
static char *domains[] = { first, second };

static unsigned fsync_calls, fsync_fails;
static int mkdir_errno;

int	__real_fsync(int);
int	__wrap_fsync(int);
int	__real_mkdirat(int, const char *, mode_t);
int	__wrap_mkdirat(int, const char *, mode_t);

int
__wrap_fsync(int fd)
{
	if (++fsync_calls == fsync_fails) {
		errno = EIO;
		return -1;
	}
	return __real_fsync(fd);
}

int
__wrap_mkdirat(int dir, const char *path, mode_t mode)
{
	if (mkdir_errno != 0) {
		errno = mkdir_errno;
		return -1;
	}
	return __real_mkdirat(dir, path, mode);
}

struct fix {
	struct root		 root;
	struct conf		 conf;
	struct event_base	*base;
	struct store		 store;
	char			 file[300];
};

static void
begin(struct fix *f)
{
	assert_int_equal(store_init(&f->store, f->base, &f->conf), 0);
}

static void
again(struct fix *f)
{
	store_free(&f->store);
	begin(f);
}

static void
write_file(const struct fix *f, const char *text)
{
	char tmp[320];
	FILE *fp;

	snprintf(tmp, sizeof(tmp), "%s.new", f->file);
	assert_non_null(fp = fopen(tmp, "w"));
	fputs(text, fp);
	fclose(fp);
	assert_int_equal(rename(tmp, f->file), 0);
}

static int
setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));

	*state = f;
	fsync_calls = fsync_fails = 0;
	mkdir_errno = 0;
	root_make(&f->root);
	snprintf(f->file, sizeof(f->file), "%s/aliases", f->root.path);
	f->conf.hostname = first;
	f->conf.domains.item = domains;
	f->conf.domains.n = 2;
	f->conf.mail_root = f->root.path;
	f->conf.aliases = f->file;
	f->conf.alias_members = 10;
	f->conf.alias_depth = 5;
	f->conf.delivery_queue = 4;
	f->conf.login_rate_time = 1000;
	f->base = event_base_new();
	write_file(f, "a: alice\nz: zoe\n@example.test: bob\n");
	begin(f);
	return 0;
}

static int
teardown(void **state)
{
	struct fix *f = *state;

	store_free(&f->store);
	event_base_free(f->base);
	root_remove(&f->root);
	free(f);
	return 0;
}

/* Where it leads, as "path path", or the status in words. */
static const char *
leads(struct fix *f, const char *address)
{
	static char out[1000];
	struct rcpt_found found;
	enum store_status r;
	struct addr a;
	size_t i, n = 0;

	assert_int_equal(addr_split(address, &a), 0);
	r = rcpt_find(&f->store, &a, &found);
	out[0] = '\0';
	for (i = 0; r == STORE_OK && i < found.n; i++)
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%s",
		    i == 0 ? "" : " ", found.paths[i]);
	if (r != STORE_OK)
		snprintf(out, sizeof(out), "%s", store_status_name(r));
	rcpt_free(&found);
	return out;
}

#define LEADS(address, want) \
	assert_string_equal(leads(f, address "@example.test"), want)

static void
follow(struct fix *f)
{
	/* Past the time for which a fault is not looked at again. */
	static uint64_t later = 1ULL << 40;

	aliases_follow(f->store.aliases, later += 100000);
}

static void
test_follow(void **state)
{
	struct fix *f = *state;
	const struct alias_table *t;

	LEADS("a", "example.test/alice");
	t = aliases_table(f->store.aliases);
	follow(f);
	assert_ptr_equal(aliases_table(f->store.aliases), t);
	write_file(f, "a: bob\n");
	LEADS("a", "example.test/alice");
	follow(f);
	LEADS("a", "example.test/bob");
	/* In place, with the same size. */
	usleep(20000);
	assert_int_equal(close(open(f->file, O_WRONLY | O_TRUNC)), 0);
	follow(f);
	LEADS("a", "no-user");
	assert_int_equal(unlink(f->file), 0);
	follow(f);
	assert_null(aliases_table(f->store.aliases));
	assert_true(aliases_known(f->store.aliases));
	LEADS("zoe", "no-user");
}

static void
test_bad_file(void **state)
{
	struct fix *f = *state;

	write_file(f, "a: bob\nb\n");
	follow(f);
	LEADS("a", "example.test/alice");
	assert_true(aliases_known(f->store.aliases));
	LEADS("q", "no-user");
	/* Nothing from before. */
	again(f);
	assert_false(aliases_known(f->store.aliases));
	LEADS("a", "example.test/bob");
	LEADS("alice", "example.test/alice");
	LEADS("q", "failed");
	write_file(f, "a: carol\nb\n");
	follow(f);
	LEADS("a", "example.test/carol");
	LEADS("q", "failed");
	write_file(f, "a: carol\n");
	follow(f);
	LEADS("q", "no-user");
}

static void
test_unreadable(void **state)
{
	static const char *const kinds[] = { "link", "folder", "fifo" };
	struct fix *f = *state;
	char other[320];
	size_t i;

	snprintf(other, sizeof(other), "%s.other", f->file);
	for (i = 0; i < 3; i++) {
		if (i == 0) {
			assert_int_equal(rename(f->file, other), 0);
			assert_int_equal(symlink(other, f->file), 0);
		} else if (i == 1) {
			assert_int_equal(unlink(f->file), 0);
			assert_int_equal(mkdir(f->file, 0700), 0);
		} else {
			assert_int_equal(rmdir(f->file), 0);
			assert_int_equal(mkfifo(f->file, 0600), 0);
		}
		follow(f);
		if (strcmp(leads(f, "a@example.test"),
		    "example.test/alice") != 0)
			fail_msg("%s", kinds[i]);
	}
	again(f);
	assert_false(aliases_known(f->store.aliases));
	LEADS("q", "failed");
	LEADS("bob", "example.test/bob");
	/* Not tried again before its time. */
	assert_int_equal(unlink(f->file), 0);
	write_file(f, "a: alice\n");
	aliases_follow(f->store.aliases, 0);
	LEADS("a", "failed");
	follow(f);
	LEADS("a", "example.test/alice");
}

/* One that is too large is not read again and again, but when it changes. */
static void
test_too_large(void **state)
{
	struct fix *f = *state;
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	char events[1024];

	assert_int_equal(truncate(f->file, (off_t)ALIAS_FILE_MAX + 1), 0);
	assert_int_not_equal(inotify_add_watch(watch, f->file, IN_OPEN), -1);
	follow(f);
	assert_true(read(watch, events, sizeof(events)) > 0);
	LEADS("a", "example.test/alice");
	follow(f);
	assert_int_equal(read(watch, events, sizeof(events)), -1);
	assert_int_equal(truncate(f->file, (off_t)ALIAS_FILE_MAX + 2), 0);
	follow(f);
	assert_true(read(watch, events, sizeof(events)) > 0);
	write_file(f, "a: bob\n");
	follow(f);
	LEADS("a", "example.test/bob");
	close(watch);
}

static void
test_no_folder(void **state)
{
	struct fix *f = *state;
	char path[] = "/nonexistent/aliases";

	f->conf.aliases = path;
	again(f);
	assert_null(aliases_folder(f->store.aliases));
	assert_true(aliases_known(f->store.aliases));
	LEADS("a", "no-user");
	LEADS("bob", "example.test/bob");
	follow(f);
}

static void
test_order(void **state)
{
	struct fix *f = *state;

	root_add(&f->root, "example.test/dan%2Bx");
	root_add(&f->root, "example.test/dan");
	write_file(f, "dan+y: alice\nerin: bob\nerin+x: erin+x, carol+t\n"
	    "self: self, alice\nmany: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11\n"
	    "bob+t: carol, carol+x, dan+x, dan+z\n@example.test: many\n"
	    "dead: dead, x+y\ncarol+dead: x\n");
	follow(f);
	LEADS("dan+x", "example.test/dan%2Bx");
	LEADS("DAN+Y", "example.test/alice");
	LEADS("dan+z", "example.test/dan");
	LEADS("erin+q", "example.test/bob");
	LEADS("erin+x", "example.test/carol");
	LEADS("self", "example.test/alice");
	LEADS("bob+t", "example.test/carol example.test/carol "
	    "example.test/dan%2Bx example.test/dan");
	LEADS("dead", "no-user");
	LEADS("carol+dead", "no-user");
	LEADS("carol+alive", "example.test/carol");
	LEADS("many", "too-many");
	LEADS("", "no-user");
	LEADS("q", "no-user");
	f->conf.catch_all = true;
	LEADS("q", "too-many");
	LEADS("dead", "no-user");
	assert_string_equal(leads(f, "q@other.test"), "no-user");
	write_file(f, "@example.test: bob+all\n");
	follow(f);
	LEADS("q+r", "example.test/bob");
	LEADS("alice", "example.test/alice");
	LEADS("", "example.test/bob");
}

/* What the file system does not say is no "no". */
static void
test_world(void **state)
{
	struct fix *f = *state;
	char path[320];

	write_file(f, "x: bob, alice\n");
	follow(f);
	LEADS("x", "example.test/bob example.test/alice");
	close(f->store.bodies.root);
	f->store.bodies.root = open("/dev/null", O_PATH | O_CLOEXEC);
	LEADS("bob", "no-user");	/* ENOTDIR */
	close(f->store.bodies.root);
	f->store.bodies.root = -1;	/* EBADF */
	LEADS("bob", "failed");
	LEADS("x", "failed");
	LEADS("bob+x", "failed");
	LEADS("postmaster", "failed");
	snprintf(path, sizeof(path), "%s", f->root.path);
	f->store.bodies.root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	LEADS("x", "example.test/bob example.test/alice");
}

#define BOX	"example.test/postmaster"

static void
test_postmaster(void **state)
{
	static char carol[] = "carol", zoe[] = "zoe@other.test", no[] = "a b";
	struct fix *f = *state;

	f->conf.postmaster = carol;
	again(f);
	LEADS("postmaster", "example.test/carol");
	assert_string_equal(leads(f, "PostMaster+x@other.test"),
	    "example.test/carol");
	f->conf.postmaster = zoe;
	again(f);
	assert_int_equal(fsync_calls, 0);
	LEADS("postmaster", BOX);
	assert_int_equal(fsync_calls, 2);
	assert_string_equal(leads(f, "postmaster@other.test"), BOX);
	assert_int_equal(fsync_calls, 2);
	/* The next process makes sure once more, and once. */
	f->conf.postmaster = no;
	again(f);
	LEADS("postmaster", BOX);
	LEADS("postmaster", BOX);
	assert_int_equal(fsync_calls, 4);
	write_file(f, "@example.test: bob\n");
	follow(f);
	f->conf.catch_all = true;
	LEADS("postmaster", BOX);
}

static void
test_postmaster_faults(void **state)
{
	struct fix *f = *state;
	struct stat st;
	char path[320];
	unsigned i;

	mkdir_errno = ENOSPC;
	LEADS("postmaster", "no-space");
	mkdir_errno = EACCES;
	LEADS("postmaster", "failed");
	mkdir_errno = 0;
	/* What is there but not yet on stable storage does not do. */
	for (i = 1; i <= 2; i++) {
		fsync_calls = 0;
		fsync_fails = i;
		LEADS("postmaster", "failed");
		assert_int_equal(fsync_calls, i);
	}
	fsync_calls = fsync_fails = 0;
	LEADS("postmaster", BOX);
	assert_int_equal(fsync_calls, 2);
	snprintf(path, sizeof(path), "%s/%s", f->root.path, BOX);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 02750);
	/* Taken away while the store runs. */
	assert_int_equal(rmdir(path), 0);
	LEADS("postmaster", BOX);
	/* The whole domain is missing. */
	domains[0] = second;
	again(f);
	assert_string_equal(leads(f, "postmaster@other.test"),
	    "other.test/postmaster");
	domains[0] = first;
}

int
main(void)
{
#define TEST(t)	cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_follow),
		TEST(test_bad_file),
		TEST(test_unreadable),
		TEST(test_too_large),
		TEST(test_no_folder),
		TEST(test_order),
		TEST(test_world),
		TEST(test_postmaster),
		TEST(test_postmaster_faults),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
