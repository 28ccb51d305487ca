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

# guest COMMAND…: in a mount namespace and a root of its own. A file system that stays frozen would
# hang it.
guest() {
	timeout 60 unshare --mount --propagation private bash -euc '
		mount -t proc none "$W/guest/proc"
		mount --bind /dev "$W/guest/dev"
		exec "$@"' - "$@"
}

in_guest() { run guest "$@"; }

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

# ordinals CALL: which of the main process's ioctls, as strace counts them, freeze or thaw.
ordinals() {
	in_guest strace -f -o "$W/trace" -e trace=ioctl chroot "$G" /pvk/pvkprep --prepare
	assert_status 0
	grep "^$(head -n 1 "$W/trace" | cut -d ' ' -f 1) .*ioctl(" "$W/trace" | grep -n "$1" | cut -d : -f 1 >"$W/ordinals"
	[ -s "$W/ordinals" ] || fail "nothing was frozen: $(cat "$W/trace")"
	in_guest chroot "$G" /pvk/pvkprep --restore
	assert_status 0
}

@test "killed while its own root file system is frozen: the guardian thaws it" {
	local n
	ordinals FITHAW
	while read -r n; do
		# The ioctl that would thaw is the last call of the main process, before it is done.
		in_guest strace -f -o "$W/trace" -e trace=ioctl -e "inject=ioctl:signal=KILL:when=$n" \
			chroot "$G" /pvk/pvkprep --prepare
		[ "$status" -ne 0 ] || fail "was not killed"
		grep -q 'killed by SIGKILL' "$W/trace" || fail "was not killed: $(cat "$W/trace")"
		grep -q 'FIFREEZE) *= 0' "$W/trace" || fail "was not frozen: $(cat "$W/trace")"
		assert_writable "kill $n"
		in_guest chroot "$G" /pvk/pvkprep --prepare
		assert_status 0
		in_guest chroot "$G" /pvk/pvkprep --restore
		assert_status 0
	done <"$W/ordinals"
}

# stopped_in_the_freeze SIGNAL: the signal comes with the first ioctl that freezes. The process is
# let go on in any case: else nothing could be unmounted.
stopped_in_the_freeze() {
	local job pid n is_writable=yes
	ordinals FIFREEZE
	n=$(head -n 1 "$W/ordinals")
	rm "$W/trace"
	guest strace -f -o "$W/trace" -e trace=ioctl -e "inject=ioctl:signal=$1:when=$n" \
		chroot "$G" /pvk/pvkprep --prepare 3>&- >"$W/out" 2>&1 &
	job=$!
	timeout 30 bash -c 'until grep -q "stopped by SIG" "$W/trace"; do sleep 0.1; done' 2>/dev/null || is_writable=no
	timeout 10 touch "$G/tmp/$1" || is_writable=no
	cp "$W/trace" "$W/trace-stopped"
	pid=$(head -n 1 "$W/trace" | cut -d ' ' -f 1)
	timeout 30 bash -c 'while kill -CONT "$1"; do sleep 0.2; done' - "$pid" 2>/dev/null
	wait "$job" || fail "status $? after $1: $(cat "$W/out")"
	grep -q 'FIFREEZE) *= 0' "$W/trace-stopped" || fail "was not frozen: $(cat "$W/trace-stopped")"
	[ "$is_writable" = yes ] || fail "the file system hangs after $1: $(cat "$W/trace-stopped")"
	assert_contains "$(cat "$W/trace-stopped")" "stopped by SIG$1"
	as_grub_sees /boot/vmlinuz-1
	[ "$(head -c 4 "$W/seen")" = $'\x7fELF' ] || fail "not the new kernel"
}

@test "Ctrl-Z while its own root file system is frozen: it goes on to its end first" {
	stopped_in_the_freeze TSTP
	assert_equal "$(grep -c FITHAW "$W/trace-stopped")" "$(grep -c FITHAW "$W/trace")"
}

@test "stopped by force while its own root file system is frozen: the guardian thaws it" {
	stopped_in_the_freeze STOP
	assert_equal "$(grep -c 'FITHAW) *= 0' "$W/trace-stopped")" 1
}
