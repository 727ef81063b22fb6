# SPDX-License-Identifier: ISC
# One message, from swaks by way of the store and the reader to curl: three
# recipients, one file, the same octets.
. "$SRCDIR/t/lib.sh"
command -v swaks > /dev/null || skip_all "no swaks"
command -v curl > /dev/null || skip_all "no curl"
plan 25
fixture_init
fixture_start || exit 1

# What swaks sends, with LF: a header that nothing is added to, 10 KiB.
{
	cat <<-END
	Date: Sat, 01 Aug 2026 10:00:00 +0000
	From: Alice <alice@$DOMAIN>
	To: bob@$DOMAIN, carol@$DOMAIN
	Subject: ten kilobytes
	Message-ID: <e2e@client.test>

	..two dots, one dot and a From_:
	.
	From here on
	END
	awk 'BEGIN { for (i = 0; i < 170; i++)
	    printf "%04d abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ =\n", i }'
} > "$T/message"
sum=$(sha256sum < "$T/message")
ok "the message has 10 KiB" test "$(wc -c < "$T/message")" -ge 10240

send() {
	swaks --server "127.0.0.1:$SMTP" --tls --auth PLAIN \
	    --auth-user "alice@$DOMAIN" --auth-password alice-secret \
	    --from "alice@$DOMAIN" --ehlo client.test --no-data-fixup \
	    --data "@$T/wire" "$@" > "$T/swaks" 2>&1
}

# CRLF, dots doubled, the end: nothing is left for swaks to change.
sed 's/^\./../; s/$/\r/' "$T/message" > "$T/wire"
printf '.\r\n' >> "$T/wire"

fetch() {
	name=$1
	shift
	curl -sS --cacert "$T/tls/ca.pem" --tlsv1.3 -m 60 \
	    --connect-to "localhost:$HTTPS:127.0.0.1:$HTTPS" \
	    -u "$name@$DOMAIN:$name-secret" "$@"
}

get() { fetch "$1" "https://localhost:$HTTPS$2"; }

# Octets served without what was put before the header, with LF.
untraced() { tr -d '\r' | sed -n '/^Date: Sat, 01 Aug 2026/,$p'; }

if ! send --to "alice@$DOMAIN,bob@$DOMAIN,carol@$DOMAIN"; then
	diag "$(cat "$T/swaks")"
fi
ok "swaks: taken for three" grep -q '^<~  250 2.0.0' "$T/swaks"
for name in alice bob carol; do
	is "$name: one file" \
	    "$(find "$T/mail/$DOMAIN/$name/Maildir/new" -type f | wc -l)" 1
done
is "one inode" "$(find "$T/mail" -type f -path '*/new/*' -printf '%i\n' |
    sort -u | wc -l)" 1
file=$(find "$T/mail/$DOMAIN/alice" -type f -path '*/new/*')
is "linked three times" "$(stat -c %h "$file")" 3
is "what is stored is what was sent" \
    "$(untraced < "$file" | sha256sum)" "$sum"
none "stored with LF alone" "$(grep -n "$(printf '\r')" "$file")"

for name in alice bob carol; do
	id=$(get $name /mail/ | sed -n '2s/ .*//p')
	get $name "/mail/$id" > "$T/got.$name"
	is "$name: curl reads the same SHA-256" \
	    "$(untraced < "$T/got.$name" | sha256sum)" "$sum"
	is "$name: every line ends with CRLF" \
	    "$(grep -c "$(printf '\r$')" "$T/got.$name")" \
	    "$(wc -l < "$T/got.$name")"
done
is "all three got the same octets" \
    "$(cat "$T"/got.* | sha256sum)" \
    "$(cat "$T/got.bob" "$T/got.bob" "$T/got.bob" | sha256sum)"
is "trace fields are on top" "$(sed -n '1p;2s/ .*//p' "$T/got.bob" |
    tr -d '\r' | tr '\n' ' ')" "Return-Path: <alice@$DOMAIN> Received: "
none "which tell no recipient of the others" \
    "$(sed '/^\r*$/q' "$T/got.bob" | grep -n '^Delivered-To\|	for ')"
is "the header says how it came" "$(sed '/^Date/q' "$T/got.bob" |
    grep -c 'with ESMTPSA')" 1

# In parts, as a client with a bad line reads.
for range in 0-4999 5000-9999 10000-; do
	fetch bob -r $range "https://localhost:$HTTPS/mail/$id"
done > "$T/parts"
ok "three ranges make the whole" cmp "$T/parts" "$T/got.bob"
fetch bob -I "https://localhost:$HTTPS/mail/$id" | tr -d '\r' > "$T/head"
is "HEAD names the length" "$(sed -n 's/^Content-Length: //p' "$T/head")" \
    "$(wc -c < "$T/got.bob")"
tag=$(sed -n 's/^ETag: //p' "$T/head")
is "it need not be sent again" "$(fetch bob -o /dev/null -w '%{http_code}' \
    -H "If-None-Match: $tag" "https://localhost:$HTTPS/mail/$id")" 304

# One recipient: the file is its own, and says for whom.
send --to "bob@$DOMAIN" || diag "$(cat "$T/swaks")"
id=$(get bob /mail/ | sed -n '2s/ .*//p')
get bob "/mail/$id" > "$T/one"
is "sent to one: the same SHA-256" "$(untraced < "$T/one" | sha256sum)" "$sum"
ok "and delivered to that one" grep -q "^Delivered-To: bob@$DOMAIN" "$T/one"
is "the others have it once" \
    "$(get alice /mail/ | wc -l) $(get bob /mail/ | wc -l)" "2 3"
