# SPDX-License-Identifier: ISC
# posternctl check and show: every fault, with its line, all at once.
. "$SRCDIR/t/posternctl.sh"
plan 100
ctl_init
D=example.test

# Check with the conf changed by a sed script; $T/good is the good one.
with() {
	w_script=$1
	shift
	sed -E "$w_script" "$T/good" > "$T/postern.conf"
	exits "$@"
}
errors() { grep -vc warning: "$T/err"; }

exits "usage" 64 check twice
exits "nothing is there yet" 78 check
notok "folders are there" said 'mail_root|state_dir|run_dir'
ok "certificates" said ":8: tls.certificates: $T/tls/server.pem: No such"
ok "keys" said ":9: tls.keys: $T/tls/server.key: No such"
ok "accounts" said ":12: auth.accounts: $T/accounts: No such"

ctl cert ca --dir "$T/tls" > /dev/null
ctl cert server --dir "$T/tls" mail.$D > /dev/null
ctl user add alice@$D > /dev/null
cp "$T/postern.conf" "$T/good"
exits "all is well" 0 check
is "ok is said" "$(cat "$T/out")" "ok"
none "and nothing else" "$(cat "$T/err")"

# --- the conf itself
with '3s/$/\nnonsense = 1/' "unknown key" 78 check
ok "with its line" said "^$T/postern.conf:4: "
with 's/iterations = .*/iterations = 1/; s/port = 0/port = 66000/' \
    "values out of range" 78 check
ok "one" said ':13: .*auth.iterations'
ok "the other" said ':15: .*port'
with 's/iterations = .*/iterations = 1/; s|server.key|none.key|; s|/mail"|/none"|' \
    "bad values, missing folders and files at once" 78 check
ok "the value" said ':13: .*auth.iterations'
ok "the folder" said ":3: mail_root: $T/none: No such file"
ok "the key" said ":9: tls.keys: $T/tls/none.key: No such file"
with 's|= .*/run"|= run|; s|= . .*server.key|= { "server.key|' \
    "what a bad value would have named is not looked for" 78 check
ok "the bad values" said ':9: tls.keys: .*not an absolute path'
is "and nothing else of them" "$(grep -cE 'run_dir|with |No such' "$T/err")" 1
with '$s/$/ {/' "syntax error" 78 check
ok "with its line" said ':15: '
rm "$T/postern.conf"
exits "no conf" 78 check

# --- folders
with 's|/mail"|/none"|' "no mail_root" 78 check
ok "with its line" said ":3: mail_root: $T/none: No such file"
with 's|/state"|/postern.conf"|' "a file for a folder" 78 check
ok "with its line" said ':4: state_dir: .*not a folder'
chmod 777 "$T/run"
with '' "everybody may write" 78 check
ok "with its line" said ':5: run_dir: .*everybody may write'
chmod 500 "$T/run"
with '' "no permission" 78 check
ok "with its line" said ':5: run_dir: .*Permission denied'
chmod 700 "$T/run"
chmod 2755 "$T/mail"
with '' "everybody may read mail_root: a warning" 0 check
ok "with its line" said ':3: warning: mail_root: .*everybody may read'
chmod 2750 "$T/mail"

# --- keys
chmod 644 "$T/tls/server.key"
with '' "a key that others may read" 78 check
ok "with its line" said ':9: tls.keys: .*others may read'
chmod 000 "$T/tls/server.key"
with '' "a key that cannot be read" 78 check
ok "with its line" said ':9: tls.keys: .*Permission denied'
chmod 600 "$T/tls/server.key"
with 's|server.key|ca.key|' "a key of another" 78 check
ok "says so" said ':9: tls.keys: .*does not belong'
with 's|server.pem|server.key|' "no certificate" 78 check
ok "says so" said ':9: tls.keys: .*no certificate'
echo secret | put pass
echo wrong | put wrong
ctl cert server --dir "$T/tls" --file enc --passphrase-file "$T/pass" \
    mail.$D > /dev/null
with 's|server\.|enc.|' "no passphrase" 78 check
ok "says so" said 'tls.keys: .*encrypted'
with "s|server\\.|enc.|; s|tls [{]|& passphrase = \"$T/wrong\"|" \
    "a wrong passphrase" 78 check
ok "says so" said 'tls.keys: .*does not open'
with "s|server\\.|enc.|; s|tls [{]|& passphrase = \"$T/pass\"|" \
    "the right passphrase" 0 check
chmod 604 "$T/pass"
with "s|server\\.|enc.|; s|tls [{]|& passphrase = \"$T/pass\"|" \
    "a passphrase that others may read" 78 check
ok "with its line" said ':7: tls.passphrase: .*others may read'
with "s|server\\.|enc.|; s|tls [{]|& passphrase = \"$T/none\"|" \
    "no passphrase file" 78 check
ok "with its line" said ':7: tls.passphrase: '
with "s|server\\.|enc.|; s|tls [{]|& passphrase = \"fd:9\"|" \
    "a passphrase only a service has" 0 check
ok "a warning" said 'warning: tls.passphrase: '

# --- what clients will not like
with 's/^hostname.*/hostname = "mx.example.test"/' "another hostname" 0 check
ok "a warning" said ':8: warning: .*not for the hostname mx.example.test'
ctl cert server --dir "$T/tls" --file soon --days 5 mail.$D > /dev/null
with 's|server\.|soon.|' "a certificate that ends soon" 0 check
ok "a warning" said ':8: warning: tls.certificates: .*expires in [45] days'

# --- certificates of clients
clients="tls [{]|& client_certificates = request client_ca"
with "s|tls [{]|& client_certificates = require|" "no CAs of clients" 78 check
ok "says so" said 'tls.client_ca: needed where'
with "s|tls [{]|& client_certificates = maybe|" "no such word" 78 check
ok "with its line" said ':7: tls.client_certificates: .*maybe'
is "and nothing else" "$(errors)" 1
with "s|$clients = \"tls/ca.pem\"|" "not an absolute path" 78 check
ok "with its line" said ':7: tls.client_ca: .*not an absolute path'
is "and nothing else" "$(errors)" 1
with "s|$clients = \"$T/none\"|" "no file" 78 check
ok "with its line" said ":7: tls.client_ca: $T/none: No such"
with "s|$clients = \"$T/tls/server.key\"|" "no certificate" 78 check
ok "with its line" said ':7: tls.client_ca: .*no certificate in PEM'
with "s|$clients = \"$T/tls/server.pem\"|" "not a CA's" 78 check
ok "with its line" said ':7: tls.client_ca: .*1 is not that of a CA'
with "s|$clients = \"$T/tls/ca.pem\"|" "a CA's" 0 check
none "and nothing is said" "$(cat "$T/err")"
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout "$T/sub.key" -subj /CN=Sub 2> /dev/null |
    openssl x509 -req -CA "$T/tls/ca.pem" -CAkey "$T/tls/ca.key" -days 9 \
    -extfile /dev/fd/3 3<< END 2> /dev/null | put sub.pem
basicConstraints=critical,CA:TRUE
END
with "s|$clients = \"$T/sub.pem\"|" "a CA without its own" 0 check
ok "a warning" said ':7: warning: tls.client_ca: .* 1 was signed by one'
cat "$T/tls/ca.pem" "$T/sub.pem" | put both.pem
with "s|$clients = \"$T/both.pem\"|" "both" 0 check
none "and nothing is said" "$(cat "$T/err")"
openssl x509 -in "$T/tls/ca.pem" -signkey "$T/tls/ca.key" -days -1 \
    2> /dev/null | put old.pem
with "s|$clients = \"$T/old.pem\"|" "one that has expired" 0 check
ok "a warning" said ':7: warning: tls.client_ca: .* 1 has expired'
with 's|auth [{]|& mechanisms = { PLAIN, EXTERNAL }|' \
    "EXTERNAL that nobody can use" 0 check
ok "a warning" said ':11: warning: auth.mechanisms: EXTERNAL is never'
with "s|auth [{]|& mechanisms = EXTERNAL|; s|$clients = \"$T/tls/ca.pem\"|" \
    "EXTERNAL that some can use" 0 check
none "and nothing is said" "$(cat "$T/err")"
with 's|auth [{]|& mechanisms = { PLAIN, SCRAM-SHA-1 }|' \
    "a mechanism there is none of" 78 check

# --- accounts
with 's/"example.test", //' "an account of no domain" 78 check
ok "says so" said ":12: auth.accounts: alice@$D: its domain"
chmod 644 "$T/accounts"
with '' "accounts that others may read" 78 check
ok "says so" said ':12: auth.accounts: .*others may read'
chmod 640 "$T/accounts"
rmdir "$T/mail/$D/alice"
echo "nonsense" >> "$T/accounts"
with '' "a bad line" 78 check
ok "says so" said 'auth.accounts: .*1 bad line'
ok "a missing mailbox is a warning" said "warning: .*alice@$D: has no mail"
sed -i '$d' "$T/accounts"

# --- listeners
with '/^listen/d' "no listener" 78 check
with 's/"127.0.0.1"/"192.0.2.77"/' "an address of another machine" 78 check
with 's/^listen https (.*) port = 0/listen https \1 port = 42321/
$s/$/\nlisten submission { addresses = "127.0.0.1" port = 42321 }/' \
    "one port for two" 78 check
with 's|/mail"|/none"|; s|/run"|/none"|; s|server.pem|x|' \
    "several faults" 78 check
is "all are told" "$(errors)" 3

# --- show
cp "$T/good" "$T/postern.conf"
exits "show" 0 show
cp "$T/out" "$T/shown"
cp "$T/shown" "$T/postern.conf"
ctl show > "$T/again"
ok "what is shown reads back the same" cmp "$T/shown" "$T/again"
exits "show --defaults" 0 show --defaults
exits "bad option of show" 64 show --all
