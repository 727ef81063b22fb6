# SPDX-License-Identifier: ISC
# Fuzz harnesses: with --enable-fuzz (clang) fuzzers, else programs that
# replay their corpora. HACKING.md says how to run one.

FUZZERS = \
	t/fuzz/fuzz-accounts \
	t/fuzz/fuzz-addr \
	t/fuzz/fuzz-alias \
	t/fuzz/fuzz-auth \
	t/fuzz/fuzz-base64 \
	t/fuzz/fuzz-conf \
	t/fuzz/fuzz-crlf \
	t/fuzz/fuzz-cursor \
	t/fuzz/fuzz-data \
	t/fuzz/fuzz-fields \
	t/fuzz/fuzz-header \
	t/fuzz/fuzz-http \
	t/fuzz/fuzz-keys \
	t/fuzz/fuzz-maildir \
	t/fuzz/fuzz-quota \
	t/fuzz/fuzz-reader \
	t/fuzz/fuzz-request \
	t/fuzz/fuzz-retrieve \
	t/fuzz/fuzz-smtp \
	t/fuzz/fuzz-smtpd \
	t/fuzz/fuzz-stats \
	t/fuzz/fuzz-store
check_PROGRAMS += $(FUZZERS)
EXTRA_DIST += t/fuzz/corpus
if FUZZ
FUZZ_MAIN =
FUZZ_LINK = $(AM_LDFLAGS) -fsanitize=fuzzer
else
TESTS += $(FUZZERS)
FUZZ_MAIN = t/fuzz/replay.c
FUZZ_LINK = $(AM_LDFLAGS)
endif

t_fuzz_fuzz_accounts_SOURCES = t/fuzz/fuzz-accounts.c t/fuzz/fuzz.h $(FUZZ_MAIN)
t_fuzz_fuzz_accounts_LDFLAGS = $(FUZZ_LINK)
t_fuzz_fuzz_accounts_LDADD = libaccounts.a $(POSTERN_LIBS) $(CRYPTO_LIBS)
t_fuzz_fuzz_addr_SOURCES = t/fuzz/fuzz-addr.c t/fuzz/fuzz.h $(FUZZ_MAIN)
t_fuzz_fuzz_addr_LDFLAGS = $(FUZZ_LINK)
t_fuzz_fuzz_addr_LDADD = libmail.a libpostern.a $(IDN_LIBS)
t_fuzz_fuzz_alias_SOURCES = t/fuzz/fuzz-alias.c t/fuzz/fuzz.h \
	admin/alias_edit.c $(FUZZ_MAIN)
t_fuzz_fuzz_alias_LDFLAGS = $(FUZZ_LINK)
t_fuzz_fuzz_alias_LDADD = libmail.a $(POSTERN_LIBS)
t_fuzz_fuzz_base64_SOURCES = t/fuzz/fuzz-base64.c t/fuzz/fuzz.h $(FUZZ_MAIN)
t_fuzz_fuzz_base64_LDFLAGS = $(FUZZ_LINK)
t_fuzz_fuzz_base64_LDADD = libretrieve.a libpostern.a
t_fuzz_fuzz_conf_SOURCES = t/fuzz/fuzz-conf.c t/fuzz/fuzz.h $(FUZZ_MAIN)
t_fuzz_fuzz_conf_LDFLAGS = $(FUZZ_LINK)
t_fuzz_fuzz_conf_LDADD = $(POSTERN_LIBS)
t_fuzz_fuzz_crlf_SOURCES = t/fuzz/fuzz-crlf.c t/fuzz/fuzz.h $(FUZZ_MAIN)
t_fuzz_fuzz_crlf_LDFLAGS = $(FUZZ_LINK)
t_fuzz_fuzz_crlf_LDADD = libretrieve.a libpostern.a
t_fuzz_fuzz_cursor_SOURCES = t/fuzz/fuzz-cursor.c t/fuzz/fuzz.h $(FUZZ_MAIN)
t_fuzz_fuzz_cursor_LDFLAGS = $(FUZZ_LINK)
t_fuzz_fuzz_cursor_LDADD = libretrieve.a libmail.a libpostern.a $(IDN_LIBS)
t_fuzz_fuzz_data_SOURCES = t/fuzz/fuzz-data.c t/fuzz/fuzz.h $(FUZZ_MAIN)
t_fuzz_fuzz_data_LDFLAGS = $(FUZZ_LINK)
t_fuzz_fuzz_data_LDADD = libsmtp.a libmail.a libpostern.a $(IDN_LIBS)
t_fuzz_fuzz_fields_SOURCES = t/fuzz/fuzz-fields.c t/fuzz/fuzz.h $(FUZZ_MAIN)
t_fuzz_fuzz_fields_LDFLAGS = $(FUZZ_LINK)
t_fuzz_fuzz_fields_LDADD = libretrieve.a libmail.a $(JANSSON_LIBS) libpostern.a $(IDN_LIBS)
t_fuzz_fuzz_header_SOURCES = t/fuzz/fuzz-header.c t/fuzz/fuzz.h $(FUZZ_MAIN)
t_fuzz_fuzz_header_LDFLAGS = $(FUZZ_LINK)
t_fuzz_fuzz_header_LDADD = libstore.a libauthclient.a libmaildir.a libmail.a $(POSTERN_LIBS)
t_fuzz_fuzz_http_SOURCES = t/fuzz/fuzz-http.c t/fuzz/fuzz.h $(FUZZ_MAIN)
t_fuzz_fuzz_http_LDFLAGS = $(FUZZ_LINK)
t_fuzz_fuzz_http_LDADD = libretrieve.a libmail.a $(JANSSON_LIBS) libpostern.a $(IDN_LIBS)
t_fuzz_fuzz_maildir_SOURCES = t/fuzz/fuzz-maildir.c t/fuzz/fuzz.h $(FUZZ_MAIN)
t_fuzz_fuzz_maildir_LDFLAGS = $(FUZZ_LINK)
t_fuzz_fuzz_maildir_LDADD = libmail.a libpostern.a $(IDN_LIBS)
t_fuzz_fuzz_quota_SOURCES = t/fuzz/fuzz-quota.c t/fuzz/fuzz.h $(FUZZ_MAIN)
t_fuzz_fuzz_quota_LDFLAGS = $(FUZZ_LINK)
t_fuzz_fuzz_quota_LDADD = libmaildir.a libmail.a libpostern.a $(IDN_LIBS)
t_fuzz_fuzz_request_SOURCES = t/fuzz/fuzz-request.c t/fuzz/fuzz.h $(FUZZ_MAIN)
t_fuzz_fuzz_request_LDFLAGS = $(FUZZ_LINK)
t_fuzz_fuzz_request_LDADD = libretrieve.a libmail.a libpostern.a $(IDN_LIBS)
t_fuzz_fuzz_smtp_SOURCES = t/fuzz/fuzz-smtp.c t/fuzz/fuzz.h $(FUZZ_MAIN)
t_fuzz_fuzz_smtp_LDFLAGS = $(FUZZ_LINK)
t_fuzz_fuzz_smtp_LDADD = libsmtp.a libmail.a $(POSTERN_LIBS)
t_fuzz_fuzz_stats_SOURCES = t/fuzz/fuzz-stats.c t/fuzz/fuzz.h $(FUZZ_MAIN)
t_fuzz_fuzz_stats_LDFLAGS = $(FUZZ_LINK)
t_fuzz_fuzz_stats_LDADD = libadmin.a $(POSTERN_LIBS)

# These speak over channels; those that include a program's main file, or
# stand-ins for parts of libraries, say so in their heads.
FUZZ_IPC = t/fuzz/fuzz.h t/fuzz/fuzz-ipc.h $(FUZZ_MAIN)
t_fuzz_fuzz_auth_SOURCES = t/fuzz/fuzz-auth.c auth/server_app.c \
	auth/server_client.c auth/server_login.c auth/server_store.c \
	auth/server_ticket.c auth/server_worker.c \
	$(FUZZ_IPC)
t_fuzz_fuzz_auth_LDFLAGS = $(FUZZ_LINK)
t_fuzz_fuzz_auth_LDADD = libauth.a libaccounts.a $(POSTERN_LIBS) \
	$(CRYPTO_LIBS)
t_fuzz_fuzz_keys_SOURCES = t/fuzz/fuzz-keys.c $(FUZZ_IPC)
t_fuzz_fuzz_keys_LDFLAGS = $(FUZZ_LINK)
t_fuzz_fuzz_keys_LDADD = libkeys.a libkeysclient.a $(CRYPTO_LIBS) $(POSTERN_LIBS)
t_fuzz_fuzz_reader_SOURCES = t/fuzz/fuzz-reader.c $(FUZZ_IPC)
t_fuzz_fuzz_reader_LDFLAGS = $(FUZZ_LINK)
t_fuzz_fuzz_reader_LDADD = libreader.a libretrieve.a libauthclient.a \
	libmail.a $(POSTERN_LIBS)
t_fuzz_fuzz_retrieve_SOURCES = t/fuzz/fuzz-retrieve.c $(FUZZ_IPC)
t_fuzz_fuzz_retrieve_LDFLAGS = $(FUZZ_LINK)
t_fuzz_fuzz_retrieve_LDADD = libretrieve.a libmail.a $(JANSSON_LIBS) \
	$(POSTERN_LIBS)
t_fuzz_fuzz_smtpd_SOURCES = t/fuzz/fuzz-smtpd.c $(FUZZ_IPC)
t_fuzz_fuzz_smtpd_LDFLAGS = $(FUZZ_LINK)
t_fuzz_fuzz_smtpd_LDADD = libsmtp.a libmail.a $(POSTERN_LIBS)
t_fuzz_fuzz_store_SOURCES = t/fuzz/fuzz-store.c $(FUZZ_IPC)
t_fuzz_fuzz_store_LDFLAGS = $(FUZZ_LINK)
t_fuzz_fuzz_store_LDADD = libstore.a libauthclient.a libmaildir.a libmail.a $(POSTERN_LIBS)
