# SPDX-License-Identifier: ISC
# Words and calls that have no place here.
. "$SRCDIR/t/lib.sh"
plan 4
cd "$SRCDIR" || exit 1

code=$(code_files | grep -v ^t/)
none "no unsafe or forbidden calls" "$(grep -nE \
    '[^a-z_.](strcpy|strcat|sprintf|vsprintf|gets|strtok|strncpy|alloca|longjmp|setjmp|system|popen|atoi|atol|strtol|tmpnam|mktemp|rand|random)\(' \
    $code)"
none "no locale" "$(grep -nE \
    '[^a-z_](isalpha|isdigit|isspace|isalnum|isupper|islower|isprint|tolower|toupper|strcasecmp|strncasecmp|setlocale)\(' \
    $code | grep -v '^lib/str\.c')"
none "nothing left to do is hidden in comments" "$(grep -nE \
    '(TODO|FIXME|XXX|HACK)([^A-Z]|$)' $code t/*.exp man/*.[1-9] ./*.md)"
none "no paths of one machine" "$(grep -nE '/(home|work|root)/' $code \
    man/*.[1-9] ./*.md NEWS conf/postern.conf)"
