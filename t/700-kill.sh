# SPDX-License-Identifier: ISC
# Processes die at random under load: nothing acknowledged is lost, no client
# hangs, the masters start again what died.
. "$SRCDIR/t/lib.sh"
command -v python3 > /dev/null || skip_all "no python3"

ROUNDS=${ROUNDS:-30}
plan 9
fixture_init
fixture_conf 'limits { messages_per_session = 1000000 }'
fixture_start || exit 1

# The pids of all role processes.
roles() {
	for m in $MASTERS; do
		cat "/proc/$(fixture_pid "$m")/task/$(fixture_pid "$m")/children"
	done
}

value() { printf '%s\n' "$result" | sed -n "s/.*\\b$1=\\([0-9]*\\).*/\\1/p"; }

started=$(roles | wc -w)
python3 "$SRCDIR/t/load.py" "$SMTP" "$T/tls/ca.pem" "$T/mail" "$T/stop" 6 \
    > "$T/result" 2>&1 &
load=$!
n=0
while [ $n -lt "$ROUNDS" ]; do
	n=$((n + 1))
	sleep 0.$((n * 37 % 40 + 10))
	victim=$(roles | tr ' ' '\n' | grep . | shuf -n 1)
	[ -z "$victim" ] || kill -KILL "$victim" 2> /dev/null
done
sleep 2
touch "$T/stop"
wait $load
result=$(cat "$T/result")
diag "$result"
ok "the load ran to its end" test -n "$(value sent)"
ok "messages went through" test "$(value sent)" -gt 20
is "no acknowledged message is lost" "$(value lost)" 0
is "no message is stored in part" "$(value broken)" 0
is "no client hangs" "$(value hung)" 0
n=0
while [ "$(roles | wc -w)" -ne "$started" ] && [ $n -lt 100 ]; do
	n=$((n + 1))
	sleep 0.1
done
is "every process runs again" "$(roles | wc -w)" "$started"
n=0
until swaks --server "127.0.0.1:$SMTP" --tls --auth PLAIN \
    --auth-user "bob@$DOMAIN" --auth-password bob-secret \
    --from "bob@$DOMAIN" --to "carol@$DOMAIN" --body after \
    > "$T/swaks" 2>&1 || [ $n -gt 20 ]; do
	n=$((n + 1))
	sleep 0.2
done
ok "mail is taken again" grep -q '^<~  250 2.0.0' "$T/swaks"
n=0
until curl -sSf --cacert "$T/tls/ca.pem" \
    --resolve "mail.$DOMAIN:$HTTPS:127.0.0.1" \
    -u "carol@$DOMAIN:carol-secret" "https://mail.$DOMAIN:$HTTPS/mail/" \
    > "$T/curl" 2>&1 || [ $n -gt 50 ]; do
	n=$((n + 1))
	sleep 0.2
done
ok "mail is served again" grep -q '^ID' "$T/curl"
is "nothing is left in tmp" "$(find "$T/mail" -path '*/Maildir/tmp/*' | wc -l)" 0
