# SPDX-License-Identifier: ISC
# posternctl alias: what it writes, what it refuses; check on alias files.
. "$SRCDIR/t/posternctl.sh"
plan 119
ctl_init
D=example.test
A=$T/aliases
echo "delivery { aliases = \"$A\" alias_members = 4 alias_depth = 3 }" \
    >> "$T/postern.conf"
cp "$T/postern.conf" "$T/good"
for u in alice bob carol; do
	$AS mkdir -p -m 2750 "$T/mail/$D/$u"
done

has() { is "$1" "$(cat "$A")" "$2"; }
before() { cp "$A" "$T/before"; }
unchanged() { ok "$1: nothing changed" cmp "$A" "$T/before"; }

# --- usage
exits "alias alone" 64 alias
exits "unknown command" 64 alias make a b
exits "add without target" 64 alias add sales
exits "remove without address" 64 alias remove
exits "list with two addresses" 64 alias list a b
exits "an option" 64 alias add -x sales alice
ok "usage is told" said '^ *(usage: )?posternctl alias add ADDRESS TARGET'

# --- no file yet
exits "list without a file" 0 alias list
none "prints nothing" "$(cat "$T/out")"
exits "list one of them" 67 alias list sales
exits "remove what is not there" 67 alias remove sales
notok "no file was made" test -e "$A"

# --- add
exits "add" 0 alias add Sales Alice "bob@$D"
has "with the first domain, in lower case" "sales@$D: alice@$D, bob@$D"
is "everybody may read it" "$(mode "$A")" 644
none "no file is left behind" "$(ls "$T" | grep aliases.tmp)"
exits "add a target" 0 alias add "sales@$D" carol
has "behind the others" "sales@$D: alice@$D, bob@$D, carol@$D"
before
exits "add what is there" 0 alias add sales CAROL "alice@$D"
unchanged "add what is there"
exits "add to another domain" 0 alias add info@other.test sales
exits "add a quoted one" 0 alias add '"a, b"' alice
exits "add one that looks like a comment" 0 alias add '#x' '"#y"' alice
exits "add with --" 0 alias add -- -x alice
exits "add a tag" 0 alias add sales+eu alice+eu
exits "list" 0 alias list
is "is what was added" "$(cat "$T/out")" "sales@$D: alice@$D, bob@$D, carol@$D
info@other.test: sales@$D
\"a, b\"@$D: alice@$D
\"#x\"@$D: \"#y\"@$D, alice@$D
-x@$D: alice@$D
sales+eu@$D: alice+eu@$D"
exits "list one" 0 alias list INFO@Other.test
is "is that one" "$(cat "$T/out")" "info@other.test: sales@$D"
exits "list with its tag" 67 alias list info+x@other.test

# --- warnings
exits "a target without mailbox" 0 alias add team zoe
ok "is told" said "zoe@$D: warning: has no mailbox"
exits "a target with a tag" 0 alias add team alice+t
none "has the mailbox" "$(cat "$T/err")"
exits "an alias as target" 0 alias add team2 sales+t
none "is no mailbox" "$(cat "$T/err")"
exits "an alias of a mailbox" 0 alias add bob carol
ok "is told" said "bob@$D: warning: its mailbox gets no mail"
exits "with itself" 0 alias add bob bob
none "is fine" "$(cat "$T/err")"
exits "a catch-all" 0 alias add "@$D" alice
ok "is told" said "@$D: warning: .*catch_all"
exits "list the catch-all" 0 alias list "@$D"
is "is it" "$(cat "$T/out")" "@$D: alice@$D"

# --- refused
before
for t in alice@foreign.test '|cat' /etc/passwd :include:/x 'a b' '' "@$D" \
    'alice@' "al..ice" "alice@[127.0.0.1]" 'alice, bob' 'x:y'; do
	exits "target '$t'" 65 alias add new "$t"
done
for a in new@foreign.test '@foreign.test' 'a b' '' '@' 'x:'; do
	exits "address '$a'" 65 alias add "$a" alice
done
unchanged "refused"
exits "a loop of two" 65 alias add alice sales
ok "is told with a line" said "^$A:1: sales@$D: a loop"
exits "a loop over a tag" 65 alias add carol team2+x
exits "a catch-all is in no loop" 0 alias add "@$D" sales
exits "too deep" 0 alias add n1 alice
exits "too deep" 0 alias add n2 n1
exits "too deep" 0 alias add n3 n2
before
exits "too deep by one" 65 alias add n4 n3
exits "too many members" 65 alias add many a b c d e
unchanged "loop, depth, members"

# --- remove
exits "remove a target" 0 alias remove sales bob
exits "list it" 0 alias list sales
is "the others stay" "$(cat "$T/out")" "sales@$D: alice@$D, carol@$D"
before
exits "remove what is no target" 67 alias remove sales alice dan
unchanged "remove what is no target"
exits "remove the last targets" 0 alias remove sales carol alice
exits "and it is gone" 67 alias list sales
exits "remove all of one" 0 alias remove bob
exits "it is gone too" 67 alias list bob

# --- what a hand has written
{
	echo '# top'
	echo 'sales: alice,	# until May'
	echo '  # and'
	echo '  bob'
	echo '  # below'
	echo ''
	printf 'last: carol'
} | put aliases
chmod 640 "$A"
exits "add to it" 0 alias add sales carol
has "comments stay" "# top
# until May
# and
sales@$D: alice@$D, bob@$D, carol@$D
  # below

last: carol"
is "its mode stays" "$(mode "$A")" 640
exits "add at the end" 0 alias add new alice
is "on a line of its own" "$(tail -n 2 "$A")" "last: carol
new@$D: alice@$D"
exits "long ones" 0 alias add wide \
    "$(head -c 60 /dev/zero | tr '\0' a)" "$(head -c 60 /dev/zero | tr '\0' b)"
is "are folded" "$(grep -c '^    b' "$A")" 1
exits "and read back" 0 alias list wide

# --- a file with errors
printf 'a: b\nb: a\nc: alice\n' | put aliases
exits "list a loop" 65 alias list
ok "it is told" said "^$A:1: a@$D: a loop: b@$D"
ok "and listed" printed "^a@$D: b@$D$"
exits "add elsewhere" 0 alias add d alice
exits "a loop is mended" 0 alias remove b
exits "and well" 0 alias list
printf 'a: b\n\na b: c\nd: e@foreign.test\n' | put aliases
before
exits "add to a file with errors" 65 alias add x alice
ok "they are told" said "^$A:3: "
ok "all of them" said "^$A:4: .*domain"
unchanged "a file with errors"
exits "list it" 65 alias list
rm "$A"
ln -s "$T/before" "$A"
exits "a link" 66 alias add x alice
rm "$A"
chmod 555 "$T"
exits "no permission" 77 alias add x alice
chmod 755 "$T"

# --- check
ctl cert ca --dir "$T/tls" > /dev/null
ctl cert server --dir "$T/tls" mail.$D > /dev/null
ctl user add dan@$D > /dev/null
exits "check without an alias file" 0 check
printf 'a: alice\n@example.test: alice\nz: zoe, alice\ny: zoe\n' | put aliases
exits "check with warnings" 0 check
ok "the catch-all" said ":16: warning: delivery.aliases: $A:2: .*catch_all"
ok "a target without mailbox" said "aliases: $A:3: zoe@$D: has no mailbox"
ok "no mailbox at all" said "aliases: $A:4: y@$D: leads to no mailbox"
printf 'a: b\nb: a\nc: |x\nd: 1, 2, 3, 4, 5\n' | put aliases
exits "check with errors" 78 check
ok "a loop" said ":16: delivery.aliases: $A:1: a@$D: a loop"
ok "its other end" said "aliases: $A:2: b@$D: a loop"
ok "a bad target" said "aliases: $A:3: "
ok "too many members" said "aliases: $A:4: d@$D: .*alias_members"
rm "$A"
put aliases < /dev/null
chmod 666 "$A"
exits "check a file that all may write" 78 check
ok "says so" said 'aliases: .*everybody may write'
rm "$A"
sed '$s/aliases/postmaster = "x@foreign.test" aliases/' "$T/good" \
    > "$T/postern.conf"
exits "a foreign postmaster" 78 check
ok "says so" said ':16: delivery.postmaster: its domain'
sed '$s/aliases/postmaster = "a b" aliases/' "$T/good" > "$T/postern.conf"
exits "no address of a postmaster" 78 check
ok "says so" said ':16: delivery.postmaster: '
