#!/usr/bin/env bats
# A kernel without seccomp, and one that takes no filter: what the whole program does there.

load lib.bash

without_seccomp() { run --separate-stderr "$PVK_TOOLS/noseccomp" absent "$PVKPREP" --root "$ROOT" "$@"; }
without_filter() { run --separate-stderr "$PVK_TOOLS/noseccomp" refused "$PVKPREP" --root "$ROOT" "$@"; }

@test "no seccomp: kernels are prepared, and each mode that unpacks says what is missing" {
	local mode
	mkdir "$ROOT/boot/grub"
	printf 'default 0\ntimeout 0\ntitle x\nroot (hd0)\nkernel /boot/vmlinuz-1\n' >"$ROOT/boot/grub/menu.lst"
	add_kernel 1 "$MINI"
	for mode in "--inspect /boot/vmlinuz-1" --check --prepare "--hook kernel-postinst 2"; do
		add_kernel 2 "$MINI"
		# shellcheck disable=SC2086 # words
		without_seccomp $mode
		assert_contains "$stderr" "this kernel has no seccomp"
	done
	assert_prepared 1 "$PVK_MINI/vmlinux"
	assert_same_file "$ROOT/boot/pvkprep/packaged-1" "$MINI"
	without_seccomp --prepare # nothing to unpack, nothing to say
	assert_status 0
	assert_lacks "$stderr" seccomp
	without_seccomp --restore
	assert_status 0
	assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
}

@test "no seccomp: damage is refused all the same" {
	add_kernel 1 "$MINI"
	"$REPACK" flip "$ROOT/boot/vmlinuz-1" payload-200
	cp "$ROOT/boot/vmlinuz-1" "$ROOT/damaged"
	without_seccomp --prepare
	assert_status 1
	assert_same_file "$ROOT/boot/vmlinuz-1" "$ROOT/damaged"
	assert_no_temp_files
}

@test "the filter is refused: nothing is unpacked, nothing changed, and it is told" {
	local mode
	add_kernel 1 "$MINI"
	for mode in --prepare "--prepare --force"; do
		# shellcheck disable=SC2086 # words
		without_filter $mode
		assert_status 1
		assert_contains "$stderr" "filter"
		assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
		assert_no_temp_files
	done
	without_filter --inspect /boot/vmlinuz-1
	assert_status 1
	assert_contains "$stderr" "filter"
	without_filter --hook kernel-postinst 1
	assert_status 0 # a hook never fails the kernel's package
	assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
}
