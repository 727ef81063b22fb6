# SPDX-License-Identifier: ISC
# posternctl user import: what a line may be, and all or nothing.
. "$SRCDIR/t/posternctl.sh"
plan 33
ctl_init
D=example.test

list() { ctl user list 2>&1 | tr '\n' ' '; }
state() { cat "$T/accounts" 2> /dev/null; find "$T/mail" | sort; }

exits "too many files" 64 user import a b
exits "no such file" 66 user import "$T/none"
exits "bad option" 64 user import -x

# --- good lines, the last one without its end
printf '%s\n' "# comment" "" "Alice@$D:one" "bob@$D:with:colons" \
    "carol@other.test: blanks at both ends " "dave@$D:#hash" | put file
printf 'eve@%s:crlf\r\nfred@%s:last' $D $D >> "$T/file"
exits "import" 0 user import "$T/file"
is "says how many" "$(cat "$T/out")" "6 added, 0 changed"
is "they are there" "$(list)" "alice@$D bob@$D carol@other.test dave@$D \
eve@$D fred@$D "
ok "with mailboxes" test -d "$T/mail/other.test/carol"
is "accounts are not for everybody" "$(mode "$T/accounts")" 640
notok "no password in the accounts" grep -qE 'blanks|hash|colons' \
    "$T/accounts"

# --- what is there already
before=$(state)
exits "import again" 65 user import "$T/file"
ok "says which line" said "^$T/file:3: "
ok "and the last" said "^$T/file:8: "
is "nothing changed" "$(state)" "$before"
exits "update" 0 user import --update "$T/file"
is "says what changed" "$(cat "$T/out")" "0 added, 6 changed"
notok "verifiers are new" test "$(state)" = "$before"
exits "from standard input" 0 user import -u - < "$T/file"
exits "without naming it" 0 user import -u < "$T/file"

# --- bad lines: all or nothing
before=$(state)
printf '%s\n' "gina@$D:good" "no colon" "@$D:x" "henry@foreign.test:x" \
    "henry@$D:" "$(printf 'henry@%s:a\001b' $D)" "henry@$D:fine" \
    "Henry@$D:twice" | put bad
printf 'ida@%s:bad utf8 \377\nida@%s:nul \0 in it\n' $D $D >> "$T/bad"
exits "bad lines" 65 user import "$T/bad"
is "each one is named" "$(sed -n "s|^$T/bad:\([0-9]*\):.*|\1|p" "$T/err" |
    sort -n | tr '\n' ' ')" "2 3 4 5 6 8 9 10 "
ok "and how many" said '8 bad lines, nothing was imported'
notok "no password is shown" said 'twice|nul |bad utf8|a.b$'
is "nothing changed" "$(state)" "$before"
exits "keep going" 65 user import -k "$T/bad"
is "says so" "$(cat "$T/out")" "2 added, 0 changed, 8 bad lines"
ok "the good ones are there" grep -q "^gina@$D" "$T/accounts"
exits "keep going, again" 65 user import --keep-going "$T/bad"
is "adds nothing" "$(cat "$T/out")" "0 added, 0 changed, 10 bad lines"

# --- a mailbox that cannot be made takes everything back
before=$(state)
ln -s "$T/state" "$T/mail/other.test/jane"
printf '%s\n' "ivan@other.test:x" "jane@other.test:x" | put file
exits "a mailbox that cannot be made" 66 user import "$T/file"
rm "$T/mail/other.test/jane"
is "nothing is left behind" "$(state)" "$before"
printf '\n# nothing\n' | put file
exits "an empty file" 0 user import "$T/file"

# --- two at once lose nothing
seq -f "a%g@$D:x" 1 30 | put one
seq -f "b%g@$D:x" 1 30 | put two
ctl user import "$T/one" > /dev/null &
ctl user import "$T/two" > /dev/null
wait $!
is "two at once" "$(ctl user list | grep -cE '^[ab][0-9]+@')" 60
ctl user list > "$T/out"
is "as many mailboxes" "$(find "$T/mail" -mindepth 2 -maxdepth 2 | wc -l)" \
    "$(wc -l < "$T/out")"
