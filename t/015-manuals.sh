# SPDX-License-Identifier: ISC
# mandoc has nothing to complain about, and every program has a page.
. "$SRCDIR/t/lib.sh"
plan 3
cd "$SRCDIR" || exit 1

none "mandoc -T lint is silent" "$(mandoc -T lint -W warning man/*.[1-9] |
    grep -v 'referenced manual not found')"
none "the programs have their pages" "$(for p in postern-auth.8 \
    postern-smtpd.8 postern-retrieve.8 posternctl.8 postern.conf.5 \
    postern-accounts.5 postern-aliases.5 postern-smtp.7 postern-http.7; do
	[ -f "man/$p" ] || echo "$p"
done)"
none "pages that are referred to are there" "$(sed -n \
    's/^\.Xr \(postern[a-z.-]*\) \([1-9]\).*/\1.\2/p' man/*.[1-9] | sort -u |
    while read -r p; do [ -f "man/$p" ] || echo "$p"; done)"
