#!/usr/bin/env bats
# shellcheck disable=SC2154
# --check: the verdict, the reason and the cure, on trees made by hand. What a real GRUB says of
# the same kinds of configuration is for tests/bootcfg and tests/xen.

load lib.bash

UUID=11111111-2222-3333-4444-555555555555

# make_initrd VERSION [module path]: init, and the driver of the root disk.
make_initrd() {
	local dir=$BATS_TEST_TMPDIR/initrd
	rm -rf "$dir"
	mkdir -p "$dir/lib/modules/$1/kernel/drivers/block"
	: >"$dir/lib/modules/$1/kernel/drivers/block/${2:-xen-blkfront.ko}"
	printf '#!/bin/sh\n' >"$dir/init"
	chmod 755 "$dir/init"
	(cd "$dir" && find . | sort | cpio -o -H newc --quiet | gzip -n) >"$ROOT/boot/initrd.img-$1"
}

# add_guest VERSION: a guest with one packaged kernel (payload LZ4), its modules and initrd.
add_guest() {
	need cpio python3
	add_kernel "$1" "$MINI"
	mini_with lz4 "$ROOT/boot/vmlinuz-$1"
	mkdir -p "$ROOT/lib/modules/$(kernel_release)" "$ROOT/boot/grub" "$ROOT/etc"
	make_initrd "$(kernel_release)"
	[ "$1" = "$(kernel_release)" ] || mv "$ROOT/boot/initrd.img-$(kernel_release)" "$ROOT/boot/initrd.img-$1"
	printf 'UUID=%s / ext4 defaults 0 1\n' $UUID >"$ROOT/etc/fstab"
}

# What the small kernel calls itself.
kernel_release() {
	"$PVKPREP" --inspect --json "$MINI" |
		python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["kernel_version"].split()[0])'
}

entry() { # entry TITLE VERSION [more of the command line]
	cat <<-EOF
		menuentry '$1' --id 'id-$2' {
			insmod gzio
			search --no-floppy --fs-uuid --set=root $UUID
			linux /boot/vmlinuz-$2 root=UUID=$UUID ro console=hvc0${3:+ $3}
			initrd /boot/initrd.img-$2
		}
	EOF
}

grub_cfg() { # the rest of the file on standard input
	{
		printf 'set default=0\nset timeout=5\n'
		cat
	} >"$ROOT/boot/grub/grub.cfg"
}

# Runs --check as JSON and puts its parts into variables.
check() {
	run --separate-stderr "$PVKPREP" --root "$ROOT" --check --json "$@"
	verdict=$(field 'd["verdict"]')
}

field() { # field EXPRESSION: of the JSON that `check` got, as d
	printf '%s' "$output" | python3 -c "import json,sys; d=json.load(sys.stdin); print($1)"
}

state_of() { field "next((s['state'] for s in d['chain'] if s['path'] == '$1'), 'none')"; }
fix_of() { field "next((f['fix'] for f in d['findings'] if f['code'] == '$1'), 'no finding')"; }
has_finding() { [ "$(field "'$1' in [f['code'] for f in d['findings']]")" = True ] || fail "no finding $1"; }
lacks_findings() { assert_equal "$(field "[f['code'] for f in d['findings'] if f['severity'] != 'info']")" "[]"; }

@test "a kernel that was not prepared: the guest does not come back, and the cure is named" {
	add_guest 1
	entry Debian 1 | grub_cfg
	check
	assert_status 1
	assert_equal "$verdict" fails
	has_finding kernel-refused
	assert_contains "$output" '\"not xen image\"'
	assert_equal "$(field 'd["boot"]')" None
	run_pvk --check
	assert_status 1
	assert_contains "$output" "what to do: pvkprep --root $ROOT --prepare"
	assert_contains "$output" "verdict: the guest will NOT come back"
}

@test "the same guest prepared: it boots, without a finding" {
	add_guest 2
	entry Debian 2 | grub_cfg
	pvk --prepare
	check
	assert_status 0
	assert_equal "$verdict" boots
	lacks_findings
	assert_equal "$(field 'd["boot"]["kernel"]')" /boot/vmlinuz-2
	assert_equal "$(field 'd["boot"]["initrd"]')" "['/boot/initrd.img-2']"
	assert_equal "$(field 'd["boot"]["cmdline"]')" "root=UUID=$UUID ro console=hvc0"
	assert_equal "$(field 'd["boot"]["entry"]')" id-2
	assert_equal "$(state_of /boot/grub/grub.cfg)" used
	assert_equal "$(state_of /boot/grub/menu.lst)" not-reached
	assert_equal "$(field 'd["kernels"][0]["default"]')" True
}

@test "--check --json is what schema/check.json says, good or bad" {
	add_guest 3
	entry Debian 3 | grub_cfg
	for _ in 1 2; do
		check
		printf '%s' "$output" | python3 -c '
import json, sys, jsonschema
jsonschema.validate(json.load(sys.stdin), json.load(open(sys.argv[1])))' "$PVK_SOURCE/schema/check.json"
		pvk --prepare
	done
}

@test "--check writes nothing" {
	local before
	add_guest 4
	entry Debian 4 | grub_cfg
	pvk --prepare
	before=$(full_listing)
	check
	assert_equal "$(full_listing)" "$before"
}

@test "an initrd that is not there: the kernel starts, the guest does not come back" {
	add_guest 5
	entry Debian 5 | grub_cfg
	pvk --prepare
	rm "$ROOT/boot/initrd.img-5"
	check
	assert_status 1
	assert_equal "$(field 'd["boot"]["kernel"]')" /boot/vmlinuz-5
	has_finding initrd-missing
}

@test "an initrd that was cut, is empty, or lacks the driver of the root disk" {
	local whole=$BATS_TEST_TMPDIR/whole
	add_guest 6
	entry Debian 6 | grub_cfg
	pvk --prepare
	cp "$ROOT/boot/initrd.img-6" "$whole"
	head -c 150 "$whole" >"$ROOT/boot/initrd.img-6"
	check
	assert_status 1
	has_finding initrd-damaged
	: >"$ROOT/boot/initrd.img-6"
	check
	assert_status 1
	make_initrd "$(kernel_release)" other.ko
	[ "$(kernel_release)" = 6 ] || mv "$ROOT/boot/initrd.img-$(kernel_release)" "$ROOT/boot/initrd.img-6"
	check
	assert_status 3
	has_finding blkfront-unknown
	: >"$ROOT/lib/modules/$(kernel_release)/modules.builtin"
	check
	assert_status 1
	has_finding initrd-without-blkfront
	echo kernel/drivers/block/xen-blkfront.ko >"$ROOT/lib/modules/$(kernel_release)/modules.builtin"
	check
	assert_status 0
}

@test "an /init that the kernel cannot run: it fails; one that is not there is passed over" {
	local dir=$BATS_TEST_TMPDIR/initrd path expected
	pack() { (cd "$dir" && find . | sort | cpio -o -H newc --quiet) >"$ROOT/boot/initrd.img-6"; }
	add_guest 6
	entry Debian 6 | grub_cfg
	pvk --prepare
	check
	assert_status 0
	chmod 644 "$dir/init" && pack
	check
	assert_status 1
	has_finding initrd-without-init
	# rdinit= names another: in it, perhaps in it (behind a link of a directory), or not, when the
	# kernel mounts its root by itself, which by UUID it cannot.
	mkdir -p "$dir/usr/bin" && echo x >"$dir/usr/bin/x" && chmod 755 "$dir/usr/bin/x" && pack
	while read -r path expected; do
		entry Debian 6 "rdinit=$path" | grub_cfg
		check
		assert_equal "$path: $status" "$path: $expected"
	done <<-EOF
		/usr/bin/x 0
		//usr/bin/x 0
		/bin/x 3
		/usr/bin/y 1
		/x 1
	EOF
	has_finding root-needs-initrd
	entry Debian 6 | grub_cfg
	rm "$dir/init" && : >"$dir/init" && chmod 755 "$dir/init" && pack
	check
	assert_status 1
	ln -sf usr/lib/systemd/systemd "$dir/init" && pack
	check
	assert_status 1
	has_finding initrd-without-init
	# Where /lib leads to usr/lib, and where it is made at run time, nothing is wrong.
	mkdir -p "$dir/usr/lib/systemd" && echo x >"$dir/usr/lib/systemd/systemd"
	ln -sf /lib/systemd/systemd "$dir/init" && pack
	check
	assert_status 0
	ln -sf /run/init "$dir/init" && pack
	check
	assert_status 0
}

@test "an initrd with modules, and without the driver of the root's file system: it fails" {
	local release builtin
	release=$(kernel_release)
	builtin=$ROOT/lib/modules/$release/modules.builtin
	add_guest 6
	entry Debian 6 | grub_cfg
	pvk --prepare
	echo kernel/fs/binfmt_script.ko >"$builtin"
	check
	assert_status 1
	has_finding initrd-without-fs
	entry Debian 6 boot=live | grub_cfg # its root is another one
	check
	assert_status 0
	entry Debian 6 | grub_cfg
	echo kernel/fs/ext4/ext4.ko >>"$builtin"
	check
	assert_status 0
	echo kernel/fs/binfmt_script.ko >"$builtin"
	mkdir -p "$BATS_TEST_TMPDIR/initrd/lib/modules/$release/kernel/fs"
	: >"$BATS_TEST_TMPDIR/initrd/lib/modules/$release/kernel/fs/ext4.ko.xz"
	(cd "$BATS_TEST_TMPDIR/initrd" && find . | cpio -o -H newc --quiet) >"$ROOT/boot/initrd.img-6"
	check
	assert_status 0
	rm "$builtin" # nothing tells what is built in
	check
	assert_status 0
}

@test "mem= that leaves less than kernel and initrd take: it fails" {
	add_guest 6
	for row in mem=1M:1 mem=1024k:1 mem=0x100000:1 mem=512M:0 mem=1g:0 mem=nopentium:0; do
		entry Debian 6 "${row%:*}" | grub_cfg
		pvk --prepare >/dev/null 2>&1 || true
		check
		assert_status "${row#*:}"
	done
}

@test "an initrd of microcode alone is as good as none: what the kernel has built in decides" {
	local dir=$BATS_TEST_TMPDIR/early builtin
	builtin=$ROOT/lib/modules/$(kernel_release)/modules.builtin
	add_guest 6
	pvk --prepare
	mkdir -p "$dir/kernel/x86/microcode"
	echo x >"$dir/kernel/x86/microcode/GenuineIntel.bin"
	(cd "$dir" && find . | sort | cpio -o -H newc --quiet) >"$ROOT/boot/initrd.img-6"
	printf '/dev/xvda1 / ext4 defaults 0 1\n' >"$ROOT/etc/fstab"
	printf 'kernel/drivers/block/xen-blkfront.ko\nkernel/fs/ext4/ext4.ko\n' >"$builtin"
	entry Debian 6 | sed "s,root=UUID=$UUID,root=/dev/xvda1," | grub_cfg
	check
	assert_status 0
	lacks_findings
	has_finding initrd-without-init
	entry Debian 6 | grub_cfg
	check
	assert_status 1
	has_finding root-needs-initrd
	entry Debian 6 | sed "s,root=UUID=$UUID,root=/dev/xvda1," | grub_cfg
	sed -i /ext4/d "$builtin"
	check
	assert_status 1
	has_finding root-needs-initrd
	: >"$builtin"
	check
	assert_status 1
	has_finding initrd-without-blkfront
}

# made_by FILE: the initrd is one that has that file in it; whose it is is known by that.
made_by() {
	local dir=$BATS_TEST_TMPDIR/initrd
	mkdir -p "$dir/$(dirname "$1")"
	: >"$dir/$1"
	(cd "$dir" && find . | sort | cpio -o -H newc --quiet) >"$ROOT/boot/initrd.img-6"
	rm "$dir/$1"
}

@test "a command line that ends in a shell: the guest does not come back" {
	local word verdicts maker
	add_guest 6
	pvk --prepare
	while read -r verdicts word; do
		for maker in etc/none conf/initramfs.conf usr/lib/dracut-lib.sh; do
			made_by "$maker"
			entry Debian 6 "$word" | grub_cfg
			check
			assert_equal "$word, $maker: $verdict" "$word, $maker: ${verdicts%%,*}"
			[ "$verdict" = boots ] || has_finding stops-at-shell
			verdicts=${verdicts#*,}
		done
	done <<-EOF
		fails,fails,fails init=/bin/bash
		fails,fails,fails init=/usr/bin/sh
		fails,fails,fails quiet single
		fails,fails,fails emergency
		fails,fails,fails 3 s
		fails,fails,fails S
		fails,fails,fails 1
		boots,boots,boots single 3
		boots,boots,boots mitigations=off,s a1 s1 foo=single
		boots,boots,boots init=/sbin/init
		unknown,unknown,unknown rescue
		unknown,unknown,unknown systemd.unit=rescue.target
		unknown,unknown,unknown systemd.unit=emergency.target
		unknown,unknown,unknown init=/opt/init single
		fails,fails,fails init=/lib/systemd/systemd single
		boots,boots,boots single systemd.unit=multi-user.target
		unknown,fails,boots break
		unknown,fails,boots break=init
		unknown,fails,boots break=x,mount
		boots,boots,boots break=no
		unknown,boots,fails rd.break
		unknown,boots,fails rd.break=pre-mount
		boots,boots,boots rd.break=shutdown
	EOF
	entry Debian 6 rdinit=/bin/sh | grub_cfg
	mkdir "$BATS_TEST_TMPDIR/initrd/bin"
	printf x >"$BATS_TEST_TMPDIR/initrd/bin/sh" && chmod 755 "$BATS_TEST_TMPDIR/initrd/bin/sh"
	made_by etc/none
	check
	assert_status 1
	has_finding stops-at-shell
}

@test "rescue is a word of systemd's, and no word of another init" {
	add_guest 6
	pvk --prepare
	entry Debian 6 rescue | grub_cfg
	mkdir -p "$ROOT/usr/sbin" "$ROOT/usr/bin" "$ROOT/usr/lib/systemd" "$ROOT/lib"
	ln -s usr/sbin "$ROOT/sbin"
	ln -s ../usr/lib/systemd "$ROOT/lib/systemd"
	echo systemd >"$ROOT/usr/lib/systemd/systemd"
	echo sysvinit >"$ROOT/usr/sbin/init"
	check
	assert_status 0
	ln -sf /lib/systemd/systemd "$ROOT/usr/sbin/init"
	check
	assert_status 1
	has_finding stops-at-shell
}

@test "an init= that cannot be run: a panic, or passed over, as the initrd does" {
	local init expected
	menu() { printf 'set timeout=1\nmenuentry A {\n\tlinux /boot/vmlinuz-6 root=/dev/xvda1 console=hvc0 init=%s\n%s\n}\n' "$init" "$1" >"$ROOT/boot/grub/grub.cfg"; }
	add_guest 6
	pvk --prepare
	printf '/dev/xvda1 / ext4 defaults 0 1\n' >"$ROOT/etc/fstab"
	printf 'kernel/drivers/block/xen-blkfront.ko\nkernel/fs/ext4/ext4.ko\n' >"$ROOT/lib/modules/$(kernel_release)/modules.builtin"
	mkdir -p "$ROOT/usr/bin" "$ROOT/sbin" "$ROOT/opt"
	echo x | tee "$ROOT/sbin/init" "$ROOT/opt/init" >"$ROOT/opt/plain"
	chmod 755 "$ROOT/sbin/init" "$ROOT/opt/init"
	# Without an initrd; with one of unknown making; with initramfs-tools'.
	while read -r init expected; do
		menu ''
		check
		assert_equal "$init: $verdict" "$init: ${expected%%,*}"
		[ "$verdict" = boots ] || has_finding init-missing
		made_by etc/none
		menu 'initrd /boot/initrd.img-6'
		check
		assert_equal "$init: $verdict" "$init: ${expected#*,}"
		made_by conf/initramfs.conf
		check
		assert_equal "$init: $verdict" "$init: boots"
	done <<-EOF
		/opt/init boots,boots
		/opt/gone fails,unknown
		/opt/plain fails,unknown
		/opt fails,unknown
	EOF
	printf '/dev/xvdb1 /opt ext4 defaults 0 1\n' >>"$ROOT/etc/fstab" # another file system may have it
	made_by etc/none
	init=/opt/gone && menu 'initrd /boot/initrd.img-6'
	check
	assert_equal "$verdict" boots
}

@test "in a tree the name that fstab has for the root may be an old one; a PARTUUID is looked up" {
	local source root expected
	add_guest 6
	pvk --prepare
	while read -r source root expected; do
		printf '%s / ext4 defaults 0 1\n' "$source" >"$ROOT/etc/fstab"
		entry Debian 6 | sed "s,root=UUID=$UUID,root=$root," | grub_cfg
		check
		assert_equal "$source $root: $verdict" "$source $root: $expected"
	done <<-EOF
		/dev/xvda1 /dev/xvda1 boots
		/dev/sda1 /dev/xvda1 unknown
		/dev/xvda1 /dev/sda1 unknown
		/dev/sda1 /dev/mapper/vg-root unknown
		/dev/xvda1 /dev/xvda2 fails
		UUID=12-34 /dev/xvda1 boots
		PARTUUID=ab-01 PARTUUID=AB-01 boots
		PARTUUID=ab-01 /dev/disk/by-partuuid/ab-01 boots
		PARTUUID=ab-01 PARTUUID=ab-02 fails
		PARTUUID=ab-01 PARTUUID=ab-02/PARTNROFF=-1 boots
		UUID=12-34 PARTUUID=ab-01 boots
	EOF
}

@test "in a tree fstab tells that the root is a subvolume: without rootflags= it is not known" {
	local flags expected
	add_guest 6
	pvk --prepare
	printf 'UUID=%s / btrfs subvol=@rootfs 0 1\n' $UUID >"$ROOT/etc/fstab"
	while read -r flags expected; do
		entry Debian 6 "$flags" | grub_cfg
		check
		assert_equal "$flags: $verdict" "$flags: $expected"
	done <<-EOF
		quiet unknown
		rootflags=noatime unknown
		rootflags=subvol=@rootfs boots
		rootflags=noatime,subvolid=256 boots
		boot=live boots
	EOF
	entry Debian 6 | grub_cfg
	check
	has_finding root-subvolume
	printf 'UUID=%s / btrfs defaults 0 1\n' $UUID >"$ROOT/etc/fstab"
	check
	assert_status 0
}

@test "a root with a system in it and no init: it fails" {
	add_guest 6
	entry Debian 6 | grub_cfg
	pvk --prepare
	mkdir -p "$ROOT/usr/bin" "$ROOT/usr/lib/systemd"
	check
	assert_status 1
	has_finding root-without-init
	ln -s usr/sbin "$ROOT/sbin" && mkdir "$ROOT/usr/sbin"
	ln -s /lib/systemd/systemd "$ROOT/usr/sbin/init" # to nothing
	check
	assert_status 1
	echo x >"$ROOT/usr/lib/systemd/systemd"
	check
	assert_status 0
}

@test "a prepared kernel that was cut short is refused" {
	add_guest 7
	entry Debian 7 | grub_cfg
	pvk --prepare
	truncate -s 200000 "$ROOT/boot/vmlinuz-7"
	check
	assert_status 1
	has_finding kernel-refused
}

@test "no configuration at all: nothing to boot" {
	add_guest 8
	check
	assert_status 1
	has_finding nothing-to-boot
	assert_equal "$(state_of /boot/grub/grub.cfg)" absent
}

@test "a broken pvboot costs a step, and grub.cfg is read" {
	add_guest 9
	entry Debian 9 | grub_cfg
	pvk --prepare
	mkdir "$ROOT/boot/xen"
	head -c 5000 /dev/zero >"$ROOT/boot/xen/pvboot-x86_64.elf"
	check
	assert_status 0
	assert_equal "$(state_of /boot/xen/pvboot-x86_64.elf)" failed
	assert_equal "$(state_of /boot/grub/grub.cfg)" used
	has_finding pvboot-broken
}

@test "the saved entry of grubenv does not count for the hoster's GRUB, whose prefix is its own" {
	add_guest 10a
	add_guest 10b
	pvk --prepare
	{
		printf 'if [ -s $prefix/grubenv ]; then load_env; fi\nset default="${saved_entry}"\n'
		entry First 10a
		entry Second 10b
	} | grub_cfg
	{
		printf '# GRUB Environment Block\nsaved_entry=id-10b\n'
		head -c 979 /dev/zero | tr '\0' '#'
	} >"$ROOT/boot/grub/grubenv"
	check
	assert_status 0
	assert_equal "$(field 'd["boot"]["entry"]')" id-10a
	# Named by its path it does count.
	{
		printf 'load_env --file /boot/grub/grubenv\nset default="${saved_entry}"\n'
		entry First 10a
		entry Second 10b
	} | grub_cfg
	check
	assert_equal "$(field 'd["boot"]["entry"]')" id-10b
}

@test "menu.lst alone: bitfolk's loader reads it, debian's does not" {
	add_guest 11
	cat >"$ROOT/boot/grub/menu.lst" <<-EOF
		default 0
		timeout 3
		title Debian
		kernel /boot/vmlinuz-11 root=UUID=$UUID ro console=hvc0
		initrd /boot/initrd.img-11
	EOF
	pvk --prepare
	check
	assert_status 0
	assert_equal "$(field 'd["boot"]["via"]')" menu.lst
	check --profile=debian
	assert_status 1
	has_finding nothing-to-boot
	check --profile=pygrub
	assert_status 0
}

@test "a menu that waits for ever is no boot" {
	add_guest 12
	entry Debian 12 | grub_cfg
	pvk --prepare
	sed -i 's/timeout=5/timeout=-1/' "$ROOT/boot/grub/grub.cfg"
	check
	assert_status 1
	has_finding loader-waits
}

@test "root= that no file system answers to" {
	add_guest 13
	entry Debian 13 | sed "s/root=UUID=$UUID/root=UUID=deadbeef/" | grub_cfg
	run_pvk --prepare # says so, too
	check
	assert_status 1
	has_finding root-not-found
}

@test "warnings: no console, a command line that is too long, no modules" {
	add_guest 14
	entry Debian 14 "$(printf 'x%.0s' {1..1000})" | sed 's/ console=hvc0//' | grub_cfg
	pvk --prepare
	rmdir "$ROOT/lib/modules/$(kernel_release)"
	check
	assert_status 0
	has_finding no-console
	has_finding cmdline-too-long
	has_finding modules-missing
}

@test "a separate /boot: paths begin at its top" {
	add_guest 15
	printf 'UUID=%s / ext4 defaults 0 1\nUUID=%s /boot ext4 defaults 0 2\n' $UUID 99999999-2222-3333-4444-555555555555 >"$ROOT/etc/fstab"
	pvk --prepare
	entry Debian 15 | sed -e "s,search.*,search --no-floppy --fs-uuid --set=root 99999999-2222-3333-4444-555555555555," -e 's, /boot/, /,' | grub_cfg
	check
	assert_status 0
	assert_equal "$(field 'd["boot"]["config"]')" /boot/grub/grub.cfg
	assert_equal "$(field 'd["boot"]["kernel"]')" /boot/vmlinuz-15
	assert_equal "$(field '[s["state"] for s in d["chain"]].index("used")')" 3
}

@test "the installed kernels that no loader takes are told, though another one boots" {
	add_guest 16
	entry Debian 16 | grub_cfg
	pvk --prepare
	add_kernel 16-new "$MINI"
	mini_with zstd "$ROOT/boot/vmlinuz-16-new"
	check
	assert_status 0
	has_finding kernel-not-loadable
}

@test "what cannot be read is unknown, not guessed" {
	add_guest 17
	entry Debian 17 | grub_cfg
	pvk --prepare
	chmod 600 "$ROOT/boot/grub/grub.cfg" "$ROOT"/boot/vmlinuz-17
	chmod 755 "$ROOT"
	run --separate-stderr setpriv --reuid 65534 --regid 65534 --clear-groups "$PVKPREP" --root "$ROOT" --check --json
	verdict=$(field 'd["verdict"]')
	assert_status 3
	assert_equal "$verdict" unknown
}

@test "cures for a tree name the tree, and a name with a blank is quoted" {
	add_guest 18
	entry Debian 18 | grub_cfg
	mv "$ROOT" "$ROOT two"
	ROOT+=" two"
	check
	assert_equal "$(fix_of kernel-refused)" "pvkprep --root '$ROOT' --prepare"
	rm "$ROOT/boot/grub/grub.cfg"
	check
	assert_equal "$(fix_of nothing-to-boot)" "pvkprep --root '$ROOT' --prepare"
	mkdir -p "$ROOT/usr/sbin"
	echo "grub-mkconfig -o /boot/grub/grub.cfg" >"$ROOT/usr/sbin/update-grub"
	check
	assert_equal "$(fix_of nothing-to-boot)" \
		"unshare --mount sh -c 'for d in dev proc sys; do mount --bind /\$d \"\$0/\$d\"; done; chroot \"\$0\" update-grub' '$ROOT'"
	mkdir -p "$ROOT/proc/self" # they are mounted there already
	check
	assert_equal "$(fix_of nothing-to-boot)" "chroot '$ROOT' update-grub"
}

# In a mount namespace of its own: what the cure leaves behind must not outlive it.
@test "the cure for a tree has what it needs mounted, and leaves nothing mounted" {
	local bin=$BATS_TEST_TMPDIR/bin
	add_guest 36
	mkdir -p "$bin" "$ROOT"/{dev,proc,sys} "$ROOT/usr/sbin"
	echo "grub-mkconfig -o /boot/grub/grub.cfg" >"$ROOT/usr/sbin/update-grub"
	printf '#!/bin/sh\n[ -e "$1/proc/self" ] && [ -e "$1/dev/null" ] && [ -d "$1/sys/kernel" ] && echo "in $*"\n' >"$bin/chroot"
	chmod 755 "$bin/chroot"
	check
	FIX=$(fix_of nothing-to-boot) PATH=$bin:$PATH ROOT=$ROOT run unshare --mount --propagation private sh -c \
		'sh -c "$FIX"; echo "left: $(grep -c " $ROOT/" /proc/self/mounts)"'
	assert_equal "$output" "in $ROOT update-grub
left: 0"
}

@test "a damaged kernel is cured by the image that is kept, or by its package, or by nothing we know" {
	add_guest 27
	entry Debian 27 | grub_cfg
	mkdir -p "$ROOT/proc/self"
	(cd "$ROOT" && md5sum boot/vmlinuz-27) >"$ROOT/var/lib/dpkg/info/linux-image-27.md5sums"
	pvk --prepare
	truncate -s 200000 "$ROOT/boot/vmlinuz-27"
	check
	assert_equal "$(fix_of kernel-refused)" "pvkprep --root $ROOT --prepare"
	pvk --prepare
	check
	assert_status 0
	pvk --restore
	truncate -s 200000 "$ROOT/boot/vmlinuz-27"
	check
	assert_status 1
	assert_equal "$(fix_of kernel-refused)" "chroot $ROOT apt-get install --reinstall linux-image-27"
	rm "$ROOT/boot/vmlinuz-27"
	mkdir "$ROOT/lib/modules/27"
	check
	assert_equal "$(fix_of no-kernel)" "chroot $ROOT apt-get install --reinstall linux-image-27"
	mini_with lz4 "$ROOT/boot/vmlinuz-27"
	truncate -s 200000 "$ROOT/boot/vmlinuz-27"
	rm "$ROOT/var/lib/dpkg/info/linux-image-27.md5sums"
	check
	assert_equal "$(fix_of kernel-refused)" ""
}

@test "no cure holds what a shell would take for more than words" {
	local version='28;$(reboot)'
	add_guest 28
	mv "$ROOT/boot/vmlinuz-28" "$ROOT/boot/vmlinuz-$version"
	(cd "$ROOT" && md5sum "boot/vmlinuz-$version") >"$ROOT/var/lib/dpkg/info/linux-image-x-$version.md5sums"
	truncate -s 200000 "$ROOT/boot/vmlinuz-$version"
	entry Debian 28 | sed "s,vmlinuz-28,'vmlinuz-$version'," | grub_cfg
	check
	assert_status 1
	has_finding kernel-refused
	assert_equal "$(field "[f['fix'] for f in d['findings']].count('')")" "$(field "len(d['findings'])")"
}

@test "a menu that names only kernels that are gone: whoever made it makes it anew" {
	add_guest 29
	pvk --prepare
	mkdir -p "$ROOT/proc/self" "$ROOT/usr/sbin"
	{
		echo '# It is automatically generated by grub-mkconfig using templates'
		entry Debian 29 | sed 's/vmlinuz-29/vmlinuz-gone/'
	} | grub_cfg
	check
	assert_status 1
	assert_equal "$(fix_of loader-waits)" ""
	printf '#!/bin/sh\nexec grub-mkconfig -o /boot/grub/grub.cfg "$@"\n' >"$ROOT/usr/sbin/update-grub"
	check
	assert_equal "$(fix_of loader-waits)" "chroot $ROOT update-grub"
	sed -i '/generated/d' "$ROOT/boot/grub/grub.cfg" # the administrator's: nobody may make it anew
	check
	assert_equal "$(fix_of loader-waits)" ""
	rm "$ROOT/boot/grub/grub.cfg"
	printf '%s\n' 'default 0' 'timeout 3' '### BEGIN AUTOMAGIC KERNELS LIST' "# kopt=root=UUID=$UUID ro console=hvc0" \
		'title Gone' 'kernel /boot/vmlinuz-gone' '### END DEBIAN AUTOMAGIC KERNELS LIST' >"$ROOT/boot/grub/menu.lst"
	check
	assert_status 1
	assert_equal "$(fix_of loader-waits)" "pvkprep --root $ROOT --prepare"
	pvk --prepare
	grep -q 'kernel.*vmlinuz-29 ' "$ROOT/boot/grub/menu.lst"
}

@test "a separate /boot: each place once, and what is started below the one that names it" {
	add_guest 30
	printf 'UUID=%s / ext4 defaults 0 1\nUUID=%s /boot ext4 defaults 0 2\n' $UUID 99999999-2222-3333-4444-555555555555 >"$ROOT/etc/fstab"
	entry Debian 30 | sed -e "s,search.*,search --no-floppy --fs-uuid --set=root 99999999-2222-3333-4444-555555555555," -e 's, /boot/, /,' | grub_cfg
	run_pvk --check
	assert_status 1
	assert_contains "$output" "the loader refuses /boot/vmlinuz-30"
	assert_lacks "$output" kernel-not-loadable
	pvk --prepare
	run_pvk --check
	assert_status 0
	assert_equal "$(grep -c '^    kernel ' <<<"$output")" 1
	assert_equal "$(grep -c '^  . /boot/grub/grub.cfg ' <<<"$output")" 1
	assert_contains "$output" "* /grub/grub.cfg                 used (here /boot/grub/grub.cfg)"
}

@test "a kernel that is withheld is told" {
	add_guest 31
	entry Debian 31 | grub_cfg
	pvk --prepare
	mkdir -p "$ROOT/boot/pvkprep"
	mini_with lz4 "$ROOT/boot/pvkprep/packaged-31-new"
	printf '/boot/vmlinuz-31-new\n' >"$ROOT/var/lib/dpkg/info/linux-image-31-new.list"
	printf '/boot/vmlinuz-31-new\n/boot/pvkprep/packaged-31-new\npvkprep\n' >>"$ROOT/var/lib/dpkg/diversions"
	check
	assert_status 0
	has_finding kernel-not-loadable
	assert_contains "$output" "withheld"
	assert_equal "$(field "[(k['version'], k['state']) for k in d['kernels']][0]")" "('31-new', 'withheld')"
}

@test "an LZO payload without a size word boots, and one with it does not" {
	add_guest 19
	entry Debian 19 | grub_cfg
	lzop -9 <"$PVK_MINI/vmlinux" >"$BATS_TEST_TMPDIR/lzo"
	"$REPACK" replace "$MINI" "$BATS_TEST_TMPDIR/lzo" "$ROOT/boot/vmlinuz-19" -
	check
	assert_status 0
	mini_with lzo "$ROOT/boot/vmlinuz-19"
	check
	assert_status 1
	has_finding kernel-refused
}

@test "a bzImage inside gzip boots if GRUB can read its payload, with junk behind it too" {
	add_guest 20
	entry Debian 20 | grub_cfg
	mini_with xz "$BATS_TEST_TMPDIR/xz"
	gzip -n <"$BATS_TEST_TMPDIR/xz" >"$ROOT/boot/vmlinuz-20"
	check
	assert_status 0
	printf junk >>"$ROOT/boot/vmlinuz-20"
	check
	assert_status 0
	printf '\0\0\0\0' >>"$ROOT/boot/vmlinuz-20"
	check
	assert_status 1
	mini_with lz4 "$BATS_TEST_TMPDIR/lz4"
	gzip -n <"$BATS_TEST_TMPDIR/lz4" >"$ROOT/boot/vmlinuz-20"
	check
	assert_status 1
	check --profile=pygrub
	assert_status 0
}

@test "an unknown verdict does not claim what the console will say" {
	add_guest 21
	entry Debian 21 | grub_cfg
	pvk --prepare
	sed -i "s,search .*,search --no-floppy --fs-uuid --set=root 12345678-2222-3333-4444-555555555555," "$ROOT/boot/grub/grub.cfg"
	printf '/dev/xvda1 / ext4 defaults 0 1\n/dev/xvda2 /srv ext4 defaults 0 2\n' >"$ROOT/etc/fstab"
	mkdir "$ROOT/srv"
	check
	assert_status 3
	assert_lacks "$output" "no such device"
}

@test "fstab names devices: what a search by UUID finds is known all the same" {
	add_guest 22
	entry Debian 22 | grub_cfg
	pvk --prepare
	printf '/dev/xvda1 / ext4 defaults 0 1\n' >"$ROOT/etc/fstab"
	check
	assert_status 0
	lacks_findings
}

@test "a mounted tree whose other file systems are not mounted: unknown, and which one" {
	add_guest 23
	mount_tmpfs "$ROOT/var" size=64M
	cp -a "$ROOT/boot" "$ROOT/etc" "$ROOT/lib" "$ROOT/var/"
	ROOT=$ROOT/var
	pvk --prepare
	entry Debian 23 | grub_cfg
	check
	assert_status 0
	mkdir "$ROOT/srv"
	printf 'UUID=%s / ext4 defaults 0 1\nUUID=12-34 /srv ext4 defaults 0 2\n' $UUID >"$ROOT/etc/fstab"
	check
	assert_status 3
	has_finding place-unreadable
	assert_contains "$output" "/srv is not mounted in this tree"
	mount -t tmpfs none "$ROOT/srv"
	check
	umount "$ROOT/srv"
	assert_status 0
	ROOT=${ROOT%/var}
}

@test "pygrub reads extlinux.conf before menu.lst" {
	add_guest 24
	printf 'default 0\ntimeout 1\ntitle M\nkernel /boot/vmlinuz-24 x\n' >"$ROOT/boot/grub/menu.lst"
	mkdir "$ROOT/boot/extlinux"
	printf 'default E\nlabel E\nkernel /boot/vmlinuz-24\nappend initrd=/boot/initrd.img-24 root=UUID=%s console=hvc0\n' $UUID \
		>"$ROOT/boot/extlinux/extlinux.conf"
	check --profile=pygrub
	assert_status 0
	assert_equal "$(field 'd["boot"]["via"]')" extlinux
	assert_equal "$(field 'd["boot"]["initrd"]')" "['/boot/initrd.img-24']"
	printf '%s' "$output" | python3 -c '
import json, sys, jsonschema
jsonschema.validate(json.load(sys.stdin), json.load(open(sys.argv[1])))' "$PVK_SOURCE/schema/check.json"
}

@test "an initrd of several compressed parts, and one with other bytes behind it" {
	local part=$BATS_TEST_TMPDIR/part
	add_guest 25
	entry Debian 25 | grub_cfg
	pvk --prepare
	cp "$ROOT/boot/initrd.img-25" "$part"
	gzip -dc "$part" | zstd -q >"$part.zst"
	cat "$part" "$part.zst" "$part" >"$ROOT/boot/initrd.img-25"
	check
	assert_status 0
	lacks_findings
	printf 'junk' >>"$ROOT/boot/initrd.img-25"
	check
	assert_status 0
	has_finding initrd-junk
	cat "$part" "$part.zst" >"$ROOT/boot/initrd.img-25"
	truncate -s -20 "$ROOT/boot/initrd.img-25"
	check
	assert_status 1
	has_finding initrd-damaged
}

@test "--list says which kernel boots next" {
	add_guest 26a
	add_guest 26b
	entry Debian 26a | grub_cfg
	pvk --prepare
	run_pvk --list
	assert_equal "$(grep -c "boots next" <<<"$output")" 1
	assert_contains "$(grep "boots next" <<<"$output")" 26a
	run_pvk --list --json
	assert_equal "$(jq -r '[.kernels[] | "\(.version):\(.default)"] | join(" ")' <<<"$output")" "26b:false 26a:true"
	printf '%s' "$output" | python3 -c '
import json, sys, jsonschema
jsonschema.validate(json.load(sys.stdin), json.load(open(sys.argv[1])))' "$PVK_SOURCE/schema/kernels.json"
}

@test "XZ needs its filter: a hoster's GRUB may have it built in, one of the guest's own has not" {
	add_guest 27
	mini_with xz "$ROOT/boot/vmlinuz-27"
	entry Debian 27 | grub_cfg
	check
	assert_equal "$verdict" boots
	has_finding filter-not-loaded
	mkdir -p "$ROOT/boot/xen" "$ROOT/boot/grub/x86_64-xen"
	cp "$PVK_MINI/vmlinux" "$ROOT/boot/xen/pvboot-x86_64.elf"
	cp "$PVK_MINI/vmlinux" "$ROOT/boot/grub/x86_64-xen/core.elf"
	check
	assert_equal "$verdict" unknown
	assert_equal "$(field "next(f['fix'] for f in d['findings'] if f['code'] == 'filter-not-loaded')")" \
		"pvkprep --root $ROOT --prepare"
	sed -i 's/insmod gzio/insmod xzio/' "$ROOT/boot/grub/grub.cfg"
	check
	assert_equal "$verdict" boots
	# gzip: GRUB loads that by itself.
	mini_with gzip "$ROOT/boot/vmlinuz-27"
	check
	assert_equal "$verdict" boots
	lacks_findings
}

@test "a file name pattern that one kernel matches is known, one that two match is not" {
	add_guest 1
	"$PVKPREP" --root "$ROOT" --prepare --quiet
	grub_cfg <<-EOF
		for kernel in /boot/vmlinuz-*; do set kernel=\$kernel; done
		menuentry A { linux \$kernel root=UUID=$UUID ro console=hvc0; initrd /boot/initrd.img-1; }
	EOF
	check
	assert_equal "$verdict $(field 'd["boot"]["kernel"]')" "boots /boot/vmlinuz-1"
	cp "$ROOT/boot/vmlinuz-1" "$ROOT/boot/vmlinuz-2"
	check
	assert_equal "$verdict" unknown
	assert_contains "$output" "the files in '/boot/' and their order"
}

@test "a prepared image with other bytes in it is damaged, whatever its headers say, and is made again" {
	add_guest 1
	"$PVKPREP" --root "$ROOT" --prepare --quiet
	entry A 1 | grub_cfg
	cp "$ROOT/boot/vmlinuz-1" "$BATS_TEST_TMPDIR/sound"
	printf X | dd of="$ROOT/boot/vmlinuz-1" bs=1 seek=4090 conv=notrunc status=none
	check
	assert_equal "$verdict" fails
	has_finding kernel-damaged
	assert_equal "$(fix_of kernel-damaged)" "pvkprep --root $ROOT --prepare"
	"$PVKPREP" --root "$ROOT" --prepare --quiet
	assert_same_file "$ROOT/boot/vmlinuz-1" "$BATS_TEST_TMPDIR/sound"
	check
	assert_equal "$verdict" boots
	# The same bytes in another file, as of a backup, are what they were.
	cp "$ROOT/boot/vmlinuz-1" "$ROOT/new" && mv "$ROOT/new" "$ROOT/boot/vmlinuz-1"
	check
	assert_equal "$verdict" boots
}

# not_pv IN OUT: an ELF kernel with its ENTRY note renamed.
not_pv() {
	python3 - "$1" "$2" <<-'EOF'
		import struct, sys
		data = open(sys.argv[1], "rb").read()
		entry, other = (struct.pack("<III4s", 4, 8, kind, b"Xen\0") for kind in (1, 99))
		assert data.count(entry) == 1
		open(sys.argv[2], "wb").write(data.replace(entry, other))
	EOF
}

message_of() { field "next((f['message'] for f in d['findings'] if f['code'] == '$1'), 'no finding')"; }

@test "a kernel that is not for PV: that is told first, and --prepare is no cure" {
	local elf=$BATS_TEST_TMPDIR/elf version
	add_guest 32
	entry Debian 32 | grub_cfg
	not_pv "$PVK_MINI/vmlinux" "$elf"
	pvk --prepare
	cp "$elf" "$ROOT/boot/vmlinuz-32-elf"
	lz4 -q -l -9 -f "$elf" "$elf.lz4"
	"$REPACK" replace "$MINI" "$elf.lz4" "$ROOT/boot/vmlinuz-32-lz4" "$(size_of "$elf")"
	check
	assert_status 0
	for version in elf lz4; do
		assert_contains "$(field "[f['message'] + f['fix'] + '.' for f in d['findings'] if '32-$version' in f['message']]")" \
			"cannot be loaded: no ENTRY note: not a PV kernel (it can start as PVH only)."
	done
	mv "$ROOT/boot/vmlinuz-32-lz4" "$ROOT/boot/vmlinuz-32"
	rm "$ROOT/boot/vmlinuz-32-elf"
	check
	assert_status 1
	assert_contains "$(message_of kernel-refused)" '"not xen image", no ENTRY note: not a PV kernel (it can start as PVH only), GRUB cannot read lz4'
	assert_equal "$(fix_of kernel-refused)" ""
	assert_lacks "$output" kernel-not-loadable
	cp "$elf" "$ROOT/boot/vmlinuz-32"
	check
	assert_status 1
	has_finding kernel-crashes
	assert_lacks "$output" kernel-not-loadable
}


@test "what its package has in it, byte for byte, is not cured by installing that again" {
	add_guest 33
	entry Debian 33 | grub_cfg
	printf 'MZ, an image for another machine' >"$ROOT/boot/vmlinuz-33"
	(cd "$ROOT" && md5sum boot/vmlinuz-33) >"$ROOT/var/lib/dpkg/info/linux-image-33.md5sums"
	check
	assert_status 1
	assert_equal "$(fix_of kernel-refused)" ""
	echo more >>"$ROOT/boot/vmlinuz-33"
	check
	assert_contains "$(fix_of kernel-refused)" "apt-get install --reinstall linux-image-33"
}

@test "a kernel that is withheld is cured by --prepare only if that can prepare it" {
	local kept=$ROOT/boot/pvkprep/packaged-34
	mkdir -p "$ROOT/boot/pvkprep"
	printf '/boot/vmlinuz-34\n' >"$ROOT/var/lib/dpkg/info/linux-image-34.list"
	printf '/boot/vmlinuz-34\n/boot/pvkprep/packaged-34\npvkprep\n' >"$ROOT/var/lib/dpkg/diversions"
	mini_with lz4 "$kept"
	(cd "$ROOT/boot/pvkprep" && md5sum packaged-34 | sed s,packaged-,boot/vmlinuz-,) >"$ROOT/var/lib/dpkg/info/linux-image-34.md5sums"
	check
	assert_equal "$(fix_of kernel-not-loadable)" "pvkprep --root $ROOT --prepare"
	truncate -s -5000 "$kept"
	check
	assert_contains "$(message_of kernel-not-loadable)" "is withheld: cannot read bzImage: it is cut short"
	assert_contains "$(fix_of kernel-not-loadable)" "apt-get install --reinstall linux-image-34"
	(cd "$ROOT/boot/pvkprep" && md5sum packaged-34 | sed s,packaged-,boot/vmlinuz-,) >"$ROOT/var/lib/dpkg/info/linux-image-34.md5sums"
	check
	assert_equal "$(fix_of kernel-not-loadable)" ""
}

@test "modules that are gone are cured by the package that has them, or by none that we know" {
	local release info=$ROOT/var/lib/dpkg/info
	release=$(kernel_release)
	add_guest 35
	entry Debian 35 | grub_cfg
	pvk --prepare
	rmdir "$ROOT/lib/modules/$release"
	mkdir -p "$ROOT/proc/self"
	check
	assert_status 0
	assert_equal "$(fix_of modules-missing)" ""
	echo "/boot/vmlinuz-$release" >"$info/linux-image-$release.list"
	echo "/usr/lib/modules/$release/modules.builtin" >"$info/linux-modules-$release.list"
	check
	assert_equal "$(fix_of modules-missing)" "chroot $ROOT apt-get install --reinstall linux-modules-$release"
}
