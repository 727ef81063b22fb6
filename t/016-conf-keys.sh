# SPDX-License-Identifier: ISC
# The keys of the conf, their defaults and ranges are the same in the
# program, in postern.conf(5) and in the sample.
. "$SRCDIR/t/lib.sh"
plan 6
T=$(mktemp -d) || exit 1
ctl=$BUILDDIR/posternctl

# A conf file as "section.key = value" lines. The three kinds of listen have
# the same keys.
keys() {
	awk '
	/^[a-z ]+ \{$/ { section = $1 "."; next }
	/^\}$/ { section = ""; next }
	/^[ \t]*[a-z_]+ = / { sub(/^[ \t]*/, "")
		print section $0 }' "$1"
}
# The page as "section.key|default|range": a key is ".It Ic key Ar type" in
# a section ".Sh NAME OPTIONS", its text ends with ".Pq default Li 1 ; ...".
page() {
	awk '
	/^\.Sh / { section = tolower($2) "."
		if (section == "general.") section = "" }
	/^\.It Ic / { key = section $3 }
	/^\.Pq no default$/ { print key "||" }
	/^\.Pq default Li / { sub(/^\.Pq default Li /, "")
		gsub(/ (Li|No)/, ""); sub(/ ; /, "|")
		print key "|" $0 ($0 ~ /[|]/ ? "" : "|") }
	' "$SRCDIR/man/postern.conf.5"
}
bare() { tr -d '"{},' | tr -s ' ' | sed 's/ $//'; }

"$ctl" show --defaults > "$T/show" 2> "$T/error"
keys "$T/show" | bare > "$T/program"
page > "$T/page"
# What is commented out in the sample is the default.
sed -E 's/^(\t?)#([a-z_]+ = )/\1\2/' "$SRCDIR/conf/postern.conf" > "$T/full"
keys "$T/full" | bare > "$T/sample"
names=$(sed 's/ =.*//' "$T/program" | sort -u)

ok "the program tells its keys" test -s "$T/program"
is "postern.conf(5) has the keys of the program" \
    "$(cut -d '|' -f 1 "$T/page" | sort -u)" "$names"
is "the sample has them too" "$(sed 's/ =.*//' "$T/sample" | sort -u)" \
    "$names"
# Paths depend on how the build was configured.
none "defaults in the page" "$(grep -v '^listen\.' "$T/page" |
    while IFS='|' read -r key value range; do
	case $value in
	/*) continue ;;
	esac
	grep -qxF "$key =${value:+ $value}" "$T/program" ||
	    echo "$key = $value"
done)"
none "defaults in the sample" "$(grep -vE \
    '^(hostname|domains|tls\.(certificates|keys)|listen\.[a-z]+) |= /' \
    "$T/sample" | while IFS= read -r line; do
	grep -qxF "$line" "$T/program" || echo "$line"
done)"
# Every number out of range: the complaints tell the ranges.
sed -E 's/^([a-z_\t]+ = )[0-9]+[A-Za-z]*$/\1999999999999999999/' "$T/show" \
    > "$T/huge"
"$ctl" -c "$T/huge" check > "$T/ranges" 2>&1
none "ranges in the page" "$(grep -v '^listen\.' "$T/page" |
    while IFS='|' read -r key value range; do
	[ -n "$range" ] || continue
	told=$(grep -F "$key: " "$T/ranges" |
	    sed -E 's/.*out of range, //; s/^0[a-z]+ /0 /')
	[ "$told" = "$range" ] || echo "$key: $range, not $told"
done)"
