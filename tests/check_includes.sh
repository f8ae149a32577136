#!/bin/sh
# SPDX-License-Identifier: ISC
#
# check_includes.sh - holds the table "Who may include whom" of the design.
#
# Run by make check, which gives the rows as lists of files in the
# environment: BASE_FILES DAEMON_FILES PROXY_PURE_FILES PROXY_EDGE_FILES
# JUMP_PURE_FILES JUMP_EDGE_FILES XLAT_PURE_FILES XLAT_EDGE_FILES, and srcdir,
# NM, OBJDUMP and COMPILE.  Libraries are looked for in the current folder.
set -eu

: "${srcdir:=.}" "${NM:=nm}" "${OBJDUMP:=objdump}" "${COMPILE:=cc}"
problems=$(mktemp)
object=$(mktemp)
trap 'rm -f "$problems" "$object"' EXIT

# What the pure rows may include: no descriptor, no clock, no process.
libc_headers='arpa/inet.h assert.h errno.h inttypes.h limits.h stdarg.h
    stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h strings.h'

# What pure code may call: memory and text, nothing that reaches outside.
libc_functions='abort bsearch calloc free inet_pton malloc memchr memcmp memcpy memmem
    memmove memset qsort realloc reallocarray snprintf strchr strcmp strcspn
    strlen strncasecmp strcasecmp strncmp strnlen strpbrk strrchr strspn
    strstr strtoul vsnprintf __assert_fail __errno_location'

# What compilers add to it.
made_functions='__(asan|ubsan|lsan|sanitizer|sancov)_.*
    __stack_chk_fail _GLOBAL_OFFSET_TABLE_ __(mem|str|snprintf|vsnprintf).*_chk'

problem() {
	echo "check_includes: $*" | tee -a "$problems" >&2
}

# contains WORD LIST...
contains() {
	word=$1
	shift
	for each in $*; do
		test "$word" != "$each" || return 0
	done
	return 1
}

# The headers a file includes, one a line, as <system.h> or "our/file.h".
includes_of() {
	sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*//p' \
	    "$srcdir/$1" | sed 's/^\([<"][^>"]*[>"]\).*/\1/'
}

# Libraries only some files may know: allowed_library FILE HEADER
allowed_library() {
	case $2 in
	libconfig.h)
		case $1 in common/cfgfile*) return 0 ;; esac
		return 1 ;;
	openssl/*)
		case $1 in
		proxyd/client_hello.c | jumpd/key_digest.c | \
		    jumpd/ssh_cert_verify.c | jumpd/host_key_make.c) return 0 ;;
		esac
		return 1 ;;
	ares.h)
		test "$1" = jumpd/resolver.c ;;
	libssh/*)
		case $1 in
		jumpd/session*.c | jumpd/channel.c | jumpd/host_keys.c)
			return 0 ;;
		esac
		return 1 ;;
	esac
}

# check_row ROW SYSTEM FILES OURS: system is libc or any.
check_row() {
	row=$1 system=$2 files=$3 ours=$4
	for file in $files; do
		if ! test -f "$srcdir/$file"; then
			problem "$file: listed in a Makefile.inc, but missing"
			continue
		fi
		for include in $(includes_of "$file"); do
			name=${include#?}
			name=${name%?}
			case $include in
			'<'*) check_system "$file" "$row" "$system" "$name" ;;
			*) contains "$name" "$ours" ||
				problem "$file: $row may not include $include" ;;
			esac
		done
	done
}

# check_system FILE ROW SYSTEM NAME
check_system() {
	if ! allowed_library "$1" "$4"; then
		problem "$1: may not include <$4>"
	elif test "$3" = libc && ! contains "$4" "$libc_headers"; then
		case $4 in
		openssl/*) ;;	# allowed_library has judged it
		*) problem "$1: $2 may not include <$4>" ;;
		esac
	fi
}

# Every source belongs to a row.
check_all_listed() {
	for file in $(cd "$srcdir" &&
	    find common proxyd jumpd translate -name '*.[ch]'); do
		contains "$file" "$*" ||
		    problem "$file: in no Makefile.inc, so in no row"
	done
}

check_headers_alone() {
	for file in $*; do
		case $file in *.h) ;; *) continue ;; esac
		echo "#include \"$file\"" |
		    $COMPILE -Werror -I"$srcdir" -x c -c -o "$object" - ||
			problem "$file: does not compile alone"
	done
}

# check_state LIBRARY: it has no variables; client_hello.c keeps OpenSSL's.
check_state() {
	"$OBJDUMP" -t "$1" | awk '
	    /file format/ { member = $1; sub(":", "", member) }
	    $0 ~ / O [.](data|bss|tdata|tbss)/ && !/[.]data[.]rel[.]ro/ {
		    print member, $NF }' |
	    grep -Ev '^(libproxy_a-)?client_hello\.o |(__|\.)[^ ]*asan' |
	    while read -r member symbol; do
		problem "$1($member): pure code may not keep $symbol"
	    done
}

# check_symbols LIBRARY ALLOWED-LIBRARIES: what it needs is in the list or in
# the libraries named.
check_symbols() {
	test -f "$1" || { problem "$1: not built"; return; }
	check_state "$1"
	allowed=$(printf '%s\n' $libc_functions $made_functions |
	    paste -sd '|')
	defined=$("$NM" -g --defined-only $1 $2 2>/dev/null |
	    awk 'NF == 3 { print $3 }' | paste -sd '|')
	"$NM" -A -u "$1" 2>/dev/null |
	    sed -n 's/^[^:]*:\([^:]*\):.* U \(.*\)$/\1 \2/p' |
	    grep -Ev " ($allowed|$defined)\$" |
	    grep -Ev "^(libproxy_a-)?client_hello\.o (SSL|BIO|ERR|OPENSSL|OSSL|TLS|CRYPTO|OpenSSL)_" |
	    grep -Ev "^(libjump_a-)?(key_digest|ssh_cert_verify)\.o (EVP|OSSL|OPENSSL|BN|ERR|CRYPTO)_" |
	    while read -r member symbol; do
		problem "$1($member): pure code may not call $symbol()"
	    done
}

: "${BASE_FILES?} ${DAEMON_FILES?} ${PROXY_PURE_FILES?} ${PROXY_EDGE_FILES?}"
: "${JUMP_PURE_FILES?} ${JUMP_EDGE_FILES?}"
: "${XLAT_PURE_FILES?} ${XLAT_EDGE_FILES?}"
check_row 'common, pure' libc "$BASE_FILES" "$BASE_FILES"
check_row 'common, process' any "$DAEMON_FILES" "$BASE_FILES $DAEMON_FILES"
check_row 'proxyd, pure' libc "$PROXY_PURE_FILES" \
    "$BASE_FILES $PROXY_PURE_FILES"
check_row 'proxyd, edge' any "$PROXY_EDGE_FILES" \
    "config.h $BASE_FILES $DAEMON_FILES $PROXY_PURE_FILES $PROXY_EDGE_FILES"
check_row 'jumpd, pure' libc "$JUMP_PURE_FILES" \
    "$BASE_FILES $JUMP_PURE_FILES"
check_row 'jumpd, edge' any "$JUMP_EDGE_FILES" \
    "config.h $BASE_FILES $DAEMON_FILES $JUMP_PURE_FILES $JUMP_EDGE_FILES"
check_row 'translate, pure' libc "$XLAT_PURE_FILES" \
    "$BASE_FILES $XLAT_PURE_FILES"
check_row 'translate, edge' any "$XLAT_EDGE_FILES" \
    "config.h $BASE_FILES $DAEMON_FILES $XLAT_PURE_FILES $XLAT_EDGE_FILES"
all="$BASE_FILES $DAEMON_FILES $PROXY_PURE_FILES $PROXY_EDGE_FILES
    $JUMP_PURE_FILES $JUMP_EDGE_FILES $XLAT_PURE_FILES $XLAT_EDGE_FILES"
check_all_listed $all
check_headers_alone $all
check_symbols libbase.a ''
check_symbols libproxy.a libbase.a
check_symbols libjump.a libbase.a
check_symbols libxlat.a libbase.a

count=$(wc -l < "$problems")
test "$count" -eq 0 || { echo "$count problems" >&2; exit 1; }
echo "$(echo $all | wc -w) files are in their rows"
