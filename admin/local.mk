# SPDX-License-Identifier: ISC
# posternctl: the administrator's program, with the certificate tool in it.

noinst_LIBRARIES += libadmin.a
libadmin_a_SOURCES = \
	admin/admin.h \
	admin/alias.c admin/alias_edit.c admin/alias_edit.h \
	admin/apppass.c \
	admin/check.c admin/check_aliases.c admin/check_clients.c \
	admin/check_files.c \
	admin/check_impl.h \
	admin/check_store.c \
	admin/conf.c \
	admin/fail.c admin/fail.h \
	admin/import.c admin/import.h \
	admin/mailbox.c admin/mailbox.h \
	admin/mailbox_cmd.c \
	admin/metrics.c \
	admin/numbers.c admin/numbers.h \
	admin/openmetrics.c \
	admin/password.c admin/password.h \
	admin/quota.c \
	admin/scrape.c admin/scrape.h \
	admin/scrape_listen.c admin/scrape_serve.c \
	admin/status.c \
	admin/user.c
libadmin_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
ADMIN_LIBS = libadmin.a libcerts.a libadmin.a libkeys.a libaccounts.a \
	libmaildir.a libmail.a libpostern.a $(CRYPTO_LIBS) $(POSTERN_LIBS)

sbin_PROGRAMS += posternctl
posternctl_SOURCES = admin/posternctl.c
posternctl_LDADD = $(ADMIN_LIBS)

dist_man_MANS += man/posternctl.8

ADMIN_TESTS = \
	t/060-posternctl-user.sh \
	t/061-posternctl-import.sh \
	t/062-posternctl-check.sh \
	t/063-posternctl-cert.sh \
	t/064-posternctl-terminal.exp \
	t/065-posternctl-alias.sh \
	t/066-posternctl-apppass.sh \
	t/067-posternctl-quota.sh \
	t/068-posternctl-store.sh
TESTS += $(ADMIN_TESTS)
EXTRA_DIST += t/posternctl.sh $(ADMIN_TESTS)

if HAVE_CMOCKA
check_PROGRAMS += t/unit/test-admin-password t/unit/test-admin-mailbox \
	t/unit/test-stats t/unit/test-scrape
TESTS += t/unit/test-admin-password t/unit/test-admin-mailbox \
	t/unit/test-stats t/unit/test-scrape
t_unit_test_admin_password_SOURCES = t/unit/test-admin-password.c
t_unit_test_admin_password_LDADD = $(ADMIN_LIBS) $(CMOCKA_LIBS)
t_unit_test_admin_mailbox_SOURCES = t/unit/test-admin-mailbox.c
t_unit_test_admin_mailbox_LDADD = $(ADMIN_LIBS) $(CMOCKA_LIBS)
t_unit_test_scrape_SOURCES = t/unit/test-scrape.c
t_unit_test_scrape_LDADD = libadmin.a $(POSTERN_LIBS) $(CMOCKA_LIBS)
t_unit_test_stats_SOURCES = t/unit/test-stats.c
t_unit_test_stats_LDADD = libadmin.a libsmtp.a $(POSTERN_LIBS) $(CMOCKA_LIBS)
endif
