#!/usr/bin/env bats
# format = hybrid: the packaged image and its ELF in one file, which restores itself.

load lib.bash

setup() {
	need grub-file gzip strace jq md5sum
	common_setup
	mkdir -p "$ROOT/var/tmp"
}

prepare_hybrid() {
	run_pvk --prepare --format=hybrid "$@"
	assert_status 0
	assert_equal "$stderr" ""
}

configure() { printf '%s\n' '[kernel]' "$@" >"$ROOT/etc/pvkprep.conf"; }

# assert_hybrid VERSION ORIGINAL VMLINUX: taken apart with other tools than pvkprep.
assert_hybrid() {
	local file=$ROOT/boot/vmlinuz-$1 start
	"$REPACK" payload "$file" "$ROOT/window"
	gzip -dc <"$ROOT/window" | cmp - "$3" || fail "the payload is not the ELF"
	start=$("$REPACK" field "$file" payload_start)
	tail -c +$((start + 1)) "$file" | cmp - "$ROOT/window" || fail "something follows the payload"
	# The original, but for the 8 bytes from 0x248: cmp counts from 1.
	run cmp -l -n "$(size_of "$2")" "$file" "$2"
	assert_equal "$(awk '$1 < 585 || $1 > 592' <<<"$output")" ""
	grub-file --is-x86_64-xen-domu "$file" || fail "grub-file refuses it"
	assert_no_temp_files
}

# assert_restores VERSION ORIGINAL: with no other file around.
assert_restores() {
	rm -rf "$ROOT/boot/pvkprep"
	run_pvk --restore "$1"
	assert_status 0
	assert_same_file "$ROOT/boot/vmlinuz-$1" "$2"
	assert_no_temp_files
	assert_equal "$(ls "$ROOT/boot")" "vmlinuz-$1"
}

# --- what it is ---

real_hybrid() {
	local kind=$1 version n before
	version=$(version_of "$kind")
	add_kernel "$version" "$PVK_KERNELS/$kind"
	cp "$PVK_KERNELS/$kind.md5sums" "$ROOT/var/lib/dpkg/info/linux-image-$version.md5sums"
	independent_vmlinux "$kind" "$PVK_KERNELS/$kind" "$ROOT/vmlinux"
	prepare_hybrid
	assert_lines "$output" 1
	assert_contains "$output" "$kind bzImage of"
	assert_contains "$output" "is now a hybrid of"
	assert_hybrid "$version" "$PVK_KERNELS/$kind" "$ROOT/vmlinux"
	assert_same_file "$ROOT/boot/pvkprep/packaged-$version" "$PVK_KERNELS/$kind"
	[ "$(size_of "$ROOT/boot/vmlinuz-$version")" -lt $(($(size_of "$ROOT/vmlinux") / 2)) ]
	run_pvk --inspect --json "/boot/vmlinuz-$version"
	assert_equal "$(jq -c '[.[0].loaders[].outcome]' <<<"$output")" '["starts","starts","starts"]'
	assert_equal "$(jq -r '.[0].original.md5' <<<"$output")" "$(md5sum <"$PVK_KERNELS/$kind" | cut -d ' ' -f 1)"
	before=$(full_listing)
	sleep 0.02
	for n in 1 2 3 4 5 6 7 8 9; do prepare_hybrid; done
	assert_equal "$(full_listing)" "$before"
	assert_restores "$version" "$PVK_KERNELS/$kind"
	(cd "$ROOT" && grep ' boot/vmlinuz' "var/lib/dpkg/info/linux-image-$version.md5sums" | md5sum --quiet -c)
}

@test "Debian 12's cloud kernel (LZ4): both halves in it, ten times is once, and back" { real_hybrid lz4; }
@test "Debian 12's generic kernel (XZ): both halves in it, ten times is once, and back" { real_hybrid xz; }
@test "Debian 13's cloud kernel (zstd): both halves in it, ten times is once, and back" { real_hybrid zstd; }

@test "a payload of every kind" {
	local kind
	for kind in bzip2 lzma xz-32m xz-128m lzo lz4 zstd-19 zstd-22; do
		"$REPACK" replace "$PVK_KERNELS/lz4" "$PVK_PAYLOADS/vmlinux.$kind" "$ROOT/original" \
			"$(size_of "$PVK_PAYLOADS/vmlinux")"
		add_kernel "$kind" "$ROOT/original"
		prepare_hybrid "$kind"
		assert_hybrid "$kind" "$ROOT/original" "$PVK_PAYLOADS/vmlinux"
		assert_restores "$kind" "$ROOT/original"
		rm -rf "${ROOT:?}/boot"/*
	done
}

@test "the same kernel gives the same bytes" {
	add_kernel 1 "$MINI"
	prepare_hybrid
	cp "$ROOT/boot/vmlinuz-1" "$ROOT/first"
	rm -rf "${ROOT:?}/boot"/*
	sleep 1.1 # another second, for a time stamp to differ
	add_kernel 2 "$MINI"
	prepare_hybrid
	assert_same_file "$ROOT/boot/vmlinuz-2" "$ROOT/first"
}

@test "--inspect says in which modes it boots, --list that it is prepared" {
	add_kernel 1 "$MINI"
	prepare_hybrid
	run_pvk --inspect /boot/vmlinuz-1
	assert_contains "$output" "boots as   PV, PVH, HVM and BIOS, EFI without Secure Boot"
	assert_contains "$output" "MD5 sum $(md5sum <"$MINI" | cut -d ' ' -f 1)"
	run_pvk --list --json
	assert_equal "$(jq -r '.kernels[0] | "\(.state) \(.container) \(.loadable)"' <<<"$output")" "prepared hybrid true"
}

@test "--check: a guest with a hybrid comes back; gzio GRUB loads by itself" {
	local release uuid=11111111-2222-3333-4444-555555555555
	release=$("$PVKPREP" --inspect --json "$MINI" | jq -r '.[0].kernel_version | split(" ")[0]')
	add_kernel "$release" "$MINI"
	prepare_hybrid
	mkdir -p "$ROOT/boot/grub" "$ROOT/lib/modules/$release"
	"$PVK_SOURCE/scripts/make-initrd" "$release" >"$ROOT/boot/initrd.img-$release"
	echo "UUID=$uuid / ext4 defaults 0 1" >"$ROOT/etc/fstab"
	cat >"$ROOT/boot/grub/grub.cfg" <<-EOF
		set timeout=5
		menuentry 'Linux' {
			insmod gzio
			linux /boot/vmlinuz-$release root=UUID=$uuid ro console=hvc0
			initrd /boot/initrd.img-$release
		}
	EOF
	run_pvk --check --json
	assert_equal "$(jq -r .verdict <<<"$output")" boots
	assert_equal "$(jq -r '[.findings[].code] | index("filter-not-loaded")' <<<"$output")" null
	sed -i '/insmod/d' "$ROOT/boot/grub/grub.cfg"
	run_pvk --check --json
	assert_equal "$(jq -r .verdict <<<"$output")" boots
	assert_equal "$(jq -r '[.findings[].code] | index("filter-not-loaded")' <<<"$output")" null
}

@test "what is no bzImage becomes a bare ELF; what every loader reads is left alone" {
	add_kernel 1-zstd "$PVK_PAYLOADS/vmlinux.zstd-19"
	mini_with gzip "$ROOT/gzip"
	add_kernel 1-gzip "$ROOT/gzip"
	prepare_hybrid
	assert_prepared 1-zstd "$PVK_PAYLOADS/vmlinux"
	assert_same_file "$ROOT/boot/vmlinuz-1-gzip" "$ROOT/gzip"
	run_pvk --prepare --format=hybrid --json
	assert_equal "$(jq -r '[.kernels[].outcome] | sort | join(" ")' <<<"$output")" "already kept"
}

# --- the original ---

@test "originals = none: the hybrid alone gives the packaged image back, with its owner and mode" {
	configure 'format = hybrid' 'originals = none'
	add_kernel 1 "$MINI" as-packaged
	chmod 600 "$ROOT/boot/vmlinuz-1"
	run_pvk --prepare
	assert_status 0
	[ ! -e "$ROOT/boot/pvkprep/packaged-1" ]
	run_pvk --restore
	assert_status 0
	assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
	assert_equal "$(stat -c %a "$ROOT/boot/vmlinuz-1")" 600
	run_pvk --restore
	assert_status 0
	assert_contains "$output" "as packaged"
}

@test "the packaged image comes back by hand, as HACKING.md says" {
	local file=$ROOT/boot/vmlinuz-1 p size
	add_kernel 1 "$MINI"
	prepare_hybrid
	p=$("$REPACK" field "$file" payload_start)
	size=$(od -An -tu8 -j $((p - 48)) -N 8 "$file" | tr -d ' ')
	head -c "$size" "$file" >"$ROOT/by-hand"
	dd if="$file" of="$ROOT/by-hand" bs=1 skip=$((p - 32)) seek=$((0x248)) count=8 conv=notrunc status=none
	assert_same_file "$ROOT/by-hand" "$MINI"
	assert_equal "$(od -An -tx1 -j $((p - 24)) -N 16 "$file" | tr -d ' \n')" "$(md5sum <"$MINI" | cut -d ' ' -f 1)"
}

@test "with an original kept, that one comes back, under its own inode" {
	local inode
	add_kernel 1 "$MINI" as-packaged
	inode=$(stat -c %i "$ROOT/boot/vmlinuz-1")
	prepare_hybrid
	run_pvk --restore
	assert_status 0
	assert_equal "$(stat -c %i "$ROOT/boot/vmlinuz-1")" "$inode"
	assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
}

@test "without a record the hybrid itself speaks for the kept original" {
	add_kernel 1 "$MINI"
	prepare_hybrid
	rm "$ROOT/boot/pvkprep/1.json"
	run_pvk --restore
	assert_status 0
	assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
}

@test "dpkg lists another image: refused, nothing touched; --force takes what is in it" {
	local before
	configure 'format = hybrid' 'originals = none'
	add_kernel 1 "$MINI" as-packaged
	run_pvk --prepare
	echo "00000000000000000000000000000000  boot/vmlinuz-1" >"$ROOT/var/lib/dpkg/info/linux-image-1.md5sums"
	before=$(content_listing)
	run_pvk --restore
	assert_status 1
	assert_lines "$stderr" 1
	assert_contains "$stderr" "is not the one of package linux-image-1"
	assert_equal "$(content_listing)" "$before"
	run_pvk --restore --force
	assert_status 0
	assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
}

@test "a damaged original in it, or a damaged trailer, is not put back" {
	local at before
	configure 'format = hybrid' 'originals = none'
	add_kernel 1 "$MINI"
	run_pvk --prepare
	cp "$ROOT/boot/vmlinuz-1" "$ROOT/good"
	# Of the original: the first and the last byte, its code; the padding is 0; the trailer.
	for at in 100 30000 $(($(size_of "$MINI") - 1)) payload-5; do
		cp "$ROOT/good" "$ROOT/boot/vmlinuz-1"
		"$REPACK" flip "$ROOT/boot/vmlinuz-1" "$at"
		before=$(content_listing)
		run_pvk --restore
		if [ "$at" = payload-5 ]; then # of the gzip's CRC: the original is none the worse
			assert_status 0
			assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
			continue
		fi
		assert_status 1
		assert_lines "$stderr" 1
		assert_contains "$stderr" "damaged"
		assert_equal "$(content_listing)" "$before"
	done
	cp "$ROOT/good" "$ROOT/boot/vmlinuz-1"
	"$REPACK" flip "$ROOT/boot/vmlinuz-1" $(($("$REPACK" field "$ROOT/good" payload_start) - 40))
	run_pvk --restore
	assert_equal "$(cmp "$ROOT/boot/vmlinuz-1" "$ROOT/good" | wc -l)" 1 # as it was
}

@test "a hybrid with a damaged payload is made anew out of its own original" {
	configure 'format = hybrid' 'originals = none'
	add_kernel 1 "$MINI"
	run_pvk --prepare
	"$REPACK" flip "$ROOT/boot/vmlinuz-1" payload+500
	run_pvk --prepare
	assert_status 0
	assert_contains "$output" "is now a hybrid"
	assert_hybrid 1 "$MINI" "$PVK_MINI/vmlinux"
	assert_restores 1 "$MINI"
}

# --- again, and another form ---

@test "a second run makes no system call that writes, and forks nothing" {
	add_kernel 1 "$MINI" as-packaged
	prepare_hybrid
	strace -f -o "$ROOT/trace" "$PVKPREP" --root "$ROOT" --prepare --format=hybrid
	run grep -E '^[0-9]+ +(rename|link|unlink|mkdir|chmod|fchmod|chown|fchown|fallocate|fsync|sync|clone|fork|vfork)[a-z0-9]*\(' "$ROOT/trace"
	assert_equal "$output" ""
}

@test "a lost record is no reason to write it again" {
	local inode originals
	for originals in stash none; do
		rm -rf "${ROOT:?}/boot"/*
		configure 'format = hybrid' "originals = $originals"
		add_kernel 1 "$MINI"
		run_pvk --prepare
		inode=$(stat -c '%i %Y' "$ROOT/boot/vmlinuz-1")
		rm "$ROOT/boot/pvkprep/1.json"
		run_pvk --prepare
		assert_status 0
		assert_contains "$output" "prepared already (hybrid of"
		assert_equal "$(stat -c '%i %Y' "$ROOT/boot/vmlinuz-1")" "$inode"
		[ -e "$ROOT/boot/pvkprep/1.json" ]
		assert_restores 1 "$MINI"
	done
}

@test "hybrid to elf and elf to hybrid, from the kept original" {
	add_kernel 1 "$MINI"
	for _ in 1 2 3; do
		prepare_hybrid
		assert_hybrid 1 "$MINI" "$PVK_MINI/vmlinux"
		run_pvk --prepare
		assert_status 0
		assert_prepared 1 "$PVK_MINI/vmlinux"
		assert_same_file "$ROOT/boot/pvkprep/packaged-1" "$MINI"
	done
	rm "$ROOT/boot/pvkprep/1.json" # then the files tell
	prepare_hybrid
	assert_hybrid 1 "$MINI" "$PVK_MINI/vmlinux"
	run_pvk --restore
	assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
}

@test "hybrid to elf from the original in it, which is kept from then on" {
	configure 'format = hybrid' 'originals = none'
	add_kernel 1 "$MINI" as-packaged
	run_pvk --prepare
	configure 'originals = stash'
	run_pvk --prepare
	assert_status 0
	assert_prepared 1 "$PVK_MINI/vmlinux"
	assert_same_file "$ROOT/boot/pvkprep/packaged-1" "$MINI"
	run_pvk --restore
	assert_status 0
	assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
}

@test "a bare ELF whose original is gone stays, and the run says why" {
	local before
	configure 'originals = none'
	add_kernel 1 "$MINI"
	run_pvk --prepare
	before=$(full_listing)
	prepare_hybrid
	assert_contains "$output" "no packaged image is kept to make another form of"
	assert_equal "$(full_listing)" "$before"
	assert_prepared 1 "$PVK_MINI/vmlinux"
}

@test "an update of the same version is prepared again" {
	add_kernel 1 "$MINI"
	prepare_hybrid
	mini_with zstd "$ROOT/newer"
	cp "$ROOT/newer" "$ROOT/boot/new" && mv "$ROOT/boot/new" "$ROOT/boot/vmlinuz-1"
	prepare_hybrid
	assert_hybrid 1 "$ROOT/newer" "$PVK_MINI/vmlinux"
	assert_same_file "$ROOT/boot/pvkprep/packaged-1" "$ROOT/newer"
	assert_restores 1 "$ROOT/newer"
}

# --- space ---

@test "--dry-run tells the size to the byte and writes nothing" {
	local before size
	add_kernel 1 "$MINI"
	before=$(full_listing)
	run_pvk --prepare --format=hybrid --dry-run --json
	assert_status 0
	assert_equal "$(jq -r '.kernels[0] | "\(.outcome) \(.format)"' <<<"$output")" "would-prepare hybrid"
	size=$(jq -r '.kernels[0].image_size' <<<"$output")
	assert_equal "$(full_listing)" "$before"
	prepare_hybrid
	assert_equal "$(size_of "$ROOT/boot/vmlinuz-1")" "$size"
}

@test "tmpfs of every size from too small to large enough" {
	local kib hybrid old refused=0 done=0
	add_kernel 1 "$MINI"
	prepare_hybrid
	hybrid=$(size_of "$ROOT/boot/vmlinuz-1")
	old=$(size_of "$MINI")
	for ((kib = old / 1024 + 16; kib < (old + hybrid) / 1024 + 600; kib += 48)); do
		mount_tmpfs "$ROOT/boot" "size=${kib}k"
		cp "$MINI" "$ROOT/boot/vmlinuz-1"
		run_pvk --prepare --format=hybrid 1
		if [ "$status" -eq 0 ]; then
			assert_hybrid 1 "$MINI" "$PVK_MINI/vmlinux"
			assert_same_file "$ROOT/boot/pvkprep/packaged-1" "$MINI"
			done=$((done + 1))
		else
			assert_status 1
			assert_lines "$stderr" 1
			assert_contains "$stderr" "no space"
			assert_contains "$stderr" "missing"
			assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
			assert_no_temp_files
			[ "$done" -eq 0 ]
			refused=$((refused + 1))
		fi
		unmount_tmpfs
	done
	[ "$refused" -gt 3 ] && [ "$done" -gt 3 ]
}

@test "where elf does not fit the message tells what a hybrid needs, and auto makes one" {
	local version
	version=$(version_of lz4)
	mount_tmpfs "$ROOT/boot" size=50m
	add_kernel "$version" "$PVK_KERNELS/lz4"
	run_pvk --prepare
	assert_status 1
	assert_lines "$stderr" 1
	assert_contains "$stderr" "needs 53.5 MB"
	assert_contains "$stderr" "(with format = hybrid it would need 24.9 MB, which fits)"
	assert_same_file "$ROOT/boot/vmlinuz-$version" "$PVK_KERNELS/lz4"
	run_pvk --prepare --format=auto
	assert_status 0
	assert_equal "$stderr" ""
	"$REPACK" stream "$PVK_KERNELS/lz4" "$ROOT/stream"
	lz4 -q -dc "$ROOT/stream" >"$ROOT/vmlinux"
	assert_hybrid "$version" "$PVK_KERNELS/lz4" "$ROOT/vmlinux"
	run_pvk --prepare --format=auto
	assert_contains "$output" "prepared already (hybrid"
	unmount_tmpfs
}

@test "a hybrid stays where the bare ELF that is wanted does not fit: it boots as well" {
	local before
	configure 'when = always'
	mount_tmpfs "$ROOT/boot" size=1500k
	add_kernel 1 "$MINI"
	prepare_hybrid
	head -c 300000 /dev/zero >"$ROOT/boot/filler"
	for _ in 1 2; do
		pvk --prepare # notes what /boot looks like now
		before=$(full_listing)
		run_pvk --prepare
		assert_status 0
		assert_equal "$stderr" ""
		assert_contains "$output" "nothing to do: prepared already (hybrid of 677.3 kB; there is no room for a bare ELF)"
		run_pvk --hook apt
		assert_status 0
		assert_lacks "$output$stderr" "IS NOT IN USE"
		assert_equal "$(full_listing)" "$before"
		rm "$ROOT/boot/pvkprep/1.json" # then the files tell
		run_pvk --prepare
		assert_status 0
		assert_contains "$output" "there is no room for a bare ELF"
	done
	rm "$ROOT/boot/filler"
	umount "$ROOT/boot" # an upgrade that does not fit is an error as before
	mount_tmpfs "$ROOT/boot" size=1400k
	add_kernel 1 "$MINI"
	prepare_hybrid
	cp "$MINI" "$ROOT/boot/vmlinuz-1"
	printf 'x' >>"$ROOT/boot/vmlinuz-1"
	run_pvk --prepare
	assert_status 1
	unmount_tmpfs
}

@test "auto: elf where it fits and the original is kept, hybrid where that is not" {
	add_kernel 1 "$MINI"
	run_pvk --prepare --format=auto
	assert_prepared 1 "$PVK_MINI/vmlinux"
	rm -rf "${ROOT:?}/boot"/*
	configure 'format = auto' 'originals = none'
	add_kernel 1 "$MINI"
	run_pvk --prepare
	assert_hybrid 1 "$MINI" "$PVK_MINI/vmlinux"
	run_pvk --prepare
	assert_contains "$output" "nothing to do"
}

@test "in 48 MiB of memory, of which the image alone needs more" {
	local version
	run_limited $((48 << 20)) true || skip "no memory cgroup can be made on this machine"
	version=$(version_of zstd)
	add_kernel "$version" "$PVK_KERNELS/zstd"
	run --separate-stderr run_limited $((48 << 20)) "$PVKPREP" --root "$ROOT" --prepare --format=hybrid
	assert_status 0
	independent_vmlinux zstd "$PVK_KERNELS/zstd" "$ROOT/vmlinux"
	assert_hybrid "$version" "$PVK_KERNELS/zstd" "$ROOT/vmlinux"
}

# --- interrupted ---

@test "a tree without /var/tmp, or with a full one, will do" {
	rm -r "$ROOT/var/tmp"
	add_kernel 1 "$MINI"
	prepare_hybrid
	assert_hybrid 1 "$MINI" "$PVK_MINI/vmlinux"
	run_pvk --restore
	mkdir "$ROOT/var/tmp"
	mount_tmpfs "$ROOT/var/tmp" size=100k
	prepare_hybrid
	unmount_tmpfs
	assert_hybrid 1 "$MINI" "$PVK_MINI/vmlinux"
}

@test "an error from fallocate, fsync, link or rename: the image stays, nothing is left behind" {
	local calls
	rmdir "$ROOT/var/tmp" # whose fallocate would be the first one
	for calls in fallocate fsync linkat,link renameat,renameat2,rename; do
		rm -rf "${ROOT:?}/boot"/*
		add_kernel 1 "$MINI"
		run --separate-stderr strace -qq -e signal=none -e "trace=$calls" -e "inject=$calls:error=EIO:when=1" \
			-o /dev/null "$PVKPREP" --root "$ROOT" --prepare --format=hybrid 1
		assert_status 1
		assert_lines "$stderr" 1
		assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
		assert_no_temp_files
	done
}

# kill_worker N: the Nth worker of a run on the XZ kernel.
kill_worker() {
	local n=$1 seen='' worker i
	rm -rf "${ROOT:?}/boot"/*
	add_kernel slow "$PVK_KERNELS/xz"
	"$PVKPREP" --root "$ROOT" --prepare --format=hybrid slow >"$ROOT/out" 2>"$ROOT/err" 3>&- &
	PID=$!
	for ((i = 0; i < 2000; i++)); do
		worker=$(ps -o pid= --ppid $PID | tr -d ' \n') || true
		if [ -n "$worker" ] && [[ $seen != *"|$worker|"* ]]; then
			seen+="|$worker|"
			n=$((n - 1))
			[ $n -gt 0 ] || break
		fi
	done
	kill -KILL "$worker"
	status=0
	wait $PID || status=$?
	stderr=$(cat "$ROOT/err")
	assert_status 1
	assert_contains "$stderr" "worker was killed"
	assert_same_file "$ROOT/boot/vmlinuz-slow" "$PVK_KERNELS/xz"
	assert_no_temp_files
	[ -z "$(ls -A "$ROOT/var/tmp")" ]
}

@test "the worker that unpacks, or the one that compresses, is killed: nothing is replaced" {
	strace -f -e trace=clone,fork,vfork -o "$ROOT/trace" true # the control for ps
	kill_worker 2
	kill_worker 3
}

@test "killed at every system call: the image is the old one or the new one, and the next run ends well" {
	local call n before=0 after=0
	add_kernel 1 "$MINI"
	list_calls "$PVKPREP" --root "$ROOT" --prepare --format=hybrid 1
	cp "$ROOT/boot/vmlinuz-1" "$ROOT/hybrid"
	while read -r call n <&4; do
		rm -rf "${ROOT:?}/boot"
		mkdir "$ROOT/boot"
		cp "$MINI" "$ROOT/boot/vmlinuz-1"
		kill_at "$call" "$n" "$PVKPREP" --root "$ROOT" --prepare --format=hybrid 1
		if cmp -s "$ROOT/boot/vmlinuz-1" "$MINI"; then
			before=$((before + 1))
		else
			assert_same_file "$ROOT/boot/vmlinuz-1" "$ROOT/hybrid"
			assert_same_file "$ROOT/boot/pvkprep/packaged-1" "$MINI"
			after=$((after + 1))
		fi
		[ -z "$(ls -A "$ROOT/var/tmp")" ]
		run_pvk --prepare --format=hybrid 1
		assert_status 0
		assert_same_file "$ROOT/boot/vmlinuz-1" "$ROOT/hybrid"
		assert_same_file "$ROOT/boot/pvkprep/packaged-1" "$MINI"
		assert_no_temp_files
	done 4<"$ROOT/calls"
	[ "$before" -gt 50 ] && [ "$after" -gt 20 ] || fail "$before $after"
}

@test "a restore that is killed at every system call: the hybrid or the original" {
	local call n before=0 after=0
	configure 'format = hybrid' 'originals = none'
	add_kernel 1 "$MINI"
	run_pvk --prepare
	cp "$ROOT/boot/vmlinuz-1" "$ROOT/hybrid"
	list_calls "$PVKPREP" --root "$ROOT" --restore 1
	while read -r call n <&4; do
		rm -rf "${ROOT:?}/boot"
		mkdir "$ROOT/boot"
		cp "$ROOT/hybrid" "$ROOT/boot/vmlinuz-1"
		kill_at "$call" "$n" "$PVKPREP" --root "$ROOT" --restore 1
		if cmp -s "$ROOT/boot/vmlinuz-1" "$ROOT/hybrid"; then
			before=$((before + 1))
		else
			assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
			after=$((after + 1))
		fi
		run_pvk --restore 1
		assert_status 0
		assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
		assert_no_temp_files
	done 4<"$ROOT/calls"
	[ "$before" -gt 30 ] && [ "$after" -gt 5 ] || fail "$before $after"
}
