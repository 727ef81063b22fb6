# SPDX-License-Identifier: ISC
# The Debian packages that are needed, and installing those that are missing.
# Sourced by script/server, script/test and .ci/run.

# Building and running.
packages_build="autoconf automake gcc libc6-dev linux-libc-dev make pkgconf
	libssl-dev libsasl2-dev libevent-dev libconfuse-dev libjansson-dev
	libseccomp-dev libidn2-dev libunistring-dev"
packages_run="libsasl2-modules openssl passwd util-linux"
# The clients that script/server names in what to try.
packages_try="curl swaks libnet-ssleay-perl libio-socket-inet6-perl"
packages_test="libcmocka-dev expect mandoc msmtp mutt dovecot-imapd strace
	procps python3 xz-utils"
# Without these, tests of them are skipped. Some bring services of their own.
packages_ci="clang clang-format fail2ban git git-email gsasl
	libauthen-sasl-perl libio-socket-ssl-perl libmailtools-perl
	libsasl2-modules-db libsasl2-modules-sql s-nail sasl2-bin sqlite3
	sslscan testssl.sh"

package_installed() {
	case " $(dpkg-query -W -f='${db:Status-Status} ' "$1" \
	    2> /dev/null)" in
	*" installed "*) return 0 ;;
	esac
	return 1
}

# Install what is missing of the packages named; only root can. Output goes
# to standard error.
packages_install() {
	# Elsewhere than on Debian configure says what is missing.
	command -v dpkg-query > /dev/null || return 0
	missing=
	for p in "$@"; do
		package_installed "$p" || missing="$missing $p"
	done
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		echo "${me:-${0##*/}}: packages are missing and only root can" \
		    "install them:$missing" >&2
		echo "${me:-${0##*/}}: try: sudo apt-get install$missing" >&2
		return 1
	fi
	echo "${me:-${0##*/}}: installing$missing" >&2
	# shellcheck disable=SC2086
	{ apt-get -q -o DPkg::Lock::Timeout=300 update ||
	    echo "${me:-${0##*/}}: trying with the package lists there are"
	    env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
	    -o DPkg::Lock::Timeout=300 install --no-install-recommends \
	    $missing; } >&2 < /dev/null && return 0
	echo "${me:-${0##*/}}: could not install$missing" >&2
	return 1
}
