# SPDX-License-Identifier: ISC
# What tests in sh share: TAP, and a fixture (its own folder with a CA, a
# certificate, a conf on free ports, accounts, and the three daemons).
#
#	. "$SRCDIR/t/lib.sh"
#	plan 3
#	fixture_init			# folder $T
#	fixture_conf 'limits { recipient_limit = 3 }'	# optional
#	fixture_start || exit 1		# sets $SMTP $SMTPS $HTTPS; not by "ok"
#	ok "list" curl ... 		# passes when the command succeeds
#	notok "no such user" ...	# passes when it fails
#	is "what" "$got" "$want"
#
# Daemons are stopped and the folder removed at exit; KEEP=1 keeps it.
# Accounts: alice@ bob@ carol@example.test, passwords alice-secret and so
# on. A test that root runs starts its daemons as nobody ($AS does that), so
# tests show the same wherever they run. lib.exp gets the fixture by running
# this file: sh lib.sh init|conf|start|stop.

DOMAIN=example.test
MASTERS="postern-auth postern-smtpd postern-retrieve"
: "${SRCDIR:?}" "${BUILDDIR:?}"
AS=
BIN=$BUILDDIR
# A process that is not dumpable cannot look for leaks; unit tests can.
export ASAN_OPTIONS="detect_leaks=0:${ASAN_OPTIONS:-}"
tap_n=0

plan() { printf '1..%d\n' "$1"; }

# Say why a test failed, as TAP comments.
diag() { printf '%s\n' "$*" | sed 's/^/# /'; }

tap_result() {
	tap_n=$((tap_n + 1))
	if [ "$1" -eq 0 ]; then
		printf 'ok %d - %s\n' "$tap_n" "$2"
	else
		printf 'not ok %d - %s\n' "$tap_n" "$2"
	fi
}

ok() {
	ok_what=$1
	shift
	if ok_out=$("$@" 2>&1); then
		tap_result 0 "$ok_what"
	else
		tap_result 1 "$ok_what"
		diag "$* failed:" "$ok_out"
	fi
}

notok() {
	ok_what=$1
	shift
	if ok_out=$("$@" 2>&1); then
		tap_result 1 "$ok_what"
		diag "$* should fail:" "$ok_out"
	else
		tap_result 0 "$ok_what"
	fi
}

is() {
	if [ "$2" = "$3" ]; then
		tap_result 0 "$1"
	else
		tap_result 1 "$1"
		diag "got:  $2" && diag "want: $3"
	fi
}

# Pass when nothing was found: is the text empty?
none() {
	if [ -z "$2" ]; then
		tap_result 0 "$1"
	else
		tap_result 1 "$1"
		diag "$2"
	fi
}

# The C files of the project, from SRCDIR.
code_files() {
	for d in lib mail auth keys smtpd retrieve admin certs t/unit t/fuzz; do
		ls $d/*.[ch]
	done 2> /dev/null
}

skip() {
	tap_n=$((tap_n + 1))
	printf 'ok %d # SKIP %s\n' "$tap_n" "$1"
}

skip_all() {
	printf '1..0 # SKIP %s\n' "$1"
	exit 0
}

# As root: run daemons as nobody, from a copy where nobody can reach it.
fixture_identity() {
	[ "$(id -u)" -eq 0 ] || return 0
	AS="setpriv --reuid=nobody --regid=nogroup --clear-groups --inh-caps=-all"
	$AS test -x "$BUILDDIR/postern-smtpd" && return 0
	BIN=$T/bin
	[ -d "$BIN" ] && return 0
	mkdir "$BIN"
	for f in $MASTERS posternctl auth-server auth-sasl tls-keys \
	    smtpd-session smtpd-store retrieve-session retrieve-reader; do
		install -m 755 "$BUILDDIR/$f" "$BIN/$f"
	done
}

fixture_init() {
	T=$(mktemp -d "${TMPDIR:-/tmp}/postern-t.XXXXXX") || return 1
	if [ "$(id -u)" -eq 0 ] && ! setpriv --reuid=nobody --regid=nogroup \
	    --clear-groups test -x "${TMPDIR:-/tmp}"; then
		rmdir "$T"
		T=$(mktemp -d /tmp/postern-t.XXXXXX) || return 1
	fi
	mkdir "$T/log" "$T/mail" "$T/run" "$T/state" "$T/tls"
	fixture_identity
	[ -z "$AS" ] || chown -R nobody:nogroup "$T"
	cat > "$T/postern.conf" <<-END
	hostname = "mail.$DOMAIN"
	domains = { "$DOMAIN" }
	mail_root = "$T/mail"
	state_dir = "$T/state"
	run_dir = "$T/run"
	log = stderr
	session_processes = 2
	tls {
		certificates = { "$T/tls/server.pem" }
		keys = { "$T/tls/server.key" }
	}
	auth {
		accounts = "$T/accounts"
		iterations = 4096
		workers = 2
	}
	listen submission { addresses = { "127.0.0.1" } port = 0 }
	listen submissions { addresses = { "127.0.0.1" } port = 0 }
	listen https { addresses = { "127.0.0.1" } port = 0 }
	END
	for f in alice bob carol; do
		echo "$f@$DOMAIN:$f-secret"
	done > "$T/import"
	fixture_ctl cert ca --dir "$T/tls" &&
	fixture_ctl cert server --dir "$T/tls" "mail.$DOMAIN" localhost \
	    127.0.0.1 ::1 &&
	fixture_ctl user import "$T/import"
}

# posternctl on the fixture's conf, as whoever runs the daemons.
fixture_ctl() {
	$AS "$BIN/posternctl" -c "$T/postern.conf" "$@" \
	    >> "$T/log/posternctl.log" 2>&1 && return 0
	diag "posternctl $* failed:"
	tail -n 5 "$T/log/posternctl.log" | sed 's/^/# /'
	return 1
}

# Add settings to the conf.
fixture_conf() { printf '%s\n' "$*" >> "$T/postern.conf"; }

# Start the masters named (all three), wait until they are ready.
fixture_start() {
	[ $# -gt 0 ] || set -- $MASTERS
	for m in "$@"; do
		rm -f "$T/run/$m.pid" "$T/run/$m.ports"
		$AS "$BIN/$m" -L "$BIN" -c "$T/postern.conf" \
		    >> "$T/log/$m.log" 2>&1 < /dev/null &
		echo "$m $!" >> "$T/started"
		# One by one: those who use auth find it there at once.
		fixture_wait "$m" || return 1
	done
	SMTP=$(fixture_port postern-smtpd submission)
	SMTPS=$(fixture_port postern-smtpd submissions)
	HTTPS=$(fixture_port postern-retrieve https)
}

fixture_pid() { sed -n "s/^$1 //p" "$T/started" | tail -n 1; }

fixture_wait() {
	w_pid=$(fixture_pid "$1")
	w_n=0
	until [ -s "$T/run/$1.pid" ]; do
		w_n=$((w_n + 1))
		if ! kill -0 "$w_pid" 2> /dev/null || [ $w_n -gt 600 ]; then
			diag "$1 is not ready:"
			tail -n 20 "$T/log/$1.log" | sed 's/^/# /'
			return 1
		fi
		sleep 0.05
	done
}

# The port a listener got: fixture_port postern-smtpd submission
fixture_port() {
	[ ! -f "$T/run/$1.ports" ] ||
	    sed -n "s/^$2 127.0.0.1 //p" "$T/run/$1.ports" | head -n 1
}

# Stop the masters that run; complain about what sanitizers found.
fixture_stop() {
	[ -f "$T/started" ] || return 0
	while read -r s_name s_pid; do
		s_n=0
		kill -TERM "$s_pid" 2> /dev/null || continue
		while kill -0 "$s_pid" 2> /dev/null; do
			s_n=$((s_n + 1))
			if [ $s_n -gt 200 ]; then
				diag "$s_name did not stop"
				kill -KILL "$s_pid" 2> /dev/null
				break
			fi
			# Our own child leaves when it is waited for.
			case $(cut -d ' ' -f 3 "/proc/$s_pid/stat" \
			    2> /dev/null) in
			Z|'') break ;;
			esac
			sleep 0.05
		done
	done < "$T/started"
	rm -f "$T/started"
	if grep -nE 'Sanitizer|runtime error:|bug: ' "$T"/log/*.log \
	    > "$T/reports"; then
		printf 'not ok - reports in the logs\n'
		sed 's/^/# /' "$T/reports" | head -n 60
		return 1
	fi
}

fixture_remove() {
	[ -n "$T" ] || return 0
	if [ -n "$KEEP" ]; then
		diag "kept: $T"
	else
		rm -rf "$T"
	fi
}

at_exit() {
	e_status=$?
	trap - EXIT
	[ -z "$T" ] || fixture_stop
	fixture_remove
	exit $e_status
}

T=
: "${KEEP:=}"
case ${0##*/} in
lib.sh)		# run by lib.exp: the folder outlives this process
	[ "$1" = init ] || T=$2
	case $1 in
	init)
		fixture_init || { fixture_remove; exit 1; }
		printf '%s\n' "$T" ;;
	conf)
		shift 2
		fixture_conf "$@" ;;
	start)
		shift 2
		fixture_identity
		fixture_start "$@" || exit 1
		printf '%s\n' "${SMTP:-0} ${SMTPS:-0} ${HTTPS:-0}" ;;
	ctl)
		shift 2
		fixture_identity
		fixture_ctl "$@" ;;
	stop)	fixture_stop ;;
	remove)	fixture_remove ;;
	esac ;;
*)
	trap at_exit EXIT
	trap 'exit 129' HUP INT TERM ;;
esac
