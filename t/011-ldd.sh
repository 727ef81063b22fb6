# SPDX-License-Identifier: ISC
# What each program is linked with: TLS in sessions alone, SASL in its
# workers alone.
. "$SRCDIR/t/lib.sh"
plan 13

# Is BUILDDIR/$1 linked with lib$2?
links() { ldd "$BUILDDIR/$1" | grep -q "lib$2\.so"; }
without() {
	prog=$1
	shift
	links "$prog" c || return 1
	for l in "$@"; do
		! links "$prog" "$l" || { echo "$prog has lib$l"; return 1; }
	done
}

for p in smtpd-session retrieve-session; do
	ok "$p has libssl" links $p ssl
	ok "$p has no libsasl2" without $p sasl2
done
ok "auth-sasl has libsasl2" links auth-sasl sasl2
ok "auth-sasl has no libssl" without auth-sasl ssl
ok "auth-server has neither" without auth-server ssl sasl2
ok "smtpd-store has no TLS, SASL, crypto" \
    without smtpd-store ssl sasl2 crypto
ok "retrieve-reader has no TLS, SASL, crypto" \
    without retrieve-reader ssl sasl2 crypto
ok "tls-keys has no TLS, SASL" without tls-keys ssl sasl2
for p in $MASTERS; do
	ok "$p has no TLS, SASL, crypto" without "$p" ssl sasl2 crypto
done
