# SPDX-License-Identifier: ISC

EXTRA_DIST += script/server script/server-steps.sh script/test \
	script/packages.sh script/count.sh .ci/run .clang-format
