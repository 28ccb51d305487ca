# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Debian's archive for the tests, to be sourced: packages of any suite, whatever the machine runs.
# apt has its lists below $archive (a directory, named before the first call), checks signatures, and
# takes the mirror from the machine's configuration; the machine's own lists and suites are left
# alone. What was fetched stays there and is asked for once, whichever test wants it.

archive_die() {
	echo "Bail out! $*" >&2
	exit 1
}

# archive_uri SUITE: "URI SUITE", as a line of sources.list wants it, of where this machine's apt gets
# Debian. Works on a machine whose lists were never fetched.
archive_uri() {
	local base suites='(bookworm|trixie|forky|sid|(old)*stable|testing)'
	[[ $1 != *-security ]] || suites='[a-z]+-security'
	base=$(apt-get --print-uris update 2>/dev/null |
		sed -nE "s#^'(.*/)dists/$suites/InRelease'.*#\1#p" | sed -n 1p)
	[ -n "$base" ] || archive_die "no archive for $1 among this machine's apt sources"
	echo "$base $1"
}

# archive_apt SUITE COMMAND…: an apt command that knows nothing but that suite.
archive_apt() {
	local state=$archive/$1 tool=$2
	shift 2
	"$tool" -q -o Dir::State="$state" -o Dir::State::lists="$state/lists" \
		-o Dir::State::status="$state/status" -o Dir::Cache="$state/cache" \
		-o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o APT::Sandbox::User="$(id -un)" -o APT::Architecture=amd64 -o Acquire::Languages=none "$@"
}

# with_lists SUITE COMMAND…: the command in a subshell that has the suite's lists, and to itself.
with_lists() {
	local state=$archive/$1 where keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$state/new"
	(
		exec 8<"$state"
		flock 8
		if [ ! -e "$state/ready" ]; then
			where=$(archive_uri "$1") || exit 1
			[ -e "$keyring" ] || keyring= # then the keys that apt trusts anyway
			: >"$state/status"
			echo "deb ${keyring:+[signed-by=$keyring] }$where main" >"$state/sources.list"
			archive_apt "$1" apt-get -o APT::Update::Error-Mode=any update >"$state/log" 2>&1 ||
				archive_die "cannot fetch the package lists of $1 (network?): $(tail -n 1 "$state/log")"
			touch "$state/ready"
		fi
		"${@:2}" "$1"
	) || exit 1
}

depends_on_kernel() { # META SUITE
	local package
	package=$(archive_apt "$2" apt-cache depends "$1" |
		sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | sed -n 1p)
	[ -n "$package" ] || archive_die "$1 of $2 depends on no kernel"
	echo "$package"
}

fetch_package() { # PACKAGE SUITE
	local state=$archive/$2
	[ ! -s "$state/$1.deb" ] || return 0
	rm -f "$state"/new/*
	(cd "$state/new" && archive_apt "$2" apt-get download "$1") >"$state/log" 2>&1 ||
		archive_die "cannot download $1 of $2 (network?): $(tail -n 1 "$state/log")"
	mv "$state"/new/*.deb "$state/$1.deb"
}

# archive_kernel SUITE META: the name of the package that a kernel's metapackage stands for.
archive_kernel() { with_lists "$1" depends_on_kernel "$2"; }

# archive_package SUITE PACKAGE: the path of its .deb.
archive_package() {
	with_lists "$1" fetch_package "$2"
	echo "$archive/$1/$2.deb"
}
