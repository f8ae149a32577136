#!/bin/sh
# SPDX-License-Identifier: ISC
#
# check_vectors.sh - the translator's packets are what tests/vectors/make_xlat
# makes of the RFCs, octet by octet: nobody took them from our own output.
set -eu

: "${srcdir:=.}"
command -v python3 >/dev/null || exit 77	# skipped
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT

"$srcdir/tests/vectors/make_xlat" "$made"
diff -r "$made/xlat" "$srcdir/tests/vectors/xlat"
diff -r "$made/siit" "$srcdir/tests/fuzz/corpus/siit"
