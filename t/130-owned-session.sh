# SPDX-License-Identifier: ISC
# What a session process can do when it is in an attacker's hands. The master
# starts t/owned/owned-session in place of smtpd-session; it tries one thing
# after the other. Each must fail, and the others must serve on.
. "$SRCDIR/t/lib.sh"
owned=$BUILDDIR/t/owned/owned-session
[ -x "$owned" ] || skip_all "t/owned/owned-session is not built"
command -v python3 > /dev/null || skip_all "no python3"

attempts=$("$owned" list) || exit 1
count=$(printf '%s\n' "$attempts" | wc -l)
plan $((count + 8))

fixture_init || exit 1
mkdir "$T/owned"
for f in postern-auth postern-smtpd posternctl auth-server auth-sasl tls-keys smtpd-store; do
	install -m 755 "$BIN/$f" "$T/owned/$f"
done
install -m 755 "$owned" "$T/owned/smtpd-session"
: > "$T/owned/go"
[ -z "$AS" ] || chown -R nobody:nogroup "$T/owned"
BIN=$T/owned
fixture_conf 'session_processes = 24'
fixture_start postern-auth postern-smtpd || exit 1

children() {
	p=$(fixture_pid "$1")
	for c in $(cat "/proc/$p/task/$p/children"); do
		name=$(cat "/proc/$c/comm" 2> /dev/null) &&
		    printf '%s %s\n' "$name" "$c"
	done
}

helpers() {
	{ children postern-auth; children postern-smtpd; } |
	    grep -v smtpd-session | sort
}

# One who is in the middle of a message all the while.
cat > "$T/neighbour.py" << 'END'
import os, smtplib, ssl, sys, time
port, ca, folder = sys.argv[1:]
s = smtplib.SMTP_SSL("localhost", int(port), timeout=60,
    context=ssl.create_default_context(cafile=ca))
s.login("carol@example.test", "carol-secret")
assert s.mail("carol@example.test")[0] == 250
assert s.rcpt("carol@example.test")[0] == 250
assert s.docmd("DATA")[0] == 354
s.send(b"Subject: neighbour\r\n\r\nfirst\r\n")
open(folder + "/connected", "w").close()
while not os.path.exists(folder + "/finish"):
    time.sleep(0.02)
s.send(b"second\r\n.\r\n")
print(s.getreply()[0])
END
python3 "$T/neighbour.py" "$SMTPS" "$T/tls/ca.pem" "$T" \
    > "$T/neighbour" 2>&1 &
neighbour=$!
n=0
until [ -e "$T/connected" ] || [ $n -gt 400 ]; do
	n=$((n + 1))
	sleep 0.05
done

before=$(helpers)
log=$T/log/postern-smtpd.log
printf x > "$T/owned/go"

# What became of attempt $1: refused, not refused: ..., signal=N, or nothing.
fate() {
	[ -s "$T/owned/result.$1" ] || return
	r=$(sed -n 2p "$T/owned/result.$1")
	if [ -n "$r" ]; then
		printf '%s\n' "$r"
		return
	fi
	pid=$(sed -n 's/^pid=//p' "$T/owned/result.$1")
	sed -n "s/.*ended role=smtpd-session pid=$pid \\(signal=[0-9]*\\).*/\\1/p" \
	    "$log"
}

n=0
printf '%s\n' "$attempts" > "$T/attempts"
while read -r number expected name; do
	if [ "$expected" = skip ]; then
		skip "$name: sanitizer builds have no seccomp"
		continue
	fi
	got=$(fate "$number")
	while [ -z "$got" ] && [ $n -lt 1200 ]; do
		n=$((n + 1))
		sleep 0.05
		got=$(fate "$number")
	done
	case $expected in
	killed) is "$name: killed" "$got" signal=31 ;;
	master) is "$name: killed by the master" "$got" signal=9 ;;
	refused) is "$name: refused" "$got" refused ;;
	esac
done < "$T/attempts"

is "no other process has died" "$(helpers)" "$before"
touch "$T/finish"
wait $neighbour
is "who was in a message all the while is served" \
    "$(cat "$T/neighbour")" 250
n=0
while [ "$(children postern-smtpd | grep -c smtpd-session)" -ne 24 ] &&
    [ $n -lt 200 ]; do
	n=$((n + 1))
	sleep 0.05
done
is "all sessions run again" \
    "$(children postern-smtpd | grep -c smtpd-session)" 24

# Without waiting longer for auth than one reconnection takes.
n=0
until swaks --server "localhost:$SMTPS" --tls-on-connect --auth PLAIN \
    --auth-user "bob@$DOMAIN" --auth-password bob-secret \
    --from "bob@$DOMAIN" --to "alice@$DOMAIN" --body after \
    > "$T/swaks" 2>&1 || [ $n -ge 5 ]; do
	n=$((n + 1))
	sleep 0.2
done
ok "mail is taken again" grep -q '^<~  250 2.0.0' "$T/swaks"
new=$T/mail/$DOMAIN
is "one message of an owned session's own login" \
    "$(find "$new/bob" -type f | wc -l)" 1
ok "and it is as it was sent" grep -qx 'as sent' "$new"/bob/Maildir/new/*
notok "and not changed" grep -q changed "$new"/bob/Maildir/new/*
is "nothing is left in tmp" "$(find "$new" -path '*/Maildir/tmp/*' | wc -l)" 0
