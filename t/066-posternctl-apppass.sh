# SPDX-License-Identifier: ISC
# posternctl apppass: app passwords made, listed and removed, and all that is
# refused; what the commands for accounts make of them.
. "$SRCDIR/t/posternctl.sh"
plan 134
ctl_init
D=example.test
TAB=$(printf '\t')

state() { cat "$T/accounts"; }
unchanged() { is "$1: nothing changed" "$(state)" "$before"; }
long() { head -c "$1" /dev/zero | tr '\0' "${2:-a}"; }
# An option of the line of a login.
option() {
	sed -n "s/^$1${TAB}[^$TAB]*$TAB//p" "$T/accounts" | tr , '\n' |
	    sed -n "s/^$2=//p"
}
# The columns of "apppass list" without the times.
list() {
	ctl apppass list "$@" 2>&1 | sed 's/2[0-9-]*T[0-9:]*Z/TIME/g'
}
group='[abcdefghjkmnp-z2-9]{4}'

# --- usage
exits "alone" 64 apppass
exits "unknown command" 64 apppass make alice laptop
exits "add without an app" 64 apppass add alice
exits "add with a password" 64 apppass add alice laptop secret
exits "list with two names" 64 apppass list alice bob
exits "remove without an app" 64 apppass remove alice
exits "remove with an option" 64 apppass remove --scope smtp alice laptop
exits "list with an option" 64 apppass list --expires 5d
exits "unknown option" 64 apppass add --size 5 alice laptop
exits "option without its value" 64 apppass add alice laptop --scope
ok "usage is told" said '^usage: posternctl apppass add'

# --- add
exits "no accounts yet" 66 apppass add alice laptop
exits "nothing to list yet" 66 apppass list
exits "an account" 0 user add "alice@$D"
exits "another" 0 user add "bob@other.test"
now=$(date +%s)
exits "add" 0 apppass add alice laptop --scope smtp,http --expires 90d
ok "prints a password, easily typed" printed "^$group(-$group){5}\$"
is "and nothing else" "$(wc -l < "$T/out")" 1
password=$(cat "$T/out")
notok "it is in no file" grep -rqF "$password" "$T/accounts" "$T/mail" \
    "$T/state"
ok "the line has a verifier" grep -qE \
    "^alice\+laptop@$D${TAB}SCRAM-SHA-256\\\$4096:[^$TAB]*${TAB}app," \
    "$T/accounts"
is "a scope" "$(option "alice+laptop@$D" scope)" smtp:http
created=$(option "alice+laptop@$D" created)
ok "the time it was made" test "$created" -ge "$now" -a \
    "$created" -le "$(date +%s)"
is "90 days" $(($(option "alice+laptop@$D" expires) - created)) 7776000
is "a digest of 48 octets" "$(option "alice+laptop@$D" digest |
    base64 -d | wc -c)" 48
is "one mailbox" "$(find "$T/mail/$D" -mindepth 1 -maxdepth 1 | wc -l)" 1
before=$(state)
exits "add again" 73 apppass add "ALICE@$D" laptop
unchanged "add again"
exits "in whole words" 0 apppass add --scope=smtp --expires=never \
    "alice@$D" my-phone_2
is "scope of one service" "$(option "alice+my-phone_2@$D" scope)" smtp
none "without an end" "$(option "alice+my-phone_2@$D" expires)"
exits "without options" 0 apppass add bob@other.test 0
is "scope is both" "$(option "bob+0@other.test" scope)" smtp:http
none "and no end" "$(option "bob+0@other.test" expires)"
notok "two passwords are not alike" grep -qF "$password" "$T/out"
for f in '1s 1' '2min 120' '3h 10800' '4d 345600' '5w 3024000' \
    '6y 189216000' '100y 3153600000'; do
	set -- $f
	exits "expires $1" 0 apppass add "alice@$D" t --expires "$1"
	is "is $2 seconds" $(($(option "alice+t@$D" expires) - \
	    $(option "alice+t@$D" created))) "$2"
	ctl apppass remove alice t
done

# --- refused
before=$(state)
for f in '' Laptop 'my laptop' a.b a+b a/b a@b ü "$(long 33)" 'a
b'; do
	exits "app '$(printf %s "$f" | tr '\n' '?' | cut -c 1-10)'" 65 \
	    apppass add alice "$f"
done
for f in '' imap smtp, ,smtp smtp:http SMTP smtp,smtp 'smtp http' all; do
	exits "scope '$f'" 65 apppass add alice x --scope "$f"
done
for f in '' 0 0d 90 d -1d 1.5d 90D '90 d' 90days 1m 101y forever \
    99999999999999999999d; do
	exits "expires '$f'" 65 apppass add alice x "--expires=$f"
done
exits "no such account" 67 apppass add nobody laptop
exits "nor in the first domain" 67 apppass add bob laptop
exits "not a name" 65 apppass add 'al ice' laptop
exits "of an app password" 67 apppass add "alice+laptop@$D" more
unchanged "what was refused"
exits "an app of 32 characters" 0 apppass add alice "$(long 32)"
exits "a local part of 60 octets" 0 user add "$(long 60 b)@$D"
exits "with an app of 3" 0 apppass add "$(long 60 b)" abc
exits "with an app of 4" 65 apppass add "$(long 60 b)" abcd

# --- list
exits "list" 0 apppass list
is "of all" "$(list | cut -f 1,2,3 | tr '\t\n' ' ;')" "alice@$D \
$(long 32) smtp,http;alice@$D laptop smtp,http;alice@$D my-phone_2 smtp;\
$(long 60 b)@$D abc smtp,http;bob@other.test 0 smtp,http;"
is "of one" "$(list alice | sed -n 2p)" "alice@$D${TAB}laptop${TAB}smtp,\
http${TAB}created TIME${TAB}expires TIME${TAB}last used never"
is "of one whose end is never" "$(list bob@other.test)" "bob@other.test${TAB}\
0${TAB}smtp,http${TAB}created TIME${TAB}expires never${TAB}last used never"
exits "of nobody" 67 apppass list nobody
exits "of an app password" 67 apppass list alice+laptop
sed -i "s/\(^alice+laptop.*\)expires=[0-9]*/\1expires=1000000000/" \
    "$T/accounts"
is "one that has ended" "$(ctl apppass list alice | sed -n 2p |
    cut -f 5)" "expired 2001-09-09T01:46:40Z"
$AS mkdir -p "$T/state/auth"
printf '%s\t%s\n' "alice+laptop@$D" "$((now + 60))${TAB}http${TAB}192.0.2.7" \
    "alice+my-phone_2@$D" "1000000000${TAB}smtp${TAB}192.0.2.8" \
    "bob+0@other.test" "$((now + 60))${TAB}smtp${TAB}evil" |
    put state/auth/last-use
is "last use: when, by what, from where" "$(list alice | cut -f 6 |
    tr '\n' ';')" "last used never;last used TIME http 192.0.2.7;\
last used never;"
chmod 000 "$T/state/auth"
exits "list without the times of last use" 0 apppass list
ok "says that they are unknown" printed 'last used unknown'
ok "and why" said 'last-use: Permission denied'
chmod 700 "$T/state/auth"

# --- as many as there may be
n=$(list alice | wc -l)
while [ "$n" -lt 32 ]; do
	ctl apppass add alice "n$n" > "$T/out" 2>&1 || break
	n=$((n + 1))
done
is "32 app passwords" "$(list alice | wc -l)" 32
exits "one more" 73 apppass add alice more
ok "says that they are too many" said 'as many as it can have'

# --- remove
exits "remove" 0 apppass remove alice laptop
notok "the line has gone" grep -q "^alice+laptop@" "$T/accounts"
exits "remove again" 67 apppass remove alice laptop
exits "revoke" 0 apppass revoke "alice@$D" my-phone_2
exits "remove one of nobody" 67 apppass remove nobody laptop
exits "make it anew" 0 apppass add alice laptop

# --- accounts
ctl user list > "$T/list"
ok "user list tells how many" grep -q "^alice@$D${TAB}31 app passwords\$" \
    "$T/list"
ok "of one" grep -q "^bob@other.test${TAB}1 app password\$" "$T/list"
is "and lists no app" "$(wc -l < "$T/list")" 3
before=$(grep '^alice+' "$T/accounts")
exits "user passwd" 0 user passwd "alice@$D"
is "leaves them as they are" "$(grep '^alice+' "$T/accounts")" "$before"
before=$(state)
exits "user passwd of one" 67 user passwd "alice+laptop@$D"
exits "user remove of one" 67 user remove "alice+laptop@$D"
exits "user add with a +" 65 user add "alice+new@$D"
ok "says why" said 'names an app password'
echo "alice+laptop@$D:secret" | put in
exits "user import of one" 65 user import -u "$T/in"
unchanged "commands for accounts"
grep "^alice+laptop" "$T/accounts" > "$T/line"
exits "user remove" 0 user remove "alice@$D"
notok "takes them with it" grep -q "^alice" "$T/accounts"
cat "$T/line" >> "$T/accounts"
exits "user add of the same name" 0 user add "alice@$D"
notok "brings none back" grep -q "^alice+" "$T/accounts"

# --- an account of old
printf 'alice+old@%s\t%s\n' "$D" "$(cut -f 2 "$T/line")" >> "$T/accounts"
exits "an account of old is in the way" 73 apppass add alice old
exits "and is not removed" 67 apppass remove alice old
exits "it can have one" 0 apppass add alice+old new
cat "$T/line" | sed 's/,scope=[a-z:]*//' >> "$T/accounts"
exits "a line without a scope" 65 apppass list
ok "the good ones are listed" printed "^alice\\+old@$D${TAB}new"

# --- other stores have none
sed -i "s|accounts = .*|store = sasldb sasldb = \"$T/db\"|" \
    "$T/postern.conf"
for f in add remove; do
	exits "$f, where accounts are in sasldb" 78 apppass $f alice phone
done
exits "list there" 78 apppass list
ok "says why" said 'app passwords are for those of the accounts file alone'
