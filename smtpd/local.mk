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
