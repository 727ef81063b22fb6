# SPDX-License-Identifier: ISC
# libcerts.a: the certificate tool, linked into posternctl.

noinst_LIBRARIES += libcerts.a
libcerts_a_SOURCES = \
	certs/cert.c certs/cert.h certs/cert_names.c \
	certs/cert_cmd.c certs/cert_cmd.h certs/cert_impl.h \
	certs/cert_issue.c certs/cert_show.c \
	certs/store.c certs/store.h
libcerts_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)

if HAVE_CMOCKA
check_PROGRAMS += t/unit/test-certs-cert
TESTS += t/unit/test-certs-cert
t_unit_test_certs_cert_SOURCES = t/unit/test-certs-cert.c
t_unit_test_certs_cert_LDADD = libcerts.a libpostern.a $(CRYPTO_LIBS) \
	$(CMOCKA_LIBS)
endif
