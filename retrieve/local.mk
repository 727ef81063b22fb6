# SPDX-License-Identifier: ISC
# postern-retrieve: master, retrieve-session (engine and driver) and
# retrieve-reader. The engine is a library so that its tests need no driver.

noinst_LIBRARIES += libretrieve.a libreader.a
# Pure: no system call, no socket, no TLS.
libretrieve_a_SOURCES = \
	retrieve/addrlist.c retrieve/addrlist.h \
	retrieve/basic.c retrieve/basic.h \
	retrieve/crlf.c retrieve/crlf.h \
	retrieve/cursor.c retrieve/cursor.h \
	retrieve/fields.c retrieve/fields.h \
	retrieve/httpdate.c retrieve/httpdate.h \
	retrieve/index.c retrieve/index.h \
	retrieve/list.c retrieve/list.h \
	retrieve/media.c retrieve/media.h \
	retrieve/msgid.c retrieve/msgid.h \
	retrieve/query.c retrieve/query.h \
	retrieve/range.c retrieve/range.h \
	retrieve/reader_proto.h \
	retrieve/reply.c retrieve/reply.h \
	retrieve/request.c retrieve/request.h \
	retrieve/route.c retrieve/route.h \
	retrieve/session.c retrieve/session.h \
	retrieve/session_impl.h \
	retrieve/session_reply.c \
	retrieve/target.c retrieve/target.h \
	retrieve/visible.c retrieve/visible.h \
	retrieve/words.c retrieve/words.h
libretrieve_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)

libreader_a_SOURCES = \
	retrieve/boxes.c retrieve/boxes.h \
	retrieve/reader.h \
	retrieve/reader_job.c \
	retrieve/reader_peer.c

sbin_PROGRAMS += postern-retrieve
postern_retrieve_SOURCES = retrieve/master.c
postern_retrieve_LDADD = $(POSTERN_LIBS)

pkglibexec_PROGRAMS += retrieve-session retrieve-reader
retrieve_session_SOURCES = \
	retrieve/ask.c \
	retrieve/login.c \
	retrieve/openapi_text.h \
	retrieve/retrieve_session.c \
	retrieve/serve.c retrieve/serve.h
nodist_retrieve_session_SOURCES = retrieve/openapi_text.c
retrieve_session_LDADD = libretrieve.a libkeysclient.a libtls.a $(SSL_LIBS) \
	libmail.a $(JANSSON_LIBS) $(POSTERN_LIBS)

retrieve_reader_SOURCES = retrieve/reader.c
retrieve_reader_LDADD = libreader.a libretrieve.a libauthclient.a \
	libmail.a $(POSTERN_LIBS)

dist_doc_DATA += conf/openapi.yaml
CLEANFILES += retrieve/openapi_text.c
retrieve/openapi_text.c: $(top_srcdir)/conf/openapi.yaml
	$(AM_V_GEN)$(MKDIR_P) retrieve && { \
	echo '#include "retrieve/openapi_text.h"'; \
	echo 'const char openapi_text[] ='; \
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$$/\\n"/' \
	    $(top_srcdir)/conf/openapi.yaml; echo ';'; } >$@.tmp && \
	mv $@.tmp $@

dist_man_MANS += man/postern-http.7 man/postern-retrieve.8

if HAVE_CMOCKA
RETRIEVE_TESTS = \
	t/unit/test-retrieve-index \
	t/unit/test-retrieve-parts \
	t/unit/test-retrieve-reader \
	t/unit/test-retrieve-request \
	t/unit/test-retrieve-session
check_PROGRAMS += $(RETRIEVE_TESTS)
TESTS += $(RETRIEVE_TESTS)
RETRIEVE_TEST_LIBS = libretrieve.a libmail.a $(JANSSON_LIBS) \
	$(POSTERN_LIBS) $(CMOCKA_LIBS)

t_unit_test_retrieve_index_SOURCES = t/unit/test-retrieve-index.c
t_unit_test_retrieve_index_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
t_unit_test_retrieve_index_LDADD = $(RETRIEVE_TEST_LIBS)
t_unit_test_retrieve_parts_SOURCES = t/unit/test-retrieve-parts.c
t_unit_test_retrieve_parts_LDADD = $(RETRIEVE_TEST_LIBS)
t_unit_test_retrieve_reader_SOURCES = t/unit/test-retrieve-reader.c
t_unit_test_retrieve_reader_LDADD = libreader.a libauthclient.a \
	$(RETRIEVE_TEST_LIBS)
t_unit_test_retrieve_request_SOURCES = t/unit/test-retrieve-request.c
t_unit_test_retrieve_request_LDADD = $(RETRIEVE_TEST_LIBS)
t_unit_test_retrieve_session_SOURCES = t/unit/test-retrieve-session.c
t_unit_test_retrieve_session_LDADD = $(RETRIEVE_TEST_LIBS)
endif
