#!/usr/bin/env bats
# Debian 13's zstd kernel has a window of 128 MiB. A guest of 48 MiB can prepare it all the same,
# because the output is the window and the output is a mapped file.

load lib.bash

LIMIT=$((48 << 20))

setup() {
	need zstd
	common_setup
	if ! run_limited $LIMIT true; then
		skip "no memory cgroup can be made on this machine"
	fi
	"$REPACK" stream "$PVK_KERNELS/zstd" "$ROOT/stream"
}

@test "the control: zstd -dc is killed within 48 MiB" {
	run run_limited $LIMIT zstd -q -dc -o "$ROOT/out" "$ROOT/stream"
	[ "$status" -ne 0 ]
}

@test "pvkprep prepares Debian 13's kernel within 48 MiB" {
	local version
	version=$(version_of zstd)
	add_kernel "$version" "$PVK_KERNELS/zstd"
	run --separate-stderr run_limited $LIMIT "$PVKPREP" --root "$ROOT" --prepare
	assert_status 0
	zstd -q -dc "$ROOT/stream" >"$ROOT/vmlinux"
	assert_prepared "$version" "$ROOT/vmlinux"
}

@test "within 8 MiB it fails with one line, and nothing is replaced" {
	local version
	version=$(version_of zstd)
	add_kernel "$version" "$PVK_KERNELS/zstd"
	run --separate-stderr run_limited $((8 << 20)) "$PVKPREP" --root "$ROOT" --prepare
	[ "$status" -ne 0 ]
	assert_same_file "$ROOT/boot/vmlinuz-$version" "$PVK_KERNELS/zstd"
	run_pvk --prepare
	assert_status 0
	assert_no_temp_files
}
