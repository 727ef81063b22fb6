# SPDX-License-Identifier: ISC
# libaccounts.a: the accounts file and SCRAM verifiers, for the auth service
# and for posternctl. Needs $(POSTERN_LIBS) $(CRYPTO_LIBS) after it.
# libauth.a: the tables of auth-server, which make no system call.
# libauthclient.a: for those who use the service; needs no OpenSSL.

noinst_LIBRARIES += libaccounts.a libauth.a libauthclient.a
libaccounts_a_SOURCES = \
	auth/accounts.c auth/accounts.h \
	auth/accounts_edit.c \
	auth/accounts_line.c auth/accounts_line.h \
	auth/accounts_options.c \
	auth/apppass.c auth/apppass.h \
	auth/lastuse.c auth/lastuse.h \
	auth/scram.c auth/scram.h
libaccounts_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
libauth_a_SOURCES = \
	auth/cache.c auth/cache.h \
	auth/channel.c auth/channel.h \
	auth/throttle.c auth/throttle.h \
	auth/tickets.c auth/tickets.h
libauth_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
libauthclient_a_SOURCES = \
	auth/auth_proto.h \
	auth/held.c auth/held.h

dist_man_MANS += man/postern-accounts.5 man/postern-auth.8

sbin_PROGRAMS += postern-auth
postern_auth_SOURCES = auth/main.c
postern_auth_LDADD = $(POSTERN_LIBS)

pkglibexec_PROGRAMS += auth-server auth-sasl
auth_server_SOURCES = \
	auth/auth_proto.h auth/sasl_proto.h auth/server.h \
	auth/server.c \
	auth/server_app.c \
	auth/server_client.c \
	auth/server_login.c \
	auth/server_store.c \
	auth/server_ticket.c \
	auth/server_worker.c
auth_server_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
auth_server_LDADD = libauth.a libaccounts.a $(POSTERN_LIBS) $(CRYPTO_LIBS)

# The only program that links libsasl2.
auth_sasl_SOURCES = \
	auth/auth_proto.h auth/sasl_proto.h \
	auth/channel.c auth/channel.h \
	auth/sasl.c auth/sasl.h auth/sasl_impl.h \
	auth/sasl_binding.c \
	auth/sasl_external.c \
	auth/sasl_library.c \
	auth/sasl_lookup.c \
	auth/sasl_confine.c \
	auth/sasl_store.c \
	auth/sasl_worker.c
auth_sasl_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(SASL_CFLAGS)
auth_sasl_LDADD = libaccounts.a $(POSTERN_LIBS) $(SASL_LIBS) $(CRYPTO_LIBS)

if HAVE_CMOCKA
AUTH_TESTS = \
	t/unit/test-auth-accounts \
	t/unit/test-auth-apppass \
	t/unit/test-auth-channel \
	t/unit/test-auth-confine \
	t/unit/test-auth-sasl \
	t/unit/test-auth-scram \
	t/unit/test-auth-service \
	t/unit/test-auth-store \
	t/unit/test-auth-tables
check_PROGRAMS += $(AUTH_TESTS)
TESTS += $(AUTH_TESTS)

t_unit_test_auth_accounts_SOURCES = t/unit/test-auth-accounts.c
t_unit_test_auth_accounts_LDADD = libaccounts.a $(POSTERN_LIBS) \
	$(CRYPTO_LIBS) $(CMOCKA_LIBS)
t_unit_test_auth_apppass_SOURCES = t/unit/test-auth-apppass.c
t_unit_test_auth_apppass_LDADD = libaccounts.a $(POSTERN_LIBS) \
	$(CRYPTO_LIBS) $(CMOCKA_LIBS)
t_unit_test_auth_confine_SOURCES = t/unit/test-auth-confine.c \
	auth/sasl_confine.c
t_unit_test_auth_confine_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
t_unit_test_auth_confine_LDADD = libaccounts.a $(POSTERN_LIBS) \
	$(CRYPTO_LIBS) $(CMOCKA_LIBS)
SASL_SOURCES = t/unit/scram-client.c t/unit/scram-client.h \
	auth/channel.c auth/channel.h \
	auth/sasl.c auth/sasl.h auth/sasl_impl.h \
	auth/sasl_binding.c \
	auth/sasl_external.c \
	auth/sasl_library.c \
	auth/sasl_lookup.c \
	auth/sasl_store.c
t_unit_test_auth_channel_SOURCES = t/unit/test-auth-channel.c $(SASL_SOURCES)
t_unit_test_auth_channel_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(SASL_CFLAGS)
t_unit_test_auth_channel_LDADD = libaccounts.a $(POSTERN_LIBS) \
	$(SASL_LIBS) $(CRYPTO_LIBS) $(CMOCKA_LIBS)
t_unit_test_auth_store_SOURCES = t/unit/test-auth-store.c $(SASL_SOURCES)
t_unit_test_auth_store_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(SASL_CFLAGS)
t_unit_test_auth_store_LDADD = libaccounts.a $(POSTERN_LIBS) \
	$(SASL_LIBS) $(CRYPTO_LIBS) $(CMOCKA_LIBS)
t_unit_test_auth_sasl_SOURCES = t/unit/test-auth-sasl.c $(SASL_SOURCES)
t_unit_test_auth_sasl_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(SASL_CFLAGS)
t_unit_test_auth_sasl_LDADD = libaccounts.a $(POSTERN_LIBS) \
	$(SASL_LIBS) $(CRYPTO_LIBS) $(CMOCKA_LIBS)
t_unit_test_auth_scram_SOURCES = t/unit/test-auth-scram.c
t_unit_test_auth_scram_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
t_unit_test_auth_scram_LDADD = libaccounts.a $(POSTERN_LIBS) \
	$(CRYPTO_LIBS) $(CMOCKA_LIBS)
t_unit_test_auth_service_SOURCES = t/unit/test-auth-service.c \
	t/unit/scram-client.c t/unit/scram-client.h
t_unit_test_auth_service_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
t_unit_test_auth_service_LDADD = libaccounts.a $(POSTERN_LIBS) \
	$(CRYPTO_LIBS) $(CMOCKA_LIBS)
t_unit_test_auth_tables_SOURCES = t/unit/test-auth-tables.c
t_unit_test_auth_tables_LDADD = libauth.a $(POSTERN_LIBS) \
	$(CRYPTO_LIBS) $(CMOCKA_LIBS)
endif
