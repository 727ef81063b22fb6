# SPDX-License-Identifier: ISC
# libaccounts.a: the accounts file and SCRAM verifiers, for the auth service
# and for posternctl. Needs $(POSTERN_LIBS) $(CRYPTO_LIBS) after it.

noinst_LIBRARIES += libaccounts.a
libaccounts_a_SOURCES = \
	auth/accounts.c auth/accounts.h \
	auth/accounts_edit.c \
	auth/accounts_line.c auth/accounts_line.h \
	auth/scram.c auth/scram.h
