# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2034,SC2154,SC2016 # variables of lib.bash; formats of dpkg-query
#
# What a hoster's installer does, and systemd's way of installing kernels. The tree of the guest to
# be is worked on from outside (--root), on a machine that is no PV guest; /boot is a file system of
# its own. Then the guest lives on by itself.

# The program of the package, run on this machine: $OUTSIDE/usr/sbin/pvkprep.
OUTSIDE=$WORK/outside
pvkprep_outside() { "$OUTSIDE/usr/sbin/pvkprep" "$@" --root "$ROOT"; }

# Whatever was written on this machine, and not in the tree, since this file was made.
SINCE=$WORK/since
nothing_outside() {
	local found
	found=$(find /boot /etc /var/lib/dpkg /run/pvkprep -newer "$SINCE" ! -type d 2>/dev/null)
	[ -z "$found" ] || { echo "written: $found"; return 1; }
}

installer_tests() {
	local abi=$LITE
	mkdir -p "$CACHE/repo"
	rm -f "$CACHE/repo"/*.deb
	make_kernel "$abi" 6.1.900-1 "$(repacked lz4)" "$CACHE/repo"
	make_kernel "$abi" 6.1.900-2 "$(repacked zstd)" "$CACHE/repo"
	make_kernel "$LITE2" 6.1.901-2 "$(repacked zstd)" "$CACHE/repo"
	open_chroot installer "$CACHE/bookworm.tar"
	tar -C "$ROOT/boot" -c . | tar -C "$WORK" -x --one-top-level=boot.copy
	mount -t tmpfs -o mode=755 tmpfs "$ROOT/boot"
	tar -C "$WORK/boot.copy" -c . | tar -C "$ROOT/boot" -x
	mkdir -p "$OUTSIDE"
	dpkg-deb -x "$DEB" "$OUTSIDE"
	: >"$SINCE"
	INITRD=No

	step "installer: pvkprep and a kernel in the chroot" install_both "$(lite 900-1)"
	result "... which is left alone off PV" untouched "$abi"
	step "installer: --prepare --root" pvkprep_outside --prepare
	result "... the kernel is prepared" is_elf "$abi"
	result "... and diverted, in the tree's own register" is_diverted "$abi"
	result "... dpkg sane" dpkg_is_sane
	result "... nothing was written on this machine" nothing_outside
	step "... a second time" pvkprep_outside --prepare
	result "... nothing to do" said 'nothing to do\|already'
	step "installer: --check --root" looks_well_outside
	step "installer: --restore --root" pvkprep_outside --restore
	result "... the packaged image is in place" packaged_in_place "$abi"
	result "... dpkg sane" dpkg_is_sane
	step "installer: --prepare --root again" pvkprep_outside --prepare
	result "... nothing was written on this machine" nothing_outside

	configure_pvkprep # from here on it is the guest, and it runs on PV
	step "the guest: its first back-stop" inside pvkprep --hook apt
	result "... has nothing to do" is_idempotent
	step "the guest: its first update, the same ABI" dpkg_i "$(lite 900-2)"
	result "... is prepared from zstd" packaged_is "$abi" zstd
	result "... and all is well" all_is_well

	step "the guest: a new kernel that does not fit into /boot" does_not_fit "$(lite 901-2 "$LITE2")"
	cp "$LOG" "$CACHE/full-boot.log"
	result "... is withheld" test ! -e "$ROOT/boot/vmlinuz-$LITE2"
	result "... and says so, as README.md shows it" readme_shows "$CACHE/full-boot.log" "pvkprep: KERNEL"
	result "... it is in no menu" not_in_menus "$LITE2"
	result "... the default boots" is_loadable "$(default_kernel)"
	result "... dpkg sane, dpkg --verify clean" dpkg_is_sane
	result "... debsums clean" debsums_is_clean
	mount -o remount,size=600M "$ROOT/boot"
	step "... there is room, and apt runs for another reason" another_apt_run "$(lite 900-2)"
	result "... it is prepared" is_elf "$LITE2"
	result "... and all is well" all_is_well
	step "... purged" inside dpkg -P "linux-image-$LITE2"

	step "chroot: prepared before its first boot, on a machine off PV" chroot_forced
	result "... is prepared" is_elf "$LITE2"
	result "... and diverted" is_diverted "$LITE2"
	kernel_install_tests
	INITRD=''
	close_chroot
}

install_both() {
	mkdir -p "$ROOT/repo"
	cp "$DEB" "$ROOT/root/pvkprep.deb"
	cp "$1" "$ROOT/root/k.deb"
	inside eatmydata dpkg -i /root/pvkprep.deb /root/k.deb
}
untouched() { packaged_in_place "$1" && [ ! -e "$ROOT/boot/pvkprep" ] && dpkg_is_sane; }
looks_well_outside() { # what the loader's disks are called cannot be known here, what the kernels are can
	inside update-grub
	pvkprep_outside --check --json >"$WORK/check.json"
	jq -e '[.kernels[] | .loadable and .state == "prepared"] | all and length == 1' "$WORK/check.json" ||
		{ cat "$WORK/check.json"; return 1; }
}
does_not_fit() { # room for the package's image, not for the prepared one
	local used
	used=$(df -B1K --output=used "$ROOT/boot" | tail -n 1)
	mount -o "remount,size=$((used + 40 * 1024))k" "$ROOT/boot"
	dpkg_i "$1"
}
another_apt_run() {
	cp "$1" "$ROOT/root/other.deb"
	apt install --reinstall /root/other.deb
}
chroot_forced() {
	printf '' >"$ROOT/etc/pvkprep.conf"
	dpkg_i "$(lite 901-2 "$LITE2")"
	[ "$(magic "$ROOT/boot/vmlinuz-$LITE2")" != 7f454c46 ] || return 1
	inside pvkprep --prepare --force
}

# --- kernel-install of systemd ---

# The tool and its plug-ins, out of Debian's package. What puts the image into /boot on a system with
# GRUB (20-grub.install elsewhere; Debian has none) is three lines of our own.
get_kernel_install() {
	local deb
	deb=$(archive_package bookworm systemd) || return 1
	dpkg-deb --fsys-tarfile "$deb" |
		tar -x -C "$ROOT" --keep-directory-symlink --wildcards '*kernel-install' './usr/lib/kernel*'
	cat >"$ROOT/usr/lib/kernel/install.d/20-grub.install" <<-'END'
		#!/bin/sh
		[ "$1" != add ] || cp "$4" "/boot/vmlinuz-$2"
		[ "$1" != remove ] || rm -f "/boot/vmlinuz-$2"
	END
	chmod 755 "$ROOT/usr/lib/kernel/install.d/20-grub.install"
	mkdir -p "$ROOT/etc/kernel"
	echo "layout=other" >"$ROOT/etc/kernel/install.conf"
	echo 0123456789abcdef0123456789abcdef >"$ROOT/etc/machine-id"
	mkdir -p "$ROOT/usr/lib/modules/$OTHER"
	cp "$(repacked lz4)" "$ROOT/usr/lib/modules/$OTHER/vmlinuz"
}
OTHER=6.9.0-own
kernel_install() { inside kernel-install --verbose "$@"; }

kernel_install_tests() {
	configure_pvkprep
	step "kernel-install of systemd is there" get_kernel_install
	step "kernel-install add" kernel_install add $OTHER /usr/lib/modules/$OTHER/vmlinuz
	result "... called the plug-in" said '25-pvkprep.install'
	result "... the kernel is prepared" is_elf $OTHER
	result "... its original is kept" cmp "$ROOT/boot/pvkprep/packaged-$OTHER" "$ROOT/usr/lib/modules/$OTHER/vmlinuz"
	result "... and no diversion made of what dpkg does not own" not_diverted $OTHER
	step "kernel-install add, once more" kernel_install add $OTHER /usr/lib/modules/$OTHER/vmlinuz
	result "... the kernel is prepared" is_elf $OTHER
	cp "$(repacked broken)" "$ROOT/usr/lib/modules/$OTHER/vmlinuz"
	step "kernel-install add, of a damaged one" kernel_install add $OTHER /usr/lib/modules/$OTHER/vmlinuz
	result "... is refused: the kernel stays what it was" is_elf $OTHER
	result "... and says so" said "The update of kernel $OTHER IS NOT IN USE YET"
	result "... its original is kept" cmp "$ROOT/boot/pvkprep/packaged-$OTHER" "$(repacked lz4)"
	cp "$(repacked lz4)" "$ROOT/usr/lib/modules/$OTHER/vmlinuz"
	step "kernel-install add, of a good one" kernel_install add $OTHER /usr/lib/modules/$OTHER/vmlinuz
	result "... is prepared" is_elf $OTHER
	step "kernel-install remove" kernel_install remove $OTHER
	result "... nothing of it is left" nothing_in_boot $OTHER
}
not_diverted() { ! inside dpkg-divert --list | grep -- "$1"; }
nothing_in_boot() {
	local found
	found=$(find "$ROOT/boot" -name "*$1*")
	[ -z "$found" ] || { echo "left: $found"; return 1; }
}
