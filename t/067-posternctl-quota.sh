# SPDX-License-Identifier: ISC
# posternctl quota: limits of mailboxes set, removed and shown.
. "$SRCDIR/t/posternctl.sh"
plan 80
ctl_init
D=example.test
box=$T/mail/$D/alice

echo secret | put in
for u in alice@$D bob@$D dave@other.test; do
	ctl user add -p "$u" < "$T/in" || exit 1
done

quota() { cat "$box/quota" 2>&1; }
state() { find "$T/mail" -printf '%p %m\n' | sort; quota; }
unchanged() { is "$1: nothing changed" "$(state)" "$before"; }
line() { tr '\t' ' ' < "$T/out"; }
# A message of $2 octets in folder $1, its size in the name.
message() {
	$AS mkdir -p "${1%/*}"
	head -c "$2" /dev/zero | tr '\0' x > "$T/x"
	$AS cp "$T/x" "$1,S=$2:2,S"
}

# --- usage
before=$(state)
exits "quota alone" 64 quota
exits "an unknown command" 64 quota raise "alice@$D"
exits "set without a size" 64 quota set "alice@$D"
exits "set with too much" 64 quota set "alice@$D" 1 2 3
exits "remove without an address" 64 quota remove
exits "remove with two" 64 quota remove "alice@$D" "bob@$D"
exits "show with two" 64 quota show "alice@$D" "bob@$D"
ok "usage is told" said '^usage: posternctl quota set ADDRESS SIZE'
none "on standard error only" "$(cat "$T/out")"
unchanged "wrong usage"

# --- set
exits "set octets" 0 quota set "alice@$D" 1000
is "the line of Maildir++" "$(quota)" 1000S
is "mode" "$(mode "$box/quota")" 640
exits "set a size" 0 quota set "Alice@Example.TEST" 1G
is "in octets" "$(quota)" 1073741824S
exits "set both" 0 quota set "alice@$D" 5M 10000
is "both" "$(quota)" 5242880S,10000C
exits "set messages alone" 0 quota set "alice@$D" 0 7
is "messages alone" "$(quota)" 7C
exits "set none" 0 quota set "alice@$D" 0
is "none" "$(quota)" 0S
exits "a login without a domain" 0 quota set alice 10
is "is of the first" "$(quota)" 10S
is "no other file is left" "$(ls -A "$box")" quota
exits "the most there is" 0 quota set "alice@$D" 1048576G 1000000000
is "is written" "$(quota)" 1125899906842624S,1000000000C

# --- what is refused
before=$(state)
for s in '' x 1x -1 +1 1.5G '1 G' 1T 1048577G 99999999999999999999 \
    0x10 1000S 1,2; do
	exits "size '$s'" 65 quota set "alice@$D" "$s"
done
for m in '' x -1 1K 1000000001 5C; do
	exits "messages '$m'" 65 quota set "alice@$D" 1M "$m"
done
ok "says what is wrong" said 'posternctl: 5C: not a number'
exits "no mailbox" 67 quota set "nobody@$D" 1M
ok "says so" said 'nobody@example.test: no such mailbox'
exits "a tag" 67 quota set "alice+x@$D" 1M
exits "a foreign domain" 67 quota set "alice@foreign.test" 1M
exits "no address" 65 quota set "alice@@$D" 1M
exits "a path" 65 quota set "../alice@$D" 1M
unchanged "what is refused"
$AS ln -s alice "$T/mail/$D/link"
exits "a mailbox that is a link" 67 quota set "link@$D" 1M
rm "$T/mail/$D/link"

# --- show
exits "show one" 0 quota show "alice@$D"
is "nothing there yet" "$(line)" \
    "alice@$D 0 1125899906842624 0 1000000000 own"
message "$box/Maildir/new/1" 100
message "$box/Maildir/cur/2" 20
message "$box/Maildir/.Sent/cur/3" 3
message "$box/Maildir/.Trash/cur/4" 5000
exits "show with mail" 0 quota show alice
is "what is there, but Trash" "$(line)" \
    "alice@$D 123 1125899906842624 3 1000000000 own"
exits "show all" 0 quota show
is "each mailbox a line, sorted" "$(line)" \
    "alice@$D 123 1125899906842624 3 1000000000 own
bob@$D 0 - 0 - default
dave@other.test 0 - 0 - default"
$AS mkdir "$T/mail/lost+found" "$T/mail/$D/UP" "$T/mail/$D/.x" \
    "$T/mail/$D/%2Bodd" "$T/mail/$D/%1B%5B31mred" "$T/mail/$D/a%09b" \
    "$T/mail/$D/%C2%9B31m" "$T/mail/$D/%E2%80%AE" "$T/mail/%1B%5B1m" \
    "$T/mail/%1B%5B1m/x"
: > "$T/mail/$D/file"
exits "with what is no mailbox" 0 quota show
is "that is not shown" "$(cut -f 1 "$T/out" | tr '\n' ' ')" \
    "+odd@$D alice@$D bob@$D dave@other.test "
exits "show nobody" 67 quota show "nobody@$D"
echo 'delivery { quota = 2000 quota_messages = 5 }' >> "$T/postern.conf"
exits "with a default" 0 quota show "bob@$D"
is "the default is shown" "$(line)" "bob@$D 0 2000 0 5 default"
echo nonsense | put x
$AS cp "$T/x" "$box/quota"
exits "a bad file" 65 quota show
ok "says whose" said 'alice@example.test: its file quota is bad'
is "and shows the default, and the others" "$(sed -n '2,3p' "$T/out" |
    tr '\t' ' ')" "alice@$D 123 2000 3 5 default
bob@$D 0 2000 0 5 default"

# --- remove
exits "set over a bad file" 0 quota set "alice@$D" 0
printf '5S\n1 1\n' | put x
$AS cp "$T/x" "$box/Maildir/maildirsize"
exits "remove" 0 quota remove "alice@$D"
notok "the file is gone" test -e "$box/quota"
ok "a default is there: maildirsize may stay" \
    test -e "$box/Maildir/maildirsize"
exits "remove again" 66 quota remove "alice@$D"
exits "set none" 0 quota set "alice@$D" 0
notok "no limit, no maildirsize" test -e "$box/Maildir/maildirsize"
exits "remove of nobody" 67 quota remove "nobody@$D"

# --- the world is against it
chmod 555 "$box"
exits "no permission" 77 quota set "alice@$D" 1M
is "the old one stays" "$(quota)" 0S
chmod 755 "$box"
is "nothing is left" "$(ls -A "$box" | tr '\n' ' ')" "Maildir quota "
got=0
ctl quota show > /dev/full 2> "$T/err" || got=$?
is "standard output is full" "$got" 74
