# SPDX-License-Identifier: ISC
# What the tests of posternctl share: a folder with a conf, no daemon.
#
#	ctl_init		# folder $T with postern.conf, mail, state, run
#	exits "what" STATUS posternctl's arguments ...
#
# `exits' is one test; it leaves $T/out and $T/err. A failure must say why.
# Run by root, posternctl runs as nobody, so that permissions count.
. "$SRCDIR/t/lib.sh"

ctl_init() {
	umask 022
	T=$(mktemp -d "${TMPDIR:-/tmp}/postern-t.XXXXXX") || exit 1
	if [ "$(id -u)" -eq 0 ]; then
		AS="setpriv --reuid=nobody --regid=nogroup --clear-groups"
		AS="$AS --inh-caps=-all"
		if ! $AS test -x "${T%/*}"; then
			rmdir "$T"
			T=$(mktemp -d /tmp/postern-t.XXXXXX) || exit 1
		fi
		chown nobody:nogroup "$T"
	fi
	chmod 755 "$T"
	if ! $AS test -x "$BUILDDIR/posternctl"; then
		BIN=$T/bin
		mkdir "$BIN"
		install -m 755 "$BUILDDIR/posternctl" "$BIN/posternctl"
	fi
	$AS mkdir -m 2750 "$T/mail"
	$AS mkdir -m 700 "$T/state" "$T/run"
	cat > "$T/postern.conf" <<-END
	hostname = "mail.example.test"
	domains = { "example.test", "other.test" }
	mail_root = "$T/mail"
	state_dir = "$T/state"
	run_dir = "$T/run"
	log = stderr
	tls {
		certificates = { "$T/tls/server.pem" }
		keys = { "$T/tls/server.key" }
	}
	auth {
		accounts = "$T/accounts"
		iterations = 4096
	}
	listen https { addresses = { "127.0.0.1" } port = 0 }
	END
	: > "$T/out" && : > "$T/err"
}

ctl() { $AS "$BIN/posternctl" -c "$T/postern.conf" "$@"; }

# A file of the test, readable by whoever runs posternctl alone.
put() {
	cat > "$T/$1"
	[ -z "$AS" ] || chown nobody:nogroup "$T/$1"
	chmod 600 "$T/$1"
}

exits() {
	x_what=$1
	x_want=$2
	shift 2
	x_got=0
	ctl "$@" > "$T/out" 2> "$T/err" || x_got=$?
	if [ "$x_got" -eq 0 ] || [ -s "$T/err" ]; then
		is "$x_what" "$x_got" "$x_want"
	else
		is "$x_what: says why" "$x_got" "something said, $x_want"
	fi
	[ "$x_got" = "$x_want" ] || sed 's/^/# /' "$T/err"
}

# Is there a line that matches in what the last run said?
said() { grep -qE -e "$1" "$T/err"; }
printed() { grep -qE -e "$1" "$T/out"; }
mode() { stat -c %a "$1"; }
