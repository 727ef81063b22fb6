# SPDX-License-Identifier: ISC
# tls-keys: the process that holds the private keys. client.c goes into the
# sessions, check.c into posternctl as well.

noinst_LIBRARIES += libkeys.a
libkeys_a_SOURCES = \
	lib/chain.c lib/chain.h \
	keys/check.c keys/check.h \
	keys/sign.c keys/sign.h
libkeys_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)

noinst_LIBRARIES += libkeysclient.a
libkeysclient_a_SOURCES = \
	keys/client.c keys/client.h \
	keys/keys_proto.h

pkglibexec_PROGRAMS += tls-keys
tls_keys_SOURCES = keys/tls_keys.c
tls_keys_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
tls_keys_LDADD = libkeys.a $(CRYPTO_LIBS) $(POSTERN_LIBS)

if HAVE_CMOCKA
KEYS_TESTS = \
	t/unit/test-conn \
	t/unit/test-conn-end \
	t/unit/test-keys \
	t/unit/test-tls \
	t/unit/test-tls-clients \
	t/unit/test-tls-data \
	t/unit/test-tls-keys
check_PROGRAMS += $(KEYS_TESTS)
TESTS += $(KEYS_TESTS)
t_unit_test_keys_SOURCES = t/unit/test-keys.c t/unit/pki.c t/unit/pki.h
t_unit_test_keys_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
t_unit_test_keys_LDADD = libkeys.a libkeysclient.a $(CRYPTO_LIBS) \
	$(POSTERN_LIBS) $(CMOCKA_LIBS)
t_unit_test_tls_keys_SOURCES = t/unit/test-tls-keys.c t/unit/pki.c t/unit/pki.h
t_unit_test_tls_keys_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
t_unit_test_tls_keys_LDADD = libkeysclient.a $(CRYPTO_LIBS) $(POSTERN_LIBS) \
	$(CMOCKA_LIBS)

# Connections and TLS as the sessions have them, with a key that is elsewhere.
PEER_SOURCES = t/unit/peer.c t/unit/peer.h t/unit/pki.c t/unit/pki.h
PEER_LIBS = libtls.a libkeys.a $(SSL_LIBS) $(POSTERN_LIBS) $(CMOCKA_LIBS)
t_unit_test_conn_SOURCES = t/unit/test-conn.c $(PEER_SOURCES)
t_unit_test_conn_CFLAGS = $(AM_CFLAGS) $(SSL_CFLAGS)
t_unit_test_conn_LDADD = $(PEER_LIBS)
t_unit_test_conn_end_SOURCES = t/unit/test-conn-end.c $(PEER_SOURCES)
t_unit_test_conn_end_CFLAGS = $(AM_CFLAGS) $(SSL_CFLAGS)
t_unit_test_conn_end_LDADD = $(PEER_LIBS)
t_unit_test_tls_SOURCES = t/unit/test-tls.c $(PEER_SOURCES)
t_unit_test_tls_CFLAGS = $(AM_CFLAGS) $(SSL_CFLAGS)
t_unit_test_tls_LDADD = $(PEER_LIBS)
t_unit_test_tls_clients_SOURCES = t/unit/test-tls-clients.c $(PEER_SOURCES)
t_unit_test_tls_clients_CFLAGS = $(AM_CFLAGS) $(SSL_CFLAGS)
t_unit_test_tls_clients_LDADD = $(PEER_LIBS)
t_unit_test_tls_data_SOURCES = t/unit/test-tls-data.c $(PEER_SOURCES)
t_unit_test_tls_data_CFLAGS = $(AM_CFLAGS) $(SSL_CFLAGS)
t_unit_test_tls_data_LDADD = $(PEER_LIBS)
endif
