# SPDX-License-Identifier: ISC
# Who may include what: the order of the layers, the purity of the engines,
# and the few files that speak to OpenSSL's TLS and to SASL.
. "$SRCDIR/t/lib.sh"
plan 10
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
none "smtpd/ and retrieve/ see of auth/ and keys/ what is for them" \
    "$(grep -nE '^#[[:space:]]*include "(auth|keys)/' smtpd/*.[ch] \
    retrieve/*.[ch] | grep -vE '"(auth/(auth_proto|held)|keys/client)\.h"')"
none "masters are lib/ and a table" \
    "$(grep -nE '^#[[:space:]]*include' auth/main.c smtpd/main.c \
    retrieve/master.c | grep -vE '"lib/(conf|master)\.h"')"

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
