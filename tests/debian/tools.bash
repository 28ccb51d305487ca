# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2034,SC2154,SC2016 # variables of lib.bash; scripts for mmdebstrap
#
# Debian's own testers of packages: piuparts (what is installed goes away again, whichever way) and
# autopkgtest (debian/tests against the installed package).

# earlier_pvkprep DIR: the same package with a lower version, as a repository.
earlier_pvkprep() {
	local tree=$CACHE/earlier
	rm -rf "$tree" "$1"
	mkdir -p "$1"
	dpkg-deb -R "$DEB" "$tree"
	sed -i 's/^Version:.*/Version: 0.0.1/' "$tree/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$tree" "$1/pvkprep_0.0.1_amd64.deb" >/dev/null
	rm -rf "$tree"
	index_repo "$1"
}

# minimal_base TAR OPTION…: a minimal bookworm for one of them.
minimal_base() {
	local tar=$1
	shift
	mmdebstrap --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' "$@" \
		bookworm "$CACHE/new-$(basename "$tar")" "deb $(archive_uri bookworm) main" >"$tar.log" 2>&1 ||
		die "cannot make a base: $(tail -n 3 "$tar.log" | tr '\n' ' ')"
	mv "$CACHE/new-$(basename "$tar")" "$tar"
}

# --- piuparts ---

run_piuparts() { # OPTION…
	# adequate's own list of what it has yet to look at is not ours.
	piuparts --basetgz "$CACHE/piuparts.tar.gz" --distribution bookworm --keep-sources-list \
		--tmpdir "$WORK" --no-check-valid-until --do-not-verify-signatures --warn-on-others \
		--pedantic-purge-test --fail-if-inadequate --fail-on-broken-symlinks \
		--scriptsdir /etc/piuparts/scripts --ignore /var/lib/adequate/pending \
		--log-file "$LOG" "$@" "$DEB" >/dev/null 2>&1 || {
		grep -A 20 -E 'ERROR|FAIL' "$LOG" | head -n 60
		return 1
	}
}

# The base knows an earlier version of the package, so that there is something to upgrade from.
piuparts_tests() {
	earlier_pvkprep "$CACHE/earlier-repo"
	minimal_base "$CACHE/piuparts.tar.gz" --include=adequate,eatmydata \
		--customize-hook="copy-in '$CACHE/earlier-repo' /opt" \
		--customize-hook='echo "deb [trusted=yes] file:/opt/earlier-repo ./" >>"$1/etc/apt/sources.list"'
	LOG=$CACHE/piuparts.log
	result "piuparts is content" run_piuparts
	result "... with installing and purging" said "PASS: Installation and purging test"
	result "... with an upgrade and purging" said "PASS: Installation, upgrade and purging tests"
	result "... from the earlier version" said 'Unpacking pvkprep .* over (0\.0\.1)'
	LOG=$CACHE/piuparts-again.log
	result "piuparts: installed, removed, installed again" run_piuparts --install-remove-install --no-upgrade-test
	LOG=$CACHE/piuparts-purged.log
	result "piuparts: installed, purged, installed again" run_piuparts --install-purge-install --no-upgrade-test
}

# --- autopkgtest ---

# What debian/tests/control asks for beside the package.
test_dependencies() {
	sed -n 's/^Depends://p' "$HERE/../../debian/tests/control" | tr -d ' @' | tr '\n' ',' | tr -s ',' | sed 's/^,//; s/,$//'
}

# A chroot cannot take itself back, which breaks-testbed asks for; this one is thrown away.
run_autopkgtest() {
	autopkgtest --ignore-restrictions=breaks-testbed --output-dir "$WORK/autopkgtest.out" \
		"$BUILD"/deb/pvkprep_*.dsc "$DEB" -- chroot "$ROOT" >"$LOG" 2>&1 </dev/null || {
		tail -n 40 "$LOG"
		return 1
	}
}

autopkgtest_tests() {
	minimal_base "$CACHE/autopkgtest.tar" --include="dpkg-dev,apt-utils,$(libraries_of "$DEB"),$(test_dependencies)"
	open_chroot autopkgtest "$CACHE/autopkgtest.tar"
	LOG=$CACHE/autopkgtest.log
	result "autopkgtest is content" run_autopkgtest
	result "... smoke" said '^smoke .*PASS'
	result "... hooks" said '^hooks .*PASS'
	close_chroot
}
