# SPDX-License-Identifier: ISC
# smtpd-store: the delivery side. libstore.a is all of it but main().

noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	smtpd/store_alias.c smtpd/store_alias.h \
	smtpd/store_author.c smtpd/store_author.h \
	smtpd/store_body.c smtpd/store_body.h \
	smtpd/store_commit.c smtpd/store_commit.h \
	smtpd/store_file.c smtpd/store_file.h \
	smtpd/store_impl.h \
	smtpd/store_peer.c \
	smtpd/store_pool.c smtpd/store_pool.h \
	smtpd/store_proto.h \
	smtpd/store_quota.c smtpd/store_quota.h \
	smtpd/store_quota_file.c smtpd/store_quota_impl.h \
	smtpd/store_rate.c smtpd/store_rate.h \
	smtpd/store_rcpt.c smtpd/store_rcpt.h \
	smtpd/store_start.c \
	smtpd/store_txn.c

pkglibexec_PROGRAMS += smtpd-store
smtpd_store_SOURCES = smtpd/store.c
smtpd_store_LDADD = libstore.a libauthclient.a libmaildir.a libmail.a $(POSTERN_LIBS)

if HAVE_CMOCKA
STORE_TESTS = \
	t/unit/test-store-author \
	t/unit/test-store-commit \
	t/unit/test-store-peer \
	t/unit/test-store-policy \
	t/unit/test-store-quota \
	t/unit/test-store-rate
check_PROGRAMS += $(STORE_TESTS)
TESTS += $(STORE_TESTS)
STORE_TEST_LIBS = libstore.a libauthclient.a libmaildir.a libmail.a \
	$(POSTERN_LIBS) $(CMOCKA_LIBS)

t_unit_test_store_author_SOURCES = t/unit/test-store-author.c
t_unit_test_store_author_LDADD = $(STORE_TEST_LIBS)
t_unit_test_store_commit_SOURCES = t/unit/test-store-commit.c \
	t/unit/store_root.c t/unit/store_root.h
t_unit_test_store_commit_LDADD = $(STORE_TEST_LIBS)
t_unit_test_store_commit_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=fsync \
	-Wl,--wrap=linkat -Wl,--wrap=unlinkat -Wl,--wrap=mkdirat \
	-Wl,--wrap=write
t_unit_test_store_peer_SOURCES = t/unit/test-store-peer.c \
	t/unit/store_root.c t/unit/store_root.h
t_unit_test_store_peer_LDADD = $(STORE_TEST_LIBS)
t_unit_test_store_peer_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=role_done \
	-Wl,--wrap=role_want_peer
t_unit_test_store_quota_SOURCES = t/unit/test-store-quota.c \
	t/unit/store_root.c t/unit/store_root.h
t_unit_test_store_quota_LDADD = $(STORE_TEST_LIBS)
t_unit_test_store_quota_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=write
t_unit_test_store_policy_SOURCES = t/unit/test-store-policy.c \
	t/unit/store_root.c t/unit/store_root.h
t_unit_test_store_policy_LDADD = $(STORE_TEST_LIBS)
t_unit_test_store_policy_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=fsync \
	-Wl,--wrap=mkdirat
t_unit_test_store_rate_SOURCES = t/unit/test-store-rate.c
t_unit_test_store_rate_LDADD = $(STORE_TEST_LIBS)
endif

TESTS += t/410-store-faults.sh
EXTRA_DIST += t/410-store-faults.sh
