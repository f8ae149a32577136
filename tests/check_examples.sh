#!/bin/sh
# SPDX-License-Identifier: ISC
#
# check_examples.sh - what we show people works: the daemons accept every
# example configuration and the README's, and the manual pages are well-formed
# and complete.
set -eu

: "${srcdir:=.}"
built=$(pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
failed=0

fail() {
	echo "check_examples: $*" >&2
	failed=1
}

# program DAEMON: where it was built
program() {
	case $1 in
	proxyd) echo "$built/proxyd/proxyd" ;;
	jumpd) echo "$built/jumpd/jumpd" ;;
	xlatd) echo "$built/translate/xlatd" ;;
	esac
}

# The user of the examples need not exist here, nor host keys.
copy_for_here() {
	sed 's/^user = "popgate";/user = "nobody";/
	    s,"/etc/popgate/ssh_host,"ssh_host,' "$1"
}

# accepts DAEMON FILE NAME: and what -T prints of it is accepted again,
# unchanged; it stays in DAEMON.effective.
accepts() {
	daemon=$(program "$1")
	test "$1" != jumpd || "$daemon" -g -f "$2" >/dev/null
	effective=$copy/$1.effective
	"$daemon" -t -f "$2" >/dev/null || { fail "$3: refused"; return; }
	"$daemon" -T -f "$2" > "$effective" &&
	    "$daemon" -T -f "$effective" > "$copy/again" ||
		{ fail "$3: what -T prints is refused"; return; }
	cmp -s "$effective" "$copy/again" ||
	    fail "$3: -T of what -T printed differs"
	cat "$effective" >> "$copy/$1.all"
}

# root is allowed to read what mktemp made for itself alone; nobody is not.
chmod 755 "$copy"
for folder in mapping.d eam.d; do
	mkdir "$copy/$folder"
	cp "$srcdir"/examples/$folder/*.map "$copy/$folder"
	chmod 644 "$copy/$folder"/*.map
done
for example in "$srcdir"/examples/*.conf; do
	name=${example##*/}
	daemon=${name%.conf}
	daemon=${daemon%%-*}
	test -n "$(program "$daemon")" || continue
	copy_for_here "$example" > "$copy/$name"
	accepts "$daemon" "$copy/$name" "$example"
done

# README.md: the configurations and mappings in its fenced blocks.
block() {
	sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/p" "$srcdir/README.md" | sed '1d;$d'
}
# readme DAEMON BLOCK MAP-BLOCK FOLDER
readme() {
	block "$2" > "$copy/block.conf"
	test -s "$copy/block.conf" ||
	    fail "README.md: shows no configuration of $1"
	copy_for_here "$copy/block.conf" |
	    sed 's,"/etc/popgate/,",' > "$copy/readme.conf"
	block "$3" > "$copy/$4/example.map"
	test -s "$copy/$4/example.map" || fail "README.md: shows no $3"
	accepts "$1" "$copy/readme.conf" README.md
}
readme proxyd conf map mapping.d
readme jumpd jumpd-conf map mapping.d
readme xlatd xlatd-conf eam eam.d

# settings DAEMON PAGE: the manual has every setting that -T prints.
settings() {
	for setting in $(grep -oE '[a-z][a-z_0-9]* = ' "$copy/$1.all" |
	    sed 's/ = //' | sort -u); do
		grep -q "^\.It Cm $setting\( \|\$\)" "$srcdir/$2" ||
		    fail "$2: nothing about $setting"
	done
}
settings proxyd proxyd/proxyd.conf.5
settings jumpd jumpd/jumpd.conf.5
settings xlatd translate/xlatd.conf.5

# reasons MACRO HEADER PAGE: and every reason of the list.
reasons() {
	for reason in $(tr -d '\\\n' < "$srcdir/$2" |
	    grep -oE "$1\([A-Z0-9_]+,[[:space:]]*\"[a-z0-9_]+\"" |
	    sed 's/.*"\(.*\)"/\1/' | grep -vx none); do
		grep -qE "^\.It Cm (.* , )?$reason( ,.*)?\$" "$srcdir/$3" ||
		    fail "$3: nothing about $reason"
	done
}
reasons CLOSE_REASON proxyd/close_reasons.h proxyd/proxyd.8
reasons DENY_REASON jumpd/deny_reasons.h jumpd/jumpd.8
reasons END_REASON jumpd/end_reasons.h jumpd/jumpd.8
reasons DROP_REASON translate/drop_reasons.h translate/xlatd.8
reasons XLAT_STAT translate/xlat_stats.h translate/xlatd.8

if command -v mandoc >/dev/null; then
	for page in "$srcdir"/proxyd/*.[58] "$srcdir"/jumpd/*.[58] \
	    "$srcdir"/translate/*.[58]; do
		mandoc -T lint -W warning "$page" || fail "$page: see above"
	done
fi
# number NAME FILE: of a line that begins with NAME and ends with a number
number() {
	sed -n "s/^[[:space:]]*$1 *= *\([0-9]*\).*/\1/p" "$2" | head -n 1
}
for daemon in proxyd jumpd xlatd; do
	unit=$srcdir/examples/popgate-$daemon.service
	# Workers load a filter of their own, which is not among
	# @system-service.
	grep -q '^SystemCallFilter=.* seccomp$' "$unit" ||
		fail "$unit: workers may not call seccomp(2)"
	# A reload with a mistake fails before the daemon is told.
	sed -n 's/^ExecReload=//p' "$unit" | tr '\n' ' ' | grep -Fqx \
	    "/usr/sbin/$daemon -t -f /etc/popgate/$daemon.conf \
/bin/kill -HUP \$MAINPID " || fail "$unit: a reload does not test first"
	shutdown=$(number shutdown "$copy/$daemon.all")
	test "$(number TimeoutStopSec "$unit")" -gt $((${shutdown:-0} + 2)) ||
		fail "$unit: stops before timeouts.shutdown"
done
if command -v systemd-analyze >/dev/null; then
	for daemon in proxyd jumpd xlatd; do
		unit=$copy/popgate-$daemon.service
		sed "s,=/usr/sbin/$daemon ,=$(program $daemon) ," \
		    "$srcdir/examples/popgate-$daemon.service" > "$unit"
		# It also speaks about other units of the host.
		systemd-analyze verify "$unit" 2>&1 |
		    grep -F popgate-$daemon | grep -Fv "man $daemon" >&2 &&
			fail "popgate-$daemon.service"
	done
fi

test $failed -eq 0 && echo 'all examples are accepted'
exit $failed
