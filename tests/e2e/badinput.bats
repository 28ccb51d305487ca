#!/usr/bin/env bats
# What bad input gets: one line naming the file and the reason, exit 1, the target untouched, no
# temp file left. One test for each item of that list.

load lib.bash

setup() {
	need lz4 xz zstd gzip bzip2 lzma lzop
	common_setup
}

# broken VERSION [FIELD=VALUE…]: the small kernel with a hostile header.
broken() {
	add_kernel "$1" "$MINI"
	[ $# -eq 1 ] || "$REPACK" set "$ROOT/boot/vmlinuz-$1" "${@:2}"
}

@test "an empty file" {
	: >"$ROOT/boot/vmlinuz-1"
	assert_refused 1 empty
}

@test "a directory" {
	mkdir "$ROOT/boot/vmlinuz-1"
	assert_refused 1 directory
}

@test "a FIFO, without waiting for it" {
	mkfifo "$ROOT/boot/vmlinuz-1"
	assert_refused 1 FIFO
}

@test "a device" {
	mknod "$ROOT/boot/vmlinuz-1" c 1 5
	assert_refused 1 device
}

@test "a socket" {
	/usr/bin/python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$ROOT/boot/vmlinuz-1"
	assert_refused 1 socket
}

@test "a symbolic link out of /boot is named with its target and refused" {
	cp "$MINI" "$ROOT/etc/kernel"
	ln -s ../etc/kernel "$ROOT/boot/vmlinuz-1"
	run_pvk --prepare 1
	assert_status 1
	assert_lines "$stderr" 1
	assert_contains "$stderr" "../etc/kernel"
	assert_same_file "$ROOT/etc/kernel" "$MINI"
	[ -L "$ROOT/boot/vmlinuz-1" ]
	assert_no_temp_files
	run_pvk --prepare # also when nobody names it
	assert_status 1
	assert_same_file "$ROOT/etc/kernel" "$MINI"
}

@test "a symbolic link that leads nowhere, to itself, or to a directory" {
	local target
	for target in nowhere vmlinuz-1 . /etc; do
		ln -sfn "$target" "$ROOT/boot/vmlinuz-1"
		run_pvk --prepare 1
		assert_status 1
		assert_lines "$stderr" 1
		[ -L "$ROOT/boot/vmlinuz-1" ]
	done
}

@test "a symbolic link inside /boot to a kernel stands for that kernel, and stays a link" {
	add_kernel 1 "$MINI"
	ln -s vmlinuz-1 "$ROOT/boot/vmlinuz-link"
	ln -s boot/vmlinuz-1 "$ROOT/vmlinuz"
	run_pvk --prepare link
	assert_status 0
	assert_prepared 1 "$PVK_MINI/vmlinux"
	assert_equal "$(readlink "$ROOT/boot/vmlinuz-link")" vmlinuz-1
	run_pvk --restore /vmlinuz
	assert_status 0
	assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
	run_pvk --prepare
	assert_status 0
	assert_prepared 1 "$PVK_MINI/vmlinux"
	assert_equal "$(readlink "$ROOT/boot/vmlinuz-link")" vmlinuz-1
}

@test "a file that cannot be read" {
	local place
	place=$(mktemp -d /tmp/pvkprep-test.XXXXXX)
	chmod 755 "$place"
	install -m 755 "$PVKPREP" "$place/pvkprep"
	make_tree "$place/root"
	install -m 0 "$MINI" "$place/root/boot/vmlinuz-1"
	chown -R 65534 "$place/root"
	chown 0 "$place/root/boot/vmlinuz-1"
	run --separate-stderr setpriv --reuid 65534 --regid 65534 --clear-groups "$place/pvkprep" --root "$place/root" --prepare 1
	rm -rf "$place"
	assert_status 1
	assert_lines "$stderr" 1
	assert_contains "$stderr" "/boot/vmlinuz-1': "
	assert_contains "$stderr" "Permission denied"
}

@test "a file of another user, or one that others can write" {
	broken 1
	chown 1000 "$ROOT/boot/vmlinuz-1"
	assert_refused 1 "belongs to user 1000"
	broken 2
	chmod 666 "$ROOT/boot/vmlinuz-2"
	assert_refused 2 "written by others"
}

@test "a file of 615 bytes: one short of a header" {
	head -c 615 "$MINI" >"$ROOT/boot/vmlinuz-1"
	assert_refused 1 "header"
}

@test "text" {
	yes "this is no kernel" | head -c 20000 >"$ROOT/boot/vmlinuz-1"
	assert_refused 1 "not a kernel"
}

@test "an initrd, a tar archive, a JPEG's first bytes" {
	printf '070701%0200d' 0 | head -c 4096 >"$ROOT/boot/vmlinuz-1"
	assert_refused 1 "not a kernel"
	tar -cf "$ROOT/boot/vmlinuz-2" -C "$ROOT" etc
	assert_refused 2 "not a kernel"
	printf '\377\330\377\340%02000d' 0 >"$ROOT/boot/vmlinuz-3"
	assert_refused 3 "not a kernel"
}

@test "a bzImage cut at every 4 KiB boundary (small kernel, and every single sector at its end)" {
	broken 1
	run "$PVK_TOOLS/cutloop" "$PVKPREP" "$ROOT" 1 4096
	assert_status 0
	assert_contains "$output" "91 cuts, 0 not refused"
	broken 1
	truncate -s -64 "$ROOT/boot/vmlinuz-1" # the signature may go: loaders never look at it
	truncate -s 371500 "$ROOT/boot/vmlinuz-1"
	run "$PVK_TOOLS/cutloop" "$PVKPREP" "$ROOT" 1 512
	assert_status 0
}

# Every 4 KiB where it is delicate, the end (decompressor, end of the payload); 64 KiB before that.
@test "Debian 12's cloud kernel, cut" {
	add_kernel 1 "$PVK_KERNELS/lz4"
	run "$PVK_TOOLS/cutloop" "$PVKPREP" "$ROOT" 1 4096 64
	assert_status 0
	assert_contains "$output" "64 cuts, 0 not refused"
	run "$PVK_TOOLS/cutloop" "$PVKPREP" "$ROOT" 1 65536
	assert_status 0
	[[ $output =~ ([0-9]+)\ cuts,\ 0\ not\ refused && ${BASH_REMATCH[1]} -gt 150 ]]
}

@test "a payload range past the end of the file, in every way" {
	local field
	for field in payload_length=+1000000 payload_length=0xffffffff payload_offset=+1000000 \
		payload_offset=0xffffffff payload_offset=0x7fffffff setup_sects=255; do
		broken 1 $field
		[ $field = setup_sects=255 ] || assert_refused 1 "past the end"
		[ $field != setup_sects=255 ] || assert_refused 1 .
	done
}

@test "a payload that is too short, a protocol that is too old, a magic that is none" {
	broken 1 payload_length=5
	assert_refused 1 "too short"
	broken 2 protocol=0x0207
	assert_refused 2 "protocol 2.07"
	broken 3 payload_offset=+1
	assert_refused 3 .
	broken 4 boot_flag=0
	assert_refused 4 "not a kernel"
	broken 5 setup_sects=0
	assert_refused 5 .
}

@test "a size word that is one too small or one too large, for every payload that has one" {
	local kind delta
	for kind in bzip2 lzma xz lzo lz4 zstd; do
		mini_with $kind "$ROOT/image"
		for delta in +1 -1; do
			add_kernel "$kind" "$ROOT/image"
			"$REPACK" set "$ROOT/boot/vmlinuz-$kind" size_word=$delta
			assert_refused "$kind" "declares|states|more than"
		done
	done
}

@test "a size word of 4 GiB, of 0, and one over the memory the kernel asks for" {
	broken 1 size_word=0xffffffff
	assert_refused 1 .
	broken 2 size_word=0
	assert_refused 2 .
	broken 3 size_word=0x3fffffff
	assert_refused 3 .
}

@test "no size word at all" {
	lz4 -q -l -9 -c "$PVK_MINI/vmlinux" >"$ROOT/stream"
	"$REPACK" replace "$MINI" "$ROOT/stream" "$ROOT/boot/vmlinuz-1"
	assert_refused 1 .
}

@test "one wrong byte in the last block, the first block, or the middle, for every payload with a check" {
	local kind where
	for kind in bzip2 xz lzo zstd; do
		mini_with $kind "$ROOT/image"
		for where in payload-100 payload+100 payload+100000; do
			add_kernel "$kind" "$ROOT/image"
			"$REPACK" flip "$ROOT/boot/vmlinuz-$kind" $where
			assert_refused "$kind" .
		done
	done
	# LZ4's legacy frame and LZMA have no checksum of their own: dpkg's list is theirs.
	for kind in lz4 lzma; do
		mini_with $kind "$ROOT/image"
		for where in payload-100 payload+100 payload+100000; do
			add_kernel "$kind" "$ROOT/image" as-packaged
			"$REPACK" flip "$ROOT/boot/vmlinuz-$kind" $where
			assert_refused "$kind" .
		done
	done
}

@test "a payload that goes on: a second frame, and bytes behind the end" {
	local kind
	for kind in xz zstd bzip2; do
		"$kind" -q -c "$PVK_MINI/vmlinux" >"$ROOT/stream"
		cat "$ROOT/stream" "$ROOT/stream" >"$ROOT/two"
		"$REPACK" replace "$MINI" "$ROOT/two" "$ROOT/boot/vmlinuz-$kind-two" "$(size_of "$PVK_MINI/vmlinux")"
		assert_refused "$kind-two" .
		(cat "$ROOT/stream" && printf 'junk') >"$ROOT/junk"
		"$REPACK" replace "$MINI" "$ROOT/junk" "$ROOT/boot/vmlinuz-$kind-junk" "$(size_of "$PVK_MINI/vmlinux")"
		assert_refused "$kind-junk" .
	done
}

@test "a decompression bomb: honest about its size, or lying about it" {
	head -c 1200M /dev/zero | zstd -q -c >"$ROOT/bomb.zst"
	"$REPACK" replace "$MINI" "$ROOT/bomb.zst" "$ROOT/boot/vmlinuz-honest" $((1200 << 20))
	assert_refused honest .
	"$REPACK" replace "$MINI" "$ROOT/bomb.zst" "$ROOT/boot/vmlinuz-lying" "$(size_of "$PVK_MINI/vmlinux")"
	assert_refused lying "more than"
	head -c 1200M /dev/zero | gzip -c >"$ROOT/bomb.gz"
	cp "$ROOT/bomb.gz" "$ROOT/boot/vmlinuz-file"
	run --separate-stderr "$PVKPREP" --inspect "$ROOT/boot/vmlinuz-file"
	assert_contains "$output$stderr" "limit"
	head -c 300M /dev/zero | lz4 -q -l -c >"$ROOT/bomb.lz4"
	"$REPACK" replace "$MINI" "$ROOT/bomb.lz4" "$ROOT/boot/vmlinuz-lz4" "$(size_of "$PVK_MINI/vmlinux")"
	assert_refused lz4 .
}

# elf_with OFFSET BYTES OUT: a bzImage whose ELF has other bytes there.
elf_with() {
	cp "$PVK_MINI/vmlinux" "$ROOT/elf"
	# shellcheck disable=SC2059 # escapes are meant
	printf "$2" | dd of="$ROOT/elf" bs=1 seek="$1" conv=notrunc status=none
	lz4 -q -l -9 -f "$ROOT/elf" "$ROOT/elf.lz4"
	"$REPACK" replace "$MINI" "$ROOT/elf.lz4" "$3" "$(size_of "$ROOT/elf")"
}

@test "a payload that is no ELF, or an ELF of another machine, class or byte order" {
	elf_with 18 '\267\000' "$ROOT/boot/vmlinuz-arm64"
	assert_refused arm64 .
	elf_with 4 '\001' "$ROOT/boot/vmlinuz-class32"
	assert_refused class32 .
	elf_with 5 '\002' "$ROOT/boot/vmlinuz-bigendian"
	assert_refused bigendian .
	elf_with 0 'Xelf' "$ROOT/boot/vmlinuz-noelf"
	assert_refused noelf "ELF"
}

@test "an ELF that no PV loader can start: no ENTRY note, wrong XEN_VERSION, no Xen notes, PVH only" {
	local offset
	# Xen notes: 4 4 1 (ENTRY) becomes 4 4 0x63, a type that nobody knows.
	offset=$(grep -obUaP '\x04\0\0\0\x08\0\0\0\x01\0\0\0Xen' "$PVK_MINI/vmlinux" | cut -d : -f 1)
	elf_with $((offset + 8)) '\143' "$ROOT/boot/vmlinuz-noentry"
	grub-file --is-x86_64-xen-domu "$ROOT/elf" # the control: grub-file takes it all the same
	assert_refused noentry "ENTRY"
	offset=$(grep -obUa 'xen-3.0' "$PVK_MINI/vmlinux" | cut -d : -f 1)
	elf_with "$offset" 'xen-9.9' "$ROOT/boot/vmlinuz-version"
	grub-file --is-x86_64-xen-domu "$ROOT/elf"
	assert_refused version "xen-9.9|XEN_VERSION|v3.0"
	sed 's/Xen\x00/Yen\x00/g' "$PVK_MINI/vmlinux" >"$ROOT/elf"
	lz4 -q -l -9 -f "$ROOT/elf" "$ROOT/elf.lz4"
	"$REPACK" replace "$MINI" "$ROOT/elf.lz4" "$ROOT/boot/vmlinuz-nonotes" "$(size_of "$ROOT/elf")"
	assert_refused nonotes "[Xx]en"
}

@test "an image whose MD5 differs from dpkg's list; --force takes it" {
	add_kernel 1 "$MINI" as-packaged
	mini_with zstd "$ROOT/other"
	cat "$ROOT/other" >"$ROOT/boot/vmlinuz-1"
	assert_refused 1 "MD5|md5|dpkg"
	run_pvk --prepare --force 1
	assert_status 0
	assert_prepared 1 "$PVK_MINI/vmlinux"
}

@test "names that are no kernel names" {
	local name
	add_kernel 1 "$MINI"
	for name in "" .. ../../etc/passwd /etc/passwd /boot /boot/ "/boot/vmlinuz-1/" $'1\n2' $'\e[31m'; do
		run_pvk --prepare "$name"
		[ "$status" -eq 1 ] || [ "$status" -eq 2 ]
		assert_lines "$stderr" 1
		assert_lacks "$stderr" $'\e'
	done
	assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
}
