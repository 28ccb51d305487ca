#!/usr/bin/env bats
# shellcheck disable=SC2154 # set by bats
# dpkg does not know our lock: it may put a new image in place at any moment of a run. The run is
# stopped at a system call, the image comes, and the run goes on. Nothing of the new image may be
# lost, and no record may speak of it; the hook of the update then prepares it.

load lib.bash

setup() {
	need strace zstd xz jq
	common_setup
	export W=$BATS_TEST_TMPDIR
	OTHER=$W/other
	mini_with zstd "$OTHER"
	printf '[kernel]\nwhen = always\noriginals = stash\n' >"$ROOT/etc/pvkprep.conf"
	add_kernel 1 "$MINI" as-packaged
}

# stopped_at CALL N OPTION… -- COMMAND…: the command, while a run is stopped behind its Nth such call.
stopped_at() {
	local call=$1 n=$2 i state=
	shift 2
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	strace -o "$W/trace" -e "trace=$call" -e "inject=$call:signal=STOP:when=$n" \
		"$PVKPREP" --root "$ROOT" "${options[@]}" >"$W/out" 2>"$W/err" 3>&- &
	local tracer=$! pid=
	for ((i = 0; i < 1000; i++)); do
		pid=$(ps -o pid= --ppid $tracer | tr -d ' ') || true
		[ -z "$pid" ] || state=$(ps -o state= -p "$pid") || true
		grep -q "stopped by SIGSTOP" "$W/trace" 2>/dev/null && [[ $state == [tT]* ]] && break
		sleep 0.01
	done
	[ $i -lt 1000 ] || fail "it did not stop at $call $n: $(cat "$W/trace" "$W/err")"
	"$@"
	kill -CONT "$pid"
	status=0
	wait $tracer || status=$?
}

# As dpkg does it, with its list of the package.
update() {
	cp "$OTHER" "$ROOT/boot/vmlinuz-1.dpkg-new"
	mv "$ROOT/boot/vmlinuz-1.dpkg-new" "$ROOT/boot/vmlinuz-1"
	(cd "$ROOT" && md5sum boot/vmlinuz-1) >"$ROOT/var/lib/dpkg/info/linux-image-1.md5sums"
}

assert_update_is_prepared_by_its_hook() {
	assert_same_file "$ROOT/boot/vmlinuz-1" "$OTHER"
	run_pvk --list
	assert_lacks "$output" " prepared "
	DEB_MAINT_PARAMS=configure run_pvk --hook kernel-postinst 1 /boot/vmlinuz-1
	assert_status 0
	assert_same_file "$ROOT/boot/vmlinuz-1" "$PVK_MINI/vmlinux"
	assert_same_file "$ROOT/boot/pvkprep/packaged-1" "$OTHER"
	assert_no_temp_files
}

@test "an image that comes while the new file is written to disk is not overwritten" {
	local n
	for n in 1 2; do
		stopped_at fsync $n --prepare 1 -- update
		assert_status 1
		grep -q "replaced by somebody else meanwhile" "$W/err" || fail "$(cat "$W/err")"
		assert_update_is_prepared_by_its_hook
		rm -rf "${ROOT:?}/boot"/*
		add_kernel 1 "$MINI" as-packaged
	done
}

@test "an image that comes right behind our rename is not recorded as prepared" {
	stopped_at renameat 2 --prepare 1 -- update # the first is the original's second name
	assert_update_is_prepared_by_its_hook
}

@test "an image that comes while another one is found to be fine is not recorded as fine" {
	printf '[kernel]\nwhen = always\noriginals = stash\nconvert = lz4 zstd\n' >"$ROOT/etc/pvkprep.conf"
	mini_with xz "$ROOT/boot/vmlinuz-1"
	(cd "$ROOT" && md5sum boot/vmlinuz-1) >"$ROOT/var/lib/dpkg/info/linux-image-1.md5sums"
	stopped_at clone,clone3,fork,vfork 1 --prepare 1 -- update
	assert_update_is_prepared_by_its_hook
}

@test "a packaged image that comes beside, where dpkg diverts it to, is not taken for the one that was read" {
	printf '[kernel]\nwhen = always\n' >"$ROOT/etc/pvkprep.conf"
	mini_with xz "$W/third"
	pvk --prepare 1
	divert() { cp "$1" "$ROOT/boot/pvkprep/new" && mv "$ROOT/boot/pvkprep/new" "$ROOT/boot/pvkprep/packaged-1"; }
	printf '/boot/vmlinuz-1\n/boot/pvkprep/packaged-1\npvkprep\n' >"$ROOT/var/lib/dpkg/diversions"
	divert "$OTHER"
	list() { printf '%s  boot/vmlinuz-1\n' "$(md5sum <"$1" | cut -d' ' -f1)" >"$ROOT/var/lib/dpkg/info/linux-image-1.md5sums"; }
	list "$OTHER"
	third() { divert "$W/third" && list "$W/third"; }
	stopped_at clone,clone3,fork,vfork 1 --prepare 1 -- third
	run_pvk --prepare 1
	assert_status 0
	assert_equal "$(jq -r .source.payload "$ROOT/boot/pvkprep/1.json")" xz
	assert_equal "$(jq -r .source.size "$ROOT/boot/pvkprep/1.json")" "$(stat -c %s "$W/third")"
}
