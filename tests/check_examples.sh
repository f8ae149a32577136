#!/bin/sh
# SPDX-License-Identifier: ISC
#
# check_examples.sh - what we show people works: proxyd accepts every example
# configuration and the README's, and the manual pages are well-formed.
set -eu

: "${srcdir:=.}"
proxyd=$(pwd)/proxyd/proxyd
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
failed=0

fail() {
	echo "check_examples: $*" >&2
	failed=1
}

# The user of the examples need not exist here.
copy_for_here() {
	sed 's/^user = "popgate";/user = "nobody";/' "$1"
}

# accepts FILE: and what -T prints of it is accepted again, unchanged.
accepts() {
	"$proxyd" -t -f "$1" || { fail "$2: refused"; return; }
	"$proxyd" -T -f "$1" > "$copy/effective.conf" &&
	    "$proxyd" -T -f "$copy/effective.conf" > "$copy/again.conf" ||
		{ fail "$2: what -T prints is refused"; return; }
	cmp -s "$copy/effective.conf" "$copy/again.conf" ||
	    fail "$2: -T of what -T printed differs"
}

# root is allowed to read what mktemp made for itself alone; nobody is not.
chmod 755 "$copy"
mkdir "$copy/mapping.d"
cp "$srcdir"/examples/mapping.d/*.map "$copy/mapping.d"
chmod 644 "$copy"/mapping.d/*.map
for example in "$srcdir"/examples/*.conf; do
	copy_for_here "$example" > "$copy/proxyd.conf"
	accepts "$copy/proxyd.conf" "$example"
done

# README.md: the configuration and mapping in its fenced blocks.
block() {
	sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/p" "$srcdir/README.md" | sed '1d;$d'
}
block conf > "$copy/block.conf"
test -s "$copy/block.conf" || fail 'README.md: shows no configuration'
copy_for_here "$copy/block.conf" |
    sed 's,"/etc/popgate/,",' > "$copy/readme.conf"
block map > "$copy/mapping.d/example.map"
test -s "$copy/mapping.d/example.map" || fail 'README.md: shows no mapping'
accepts "$copy/readme.conf" README.md

# The manual has every setting that -T prints.
for setting in $(grep -oE '[a-z][a-z_0-9]* = ' "$copy/effective.conf" |
    sed 's/ = //' | sort -u); do
	grep -q "^\.It Cm $setting\( \|\$\)" "$srcdir/proxyd/proxyd.conf.5" ||
	    fail "proxyd.conf.5: nothing about $setting"
done

# And every reason why a connection ends.
for reason in $(tr -d '\\\n' < "$srcdir/proxyd/close_reasons.h" |
    grep -oE 'CLOSE_REASON\([A-Z0-9_]+,[[:space:]]*"[a-z0-9_]+"' |
    sed 's/.*"\(.*\)"/\1/' | grep -vx none); do
	grep -qx "\.It Cm $reason" "$srcdir/proxyd/proxyd.8" ||
	    fail "proxyd.8: nothing about the reason $reason"
done
if command -v mandoc >/dev/null; then
	for page in "$srcdir"/proxyd/*.[58]; do
		mandoc -T lint -W warning "$page" || fail "$page: see above"
	done
fi
if command -v systemd-analyze >/dev/null; then
	unit=$copy/popgate-proxyd.service
	sed "s,^ExecStart=[^ ]*,ExecStart=$proxyd," \
	    "$srcdir/examples/popgate-proxyd.service" > "$unit"
	# It also speaks about other units of the host; only ours counts.
	systemd-analyze verify "$unit" 2>&1 | grep -F popgate-proxyd |
	    grep -Fv 'man proxyd' >&2 && fail 'popgate-proxyd.service'
fi

test $failed -eq 0 && echo 'all examples are accepted'
exit $failed
