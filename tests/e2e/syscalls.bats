#!/usr/bin/env bats
# One --prepare as the kernel sees it: how files are opened, and in which order things reach the
# disk (DESIGN section 6).

load lib.bash

setup() {
	need strace
	common_setup
	printf '[kernel]\noriginals = stash\n' >"$ROOT/etc/pvkprep.conf" # no dpkg-divert in the picture
	add_kernel 1 "$MINI" as-packaged
	TRACE=$ROOT/trace
	strace -f -y -s 200 -o "$TRACE" "$PVKPREP" --root "$ROOT" --prepare 1
	PARENT=$(head -n 1 "$TRACE" | cut -d ' ' -f 1)
	assert_prepared 1 "$PVK_MINI/vmlinux"
}

# line PATTERN: the number of the first line that matches; fails if none does.
line() {
	local found
	found=$(grep -nE "$1" "$TRACE" | head -n 1 | cut -d : -f 1)
	[ -n "$found" ] || fail "no call like $1"
	echo "$found"
}

@test "the image is found once, without following, and opened by that: no blocking, no terminal" {
	local flag
	run grep -E 'openat2?\(.*"vmlinuz-1"' "$TRACE"
	assert_equal "${#lines[@]}" 1
	for flag in O_PATH O_NOFOLLOW O_CLOEXEC; do assert_contains "$output" $flag; done
	# relative to the directory that is held open, never by a path from the root
	[[ $output =~ openat2?\([0-9]+\<[^\>]*/boot\> ]]
	run grep -E 'openat\(.*"/proc/self/fd/.*/boot/vmlinuz-1>' "$TRACE"
	assert_equal "${#lines[@]}" 1
	for flag in O_RDONLY O_NONBLOCK O_NOCTTY O_CLOEXEC; do assert_contains "$output" $flag; done
}

@test "the temporary file: beside the target, exclusive, private, not through a link" {
	run grep -E 'openat.*"\.pvkprep\.[0-9a-f]{16}".*O_CREAT' "$TRACE"
	[ "${#lines[@]}" -ge 1 ]
	local call
	for call in "${lines[@]}"; do
		assert_contains "$call" O_EXCL
		assert_contains "$call" O_CLOEXEC
		assert_contains "$call" O_NOFOLLOW
		assert_contains "$call" 0600
	done
}

# bats test_tags=unwatched
@test "every descriptor that is opened is closed on exec" {
	run grep -E '(openat2?|open|pipe2|memfd_create|socket)\(' "$TRACE"
	[ "${#lines[@]}" -gt 5 ]
	run grep -vE 'CLOEXEC|ENOENT|/dev/null' <(printf '%s\n' "${lines[@]}")
	assert_equal "$output" ""
}

@test "order: space promised, decoded, original kept, file on disk, renamed, directory on disk" {
	local created allocated forked kept synced renamed settled
	created=$(line '"\.pvkprep\..*O_CREAT')
	allocated=$(line "fallocate\([0-9]+<[^>]*/boot/\.pvkprep\.[0-9a-f]+>, 0, 0, $(size_of "$PVK_MINI/vmlinux")\)")
	# the worker that decodes into it is the last one that is started before the rename
	synced=$(line 'fsync\([0-9]+<[^>]*/boot/\.pvkprep\.')
	kept=$(line 'rename.*"packaged-1"')
	[ "$(line 'linkat\(.*"\.pvkprep\.')" -lt "$kept" ]
	renamed=$(line 'rename.*"\.pvkprep\..*"vmlinuz-1"')
	forked=$(head -n "$renamed" "$TRACE" | grep -nE ' (clone3?|v?fork)\(' | tail -n 1 | cut -d : -f 1)
	settled=$(tail -n +"$renamed" "$TRACE" | grep -nE 'fsync\([0-9]+<[^>]*/boot>' | head -n 1 | cut -d : -f 1)
	[ "$created" -lt "$allocated" ] && [ "$allocated" -lt "$forked" ] && [ "$forked" -lt "$synced" ] &&
		[ "$synced" -lt "$renamed" ] && [ "$kept" -lt "$renamed" ] && [ "$settled" -gt 0 ]
}

@test "the directory is locked before the temporary file is made" {
	local locked created
	locked=$(line 'flock\([0-9]+<[^>]*/boot>, LOCK_EX')
	created=$(line '"\.pvkprep\..*O_CREAT')
	[ "$locked" -lt "$created" ]
}

@test "owner and mode are set by descriptor, before the rename" {
	local mode renamed
	mode=$(line 'fchmod\([0-9]+<[^>]*/boot/\.pvkprep\.')
	renamed=$(line 'rename.*"vmlinuz-1"')
	[ "$mode" -lt "$renamed" ]
	run grep -E ' (chmod|chown|lchown|utime|setxattr|lsetxattr|truncate)\(' "$TRACE"
	assert_equal "$output" ""
}

# bats test_tags=unwatched
@test "the worker opens nothing once it is confined, and its rights are gone" {
	local worker
	local filter='(seccomp\(SECCOMP_SET_MODE_FILTER|prctl\(PR_SET_SECCOMP).*= 0$'
	worker=$(grep -E "$filter" "$TRACE" | tail -n 1 | cut -d ' ' -f 1)
	[ -n "$worker" ] && [ "$worker" != "$PARENT" ]
	grep -qE "^$worker +prctl\(PR_SET_NO_NEW_PRIVS, 1" "$TRACE"
	grep -qE "^$worker +setresuid\(1886808944, 1886808944, 1886808944\) *= 0" "$TRACE"
	grep -qE "^$worker +(setrlimit|prlimit64)\(.*RLIMIT_AS" "$TRACE"
	grep -E "^$worker " "$TRACE" | sed -nE "/$filter/,\$p" | tail -n +2 >"$ROOT/confined"
	[ "$(wc -l <"$ROOT/confined")" -gt 1 ]
	run grep -vE '^[0-9]+ +(read|write|brk|mmap|munmap|mremap|madvise|mprotect|getrandom|exit_group|exit|rt_sigreturn|\+\+\+|<\.\.\.|---)' "$ROOT/confined"
	assert_equal "$output" ""
}

@test "no other program is started, no shell, no helper" {
	assert_equal "$(grep -cE 'execve(at)?\(' "$TRACE")" 1
}

@test "nothing is looked up below the shared temporary directories" {
	run grep -E '"(/tmp|/var/tmp|/dev/shm)' <(grep -v "$ROOT" "$TRACE")
	assert_equal "$output" ""
}
