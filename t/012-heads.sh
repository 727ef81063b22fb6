# SPDX-License-Identifier: ISC
# Each file says its licence; each C file opens with a short comment.
. "$SRCDIR/t/lib.sh"
plan 3
cd "$SRCDIR" || exit 1

texts=$(ls configure.ac Makefile.am bootstrap .clang-format .ci/* \
    ./*/local.mk script/* t/*.sh t/*.exp t/*.py man/*.[1-9] \
    2> /dev/null; code_files)
none "an SPDX line in the first three of each file" "$(for f in $texts; do
	head -n 3 "$f" | grep -q 'SPDX-License-Identifier: ISC' || echo "$f"
done)"
code=$(code_files)
none "C files open with it, then a comment" "$(for f in $code; do
	head -n 2 "$f" | tr '\n' ' ' |
	    grep -q '^/\* SPDX-License-Identifier: ISC \*/ /\* *' || echo "$f"
done)"
none "the comment has ten lines at most" "$(awk '
FNR == 1 { n = 0; open = 0 }
FNR == 2 && /^\/\*/ { open = 1 }
open && FNR <= 40 { n++ }
open && /\*\// { open = 0; if (n > 14) print FILENAME ": " n }' $code)"
