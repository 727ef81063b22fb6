# SPDX-License-Identifier: ISC
# The house style that a program can see: sizes, columns, blanks.
. "$SRCDIR/t/lib.sh"
plan 7
cd "$SRCDIR" || exit 1

code=$(code_files)
none "files of 600 lines at most" "$(for f in $(code_files | grep -v ^t/); do
	n=$(wc -l < "$f")
	[ "$n" -le 600 ] || echo "$f: $n"
done)"
none "functions of 80 lines at most" "$(awk '
/^\{$/ { start = FNR }
/^\}$/ && start { if (FNR - start + 1 > 80)
	print FILENAME ":" start ": " FNR - start + 1; start = 0 }' $code)"
none "a function opens with a brace in column one" "$(grep -nE \
    '^[a-z][a-z0-9_]*\(.*\) \{$' $code)"
none "80 columns" "$(for f in $code; do
	expand "$f" | awk -v f="$f" '
	length > 80 { print f ":" NR ": " length }'
done)"
none "no blanks at the end of a line" "$(grep -nE '[[:blank:]]$' $code)"
none "tabs indent" "$(grep -nE '^ {8}' $code)"
# for (struct x *p = ...) and the like are fine: this looks for "typedef
# struct" alone; function types are wanted.
none "no struct behind a typedef" "$(grep -nE '^typedef (struct|union|enum)' \
    $code)"
