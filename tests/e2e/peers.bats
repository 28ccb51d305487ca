#!/usr/bin/env bats
# What other tools get wrong: each of these was seen in one of them. The numbers are those of the
# project's list of regressions.

load lib.bash

setup() {
	need xz zstd lz4 gzip
	common_setup
}

@test "H1: a full temporary directory does not cut the kernel short" {
	add_kernel 1 "$MINI"
	mkdir "$ROOT/tmp"
	mount_tmpfs "$ROOT/tmp" "size=64k"
	dd if=/dev/zero of="$ROOT/tmp/full" bs=4k 2>/dev/null || true
	TMPDIR=$ROOT/tmp TMP=$ROOT/tmp run_pvk --prepare
	assert_status 0
	assert_prepared 1 "$PVK_MINI/vmlinux"
}

@test "H2: a full /boot does not cut the only copy short" {
	mount_tmpfs "$ROOT/boot" "size=40m"
	add_kernel 1 "$PVK_KERNELS/lz4"
	assert_refused 1 "no space"
	assert_same_file "$ROOT/boot/vmlinuz-1" "$PVK_KERNELS/lz4"
}

@test "H3: an ELF of 64 bytes, or one that is cut, is no kernel" {
	local size
	for size in 64 4096 300000 488000; do
		head -c $size "$PVK_MINI/vmlinux" >"$ROOT/boot/vmlinuz-$size"
		[ $size -lt 4096 ] || readelf -h "$ROOT/boot/vmlinuz-$size" >/dev/null # what the peer asks
		assert_refused $size .
	done
}

@test "H3: a cut ELF inside a good payload is not installed" {
	head -c 300000 "$PVK_MINI/vmlinux" >"$ROOT/elf"
	lz4 -q -l -9 -f "$ROOT/elf" "$ROOT/elf.lz4"
	"$REPACK" replace "$MINI" "$ROOT/elf.lz4" "$ROOT/boot/vmlinuz-1" 300000
	assert_refused 1 .
}

@test "H4: a corrupt payload of Debian's XZ and zstd kernels is noticed" {
	local kind
	for kind in xz zstd; do
		add_kernel $kind "$PVK_KERNELS/$kind"
		chmod u+w "$ROOT/boot/vmlinuz-$kind"
		"$REPACK" flip "$ROOT/boot/vmlinuz-$kind" payload-90000
		assert_refused $kind .
	done
}

@test "H4: nothing found is a failure" {
	head -c 1000000 /dev/zero >"$ROOT/boot/vmlinuz-1"
	assert_refused 1 .
}

@test "H5: a gzip'd /bin/true ahead of the payload does not become the kernel" {
	local start
	add_kernel 1 "$PVK_KERNELS/lz4"
	gzip -c /bin/true >"$ROOT/true.gz"
	# Into the setup code and decompressor that lie before the payload.
	start=$("$REPACK" field "$PVK_KERNELS/lz4" payload_start)
	[ "$(size_of "$ROOT/true.gz")" -lt $((start - 1024)) ]
	dd if="$ROOT/true.gz" of="$ROOT/boot/vmlinuz-1" bs=1 seek=$((start - $(size_of "$ROOT/true.gz"))) conv=notrunc status=none
	"$REPACK" set "$ROOT/boot/vmlinuz-1" kernel_version=0 2>/dev/null || true
	run_pvk --prepare
	assert_status 0
	independent_vmlinux lz4 "$PVK_KERNELS/lz4" "$ROOT/vmlinux"
	assert_prepared 1 "$ROOT/vmlinux"
}

@test "H6: an image of which 5 MB are there is not converted" {
	local kind
	for kind in lz4 xz zstd; do
		head -c 5M "$PVK_KERNELS/$kind" >"$ROOT/boot/vmlinuz-$kind"
		assert_refused $kind .
	done
}

@test "H7: the second run finds nothing to do" {
	local before
	add_kernel 1 "$PVK_KERNELS/lz4"
	run_pvk --prepare
	before=$(full_listing)
	run_pvk --prepare
	assert_status 0
	assert_equal "$(full_listing)" "$before"
}

@test "H8: a mode of 0644 stays 0644, and 0600 stays 0600, whatever the umask" {
	add_kernel 1 "$MINI"
	add_kernel 2 "$MINI"
	chmod 600 "$ROOT/boot/vmlinuz-2"
	(umask 077 && pvk --prepare)
	assert_equal "$(stat -c %a "$ROOT/boot/vmlinuz-1")" 644
	assert_equal "$(stat -c %a "$ROOT/boot/vmlinuz-2")" 600
	assert_prepared 1 "$PVK_MINI/vmlinux"
}

@test "H11: PATH, LD_PRELOAD's cousins and IFS of the caller change nothing" {
	add_kernel 1 "$MINI"
	env -i PATH=/nonexistent IFS=/ BASH_ENV=/nonexistent HOME=/nonexistent "$PVKPREP" --root "$ROOT" --prepare
	assert_prepared 1 "$PVK_MINI/vmlinux"
}

@test "H14: the original can be had back, and its package is content" {
	add_kernel 1 "$MINI" as-packaged
	run_pvk --prepare
	run_pvk --restore
	(cd "$ROOT" && md5sum --quiet -c var/lib/dpkg/info/linux-image-1.md5sums)
}
