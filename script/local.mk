# SPDX-License-Identifier: ISC

EXTRA_DIST += script/server script/server.sh script/test script/packages.sh \
	script/count.sh
