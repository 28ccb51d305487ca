#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# check-install.sh BUILD: installs what is built in BUILD into an empty directory and looks at files
# and modes; uninstalls, and nothing may be left but an edited configuration. Speaks TAP.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

build=${1:?usage: check-install.sh BUILD}
stage=$(mktemp -d) || exit 1
trap 'rm -rf "$stage"' EXIT
number=0 failed=0

is() { # is NAME EXPECTED FOUND
	number=$((number + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		diff <(echo "$2") <(echo "$3") | sed -n 's/^< /# missing: /p; s/^> /# found:   /p'
		failed=1
	fi
}

# run TARGET VARIABLE=VALUE…: make, with no variable of the caller's in the way.
run() {
	env -u MAKEFLAGS -u MFLAGS -u DESTDIR -u prefix -u sysconfdir make -s O="$build" DESTDIR="$stage" "$@" >"$stage.log" 2>&1 ||
		sed 's/^/# /' "$stage.log"
	rm -f "$stage.log"
}

listing() { # "MODE PATH" of all files below the stage
	(cd "$stage" && find . ! -type d -printf '%m %P\n' | LC_ALL=C sort -k 2)
}

expected() { # expected PREFIX
	printf '%s\n' \
		"644 etc/pvkprep.conf" \
		"755 $1/sbin/pvkprep" \
		"644 $1/share/bash-completion/completions/pvkprep" \
		"644 $1/share/doc/pvkprep/NEWS.md" \
		"644 $1/share/doc/pvkprep/README.md" \
		"644 $1/share/doc/pvkprep/SECURITY.md" \
		"644 $1/share/man/man5/pvkprep.conf.5" \
		"644 $1/share/man/man8/pvkprep.8" \
		"644 $1/share/pvkprep/schema/check.json" \
		"644 $1/share/pvkprep/schema/inspect.json" \
		"644 $1/share/pvkprep/schema/kernels.json"
}

# A strict umask must not show in what is installed.
umask 077

for prefix in usr usr/local; do
	run install prefix=/$prefix
	is "installed below /$prefix: files and modes" "$(expected $prefix)" "$(listing)"
	is "every directory below /$prefix can be entered" "" \
		"$(cd "$stage" && find ./* -type d ! -perm -005 ! -path . -printf '%m %p\n')"
	is "the installed program runs" "pvkprep $(sed -n 's/^VERSION := //p' Makefile)" \
		"$("$stage/$prefix/sbin/pvkprep" --version)"
	run uninstall prefix=/$prefix
	is "uninstalled: no file is left" "" "$(listing)"
	is "uninstalled: no directory of its own is left" "" \
		"$(find "$stage" -type d -name '*pvkprep*')"
done

run install prefix=/usr
sed -i 's/^#when = pv/when = always/' "$stage/etc/pvkprep.conf"
before=$(md5sum <"$stage/etc/pvkprep.conf")
run install prefix=/usr
is "a second installation leaves an edited configuration alone" "$before" "$(md5sum <"$stage/etc/pvkprep.conf")"
run uninstall prefix=/usr
is "so does uninstalling" "644 etc/pvkprep.conf" "$(listing)"

echo "1..$number"
exit $failed
