#!/usr/bin/env bats
# --restore and --list.

load lib.bash

@test "--restore brings the packaged image back, byte for byte, with its inode" {
	local inode
	add_kernel 1 "$MINI" as-packaged
	inode=$(stat -c '%i %Y %a %u' "$ROOT/boot/vmlinuz-1")
	run_pvk --prepare
	assert_status 0
	assert_prepared 1 "$PVK_MINI/vmlinux"
	run_pvk --restore
	assert_status 0
	assert_equal "$stderr" ""
	assert_lines "$output" 1
	assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
	assert_equal "$(stat -c '%i %Y %a %u' "$ROOT/boot/vmlinuz-1")" "$inode"
	assert_no_temp_files
	(cd "$ROOT" && md5sum --quiet -c var/lib/dpkg/info/linux-image-1.md5sums)
}

@test "prepare, restore, prepare, restore: the same each time" {
	add_kernel 2 "$MINI" as-packaged
	for _ in 1 2 3; do
		run_pvk --prepare 2
		assert_status 0
		assert_prepared 2 "$PVK_MINI/vmlinux"
		run_pvk --restore 2
		assert_status 0
		assert_same_file "$ROOT/boot/vmlinuz-2" "$MINI"
	done
}

@test "--restore of a kernel that was never prepared changes nothing" {
	local before
	add_kernel 3 "$MINI"
	before=$(full_listing)
	run_pvk --restore
	assert_status 0
	assert_equal "$(full_listing)" "$before"
}

@test "--restore of one kernel leaves the others prepared" {
	add_kernel 4a "$MINI"
	add_kernel 4b "$MINI"
	run_pvk --prepare
	run_pvk --restore 4a
	assert_status 0
	assert_same_file "$ROOT/boot/vmlinuz-4a" "$MINI"
	assert_prepared 4b "$PVK_MINI/vmlinux"
}

@test "--restore of a kernel whose original is gone fails and touches nothing" {
	add_kernel 5 "$MINI" as-packaged
	run_pvk --prepare
	rm "$ROOT/boot/pvkprep/packaged-5"
	run_pvk --restore 5
	assert_status 1
	assert_lines "$stderr" 1
	assert_contains "$stderr" "$(shown 5): "
	assert_prepared 5 "$PVK_MINI/vmlinux"
}

@test "--restore does not put back an original that was damaged meanwhile" {
	add_kernel 6 "$MINI" as-packaged
	run_pvk --prepare
	"$REPACK" flip "$ROOT/boot/pvkprep/packaged-6" payload+1000
	run_pvk --restore 6
	assert_status 1
	assert_lines "$stderr" 1
	assert_prepared 6 "$PVK_MINI/vmlinux"
}

@test "--restore --dry-run changes nothing" {
	local before
	add_kernel 7 "$MINI"
	run_pvk --prepare
	before=$(full_listing)
	run_pvk --restore --dry-run
	assert_status 0
	assert_contains "$output" 7
	assert_equal "$(full_listing)" "$before"
}

@test "--list: a line for each kernel with its version, newest first; nothing is changed" {
	local before
	add_kernel 6.1.0-9 "$MINI"
	add_kernel 6.1.0-10 "$MINI"
	add_kernel 5.10 "$PVK_MINI/vmlinux"
	run_pvk --prepare 6.1.0-9
	before=$(full_listing)
	run_pvk --list
	assert_status 0
	assert_equal "$stderr" ""
	assert_lines "$output" 3
	assert_contains "${lines[0]}" 6.1.0-10
	assert_contains "${lines[1]}" 6.1.0-9
	assert_contains "${lines[2]}" 5.10
	# Prepared and unprepared do not look the same.
	[ "${lines[0]#*6.1.0-10}" != "${lines[1]#*6.1.0-9}" ]
	assert_equal "$(full_listing)" "$before"
}

@test "--list --json: the same kernels, as JSON" {
	add_kernel 8-a "$MINI"
	add_kernel 8-b "$PVK_MINI/vmlinux"
	run_pvk --list --json
	assert_status 0
	assert_equal "$(jq -r '[.kernels[].version] | join(" ")' <<<"$output")" "8-b 8-a"
}

@test "--list shows a kernel that cannot be read, and a name with control bytes quoted" {
	cp "$MINI" "$ROOT/boot/vmlinuz-9"$'\e[31m'
	echo "not a kernel" >"$ROOT/boot/vmlinuz-9-text"
	run_pvk --list
	assert_contains "$output" 9-text
	assert_lacks "$output$stderr" $'\e'
}
