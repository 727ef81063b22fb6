# SPDX-License-Identifier: ISC
# Tests of the repository itself (0NN) and of the running daemons (1NN on);
# unit tests stand in the local.mk of the folder they test.

POSTERN_TESTS = \
	t/010-includes.sh \
	t/011-ldd.sh \
	t/012-heads.sh \
	t/013-size.sh \
	t/014-headers.sh \
	t/015-manuals.sh \
	t/016-conf-keys.sh \
	t/017-words.sh \
	t/100-smtp-greeting.exp \
	t/110-smtp-states.exp \
	t/700-kill.sh
TESTS += $(POSTERN_TESTS)
EXTRA_DIST += t/lib.sh t/lib.exp t/load.py t/engines.txt $(POSTERN_TESTS)
