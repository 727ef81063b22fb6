/* SPDX-License-Identifier: ISC */
/*
 * smtpd/store_quota.c and store_quota_file.c: what is reserved, what
 * maildirsize says and when it is not believed, and what counting may cost.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/log.h"
#include "mail/quota_scan.h"
#include "smtpd/store_quota_impl.h"
#include "t/unit/store_root.h"

#define ALICE	"example.test/alice"
#define BOB	"example.test/bob"
#define CAROL	"example.test/carol"
#define SEC	1000000000LL

/* A clock that stands still unless it is told what each look at it costs. */
static int64_t now_ns, tick_ns;
/* What others do in between: before the look at the clock when this is 1. */
static int until_others;
static void (*others)(void);

static int64_t
test_clock(void)
{
	now_ns += tick_ns;
	if (until_others > 0 && --until_others == 0)
		others();
	return now_ns;
}

/* And before a line is written. */
static void (*before_write)(void);

ssize_t __real_write(int, const void *, size_t);
ssize_t __wrap_write(int, const void *, size_t);

ssize_t
__wrap_write(int fd, const void *p, size_t n)
{
	void (*fn)(void) = before_write;

	before_write = NULL;
	if (fn != NULL)
		fn();
	return __real_write(fd, p, n);
}

static struct fix {
	struct root	 root;
	struct quota	*q;
} *the;			/* for what is called back */

static void
new_quota(struct fix *f, uint64_t bytes, uint64_t messages)
{
	const struct quota_limits l = { bytes, messages };

	quota_free(&f->q);
	f->q = quota_new(f->root.fd, &l);
	assert_non_null(f->q);
	f->q->clock = test_clock;
	f->q->filled = now_ns;
}

static int
setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));

	*state = the = f;
	until_others = 0;
	before_write = NULL;
	now_ns = 1000 * SEC;
	tick_ns = 0;
	log_open("test", getenv("TEST_LOG") != NULL ? -1 :
	    open("/dev/null", O_WRONLY | O_CLOEXEC), false);
	root_make(&f->root);
	new_quota(f, 1000, 0);
	return 0;
}

static int
teardown(void **state)
{
	struct fix *f = *state;

	quota_free(&f->q);
	root_remove(&f->root);
	free(f);
	return 0;
}

/* --- what is on the disk */

static void
place(const struct fix *f, const char *box, const char *name, char *full)
{
	snprintf(full, 700, "%s/%s/%s", f->root.path, box, name);
}

static void
put(const struct fix *f, const char *box, const char *name, const char *text)
{
	char full[700];
	FILE *fp;

	place(f, box, name, full);
	assert_non_null(fp = fopen(full, "w"));
	fputs(text, fp);
	fclose(fp);
}

static void
make_folder(const struct fix *f, const char *box, const char *name)
{
	char full[700];

	place(f, box, name, full);
	assert_int_equal(mkdir(full, 0750), 0);
}

static void
make_maildir(const struct fix *f, const char *box)
{
	make_folder(f, box, "Maildir");
	make_folder(f, box, "Maildir/tmp");
	make_folder(f, box, "Maildir/new");
	make_folder(f, box, "Maildir/cur");
}

static void
take_away(const struct fix *f, const char *box, const char *name)
{
	char full[700];

	place(f, box, name, full);
	assert_int_equal(remove(full), 0);
}

/* Set the time of a file or folder, in seconds from now. */
static void
age(const struct fix *f, const char *box, const char *name, int seconds)
{
	struct timespec t[2];
	char full[700];

	clock_gettime(CLOCK_REALTIME, &t[0]);
	t[0].tv_sec += seconds;
	t[1] = t[0];
	place(f, box, name, full);
	assert_int_equal(utimensat(AT_FDCWD, full, t, 0), 0);
}

/* The folders are older than what is written now. */
static void
settle(const struct fix *f, const char *box)
{
	age(f, box, "Maildir/new", -10);
	age(f, box, "Maildir/cur", -10);
}

static void
age_to(const struct fix *f, const char *box, const char *name, time_t when)
{
	const struct timespec t[2] = { { when, 5 }, { when, 5 } };
	char full[700];

	place(f, box, name, full);
	assert_int_equal(utimensat(AT_FDCWD, full, t, 0), 0);
}

static void
move(const struct fix *f, const char *box, const char *from, const char *to)
{
	char a[700], b[700];

	place(f, box, from, a);
	place(f, box, to, b);
	assert_int_equal(rename(a, b), 0);
}

static char *
sizes(const struct fix *f, const char *box)
{
	static char text[3 * QUOTA_SIZES_MAX];
	char full[700];
	size_t n;
	FILE *fp;

	place(f, box, "Maildir/maildirsize", full);
	if ((fp = fopen(full, "r")) == NULL)
		return NULL;
	n = fread(text, 1, sizeof(text) - 1, fp);
	text[n] = '\0';
	fclose(fp);
	return text;
}

static struct quota_box *
find_box(const struct fix *f, const char *path)
{
	struct quota_box *b;
	size_t i;

	for (i = 0; i < QUOTA_BUCKETS; i++)
		LIST_FOREACH(b, &f->q->buckets[i], bucket)
			if (strcmp(b->path, path) == 0)
				return b;
	return NULL;
}

/* The same; it must be there. */
static struct quota_box *
box_of(const struct fix *f, const char *path)
{
	struct quota_box *b = find_box(f, path);

	if (b == NULL) {
		fail_msg("%s is not in the table", path);
		abort();	/* for the compiler: the line above does */
	}
	return b;
}

/* --- transactions */

static enum store_status
reserve(struct fix *f, struct quota_hold *h, uint64_t size, const char *box)
{
	if (h->n == 0)
		quota_declare(h, size);
	return quota_reserve(f->q, h, box);
}

/* A message, as the delivery thread leaves it. */
static void
put_message(const struct fix *f, const char *box, unsigned size)
{
	static unsigned n;
	char name[100];

	snprintf(name, sizeof(name), "Maildir/new/%u.x,S=%u", ++n, size);
	put(f, box, name, "");
}

/* As somebody removes all in new/. */
static void
take_messages(const struct fix *f, const char *box)
{
	char full[1000];
	struct dirent *e;
	size_t n;
	DIR *d;

	place(f, box, "Maildir/new/", full);
	n = strlen(full);
	assert_non_null(d = opendir(full));
	while ((e = readdir(d)) != NULL) {
		snprintf(full + n, sizeof(full) - n, "%s", e->d_name);
		if (e->d_name[0] != '.')
			assert_int_equal(unlink(full), 0);
	}
	closedir(d);
}

/* One message, from MAIL to the end; its file is not made. */
static enum store_status
deliver(struct fix *f, uint64_t declared, uint64_t size, const char *box)
{
	struct quota_hold h = { .size = 0 };
	enum store_status r = reserve(f, &h, declared, box);

	if (r == STORE_OK)
		r = quota_commit(f->q, &h, size);
	if (r == STORE_OK)
		quota_done(f->q, &h, true);
	quota_release(f->q, &h);
	return r;
}

/* The same with its file. */
static enum store_status
deliver_file(struct fix *f, uint64_t size, const char *box)
{
	enum store_status r;
	struct quota_hold h = { .size = 0 };

	r = reserve(f, &h, size, box);
	if (r == STORE_OK && (r = quota_commit(f->q, &h, size)) == STORE_OK) {
		put_message(f, box, (unsigned)size);
		quota_done(f->q, &h, true);
	}
	quota_release(f->q, &h);
	return r;
}

/* --- reservations */

static void
test_reserve(void **state)
{
	struct fix *f = *state;
	struct quota_hold a = { .size = 0 }, b = { .size = 0 },
	    c = { .size = 0 };

	assert_int_equal(reserve(f, &a, 600, ALICE), STORE_OK);
	assert_int_equal(reserve(f, &b, 401, ALICE), STORE_OVER_QUOTA);
	assert_int_equal(reserve(f, &b, 400, ALICE), STORE_OK);
	/* another's mailbox is another matter */
	assert_int_equal(reserve(f, &c, 1000, BOB), STORE_OK);
	quota_release(f->q, &c);
	/* full: not even an octet of no declared size */
	assert_int_equal(reserve(f, &c, 0, ALICE), STORE_OVER_QUOTA);
	quota_release(f->q, &a);
	assert_int_equal(reserve(f, &c, 600, ALICE), STORE_OK);
	quota_release(f->q, &c);
	quota_release(f->q, &b);
	assert_int_equal(box_of(f, ALICE)->reserved.bytes, 0);
	assert_int_equal(box_of(f, ALICE)->reserved.messages, 0);
	assert_int_equal(deliver(f, 1001, 1, ALICE), STORE_OVER_QUOTA);
	assert_int_equal(deliver(f, 1000, 1000, ALICE), STORE_OK);
}

static void
test_reserve_messages(void **state)
{
	struct fix *f = *state;
	struct quota_hold h[4] = { { .size = 0 } };
	size_t i;

	new_quota(f, 0, 3);
	make_maildir(f, ALICE);
	for (i = 0; i < 4; i++)
		assert_int_equal(reserve(f, &h[i], 5000, ALICE),
		    i < 3 ? STORE_OK : STORE_OVER_QUOTA);
	assert_int_equal(quota_commit(f->q, &h[0], 7000), STORE_OK);
	put_message(f, ALICE, 7000);
	quota_done(f->q, &h[0], true);
	quota_release(f->q, &h[0]);
	assert_int_equal(reserve(f, &h[3], 1, ALICE), STORE_OVER_QUOTA);
	quota_release(f->q, &h[1]);
	assert_int_equal(reserve(f, &h[3], 1, ALICE), STORE_OK);
	for (i = 2; i < 4; i++)
		quota_release(f->q, &h[i]);
}

/* Of many recipients one is over: what the others have stays, or not. */
static void
test_several(void **state)
{
	struct fix *f = *state;
	struct quota_hold h = { .size = 0 };

	make_maildir(f, BOB);
	put_message(f, BOB, 900);
	assert_int_equal(reserve(f, &h, 200, ALICE), STORE_OK);
	assert_int_equal(reserve(f, &h, 200, BOB), STORE_OVER_QUOTA);
	assert_int_equal(reserve(f, &h, 200, CAROL), STORE_OK);
	assert_int_equal(h.n, 2);
	quota_trim(f->q, &h, 1);
	assert_int_equal(box_of(f, ALICE)->reserved.bytes, 200);
	assert_int_equal(box_of(f, CAROL)->reserved.bytes, 0);
	quota_release(f->q, &h);
	/* at commit: nothing counts anywhere */
	assert_int_equal(reserve(f, &h, 0, ALICE), STORE_OK);
	assert_int_equal(reserve(f, &h, 0, BOB), STORE_OK);
	assert_int_equal(quota_commit(f->q, &h, 101), STORE_OVER_QUOTA);
	assert_int_equal(box_of(f, ALICE)->committing.bytes, 0);
	assert_int_equal(box_of(f, ALICE)->reserved.bytes, 1);
	assert_int_equal(quota_commit(f->q, &h, 100), STORE_OK);
	assert_int_equal(box_of(f, BOB)->committing.bytes, 100);
	assert_int_equal(box_of(f, BOB)->reserved.bytes, 0);
	put_message(f, BOB, 100);
	quota_done(f->q, &h, true);
	quota_release(f->q, &h);
	assert_int_equal(box_of(f, BOB)->used.bytes, 1000);
	assert_int_equal(box_of(f, BOB)->used.messages, 2);
	assert_int_equal(box_of(f, BOB)->committing.messages, 0);
	assert_string_equal(sizes(f, BOB), "1000S\n900 1\n100 1\n");
	assert_int_equal(deliver(f, 0, 1, BOB), STORE_OVER_QUOTA);
}

/*
 * In parallel: of what does not fit together the later loses, with a size
 * declared at the reservation, without one at the commit.
 */
static void
test_parallel(void **state)
{
	struct fix *f = *state;
	struct quota_hold h[10] = { { .size = 0 } };
	unsigned stored = 0;
	size_t i;

	make_maildir(f, ALICE);
	for (i = 0; i < 10; i++)
		assert_int_equal(reserve(f, &h[i], 0, ALICE), STORE_OK);
	for (i = 0; i < 10; i++)
		if (quota_commit(f->q, &h[i], 300) == STORE_OK)
			stored++;
		else
			quota_release(f->q, &h[i]);
	/* all others had reserved an octet */
	assert_int_equal(stored, 3);
	assert_int_equal(box_of(f, ALICE)->committing.bytes, 900);
	/* what is being committed counts, whatever becomes of it */
	assert_int_equal(deliver(f, 0, 101, ALICE), STORE_OVER_QUOTA);
	put_message(f, ALICE, 300);
	for (i = 0; i < 10; i++) {
		quota_done(f->q, &h[i], i == 1);
		quota_release(f->q, &h[i]);
	}
	assert_int_equal(box_of(f, ALICE)->used.bytes, 300);
	assert_int_equal(box_of(f, ALICE)->used.messages, 1);
	assert_int_equal(deliver_file(f, 700, ALICE), STORE_OK);
	assert_int_equal(deliver(f, 0, 1, ALICE), STORE_OVER_QUOTA);
}

/* What one has reserved no other can take at its commit. */
static void
test_priority(void **state)
{
	struct fix *f = *state;
	struct quota_hold a = { .size = 0 }, b = { .size = 0 };

	assert_int_equal(reserve(f, &a, 600, ALICE), STORE_OK);
	assert_int_equal(reserve(f, &b, 0, ALICE), STORE_OK);
	assert_int_equal(quota_commit(f->q, &b, 401), STORE_OVER_QUOTA);
	/* a small lie in SIZE is none where there is room */
	assert_int_equal(quota_commit(f->q, &a, 999), STORE_OK);
	quota_release(f->q, &b);
	quota_done(f->q, &a, true);
	quota_release(f->q, &a);
	assert_int_equal(box_of(f, ALICE)->used.bytes, 999);
}

/* --- limits */

static void
test_limits(void **state)
{
	static const struct {
		const char	*text;		/* of the file "quota" */
		uint64_t	 most;		/* octets that fit; 0: any */
	} rows[] = {
		{ NULL, 1000 },
		{ "500S", 500 },
		{ "2000S,10C\n", 2000 },
		{ "10C", 0 },
		{ "0S", 0 },
		/* bad: the default counts */
		{ "", 1000 },
		{ "500", 1000 },
		{ "500S\n500S\n", 1000 },
		{ "500S,500S", 1000 },
	};
	struct fix *f = *state;
	struct quota_hold h = { .size = 0 };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("# row %zu\n", i);
		if (rows[i].text != NULL)
			put(f, ALICE, "quota", rows[i].text);
		if (rows[i].most == 0) {
			assert_int_equal(reserve(f, &h, 1 << 30, ALICE),
			    STORE_OK);
			quota_release(f->q, &h);
			continue;
		}
		assert_int_equal(reserve(f, &h, rows[i].most + 1, ALICE),
		    STORE_OVER_QUOTA);
		assert_int_equal(reserve(f, &h, rows[i].most, ALICE),
		    STORE_OK);
		quota_release(f->q, &h);
	}
	take_away(f, ALICE, "quota");
	assert_int_equal(reserve(f, &h, 1001, ALICE), STORE_OVER_QUOTA);
	/* a folder, or a link to a file that would do */
	make_folder(f, ALICE, "quota");
	assert_int_equal(reserve(f, &h, 1001, ALICE), STORE_OVER_QUOTA);
	take_away(f, ALICE, "quota");
	put(f, BOB, "quota", "2000S");
	{
		char to[700], at[700];

		place(f, BOB, "quota", to);
		place(f, ALICE, "quota", at);
		assert_int_equal(symlink(to, at), 0);
	}
	assert_int_equal(reserve(f, &h, 1001, ALICE), STORE_OVER_QUOTA);
	assert_int_equal(reserve(f, &h, 2000, BOB), STORE_OK);
	quota_release(f->q, &h);
}

/* Without a limit there is no file, no box, no cost. */
static void
test_none(void **state)
{
	struct fix *f = *state;
	struct quota_hold h = { .size = 0 };

	new_quota(f, 0, 0);
	make_maildir(f, ALICE);
	assert_int_equal(reserve(f, &h, 1 << 30, ALICE), STORE_OK);
	assert_int_equal(h.n, 0);
	assert_int_equal(quota_commit(f->q, &h, 1 << 30), STORE_OK);
	quota_done(f->q, &h, true);
	quota_release(f->q, &h);
	assert_int_equal(f->q->boxes, 0);
	assert_null(sizes(f, ALICE));
	/* and one of its own alone */
	put(f, ALICE, "quota", "100S");
	assert_int_equal(deliver(f, 101, 101, ALICE), STORE_OVER_QUOTA);
	assert_int_equal(deliver(f, 0, 100, ALICE), STORE_OK);
	assert_string_equal(sizes(f, ALICE), "100S\n0 0\n100 1\n");
}

/* No limit for a while: what came then is counted, and nothing is written. */
static void
test_limits_away(void **state)
{
	struct fix *f = *state;
	struct quota_hold h = { .size = 0 }, i = { .size = 0 };

	make_maildir(f, ALICE);
	assert_int_equal(deliver_file(f, 100, ALICE), STORE_OK);
	assert_int_equal(reserve(f, &h, 1, ALICE), STORE_OK);
	assert_int_equal(reserve(f, &i, 1, ALICE), STORE_OK);
	put(f, ALICE, "quota", "0S");
	assert_int_equal(deliver_file(f, 600, ALICE), STORE_OK);
	assert_int_equal(quota_commit(f->q, &h, 1), STORE_OK);
	quota_done(f->q, &h, true);
	quota_release(f->q, &h);
	assert_string_equal(sizes(f, ALICE), "1000S\n0 0\n100 1\n");
	move(f, ALICE, "Maildir/maildirsize", "Maildir/aside");
	assert_int_equal(quota_commit(f->q, &i, 1), STORE_OK);
	assert_null(sizes(f, ALICE));
	quota_release(f->q, &i);
	move(f, ALICE, "Maildir/aside", "Maildir/maildirsize");
	take_away(f, ALICE, "quota");
	age(f, ALICE, "Maildir/new", 1);
	assert_int_equal(deliver(f, 301, 301, ALICE), STORE_OVER_QUOTA);
	assert_string_equal(sizes(f, ALICE), "1000S\n700 2\n");
}

/* A limit that comes, goes and comes while transactions are open. */
static void
test_limits_change(void **state)
{
	struct fix *f = *state;
	struct quota_hold a = { .size = 0 }, b = { .size = 0 };

	make_maildir(f, ALICE);
	assert_int_equal(reserve(f, &a, 500, ALICE), STORE_OK);
	assert_string_equal(sizes(f, ALICE), "1000S\n0 0\n");
	put(f, ALICE, "quota", "400S");
	assert_int_equal(reserve(f, &b, 1, ALICE), STORE_OVER_QUOTA);
	assert_string_equal(sizes(f, ALICE), "400S\n0 0\n");
	/* what is in force at the commit counts */
	assert_int_equal(quota_commit(f->q, &a, 401), STORE_OVER_QUOTA);
	put(f, ALICE, "quota", "0S\n");
	assert_int_equal(reserve(f, &b, 9999, ALICE), STORE_OK);
	assert_int_equal(b.n, 0);
	assert_int_equal(quota_commit(f->q, &a, 5000), STORE_OK);
	put(f, ALICE, "Maildir/new/1,S=5000", "");
	/* what is on its way is charged by the limits at its end */
	put(f, ALICE, "quota", "9000S");
	take_away(f, ALICE, "Maildir/maildirsize");
	assert_int_equal(reserve(f, &b, 1, ALICE), STORE_OK);
	assert_null(sizes(f, ALICE));
	put(f, ALICE, "quota", "0S");
	assert_int_equal(deliver(f, 0, 1, ALICE), STORE_OK);
	quota_done(f->q, &a, true);
	quota_release(f->q, &a);
	quota_release(f->q, &b);
	assert_null(sizes(f, ALICE));
	put(f, ALICE, "quota", "9000S");
	assert_int_equal(deliver(f, 0, 4001, ALICE), STORE_OVER_QUOTA);
	assert_int_equal(deliver(f, 0, 4000, ALICE), STORE_OK);
}

/* --- maildirsize */

/*
 * What is in the mailbox is one message of 300 octets in new/, one of 40 in
 * cur/. How often it is counted shows in the time it took.
 */
static void
test_believed(void **state)
{
	static const struct {
		const char	*text;		/* maildirsize */
		int		 age;		/* its, in seconds */
		int		 folders;	/* theirs */
		uint64_t	 used;		/* octets, in the end */
	} rows[] = {
		/* right or wrong: believed while there is room */
		{ "1000S\n340 2\n", 0, -10, 340 },
		{ "1000S\n100 1\n", 0, -10, 100 },
		{ "1000S\n100 1\n50 1\n-20 -1\n", -5000, -6000, 130 },
		/* older than what is in the folders */
		{ "1000S\n100 1\n", -20, -10, 340 },
		/* missing, malformed */
		{ NULL, 0, -10, 340 },
		{ "", 0, -10, 340 },
		{ "1000S\n", 0, -10, 340 },
		{ "1000S\n100 1", 0, -10, 340 },
		{ "nonsense\n100 1\n", 0, -10, 340 },
		{ "1000S\n-100 1\n", 0, -10, 340 },
		/* of other limits */
		{ "999S\n100 1\n", 0, -10, 340 },
		{ "1000S,5C\n100 1\n", 0, -10, 340 },
		/* over: old, of several lines, or older than the folders */
		{ "1000S\n900 1\n90 1\n", 0, -10, 340 },
		{ "1000S\n990 1\n", -901, -1000, 340 },
		{ "1000S\n990 1\n", -100, -90, 340 },
		/* over: the sum of a count, younger than that */
		{ "1000S\n990 1\n", -800, -1000, 990 },
	};
	struct fix *f = *state;
	char want[100];
	size_t i;

	make_maildir(f, ALICE);
	put(f, ALICE, "Maildir/new/1,S=300", "other octets");
	put(f, ALICE, "Maildir/cur/2:2,S",
	    "1234567890123456789012345678901234567890");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("# row %zu\n", i);
		new_quota(f, 1000, 0);
		if (rows[i].text != NULL) {
			put(f, ALICE, "Maildir/maildirsize", rows[i].text);
			age(f, ALICE, "Maildir/maildirsize", rows[i].age);
		} else
			take_away(f, ALICE, "Maildir/maildirsize");
		age(f, ALICE, "Maildir/new", rows[i].folders);
		age(f, ALICE, "Maildir/cur", rows[i].folders - 1);
		assert_int_equal(deliver(f, 0, 20, ALICE),
		    rows[i].used <= 980 ? STORE_OK : STORE_OVER_QUOTA);
		assert_int_equal(box_of(f, ALICE)->used.bytes, rows[i].used +
		    (rows[i].used <= 980 ? 20 : 0));
		if (rows[i].used != 340 || i == 0)
			continue;
		snprintf(want, sizeof(want), "1000S\n340 2\n20 1\n");
		assert_string_equal(sizes(f, ALICE), want);
	}
}

/* A maildirsize and the folders agree as far as times can tell: believed. */
static void
test_once(void **state)
{
	struct fix *f = *state;

	make_maildir(f, ALICE);
	put_message(f, ALICE, 100);
	assert_int_equal(deliver_file(f, 10, ALICE), STORE_OK);
	put_message(f, ALICE, 100);
	assert_int_equal(deliver_file(f, 10, ALICE), STORE_OK);
	assert_string_equal(sizes(f, ALICE), "1000S\n100 1\n10 1\n10 1\n");
}

/* What others write is seen; what nobody writes is not read again. */
static void
test_others(void **state)
{
	struct fix *f = *state;

	make_maildir(f, ALICE);
	assert_int_equal(deliver(f, 0, 900, ALICE), STORE_OK);
	assert_string_equal(sizes(f, ALICE), "1000S\n0 0\n900 1\n");
	settle(f, ALICE);
	put(f, ALICE, "Maildir/maildirsize", "1000S\n900 1\n-500 -1\n");
	assert_int_equal(deliver(f, 0, 500, ALICE), STORE_OK);
	assert_string_equal(sizes(f, ALICE),
	    "1000S\n900 1\n-500 -1\n500 1\n");
	assert_int_equal(box_of(f, ALICE)->used.bytes, 900);
	/* between the look at RCPT and the commit */
	{
		struct quota_hold h = { .size = 0 };

		assert_int_equal(reserve(f, &h, 100, ALICE), STORE_OK);
		put(f, ALICE, "Maildir/maildirsize", "1000S\n901 3\n");
		settle(f, ALICE);
		assert_int_equal(quota_commit(f->q, &h, 100),
		    STORE_OVER_QUOTA);
		assert_int_equal(quota_commit(f->q, &h, 99), STORE_OK);
		/* while it is on its way: both are counted */
		put(f, ALICE, "Maildir/maildirsize", "1000S\n801 2\n");
		quota_done(f->q, &h, true);
		quota_release(f->q, &h);
		assert_string_equal(sizes(f, ALICE), "1000S\n801 2\n99 1\n");
		assert_int_equal(deliver(f, 100, 100, ALICE), STORE_OK);
		assert_int_equal(box_of(f, ALICE)->used.bytes, 1000);
		assert_int_equal(box_of(f, ALICE)->used.messages, 4);
	}
}

/* With the same time, but the length or the file is another. */
static void
test_stamp(void **state)
{
	struct fix *f = *state;

	make_maildir(f, ALICE);
	settle(f, ALICE);
	put(f, ALICE, "Maildir/maildirsize", "1000S\n100 1\n");
	age_to(f, ALICE, "Maildir/maildirsize", 2000000000);
	assert_int_equal(deliver(f, 901, 901, ALICE), STORE_OVER_QUOTA);
	put(f, ALICE, "Maildir/maildirsize", "1000S\n50 1\n");
	age_to(f, ALICE, "Maildir/maildirsize", 2000000000);
	assert_int_equal(deliver(f, 951, 951, ALICE), STORE_OVER_QUOTA);
	assert_int_equal(box_of(f, ALICE)->used.bytes, 50);
	put(f, ALICE, "Maildir/other", "1000S\n60 1\n");
	age_to(f, ALICE, "Maildir/other", 2000000000);
	move(f, ALICE, "Maildir/other", "Maildir/maildirsize");
	assert_int_equal(deliver(f, 941, 941, ALICE), STORE_OVER_QUOTA);
	assert_int_equal(box_of(f, ALICE)->used.bytes, 60);
}

static void
append_other(void)
{
	char full[700];
	FILE *fp;

	place(the, ALICE, "Maildir/maildirsize", full);
	assert_non_null(fp = fopen(full, "a"));
	fputs("200 1\n", fp);
	fclose(fp);
}

/* Another line comes between the look at the file and ours. */
static void
test_between(void **state)
{
	struct fix *f = *state;
	struct quota_hold h = { .size = 0 };

	make_maildir(f, ALICE);
	assert_int_equal(reserve(f, &h, 0, ALICE), STORE_OK);
	assert_int_equal(quota_commit(f->q, &h, 100), STORE_OK);
	before_write = append_other;
	quota_done(f->q, &h, true);
	quota_release(f->q, &h);
	assert_string_equal(sizes(f, ALICE), "1000S\n0 0\n200 1\n100 1\n");
	settle(f, ALICE);
	assert_int_equal(deliver(f, 100, 100, ALICE), STORE_OK);
	assert_int_equal(box_of(f, ALICE)->used.bytes, 400);
}

static void
deliver_other(void)
{
	age(the, ALICE, "Maildir/new", 5);
}

/* Something comes while it is being counted: the count is not kept. */
static void
test_while_counting(void **state)
{
	struct fix *f = *state;
	struct quota_hold h = { .size = 0 };

	make_maildir(f, ALICE);
	put_message(f, ALICE, 300);
	settle(f, ALICE);
	others = deliver_other;
	until_others = 4;	/* may it, its start, its end, it has been */
	assert_int_equal(reserve(f, &h, 100, ALICE), STORE_OK);
	assert_int_equal(until_others, 0);
	assert_null(sizes(f, ALICE));
	assert_int_equal(box_of(f, ALICE)->used.bytes, 300);
	quota_release(f->q, &h);
	put_message(f, ALICE, 400);
	assert_int_equal(deliver(f, 301, 301, ALICE), STORE_OVER_QUOTA);
	assert_string_equal(sizes(f, ALICE), "1000S\n700 2\n");
}

/* Removed by hand: counted anew, and made anew. */
static void
test_removed(void **state)
{
	struct fix *f = *state;
	struct quota_hold h = { .size = 0 };

	make_maildir(f, ALICE);
	assert_int_equal(deliver_file(f, 100, ALICE), STORE_OK);
	take_away(f, ALICE, "Maildir/maildirsize");
	assert_int_equal(deliver_file(f, 200, ALICE), STORE_OK);
	assert_string_equal(sizes(f, ALICE), "1000S\n100 1\n200 1\n");
	/* while a message is on its way it is left alone */
	assert_int_equal(reserve(f, &h, 50, ALICE), STORE_OK);
	assert_int_equal(quota_commit(f->q, &h, 50), STORE_OK);
	take_away(f, ALICE, "Maildir/maildirsize");
	put(f, ALICE, "Maildir/new/late,S=50", "");
	assert_int_equal(deliver(f, 651, 651, ALICE), STORE_OVER_QUOTA);
	assert_null(sizes(f, ALICE));
	quota_done(f->q, &h, true);
	quota_release(f->q, &h);
	assert_null(sizes(f, ALICE));
	assert_int_equal(deliver(f, 651, 651, ALICE), STORE_OVER_QUOTA);
	assert_string_equal(sizes(f, ALICE), "1000S\n350 3\n");
}

/* Room made by hand is seen at once, in folders too. */
static void
test_deletion(void **state)
{
	struct fix *f = *state;

	make_maildir(f, ALICE);
	make_folder(f, ALICE, "Maildir/.Sent");
	make_folder(f, ALICE, "Maildir/.Sent/cur");
	put(f, ALICE, "Maildir/.Sent/cur/1:2,S", "1234567890");
	put(f, ALICE, "Maildir/new/2,S=990", "");
	assert_int_equal(deliver(f, 0, 1, ALICE), STORE_OVER_QUOTA);
	age(f, ALICE, "Maildir/new", -10);
	age(f, ALICE, "Maildir/.Sent/cur", -10);
	assert_int_equal(deliver(f, 0, 1, ALICE), STORE_OVER_QUOTA);
	take_away(f, ALICE, "Maildir/.Sent/cur/1:2,S");
	assert_int_equal(deliver_file(f, 10, ALICE), STORE_OK);
	assert_int_equal(deliver(f, 0, 1, ALICE), STORE_OVER_QUOTA);
	take_away(f, ALICE, "Maildir/new/2,S=990");
	assert_int_equal(deliver(f, 0, 991, ALICE), STORE_OVER_QUOTA);
	assert_int_equal(deliver(f, 0, 990, ALICE), STORE_OK);
}

/* A long file is made short, from what is known. */
static void
test_long(void **state)
{
	struct fix *f = *state;
	char want[100];
	unsigned i, n = 0;

	new_quota(f, 0, 100000);
	make_maildir(f, ALICE);
	for (i = 0; i < 2000; i++) {
		assert_int_equal(deliver(f, 0, 12345, ALICE), STORE_OK);
		assert_true(strlen(sizes(f, ALICE)) < QUOTA_SIZES_MAX);
		n += strlen(sizes(f, ALICE)) < 40;
	}
	assert_in_range(n, 3, 20);
	assert_int_equal(box_of(f, ALICE)->used.messages, 2000);
	assert_false(box_of(f, ALICE)->recount);
	/* after a while it is a good time to count */
	now_ns += 16 * 60 * SEC;
	for (i = 0; i < 700; i++)
		deliver(f, 0, 12345, ALICE);
	assert_true(box_of(f, ALICE)->used.messages < 700);
	/* one that is long when it is found is counted at once */
	{
		static char text[QUOTA_SIZES_MAX + 100];

		snprintf(text, sizeof(text), "100000C\n%5200s1 1\n", "");
		put(f, ALICE, "Maildir/maildirsize", text);
	}
	assert_int_equal(deliver(f, 0, 5, ALICE), STORE_OK);
	snprintf(want, sizeof(want), "100000C\n0 0\n5 1\n");
	assert_string_equal(sizes(f, ALICE), want);
}

/* The first delivery makes the Maildir; the file comes with it. */
static void
test_first(void **state)
{
	struct fix *f = *state;
	struct quota_hold h = { .size = 0 };

	assert_int_equal(reserve(f, &h, 0, ALICE), STORE_OK);
	assert_int_equal(quota_commit(f->q, &h, 10), STORE_OK);
	make_maildir(f, ALICE);
	put(f, ALICE, "Maildir/new/1,S=10", "");
	quota_done(f->q, &h, true);
	quota_release(f->q, &h);
	assert_string_equal(sizes(f, ALICE), "1000S\n10 1\n");
	assert_int_equal(deliver_file(f, 20, ALICE), STORE_OK);
	assert_string_equal(sizes(f, ALICE), "1000S\n10 1\n20 1\n");
}

/* It cannot be written: mail goes on, and is counted. */
static void
test_unwritable(void **state)
{
	struct fix *f = *state;

	make_maildir(f, ALICE);
	make_folder(f, ALICE, "Maildir/maildirsize");
	make_folder(f, ALICE, "Maildir/maildirsize/x");
	assert_int_equal(deliver_file(f, 600, ALICE), STORE_OK);
	assert_int_equal(deliver_file(f, 300, ALICE), STORE_OK);
	assert_int_equal(deliver_file(f, 200, ALICE), STORE_OVER_QUOTA);
	assert_int_equal(deliver_file(f, 100, ALICE), STORE_OK);
	assert_int_equal(box_of(f, ALICE)->used.bytes, 1000);
	assert_int_equal(root_count(&f->root, ALICE, "tmp"), 0);
	/* other limits are none the less known at once */
	put(f, ALICE, "quota", "1001S");
	assert_int_equal(deliver_file(f, 2, ALICE), STORE_OVER_QUOTA);
	put(f, ALICE, "quota", "1000S");
	/* another that knows nothing */
	new_quota(f, 1000, 0);
	assert_int_equal(deliver_file(f, 1, ALICE), STORE_OVER_QUOTA);
	/* it can again */
	take_away(f, ALICE, "Maildir/maildirsize/x");
	take_away(f, ALICE, "Maildir/maildirsize");
	now_ns += 11 * SEC;
	assert_int_equal(deliver_file(f, 1, ALICE), STORE_OVER_QUOTA);
	assert_string_equal(sizes(f, ALICE), "1000S\n1000 3\n");
}

/* There is no way to write it for a while; nothing else changes. */
static void
test_retry(void **state)
{
	struct fix *f = *state;

	make_maildir(f, ALICE);
	take_away(f, ALICE, "Maildir/tmp");
	assert_int_equal(deliver_file(f, 600, ALICE), STORE_OK);
	assert_null(sizes(f, ALICE));
	assert_int_equal(deliver_file(f, 401, ALICE), STORE_OVER_QUOTA);
	make_folder(f, ALICE, "Maildir/tmp");
	now_ns += 9 * SEC;
	assert_int_equal(deliver_file(f, 100, ALICE), STORE_OK);
	assert_null(sizes(f, ALICE));
	now_ns += 2 * SEC;
	assert_int_equal(deliver_file(f, 100, ALICE), STORE_OK);
	assert_string_equal(sizes(f, ALICE), "1000S\n700 2\n100 1\n");
	/* and that is that: not counted every time from now on */
	put_message(f, ALICE, 50);
	assert_int_equal(deliver_file(f, 10, ALICE), STORE_OK);
	assert_string_equal(sizes(f, ALICE),
	    "1000S\n700 2\n100 1\n10 1\n");
}

/* A line was not written, and nobody can tell from the file. */
static void
test_line_lost(void **state)
{
	struct fix *f = *state;
	struct quota_hold h = { .size = 0 };

	make_maildir(f, ALICE);
	assert_int_equal(deliver_file(f, 100, ALICE), STORE_OK);
	assert_int_equal(reserve(f, &h, 0, ALICE), STORE_OK);
	assert_int_equal(quota_commit(f->q, &h, 200), STORE_OK);
	move(f, ALICE, "Maildir/maildirsize", "Maildir/aside");
	make_folder(f, ALICE, "Maildir/maildirsize");
	put_message(f, ALICE, 200);
	quota_done(f->q, &h, true);
	quota_release(f->q, &h);
	take_away(f, ALICE, "Maildir/maildirsize");
	move(f, ALICE, "Maildir/aside", "Maildir/maildirsize");
	assert_int_equal(deliver_file(f, 10, ALICE), STORE_OK);
	assert_string_equal(sizes(f, ALICE), "1000S\n300 2\n10 1\n");
}

/* What a process that was killed has left in tmp/ is no hindrance. */
static void
test_left_over(void **state)
{
	struct fix *f = *state;
	char name[60];

	make_maildir(f, ALICE);
	snprintf(name, sizeof(name), "Maildir/tmp/maildirsize.%ld",
	    (long)getpid());
	put(f, ALICE, name, "half a fi");
	assert_int_equal(deliver(f, 0, 10, ALICE), STORE_OK);
	assert_string_equal(sizes(f, ALICE), "1000S\n0 0\n10 1\n");
	assert_int_equal(root_count(&f->root, ALICE, "tmp"), 0);
}

static void
test_mode(void **state)
{
	struct fix *f = *state;
	struct stat st;
	char full[700];

	make_maildir(f, ALICE);
	umask(0);
	assert_int_equal(deliver(f, 0, 10, ALICE), STORE_OK);
	place(f, ALICE, "Maildir/maildirsize", full);
	assert_int_equal(lstat(full, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0640);
}

/* --- counting */

static void
test_scan(void **state)
{
	struct fix *f = *state;
	struct timespec newest;
	struct quota_use use;
	static const char *const folders[] = {
		"Maildir/.A", "Maildir/.A/cur", "Maildir/.A/new",
		"Maildir/.A/tmp", "Maildir/.A.B", "Maildir/.A.B/cur",
		"Maildir/.Trash", "Maildir/.Trash/cur", "Maildir/plain",
		"Maildir/plain/cur", "Maildir/.Empty"
	};
	static const struct {
		const char	*name, *text;
	} files[] = {
		{ "Maildir/new/1.a", "four" },		/* 4 */
		{ "Maildir/new/2.a,S=10", "four" },	/* 10 */
		{ "Maildir/cur/3.a,S=100,W=105:2,ST", "" },	/* 100 */
		{ "Maildir/cur/4.a,S=x:2,", "six..." },	/* 6 */
		{ "Maildir/cur/5.a:2,S=7", "eight..." },	/* 8 */
		{ "Maildir/cur/.hidden", "no" },
		{ "Maildir/tmp/6.a,S=5000", "no" },
		{ "Maildir/7.a,S=5000", "no" },
		{ "Maildir/.A/cur/8.a,S=1000", "" },	/* 1000 */
		{ "Maildir/.A/new/9.a,S=2000", "" },	/* 2000 */
		{ "Maildir/.A/tmp/10.a,S=5000", "no" },
		{ "Maildir/.A.B/cur/11.a,S=30000", "" },	/* 30000 */
		{ "Maildir/.Trash/cur/12.a,S=50000", "no" },
		{ "Maildir/plain/cur/13.a,S=50000", "no" },
		{ "Maildir/.file", "no" },
	};
	size_t i;

	/* no Maildir, no mailbox */
	assert_int_equal(quota_scan(f->root.fd, ALICE, &use, &newest), 0);
	assert_int_equal(use.bytes + use.messages, 0);
	assert_int_equal(newest.tv_sec, 0);
	assert_int_equal(quota_scan(f->root.fd, "example.test/nobody", &use,
	    NULL), 0);
	make_maildir(f, ALICE);
	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		make_folder(f, ALICE, folders[i]);
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		put(f, ALICE, files[i].name, files[i].text);
	{
		char at[700];

		place(f, ALICE, "Maildir/.Link", at);
		assert_int_equal(symlink(".A", at), 0);
		place(f, ALICE, "Maildir/new/gone", at);
		assert_int_equal(symlink("nowhere", at), 0);
	}
	age(f, ALICE, "Maildir/new", -100);
	age(f, ALICE, "Maildir/cur", -100);
	age(f, ALICE, "Maildir/.A/cur", -100);
	age(f, ALICE, "Maildir/.A/new", -100);
	age(f, ALICE, "Maildir/.A.B/cur", 5000);
	age(f, ALICE, "Maildir/.Trash/cur", 9000);
	assert_int_equal(quota_scan(f->root.fd, ALICE, &use, &newest), 0);
	assert_int_equal(use.bytes, 33128);
	assert_int_equal(use.messages, 8);
	assert_in_range(newest.tv_sec, time(NULL) + 4900, time(NULL) + 5000);
	newest.tv_sec = 0;
	assert_int_equal(quota_scan(f->root.fd, ALICE, NULL, &newest), 0);
	assert_in_range(newest.tv_sec, time(NULL) + 4900, time(NULL) + 5000);
}

/* A count that is dear is not made again at once. */
static void
test_price(void **state)
{
	struct fix *f = *state;
	struct quota_box *b;

	make_maildir(f, ALICE);
	make_maildir(f, BOB);
	put(f, ALICE, "Maildir/new/1,S=1000", "");
	put(f, BOB, "Maildir/new/1,S=10", "");
	tick_ns = SEC / 10;	/* each look at the clock */
	assert_int_equal(deliver(f, 0, 1, ALICE), STORE_OVER_QUOTA);
	b = box_of(f, ALICE);
	assert_true(b->next - now_ns > SEC);
	take_away(f, ALICE, "Maildir/new/1,S=1000");
	assert_int_equal(deliver(f, 0, 1, ALICE), STORE_OVER_QUOTA);
	now_ns += 3 * SEC;
	assert_int_equal(deliver_file(f, 900, ALICE), STORE_OK);
	assert_string_equal(sizes(f, ALICE), "1000S\n0 0\n900 1\n");
	/* what would never fit is not worth it */
	now_ns += 10 * SEC;
	assert_int_equal(deliver(f, 1001, 1001, ALICE), STORE_OVER_QUOTA);
	assert_string_equal(sizes(f, ALICE), "1000S\n0 0\n900 1\n");
	assert_int_equal(deliver(f, 101, 101, ALICE), STORE_OVER_QUOTA);
	assert_string_equal(sizes(f, ALICE), "1000S\n900 1\n");
	/* a look at the folders has its price as well */
	settle(f, ALICE);
	now_ns += 10 * SEC;
	assert_int_equal(deliver(f, 101, 101, ALICE), STORE_OVER_QUOTA);
	assert_true(b->next - now_ns > SEC);
	/* a cheap one may be made again at once */
	tick_ns = QUOTA_CHEAP;
	now_ns += 1000 * SEC;
	assert_int_equal(deliver_file(f, 100, ALICE), STORE_OK);
	assert_int_equal(deliver(f, 101, 101, ALICE), STORE_OVER_QUOTA);
	take_messages(f, ALICE);
	assert_int_equal(deliver(f, 101, 101, ALICE), STORE_OK);
	/* nobody's is counted when all the time is gone: try again later */
	tick_ns = 0;
	f->q->budget = -2 * SEC;
	f->q->filled = now_ns;
	assert_int_equal(deliver(f, 0, 1, BOB), STORE_FAILED);
	assert_null(sizes(f, BOB));
	/* what is written down is believed then */
	put(f, BOB, "Maildir/maildirsize", "500S\n10 1\n");
	assert_int_equal(deliver(f, 991, 991, BOB), STORE_OVER_QUOTA);
	assert_int_equal(deliver(f, 0, 1, BOB), STORE_OK);
	assert_string_equal(sizes(f, BOB), "500S\n10 1\n1 1\n");
	now_ns += 8 * SEC;
	assert_int_equal(deliver(f, 0, 1, BOB), STORE_OK);
	assert_string_equal(sizes(f, BOB), "500S\n10 1\n1 1\n1 1\n");
	now_ns += 1 * SEC;
	assert_int_equal(deliver(f, 0, 1, BOB), STORE_OK);
	assert_string_equal(sizes(f, BOB), "1000S\n10 1\n1 1\n");
	/* but where more is known, that */
	f->q->budget = -SEC;
	b = box_of(f, BOB);
	assert_int_equal(b->used.bytes, 11);
	assert_int_equal(b->used.messages, 2);
	put(f, BOB, "Maildir/maildirsize", "500S\n10 4\n");
	assert_int_equal(deliver(f, 990, 990, BOB), STORE_OVER_QUOTA);
	assert_int_equal(b->used.bytes, 11);
	assert_int_equal(b->used.messages, 4);
	put(f, BOB, "Maildir/maildirsize", "500S\n14 2\n");
	assert_int_equal(deliver(f, 987, 987, BOB), STORE_OVER_QUOTA);
	assert_int_equal(b->used.bytes, 14);
	assert_int_equal(b->used.messages, 4);
	/* the time that may be saved up is bounded */
	now_ns += 1000 * SEC;
	assert_int_equal(deliver(f, 0, 1, BOB), STORE_OK);
	take_away(f, BOB, "Maildir/maildirsize");
	assert_int_equal(deliver(f, 0, 1, BOB), STORE_OK);
	assert_true(f->q->budget <= QUOTA_BURST);
}

/* --- the table */

static void
test_table(void **state)
{
	struct fix *f = *state;
	struct quota_hold h = { .size = 0 };
	unsigned i;
	char path[100];

	/* those nobody holds are few */
	for (i = 0; i < QUOTA_IDLE_MAX + 100; i++) {
		snprintf(path, sizeof(path), "example.test/%u", i);
		quota_declare(&h, 1);
		assert_int_equal(quota_reserve(f->q, &h, path), STORE_OK);
		quota_release(f->q, &h);
	}
	assert_int_equal(f->q->boxes, QUOTA_IDLE_MAX);
	assert_null(find_box(f, "example.test/0"));
	assert_non_null(find_box(f, path));
	/* all are bounded */
	f->q->boxes += QUOTA_BOXES_MAX - QUOTA_IDLE_MAX;
	assert_int_equal(reserve(f, &h, 1, ALICE), STORE_OK);
	assert_int_equal(f->q->boxes, QUOTA_BOXES_MAX);
	f->q->boxes += f->q->nidle;
	while (f->q->nidle > 0) {
		struct quota_box *b = TAILQ_FIRST(&f->q->idle);

		TAILQ_REMOVE(&f->q->idle, b, idle);
		LIST_REMOVE(b, bucket);
		free(b);
		f->q->nidle--;
		f->q->boxes--;
	}
	assert_int_equal(quota_reserve(f->q, &h, BOB), STORE_FAILED);
	f->q->boxes = 1;
	quota_release(f->q, &h);
	assert_int_equal(f->q->boxes, 1);
}

int
main(void)
{
#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_reserve),
		TEST(test_reserve_messages),
		TEST(test_several),
		TEST(test_parallel),
		TEST(test_priority),
		TEST(test_limits),
		TEST(test_none),
		TEST(test_limits_away),
		TEST(test_limits_change),
		TEST(test_believed),
		TEST(test_once),
		TEST(test_others),
		TEST(test_stamp),
		TEST(test_between),
		TEST(test_while_counting),
		TEST(test_removed),
		TEST(test_deletion),
		TEST(test_long),
		TEST(test_first),
		TEST(test_unwritable),
		TEST(test_retry),
		TEST(test_line_lost),
		TEST(test_left_over),
		TEST(test_mode),
		TEST(test_scan),
		TEST(test_price),
		TEST(test_table),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
