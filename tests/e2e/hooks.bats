#!/usr/bin/env bats
# The scripts that packages call: whatever becomes of pvkprep, or of who reads what it says, they do
# not fail, since that would leave a kernel package half configured. And what the program does in a
# hook, as far as it needs no apt or dpkg: see tests/debian.

load lib.bash

setup() {
	need dash zstd dpkg-divert
	common_setup
	PROGRAM=$ROOT/pvkprep
	HOOKS=(kernel-preinst.d/05-pvkprep kernel-postinst.d/05-pvkprep kernel-postrm.d/05-pvkprep
		kernel-install/25-pvkprep.install)
	export RAN=$ROOT/ran
}

# A program in place of ours that notes how it was called, talks, and ends as it is told to.
make_program() { # make_program END
	printf '#!/bin/sh\necho "$DEB_MAINT_PARAMS: $*" >>"$RAN"\necho "words of pvkprep"\necho "more words" >&2\n%s\n' "$1" >"$PROGRAM"
	chmod 755 "$PROGRAM"
}

# The hook, or apt's line, as a script that calls that program.
script_of() {
	case $1 in
	apt) sed -n 's/^DPkg::Post-Invoke { "\(.*\)"; };$/\1/p' "$PVK_SOURCE/hooks/apt/05pvkprep" ;;
	*) cat "$PVK_SOURCE/hooks/$1" ;;
	esac | sed "s,/usr/sbin/pvkprep,$PROGRAM,g" >"$ROOT/hook"
	grep -q "$PROGRAM" "$ROOT/hook"
}

call() { dash "$ROOT/hook" "$@"; }

calls() { wc -l <"$RAN"; }

@test "a hook calls pvkprep once, with its phase and what it was given" {
	local hook
	make_program 'exit 0'
	for hook in preinst postinst postrm; do
		: >"$RAN"
		script_of "kernel-$hook.d/05-pvkprep"
		DEB_MAINT_PARAMS=params run call 6.1 /boot/vmlinuz-6.1
		assert_status 0
		assert_equal "$(cat "$RAN")" "params: --hook kernel-$hook 6.1 /boot/vmlinuz-6.1"
	done
	: >"$RAN"
	script_of kernel-install/25-pvkprep.install
	call add 6.1 /boot/entry /boot/vmlinuz-6.1
	call remove 6.1 /boot/entry
	call other 6.1
	assert_equal "$(cat "$RAN")" "configure: --hook kernel-postinst 6.1
remove: --hook kernel-postrm 6.1"
	: >"$RAN"
	script_of apt
	call
	assert_equal "$(cat "$RAN")" ": --hook apt"
}

@test "pvkprep is not there, fails, is killed: a hook does not fail, and the last ones say so" {
	local hook end
	for hook in "${HOOKS[@]}" apt; do
		script_of "$hook"
		rm -f "$PROGRAM"
		run call add 6.1
		assert_status 0
		assert_equal "$output" ""
		for end in 'exit 1' 'exit 2' 'kill -SEGV $$' 'kill -KILL $$'; do
			make_program "$end"
			run call add 6.1
			assert_status 0
			case $hook in
			*postinst* | apt) assert_contains "$output" "ENDED EARLY" ;;
			esac
		done
	done
}

@test "nothing of a hook's words goes to stdout, where debconf listens" {
	local hook
	make_program 'exit 1'
	for hook in "${HOOKS[@]}"; do
		script_of "$hook"
		run --separate-stderr call add 6.1
		assert_equal "$output" ""
		assert_contains "$stderr" "words of pvkprep"
	done
}

@test "closed descriptors, a full disk, a reader that has gone away, no argument: done, and no failure" {
	local hook fds
	make_program 'exit 1'
	for hook in "${HOOKS[@]}" apt; do
		script_of "$hook"
		for fds in '<&-' '>&-' '2>&-' '<&- >&- 2>&-' '>/dev/full 2>&1'; do
			: >"$RAN"
			eval "call add 6.1 $fds" >/dev/null || fail "$hook $fds"
			assert_equal "$(calls)" 1
		done
		call >/dev/null 2>&1 || fail "$hook without arguments"
	done
	for hook in "${HOOKS[@]}"; do
		script_of "$hook"
		{ sleep 0.1 && call add 6.1 2>&1 || : >"$ROOT/failed"; } | true
		[ ! -e "$ROOT/failed" ] || fail "$hook into a pipe that is closed"
	done
}

# --- the program ---

configure_kernel() { # configure_kernel VERSION
	DEB_MAINT_PARAMS=configure run_pvk --hook kernel-postinst "$1" "/boot/vmlinuz-$1"
	assert_status 0
}

@test "a configuration with a mistake keeps no kernel from being prepared, and is told" {
	add_kernel 1 "$MINI"
	printf '[kernel]\nformta = elf\n' >"$ROOT/etc/pvkprep.conf"
	configure_kernel 1
	assert_contains "$stderr" "formta"
	assert_contains "$stderr" "built-in defaults"
	assert_prepared 1 "$PVK_MINI/vmlinux"
	run_pvk --prepare
	assert_status 2
	# What is right in it holds.
	add_kernel 2 "$MINI"
	printf '[kernel]\nformta = elf\nwhen = never\n' >"$ROOT/etc/pvkprep.conf"
	configure_kernel 2
	assert_contains "$stderr" "formta"
	assert_same_file "$ROOT/boot/vmlinuz-2" "$MINI"
}

@test "a kernel that was withheld, and whose initrd never came: the back-stop goes on saying so" {
	add_kernel 1 "$PVK_MINI/vmlinux"
	echo initrd >"$ROOT/boot/initrd.img-1"
	head -c 20000 "$MINI" >"$ROOT/boot/vmlinuz-2"
	configure_kernel 2
	assert_contains "$output" "KERNEL 2 CANNOT BE STARTED"
	[ ! -e "$ROOT/boot/vmlinuz-2" ]
	for _ in 1 2; do
		run_pvk --hook apt
		assert_status 0
		assert_contains "$output" "KERNEL 2 CANNOT BE STARTED"
		assert_contains "$output" "its initrd is missing"
	done
}

@test "what is in /boot as a link or a directory is told, and stays" {
	add_kernel 1 "$PVK_MINI/vmlinux"
	cp "$MINI" "$ROOT/elsewhere"
	ln -s ../elsewhere "$ROOT/boot/vmlinuz-2"
	mkdir "$ROOT/boot/vmlinuz-3"
	configure_kernel 2
	assert_contains "$output" "THE NEXT BOOT MAY FAIL: kernel 2"
	assert_contains "$output" "symbolic link"
	run_pvk --hook apt
	assert_contains "$output" "a directory"
	[ -L "$ROOT/boot/vmlinuz-2" ] && [ -d "$ROOT/boot/vmlinuz-3" ]
}

# What an update brings: the small kernel with another payload.
make_update() {
	zstd -q -f "$PVK_MINI/vmlinux" -o "$ROOT/update.stream"
	"$REPACK" replace "$MINI" "$ROOT/update.stream" "$ROOT/update" "$(stat -c %s "$PVK_MINI/vmlinux")"
}

# divert_kernel VERSION: as a preinst of ours leaves it.
divert_kernel() {
	printf '/boot/vmlinuz-%s\n/boot/pvkprep/packaged-%s\npvkprep\n' "$1" "$1" >>"$ROOT/var/lib/dpkg/diversions"
}

@test "the newest kernel is damaged, and the older one is not prepared yet: it is what boots" {
	add_kernel 1 "$MINI"
	head -c 20000 "$MINI" >"$ROOT/boot/vmlinuz-2"
	run_pvk --hook apt
	assert_status 0
	assert_prepared 1 "$PVK_MINI/vmlinux"
	[ ! -e "$ROOT/boot/vmlinuz-2" ]
	assert_same_file "$ROOT/boot/pvkprep/packaged-2" <(head -c 20000 "$MINI")
	assert_contains "$output" "KERNEL 2 CANNOT BE STARTED"
	assert_contains "$output" "next boot  1"
}

@test "a damaged update of no package: the kept original is prepared again, and that is told until another comes" {
	local others
	make_update
	for others in '' 1; do
		rm -rf "${ROOT:?}/boot"
		mkdir "$ROOT/boot"
		[ -z "$others" ] || add_kernel 1 "$PVK_MINI/vmlinux"
		add_kernel 2 "$MINI"
		pvk --prepare
		head -c 20000 "$MINI" >"$ROOT/boot/vmlinuz-2"
		configure_kernel 2
		assert_contains "$output" "The update of kernel 2 IS NOT IN USE YET"
		assert_prepared 2 "$PVK_MINI/vmlinux"
		assert_same_file "$ROOT/boot/pvkprep/packaged-2" "$MINI"
		assert_same_file "$ROOT/boot/pvkprep/refused-2" <(head -c 20000 "$MINI")
		for _ in 1 2; do
			run_pvk --hook apt
			assert_status 0
			assert_contains "$output" "The update of kernel 2 IS NOT IN USE YET"
			assert_contains "$output" "/boot/pvkprep/refused-2"
			assert_contains "$output" "put a sound image at /boot/vmlinuz-2"
		done
		rm "$ROOT/boot/vmlinuz-2" # now a good one
		add_kernel 2 "$ROOT/update"
		configure_kernel 2
		assert_contains "$output" "ready for the next boot"
		[ ! -e "$ROOT/boot/pvkprep/refused-2" ]
		run_pvk --hook apt
		assert_equal "$output$stderr" ""
	done
}

@test "a damaged update: whatever step of refusing it fails, the kept original is there, and the next run repairs" {
	local call fault n
	need strace
	add_kernel 1 "$PVK_MINI/vmlinux"
	add_kernel 2 "$MINI"
	pvk --prepare
	head -c 20000 "$MINI" >"$ROOT/boot/vmlinuz-2"
	cp -a "$ROOT" "$ROOT.before"
	for call in fsync renameat linkat unlinkat; do
		for fault in error=EIO signal=KILL; do
			for n in 1 2 3 4 5 6; do
				rm -rf "$ROOT" && cp -a "$ROOT.before" "$ROOT"
				DEB_MAINT_PARAMS=configure strace -qq -o /dev/null -e trace=$call -e inject=$call:$fault:when=$n \
					"$PVKPREP" --root "$ROOT" --hook kernel-postinst 2 >/dev/null 2>&1 || true
				cmp -s "$ROOT/boot/pvkprep/packaged-2" "$MINI" || cmp "$ROOT/boot/vmlinuz-2" "$MINI" ||
					fail "$call $fault $n: lost"
				configure_kernel 2
				assert_prepared 2 "$PVK_MINI/vmlinux"
				assert_same_file "$ROOT/boot/pvkprep/packaged-2" "$MINI"
			done
		done
	done
	rm -rf "$ROOT.before"
}

@test "a diversion for a kernel that was never unpacked: what somebody put in its place stays" {
	divert_kernel 2
	mkdir "$ROOT/boot/pvkprep"
	add_kernel 1 "$PVK_MINI/vmlinux"
	add_kernel 2 "$MINI"
	run_pvk --hook apt
	assert_status 0
	assert_contains "$output" "2: no package's any more, and not of pvkprep's making: stays"
	assert_prepared 2 "$PVK_MINI/vmlinux"
	assert_same_file "$ROOT/boot/pvkprep/packaged-2" "$MINI"
	[ ! -s "$ROOT/var/lib/dpkg/diversions" ]
}

@test "an image that goes with its package is told, in the back-stop too" {
	add_kernel 1 "$PVK_MINI/vmlinux"
	mkdir "$ROOT/boot/pvkprep"
	cp "$MINI" "$ROOT/boot/pvkprep/packaged-2"
	divert_kernel 2
	pvk --prepare
	rm "$ROOT/boot/pvkprep/packaged-2" # as dpkg does
	run_pvk --hook apt
	assert_contains "$output" "2: prepared image removed with its package"
	[ ! -e "$ROOT/boot/vmlinuz-2" ]
}

@test "pvkprep goes: a damaged image is made again, and no original goes with it" {
	add_kernel 1 "$MINI" as-packaged
	pvk --prepare
	dd if=/dev/zero of="$ROOT/boot/vmlinuz-1" bs=4096 count=10 conv=notrunc status=none
	run_pvk --hook package-remove
	assert_status 0
	assert_contains "$output" "1: stays prepared"
	assert_prepared 1 "$PVK_MINI/vmlinux"
	# Or where that fails (here for want of a sound original) what is kept stays kept.
	add_kernel 2 "$MINI" as-packaged
	pvk --prepare
	head -c 9000 "$MINI" >"$ROOT/boot/pvkprep/packaged-2"
	dd if=/dev/zero of="$ROOT/boot/vmlinuz-2" bs=4096 count=10 conv=notrunc status=none
	run_pvk --hook package-remove
	assert_status 0
	assert_contains "$output" "2: CANNOT BE STARTED AS IT IS"
	[ -e "$ROOT/boot/pvkprep/packaged-2" ]
}

@test "pvkprep goes: a kernel of no package is not told to be had from one" {
	add_kernel 1 "$MINI"
	pvk --prepare
	run_pvk --hook package-remove
	assert_status 0
	assert_contains "$output" "1: stays prepared"
	assert_contains "$output" "its original stays as /boot/pvkprep/packaged-1"
	[[ $output != *reinstall* ]]
	assert_same_file "$ROOT/boot/pvkprep/packaged-1" "$MINI"
}

@test "no room, not even for a record: the kernel is withheld, and tried again" {
	mount_tmpfs "$ROOT/boot" size=2m
	add_kernel 1 "$PVK_MINI/vmlinux"
	mkdir "$ROOT/boot/pvkprep"
	add_kernel 2 "$MINI"
	cat /dev/zero >"$ROOT/boot/filler" 2>/dev/null || true
	configure_kernel 2
	assert_contains "$output" "KERNEL 2 CANNOT BE STARTED and is not used"
	assert_contains "$output" "make room in /boot"
	[ ! -e "$ROOT/boot/vmlinuz-2" ]
	assert_same_file "$ROOT/boot/pvkprep/packaged-2" "$MINI"
	run_pvk --hook apt
	assert_contains "$output" "KERNEL 2 CANNOT BE STARTED and is not used"
	rm "$ROOT/boot/filler"
	run_pvk --hook apt
	assert_contains "$output" "2: "
	assert_prepared 2 "$PVK_MINI/vmlinux"
	unmount_tmpfs
}

@test "a kernel that can neither be prepared nor withheld is told as loudly as any" {
	mount_tmpfs "$ROOT/boot" size=4m
	add_kernel 1 "$PVK_MINI/vmlinux"
	add_kernel 2 "$MINI"
	mount -o remount,ro "$ROOT/boot"
	configure_kernel 2
	assert_contains "$output" "THE NEXT BOOT MAY FAIL: kernel 2"
	assert_contains "$output" "cannot be kept out of the boot menu"
	run_pvk --hook apt
	assert_status 0
	assert_contains "$output" "THE NEXT BOOT MAY FAIL: kernel 2"
	unmount_tmpfs
}

@test "switched off: a diversion of before has its directory, and an update that goes there is told" {
	make_update
	add_kernel 1 "$MINI"
	divert_kernel 1
	printf '[kernel]\nwhen = never\n' >"$ROOT/etc/pvkprep.conf"
	DEB_MAINT_PARAMS='upgrade 1 2' run_pvk --hook kernel-preinst 1 /boot/vmlinuz-1
	assert_status 0
	assert_equal "$output$stderr" ""
	[ -d "$ROOT/boot/pvkprep" ]
	DEB_MAINT_PARAMS=install run_pvk --hook kernel-preinst 3 /boot/vmlinuz-3 # not diverted
	assert_equal "$output$stderr" ""
	cp "$ROOT/update" "$ROOT/boot/pvkprep/packaged-1" # the unpack
	configure_kernel 1
	assert_contains "$output" "UPDATE NOT IN USE: kernel 1"
	assert_contains "$output" "pvkprep --restore 1"
	assert_lacks "$output" "nothing to do"
	rm "$ROOT/boot/vmlinuz-1" # as one that came after that
	run_pvk --hook apt
	assert_status 0
	assert_contains "$output" "UPDATE NOT IN USE: kernel 1"
	assert_contains "$output" "no image of this kernel"
	run_pvk --restore 1
	assert_status 0
	assert_same_file "$ROOT/boot/vmlinuz-1" "$ROOT/update"
	run_pvk --hook apt
	assert_equal "$output$stderr" ""
	configure_kernel 1
	assert_contains "$output" "nothing to do: the configuration says when = never"
}

@test "switched off: what was prepared of what dpkg keeps is in use, and nothing is told" {
	make_update
	mkdir "$ROOT/boot/pvkprep"
	cp "$MINI" "$ROOT/boot/pvkprep/packaged-1"
	divert_kernel 1
	pvk --prepare --format=hybrid
	printf '[kernel]\nwhen = never\n' >"$ROOT/etc/pvkprep.conf"
	run_pvk --hook apt
	assert_equal "$output$stderr" ""
	configure_kernel 1
	assert_contains "$output" "nothing to do"
	cp "$ROOT/update" "$ROOT/boot/pvkprep/new"
	mv "$ROOT/boot/pvkprep/new" "$ROOT/boot/pvkprep/packaged-1" # as dpkg does
	run_pvk --hook apt
	assert_contains "$output" "UPDATE NOT IN USE: kernel 1"
	assert_contains "$output" "the image of before the update"
}
