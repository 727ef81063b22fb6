# SPDX-License-Identifier: ISC
# Keys with a passphrase: from a file, a descriptor, a systemd credential;
# never asked for, never told, and clear words where it does not fit.
. "$SRCDIR/t/lib.sh"
command -v curl > /dev/null || skip_all "no curl"
plan 28
fixture_init

secret="open sesame 1001"
mkdir "$T/credentials"
printf '%s\n' "$secret" > "$T/pass"
printf '%s' "$secret" > "$T/credentials/key"
printf 'open sesame\n' > "$T/wrong"
: > "$T/empty"
chmod 600 "$T/pass" "$T/wrong" "$T/credentials/key"
[ -z "$AS" ] || chown -R nobody:nogroup "$T/pass" "$T/wrong" "$T/empty" \
    "$T/credentials"
ok "a key with a passphrase" fixture_ctl cert server --dir "$T/tls" \
    --file locked --passphrase-file "$T/pass" "mail.$DOMAIN" localhost \
    127.0.0.1
ok "it is encrypted" grep -q 'BEGIN ENCRYPTED PRIVATE KEY' \
    "$T/tls/locked.key"
cp "$T/postern.conf" "$T/conf.plain"

# Take the locked key, and the passphrase from there.
passphrase() {
	cp "$T/conf.plain" "$T/postern.conf"
	fixture_conf "tls { certificates = { \"$T/tls/locked.pem\" }
	    keys = { \"$T/tls/locked.key\" } $1 }"
}

serves() {
	curl -sSf --cacert "$T/tls/ca.pem" -m 60 -o /dev/null \
	    --connect-to "localhost:$HTTPS:127.0.0.1:$HTTPS" \
	    "https://localhost:$HTTPS/healthz"
}

# In the foreground, without a terminal: its exit status.
status() {
	m=$1
	$AS "$BIN/$m" -L "$BIN" -c "$T/postern.conf" < /dev/null \
	    > "$T/log/$m.failed" 2>&1
	echo $?
	cat "$T/log/$m.failed" >> "$T/log/all"
}

greets() {
	echo QUIT | openssl s_client -quiet -connect "127.0.0.1:$SMTPS" \
	    -CAfile "$T/tls/ca.pem" -verify_return_error \
	    -verify_hostname localhost 2> /dev/null | grep -q '^220 '
}

passphrase "passphrase = \"$T/pass\""
fixture_start || exit 1
ok "from a file: the reader's service starts" serves
ok "so does that of SMTP" greets
kill -HUP "$(fixture_pid postern-retrieve)"
n=0
until [ "$(grep -c 'master: ready' "$T/log/postern-retrieve.log")" -ge 2 ] ||
    [ $n -gt 600 ]; do
	n=$((n + 1))
	sleep 0.05
done
ok "it is there for a reload" test $n -le 600
ok "and serves" serves
fixture_stop

passphrase 'passphrase = "fd:9"'
fixture_start postern-auth || exit 1
exec 9< "$T/pass"
fixture_start postern-retrieve || exit 1
exec 9< "$T/pass"
fixture_start postern-smtpd || exit 1
exec 9<&-
ok "from a descriptor: the reader's service starts" serves
ok "so does that of SMTP" greets
ready=$(grep -c 'master: ready' "$T/log/postern-retrieve.log")
kill -HUP "$(fixture_pid postern-retrieve)"
n=0
until [ "$(grep -c 'master: ready' "$T/log/postern-retrieve.log")" -gt \
    "$ready" ] || [ $n -gt 600 ]; do
	n=$((n + 1))
	sleep 0.05
done
ok "a reload has it still" test $n -le 600
ok "and serves on" serves
# A role that dies is given it again.
keys=$(pgrep -P "$(fixture_pid postern-retrieve)" -f tls-keys)
kill -KILL "$keys"
n=0
until serves 2> /dev/null || [ $n -gt 200 ]; do
	n=$((n + 1))
	sleep 0.1
done
ok "so does a new tls-keys" test $n -le 200
fixture_stop

passphrase 'passphrase = "credential:key"'
CREDENTIALS_DIRECTORY=$T/credentials
export CREDENTIALS_DIRECTORY
fixture_start || exit 1
ok "as a credential of systemd: the reader's service starts" serves
ok "so does that of SMTP" greets
unset CREDENTIALS_DIRECTORY
fixture_stop

for m in postern-smtpd postern-retrieve; do
	passphrase "passphrase = \"$T/wrong\""
	is "$m, a wrong one: status" "$(status $m)" 78
	ok "$m: named with its file" grep -q "locked.key.*passphrase" \
	    "$T/log/$m.failed"
done
passphrase ''
is "none: status" "$(status postern-retrieve)" 78
ok "says what is missing" grep -q "locked.key.*passphrase" \
    "$T/log/postern-retrieve.failed"
passphrase "passphrase = \"$T/empty\""
is "an empty one: status" "$(status postern-retrieve)" 78
passphrase "passphrase = \"$T/nowhere\""
is "a file that is not there: status" "$(status postern-retrieve)" 78
ok "is named" grep -q "$T/nowhere" "$T/log/postern-retrieve.failed"
passphrase 'passphrase = "fd:9"'
is "a descriptor that is not open: status" "$(status postern-retrieve)" 78
passphrase 'passphrase = "credential:key"'
is "no folder of credentials: status" "$(status postern-retrieve)" 78
CREDENTIALS_DIRECTORY=$T/credentials
export CREDENTIALS_DIRECTORY
passphrase 'passphrase = "credential:other"'
is "no such credential: status" "$(status postern-retrieve)" 78
passphrase 'passphrase = "relative"'
is "a value of no form: status" "$(status postern-retrieve)" 78
none "nobody has told it" "$(grep -rl 'open sesame' "$T/log" "$T/run")"
cp "$T/conf.plain" "$T/postern.conf"
fixture_start postern-auth postern-retrieve || exit 1
ok "a key without one needs none" serves
