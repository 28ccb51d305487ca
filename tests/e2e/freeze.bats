#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2034 # set by bats, read by lib.bash
# Where GRUB is to see the new kernel at once, an xfs is frozen for a moment: also the root file
# system of the running guest, with the program, its libraries and its lock file on it. The guest is
# a chroot on a loop device.

load lib.bash

setup() {
	need unshare chroot losetup mkfs.xfs grub-fstest strace ldd timeout
	common_setup
	W=$BATS_TEST_TMPDIR
	export W
	mkdir -p "$W/guest"
	G=$W/guest
	truncate -s 320M "$W/disk"
	mkfs.xfs -q "$W/disk"
	mount -o loop "$W/disk" "$G"
	MOUNTED=$G
	fill
}

fill() {
	local file
	mkdir -p "$G"/{boot/grub,etc,proc,dev,run,tmp,pvk,var/lib/dpkg}
	cp "$PVK_MINI/vmlinuz" "$G/boot/vmlinuz-1"
	printf '[kernel]\nwhen = always\n' >"$G/etc/pvkprep.conf"
	cp "$PVKPREP" "$G/pvk/pvkprep"
	ldd "$PVKPREP" | grep -o '/[^ ]*' | while read -r file; do
		mkdir -p "$G${file%/*}"
		cp -L "$file" "$G$file"
	done
	umount "$G"
	mount -o loop "$W/disk" "$G"
}

# in_guest COMMAND…: in a mount namespace and a root of its own. A file system that stays frozen
# would hang it.
in_guest() {
	run timeout 60 unshare --mount --propagation private bash -euc '
		mount -t proc none "$W/guest/proc"
		mount --bind /dev "$W/guest/dev"
		exec "$@"' - "$@"
}

# Without a look at the journal, and before anything else could bring the blocks to their places.
as_grub_sees() {
	cp --sparse=always "$W/disk" "$W/copy"
	rm -f "$W/seen"
	grub-fstest "$W/copy" cp "(loop0)$1" "$W/seen"
}

assert_writable() { timeout 10 touch "$G/tmp/$1" || fail "the file system hangs after $1"; }

@test "the running system's root file system is frozen and thawed, and GRUB sees the new kernel" {
	as_grub_sees /boot/vmlinuz-1
	assert_same_file "$W/seen" "$PVK_MINI/vmlinuz"
	in_guest chroot "$G" /pvk/pvkprep --prepare
	assert_status 0
	as_grub_sees /boot/vmlinuz-1
	assert_writable prepare
	assert_same_file "$W/seen" "$G/boot/vmlinuz-1"
	[ "$(head -c 4 "$W/seen")" = $'\x7fELF' ] || fail "not the new kernel"
	[ -z "$(ls "$G/run")" ] || fail "left in /run: $(ls "$G/run")"
}

@test "killed while its own root file system is frozen: the guardian thaws it" {
	in_guest strace -f -o "$W/trace" -e trace=ioctl chroot "$G" /pvk/pvkprep --prepare
	assert_status 0
	local thaws
	thaws=$(grep -c 'FITHAW' "$W/trace") || true
	[ "$thaws" -ge 1 ] || fail "nothing was frozen"
	for ((n = 1; n <= thaws; n++)); do
		in_guest chroot "$G" /pvk/pvkprep --restore
		assert_status 0
		# The ioctl that would thaw is the last call of the main process, before it is done.
		in_guest strace -f -o "$W/trace" -e trace=ioctl -e inject=ioctl:signal=KILL:when=$((2 * n)) \
			chroot "$G" /pvk/pvkprep --prepare
		[ "$status" -ne 0 ] || fail "was not killed"
		grep -q 'killed by SIGKILL' "$W/trace" || fail "was not killed: $(cat "$W/trace")"
		assert_writable "kill $n"
		in_guest chroot "$G" /pvk/pvkprep --prepare
		assert_status 0
	done
}
