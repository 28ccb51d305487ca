#!/usr/bin/env bats
# Signals, kills at every system call, two runs at once, a file that changes meanwhile.

load lib.bash

setup() {
	need strace flock
	common_setup
}

wait_for_temp_file() {
	local i
	for ((i = 0; i < 500; i++)); do
		[ "$(temp_files)" -gt 0 ] && return 0
		sleep 0.01
	done
	return 1
}

# The XZ kernel takes about a second to decode: the signal arrives in the middle.
start_slow_run() {
	add_kernel slow "$PVK_KERNELS/xz"
	"$PVKPREP" --root "$ROOT" --prepare slow >"$ROOT/out" 2>"$ROOT/err" 3>&- &
	PID=$!
	wait_for_temp_file
	sleep 0.1
}

untouched() {
	assert_same_file "$ROOT/boot/vmlinuz-slow" "$PVK_KERNELS/xz"
	[ ! -e "$ROOT/boot/pvkprep/slow.json" ]
}

@test "SIGTERM, SIGINT and SIGHUP in the middle: nothing is left behind" {
	local signal
	for signal in TERM INT HUP; do
		add_kernel slow "$PVK_KERNELS/xz"
		# bash starts background jobs with SIGINT ignored, nohup with SIGHUP; env puts that right.
		env --default-signal=INT,HUP "$PVKPREP" --root "$ROOT" --prepare slow >"$ROOT/out" 2>"$ROOT/err" 3>&- &
		PID=$!
		wait_for_temp_file
		sleep 0.1
		kill -$signal $PID
		status=0
		wait $PID || status=$?
		[ "$status" -eq 1 ] || [ "$status" -gt 128 ]
		untouched
		assert_no_temp_files
	done
}

@test "SIGKILL in the middle: the worker ends too, and the next run clears up and succeeds" {
	local worker
	start_slow_run
	worker=$(ps -o pid= --ppid $PID | tr -d ' ')
	[ -n "$worker" ]
	kill -KILL $PID
	wait $PID || true
	sleep 0.3
	[ ! -e "/proc/$worker" ] || [ "$(ps -o stat= -p "$worker" | cut -c 1)" = Z ]
	untouched
	[ "$(temp_files)" -eq 1 ]
	run_pvk --prepare slow
	assert_status 0
	independent_vmlinux xz "$PVK_KERNELS/xz" "$ROOT/vmlinux"
	assert_prepared slow "$ROOT/vmlinux"
}

@test "the worker is killed: an error that says so, nothing is replaced" {
	local worker
	start_slow_run
	worker=$(ps -o pid= --ppid $PID | tr -d ' ')
	kill -KILL "$worker"
	status=0
	wait $PID || status=$?
	stderr=$(cat "$ROOT/err")
	assert_status 1
	assert_lines "$stderr" 1
	assert_contains "$stderr" "worker was killed"
	untouched
	assert_no_temp_files
}

@test "killed at every system call: the image is the old one or the new one, and the next run ends well" {
	local call n before=0 after=0
	add_kernel 1 "$MINI"
	list_calls "$PVKPREP" --root "$ROOT" --prepare 1
	while read -r call n <&4; do
		rm -rf "${ROOT:?}/boot"
		mkdir "$ROOT/boot"
		cp "$MINI" "$ROOT/boot/vmlinuz-1"
		kill_at "$call" "$n" "$PVKPREP" --root "$ROOT" --prepare 1
		if cmp -s "$ROOT/boot/vmlinuz-1" "$MINI"; then
			before=$((before + 1))
		else
			assert_same_file "$ROOT/boot/vmlinuz-1" "$PVK_MINI/vmlinux"
			assert_same_file "$ROOT/boot/pvkprep/packaged-1" "$MINI"
			after=$((after + 1))
		fi
		run_pvk --prepare 1
		assert_status 0
		assert_prepared 1 "$PVK_MINI/vmlinux"
		assert_same_file "$ROOT/boot/pvkprep/packaged-1" "$MINI"
		run_pvk --restore 1
		assert_status 0
		assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
	done 4<"$ROOT/calls"
	[ "$before" -gt 50 ] && [ "$after" -gt 20 ] || fail "$before $after"
}

@test "a temp file of a killed run is swept away, other files are not" {
	add_kernel 1 "$MINI"
	: >"$ROOT/boot/.pvkprep.0123456789abcdef"
	: >"$ROOT/boot/.pvkprep.notours"
	: >"$ROOT/boot/.pvkprep"
	run_pvk --prepare
	assert_status 0
	[ ! -e "$ROOT/boot/.pvkprep.0123456789abcdef" ]
	[ -e "$ROOT/boot/.pvkprep.notours" ] && [ -e "$ROOT/boot/.pvkprep" ]
}

@test "two runs at the same moment: both end well, the second finds nothing to do" {
	local first=0 second=0
	add_kernel slow "$PVK_KERNELS/xz"
	pvk --prepare >"$ROOT/1.out" 2>"$ROOT/1.err" 3>&- &
	PID=$!
	wait_for_temp_file
	pvk --prepare >"$ROOT/2.out" 2>"$ROOT/2.err" || second=$?
	wait $PID || first=$?
	assert_equal "$first $second" "0 0"
	assert_equal "$(cat "$ROOT/1.err" "$ROOT/2.err")" ""
	independent_vmlinux xz "$PVK_KERNELS/xz" "$ROOT/vmlinux"
	assert_prepared slow "$ROOT/vmlinux"
	assert_same_file "$ROOT/boot/pvkprep/packaged-slow" "$PVK_KERNELS/xz"
}

@test "a lock that is never given up: told after a while, nothing touched" {
	add_kernel 1 "$MINI"
	run --separate-stderr flock "$ROOT/boot" "$PVKPREP" --root "$ROOT" --prepare
	assert_status 1
	assert_lines "$stderr" 1
	assert_contains "$stderr" "another run"
	assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
}

@test "reading modes do not wait for the lock" {
	add_kernel 1 "$MINI"
	run timeout 5 flock "$ROOT/boot" "$PVKPREP" --root "$ROOT" --list
	assert_status 0
	run timeout 5 flock "$ROOT/boot" "$PVKPREP" --root "$ROOT" --prepare --dry-run
	assert_status 0
}

@test "the file changes while it is decoded: refused, the change stays" {
	start_slow_run
	printf 'more' >>"$ROOT/boot/vmlinuz-slow"
	status=0
	wait $PID || status=$?
	stderr=$(cat "$ROOT/err")
	assert_status 1
	assert_lines "$stderr" 1
	assert_contains "$stderr" "changed"
	assert_no_temp_files
	assert_same_file "$ROOT/boot/vmlinuz-slow" <(cat "$PVK_KERNELS/xz" <(printf more))
}

@test "the file is replaced while it is decoded: the new one is not overwritten" {
	start_slow_run
	cp "$MINI" "$ROOT/boot/new"
	mv "$ROOT/boot/new" "$ROOT/boot/vmlinuz-slow"
	status=0
	wait $PID || status=$?
	stderr=$(cat "$ROOT/err")
	assert_status 1
	assert_lines "$stderr" 1
	assert_same_file "$ROOT/boot/vmlinuz-slow" "$MINI"
	assert_no_temp_files
	run_pvk --prepare slow
	assert_status 0
	assert_prepared slow "$PVK_MINI/vmlinux"
	assert_same_file "$ROOT/boot/pvkprep/packaged-slow" "$MINI"
}

@test "the file is removed while it is decoded: it does not come back" {
	start_slow_run
	rm "$ROOT/boot/vmlinuz-slow"
	status=0
	wait $PID || status=$?
	[ ! -e "$ROOT/boot/vmlinuz-slow" ]
	assert_no_temp_files
}

@test "the terminal goes away (SIGPIPE on stdout and stderr): the work is done" {
	add_kernel 1 "$MINI"
	"$PVKPREP" --root "$ROOT" --prepare 2>&1 | true
	run_pvk --prepare
	assert_prepared 1 "$PVK_MINI/vmlinux"
}
