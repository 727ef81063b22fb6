# SPDX-License-Identifier: ISC
# smtpd-store: the delivery side. libstore.a is all of it but main().

noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	smtpd/store_author.c smtpd/store_author.h \
	smtpd/store_body.c smtpd/store_body.h \
	smtpd/store_commit.c smtpd/store_commit.h \
	smtpd/store_file.c smtpd/store_file.h \
	smtpd/store_impl.h \
	smtpd/store_peer.c \
	smtpd/store_pool.c smtpd/store_pool.h \
	smtpd/store_proto.h \
	smtpd/store_start.c \
	smtpd/store_ticket.c smtpd/store_ticket.h \
	smtpd/store_txn.c

pkglibexec_PROGRAMS += smtpd-store
smtpd_store_SOURCES = smtpd/store.c
smtpd_store_LDADD = libstore.a libmail.a $(POSTERN_LIBS)
