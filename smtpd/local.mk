# SPDX-License-Identifier: ISC
include smtpd/store.mk

# libsmtp.a: the SMTP engine, which makes no system call.

noinst_LIBRARIES += libsmtp.a
libsmtp_a_SOURCES = \
	smtpd/cmd.c smtpd/cmd.h \
	smtpd/data.c smtpd/data.h \
	smtpd/reply.c smtpd/reply.h \
	smtpd/sasl_line.c smtpd/sasl_line.h \
	smtpd/session.c smtpd/session.h smtpd/session_impl.h \
	smtpd/session_events.c \
	smtpd/table.c smtpd/table.h \
	smtpd/verbs.c

noinst_PROGRAMS += smtp-table
smtp_table_SOURCES = smtpd/table_print.c
smtp_table_LDADD = libsmtp.a libpostern.a

if HAVE_CMOCKA
SMTPD_TESTS = \
	t/unit/test-smtpd-data \
	t/unit/test-smtpd-session \
	t/unit/test-smtpd-table
check_PROGRAMS += $(SMTPD_TESTS)
TESTS += $(SMTPD_TESTS)
SMTPD_TEST_LIBS = libsmtp.a libmail.a libpostern.a $(CMOCKA_LIBS)

t_unit_test_smtpd_data_SOURCES = t/unit/test-smtpd-data.c
t_unit_test_smtpd_data_LDADD = $(SMTPD_TEST_LIBS)
t_unit_test_smtpd_session_SOURCES = \
	t/unit/smtpd-play.c t/unit/smtpd-play.h t/unit/test-smtpd-session.c
t_unit_test_smtpd_session_LDADD = $(SMTPD_TEST_LIBS)
t_unit_test_smtpd_table_SOURCES = t/unit/test-smtpd-table.c
t_unit_test_smtpd_table_LDADD = $(SMTPD_TEST_LIBS)
endif
EXTRA_DIST += t/golden/smtp-table.txt
