#!/bin/sh
# SPDX-License-Identifier: ISC
#
# check_includes_test.sh - check_includes.sh must refuse what it is there to
# refuse.  Each case makes a small tree that is right but for one thing.
set -eu

script=$(cd "${srcdir:-.}" && pwd)/tests/check_includes.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0

# build_tree: a tree with a file or two in each row.
build_tree() {
	rm -rf "$tree"
	mkdir -p "$tree/common" "$tree/proxyd" "$tree/jumpd" \
	    "$tree/translate"
	cd "$tree"
	echo '#include <stddef.h>' > common/pure.h
	printf '%s\n' '#include "common/pure.h"' 'const int pure;' > common/pure.c
	echo '#include <unistd.h>' > common/process.c
	printf '%s\n' '#include "common/pure.h"' '#include <string.h>' \
	    'int name(void) { return 1; }' > proxyd/client_hello.c
	printf '%s\n' '#include <sys/socket.h>' '#include "common/pure.h"' \
	    > proxyd/edge.c
	printf '%s\n' '#include "common/pure.h"' \
	    'int digest(void) { return 1; }' > jumpd/key_digest.c
	printf '%s\n' '#include <sys/socket.h>' '#include "common/pure.h"' \
	    > jumpd/edge.c
	printf '%s\n' '#include "common/pure.h"' 'const int packet;' \
	    > translate/packet.c
	printf '%s\n' '#include <linux/if_tun.h>' '#include "common/pure.h"' \
	    > translate/tun.c
}

run_check() {
	for library in common/pure.c:libbase.a proxyd/client_hello.c:libproxy.a \
	    jumpd/key_digest.c:libjump.a translate/packet.c:libxlat.a
	do
		${CC:-cc} -I. -w -c "${library%:*}" -o object.o
		ar rc "${library#*:}" object.o
	done > out 2>&1 || true		# the script sees what is missing
	srcdir=. BASE_FILES='common/pure.c common/pure.h' \
	    DAEMON_FILES='common/process.c' \
	    PROXY_PURE_FILES='proxyd/client_hello.c' \
	    PROXY_EDGE_FILES='proxyd/edge.c' \
	    JUMP_PURE_FILES='jumpd/key_digest.c' \
	    JUMP_EDGE_FILES='jumpd/edge.c' \
	    XLAT_PURE_FILES='translate/packet.c' \
	    XLAT_EDGE_FILES='translate/tun.c' COMPILE="${CC:-cc}" \
	    sh "$script" > out 2>&1
}

# refuses WHAT FILE LINE: with LINE at its end, FILE is refused for WHAT.
refuses() {
	build_tree
	echo "$3" >> "$2"
	if run_check; then
		echo "FAIL: not refused: $3 in $2" >&2
		failed=1
	elif ! grep -qF "$1" out; then
		echo "FAIL: $3 in $2 refused, but without '$1':" >&2
		cat out >&2
		failed=1
	fi
}

build_tree
run_check || { echo 'FAIL: a tree that is right is refused:'; cat out; exit 1; }

refuses 'may not include <time.h>' common/pure.c '#include <time.h>'
refuses 'may not include <unistd.h>' common/pure.h '# include <unistd.h> /**/'
refuses 'may not include <sys/socket.h>' proxyd/client_hello.c \
    '#include <sys/socket.h>'
refuses 'may not include <openssl/ssl.h>' proxyd/edge.c \
    '#include <openssl/ssl.h>'
refuses 'may not include <libconfig.h>' common/process.c \
    '#include <libconfig.h>'
refuses 'may not include <libssh/libssh.h>' proxyd/edge.c \
    '#include <libssh/libssh.h>'
refuses 'may not include "proxyd/edge.h"' common/process.c \
    '#include "proxyd/edge.h"'
refuses 'may not include "proxyd/edge.h"' jumpd/edge.c \
    '#include "proxyd/edge.h"'
refuses 'may not include <openssl/evp.h>' jumpd/edge.c '#include <openssl/evp.h>'
refuses 'may not include <ares.h>' jumpd/edge.c '#include <ares.h>'
refuses 'may not include <libssh/libssh.h>' jumpd/edge.c \
    '#include <libssh/libssh.h>'
refuses 'may not call socket()' jumpd/key_digest.c \
    'int socket(int, int, int); int f(void) { return socket(1, 1, 0); }'
refuses 'may not include "process.h"' common/process.c '#include "process.h"'
refuses 'does not compile alone' common/pure.h 'struct x { uint8_t y; };'
refuses 'may not call clock_gettime()' common/pure.c \
    'int clock_gettime(int, void *); int f(void) { return clock_gettime(0, 0); }'
refuses 'may not call socket()' proxyd/client_hello.c \
    'int socket(int, int, int); int f(void) { return socket(1, 1, 0); }'
refuses 'may not keep counter' common/pure.c \
    'int f(void); int f(void) { static int counter; return counter++; }'
refuses 'may not include <linux/if_tun.h>' translate/packet.c \
    '#include <linux/if_tun.h>'
refuses 'may not include "translate/tun.h"' translate/packet.c \
    '#include "translate/tun.h"'
refuses 'may not include "jumpd/edge.h"' translate/tun.c \
    '#include "jumpd/edge.h"'
refuses 'may not call socket()' translate/packet.c \
    'int socket(int, int, int); int f(void) { return socket(1, 1, 0); }'
refuses 'in no Makefile.inc' common/other.c 'int other;'

test $failed -eq 0 && echo 'every bad tree was refused'
exit $failed
