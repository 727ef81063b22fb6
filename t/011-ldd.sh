# SPDX-License-Identifier: ISC
# What each program is linked with: TLS in sessions alone, SASL in its
# workers alone. And what the pure parts call: nothing of the system.
. "$SRCDIR/t/lib.sh"
plan 19

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
ok "posternctl has no TLS, SASL" without posternctl ssl sasl2
for p in $MASTERS; do
	ok "$p has no TLS, SASL, crypto" without "$p" ssl sasl2 crypto
done

# Calls of the system, and our own functions that make them.
calls='accept4?|bind|connect|exec.*|f?open(at)?|fdopen|f?stat(at)?|fork|getenv'
calls="$calls|getpid|getrandom|listen|mmap|p?poll|p?read|p?write|readv|rename.*"
calls="$calls|recv.*|send.*|socket.*|syscall|time|clock_gettime|unlink.*|writev"
calls="$calls|(accept|chan|conn|event|file|ipc|log|now|role|wire)_.*"
for a in libsmtp libretrieve libmail libauth libauthclient; do
	none "$a makes no system call" "$(nm -u "$BUILDDIR/$a.a" |
	    awk '$1 == "U" && $2 != "log_bug" { print $2 }' |
	    grep -xE "$calls" | sort -u)"
done
