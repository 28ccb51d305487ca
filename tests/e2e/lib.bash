# shellcheck shell=bash
# shellcheck disable=SC2154 # status, output, stderr: set by bats' run
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the end-to-end tests share: scratch trees, the program, and sentences about results. Paths
# come by environment (tests/tests.mk).

bats_require_minimum_version 1.5.0

# A tool or a path that is not there is a failure of the test, never a skip.
need() {
	local tool
	for tool; do
		command -v "$tool" >/dev/null || {
			echo "missing tool: $tool (scripts/install-deps test)"
			return 1
		}
	done
}

common_setup() {
	local name
	for name in PVKPREP PVK_KERNELS PVK_MINI PVK_TOOLS PVK_SOURCE; do
		[ -e "${!name:-}" ] || {
			echo "\$$name is not set to something that exists (run make e2e)"
			return 1
		}
	done
	unset NO_COLOR
	umask 022
	export LC_ALL=C
	MINI=$PVK_MINI/vmlinuz
	REPACK=$PVK_TOOLS/repack
	ROOT=$(mktemp -d "$TMPDIR/root.XXXXXX")
	make_tree "$ROOT"
}

common_teardown() {
	[ -z "${MOUNTED:-}" ] || umount "$MOUNTED"
	[ -z "${ROOT:-}" ] || rm -rf --one-file-system "$ROOT" # whatever a test left mounted in it
}

setup() { common_setup; }
teardown() { common_teardown; }

make_tree() {
	mkdir -p "$1/boot" "$1/etc" "$1/var/lib/dpkg/info"
	chmod 755 "$1"
}

# add_kernel VERSION FILE [as-packaged]: puts an image into the tree; with the third word dpkg's
# list of the package too.
add_kernel() {
	cp --reflink=auto -L "$2" "$ROOT/boot/vmlinuz-$1"
	chmod 644 "$ROOT/boot/vmlinuz-$1"
	if [ "${3:-}" = as-packaged ]; then
		(cd "$ROOT" && md5sum "boot/vmlinuz-$1") >"$ROOT/var/lib/dpkg/info/linux-image-$1.md5sums"
	fi
}

# The version in the name of a real kernel: version_of lz4
version_of() {
	local target
	target=$(readlink "$PVK_KERNELS/$1")
	echo "${target##*/vmlinuz-}"
}

pvk() { "$PVKPREP" --root "$ROOT" "$@"; }

# Runs pvkprep on the tree: $status, $output (stdout), $stderr.
run_pvk() { run --separate-stderr "$PVKPREP" --root "$ROOT" "$@"; }

show() {
	echo "status $status"
	echo "stdout: $output"
	echo "stderr: $stderr"
}

fail() {
	echo "$*"
	show 2>/dev/null
	return 1
}

assert_status() { [ "$status" -eq "$1" ] || fail "expected status $1"; }
assert_equal() { [ "$1" = "$2" ] || fail "expected '$2', got '$1'"; }
assert_contains() { [[ $1 == *"$2"* ]] || fail "'$1' does not contain '$2'"; }
assert_lacks() { [[ $1 != *"$2"* ]] || fail "'$1' contains '$2'"; }
assert_same_file() { cmp -- "$1" "$2" || fail "$1 differs from $2"; }
assert_lines() { [ "$(printf '%s' "$1" | grep -c '')" -eq "$2" ] || fail "expected $2 lines: '$1'"; }

# Everything about every file of the tree but its access time: name, kind, inode, mode, owner,
# size, links, mtime, ctime, target of a link.
full_listing() { find "$ROOT" -printf '%P|%y|%i|%m|%U:%G|%s|%n|%T@|%C@|%l\n' | sort; }

# What the administrator would call the content: directories' times and /boot/pvkprep, which is
# ours, left out; bytes instead of times.
content_listing() {
	(cd "$ROOT" && find . -path ./boot/pvkprep -prune -o -printf '%P|%y|%m|%U:%G|%l\n' | sort &&
		find . -path ./boot/pvkprep -prune -o -type f -print0 | sort -z | xargs -0 sha256sum)
}

temp_files() { find "$ROOT" -name '.pvkprep.*' | wc -l; }
assert_no_temp_files() { [ "$(temp_files)" -eq 0 ] || fail "left behind: $(find "$ROOT" -name '.pvkprep.*')"; }

# How messages name an image: by its path as the caller sees it, in quotes.
shown() { echo "'$ROOT/boot/vmlinuz-$1'"; }

# assert_refused VERSION REASON [OPTION…]: --prepare of that kernel says in one line why not,
# answers 1, and leaves everything as it was, to the inode.
assert_refused() {
	local version=$1 reason=$2 before inode
	shift 2
	before=$(content_listing)
	inode=$(stat -c '%i %Y %s' "$ROOT/boot/vmlinuz-$version")
	run_pvk --prepare "$@" "$version"
	assert_status 1
	assert_lines "$stderr" 1
	assert_contains "$stderr" "pvkprep: $(shown "$version"): "
	[[ $stderr =~ $reason ]] || fail "no '$reason' in the message"
	assert_equal "$(content_listing)" "$before"
	assert_equal "$(stat -c '%i %Y %s' "$ROOT/boot/vmlinuz-$version")" "$inode"
	assert_no_temp_files
	[ ! -e "$ROOT/boot/pvkprep/$version.json" ] || fail "a record of what was refused"
	[ ! -e "$ROOT/boot/pvkprep/packaged-$version" ] || fail "an original kept of what was refused"
}

# assert_prepared VERSION VMLINUX: the image is that ELF, byte for byte, and GRUB takes it.
assert_prepared() {
	assert_same_file "$ROOT/boot/vmlinuz-$1" "$2"
	grub-file --is-x86_64-xen-domu "$ROOT/boot/vmlinuz-$1" || fail "grub-file refuses it"
	assert_no_temp_files
}

# independent_vmlinux KIND KERNEL OUT: what the payload's own command-line tool makes of it.
independent_vmlinux() {
	"$REPACK" stream "$2" "$3.stream"
	case $1 in
	gzip) gzip -dc ;;
	bzip2) bzip2 -dc ;;
	lzma) lzma -dc ;;
	xz*) xz -dc ;;
	lzo) lzop -dc ;;
	lz4) lz4 -q -dc ;;
	zstd*) zstd -q -dc ;;
	raw) cat ;;
	*) return 1 ;;
	esac <"$3.stream" >"$3"
	rm "$3.stream"
}

size_of() { stat -c %s "$1"; }

# mini_with KIND OUT: the small kernel with another payload.
mini_with() {
	local word
	word=$(size_of "$PVK_MINI/vmlinux")
	case $1 in
	gzip) gzip -n -9 && word=- ;;
	bzip2) bzip2 -9 ;;
	lzma) lzma -9 ;;
	xz) xz --check=crc32 --x86 --lzma2=,dict=32MiB ;;
	lzo) lzop -9 ;;
	lz4) lz4 -q -l -9 ;;
	zstd) zstd -q -19 ;;
	raw) cat && word=- ;;
	esac <"$PVK_MINI/vmlinux" >"$2.stream"
	"$REPACK" replace "$MINI" "$2.stream" "$2" "$word"
	rm "$2.stream"
}

# list_calls COMMAND…: runs it; $ROOT/calls has each of its system calls with its number among those
# of its name (strace counts so), from where the dynamic loader is done.
list_calls() {
	strace -qq -e signal=none -o "$ROOT/trace" "$@"
	awk -F '(' -v root="\"$ROOT\"" '{ n[$1]++ } /^open/ && index($0, root) { on = 1 } on { print $1, n[$1] }' \
		"$ROOT/trace" >"$ROOT/calls"
}

# kill_at CALL NUMBER COMMAND…: runs it up to there.
kill_at() {
	bash -c 'strace -qq -o /dev/null -e "inject=$1:signal=KILL:when=$2" "${@:3}" || true' - "$@" >/dev/null 2>&1
}

mount_tmpfs() { # mount_tmpfs DIR OPTIONS
	mount -t tmpfs -o "$2" none "$1"
	MOUNTED=$1
}

unmount_tmpfs() {
	umount "$MOUNTED"
	MOUNTED=
}

# run_limited BYTES COMMAND…: in a memory cgroup of its own (v1 or v2). Answers 125 if this machine
# lets nobody make one.
run_limited() {
	local limit=$1 dir
	shift
	if [ -w /sys/fs/cgroup/memory/memory.limit_in_bytes ] || [ -d /sys/fs/cgroup/memory/tasks ] ||
		[ -e /sys/fs/cgroup/memory/tasks ]; then
		dir=/sys/fs/cgroup/memory/pvkprep-test.$$
		mkdir "$dir" 2>/dev/null || return 125
		echo "$limit" >"$dir/memory.limit_in_bytes" || return 125
		echo "$limit" >"$dir/memory.memsw.limit_in_bytes" 2>/dev/null || true
	else
		dir=/sys/fs/cgroup/pvkprep-test.$$
		echo +memory >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null || true
		mkdir "$dir" 2>/dev/null || return 125
		if ! echo "$limit" >"$dir/memory.max" 2>/dev/null; then
			rmdir "$dir"
			return 125
		fi
		echo 0 >"$dir/memory.swap.max" 2>/dev/null || true
	fi
	local status=0
	sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' - "$dir" "$@" || status=$?
	rmdir "$dir" 2>/dev/null || { sleep 0.2 && rmdir "$dir"; }
	return $status
}
