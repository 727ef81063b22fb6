# SPDX-License-Identifier: ISC
# Faults of the disk at each step of a delivery: the client is told 4xx and
# nothing is left behind, or 250 and all is there. Needs --enable-fault.
. "$SRCDIR/t/lib.sh"
grep -q '^#define POSTERN_FAULT' "$BUILDDIR/config.h" ||
    skip_all "not built with --enable-fault"
command -v swaks > /dev/null || skip_all "no swaks"

# fault point, reply, files then in new/ of the two recipients, and in tmp/
CASES='
tmpfile:1=EIO 451 0
tmpfile:1=ENOSPC 452 0
tmpfile:1=EOPNOTSUPP 250 2
write:1=ENOSPC 452 0
write:1=EDQUOT 452 0
write:1=EIO 451 0
fsync:1=EIO 451 0
open:1=EMFILE 451 0
open:2=EACCES 451 0
mkdir:1=ENOSPC 452 0
mkdir:4=EROFS 451 0
link:1=EXDEV 451 0
link:2=ENOSPC 452 0
dirsync:2=EIO 451 0
dirsync:5=EIO 451 0
dirsync:6=EIO 451 0
send:5=EPIPE 451 2
quotaread:1=EIO 250 2
quotawrite:1=ENOSPC 250 2
quotawrite:2=EIO 250 2
quotawrite:1=KILL 451 2 1
quotarename:1=EACCES 250 2
quotarename:2=KILL 451 2 1
fsync:1=KILL 451 0
link:1=KILL 451 0
'
plan $(($(printf '%s' "$CASES" | grep -c :) * 3))
fixture_init || exit 1
# A maildirsize is a cache: mail comes whether or not it can be written.
fixture_conf 'delivery { quota = 1G }'

# The reply to the end of a message for bob and carol.
deliver() {
	swaks --server "127.0.0.1:$SMTP" --tls --auth PLAIN \
	    --auth-user "alice@$DOMAIN" --auth-password alice-secret \
	    --from "alice@$DOMAIN" --to "bob@$DOMAIN,carol@$DOMAIN" \
	    --body "$1" > "$T/swaks" 2>&1
	sed -n '/^ ~> \.$/,$s/^<~.  *\([0-9]*\) .*/\1/p' "$T/swaks" |
	    head -n 1
}

files() { find "$T/mail" -path "*/Maildir/$1/*" -type f | wc -l; }

while read -r point reply left tmp; do
	[ -n "$point" ] || continue
	rm -rf "$T"/mail/*/*/Maildir
	export POSTERN_FAULT_POINTS="$point"
	fixture_start || exit 1
	is "$point: the reply" "$(deliver "$point")" "$reply"
	is "$point: what is in new/" "$(files new)" "$left"
	is "$point: what is in tmp/" "$(files tmp)" "${tmp:-0}"
	fixture_stop
done <<END
$CASES
END
