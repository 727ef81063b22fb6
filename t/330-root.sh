# SPDX-License-Identifier: ISC
# Started by root: which process is who, what holds it, and what each system
# user can reach. The users are those that script/server makes.
. "$SRCDIR/t/lib.sh"
[ "$(id -u)" -eq 0 ] || skip_all "not root"
for u in auth sasl session keys store read; do
	getent passwd "postern-$u" > /dev/null ||
	    skip_all "no system user postern-$u: script/server makes it"
done
command -v swaks > /dev/null || skip_all "no swaks"
command -v curl > /dev/null || skip_all "no curl"
# A profile, and with it the last system calls, is left out there.
seccomp=2
! grep -qs '^#define POSTERN_SANITIZE' "$BUILDDIR/config.h" || seccomp=0
plan 91

# What fixture_init made for nobody, given to those whom it belongs to.
fixture_init
AS=
chown -R root:root "$T"
chmod 755 "$T" "$T/tls" "$T/run"
rm -rf "$T/mail" "$T/state" "$T/accounts" "$T/accounts.lock"
mkdir "$T/etc" "$T/mail" "$T/state" "$T/state/auth" "$T/state/reader"
chown root:postern-auth "$T/etc"
chmod 2750 "$T/etc"
chown postern-auth:postern-auth "$T/state" "$T/state/auth"
chown postern-read:postern-mail "$T/state/reader"
chmod 711 "$T/state"
chmod 700 "$T/state/auth" "$T/state/reader"
chown postern-store:postern-mail "$T/mail"
chmod 2750 "$T/mail"
fixture_conf "auth { accounts = \"$T/etc/accounts\" }"
fixture_conf "delivery { aliases = \"$T/aliases\" }"

# Run as a system user, with its groups.
as() {
	as_user=$1
	shift
	setpriv --reuid="$as_user" --regid="$(id -g "$as_user")" \
	    --init-groups "$@"
}

if ! as postern-session test -x "$BIN/retrieve-session"; then
	BIN=$T/programs
	mkdir "$BIN"
	for f in $MASTERS posternctl auth-server auth-sasl tls-keys \
	    smtpd-session smtpd-store retrieve-session retrieve-reader; do
		install -m 755 "$BUILDDIR/$f" "$BIN/$f"
	done
fi
fixture_ctl user import "$T/import" || exit 1
fixture_start || exit 1

# A field of /proc/PID/status: status PID Uid
status() { sed -n "s/^$2:[ 	]*//p" "/proc/$1/status"; }

# The uids, real to file system, where all four are the same; or all.
uid_of() { status "$1" Uid | tr '	' '\n' | sort -u | tr '\n' ' '; }

sorted() { tr ' ' '\n' | grep . | sort -n | tr '\n' ' '; }

roles=0
for m in $MASTERS; do
	pid=$(fixture_pid "$m")
	is "$m is root" "$(uid_of "$pid")" "0 "
	for child in $(cat "/proc/$pid/task/$pid/children"); do
		exe=$(readlink "/proc/$child/exe")
		case ${exe##*/} in
		auth-server)	user=postern-auth ;;
		auth-sasl)	user=postern-sasl ;;
		smtpd-session|retrieve-session)	user=postern-session ;;
		tls-keys)	user=postern-keys ;;
		smtpd-store)	user=postern-store ;;
		retrieve-reader) user=postern-read ;;
		*)		user=nobody-we-know ;;
		esac
		who="$m: ${exe##*/}"
		roles=$((roles + 1))
		is "$who runs as $user" "$(uid_of "$child")" "$(id -u $user) "
		is "$who: its groups alone" \
		    "$(status "$child" Groups | sorted)" \
		    "$(id -G $user | sorted)"
		is "$who: no capability, no new privilege, seccomp" \
		    "$(status "$child" CapPrm) $(status "$child" CapEff) $(
		    status "$child" NoNewPrivs) $(status "$child" Seccomp)" \
		    "0000000000000000 0000000000000000 1 $seccomp"
		if [ "$user" = postern-session ]; then
			none "$who: holds no file" "$(ls -l "/proc/$child/fd" |
			    sed -n 's/.* -> //p' | grep '^/' |
			    grep -v '^/dev/null$\|^/memfd:\|\.log$')"
		fi
	done
done
is "all the processes were seen" "$roles" 11
is "no two roles share a user" "$(for u in auth sasl session keys store read
do id -u "postern-$u"; done | sort -u | wc -l)" 6

swaks --server "127.0.0.1:$SMTP" --tls --auth PLAIN \
    --auth-user "alice@$DOMAIN" --auth-password alice-secret \
    --from "alice@$DOMAIN" --to "bob@$DOMAIN,carol@$DOMAIN" \
    --body "as root" > "$T/swaks" 2>&1
ok "a message is taken" grep -q '^<~  250 2.0.0' "$T/swaks"
get() {
	curl -sSf --cacert "$T/tls/ca.pem" -m 60 \
	    --connect-to "localhost:$HTTPS:127.0.0.1:$HTTPS" \
	    -u "$1@$DOMAIN:$2" "https://localhost:$HTTPS$3"
}
id=$(get bob bob-secret /mail/ | sed -n '2s/ .*//p')
ok "it is read" test -n "$(get bob bob-secret "/mail/$id" | grep '^as root')"
fixture_ctl alias add team carol
is "aliases are root's, for all to read" "$(stat -c '%U %a' "$T/aliases")" \
    "root 644"
swaks --server "127.0.0.1:$SMTP" --tls --auth PLAIN \
    --auth-user "alice@$DOMAIN" --auth-password alice-secret \
    --from "alice@$DOMAIN" --to "team@$DOMAIN,postmaster@$DOMAIN" \
    --body "to all" > "$T/swaks" 2>&1
ok "the store reads them" grep -q '^<~  250 2.0.0' "$T/swaks"
is "and makes the postmaster's mailbox" "$(stat -c '%U %G %a' \
    "$T/mail/$DOMAIN/postmaster")" "postern-store postern-mail 2750"
box=$T/mail/$DOMAIN/bob/Maildir
file=$(find "$box/new" -type f)
is "files are 0640, of the store and the group that reads" \
    "$(stat -c '%U %G %a' "$file")" "postern-store postern-mail 640"
is "folders are 2750" "$(find "$T/mail" -type d -printf '%u %g %m\n' |
    sort -u)" "postern-store postern-mail 2750"

accounts=$T/etc/accounts
is "accounts are 0640" "$(stat -c '%U %G %a' "$accounts")" \
    "root postern-auth 640"
for u in auth sasl; do
	ok "postern-$u reads the accounts" as postern-$u test -r "$accounts"
done
for u in session keys store read; do
	notok "postern-$u does not" as postern-$u test -r "$accounts"
done
for u in auth sasl session keys store read; do
	notok "postern-$u does not write them" as postern-$u \
	    sh -c ": >> '$accounts'"
done
for u in auth sasl session keys store read; do
	notok "postern-$u does not read the key" as postern-$u \
	    test -r "$T/tls/server.key"
done
ok "postern-read reads mail" as postern-read test -r "$file"
notok "but does not change it" as postern-read sh -c ": >> '$file'"
notok "nor remove it" as postern-read rm -f "$file"
notok "nor add any" as postern-read touch "$box/new/x"
for u in auth sasl session keys; do
	notok "postern-$u does not see it" as postern-$u ls "$box/new"
done

echo "another secret" | fixture_ctl user passwd -p "bob@$DOMAIN"
is "a password changed by root: the accounts stay as they are" \
    "$(stat -c '%U %G %a' "$accounts")" "root postern-auth 640"
ok "the new one is taken" get bob "another secret" /mail/
notok "the old one is not" get bob bob-secret /mail/
echo "one more" | fixture_ctl user add -p "dora@$DOMAIN"
ok "so is that of a new account" get dora "one more" /mail/

fixture_ctl quota set "bob@$DOMAIN" 100K
is "a quota is root's, and the store reads it" \
    "$(stat -c '%U %G %a' "$T/mail/$DOMAIN/bob/quota")" "root postern-mail 640"
notok "and does not write it" as postern-store \
    sh -c ": >> '$T/mail/$DOMAIN/bob/quota'"
send() {
	swaks --server "127.0.0.1:$SMTP" --tls --auth PLAIN \
	    --auth-user "alice@$DOMAIN" --auth-password alice-secret \
	    --from "alice@$DOMAIN" --to "bob@$DOMAIN" --body "$1" \
	    > "$T/swaks" 2>&1
}
send small
is "maildirsize is the store's" "$(stat -c '%U %G %a' "$box/maildirsize")" \
    "postern-store postern-mail 640"
is "with the limit" "$(head -n 1 "$box/maildirsize")" 102400S
for i in 1 2 3; do
	send "$(head -c 45000 /dev/zero | tr '\0' x | fold -w 70)"
done
ok "it holds" grep -q '^<~\* 452 4.2.2' "$T/swaks"

is "the numbers' files are root's, for all to read" "$(find "$T/run/stats" \
    -type f -printf '%U %m\n' | sort -u)" "0 644"
notok "which no role can write by their names" as postern-session \
    sh -c ": >> '$(find "$T/run/stats" -name 'postern-smtpd.smtpd-session.*' |
    head -n 1)'"
"$BIN/posternctl" -c "$T/postern.conf" metrics --listen 127.0.0.1:0 \
    2> "$T/log/metrics" &
metrics=$!
for n in $(seq 600); do
	grep -q listening "$T/log/metrics" && break
	sleep 0.05
done
port=$(sed -n 's/.*address=127.0.0.1://p' "$T/log/metrics")
is "metrics --listen goes on as postern-session" "$(uid_of "$metrics")" \
    "$(id -u postern-session) "
is "no capability, no new privilege, seccomp" \
    "$(status "$metrics" CapPrm) $(status "$metrics" CapEff) $(
    status "$metrics" NoNewPrivs) $(status "$metrics" Seccomp)" \
    "0000000000000000 0000000000000000 1 $seccomp"
is "and serves the numbers" "$(curl -sS -m 60 \
    "http://127.0.0.1:$port/metrics" |
    grep -c '^postern_up{service="[a-z]*"} 1$')" 3
kill "$metrics"
wait "$metrics"
is "until it is told to end" $? 0
