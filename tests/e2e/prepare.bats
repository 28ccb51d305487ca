#!/usr/bin/env bats
# --prepare on good kernels: what comes out is what went in, decompressed, and nothing else.

load lib.bash

setup() {
	need grub-file gzip bzip2 lzma xz lzop lz4 zstd getfattr setfattr getfacl setfacl
	common_setup
}

# Debian's own kernels, decompressed by the tool of their payload.
prepare_real() {
	local kind=$1 version
	version=$(version_of "$kind")
	add_kernel "$version" "$PVK_KERNELS/$kind"
	cp "$PVK_KERNELS/$kind.md5sums" "$ROOT/var/lib/dpkg/info/linux-image-$version.md5sums"
	independent_vmlinux "$kind" "$PVK_KERNELS/$kind" "$ROOT/vmlinux"
	grub-file --is-x86_64-xen-domu "$ROOT/boot/vmlinuz-$version" && local loadable=1
	[ "$kind" = xz ] || [ -z "${loadable:-}" ] # the control: GRUB cannot read the packaged image
	run_pvk --prepare
	assert_status 0
	assert_equal "$stderr" ""
	assert_lines "$output" 1
	assert_contains "$output" "$version"
	assert_prepared "$version" "$ROOT/vmlinux"
	assert_same_file "$ROOT/boot/pvkprep/packaged-$version" "$PVK_KERNELS/$kind"
}

@test "Debian 12's cloud kernel (LZ4) becomes exactly what lz4 makes of it" { prepare_real lz4; }
@test "Debian 12's generic kernel (XZ) becomes exactly what xz makes of it" { prepare_real xz; }
@test "Debian 13's cloud kernel (zstd) becomes exactly what zstd makes of it" { prepare_real zstd; }

# The same kernel in every way a kernel build compresses. gzip is what loaders read already: it is
# left alone, and so is a plain payload (boot-protocol.rst allows one; GRUB reads it).
repacked() {
	local kind=$1 word=-
	case $kind in gzip | raw) ;; *) word=$(size_of "$PVK_PAYLOADS/vmlinux") ;; esac
	local stream=$PVK_PAYLOADS/vmlinux.$kind
	[ "$kind" = raw ] && stream=$PVK_PAYLOADS/vmlinux
	"$REPACK" replace "$PVK_KERNELS/lz4" "$stream" "$ROOT/boot/vmlinuz-1-$kind" "$word"
	chmod 644 "$ROOT/boot/vmlinuz-1-$kind"
	cp "$ROOT/boot/vmlinuz-1-$kind" "$ROOT/original"
	run_pvk --prepare
	assert_status 0
	assert_equal "$stderr" ""
}

converted() {
	repacked "$1"
	independent_vmlinux "$1" "$ROOT/original" "$ROOT/vmlinux"
	assert_same_file "$ROOT/vmlinux" "$PVK_PAYLOADS/vmlinux"
	assert_prepared "1-$1" "$ROOT/vmlinux"
	assert_same_file "$ROOT/boot/pvkprep/packaged-1-$1" "$ROOT/original"
}

left_alone() {
	repacked "$1"
	assert_same_file "$ROOT/boot/vmlinuz-1-$1" "$ROOT/original"
	[ ! -e "$ROOT/boot/pvkprep/packaged-1-$1" ]
}

@test "a bzip2 payload" { converted bzip2; }
@test "an lzma payload" { converted lzma; }
@test "an xz payload, dictionary of 32 MiB" { converted xz-32m; }
@test "an xz payload, dictionary of 128 MiB" { converted xz-128m; }
@test "an lzo payload" { converted lzo; }
@test "an lz4 payload" { converted lz4; }
@test "a zstd payload, level 19" { converted zstd-19; }
@test "a zstd payload, level 22 with its window of 128 MiB" { converted zstd-22; }
@test "a gzip payload is left as it is" { left_alone gzip; }

# GRUB reads a plain payload, Xen's own builder does not (boot-rules 2.1): the ELF serves both.
@test "a bzImage with a plain payload ends up as something every loader reads" {
	repacked raw
	grub-file --is-x86_64-xen-domu "$ROOT/boot/vmlinuz-1-raw"
	run_pvk --inspect --json /boot/vmlinuz-1-raw
	assert_equal "$(jq -r '.[0].payload' <<<"$output")" none
}

@test "whole-file compressed kernels of every kind become the ELF" {
	local kind
	for kind in bzip2 lzma xz-32m lzo lz4 zstd-19; do
		add_kernel "2-$kind" "$PVK_PAYLOADS/vmlinux.$kind"
		run_pvk --prepare "2-$kind"
		assert_status 0
		assert_prepared "2-$kind" "$PVK_PAYLOADS/vmlinux"
		rm -rf "${ROOT:?}/boot"/*
	done
}

@test "a bare ELF is left as it is" {
	add_kernel 3 "$PVK_MINI/vmlinux"
	run_pvk --prepare
	assert_status 0
	assert_same_file "$ROOT/boot/vmlinuz-3" "$PVK_MINI/vmlinux"
	[ ! -e "$ROOT/boot/pvkprep/packaged-3" ]
}

@test "a hybrid is left as it is" {
	gzip -n -9 <"$PVK_MINI/vmlinux" >"$ROOT/gz"
	"$REPACK" hybrid "$MINI" "$ROOT/gz" "$ROOT/hybrid"
	add_kernel 4 "$ROOT/hybrid"
	run_pvk --prepare
	assert_status 0
	assert_same_file "$ROOT/boot/vmlinuz-4" "$ROOT/hybrid"
	[ ! -e "$ROOT/boot/pvkprep/packaged-4" ]
}

@test "the original is kept as a hard link of itself, not as a copy" {
	local inode
	add_kernel 5 "$MINI"
	inode=$(stat -c %i "$ROOT/boot/vmlinuz-5")
	run_pvk --prepare
	assert_status 0
	assert_equal "$(stat -c %i "$ROOT/boot/pvkprep/packaged-5")" "$inode"
	[ "$(stat -c %i "$ROOT/boot/vmlinuz-5")" != "$inode" ]
}

@test "the record tells source and result" {
	add_kernel 6 "$MINI" as-packaged
	run_pvk --prepare
	assert_status 0
	local record=$ROOT/boot/pvkprep/6.json
	assert_equal "$(jq -r '.state' "$record")" prepared
	assert_equal "$(jq -r '.source.payload' "$record")" lz4
	assert_equal "$(jq -r '.source.size' "$record")" "$(size_of "$MINI")"
	assert_equal "$(jq -r '.source.md5' "$record")" "$(md5sum <"$MINI" | cut -d ' ' -f 1)"
	assert_equal "$(jq -r '.result.size' "$record")" "$(size_of "$PVK_MINI/vmlinux")"
}

@test "owner, group, mode, user attributes and ACL of the original are kept" {
	local image=$ROOT/boot/vmlinuz-7
	add_kernel 7 "$MINI"
	chown 0:4 "$image"
	chmod 640 "$image"
	setfattr -n user.origin -v "a package" "$image"
	setfacl -m u:65534:r "$image"
	getfacl -pnc "$image" >"$ROOT/acl.before"
	run_pvk --prepare
	assert_status 0
	assert_prepared 7 "$PVK_MINI/vmlinux"
	assert_equal "$(stat -c '%u:%g %a' "$image")" "0:4 640"
	assert_equal "$(getfattr --only-values -n user.origin "$image" 2>/dev/null)" "a package"
	assert_same_file <(getfacl -pnc "$image") "$ROOT/acl.before"
}

@test "several kernels: one line of output for each, newest first" {
	add_kernel 6.1.0-9 "$MINI"
	add_kernel 6.1.0-10 "$MINI"
	add_kernel 5.10.0-32 "$PVK_MINI/vmlinux"
	run_pvk --prepare
	assert_status 0
	assert_lines "$output" 3
	assert_contains "${lines[0]}" 6.1.0-10
	assert_contains "${lines[1]}" 6.1.0-9
	assert_contains "${lines[2]}" 5.10.0-32
}

@test "only the kernel that is named is touched; a name is a version or a path" {
	add_kernel 8a "$MINI"
	add_kernel 8b "$MINI"
	add_kernel 8c "$MINI"
	run_pvk --prepare 8a /boot/vmlinuz-8b
	assert_status 0
	assert_prepared 8a "$PVK_MINI/vmlinux"
	assert_prepared 8b "$PVK_MINI/vmlinux"
	assert_same_file "$ROOT/boot/vmlinuz-8c" "$MINI"
}

@test "one bad kernel does not keep the others from being prepared" {
	add_kernel 9-bad "$MINI"
	truncate -s 100000 "$ROOT/boot/vmlinuz-9-bad"
	add_kernel 9-good "$MINI"
	run_pvk --prepare
	assert_status 1
	assert_lines "$stderr" 1
	assert_contains "$stderr" "$(shown 9-bad)"
	assert_prepared 9-good "$PVK_MINI/vmlinux"
}

@test "files that no menu lists are no kernels" {
	local name
	for name in vmlinuz-1.dpkg-bak vmlinuz-1.dpkg-new vmlinuz-1.rpmsave vmlinuz-1.sig vmlinux-1 config-1 initrd.img-1; do
		cp "$MINI" "$ROOT/boot/$name"
	done
	local before
	before=$(full_listing)
	run_pvk --prepare
	assert_status 0
	assert_equal "$(full_listing)" "$before"
}

@test "an empty /boot is nothing to do, no /boot is an error" {
	run_pvk --prepare
	assert_status 0
	rmdir "$ROOT/boot"
	run_pvk --prepare
	assert_status 1
	assert_lines "$stderr" 1
}

@test "a kernel that is not there is an error that names it" {
	run_pvk --prepare 99-none
	assert_status 1
	assert_contains "$stderr" "99-none"
}

@test "--dry-run says what would be done and changes nothing" {
	local before
	add_kernel 10 "$MINI"
	before=$(full_listing)
	run_pvk --prepare --dry-run
	assert_status 0
	assert_contains "$output" 10
	assert_equal "$(full_listing)" "$before"
	run_pvk --prepare -n
	assert_equal "$(full_listing)" "$before"
}

@test "--quiet tells only what was changed, and what failed" {
	add_kernel 11 "$MINI"
	add_kernel 11-elf "$PVK_MINI/vmlinux"
	run_pvk --prepare --quiet
	assert_status 0
	assert_lines "$output" 1
	assert_prepared 11 "$PVK_MINI/vmlinux"
	run_pvk --prepare --quiet
	assert_status 0
	assert_equal "$output$stderr" ""
	: >"$ROOT/boot/vmlinuz-11-bad"
	run_pvk --prepare --quiet
	assert_status 1
	assert_lines "$stderr" 1
}

@test "--prepare --json is one JSON document" {
	add_kernel 12 "$MINI"
	run_pvk --prepare --json
	assert_status 0
	jq -e . <<<"$output" >/dev/null
	assert_contains "$(jq -c . <<<"$output")" '"12"'
}

@test "a kernel of the same version that a package brought anew is prepared anew" {
	printf '[kernel]\noriginals = stash\n' >"$ROOT/etc/pvkprep.conf" # with a diversion it lands elsewhere
	add_kernel 13 "$MINI" as-packaged
	run_pvk --prepare
	assert_status 0
	mini_with zstd "$ROOT/new"
	add_kernel 13.new "$ROOT/new" as-packaged
	mv "$ROOT/boot/vmlinuz-13.new" "$ROOT/boot/vmlinuz-13"
	sed 's/13\.new/13/' "$ROOT/var/lib/dpkg/info/linux-image-13.new.md5sums" >"$ROOT/var/lib/dpkg/info/linux-image-13.md5sums"
	rm "$ROOT/var/lib/dpkg/info/linux-image-13.new.md5sums"
	run_pvk --prepare
	assert_status 0
	assert_prepared 13 "$PVK_MINI/vmlinux"
	assert_same_file "$ROOT/boot/pvkprep/packaged-13" "$ROOT/new"
}

@test "convert = lz4 leaves an XZ kernel alone" {
	printf '[kernel]\nconvert = lz4\n' >"$ROOT/etc/pvkprep.conf"
	mini_with xz "$ROOT/xz"
	add_kernel 14-xz "$ROOT/xz"
	add_kernel 14-lz4 "$MINI"
	run_pvk --prepare
	assert_status 0
	assert_same_file "$ROOT/boot/vmlinuz-14-xz" "$ROOT/xz"
	assert_prepared 14-lz4 "$PVK_MINI/vmlinux"
}

@test "originals = none keeps no copy" {
	printf '[kernel]\noriginals = none\n' >"$ROOT/etc/pvkprep.conf"
	add_kernel 15 "$MINI"
	run_pvk --prepare
	assert_status 0
	assert_prepared 15 "$PVK_MINI/vmlinux"
	[ ! -e "$ROOT/boot/pvkprep/packaged-15" ]
}

@test "works without root's rights on a tree of one's own" {
	# Beside the clone, which may lie where only root can look.
	local place
	place=$(mktemp -d /tmp/pvkprep-test.XXXXXX)
	chmod 755 "$place"
	install -m 755 "$PVKPREP" "$place/pvkprep"
	make_tree "$place/root"
	install -m 644 "$MINI" "$place/root/boot/vmlinuz-16"
	chown -R 65534:65534 "$place/root"
	run --separate-stderr setpriv --reuid 65534 --regid 65534 --clear-groups "$place/pvkprep" --root "$place/root" --prepare
	local result=0
	cmp "$place/root/boot/vmlinuz-16" "$PVK_MINI/vmlinux" || result=1
	assert_equal "$(stat -c %u:%g "$place/root/boot/vmlinuz-16")" 65534:65534 || result=1
	rm -rf "$place"
	assert_status 0
	[ $result -eq 0 ]
}

@test "nothing outside --root is touched or read, even through links" {
	add_kernel 17 "$MINI"
	mkdir "$ROOT/outside"
	mv "$ROOT/boot" "$ROOT/outside/boot"
	mkdir "$ROOT/inside"
	ln -s /outside/boot "$ROOT/inside/boot" # absolute: means inside/outside/boot, which is not there
	run --separate-stderr "$PVKPREP" --root "$ROOT/inside" --prepare
	assert_status 1
	assert_same_file "$ROOT/outside/boot/vmlinuz-17" "$MINI"
}
