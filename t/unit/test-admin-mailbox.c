/* SPDX-License-Identifier: ISC */
/*
 * Mailboxes made in a folder of the test's own.
 */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "admin/mailbox.h"

/* As root the folders stay root's here: system users are not the matter. */
static const struct mailbox_owner nobody = { .set = false };

static int
set_up(void **state)
{
	char path[] = "/tmp/postern-u.XXXXXX";

	if (mkdtemp(path) == NULL || (*state = strdup(path)) == NULL)
		return -1;
	return chdir(path);
}

static int
tear_down(void **state)
{
	char cmd[64];
	int r;

	r = chdir("/");
	snprintf(cmd, sizeof(cmd), "rm -rf %s", (char *)*state);
	free(*state);
	return r == 0 && system(cmd) == 0 ? 0 : -1;
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	return st.st_mode & 07777;
}

static void
test_path(void **state)
{
	char path[PATH_MAX], small[8];

	(void)state;
	assert_int_equal(mailbox_path("/m", "al.ice@example.test", path,
	    sizeof(path)), 0);
	assert_string_equal(path, "/m/example.test/al.ice");
	assert_int_equal(mailbox_path("/m", "a/b'@example.test", path,
	    sizeof(path)), 0);
	assert_string_equal(path, "/m/example.test/a%2Fb%27");
	assert_int_equal(mailbox_path("/m", "..@example.test", path,
	    sizeof(path)), 0);
	assert_string_equal(path, "/m/example.test/%2E.");
	assert_int_equal(mailbox_path("/m", "alice", path, sizeof(path)), -1);
	assert_int_equal(mailbox_path("/m", "@example.test", path,
	    sizeof(path)), -1);
	assert_int_equal(mailbox_path("/m", "alice@example.test", small,
	    sizeof(small)), -1);
	assert_int_equal(errno, ENAMETOOLONG);
}

static void
test_make(void **state)
{
	(void)state;
	umask(077);
	assert_int_equal(mailbox_make("mail", "a@b.test", &nobody), 1);
	assert_int_equal(mode_of("mail"), MAILBOX_MODE);
	assert_int_equal(mode_of("mail/b.test"), MAILBOX_MODE);
	assert_int_equal(mode_of("mail/b.test/a"), MAILBOX_MODE);
	assert_int_equal(mailbox_make("mail", "a@b.test", &nobody), 0);
	assert_int_equal(mailbox_make("mail", "c@b.test", &nobody), 1);
	/* what is there keeps its mode */
	assert_int_equal(chmod("mail/b.test/c", 0700), 0);
	assert_int_equal(mailbox_make("mail", "c@b.test", &nobody), 0);
	assert_int_equal(mode_of("mail/b.test/c"), 0700);
	/* the parent of the root is not made */
	assert_int_equal(mailbox_make("no/mail", "a@b.test", &nobody), -1);
	assert_int_equal(errno, ENOENT);
}

static void
test_links(void **state)
{
	(void)state;
	assert_int_equal(mkdir("mail", 0700), 0);
	assert_int_equal(mkdir("other", 0700), 0);
	assert_int_equal(symlink("../other", "mail/b.test"), 0);
	assert_int_equal(mailbox_make("mail", "a@b.test", &nobody), -1);
	assert_int_equal(mkdir("mail/c.test", 0700), 0);
	assert_int_equal(symlink("../../other", "mail/c.test/a"), 0);
	assert_int_equal(mailbox_make("mail", "a@c.test", &nobody), -1);
	assert_int_equal(symlink("nowhere", "mail/c.test/b"), 0);
	assert_int_equal(mailbox_make("mail", "b@c.test", &nobody), -1);
	assert_int_equal(rmdir("other"), 0);
	/* the root itself may be one */
	assert_int_equal(symlink("mail", "link"), 0);
	assert_int_equal(mailbox_make("link", "d@c.test", &nobody), 1);
	assert_int_equal(mode_of("mail/c.test/d"), MAILBOX_MODE);
}

static void
test_file(void **state)
{
	FILE *fp;

	(void)state;
	assert_int_equal(mkdir("mail", 0700), 0);
	assert_non_null(fp = fopen("mail/b.test", "w"));
	fclose(fp);
	assert_int_equal(mailbox_make("mail", "a@b.test", &nobody), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(mailbox_make("mail/b.test", "a@b.test", &nobody), -1);
}

static void
test_unmake(void **state)
{
	(void)state;
	assert_int_equal(mailbox_make("mail", "a@b.test", &nobody), 1);
	mailbox_unmake("mail", "a@b.test");
	assert_int_equal(access("mail/b.test/a", F_OK), -1);
	assert_int_equal(mailbox_make("mail", "a@b.test", &nobody), 1);
	assert_int_equal(mkdir("mail/b.test/a/Maildir", 0700), 0);
	mailbox_unmake("mail", "a@b.test");
	assert_int_equal(access("mail/b.test/a/Maildir", F_OK), 0);
	/* nothing elsewhere, whatever the domain has become */
	assert_int_equal(rename("mail/b.test", "mail/away"), 0);
	assert_int_equal(mkdir("other", 0700), 0);
	assert_int_equal(mkdir("other/a", 0700), 0);
	assert_int_equal(symlink("../other", "mail/b.test"), 0);
	mailbox_unmake("mail", "a@b.test");
	assert_int_equal(access("other/a", F_OK), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path),
		cmocka_unit_test_setup_teardown(test_make, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_links, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unmake, set_up,
		    tear_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
