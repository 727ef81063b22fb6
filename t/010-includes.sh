# SPDX-License-Identifier: ISC
# Who may include what: the order of the layers, the purity of the engines,
# and the few files that speak to OpenSSL's TLS and to SASL.
. "$SRCDIR/t/lib.sh"
plan 8
cd "$SRCDIR" || exit 1

# Files of folder $1 that include a header of the folders $2 (a|b|c).
includes() {
	grep -nE "^#[[:space:]]*include \"($2)/" "$1"/*.[ch] 2> /dev/null
}

all="auth|keys|smtpd|retrieve|admin|certs"
none "lib/ includes lib/ alone" "$(includes lib "mail|$all")"
none "mail/ includes lib/ and mail/ alone" "$(includes mail "$all")"
none "smtpd/ and retrieve/ do not know each other" \
    "$(includes smtpd "retrieve|admin|certs"; includes retrieve "smtpd|admin|certs")"
none "auth/ and keys/ know no other service" \
    "$(includes auth "smtpd|retrieve|admin"; includes keys "smtpd|retrieve|auth|admin")"

# With its folder's headers, so that nothing comes in by the back door.
engines() {
	sed '/^#/d' t/engines.txt | while read -r f; do
		[ ! -f "$f" ] || echo "$f"
		[ ! -f "${f%.c}.h" ] || echo "${f%.c}.h"
	done
}
none "engines include no header of the system's doings" "$(engines |
    xargs -r grep -nE '^#[[:space:]]*include <(unistd|fcntl|poll|signal|pthread|dirent|netdb|sys/(socket|stat|un|uio|wait|epoll|mman)|event2/.*|openssl/ssl|sasl/.*)(\.h)?>|"lib/(accept|chain|chan|conn|counts|ctl|file|ipc|master|now|priv|role|secret|tls|wire)\.h"')"
none "engines are named where they are" "$(engines | xargs -r grep -LE \
    'SPDX')"
none "<openssl/ssl.h> only in lib/tls.c and lib/wire.c" \
    "$(grep -lE '^#[[:space:]]*include <openssl/ssl' $(code_files | grep -v ^t/) |
    grep -vE '^lib/(tls|wire)\.[ch]$')"
none "<sasl/...> only in auth/sasl*" \
    "$(grep -lE '^#[[:space:]]*include <sasl/' $(code_files | grep -v ^t/) |
    grep -vE '^auth/sasl[a-z_]*\.[ch]$')"
