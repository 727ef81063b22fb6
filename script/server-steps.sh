# SPDX-License-Identifier: ISC
# The steps of script/server, which sources this file. In the state folder:
#
#	postern.conf  added.conf  options	written at each start
#	passwords		of accounts made here, for convenience
#	tls/ log/ run/		certificates, logs, sockets and pid files
#	etc/ aliases/		accounts; aliases, which the store may read
#	state/ mail/		what auth keeps; the mail root
#	started			name, pid, start time, boot of each master
#
# Called by root, these four must be within reach of the system users. Where the state folder is not (below a home of mode 0700), they lie
# in /var/lib/postern/ and are links here; programs are copied there too.
# shellcheck shell=bash disable=SC2154

masters=(postern-auth postern-smtpd postern-retrieve)
roles=(auth-server auth-sasl tls-keys smtpd-session smtpd-store
    retrieve-session retrieve-reader)
users=(postern-auth postern-sasl postern-session postern-keys postern-store
    postern-read)
run_socket=/run/auth.sock
libexec=$build
declare -A pid=()

# --- processes

# The start time of a process, in ticks since boot; fails when it has ended.
process_start() {
	local stat
	{ read -r stat < "/proc/$1/stat"; } 2> /dev/null || return 1
	read -r -a stat <<< "${stat##*) }"
	[[ ${stat[0]} != [ZX] ]] && echo "${stat[19]}"
}

# Is it still the process that was started?
process_ours() {
	[[ $3 = "$(< /proc/sys/kernel/random/boot_id)" &&
	    $2 = "$(process_start "$1")" ]]
}

# Read the file `started': sets pid[] of those that still run.
read_started() {
	local name number start boot
	pid=()
	[[ -f $dir/started ]] || return 0
	while read -r name number start boot; do
		if process_ours "$number" "$start" "$boot"; then
			pid[$name]=$number
		fi
	done < "$dir/started"
}

# Do all services run?  If only some do, stop them.
services_run() {
	read_started
	[[ ${#pid[@]} -ne ${#masters[@]} ]] || return 0
	if [[ ${#pid[@]} -gt 0 ]]; then
		say "only ${!pid[*]} still ran: starting anew"
		end_services
	fi
	rm -f "$dir/started"
	return 1
}

# End the processes of pid[]: SIGTERM, and SIGKILL after 15 seconds.
end_services() {
	local name tries since
	[[ ${#pid[@]} -gt 0 ]] || return 0
	local -A start=()
	# Clients' services first, so that they do not miss auth.
	for name in postern-retrieve postern-smtpd postern-auth; do
		[[ -n ${pid[$name]:-} ]] || continue
		since=$(process_start "${pid[$name]}") || continue
		start[$name]=$since
		kill -TERM "${pid[$name]}" 2> /dev/null || :
	done
	for name in "${!start[@]}"; do
		tries=0
		while [[ $(process_start "${pid[$name]}") = \
		    "${start[$name]}" ]]; do
			if ((++tries == 150)); then
				say "$name did not stop: killing it"
				kill -KILL "${pid[$name]}" 2> /dev/null || :
			elif ((tries > 200)); then
				break
			fi
			sleep 0.1
		done
	done
	pid=()
}

# --stop
stop_services() {
	[[ -f $dir/started ]] || {
		say "nothing runs from $dir"
		return 0
	}
	[[ $EUID -eq 0 || -O $dir/started ]] ||
	    die "$dir belongs to $(stat -c %U "$dir")"
	read_started
	# Whoever waits for them sees by this that they were told to stop.
	rm -f "$dir/started"
	[[ ${#pid[@]} -gt 0 ]] || say "nothing runs from $dir"
	end_services
}

# --- the build

build_programs() {
	[[ -d $build ]] || mkdir "$build" || die "cannot make $build"
	exec {build_lock}< "$build"
	flock "$build_lock"
	[[ -f $build/Makefile ]] || say "building in $build"
	(
		# In a list before || a shell does not stop at an error.
		{ [[ -x $top/configure ]] || "$top/bootstrap"; } &&
		cd "$build" &&
		{ [[ -f Makefile ]] || "$top/configure" -q --prefix=/usr \
		    --sysconfdir=/etc --localstatedir=/var \
		    --runstatedir=/run; } &&
		make -s -j "$(nproc)" all
	) < /dev/null > "$build/build.log" 2>&1 || {
		tail -n 30 "$build/build.log" >&2
		die "the build failed; its log is $build/build.log"
	}
	exec {build_lock}<&-
}

# --- the state folder

make_folder() {
	mkdir -p -- "$dir" || die "cannot make $dir"
	[[ -O $dir ]] ||
	    die "$dir belongs to $(stat -c %U "$dir"), not to $(id -un)"
}

# Options of the last start stand in for those not given now.
read_options() {
	local name value
	local -A last=([smtp]=2587 [smtps]=2465 [https]=8443
	    [domain]=example.test)
	if [[ -f $dir/options ]]; then
		while read -r name value; do
			last[$name]=$value
		done < "$dir/options"
	fi
	for name in smtp smtps https; do
		: "${port[$name]:=${last[$name]}}"
	done
	: "${domain:=${last[domain]}}"
	options=$(for name in smtp smtps https; do
		echo "$name ${port[$name]}"
	done; echo "domain $domain")
}

have_ipv6() {
	grep -qs '^00000000000000000000000000000001 ' /proc/net/if_inet6
}

# Does anyone listen on this port where we would?
port_taken() {
	local hex
	printf -v hex %04X "$1"
	awk -v hex=":$hex" '
	BEGIN {
		ours["00000000" hex] ours["0100007F" hex]
		ours["00000000000000000000000000000000" hex]
		ours["00000000000000000000000001000000" hex]
		ours["0000000000000000FFFF00000100007F" hex]
	}
	$4 == "0A" && $2 in ours { found = 1 }
	END { exit !found }' /proc/net/tcp*
}

check_ports() {
	local kind seen=' ' tries
	for kind in smtp smtps https; do
		for ((tries = 0; port[$kind] == 0 && tries < 1000; tries++)); do
			port[$kind]=$((16384 + RANDOM % 16384))
			port_taken "${port[$kind]}" && port[$kind]=0
			[[ $seen != *" ${port[$kind]} "* ]] || port[$kind]=0
		done
		[[ $seen != *" ${port[$kind]} "* ]] ||
		    die "--$kind: port ${port[$kind]} is named twice"
		! port_taken "${port[$kind]}" ||
		    die "--$kind: port ${port[$kind]} is taken by another program"
		seen+="${port[$kind]} "
	done
}

# The system users, as a package makes them.
make_users() {
	local user group
	for user in postern-auth postern-mail; do
		getent group "$user" > /dev/null || groupadd --system "$user"
	done
	for user in "${users[@]}"; do
		! getent passwd "$user" > /dev/null || continue
		case $user in
		postern-auth) group=(-g postern-auth) ;;
		postern-sasl) group=(-U -G postern-auth) ;;
		postern-store|postern-read) group=(-g postern-mail) ;;
		*) group=(-U) ;;
		esac
		say "making the system user $user"
		useradd --system --no-create-home --home-dir /nonexistent \
		    --shell /usr/sbin/nologin "${group[@]}" "$user" ||
		    die "cannot make the system user $user"
	done
}

# Can each system user reach this file or folder?
users_reach() {
	local user
	for user in "${users[@]}"; do
		setpriv --reuid="$user" --regid="$(id -g "$user")" \
		    --init-groups test -x "$1" || return 1
	done
}

make_places() {
	local home=$dir name
	mkdir -p "$dir"/{tls,log,run}
	chmod 755 "$dir" "$dir/tls"
	if [[ $EUID -eq 0 ]]; then
		if [[ -L $dir/mail && -d $dir/mail ]]; then
			home=$(dirname "$(realpath "$dir/mail")")
		elif ! users_reach "$dir"; then
			mkdir -p /var/lib/postern
			home=$(mktemp -d /var/lib/postern/XXXXXXXX)
			chmod 755 "$home"
			say "the system users cannot reach $dir:" \
			    "mail and accounts lie in $home"
			for name in etc aliases state mail; do
				rm -f "$dir/$name"
				ln -s "$home/$name" "$dir/$name"
			done
		fi
	fi
	mail_root=$home/mail
	mkdir -p "$home"/{etc,aliases,state,mail}
	if [[ $EUID -ne 0 ]]; then
		chmod 700 "$home"/{etc,aliases,state,mail}
		return 0
	fi
	chown root:postern-auth "$home/etc"
	chmod 2750 "$home/etc"
	chmod 755 "$home/aliases"
	mkdir -p "$home/state"/{auth,reader}
	chown postern-auth:postern-auth "$home/state" "$home/state/auth"
	chown postern-read:postern-mail "$home/state/reader"
	chmod 711 "$home/state"
	chmod 700 "$home/state"/{auth,reader}
	chown postern-store:postern-mail "$home/mail"
	chmod 2750 "$home/mail"
	for name in "${roles[@]}"; do
		users_reach "$build/$name" || libexec=$home/libexec
	done
	[[ $libexec != "$build" ]] || return 0
	mkdir -p "$libexec"
	for name in "${roles[@]}"; do
		cmp -s "$build/$name" "$libexec/$name" ||
		    install -m 755 "$build/$name" "$libexec/$name"
	done
	users_reach "$libexec/${roles[0]}" ||
	    die "the system users cannot run $libexec/${roles[0]}"
}

# The domain, then those of accounts that are there or are to be loaded.
all_domains() {
	local label='[a-z0-9]([a-z0-9-]*[a-z0-9])?'
	{
		echo "$domain"
		cat "${mail_root%/mail}/etc/accounts" ${accounts:+"$accounts"} \
		    2> /dev/null | tr 'A-Z\t' 'a-z:' |
		    sed -nE "s/^[^#:]+@($label(\\.$label)*):.*/\\1/p"
	} | awk '!seen[$0]++ { printf "%s\"%s\"", n++ ? ", " : "", $0 }'
}

make_conf() {
	local addresses='"127.0.0.1"'
	! have_ipv6 || addresses+=', "::1"'
	local extra=${added:-$dir/added.conf}
	{
		cat <<-END
		# Made by script/server at each start; --conf FILE adds to it.
		hostname = "mail.$domain"
		domains = { $(all_domains) }
		mail_root = "$mail_root"
		state_dir = "${mail_root%/mail}/state"
		run_dir = "$dir/run"
		log = stderr
		tls {
		    certificates = { "$dir/tls/server.pem" }
		    keys = { "$dir/tls/server.key" }
		}
		auth {
		    accounts = "${mail_root%/mail}/etc/accounts"
		}
		delivery {
		    aliases = "${mail_root%/mail}/aliases/aliases"
		}
		listen submission {
		    addresses = { $addresses }
		    port = ${port[smtp]}
		}
		listen submissions {
		    addresses = { $addresses }
		    port = ${port[smtps]}
		}
		listen https {
		    addresses = { $addresses }
		    port = ${port[https]}
		}
		END
		if [[ -s $extra ]]; then
			echo "# Added with --conf:"
			cat -- "$extra"
		fi
	} > "$dir/postern.conf.new"
	control show > /dev/null || bad_conf
}

bad_conf() {
	say "the configuration $dir/postern.conf.new is bad"
	exit 78
}

# What was asked for works: remember it.
keep_conf() {
	control check >&2 || bad_conf
	[[ -z $added ]] || cat -- "$added" > "$dir/added.conf"
	mv "$dir/postern.conf.new" "$dir/postern.conf"
	echo "$options" > "$dir/options"
}

control() {
	"$build/posternctl" -c "$dir/postern.conf.new" "$@" < /dev/null
}

# A CA once; a server certificate when there is none for this name, or it
# soon ends.
make_certificates() {
	[[ -f $dir/tls/ca.pem ]] ||
	    control cert ca --dir "$dir/tls" >&2 || die "cannot make the CA"
	if [[ -f $dir/tls/server.pem ]] && openssl x509 -noout \
	    -checkend 86400 -in "$dir/tls/server.pem" > /dev/null &&
	    openssl x509 -noout -checkhost "mail.$domain" \
	    -in "$dir/tls/server.pem" | grep -q 'does match'; then
		return 0
	fi
	rm -f "$dir"/tls/server.{pem,key}
	control cert server --dir "$dir/tls" "mail.$domain" localhost 127.0.0.1 \
	    ::1 >&2 || die "cannot make the server certificate"
}

new_password() {
	head -c 96 /dev/urandom | base64 -w 0 | tr -dc 'a-hjkmnp-z2-9' |
	    head -c 16
}

# RFC 5321 section 4.5.1: mail to postmaster must be taken. It has a mailbox
# and no login; the administrator reads it on disk.
make_postmaster() {
	local folder
	for folder in "$mail_root/$domain" "$mail_root/$domain/postmaster"; do
		[[ ! -d $folder ]] || continue
		mkdir "$folder"
		[[ $EUID -ne 0 ]] || chown postern-store:postern-mail "$folder"
		chmod 2750 "$folder"
	done
}

make_accounts() {
	local name
	if [[ -n $accounts ]]; then
		control user import --update "$accounts" >&2 ||
		    die "--accounts: $accounts was not loaded"
	elif ! grep -qs "@$domain	" "${mail_root%/mail}/etc/accounts"; then
		(umask 077 && for name in alice bob; do
			echo "$name@$domain:$(new_password)"
		done >> "$dir/passwords")
		control user import --update "$dir/passwords" >&2 ||
		    die "cannot make the accounts"
	fi
}

# --- start

# When this program ends, before all is ready or in the foreground, nothing
# is left running.
give_up() {
	local status=$?
	trap - EXIT
	rm -f "$dir/started"
	end_services
	exit $status
}

start_services() {
	local name
	rm -f "$dir"/run/postern-*.{pid,ports}
	trap give_up EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	for name in "${masters[@]}"; do
		echo "--- start" >> "$dir/log/$name.log"
		setsid "$build/$name" -L "$libexec" -c "$dir/postern.conf" \
		    {lock}<&- < /dev/null >> "$dir/log/$name.log" 2>&1 &
		pid[$name]=$!
	done
	for name in "${masters[@]}"; do
		wait_ready "$name"
	done
	for name in "${masters[@]}"; do
		echo "$name ${pid[$name]} $(process_start "${pid[$name]}")" \
		    "$(< /proc/sys/kernel/random/boot_id)"
	done > "$dir/started"
	[[ -z $detach ]] || trap - EXIT INT TERM HUP
}

wait_ready() {
	local name=$1 tries=0 why=
	until [[ -s $dir/run/$name.pid ]]; do
		if ! process_start "${pid[$name]}" > /dev/null; then
			why="$name could not start"
		elif ((++tries > 1200)); then
			why="$name is not ready after 60 seconds"
		fi
		if [[ -n $why ]]; then
			sed -n '/^--- start$/h;//!H;${x;p}' \
			    "$dir/log/$name.log" | tail -n 12 >&2
			die "$why; its log is $dir/log/$name.log"
		fi
		sleep 0.05
	done
}

# Foreground: until a signal comes, or a service ends.
wait_services() {
	local name
	trap 'exit 0' INT TERM HUP
	wait -n "${pid[@]}" || :
	# --stop takes this file away first.
	[[ -f $dir/started ]] || exit 0
	for name in "${masters[@]}"; do
		process_start "${pid[$name]}" > /dev/null ||
		    say "$name has ended; see $dir/log/$name.log"
	done
	exit 1
}

# --- what to tell

# The port of the listener KIND, as the service MASTER got it.
bound_port() {
	sed -n "s/^$2 127\.0\.0\.1 //p" "$dir/run/$1.ports" | head -n 1
}

json_string() {
	local s=${1//\\/\\\\}
	printf '"%s"' "${s//\"/\\\"}"
}

print_json() {
	: "${mail_root:=$(realpath "$dir/mail")}"
	printf '{"smtp":%d,"smtps":%d,"https":%d,"ca_file":%s,"conf":%s,' \
	    "$(bound_port postern-smtpd submission)" \
	    "$(bound_port postern-smtpd submissions)" \
	    "$(bound_port postern-retrieve https)" \
	    "$(json_string "$dir/tls/ca.pem")" \
	    "$(json_string "$dir/postern.conf")"
	printf '"mail_root":%s,"pids":[%d,%d,%d]}\n' \
	    "$(json_string "$mail_root")" "${pid[postern-auth]}" \
	    "${pid[postern-smtpd]}" "${pid[postern-retrieve]}"
}

print_help() {
	local smtp smtps https ca=$dir/tls/ca.pem user=ADDRESS word=PASSWORD
	local to=OTHER
	smtp=$(bound_port postern-smtpd submission)
	smtps=$(bound_port postern-smtpd submissions)
	https=$(bound_port postern-retrieve https)
	echo
	if [[ -r $dir/passwords ]]; then
		sed 's/^/    /; s/:/  password  /' "$dir/passwords"
		IFS=: read -r user word < <(tail -n 2 "$dir/passwords")
		to=bob@${user#*@}
	elif [[ -n $accounts ]]; then
		user=$(sed -n '/^[^#]*@/{s/:.*//p;q}' "$accounts")
		to=$user
	fi
	cat <<-END
	    CA certificate  $ca
	    configuration   $dir/postern.conf

	Send with STARTTLS, then by hand over TLS:
	    swaks --server localhost:$smtp --tls --tls-verify --tls-ca-path '$ca' --auth PLAIN --auth-user '$user' --auth-password '$word' --from '$user' --to '$to'
	    openssl s_client -quiet -crlf -connect localhost:$smtps -CAfile '$ca'
	List, then read one:
	    curl --cacert '$ca' -u '$user:$word' https://localhost:$https/mail/
	    curl --cacert '$ca' -u '$user:$word' https://localhost:$https/mail/ID
	Stop:
	    script/server --stop --dir '$dir'

	END
} >&2
