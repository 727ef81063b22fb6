# SPDX-License-Identifier: ISC
# posternctl user: accounts and mailboxes, and all that is refused.
. "$SRCDIR/t/posternctl.sh"
plan 85
ctl_init
D=example.test

list() { ctl user list 2>&1 | tr '\n' ' '; }
# Everything there is, to see that a refusal changes nothing.
state() { cat "$T/accounts" 2> /dev/null; find "$T/mail" | sort; }
unchanged() { is "$1: nothing changed" "$(state)" "$before"; }
long() { head -c "$1" /dev/zero | tr '\0' "${2:-a}"; }

# --- usage
exits "no command" 64
exits "unknown command" 64 usr
exits "unknown option" 64 -x user list
exits "user alone" 64 user
exits "unknown user command" 64 user make "a@$D"
exits "add without address" 64 user add
exits "add with two addresses" 64 user add "a@$D" "b@$D"
exits "password as an argument" 64 user add "a@$D" secret
exits "list with an argument" 64 user list "a@$D"
exits "bad option" 64 user add -x "a@$D"
ok "usage is told" said '^usage: posternctl'
none "on standard error only" "$(cat "$T/out")"

# --- add
exits "no accounts yet" 66 user list
exits "add" 0 user add "Alice@Example.TEST"
ok "prints a password" printed '^[A-HJ-NP-Za-hj-km-np-z2-9]{22}$'
is "and nothing else" "$(wc -l < "$T/out")" 1
password=$(cat "$T/out")
is "in lower case" "$(list)" "alice@$D "
is "accounts are not for everybody" "$(mode "$T/accounts")" 640
notok "the password is in no file" grep -rqF "$password" "$T/accounts" \
    "$T/mail"
ok "a verifier is" grep -qE "^alice@$D	SCRAM-SHA-256\\\$4096:" "$T/accounts"
ok "mailbox" test -d "$T/mail/$D/alice"
is "mode of the mailbox" "$(mode "$T/mail/$D/alice")" 2750
is "mode of the domain" "$(mode "$T/mail/$D")" 2750
before=$(state)
exits "add again" 73 user add "alice@$D"
unchanged "add again"
exits "add again in other case" 73 user add "ALICE@$D"

echo 'se:cret word ' | put in
exits "add with a password" 0 user add -p "bob@$D" < "$T/in"
none "does not print it" "$(cat "$T/out" "$T/err")"
printf 'no line end' | put in
exits "without a line end" 0 user add -p "carol@$D" < "$T/in"
printf '\320\277\320\260\321\200\320\276\320\273\321\214\r\nmore\n' | put in
exits "UTF-8, CRLF, more lines" 0 user add -p "dave@other.test" < "$T/in"
is "list is sorted" "$(list)" "alice@$D bob@$D carol@$D dave@other.test "

# --- bad passwords
before=$(state)
for p in '' '\n' '\r\n' 'tab\there\n' 'nul\0here\n' 'del\177\n' \
    'bad utf8 \377\n' 'c1 \302\205\n' 'esc \033[A\n'; do
	printf "$p" | put in
	exits "password '$p'" 65 user add -p "eve@$D" < "$T/in"
done
{ long 1025; echo; } | put in
exits "password of 1025 octets" 65 user add -p "eve@$D" < "$T/in"
unchanged "bad passwords"
{ long 1024; echo; } | put in
exits "password of 1024 octets" 0 user add -p "eve@$D" < "$T/in"
exits "of an unknown domain" 65 user add -p eve@foreign.test < "$T/in"

# --- bad addresses
before=$(state)
for a in eve "@$D" "eve@" "e ve@$D" "eve@@$D" "$(long 65)@$D" \
    "../eve@$D" ".eve@$D" "eve.@$D" "eve@$D/../x" "eve+tag@$D" \
    "eve@[127.0.0.1]" "eve:x@$D" "e
ve@$D"; do
	exits "address '$(printf %s "$a" | tr '\n' '?' | cut -c 1-20)'" 65 \
	    user add -p "$a" < "$T/in"
done
unchanged "bad addresses"
exits "local part of 64 octets" 0 user add -p "$(long 64)@$D" < "$T/in"
exits "with the address behind --" 0 user add -- "-x@$D"

# --- passwd
before=$(grep alice "$T/accounts")
exits "passwd" 0 user passwd "alice@$D"
ok "prints another" printed '^[A-Za-z2-9]{22}$'
notok "the verifier is another" grep -qF "$before" "$T/accounts"
exits "passwd of nobody" 67 user passwd "nobody@$D"
printf '\n' | put in
exits "passwd, empty" 65 user passwd -p "alice@$D" < "$T/in"

# --- remove
mkdir -p "$T/mail/$D/alice/Maildir/new"
echo mail > "$T/mail/$D/alice/Maildir/new/1"
exits "remove" 0 user remove "Alice@$D"
ok "says where the mail stays" printed "mail stays in $T/mail/$D/alice"
ok "it does" test -f "$T/mail/$D/alice/Maildir/new/1"
exits "remove again" 67 user remove "alice@$D"
exits "add again to the same mail" 0 user add "alice@$D"
ok "with a note" said 'mailbox was there before'
ok "the mail is there" test -f "$T/mail/$D/alice/Maildir/new/1"
ln -s "$T/state" "$T/mail/$D/link"
exits "a mailbox that is a link" 66 user add "link@$D"
notok "is no account" grep -q "^link@" "$T/accounts"

# --- the world is against it
sed -i 's/"example.test", //' "$T/postern.conf"
exits "an account whose domain has gone is removed" 0 user remove "bob@$D"
chmod 440 "$T/accounts"
chmod 555 "$T"
exits "no permission to write" 77 user add "bob@other.test"
notok "no mailbox then" test -e "$T/mail/other.test/bob"
chmod 000 "$T/accounts"
exits "no permission to read" 77 user list
chmod 755 "$T"
chmod 640 "$T/accounts"
echo 'not an account' >> "$T/accounts"
exits "a bad line in the accounts" 65 user list
ok "the good ones are listed" printed '^dave@other.test$'
for f in full closed; do
	got=0
	if [ $f = full ]; then
		ctl user passwd "dave@other.test" 2> "$T/err" > /dev/full
	else
		ctl user passwd "dave@other.test" 2> "$T/err" >&-
	fi || got=$?
	is "standard output is $f" "$got $(grep -c 'set another' "$T/err")" \
	    "74 1"
done
echo 'nonsense' > "$T/postern.conf"
exits "a bad conf" 78 user list
rm "$T/postern.conf"
exits "no conf" 78 user list
