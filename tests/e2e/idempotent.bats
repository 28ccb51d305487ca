#!/usr/bin/env bats
# A second run writes nothing, touches no time stamp, starts no worker (promise P7).

load lib.bash

setup() {
	need strace
	common_setup
}

@test "a second run leaves every file as it was, to the nanosecond" {
	local before
	add_kernel 1-lz4 "$MINI" as-packaged
	add_kernel 1-elf "$PVK_MINI/vmlinux"
	mini_with gzip "$ROOT/gz"
	add_kernel 1-gzip "$ROOT/gz"
	run_pvk --prepare
	assert_status 0
	before=$(full_listing)
	sleep 0.02 # a clock tick, so that a touched time would differ
	run_pvk --prepare
	assert_status 0
	assert_equal "$stderr" ""
	assert_equal "$(full_listing)" "$before"
}

@test "a run that clears up behind a killed one knows the menus as it leaves them" {
	local before
	add_kernel 1 "$MINI"
	mkdir -p "$ROOT/boot/grub"
	printf 'timeout 3\ntitle 1\nroot (hd0)\nkernel /boot/vmlinuz-1 root=/dev/xvda1 ro\n' >"$ROOT/boot/grub/menu.lst"
	pvk --prepare
	: >"$ROOT/boot/grub/.pvkprep.0123456789abcdef"
	pvk --prepare
	[ ! -e "$ROOT/boot/grub/.pvkprep.0123456789abcdef" ]
	before=$(full_listing)
	sleep 0.02
	pvk --prepare
	assert_equal "$(full_listing)" "$before"
}

@test "a second run makes no system call that writes, and forks nothing" {
	add_kernel 2 "$MINI" as-packaged
	run_pvk --prepare
	assert_status 0
	strace -f -o "$ROOT/trace" "$PVKPREP" --root "$ROOT" --prepare
	# The control: the pattern finds what a first run does.
	local writing='O_WRONLY|O_RDWR|O_CREAT|^[0-9]+ +(rename|link|symlink|unlink|mkdir|rmdir|chmod|fchmod|chown|fchown|lchown|utime|futimes|truncate|ftruncate|fallocate|fsync|fdatasync|sync|syncfs|setxattr|fsetxattr|clone|fork|vfork)[a-z0-9]*\('
	# (/dev/null makes sure that descriptors 0 to 2 are open.)
	run bash -c 'grep -E "$1" "$2" | grep -v /dev/null' - "$writing" "$ROOT/trace"
	assert_equal "$output" ""
	# What is written goes to the terminal.
	run grep -E '^[0-9]+ +p?writev?(64|v2)?\(([03-9]|1[0-9])' "$ROOT/trace"
	assert_equal "$output" ""
	rm -r "$ROOT/boot/pvkprep" && cp "$MINI" "$ROOT/boot/vmlinuz-2"
	strace -f -o "$ROOT/trace" "$PVKPREP" --root "$ROOT" --prepare
	[ "$(grep -cE "$writing" "$ROOT/trace")" -gt 5 ]
}

lost_record() { # lost_record [as-packaged]
	local inode
	add_kernel 3 "$MINI" "$@"
	run_pvk --prepare
	inode=$(stat -c '%i %Y' "$ROOT/boot/vmlinuz-3")
	rm "$ROOT/boot/pvkprep/3.json"
	run_pvk --prepare
	assert_status 0
	assert_equal "$(stat -c '%i %Y' "$ROOT/boot/vmlinuz-3")" "$inode"
	assert_prepared 3 "$PVK_MINI/vmlinux"
	assert_same_file "$ROOT/boot/pvkprep/packaged-3" "$MINI"
	run_pvk --restore 3 # nor is it forgotten where it came from
	assert_status 0
	assert_same_file "$ROOT/boot/vmlinuz-3" "$MINI"
}

@test "without its record a prepared kernel is recognised, and not prepared again" { lost_record as-packaged; }
@test "the same for a kernel that dpkg knows nothing of" { lost_record; }

@test "a record that is damaged, empty or of a newer schema does no harm" {
	local text
	add_kernel 4 "$MINI" as-packaged
	run_pvk --prepare
	assert_status 0
	for text in '' '{' '[]' '{"schema":99}' '{"schema":1,"state":"prepared"}' "$(head -c 20000 /dev/zero | tr '\0' x)"; do
		printf '%s' "$text" >"$ROOT/boot/pvkprep/4.json"
		run_pvk --prepare
		assert_status 0
		assert_prepared 4 "$PVK_MINI/vmlinux"
		assert_same_file "$ROOT/boot/pvkprep/packaged-4" "$MINI"
	done
}

@test "ten prepared kernels: a few milliseconds" {
	local i before after
	for i in 0 1 2 3 4 5 6 7 8 9; do add_kernel "5-$i" "$MINI" as-packaged; done
	run_pvk --prepare
	assert_status 0
	before=$(date +%s%N)
	for i in 1 2 3 4 5; do pvk --prepare >/dev/null; done
	after=$(date +%s%N)
	# Generous, since the machine may be busy: five runs of 10 ms, ten times over.
	[ $(((after - before) / 1000000)) -lt 500 ]
}
