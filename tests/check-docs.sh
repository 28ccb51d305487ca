#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Holds the documents to the program: options (--help, source, man page, completion), configuration
# keys with their words and defaults (source, man page, commented file, README), messages, man page
# syntax, links; then SECURITY.md and the JSON schemas by their own checks. Speaks TAP.
#
# PVKPREP: the program. PVK_KERNELS, if set: a directory with the packaged kernels lz4, xz, zstd.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

: "${PVKPREP:?is the path of the program}"
number=0 failed=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

result() { # result NAME PROBLEMS: none is good
	number=$((number + 1))
	if [ -z "$2" ]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		printf '# %s\n' "${2//$'\n'/$'\n# '}"
		failed=1
	fi
}

skip() {
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

same() { # same NAME A LIST B LIST: two lists of words, neither empty
	local problems
	problems=$(diff <(tr ' ' '\n' <<<"$3" | sort -u) <(tr ' ' '\n' <<<"$5" | sort -u) |
		sed -n "s|^<|only in $2:|p; s|^>|only in $4:|p")
	[ -n "$3" ] || problems="$2: nothing found"
	result "$1" "$problems"
}

# nested NAME PREFIX COMMAND…: takes over the results of another check.
nested() {
	local prefix=$1 line plan=
	shift
	while IFS= read -r line; do
		case $line in
		"ok "* | "not ok "*)
			number=$((number + 1))
			[ "${line#not}" = "$line" ] || failed=1
			sed -E "s/^(not )?ok [0-9]+ - /\1ok $number - $prefix: /" <<<"$line"
			;;
		1..*) plan=yes ;;
		*) echo "# ${line#\# }" ;;
		esac
	done < <("$@" 2>&1)
	[ -n "$plan" ] || result "$prefix: ran to its end" "no plan"
}

# --- options ---

# Long options of a man page are "Fl Fl name".
man_options=$(sed -nE '/^\.Sh (SYNOPSIS|DESCRIPTION|OPTIONS)/,/^\.Sh (JSON|ENVIRONMENT)/p' man/pvkprep.8 |
	grep -E '^\.(It|Nm|Op|Fl)' | grep -oE 'Fl Fl [a-z-]+' | sed 's/Fl Fl /--/')
help_options=$("$PVKPREP" --help | grep -oE -- '--[a-z]+(-[a-z]+)*')
source_options=$(sed -n '/long_options\[\] = {/,/^};/p' src/cli/options.c | sed -nE 's/.*\{"([a-z-]+)",.*/--\1/p' |
	grep -v '^--hook$') # internal: hooks/README.md
completion_options=$(grep -v '^[[:space:]]*#' completion/bash/pvkprep | grep -oE -- '--[a-z]+(-[a-z]+)*')

same "long options: source and --help" source "$source_options" --help "$help_options"
same "long options: --help and pvkprep(8)" --help "$help_options" pvkprep.8 "$man_options"
same "long options: --help and the completion" --help "$help_options" completion "$completion_options"
result "short options of --help are in pvkprep(8)" "$(
	"$PVKPREP" --help | grep -oE -- '(^|[ /])-[a-zA-Z]\b' | tr -d ' /' | sort -u | while read -r option; do
		grep -qE "^\.It Fl ${option#-} , Fl Fl" man/pvkprep.8 || echo "$option"
	done
)"

# --- the completion at work ---

complete_words() { # complete_words WORD…: what the completion offers for the last word
	# shellcheck disable=SC2016 # for the inner shell
	bash -c '. completion/bash/pvkprep
		COMP_WORDS=(pvkprep "$@") COMP_CWORD=$#
		_pvkprep; printf "%s\n" "${COMPREPLY[@]}" | sort | paste -sd " "' - "$@"
}

mkdir -p "$work/boot/pvkprep"
touch "$work/boot/"{vmlinuz-6.1.0-1-amd64,vmlinuz-6.2+x,vmlinuz-6.1.0-1-amd64.dpkg-tmp,initrd.img-6.2,pvkprep/packaged-6.2+x}
expect() { # expect EXPECTED WORD…
	local expected=$1 found
	shift
	found=$(complete_words "$@")
	[ "$found" = "$expected" ] || echo "pvkprep $*: '$found', not '$expected'"
}
result "the completion offers modes, versions, files and words" "$(
	expect "--prepare --profile" --pr
	expect "6.1.0-1-amd64 6.2+x" --prepare --root "$work" ""
	expect "6.2+x" --prepare --root = "$work" 6.2
	expect "6.2+x" --restore --root "$work" ""
	expect "$work/boot/vmlinuz-6.2+x" --inspect "$work/boot/vmlinuz-6.2"
	expect "/boot/vmlinuz-6.2+x" --inspect --root "$work" /boot/vmlinuz-6.2
	expect "pv-grub pygrub" --list --profile = p
	expect "always auto" --color a
	expect "" --list --dry
	expect "" --help --
)"

# --- configuration ---

# "key word word…" from the tables of config.c; the first word is the default.
config_keys() {
	sed -n '/struct key keys\[\] = {/,/^};/p' src/policy/config.c |
		sed -nE 's/.*\{"([a-z]+)", "([a-z-]+)", ([a-zA-Z_]+),.*/\1 \2 \3/p' |
		while read -r section key table; do
			[ "$table" = NULL ] && words="all $(config_words codec_words)" || words=$(config_words "$table")
			echo "$section $key $words"
		done
}

config_words() {
	tr -d '\n' <src/policy/config.c | grep -oE "struct word $1\[\] = \{[^;]*\{0\}" |
		grep -oE '\{"[a-z0-9-]+"' | tr -d '{"' | paste -sd ' '
}

keys=$(config_keys)
same "configuration keys: source and pvkprep.conf(5)" source "$(cut -d ' ' -f 2 <<<"$keys")" \
	pvkprep.conf.5 "$(sed -nE '/^\.Ss Section/,/^\.Sh/p' man/pvkprep.conf.5 |
		awk '/^\.Bl/ { depth++ } /^\.El/ { depth-- } /^\.It Cm/ && depth == 1 { print $3 }')"
same "configuration keys and defaults: source and etc/pvkprep.conf" \
	source "$(awk '{ print $2 "=" $3 }' <<<"$keys")" \
	etc/pvkprep.conf "$(sed -nE 's/^#([a-z-]+) = (.*)/\1=\2/p' etc/pvkprep.conf)"
# shellcheck disable=SC2016 # ticks of Markdown
same "configuration keys and defaults: source and README.md" \
	source "$(awk '{ print "[" $1 "]" $2 "=" $3 }' <<<"$keys")" \
	README.md "$(sed -nE 's/^\| `(\[[a-z]+\])` `([a-z-]+)` \| `([a-z]+)` \|.*/\1\2=\3/p' README.md)"
result "every word of the configuration is in pvkprep.conf(5)" "$(
	cut -d ' ' -f 3- <<<"$keys" | tr ' ' '\n' | sort -u | while read -r word; do
		grep -qE "^\.(It )?Cm $word( |$)" man/pvkprep.conf.5 || echo "$word"
	done
)"
sed -E 's/^#([a-z])/\1/' etc/pvkprep.conf >"$work/pvkprep.conf"
chmod 644 "$work/pvkprep.conf"
rm -r "${work:?}/boot" && mkdir "$work/boot"
result "etc/pvkprep.conf is accepted with every comment taken away" \
	"$("$PVKPREP" --list --root "$work" --config "$work/pvkprep.conf" 2>&1 | grep -v 'no kernel image' ||
		[ "${PIPESTATUS[0]}" -eq 0 ] || echo "exit status $?")"

# --- messages and man pages ---

# Each piece of a diagnostic between dots must stand in the source, with % for what varies there.
result "every message under DIAGNOSTICS is one of the program's" "$(
	cat src/*/*.c | tr -d '\n\t' | sed 's/" PVK_IMAGE_PREFIX "/vmlinuz-/g; s/""//g' >"$work/source"
	sed -nE '/^\.Sh DIAGNOSTICS/,/^\.Sh [^D]/s/^\.It //p' man/pvkprep.8 | while IFS= read -r message; do
		sed -E 's/\(?\.\.\.\)?/\n/g; s/[0-9]+ s\b/\n/g' <<<"$message" | sed -E "s/^[ ():,;.']+//; s/[ (),;.']+$//" | while IFS= read -r piece; do
			[ "${#piece}" -lt 8 ] || grep -qF -- "$piece" "$work/source" || echo "$piece"
		done
	done
)"
# What looks like a code in these files and is none: a command, the state of a place, a driver, a
# value of rd.break=.
same "the codes of findings: source and pvkprep(8)" \
	source "$(grep -ohE '"[a-z0-9]+(-[a-z0-9]+)+"' src/policy/boot{model,checks,cmdline,init,initrd,pvboot,pygrub,root}.c src/cli/cmd_check.c |
		tr -d '"' | grep -vxE 'update-grub|not-reached|xen-blkfront|pre-[a-z]+')" \
	pvkprep.8 "$(sed -nE '/^\.Ss Findings/,/^\.S[hs] [^F]/s/^\.It //p' man/pvkprep.8 | tr -d ',' | tr -s ' ' '\n')"
if command -v mandoc >/dev/null; then
	# The manual pages of others need not be installed here, and mandoc's own index may be old.
	result "mandoc finds nothing in the man pages" \
		"$(mandoc -T lint man/*.[58] 2>&1 | grep -vE 'referenced manual not found|outdated mandoc.db')"
else
	skip "mandoc finds nothing in the man pages" "no mandoc"
fi
if command -v man >/dev/null && man --version >/dev/null 2>&1; then
	result "man warns of nothing" "$(for page in man/*.[58]; do
		LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null
	done)"
else
	skip "man warns of nothing" "no man"
fi

# --- links ---

# The anchor that a heading gets: lower case, blanks to dashes, punctuation gone.
# shellcheck disable=SC2016 # ticks of Markdown
anchors() {
	sed -nE '/^```/,/^```/d; s/^#+ +//p' "$1" | tr '[:upper:]' '[:lower:]' | sed -E "s/[^a-z0-9 _-]//g; s/ /-/g"
}
result "every link of the documents leads somewhere" "$(
	# shellcheck disable=SC2094 # nothing is written
	for document in *.md hooks/*.md; do
		tr '\n' ' ' <"$document" | grep -oE '\]\([^) ]+\)' | sed 's/^](//; s/)$//' | while read -r link; do
			file=${link%%#*} anchor=
			[[ $link == *#* ]] && anchor=${link#*#}
			file=${file:+$(dirname "$document")/$file}
			file=${file:-$document}
			if [ ! -e "$file" ]; then
				echo "$document: $link: no such file"
			elif [ -n "$anchor" ] && ! anchors "$file" | grep -qxF -- "$anchor"; then
				echo "$document: $link: no such heading"
			fi
		done
	done
)"

# --- the others ---

nested SECURITY.md tests/check-security.sh
if [ -n "${PVK_KERNELS:-}" ] && [ -e "$PVK_KERNELS/lz4" ]; then
	nested schema tests/check-schema.py "$PVKPREP" "$PVK_KERNELS"/{lz4,xz,zstd}
else
	skip "schema: JSON output is valid" "no kernels (make kernels)"
fi

echo "1..$number"
exit $failed
