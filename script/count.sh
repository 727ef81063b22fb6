# SPDX-License-Identifier: ISC
# Sum up what automake's TAP driver left behind. Sourced by script/test and
# .ci/run.

passed=0
failed=0
skipped=0

# Add the results below a build folder. A test that gave no result at all
# (its .trs is missing while a .log is there) counts as failed.
count_trs() {
	# shellcheck disable=SC2046 # five numbers
	set -- $(find "$1/t" -name '*.trs' -exec cat {} + | awk '
	/^:test-result: (PASS|XFAIL)/ { p++ }
	/^:test-result: (FAIL|XPASS|ERROR)/ { f++ }
	/^:test-result: SKIP/ { s++ }
	END { print p + 0, f + 0, s + 0 }')
	passed=$((passed + $1))
	failed=$((failed + $2))
	skipped=$((skipped + $3))
}

# The logs of the tests that failed; the log of make when there is none.
show_failures() {
	if ! find "$1/t" -name '*.trs' | grep -q .; then
		tail -n 60 "$1/check.log"
		return
	fi
	find "$1/t" -name '*.trs' | sort | while read -r trs; do
		grep -qE '^:test-result: (FAIL|XPASS|ERROR)' "$trs" || continue
		echo "--- ${trs%.trs}.log"
		tail -n 200 "${trs%.trs}.log"
	done
}

# Skipped ones on a line before the last: that one has a fixed form.
print_counts() {
	[ "$skipped" -eq 0 ] || echo "$skipped skipped"
	echo "$passed passed, $failed failed"
}
