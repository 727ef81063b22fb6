# SPDX-License-Identifier: ISC
# postern-smtpd: master and session. libsmtp.a is the SMTP engine, which
# makes no system call. The delivery side is in store.mk.
include smtpd/store.mk

noinst_LIBRARIES += libsmtp.a
libsmtp_a_SOURCES = \
	smtpd/cmd.c smtpd/cmd.h \
	smtpd/data.c smtpd/data.h \
	smtpd/reply.c smtpd/reply.h \
	smtpd/session.c smtpd/session.h smtpd/session_impl.h \
	smtpd/session_events.c \
	smtpd/table.c smtpd/table.h \
	smtpd/verb_auth.c \
	smtpd/verb_data.c \
	smtpd/verb_help.c \
	smtpd/verb_mail.c \
	smtpd/verbs.c

sbin_PROGRAMS += postern-smtpd
postern_smtpd_SOURCES = smtpd/main.c
postern_smtpd_LDADD = $(POSTERN_LIBS)

pkglibexec_PROGRAMS += smtpd-session
smtpd_session_SOURCES = \
	smtpd/client.c \
	smtpd/driver.h \
	smtpd/driver_auth.c \
	smtpd/driver_store.c \
	smtpd/message.c \
	smtpd/session_main.c
smtpd_session_CFLAGS = $(AM_CFLAGS) $(SSL_CFLAGS)
smtpd_session_LDADD = libsmtp.a libkeysclient.a libtls.a $(SSL_LIBS) \
	libmail.a $(POSTERN_LIBS)

dist_man_MANS += man/postern-smtp.7 man/postern-smtpd.8

noinst_PROGRAMS += smtp-table
smtp_table_SOURCES = smtpd/table_print.c
smtp_table_LDADD = libsmtp.a libpostern.a

if HAVE_CMOCKA
SMTPD_TESTS = \
	t/unit/test-smtpd-bdat \
	t/unit/test-smtpd-cmd \
	t/unit/test-smtpd-data \
	t/unit/test-smtpd-limits \
	t/unit/test-smtpd-memory \
	t/unit/test-smtpd-message \
	t/unit/test-smtpd-rows \
	t/unit/test-smtpd-session \
	t/unit/test-smtpd-table \
	t/unit/test-smtpd-turns \
	t/unit/test-smtpd-utf8
check_PROGRAMS += $(SMTPD_TESTS)
TESTS += $(SMTPD_TESTS)
SMTPD_TEST_LIBS = libsmtp.a libmail.a libpostern.a $(IDN_LIBS) $(CMOCKA_LIBS)

t_unit_test_smtpd_bdat_SOURCES = \
	t/unit/smtpd-play.c t/unit/smtpd-play.h t/unit/test-smtpd-bdat.c
t_unit_test_smtpd_bdat_LDADD = $(SMTPD_TEST_LIBS)
t_unit_test_smtpd_cmd_SOURCES = t/unit/test-smtpd-cmd.c
t_unit_test_smtpd_cmd_LDADD = $(SMTPD_TEST_LIBS)
t_unit_test_smtpd_data_SOURCES = t/unit/test-smtpd-data.c
t_unit_test_smtpd_data_LDADD = $(SMTPD_TEST_LIBS)
t_unit_test_smtpd_limits_SOURCES = \
	t/unit/smtpd-play.c t/unit/smtpd-play.h t/unit/test-smtpd-limits.c
t_unit_test_smtpd_limits_LDADD = $(SMTPD_TEST_LIBS)
t_unit_test_smtpd_memory_SOURCES = \
	t/unit/smtpd-play.c t/unit/smtpd-play.h t/unit/test-smtpd-memory.c
t_unit_test_smtpd_memory_LDADD = $(SMTPD_TEST_LIBS)
t_unit_test_smtpd_memory_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc \
	-Wl,--wrap=calloc -Wl,--wrap=realloc -Wl,--wrap=strdup \
	-Wl,--wrap=strndup -Wl,--wrap=session_input \
	-Wl,--wrap=session_secured -Wl,--wrap=session_login \
	-Wl,--wrap=session_stored
t_unit_test_smtpd_message_SOURCES = \
	t/unit/smtpd-play.c t/unit/smtpd-play.h t/unit/test-smtpd-message.c
t_unit_test_smtpd_message_LDADD = $(SMTPD_TEST_LIBS)
t_unit_test_smtpd_rows_SOURCES = \
	t/unit/smtpd-play.c t/unit/smtpd-play.h t/unit/test-smtpd-rows.c
t_unit_test_smtpd_rows_LDADD = $(SMTPD_TEST_LIBS)
t_unit_test_smtpd_session_SOURCES = \
	t/unit/smtpd-play.c t/unit/smtpd-play.h t/unit/test-smtpd-session.c
t_unit_test_smtpd_session_LDADD = $(SMTPD_TEST_LIBS)
t_unit_test_smtpd_table_SOURCES = t/unit/test-smtpd-table.c
t_unit_test_smtpd_table_LDADD = $(SMTPD_TEST_LIBS)
t_unit_test_smtpd_turns_SOURCES = \
	t/unit/smtpd-play.c t/unit/smtpd-play.h t/unit/test-smtpd-turns.c
t_unit_test_smtpd_turns_LDADD = $(SMTPD_TEST_LIBS)
t_unit_test_smtpd_utf8_SOURCES = \
	t/unit/smtpd-play.c t/unit/smtpd-play.h t/unit/test-smtpd-utf8.c
t_unit_test_smtpd_utf8_LDADD = $(SMTPD_TEST_LIBS)
endif
EXTRA_DIST += t/golden/smtp-table.txt
