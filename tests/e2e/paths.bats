#!/usr/bin/env bats
# Links, special files and names that somebody planted, races, a hostile environment: nothing
# outside the tree is read or written, nothing blocks, nothing unescaped is printed.

load lib.bash

setup() {
	need strace setpriv mkfifo python3
	common_setup
	# Beside the tree, never inside: must stay as it is, to the inode.
	OUTSIDE=$(mktemp -d "$TMPDIR/outside.XXXXXX")
	mkdir "$OUTSIDE/dir"
	cp "$MINI" "$OUTSIDE/kernel"
	echo secret >"$OUTSIDE/secret"
	printf 'default 0\ntitle outside\nkernel /boot/vmlinuz-1\n' >"$OUTSIDE/menu.lst"
	chmod 644 "$OUTSIDE"/kernel "$OUTSIDE"/secret
	chmod 755 "$OUTSIDE" "$OUTSIDE/dir" "$TMPDIR"
	BEFORE=$(outside_listing)
	MODES=(--prepare --list --check --restore "--prepare --dry-run" "--prepare --force" "--restore --force"
		"--prepare --entries-only" "--prepare --entries-only --dry-run")
}

teardown() {
	[ -z "${OUTSIDE:-}" ] || rm -rf "$OUTSIDE"
	common_teardown
}

# Not the link count and ctime of what a test links itself.
outside_listing() { find "$OUTSIDE" -printf '%P|%y|%i|%m|%U:%G|%s|%T@|%l\n' | sort; }
assert_outside_untouched() { assert_equal "$(outside_listing)" "$BEFORE"; }

as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"; }

# What a run may open outside of the tree: itself and its libraries, /proc and /sys about itself and
# the machine, /dev/null, the system log, dpkg's own program.
ALLOWED='^(/usr)?/lib|^/etc/ld\.so|^/proc(/|$)|^/sys(/|$)|^/dev/(null|pts|tty|log|urandom)|^/run/(mount|blkid|systemd)|^/usr/bin/dpkg-divert|^/usr/sbin/|^/etc/(selinux|blkid\.conf|localtime)|^/etc/dpkg/|^/$'

# run_watched ARGUMENT…: as run_pvk, and looks at every path that a descriptor was opened for.
run_watched() {
	local foreign
	run --separate-stderr timeout 20 strace -f -qq -y -e trace=open,openat,openat2,creat \
		-e signal=none -o "$OUTSIDE.trace" "$PVKPREP" --root "$ROOT" "$@"
	[ "$status" -ne 124 ] || fail "blocked: $*"
	[ "$status" -le 3 ] || fail "died: $*"
	foreign=$(sed -n 's/.* = [0-9]*<\(.*\)>$/\1/p' "$OUTSIDE.trace" | grep -vF "$ROOT" | grep -vE "$ALLOWED" || true)
	rm "$OUTSIDE.trace"
	assert_equal "$foreign" ""
	assert_printable
}

assert_printable() {
	if printf '%s\n%s\n' "$output" "$stderr" | LC_ALL=C grep -qP '[^\x20-\x7e\n\t]'; then
		fail "control bytes: $(printf '%s%s' "$output" "$stderr" | cat -v)"
	fi
}

run_all_modes() {
	local mode
	for mode in "${MODES[@]}"; do
		# shellcheck disable=SC2086 # words
		run_watched $mode
	done
}

@test "links that another user planted in /boot lead nowhere" {
	add_kernel 1 "$MINI"
	chmod 1777 "$ROOT/boot"
	as_nobody ln -s "$OUTSIDE/kernel" "$ROOT/boot/vmlinuz-2"
	as_nobody ln -s ../../../../../../../../../../../../.."$OUTSIDE/kernel" "$ROOT/boot/vmlinuz-3"
	as_nobody ln -s "$OUTSIDE/dir" "$ROOT/boot/pvkprep"
	as_nobody ln -s "$OUTSIDE/secret" "$ROOT/boot/.pvkprep.0123456789abcdef"
	as_nobody ln -s "$OUTSIDE/secret" "$ROOT/boot/initrd.img-1"
	as_nobody ln -s "$OUTSIDE" "$ROOT/boot/grub"
	run_all_modes
	assert_outside_untouched
	printf '#!/bin/sh\nexec cat %s/secret\n' "$OUTSIDE" >"$ROOT/reader" # the control: this does read it
	chmod 755 "$ROOT/reader"
	PVKPREP=$ROOT/reader run run_watched
	assert_contains "$output" "$OUTSIDE/secret"
	run_watched --prepare 1
	assert_status 1 # where the packaged image would be kept is a link
	assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
	assert_outside_untouched
	[ -L "$ROOT/boot/vmlinuz-2" ] && [ -L "$ROOT/boot/vmlinuz-3" ]
}

@test "a /boot/pvkprep that belongs to another user, or that others may write to, is not used" {
	local mode
	add_kernel 1 "$MINI"
	for mode in owner group world; do
		rm -rf "$ROOT/boot/pvkprep"
		mkdir "$ROOT/boot/pvkprep"
		case $mode in
		owner) chown 65534 "$ROOT/boot/pvkprep" ;;
		group) chmod 775 "$ROOT/boot/pvkprep" ;;
		world) chmod 1777 "$ROOT/boot/pvkprep" ;;
		esac
		run_watched --prepare 1
		assert_status 1
		assert_contains "$stderr" "must belong to root"
		assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
	done
}

@test "links in /boot/pvkprep are replaced or refused, never followed" {
	add_kernel 1 "$MINI"
	mkdir "$ROOT/boot/pvkprep"
	ln -s "$OUTSIDE/kernel" "$ROOT/boot/pvkprep/packaged-1"
	ln -s "$OUTSIDE/secret" "$ROOT/boot/pvkprep/1.json"
	ln -s "$OUTSIDE/secret" "$ROOT/boot/pvkprep/.pvkprep.0123456789abcdef"
	run_all_modes
	assert_outside_untouched
	[ -f "$ROOT/boot/vmlinuz-1" ]
}

@test "a hard link to somebody's file gets neither another owner nor other bytes" {
	local inode
	chmod 1777 "$ROOT/boot"
	ln "$OUTSIDE/secret" "$ROOT/boot/vmlinuz-secret"
	ln "$OUTSIDE/kernel" "$ROOT/boot/vmlinuz-kernel"
	inode=$(stat -c %i "$OUTSIDE/kernel")
	run_watched --prepare
	run_watched --restore
	assert_outside_untouched
	assert_same_file "$OUTSIDE/kernel" "$MINI"
	assert_equal "$(cat "$OUTSIDE/secret")" secret
	assert_equal "$(stat -c %i "$OUTSIDE/kernel")" "$inode"
}

@test "an image of another user, or one that others may write, is refused" {
	local how
	for how in 'chown 65534' 'chmod 664' 'chmod 646'; do
		add_kernel 1 "$MINI"
		$how "$ROOT/boot/vmlinuz-1"
		run_watched --prepare 1
		assert_status 1
		assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
		rm "$ROOT/boot/vmlinuz-1"
	done
}

@test "a tree of absolute and dotted links is read inside itself only" {
	add_kernel 1 "$MINI"
	mkdir -p "$ROOT$OUTSIDE/inner" "$ROOT/etc/default"
	mv "$ROOT/boot" "$ROOT/real-boot"
	ln -s /real-boot "$ROOT/boot" # absolute: below the root
	ln -s "$OUTSIDE" "$ROOT/real-boot/grub"
	ln -s ../../../../../../../../../../../.."$OUTSIDE/secret" "$ROOT/etc/pvkprep.conf"
	ln -s "$OUTSIDE/secret" "$ROOT/etc/fstab"
	rm -rf "$ROOT/var/lib/dpkg"
	ln -s /var/lib/../../../../../../var/lib/elsewhere "$ROOT/var/lib/dpkg"
	ln -s loop "$ROOT/loop"
	ln -s /loop "$ROOT/etc/default/grub"
	run_all_modes
	run_watched --prepare 1
	assert_status 0
	assert_same_file "$ROOT/real-boot/vmlinuz-1" "$PVK_MINI/vmlinux"
	assert_outside_untouched
}

@test "boot configurations that name files outside of the tree" {
	add_kernel 1 "$MINI"
	mkdir -p "$ROOT/boot/grub"
	cat >"$ROOT/boot/grub/grub.cfg" <<-END
		source ../../../../../..$OUTSIDE/menu.lst
		configfile /../../../..$OUTSIDE/menu.lst
		load_env --file /boot/../../../../../../..$OUTSIDE/secret
		menuentry x { linux ../../../../../..$OUTSIDE/kernel; initrd $OUTSIDE/secret; }
	END
	ln -s "$OUTSIDE/menu.lst" "$ROOT/boot/grub/menu.lst"
	run_all_modes
	assert_lacks "$output$stderr" secret
	assert_outside_untouched
}

@test "FIFOs, devices, sockets and directories in every place: no run blocks" {
	local path
	mkdir -p "$ROOT/boot/grub" "$ROOT/boot/pvkprep" "$ROOT/etc/default" "$ROOT/var/lib/dpkg/info"
	add_kernel 1 "$MINI"
	mkfifo "$ROOT/boot/vmlinuz-fifo" "$ROOT/boot/pvkprep/packaged-fifo" "$ROOT/boot/pvkprep/1.json"
	mknod "$ROOT/boot/vmlinuz-char" c 1 5
	mknod "$ROOT/boot/vmlinuz-block" b 7 250
	mkdir "$ROOT/boot/vmlinuz-directory"
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$ROOT/boot/vmlinuz-socket"
	for path in boot/grub/grub.cfg boot/grub/menu.lst boot/grub/grubenv boot/initrd.img-1 \
		etc/fstab etc/default/grub var/lib/dpkg/diversions var/lib/dpkg/info/linux-image-1.md5sums; do
		mkfifo "$ROOT/$path"
	done
	run_all_modes
	rm "$ROOT/var/lib/dpkg/diversions" "$ROOT/var/lib/dpkg/info/linux-image-1.md5sums"
	run_watched --prepare 1
	assert_same_file "$ROOT/boot/vmlinuz-1" "$PVK_MINI/vmlinux"
	mkfifo "$ROOT/etc/pvkprep.conf"
	run_watched --prepare 1
	assert_status 2
}

@test "names and texts with newlines and escapes are printed escaped" {
	local bad=$'\e]0;title\a\e[31mred\nnew line\r\x9b1m\xff'
	add_kernel 1 "$MINI"
	cp "$MINI" "$ROOT/boot/vmlinuz-$bad"
	printf 'no kernel' >"$ROOT/boot/vmlinuz-x$bad"
	mkdir "$ROOT/boot/grub" "$ROOT/boot/pvkprep"
	printf 'no record %s' "$bad" >"$ROOT/boot/pvkprep/$bad.json"
	cp "$MINI" "$ROOT/boot/pvkprep/packaged-y$bad"
	printf 'default 0\ntitle %s\nkernel /boot/vmlinuz-%s root=%s\n%s\n' "$bad" "$bad" "$bad" "$bad" >"$ROOT/boot/grub/menu.lst"
	# once more with a list that is ours to write
	run_all_modes
	printf 'default 0\n# %s\n### BEGIN AUTOMAGIC KERNELS LIST\n# kopt=%s\n### END DEBIAN AUTOMAGIC KERNELS LIST\n%s\n' \
		"$bad" "$bad" "$bad" >"$ROOT/boot/grub/menu.lst"
	run_all_modes
	printf 'set timeout=0\nmenuentry "%s" { linux "/boot/vmlinuz-%s" %s; %s; }\n' "$bad" "$bad" "$bad" "$bad" >"$ROOT/boot/grub/grub.cfg"
	printf '%s\n' "$bad" >"$ROOT/etc/fstab"
	MODES+=("--list --json" "--check --json" "--prepare --json" "--restore --json" "--list --verbose" "--check --verbose")
	run_all_modes
	run_watched --prepare "$bad" "/boot/vmlinuz-x$bad" "$bad/$bad"
	run_watched --inspect "$ROOT/boot/vmlinuz-$bad" "$ROOT/boot/vmlinuz-x$bad"
	run_watched --"$bad"
	assert_status 2
	printf '[kernel]\n%s = %s\n' "$bad" "$bad" >"$ROOT/etc/pvkprep.conf"
	run_watched --prepare
	assert_status 2
	run_watched --config "/$bad" --prepare
}

@test "races: names are swapped while it runs, over and over" {
	local round racer runs=0
	add_kernel 1 "$MINI"
	chmod 777 "$ROOT/boot"
	as_nobody ln -s "$OUTSIDE/kernel" "$ROOT/boot/a-link"
	as_nobody mkfifo "$ROOT/boot/a-fifo"
	as_nobody cp "$MINI" "$ROOT/boot/a-file"
	as_nobody mkdir "$ROOT/boot/a-directory"
	as_nobody ln -s "$OUTSIDE/dir" "$ROOT/boot/a-way-out"
	"$PVK_TOOLS/racer" "$ROOT/boot" vmlinuz-1 a-link a-fifo a-file a-directory >/dev/null 3>&- &
	racer=$!
	"$PVK_TOOLS/racer" "$ROOT/boot" pvkprep a-way-out >/dev/null 3>&- &
	racer="$racer $!"
	for ((round = 0; round < ${RACE_ROUNDS:-40}; round++)); do
		run --separate-stderr timeout 20 "$PVKPREP" --root "$ROOT" --prepare 1
		[ "$status" -le 1 ] || fail "round $round"
		run --separate-stderr timeout 20 "$PVKPREP" --root "$ROOT" --restore 1
		[ "$status" -le 1 ] || fail "round $round"
		runs=$((runs + 2))
	done
	# shellcheck disable=SC2086 # two numbers
	kill $racer
	wait
	assert_outside_untouched
	assert_equal "$runs" $((2 * ${RACE_ROUNDS:-40}))
}

@test "a configuration that is not root's own is an error, whatever it says" {
	local how
	add_kernel 1 "$MINI"
	for how in 'chown 65534' 'chmod 664' 'chmod 646'; do
		printf '[kernel]\nwhen = always\n' >"$ROOT/etc/pvkprep.conf"
		$how "$ROOT/etc/pvkprep.conf"
		run_watched --prepare
		assert_status 2
		assert_lines "$stderr" 1
		assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
		rm "$ROOT/etc/pvkprep.conf"
	done
}

@test "umask 777: files and directories have their modes all the same" {
	add_kernel 1 "$MINI"
	(umask 777 && pvk --prepare 1)
	assert_equal "$(stat -c %a "$ROOT/boot/vmlinuz-1" "$ROOT/boot/pvkprep" "$ROOT/boot/pvkprep/1.json" | paste -sd ' ')" "644 755 644"
}

@test "closed standard descriptors: nothing is written into a file that took their numbers" {
	local fds
	for fds in '<&-' '>&-' '2>&-' '<&- >&- 2>&-' '<&- >&-' '>&- 2>&-'; do
		add_kernel 1 "$MINI"
		eval "timeout 20 \"\$PVKPREP\" --root \"\$ROOT\" --prepare --verbose 1 $fds" >/dev/null || true
		assert_prepared 1 "$PVK_MINI/vmlinux"
		assert_same_file "$ROOT/boot/pvkprep/packaged-1" "$MINI"
		eval "timeout 20 \"\$PVKPREP\" --root \"\$ROOT\" --restore --verbose 1 $fds" >/dev/null || true
		assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
	done
}

# bats test_tags=unwatched
@test "tiny limits: done, or refused with a word, and never in between" {
	local limit
	for limit in '-f 1' '-f 100' '-n 6' '-n 7' '-n 8' '-n 9' '-v 30000' '-v 80000' '-d 2000' '-s 128' \
		'-u 0' '-u 1' '-t 1' '-c 0' '-l 0' '-i 0'; do
		add_kernel 1 "$MINI"
		# shellcheck disable=SC2086 # two words
		run --separate-stderr bash -c "ulimit $limit && exec timeout 20 \"\$0\" --root \"\$1\" --prepare 1" "$PVKPREP" "$ROOT"
		echo "limit $limit: status $status, $stderr"
		case $status in
		0)
			assert_prepared 1 "$PVK_MINI/vmlinux"
			assert_same_file "$ROOT/boot/pvkprep/packaged-1" "$MINI"
			;;
		1 | 2)
			[ -n "$stderr" ] || fail "silent"
			assert_same_file "$ROOT/boot/vmlinuz-1" "$MINI"
			assert_no_temp_files
			;;
		*)
			fail "limit $limit: died"
			;;
		esac
		rm -rf "${ROOT:?}/boot"
		mkdir "$ROOT/boot"
	done
}

@test "PATH, DPKG_* and the like of the caller are not used" {
	add_kernel 1 "$MINI" as-packaged
	printf '/boot\n/boot/vmlinuz-1\n' >"$ROOT/var/lib/dpkg/info/linux-image-1.list"
	: >"$ROOT/var/lib/dpkg/status"
	mkdir "$OUTSIDE/bin"
	printf '#!/bin/sh\necho hit >>%s/hit\nexit 0\n' "$OUTSIDE" >"$OUTSIDE/bin/dpkg-divert"
	chmod 755 "$OUTSIDE/bin/dpkg-divert"
	cp "$OUTSIDE/bin/dpkg-divert" "$OUTSIDE/bin/sh"
	run env PATH="$OUTSIDE/bin" DPKG_ADMINDIR="$OUTSIDE" DPKG_DATADIR="$OUTSIDE" ENV="$OUTSIDE/bin/sh" \
		BASH_ENV="$OUTSIDE/bin/sh" IFS=/ TMPDIR="$OUTSIDE" HOME="$OUTSIDE" LC_ALL=xx_XX TZ=":$OUTSIDE/secret" \
		GRUB_PREFIX="$OUTSIDE" "$PVKPREP" --root "$ROOT" --prepare 1
	assert_status 0
	assert_prepared 1 "$PVK_MINI/vmlinux"
	[ ! -e "$OUTSIDE/hit" ]
	assert_equal "$(find "$OUTSIDE" -newer "$OUTSIDE/bin/sh" -type f | grep -v bin/)" ""
}

# bats test_tags=unwatched
@test "LD_* and the like do not reach the programs that it starts" {
	local started
	add_kernel 1 "$MINI"
	printf '/boot\n/boot/vmlinuz-1\n' >"$ROOT/var/lib/dpkg/info/linux-image-1.list"
	: >"$ROOT/var/lib/dpkg/status"
	run strace -f -qq -v -s 4096 -e trace=execve -e signal=none -o "$OUTSIDE.trace" env -i \
		LD_LIBRARY_PATH="$OUTSIDE" LD_DEBUG_OUTPUT="$OUTSIDE/debug" LD_BIND_NOW=1 GLIBC_TUNABLES=glibc.malloc.check=3 \
		PERL5LIB="$OUTSIDE" PERL5OPT=-w PYTHONPATH="$OUTSIDE" HOME="$OUTSIDE" "$PVKPREP" --root "$ROOT" --prepare 1
	assert_status 0
	started=$(grep -F '/dpkg-divert"' "$OUTSIDE.trace" | grep ' = 0$')
	rm "$OUTSIDE.trace"
	assert_contains "$started" '"PATH=/usr'
	assert_lacks "$started" LD_
	assert_lacks "$started" GLIBC_
	assert_lacks "$started" PERL5
	assert_lacks "$started" "$OUTSIDE"
}

@test "renames elsewhere that never end: paths are resolved step by step instead" {
	add_kernel 1 "$MINI"
	# What openat2(2) answers when a rename disturbed it, for as long as somebody goes on renaming.
	run timeout 60 strace -f -qq -e trace=openat2 -e signal=none -e inject=openat2:error=EAGAIN -o /dev/null \
		"$PVKPREP" --root "$ROOT" --prepare 1
	assert_status 0
	assert_prepared 1 "$PVK_MINI/vmlinux"
}
