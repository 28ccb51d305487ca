#!/usr/bin/env bats
# The boot entries at the end of --prepare, on trees: our own grub.cfg and menu.lst, pvboot images,
# the verdict. With the programs that own menus: tests/debian/entries.bash.

load lib.bash

UUID=11111111-2222-3333-4444-555555555555
CFG=boot/grub/grub.cfg LST=boot/grub/menu.lst
BEGIN='### BEGIN AUTOMAGIC KERNELS LIST' END='### END DEBIAN AUTOMAGIC KERNELS LIST'

setup() {
	need strace cpio jq patch grub-mkimage grub-script-check
	common_setup
	RELEASE=$("$PVKPREP" --inspect --json "$MINI" | jq -r '.[0].kernel_version | split(" ")[0]')
	mkdir -p "$ROOT/boot/grub" "$ROOT/lib/modules/$RELEASE"
	printf 'UUID=%s / ext4 defaults 0 1\n' $UUID >"$ROOT/etc/fstab"
	printf 'NAME="Debian GNU/Linux"\n' >"$ROOT/etc/os-release"
}

# guest VERSION…: packaged kernels with their initrds.
guest() {
	local version
	for version; do
		add_kernel "$version" "$MINI"
		mkdir -p "$ROOT/lib/modules/$version"
		"$PVK_SOURCE/scripts/make-initrd" "$RELEASE" >"$ROOT/boot/initrd.img-$version"
	done
}

configure() { printf '[boot]\n%s\n' "$@" >"$ROOT/etc/pvkprep.conf"; }

prepare_kernels_only() {
	printf '[boot]\ngrub-cfg = never\nmenu-lst = never\n' >"$ROOT/never.conf"
	pvk --prepare --config "$ROOT/never.conf"
}

# menu COMMANDS: a grub.cfg of the administrator's with one entry.
menu() { printf 'set timeout=1\nmenuentry x {\n %s\n}\n' "$1" >"$ROOT/$CFG"; }

# What --check says: "<verdict> <via> <kernel>".
next_boot() { pvk --check --json "$@" | jq -r '"\(.verdict) \(.boot.via) \(.boot.kernel)"'; }

assert_boots() { # assert_boots VIA VERSION [OPTION…]
	local via=$1 version=$2
	shift 2
	assert_equal "$(next_boot "$@")" "boots $via /boot/vmlinuz-$version"
}

# The second run: nothing new, to the nanosecond.
assert_second_run_writes_nothing() {
	local before
	before=$(full_listing)
	sleep 0.02
	run_pvk --prepare "$@"
	assert_equal "$(full_listing)" "$before"
}

outside() { # what of a menu.lst is not between the markers
	sed -e "/^$BEGIN/,/^$END/d" "$1"
}

# --- grub.cfg ---

@test "no menu and nobody who makes one: a grub.cfg of our own, newest kernel first" {
	guest 6.1.0-9 6.1.0-10
	run_pvk --prepare
	assert_status 0
	assert_equal "$stderr" ""
	assert_contains "$output" "$ROOT/$CFG: written: lists 2 kernels"
	assert_boots grub.cfg 6.1.0-10
	grub-script-check "$ROOT/$CFG"
	assert_equal "$(stat -c %a "$ROOT/$CFG")" 644
	[ ! -e "$ROOT/$LST" ]
	assert_second_run_writes_nothing
	assert_status 0
}

@test "our grub.cfg follows the kernels: one comes, one goes" {
	guest 6.1.0-9
	pvk --prepare
	chmod 600 "$ROOT/$CFG"
	guest 6.1.0-10
	run_pvk --prepare
	assert_status 0
	assert_boots grub.cfg 6.1.0-10
	assert_equal "$(stat -c %a "$ROOT/$CFG")" 600
	assert_equal "$(grep -c vmlinuz-6.1.0-10 "$ROOT/$CFG~")" 0
	rm "$ROOT/boot/vmlinuz-6.1.0-10"
	run_pvk --prepare
	assert_status 0
	assert_boots grub.cfg 6.1.0-9
	assert_equal "$(grep -c vmlinuz-6.1.0-10 "$ROOT/$CFG")" 0
}

@test "a kernel without its initrd is listed, and not what boots" {
	guest 6.1.0-9 6.1.0-10
	rm "$ROOT/boot/initrd.img-6.1.0-10"
	run_pvk --prepare
	assert_status 0
	assert_boots grub.cfg 6.1.0-9
	grep -q 'vmlinuz-6\.1\.0-10 ' "$ROOT/$CFG"
	guest 6.1.0-10
	pvk --prepare
	assert_boots grub.cfg 6.1.0-10
}

@test "a kernel that cannot be prepared is not in our menu" {
	guest 6.1.0-9 6.1.0-10
	truncate -s 100000 "$ROOT/boot/vmlinuz-6.1.0-10"
	run_pvk --prepare
	assert_status 1
	assert_boots grub.cfg 6.1.0-9
	assert_equal "$(grep -c vmlinuz-6.1.0-10 "$ROOT/$CFG")" 0
}

@test "a grub.cfg that is not ours is never rewritten: what it lacks is told" {
	local before
	guest 6.1.0-9 6.1.0-10
	printf 'set timeout=1\nmenuentry old {\n linux /boot/vmlinuz-6.1.0-9 root=UUID=%s ro console=hvc0\n initrd /boot/initrd.img-6.1.0-9\n}\n' $UUID >"$ROOT/$CFG"
	before=$(sha256sum "$ROOT/$CFG")
	run_pvk --prepare
	assert_status 0 # it boots: the old one
	assert_contains "$stderr" "has no entry for 6.1.0-10; it is the administrator's, not touched"
	assert_equal "$(sha256sum "$ROOT/$CFG")" "$before"
	assert_boots grub.cfg 6.1.0-9
	run_pvk --prepare # told once, as long as nothing changes
	assert_equal "$status $stderr" "0 "
	run_pvk --prepare --entries-only
	assert_contains "$stderr" "has no entry for 6.1.0-10"
}

@test "our own grub.cfg, once edited, is the administrator's" {
	guest 6.1.0-9
	pvk --prepare
	echo '# mine' >>"$ROOT/$CFG"
	guest 6.1.0-10
	run_pvk --prepare
	assert_contains "$stderr" "not touched"
	assert_equal "$(tail -n 1 "$ROOT/$CFG")" "# mine"
}

@test "entries through links and without an initrd word are understood: nothing is missing" {
	guest 6.1.0-9
	ln -s vmlinuz-6.1.0-9 "$ROOT/boot/vmlinuz"
	ln -s initrd.img-6.1.0-9 "$ROOT/boot/initrd.img"
	printf 'set timeout=1\nmenuentry x {\n linux ($root)/boot/vmlinuz root=UUID=%s console=hvc0\n initrd /boot/initrd.img\n}\n' $UUID >"$ROOT/$CFG"
	run_pvk --prepare
	assert_equal "$status $stderr" "0 "
}

@test "a program of the tree is never run: it is told which one would be" {
	mkdir -p "$ROOT/usr/sbin"
	printf '#!/bin/sh\ntouch "%s/ran"\nexec grub-mkconfig -o /boot/grub/grub.cfg "$@"\n' "$ROOT" >"$ROOT/usr/sbin/update-grub"
	chmod 755 "$ROOT/usr/sbin/update-grub"
	guest 6.1.0-9
	run_pvk --prepare
	assert_status 1 # without a menu it does not boot
	assert_contains "$stderr" "run  chroot $ROOT /usr/sbin/update-grub"
	assert_contains "$stderr" "will NOT come back"
	[ ! -e "$ROOT/ran" ] && [ ! -e "$ROOT/$CFG" ]
}

@test "grub-cfg = never, menu-lst = never: nothing is made" {
	guest 6.1.0-9
	configure 'grub-cfg = never' 'menu-lst = never'
	run_pvk --prepare
	assert_status 1
	assert_equal "$(ls "$ROOT/boot/grub")" ""
}

@test "a tree that is no system yet: kernels are prepared, no menu, no judgement" {
	rm "$ROOT/etc/fstab"
	guest 6.1.0-9
	run_pvk --prepare
	assert_equal "$status $stderr" "0 "
	assert_equal "$(ls "$ROOT/boot/grub")" ""
	[ ! -e "$ROOT/boot/pvkprep/entries" ] || [ "$(tail -n 1 "$ROOT/boot/pvkprep/entries")" = "not judged" ]
}

@test "a /boot of its own: paths begin at its top" {
	guest 6.1.0-9
	printf 'UUID=%s / ext4 defaults 0 1\nUUID=22222222-2222-3333-4444-555555555555 /boot ext4 defaults 0 2\n' $UUID >"$ROOT/etc/fstab"
	run_pvk --prepare
	grep -q 'linux /vmlinuz-6\.1\.0-9 ' "$ROOT/$CFG"
	grep -q 'set=root 22222222' "$ROOT/$CFG"
	grep -q "root=UUID=$UUID" "$ROOT/$CFG"
	assert_boots grub.cfg 6.1.0-9
}

@test "a system in a subvolume of btrfs: the menu tells which, and none is made that could not" {
	local file
	configure 'menu-lst = always'
	guest 6.1.0-9
	printf 'UUID=%s / btrfs noatime,subvolid=256,subvol=/@rootfs 0 0\nUUID=22222222-2222-3333-4444-555555555555 /boot ext4 defaults 0 2\n' $UUID >"$ROOT/etc/fstab"
	pvk --prepare
	for file in $CFG $LST; do
		grep -q "root=UUID=$UUID rootflags=subvol=/@rootfs ro" "$ROOT/$file"
		rm "$ROOT/$file"
	done
	sed -i 's,/@rootfs,@my\\040root,' "$ROOT/etc/fstab"
	run_pvk --prepare
	assert_status 1
	assert_equal "$(ls "$ROOT/boot/grub")" ""
}

# --- menu.lst ---

@test "auto makes a menu.lst only where the loader reads nothing else; always makes one anyway" {
	guest 6.1.0-9
	run_pvk --prepare --profile=pv-grub
	assert_contains "$output" "$ROOT/$LST: written"
	[ ! -e "$ROOT/$CFG" ]
	# fstab names no disk, so that (hd0,0) was assumed: that can be doubted.
	assert_contains "$output" "assumed that /boot is on (hd0,0)"
	rm "$ROOT/$LST"
	printf '/dev/xvda1 / ext4 defaults 0 1\n' >"$ROOT/etc/fstab"
	run_pvk --prepare --profile=pv-grub
	assert_equal "$status $stderr" "0 "
	assert_boots menu.lst 6.1.0-9 --profile=pv-grub
	rm "$ROOT/$LST"
	pvk --prepare
	[ -e "$ROOT/$CFG" ] && [ ! -e "$ROOT/$LST" ]
	configure 'menu-lst = always'
	pvk --prepare
	[ -e "$ROOT/$LST" ]
}

@test "a menu.lst that the loader reads is kept, and no grub.cfg put before it" {
	guest 6.1.0-9
	printf '/dev/xvda1 / ext4 defaults 0 1\n' >"$ROOT/etc/fstab"
	printf 'default 0\ntimeout 3\n%s\n%s\n' "$BEGIN" "$END" >"$ROOT/$LST"
	run_pvk --prepare
	assert_status 0
	assert_boots menu.lst 6.1.0-9
	[ ! -e "$ROOT/$CFG" ]
}

@test "the title that /etc/default/grub gives to update-menu-lst is kept where that program is gone" {
	local value title
	guest 6.1.0-9
	mkdir -p "$ROOT/etc/default"
	printf '/dev/xvda1 / ext4 defaults 0 1\n' >"$ROOT/etc/fstab"
	while IFS='|' read -r value title; do
		printf 'GRUB_DEFAULT=0\ntitle=Old\ntitle=%s\n' "$value" >"$ROOT/etc/default/grub"
		printf 'default 0\ntimeout 3\n%s\n%s\n' "$BEGIN" "$END" >"$ROOT/$LST"
		pvk --prepare
		assert_equal "$(sed -n 's/^title[[:space:]]*//p' "$ROOT/$LST" | head -n 1)" "$title, kernel 6.1.0-9"
	done <<-'EOF'
		"My box"|My box
		'My box'|My box
		Box|Box
		$(hostname)|Old
	EOF
}

@test "a menu.lst whose options tell no root device is left where nothing else tells it" {
	guest 6.1.0-9
	: >"$ROOT/etc/fstab"
	printf '%s\n' 'default 0' 'timeout 3' "$BEGIN" '# kopt=root=/dev/xvda1 ro' 'title Debian, kernel 6.1.0-9' 'root (hd0,0)' \
		'kernel /boot/vmlinuz-6.1.0-9 root=/dev/xvda1 ro console=hvc0' 'initrd /boot/initrd.img-6.1.0-9' "$END" >"$ROOT/$LST"
	cp "$ROOT/$LST" "$ROOT/before"
	run_pvk --prepare
	assert_contains "$output$stderr" "/etc/fstab does not tell the root device"
	assert_same_file "$ROOT/$LST" "$ROOT/before"
}

@test "an administrator's menu.lst: the entry to add is shown, the file not touched" {
	guest 6.1.0-9 6.1.0-10
	printf '/dev/xvda1 / ext4 defaults 0 1\n' >"$ROOT/etc/fstab"
	printf 'default 0\ntimeout 3\ntitle mine\nroot (hd0,0)\nkernel /boot/vmlinuz-6.1.0-9 root=/dev/xvda1 console=hvc0\ninitrd /boot/initrd.img-6.1.0-9\n' >"$ROOT/$LST"
	cp "$ROOT/$LST" "$ROOT/before"
	run_pvk --prepare
	assert_status 0
	assert_contains "$stderr" "has no entry for 6.1.0-10"
	assert_contains "$output" "could be added to it:"
	assert_contains "$output" "kernel"$'\t\t'"/boot/vmlinuz-6.1.0-10 root=/dev/xvda1 ro console=hvc0"
	assert_same_file "$ROOT/$LST" "$ROOT/before"
}

# The matrix of our own generator. Each row says what came of it (on descriptor 3: a comment of TAP).

menu_states="none ours admins options crlf no-newline read-only full"
kernel_sets="one three one-bad"

put_menu() { # put_menu STATE: a menu.lst as somebody may have left it
	local marked="default 0\ntimeout 3\n# above\n\ntitle mine\nroot (hd0,0)\nkernel /boot/mine\n\n$BEGIN\n%s$END\n# below\n"
	case $1 in
	none) ;;
	ours | read-only | full)
		pvk --prepare --profile=pv-grub >/dev/null 2>&1 || true # one kernel may be bad
		sed -i 's/6\.1\.0-10/6.1.0-1x/' "$ROOT/$LST"
		;;
	admins) printf 'default 0\ntimeout 3\ntitle mine\nroot (hd0,0)\nkernel /boot/vmlinuz-6.1.0-10 root=/dev/xvda1 console=hvc0\ninitrd /boot/initrd.img-6.1.0-10\n' >"$ROOT/$LST" ;;
	options)
		# shellcheck disable=SC2059 # the format is ours
		printf "$marked" '## ## Start Default Options ##\n# kopt=root=/dev/xvda1 ro console=hvc0 quiet\n# groot=(hd0,0)\n# howmany=2\n## ## End Default Options ##\n' >"$ROOT/$LST.new"
		printf '%b' "$(cat "$ROOT/$LST.new")" >"$ROOT/$LST"
		rm "$ROOT/$LST.new"
		sed -i '/^title mine/,/^kernel .boot.mine/d' "$ROOT/$LST"
		;;
	crlf) printf 'default 0\r\ntimeout 3\r\n%s\r\n%s\r\n# below\r\n' "$BEGIN" "$END" >"$ROOT/$LST" ;;
	no-newline) printf 'default 0\ntimeout 3\n%s\n%s' "$BEGIN" "$END" >"$ROOT/$LST" ;;
	esac
}

put_kernels() {
	guest 6.1.0-10
	[ "$1" = one ] || guest 6.1.0-9 5.10.0-1
	[ "$1" != one-bad ] || truncate -s 100000 "$ROOT/boot/vmlinuz-6.1.0-9"
}

matrix_cell() { # matrix_cell MENU KERNELS
	local menu=$1 kernels=$2 want=0 before='' text
	rm -rf "${ROOT:?}/boot" && mkdir -p "$ROOT/boot/grub"
	case $menu in full | read-only) mount_tmpfs "$ROOT/boot/grub" size=64k ;; esac
	put_kernels "$kernels"
	put_menu "$menu"
	[ "$kernels" != one-bad ] || want=1 # the kernel itself
	[ ! -e "$ROOT/$LST" ] || before=$(outside "$ROOT/$LST" | sha256sum)
	cp "$ROOT/$LST" "$ROOT/before" 2>/dev/null || : >"$ROOT/before"
	case $menu in
	full) head -c 1000000 /dev/zero >"$ROOT/boot/grub/fill" 2>/dev/null || true ;;
	read-only) mount -o remount,ro "$ROOT/boot/grub" ;;
	esac
	run_pvk --prepare --profile=pv-grub
	case $menu in
	full | read-only)
		assert_status 1
		assert_contains "$stderr" "menu.lst': lists"
		assert_same_file "$ROOT/$LST" "$ROOT/before"
		text="failed, file untouched: $(grep -oE 'No space left on device|Read-only file system' <<<"$stderr" | head -n 1)"
		unmount_tmpfs
		;;
	*)
		assert_status $want
		assert_boots menu.lst 6.1.0-10 --profile=pv-grub
		[ "$menu" = none ] || assert_equal "$(outside "$ROOT/$LST" | sha256sum)" "$before"
		[ "$menu" != admins ] || assert_same_file "$ROOT/$LST" "$ROOT/before"
		if [ "$menu" != none ] && [ "$menu" != admins ]; then assert_same_file "$ROOT/$LST~" "$ROOT/before"; fi
		text="boots 6.1.0-10, $(grep -c '^kernel.*vmlinuz' "$ROOT/$LST") kernel lines"
		assert_second_run_writes_nothing --profile=pv-grub
		assert_status $want
		;;
	esac
	assert_no_temp_files
	printf '# menu.lst %-10s %-8s %s\n' "$menu" "$kernels" "$text" >&3
}

@test "the matrix: a menu.lst in every state x kernels, our own generator" {
	local menu kernels count=0
	printf '/dev/xvda1 / ext4 defaults 0 1\n' >"$ROOT/etc/fstab"
	for menu in $menu_states; do
		for kernels in $kernel_sets; do
			matrix_cell "$menu" "$kernels"
			count=$((count + 1))
		done
	done
	assert_equal "$count" 24
	echo "# $count cells" >&3
}

# --- what holds for each file ---

@test "--dry-run and --entries-only show the same diff, and patch makes the one file out of the other" {
	guest 6.1.0-9
	pvk --prepare
	cp "$ROOT/$CFG" "$ROOT/patched"
	guest 6.1.0-10
	prepare_kernels_only
	local before
	before=$(full_listing)
	run_pvk --prepare --entries-only -n
	assert_status 0
	assert_contains "$output" "would-write: lists 2 kernels"
	assert_equal "$(full_listing)" "$before"
	sed -n '/^--- /,/^[^-+@ ]/p' <<<"$output" | grep -E '^[-+@ ]' >"$ROOT/dry.diff"
	run_pvk --prepare --entries-only
	assert_status 0
	sed -n '/^--- /,/^[^-+@ ]/p' <<<"$output" | grep -E '^[-+@ ]' >"$ROOT/real.diff"
	assert_same_file "$ROOT/dry.diff" "$ROOT/real.diff"
	patch -s "$ROOT/patched" "$ROOT/real.diff"
	assert_same_file "$ROOT/patched" "$ROOT/$CFG"
}

@test "the dry run of all that is to be prepared foresees the menu, and writes nothing" {
	local before
	guest 6.1.0-9 6.1.0-10
	before=$(full_listing)
	run_pvk --prepare -n
	assert_status 0
	assert_contains "$output" "would-write: lists 2 kernels"
	assert_contains "$output" "+menuentry 'Debian GNU/Linux, with Linux 6.1.0-10' {"
	assert_equal "$(full_listing)" "$before"
}

@test "links are followed inside the tree only" {
	guest 6.1.0-9
	mkdir -p "$ROOT/data" "$ROOT/inner"
	ln -s /data/grub.cfg "$ROOT/$CFG" # absolute: the tree's own /data
	run_pvk --prepare
	assert_status 0
	[ -f "$ROOT/data/grub.cfg" ] && [ -L "$ROOT/$CFG" ]
	assert_boots grub.cfg 6.1.0-9
	rm "$ROOT/$CFG"
	ln -s ../../../../../../../outside.cfg "$ROOT/$CFG"
	pvk --prepare
	[ -f "$ROOT/outside.cfg" ] && [ ! -e "$ROOT/../outside.cfg" ]
}

@test "what is no regular file is refused" {
	guest 6.1.0-9
	mkfifo "$ROOT/$CFG"
	run_pvk --prepare
	assert_status 1
	assert_contains "$stderr" "is not a regular file"
	[ -p "$ROOT/$CFG" ]
}

@test "killed at every system call of a run over the entries: each file is old or new, and whole" {
	local call n old=0 new=0 file
	printf '/dev/xvda1 / ext4 defaults 0 1\n' >"$ROOT/etc/fstab"
	configure 'menu-lst = always'
	guest 6.1.0-9
	pvk --prepare
	guest 6.1.0-10
	prepare_kernels_only
	cp -a "$ROOT/boot" "$ROOT/old"
	strace -qq -e signal=none -o "$ROOT/trace" "$PVKPREP" --root "$ROOT" --prepare --entries-only
	cp -a "$ROOT/boot" "$ROOT/new"
	for file in grub.cfg menu.lst; do
		! cmp -s "$ROOT/old/grub/$file" "$ROOT/new/grub/$file" || fail "$file did not change"
	done
	awk -F '(' -v root="\"$ROOT\"" '{ n[$1]++ } /^open/ && index($0, root) { on = 1 } on { print $1, n[$1] }' \
		"$ROOT/trace" >"$ROOT/calls"
	while read -r call n <&4; do
		rm -rf "${ROOT:?}/boot"
		cp -a "$ROOT/old" "$ROOT/boot"
		bash -c 'strace -qq -o /dev/null -e "inject=$1:signal=KILL:when=$2" "${@:3}" || true' - \
			"$call" "$n" "$PVKPREP" --root "$ROOT" --prepare --entries-only >/dev/null 2>&1
		for file in grub.cfg menu.lst; do
			if cmp -s "$ROOT/boot/grub/$file" "$ROOT/old/grub/$file"; then
				old=$((old + 1))
			else
				assert_same_file "$ROOT/boot/grub/$file" "$ROOT/new/grub/$file"
				assert_same_file "$ROOT/boot/grub/$file~" "$ROOT/old/grub/$file"
				new=$((new + 1))
			fi
		done
		run_pvk --prepare --entries-only
		assert_status 0
		for file in grub.cfg menu.lst; do assert_same_file "$ROOT/boot/grub/$file" "$ROOT/new/grub/$file"; done
		assert_no_temp_files
	done 4<"$ROOT/calls"
	echo "# killed $(wc -l <"$ROOT/calls") times: $old old files, $new new ones" >&3
	[ "$old" -gt 100 ] && [ "$new" -gt 100 ] || fail "$old $new"
}

@test "the lock is shared: while another run holds it, nothing is written" {
	guest 6.1.0-9
	run --separate-stderr flock "$ROOT/boot" "$PVKPREP" --root "$ROOT" --prepare --entries-only
	assert_status 1
	assert_contains "$stderr" "another run"
	[ ! -e "$ROOT/$CFG" ]
}

# --- the verdict ---

@test "the guest would not come back: one line with the reason and the cure, exit status 1" {
	guest 6.1.0-9
	rm "$ROOT/boot/initrd.img-6.1.0-9"
	printf 'set timeout=1\nmenuentry x {\n linux /boot/vmlinuz-6.1.0-9 root=UUID=%s console=hvc0\n initrd /boot/gone\n}\n' $UUID >"$ROOT/$CFG"
	run_pvk --prepare
	assert_status 1
	assert_lines "$stderr" 1
	assert_contains "$stderr" "pvkprep: the guest will NOT come back from its next start: "
	assert_contains "$stderr" "what to do: "
	run_pvk --prepare 6.1.0-9 # with a kernel named, too
	assert_status 1
	run_pvk --prepare --json
	assert_status 1
	assert_equal "$(jq -r .verdict <<<"$output")" fails
	# A hook says it too, and does not fail.
	printf '[kernel]\nwhen = always\n' >"$ROOT/etc/pvkprep.conf"
	run_pvk --hook apt
	assert_status 0
	assert_contains "$output" "THE NEXT BOOT WILL FAIL"
}

@test "a kernel that failed does not hide that the next boot fails, nor is another one promised" {
	guest 6.1.0-9
	printf '[kernel]\nwhen = always\n' >"$ROOT/etc/pvkprep.conf"
	pvk --hook apt
	(cd "$ROOT" && echo etc | cpio -o -H newc --quiet) >"$ROOT/boot/initrd.img-6.1.0-9"
	add_kernel 9.9 "$MINI"
	truncate -s 100000 "$ROOT/boot/vmlinuz-9.9"
	run_pvk --hook apt
	assert_status 0
	assert_contains "$output" "pvkprep: THE NEXT BOOT WILL FAIL"
	assert_contains "$output" "KERNEL 9.9 CANNOT BE STARTED"
	[[ $output == *"WILL FAIL"*"CANNOT BE STARTED"* ]] || fail "the verdict comes first"
	assert_lacks "$output" "next boot  "
	# Where it boots, the block says with what.
	"$PVK_SOURCE/scripts/make-initrd" "$RELEASE" >"$ROOT/boot/initrd.img-6.1.0-9"
	run_pvk --hook apt
	assert_lacks "$output" "WILL FAIL"
	assert_contains "$output" "  next boot  6.1.0-9 instead"
}

@test "what is to be done about a kernel that was refused fits the reason, and names the file" {
	local version=9.9 file
	guest 6.1.0-9
	printf '[kernel]\nwhen = always\n' >"$ROOT/etc/pvkprep.conf"
	pvk --hook apt
	add_kernel $version "$MINI"
	cp "$ROOT/boot/initrd.img-6.1.0-9" "$ROOT/boot/initrd.img-$version"
	truncate -s 100000 "$ROOT/boot/vmlinuz-$version"
	run_pvk --hook apt
	assert_contains "$output" "to do      no package owns it: put a sound image at /boot/vmlinuz-$version"
	add_kernel $version "$MINI"
	file=/boot/vmlinuz-$version
	chmod 664 "$ROOT$file"
	rm "$ROOT/boot/pvkprep/"*$version*
	run_pvk --hook apt
	[ -e "$ROOT$file" ] || file=/boot/pvkprep/packaged-$version
	assert_contains "$output" "to do      mend that (the image is $file), then run: pvkprep --prepare $version"
	chmod 644 "$ROOT$file"
	run_pvk --prepare $version
	assert_status 0
	rm "$ROOT/boot/pvkprep/"*$version* # of a package, and damaged
	echo "/boot/vmlinuz-$version" >"$ROOT/var/lib/dpkg/info/linux-image-$version.list"
	head -c 100000 "$MINI" >"$ROOT/boot/vmlinuz-$version"
	run_pvk --hook apt
	assert_contains "$output" "to do      apt-get install --reinstall linux-image-$version"
}

@test "why a kernel was refused is told by every later run" {
	guest 6.1.0-9
	printf '[kernel]\nwhen = always\n' >"$ROOT/etc/pvkprep.conf"
	pvk --hook apt
	head -c 20000 "$MINI" >"$ROOT/boot/vmlinuz-9.9"
	chmod 664 "$ROOT/boot/vmlinuz-9.9"
	run_pvk --hook kernel-postinst 9.9 /boot/vmlinuz-9.9
	assert_contains "$output" "(mode 0664)"
	for _ in 1 2; do
		rm -rf "$ROOT/run"
		run_pvk --hook apt
		assert_contains "$output" "KERNEL 9.9 CANNOT BE STARTED"
		assert_contains "$(jq -r .reason.text "$ROOT/boot/pvkprep/9.9.json")" "(mode 0664)"
	done
	assert_contains "$output" "(mode 0664), and its initrd is missing"
	assert_contains "$output" "(the image is /boot/pvkprep/packaged-9.9)"
}

@test "--restore says that the guest does not come back, where that is so" {
	guest 6.1.0-9
	pvk --prepare
	run_pvk --restore --dry-run
	assert_equal "$status $stderr" "0 "
	run_pvk --restore
	assert_status 0
	assert_contains "$stderr" "pvkprep: through a PV boot loader the guest will NOT come back from its next start: "
	assert_lines "$stderr" 1
	mini_with gzip "$ROOT/boot/vmlinuz-6.1.0-9"
	run_pvk --restore
	assert_equal "$status $stderr" "0 "
}

@test "a guest whose kernels are all gone does not come back; one that never had a menu is no guest yet" {
	printf '[kernel]\nwhen = always\n' >"$ROOT/etc/pvkprep.conf"
	run_pvk --hook apt
	assert_equal "$status $output" "0 "
	guest 6.1.0-9
	run_pvk --prepare
	assert_status 0
	rm "$ROOT"/boot/*6.1.0-9 "$ROOT"/boot/pvkprep/packaged-*
	run_pvk --hook apt
	assert_contains "$output" "THE NEXT BOOT WILL FAIL"
	run_pvk --prepare
	assert_status 1
	assert_contains "$stderr" "will NOT come back"
}

@test "it cannot be told: a warning, exit status 0" {
	guest 6.1.0-9
	printf 'set timeout=1\nsearch --fs-uuid --set=root 99999999-2222-3333-4444-555555555555\nmenuentry x {\n linux (hd7,1)/boot/vmlinuz-6.1.0-9 root=UUID=%s console=hvc0\n initrd /boot/initrd.img-6.1.0-9\n}\n' $UUID >"$ROOT/$CFG"
	run_pvk --prepare
	assert_status 0
	assert_contains "$stderr" "pvkprep: cannot tell whether the guest will come back"
}

@test "what changes while it is judged is judged by the next run" {
	guest 6.1.0-9
	pvk --prepare
	menu "linux /boot/vmlinuz-6.1.0-9 root=UUID=$UUID console=hvc0
 initrd /boot/initrd.img-6.1.0-9"
	strace -f -qq -o "$ROOT/trace" -e trace=clone,clone3,wait4 -e inject=wait4:delay_enter=1500000 \
		"$PVKPREP" --root "$ROOT" --prepare &
	for _ in {1..100}; do
		! grep -q '(' "$ROOT/trace" 2>/dev/null || break
		sleep 0.05
	done
	sleep 0.2
	menu 'linux /boot/gone'
	wait $!
	run_pvk --prepare
	assert_status 1
	assert_contains "$stderr" "will NOT come back"
}

@test "a configuration that another one reads, wherever it is, is looked at each time" {
	guest 6.1.0-9
	mkdir "$ROOT/srv"
	menu "linux /boot/vmlinuz-6.1.0-9 root=UUID=$UUID console=hvc0
 initrd /boot/initrd.img-6.1.0-9"
	mv "$ROOT/$CFG" "$ROOT/srv/x.cfg"
	echo 'source /srv/x.cfg' >"$ROOT/$CFG"
	run_pvk --prepare
	assert_status 0
	sed -i 's/vmlinuz-6/gone-6/' "$ROOT/srv/x.cfg"
	run_pvk --prepare
	assert_status 1
	assert_contains "$stderr" "will NOT come back"
}

@test "another file system than before: the next boot is judged anew" {
	guest 6.1.0-9
	pvk --prepare
	mkdir -p "$ROOT/dev/disk/by-uuid"
	ln -s ../../xvdb1 "$ROOT/dev/disk/by-uuid/$UUID"
	strace -f -o "$ROOT/trace" "$PVKPREP" --root "$ROOT" --prepare
	grep -qE '^[0-9]+ +clone' "$ROOT/trace"
	strace -f -o "$ROOT/trace" "$PVKPREP" --root "$ROOT" --prepare
	run grep -E '^[0-9]+ +clone' "$ROOT/trace"
	assert_equal "$output" ""
}

@test "nothing has changed: nothing is looked at, no worker, no write" {
	guest 6.1.0-9 6.1.0-10
	pvk --prepare
	strace -f -o "$ROOT/trace" "$PVKPREP" --root "$ROOT" --prepare
	run grep -E '^[0-9]+ +(clone|fork|vfork|rename|unlink|fsync|mkdir)[a-z0-9]*\(' "$ROOT/trace"
	assert_equal "$output" ""
	run grep -c 'vmlinuz-.*O_RDONLY' "$ROOT/trace"
	assert_equal "$output" 0
	# Any change that counts is seen.
	sed -i 's/timeout=5/timeout=6/' "$ROOT/$CFG"
	strace -f -o "$ROOT/trace" "$PVKPREP" --root "$ROOT" --prepare
	grep -qE '^[0-9]+ +clone' "$ROOT/trace"
}

@test "--json: entries with path, state and reason" {
	guest 6.1.0-9
	run_pvk --prepare --json
	assert_status 0
	assert_equal "$(jq -r '.entries[] | "\(.path) \(.state)"' <<<"$output" | head -n 2)" \
		"/boot/grub/grub.cfg written"$'\n'"/boot/grub/menu.lst absent"
	assert_equal "$(jq -r '.verdict' <<<"$output")" boots
	python3 -c '
import json, sys, jsonschema
jsonschema.validate(json.loads(sys.argv[2]), json.load(open(sys.argv[1])))' "$PVK_SOURCE/schema/kernels.json" "$output"
	run_pvk --prepare --json
	assert_equal "$(jq -c '[.entries, .verdict]' <<<"$output")" '[[],"boots"]'
}

@test "--entries-only leaves the kernels, and takes no name" {
	guest 6.1.0-9
	run_pvk --prepare --entries-only
	assert_same_file "$ROOT/boot/vmlinuz-6.1.0-9" "$MINI"
	assert_status 1
	assert_contains "$stderr" "will NOT come back"
	run_pvk --prepare --entries-only 6.1.0-9
	assert_status 2
	run_pvk --check --entries-only
	assert_status 2
}

# --- pvboot ---

# grub_image ARCH FILE: what grub-install makes.
grub_image() { grub-mkimage -O "$1-xen" -p /boot/grub -o "$2" ext2 part_msdos normal; }

with_grub_xen() {
	guest 6.1.0-9
	mkdir -p "$ROOT/boot/xen" "$ROOT/boot/grub/x86_64-xen"
	grub_image x86_64 "$ROOT/boot/grub/x86_64-xen/core.elf"
	: >"$ROOT/boot/grub/x86_64-xen/normal.mod"
	PVBOOT=$ROOT/boot/xen/pvboot-x86_64.elf CORE=$ROOT/boot/grub/x86_64-xen/core.elf
}

@test "pvboot: missing beside grub-install's image, it is put in place, and boots" {
	with_grub_xen
	run_pvk --prepare
	assert_status 0
	assert_same_file "$PVBOOT" "$CORE"
	assert_boots pvboot 6.1.0-9
	assert_second_run_writes_nothing
	rm "$PVBOOT"
	run_pvk --prepare --entries-only
	assert_contains "$output" "was missing; grub-install's image"
	assert_lacks "$output" "@@" # no diff of an image
}

@test "pvboot: broken in any way, it is renewed from grub-install's image; the old bytes are kept" {
	local kind
	with_grub_xen
	pvk --prepare
	for kind in empty text cut 32-bit no-notes; do
		case $kind in
		empty) : >"$PVBOOT" ;;
		text) echo "no ELF" >"$PVBOOT" ;;
		cut) head -c 20000 "$CORE" >"$PVBOOT" ;;
		32-bit) grub_image i386 "$PVBOOT" ;;
		no-notes) cp /bin/ls "$PVBOOT" ;;
		esac
		run_pvk --prepare
		assert_status 0
		assert_contains "$output" "pvboot-x86_64.elf: written: "
		assert_same_file "$PVBOOT" "$CORE"
	done
}

@test "pvboot: older than grub-install's image it is renewed, newer it is somebody else's" {
	with_grub_xen
	pvk --prepare
	grub-mkimage -O x86_64-xen -p /elsewhere -o "$PVBOOT" normal
	touch -d '2020-01-01' "$PVBOOT"
	pvk --prepare
	assert_same_file "$PVBOOT" "$CORE"
	grub-mkimage -O x86_64-xen -p /elsewhere -o "$PVBOOT" normal
	touch -d '2038-01-01' "$PVBOOT"
	run_pvk --prepare --entries-only
	! cmp -s "$PVBOOT" "$CORE" || fail "overwritten"
}

@test "pvboot: broken and nothing to renew it from: told, and moved aside on request" {
	guest 6.1.0-9
	mkdir -p "$ROOT/boot/xen"
	echo "no ELF" >"$ROOT/boot/xen/pvboot-x86_64.elf"
	run_pvk --prepare
	assert_status 0 # the loader goes on to grub.cfg
	assert_contains "$stderr" "pvkprep --prepare --entries-only --force moves it aside"
	assert_boots grub.cfg 6.1.0-9
	run_pvk --prepare --entries-only --force --dry-run
	assert_contains "$output" "would-move"
	[ -e "$ROOT/boot/xen/pvboot-x86_64.elf" ]
	run_pvk --prepare --entries-only --force
	assert_status 0
	[ ! -e "$ROOT/boot/xen/pvboot-x86_64.elf" ] && [ -e "$ROOT/boot/xen/pvboot-x86_64.elf.broken" ]
}

@test "pvboot: auto invents none, never leaves all as it is" {
	guest 6.1.0-9
	pvk --prepare
	[ ! -e "$ROOT/boot/xen" ]
	with_grub_xen
	configure 'pvboot = never'
	echo "no ELF" >"$PVBOOT"
	run_pvk --prepare
	assert_equal "$(cat "$PVBOOT")" "no ELF"
}

@test "pvboot: grub-install's image without its modules is not put in place" {
	with_grub_xen
	rm "$ROOT/boot/grub/x86_64-xen/normal.mod"
	run_pvk --prepare
	[ ! -e "$PVBOOT" ]
	assert_boots grub.cfg 6.1.0-9
}

@test "pvboot: one of 32 bits is judged by its own width" {
	guest 6.1.0-9
	mkdir -p "$ROOT/boot/xen"
	grub_image i386 "$ROOT/boot/xen/pvboot-i386.elf"
	run_pvk --prepare
	assert_equal "$status $stderr" "0 "
	grub_image x86_64 "$ROOT/boot/xen/pvboot-i386.elf"
	run_pvk --prepare
	assert_contains "$stderr" "is not an ELF file of 32 bits"
}
