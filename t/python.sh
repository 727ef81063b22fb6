# SPDX-License-Identifier: ISC
# Run a test in Python: sh python.sh test. Without Python it is skipped.
command -v python3 > /dev/null || {
	echo "1..0 # SKIP no python3"
	exit 0
}
PYTHONDONTWRITEBYTECODE=1 exec python3 "$@"
