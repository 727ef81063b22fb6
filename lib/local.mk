# SPDX-License-Identifier: ISC
# libpostern.a: knows no protocol, links no TLS. Needs $(POSTERN_LIBS).
# libtls.a: connections and TLS, for the session programs alone.

noinst_LIBRARIES += libpostern.a libtls.a
libpostern_a_SOURCES = \
	lib/accept.c lib/accept.h \
	lib/base64.c lib/base64.h \
	lib/blocked.c lib/blocked.h \
	lib/buf.c lib/buf.h \
	lib/chan.c lib/chan.h \
	lib/conf.c lib/conf.h \
	lib/conf_table.c \
	lib/conf_value.c lib/conf_value.h \
	lib/counts.c lib/counts.h \
	lib/ctl.h \
	lib/fault.c lib/fault.h \
	lib/file.c lib/file.h \
	lib/idna.c lib/idna.h \
	lib/ids.c lib/ids.h \
	lib/ip.c lib/ip.h \
	lib/ipc.c lib/ipc.h \
	lib/log.c lib/log.h \
	lib/master.c lib/master.h \
	lib/master_conf.c \
	lib/master_inherit.c \
	lib/master_impl.h \
	lib/master_listen.c \
	lib/master_roles.c \
	lib/master_stats.c \
	lib/nfc.c lib/nfc.h \
	lib/now.c lib/now.h \
	lib/priv.c lib/priv.h \
	lib/priv_calls.c \
	lib/priv_impl.h \
	lib/priv_landlock.c \
	lib/role.c lib/role.h \
	lib/secret.c lib/secret.h \
	lib/siphash.c lib/siphash.h \
	lib/stats.c lib/stats.h \
	lib/stats_page.c lib/stats_page.h \
	lib/stats_table.c \
	lib/str.c lib/str.h \
	lib/utf8.c lib/utf8.h
POSTERN_LIBS = libpostern.a $(EVENT_LIBS) $(CONFUSE_LIBS) $(SECCOMP_LIBS) \
	$(IDN_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += t/unit/test-lib t/unit/test-blocked t/unit/test-idna
TESTS += t/unit/test-lib t/unit/test-blocked t/unit/test-idna
t_unit_test_blocked_SOURCES = t/unit/test-blocked.c
t_unit_test_blocked_LDADD = $(POSTERN_LIBS) $(CMOCKA_LIBS)
t_unit_test_lib_SOURCES = t/unit/test-lib.c
t_unit_test_lib_LDADD = $(POSTERN_LIBS) $(CMOCKA_LIBS)
t_unit_test_idna_SOURCES = t/unit/test-idna.c
t_unit_test_idna_LDADD = $(POSTERN_LIBS) $(CMOCKA_LIBS)
endif

libtls_a_SOURCES = \
	lib/chain.c lib/chain.h \
	lib/conn.c lib/conn.h lib/conn_impl.h lib/conn_turn.c \
	lib/tls.c lib/tls.h \
	lib/tls_key.c lib/tls_key.h \
	lib/tls_names.c lib/tls_names.h \
	lib/wire.c lib/wire.h
libtls_a_CFLAGS = $(AM_CFLAGS) $(SSL_CFLAGS)
