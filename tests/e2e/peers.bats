#!/usr/bin/env bats
# What other tools get wrong: each of these was seen in one of them. The numbers are those of the
# project's list of regressions.

load lib.bash

setup() {
	need xz zstd lz4 gzip strace dpkg dpkg-deb
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

# Runs of strace that are looked at: one line a call, with the paths of descriptors.
trace_prepare() {
	add_kernel 1 "$MINI"
	strace -f -y -s 300 -o "$ROOT/trace" "$PVKPREP" --root "$ROOT" --prepare 1
	assert_prepared 1 "$PVK_MINI/vmlinux"
}

# number PATTERN: of the first line that matches, which there must be.
number() {
	local found
	found=$(grep -nE "$1" "$ROOT/trace" | head -n 1)
	[ -n "$found" ] || fail "no call like $1"
	echo "${found%%:*}"
}

@test "H9: no directory for temporary files, and what is renamed is on the disk already" {
	mkdir "$ROOT/tmp"
	TMPDIR=$ROOT/tmp TMP=$ROOT/tmp trace_prepare
	[ -z "$(ls -A "$ROOT/tmp")" ]
	# Whatever is made or opened for writing lies in /boot of the tree, or is a device; what
	# dpkg-divert does in dpkg's own database is left out.
	run grep -vE 'O_RDONLY|ENOENT|/var/lib/dpkg|"/dev/|O_PATH|/proc/self' <(grep -E '^[0-9]+ (openat2?|creat|mkdirat?)\(' "$ROOT/trace")
	local call
	for call in "${lines[@]}"; do assert_contains "$call" "$ROOT/boot"; done
	local data renamed folder
	data=$(number 'fsync\([0-9]+<.*/boot/\.pvkprep\.[0-9a-f]{16}>')
	renamed=$(number 'renameat2?\(.*"\.pvkprep\.[0-9a-f]{16}".*"vmlinuz-1"')
	folder=$(tail -n +"$renamed" "$ROOT/trace" | grep -cE 'fsync\([0-9]+<.*/boot>\)')
	[ "$data" -lt "$renamed" ] && [ "$folder" -gt 0 ]
}

@test "H10: TERM and HUP in the midst leave nothing behind" {
	local signal pid i
	for signal in TERM HUP; do
		add_kernel slow "$PVK_KERNELS/xz"
		env --default-signal=TERM,HUP "$PVKPREP" --root "$ROOT" --prepare slow >/dev/null 2>&1 3>&- &
		pid=$!
		for ((i = 0; i < 500; i++)); do
			[ "$(temp_files)" -eq 0 ] || break
			sleep 0.01
		done
		[ "$(temp_files)" -gt 0 ]
		kill -$signal $pid
		wait $pid && return 1
		assert_no_temp_files
		assert_same_file "$ROOT/boot/vmlinuz-slow" "$PVK_KERNELS/xz"
	done
}

@test "H11: PATH, LD_PRELOAD's cousins and IFS of the caller change nothing" {
	add_kernel 1 "$MINI"
	env -i PATH=/nonexistent IFS=/ BASH_ENV=/nonexistent HOME=/nonexistent "$PVKPREP" --root "$ROOT" --prepare
	assert_prepared 1 "$PVK_MINI/vmlinux"
}

@test "H12: an image that is not the one of its package is not touched" {
	add_kernel 1 "$MINI" as-packaged
	"$REPACK" flip "$ROOT/boot/vmlinuz-1" 700 # in the setup code, which no decoder reads
	assert_refused 1 "MD5"
}

@test "H13: a size is a promise that is held against limits before anything is written" {
	head -c 600M /dev/zero | zstd -q -c >"$ROOT/bomb.zst" # 55 kB
	"$REPACK" replace "$MINI" "$ROOT/bomb.zst" "$ROOT/boot/vmlinuz-honest" $((600 << 20))
	"$REPACK" replace "$MINI" "$ROOT/bomb.zst" "$ROOT/boot/vmlinuz-lying" "$(size_of "$PVK_MINI/vmlinux")"
	chmod 644 "$ROOT"/boot/vmlinuz-*
	(ulimit -f 100000 && assert_refused honest "init_size") # no file over 51 MB
	(ulimit -f 100000 && assert_refused lying "more than")
}

# A package of dpkg's own making with that image in it: package VERSION IMAGE
package() {
	rm -rf "$ROOT/build"
	mkdir -p "$ROOT/build/DEBIAN" "$ROOT/build/boot"
	cp "$2" "$ROOT/build/boot/vmlinuz-1"
	chmod 644 "$ROOT/build/boot/vmlinuz-1"
	(cd "$ROOT/build" && md5sum boot/vmlinuz-1) >"$ROOT/build/DEBIAN/md5sums"
	printf '%s\n' "Package: linux-image-1" "Version: $1" "Architecture: all" "Maintainer: nobody <nobody@example.org>" \
		"Description: an image" >"$ROOT/build/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$ROOT/build" "$ROOT/linux-image-1_$1.deb" >/dev/null
	mkdir -p "$ROOT/var/lib/dpkg/updates"
	touch "$ROOT/var/lib/dpkg/status"
	dpkg --root="$ROOT" --log=/dev/null -i "$ROOT/linux-image-1_$1.deb" >/dev/null 2>&1
}

verified() { dpkg --root="$ROOT" --verify linux-image-1; }

@test "H14: dpkg --verify stays content, and the original can be had back" {
	package 1 "$MINI"
	run_pvk --prepare
	assert_status 0
	assert_prepared 1 "$PVK_MINI/vmlinux"
	assert_equal "$(verified)" ""
	run_pvk --restore
	assert_status 0
	assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
	assert_equal "$(verified)" ""
	(cd "$ROOT" && md5sum --quiet -c var/lib/dpkg/info/linux-image-1.md5sums)
}

@test "H15: what is lost with the packaged file is documented: its signature, and kexec" {
	local manual=$PVK_SOURCE/man/pvkprep.8
	grep -q "Secure Boot" "$manual"
	grep -q "kexec" "$manual"
}

@test "H16: an update of the same version never leaves an image that does not boot" {
	package 1 "$MINI"
	run_pvk --prepare
	mini_with zstd "$ROOT/newer"
	package 2 "$ROOT/newer" # dpkg puts it where the diversion says
	assert_prepared 1 "$PVK_MINI/vmlinux"
	assert_same_file "$ROOT/boot/pvkprep/packaged-1" "$ROOT/newer"
	run_pvk --prepare
	assert_status 0
	assert_prepared 1 "$PVK_MINI/vmlinux"
	assert_equal "$(verified)" ""
	# And one that cannot be prepared: the image that boots stays.
	"$REPACK" flip "$ROOT/newer" payload-200
	package 3 "$ROOT/newer"
	run_pvk --prepare
	assert_status 1
	assert_prepared 1 "$PVK_MINI/vmlinux"
}

@test "H17: eight runs at the same moment: each ends well, and the result is whole" {
	local pids=() i
	add_kernel 1 "$PVK_KERNELS/lz4"
	independent_vmlinux lz4 "$PVK_KERNELS/lz4" "$ROOT/vmlinux"
	for i in 1 2 3 4 5 6 7 8; do
		"$PVKPREP" --root "$ROOT" --prepare >/dev/null 2>&1 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
	assert_prepared 1 "$ROOT/vmlinux"
}

@test "H18: a name in /boot that leads out of it is not followed, nor one that is swapped" {
	local outside=$ROOT.outside i pid
	cp "$MINI" "$outside"
	ln -s "$outside" "$ROOT/boot/vmlinuz-1"
	run_pvk --prepare 1
	assert_status 1
	assert_contains "$stderr" "symbolic link"
	assert_same_file "$outside" "$MINI"
	# The name is a link and a kernel by turns while it is prepared.
	(trap 'exit 0' TERM
		while :; do
			ln -sfn "$outside" "$ROOT/boot/.new" && mv -T "$ROOT/boot/.new" "$ROOT/boot/vmlinuz-1"
			cp "$MINI" "$ROOT/boot/.new" && mv -T "$ROOT/boot/.new" "$ROOT/boot/vmlinuz-1"
		done) 3>&- &
	pid=$!
	for ((i = 0; i < 20; i++)); do "$PVKPREP" --root "$ROOT" --prepare 1 >/dev/null 2>&1 || true; done
	kill -TERM $pid
	wait $pid || true
	assert_same_file "$outside" "$MINI"
	assert_equal "$(stat -c %h "$outside")" 1
	rm -f "$outside"
	assert_no_temp_files
}
