# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2034,SC2154,SC2016 # variables of lib.bash; formats of dpkg-query
#
# Other releases: the source package is built there, and the result lives through a kernel's life
# with that release's own kernel, maintainer scripts, dpkg and GRUB.

build_dependencies() {
	sed -n '/^Build-Depends:/,/^[A-Z]/p' "$HERE/../../debian/control" | sed -E 's/^Build-Depends://; /^[A-Z]/d; s/\(.*\)//; s/<.*>//; s/debhelper-compat/debhelper/' |
		tr ',\n' '  ' | tr -s ' ' | sed 's/^ //; s/ $//; s/ /,/g'
}

build_inside() {
	local source
	source=$(cd "$BUILD/deb" && ls -- *.dsc)
	mkdir -p "$ROOT/src"
	cp "$BUILD"/deb/*.dsc "$BUILD"/deb/*.tar.* "$ROOT/src/"
	inside sh -ec "cd /src && dpkg-source -x '$source' tree && cd tree && DEB_BUILD_OPTIONS='parallel=2' dpkg-buildpackage -us -uc -b"
	mkdir -p "$ROOT/repo"
	cp "$ROOT"/src/pvkprep_*_amd64.deb "$ROOT/repo/pvkprep.deb"
}

# newer_kernel DEB OUT [COMMAND…]: a package of a kernel in a higher version; its other parts, likewise.
# COMMAND gets the unpacked tree.
newer_kernel() {
	local tree=$CACHE/newer version
	rm -rf "$tree"
	dpkg-deb -R "$1" "$tree"
	version=$(dpkg-deb -f "$1" Version)
	sed -i -e "s/^Version:.*/Version: $version+t1/" -e "s/(= $version)/(= $version+t1)/g" "$tree/DEBIAN/control"
	[ $# -lt 3 ] || "${@:3}" "$tree"
	dpkg-deb --root-owner-group -Znone -b "$tree" "$2" >/dev/null
	rm -rf "$tree"
}

originals_are_kept() { # diverted where a package owns the image in /boot, stashed where none does
	if [ -e "$ROOT/usr/share/kernel/postinst.d/00-legacy-boot" ]; then
		no_diversions
	else
		is_diverted "$1"
	fi && [ -s "$ROOT/boot/pvkprep/packaged-$1" ]
}

# The kernel of a release as /repo/kernel-*.deb, in a higher version as /repo/newer-*.deb; sets KERNEL
# and NEWER to their paths in the chroot.
offer_kernel() {
	local suite=$1 deb parts name
	KERNEL=() NEWER=()
	parts=$(parts_of "$suite" "$suite") || exit 1
	for deb in "$CACHE/kernels/$suite.deb" $parts; do
		name=$(dpkg-deb -f "$deb" Package)
		cp "$deb" "$ROOT/repo/kernel-$name.deb"
		newer_kernel "$deb" "$ROOT/repo/newer-$name.deb"
		KERNEL+=("/repo/kernel-$name.deb") NEWER+=("/repo/newer-$name.deb")
	done
	offer
}

release_tests() {
	local suite=$1 later='' abi
	[ "$suite" != bullseye ] || later=pv-grub-menu
	make_base "$suite" "build-essential,$(build_dependencies)" $later
	fetch_kernel "$suite" "$suite" linux-image-cloud-amd64
	abi=$(kernel_abi "$suite")
	open_chroot "$suite" "$CACHE/$suite.tar"
	configure_pvkprep

	step "$suite: the package is built" build_inside
	offer_kernel "$suite"
	step "$suite: it is installed" apt -o Dpkg::Options::=--force-confold install /repo/pvkprep.deb
	step "$suite: a kernel of the archive is installed" apt install "${KERNEL[@]}"
	result "... it was compressed" packaged_is_compressed "$abi"
	result "... is prepared" is_elf "$abi"
	result "... its original is kept" originals_are_kept "$abi"
	result "... and all is well" all_is_well
	INITRD=No
	step "$suite: the same kernel in a higher version" apt install "${NEWER[@]}"
	result "... and all is well" all_is_well
	step "$suite: dpkg-reconfigure" inside dpkg-reconfigure "linux-image-$abi"
	result "... is prepared" is_elf "$abi"
	result "... and all is well" all_is_well
	step "$suite: --restore" inside pvkprep --restore
	result "... the packaged image is in place" packaged_in_place "$abi"
	result "... dpkg sane" dpkg_is_sane
	step "$suite: --prepare" inside pvkprep --prepare
	result "... and all is well" all_is_well
	INITRD='' # or its hook would leave the initrd
	step "$suite: the kernel is purged" apt purge "linux-image-$abi"
	result "... nothing of it is left" nothing_of "$abi"
	INITRD=No
	step "$suite: the kernel is installed again" apt install "${NEWER[@]}"
	result "... and all is well" all_is_well
	step "$suite: pvkprep is purged" apt purge pvkprep
	result "... the kernel stays prepared" is_elf "$abi"
	result "... no file of it is left" nothing_of_pvkprep
	INITRD=''
	close_chroot
}

packaged_is_compressed() { [[ $(magic_of_payload "$1") =~ ^(lz4|zstd)$ ]]; }
packaged_in_place() { [ "$(magic "$ROOT/boot/vmlinuz-$1")" != 7f454c46 ] && no_diversions; }
