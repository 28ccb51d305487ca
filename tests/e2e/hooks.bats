#!/usr/bin/env bats
# The scripts that packages call: whatever becomes of pvkprep, or of who reads what it says, they do
# not fail, since that would leave a kernel package half configured. And what the program does in a
# hook, as far as it needs no apt or dpkg: see tests/debian.

load lib.bash

setup() {
	need dash
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
	assert_contains "$stderr" "symbolic link"
	run_pvk --hook apt
	assert_contains "$stderr" "a directory"
	[ -L "$ROOT/boot/vmlinuz-2" ] && [ -d "$ROOT/boot/vmlinuz-3" ]
}
