# SPDX-License-Identifier: ISC
# Each header compiles alone, and twice.
. "$SRCDIR/t/lib.sh"
plan 1
cd "$SRCDIR" || exit 1

# A make variable of the build.
var() { sed -n "s/^$1 = //p" "$BUILDDIR/Makefile" | head -n 1; }
compile() {
	$(var CC) -std=c11 -Wall -Werror -fsyntax-only -D_GNU_SOURCE \
	    -I"$SRCDIR" -I"$BUILDDIR" -DSYSCONFDIR='""' \
	    -DLOCALSTATEDIR='""' -DRUNSTATEDIR='""' -DLIBEXECDIR='""' \
	    -DSASL_PLUGINDIR='""' $(var EVENT_CFLAGS) $(var SSL_CFLAGS) \
	    $(var SASL_CFLAGS) $(var CONFUSE_CFLAGS) $(var JANSSON_CFLAGS) \
	    $(var SECCOMP_CFLAGS) $(var CMOCKA_CFLAGS) -x c -
}
none "headers compile alone" "$(for h in */*.h; do
	printf '#include "%s"\n#include "%s"\nextern int x;\n' "$h" "$h" |
	    compile 2>&1 | head -n 3
done)"
