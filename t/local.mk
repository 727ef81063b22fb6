# SPDX-License-Identifier: ISC
# Tests of the repository itself (0NN) and of the running daemons (1NN on);
# unit tests stand in the local.mk of the folder they test.

POSTERN_TESTS = \
	t/100-smtp-greeting.exp
TESTS += $(POSTERN_TESTS)
EXTRA_DIST += t/lib.sh t/lib.exp $(POSTERN_TESTS)
