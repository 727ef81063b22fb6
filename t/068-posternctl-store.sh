# SPDX-License-Identifier: ISC
# posternctl where accounts are in another store: check, user, mailbox.
. "$SRCDIR/t/posternctl.sh"
plugins=$(sed -n 's/^SASL_PLUGINDIR = //p' "$BUILDDIR/Makefile")
for f in libsasldb.so libsql.so; do
	[ -e "$plugins/$f" ] || skip_all "no $f in $plugins"
done
plan 68
ctl_init
D=example.test

with() {
	w_script=$1
	shift
	sed -E "$w_script" "$T/good" > "$T/postern.conf"
	exits "$@"
}
store="s|accounts = .*|store = sasldb sasldb = \"$T/db\"|"
sql="s|accounts = .*|store = sql sql_database = \"$T/db\"|"
mux="s|accounts = .*|store = saslauthd saslauthd = \"$T/mux\"|"

ctl cert ca --dir "$T/tls" > /dev/null
ctl cert server --dir "$T/tls" mail.$D > /dev/null
cp "$T/postern.conf" "$T/good"
# --- check: sasldb
with "$store" "sasldb: missing" 78 check
ok "with its line" said ":12: auth.sasldb: $T/db: No such file"
notok "the accounts file is not missed" said 'auth.accounts'
echo x | put db
with "$store" "sasldb: there" 0 check
chmod 644 "$T/db"
with "$store" "sasldb: others may read it" 78 check
ok "with its line" said ":12: auth.sasldb: $T/db: others may read"
chmod 0 "$T/db"
with "$store" "sasldb: cannot be read" 78 check
ok "with its line" said ":12: auth.sasldb: $T/db: Permission"
rm "$T/db"
$AS mkdir "$T/db"
with "$store" "sasldb: a folder" 78 check
ok "with its line" said ":12: auth.sasldb: $T/db: not a file"
rmdir "$T/db"

# --- check: sql
with "$sql" "sql: missing" 78 check
ok "with its line" said ":12: auth.sql_database: $T/db: No such file"
echo "no database" | put db
with "$sql" "sql: something else" 78 check
ok "with its line" said ":12: auth.sql_database: $T/db: no database of SQLite"
{ printf 'SQLite format 3\000\020\000\001\001'; head -c 80 /dev/zero; } |
    put db
with "$sql" "sql: a database" 0 check
{ printf 'SQLite format 3\000\020\000\002\002'; head -c 80 /dev/zero; } |
    put db
with "$sql" "sql: with a write-ahead log" 78 check
ok "with its line" said ":12: auth.sql_database: $T/db: .*journal_mode"
# The query, in the shape of conf_table.c's check.
select() {
	printf 's|accounts = .*|store = sql sql_database = "%s" %s|' \
	    "$T/db" "sql_select = \\\"$1\\\""
}
{ printf 'SQLite format 3\000\020\000\001\001'; head -c 80 /dev/zero; } |
    put db
for q in "SELECT p FROM u WHERE n = '%u'" \
    "SELECT %p FROM u WHERE n = '%u@%r' AND x = '%%'" \
    "SELECT p FROM u WHERE n = 'x%u' AND it = 'it''s'"; do
	with "$(select "$q")" "a query: $q" 0 check
done
for q in "" "SELECT p FROM u" "SELECT p FROM u WHERE n = %u" \
    "SELECT p FROM u WHERE n = '%u' AND r = %r" \
    "SELECT p FROM u WHERE n = '%u" "SELECT '%u%'" "SELECT '%u%v'" \
    "SELECT p FROM u WHERE n = 'x''', %u"; do
	with "$(select "$q")" "no query: $q" 78 check
	ok "with its line" said ':12: auth.sql_select: '
done

# --- check: saslauthd
with "$mux" "saslauthd: missing" 78 check
ok "with its line" said ":12: auth.saslauthd: $T/mux: No such file"
echo x | put mux
with "$mux" "saslauthd: no socket" 78 check
ok "with its line" said ":12: auth.saslauthd: $T/mux: Connection refused"
rm "$T/mux"
with "$mux; s|iterations =.*|& mechanisms = { \"SCRAM-SHA-256\" }|" \
    "saslauthd: SCRAM alone" 78 check
ok "says what is needed" said 'auth.mechanisms: saslauthd checks passwords'
with "s|accounts = .*|store = ldap|" "an unknown store" 78 check
ok "the ones there are" \
    said ':12: auth.store: .*not one of accounts sasldb saslauthd sql'
notok "and nothing else of it" said 'auth.accounts'

# --- user
sed -E "$store" "$T/good" > "$T/postern.conf"
for c in "add alice@$D" "passwd alice@$D" "remove alice@$D" list \
    "import $T/none"; do
	exits "user ${c%% *}: accounts are elsewhere" 78 user $c
	ok "and says where" said "$T/db: accounts are kept there"
done
notok "no mailbox was made" test -e "$T/mail/$D"

# --- mailbox
exits "mailbox: usage" 64 mailbox
exits "mailbox create: usage" 64 mailbox create
exits "mailbox remove: usage" 64 mailbox remove "alice@$D"
exits "mailbox create" 0 mailbox create "Alice@$D" "bob@other.test"
is "they are there, as they should be" "$(find "$T/mail" -mindepth 1 \
    -printf '%P %m %u\n' | sort | sed "s/ $(stat -c %U "$T/mail")\$//")" \
"example.test 2750
example.test/alice 2750
other.test 2750
other.test/bob 2750"
exits "once more" 73 mailbox create "alice@$D" "carol@$D"
ok "says which" said "alice@$D: there is such a mailbox"
ok "the other one is made" test -d "$T/mail/$D/carol"
exits "another domain" 65 mailbox create alice@else.test
exits "a tag" 65 mailbox create "alice+x@$D"
exits "no address" 65 mailbox create ../x
is "nothing else was made" "$(find "$T/mail" -mindepth 1 | wc -l)" 5
