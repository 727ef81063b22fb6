# SPDX-License-Identifier: ISC
# libmail.a: addresses, headers, Maildir names. No sockets, no globals.

noinst_LIBRARIES += libmail.a
libmail_a_SOURCES = \
	mail/addr.c mail/addr.h

if HAVE_CMOCKA
MAIL_TESTS = t/unit/test-mail-addr
check_PROGRAMS += $(MAIL_TESTS)
TESTS += $(MAIL_TESTS)
MAIL_TEST_LIBS = libmail.a libpostern.a $(CMOCKA_LIBS)

t_unit_test_mail_addr_SOURCES = t/unit/test-mail-addr.c
t_unit_test_mail_addr_LDADD = $(MAIL_TEST_LIBS)
endif
