#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Holds the floors of the code: a file includes only from its own folder or from a lower floor, and
# the lower floors stay away from the system. Speaks TAP.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

declare -A floor=([base]=0 [formats]=1 [bootcfg]=1 [system]=2 [policy]=3 [cli]=4)
number=0 failed=0

result() { # result NAME LINES-THAT-BREAK-THE-RULE
	number=$((number + 1))
	if [ -z "$2" ]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		printf '# %s\n' "${2//$'\n'/$'\n# '}"
		failed=1
	fi
}

# FILE:LINE:INCLUDE of every local include below a folder.
local_includes() {
	grep -rnoE --include='*.[ch]' '^[[:space:]]*#[[:space:]]*include[[:space:]]*"[^"]+"' "$1" |
		sed -E 's/#[[:space:]]*include[[:space:]]*//; s/"//g'
}

looks_up() { # looks_up FOLDER: its includes that break the rule
	local folder=$1 where include target
	local_includes "src/$folder" | while IFS= read -r line; do
		include=${line##*:} where=${line%:*}
		case $include in
		../*/*) target=${include#../} target=${target%%/*} ;;
		*/*) target=elsewhere ;;
		*) target=$folder ;;
		esac
		[ "$target" = "$folder" ] && continue
		[ -n "${floor[$target]:-}" ] && [ "${floor[$target]}" -lt "${floor[$folder]}" ] && continue
		echo "$where includes \"$include\""
	done
}

includes_of() { # includes_of PATTERN FOLDER…: system headers that match
	local pattern=$1
	shift
	grep -rnE --include='*.[ch]' "^[[:space:]]*#[[:space:]]*include[[:space:]]*<($pattern)>" "$@" 2>/dev/null
}

unknown=$(find src -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | while read -r folder; do
	[ -n "${floor[$folder]:-}" ] || echo "src/$folder is on no floor"
done)
result "every folder of src is on a floor" "$unknown"
for folder in base formats bootcfg system policy cli; do
	[ -d "src/$folder" ] || continue
	result "$folder includes only its own floor and lower ones" "$(looks_up "$folder")"
done
result "base and formats open nothing: no system calls in their headers" \
	"$(includes_of 'fcntl\.h|unistd\.h|dirent\.h|sys/(mman|socket|ioctl|wait)\.h' src/base/bytes.c src/base/text.c src/formats src/bootcfg)"
result "only formats/elfimage.c knows libelf" \
	"$(includes_of 'libelf\.h|gelf\.h|elfutils/.*' src | grep -v '^src/formats/elfimage\.c:')"
result "only system/sandbox.c knows libseccomp" \
	"$(includes_of 'seccomp\.h' src | grep -v '^src/system/sandbox\.c:')"
echo "1..$number"
exit "$failed"
