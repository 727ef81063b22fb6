# SPDX-License-Identifier: ISC
# libmail.a: addresses, headers, Maildir names. No system calls, no globals.
# libmaildir.a: what looks into mailboxes, for the store and posternctl.

noinst_LIBRARIES += libmail.a libmaildir.a
libmail_a_SOURCES = \
	mail/addr.c mail/addr.h mail/addr_form.c \
	mail/alias.c mail/alias.h mail/alias_impl.h \
	mail/alias_order.c mail/alias_read.c \
	mail/date.c mail/date.h \
	mail/header.c mail/header.h \
	mail/mailbox.c mail/mailbox.h \
	mail/maildir.c mail/maildir.h \
	mail/quota.c mail/quota.h \
	mail/trace.c mail/trace.h
libmaildir_a_SOURCES = mail/quota_scan.c mail/quota_scan.h

if HAVE_CMOCKA
MAIL_TESTS = \
	t/unit/test-mail-addr \
	t/unit/test-mail-alias \
	t/unit/test-mail-header \
	t/unit/test-mail-mailbox \
	t/unit/test-mail-maildir \
	t/unit/test-mail-quota \
	t/unit/test-mail-trace
check_PROGRAMS += $(MAIL_TESTS)
TESTS += $(MAIL_TESTS)
MAIL_TEST_LIBS = libmaildir.a libmail.a libpostern.a $(IDN_LIBS) \
	$(CMOCKA_LIBS)

t_unit_test_mail_addr_SOURCES = t/unit/test-mail-addr.c
t_unit_test_mail_addr_LDADD = $(MAIL_TEST_LIBS)
t_unit_test_mail_alias_SOURCES = t/unit/test-mail-alias.c
t_unit_test_mail_alias_LDADD = libmail.a $(POSTERN_LIBS) $(CMOCKA_LIBS)
t_unit_test_mail_header_SOURCES = t/unit/test-mail-header.c
t_unit_test_mail_header_LDADD = $(MAIL_TEST_LIBS)
t_unit_test_mail_mailbox_SOURCES = t/unit/test-mail-mailbox.c
t_unit_test_mail_mailbox_LDADD = $(MAIL_TEST_LIBS)
t_unit_test_mail_maildir_SOURCES = t/unit/test-mail-maildir.c
t_unit_test_mail_maildir_LDADD = $(MAIL_TEST_LIBS)
t_unit_test_mail_quota_SOURCES = t/unit/test-mail-quota.c
t_unit_test_mail_quota_LDADD = $(MAIL_TEST_LIBS)
t_unit_test_mail_trace_SOURCES = t/unit/test-mail-trace.c
t_unit_test_mail_trace_LDADD = $(MAIL_TEST_LIBS)
endif
