# SPDX-License-Identifier: ISC
# posternctl cert: what it makes is what TLS clients take, and no more.
. "$SRCDIR/t/posternctl.sh"
plan 167
ctl_init
P=$T/pki

text() { openssl x509 -noout -text -in "$P/$1.pem"; }
has() { text "$1" | tr -s ' \n' ' ' | grep -qF -e "$2"; }
verifies() {
	openssl verify -x509_strict -purpose sslserver -CAfile "$P/ca.pem" \
	    "$@" 2>&1 | grep -q ': OK$'
}
# Has a certificate this many days, give or take the minutes of a test?
lasts() {
	openssl x509 -noout -in "$P/$1.pem" -checkend $(($2 * 86400 - 600)) &&
	! openssl x509 -noout -in "$P/$1.pem" -checkend $(($2 * 86400 + 600))
}
serial() { openssl x509 -noout -serial -in "$P/$1.pem" | sed 's/.*=//'; }
public() { openssl x509 -noout -pubkey -in "$P/$1.pem"; }
public_of_key() { openssl pkey -pubout -in "$P/$1.key" 2> /dev/null; }
checks() { openssl x509 -noout -in "$P/$1.pem" "$2" "$3" | grep -q 'does match'; }
files() { find "$P" -mindepth 1 -printf '%f ' | tr ' ' '\n' | sort |
    tr '\n' ' '; }

# --- usage
exits "cert alone" 64 cert
exits "unknown command" 64 cert clients
exits "unknown option" 64 cert ca --colour
exits "option of another command" 64 cert ca --file x
exits "an operand too many" 64 cert ca there
exits "no name" 64 cert server --dir "$P"
exits "no days" 64 cert ca --dir "$P" --days 0
exits "too many days" 64 cert ca --dir "$P" --days 36526
exits "days that are no number" 64 cert ca --dir "$P" --days 1d
exits "a file name that leads away" 64 cert server --dir "$P" --file ../x a.b
exits "a hidden file" 64 cert server --dir "$P" --file .x a.b
exits "the CA's name" 64 cert server --dir "$P" --file ca a.b
notok "nothing was made" test -e "$P"

# --- a CA
exits "no CA yet" 66 cert server --dir "$P" mail.example.test
is "nothing was made" "$(files)" ""
exits "CA" 0 cert ca --dir "$P" --name "Test CA, Ünïcode"
is "says where" "$(tr '\n' ' ' < "$T/out")" "$P/ca.pem $P/ca.key "
is "two files" "$(files)" "ca.key ca.pem "
is "mode of the key" "$(mode "$P/ca.key")" 600
is "mode of the certificate" "$(mode "$P/ca.pem")" 644
ok "is a CA of no other CA" has ca "Basic Constraints: critical CA:TRUE, pathlen:0"
ok "signs alone" has ca "Key Usage: critical Certificate Sign, CRL Sign X509v3"
ok "P-256" has ca "ASN1 OID: prime256v1"
ok "ten years" lasts ca 3652
ok "key fits" test "$(public ca)" = "$(public_of_key ca)"
before=$(sha256sum "$P"/*)
exits "another CA" 73 cert ca --dir "$P"
is "is not made" "$(sha256sum "$P"/*)" "$before"
exits "no parent" 66 cert ca --dir "$T/a/b"
exits "name too long" 65 cert ca --dir "$T/pki2" \
    --name "$(head -c 65 /dev/zero | tr '\0' x)"
exits "empty name" 65 cert ca --dir "$T/pki2" --name ""

# --- a server
exits "server" 0 cert server --dir "$P" Mail.Example.test localhost \
    '*.wild.test' 127.0.0.1 ::1 mail.example.test
is "four files" "$(files)" "ca.key ca.pem server.key server.pem "
is "mode of the key" "$(mode "$P/server.key")" 600
ok "verifies" verifies "$P/server.pem"
for n in mail.example.test localhost a.wild.test; do
	ok "for $n" verifies -verify_hostname $n "$P/server.pem"
	ok "openssl says so too" checks server -checkhost $n
done
for n in 127.0.0.1 ::1; do
	ok "for $n" verifies -verify_ip $n "$P/server.pem"
	ok "openssl says so too" checks server -checkip $n
done
notok "not for another" verifies -verify_hostname example.test "$P/server.pem"
is "each name once" "$(text server | grep -o 'DNS:' | wc -l)" 3
ok "is no CA" has server "Basic Constraints: critical CA:FALSE"
ok "signs handshakes alone" has server \
    "Key Usage: critical Digital Signature X509v3"
ok "is a server alone" has server \
    "Extended Key Usage: TLS Web Server Authentication X509v3"
ok "names its issuer's key" has server "Authority Key Identifier"
ok "397 days" lasts server 397
is "a serial number of 128 bits" "$(serial server | wc -c)" 33
ok "key fits" test "$(public server)" = "$(public_of_key server)"
exits "server again" 73 cert server --dir "$P" mail.example.test
exits "another one" 0 cert server --dir "$P" --file two 192.0.2.1
ok "without a host name" verifies -verify_ip 192.0.2.1 "$P/two.pem"
ok "names are critical then" has two "Alternative Name: critical"
notok "serial numbers differ" test "$(serial two)" = "$(serial server)"
for n in '' -a a- a..b .a a_b 'a b' 'a,b' 'a/b' 1.2.3 1.2.3.4.5 ::g \
    '*' '*.' '*.test' 'a.*.test' 'ä.test' "$(head -c 64 /dev/zero |
    tr '\0' a).test" 'a
b' 'DNS:x'; do
	exits "name '$(printf %s "$n" | tr '\n' '?' | cut -c 1-12)'" 65 \
	    cert server --dir "$P" --file bad -- "$n"
done
notok "no file of a bad name" test -e "$P/bad.key"

# --- a client
exits "no address" 64 cert client --dir "$P"
exits "client" 0 cert client --dir "$P" Alice+x@Example.test bob@example.test
B=client-alice_x_example.test
is "named after the first address" "$(tr '\n' ' ' < "$T/out")" \
    "$P/$B.pem $P/$B.key "
is "mode of the key" "$(mode "$P/$B.key")" 600
client() {
	openssl verify -x509_strict -purpose "$1" -CAfile "$P/ca.pem" \
	    "$P/$2.pem" 2>&1 | grep -q ': OK$'
}
ok "verifies as a client" client sslclient $B
notok "not as a server" client sslserver $B
notok "nor a server as a client" client sslclient server
ok "is a client alone" has $B \
    "Extended Key Usage: TLS Web Client Authentication X509v3"
ok "both addresses" has $B \
    "email:alice+x@example.test, email:bob@example.test"
ok "is no CA" has $B "Basic Constraints: critical CA:FALSE"
ok "397 days" lasts $B 397
ok "key fits" test "$(public $B)" = "$(public_of_key $B)"
exits "client again" 73 cert client --dir "$P" alice+x@example.test
for n in alice alice@ @example.test a@b@c.test 'a b@c.test' .a@c.test \
    a.@c.test a..b@c.test 'a@*.c.test' 'a@[192.0.2.1]' '"a"@c.test' \
    mail.example.test 'ä@c.test' "$(head -c 65 /dev/zero |
    tr '\0' a)@c.test"; do
	exits "address '$(printf %s "$n" | cut -c 1-12)'" 65 \
	    cert client --dir "$P" --file bad -- "$n"
done
exits "a server's name is no address" 65 \
    cert server --dir "$P" --file bad a@c.test
exits "too long for a file" 64 cert client --dir "$P" \
    "$(head -c 60 /dev/zero | tr '\0' a)@c.test"
notok "no file of a bad name" test -e "$P/bad.key"
before=$(public $B)
exits "renew a client" 0 cert renew --dir "$P" --file $B --days 9
ok "is a client still" client sslclient $B
ok "both addresses" has $B \
    "email:alice+x@example.test, email:bob@example.test"
is "the same key" "$(public $B)" "$before"
rm "$P/$B".*
openssl req -new -key "$P/server.key" -subj /CN=x 2> /dev/null |
    openssl x509 -req -CA "$P/ca.pem" -CAkey "$P/ca.key" -days 9 -extfile \
    /dev/fd/3 -out "$P/mixed.pem" 2> /dev/null 3<< END
subjectAltName=DNS:a.test,email:a@a.test
END
cp -p "$P/server.key" "$P/mixed.key"
exits "a certificate of both kinds is not renewed" 65 \
    cert renew --dir "$P" --file mixed
rm "$P"/mixed.*

# --- renew
before=$(public server)
cp "$P/server.pem" "$T/was"
exits "not due" 0 cert renew --dir "$P" --within 30
ok "left as it is" cmp "$P/server.pem" "$T/was"
exits "renew" 0 cert renew --dir "$P" --within 397 --days 200
ok "the old one is kept" cmp "$P/server.pem.old" "$T/was"
ok "200 days" lasts server 200
is "the same key" "$(public server)" "$before"
ok "the same names" verifies -verify_hostname a.wild.test "$P/server.pem"
ok "all of them" verifies -verify_ip ::1 "$P/server.pem"
cp "$P/server.key" "$T/was"
exits "renew with a new key" 0 cert renew --dir "$P" --new-key
notok "another key" test "$(public server)" = "$before"
ok "which fits" test "$(public server)" = "$(public_of_key server)"
is "mode of the key" "$(mode "$P/server.key")" 600
ok "the old key is kept" cmp "$P/server.key.old" "$T/was"
is "mode of the old key" "$(mode "$P/server.key.old")" 600
before=$(public ca)
exits "renew the CA" 0 cert renew --dir "$P" --file ca --days 9
is "the same key" "$(public ca)" "$before"
ok "what it signed is good" verifies "$P/server.pem"
exits "a CA with a new key" 64 cert renew --dir "$P" --file ca --new-key
exits "no longer than the CA" 0 cert renew --dir "$P"
ok "says so" said 'warning: .*ends with its CA'
ok "9 days" lasts server 9
exits "renew what is not there" 66 cert renew --dir "$P" --file none
cp "$P/two.key" "$P/server.key"
exits "a key of another" 65 cert renew --dir "$P"
cp "$P/two.key" "$P/ca.key"
exits "a CA's key of another" 65 cert renew --dir "$P" --file two
none "nothing half made" "$(find "$P" -name '.*' -type f)"

ctl cert ca --dir "$T/pki2" > "$T/out"
cp "$T"/pki2/ca.* "$P/"
before=$(sha256sum "$P"/*)
exits "a certificate of another CA" 65 cert renew --dir "$P" --file two
ok "says so" said 'two.pem: was not signed by this CA'
is "is left as it is" "$(sha256sum "$P"/*)" "$before"

# --- passphrases
P=$T/enc
echo 'ca pass' | put capass
printf 'server pass\r\nmore\n' | put pass
: | put empty
exits "CA with a passphrase" 0 cert ca --dir "$P" \
    --passphrase-file "$T/capass"
ok "key is encrypted" grep -q 'BEGIN ENCRYPTED PRIVATE KEY' "$P/ca.key"
exits "the CA's passphrase is needed" 65 cert server --dir "$P" a.test
exits "another will not do" 65 cert server --dir "$P" a.test \
    --ca-passphrase-file "$T/pass"
exits "a passphrase for each" 0 cert server --dir "$P" a.test \
    --ca-passphrase-file "$T/capass" --passphrase-file "$T/pass"
ok "key opens with it" openssl pkey -noout -in "$P/server.key" \
    -passin 'pass:server pass'
exits "renew needs both" 65 cert renew --dir "$P" \
    --ca-passphrase-file "$T/capass"
exits "renew with both" 0 cert renew --dir "$P" --new-key \
    --ca-passphrase-file "$T/capass" --passphrase-file "$T/pass"
ok "key opens with it" openssl pkey -noout -in "$P/server.key" \
    -passin 'pass:server pass'
exits "an empty passphrase" 65 cert renew --dir "$P" \
    --ca-passphrase-file "$T/empty"
exits "no passphrase file" 66 cert renew --dir "$P" \
    --ca-passphrase-file "$T/none"
chmod 644 "$T/capass"
exits "a passphrase everybody may read" 0 cert renew --dir "$P" --file ca \
    --ca-passphrase-file "$T/capass"
ok "a warning" said 'warning: everybody may read'

# --- show
exits "show the folder" 0 cert show --dir "$P"
ok "subject" printed '^subject: CN=a.test$'
ok "names" printed '^name: a.test$'
ok "days" printed '^until: 20.*Z \(39[67] days left\)$'
fingerprint=$(openssl x509 -noout -fingerprint -sha256 -in "$P/server.pem" |
    sed 's/.*=//')
ok "fingerprint" grep -qxF "sha256: $fingerprint" "$T/out"
exits "show a file" 0 cert show "$P/ca.pem"
ok "a CA" printed '^ca: yes$'
exits "show what is none" 65 cert show "$T/pass"
exits "show what is not there" 66 cert show "$T/none"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout "$T/x" -subj "/CN=$(printf 'evil\033[2Jname')" -days 1 \
    2> /dev/null | put evil.pem
exits "a subject with an escape" 0 cert show "$T/evil.pem"
notok "does not reach the terminal" grep -q "$(printf '\033')" "$T/out"
chmod 555 "$P"
exits "no permission" 77 cert renew --dir "$P" --file server \
    --ca-passphrase-file "$T/capass" --passphrase-file "$T/pass"
chmod 755 "$P"
