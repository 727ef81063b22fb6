# SPDX-License-Identifier: ISC
# Tests of the repository itself (0NN) and of the running daemons (1NN on);
# unit tests stand in the local.mk of the folder they test.

POSTERN_TESTS =
POSTERN_TESTS += t/010-includes.sh
POSTERN_TESTS += t/011-ldd.sh
POSTERN_TESTS += t/012-heads.sh
POSTERN_TESTS += t/013-size.sh
POSTERN_TESTS += t/014-headers.sh
POSTERN_TESTS += t/015-manuals.sh
POSTERN_TESTS += t/016-conf-keys.sh
POSTERN_TESTS += t/017-words.sh
POSTERN_TESTS += t/100-smtp-greeting.exp
POSTERN_TESTS += t/110-smtp-states.exp
POSTERN_TESTS += t/112-smtp-auth.exp
POSTERN_TESTS += t/114-smtp-envelope.exp
POSTERN_TESTS += t/116-smtp-data.exp
POSTERN_TESTS += t/118-smtp-injection.exp
POSTERN_TESTS += t/120-smtp-clients.exp
POSTERN_TESTS += t/125-smtp-limits.exp
POSTERN_TESTS += t/130-owned-session.sh
POSTERN_TESTS += t/190-smtp-reload.exp
POSTERN_TESTS += t/700-kill.sh
TESTS += $(POSTERN_TESTS)
EXTRA_DIST += t/engines.txt t/lib.exp t/lib.sh t/load.py t/many.py $(POSTERN_TESTS)

# Retrieval and the whole, in Python and sh.
HTTP_TESTS =
HTTP_TESTS += t/111-smtp-client-certs.py
HTTP_TESTS += t/113-smtp-scram-plus.py
HTTP_TESTS += t/117-smtp-chunking.py
HTTP_TESTS += t/119-smtp-utf8.py
HTTP_TESTS += t/122-smtp-programs.py
HTTP_TESTS += t/124-maildir-readers.py
HTTP_TESTS += t/126-smtp-conf.py
HTTP_TESTS += t/135-socket-activation.py
HTTP_TESTS += t/136-tls-scanners.py
HTTP_TESTS += t/145-smtp-quota.py
HTTP_TESTS += t/140-smtp-policy.py
HTTP_TESTS += t/150-smtp-random.py
HTTP_TESTS += t/160-apppass.py
HTTP_TESTS += t/170-auth-sasldb.py
HTTP_TESTS += t/171-auth-saslauthd.py
HTTP_TESTS += t/172-auth-sql.py
HTTP_TESTS += t/175-smtp-blocked.py
HTTP_TESTS += t/180-status-metrics.py
HTTP_TESTS += t/181-log-lines.py
HTTP_TESTS += t/182-fail2ban.py
HTTP_TESTS += t/210-http-basic.py
HTTP_TESTS += t/212-http-strict.py
HTTP_TESTS += t/214-http-auth.py
HTTP_TESTS += t/216-http-maildir.py
HTTP_TESTS += t/217-http-programs.py
HTTP_TESTS += t/218-http-limits.py
HTTP_TESTS += t/310-end-to-end.sh
HTTP_TESTS += t/320-reload.py
HTTP_TESTS += t/330-root.sh
HTTP_TESTS += t/340-passphrase.sh
HTTP_TESTS += t/710-http-kill.py
TESTS += $(HTTP_TESTS)
TEST_EXTENSIONS += .py
PY_LOG_DRIVER = $(TAP_DRIVER)
PY_LOG_COMPILER = $(SHELL) $(top_srcdir)/t/python.sh
EXTRA_DIST += t/imap.py t/lib.py t/python.sh t/stores.py $(HTTP_TESTS)

# The session that is in an attacker's hands: the real one, and more.
check_PROGRAMS += t/owned/owned-session
t_owned_owned_session_SOURCES = \
	smtpd/client.c \
	smtpd/driver_auth.c \
	smtpd/driver_store.c \
	smtpd/message.c \
	t/owned/owned-calls.c \
	t/owned/owned-helpers.c \
	t/owned/owned-session.c \
	t/owned/owned-store.c \
	t/owned/owned.h
t_owned_owned_session_CFLAGS = $(smtpd_session_CFLAGS)
t_owned_owned_session_LDADD = $(smtpd_session_LDADD)
