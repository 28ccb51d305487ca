#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Holds the tables of SECURITY.md to the source: the worker's system calls with their reasons, the
# limits with their values, the fuzzers; and that each test and command that it names exists. Speaks
# TAP.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

number=0 failed=0

# same NAME SOURCE DOCUMENT: two lists, sorted, that must not be empty and must not differ.
same() {
	local difference
	number=$((number + 1))
	difference=$(diff <(sort <<<"$2") <(sort <<<"$3"))
	if [ -n "$2" ] && [ -z "$difference" ]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		echo "${difference:-both lists are empty}" | sed 's/^</# only in the source:  /; t; s/^>/# only in SECURITY.md: /; t; d'
		failed=1
	fi
}

# "call<TAB>reason" of the rows that are in a build without sanitizers.
source_calls() {
	sed -n '/sandbox_rule rules\[\]/,/^};/p' src/system/sandbox.c |
		sed '/^#ifdef PVK_SANITIZE/,/^#endif/d' |
		sed -nE 's/.*SCMP_SYS\(([a-z0-9_]+)\), "\1", "([^"]*)".*/\1\t\2/p'
}

# "NAME<TAB>value", sizes in MiB.
source_limits() {
	sed -nE 's/^#define (PVK_MAX_[A-Z_]+) (.*)/\1 \2/p' src/formats/limits.h |
		while read -r name value; do
			if [[ $value =~ ^\(UINT64_C\(([0-9]+)\)\ \<\<\ ([0-9]+)\)$ ]]; then
				value="$(((BASH_REMATCH[1] << BASH_REMATCH[2]) >> 20)) MiB"
			fi
			printf '%s\t%s\n' "$name" "$value"
		done
}

# section TITLE: the rows of that section's table, cells 1 and 2.
# shellcheck disable=SC2016 # ticks of Markdown
section() {
	awk -v title="$1" '/^##/ { inside = index($0, title) > 0 } inside' SECURITY.md |
		sed -nE 's/^\| `([A-Za-z0-9_]+)` \| ([^|]*[^| ]) \|.*/\1\t\2/p'
}

same "the worker's system calls and their reasons" "$(source_calls)" "$(section "The worker's system calls")"
same "every row of the source was understood" \
	"$(sed '/^#ifdef PVK_SANITIZE/,/^#endif/d' src/system/sandbox.c | grep -oE '^[[:space:]]*\{SCMP_SYS\([a-z0-9_]+' | grep -oE '[a-z0-9_]+$')" \
	"$(source_calls | cut -f 1)"
# shellcheck disable=SC2016
same "the calls that are answered with an error" \
	"$(grep -oE 'SCMP_ACT_ERRNO\([A-Z]+\), SCMP_SYS\([a-z_]+' src/system/sandbox.c | sed -E 's/.*ERRNO\(([A-Z]+)\).*\(/\1 /')" \
	"$(sed -nE 's/^`([a-z_]+)` is answered with `([A-Z]+)`.*/\2 \1/p' SECURITY.md)"
same "the limits and their values" "$(source_limits)" "$(section '## Limits')"

# Tests, as `path` or as `path:a part of the test's name`.
# shellcheck disable=SC2016
named_tests() { grep -oE '`tests/(unit|e2e|fuzz|mutate|torture)/[^`]+`' SECURITY.md | tr -d '`' | sort -u; }
existing_tests() {
	named_tests | while IFS= read -r test; do
		[ -f "${test%%:*}" ] || continue
		case $test in
		*.c:*) grep -qE "^static void ${test#*:}\(void \*\*state\)" "${test%%:*}" &&
			grep -qE "TEST[A-Za-z_]*\(${test#*:}[,)]|test[a-z_]*\(${test#*:}[,)]" "${test%%:*}" ;;
		*.bats:*) grep -qF "@test \"${test#*:}" "${test%%:*}" ;;
		esac && echo "$test"
	done
}
# shellcheck disable=SC2016
named_targets() { grep -oE '`make [a-z][a-z0-9-]*' SECURITY.md | sed 's/.* //' | sort -u; }
same "every test that is named exists" "$(existing_tests)" "$(named_tests)"
same "every promise names its tests" \
	"$(awk '/^## / { on = /^## What is promised/ } on && /^\| / && !/`tests\// && !/^\| (promise|target) /' SECURITY.md | wc -l)" 0
# shellcheck disable=SC2016
same "every fuzzer has its row" "$(ls tests/fuzz/fuzz_*.c)" \
	"$(sed -nE 's/^\| `(tests\/fuzz\/fuzz_[a-z]+\.c)` \|.*/\1/p' SECURITY.md)"
# shellcheck disable=SC2016
same "every command that is named is a target of make" \
	"$(cat Makefile tests/*.mk tests/*/*.mk debian/*.mk | sed -nE 's/^([a-z][a-z0-9 -]*):.*/\1/p' | tr ' ' '\n' | sort -u | grep -xF "$(named_targets)")" \
	"$(named_targets)"
same "each flaw of other tools has its row and its test" \
	"$(sed -nE 's/^@test "(H[0-9]+): .*/\1/p' tests/e2e/peers.bats | sort -u)" \
	"$(sed -nE 's/^\| (H[0-9]+) \|.*/\1/p' SECURITY.md)"
same "there are eighteen of them" "$(sed -nE 's/^\| (H[0-9]+) \|.*/\1/p' SECURITY.md)" "$(seq -f 'H%g' 18)"
echo "1..$number"
exit $failed
