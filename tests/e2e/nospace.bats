#!/usr/bin/env bats
# A full disk, a read-only one, a quota: the run fails, the kernel stays what it was (promise P1).

load lib.bash

setup() {
	need strace mount umount
	common_setup
}

@test "tmpfs of every size from too small to large enough" {
	local elf old kib refused=0 done=0
	elf=$(size_of "$PVK_MINI/vmlinux")
	old=$(size_of "$MINI")
	for ((kib = old / 1024 + 16; kib < (old + elf) / 1024 + 800; kib += 48)); do
		mount_tmpfs "$ROOT/boot" "size=${kib}k"
		cp "$MINI" "$ROOT/boot/vmlinuz-1"
		run_pvk --prepare 1
		if [ "$status" -eq 0 ]; then
			assert_prepared 1 "$PVK_MINI/vmlinux"
			assert_same_file "$ROOT/boot/pvkprep/packaged-1" "$MINI"
			done=$((done + 1))
		else
			assert_status 1
			assert_lines "$stderr" 1
			assert_contains "$stderr" "$(shown 1): "
			assert_contains "$stderr" "space"
			assert_contains "$stderr" "missing"
			assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
			assert_no_temp_files
			[ "$done" -eq 0 ] # not refused where less was enough
			refused=$((refused + 1))
		fi
		unmount_tmpfs
	done
	[ "$refused" -gt 3 ] && [ "$done" -gt 3 ]
}

@test "Debian's LZ4 kernel on tmpfs of 20, 40, 60 and 80 MB" {
	local mb version
	version=$(version_of lz4)
	independent_vmlinux lz4 "$PVK_KERNELS/lz4" "$ROOT/vmlinux"
	for mb in 20 40 60 80; do
		mount_tmpfs "$ROOT/boot" "size=${mb}m"
		add_kernel "$version" "$PVK_KERNELS/lz4"
		run_pvk --prepare
		if [ $mb -lt 80 ]; then
			assert_status 1
			assert_contains "$stderr" missing
			assert_same_file "$ROOT/boot/vmlinuz-$version" "$PVK_KERNELS/lz4"
			assert_no_temp_files
		else
			assert_status 0
			assert_prepared "$version" "$ROOT/vmlinux"
		fi
		unmount_tmpfs
	done
}

@test "no inode is left" {
	mount_tmpfs "$ROOT/boot" "size=10m,nr_inodes=3"
	cp "$MINI" "$ROOT/boot/vmlinuz-1"
	run_pvk --prepare 1
	assert_status 1
	assert_lines "$stderr" 1
	assert_contains "$stderr" inode
	assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
	assert_no_temp_files
}

@test "the message tells what would help: the oldest kernels, never the two newest" {
	local version
	mount_tmpfs "$ROOT/boot" "size=2500k"
	for version in 5.10.0-1 6.1.0-1 6.1.0-9 6.1.0-10; do cp "$MINI" "$ROOT/boot/vmlinuz-$version"; done
	dd if=/dev/zero of="$ROOT/boot/filler" bs=1k count=500 status=none
	run_pvk --prepare 6.1.0-10
	assert_status 1
	assert_lines "$stderr" 3
	assert_contains "${stderr_lines[0]}" missing
	assert_contains "${stderr_lines[1]}" 6.1.0-1
	assert_contains "${stderr_lines[2]}" 5.10.0-1
	assert_lacks "${stderr_lines[1]}${stderr_lines[2]}" 6.1.0-9
	assert_lacks "$stderr" "apt-get" # which would purge packages of the running system
}

@test "/boot is mounted read-only" {
	mount_tmpfs "$ROOT/boot" "size=10m"
	cp "$MINI" "$ROOT/boot/vmlinuz-1"
	mount -o remount,ro "$ROOT/boot"
	assert_refused 1 "[Rr]ead-only"
}

# inject_once SYSCALL ERROR: the first such call of the program itself (not the worker's) fails.
inject_once() {
	run --separate-stderr strace -qq -e signal=none -e "trace=$1" -e "inject=$1:error=$2:when=1" -o /dev/null \
		"$PVKPREP" --root "$ROOT" --prepare 1
}

@test "a quota (EDQUOT), a full disk (ENOSPC) or an I/O error from fallocate" {
	local error
	add_kernel 1 "$MINI"
	for error in EDQUOT ENOSPC EIO; do
		inject_once fallocate $error
		assert_status 1
		assert_lines "$stderr" 1
		assert_contains "$stderr" "$(shown 1): "
		assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
		assert_no_temp_files
	done
	run_pvk --prepare 1
	assert_status 0
	assert_prepared 1 "$PVK_MINI/vmlinux"
}

@test "an error from fsync before the rename" {
	add_kernel 1 "$MINI"
	inject_once fsync EIO
	assert_status 1
	assert_lines "$stderr" 1
	assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
	assert_no_temp_files
}

@test "an error from the rename" {
	add_kernel 1 "$MINI"
	inject_once renameat,renameat2,rename EIO
	assert_status 1
	assert_lines "$stderr" 1
	assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
	assert_no_temp_files
}

@test "the link that keeps the original fails: the image is not replaced" {
	add_kernel 1 "$MINI"
	inject_once linkat,link EIO
	assert_status 1
	assert_lines "$stderr" 1
	assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
	assert_no_temp_files
}

@test "a file system without links: the original is kept as a copy" {
	local error
	for error in EMLINK EPERM EOPNOTSUPP; do
		add_kernel 1 "$MINI"
		inject_once linkat,link $error
		assert_status 0
		assert_prepared 1 "$PVK_MINI/vmlinux"
		assert_same_file "$ROOT/boot/pvkprep/packaged-1" "$MINI"
		run_pvk --restore 1
		assert_status 0
		assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
	done
}

# bats test_tags=unwatched
@test "every call of a run fails once, each with EIO: the image is the old one or the new one, whole" {
	local call total n
	add_kernel 1 "$MINI"
	strace -qq -e signal=none -o "$ROOT/trace" "$PVKPREP" --root "$ROOT" --prepare 1
	run_pvk --restore 1
	total=0
	for call in openat openat2 fallocate fsync fchmod fchown mmap munmap linkat renameat mkdirat fstat ioctl syncfs close read fstatfs; do
		n=$(grep -c "^$call(" "$ROOT/trace") || true
		# The first ones are the dynamic loader's: nothing can be done about those.
		for ((; n > 0; n--)); do
			rm -rf "${ROOT:?}/boot"
			mkdir "$ROOT/boot"
			cp "$MINI" "$ROOT/boot/vmlinuz-1"
			strace -qq -e signal=none -e "trace=$call" -e "inject=$call:error=EIO:when=$n" -o /dev/null \
				"$PVKPREP" --root "$ROOT" --prepare 1 >"$ROOT/out" 2>"$ROOT/err" && status=0 || status=$?
			total=$((total + 1))
			if cmp -s "$ROOT/boot/vmlinuz-1" "$PVK_MINI/vmlinux"; then
				assert_same_file "$ROOT/boot/pvkprep/packaged-1" "$MINI"
			else
				assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
				[ "$status" -ne 0 ] || fail "$call $n: not prepared, but exit 0"
			fi
			assert_no_temp_files || fail "after $call $n"
			run_pvk --prepare 1
			assert_status 0
			assert_prepared 1 "$PVK_MINI/vmlinux"
			assert_same_file "$ROOT/boot/pvkprep/packaged-1" "$MINI"
		done
	done
	[ "$total" -gt 40 ]
}
