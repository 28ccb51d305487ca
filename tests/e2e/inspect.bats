#!/usr/bin/env bats
# --inspect: what it says of every kind of file, as text (expected/*.txt) and as JSON (the schema).

load lib.bash

setup() {
	need jq /usr/bin/python3
	common_setup
	cd "$ROOT" || return 1
}

# golden NAME FILE…: the report, with the numbers that a new assembler may change left out.
golden() {
	local expected=$PVK_SOURCE/tests/e2e/expected/$1.txt
	shift
	NO_COLOR=1 run --separate-stderr "$PVKPREP" --inspect "$@"
	printf '%s\n--- stderr\n%s\n--- exit status %s\n' "$output" "$stderr" "$status" |
		sed -E 's/\b[0-9]{5,}\b/N/g; s/\b[0-9]+(\.[0-9]+)? ([kMG]i?B|bytes)/N \2/g' >"$ROOT/report"
	if [ -n "${UPDATE_GOLDEN:-}" ]; then
		cp "$ROOT/report" "$expected"
	fi
	diff -u "$expected" "$ROOT/report"
}

inspect_json() {
	run --separate-stderr "$PVKPREP" --inspect --json "$@"
	printf '%s' "$output" >"$ROOT/json"
}

validate() {
	/usr/bin/python3 - "$PVK_SOURCE/schema/inspect.json" "$ROOT/json" <<-'PYTHON'
		import json, sys
		import jsonschema
		schema, data = (json.load(open(name)) for name in sys.argv[1:])
		jsonschema.Draft7Validator.check_schema(schema)
		jsonschema.validate(data, schema)
	PYTHON
}

field() { jq -r ".[0].$1" "$ROOT/json"; }

@test "text: a bzImage with LZ4" { cp "$MINI" a && golden bzimage-lz4 a; }
@test "text: a bzImage with zstd" { mini_with zstd a && golden bzimage-zstd a; }
@test "text: a bzImage with XZ" { mini_with xz a && golden bzimage-xz a; }
@test "text: a bzImage with gzip" { mini_with gzip a && golden bzimage-gzip a; }
@test "text: a bare ELF" { cp "$PVK_MINI/vmlinux" a && golden elf a; }
@test "text: a hybrid" {
	gzip -n -9 <"$PVK_MINI/vmlinux" >gz
	"$REPACK" hybrid "$MINI" gz a
	golden hybrid a
}
@test "text: a UKI" { "$REPACK" uki "$MINI" a && golden uki a; }
@test "text: an EFI zboot image" { "$REPACK" zboot zstd a && golden zboot a; }
@test "text: a whole file compressed with zstd" { zstd -q -o a "$PVK_MINI/vmlinux" && golden zstd-file a; }
@test "text: something else" { echo "no kernel at all" >a && golden text a; }
@test "text: a cut bzImage" { head -c 100000 "$MINI" >a && golden bzimage-cut a; }
@test "text: two files, one good, one not" {
	cp "$MINI" a
	: >b
	golden two a b
}

real_inspect() {
	local kind=$1 version
	version=$(version_of "$kind")
	inspect_json "$PVK_KERNELS/$kind"
	assert_status 0
	validate
	independent_vmlinux "$kind" "$PVK_KERNELS/$kind" "$ROOT/vmlinux"
	assert_equal "$(field container)" bzimage
	assert_equal "$(field payload)" "$kind"
	assert_equal "$(field file_size)" "$(stat -Lc %s "$PVK_KERNELS/$kind")"
	assert_equal "$(field image_size)" "$(size_of "$ROOT/vmlinux")"
	assert_contains "$(field kernel_version)" "$version"
	assert_equal "$(field xen.pv)" true
	assert_equal "$(field loadable)" "$2"
	inspect_json "$ROOT/vmlinux"
	assert_status 0
	validate
	assert_equal "$(field container)" elf
	assert_equal "$(field loadable)" true
	assert_equal "$(field xen.pv)" true
}

@test "JSON of Debian 12's cloud kernel, before and after" { real_inspect lz4 false; }
@test "JSON of Debian 12's generic kernel, before and after" { real_inspect xz true; }
@test "JSON of Debian 13's cloud kernel, before and after" { real_inspect zstd false; }

@test "JSON of every kind of file obeys the schema" {
	local kind
	for kind in gzip bzip2 lzma xz lzo lz4 zstd raw; do mini_with $kind "bz-$kind"; done
	"$REPACK" uki "$MINI" uki
	"$REPACK" zboot gzip zboot
	gzip -n <"$PVK_MINI/vmlinux" >gz
	"$REPACK" hybrid "$MINI" gz hybrid
	xz -k -c "$PVK_MINI/vmlinux" >file.xz
	head -c 1000 "$PVK_MINI/vmlinux" >cut-elf
	inspect_json bz-* uki zboot hybrid file.xz cut-elf "$PVK_MINI/vmlinux"
	validate
	assert_equal "$(jq -r '[.[].path] | join(" ")' json)" \
		"bz-bzip2 bz-gzip bz-lz4 bz-lzma bz-lzo bz-raw bz-xz bz-zstd uki zboot hybrid file.xz cut-elf $PVK_MINI/vmlinux"
	assert_equal "$(jq -r '[.[:8][].payload] | join(" ")' json)" "bzip2 gzip lz4 lzma lzo none xz zstd"
	assert_equal "$(jq -r '[.[].container] | .[8:] | join(" ")' json)" "uki zboot hybrid xz elf elf"
}

@test "a file that is no kernel: the others are still told, the answer is 1" {
	cp "$MINI" a
	: >empty
	inspect_json empty absent a
	assert_status 1
	assert_lines "$stderr" 2
	validate
	assert_equal "$(jq -r '.[-1].path' json)" a
}

@test "the schema is not satisfied by just anything" {
	cp "$MINI" a
	inspect_json a
	jq '.[0].loadable = "perhaps"' json >changed && mv changed json
	run validate
	[ "$status" -ne 0 ]
	inspect_json a
	jq 'del(.[0].container)' json >changed && mv changed json
	run validate
	[ "$status" -ne 0 ]
}

@test "the verdict on each payload is the one that grub-file has" {
	local kind
	for kind in gzip bzip2 lzma xz lzo lz4 zstd raw; do
		mini_with $kind a
		inspect_json a
		local said=false
		grub-file --is-x86_64-xen-domu a && said=true
		assert_equal "$kind $(jq '.[0].loaders[] | select(.family == "pvgrub") | .outcome == "starts"' json)" "$kind $said"
	done
}

# Where grub-file says yes to what no PV loader can start (facts of the loaders, and peers' bug H3).
@test "an ELF that is cut is not loadable, although grub-file takes it" {
	head -c 300000 "$PVK_MINI/vmlinux" >a
	inspect_json a
	assert_equal "$(field loadable)" false
}

@test "--inspect reads through a symbolic link, and nothing is written" {
	local before
	cp "$MINI" a
	ln -s a link
	before=$(full_listing)
	run --separate-stderr "$PVKPREP" --inspect link a
	assert_status 0
	assert_equal "$(full_listing)" "$before"
}

@test "control bytes in a kernel's version string and in file names never reach the terminal" {
	mini_with lz4 $'ev\e]0;il\a'
	printf 'evil\033[31m' | dd of=$'ev\e]0;il\a' bs=1 seek=$((0x300)) conv=notrunc status=none
	run --separate-stderr "$PVKPREP" --inspect $'ev\e]0;il\a'
	assert_lacks "$output$stderr" $'\e'
	assert_contains "$output" evil
	run --separate-stderr "$PVKPREP" --inspect --json $'ev\e]0;il\a'
	assert_lacks "$output$stderr" $'\e'
	jq -e . <<<"$output" >/dev/null
}

@test "colours: only on a terminal, never with NO_COLOR, always with --color=always" {
	need script
	cp "$MINI" a
	run "$PVKPREP" --inspect a
	assert_lacks "$output" $'\e['
	run "$PVKPREP" --inspect --color=always a
	assert_contains "$output" $'\e['
	run script -qec "'$PVKPREP' --inspect a" /dev/null
	assert_contains "$output" $'\e['
	NO_COLOR=1 run script -qec "'$PVKPREP' --inspect a" /dev/null
	assert_lacks "$output" $'\e['
	run script -qec "'$PVKPREP' --inspect --color=never a" /dev/null
	assert_lacks "$output" $'\e['
}

@test "a UKI and a zboot image are named for what they are when they are to be prepared" {
	"$REPACK" uki "$MINI" "$ROOT/boot/vmlinuz-uki"
	assert_refused uki UKI
	"$REPACK" zboot zstd "$ROOT/boot/vmlinuz-zboot"
	assert_refused zboot zboot
}
