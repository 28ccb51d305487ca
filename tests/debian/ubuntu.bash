# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2034,SC2154,SC2016 # variables of lib.bash; formats of dpkg-query
#
# Ubuntu, whose kernels run their hooks from a trigger at the very end of the run: a real upgrade
# from the kernel of the release to that of its updates, and one that keeps the ABI. UBUNTU=URI names
# a mirror.

# kernel_of POCKET: the kernel that linux-image-virtual of that pocket depends on.
kernel_of() {
	inside apt-cache show "linux-image-virtual" |
		awk -v pocket="$1" '/^Depends:/ { if (match($0, /linux-image-[0-9][^ ,]*-generic/)) found[++n] = substr($0, RSTART, RLENGTH) }
			END { print pocket == "updates" ? found[1] : found[n] }'
}

ubuntu_tests() {
	local suite=$1 old new
	make_base "$suite" "apt,build-essential,$(build_dependencies)" # apt is not required there
	open_chroot "$suite" "$CACHE/$suite.tar"
	configure_pvkprep
	INITRD=No
	step "$suite: package lists" apt update
	old=$(kernel_of release) new=$(kernel_of updates)
	old=${old#linux-image-} new=${new#linux-image-}
	step "$suite: the package is built" build_inside
	step "$suite: it is installed" apt -o Dpkg::Options::=--force-confold install /repo/pvkprep.deb
	step "$suite: the release's kernel is installed: $old" apt install "linux-image-$old"
	result "... it was compressed" packaged_is_compressed "$old"
	result "... is prepared" is_elf "$old"
	result "... and diverted" is_diverted "$old"
	result "... all is well" all_is_well
	step "$suite: the kernel of its updates: $new" apt install "linux-image-$new"
	result "... whose hooks ran from its trigger" said "Processing triggers for linux-image-$new"
	result "... is another one" test "$old" != "$new"
	result "... is prepared" is_elf "$new"
	result "... and diverted" is_diverted "$new"
	result "... all is well" all_is_well
	step "$suite: the same ABI in a higher version" same_abi "$new"
	result "... is prepared right after unpacking" said "ready for the next boot"
	result "... all is well" all_is_well
	step "$suite: --restore" inside pvkprep --restore
	result "... the packaged image is in place" packaged_in_place "$new"
	result "... dpkg sane" dpkg_is_sane
	step "$suite: --prepare" inside pvkprep --prepare
	result "... all is well" all_is_well
	step "$suite: the older kernel is purged" apt purge "linux-image-$old" "linux-modules-$old"
	result "... nothing of it is left" nothing_of "$old"
	step "$suite: pvkprep is purged" apt purge pvkprep
	result "... the kernel stays prepared" is_elf "$new"
	result "... no file of it is left" nothing_of_pvkprep
	INITRD=''
	close_chroot
}

same_abi() {
	inside sh -ec "cd /repo && apt-get -q download linux-image-$1 && mv linux-image-${1}_*.deb kernel.deb"
	newer_kernel "$ROOT/repo/kernel.deb" "$ROOT/repo/newer.deb" repacked_image
	apt install /repo/newer.deb
}

# repacked_image TREE: its image in the other of LZ4 and zstd; an update with the same image is none.
repacked_image() {
	local image stream=$WORK/stream plain=$WORK/plain
	image=$(echo "$1"/boot/vmlinuz-*)
	"$TOOLS/repack" stream "$image" "$stream"
	if zstd -q -dc "$stream" >"$plain" 2>/dev/null; then
		lz4 -q -l -1 -c "$plain" >"$stream"
	else
		lz4 -q -dc "$stream" >"$plain" && zstd -q -3 -c "$plain" >"$stream"
	fi
	"$TOOLS/repack" replace "$image" "$stream" "$image.new" "$(stat -c %s "$plain")"
	mv "$image.new" "$image"
	(cd "$1" && find boot lib usr -type f -print0 2>/dev/null | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
	rm "$stream" "$plain"
}
